// Puts a scene on two canvases: a pixel buffer for the many points and edges, and vectors on top for axes, lines, marks and
// labels. It owns the camera and the pointer; it knows nothing of runs.
import type { Frame } from '../draw/camera';
import { Camera } from '../draw/camera';
import { EDGE_PIXELS, PixelBuffer, nearest } from '../draw/pixels';
import type { Linear } from '../draw/scale';
import { linear } from '../draw/scale';
import { tones, toWord } from '../draw/tokens';
import type { Tones } from '../draw/tokens';
import { drawOverlay } from './overlay';
import type { Scene } from './scene';

/** Below this many visible points they are drawn as smooth vectors. */
export const VECTOR_POINTS = 1500;
/** How near the pointer must be to a point, CSS pixels. */
const REACH = 10;
const LANE_HEIGHT = 13;

export interface Look {
  scene: Scene;
  picked: number;
  hovered: number;
  frame: Frame;
  sx: Linear;
  sy: Linear;
  lane: Linear | null;
  tones: Tones;
  /** Whether the points are to be drawn as vectors. */
  vectors: boolean;
  width: number;
  height: number;
  compact: boolean;
}

export interface PlotEvents {
  pick(row: number): void;
  hover(row: number, x: number, y: number): void;
  moved(): void;
}

export class PlotView {
  readonly camera = new Camera();
  /** One of how many edges was drawn last. */
  edgesEvery = 1;
  inside = 0;
  private readonly buffer = new PixelBuffer();
  private scene: Scene | null = null;
  private picked = -1;
  private hovered = -1;
  private frame: Frame = { left: 0, top: 0, width: 1, height: 1 };
  private laneScale: Linear | null = null;
  private width = 0;
  private height = 0;
  private drag: { x: number; y: number; far: boolean } | null = null;
  private queued = false;
  private readonly pointers = new Map<number, { x: number; y: number }>();
  private pinch = 0;

  constructor(
    private readonly under: HTMLCanvasElement,
    private readonly over: HTMLCanvasElement,
    private readonly on: PlotEvents,
    private readonly compact: boolean,
  ) {
    over.addEventListener('wheel', (event) => this.wheel(event), { passive: false });
    over.addEventListener('pointerdown', (event) => this.down(event));
    over.addEventListener('pointermove', (event) => this.move(event));
    over.addEventListener('pointerup', (event) => this.up(event));
    over.addEventListener('pointercancel', (event) => this.pointers.delete(event.pointerId));
    over.addEventListener('pointerleave', () => this.hover(-1, 0, 0));
    over.addEventListener('dblclick', () => this.fit());
  }

  fit(): void {
    this.camera.reset();
    this.changed();
  }

  zoomBy(factor: number): void {
    const { left, top, width, height } = this.frame;
    this.camera.zoom(this.frame, left + width / 2, top + height / 2, factor);
    this.changed();
  }

  panBy(x: number, y: number): void {
    this.camera.pan(this.frame, x, y);
    this.changed();
  }

  show(scene: Scene, picked: number): void {
    this.scene = scene;
    this.picked = picked;
    this.draw();
  }

  /** Draws at the next frame, however often it is asked. */
  queue(): void {
    if (this.queued) return;
    this.queued = true;
    requestAnimationFrame(() => {
      this.queued = false;
      this.draw();
    });
  }

  private changed(): void {
    this.on.moved();
    this.queue();
  }

  private measure(): number {
    const ratio = Math.min(2, window.devicePixelRatio || 1);
    const box = this.over.parentElement;
    this.width = box?.clientWidth ?? 0;
    this.height = box?.clientHeight ?? 0;
    for (const canvas of [this.under, this.over]) {
      const wide = Math.round(this.width * ratio);
      const high = Math.round(this.height * ratio);
      if (canvas.width !== wide || canvas.height !== high) {
        canvas.width = wide;
        canvas.height = high;
      }
    }
    return ratio;
  }

  private layout(scene: Scene): void {
    const left = scene.y.kind === 'none' ? (scene.lanes.length > 0 ? 72 : 16) : this.compact ? 44 : 72;
    const lanes = scene.lanes.length * LANE_HEIGHT + (scene.lanes.length > 0 ? 8 : 0);
    const bottom = this.compact ? 20 : 24;
    const top = this.compact ? 8 : 16;
    const height = Math.max(10, this.height - top - bottom - lanes);
    this.frame = { left, top, width: Math.max(10, this.width - left - (this.compact ? 12 : 20)), height };
    const first = top + height + 8 + LANE_HEIGHT / 2;
    this.laneScale = scene.lanes.length > 0 ? linear(0, 1, first, first + LANE_HEIGHT) : null;
  }

