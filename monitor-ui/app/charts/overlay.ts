// The vector layer of a plot: axes and grid, lanes, lines, points while they are few, marks and labels. Drawn anew at every
// look; everything in it is counted in tens, except the points, which are few when they are drawn here.
import { ticks, timeTicks, toPixel } from '../draw/scale';
import { axisText } from '../parts/figures';
import type { Look } from './plot-view';
import type { Line, Marker } from './scene';

type Context = CanvasRenderingContext2D;

const FONT = '11px -apple-system, BlinkMacSystemFont, "Segoe UI", Roboto, "Helvetica Neue", Arial, system-ui, sans-serif';
const STRONG = `600 ${FONT}`;
/** Most labels that name the steps of the path. */
const MOST_LABELS = 14;

export function drawOverlay(context: Context, look: Look): void {
  context.font = FONT;
  context.textBaseline = 'middle';
  drawLanes(context, look);
  drawAxes(context, look);
  clipped(context, look, () => {
    drawShade(context, look);
    drawLevel(context, look);
    if (look.vectors) drawPoints(context, look);
    for (const line of look.scene.lines) drawLine(context, look, line);
    for (const marker of look.scene.markers) drawMarker(context, look, marker);
  });
  drawFocus(context, look);
  drawLabels(context, look);
}

/** Clips to the frame with a little room, so that marks on its edge stay whole. */
function clipped(context: Context, { frame }: Look, draw: () => void): void {
  context.save();
  context.beginPath();
  context.rect(frame.left - 6, frame.top - 10, frame.width + 18, frame.height + 14);
  context.clip();
  draw();
  context.restore();
}

const crisp = (pixel: number): number => Math.round(pixel) + 0.5;

function drawAxes(context: Context, { scene, frame, sx, sy, tones, width, height, compact, lane }: Look): void {
  const bottom = frame.top + frame.height;
  context.lineWidth = 1;
  if (scene.y.kind !== 'none') {
    const low = (bottom - sy.offset) / sy.slope;
    const high = (frame.top - sy.offset) / sy.slope;
    const values = ticks(Math.min(low, high), Math.max(low, high), Math.max(2, frame.height / (compact ? 36 : 56)));
    context.textAlign = 'right';
    for (const value of values) {
      const y = crisp(toPixel(sy, value));
      context.strokeStyle = tones.hair;
      rule(context, frame.left, y, frame.left + frame.width, y);
      context.fillStyle = tones.ink3;
      context.fillText(axisText(value, scene.y.kind, values), frame.left - 8, y);
    }
  }
  const base = lane ? height - 22 : bottom;
  context.strokeStyle = tones.hair2;
  rule(context, frame.left, crisp(base), frame.left + frame.width, crisp(base));
  if (scene.x.kind === 'none') return;
  const from = (frame.left - sx.offset) / sx.slope;
  const to = (frame.left + frame.width - sx.offset) / sx.slope;
  const wanted = Math.max(2, frame.width / (compact ? 70 : 96));
  const values = scene.x.kind === 'time' ? timeTicks(from, to, wanted) : ticks(from, to, wanted);
  context.textAlign = 'center';
  context.fillStyle = tones.ink3;
  for (const value of values) {
    if (scene.x.kind === 'count' && !Number.isInteger(value)) continue;
    const text = axisText(value, scene.x.kind, values);
    const half = context.measureText(text).width / 2;
    const x = Math.min(Math.max(toPixel(sx, value), half), width - half - 2);
    context.fillText(text, x, base + 12);
  }
}

function rule(context: Context, x0: number, y0: number, x1: number, y1: number): void {
  context.beginPath();
  context.moveTo(x0, y0);
  context.lineTo(x1, y1);
  context.stroke();
}

function drawLanes(context: Context, { scene, frame, sx, tones, lane, hovered, picked }: Look): void {
  if (!lane) return;
  context.fillStyle = tones.ink3;
  context.textAlign = 'right';
  scene.lanes.forEach((name, index) => context.fillText(shorten(context, name, frame.left - 14), frame.left - 8, toPixel(lane, index)));
  const { failed } = scene;
  if (!failed) return;
  const cross = (row: number, arm: number): void => {
    const x = toPixel(sx, failed.x[row]);
    if (x < frame.left || x > frame.left + frame.width) return;
    const y = toPixel(lane, failed.y[row]);
    context.moveTo(x - arm, y - arm);
    context.lineTo(x + arm, y + arm);
    context.moveTo(x + arm, y - arm);
    context.lineTo(x - arm, y + arm);
  };
  if (failed.count <= 1500) {
    context.beginPath();
    context.strokeStyle = tones.ink3;
    context.globalAlpha = 0.75;
    for (let row = 0; row < failed.count; row++) if (failed.colour[row]) cross(row, 2.5);
    context.stroke();
    context.globalAlpha = 1;
  }
  for (const row of [picked, hovered]) {
    if (row < 0 || row >= failed.count || !failed.colour[row]) continue;
    context.beginPath();
    context.strokeStyle = tones.fail;
    context.lineWidth = 2;
    cross(row, 4);
    context.stroke();
    context.lineWidth = 1;
  }
}

