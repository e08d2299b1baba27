// A plot as a part of the page: two canvases, keys for zooming and moving, a tip at the pointer. The picture has a name for
// those who do not see it, and every plot has a table twin with the same figures.
import type { ComponentChildren } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { drawn, told } from '../state/store';
import { PlotView } from './plot-view';
import type { Scene } from './scene';

/** How far an arrow key moves, CSS pixels. */
const KEY_STEP = 48;

interface Props {
  name: string;
  scene: () => Scene;
  /** What the scene depends on beside the model: a change of it draws anew. */
  deps: unknown[];
  picked: number;
  onPick(row: number): void;
  tip?: (row: number) => ComponentChildren;
  compact?: boolean;
  /** Told when the plot shows less than everything, or everything again. */
  onLess?: (sentence: string) => void;
  children?: ComponentChildren;
}

interface Tip {
  row: number;
  x: number;
  y: number;
}

export function Plot({ name, scene, deps, picked, onPick, tip, compact = false, onLess, children }: Props) {
  const box = useRef<HTMLDivElement>(null);
  const under = useRef<HTMLCanvasElement>(null);
  const over = useRef<HTMLCanvasElement>(null);
  const plot = useRef<PlotView | null>(null);
  const [spot, setSpot] = useState<Tip | null>(null);
  const [empty, setEmpty] = useState('');
  const [moved, setMoved] = useState(false);
  const [less, setLess] = useState('');
  const latest = useRef({ scene, picked, onPick, onLess, less: '', show: () => {} });
  Object.assign(latest.current, { scene, picked, onPick, onLess });

  useEffect(() => {
    if (!under.current || !over.current || !box.current) return;
    const view = new PlotView(
      under.current,
      over.current,
      {
        pick: (row) => latest.current.onPick(row),
        hover: (row, x, y) => setSpot(row < 0 ? null : { row, x, y }),
        moved: () => setMoved(!view.camera.following),
      },
      compact,
    );
    plot.current = view;
    const show = (): void => {
      const made = latest.current.scene();
      view.show(made, latest.current.picked);
      setEmpty(made.empty);
      const few = view.edgesEvery > 1 && made.parent ? `1 in ${view.edgesEvery} lines of descent drawn` : '';
      const far = made.beyond > 0 ? `${made.beyond} far-off ${made.beyond === 1 ? 'candidate' : 'candidates'} outside the picture` : '';
      const less = [few, far].filter(Boolean).join(', ');
      if (less !== latest.current.less) {
        latest.current.less = less;
        latest.current.onLess?.(less);
        setLess(less);
      }
    };
    latest.current.show = show;
    // Small charts move with the words: what they show changes slowly.
    const stop = (compact ? told : drawn).subscribe(show);
    const watch = new ResizeObserver(show);
    watch.observe(box.current);
    const dark = matchMedia('(prefers-color-scheme: dark)');
    dark.addEventListener('change', show);
    return () => {
      stop();
      watch.disconnect();
      dark.removeEventListener('change', show);
    };
  }, [compact]);

  useEffect(() => {
    plot.current?.camera.reset();
    setMoved(false);
  }, deps);
  useEffect(() => latest.current.show(), [...deps, picked]);

  const onKeyDown = (event: KeyboardEvent): void => {
    const view = plot.current;
    if (!view || event.ctrlKey || event.metaKey || event.altKey) return;
    const acts: Record<string, () => void> = {
      ArrowLeft: () => view.panBy(KEY_STEP, 0),
      ArrowRight: () => view.panBy(-KEY_STEP, 0),
      ArrowUp: () => view.panBy(0, KEY_STEP),
      ArrowDown: () => view.panBy(0, -KEY_STEP),
      '+': () => view.zoomBy(0.7),
      '=': () => view.zoomBy(0.7),
      '-': () => view.zoomBy(1.4),
      '0': () => view.fit(),
    };
    const act = acts[event.key];
    if (!act) return;
    event.preventDefault();
    event.stopPropagation();
    act();
  };

  const width = box.current?.clientWidth ?? 0;
  const left = spot && spot.x > width - 270 ? spot.x - 262 : (spot?.x ?? 0) + 14;
  return (
    <div class="plot" ref={box} tabIndex={0} role="group" aria-label={`${name}. Arrow keys move, plus and minus zoom, 0 shows everything.`} onKeyDown={onKeyDown}>
      <canvas ref={under} aria-hidden="true" />
      <canvas ref={over} aria-hidden="true" />
      {empty && <p class="plot-empty">{empty}</p>}
      {compact && less && <span class="plot-less">{less}</span>}
      {moved && !compact && (
        <button class="btn fit" onClick={() => plot.current?.fit()}>
          Show everything
        </button>
      )}
      {spot && tip && !empty && (
        <div class="tip" style={{ left: `${Math.max(4, left)}px`, top: `${Math.max(4, spot.y - 20)}px` }}>
          {tip(spot.row)}
        </div>
      )}
      {children}
    </div>
  );
}
