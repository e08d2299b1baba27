// The whole view as the page's address: which run, place, candidate, axes, filters, moment. A reload or a sent link gives
// the same picture. Pure but for the two functions at the end; the one-time token is never kept in an address.

export const PLACES = ['run', 'candidates', 'front', 'fleet', 'alerts'] as const;
export type Place = (typeof PLACES)[number];
export const TABS = ['summary', 'diff', 'log', 'files'] as const;
export type Tab = (typeof TABS)[number];
export const MODES = ['score', 'generations', 'tree', 'table'] as const;
export type Mode = (typeof MODES)[number];
export const ACROSS = ['time', 'evaluations', 'money'] as const;
export type Across = (typeof ACROSS)[number];
export const FEEDS = ['all', 'verdicts', 'applied', 'rejected', 'controls', 'machinery'] as const;
export type FeedKind = (typeof FEEDS)[number];
export const FATES = ['all', 'viable', 'front', 'accepted', 'rejected', 'open'] as const;
export type FateFilter = (typeof FATES)[number];

export interface View {
  run: string;
  place: Place;
  /** The selected candidate's number; -1 follows the champion. */
  pick: number;
  tab: Tab;
  /** What the diff is against: `parent`, `baseline`, `champion` or a number. */
  against: string;
  mode: Mode;
  across: Across;
  /** The lineage's upright axis: `score` or an objective's name. */
  upright: string;
  /** The front's axes and colour, by objective; empty picks the first ones. */
  fx: string;
  fy: string;
  fc: string;
  /** The front's charts as a table instead. */
  twin: boolean;
  fates: FateFilter;
  sort: string;
  query: string;
  feed: FeedKind;
  /** The sequence number shown; 0 is live. */
  at: number;
  speed: number;
}

export const FRESH: View = {
  run: '',
  place: 'run',
  pick: -1,
  tab: 'summary',
  against: 'parent',
  mode: 'score',
  across: 'time',
  upright: 'score',
  fx: '',
  fy: '',
  fc: '',
  twin: false,
  fates: 'all',
  sort: '-number',
  query: '',
  feed: 'all',
  at: 0,
  speed: 10,
};

export const SPEEDS = [1, 10, 100, 1000] as const;

const CHOICES: Partial<Record<keyof View, readonly string[]>> = {
  place: PLACES,
  tab: TABS,
  mode: MODES,
  across: ACROSS,
  feed: FEEDS,
  fates: FATES,
};

/** Longest text taken from an address for one field, in characters. */
const LONGEST = 200;

/** Reads an address's fragment; what is missing or makes no sense stays as it is in a fresh view. */
export function readView(fragment: string): View {
  const given = new URLSearchParams(fragment.replace(/^#/, ''));
  const view: Record<string, unknown> = { ...FRESH };
  for (const [key, value] of Object.entries(FRESH)) {
    const text = given.get(key)?.slice(0, LONGEST);
    if (text === undefined) continue;
    if (typeof value === 'boolean') view[key] = text === '1';
    else if (typeof value === 'number') view[key] = wholeNumber(text, value);
    else if (CHOICES[key as keyof View]?.includes(text) ?? true) view[key] = text;
  }
  if (!(SPEEDS as readonly number[]).includes(view.speed as number)) view.speed = FRESH.speed;
  return view as unknown as View;
}

function wholeNumber(text: string, otherwise: number): number {
  return /^\d{1,15}$/.test(text) ? Number(text) : otherwise;
}

/** Writes only what differs from a fresh view, so that addresses stay short. */
export function writeView(view: View): string {
  const parts = new URLSearchParams();
  for (const [key, value] of Object.entries(FRESH)) {
    const now = view[key as keyof View];
    if (now !== value) parts.set(key, typeof now === 'boolean' ? (now ? '1' : '0') : String(now));
  }
  const text = parts.toString();
  return text ? `#${text}` : '#';
}

/** The one-time token in the fragment, and the fragment without it. */
export function takeToken(fragment: string): { token: string | null; rest: string } {
  const given = new URLSearchParams(fragment.replace(/^#/, ''));
  const token = given.get('t');
  given.delete('t');
  const rest = given.toString();
  return { token, rest: rest ? `#${rest}` : '' };
}
