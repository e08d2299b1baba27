// A cut at N must equal a fold that stops at N: over every recorded log, at every single event.
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { LogRecord } from '../wire/wire';
import { Fate } from './candidates';
import { fold } from './fold';
import type { RunModel } from './model';
import { emptyModel } from './model';
import { seqAt, secondsAt, sliceAt } from './slice';

function recorded(name: string): LogRecord[] {
  const text = readFileSync(new URL(`../../dev/recorded/${name}.jsonl`, import.meta.url), 'utf8');
  return text.trim().split('\n').map((line) => JSON.parse(line) as LogRecord);
}

function gist(model: RunModel) {
  const { table } = model;
  const column = <T extends { slice(from: number, to: number): Iterable<number> }>(of: T) => [...of.slice(0, table.count)];
  return {
    seq: model.seq,
    phase: model.phase,
    counters: model.counters,
    champion: model.champion,
    champions: model.champions.length,
    front: [...model.front].sort(),
    hypervolume: model.hypervolume.at(-1)?.value,
    rate: model.rate.at(-1)?.value,
    alerts: model.alerts.map((alert) => alert.key),
    arms: model.arms,
    count: table.count,
    fate: column(table.fate),
    marks: column(table.marks),
    time: column(table.time),
    breakers: [...model.breakers.values()].map((breaker) => [breaker.name, breaker.state]),
    underWay: [...model.underWay.keys()].filter((number) => table.fate[number] === Fate.evaluating).sort(),
  };
}

function checkEveryEvent(records: LogRecord[], stride = 1): void {
  const whole = emptyModel();
  for (const record of records) fold(whole, record);
  const growing = emptyModel();
  for (const record of records) {
    fold(growing, record);
    if (record.seq % stride === 0 && record.seq > 2) expect(gist(sliceAt(whole, record.seq))).toEqual(gist(growing));
  }
}

describe('a cut of the run', () => {
  it.each(['slow_report', 'small_or_fast', 'broken_toolbox'])('%s: equals the fold at every event', (name) => {
    checkEveryEvent(recorded(name));
  });

  it('equals the fold through a revocation, a rollback, a pause and a breaker', () => {
    const records = recorded('slow_report');
    const id = (number: number) => `7a8925bbf1d7-${number}`;
    let seq = records.at(-1)!.seq;
    const add = (event_type: string, data: unknown) =>
      records.push({ seq: ++seq, event_type, timestamp: '2026-11-21T08:22:00.000Z', data });
    add('run_resumed', { reason: 'command', in_flight: [] });
    add('improvement_rejected', { modification_id: id(53), gate: 'verification', reason: 'a second look differed' });
    add('front_changed', { joined: [id(50)], left: [id(53)], size: 1, hypervolume: 0.7 });
    add('champion_changed', { modification_id: id(50), commit: 'x', previous: id(53), reason: 'improvement' });
    add('rollback_initiated', { modification_id: id(34), from: id(50), reason: 'try' });
    add('rollback_completed', { modification_id: id(34), from: id(50), verified: true, reason: 'equal', scores: {} });
    add('champion_changed', { modification_id: id(34), commit: 'y', previous: id(50), reason: 'rollback' });
    add('breaker_changed', { name: 'run', from: 'closed', to: 'open', reason: 'five failures in a row' });
    add('safety_violation', { modification_id: id(40), denials: { network: 2 }, reason: 'network denied' });
    add('run_paused', { reason: 'breaker' });
    add('run_finished', { stopped_by: 'interrupt' });
    checkEveryEvent(records);
  });

  it('maps seconds to events and back without going forward', () => {
    const model = emptyModel();
    for (const record of recorded('slow_report')) fold(model, record);
    for (const seconds of [0, 5, 20, 59]) expect(secondsAt(model, seqAt(model, seconds))).toBeLessThanOrEqual(seconds);
  });
});
