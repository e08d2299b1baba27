// Every key of the page in one list: what is bound and what the help shows are the same thing.
import { Dialog } from '../parts/controls';
import { liveModel, go, goLive, model, play, playing, stopPlaying, view } from '../state/store';
import { listRows } from '../run/rows';
import type { Place } from '../state/url';
import { pickedRow } from '../inspector/inspector';
import { asking, hindrance } from './orders';
import { open } from './overlays';
import { nextTheme } from './rail';

interface Key {
  keys: string;
  does: string;
  act(): void;
}

const place = (to: Place) => (): void => go({ place: to });

/** The row after or before the picked one among the candidates as they are listed. */
function neighbour(step: number): void {
  const shown = model();
  const { fates, query, sort } = view.value;
  const rows = view.value.place === 'candidates' ? listRows(shown, fates, query, sort) : listRows(shown, 'all', '', 'number');
  const at = rows.indexOf(pickedRow(shown));
  const next = rows[Math.max(0, Math.min(rows.length - 1, at + step))];
  if (next !== undefined) go({ pick: next });
}

function toParent(): void {
  const shown = model();
  const parent = shown.table.parent[pickedRow(shown)];
  if (parent >= 0) go({ pick: parent });
}

/** The best of the picked candidate's children, else the first. */
function toChild(): void {
  const shown = model();
  const { table } = shown;
  const row = pickedRow(shown);
  let best = -1;
  for (let child = row + 1; child < table.count; child++) {
    if (table.parent[child] !== row || table.fate[child] < 2) continue;
    if (best < 0 || !(table.score[child] <= table.score[best])) best = child;
  }
  if (best >= 0) go({ pick: best });
}

function pauseOrResume(): void {
  const live = liveModel();
  const name = live.phase === 'paused' ? 'resume_evolution' : 'pause_evolution';
  if (!hindrance(live, name)) asking.value = { name, number: -1 };
}

function search(): void {
  go({ place: 'candidates' });
  requestAnimationFrame(() => document.getElementById('find')?.focus());
}

export const KEYS: Key[] = [
  { keys: 'g r', does: 'Run', act: place('run') },
  { keys: 'g l', does: 'Lineage, on the run’s page', act: place('run') },
  { keys: 'g c', does: 'Candidates', act: place('candidates') },
  { keys: 'g f', does: 'Front', act: place('front') },
  { keys: 'g w', does: 'Fleet', act: place('fleet') },
  { keys: 'g a', does: 'Alerts', act: place('alerts') },
  { keys: '/', does: 'Search the candidates', act: search },
  { keys: 'j', does: 'Next candidate', act: () => neighbour(1) },
  { keys: 'k', does: 'Previous candidate', act: () => neighbour(-1) },
  { keys: '[', does: 'Its parent', act: toParent },
  { keys: ']', does: 'Its best child', act: toChild },
  { keys: 'b', does: 'Back to the champion', act: () => go({ pick: -1 }) },
  { keys: 's', does: 'Summary', act: () => go({ tab: 'summary' }) },
  { keys: 'd', does: 'Diff', act: () => go({ tab: 'diff' }) },
  { keys: 'Space', does: 'Pause or resume, asks first', act: pauseOrResume },
  { keys: 'r', does: 'Replay, or hold it', act: () => (playing.value ? stopPlaying() : play()) },
  { keys: 'l', does: 'Live', act: goLive },
  { keys: 't', does: 'Next theme', act: nextTheme },
  { keys: 'Ctrl K', does: 'Search and commands', act: () => (open.value = 'palette') },
  { keys: '?', does: 'This list', act: () => (open.value = 'help') },
];

/** How long the first key of two waits for its second, milliseconds. */
const WAIT_MS = 1200;

export function bindKeys(): void {
  let first = '';
  let timer: ReturnType<typeof setTimeout> | undefined;
  addEventListener('keydown', (event) => {
    const target = event.target as HTMLElement | null;
    if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === 'k') {
      event.preventDefault();
      open.value = 'palette';
      return;
    }
    if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector('dialog[open]')) return;
    if (target?.closest('input, select, textarea')) return;
    // A focused button keeps its own space bar.
    if (event.key === ' ' && target?.closest('button, a, summary, [tabindex]')) return;
    const pressed = event.key === ' ' ? 'Space' : event.key;
    const found = KEYS.find((key) => key.keys === `${first} ${pressed}`) ?? KEYS.find((key) => key.keys === pressed);
    clearTimeout(timer);
    first = !found && pressed === 'g' ? 'g' : '';
    if (first) timer = setTimeout(() => (first = ''), WAIT_MS);
    if (!found) return;
    event.preventDefault();
    found.act();
  });
}

export function Help() {
  return (
    <Dialog title="Keys and help" wide onClose={() => (open.value = null)}>
      <div class="help" tabIndex={0} role="group" aria-label="Keys and pictures">
        <dl class="keys">
          {KEYS.map((key) => (
            <div key={key.keys}>
              <dt>
                {key.keys.split(' ').map((part) => (
                  <kbd key={part}>{part}</kbd>
                ))}
              </dt>
              <dd>{key.does}</dd>
            </div>
          ))}
        </dl>
        <div class="legend-long">
          <h3>Reading the pictures</h3>
          <p>Each dot is a candidate that passed every gate; the darker (in the dark: the lighter), the better its score. The bold line is the way from the baseline to the champion, the diamond.</p>
          <p>The score is the weighted share won over the baseline: 50 % on a time means half of it is gone. Crosses in the lanes below are candidates that failed, by the gate that stopped them.</p>
          <p>A filled triangle is better, an open one worse; its tip points where the number went. The wheel zooms, dragging moves, a double click shows everything. With Shift the wheel zooms only upright, with Alt only across.</p>
          <p>The strip at the bottom is the whole run: drag its thumb and every panel shows that moment. What you see is in the address, so a link or a reload gives the same picture.</p>
        </div>
      </div>
    </Dialog>
  );
}
