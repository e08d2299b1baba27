// The page's fold against the daemon's: the records of a real run, and what the engine's own fold, its views and its snapshot
// said of it at some of them (`engine/api/src/recorded.rs` writes both, and holds the engine to them).
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { NO_PARENT, decodeLineage } from '../protocol/columns';
import { numberOf } from '../protocol/records';
import type { LogRecord, Run, SnapState } from '../wire/wire';
import { Fate, Mark, NONE } from './candidates';
import { fold } from './fold';
import type { RunModel } from './model';
import { activeMs, emptyModel, isPinned } from './model';
import { sliceAt } from './slice';
import { fromSnapshot } from './snapshot';

/** What the daemon said at one event. */
interface Look {
  seq: number;
  run: Run;
  state: SnapState;
  columns: string;
}

const read = (name: string): string => readFileSync(new URL(`../../fixtures/${name}`, import.meta.url), 'utf8');
const records = (name: string): LogRecord[] => read(name).trim().split('\n').map((line) => JSON.parse(line) as LogRecord);
const looks = (name: string): Look[] => JSON.parse(read(name)) as Look[];

function columnsOf(look: Look) {
  const bytes = Uint8Array.from(look.columns.match(/../g) ?? [], (pair) => parseInt(pair, 16));
  const columns = decodeLineage(bytes.buffer);
  if (!columns) throw new Error('the frame is not read');
  return columns;
}

const area = records('area.jsonl');
const end = records('area.revoked.jsonl');
const revoked = [...area.filter(({ seq }) => seq < end[0].seq), ...end];
const cases: [string, LogRecord[], Look][] = [
  ...looks('area.folds.json').map((look): [string, LogRecord[], Look] => [`area at ${look.seq}`, area, look]),
  ...looks('area.revoked.folds.json').map((look): [string, LogRecord[], Look] => [`revoked at ${look.seq}`, revoked, look]),
];

function folded(log: LogRecord[], seq: number): RunModel {
  const model = emptyModel();
  for (const record of log) if (record.seq <= seq) fold(model, record);
  return model;
}

/**
 * The model with the front of its event as the engine has it: the engine's front changes with the verdict, the log tells it a
 * record or two later, in the same decision.
 */
function settled(log: LogRecord[], seq: number): RunModel {
  const rest = log.filter((record) => record.seq > seq);
  const told = rest.findIndex(({ event_type }) => !/^(learning_rate|front)_changed$/.test(event_type));
  const ahead = rest.slice(0, told).find(({ event_type }) => event_type === 'front_changed');
  return folded(log, ahead?.seq ?? seq);
}

/** What of a model the run's view says too, in the view's own words; a snapshot's scores have the precision of its columns. */
function told(model: RunModel, precision = (score: number) => score): Partial<Run> {
  const { counters, table } = model;
  const { proposalOutcomes, ...numbers } = counters;
  const id = (number: number): string => `${model.runId}-${number}`;
  return {
    run_id: model.runId,
    agent_id: model.agentId,
    target: model.target,
    state: model.phase,
    stopped_by: model.stoppedBy || null,
    seed: model.seed,
    seq: model.seq,
    started_at: model.startedAt,
    last_event_at: model.lastAt,
    active_ms: activeMs(model, model.lastAt),
    counters: { ...numbers, proposal_outcomes: proposalOutcomes },
    objectives: model.objectives,
    front: [...model.front].sort((a, b) => a - b).map(id),
    champion_history: model.champions.map(({ number }) => id(number)),
    learning_rate: model.rate.at(-1)?.value ?? 0.1,
    breakers: Object.fromEntries([...model.breakers].map(([name, { state }]) => [name, { state }])),
    budget: model.budget,
    noise: model.noise,
    isolation: model.isolation,
    baseline: scored(model, 0, precision),
    champion: scored(model, Math.max(0, model.champion), precision),
  };
}

function scored(model: RunModel, number: number, precision: (score: number) => number): Run['champion'] {
  const { table, objectives, runId, words } = model;
  if (Number.isNaN(table.time[0])) return null;
  const scores = Object.fromEntries(objectives.map(({ name }, index) => [name, precision(table.scores[index][number])]));
  return { candidate_id: `${runId}-${number}`, number, commit: words.get(number)?.commit ?? '', scores, improvement: null };
}

/** The same without what a snapshot does not carry. */
const plain = (run: Partial<Run>): Partial<Run> => ({ ...run, baseline: { ...run.baseline!, commit: '' }, champion: { ...run.champion!, commit: '' } });

function asTold({ run }: Look): Partial<Run> {
  const front = [...run.front].sort((a, b) => numberOf(a) - numberOf(b));
  const bare = (one: Run['champion']): Run['champion'] => one && { ...one, improvement: null };
  return { ...run, front, baseline: bare(run.baseline), champion: bare(run.champion) };
}

/** The part of a row that a snapshot carries, as it carries it. */
function row(model: RunModel, number: number) {
  const { table } = model;
  const arm = model.arms[table.arm[number]];
  return {
    parents: [table.parent[number], table.parent2[number]],
    generation: table.generation[number],
    scores: table.scores.map((column) => Math.fround(column[number])),
    time: Math.fround(table.time[number]),
    spent: table.spent[number],
    seq: table.seq[number],
    fate: table.fate[number],
    arm: arm && `${arm.proposer} ${arm.operator}`,
    gate: table.gate[number] === NONE ? '' : model.gates[table.gate[number]],
    marks: table.marks[number],
  };
}