function shorten(context: Context, text: string, room: number): string {
  if (context.measureText(text).width <= room) return text;
  let end = text.length;
  while (end > 1 && context.measureText(`${text.slice(0, end)}…`).width > room) end--;
  return `${text.slice(0, end)}…`;
}

function drawPoints(context: Context, { scene, sx, sy, tones, frame, compact }: Look): void {
  const { x, y, colour, count } = scene.points;
  const radius = compact ? 2 : 2.6;
  for (let step = 1; step <= tones.ramp.length; step++) {
    context.beginPath();
    context.fillStyle = tones.ramp[step - 1];
    for (let row = 0; row < count; row++) {
      if (colour[row] !== step) continue;
      const px = toPixel(sx, x[row]);
      const py = toPixel(sy, y[row]);
      if (px < frame.left - 4 || px > frame.left + frame.width + 4) continue;
      context.moveTo(px + radius, py);
      context.arc(px, py, radius, 0, 6.2832);
    }
    context.fill();
  }
}

function drawLevel(context: Context, { scene, frame, sy, tones, compact }: Look): void {
  if (!scene.level) return;
  const y = crisp(toPixel(sy, scene.level.y));
  context.strokeStyle = tones.ink3;
  context.setLineDash([2, 3]);
  rule(context, frame.left, y, frame.left + frame.width, y);
  context.setLineDash([]);
  if (compact) return;
  halo(context, tones.paper, scene.level.name, frame.left + frame.width - 2, y - 9, 'right', tones.ink3, FONT);
}

function halo(context: Context, paper: string, text: string, x: number, y: number, align: CanvasTextAlign, ink: string, font: string): void {
  context.font = font;
  context.textAlign = align;
  context.lineJoin = 'round';
  context.lineWidth = 4;
  context.strokeStyle = paper;
  context.strokeText(text, x, y);
  context.fillStyle = ink;
  context.fillText(text, x, y);
  context.font = FONT;
  context.lineWidth = 1;
}

function trace(context: Context, { sx, sy }: Look, line: Line): void {
  context.beginPath();
  let before = 0;
  line.points.forEach(([x, y], index) => {
    const px = toPixel(sx, x);
    const py = toPixel(sy, y);
    if (index === 0) context.moveTo(px, py);
    else {
      if (line.stepped) context.lineTo(px, before);
      context.lineTo(px, py);
    }
    before = py;
  });
}

function drawLine(context: Context, look: Look, line: Line): void {
  const { tones } = look;
  context.lineJoin = 'round';
  if (line.kind === 'path') {
    trace(context, look, line);
    context.strokeStyle = tones.paper;
    context.lineWidth = 5;
    context.stroke();
  }
  trace(context, look, line);
  context.strokeStyle = line.kind === 'best' ? tones.ink : tones.accent;
  context.lineWidth = line.kind === 'path' ? 2 : 1.5;
  context.stroke();
  context.lineWidth = 1;
}

/** The part of the plane that the front dominates: along its steps, then out to the worse corner. */
function drawShade(context: Context, look: Look): void {
  const { scene, frame, sx, sy, tones } = look;
  const line = scene.lines.find((one) => one.kind === 'front');
  if (!scene.shade || !line || line.points.length === 0) return;
  const edgeX = scene.shade.right ? frame.left + frame.width : frame.left;
  const edgeY = scene.shade.up ? frame.top : frame.top + frame.height;
  const points = line.points.map(([x, y]) => [toPixel(sx, x), toPixel(sy, y)]);
  context.beginPath();
  context.moveTo(points[0][0], edgeY);
  points.forEach(([x, y], index) => {
    if (index > 0) context.lineTo(x, points[index - 1][1]);
    context.lineTo(x, y);
  });
  context.lineTo(edgeX, points[points.length - 1][1]);
  context.lineTo(edgeX, edgeY);
  context.closePath();
  context.globalAlpha = 0.5;
  context.fillStyle = tones.accentSoft;
  context.fill();
  context.globalAlpha = 1;
}

