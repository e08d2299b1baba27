// A change beside its number: a filled triangle is better, an open one worse, and its tip is the direction of the number, so
// that colour is never the only sign.
import type { Objective } from '../wire/wire';
import { improvement } from '../run/measure';
import { percent } from './figures';

/** Shares below this count as the same. */
const SAME = 5e-4;

export function Delta({ objective, from, value }: { objective: Objective; from: number; value: number }) {
  const share = improvement(objective, from, value);
  if (share === null) return <span class="delta same">–</span>;
  if (Math.abs(share) < SAME) return <span class="delta same">same</span>;
  const better = share > 0;
  const up = value > from;
  return (
    <span class={better ? 'delta better' : 'delta worse'}>
      <svg width="9" height="10" viewBox="0 0 9 10" role="img" aria-label={better ? 'better by' : 'worse by'}>
        <path d={up ? 'M1 7.500h7L4.500 2z' : 'M1 2.500h7L4.500 8z'} fill={better ? 'currentColor' : 'none'} stroke="currentColor" stroke-linejoin="round" />
      </svg>
      {percent(Math.abs(share))}
    </span>
  );
}