  private draw(): void {
    const { scene } = this;
    if (!scene) return;
    const ratio = this.measure();
    if (this.width === 0 || this.height === 0) return;
    this.layout(scene);
    this.camera.fit(scene.extent);
    const { x: sx, y: sy } = this.camera.scales(this.frame);
    const palette = tones();
    this.drawPixels(scene, sx, sy, palette, ratio);
    const context = this.over.getContext('2d');
    if (!context) return;
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, this.width, this.height);
    drawOverlay(context, {
      scene,
      picked: this.picked,
      hovered: this.hovered,
      frame: this.frame,
      sx,
      sy,
      lane: this.laneScale,
      tones: palette,
      vectors: this.inside <= VECTOR_POINTS,
      width: this.width,
      height: this.height,
      compact: this.compact,
    });
  }

  private drawPixels(scene: Scene, sx: Linear, sy: Linear, palette: Tones, ratio: number): void {
    const { buffer, frame } = this;
    const context = this.under.getContext('2d');
    if (!context) return;
    buffer.resize(this.under.width, this.under.height);
    buffer.clear();
    const whole = { left: 0, top: 0, right: buffer.width, bottom: buffer.height };
    const room = 5;
    const inner = {
      left: Math.round((frame.left - room) * ratio),
      top: Math.max(0, Math.round((frame.top - room) * ratio)),
      right: Math.min(buffer.width, Math.round((frame.left + frame.width + room) * ratio)),
      bottom: Math.min(buffer.height, Math.round((frame.top + frame.height + room) * ratio)),
    };
    buffer.clip = inner;
    const deviceX = scaled(sx, ratio);
    const deviceY = scaled(sy, ratio);
    const words = Uint32Array.from([0, ...palette.ramp.map((tone) => toWord(tone))]);
    if (scene.parent) this.drawEdges(scene, deviceX, deviceY, toWord(palette.edge, 0.26));
    const size = ratio > 1.5 ? 5 : 3;
    this.inside = buffer.points(scene.points, deviceX, deviceY, words, size);
    if (this.inside <= VECTOR_POINTS) {
      // The vectors on top draw the points; the buffer keeps the edges alone.
      buffer.clear();
      if (scene.parent) this.drawEdges(scene, deviceX, deviceY, toWord(palette.edge, 0.3));
    }
    const lanes = this.laneScale;
    const many = scene.failed !== null && scene.failed.count > VECTOR_POINTS;
    if (scene.failed && lanes && many) {
      buffer.clip = { ...whole, left: inner.left, right: inner.right };
      buffer.points(scene.failed, deviceX, scaled(lanes, ratio), Uint32Array.from([0, toWord(palette.ink3, 0.7)]), 2);
    }
    buffer.put(context);
    if (!lanes) return;
    // The lanes' ground goes behind what was put there.
    context.globalCompositeOperation = 'destination-over';
    context.fillStyle = palette.sunken;
    const top = (lanes.offset - lanes.slope / 2 - 1) * ratio;
    context.fillRect(frame.left * ratio, top, frame.width * ratio, (scene.lanes.length * lanes.slope + 2) * ratio);
    context.globalCompositeOperation = 'source-over';
  }

  /** Edges within their budget of pixels: when there are too many, every n-th. */
  private drawEdges(scene: Scene, sx: Linear, sy: Linear, word: number): void {
    if (!scene.parent) return;
    const cost = this.buffer.edges(scene.points, scene.parent, sx, sy, word, this.edgesEvery);
    const wanted = Math.max(1, Math.ceil(cost / EDGE_PIXELS));
    // A little slack keeps the choice from flickering between two frames.
    if (wanted > this.edgesEvery || wanted < this.edgesEvery * 0.6) this.edgesEvery = wanted;
  }

  private at(event: PointerEvent | WheelEvent): { x: number; y: number } {
    const box = this.over.getBoundingClientRect();
    return { x: event.clientX - box.left, y: event.clientY - box.top };
  }

  private wheel(event: WheelEvent): void {
    event.preventDefault();
    const { x, y } = this.at(event);
    const factor = Math.exp(Math.max(-240, Math.min(240, event.deltaY)) * 0.0022);
    this.camera.zoom(this.frame, x, y, event.shiftKey ? 1 : factor, event.altKey ? 1 : factor);
    this.changed();
  }

  private down(event: PointerEvent): void {
    const at = this.at(event);
    this.pointers.set(event.pointerId, at);
    this.drag = { ...at, far: false };
    this.pinch = this.spread();
    this.over.setPointerCapture(event.pointerId);
  }

  private spread(): number {
    const [a, b] = [...this.pointers.values()];
    return a && b ? Math.hypot(a.x - b.x, a.y - b.y) : 0;
  }

  private move(event: PointerEvent): void {
    const at = this.at(event);
    if (!this.pointers.has(event.pointerId) || !this.drag) return this.look(at.x, at.y);
    this.pointers.set(event.pointerId, at);
    const spread = this.spread();
    if (spread > 0 && this.pinch > 0) {
      this.camera.zoom(this.frame, at.x, at.y, this.pinch / spread);
      this.pinch = spread;
      this.drag.far = true;
      return this.changed();
    }
    const dx = at.x - this.drag.x;
    const dy = at.y - this.drag.y;
    if (!this.drag.far && Math.hypot(dx, dy) < 4) return;
    this.drag = { ...at, far: true };
    this.camera.pan(this.frame, dx, dy);
    this.changed();
  }

  private up(event: PointerEvent): void {
    const at = this.at(event);
    this.pointers.delete(event.pointerId);
    if (this.drag && !this.drag.far) {
      const row = this.find(at.x, at.y);
      if (row >= 0) this.on.pick(row);
    }
    this.drag = null;
  }

  private find(x: number, y: number): number {
    const { scene } = this;
    if (!scene) return -1;
    const { x: sx, y: sy } = this.camera.scales(this.frame);
    if (this.laneScale && scene.failed && y > this.frame.top + this.frame.height + 4) {
      return nearest(scene.failed, sx, this.laneScale, x, y, REACH);
    }
    return nearest(scene.points, sx, sy, x, y, REACH);
  }

  private look(x: number, y: number): void {
    this.hover(this.find(x, y), x, y);
  }

  private hover(row: number, x: number, y: number): void {
    if (row === this.hovered) return;
    this.hovered = row;
    this.over.classList.toggle('at-point', row >= 0);
    this.on.hover(row, x, y);
    this.queue();
  }
}

const scaled = (scale: Linear, ratio: number): Linear => ({ slope: scale.slope * ratio, offset: scale.offset * ratio });
