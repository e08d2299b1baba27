// The lineage as a scene: who descends from whom, by score across time, evaluations or money, by generation, or as a tree.
// What failed lies in lanes by gate; the path to the champion is the only bold line.
import { padded } from '../draw/scale';
import { Fate, Mark, NONE, isViable } from '../run/candidates';
import type { Candidates } from '../run/candidates';
import type { RunModel } from '../run/model';
import { pathTo } from '../run/model';
import type { Across, Mode } from '../state/url';
import type { Marker, Scene } from './scene';
import { Columns, fence, rampStep } from './scene';
import { treeSlots } from './tree';

/** Lanes drawn at most; further gates share the last. */
const MOST_LANES = 6;
/** Members of the front that get a ring, at most. */
const MOST_RINGS = 300;

export interface LineageChoice {
  mode: Mode;
  across: Across;
  upright: string;
}

const viableColumns = new Columns();
const failedColumns = new Columns();

/** The column of upright values: the score, or one objective's values. */
export function uprightColumn(model: RunModel, upright: string): Float32Array | Float64Array {
  const index = model.objectives.findIndex((objective) => objective.name === upright);
  return index < 0 ? model.table.score : model.table.scores[index];
}

export function acrossColumn(table: Candidates, across: Across): Float64Array | Uint32Array | Float32Array {
  if (across === 'time') return table.time;
  return across === 'evaluations' ? table.evaluation : table.spent;
}

export function lineageScene(model: RunModel, choice: LineageChoice): Scene {
  const { table } = model;
  const upright = uprightColumn(model, choice.upright);
  const points = viableColumns.points(table.count);
  const failed = failedColumns.points(table.count);
  const { least, most } = spread(table, upright);
  const better = model.objectives.find((objective) => objective.name === choice.upright)?.direction ?? 'maximize';
  const lanes = laneOrder(model);
  const slots = choice.mode === 'tree' ? treeSlots(table) : null;
  const across = acrossColumn(table, choice.across);
  const extent = { x0: Infinity, x1: -Infinity, y0: Infinity, y1: -Infinity };
  const shownValue = (row: number): number => (isViable(table.fate[row]) ? upright[row] : NaN);
  const [low, high] = slots ? [-Infinity, Infinity] : fence(table.count, shownValue);
  let beyond = 0;
  for (let row = 0; row < table.count; row++) {
    points.colour[row] = 0;
    failed.colour[row] = 0;
    const fate = table.fate[row];
    const x = slots ? slots[row] : choice.mode === 'generations' ? table.generation[row] + spreadOut(row) : across[row];
    points.x[row] = x;
    failed.x[row] = x;
    const viable = isViable(fate) || row === 0;
    if (!viable) {
      if (fate !== Fate.rejected && fate !== Fate.revoked) continue;
      failed.y[row] = lanes.laneOf[table.gate[row]] ?? 0;
      failed.colour[row] = 1;
    } else {
      const y = slots ? -table.generation[row] : upright[row];
      points.y[row] = y;
      if (!Number.isFinite(y) || !Number.isFinite(x)) continue;
      const step = rampStep(upright[row], least, most);
      points.colour[row] = better === 'maximize' ? step : 8 - step;
      const kept = row === 0 || row === model.champion || (table.marks[row] & Mark.wasChampion) > 0;
      if (!kept && (y < low || y > high)) beyond++;
      else {
        if (y < extent.y0) extent.y0 = y;
        if (y > extent.y1) extent.y1 = y;
      }
    }
    if (x < extent.x0) extent.x0 = x;
    if (x > extent.x1) extent.x1 = x;
  }
  const [y0, y1] = padded(extent.y0, extent.y1, 0.08);
  const [x0, x1] = slots || choice.mode === 'generations' ? padded(extent.x0, extent.x1, 0.04) : fromZero(extent.x0, extent.x1);
  const path = pathTo(model, model.champion).filter((row) => points.colour[row] > 0);
  return {
    points,
    parent: table.parent,
    failed: slots || lanes.names.length === 0 ? null : failed,
    lanes: slots ? [] : lanes.names,
    extent: { x0, x1, y0, y1 },
    x: slots ? { label: '', kind: 'none' } : choice.mode === 'generations' ? { label: 'generation', kind: 'count' } : acrossAxis(choice.across),
    y: slots ? { label: 'generation', kind: 'none' } : { label: choice.upright, kind: 'number' },
    lines: path.length > 1 ? [{ kind: 'path', points: path.map((row) => [points.x[row], points.y[row]]) }] : [],
    markers: markers(model, path, points.colour),
    level: slots || table.count === 0 ? null : baselineLevel(upright),
    shade: null,
    beyond,
    empty: emptyReason(model, choice),
  };
}

