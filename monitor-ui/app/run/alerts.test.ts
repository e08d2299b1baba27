// What raises an alert, record by record: every kind of it comes from an event that the engine writes, and nothing else does.
import { describe, expect, it } from 'vitest';
import type { LogRecord } from '../wire/wire';
import type { Alert } from './alerts';
import { JUMP, STALL_EVALUATIONS } from './alerts';
import { fold } from './fold';
import type { RunModel } from './model';
import { emptyModel, isPinned } from './model';

const ID = 'r-5';
const evaluation = { outcome: 'ok', isolation: 'L2', separation: 'process', checks: [], scores: {}, cost: { wall_s: 1, cpu_s: 1, launches: 1 } };

/** A run to which records are told one after another. */
class Telling {
  readonly model: RunModel = emptyModel();

  constructor() {
    const budget = { evaluations: null, proposals: null, time_ms: null };
    this.tell('run_started', { run_id: 'r', agent_id: 'a', target: 't', seed: 1, objectives: [], budget, proposers: [], baseline: 'c' });
  }

  tell(event_type: string, data: object): this {
    const seq = this.model.seq + 1;
    const record: LogRecord = { seq, event_type, timestamp: new Date(Date.UTC(2026, 0, 1) + seq * 1000).toISOString(), data };
    fold(this.model, record);
    return this;
  }
}

/** The alert that one record raises. */
function raised(event_type: string, data: object): Partial<Alert> | null {
  const { alerts } = new Telling().tell(event_type, data).model;
  expect(alerts.length).toBeLessThan(2);
  return alerts[0] ?? null;
}

describe('an alert', () => {
  it('safety: what the sandbox denied', () => {
    const data = { modification_id: ID, denials: { connect: 3 }, reason: 'the network' };
    expect(raised('safety_violation', data)).toMatchObject({ kind: 'safety', severity: 'serious', number: 5, detail: 'the network · connect 3×', seq: 2 });
  });

  it('reward hacking: who tampers with its judge, and who gains more than is likely', () => {
    const tamper = { modification_id: ID, number: 5, purpose: 'judge', evaluation: { ...evaluation, outcome: 'tamper', detail: 'it wrote the result' } };
    expect(raised('validation_completed', tamper)).toMatchObject({ kind: 'cheating', severity: 'serious', number: 5, detail: 'it wrote the result' });
    expect(raised('validation_completed', { ...tamper, evaluation })).toBeNull();
    const applied = { modification_id: ID, scores: {}, improvement: {}, performance_delta: JUMP, reason: '' };
    expect(raised('improvement_applied', applied)).toMatchObject({ kind: 'jump', number: 5 });
    expect(raised('improvement_applied', { ...applied, performance_delta: JUMP - 0.01 })).toBeNull();
  });

  it('threshold: an objective met it', () => {
    const data = { modification_id: ID, objective: 'time', value: 0.1, threshold: 0.2 };
    expect(raised('performance_threshold_exceeded', data)).toMatchObject({ kind: 'threshold', title: 'Threshold met: time', number: 5 });
  });

  it('breaker: it opened, and it tries again; not that it closed', () => {
    const change = (to: string) => raised('breaker_changed', { name: 'evaluator', from: 'closed', to, reason: 'five faults' });
    expect(change('open')).toMatchObject({ kind: 'breaker', severity: 'serious', detail: 'five faults' });
    expect(change('half_open')).toMatchObject({ kind: 'breaker', severity: 'note' });
    expect(change('closed')).toBeNull();
  });

  it('stalled: so many evaluations without a champion, and again each time they double', () => {
    const run = new Telling().tell('champion_changed', { modification_id: 'r-0', commit: 'c', reason: 'baseline' });
    const stalls = () => run.model.alerts.filter(({ kind }) => kind === 'stalled').length;
    const judge = (until: number): void => {
      while (run.model.counters.evaluations < until) {
        const number = run.model.counters.evaluations + 1;
        run.tell('validation_started', { modification_id: `r-${number}`, number, purpose: 'judge' });
      }
    };
    judge(STALL_EVALUATIONS - 1);
    expect(stalls()).toBe(0);
    judge(2 * STALL_EVALUATIONS - 1);
    expect(stalls()).toBe(1);
    judge(2 * STALL_EVALUATIONS);
    expect(stalls()).toBe(2);
    run.tell('champion_changed', { modification_id: 'r-9', commit: 'c', reason: 'improvement' });
    judge(3 * STALL_EVALUATIONS - 1);
    expect(stalls()).toBe(2);
  });

  it('budget, machinery, rollback and failure', () => {
    const spent = { budget: 'evaluations', spent: 80, limit: 100 };
    expect(raised('budget_warning', spent)).toMatchObject({ kind: 'budget', severity: 'warning', detail: '80 of 100' });
    expect(raised('budget_warning', { budget: 'time', spent: 480_000, limit: 600_000 })).toMatchObject({ title: 'Budget nearly spent: time', detail: '8.0 min of 10.0 min' });
    expect(raised('budget_warning', { budget: 'llm_cost_usd', spent: 4, limit: 5 })).toMatchObject({ title: 'Budget nearly spent: money', detail: '$4.00 of $5.00' });
    expect(raised('budget_exhausted', spent)).toMatchObject({ kind: 'budget', severity: 'note' });
    const failed = { modification_id: ID, number: 5, attempt: 2, reason: 'no cell', given_up: true };
    expect(raised('evaluation_failed', failed)).toMatchObject({ kind: 'machinery', severity: 'serious', number: 5 });
    expect(raised('rollback_completed', { modification_id: ID, from: 'r-6', verified: false, reason: 'it differs' })).toMatchObject({ kind: 'rollback', severity: 'serious' });
    expect(raised('rollback_completed', { modification_id: ID, from: 'r-6', verified: true, reason: '' })).toBeNull();
    expect(raised('run_finished', { stopped_by: 'failure', reason: 'the disk' })).toMatchObject({ kind: 'machinery', severity: 'serious' });
    expect(raised('run_finished', { stopped_by: 'interrupt' })).toBeNull();
  });

  it('is not raised by what a person did', () => {
    const aborted = { modification_id: ID, number: 5, attempt: 1, reason: 'by hand', given_up: true, aborted: true };
    expect(raised('evaluation_failed', aborted)).toBeNull();
  });
});

describe('a pin', () => {
  const told = (run: Telling, command: string, refused?: string) =>
    run.tell('control_received', { id: `c${run.model.seq}`, command: { command, modification_id: ID }, refused });

  it('holds from the command that was obeyed until another champion is chosen', () => {
    const run = new Telling();
    expect(isPinned(run.model)).toBe(false);
    expect(isPinned(told(run, 'pin').model)).toBe(true);
    expect(isPinned(told(run, 'pause_evolution').model)).toBe(true);
    expect(isPinned(told(run, 'promote', 'it is not viable').model)).toBe(true);
    expect(isPinned(told(run, 'promote').model)).toBe(false);
    expect(isPinned(told(run, 'pin', 'it is not viable').model)).toBe(false);
    expect(isPinned(told(told(run, 'pin'), 'rollback_modification').model)).toBe(false);
  });
});
