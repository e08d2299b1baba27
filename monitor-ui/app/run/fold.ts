// The pure reducer: one record of the log in, the model changed. Live deltas, resumed deltas and replay all go through
// here, so that every panel at sequence N shows the same. Records must come in order; the link sees to that.
import type { Cost } from '../wire/log';
import type { KnownRecord, Payload } from '../protocol/records';
import type { LogRecord } from '../wire/wire';
import { numberOf } from '../protocol/records';
import { raiseAlerts } from './alerts';
import { Candidates, Fate, Mark, NONE, hasVerdict, isViable } from './candidates';
import { weightedImprovement } from './measure';
import type { BreakerInfo, Moment, RunModel } from './model';
import { MAX_HISTORY, MAX_WORDS, plainIds, pushBounded, pushThinned } from './model';

/** Folds one record. Returns false when it was seen before. */
export function fold(model: RunModel, raw: LogRecord): boolean {
  if (raw.seq <= model.seq) return false;
  const record = raw as KnownRecord;
  const at = Date.parse(record.timestamp);
  const previousAt = model.lastAt;
  model.seq = record.seq;
  model.lastAt = at;
  if (record.event_type === 'run_started') begin(model, record.data, at);
  const moment: Moment = {
    seq: record.seq,
    time: (at - model.startedAt) / 1000,
    evaluation: model.counters.evaluations,
    spent: model.usd ?? 0,
  };
  step(model, record, moment, previousAt);
  raiseAlerts(model, record, moment.time);
  return true;
}

function begin(model: RunModel, data: Payload<'run_started'>, at: number): void {
  model.runId = data.run_id;
  model.agentId = data.agent_id;
  model.target = data.target;
  model.seed = data.seed;
  model.objectives = data.objectives;
  model.budget = data.budget;
  model.firstBudget = data.budget;
  model.startedAt = at;
  model.sessionAt = at;
  model.phase = 'pending';
  model.table = new Candidates(data.objectives.length);
  model.table.ensure(0);
  model.table.fate[0] = Fate.proposed;
  model.arms = data.proposers.flatMap((proposer) =>
    proposer.operators.map((operator) => ({
      proposer: proposer.name,
      operator: operator.name,
      tries: 0,
      viable: 0,
      accepted: 0,
    })),
  );
  const words = { proposer: '', operator: '', rationale: 'the unchanged target', files: [], commit: data.baseline, reason: '' };
  model.words.set(0, words);
  for (const name of ['run', 'evaluator', ...data.proposers.map((proposer) => `proposer:${proposer.name}`)].sort()) {
    breaker(model, name);
  }
  model.modelUsed = data.proposers.some((proposer) => proposer.name === 'llm');
}

function step(model: RunModel, record: KnownRecord, moment: Moment, previousAt: number): void {
  switch (record.event_type) {
    case 'run_started':
      return notePhase(model);
    case 'budget_warning':
    case 'budget_exhausted':
    case 'performance_threshold_exceeded':
    case 'niche_changed':
    case 'migrated':
    case 'search_restarted':
    case 'knowledge_received':
    case 'knowledge_shared':
    case 'peer_changed':
      return;
    case 'run_resumed':
      resume(model, previousAt);
      return notePhase(model);
    case 'run_paused':
      if (model.phase === 'running' || model.phase === 'pending') model.phase = 'paused';
      model.pauseReason = record.data.reason;
      return notePhase(model);
    case 'run_finished':
      finish(model, record.data.stopped_by);
      return notePhase(model);
    case 'control_received':
      return control(model, record.data, moment);
    case 'proposal_requested':
      return requested(model, record.data, record.seq);
    case 'proposal_discarded':
      return discarded(model, record.data, record.seq);
    case 'improvement_proposed':
      return proposed(model, record.data, record.seq);
    case 'validation_started':
      return started(model, record.data, moment);
    case 'validation_completed':
      return completed(model, record.data, moment);
    case 'evaluation_failed':
      if (record.data.given_up) model.underWay.delete(record.data.number);
      return;
    case 'improvement_applied':
      return verdict(model, record.data.modification_id, Fate.accepted, '', record.data.reason, moment);
    case 'improvement_archived':
      return verdict(model, record.data.modification_id, Fate.archived, '', record.data.reason, moment);
    case 'improvement_rejected':
      return verdict(model, record.data.modification_id, Fate.rejected, record.data.gate, record.data.reason, moment);
    case 'champion_changed':
      return crowned(model, record.data, moment);
    case 'front_changed':
      return frontChanged(model, record.data, moment);
    case 'learning_rate_changed':
      if (model.rate.length === 0) model.rate.push({ ...moment, time: 0, evaluation: 0, spent: 0, value: record.data.from });
      pushThinned(model.rate, { ...moment, value: record.data.to });
      model.successRate = record.data.success_rate;
      return;
    case 'breaker_changed':
      return breakerChanged(model, record.data, moment);
    case 'budget_changed':
      model.budget = { ...model.budget, ...record.data.budget };
      pushBounded(model.traces.budgets, { seq: moment.seq, budget: model.budget }, MAX_HISTORY);
      return;
    case 'safety_violation':
      pushBounded(model.traces.violations, { seq: moment.seq, number: numberOf(record.data.modification_id) }, MAX_HISTORY);
      return mark(model, numberOf(record.data.modification_id), Mark.violation);
    case 'rollback_initiated':
      model.rollback = { to: numberOf(record.data.modification_id), from: numberOf(record.data.from) };
      pushBounded(model.traces.rollbacks, { seq: moment.seq, now: model.rollback }, MAX_HISTORY);
      return;
    case 'rollback_completed':
      model.rollback = null;
      pushBounded(model.traces.rollbacks, { seq: moment.seq, now: null }, MAX_HISTORY);
      return;
    default:
      model.unknown += 1;
  }
}

