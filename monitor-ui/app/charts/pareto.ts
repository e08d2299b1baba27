// The front as a scene: two objectives against each other, a third as colour or the age, what the front dominates in shade.
import { padded } from '../draw/scale';
import type { Objective } from '../wire/wire';
import { Mark, isViable } from '../run/candidates';
import type { Candidates } from '../run/candidates';
import { cost, frontOf } from '../run/measure';
import type { RunModel } from '../run/model';
import type { Marker, Scene } from './scene';
import { Columns, fence, rampStep } from './scene';

export interface ParetoChoice {
  x: Objective;
  y: Objective;
  /** The objective that colours the points; absent for the score. */
  colour: Objective | null;
}

/** Which objectives a view names, with sensible ones where it names none. */
export function paretoChoice(model: RunModel, fx: string, fy: string, fc: string): ParetoChoice | null {
  const { objectives } = model;
  if (objectives.length === 0) return null;
  const named = (name: string): Objective | undefined => objectives.find((objective) => objective.name === name);
  const x = named(fx) ?? objectives[0];
  const y = named(fy) ?? objectives.find((objective) => objective !== x) ?? x;
  return { x, y, colour: named(fc) ?? null };
}

/** Rows on the front over the two chosen objectives; with more than two this is a view of the front, not the front. */
export function flatFront(model: RunModel, choice: ParetoChoice): number[] {
  const { table, objectives } = model;
  const xs = table.scores[objectives.indexOf(choice.x)];
  const ys = table.scores[objectives.indexOf(choice.y)];
  return frontOf(viableRows(table), (row) => cost(choice.x, xs[row]), (row) => cost(choice.y, ys[row]));
}

function* viableRows(table: Candidates): Generator<number> {
  for (let row = 0; row < table.count; row++) if (isViable(table.fate[row])) yield row;
}

export function paretoScene(model: RunModel, choice: ParetoChoice | null, columns: Columns): Scene {
  const { table, objectives } = model;
  const points = columns.points(choice ? table.count : 0);
  const base: Scene = {
    points,
    parent: null,
    failed: null,
    lanes: [],
    extent: { x0: 0, x1: 1, y0: 0, y1: 1 },
    x: { label: choice?.x.name ?? '', kind: 'number' },
    y: { label: choice?.y.name ?? '', kind: 'number' },
    lines: [],
    markers: [],
    level: null,
    shade: null,
    beyond: 0,
    empty: '',
  };
  if (!choice) return { ...base, empty: 'The run has not named its objectives yet.' };
  const xs = table.scores[objectives.indexOf(choice.x)];
  const ys = table.scores[objectives.indexOf(choice.y)];
  const tint = choice.colour ? table.scores[objectives.indexOf(choice.colour)] : table.score;
  const [least, most] = ends(model, tint);
  const flip = choice.colour?.direction === 'minimize';
  const extent = { x0: Infinity, x1: -Infinity, y0: Infinity, y1: -Infinity };
  const near = (column: Float64Array): [number, number] => fence(table.count, (row) => (isViable(table.fate[row]) ? column[row] : NaN));
  const [lowX, highX] = near(xs);
  const [lowY, highY] = near(ys);
  let any = false;
  let beyond = 0;
  for (let row = 0; row < table.count; row++) {
    points.colour[row] = 0;
    if (!isViable(table.fate[row]) || !Number.isFinite(xs[row]) || !Number.isFinite(ys[row])) continue;
    any = true;
    points.x[row] = xs[row];
    points.y[row] = ys[row];
    const step = rampStep(tint[row], least, most);
    points.colour[row] = flip ? 8 - step : step;
    const far = xs[row] < lowX || xs[row] > highX || ys[row] < lowY || ys[row] > highY;
    if (far && row > 0 && (table.marks[row] & Mark.front) === 0) {
      beyond++;
      continue;
    }
    extent.x0 = Math.min(extent.x0, xs[row]);
    extent.x1 = Math.max(extent.x1, xs[row]);
    extent.y0 = Math.min(extent.y0, ys[row]);
    extent.y1 = Math.max(extent.y1, ys[row]);
  }
  if (!any) return { ...base, empty: 'No viable candidate yet.' };
  const [x0, x1] = padded(extent.x0, extent.x1, 0.07);
  const [y0, y1] = padded(extent.y0, extent.y1, 0.09);
  const front = flatFront(model, choice);
  const alone = choice.x === choice.y;
  return {
    ...base,
    beyond,
    extent: { x0, x1, y0, y1 },
    lines: alone ? [] : [{ kind: 'front', stepped: true, points: front.map((row) => [xs[row], ys[row]]) }],
    markers: frontMarkers(model, front),
    shade: alone ? null : { right: choice.x.direction === 'minimize', up: choice.y.direction === 'minimize' },
  };
}

function frontMarkers(model: RunModel, front: number[]): Marker[] {
  const markers: Marker[] = front.slice(0, 300).filter((row) => row !== model.champion).map((row) => ({ row, kind: 'front' }));
  if (model.table.count > 0 && isViable(model.table.fate[0])) markers.push({ row: 0, kind: 'baseline', label: 'baseline' });
  if (model.champion > 0) markers.push({ row: model.champion, kind: 'champion', label: 'champion' });
  return markers;
}

function ends(model: RunModel, column: ArrayLike<number>): [number, number] {
  let least = Infinity;
  let most = -Infinity;
  for (let row = 0; row < model.table.count; row++) {
    const value = column[row];
    if (!isViable(model.table.fate[row]) || !Number.isFinite(value)) continue;
    if (value < least) least = value;
    if (value > most) most = value;
  }
  return [least, most];
}
