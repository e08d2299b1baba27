// What a plot draws, without saying how: points, edges, lanes for what failed, lines, marks and labels, axes. Builders make
// scenes from the model; `plot-view.ts` puts them on the screen.
import type { Extent } from '../draw/camera';
import type { Points } from '../draw/pixels';

export interface Axis {
  label: string;
  kind: 'number' | 'time' | 'count' | 'none';
}

export interface Marker {
  row: number;
  kind: 'champion' | 'step' | 'front' | 'baseline';
  label?: string;
}

export interface Line {
  /** Pairs of x and y in the units of the axes. */
  points: [number, number][];
  kind: 'path' | 'front' | 'best';
  stepped?: boolean;
}

export interface Scene {
  points: Points;
  /** Parent rows for edges; none for a plain scatter. */
  parent: Int32Array | null;
  /** Rows that failed: y is the index of their lane. */
  failed: Points | null;
  lanes: string[];
  extent: Extent;
  x: Axis;
  y: Axis;
  lines: Line[];
  markers: Marker[];
  /** A line across the plot at this y, with its name. */
  level: { y: number; name: string } | null;
  /** Shade the side of the front that it dominates, in the direction that is worse. */
  shade: { right: boolean; up: boolean } | null;
  /** Points beyond the picture that far-off values would squeeze: not shown until somebody zooms out. */
  beyond: number;
  /** Why nothing can be drawn, in a sentence; empty when something can. */
  empty: string;
}

export const NO_POINTS: Points = {
  count: 0,
  x: new Float32Array(0),
  y: new Float32Array(0),
  colour: new Uint8Array(0),
};

/** Columns of a scene that are used again at the next look, so that a hundred thousand rows make no garbage a frame. */
export class Columns {
  x = new Float32Array(0);
  y = new Float32Array(0);
  colour = new Uint8Array(0);

  points(count: number): Points {
    if (count > this.x.length) {
      const room = Math.max(1024, count * 2);
      this.x = new Float32Array(room);
      this.y = new Float32Array(room);
      this.colour = new Uint8Array(room);
    }
    return { count, x: this.x, y: this.y, colour: this.colour };
  }
}

/** Steps 1 to 7 of the ramp for a value between two ends. */
export function rampStep(value: number, least: number, most: number): number {
  if (!(most > least)) return 4;
  const share = (value - least) / (most - least);
  return 1 + Math.max(0, Math.min(6, (share * 7) | 0));
}

/** Values looked at to find out where most of them lie. */
const SAMPLE = 2000;
/** How many times as wide the whole must be as the near, for the far to be left out. */
const WORTH = 1.6;

/**
 * The stretch outside of which a value is far off: as wide again as the middle half on either side of it, and never less
 * than the middle eight tenths. A few failures that are many times worse must not press all others into a line; where
 * leaving them out gains little, and among fewer than ten values, all are near.
 */
export function fence(count: number, value: (row: number) => number): [number, number] {
  const sample: number[] = [];
  const step = Math.max(1, Math.floor(count / SAMPLE));
  for (let row = 0; row < count; row += step) if (Number.isFinite(value(row))) sample.push(value(row));
  if (sample.length < 10) return [-Infinity, Infinity];
  sample.sort((a, b) => a - b);
  const at = (share: number): number => sample[Math.min(sample.length - 1, Math.floor(sample.length * share))];
  const middle = at(0.75) - at(0.25);
  const low = Math.min(at(0.1), at(0.25) - middle);
  const high = Math.max(at(0.9), at(0.75) + middle);
  if (at(1) - at(0) <= (high - low) * WORTH) return [-Infinity, Infinity];
  const room = high > low ? 0 : Math.abs(high) * 0.5 || 1;
  return [low - room, high + room];
}