export const acrossAxis = (across: Across): Scene['x'] =>
  across === 'time' ? { label: 'time', kind: 'time' } : across === 'evaluations' ? { label: 'evaluations', kind: 'count' } : { label: 'US dollars', kind: 'number' };

function baselineLevel(upright: Float32Array | Float64Array): Scene['level'] {
  return Number.isFinite(upright[0]) ? { y: upright[0], name: 'baseline' } : null;
}

function emptyReason(model: RunModel, choice: LineageChoice): string {
  if (choice.across === 'money' && choice.mode === 'score' && model.usd === 0) {
    return model.modelUsed
      ? 'Nothing has been spent on a model yet.'
      : 'No model: this run uses none, so nothing was spent on one.';
  }
  if (model.table.count === 0) return 'No run is shown yet.';
  return Number.isNaN(model.table.time[0]) ? 'The baseline is being measured. Candidates appear once it has a score.' : '';
}

/** From the beginning of the axis, with a little room at the right for marks. */
export function fromZero(least: number, most: number): [number, number] {
  if (!Number.isFinite(least) || !Number.isFinite(most)) return [0, 1];
  const end = most > 0 ? most * 1.03 : 1;
  return [Math.min(0, least), end];
}

/** A steady offset for a row, so that those of one generation do not hide each other. */
function spreadOut(row: number): number {
  if (row === 0) return 0;
  return ((Math.imul(row, 0x9e3779b1) >>> 0) / 4294967296 - 0.5) * 0.62;
}

/** Ends of the ramp: the worst of the middle nine tenths, so that one outlier does not take all the colour, and the best. */
function spread(table: Candidates, upright: ArrayLike<number>): { least: number; most: number } {
  const step = Math.max(1, Math.floor(table.count / 2000));
  const sample: number[] = [];
  for (let row = 0; row < table.count; row += step) {
    if (isViable(table.fate[row]) && Number.isFinite(upright[row])) sample.push(upright[row]);
  }
  if (sample.length === 0) return { least: 0, most: 1 };
  sample.sort((a, b) => a - b);
  const at = (share: number): number => sample[Math.min(sample.length - 1, Math.floor(share * sample.length))];
  return { least: at(0.05), most: at(0.98) };
}

/** Gates by how many failed at them; `laneOf` gives a gate's lane. */
function laneOrder(model: RunModel): { names: string[]; laneOf: number[] } {
  const order = model.gates.map((name, index) => ({ name, index })).filter(({ index }) => index < NONE);
  const names = order.slice(0, MOST_LANES).map(({ name }) => name.replaceAll('_', ' '));
  if (order.length > MOST_LANES) names[MOST_LANES - 1] = 'others';
  const laneOf: number[] = [];
  for (const { index } of order) laneOf[index] = Math.min(index, MOST_LANES - 1);
  return { names, laneOf };
}

function markers(model: RunModel, path: number[], colour: Uint8Array): Marker[] {
  const { table } = model;
  const found: Marker[] = [];
  let rings = 0;
  for (const row of model.front) {
    if (row < table.count && row !== model.champion && colour[row] > 0 && rings++ < MOST_RINGS) found.push({ row, kind: 'front' });
  }
  for (const row of path) {
    const was = table.marks[row] & Mark.wasChampion;
    const label = row === 0 ? '' : was ? (model.words.get(row)?.rationale ?? '') : '';
    if (row !== model.champion) found.push({ row, kind: row === 0 ? 'baseline' : 'step', label });
  }
  if (model.champion >= 0 && colour[model.champion] > 0) {
    const words = model.champion === 0 ? '' : (model.words.get(model.champion)?.rationale ?? '');
    found.push({ row: model.champion, kind: 'champion', label: [`#${model.champion}`, words].filter(Boolean).join(' ') });
  }
  return found;
}
