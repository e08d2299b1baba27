// How numbers are written everywhere on the page. Exact counts are never rounded; measured values keep four figures.

const MINUS = '\u2212';
const signed = (text: string): string => text.replace('-', MINUS);

/** A measured value: four significant figures, no exponent between a millionth and a million. */
export function figure(value: number | null | undefined): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return '–';
  if (value === 0) return '0';
  const size = Math.abs(value);
  if (size >= 1e7 || size < 1e-5) return signed(value.toExponential(2));
  if (Number.isInteger(value)) return signed(String(value));
  return signed(String(Number(value.toPrecision(4))));
}

/** Seconds in the unit that reads best, other units as they are: [number, unit]. */
export function measured(value: number, unit: string | null): [string, string] {
  if (!Number.isFinite(value)) return ['–', ''];
  if (unit === 's' && value !== 0) {
    const size = Math.abs(value);
    if (size < 1e-3) return [figure(value * 1e6), 'µs'];
    if (size < 1) return [figure(value * 1e3), 'ms'];
  }
  return [figure(value), unit ?? ''];
}

export function withUnit(value: number, unit: string | null): string {
  return measured(value, unit).filter(Boolean).join(' ');
}

/** An exact count, its thousands set apart by a thin space. */
export function count(value: number): string {
  return String(value).replace(/\B(?=(\d{3})+(?!\d))/g, '\u202f');
}

export function percent(share: number, digits = 1): string {
  return `${signed((share * 100).toFixed(digits))} %`;
}

/** Seconds as m:ss or h:mm:ss. */
export function clock(seconds: number): string {
  if (!Number.isFinite(seconds)) return '–';
  const whole = Math.max(0, Math.floor(seconds));
  const h = Math.floor(whole / 3600);
  const m = Math.floor((whole % 3600) / 60);
  const two = (part: number): string => String(part).padStart(2, '0');
  return h > 0 ? `${h}:${two(m)}:${two(whole % 60)}` : `${m}:${two(whole % 60)}`;
}

export function dollars(usd: number): string {
  return `$${usd < 0.01 && usd > 0 ? usd.toFixed(4) : usd.toFixed(2)}`;
}

/** Tick labels: as many places as the step between ticks needs. */
export function axisText(value: number, kind: 'number' | 'time' | 'count' | 'none', all: number[]): string {
  if (kind === 'time') return value < 1 && value > 0 ? `${figure(value)} s` : clock(value);
  if (kind === 'count') return count(value);
  const step = all.length > 1 ? Math.abs(all[1] - all[0]) : Math.abs(value);
  if (Math.abs(value) >= 1e6) return signed(value.toExponential(1));
  const places = step > 0 ? Math.max(0, Math.min(8, -Math.floor(Math.log10(step) + 1e-9))) : 2;
  return signed(value.toFixed(places));
}
