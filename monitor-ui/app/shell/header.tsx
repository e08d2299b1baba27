// The strip that answers at a glance: alive, better, spending, broken. And the controls of the run.
import { useEffect, useState } from 'preact/hooks';
import { bestSoFar } from '../charts/progress';
import { Delta } from '../parts/delta';
import { clock, count, dollars, measured, percent } from '../parts/figures';
import { Icon } from '../parts/icons';
import { Spark } from '../parts/spark';
import { activeMs, isOver } from '../run/model';
import type { RunModel } from '../run/model';
import { acknowledged, alertId, daemonNow, gaps, go, isLoading, isReplay, latency, link, liveModel, model, outdated, runs, told, view } from '../state/store';
import type { CommandName } from '../wire/wire';
import { asking, give, hindrance, sending } from './orders';

/** Objectives in the strip at most; the others are on the run's page. */
const MOST_OBJECTIVES = 3;
/** Without a word for so long the figures count as old, milliseconds. */
const STALE_MS = 12_000;

export const PHASE_WORDS = {
  pending: 'Measuring the baseline',
  running: 'Running',
  paused: 'Paused',
  finished: 'Finished',
  stopped: 'Stopped',
  failed: 'Failed',
} as const;

/** Renders again every second, so that clocks go on without events. */
export function useSecond(): void {
  const [, tick] = useState(0);
  useEffect(() => {
    const timer = setInterval(() => tick((times) => times + 1), 1000);
    return () => clearInterval(timer);
  }, []);
}

export function Header() {
  told.value;
  useSecond();
  const shown = model();
  return (
    <header class="head" aria-label="Run status">
      <RunCell shown={shown} />
      {shown.objectives.slice(0, MOST_OBJECTIVES).map((objective, index) => (
        <ObjectiveCell key={objective.name} shown={shown} index={index} />
      ))}
      <EvaluationsCell shown={shown} />
      <BudgetCell shown={shown} />
      <GuardCell shown={shown} />
      <IsolationCell shown={shown} />
      <AlertCell shown={shown} />
      <ConnectionCell />
      <Controls />
    </header>
  );
}

function shownMs(shown: RunModel): number {
  return activeMs(shown, isReplay.value ? shown.lastAt : daemonNow());
}

function RunCell({ shown }: { shown: RunModel }) {
  const heads = runs.value;
  const state = isLoading.value ? 'Loading' : shown.runId ? PHASE_WORDS[shown.phase] : 'No run';
  return (
    <div class="cell run">
      <span class="k">
        <span class={`dot ${shown.phase}`} />
        <span class="state" role="status">
          {state}
        </span>
        {shown.runId && <span>{clock(shownMs(shown) / 1000)}</span>}
      </span>
      <span class="v">
        <h1>{shown.agentId || 'darwind'}</h1>
        {heads.length > 1 && (
          <select class="run-pick" aria-label="Run" value={view.value.run || shown.runId} onChange={(event) => go({ run: event.currentTarget.value, pick: -1, at: 0 })}>
            {heads.map((head) => (
              <option key={head.run_id} value={head.run_id}>
                {head.agent_id} · {head.state} · {head.run_id}
              </option>
            ))}
          </select>
        )}
      </span>
    </div>
  );
}

function ObjectiveCell({ shown, index }: { shown: RunModel; index: number }) {
  const objective = shown.objectives[index];
  const column = shown.table.scores[index];
  const row = shown.champion;
  const value = row >= 0 ? column[row] : NaN;
  const [text, unit] = measured(value, objective.unit);
  return (
    <div class="cell obj">
      <span class="k">{objective.name}</span>
      <span class="v">
        {text}
        {unit && <small>{unit}</small>}
        {row > 0 && <Delta objective={objective} from={column[0]} value={value} />}
      </span>
      <Spark points={bestSoFar(shown, objective, 'evaluations')} />
    </div>
  );
}

/** Evaluations a second over the last minute of the run that is shown. */
function rateOf(shown: RunModel): string {
  const { time, ended, count: rows } = shown.table;
  const now = isReplay.value ? (shown.lastAt - shown.startedAt) / 1000 : (daemonNow() - shown.startedAt) / 1000;
  let recent = 0;
  for (let row = rows - 1; row > 0 && row > rows - 4000; row--) if (ended[row] > 0 && time[row] > now - 60) recent++;
  if (shown.phase !== 'running') return '';
  const rate = recent / Math.max(1, Math.min(60, now));
  return rate >= 10 ? `${Math.round(rate)}/s` : `${rate.toFixed(1)}/s`;
}

function EvaluationsCell({ shown }: { shown: RunModel }) {
  return (
    <div class="cell evals">
      <span class="k">evaluations</span>
      <span class="v">
        <span data-figure="evaluations">{shown.counters.evaluations}</span>
        <small>{rateOf(shown)}</small>
      </span>
    </div>
  );
}

