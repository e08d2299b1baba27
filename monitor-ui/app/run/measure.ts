// What "better" means on the page: improvement on the baseline, dominance, and the front over any choice of axes. The
// same rules as the engine's, which stay the authority: the page never decides, it only draws.
import type { Objective } from '../wire/wire';
import type { Candidates } from './candidates';

/** Share of `from` that `value` wins in an objective's direction: 0.5 on a time is twice as fast; null if unknown. */
export function improvement(objective: Objective, from: number, value: number): number | null {
  if (!Number.isFinite(from) || !Number.isFinite(value)) return null;
  const gain = objective.direction === 'minimize' ? from - value : value - from;
  if (gain === 0) return 0;
  return from === 0 ? null : gain / Math.abs(from);
}

/** Weighted mean of the improvements of row `number` on the baseline over the objectives that both know, else NaN. */
export function weightedImprovement(objectives: Objective[], table: Candidates, number: number): number {
  let sum = 0;
  let weights = 0;
  objectives.forEach((objective, index) => {
    const share = improvement(objective, table.scores[index][0], table.scores[index][number]);
    if (share === null) return;
    sum += objective.weight * share;
    weights += objective.weight;
  });
  return weights > 0 ? sum / weights : NaN;
}

/** Negates what is maximised, so that less is better everywhere. */
export const cost = (objective: Objective, value: number): number =>
  objective.direction === 'minimize' ? value : -value;

/**
 * Rows on the first front over two columns of costs, sorted by the first. Each row is held against the front so far by a
 * binary search, O(n log f), since nearly all rows are dominated at once. Equal points are all kept.
 */
export function frontOf(rows: Iterable<number>, x: (row: number) => number, y: (row: number) => number): number[] {
  // Sorted by x, so that y falls from one to the next; equal points stand side by side.
  const front: number[] = [];
  for (const row of rows) {
    const px = x(row);
    const py = y(row);
    if (!Number.isFinite(px) || !Number.isFinite(py)) continue;
    let low = 0;
    let high = front.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (x(front[middle]) <= px) low = middle + 1;
      else high = middle;
    }
    const before = low > 0 ? front[low - 1] : -1;
    if (before >= 0 && y(before) <= py) {
      if (x(before) === px && y(before) === py) front.splice(low, 0, row);
      continue;
    }
    let from = low;
    while (from > 0 && x(front[from - 1]) === px) from--;
    let to = low;
    while (to < front.length && y(front[to]) >= py) to++;
    front.splice(from, to - from, row);
  }
  return front;
}
