// The run as it was at an earlier sequence number, cut out of what the page already holds: no request, no second fold, so
// that scrubbing a run of a hundred thousand candidates is immediate. The tests hold it equal to a fold that stops there.
import { Candidates, Fate, Mark, NONE, hasVerdict } from './candidates';
import type { Counters, RunModel } from './model';
import { emptyModel } from './model';

/** Columns that only ever gain rows are shared with the live table; those that change later are cut anew. */
function cutTable(live: Candidates, seq: number): Candidates {
  const table = new Candidates(0, 0);
  Object.assign(table, live);
  let count = live.count > 0 ? 1 : 0;
  while (count < live.count && (live.asked[count] <= seq || live.asked[count] === 0)) count++;
  table.count = count;
  table.fate = new Uint8Array(count);
  table.marks = new Uint8Array(count);
  table.score = live.score.slice(0, count);
  table.time = live.time.slice(0, count);
  for (let row = 0; row < count; row++) {
    table.fate[row] = fateAt(live, row, seq);
    if (live.ended[row] === 0 || live.ended[row] > seq) {
      table.score[row] = NaN;
      table.time[row] = NaN;
    }
  }
  return table;
}

function fateAt(live: Candidates, row: number, seq: number): Fate {
  const now = live.fate[row] as Fate;
  if (live.seq[row] > 0 && live.seq[row] <= seq) return now;
  const past = (at: number): boolean => at > 0 && at <= seq;
  if (past(live.started[row]) && row > 0) return Fate.evaluating;
  if (now === Fate.discarded && past(live.answered[row])) return Fate.discarded;
  if (row === 0 || (past(live.answered[row]) && now !== Fate.discarded)) return Fate.proposed;
  return past(live.asked[row]) ? Fate.requested : Fate.absent;
}

const upTo = <T extends { seq: number }>(notes: T[], seq: number): T[] => {
  let low = 0;
  let high = notes.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (notes[middle].seq <= seq) low = middle + 1;
    else high = middle;
  }
  return notes.slice(0, low);
};

/** The model at `seq`, which must not lie after the live one. */
export function sliceAt(live: RunModel, seq: number): RunModel {
  const table = cutTable(live.table, seq);
  const phase = upTo(live.traces.phases, seq).at(-1);
  const model: RunModel = {
    ...emptyModel(),
    ...pickConstant(live),
    seq,
    table,
    lastAt: timeAt(live, seq),
    phase: phase?.phase ?? 'running',
    pauseReason: phase?.reason ?? '',
    stoppedBy: phase?.stoppedBy ?? '',
    earlierMs: phase?.earlierMs ?? 0,
    sessionAt: phase?.sessionAt ?? live.startedAt,
    champions: upTo(live.champions, seq),
    hypervolume: upTo(live.hypervolume, seq),
    rate: upTo(live.rate, seq),
    alerts: upTo(live.alerts, seq),
    commands: upTo(live.commands, seq),
    budget: upTo(live.traces.budgets, seq).at(-1)?.budget ?? live.firstBudget,
    rollback: upTo(live.traces.rollbacks, seq).at(-1)?.now ?? null,
  };
  const spending = upTo(live.traces.spending, seq).at(-1);
  if (spending) Object.assign(model, { usd: spending.usd, tokens: spending.tokens });
  model.alertCount = model.alerts.length;
  restoreRevoked(live, model, seq);
  if (model.phase === 'finished' || model.phase === 'stopped' || model.phase === 'failed') closeOpen(model);
  restoreMarks(live, model, seq);
  model.breakers = new Map(
    [...live.breakers].map(([name, info]) => {
      const history = upTo(info.history, seq);
      return [name, { name, state: history.at(-1)?.to ?? 'closed', retryAt: null, history }];
    }),
  );
  count(live, model, seq);
  return model;
}

function pickConstant(live: RunModel) {
  const { runId, agentId, target, seed, objectives, startedAt, gates, outcomes, words, noise, checks } = live;
  const { isolation, separation, modelUsed, exactFrom, traces, firstBudget, overflow } = live;
  return {
    ...{ runId, agentId, target, seed, objectives, startedAt, gates, outcomes, words, noise, checks },
    ...{ isolation, separation, modelUsed, exactFrom, traces, firstBudget, overflow },
  };
}

/** Unix milliseconds of the latest evaluation that had ended by `seq`: as near as the columns know. */
function timeAt(live: RunModel, seq: number): number {
  if (seq >= live.seq) return live.lastAt;
  return live.startedAt + secondsAt(live, seq) * 1000;
}

