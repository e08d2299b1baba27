// Fills a model from the daemon's snapshot: the binary lineage and the small state beside it. What a snapshot does not
// carry (words of old candidates, say) stays empty and is asked for when somebody looks.
import { NO_PARENT } from '../protocol/columns';
import type { LineageColumns } from '../protocol/columns';
import type { BreakerWord, Budget, Objective } from '../protocol/records';
import { numberOf } from '../protocol/records';
import type { Alert } from './alerts';
import { Candidates, Fate, MAX_CANDIDATES, Mark } from './candidates';
import { weightedImprovement } from './measure';
import type { Moment, Phase, RunModel } from './model';
import { emptyModel } from './model';

interface Timed {
  seq: number;
  time: number;
  evaluations?: number;
}

/** The state beside the columns; every list may be absent. */
export interface SnapState {
  run_id: string;
  agent_id: string;
  target: string;
  seed: number;
  state: Phase;
  stopped_by?: string;
  started_at: number;
  last_at?: number;
  active_ms?: number;
  objectives: Objective[];
  budget: Budget;
  counters: Record<string, unknown>;
  arms?: { proposer: string; operator: string; tries?: number; viable?: number; accepted?: number }[];
  gate_names?: string[];
  champion_history?: (Timed & { number: number; reason: string; rationale?: string })[];
  learning_rate_history?: (Timed & { rate: number; success_rate: number })[];
  hypervolume_history?: (Timed & { value: number })[];
  breakers?: { name: string; state: BreakerWord; retry_at_ms?: number; history?: (Timed & { from: BreakerWord; to: BreakerWord; reason: string })[] }[];
  alerts?: (Timed & Pick<Alert, 'kind' | 'title' | 'detail'> & { id: string; severity: string; modification_id?: string | null })[];
  commands?: (Timed & { id: string; command: string; modification_id?: string | null; reason?: string; refused?: string | null })[];
  noise?: Record<string, number>;
  isolation?: string;
  separation?: string;
  evaluator_s?: number;
}

const moment = (note: Timed): Moment => ({ seq: note.seq, time: note.time, evaluation: note.evaluations ?? 0, spent: 0 });

export function fromSnapshot(seq: number, state: SnapState, lineage: LineageColumns | null): RunModel {
  const model = emptyModel();
  Object.assign(model, {
    runId: state.run_id,
    agentId: state.agent_id,
    target: state.target,
    seed: state.seed,
    objectives: state.objectives,
    budget: state.budget,
    firstBudget: state.budget,
    startedAt: state.started_at,
    lastAt: state.last_at ?? state.started_at,
    seq,
    exactFrom: seq,
    phase: state.state,
    stoppedBy: state.stopped_by ?? '',
    noise: state.noise ?? {},
    isolation: state.isolation ?? '',
    separation: state.separation ?? '',
    evaluatorSeconds: state.evaluator_s ?? 0,
    sessionAt: state.last_at ?? state.started_at,
    earlierMs: state.active_ms ?? 0,
  });
  fillCounters(model, state.counters);
  model.arms = (state.arms ?? []).map((arm) => ({ ...arm, tries: arm.tries ?? 0, viable: arm.viable ?? 0, accepted: arm.accepted ?? 0 }));
  model.gates = state.gate_names ?? [];
  model.modelUsed = model.arms.some((arm) => arm.proposer === 'llm');
  if (lineage) fillTable(model, lineage);
  fillHistories(model, state);
  leaveTraces(model);
  return model;
}

function fillCounters(model: RunModel, counters: Record<string, unknown>): void {
  const { proposal_outcomes, gates, outcomes, ...numbers } = counters;
  Object.assign(model.counters, numbers, {
    proposalOutcomes: { ...(proposal_outcomes as object) },
    gates: { ...(gates as object) },
    outcomes: { ...(outcomes as object) },
  });
}

