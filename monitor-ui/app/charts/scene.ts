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
/** How many widths of the middle 96 of 100 a value may lie outside of it before it is far off. */
const FAR = 0.75;

/** The stretch outside of which a value is far off. Fewer than ten values are all near. */
export function fence(count: number, value: (row: number) => number): [number, number] {
  const sample: number[] = [];
  const step = Math.max(1, Math.floor(count / SAMPLE));
  for (let row = 0; row < count; row += step) if (Number.isFinite(value(row))) sample.push(value(row));
  if (sample.length < 10) return [-Infinity, Infinity];
  sample.sort((a, b) => a - b);
  const low = sample[Math.floor(sample.length * 0.02)];
  const high = sample[Math.min(sample.length - 1, Math.ceil(sample.length * 0.98))];
  const room = (high - low) * FAR || Math.abs(high) * 0.5 || 1;
  return [low - room, high + room];
}
