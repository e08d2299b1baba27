// Places for a tree: every candidate without children takes the next slot, every parent the middle of its first and last
// child. One pass each way over the columns, since a child's number is always above its parents'. Pure.
import { isViable } from '../run/candidates';
import type { Candidates } from '../run/candidates';

/** The slot of every row across the tree; rows that are not viable take none (NaN). */
export function treeSlots(table: Candidates): Float64Array {
  const { count, parent } = table;
  const slots = new Float64Array(count).fill(NaN);
  const shown = (row: number): boolean => row === 0 || isViable(table.fate[row]);
  // Children of each row as a linked list in order of numbers: walked without recursion, whatever the depth.
  const firstChild = new Int32Array(count).fill(-1);
  const next = new Int32Array(count).fill(-1);
  for (let row = count - 1; row > 0; row--) {
    const above = parent[row];
    if (above < 0 || !shown(row) || !shown(above)) continue;
    next[row] = firstChild[above];
    firstChild[above] = row;
  }
  const least = new Float64Array(count).fill(Infinity);
  const most = new Float64Array(count).fill(-Infinity);
  let slot = 0;
  const stack = count > 0 ? [0] : [];
  while (stack.length > 0) {
    const row = stack.pop() as number;
    if (firstChild[row] < 0) {
      slots[row] = slot++;
      continue;
    }
    const children: number[] = [];
    for (let child = firstChild[row]; child >= 0; child = next[child]) children.push(child);
    for (let index = children.length - 1; index >= 0; index--) stack.push(children[index]);
  }
  for (let row = count - 1; row >= 0; row--) {
    if (!shown(row)) continue;
    if (firstChild[row] >= 0 && least[row] <= most[row]) slots[row] = (least[row] + most[row]) / 2;
    const above = parent[row];
    if (above < 0 || Number.isNaN(slots[row])) continue;
    least[above] = Math.min(least[above], slots[row]);
    most[above] = Math.max(most[above], slots[row]);
  }
  return slots;
}