function drawMarker(context: Context, { scene, sx, sy, tones, compact }: Look, { row, kind }: Marker): void {
  const { x, y } = scene.points;
  const px = toPixel(sx, x[row]);
  const py = toPixel(sy, y[row]);
  if (!Number.isFinite(px) || !Number.isFinite(py)) return;
  context.beginPath();
  if (kind === 'champion') {
    const arm = compact ? 5 : 6.5;
    context.moveTo(px, py - arm);
    context.lineTo(px + arm, py);
    context.lineTo(px, py + arm);
    context.lineTo(px - arm, py);
    context.closePath();
    context.fillStyle = tones.accent;
    context.strokeStyle = tones.paper;
    context.lineWidth = 1.5;
    context.fill();
  } else if (kind === 'baseline') {
    context.moveTo(px - 5, py);
    context.lineTo(px + 5, py);
    context.moveTo(px, py - 5);
    context.lineTo(px, py + 5);
    context.strokeStyle = tones.ink;
    context.lineWidth = 1.75;
  } else {
    context.arc(px, py, kind === 'front' ? 5 : compact ? 2.6 : 3.4, 0, 6.2832);
    context.strokeStyle = kind === 'front' ? tones.ink : tones.accent;
    context.lineWidth = kind === 'front' ? 1.25 : 1.75;
    if (kind === 'step') {
      context.fillStyle = tones.paper;
      context.fill();
    }
  }
  context.stroke();
  context.lineWidth = 1;
}

/** Rings around what is picked and pointed at, and the line to its parent. */
function drawFocus(context: Context, look: Look): void {
  const { scene, sx, sy, tones, frame } = look;
  const { points, parent } = scene;
  for (const row of [look.picked, look.hovered]) {
    if (row < 0 || row >= points.count || points.colour[row] === 0) continue;
    const px = toPixel(sx, points.x[row]);
    const py = toPixel(sy, points.y[row]);
    if (px < frame.left - 8 || px > frame.left + frame.width + 12 || py < 0 || py > frame.top + frame.height + 8) continue;
    context.strokeStyle = row === look.picked ? tones.accent : tones.ink;
    const from = parent?.[row] ?? -1;
    if (row === look.hovered && from >= 0 && points.colour[from] > 0) {
      rule(context, px, py, toPixel(sx, points.x[from]), toPixel(sy, points.y[from]));
    }
    context.lineWidth = 1.5;
    context.beginPath();
    context.arc(px, py, 8, 0, 6.2832);
    context.stroke();
    context.lineWidth = 1;
  }
}

/** Names of the path's steps where there is room: the champion first, then backwards. */
function drawLabels(context: Context, { scene, sx, sy, tones, frame, compact }: Look): void {
  if (compact) return;
  const taken: { x0: number; x1: number; y0: number; y1: number }[] = [];
  const named = scene.markers.filter((marker) => marker.label).reverse();
  for (const { row, kind, label } of named) {
    if (taken.length >= MOST_LABELS) return;
    const px = toPixel(sx, scene.points.x[row]);
    const py = toPixel(sy, scene.points.y[row]);
    if (!(px > frame.left - 2 && px < frame.left + frame.width + 8 && py > frame.top - 4 && py < frame.top + frame.height)) continue;
    context.font = kind === 'champion' ? STRONG : FONT;
    const text = shorten(context, label ?? '', 230);
    const wide = context.measureText(text).width;
    const places: [number, number][] = [[px - wide - 10, py - 10], [px + 10, py + 13], [px - wide - 10, py + 13], [px + 10, py - 12]];
    const spot = places.find(([x, y]) => {
      const box = { x0: x - 4, x1: x + wide + 4, y0: y - 8, y1: y + 8 };
      const inside = box.x0 >= frame.left + 2 && box.x1 <= frame.left + frame.width + 16 && box.y0 >= 0 && box.y1 <= frame.top + frame.height;
      return inside && !taken.some((other) => box.x0 < other.x1 && box.x1 > other.x0 && box.y0 < other.y1 && box.y1 > other.y0);
    });
    if (!spot) continue;
    const [x, y] = spot;
    taken.push({ x0: x - 4, x1: x + wide + 4, y0: y - 8, y1: y + 8 });
    halo(context, tones.paper, text, x, y, 'left', kind === 'champion' ? tones.ink : tones.ink2, kind === 'champion' ? STRONG : FONT);
  }
  context.font = FONT;
}
