// The best so far of one objective as a line of a word's size.

interface Props {
  points: [number, number][];
  width?: number;
  height?: number;
}

export function Spark({ points, width = 52, height = 28 }: Props) {
  if (points.length < 2) return <svg class="spark" width={width} height={height} aria-hidden="true" />;
  const xs = points.map(([x]) => x);
  const ys = points.map(([, y]) => y);
  const [x0, x1] = [Math.min(...xs), Math.max(...xs)];
  const [y0, y1] = [Math.min(...ys), Math.max(...ys)];
  const px = (x: number): number => 2 + ((x - x0) / (x1 - x0 || 1)) * (width - 7);
  const py = (y: number): number => height - 4 - ((y - y0) / (y1 - y0 || 1)) * (height - 8);
  const line = points.map(([x, y], index) => (index === 0 ? `M${px(x).toFixed(1)} ${py(y).toFixed(1)}` : `H${px(x).toFixed(1)}V${py(y).toFixed(1)}`));
  const [lastX, lastY] = points[points.length - 1];
  return (
    <svg class="spark" width={width} height={height} aria-hidden="true">
      <path d={`M2 ${py(ys[0]).toFixed(1)}H${width - 2}`} class="spark-base" />
      <path d={line.join('')} class="spark-line" />
      <circle cx={px(lastX)} cy={py(lastY)} r="2.2" class="spark-dot" />
    </svg>
  );
}
