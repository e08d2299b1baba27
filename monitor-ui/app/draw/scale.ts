// Numbers to pixels and back, round ticks, and how a number is written on an axis. Pure.

/** Where a stretch of numbers lies on a stretch of pixels: pixel = value * slope + offset. */
export interface Linear {
  slope: number;
  offset: number;
}

export function linear(from: number, to: number, pixelFrom: number, pixelTo: number): Linear {
  const span = to - from || 1;
  const slope = (pixelTo - pixelFrom) / span;
  return { slope, offset: pixelFrom - from * slope };
}

export const toPixel = (scale: Linear, value: number): number => value * scale.slope + scale.offset;
export const toValue = (scale: Linear, pixel: number): number => (pixel - scale.offset) / scale.slope;

/** Round numbers (1, 2 or 5 times a power of ten) between two ends, about `wanted` of them. */
export function ticks(from: number, to: number, wanted: number): number[] {
  const span = to - from;
  if (!(span > 0) || wanted < 1) return [];
  const rough = span / wanted;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((size) => size >= rough * 0.99) ?? 10 * power;
  return stepped(from, to, step);
}

/** Round times in seconds: 1, 2, 5, 10, 15, 30 of a second, minute or hour. */
export function timeTicks(from: number, to: number, wanted: number): number[] {
  const span = to - from;
  if (!(span > 0) || wanted < 1) return [];
  const steps = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 21600, 43200, 86400];
  const rough = span / wanted;
  if (rough < 1) return ticks(from, to, wanted);
  return stepped(from, to, steps.find((size) => size >= rough * 0.99) ?? Math.ceil(rough / 86400) * 86400);
}

function stepped(from: number, to: number, step: number): number[] {
  const found: number[] = [];
  const first = Math.ceil(from / step - 1e-9);
  for (let index = first; index * step <= to + step * 1e-9 && found.length < 100; index++) {
    // Multiplying keeps 0.30000000000000004 out of the labels; adding would collect the error.
    found.push(Number((index * step).toPrecision(12)));
  }
  return found;
}

/** A stretch a little wider than the data, so that nothing sits on the frame; never empty. */
export function padded(least: number, most: number, share = 0.05): [number, number] {
  if (!Number.isFinite(least) || !Number.isFinite(most)) return [0, 1];
  if (least === most) {
    const half = Math.abs(least) * 0.1 || 0.5;
    return [least - half, most + half];
  }
  const pad = (most - least) * share;
  return [least - pad, most + pad];
}
