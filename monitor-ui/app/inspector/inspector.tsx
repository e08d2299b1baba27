// One candidate from every side, never empty: with nothing picked it follows the champion. It shows what the page holds at
// once and what the daemon is asked for as it comes.
import type { CandidateDetail } from '../protocol/http';
import type { Difference } from '../wire/wire';
import * as http from '../protocol/http';
import { numberOf } from '../protocol/records';
import { Seg } from '../parts/controls';
import { clock } from '../parts/figures';
import { Diamond, Icon } from '../parts/icons';
import { Fate, Mark, isViable } from '../run/candidates';
import { fateWord } from '../run/rows';
import { idOf, isPinned } from '../run/model';
import type { RunModel } from '../run/model';
import { go, isReplay, liveModel, model, told, view } from '../state/store';
import type { Tab } from '../state/url';
import { asking, hindrance } from '../shell/orders';
import type { Asking } from '../shell/orders';
import { useAsked } from './asked';
import type { Asked } from './asked';
import { DiffView } from './diff';
import { FilesView } from './files';
import { scoreWords } from './gates';
import { Summary } from './summary';

const TAB_NAMES: readonly (readonly [Tab, string])[] = [
  ['summary', 'Summary'],
  ['diff', 'Diff'],
  ['log', 'Log'],
  ['files', 'Files'],
];

/** The candidate that is shown: the picked one, else the champion. */
export function pickedRow(shown: RunModel): number {
  const { pick } = view.value;
  if (pick >= 0 && pick < shown.table.count) return pick;
  return shown.champion >= 0 ? shown.champion : 0;
}

function detailKey(shown: RunModel, row: number): string {
  const { fate, ended, seq } = shown.table;
  return shown.runId ? `${shown.runId}:${row}:${fate[row]}:${ended[row]}:${seq[row]}` : '';
}

export function useDetail(shown: RunModel, row: number): Asked<CandidateDetail> {
  return useAsked(row >= 0 ? detailKey(shown, row) : '', () => http.candidate(shown.runId, idOf(shown, row)));
}

export function Inspector() {
  told.value;
  const shown = model();
  const row = pickedRow(shown);
  const { tab } = view.value;
  const asked = useDetail(shown, row);
  const parentAsked = useDetail(shown, shown.table.count > 0 && tab === 'summary' ? shown.table.parent[row] : -1);
  if (shown.table.count === 0) {
    return (
      <aside class="insp" aria-label="Inspector">
        <p class="state-note pad">The inspector shows the champion as soon as the run has a baseline.</p>
      </aside>
    );
  }
  const detail = asked.state === 'here' ? asked.value : null;
  const parentCases = parentAsked.state === 'here' ? (parentAsked.value.cases ?? null) : null;
  return (
    <aside class="insp" aria-label="Inspector">
      <Head shown={shown} row={row} detail={detail} />
      <div class="tabs" role="tablist" aria-label="About this candidate">
        {TAB_NAMES.map(([key, name]) => (
          <button key={key} role="tab" id={`tab-${key}`} aria-selected={tab === key} aria-controls="inspected" tabIndex={tab === key ? 0 : -1} onClick={() => go({ tab: key })} onKeyDown={(event) => turn(event, key)}>
            {name}
          </button>
        ))}
      </div>
      <div class="ibody" id="inspected" role="tabpanel" aria-labelledby={`tab-${tab}`} tabIndex={0}>
        {isReplay.value && <p class="state-note pad">Scores and verdict are those of the moment shown; checks, cases and files are as they are known now.</p>}
        {asked.state === 'failed' && <p class="state-note pad">Its details did not come: {asked.why}</p>}
        {tab === 'summary' && <Summary model={shown} row={row} detail={detail} parentCases={parentCases} />}
        {tab === 'diff' && <DiffTab shown={shown} row={row} />}
        {tab === 'log' && <LogTab shown={shown} row={row} detail={detail} />}
        {tab === 'files' && <FilesView run={shown.runId} id={idOf(shown, row)} files={detail?.files ?? []} />}
      </div>
      <Actions shown={shown} row={row} />
    </aside>
  );
}

