// The reducer against real recorded logs and the engine's own summaries of the same runs.
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { LogRecord } from '../wire/wire';
import { Fate, MAX_CANDIDATES, Mark } from './candidates';
import { fold } from './fold';
import { sliceAt } from './slice';
import { MAX_HISTORY, activeMs, emptyModel, pathTo, pushThinned } from './model';

function recorded(name: string): LogRecord[] {
  const text = readFileSync(new URL(`../../dev/recorded/${name}.jsonl`, import.meta.url), 'utf8');
  return text.trim().split('\n').map((line) => JSON.parse(line) as LogRecord);
}

function folded(name: string, until = Infinity) {
  const model = emptyModel();
  for (const record of recorded(name)) if (record.seq <= until) fold(model, record);
  return model;
}

describe('a recorded run', () => {
  it('comes to the counts that the engine printed', () => {
    const model = folded('slow_report');
    expect(model.counters.evaluations).toBe(57);
    expect(model.counters.proposals).toBe(71);
    expect(model.counters.viable).toBe(45);
    expect(model.counters.rejected).toBe(10);
    expect(model.counters.accepted).toBe(8);
    expect(model.counters.gates).toEqual({ tests: 9, wrong: 1 });
    expect(model.counters.outcomes).toEqual({ ok: 45, wrong: 10 });
    expect(model.champions.map((step) => step.number)).toEqual([0, 1, 11, 17, 27, 34, 39, 50, 53]);
    expect([...model.front]).toEqual([53]);
    expect(model.hypervolume.at(-1)?.value).toBeCloseTo(0.7217476490883308, 12);
    expect(model.phase).toBe('paused');
    expect(model.isolation).toBe('L2');
    expect(model.table.score[53]).toBeCloseTo(0.7969300110557703, 6);
  });

  it('keeps two objectives and their front', () => {
    const model = folded('small_or_fast');
    expect(model.objectives.map((objective) => objective.name)).toEqual(['time', 'size']);
    for (const number of model.front) expect(model.table.marks[number] & Mark.front).toBeTruthy();
    expect(model.counters.evaluations).toBe(120);
    expect(model.phase).toBe('finished');
    expect(model.underWay.size).toBe(0);
    expect(model.alerts.map((alert) => alert.kind)).toContain('budget');
  });

  it('takes a baseline that fails cases as viable, as the engine does', () => {
    const model = folded('broken_toolbox');
    expect(model.table.fate[0]).toBe(Fate.accepted);
    expect(model.hypervolume.map((point) => point.value)).toEqual([
      0.6666666666666666, 0.6666666666666666, 0.6818181818181818, 0.7307692307692308,
    ]);
  });

  it('gives at sequence N what a fold up to N gives, whatever came between', () => {
    const whole = recorded('slow_report');
    const model = emptyModel();
    for (const record of whole) {
      fold(model, record);
      if (record.seq % 60 !== 0) continue;
      const fresh = folded('slow_report', record.seq);
      expect(model.counters).toEqual(fresh.counters);
      expect(model.champion).toBe(fresh.champion);
      expect(model.table.fate.slice(0, model.table.count)).toEqual(fresh.table.fate.slice(0, fresh.table.count));
    }
  });

  it('ignores what it has seen and counts what it does not know', () => {
    const model = folded('slow_report');
    const before = model.counters.evaluations;
    for (const record of recorded('slow_report')) expect(fold(model, record)).toBe(false);
    expect(model.counters.evaluations).toBe(before);
    fold(model, { seq: model.seq + 1, event_type: 'something_new', timestamp: '2026-11-21T09:00:00Z', data: {} });
    expect(model.unknown).toBe(1);
  });

  it('adds what models cost as the engine does: discarded answers too, and one unknown price makes the sum unknown', () => {
    const model = folded('slow_report');
    const llm = (cost_usd: number | null) => ({ calls: 1, input: 900, cached: 0, reasoning: 0, output: 100, cost_usd });
    const pay = (cost_usd: number | null): void => {
      const cost = { wall_s: 1, cpu_s: 0, launches: 0, llm: llm(cost_usd) };
      const data = { number: 72, outcome: 'no_change', reason: 'it changes nothing', exhausted: false, cost };
      fold(model, { seq: model.seq + 1, run_id: model.runId, event_type: 'proposal_discarded', timestamp: '2026-11-21T09:00:00Z', data });
    };
    expect([model.modelUsed, model.usd, model.tokens]).toEqual([false, 0, 0]);
    pay(0.25);
    pay(0.5);
    expect([model.modelUsed, model.usd, model.tokens]).toEqual([true, 0.75, 2000]);
    const priced = model.seq;
    pay(null);
    pay(0.5);
    expect([model.usd, model.tokens]).toEqual([null, 4000]);
    const cut = sliceAt(model, priced);
    expect([cut.usd, cut.tokens]).toEqual([0.75, 2000]);
  });

  it('draws the path to the champion from the baseline', () => {
    const model = folded('slow_report');
    const path = pathTo(model, model.champion);
    expect(path[0]).toBe(0);
    expect(path.at(-1)).toBe(53);
    expect(model.table.generation[53]).toBe(path.length - 1);
  });
});

describe('limits', () => {
  it('thins a history and keeps both ends', () => {
    const history: number[] = [];
    for (let value = 0; value <= MAX_HISTORY; value++) pushThinned(history, value);
    expect(history.length).toBeLessThan(MAX_HISTORY);
    expect(history[0]).toBe(0);
    expect(history.at(-1)).toBe(MAX_HISTORY);
  });

  it('counts rows beyond the table instead of growing without end', () => {
    const model = folded('slow_report');
    const data = { number: MAX_CANDIDATES, proposer: 'ast', operator: 'speed', parents: [0], learning_rate: 0.1 };
    fold(model, { seq: 9999, event_type: 'proposal_requested', timestamp: '2026-11-21T09:00:00Z', data });
    expect(model.overflow).toBe(1);
    expect(model.table.count).toBeLessThan(MAX_CANDIDATES);
  });

  it('a paused run still spends wall time, one whose process is gone and a finished one do not', () => {
    const interrupted = folded('slow_report');
    expect(activeMs(interrupted, interrupted.lastAt + 5000)).toBe(activeMs(interrupted, interrupted.lastAt));
    const paused = { ...interrupted, pauseReason: 'by hand' };
    expect(activeMs(paused, paused.lastAt + 5000)).toBe(activeMs(paused, paused.lastAt) + 5000);
    const finished = folded('small_or_fast');
    expect(activeMs(finished, finished.lastAt + 5000)).toBe(activeMs(finished, finished.lastAt));
  });
});