function fillTable(model: RunModel, from: LineageColumns): void {
  const count = Math.min(from.count, MAX_CANDIDATES);
  model.overflow = from.count - count;
  const table = new Candidates(from.objectives, Math.max(1024, count));
  model.table = table;
  if (count > 0) table.ensure(count - 1);
  from.scores.forEach((column, index) => table.scores[index].set(column.subarray(0, count)));
  table.time.set(from.time.subarray(0, count));
  table.spent.set(from.spent.subarray(0, count));
  table.seq.set(from.verdictSeq.subarray(0, count));
  table.fate.set(from.fate.subarray(0, count));
  table.arm.set(from.arm.subarray(0, count));
  table.gate.set(from.gate.subarray(0, count));
  table.marks.set(from.marks.subarray(0, count));
  let evaluations = 0;
  for (let row = 0; row < count; row++) {
    const signed = (parent: number): number => (parent === NO_PARENT ? -1 : parent);
    table.setParents(row, signed(from.parent[row]), signed(from.parent2[row]));
    const fate = table.fate[row];
    datePast(table, row, from.seq);
    // The snapshot has no column for it: evaluations start nearly in the order of numbers.
    if (row > 0 && fate >= Fate.evaluating && fate <= Fate.revoked) table.evaluation[row] = ++evaluations;
    if (Number.isFinite(table.time[row])) table.score[row] = weightedImprovement(model.objectives, table, row);
    if (fate === Fate.evaluating && table.ended[row] === 0) model.underWay.set(row, table.time[0] || 0);
    if (table.marks[row] & Mark.front) model.front.add(row);
    if (table.marks[row] & Mark.champion) model.champion = row;
  }
}

/** Earlier steps are not in the snapshot: a row counts from its verdict on, one without a verdict from the snapshot on. */
function datePast(table: Candidates, row: number, snapshotSeq: number): void {
  const fate = table.fate[row];
  const at = table.seq[row] || snapshotSeq;
  if (fate === Fate.absent) return;
  table.asked[row] = at;
  if (fate !== Fate.requested) table.answered[row] = at;
  if (fate >= Fate.evaluating && fate <= Fate.revoked) table.started[row] = at;
  if (Number.isFinite(table.time[row])) table.ended[row] = at;
}

function fillHistories(model: RunModel, state: SnapState): void {
  model.champions = (state.champion_history ?? []).map((step) => {
    if (step.rationale) {
      const words = { proposer: '', operator: '', rationale: step.rationale, files: [], commit: '', reason: '' };
      model.words.set(step.number, words);
    }
    return { ...moment(step), number: step.number, reason: step.reason };
  });
  model.rate = (state.learning_rate_history ?? []).map((point) => ({ ...moment(point), value: point.rate }));
  model.successRate = state.learning_rate_history?.at(-1)?.success_rate ?? null;
  model.hypervolume = (state.hypervolume_history ?? []).map((point) => ({ ...moment(point), value: point.value }));
  for (const { name, state: word, retry_at_ms, history } of Array.isArray(state.breakers) ? state.breakers : []) {
    const notes = (history ?? []).map((note) => ({ ...moment(note), from: note.from, to: note.to, reason: note.reason }));
    model.breakers.set(name, { name, state: word, retryAt: retry_at_ms ?? null, history: notes });
  }
  model.alerts = (state.alerts ?? []).map((alert) => ({
    key: alert.id,
    seq: alert.seq,
    time: alert.time,
    kind: alert.kind,
    title: alert.title,
    detail: alert.detail,
    severity: alert.severity === 'serious' || alert.severity === 'warning' ? alert.severity : 'note',
    number: numberOf(alert.modification_id),
  }));
  model.alertCount = model.alerts.length;
  model.commands = (state.commands ?? []).map((note) => ({
    ...moment(note),
    id: note.id,
    command: note.command,
    target: note.modification_id ?? null,
    reason: note.reason ?? '',
    refused: note.refused ?? null,
  }));
}

/** What later cuts start from: the snapshot's own state, as if everything had happened at once. */
function leaveTraces(model: RunModel): void {
  const { seq, phase, pauseReason, stoppedBy, earlierMs, sessionAt, front, traces } = model;
  traces.phases.push({ seq, phase, reason: pauseReason, stoppedBy, earlierMs, sessionAt });
  traces.fronts.push({ seq, joined: [...front], left: [] });
}
