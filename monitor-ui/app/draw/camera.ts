// The part of the plane that a plot shows. It follows the data until somebody pans or zooms, and can go back. Pure.
import type { Linear } from './scale';
import { linear, toValue } from './scale';

export interface Extent {
  x0: number;
  x1: number;
  y0: number;
  y1: number;
}

/** The rectangle of pixels inside a plot's axes. */
export interface Frame {
  left: number;
  top: number;
  width: number;
  height: number;
}

/** How far a plot may be zoomed in: the smallest share of the data's extent that is shown. */
const CLOSEST = 1e-4;
/** And out: how many times the data's extent. Upright there may be values that lie far off. */
const FARTHEST_X = 2;
const FARTHEST_Y = 50;

export class Camera {
  /** What is shown now. */
  shown: Extent = { x0: 0, x1: 1, y0: 0, y1: 1 };
  /** What the data fill. */
  data: Extent = { x0: 0, x1: 1, y0: 0, y1: 1 };
  following = true;

  /** Tells the camera how far the data reach; it follows unless somebody moved it. */
  fit(data: Extent): void {
    this.data = data;
    if (this.following) this.shown = { ...data };
  }

  reset(): void {
    this.following = true;
    this.shown = { ...this.data };
  }

  scales(frame: Frame): { x: Linear; y: Linear } {
    const { x0, x1, y0, y1 } = this.shown;
    return {
      x: linear(x0, x1, frame.left, frame.left + frame.width),
      y: linear(y0, y1, frame.top + frame.height, frame.top),
    };
  }

  pan(frame: Frame, dx: number, dy: number): void {
    const { x, y } = this.scales(frame);
    const moveX = dx / x.slope;
    const moveY = dy / y.slope;
    this.following = false;
    this.shown.x0 -= moveX;
    this.shown.x1 -= moveX;
    this.shown.y0 -= moveY;
    this.shown.y1 -= moveY;
    this.keepInSight();
  }

  /** Zooms around a pixel; a factor below 1 comes closer. */
  zoom(frame: Frame, px: number, py: number, factorX: number, factorY = factorX): void {
    const { x, y } = this.scales(frame);
    const cx = toValue(x, px);
    const cy = toValue(y, py);
    const wideX = Math.abs(this.data.x1 - this.data.x0) || 1;
    const wideY = Math.abs(this.data.y1 - this.data.y0) || 1;
    const limit = (factor: number, span: number, whole: number, farthest: number): number =>
      Math.min(Math.max(factor, (whole * CLOSEST) / span), Math.max(1, (whole * farthest) / span));
    const fx = limit(factorX, this.shown.x1 - this.shown.x0, wideX, FARTHEST_X);
    const fy = limit(factorY, this.shown.y1 - this.shown.y0, wideY, FARTHEST_Y);
    this.following = false;
    this.shown = {
      x0: cx - (cx - this.shown.x0) * fx,
      x1: cx + (this.shown.x1 - cx) * fx,
      y0: cy - (cy - this.shown.y0) * fy,
      y1: cy + (this.shown.y1 - cy) * fy,
    };
    this.keepInSight();
  }

  /** At least a tenth of what is shown must overlap the data, so that nobody gets lost. */
  private keepInSight(): void {
    const clamp = (low: number, high: number, least: number, most: number): number => {
      const span = high - low;
      const room = Math.min(span, most - least) * 0.1;
      if (high < least + room) return least + room - high;
      if (low > most - room) return most - room - low;
      return 0;
    };
    const dx = clamp(this.shown.x0, this.shown.x1, this.data.x0, this.data.x1);
    const dy = clamp(this.shown.y0, this.shown.y1, this.data.y0, this.data.y1);
    this.shown.x0 += dx;
    this.shown.x1 += dx;
    this.shown.y0 += dy;
    this.shown.y1 += dy;
  }
}
