// The page's colours as the canvas needs them: read from the style sheet's tokens, so that both themes stay in one file.

export interface Tones {
  paper: string;
  sunken: string;
  hair: string;
  hair2: string;
  ink: string;
  ink2: string;
  ink3: string;
  accent: string;
  accentSoft: string;
  onAccent: string;
  fail: string;
  warn: string;
  edge: string;
  ramp: string[];
}

const NAMES = {
  paper: '--paper',
  sunken: '--sunken',
  hair: '--hair',
  hair2: '--hair-2',
  ink: '--ink',
  ink2: '--ink-2',
  ink3: '--ink-3',
  accent: '--accent',
  accentSoft: '--accent-soft',
  onAccent: '--on-accent',
  fail: '--fail',
  warn: '--warn',
  edge: '--edge',
} as const;
/** Steps of the score ramp. */
export const RAMP_STEPS = 7;

let kept: { key: string; tones: Tones } | null = null;

/** The tones of the theme in force. `light-dark()` is resolved by asking an element for its computed colour. */
export function tones(): Tones {
  const key = `${document.documentElement.dataset.theme ?? ''}${matchMedia('(prefers-color-scheme: dark)').matches}`;
  if (kept?.key === key) return kept.tones;
  const probe = document.createElement('span');
  probe.hidden = true;
  document.body.append(probe);
  const resolve = (name: string): string => {
    probe.style.color = `var(${name})`;
    return getComputedStyle(probe).color;
  };
  const named = Object.fromEntries(Object.entries(NAMES).map(([tone, name]) => [tone, resolve(name)]));
  const ramp = Array.from({ length: RAMP_STEPS }, (_, step) => resolve(`--r${step}`));
  probe.remove();
  const found = { ...(named as unknown as Omit<Tones, 'ramp'>), ramp };
  kept = { key, tones: found };
  return found;
}

/** A CSS colour as one little-endian word of a pixel buffer, `alpha` 0 to 1. */
export function toWord(colour: string, alpha = 1): number {
  const [red, green, blue] = (colour.match(/[\d.]+/g) ?? ['0', '0', '0']).map(Number);
  return ((Math.round(alpha * 255) << 24) | (blue << 16) | (green << 8) | red) >>> 0;
}
