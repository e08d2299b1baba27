// A diff as the daemon computed it: rows of text nodes, never HTML. Long ones show their beginning and say so.
import type { DiffLine, Difference } from '../wire/wire';
import { Icon } from '../parts/icons';

/** Lines drawn at most; the rest is in `darwind diff`. */
const MOST_LINES = 1500;

/** A line with the stretches of it that changed. */
export type MarkedLine = DiffLine & { marks?: [number, number][] };

/** Where two texts differ, as a stretch of each: what is left between their common beginning and end. */
export function changedStretch(before: string, after: string): { before: [number, number]; after: [number, number] } {
  const most = Math.min(before.length, after.length);
  let head = 0;
  while (head < most && before[head] === after[head]) head++;
  let tail = 0;
  while (tail < most - head && before[before.length - 1 - tail] === after[after.length - 1 - tail]) tail++;
  return { before: [head, before.length - tail], after: [head, after.length - tail] };
}

/** Sets off what changed within lines that replace each other one by one; a stretch of the whole line says nothing. */
export function withMarks(lines: DiffLine[]): MarkedLine[] {
  const marked: MarkedLine[] = [...lines];
  for (let at = 0; at < lines.length; at++) {
    if (lines[at].kind !== '-') continue;
    let gone = at;
    while (lines[gone]?.kind === '-') gone++;
    let come = gone;
    while (lines[come]?.kind === '+') come++;
    const pairs = gone - at;
    for (let pair = 0; come - gone === pairs && pair < pairs; pair++) {
      const [old, fresh] = [lines[at + pair], lines[gone + pair]];
      const { before, after } = changedStretch(old.text, fresh.text);
      if (before[0] < old.text.search(/\S/) || before[1] - before[0] > old.text.trim().length * 0.8) continue;
      if (before[1] > before[0]) marked[at + pair] = { ...old, marks: [before] };
      if (after[1] > after[0]) marked[gone + pair] = { ...fresh, marks: [after] };
    }
    at = come - 1;
  }
  return marked;
}

/** A line's text with its changed stretches set off. */
function Text({ text, marks }: { text: string; marks?: [number, number][] }) {
  if (!marks || marks.length === 0) return <code>{text || ' '}</code>;
  const parts = [];
  let at = 0;
  for (const [from, to] of marks) {
    if (from < at || to > text.length) continue;
    parts.push(text.slice(at, from), <mark key={from}>{text.slice(from, to)}</mark>);
    at = to;
  }
  parts.push(text.slice(at));
  return <code>{parts}</code>;
}

const KIND: Record<string, string> = { '+': 'add', '-': 'del' };

function Line({ line }: { line: MarkedLine }) {
  return (
    <div class={KIND[line.kind] ?? ''}>
      <span class="no">{line.old ?? ''}</span>
      <span class="no">{line.new ?? ''}</span>
      <span class="sg">{line.kind === '-' ? '−' : line.kind}</span>
      <Text text={line.text} marks={line.marks} />
    </div>
  );
}

export function DiffView({ diff }: { diff: Difference }) {
  if (diff.files.length === 0) return <p class="state-note">No difference: both have the same files.</p>;
  let room = MOST_LINES;
  let cut = 0;
  return (
    <div class="diffs">
      {diff.files.map((file) => (
        <section key={file.path} class="diff-file">
          <h3>
            <span class="mono">{file.path}</span>
            <span class="add-count">+{file.added}</span>
            <span class="del-count">−{file.removed}</span>
            {file.status && file.status !== 'modified' && <span class="muted">{file.status}</span>}
          </h3>
          {file.binary && <p class="state-note">Not text: the daemon does not show its content.</p>}
          <div class="diff" tabIndex={0} role="region" aria-label={`Changes in ${file.path}`}>
            {file.hunks.map((hunk, index) => {
              const lines = withMarks(hunk.lines.slice(0, Math.max(0, room)));
              room -= hunk.lines.length;
              cut += hunk.lines.length - lines.length;
              return (
                <div key={index} class="hunk-box">
                  <div class="hunk">
                    <code>{hunk.header}</code>
                  </div>
                  {lines.map((line, place) => (
                    <Line key={place} line={line} />
                  ))}
                </div>
              );
            })}
          </div>
          {file.truncated && <p class="state-note">The daemon cut this file's diff; `darwind diff` shows all of it.</p>}
        </section>
      ))}
      {cut > 0 && (
        <p class="state-note">
          <Icon name="warn" size={14} /> {cut} more lines are not shown here; `darwind diff` shows all.
        </p>
      )}
    </div>
  );
}