function notePhase(model: RunModel): void {
  const { seq, phase, pauseReason, stoppedBy, earlierMs, sessionAt } = model;
  pushBounded(model.traces.phases, { seq, phase, reason: pauseReason, stoppedBy, earlierMs, sessionAt }, MAX_HISTORY);
}

function resume(model: RunModel, previousAt: number): void {
  if (model.phase !== 'finished') model.earlierMs += Math.max(0, previousAt - model.sessionAt);
  model.sessionAt = model.lastAt;
  model.pauseReason = '';
  model.phase = Number.isNaN(model.table.time[0]) ? 'pending' : 'running';
}

function finish(model: RunModel, stoppedBy: string): void {
  model.earlierMs += Math.max(0, model.lastAt - model.sessionAt);
  model.phase = stoppedBy === 'failure' ? 'failed' : stoppedBy === 'interrupt' ? 'stopped' : 'finished';
  model.stoppedBy = stoppedBy;
  model.pauseReason = '';
  model.underWay.clear();
  const { fate, count } = model.table;
  for (let row = 1; row < count; row++) {
    if (fate[row] === Fate.requested) fate[row] = Fate.discarded; // Its `answered` stays 0: nobody answered.
    else if (fate[row] === Fate.proposed || fate[row] === Fate.evaluating) fate[row] = Fate.abandoned;
  }
}

function control(model: RunModel, data: Payload<'control_received'>, moment: Moment): void {
  const { command } = data.command;
  pushBounded(model.commands, {
    ...moment,
    id: data.id,
    command,
    target: 'modification_id' in data.command ? data.command.modification_id : null,
    reason: data.reason ?? '',
    refused: data.refused ?? null,
  });
}

function row(model: RunModel, number: number): boolean {
  if (model.table.ensure(number)) return true;
  model.overflow += 1;
  return false;
}

function armOf(model: RunModel, proposer: string, operator: string): number {
  let index = model.arms.findIndex((arm) => arm.proposer === proposer && arm.operator === operator);
  if (index < 0 && model.arms.length < NONE) {
    index = model.arms.push({ proposer, operator, tries: 0, viable: 0, accepted: 0 }) - 1;
  }
  return index < 0 ? NONE : index;
}

function requested(model: RunModel, data: Payload<'proposal_requested'>, seq: number): void {
  if (!row(model, data.number)) return;
  model.table.asked[data.number] = seq;
  model.table.fate[data.number] = Fate.requested;
  model.table.arm[data.number] = armOf(model, data.proposer, data.operator);
  model.table.setParents(data.number, data.parents[0] ?? -1, data.parents[1] ?? -1);
}

function answered(model: RunModel, outcome: string): void {
  model.counters.proposals += 1;
  bump(model.counters.proposalOutcomes, outcome);
}

