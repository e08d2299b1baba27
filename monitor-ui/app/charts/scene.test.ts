// Where most values lie, so that a few far-off ones do not press all others into a line.
import { describe, expect, it } from 'vitest';
import { fence } from './scene';

const fenceOf = (values: number[]): [number, number] => fence(values.length, (row) => values[row]);
const inside = (values: number[]): number[] => {
  const [low, high] = fenceOf(values);
  return values.filter((value) => value >= low && value <= high);
};
const near = Array.from({ length: 60 }, (_, index) => index / 100);

describe('the fence', () => {
  it('leaves out what is far off on either side, and nothing else', () => {
    expect(inside([...near, -2.5, -1.2, -1.2, -1.2])).toEqual(near);
    expect(inside([...near, 40])).toEqual(near);
  });

  it('keeps all where leaving out gains little, where all are equal, and among few', () => {
    const little = [...near, -0.3];
    expect(inside(little)).toEqual(little);
    expect(inside(Array.from({ length: 50 }, () => 3))).toHaveLength(50);
    expect(inside([0, 0, 0, 0, 0, 0, 0, 0, 900])).toHaveLength(9);
  });

  it('is not blinded by values that are mostly the same', () => {
    const mostly = [...Array.from({ length: 90 }, () => 5), 4, 6, 500];
    expect(inside(mostly)).not.toContain(500);
    expect(inside(mostly)).toContain(5);
    expect(inside([NaN, ...near])).toEqual(near);
  });
});
