// The dialog before an order: what will happen, what is lost, a reason for the log, and one button named Confirm. A rollback
// shows its diff and wants the candidate typed; it is itself undone by another rollback.
import { useState } from 'preact/hooks';
import { DiffView } from '../inspector/diff';
import { useAsked } from '../inspector/asked';
import { scoreWords } from '../inspector/gates';
import { Dialog } from '../parts/controls';
import { Delta } from '../parts/delta';
import { withUnit } from '../parts/figures';
import * as http from '../protocol/http';
import { idOf } from '../run/model';
import type { RunModel } from '../run/model';
import { liveModel, told } from '../state/store';
import { LONGEST_REASON, TITLES, asking, give, sending } from './orders';
import type { Asking } from './orders';

const MEANING: Partial<Record<Asking['name'], string>> = {
  pause_evolution: 'Nothing new is started. Evaluations under way are finished and recorded.',
  resume_evolution: 'Proposals flow again.',
  stop_evolution: 'The run ends now; what is under way is finished first. A stopped run is not resumed, but its log, candidates and champion stay.',
  promote: 'This candidate becomes the champion though the weights prefer another. Only later candidates may replace it.',
  pin: 'This candidate is kept: nothing replaces it by itself.',
  abort_evaluation: 'This evaluation is ended now and recorded as given up.',
  set_budget: 'The run may spend up to these limits. An empty field means no limit.',
};

export function OrderDialog() {
  const order = asking.value;
  if (!order) return null;
  return <Ask key={`${order.name}-${order.number}`} order={order} />;
}

function Ask({ order }: { order: Asking }) {
  told.value;
  const model = liveModel();
  const [reason, setReason] = useState('');
  const [typed, setTyped] = useState('');
  const [budget, setBudget] = useState(() => budgetFields(model));
  const [refused, setRefused] = useState(false);
  const rollback = order.name === 'rollback_modification';
  const id = idOf(model, order.number);
  const matches = !rollback || [id, String(order.number), `#${order.number}`].includes(typed.trim());
  const close = (): void => {
    asking.value = null;
  };
  const confirm = async (event: Event): Promise<void> => {
    event.preventDefault();
    if (!matches) return;
    const more = order.name === 'set_budget' ? { budget: readBudget(budget) } : order.number >= 0 ? { number: order.number } : {};
    const ok = await give(order.name, reason, more);
    if (ok) close();
    else setRefused(true);
  };
  const title = order.number >= 0 ? `${TITLES[order.name]}: candidate #${order.number}` : TITLES[order.name];
  return (
    <Dialog title={title} wide={rollback} onClose={close}>
      <form class="order" onSubmit={confirm}>
        {MEANING[order.name] && <p>{MEANING[order.name]}</p>}
        {rollback && <RollbackPreview model={model} number={order.number} />}
        {order.name === 'set_budget' && <BudgetFields fields={budget} onChange={setBudget} />}
        <label class="field">
          <span>Reason, for the log</span>
          <input value={reason} maxLength={LONGEST_REASON} onInput={(event) => setReason(event.currentTarget.value)} placeholder="why" />
        </label>
        {rollback && (
          <label class="field">
            <span>
              Type <b>{order.number}</b> to say that you mean this candidate
            </span>
            <input value={typed} onInput={(event) => setTyped(event.currentTarget.value)} autocomplete="off" spellcheck={false} />
          </label>
        )}
        {refused && <p class="worse">The daemon refused it; the reason is in the message below and in the log.</p>}
        <footer>
          <button type="button" class="btn" onClick={close}>
            Cancel
          </button>
          <button type="submit" class="btn primary" disabled={!matches || sending.value.has(order.name)}>
            Confirm
          </button>
        </footer>
      </form>
    </Dialog>
  );
}

function RollbackPreview({ model, number }: { model: RunModel; number: number }) {
  const { table, champion, objectives } = model;
  const key = `${model.runId}:${number}:rollback:${champion}`;
  const diff = useAsked(key, () => http.diff(model.runId, idOf(model, number), idOf(model, champion)));
  const held = model.champions.findLastIndex((step) => step.number === number);
  const steps = held < 0 ? 1 : model.champions.length - 1 - held;
  return (
    <div class="preview">
      <p>
        The champion moves from <b>#{champion}</b> ({scoreWords(model, champion)}) to <b>#{number}</b> ({scoreWords(model, number)}). #{number} is
        measured again first; if it no longer agrees with its snapshot, nothing is moved and the breaker opens.
      </p>
      <table>
        <thead>
          <tr>
            <th scope="col">what changes</th>
            <th scope="col">now #{champion}</th>
            <th scope="col">then #{number}</th>
            <th scope="col">change</th>
          </tr>
        </thead>
        <tbody>
          {objectives.map((objective, index) => {
            const column = table.scores[index];
            return (
              <tr key={objective.name}>
                <th scope="row">{objective.name}</th>
                <td>{withUnit(column[champion], objective.unit)}</td>
                <td>{withUnit(column[number], objective.unit)}</td>
                <td>
                  <Delta objective={objective} from={column[champion]} value={column[number]} />
                </td>
              </tr>
            );
          })}
        </tbody>
      </table>
      <p class="muted">
        {steps} {steps === 1 ? 'champion is' : 'champions are'} left behind; none is deleted. To undo it, roll back to #{champion}.
      </p>
      <div class="preview-diff">
        {diff.state === 'here' && <DiffView diff={diff.value} />}
        {diff.state === 'asking' && <p class="state-note">Asking for the difference…</p>}
        {diff.state === 'failed' && <p class="state-note">The difference cannot be shown: {diff.why}</p>}
      </div>
    </div>
  );
}

const BUDGETS = [
  ['evaluations', 'Evaluations'],
  ['proposals', 'Proposals'],
  ['time_ms', 'Minutes'],
] as const;

function budgetFields(model: RunModel): Record<string, string> {
  const { evaluations, proposals, time_ms } = model.budget;
  const text = (value: number | null): string => (value === null || value === undefined ? '' : String(value));
  return { evaluations: text(evaluations), proposals: text(proposals), time_ms: time_ms ? String(time_ms / 60_000) : '' };
}

function readBudget(fields: Record<string, string>): Record<string, number | null> {
  const number = (text: string): number | null => (text.trim() === '' ? null : Number(text));
  const minutes = number(fields.time_ms);
  return {
    evaluations: number(fields.evaluations),
    proposals: number(fields.proposals),
    time_ms: minutes === null ? null : Math.round(minutes * 60_000),
  };
}

function BudgetFields({ fields, onChange }: { fields: Record<string, string>; onChange(fields: Record<string, string>): void }) {
  return (
    <div class="fields">
      {BUDGETS.map(([key, name]) => (
        <label class="field" key={key}>
          <span>{name}</span>
          <input
            type="number"
            min="0"
            step={key === 'time_ms' ? 'any' : '1'}
            value={fields[key]}
            onInput={(event) => onChange({ ...fields, [key]: event.currentTarget.value })}
          />
        </label>
      ))}
    </div>
  );
}
