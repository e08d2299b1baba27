// What wants a person: safety, cheating, breakers, budgets, thresholds, stalls. Each names its event; acknowledging hides it
// on this device. Below them, every command that was given and what became of it.
import { Seg } from '../parts/controls';
import { clock } from '../parts/figures';
import { Grid } from '../parts/grid';
import { Icon } from '../parts/icons';
import type { Alert } from '../run/alerts';
import { numberOf } from '../protocol/records';
import { acknowledge, acknowledged, alertId, go, model, told } from '../state/store';
import { signal } from '@preact/signals';

const which = signal<'open' | 'all'>('open');

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
          {listed.length === 0 && <li class="state-note">Nothing wants your attention.</li>}
        </ul>
      </section>
      <section class="panel" aria-labelledby="h-commands">
        <header>
          <h2 id="h-commands">Commands given</h2>
          <span class="muted fine clip">each with its reason, as the log has it</span>
        </header>
        <Grid
          name="Commands"
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
