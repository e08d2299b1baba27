// Who works: evaluations under way, the operators and what they brought, the learning rate and the breakers with their
// history, and the peers. Evaluations run on this one machine.
import { useState } from 'preact/hooks';
import { History } from '../charts/history';
import { clock, figure, percent } from '../parts/figures';
import { Grid } from '../parts/grid';
import { Icon } from '../parts/icons';
import type { Share } from '../parts/shares';
import { Shares } from '../parts/shares';
import { isInterrupted, isOver } from '../run/model';
import type { Arm, RunModel } from '../run/model';
import { useSecond } from '../shell/header';
import { asking, hindrance } from '../shell/orders';
import { daemonNow, go, isReplay, liveModel, model, pictured, told } from '../state/store';
import { Peers } from './peers';

export function FleetPlace() {
  told.value;
  const shown = model();
  return (
    <main class="main fleet-place" id="place" tabIndex={-1}>
      <Machine shown={shown} />
      <Operators shown={shown} />
      <LearningRate shown={shown} />
      <Breakers shown={shown} />
      <Peers />
    </main>
  );
}

/** The moment up to which durations of what is under way count, in seconds of the run. */
function nowOf(shown: RunModel): number {
  return ((isReplay.value || isOver(shown.phase) ? shown.lastAt : daemonNow()) - shown.startedAt) / 1000;
}

function Machine({ shown }: { shown: RunModel }) {
  useSecond();
  const now = nowOf(shown);
  const spaced = (name: string): string => name.replaceAll('_', ' ');
  const ended = Object.entries(shown.counters.outcomes).map(([name, times]): Share => {
    const tone = name === 'ok' ? 'good' : name === 'wrong' ? 'plain' : 'bad';
    return { name: spaced(name), times, tone };
  });
  const answered = Object.entries(shown.counters.proposalOutcomes).map(([name, times]): Share => {
    const tone = name === 'applied' ? 'good' : name === 'failed' || name === 'refused' ? 'bad' : 'plain';
    return { name: name === 'applied' ? 'became a candidate' : spaced(name), times, tone };
  });
  return (
    <section class="panel" aria-labelledby="h-machine">
      <header>
        <h2 id="h-machine">This machine</h2>
        <span class="muted fine clip">every evaluation runs here</span>
        <span class="now">{shown.underWay.size} under way</span>
      </header>
      <div class="scroll pad-sides">
        <ul class="lanes" aria-label="Evaluations under way">
          {[...shown.underWay].map(([number, since]) => (
            <Lane key={number} shown={shown} number={number} took={since > 0 && !isInterrupted(shown) ? now - since : NaN} />
          ))}
          {shown.underWay.size === 0 && <li class="none">Nothing is being evaluated.</li>}
        </ul>
        <Shares name="Evaluations ended" shares={ended} />
        <Shares name="Proposals answered" shares={answered} />
        <dl class="figures">
          <Figure name="isolation" value={shown.isolation || '–'} />
          <Figure name="judge and candidate" value={SEPARATIONS[shown.separation] ?? '–'} />
          <Figure name="time in evaluations" value={clock(shown.evaluatorSeconds)} />
          {Object.entries(shown.noise).map(([name, value]) => (
            <Figure key={name} name={`noise of ${name}`} value={percent(value, 2)} />
          ))}
        </dl>
      </div>
    </section>
  );
}

/** How far the judge is kept apart from the candidate, in words. */
const SEPARATIONS: Record<string, string> = { split: 'kept apart', canary: 'one process, canaried', shared: 'one process' };

/** One evaluation under way: what it tries, for how long, and the way to end it. */
function Lane({ shown, number, took }: { shown: RunModel; number: number; took: number }) {
  const blocked = isInterrupted(shown)
    ? 'Interrupted: it begins anew when the run is resumed.'
    : number === 0
      ? 'The unchanged program is measured: stop the run to end that.'
      : hindrance(liveModel(), 'abort_evaluation');
  return (
    <li>
      <Icon name="ring" size={12} tone="accent" />
      <button class="link" onClick={() => go({ pick: number })}>
        #{number}
      </button>
      <span>{shown.arms[shown.table.arm[number]]?.operator ?? 'baseline'}</span>
      <span class="muted clip">{shown.words.get(number)?.rationale}</span>
      <span class="r">{Number.isFinite(took) ? clock(Math.max(0, took)) : ''}</span>
      <button class="btn small" disabled={blocked !== ''} title={blocked || undefined} onClick={() => (asking.value = { name: 'abort_evaluation', number })}>
        Abort
      </button>
    </li>
  );
}

function Figure({ name, value }: { name: string; value: string }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{value}</dd>
    </div>
  );
}

/** The share of an operator's candidates that were viable, and within it those that were better, as a bar. */
function Yield({ arm }: { arm: Arm }) {
  const share = (part: number): string => `${(part / Math.max(1, arm.tries)) * 100}%`;
  return (
    <span class="yield">
      <svg height="8" aria-hidden="true">
        <rect width="100%" height="8" class="meter-all" />
        <rect width={share(arm.viable)} height="8" class="share good-1" />
        <rect width={share(arm.accepted)} height="8" class="share good-0" />
      </svg>
      {arm.tries > 0 ? percent(arm.viable / arm.tries, 0) : '–'}
    </span>
  );
}

