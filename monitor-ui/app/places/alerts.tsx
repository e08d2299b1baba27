// What wants a person: safety, cheating, breakers, budgets, thresholds, stalls. Each names its event; acknowledging hides it
// on this device. Below them, every command that was given and what became of it.
import { Seg } from '../parts/controls';
import { clock } from '../parts/figures';
import { Grid } from '../parts/grid';
import { Icon } from '../parts/icons';
import type { Alert } from '../run/alerts';
import { numberOf } from '../protocol/records';
import type { RunModel } from '../run/model';
import { acknowledge, acknowledged, alertId, go, model, told } from '../state/store';
import { signal } from '@preact/signals';

const which = signal<'open' | 'all'>('open');

/** What is watched for, in the order of how much it matters. */
const WATCHED: readonly (readonly [Alert['kind'], string, string])[] = [
  ['safety', 'Safety', 'the sandbox denied something'],
  ['cheating', 'Tampering', 'a result was forged, a judge changed'],
  ['breaker', 'Breakers', 'faults opened one'],
  ['machinery', 'Machinery', 'an evaluation could not be carried out'],
  ['rollback', 'Rollbacks', 'one could not be verified'],
  ['budget', 'Budget', 'nearly spent, or spent'],
  ['jump', 'Jumps', 'a gain too large to trust unseen'],
  ['stalled', 'Progress', 'no better champion for long'],
  ['threshold', 'Thresholds', 'an objective met one'],
];

/** What would stand in the list, and how often each was raised: an empty list says more when it is known what it waits for. */
function Watch({ shown }: { shown: RunModel }) {
  return (
    <section class="watch" aria-labelledby="h-watch">
      <h3 id="h-watch" class="muted">
        Watched for
      </h3>
      <ul>
        {WATCHED.map(([kind, name, when]) => {
        const times = shown.alerts.filter((alert) => alert.kind === kind).length;
        return (
          <li key={kind}>
            <Icon name={times > 0 ? 'ring' : 'tick'} size={14} tone={times > 0 ? 'same' : 'better'} />
            <span>
              {name} <span class="muted">{when}</span>
            </span>
            <span class="muted">{times > 0 ? `${times} raised` : 'none'}</span>
          </li>
        );
      })}
      </ul>
    </section>
  );
}

export function AlertsPlace() {
  told.value;
  const shown = model();
  const isOpen = (alert: Alert): boolean => !acknowledged.value.has(alertId(shown.runId, alert.key));
  const open = shown.alerts.filter(isOpen);
  const listed = [...(which.value === 'open' ? open : shown.alerts)].reverse();
  const dropped = shown.alertCount - shown.alerts.length;
  return (
    <main class="main alerts-place" id="place" tabIndex={-1}>
      <section class="panel" aria-labelledby="h-alerts">
        <header>
          <h2 id="h-alerts">Alerts</h2>
          <Seg name="Which" options={[['open', `Open ${open.length}`], ['all', `All ${shown.alerts.length}`]]} value={which.value} onChange={(value) => (which.value = value)} />
          <span class="grow" />
          <button class="btn small" disabled={open.length === 0} onClick={() => acknowledge(open.map((alert) => alertId(shown.runId, alert.key)))}>
            Acknowledge all
          </button>
        </header>
        {dropped > 0 && <p class="less">Shown less than everything: {dropped} older alerts are only in the log.</p>}
        <ul class="alert-list" tabIndex={0} aria-label="Alerts, newest first">
          {listed.map((alert) => (
            <li key={alert.key} class={`alert ${alert.severity}`}>
              <Icon name={alert.severity === 'note' ? 'ring' : 'warn'} size={16} tone={alert.severity === 'serious' ? 'worse' : alert.severity === 'warning' ? 'warned' : 'same'} />
              <div>
                <p>
                  <b>{alert.title}</b>
                  <span class="muted">
                    {alert.severity}, {alert.kind}
                  </span>
                </p>
                <p class="why">{alert.detail}</p>
                <p class="facts">
                  <span>
                    <i>at</i>
                    {clock(alert.time)}
                  </span>
                  <button class="link" onClick={() => go({ at: alert.seq })}>
                    event {alert.seq}
                  </button>
                  {alert.number >= 0 && (
                    <button class="link" onClick={() => go({ pick: alert.number })}>
                      candidate #{alert.number}
                    </button>
                  )}
                </p>
              </div>
              {isOpen(alert) ? (
                <button class="btn small" onClick={() => acknowledge([alertId(shown.runId, alert.key)])}>
                  Acknowledge
                </button>
              ) : (
                <span class="muted">acknowledged here</span>
              )}
            </li>
          ))}
          {listed.length === 0 && (
            <li class="state-note">{shown.alertCount > 0 ? 'Nothing more wants your attention: all of it is acknowledged on this device.' : 'Nothing wants your attention.'}</li>
          )}
        </ul>
        <Watch shown={shown} />
      </section>
      <section class="panel" aria-labelledby="h-commands">
        <header>
          <h2 id="h-commands">Commands given</h2>
          <span class="muted fine clip">each with its reason, as the log has it</span>
        </header>
        <Grid
          name="Commands"
          none="No command was given."
          rows={[...shown.commands].reverse()}
          rowKey={(note) => note.seq}
          onPick={(note) => numberOf(note.target) >= 0 && go({ pick: numberOf(note.target) })}
          columns={[
            { key: 'seq', head: 'seq', width: '64px', right: true, cell: (note) => note.seq, plain: (note) => note.seq },
            { key: 'time', head: 'at', width: '64px', right: true, cell: (note) => clock(note.time), plain: (note) => note.time },
            { key: 'command', head: 'command', width: '176px', cell: (note) => note.command.replaceAll('_', ' '), plain: (note) => note.command },
            { key: 'target', head: 'candidate', width: '88px', cell: (note) => (note.target ? `#${numberOf(note.target)}` : ''), plain: (note) => note.target },
            { key: 'outcome', head: 'outcome', width: 'minmax(90px,1fr)', cell: (note) => (note.refused ? `refused: ${note.refused}` : 'obeyed'), plain: (note) => note.refused ?? 'obeyed' },
            { key: 'reason', head: 'reason', width: 'minmax(90px,2fr)', cell: (note) => note.reason || '–', plain: (note) => note.reason },
          ]}
        />
      </section>
    </main>
  );
}
