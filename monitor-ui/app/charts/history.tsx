// A figure over the run (learning rate, hypervolume) as a step line whose corners can be pointed at.
import { useState } from 'preact/hooks';
import { padded } from '../draw/scale';
import { clock, figure } from '../parts/figures';
import type { Point } from '../run/model';
import { go } from '../state/store';
import { fromZero } from './lineage';
import { Plot } from './plot';
import type { Scene } from './scene';
import { Columns } from './scene';

interface Props {
  name: string;
  points: () => Point[];
  deps: unknown[];
}

export function historyScene(name: string, history: Point[], columns: Columns): Scene {
  const points = columns.points(history.length);
  let [y0, y1] = [Infinity, -Infinity];
  history.forEach(({ time, value }, row) => {
    points.x[row] = time;
    points.y[row] = value;
    points.colour[row] = 5;
    y0 = Math.min(y0, value);
    y1 = Math.max(y1, value);
  });
  const [bottom, top] = padded(y0, y1, 0.1);
  const [left, right] = fromZero(0, history.at(-1)?.time ?? 1);
  return {
    points,
    parent: null,
    failed: null,
    lanes: [],
    extent: { x0: left, x1: right, y0: bottom, y1: top },
    x: { label: 'time', kind: 'time' },
    y: { label: name, kind: 'number' },
    lines: [{ kind: 'best', stepped: true, points: history.map(({ time, value }) => [time, value]) }],
    markers: [],
    level: null,
    shade: null,
    beyond: 0,
    empty: history.length === 0 ? 'It has not moved yet.' : '',
  };
}

export function History({ name, points, deps }: Props) {
  const [columns] = useState(() => new Columns());
  const tip = (row: number) => {
    const point = points()[row];
    if (!point) return null;
    return (
      <p class="t">
        <b>{figure(point.value)}</b>
        <span class="muted">
          at {clock(point.time)}, event {point.seq}
        </span>
      </p>
    );
  };
  return (
    <Plot
      name={`${name} over time`}
      scene={() => historyScene(name, points(), columns)}
      deps={deps}
      picked={-1}
      onPick={(row) => {
        const point = points()[row];
        if (point) go({ at: point.seq });
      }}
      tip={tip}
      compact
    />
  );
}