/** Seconds into the run at an event: verdicts come in order, so the latest one before it tells. */
export function secondsAt(live: RunModel, seq: number): number {
  let seconds = 0;
  const { table } = live;
  for (let row = 0; row < table.count; row++) {
    if (table.ended[row] > 0 && table.ended[row] <= seq && table.time[row] > seconds) seconds = table.time[row];
  }
  return seconds;
}

/** The last event known to lie at or before so many seconds into the run. */
export function seqAt(live: RunModel, seconds: number): number {
  let found = 1;
  const { table } = live;
  for (let row = 0; row < table.count; row++) {
    if (table.time[row] <= seconds && table.ended[row] > found) found = table.ended[row];
  }
  for (const step of live.champions) if (step.time <= seconds && step.seq > found) found = step.seq;
  return found;
}

function restoreRevoked(live: RunModel, model: RunModel, seq: number): void {
  const { table } = model;
  for (const { seq: at, number, before, verdict } of live.traces.revocations) {
    if (number < table.count && at > seq && verdict <= seq) table.fate[number] = before;
  }
}

function closeOpen(model: RunModel): void {
  const { fate, count: rows } = model.table;
  for (let row = 1; row < rows; row++) {
    if (fate[row] === Fate.requested) fate[row] = Fate.discarded;
    else if (fate[row] === Fate.proposed || fate[row] === Fate.evaluating) fate[row] = Fate.abandoned;
  }
}

function restoreMarks(live: RunModel, model: RunModel, seq: number): void {
  const { marks, count: rows } = model.table;
  const mark = (number: number, bit: number): void => {
    if (number >= 0 && number < rows) marks[number] |= bit;
  };
  for (const { joined, left } of upTo(live.traces.fronts, seq)) {
    for (const number of left) model.front.delete(number);
    for (const number of joined) model.front.add(number);
  }
  for (const number of model.front) mark(number, Mark.front);
  for (const step of model.champions) mark(step.number, Mark.wasChampion);
  const champion = model.champions.at(-1);
  model.champion = champion?.number ?? -1;
  mark(model.champion, Mark.champion);
  for (const { number } of upTo(live.traces.violations, seq)) mark(number, Mark.violation);
}

function count(live: RunModel, model: RunModel, seq: number): void {
  const { table } = model;
  const counters: Counters = { ...emptyModel().counters, gates: {}, outcomes: {}, proposalOutcomes: {} };
  const bump = (counts: Record<string, number>, name: string): void => {
    counts[name] = (counts[name] ?? 0) + 1;
  };
  const arms = live.arms.map((arm) => ({ ...arm, tries: 0, viable: 0, accepted: 0 }));
  const full = live.table;
  const revoked = new Map(live.traces.revocations.map(({ number, before }) => [number, before]));
  for (let row = 1; row < table.count; row++) {
    const fate = table.fate[row];
    const arm = full.arm[row] === NONE ? undefined : arms[full.arm[row]];
    if (full.started[row] > 0 && full.started[row] <= seq) counters.evaluations++;
    if (full.ended[row] > 0 && full.ended[row] <= seq) {
      bump(counters.outcomes, live.outcomes[full.outcome[row]] ?? 'unknown');
      model.evaluatorSeconds += full.wall[row];
    }
    if (full.answered[row] > 0 && full.answered[row] <= seq) {
      counters.proposals++;
      const outcome = full.fate[row] === Fate.discarded ? (live.outcomes[full.outcome[row]] ?? 'unknown') : 'applied';
      bump(counters.proposalOutcomes, outcome);
      if (outcome === 'duplicate') counters.duplicates++;
      if (outcome === 'applied' && arm) arm.tries++;
    }
    const over = full.ended[row] > 0 && full.ended[row] <= seq;
    if (fate === Fate.evaluating && !over) model.underWay.set(row, 0);
    if (!hasVerdict(fate)) continue;
    // A revocation takes nothing back from the counts: they say what was judged, not what holds.
    const judged = fate === Fate.revoked ? (revoked.get(row) ?? fate) : fate;
    if (fate === Fate.rejected) {
      counters.rejected++;
      bump(counters.gates, live.gates[full.gate[row]] ?? '');
      continue;
    }
    counters.viable++;
    if (arm) arm.viable++;
    if (judged === Fate.accepted) {
      counters.accepted++;
      if (arm) arm.accepted++;
    }
  }
  model.counters = counters;
  model.arms = arms;
}