describe.each(cases)('%s', (_, log, look) => {
  const model = folded(log, look.seq);
  const ahead = settled(log, look.seq);
  const snapshot = (): RunModel => fromSnapshot(look.seq, look.state, columnsOf(look));

  it('the fold says what the run’s view says', () => {
    const ours = { ...told(model), front: told(ahead).front };
    const theirs = asTold(look);
    for (const [name, value] of Object.entries(ours)) expect({ [name]: theirs[name as keyof Run] }).toEqual({ [name]: value });
    if (model.hypervolume.length > 0) expect(model.hypervolume.at(-1)?.value).toBeCloseTo(look.run.hypervolume, 12);
    expect(isPinned(model)).toBe(look.run.pinned);
    expect([model.tokens, model.usd]).toEqual([look.run.spent.llm_tokens, look.run.spent.llm_cost_usd ?? 0]);
  });

  it('the fold counts what each operator brought as the daemon does, and all together as the counters', () => {
    const named = look.run.arms.map(({ proposer, operator, tries, viable, accepted }) => ({ proposer, operator, tries, viable, accepted }));
    expect(model.arms).toEqual(named);
    const sum = (of: 'tries' | 'viable' | 'accepted'): number => model.arms.reduce((all, arm) => all + arm[of], 0);
    expect([sum('viable'), sum('accepted')]).toEqual([model.counters.viable, model.counters.accepted]);
    expect(sum('tries')).toBe(model.counters.proposalOutcomes.applied);
  });

  it('the binary frame is read as it was written', () => {
    const columns = columnsOf(look);
    expect(columns.seq).toBe(look.seq);
    expect(columns.count).toBe(model.table.count);
    expect(columns.objectives).toBe(model.objectives.length);
    expect(columns.parent[0]).toBe(NO_PARENT);
    expect(columns.scores.length).toBe(model.objectives.length);
  });

  it('the snapshot gives every candidate that the fold gives', () => {
    const taken = snapshot();
    expect(taken.table.count).toBe(model.table.count);
    for (let number = 0; number < model.table.count; number++) {
      const wanted = { ...row(model, number), marks: ahead.table.marks[number] };
      expect({ number, ...row(taken, number) }).toEqual({ number, ...wanted });
      if (Number.isNaN(model.table.score[number])) expect(taken.table.score[number]).toBeNaN();
      else expect(taken.table.score[number]).toBeCloseTo(model.table.score[number], 5);
    }
  });

  it('the snapshot gives the same run', () => {
    const taken = snapshot();
    expect(plain(told(taken))).toEqual(plain({ ...told(model, Math.fround), front: told(ahead).front }));
    expect(taken.arms).toEqual(model.arms);
    expect(taken.champions).toEqual(model.champions);
    expect(taken.hypervolume).toEqual(model.hypervolume);
    expect(taken.rate).toEqual(model.rate);
    expect(taken.successRate).toBe(model.successRate);
    expect(taken.alerts).toEqual(model.alerts);
    expect(taken.commands).toEqual(model.commands);
    expect([...taken.breakers.values()]).toEqual([...model.breakers.values()]);
    expect(taken.pauseReason).toBe(model.pauseReason);
    expect(taken.separation).toBe(model.separation);
    expect(taken.evaluatorSeconds).toBeCloseTo(model.evaluatorSeconds, 6);
    expect([taken.tokens, taken.usd]).toEqual([model.tokens, model.usd]);
  });

  it('the snapshot folded on comes to the end that the whole log comes to', () => {
    const taken = snapshot();
    for (const record of log) fold(taken, record);
    const whole = folded(log, Infinity);
    expect(plain(told(taken, Math.fround))).toEqual(plain(told(whole, Math.fround)));
    expect(taken.arms).toEqual(whole.arms);
    for (let number = 0; number < whole.table.count; number++) expect({ number, ...row(taken, number) }).toEqual({ number, ...row(whole, number) });
  });

  it('a cut at this event gives the same', () => {
    const cut = sliceAt(folded(log, Infinity), look.seq);
    expect(cut.arms).toEqual(model.arms);
    expect(cut.counters).toEqual(model.counters);
    expect([...cut.front].sort()).toEqual([...model.front].sort());
  });
});

describe('the revocation', () => {
  it('takes the candidate from the front and the champion from it, and nothing from the counts', () => {
    const before = folded(revoked, end[2].seq);
    const after = folded(revoked, Infinity);
    const number = numberOf(end[3].modification_id);
    expect([before.table.fate[number], after.table.fate[number]]).toEqual([Fate.accepted, Fate.revoked]);
    expect([before.front.has(number), after.front.has(number)]).toEqual([true, false]);
    expect(after.table.marks[number] & Mark.front).toBe(0);
    expect(after.arms).toEqual(before.arms);
    expect(after.counters.viable).toBe(before.counters.viable);
  });
});
