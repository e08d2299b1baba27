// Fills a model from the daemon's snapshot: the binary lineage and the small state beside it. What a snapshot does not
// carry (words of old candidates, say) stays empty and is asked for when somebody looks.
import { NO_PARENT } from '../protocol/columns';
import type { LineageColumns } from '../protocol/columns';
import { numberOf } from '../protocol/records';
import type { Counters, SnapState } from '../wire/wire';
import type { Alert } from './alerts';
import { Candidates, Fate, MAX_CANDIDATES, Mark } from './candidates';
import { weightedImprovement } from './measure';
import type { Moment, RunModel } from './model';
import { emptyModel } from './model';

type Timed = Pick<SnapState['alerts'][number], 'seq' | 'time' | 'evaluations' | 'spent'>;

const moment = ({ seq, time, evaluations, spent }: Timed): Moment => ({ seq, time, evaluation: evaluations, spent });

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
    lastAt: state.last_at,
    seq,
    exactFrom: seq,
    phase: state.state,
    stoppedBy: state.stopped_by ?? '',
    pauseReason: state.pause_reason ?? '',
    noise: state.noise,
    isolation: state.isolation,
    separation: state.separation,
    evaluatorSeconds: state.evaluator_s,
    sessionAt: state.last_at,
    earlierMs: state.active_ms,
  });
  fillCounters(model, state.counters);
  model.arms = state.arms.map(({ proposer, operator, tries, viable, accepted }) => ({ proposer, operator, tries, viable, accepted }));
  model.gates = [...state.gate_names];
  model.tokens = state.spent.llm_tokens;
  model.usd = model.tokens > 0 ? state.spent.llm_cost_usd : 0;
  model.modelUsed = model.tokens > 0 || model.arms.some((arm) => arm.proposer === 'llm');
  if (lineage) fillTable(model, lineage);
  fillHistories(model, state);
  leaveTraces(model);
  return model;
}

function fillCounters(model: RunModel, counters: Counters): void {
  const { proposal_outcomes, gates, outcomes, ...numbers } = counters;
  Object.assign(model.counters, numbers, {
    proposalOutcomes: { ...proposal_outcomes },
    gates: { ...gates },
    outcomes: { ...outcomes },
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
  model.champions = state.champion_history.map((step) => {
    if (step.rationale) {
      const words = { proposer: '', operator: '', rationale: step.rationale, files: [], commit: '', reason: '' };
      model.words.set(step.number, words);
    }
    return { ...moment(step), number: step.number, reason: step.reason };
  });
  model.rate = state.learning_rate_history.map((point) => ({ ...moment(point), value: point.rate }));
  model.successRate = state.learning_rate_history.at(-1)?.success_rate ?? null;
  model.hypervolume = state.hypervolume_history.map((point) => ({ ...moment(point), value: point.value }));
  for (const { name, state: word, retry_at_ms, history } of state.breakers) {
    const notes = history.map((note) => ({ ...moment(note), from: note.from, to: note.to, reason: note.reason }));
    model.breakers.set(name, { name, state: word, retryAt: retry_at_ms ?? null, history: notes });
  }
  model.alerts = state.alerts.map((alert) => ({
    key: alert.id,
    seq: alert.seq,
    time: alert.time,
    kind: alert.kind as Alert['kind'],
    title: alert.title,
    detail: alert.detail,
    severity: alert.severity === 'serious' || alert.severity === 'warning' ? alert.severity : 'note',
    number: numberOf(alert.modification_id),
  }));
  model.alertCount = model.alerts.length;
  model.commands = state.commands.map((note) => ({
    ...moment(note),
    id: note.id,
    command: note.command,
    target: note.modification_id,
    reason: note.reason,
    refused: note.refused,
  }));
}

/** What later cuts start from: the snapshot's own state, as if everything had happened at once. */
function leaveTraces(model: RunModel): void {
  const { seq, phase, pauseReason, stoppedBy, earlierMs, sessionAt, front, traces } = model;
  traces.phases.push({ seq, phase, reason: pauseReason, stoppedBy, earlierMs, sessionAt });
  traces.fronts.push({ seq, joined: [...front], left: [] });
  if (model.tokens > 0) traces.spending.push({ seq, usd: model.usd, tokens: model.tokens });
}
