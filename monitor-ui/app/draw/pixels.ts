// Many points and edges drawn by the processor straight into a buffer of pixels: no path objects, no antialiasing, one
// copy to the screen. A hundred thousand points cost a few milliseconds where canvas paths cost two hundred.
import type { Linear } from './scale';

/** What is drawn: one row a point. A colour of 0 hides the row. */
export interface Points {
  count: number;
  x: Float32Array;
  y: Float32Array;
  colour: Uint8Array;
}

/** Pixels spent on edges in one frame; beyond it only every n-th edge is drawn, and the plot says so. */
export const EDGE_PIXELS = 600_000;

/** The part of a buffer that may be drawn on, in its own pixels; right and bottom are outside. */
export interface Clip {
  left: number;
  top: number;
  right: number;
  bottom: number;
}

export class PixelBuffer {
  width = 0;
  height = 0;
  /** Where points and edges may be; the whole buffer until it is set. */
  clip: Clip = { left: 0, top: 0, right: 0, bottom: 0 };
  image: ImageData | null = null;
  words: Uint32Array = new Uint32Array(0);

  resize(width: number, height: number): void {
    if (width === this.width && height === this.height) return;
    this.width = width;
    this.height = height;
    this.clip = { left: 0, top: 0, right: width, bottom: height };
    const bytes = new Uint8ClampedArray(Math.max(1, width * height) * 4);
    this.words = new Uint32Array(bytes.buffer);
    this.image = typeof ImageData === 'undefined' ? null : new ImageData(bytes, Math.max(1, width), Math.max(1, height));
  }

  clear(): void {
    this.words.fill(0);
  }

  /** Stamps a square of `size` pixels for every visible row. Returns how many were inside. */
  points(points: Points, sx: Linear, sy: Linear, palette: Uint32Array, size: number): number {
    const { words, width } = this;
    const { left, top } = this.clip;
    const { x, y, colour, count } = points;
    const { slope: ax, offset: bx } = sx;
    const { slope: ay, offset: by } = sy;
    const half = size >> 1;
    const right = this.clip.right - size;
    const bottom = this.clip.bottom - size;
    let inside = 0;
    for (let row = 0; row < count; row++) {
      const tone = colour[row];
      if (tone === 0) continue;
      const px = (x[row] * ax + bx - half) | 0;
      const py = (y[row] * ay + by - half) | 0;
      if (px < left || py < top || px > right || py > bottom) continue;
      inside++;
      const word = palette[tone];
      let at = py * width + px;
      if (size === 3) {
        words[at] = word;
        words[at + 1] = word;
        words[at + 2] = word;
        at += width;
        words[at] = word;
        words[at + 1] = word;
        words[at + 2] = word;
        at += width;
        words[at] = word;
        words[at + 1] = word;
        words[at + 2] = word;
        continue;
      }
      for (let line = 0; line < size; line++, at += width) words.fill(word, at, at + size);
    }
    return inside;
  }

  /**
   * Draws a line from every visible row to its parent, in one faint colour. Edges off the frame or longer than it are
   * left out. `every` draws only each n-th; returns the pixels that all of them would have cost.
   */
  edges(points: Points, parent: Int32Array, sx: Linear, sy: Linear, word: number, every: number): number {
    const { words, width, height } = this;
    const { left, top, right, bottom } = this.clip;
    const { x, y, colour, count } = points;
    const { slope: ax, offset: bx } = sx;
    const { slope: ay, offset: by } = sy;
    let cost = 0;
    for (let row = every - 1; row < count; row += every) {
      const from = parent[row];
      if (from < 0 || colour[row] === 0 || colour[from] === 0) continue;
      const x0 = x[from] * ax + bx;
      const x1 = x[row] * ax + bx;
      if ((x0 < left && x1 < left) || (x0 >= right && x1 >= right)) continue;
      const y0 = y[from] * ay + by;
      const y1 = y[row] * ay + by;
      if ((y0 < top && y1 < top) || (y0 >= bottom && y1 >= bottom)) continue;
      const dx = x1 - x0;
      const dy = y1 - y0;
      const steps = Math.max(Math.abs(dx), Math.abs(dy)) | 0;
      if (steps === 0 || steps > width + height) continue;
      cost += steps;
      const mx = dx / steps;
      const my = dy / steps;
      let px = x0;
      let py = y0;
      for (let step = 0; step < steps; step++) {
        if (px >= left && py >= top && px < right && py < bottom) words[(py | 0) * width + (px | 0)] = word;
        px += mx;
        py += my;
      }
    }
    return cost * every;
  }

  put(context: CanvasRenderingContext2D): void {
    if (this.image) context.putImageData(this.image, 0, 0);
  }
}

/** The row nearest to a pixel within `reach` pixels, or -1. A plain scan: a hundred thousand rows take a fraction of a millisecond. */
export function nearest(points: Points, sx: Linear, sy: Linear, px: number, py: number, reach: number): number {
  const { x, y, colour, count } = points;
  let found = -1;
  let least = reach * reach;
  for (let row = 0; row < count; row++) {
    if (colour[row] === 0) continue;
    const dx = x[row] * sx.slope + sx.offset - px;
    if (dx > reach || dx < -reach) continue;
    const dy = y[row] * sy.slope + sy.offset - py;
    const distance = dx * dx + dy * dy;
    if (distance <= least) {
      least = distance;
      found = row;
    }
  }
  return found;
}
