// Other daemons that this one knows: whether they answer, how far they are trusted, and the packages of knowledge that came
// and went. It is asked for while the place is open; it belongs to the daemon, so time travel does not change it.
import { useEffect, useState } from 'preact/hooks';
import { figure, percent } from '../parts/figures';
import { Grid } from '../parts/grid';
import { Icon } from '../parts/icons';
import { collective, flowWords } from '../protocol/peers';
import { link } from '../state/store';
import type { Collective, Flow, Peer, Source } from '../wire/wire';

/** How often the peers are asked for while they are looked at, milliseconds. */
const LOOK_MS = 5000;

type Known = { state: 'asking' } | { state: 'here'; value: Collective | null } | { state: 'failed'; why: string };

function useCollective(): Known {
  const [known, setKnown] = useState<Known>({ state: 'asking' });
  const open = link.value.phase === 'open';
  useEffect(() => {
    if (!open) return;
    let gone = false;
    let timer: ReturnType<typeof setTimeout>;
    const look = async (): Promise<void> => {
      const next = await collective().then(
        (value): Known => ({ state: 'here', value }),
        (problem: unknown): Known => ({ state: 'failed', why: problem instanceof Error ? problem.message : String(problem) }),
      );
      if (gone) return;
      setKnown(next);
      timer = setTimeout(() => void look(), LOOK_MS);
    };
    void look();
    return () => {
      gone = true;
      clearTimeout(timer);
    };
  }, [open]);
  return known;
}

export function Peers() {
  const known = useCollective();
  const all = known.state === 'here' ? known.value : null;
  const some = all !== null && all.peers.length + all.flow.length + all.groups.length > 0;
  return (
    <section class={some ? 'panel peers' : 'panel peers none'} aria-labelledby="h-peers">
      <header>
        <h2 id="h-peers">Peers</h2>
        <span class="muted fine clip">other daemons, and what flows between them and this one</span>
        {some && <span class="now">{all.peers.length} known</span>}
      </header>
      {known.state === 'asking' && <p class="state-note">Asking for the peers…</p>}
      {known.state === 'failed' && <p class="state-note">The peers did not come: {known.why}</p>}
      {known.state === 'here' && !some && (
        <p class="state-note">
          This daemon works alone. Make another known with <code>darwind peers add URL</code>: what improves one is then offered to the other, and tried
          there before anything is changed.
        </p>
      )}
      {some && <Both all={all} />}
    </section>
  );
}

function Both({ all }: { all: Collective }) {
  const trusted = new Map(all.sources.map((source) => [source.source, source]));
  const strangers = all.sources.filter(({ source }) => !all.peers.some(({ name }) => name === source));
  const members = all.groups.map(({ group_id, members: { length } }) => `${group_id} (${length})`);
  return (
    <div class="half even">
      <ul class="peer-list" tabIndex={0} aria-label="Peers">
        {all.peers.map((peer) => (
          <PeerLine key={peer.name} peer={peer} source={trusted.get(peer.name)} />
        ))}
        {strangers.map((source) => (
          <li key={source.source}>
            <Icon name="ring" size={14} tone="same" />
            <span>{source.source}</span>
            <span class="muted clip">{merits(source)}</span>
            <b>trust {percent(source.trust, 0)}</b>
          </li>
        ))}
        {members.length > 0 && <li class="muted">groups: {members.join(', ')}</li>}
      </ul>
      <Grid
        name="Flow of knowledge"
        rows={all.flow}
        rowKey={(step) => all.flow.indexOf(step)}
        note="the newest first"
        least={500}
        columns={[
          { key: 'at', head: 'at', width: '64px', cell: (step) => hour(step), plain: (step) => new Date(step.time_ms).toISOString() },
          { key: 'way', head: 'way', width: '64px', cell: (step) => flowWords(step).way, plain: (step) => flowWords(step).way },
          { key: 'who', head: 'with', width: '96px', cell: (step) => flowWords(step).who, plain: (step) => flowWords(step).who },
          { key: 'what', head: 'what', width: 'minmax(0,1fr)', cell: (step) => <What step={step} />, plain: (step) => flowWords(step).what },
        ]}
      />
    </div>
  );
}

const hour = (step: Flow): string => new Date(step.time_ms).toTimeString().slice(0, 8);

function What({ step }: { step: Flow }) {
  const { what, good } = flowWords(step);
  const tone = good === null ? '' : good ? 'better' : 'worse';
  return <span class={tone} title={what}>{what}</span>;
}

/** What came of what a source sent. */
const merits = ({ received, improved, failed }: Source): string => `sent ${received}: ${improved} helped, ${failed} did not`;

function PeerLine({ peer, source }: { peer: Peer; source?: Source }) {
  const well = peer.breaker === 'closed' && !peer.fault;
  const answers = peer.latency_ms === null ? 'not asked yet' : `answers in ${figure(Math.round(peer.latency_ms))} ms`;
  const state = peer.breaker === 'closed' ? answers : `breaker ${peer.breaker.replace('_', '-')}`;
  return (
    <li title={`${peer.url}: ${peer.skills.join(', ')}`}>
      <Icon name={well ? 'tick' : 'warn'} size={14} tone={well ? 'better' : 'worse'} />
      <span>{peer.name}</span>
      <span class="muted clip">{peer.fault ?? (source ? merits(source) : peer.url)}</span>
      <b>{source ? `${state}, trust ${percent(source.trust, 0)}` : state}</b>
    </li>
  );
}
