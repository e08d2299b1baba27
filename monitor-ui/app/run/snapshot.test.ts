// A model filled from a snapshot and folded on must come to the same as one that folded everything.
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { changedStretch, withMarks } from '../inspector/diff';
import { NO_PARENT, decodeLineage, encodeLineage } from '../protocol/columns';
import type { LogRecord, SnapState } from '../wire/wire';
import { fold } from './fold';
import type { Moment, RunModel } from './model';
import { emptyModel } from './model';
import { sliceAt } from './slice';
import { fromSnapshot } from './snapshot';

function recorded(name: string): LogRecord[] {
  const text = readFileSync(new URL(`../../dev/recorded/${name}.jsonl`, import.meta.url), 'utf8');
  return text.trim().split('\n').map((line) => JSON.parse(line) as LogRecord);
}

const moment = ({ seq, time, evaluation, spent }: Moment) => ({ seq, time, evaluations: evaluation, spent });

/** What the daemon would send of this model. */
function snapshotOf(model: RunModel): RunModel {
  const { table } = model;
  const { count } = table;
  const words = (column: Int32Array): Uint32Array => Uint32Array.from(column.slice(0, count), (value) => (value < 0 ? NO_PARENT : value));
  const buffer = encodeLineage({
    epoch: 1,
    seq: model.seq,
    count,
    objectives: model.objectives.length,
    parent: words(table.parent),
    parent2: words(table.parent2),
    scores: table.scores.map((column) => Float32Array.from(column.slice(0, count))),
    time: Float32Array.from(table.time.slice(0, count)),
    spent: table.spent.slice(0, count),
    verdictSeq: table.seq.slice(0, count),
    fate: table.fate.slice(0, count),
    arm: table.arm.slice(0, count),
    gate: table.gate.slice(0, count),
    marks: table.marks.slice(0, count),
  });
  const { proposalOutcomes, gates, outcomes, ...numbers } = model.counters;
  const state: SnapState = {
    run_id: model.runId,
    agent_id: model.agentId,
    target: model.target,
    seed: model.seed,
    state: model.phase,
    started_at: model.startedAt,
    objectives: model.objectives,
    budget: model.budget,
    counters: { ...numbers, proposal_outcomes: proposalOutcomes, gates, outcomes },
    arms: model.arms.map((arm) => ({ ...arm, parents: 1 })),
    gate_names: [...model.gates],
    champion_history: model.champions.map((step) => ({ ...moment(step), number: step.number, reason: step.reason, rationale: '' })),
    learning_rate_history: [],
    hypervolume_history: model.hypervolume.map((point) => ({ ...moment(point), value: point.value })),
    breakers: [],
    alerts: model.alerts.map((alert) => ({ ...alert, id: alert.key, evaluations: 0, spent: 0, modification_id: null })),
    commands: [],
    last_at: model.lastAt,
    active_ms: 0,
    spent: { evaluations: 0, proposals: 0, time_ms: 0, llm_tokens: 0, llm_cost_usd: null },
    noise: {},
    isolation: model.isolation,
    separation: model.separation,
    evaluator_s: 0,
  };
  return fromSnapshot(model.seq, state, decodeLineage(buffer));
}

describe('a snapshot', () => {
  it.each(['slow_report', 'small_or_fast', 'broken_toolbox'])('%s: goes on as if nothing had been left out', (name) => {
    const records = recorded(name);
    const half = Math.floor(records.length / 2);
    const whole = emptyModel();
    for (const record of records.slice(0, half)) fold(whole, record);
    const taken = snapshotOf(whole);
    for (const model of [whole, taken]) for (const record of records.slice(half)) fold(model, record);
    expect(taken.counters).toEqual(whole.counters);
    expect([...taken.front].sort()).toEqual([...whole.front].sort());
    expect(taken.champion).toBe(whole.champion);
    expect(taken.phase).toBe(whole.phase);
    expect(taken.arms).toEqual(whole.arms);
    expect(taken.table.count).toBe(whole.table.count);
    for (const column of ['fate', 'gate', 'marks', 'generation', 'parent'] as const) {
      expect([...taken.table[column].slice(0, taken.table.count)]).toEqual([...whole.table[column].slice(0, whole.table.count)]);
    }
    for (let row = 0; row < whole.table.count; row++) {
      if (Number.isNaN(whole.table.score[row])) expect(taken.table.score[row]).toBeNaN();
      else expect(taken.table.score[row]).toBeCloseTo(whole.table.score[row], 4);
    }
    const at = records[half + 40].seq;
    expect([...sliceAt(taken, at).front].sort()).toEqual([...sliceAt(whole, at).front].sort());
    expect(sliceAt(taken, at).champion).toBe(sliceAt(whole, at).champion);
    expect(taken.exactFrom).toBe(records[half - 1].seq);
  });
});

describe('changes within a line', () => {
  it('are what lies between the common beginning and end', () => {
    expect(changedStretch('if a < b:', 'if a <= b:')).toEqual({ before: [6, 6], after: [6, 7] });
    const lines = withMarks([
      { kind: '-', text: '    if a < b:' },
      { kind: '+', text: '    if a <= b:' },
      { kind: '-', text: 'one' },
      { kind: '+', text: 'two' },
      { kind: '+', text: 'three' },
    ]);
    expect(lines.map((line) => line.marks)).toEqual([undefined, [[10, 11]], undefined, undefined, undefined]);
  });
});