function turn(event: KeyboardEvent, from: Tab): void {
  const step = event.key === 'ArrowRight' ? 1 : event.key === 'ArrowLeft' ? -1 : 0;
  if (step === 0) return;
  const keys = TAB_NAMES.map(([key]) => key);
  const next = keys[(keys.indexOf(from) + step + keys.length) % keys.length];
  go({ tab: next });
  document.getElementById(`tab-${next}`)?.focus();
}

function Head({ shown, row, detail }: { shown: RunModel; row: number; detail: CandidateDetail | null }) {
  const { table } = shown;
  const arm = shown.arms[table.arm[row]];
  const words = shown.words.get(row);
  const parents = [table.parent[row], table.parent2[row]].filter((parent) => parent >= 0);
  const commit = detail?.commit ?? words?.commit ?? '';
  const following = view.value.pick < 0;
  return (
    <header class="ihead">
      <div class="ititle">
        <h2>
          {table.marks[row] & Mark.champion ? <Diamond /> : <Sign fate={table.fate[row]} />}#{row}
        </h2>
        <span class="status">
          {fateWord(shown, row)}
          {row === shown.champion && isPinned(shown) ? ', pinned' : ''}
          {detail?.rank ? `, front rank ${detail.rank}` : ''}
        </span>
        <span class="grow" />
        {following ? <span class="muted">follows the champion</span> : (
          <button class="btn small" onClick={() => go({ pick: -1 })}>
            Follow the champion
          </button>
        )}
      </div>
      <div class="facts">
        <Fact name="score" text={scoreWords(shown, row)} />
        {arm && row > 0 && <Fact name="by" text={`${arm.proposer}, ${arm.operator}`} />}
        {parents.length > 0 && (
          <span>
            <i>{parents.length > 1 ? 'parents' : 'parent'}</i>
            {parents.map((parent) => (
              <button key={parent} class="link" onClick={() => go({ pick: parent })}>
                #{parent}
              </button>
            ))}
          </span>
        )}
        <Fact name="generation" text={String(table.generation[row])} />
        {Number.isFinite(table.time[row]) && <Fact name="at" text={clock(table.time[row])} />}
        {Number.isFinite(table.time[row]) && table.wall[row] > 0 && <Fact name="took" text={`${table.wall[row].toFixed(2)} s`} />}
        {detail?.isolation && <Fact name="isolation" text={detail.isolation} />}
        {commit && <Fact name="commit" text={commit.slice(0, 8)} mono />}
      </div>
    </header>
  );
}

function Fact({ name, text, mono }: { name: string; text: string; mono?: boolean }) {
  return (
    <span>
      <i>{name}</i>
      <span class={mono ? 'mono' : undefined}>{text}</span>
    </span>
  );
}

function Sign({ fate }: { fate: number }) {
  if (fate === Fate.rejected || fate === Fate.revoked) return <Icon name="cross" size={16} tone="worse" />;
  if (isViable(fate)) return <Icon name="tick" size={16} tone="better" />;
  return <Icon name="ring" size={16} tone="same" />;
}

/** What a diff is against, as a row; -1 when there is nothing to compare with. */
function againstRow(shown: RunModel, row: number, against: string): number {
  if (against === 'baseline') return 0;
  if (against === 'champion') return shown.champion;
  if (against === 'parent') return row === 0 ? 0 : shown.table.parent[row];
  const number = numberOf(`-${against}`);
  return number < shown.table.count ? number : -1;
}