/** What an answer cost in models, added as the engine adds it: one unknown price makes the sum unknown. */
function pay(model: RunModel, cost: Cost | undefined, seq: number): void {
  const paid = cost?.llm;
  if (!paid) return;
  const first = model.traces.spending.length === 0;
  const known = model.usd !== null && paid.cost_usd !== null;
  model.usd = first ? paid.cost_usd : known ? model.usd! + paid.cost_usd! : null;
  model.tokens += paid.input + paid.output;
  model.modelUsed = true;
  pushBounded(model.traces.spending, { seq, usd: model.usd, tokens: model.tokens }, MAX_HISTORY);
}

function bump(counts: Record<string, number>, name: string): void {
  counts[name] = (counts[name] ?? 0) + 1;
}

function discarded(model: RunModel, data: Payload<'proposal_discarded'>, seq: number): void {
  answered(model, data.outcome);
  pay(model, data.cost, seq);
  if (data.outcome === 'duplicate') model.counters.duplicates += 1;
  if (!row(model, data.number)) return;
  model.table.fate[data.number] = Fate.discarded;
  model.table.answered[data.number] = seq;
  model.table.outcome[data.number] = outcomeOf(model, data.outcome);
}

function proposed(model: RunModel, data: Payload<'improvement_proposed'>, seq: number): void {
  answered(model, 'applied');
  pay(model, data.cost, seq);
  if (!row(model, data.number)) return;
  const { table } = model;
  table.fate[data.number] = Fate.proposed;
  table.answered[data.number] = seq;
  table.arm[data.number] = armOf(model, data.proposer, data.operator);
  table.setParents(data.number, numberOf(data.parents[0]), numberOf(data.parents[1]));
  const arm = model.arms[table.arm[data.number]];
  if (arm) arm.tries += 1;
  const { proposer, operator, rationale, files, commit } = data;
  model.words.set(data.number, { proposer, operator, rationale, files, commit, reason: '' });
  if (model.words.size > MAX_WORDS) forgetWords(model);
}

/** Drops the oldest words, except those of the champions: they name the steps of the path. */
function forgetWords(model: RunModel): void {
  for (const number of model.words.keys()) {
    if (number === 0 || (number < model.table.count && model.table.marks[number] & Mark.wasChampion)) continue;
    model.words.delete(number);
    return;
  }
}

function started(model: RunModel, data: Payload<'validation_started'>, moment: Moment): void {
  const repeated = model.underWay.has(data.number);
  if (!repeated) model.underWay.set(data.number, moment.time);
  if (data.purpose !== 'judge' || repeated) return;
  model.counters.evaluations += 1;
  if (!row(model, data.number)) return;
  if (!hasVerdict(model.table.fate[data.number])) model.table.fate[data.number] = Fate.evaluating;
  model.table.evaluation[data.number] = model.counters.evaluations;
  model.table.started[data.number] = moment.seq;
}

function completed(model: RunModel, data: Payload<'validation_completed'>, moment: Moment): void {
  const { evaluation, number, purpose } = data;
  model.underWay.delete(number);
  model.isolation = evaluation.isolation;
  model.separation = evaluation.separation;
  model.evaluatorSeconds += evaluation.cost.wall_s;
  if (purpose === 'verify' || !row(model, number)) return;
  const { table } = model;
  table.time[number] = moment.time;
  table.spent[number] = model.usd ?? 0;
  table.ended[number] = moment.seq;
  table.wall[number] = evaluation.cost.wall_s;
  table.outcome[number] = outcomeOf(model, evaluation.outcome);
  model.objectives.forEach((objective, index) => {
    table.scores[index][number] = evaluation.scores[objective.name] ?? NaN;
  });
  if (purpose === 'judge') {
    bump(model.counters.outcomes, evaluation.outcome);
    table.score[number] = weightedImprovement(model.objectives, table, number);
    return;
  }
  table.score[number] = 0;
  table.asked[number] = 1;
  table.seq[number] = moment.seq;
  for (const [name, value] of Object.entries(evaluation.metrics ?? {})) {
    if (name.endsWith('.noise')) model.noise[name.slice(0, -'.noise'.length)] = value;
  }
  model.checks = evaluation.checks.map((check) => check.name);
  const complete = model.objectives.every((objective) => evaluation.scores[objective.name] !== undefined);
  const viable = complete && evaluation.checks.every((check) => check.passed) && meetsThresholds(model, evaluation.scores);
  table.fate[number] = viable ? Fate.accepted : Fate.rejected;
  if (viable) {
    pushBounded(model.traces.fronts, { seq: moment.seq, joined: [number], left: [] }, MAX_HISTORY);
    model.front.add(number);
    mark(model, number, Mark.front);
  }
  if (model.phase === 'pending') {
    model.phase = 'running';
    notePhase(model);
  }
}

