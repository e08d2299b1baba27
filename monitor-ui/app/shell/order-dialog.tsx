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
import type { Budget } from '../wire/wire';
import { liveModel, told } from '../state/store';
import { LONGEST_REASON, TITLES, asking, give, sending } from './orders';
import type { Asking } from './orders';

const MEANING: Partial<Record<Asking['name'], string>> = {
  pause_evolution: 'Nothing new is started. Evaluations under way are finished and recorded.',
  resume_evolution: 'Proposals flow again.',
  stop_evolution: 'The run ends now; what is under way is given up without a verdict. A stopped run is not resumed, but its log, candidates and champion stay.',
  promote: 'This candidate becomes the champion though the weights prefer another. Only later candidates may replace it.',
  pin: 'This candidate becomes the champion, or stays it, until it is unpinned or another is chosen: no improvement replaces it by itself.',
  abort_evaluation: 'This evaluation is ended now and the candidate is rejected without having been judged. The run goes on.',
  set_budget: 'The run may spend up to these limits. An empty field means no limit.',
};

const UNPINNED = 'It stays the champion until something better is found. A pin ends by promoting the candidate that is pinned.';

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
  const [refusal, setRefusal] = useState('');
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
    const why = await give(order.name, reason, more);
    if (why === null) close();
    else setRefusal(why);
  };
  const called = order.as === 'unpin' ? 'Unpin' : TITLES[order.name];
  const title = order.number >= 0 ? `${called}: candidate #${order.number}` : called;
  const meaning = order.as === 'unpin' ? UNPINNED : MEANING[order.name];
  return (
    <Dialog title={title} wide={rollback} onClose={close}>
      <form class="order" onSubmit={confirm}>
        {meaning && <p>{meaning}</p>}
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
        {refusal && (
          <p class="worse" role="alert">
            The daemon refused it: {refusal}
          </p>
        )}
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

/** A budget's field, what one of its unit counts for in the log, and what may be written. */
const BUDGETS: readonly (readonly [keyof Budget, string, number, string])[] = [
  ['evaluations', 'Evaluations', 1, '1'],
  ['proposals', 'Proposals', 1, '1'],
  ['time_ms', 'Minutes', 60_000, 'any'],
  ['llm_tokens', 'Model tokens', 1, '1'],
  ['llm_cost_usd', 'Model dollars', 1, 'any'],
];

function budgetFields({ budget }: RunModel): Record<string, string> {
  const text = (value: number | null | undefined, one: number): string => (value === null || value === undefined ? '' : String(value / one));
  return Object.fromEntries(BUDGETS.map(([key, , one]) => [key, text(budget[key], one)]));
}

/** The new budget is the whole of it: what is left empty has no limit from then on. */
function readBudget(fields: Record<string, string>): Budget {
  const budget: Budget = { evaluations: null, proposals: null, time_ms: null };
  for (const [key, , one, step] of BUDGETS) {
    const text = fields[key].trim();
    if (text !== '') budget[key] = step === '1' || one > 1 ? Math.round(Number(text) * one) : Number(text);
  }
  return budget;
}

function BudgetFields({ fields, onChange }: { fields: Record<string, string>; onChange(fields: Record<string, string>): void }) {
  return (
    <div class="fields">
      {BUDGETS.map(([key, name, , step]) => (
        <label class="field" key={key}>
          <span>{name}</span>
          <input
            type="number"
            min="0"
            step={step}
            value={fields[key]}
            onInput={(event) => onChange({ ...fields, [key]: event.currentTarget.value })}
          />
        </label>
      ))}
    </div>
  );
}
