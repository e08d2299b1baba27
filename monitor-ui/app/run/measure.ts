// What "better" means on the page: improvement on the baseline, dominance, and the front over any choice of axes. The
// same rules as the engine's, which stay the authority: the page never decides, it only draws.
import type { Objective } from '../protocol/records';
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
 * Rows on the first front over two columns of costs, sorted by the first: a sweep, O(n log n). Equal points are all kept.
 */
export function frontOf(rows: number[], x: (row: number) => number, y: (row: number) => number): number[] {
  const sorted = rows
    .filter((row) => Number.isFinite(x(row)) && Number.isFinite(y(row)))
    .sort((a, b) => x(a) - x(b) || y(a) - y(b));
  const front: number[] = [];
  let least = Infinity;
  let leastX = Infinity;
  for (const row of sorted) {
    const value = y(row);
    if (value < least || (value === least && x(row) === leastX)) {
      front.push(row);
      least = value;
      leastX = x(row);
    }
  }
  return front;
}