function DiffTab({ shown, row }: { shown: RunModel; row: number }) {
  const { against } = view.value;
  const other = againstRow(shown, row, against);
  const key = other >= 0 ? `${shown.runId}:diff:${row}:${other}` : '';
  const asked = useAsked<Difference>(key, () => http.diff(shown.runId, idOf(shown, row), idOf(shown, other)));
  const custom = !['parent', 'baseline', 'champion'].includes(against);
  return (
    <section class="sect fill">
      <div class="diff-bar">
        <span>
          #{row} against {other >= 0 ? `#${other}` : '–'}
        </span>
        <Seg
          name="Compare with"
          options={[['parent', 'parent'], ['baseline', 'baseline'], ['champion', 'champion'], ['other', 'other']]}
          value={custom ? 'other' : against}
          onChange={(value) => go({ against: value === 'other' ? String(Math.max(0, other)) : value })}
        />
        {custom && (
          <label class="number">
            <span class="sr">Number of the other candidate</span>
            <input type="number" min="0" max={shown.table.count - 1} value={against} onInput={(event) => go({ against: event.currentTarget.value || '0' })} />
          </label>
        )}
        <button class="btn small" disabled={other < 0} onClick={() => go({ pick: other, against: String(row) })}>
          Swap
        </button>
      </div>
      {other < 0 && <p class="state-note">There is no such candidate in this run.</p>}
      {asked.state === 'asking' && <p class="state-note">Asking for the difference…</p>}
      {asked.state === 'failed' && <p class="state-note">The difference did not come: {asked.why}</p>}
      {asked.state === 'here' && <DiffView diff={asked.value} />}
    </section>
  );
}

function LogTab({ shown, row, detail }: { shown: RunModel; row: number; detail: CandidateDetail | null }) {
  const ended = shown.table.ended[row];
  const needed = detail !== null && detail.log === undefined && ended > 0;
  const asked = useAsked(needed ? `${shown.runId}:log:${row}:${ended}` : '', () => http.logs(shown.runId, idOf(shown, row)));
  const text = detail?.log ?? (asked.state === 'here' ? asked.value : '');
  return (
    <section class="sect fill">
      <h3>
        <strong>Output of its evaluation</strong>
        <span class="r">the end of it, at most 8 KiB</span>
      </h3>
      {text ? <pre class="log">{text}</pre> : <p class="state-note">{ended === 0 ? 'It has not been evaluated yet.' : asked.state === 'asking' ? 'Asking for it…' : 'It printed nothing.'}</p>}
    </section>
  );
}

function Actions({ shown, row }: { shown: RunModel; row: number }) {
  const { table, champion } = shown;
  const blocked = hindrance(liveModel(), 'rollback_modification');
  const unfit = blocked || (isViable(table.fate[row]) ? '' : 'It is not viable.');
  const isChampion = row === champion;
  const why = unfit || (isChampion ? 'It is the champion already.' : '');
  const previous = shown.champions.at(-2)?.number ?? -1;
  const undoing = isChampion && previous >= 0;
  const pinned = isChampion && isPinned(shown);
  return (
    <footer class="iact">
      <Order text="Roll back" icon="undo" why={undoing ? blocked : why} order={{ name: 'rollback_modification', number: undoing ? previous : row }} />
      {!isChampion && <Order text="Promote" why={why} order={{ name: 'promote', number: row }} />}
      {pinned ? (
        <Order text="Unpin" why={unfit} order={{ name: 'promote', number: row, as: 'unpin' }} />
      ) : (
        <Order text="Pin" why={unfit} order={{ name: 'pin', number: row }} />
      )}
      {shown.underWay.has(row) && <Order text="Abort" icon="stop" why={hindrance(liveModel(), 'abort_evaluation')} order={{ name: 'abort_evaluation', number: row }} />}
      <button class="btn" onClick={() => go({ tab: 'diff', against: isChampion ? 'baseline' : 'champion' })}>
        Compare
      </button>
      <span class="grow" />
      <span class="muted hint">{pinned ? 'pinned: nothing replaces it' : undoing ? `goes back to #${previous}` : why || 'each asks for a reason'}</span>
    </footer>
  );
}

function Order({ text, icon, why, order }: { text: string; icon?: 'undo' | 'stop'; why: string; order: Asking }) {
  return (
    <button class="btn" disabled={why !== ''} title={why || undefined} onClick={() => (asking.value = order)}>
      {icon && <Icon name={icon} size={14} />} {text}
    </button>
  );
}
