// The page's state: the live model, the one that is shown (the same, or a cut at an earlier event), the view, and the
// condition of the link. Models are plain and mutable; two signals say when to look again, one for pictures (once a frame
// at most) and one for words (a few times a second), so that a burst of events never re-renders a tree per event.
import { computed, signal } from '@preact/signals';
import type { RunHead, Role } from '../wire/wire';
import type { LinkPhase } from '../protocol/link';
import type { RunModel } from '../run/model';
import { emptyModel } from '../run/model';
import { seqAt, secondsAt, sliceAt } from '../run/slice';
import { Feed } from './feed';
import type { View } from './url';
import { readView, writeView } from './url';

/** Shortest time between two looks at the words, milliseconds; in a run of many candidates the longer one. */
const WORDS_MS = 200;
const WORDS_LARGE_MS = 600;
/** Shortest time between two pictures that only new data ask for; one more dot among many is not seen any sooner. */
const PICTURE_MS = 66;
const PICTURE_LARGE_MS = 250;
/** Candidates from which a run is large. */
export const LARGE = 20_000;

export const view = signal<View>(readView(location.hash));
export const runs = signal<RunHead[]>([]);
export const role = signal<Role | null>(null);
export const gate = signal<'opening' | 'token' | 'open' | 'failed'>('opening');
export const link = signal<{ phase: LinkPhase; retryAt: number }>({ phase: 'connecting', retryAt: 0 });
export const latency = signal<number | null>(null);
export const gaps = signal(0);
export const outdated = signal(false);
/** The daemon's clock minus this one's, milliseconds. */
export const skew = signal(0);
/** How far the answer to the latest subscription reaches; the run is loading while the model lies before it. */
export const goal = signal(0);
export const playing = signal(false);
/** Rises when pictures should be drawn anew. */
export const drawn = signal(0);
/** Rises when words should be read anew. */
export const told = signal(0);
export const toast = signal<{ text: string; tone: 'good' | 'bad' } | null>(null);
/** Keys of alerts acknowledged on this device. */
export const acknowledged = signal<ReadonlySet<string>>(readAcknowledged());

export const feed = new Feed();
let live: RunModel = emptyModel();
/** What pictures show: the live model itself, or a cut. */
let shown: RunModel = live;
/** What words show: a copy of its top, made anew whenever words are read, so that every part sees that it changed. */
let words: RunModel = live;
/** When data last came, by this page's clock. */
export let heardAt = 0;

export const isReplay = computed(() => view.value.at > 0);
export const isLoading = computed(() => {
  told.value;
  return goal.value > 0 && live.seq < goal.value;
});

export const liveModel = (): RunModel => live;
export const model = (): RunModel => words;
export const pictured = (): RunModel => shown;
export const daemonNow = (): number => Date.now() + skew.value;

export function replaceLive(next: RunModel): void {
  live = next;
  changed();
}

let frame = 0;
let lastWords = 0;
let lastPicture = 0;
let wordsTimer: ReturnType<typeof setTimeout> | undefined;

/** New data came in: look again soon, but no more often than an eye can follow. */
export function changed(): void {
  heardAt = performance.now();
  if (frame) return;
  const pace = live.table.count > LARGE ? PICTURE_LARGE_MS : PICTURE_MS;
  const wait = Math.max(0, pace - (performance.now() - lastPicture));
  frame = window.setTimeout(() => requestAnimationFrame(look), wait);
}

let urgent = false;

/** Somebody did something: look again in the very next frame, words included. */
export function changedNow(): void {
  if (urgent) return;
  urgent = true;
  requestAnimationFrame(() => {
    urgent = false;
    lastWords = 0;
    look();
  });
}

function look(): void {
  frame = 0;
  lastPicture = performance.now();
  const { at } = view.peek();
  shown = at > 0 && at < live.seq ? sliceAt(live, at) : live;
  drawn.value += 1;
  const since = lastPicture - lastWords;
  const pace = live.table.count > LARGE ? WORDS_LARGE_MS : WORDS_MS;
  if (since >= pace) return read();
  clearTimeout(wordsTimer);
  wordsTimer = setTimeout(read, pace - since);
}

function read(): void {
  clearTimeout(wordsTimer);
  lastWords = performance.now();
  words = { ...shown };
  told.value += 1;
}

/** Changes the view and the address with it. A new place or run is a step that the back button undoes. */
export function go(change: Partial<View>): void {
  const before = view.peek();
  const next = { ...before, ...change };
  view.value = next;
  const step = next.place !== before.place || next.run !== before.run;
  const address = writeView(next);
  if (step) history.pushState(null, '', address);
  else history.replaceState(null, '', address);
  changedNow();
}

export function followAddress(): void {
  view.value = readView(location.hash);
  changedNow();
}

let played = 0;
let playedAt = 0;

/** Plays from the moment shown, `speed` times as fast as the run was; at the end it is live again. */
export function play(): void {
  const { at } = view.peek();
  playing.value = true;
  played = at > 0 ? secondsAt(live, at) : 0;
  playedAt = performance.now();
  if (at === 0) view.value = { ...view.peek(), at: 1 };
  requestAnimationFrame(advance);
}

function advance(now: number): void {
  if (!playing.peek()) return;
  played += ((now - playedAt) / 1000) * view.peek().speed;
  playedAt = now;
  const at = Math.max(1, seqAt(live, played));
  const end = (live.lastAt - live.startedAt) / 1000;
  if (played >= end) return goLive();
  if (at !== view.peek().at) {
    view.value = { ...view.peek(), at };
    look();
  }
  requestAnimationFrame(advance);
}

export function stopPlaying(): void {
  playing.value = false;
  go({});
}

export function goLive(): void {
  playing.value = false;
  go({ at: 0 });
}

export function say(text: string, tone: 'good' | 'bad'): void {
  const mine = { text, tone };
  toast.value = mine;
  setTimeout(() => {
    if (toast.peek() === mine) toast.value = null;
  }, 6000);
}

const ACKNOWLEDGED = 'darwind.acknowledged';
/** Acknowledgements remembered on this device. */
const MOST_ACKNOWLEDGED = 2000;

function readAcknowledged(): ReadonlySet<string> {
  try {
    const kept: unknown = JSON.parse(localStorage.getItem(ACKNOWLEDGED) ?? '[]');
    return new Set(Array.isArray(kept) ? kept.filter((key) => typeof key === 'string') : []);
  } catch {
    return new Set();
  }
}

export const alertId = (run: string, key: string): string => `${run}:${key}`;

export function acknowledge(ids: string[]): void {
  const next = [...acknowledged.peek(), ...ids].slice(-MOST_ACKNOWLEDGED);
  acknowledged.value = new Set(next);
  try {
    localStorage.setItem(ACKNOWLEDGED, JSON.stringify(next));
  } catch {
    // Without storage the acknowledgement holds until the page is closed.
  }
}