function Operators({ shown }: { shown: RunModel }) {
  const [sort, setSort] = useState('-tries');
  const key = sort.replace('-', '') as 'tries' | 'viable' | 'accepted';
  const arms = [...shown.arms].sort((a, b) => (sort.startsWith('-') ? b[key] - a[key] : a[key] - b[key]));
  return (
    <section class="panel" aria-labelledby="h-arms">
      <header>
        <h2 id="h-arms">Operators</h2>
        <span class="muted fine clip">who proposes, and what came of it</span>
      </header>
      <Grid
        name="Operators"
        rows={arms}
        rowKey={(arm) => shown.arms.indexOf(arm)}
        sort={sort}
        onSort={setSort}
        columns={[
          { key: 'operator', head: 'operator', width: 'minmax(0,1fr)', cell: (arm) => <OperatorName arm={arm} />, plain: (arm) => arm.operator },
          { key: 'proposer', head: 'proposer', width: '0', unseen: true, cell: (arm) => arm.proposer, plain: (arm) => arm.proposer },
          { key: 'tries', head: 'tried', width: '52px', right: true, sortable: true, cell: (arm) => arm.tries, plain: (arm) => arm.tries },
          { key: 'viable', head: 'viable', width: '52px', right: true, sortable: true, cell: (arm) => arm.viable, plain: (arm) => arm.viable },
          { key: 'accepted', head: 'better', width: '52px', right: true, sortable: true, cell: (arm) => arm.accepted, plain: (arm) => arm.accepted },
          { key: 'share', head: 'share viable', width: 'minmax(84px,0.7fr)', right: true, cell: (arm) => <Yield arm={arm} />, plain: (arm) => (arm.tries > 0 ? arm.viable / arm.tries : null) },
        ]}
      />
    </section>
  );
}

function OperatorName({ arm }: { arm: Arm }) {
  return (
    <>
      {arm.operator} <span class="muted">{arm.proposer}</span>
    </>
  );
}

function LearningRate({ shown }: { shown: RunModel }) {
  const rate = shown.rate.at(-1)?.value;
  return (
    <section class="panel" aria-labelledby="h-rate">
      <header>
        <h2 id="h-rate">Learning rate</h2>
        <span class="muted fine clip">how bold the next proposal is, 0.01 to 0.5</span>
        <span class="now">{rate === undefined ? '–' : figure(rate)}</span>
      </header>
      <div class="half rate">
        <History name="learning rate" points={() => pictured().rate} deps={[shown.runId]} />
        <Grid
          name="Learning rate"
          rows={[...shown.rate].reverse()}
          rowKey={(point) => point.seq}
          columns={[
            { key: 'seq', head: 'seq', width: '52px', right: true, cell: (point) => point.seq, plain: (point) => point.seq },
            { key: 'time', head: 'at', width: '52px', right: true, cell: (point) => clock(point.time), plain: (point) => point.time },
            { key: 'value', head: 'rate', width: 'minmax(0,1fr)', right: true, cell: (point) => figure(point.value), plain: (point) => point.value },
          ]}
        />
      </div>
    </section>
  );
}

/** What a breaker stops when it opens. */
function guards(name: string): string {
  if (name === 'run') return 'opens on forbidden acts, and on changes that prove worse';
  if (name === 'evaluator') return 'opens when evaluations cannot be carried out';
  return 'opens when this proposer fails again and again';
}

function Breakers({ shown }: { shown: RunModel }) {
  const all = [...shown.breakers.values()];
  const history = all.flatMap((breaker) => breaker.history.map((note) => ({ ...note, name: breaker.name }))).sort((a, b) => b.seq - a.seq);
  return (
    <section class="panel" aria-labelledby="h-breakers">
      <header>
        <h2 id="h-breakers">Breakers</h2>
        <span class="muted fine clip">an open one stops what it guards until a trial succeeds</span>
      </header>
      <ul class="breakers">
        {all.map((breaker) => (
          <li key={breaker.name}>
            <Icon name={breaker.state === 'closed' ? 'tick' : 'warn'} size={14} tone={breaker.state === 'closed' ? 'better' : 'worse'} />
            <span>{breaker.name}</span>
            <span class="muted clip">{guards(breaker.name)}</span>
            <b>{breaker.state.replace('_', '-')}</b>
          </li>
        ))}
        {all.length === 0 && <li class="none">No run, no breakers.</li>}
        {all.length > 0 && history.length === 0 && <li class="none">None has opened in this run.</li>}
      </ul>
      {history.length > 0 && (
        <Grid
          name="Breaker history"
          rows={history}
          rowKey={(note) => note.seq}
          columns={[
            { key: 'seq', head: 'seq', width: '48px', right: true, cell: (note) => note.seq, plain: (note) => note.seq },
            { key: 'name', head: 'breaker', width: '96px', cell: (note) => note.name, plain: (note) => note.name },
            { key: 'to', head: 'became', width: '64px', cell: (note) => note.to.replace('_', '-'), plain: (note) => note.to },
            { key: 'why', head: 'why', width: 'minmax(0,1fr)', cell: (note) => note.reason, plain: (note) => note.reason },
          ]}
        />
      )}
    </section>
  );
}