function meetsThresholds(model: RunModel, scores: Record<string, number>): boolean {
  return model.objectives.every(({ name, direction, threshold }) => {
    if (threshold === null || threshold === undefined) return true;
    return direction === 'minimize' ? scores[name] <= threshold : scores[name] >= threshold;
  });
}

function outcomeOf(model: RunModel, name: string): number {
  let index = model.outcomes.indexOf(name);
  if (index < 0 && model.outcomes.length < NONE) index = model.outcomes.push(name) - 1;
  return index < 0 ? NONE : index;
}

function gateOf(model: RunModel, name: string): number {
  let index = model.gates.indexOf(name);
  if (index < 0 && model.gates.length < NONE) index = model.gates.push(name) - 1;
  return index < 0 ? NONE : index;
}

function verdict(model: RunModel, id: string, fate: Fate, gate: string, reason: string, moment: Moment): void {
  const number = numberOf(id);
  if (!row(model, number)) return;
  const { table, counters } = model;
  const words = model.words.get(number);
  if (words) words.reason = plainIds(model, reason);
  const before = table.fate[number];
  const revoked = fate === Fate.rejected && isViable(before);
  table.fate[number] = revoked ? Fate.revoked : fate;
  if (gate) table.gate[number] = gateOf(model, gate);
  if (revoked) {
    pushBounded(model.traces.revocations, { seq: moment.seq, number, before, verdict: table.seq[number] }, MAX_HISTORY);
    pushBounded(model.traces.fronts, { seq: moment.seq, joined: [], left: [number] }, MAX_HISTORY);
    model.front.delete(number);
    table.marks[number] &= ~Mark.front;
    table.seq[number] = moment.seq;
    return;
  }
  table.seq[number] = moment.seq;
  const arm = model.arms[table.arm[number]];
  if (fate === Fate.rejected) {
    counters.rejected += 1;
    bump(counters.gates, gate);
    return;
  }
  counters.viable += 1;
  if (arm) arm.viable += 1;
  if (fate !== Fate.accepted) return;
  counters.accepted += 1;
  if (arm) arm.accepted += 1;
}

function mark(model: RunModel, number: number, bit: number): void {
  if (number >= 0 && row(model, number)) model.table.marks[number] |= bit;
}

function crowned(model: RunModel, data: Payload<'champion_changed'>, moment: Moment): void {
  const number = numberOf(data.modification_id);
  if (model.champion >= 0) model.table.marks[model.champion] &= ~Mark.champion;
  model.champion = number;
  mark(model, number, Mark.champion | Mark.wasChampion);
  pushThinned(model.champions, { ...moment, number, reason: data.reason });
}

function frontChanged(model: RunModel, data: Payload<'front_changed'>, moment: Moment): void {
  const left = data.left.map(numberOf);
  const joined = data.joined.map(numberOf);
  pushBounded(model.traces.fronts, { seq: moment.seq, joined, left }, MAX_HISTORY);
  for (const number of left) {
    model.front.delete(number);
    if (number >= 0 && number < model.table.count) model.table.marks[number] &= ~Mark.front;
  }
  for (const number of joined) {
    model.front.add(number);
    mark(model, number, Mark.front);
  }
  pushThinned(model.hypervolume, { ...moment, value: data.hypervolume });
}

function breaker(model: RunModel, name: string): BreakerInfo {
  let info = model.breakers.get(name);
  if (!info) {
    info = { name, state: 'closed', retryAt: null, history: [] };
    model.breakers.set(name, info);
  }
  return info;
}

function breakerChanged(model: RunModel, data: Payload<'breaker_changed'>, moment: Moment): void {
  const info = breaker(model, data.name);
  info.state = data.to;
  info.retryAt = data.retry_at_ms ?? null;
  pushBounded(info.history, { ...moment, from: data.from, to: data.to, reason: data.reason });
}
