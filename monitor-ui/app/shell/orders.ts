// What a person can tell the daemon to do: which command, what it is called, what it means and what it asks for before it
// goes. Pausing and resuming go at once; everything else asks first.
import { signal } from '@preact/signals';
import type { Budget, CommandName } from '../wire/wire';
import { idOf, isOver, plainIds } from '../run/model';
import type { RunModel } from '../run/model';
import { command } from '../state/daemon';
import { isReplay, link, liveModel, role, say } from '../state/store';

export interface Asking {
  name: CommandName;
  number: number;
  /** What it is called here, when the command serves for something else than its name says. */
  as?: 'unpin';
}

/** The order that a dialog asks about now. */
export const asking = signal<Asking | null>(null);
/** Commands on their way, by name. */
export const sending = signal<ReadonlySet<string>>(new Set());

export const TITLES: Record<CommandName, string> = {
  pause_evolution: 'Pause the run',
  resume_evolution: 'Resume the run',
  stop_evolution: 'Stop the run',
  rollback_modification: 'Roll back',
  promote: 'Promote',
  pin: 'Pin',
  abort_evaluation: 'Abort the evaluation',
  set_budget: 'Change the budget',
};

/** Longest reason that is sent, characters. */
export const LONGEST_REASON = 500;

/** Why an order cannot be given now, or nothing. */
export function hindrance(model: RunModel, name: CommandName): string {
  if (role.value === 'viewer') return 'Your session may only look.';
  if (isReplay.value) return 'You are looking at the past: go live first.';
  if (!model.runId) return 'No run is shown.';
  if (link.value.phase !== 'open') return 'There is no connection to the daemon.';
  const over = isOver(model.phase);
  if (name === 'pause_evolution' && model.phase === 'paused') return 'The run is paused already.';
  if (name === 'resume_evolution' && model.phase !== 'paused') return 'The run is not paused.';
  if (over && ['pause_evolution', 'resume_evolution', 'stop_evolution', 'set_budget', 'abort_evaluation'].includes(name)) {
    return 'The run is over.';
  }
  return '';
}

/** Sends an order; resolves with why it was refused, or null when it was obeyed. */
export async function give(
  name: CommandName,
  reason: string,
  more: { number?: number; budget?: Budget } = {},
): Promise<string | null> {
  const model = liveModel();
  sending.value = new Set([...sending.value, name]);
  const target = more.number === undefined ? model.runId : idOf(model, more.number);
  const destructive = name === 'rollback_modification' || name === 'stop_evolution';
  const answer = await command({ name, reason: reason.slice(0, LONGEST_REASON), ...more, confirm: destructive ? target : undefined });
  sending.value = new Set([...sending.value].filter((other) => other !== name));
  if (answer.ok) {
    say(`${TITLES[name]}: accepted${answer.seq ? `, event ${answer.seq}` : ''}.`, 'good');
    return null;
  }
  const why = plainIds(model, answer.error || 'it gave no reason');
  say(`${TITLES[name]}: refused. ${why}`, 'bad');
  return why;
}
