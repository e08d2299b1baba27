// One segment a test case: passed, failed, or not run; those won or lost against the parent stand out. The same is said in
// words below it and listed case by case.
import type { Case } from '../wire/wire';

/** Segments drawn at most; beyond it only the figures are shown. */
const MOST_SEGMENTS = 240;
const RADIUS = 50;

interface Props {
  cases: Case[];
  total: number;
  parent: Case[] | null;
}

type Segment = 'pass' | 'fail' | 'won' | 'lost' | 'unrun';

export function segments({ cases, total, parent }: Props): Segment[] {
  const before = new Map((parent ?? []).map((one) => [one.name, one.passed]));
  const found = cases.map((one): Segment => {
    const was = before.get(one.name);
    if (one.passed) return was === false ? 'won' : 'pass';
    return was === true ? 'lost' : 'fail';
  });
  while (found.length < Math.min(total, MOST_SEGMENTS)) found.push('unrun');
  return found;
}

export function Ring(props: Props) {
  const found = segments(props);
  const total = Math.max(props.total, props.cases.length);
  const passed = props.cases.filter((one) => one.passed).length;
  const tally = (kind: Segment): number => found.filter((one) => one === kind).length;
  const words = [`${passed} of ${total} cases pass`, tally('won') && `${tally('won')} won`, tally('lost') && `${tally('lost')} lost`, tally('unrun') && `${tally('unrun')} not run`];
  const round = 2 * Math.PI * RADIUS;
  const step = round / Math.max(1, found.length);
  const gap = Math.min(3, step * 0.25);
  return (
    <figure class="case-ring">
      <svg viewBox="0 0 124 124" width="112" height="112" role="img" aria-label={words.filter(Boolean).join(', ')}>
        <g transform="rotate(-90 62 62)">
          {found.length <= MOST_SEGMENTS &&
            found.map((kind, index) => (
              <circle
                key={index}
                class={`case ${kind}`}
                cx="62"
                cy="62"
                r={RADIUS}
                stroke-dasharray={`${step - gap} ${round - step + gap}`}
                stroke-dashoffset={-index * step}
              />
            ))}
        </g>
        <text x="62" y="60" text-anchor="middle" class="ring-count">
          {passed}/{total}
        </text>
        <text x="62" y="77" text-anchor="middle">
          cases
        </text>
      </svg>
      <figcaption>{words.slice(1).filter(Boolean).join(', ') || (props.parent ? 'same cases as its parent' : '')}</figcaption>
    </figure>
  );
}
