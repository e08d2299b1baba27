// What deserves a person's attention, read off the log by fixed rules: each alert says which event raised it. Nothing is
// raised that the log does not say; acknowledging one hides it on this device and changes nothing in the run.
import type { BudgetNote } from '../wire/log';
import type { KnownRecord } from '../protocol/records';
import { numberOf } from '../protocol/records';
import type { RunModel } from './model';
import { MAX_NOTES, pushBounded } from './model';

export type Severity = 'serious' | 'warning' | 'note';

export interface Alert {
  /** The sequence number that raised it, and what makes it distinct there. */
  key: string;
  seq: number;
  time: number;
  severity: Severity;
  kind: 'safety' | 'cheating' | 'breaker' | 'budget' | 'threshold' | 'machinery' | 'rollback' | 'stalled' | 'jump';
  title: string;
  detail: string;
  number: number;
}

/** A candidate that wins more than this share over its parent at once is worth a second look. */
export const JUMP = 0.9;
/** Evaluations without a new champion after which a run counts as stalled; it is said again each time they double. */
export const STALL_EVALUATIONS = 200;

const whole = (amount: number): string => String(Math.round(amount));

/** Budgets whose name or amount the log says otherwise than people do. */
const BUDGETS: Record<string, [string, (amount: number) => string]> = {
  time: ['time', (ms) => `${(ms / 60_000).toFixed(1)} min`],
  llm_tokens: ['tokens', whole],
  llm_cost_usd: ['money', (usd) => `$${usd.toFixed(2)}`],
};

/** A budget's name and how much of it is spent, in words. */
export function budgetWords({ budget, spent, limit }: BudgetNote): [string, string] {
  const [name, amount] = BUDGETS[budget] ?? [budget, whole];
  return [name, `${amount(spent)} of ${amount(limit)}`];
}

type Draft = Pick<Alert, 'severity' | 'kind' | 'title' | 'detail'> & { number?: number };

function draft(record: KnownRecord): Draft | null {
  switch (record.event_type) {
    case 'safety_violation': {
      const { data } = record;
      const what = Object.entries(data.denials ?? {}).map(([name, count]) => `${name} ${count}×`);
      const detail = [data.reason, what.join(', ')].filter(Boolean).join(' · ');
      return { severity: 'serious', kind: 'safety', title: 'The sandbox caught a candidate', detail, number: numberOf(data.modification_id) };
    }
    case 'validation_completed': {
      const { evaluation, number } = record.data;
      if (evaluation.outcome !== 'tamper') return null;
      const detail = evaluation.detail || 'It tried to forge its result or change what judges it.';
      return { severity: 'serious', kind: 'cheating', title: 'A candidate tampered with its judge', detail, number };
    }
    case 'improvement_applied': {
      const { data } = record;
      if (data.performance_delta < JUMP) return null;
      const detail = `${(data.performance_delta * 100).toFixed(1)} % better than its parent in one step: look at its diff before you trust it.`;
      return { severity: 'note', kind: 'jump', title: 'Unusually large jump', detail, number: numberOf(data.modification_id) };
    }
    case 'breaker_changed': {
      const { name, to, reason } = record.data;
      if (to === 'closed') return null;
      const serious = to === 'open';
      return { severity: serious ? 'serious' : 'note', kind: 'breaker', title: `Breaker ${name} is ${to.replace('_', '-')}`, detail: reason };
    }
    case 'budget_warning':
    case 'budget_exhausted': {
      const over = record.event_type === 'budget_exhausted';
      const [name, detail] = budgetWords(record.data);
      const title = `${over ? 'Budget spent' : 'Budget nearly spent'}: ${name}`;
      return { severity: over ? 'note' : 'warning', kind: 'budget', title, detail };
    }
    case 'performance_threshold_exceeded': {
      const { objective, value, threshold, modification_id } = record.data;
      return { severity: 'note', kind: 'threshold', title: `Threshold met: ${objective}`, detail: `${value} against ${threshold}`, number: numberOf(modification_id) };
    }
    case 'evaluation_failed': {
      const { reason, attempt, given_up, aborted, number } = record.data;
      // Somebody ended it: that stands among the commands, and nothing is wrong with the machinery.
      if (aborted) return null;
      const title = given_up ? 'An evaluation was given up' : 'The machinery could not evaluate';
      return { severity: given_up ? 'serious' : 'warning', kind: 'machinery', title, detail: `${reason} (try ${attempt})`, number };
    }
    case 'rollback_completed': {
      const { verified, reason, modification_id } = record.data;
      if (verified) return null;
      return { severity: 'serious', kind: 'rollback', title: 'A rollback could not be verified', detail: reason, number: numberOf(modification_id) };
    }
    case 'run_finished':
      if (record.data.stopped_by !== 'failure') return null;
      return { severity: 'serious', kind: 'machinery', title: 'The run failed', detail: record.data.reason ?? '' };
    default:
      return null;
  }
}

function raise(model: RunModel, key: string, seq: number, time: number, what: Draft): void {
  pushBounded(model.alerts, { key, seq, time, number: -1, ...what }, MAX_NOTES);
  model.alertCount += 1;
}

/** Adds what a record raises; called by the fold after the record changed the model. */
export function raiseAlerts(model: RunModel, record: KnownRecord, time: number): void {
  const what = draft(record);
  if (what) raise(model, `${record.seq}`, record.seq, time, what);
  if (record.event_type === 'validation_started' && record.data.purpose === 'judge') {
    const since = model.champions.at(-1)?.evaluation ?? 0;
    const barren = model.counters.evaluations - since;
    if (barren >= STALL_EVALUATIONS && Number.isInteger(Math.log2(barren / STALL_EVALUATIONS))) {
      const detail = `${barren} evaluations without a better champion.`;
      raise(model, `${record.seq}-stalled`, record.seq, time, { severity: 'note', kind: 'stalled', title: 'No progress', detail });
    }
  }
}
