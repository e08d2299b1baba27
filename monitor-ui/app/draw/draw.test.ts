// The renderer's arithmetic: scales, ticks, camera, stamps, edges and hit test on buffers that have no screen.
import { describe, expect, it } from 'vitest';
import { Camera } from './camera';
import { PixelBuffer, nearest } from './pixels';
import type { Points } from './pixels';
import { linear, padded, ticks, timeTicks, toPixel, toValue } from './scale';
import { toWord } from './tokens';

const frame = { left: 10, top: 5, width: 100, height: 50 };

function points(...rows: [number, number, number][]): Points {
  return {
    count: rows.length,
    x: Float32Array.from(rows.map((row) => row[0])),
    y: Float32Array.from(rows.map((row) => row[1])),
    colour: Uint8Array.from(rows.map((row) => row[2])),
  };
}

describe('scales', () => {
  it('go there and back', () => {
    const scale = linear(-3, 7, 20, 220);
    expect(toPixel(scale, -3)).toBe(20);
    expect(toPixel(scale, 7)).toBe(220);
    expect(toValue(scale, toPixel(scale, 1.25))).toBeCloseTo(1.25, 12);
  });

  it('tick at round numbers without floating dust', () => {
    expect(ticks(0, 1, 5)).toEqual([0, 0.2, 0.4, 0.6, 0.8, 1]);
    expect(ticks(-0.31, 0.68, 5)).toEqual([-0.2, 0, 0.2, 0.4, 0.6]);
    expect(timeTicks(0, 500, 5)).toEqual([0, 120, 240, 360, 480]);
    expect(ticks(3, 3, 5)).toEqual([]);
    expect(ticks(0, Infinity, 5).length).toBeLessThanOrEqual(100);
  });

  it('pad a single value to something that can be drawn', () => {
    const [from, to] = padded(5, 5);
    expect(from).toBeLessThan(5);
    expect(to).toBeGreaterThan(5);
    expect(padded(NaN, 1)).toEqual([0, 1]);
  });
});

describe('the camera', () => {
  it('follows the data until it is moved, and goes back', () => {
    const camera = new Camera();
    camera.fit({ x0: 0, x1: 10, y0: 0, y1: 1 });
    camera.zoom(frame, 60, 30, 0.5);
    const seen = { ...camera.shown };
    camera.fit({ x0: 0, x1: 20, y0: 0, y1: 1 });
    expect(camera.shown).toEqual(seen);
    camera.reset();
    expect(camera.shown.x1).toBe(20);
  });

  it('keeps the value under the pointer while zooming', () => {
    const camera = new Camera();
    camera.fit({ x0: 0, x1: 10, y0: 0, y1: 1 });
    const before = toValue(camera.scales(frame).x, 35);
    camera.zoom(frame, 35, 20, 0.3);
    expect(toValue(camera.scales(frame).x, 35)).toBeCloseTo(before, 9);
  });

  it('never loses the data', () => {
    const camera = new Camera();
    camera.fit({ x0: 0, x1: 10, y0: 0, y1: 1 });
    camera.pan(frame, 1e6, -1e6);
    expect(camera.shown.x1).toBeGreaterThan(0);
    expect(camera.shown.y0).toBeLessThan(1);
    for (let turn = 0; turn < 200; turn++) camera.zoom(frame, 50, 25, 0.5);
    expect(camera.shown.x1).toBeGreaterThan(camera.shown.x0);
  });
});

describe('the pixel buffer', () => {
  const unit = linear(0, 10, 0, 10);
  const palette = Uint32Array.from([0, 11, 22]);

  it('stamps squares inside and nothing outside', () => {
    const buffer = new PixelBuffer();
    buffer.resize(10, 10);
    const inside = buffer.points(points([5, 5, 1], [-3, 5, 1], [5, 40, 2], [2, 2, 0]), unit, unit, palette, 3);
    expect(inside).toBe(1);
    expect(buffer.words.filter((word) => word === 11).length).toBe(9);
    expect(buffer.words.filter((word) => word === 22).length).toBe(0);
    expect(buffer.words[5 * 10 + 5]).toBe(11);
  });

  it('draws an edge to the parent only where both are shown', () => {
    const buffer = new PixelBuffer();
    buffer.resize(10, 10);
    const rows = points([1, 1, 1], [8, 1, 1], [8, 8, 0]);
    const cost = buffer.edges(rows, Int32Array.from([-1, 0, 0]), unit, unit, 7, 1);
    expect(cost).toBe(7);
    expect([...buffer.words.slice(10, 20)]).toEqual([0, 7, 7, 7, 7, 7, 7, 7, 0, 0]);
  });

  it('finds the nearest row within reach', () => {
    const rows = points([1, 1, 1], [4, 1, 1], [4.5, 1, 0]);
    expect(nearest(rows, unit, unit, 4.4, 1, 2)).toBe(1);
    expect(nearest(rows, unit, unit, 9, 9, 2)).toBe(-1);
  });

  it('packs colours in the order of the screen', () => {
    expect(toWord('rgb(1, 2, 3)')).toBe(0xff030201);
    expect(toWord('rgb(255, 255, 255)', 0)).toBe(0x00ffffff);
  });
});
