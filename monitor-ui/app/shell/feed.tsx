// The events as they come, newest first, filtered by kind. Pausing holds the list still while the run goes on; nothing is
// lost by it: what has left the page's memory is fetched from the log.
import { useEffect, useRef, useState } from 'preact/hooks';
import { clock, count } from '../parts/figures';
import { Icon } from '../parts/icons';
import type { IconName } from '../parts/icons';
import * as http from '../protocol/http';
import { feed, go, isReplay, liveModel, model, told, view } from '../state/store';
import { lineOf, matches } from '../state/feed';
import type { FeedLine, Tone } from '../state/feed';
import type { FeedKind } from '../state/url';

/** Lines rendered at once; scrolling to the end asks for more. */
const PAGE = 80;
const NAMES: readonly (readonly [FeedKind, string])[] = [
  ['all', 'All'],
  ['verdicts', 'Verdicts'],
  ['applied', 'Applied'],
  ['rejected', 'Rejected'],
  ['controls', 'Controls'],
  ['machinery', 'Machinery'],
];
const SIGNS: Record<Tone, [IconName, string]> = {
  plain: ['ring', 'same'],
  good: ['tick', 'better'],
  bad: ['cross', 'worse'],
  warn: ['warn', 'warned'],
  control: ['play', 'accent'],
  quiet: ['skip', 'same'],
};

export function FeedPanel() {
  told.value;
  const { feed: kind } = view.value;
  const [held, setHeld] = useState(0);
  const [limit, setLimit] = useState(PAGE);
  const [older, setOlder] = useState<FeedLine[]>([]);
  const [problem, setProblem] = useState('');
  const list = useRef<HTMLOListElement>(null);
  const live = liveModel();
  const until = isReplay.value ? model().seq : held || Infinity;
  useEffect(() => {
    setLimit(PAGE);
    setOlder([]);
    list.current?.scrollTo(0, 0);
  }, [kind, live.runId, isReplay.value]);
  const lines = feed.latest(kind, limit, until);
  const all = older.length > 0 ? [...lines, ...older.filter((line) => line.seq < (lines.at(-1)?.seq ?? Infinity) && line.seq <= until && matches(line, kind))] : lines;
  const waiting = held > 0 && !isReplay.value ? feed.newest - held : 0;
  const bottom = Math.min(lines.at(-1)?.seq ?? until, older.at(-1)?.seq ?? Infinity);
  const more = async (): Promise<void> => {
    if (lines.length === limit) return setLimit(limit + PAGE * 4);
    const end = Number.isFinite(bottom) ? bottom : live.seq + 1;
    const after = Math.max(0, end - 1 - PAGE * 4);
    try {
      const page = await http.events(live.runId, after, end - 1 - after);
      setOlder([...older, ...page.events.filter((record) => record.seq < end).map((record) => lineOf(record, live)).reverse()]);
      setProblem('');
    } catch (why) {
      setProblem(why instanceof Error ? why.message : String(why));
    }
  };
  return (
    <section class="panel feed" aria-labelledby="h-feed">
      <header>
        <h2 id="h-feed">Events</h2>
        <div class="chips" role="group" aria-label="Which events">
          {NAMES.map(([key, name]) => (
            <button key={key} class="chip" aria-pressed={kind === key} onClick={() => go({ feed: key })}>
              {name}
            </button>
          ))}
        </div>
        <span class="grow" />
        <span class="muted fine">{waiting > 0 ? `held, ${count(waiting)} newer` : `${count(live.seq)} in the log`}</span>
        <button class="btn small" aria-pressed={held > 0} disabled={isReplay.value} onClick={() => setHeld(held > 0 ? 0 : feed.newest)}>
          {held > 0 ? 'Let it flow' : 'Hold'}
        </button>
      </header>
      <ol ref={list} tabIndex={0} aria-label="Events, newest first">
        {all.map((line) => (
          <Line key={line.seq} line={line} startedAt={live.startedAt} />
        ))}
        {all.length === 0 && <li class="none">{live.seq === 0 ? 'Nothing has happened yet.' : 'None of this kind among the latest.'}</li>}
        {bottom > 1 && live.seq > 0 && (
          <li class="none">
            <button class="link" onClick={() => void more()}>
              Show older
            </button>
            {problem && <span class="worse"> {problem}</span>}
          </li>
        )}
      </ol>
    </section>
  );
}

function Line({ line, startedAt }: { line: FeedLine; startedAt: number }) {
  const [icon, tone] = SIGNS[line.tone];
  return (
    <li class={line.type === 'champion_changed' ? 'hot' : undefined}>
      <span class="muted">{clock((line.at - startedAt) / 1000)}</span>
      <button class="sq link quiet" title="Show the run at this event" onClick={() => go({ at: line.seq })}>
        {line.seq}
      </button>
      <Icon name={icon} size={12} tone={tone} />
      <span class="ty">{line.type}</span>
      {line.number >= 0 ? (
        <button class="link" onClick={() => go({ pick: line.number })}>
          #{line.number}
        </button>
      ) : (
        <span />
      )}
      <span class="tx">{line.text}</span>
    </li>
  );
}
