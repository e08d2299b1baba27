// How a whole divides: one bar of segments and the same in words, so that nothing hangs on colour alone.
import { count } from './figures';

export interface Share {
  name: string;
  times: number;
  /** What it means for the run. */
  tone: 'good' | 'plain' | 'bad';
}

/** Shades in which segments of one meaning follow each other. */
const SHADES = 3;

export function Shares({ name, shares }: { name: string; shares: Share[] }) {
  const whole = shares.reduce((sum, { times }) => sum + times, 0);
  const drawn = [...shares].sort((a, b) => ORDER[a.tone] - ORDER[b.tone] || b.times - a.times);
  const seen = { good: 0, plain: 0, bad: 0 };
  let from = 0;
  const segments = drawn.map((share) => {
    const segment = { ...share, from, shade: `${share.tone}-${seen[share.tone]++ % SHADES}` };
    from += share.times;
    return segment;
  });
  return (
    <section class="shares" aria-label={name}>
      <h3>
        {name} <b>{count(whole)}</b>
      </h3>
      <svg width="100%" height="8" aria-hidden="true">
        <rect width="100%" height="8" class="meter-all" />
        {segments.map((segment) => (
          <rect key={segment.name} class={`share ${segment.shade}`} x={`${(segment.from / whole) * 100}%`} width={`${(segment.times / whole) * 100}%`} height="8" />
        ))}
      </svg>
      <ul>
        {segments.map((segment) => (
          <li key={segment.name}>
            <svg width="8" height="8" aria-hidden="true">
              <rect width="8" height="8" class={`share ${segment.shade}`} />
            </svg>
            {segment.name} <b>{count(segment.times)}</b>
          </li>
        ))}
        {whole === 0 && <li class="muted">none yet</li>}
      </ul>
    </section>
  );
}

const ORDER = { good: 0, plain: 1, bad: 2 };
