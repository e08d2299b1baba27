// One objective over time, evaluations or money: every viable candidate as a dot and the best so far as a step line.
import { padded } from '../draw/scale';
import type { Objective } from '../wire/wire';
import { isViable } from '../run/candidates';
import type { RunModel } from '../run/model';
import type { Across } from '../state/url';
import { acrossAxis, acrossColumn, fromZero } from './lineage';
import type { Scene } from './scene';
import { Columns, fence } from './scene';

/**
 * How far a row may stand from its place in the order of ends, in rows: evaluations end out of order, but never further
 * apart than the engine looks ahead (16 by default), with room.
 */
const OUT_OF_ORDER = 256;

/** The best value so far as corners of a step line, from the first candidate on. */
export function bestSoFar(model: RunModel, objective: Objective, across: Across): [number, number][] {
  const { table } = model;
  const values = table.scores[model.objectives.indexOf(objective)];
  const places = acrossColumn(table, across);
  const sign = objective.direction === 'minimize' ? 1 : -1;
  // Only rows that beat everything well before them can be a corner; these few are then put into their true order.
  const rows: number[] = [];
  let settled = Infinity;
  for (let row = 0; row < table.count; row++) {
    const behind = row - OUT_OF_ORDER;
    if (behind >= 0 && isViable(table.fate[behind]) && sign * values[behind] < settled) settled = sign * values[behind];
    if (sign * values[row] < settled && isViable(table.fate[row]) && Number.isFinite(places[row])) rows.push(row);
  }
  rows.sort((a, b) => places[a] - places[b] || a - b);
  const corners: [number, number][] = [];
  let best = Infinity;
  for (const row of rows) {
    if (sign * values[row] >= best) continue;
    best = sign * values[row];
    corners.push([places[row], values[row]]);
  }
  return corners;
}

export function progressScene(model: RunModel, objective: Objective, across: Across, columns: Columns): Scene {
  const { table } = model;
  const points = columns.points(table.count);
  const values = table.scores[model.objectives.indexOf(objective)];
  const places = acrossColumn(table, across);
  const [low, high] = fence(table.count, (row) => (isViable(table.fate[row]) && values ? values[row] : NaN));
  let beyond = 0;
  let [x0, x1, y0, y1] = [Infinity, -Infinity, Infinity, -Infinity];
  for (let row = 0; row < table.count; row++) {
    points.colour[row] = 0;
    if (!isViable(table.fate[row]) || !Number.isFinite(values[row]) || !Number.isFinite(places[row])) continue;
    points.colour[row] = 2;
    points.x[row] = places[row];
    points.y[row] = values[row];
    x0 = Math.min(x0, places[row]);
    x1 = Math.max(x1, places[row]);
    if (row > 0 && (values[row] < low || values[row] > high)) {
      beyond++;
      continue;
    }
    y0 = Math.min(y0, values[row]);
    y1 = Math.max(y1, values[row]);
  }
  const corners = bestSoFar(model, objective, across);
  for (const [, value] of corners) {
    y0 = Math.min(y0, value);
    y1 = Math.max(y1, value);
  }
  const last = corners.at(-1);
  if (last) corners.push([Math.max(x1, last[0]), last[1]]);
  const [bottom, top] = padded(y0, y1, 0.1);
  const [left, right] = fromZero(x0, x1);
  const spentNothing = across === 'money' && model.usd === 0;
  return {
    points,
    parent: null,
    failed: null,
    lanes: [],
    extent: { x0: left, x1: right, y0: bottom, y1: top },
    x: acrossAxis(across),
    y: { label: objective.name, kind: 'number' },
    lines: [{ kind: 'best', stepped: true, points: corners }],
    markers: model.champion >= 0 && points.colour[model.champion] ? [{ row: model.champion, kind: 'champion' }] : [],
    level: values && Number.isFinite(values[0]) ? { y: values[0], name: 'baseline' } : null,
    shade: null,
    beyond,
    empty: spentNothing ? (model.modelUsed ? 'Nothing spent yet.' : 'No model, no money spent.') : corners.length === 0 ? 'No score yet.' : '',
  };
}
