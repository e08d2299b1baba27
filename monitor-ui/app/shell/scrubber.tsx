// The whole run as a strip: how much was evaluated when, where champions and alerts fell, and a thumb to look at any earlier
// moment. From there it can be played, and one button goes back to now.
import { useEffect, useRef } from 'preact/hooks';
import { clock } from '../parts/figures';
import { Icon } from '../parts/icons';
import { tones } from '../draw/tokens';
import { drawn, go, goLive, isReplay, liveModel, model, play, playing, stopPlaying, told, view } from '../state/store';
import { seqAt, secondsAt } from '../run/slice';
import type { RunModel } from '../run/model';
import { SPEEDS } from '../state/url';
import { Seg } from '../parts/controls';

const BAR = 7;

export function Scrubber() {
  told.value;
  const live = liveModel();
  const shown = model();
  const total = Math.max(1, (live.lastAt - live.startedAt) / 1000);
  const now = isReplay.value ? secondsAt(live, view.value.at) : total;
  const replay = isReplay.value;
  return (
    <footer class="time" aria-label="Time">
      <div class="l">
        <button class={replay ? 'btn' : 'btn live'} aria-pressed={!replay} onClick={goLive}>
          <span class="dot" /> Live
        </button>
        {playing.value ? (
          <button class="btn" onClick={stopPlaying}>
            <Icon name="pause" size={14} /> Hold
          </button>
        ) : (
          <button class="btn" disabled={live.table.count < 2} onClick={play}>
            <Icon name="play" size={14} /> Replay
          </button>
        )}
        <Seg name="Speed of the replay" options={SPEEDS.map((speed) => [String(speed), `${speed}×`] as const)} value={String(view.value.speed)} onChange={(speed) => go({ speed: Number(speed) })} />
      </div>
      <div class="scrub">
        <Strip now={replay ? now : Infinity} />
        <input
          type="range"
          min="0"
          max={total}
          step="any"
          value={now}
          aria-label="Moment of the run"
          aria-valuetext={replay ? `${clock(now)}, event ${shown.seq}` : 'live'}
          onInput={(event) => {
            const seconds = Number(event.currentTarget.value);
            go({ at: seconds >= total ? 0 : Math.max(1, seqAt(live, seconds)) });
          }}
        />
      </div>
      <div class="r">
        <span class="muted">seq <span data-figure="seq">{shown.seq}</span></span>
        <b>{clock(now)}</b>
        {live.budget.time_ms && <span class="muted">of {clock(live.budget.time_ms / 1000)}</span>}
      </div>
    </footer>
  );
}

function Strip({ now }: { now: number }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const moment = useRef(now);
  moment.current = now;
  useEffect(() => {
    const show = (): void => {
      if (canvas.current) drawStrip(canvas.current, liveModel(), moment.current);
    };
    const stop = drawn.subscribe(show);
    const watch = new ResizeObserver(show);
    if (canvas.current?.parentElement) watch.observe(canvas.current.parentElement);
    return () => {
      stop();
      watch.disconnect();
    };
  }, []);
  return <canvas ref={canvas} aria-hidden="true" />;
}

function drawStrip(canvas: HTMLCanvasElement, live: RunModel, now: number): void {
  const box = canvas.parentElement;
  const context = canvas.getContext('2d');
  if (!box || !context) return;
  const ratio = Math.min(2, devicePixelRatio || 1);
  const width = box.clientWidth;
  const height = box.clientHeight;
  const [wide, high] = [Math.round(width * ratio), Math.round(height * ratio)];
  if (canvas.width !== wide || canvas.height !== high) Object.assign(canvas, { width: wide, height: high });
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, width, height);
  const { table } = live;
  const palette = tones();
  const total = Math.max(1, (live.lastAt - live.startedAt) / 1000);
  const bars = new Uint32Array(Math.max(1, Math.floor((width - 16) / BAR)));
  let most = 1;
  for (let row = 0; row < table.count; row++) {
    const seconds = table.time[row];
    if (!(seconds >= 0)) continue;
    const bar = Math.min(bars.length - 1, Math.floor((seconds / total) * bars.length));
    most = Math.max(most, ++bars[bar]);
  }
  const base = height - 15;
  const place = (seconds: number): number => 8 + (Math.min(seconds, total) / total) * (width - 16);
  bars.forEach((amount, index) => {
    if (amount === 0) return;
    const tall = Math.max(2, (amount / most) * (base - 4));
    context.globalAlpha = (index / bars.length) * total <= now ? 0.6 : 0.25;
    context.fillStyle = palette.ink3;
    context.fillRect(8 + (index * (width - 16)) / bars.length, base - tall, BAR - 2, tall);
  });
  context.globalAlpha = 1;
  for (const step of live.champions) diamond(context, place(step.time), height - 6, palette.accent);
  for (const alert of live.alerts.slice(-60)) {
    if (alert.severity === 'note') continue;
    triangle(context, place(alert.time), height - 6, alert.severity === 'serious' ? palette.fail : palette.warn);
  }
}

function diamond(context: CanvasRenderingContext2D, x: number, y: number, tone: string): void {
  context.fillStyle = tone;
  context.beginPath();
  context.moveTo(x, y - 4);
  context.lineTo(x + 4, y);
  context.lineTo(x, y + 4);
  context.lineTo(x - 4, y);
  context.fill();
}

function triangle(context: CanvasRenderingContext2D, x: number, y: number, tone: string): void {
  context.strokeStyle = tone;
  context.lineWidth = 1.5;
  context.beginPath();
  context.moveTo(x, y - 4);
  context.lineTo(x + 4, y + 4);
  context.lineTo(x - 4, y + 4);
  context.closePath();
  context.stroke();
}

