// Candidates as rows of a table: filtered, sorted and searched straight over the columns; a row is only its number.
import { FATE_WORDS, Fate, Mark, hasVerdict, isViable } from './candidates';
import type { RunModel } from './model';
import type { FateFilter } from '../state/url';

export function fateWord(model: RunModel, row: number): string {
  const { marks, fate, ended } = model.table;
  if (marks[row] & Mark.champion) return 'champion';
  if (row === 0) return 'baseline';
  if (marks[row] & Mark.front) return 'on the front';
  if (marks[row] & Mark.wasChampion) return 'was champion';
  // Verdicts are given in the order of numbers: what is measured may have to wait for an earlier one's.
  if (fate[row] === Fate.evaluating && ended[row] > 0) return 'awaits verdict';
  return FATE_WORDS[fate[row]];
}

/** Whether a row is a candidate at all: something was proposed, not only asked for. */
export function isCandidate(fate: number): boolean {
  return fate !== Fate.absent && fate !== Fate.requested && fate !== Fate.discarded;
}

function passes(model: RunModel, row: number, filter: FateFilter): boolean {
  const fate = model.table.fate[row];
  switch (filter) {
    case 'viable':
      return isViable(fate);
    case 'front':
      return (model.table.marks[row] & Mark.front) > 0;
    case 'accepted':
      return fate === Fate.accepted;
    case 'rejected':
      return fate === Fate.rejected || fate === Fate.revoked;
    case 'open':
      return !hasVerdict(fate) && fate !== Fate.abandoned;
    default:
      return true;
  }
}

function finds(model: RunModel, row: number, query: string): boolean {
  if (query === '') return true;
  const number = /^#?(\d+)$/.exec(query);
  if (number) return String(row).startsWith(number[1]);
  const words = model.words.get(row);
  const arm = model.arms[model.table.arm[row]];
  const text = [words?.rationale, words?.reason, arm?.operator, arm?.proposer, model.gates[model.table.gate[row]], words?.commit];
  return text.filter(Boolean).join(' ').toLowerCase().includes(query.toLowerCase());
}

/** The column that a sort key names, as a function of a row. */
function sortValue(model: RunModel, key: string): (row: number) => number {
  const { table } = model;
  switch (key) {
    case 'score':
      return (row) => table.score[row];
    case 'generation':
      return (row) => table.generation[row];
    case 'time':
      return (row) => table.time[row];
    case 'wall':
      return (row) => (table.ended[row] ? table.wall[row] : NaN);
    case 'parent':
      return (row) => table.parent[row];
    default: {
      const index = model.objectives.findIndex((objective) => `o:${objective.name}` === key);
      return index < 0 ? (row) => row : (row) => table.scores[index][row];
    }
  }
}

export function listRows(model: RunModel, filter: FateFilter, query: string, sort: string): number[] {
  const rows: number[] = [];
  const { fate, count } = model.table;
  for (let row = 0; row < count; row++) {
    if (isCandidate(fate[row]) && passes(model, row, filter) && finds(model, row, query)) rows.push(row);
  }
  const down = sort.startsWith('-');
  if (sort === 'number') return rows;
  if (sort === '-number') return rows.reverse();
  const value = sortValue(model, sort.replace(/^-/, ''));
  // Rows without a value stand last, whichever way the sort goes.
  rows.sort((a, b) => {
    const [x, y] = [value(a), value(b)];
    if (Number.isNaN(x) || Number.isNaN(y)) return Number(Number.isNaN(x)) - Number(Number.isNaN(y)) || a - b;
    return (down ? y - x : x - y) || a - b;
  });
  return rows;
}