function BudgetCell({ shown }: { shown: RunModel }) {
  const { budget, counters } = shown;
  const used = shownMs(shown);
  const shares: [string, number][] = [];
  if (budget.evaluations) shares.push([`of ${count(budget.evaluations)} evaluations`, counters.evaluations / budget.evaluations]);
  if (budget.proposals) shares.push([`of ${count(budget.proposals)} proposals`, counters.proposals / budget.proposals]);
  if (budget.time_ms) shares.push([`of ${clock(budget.time_ms / 1000)}`, used / budget.time_ms]);
  const [first] = shares.sort((a, b) => b[1] - a[1]);
  const left = budget.time_ms ? Math.max(0, budget.time_ms - used) / 1000 : null;
  const money = shown.modelUsed ? `${shown.usd === null ? 'price unknown' : dollars(shown.usd)} · ${count(shown.tokens)} tokens` : 'no model, no money';
  const share = first ? Math.min(1, first[1]) : 0;
  return (
    <div class="cell budget">
      <span class="k">
        <span>{first ? `budget ${percent(share, 0)} ${first[0]}` : 'no budget set'}</span>
        {left !== null && !isOver(shown.phase) && <b>{clock(left)} left</b>}
      </span>
      <svg class="meter" width="100%" height="4" aria-hidden="true">
        <rect width="100%" height="4" class="meter-all" />
        <rect width={`${share * 100}%`} height="4" class={share >= 0.9 ? 'meter-used high' : 'meter-used'} />
      </svg>
      <span class="k under">
        <span>{money}</span>
        <button class="link" disabled={hindrance(liveModel(), 'set_budget') !== ''} onClick={() => (asking.value = { name: 'set_budget', number: -1 })}>
          change
        </button>
      </span>
    </div>
  );
}

function GuardCell({ shown }: { shown: RunModel }) {
  const troubled = [...shown.breakers.values()].filter((breaker) => breaker.state !== 'closed');
  const rate = shown.rate.at(-1)?.value;
  return (
    <dl class="cell pair guard">
      <dt>breaker</dt>
      <dd>
        {troubled.length === 0 ? <Icon name="tick" size={12} tone="better" /> : <Icon name="warn" size={12} tone="worse" />}
        {troubled.length === 0 ? 'closed' : `${troubled[0].name} ${troubled[0].state.replace('_', '-')}`}
      </dd>
      <dt>learning rate</dt>
      <dd>{rate === undefined ? '–' : rate.toFixed(3)}</dd>
    </dl>
  );
}

function IsolationCell({ shown }: { shown: RunModel }) {
  return (
    <div class="cell iso">
      <span class="k">isolation</span>
      <span class="v">{shown.isolation || '–'}</span>
    </div>
  );
}

function AlertCell({ shown }: { shown: RunModel }) {
  const open = shown.alerts.filter((alert) => !acknowledged.value.has(alertId(shown.runId, alert.key)));
  const serious = open.some((alert) => alert.severity === 'serious');
  return (
    <a class={serious ? 'cell alertcell serious' : 'cell alertcell'} href="#place=alerts" onClick={(event) => { event.preventDefault(); go({ place: 'alerts' }); }}>
      <span class="k">alerts</span>
      <span class="v">
        {open.length > 0 && <Icon name="warn" size={14} tone={serious ? 'worse' : 'warned'} />}
        {open.length}
      </span>
    </a>
  );
}

/** What the connection is, in a word, and why. */
export function connectionWords(): { word: string; note: string; tone: 'ok' | 'warn' | 'fail' } {
  const { phase, retryAt } = link.value;
  if (isReplay.value) return { word: 'replay', note: 'the past', tone: 'warn' };
  if (phase === 'open') {
    if (outdated.value) return { word: 'reload', note: 'the daemon is newer', tone: 'warn' };
    return { word: 'live', note: latency.value === null ? '' : `${Math.max(1, Math.round(latency.value))} ms`, tone: 'ok' };
  }
  if (phase === 'waiting') {
    const seconds = Math.max(0, Math.ceil((retryAt - performance.now()) / 1000));
    return { word: 'disconnected', note: `again in ${seconds} s`, tone: 'fail' };
  }
  return { word: phase === 'closed' ? 'closed' : 'connecting', note: '', tone: 'warn' };
}

function ConnectionCell() {
  const { word, note, tone } = connectionWords();
  return (
    <div class="cell conn">
      <span class="k">connection</span>
      <span class="v small" role="status">
        <Icon name={tone === 'ok' ? 'tick' : 'warn'} size={12} tone={tone === 'ok' ? 'better' : tone === 'fail' ? 'worse' : 'warned'} />
        {word}
        <small>{gaps.value > 0 ? `${note}, ${gaps.value} gaps refilled` : note}</small>
      </span>
    </div>
  );
}

/** Whether the figures may be old although nothing says so. */
export const isStale = (sinceMs: number): boolean => link.value.phase !== 'open' && sinceMs > STALE_MS;

function Controls() {
  told.value;
  const live = liveModel();
  const button = (name: CommandName, text: string, icon: 'pause' | 'play' | 'stop', main: boolean) => {
    const why = hindrance(live, name);
    const busy = sending.value.has(name);
    // On a phone a pocket may press it: there even a pause asks first.
    const act = (): void => {
      const asks = name === 'stop_evolution' || matchMedia('(max-width: 720px)').matches;
      if (asks) asking.value = { name, number: -1 };
      else void give(name, 'by hand, on the page');
    };
    return (
      <button class={main ? 'btn main-act' : 'btn'} disabled={why !== '' || busy} title={why || undefined} onClick={act}>
        <Icon name={icon} size={14} /> {text}
      </button>
    );
  };
  return (
    <div class="controls" role="group" aria-label="Control the run">
      {button('pause_evolution', 'Pause', 'pause', live.phase === 'running')}
      {button('resume_evolution', 'Resume', 'play', live.phase === 'paused')}
      {button('stop_evolution', 'Stop', 'stop', false)}
    </div>
  );
}
