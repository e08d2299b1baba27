// Who works: evaluations under way, the operators and what they brought, the learning rate and the breakers with their
// history. There is one machine; when there are workers and peers they will stand here.
import { useState } from 'preact/hooks';
import { History } from '../charts/history';
import { clock, count, figure, percent } from '../parts/figures';
import { Grid } from '../parts/grid';
import { Icon } from '../parts/icons';
import type { RunModel } from '../run/model';
import { go, model, pictured, told } from '../state/store';

export function FleetPlace() {
  told.value;
  const shown = model();
  return (
    <main class="main fleet-place" id="place" tabIndex={-1}>
      <Machine shown={shown} />
      <Operators shown={shown} />
      <LearningRate shown={shown} />
      <Breakers shown={shown} />
    </main>
  );
}

function Machine({ shown }: { shown: RunModel }) {
  const now = (shown.lastAt - shown.startedAt) / 1000;
  const { outcomes } = shown.counters;
  return (
    <section class="panel" aria-labelledby="h-machine">
      <header>
        <h2 id="h-machine">This machine</h2>
        <span class="muted fine clip">one machine: no workers or peers are connected</span>
        <span class="now">{shown.underWay.size} under way</span>
      </header>
      <div class="scroll pad">
        <ul class="lanes" aria-label="Evaluations under way">
          {[...shown.underWay].map(([number, since]) => (
            <li key={number}>
              <Icon name="ring" size={12} tone="accent" />
              <button class="link" onClick={() => go({ pick: number })}>
                #{number}
              </button>
              <span class="muted">{shown.arms[shown.table.arm[number]]?.operator ?? 'baseline'}</span>
              <span class="muted">{since > 0 ? `for ${clock(Math.max(0, now - since))}` : ''}</span>
            </li>
          ))}
          {shown.underWay.size === 0 && <li class="none">Nothing is being evaluated.</li>}
        </ul>
        <dl class="figures">
          <Figure name="isolation" value={shown.isolation || '–'} />
          <Figure name="judge and candidate" value={shown.separation || '–'} />
          <Figure name="time in evaluations" value={clock(shown.evaluatorSeconds)} />
          {Object.entries(shown.noise).map(([name, value]) => (
            <Figure key={name} name={`noise of ${name}`} value={percent(value, 2)} />
          ))}
          {Object.entries(outcomes).map(([name, times]) => (
            <Figure key={name} name={`ended ${name.replaceAll('_', ' ')}`} value={count(times)} />
          ))}
          {Object.entries(shown.counters.proposalOutcomes).map(([name, times]) => (
            <Figure key={name} name={`proposals ${name.replaceAll('_', ' ')}`} value={count(times)} />
          ))}
        </dl>
      </div>
    </section>
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

function Operators({ shown }: { shown: RunModel }) {
  const [sort, setSort] = useState('-tries');
  const key = sort.replace('-', '') as 'tries' | 'viable' | 'accepted';
  const arms = [...shown.arms].sort((a, b) => (sort.startsWith('-') ? b[key] - a[key] : a[key] - b[key]));
  const share = (part: number, of: number): string => (of > 0 ? percent(part / of, 0) : '–');
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
          { key: 'proposer', head: 'proposer', width: 'minmax(0,1fr)', cell: (arm) => arm.proposer, plain: (arm) => arm.proposer },
          { key: 'operator', head: 'operator', width: 'minmax(0,1fr)', cell: (arm) => arm.operator, plain: (arm) => arm.operator },
          { key: 'tries', head: 'candidates', width: '76px', right: true, sortable: true, cell: (arm) => arm.tries, plain: (arm) => arm.tries },
          { key: 'viable', head: 'viable', width: '52px', right: true, sortable: true, cell: (arm) => arm.viable, plain: (arm) => arm.viable },
          { key: 'share', head: 'share', width: '44px', right: true, cell: (arm) => share(arm.viable, arm.tries), plain: (arm) => (arm.tries > 0 ? arm.viable / arm.tries : null) },
          { key: 'accepted', head: 'better', width: '52px', right: true, sortable: true, cell: (arm) => arm.accepted, plain: (arm) => arm.accepted },
        ]}
      />
    </section>
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
      <div class="half">
        <History name="learning rate" points={() => pictured().rate} deps={[shown.runId]} />
        <Grid
          name="Learning rate"
          rows={[...shown.rate].reverse()}
          rowKey={(point) => point.seq}
          columns={[
            { key: 'seq', head: 'seq', width: '48px', right: true, cell: (point) => point.seq, plain: (point) => point.seq },
            { key: 'time', head: 'at', width: '64px', right: true, cell: (point) => clock(point.time), plain: (point) => point.time },
            { key: 'value', head: 'rate', width: 'minmax(0,1fr)', right: true, cell: (point) => figure(point.value), plain: (point) => point.value },
          ]}
        />
      </div>
    </section>
  );
}

function Breakers({ shown }: { shown: RunModel }) {
  const all = [...shown.breakers.values()];
  const history = all.flatMap((breaker) => breaker.history.map((note) => ({ ...note, name: breaker.name }))).sort((a, b) => b.seq - a.seq);
  return (
    <section class="panel" aria-labelledby="h-breakers">
      <header>
        <h2 id="h-breakers">Breakers</h2>
        <span class="muted fine clip">open after repeated faults of the machinery</span>
      </header>
      <div class="half">
        <ul class="breakers">
          {all.map((breaker) => (
            <li key={breaker.name}>
              <Icon name={breaker.state === 'closed' ? 'tick' : 'warn'} size={14} tone={breaker.state === 'closed' ? 'better' : 'worse'} />
              <span>{breaker.name}</span>
              <b>{breaker.state.replace('_', '-')}</b>
            </li>
          ))}
          {all.length === 0 && <li class="none">No run, no breakers.</li>}
        </ul>
        <Grid
          name="Breaker history"
          rows={history}
          rowKey={(note) => note.seq}
          columns={[
            { key: 'seq', head: 'seq', width: '48px', right: true, cell: (note) => note.seq, plain: (note) => note.seq },
            { key: 'name', head: 'breaker', width: '72px', cell: (note) => note.name, plain: (note) => note.name },
            { key: 'to', head: 'became', width: '60px', cell: (note) => note.to.replace('_', '-'), plain: (note) => note.to },
            { key: 'why', head: 'why', width: 'minmax(0,1fr)', cell: (note) => note.reason, plain: (note) => note.reason },
          ]}
        />
      </div>
    </section>
  );
}
