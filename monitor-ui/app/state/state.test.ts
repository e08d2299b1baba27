// The address, the feed, the saved tables, the alerts and the gates: everything of the page that is words.
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { gatesOf } from '../inspector/gates';
import { treeSlots } from '../charts/tree';
import { axisText, clock, count, figure, measured } from '../parts/figures';
import { toCsv } from '../parts/csv';
import type { LogRecord } from '../wire/wire';
import { numberOf } from '../protocol/records';
import { Fate } from '../run/candidates';
import { fold } from '../run/fold';
import { frontOf, improvement } from '../run/measure';
import { emptyModel } from '../run/model';
import { listRows } from '../run/rows';
import { FEED_LINES, Feed, lineOf } from './feed';
import { FRESH, readView, takeToken, writeView } from './url';

function recorded(name: string) {
  const text = readFileSync(new URL(`../../dev/recorded/${name}.jsonl`, import.meta.url), 'utf8');
  const records = text.trim().split('\n').map((line) => JSON.parse(line) as LogRecord);
  const model = emptyModel();
  for (const record of records) fold(model, record);
  return { records, model };
}

describe('the address', () => {
  it('says only what differs, and gives it back', () => {
    expect(writeView(FRESH)).toBe('#');
    const view = { ...FRESH, place: 'front' as const, pick: 34, against: '12', twin: true, at: 99, query: 'a b&c' };
    expect(readView(writeView(view))).toEqual(view);
  });

  it('takes nothing that makes no sense', () => {
    const view = readView('#place=nowhere&pick=-4&tab=%00&speed=7&at=x&mode=tree&unknown=1');
    expect(view).toEqual({ ...FRESH, mode: 'tree' });
    expect(readView(`#query=${'x'.repeat(5000)}`).query.length).toBe(200);
  });

  it('gives up the token and keeps the rest', () => {
    expect(takeToken('#t=secret&place=front')).toEqual({ token: 'secret', rest: '#place=front' });
    expect(takeToken('#place=front').token).toBeNull();
    expect(writeView(readView('#t=secret'))).not.toContain('secret');
  });
});

describe('the feed', () => {
  it('keeps its length, its order and its filter', () => {
    const { records, model } = recorded('slow_report');
    const feed = new Feed();
    const many = FEED_LINES + 10;
    for (let index = 0; index < many; index++) feed.push({ ...lineOf(records[index % records.length], model), seq: index + 1 });
    expect(feed.dropped).toBe(10);
    const all = feed.latest('all', many);
    expect(all).toHaveLength(FEED_LINES);
    expect(all[0].seq).toBe(many);
    expect(all.at(-1)?.seq).toBe(11);
    expect(feed.latest('rejected', 50).every((line) => /rejected|safety/.test(line.type))).toBe(true);
    expect(feed.latest('all', 1, 100)[0].seq).toBe(100);
  });

  it('has words for every recorded event', () => {
    for (const name of ['slow_report', 'small_or_fast', 'broken_toolbox']) {
      const { records, model } = recorded(name);
      for (const record of records) expect(lineOf(record, model).text, record.event_type).not.toBe('');
    }
  });
});

describe('saved tables', () => {
  it('quote what needs it and defuse formulas', () => {
    expect(toCsv(['a', 'b'], [['x,"y"', 1], ['=cmd()', NaN], [null, '-1']])).toBe('a,b\r\n"x,""y""",1\r\n\'=cmd(),\r\n,\'-1\r\n');
  });
});

describe('figures', () => {
  it('never round a count and always shorten a measurement', () => {
    expect(count(1234567)).toBe('1\u202f234\u202f567');
    expect(figure(0.123456)).toBe('0.1235');
    expect(figure(-3)).toBe('\u22123');
    expect(figure(NaN)).toBe('–');
    expect(measured(0.0076, 's')).toEqual(['7.6', 'ms']);
    expect(clock(3725)).toBe('1:02:05');
    expect(axisText(0.2, 'number', [0, 0.2])).toBe('0.2');
  });

  it('know better from worse in both directions', () => {
    const base = { name: 'x', unit: null, weight: 1, threshold: null, bound: null };
    expect(improvement({ ...base, direction: 'minimize' }, 2, 1)).toBe(0.5);
    expect(improvement({ ...base, direction: 'maximize' }, 2, 1)).toBe(-0.5);
    expect(improvement({ ...base, direction: 'maximize' }, 0, 1)).toBeNull();
  });

  it('read the number off an id', () => {
    expect(numberOf('7a8925bbf1d7-53')).toBe(53);
    expect(numberOf('')).toBe(-1);
    expect(numberOf('no-number')).toBe(-1);
  });
});

describe('fronts and trees', () => {
  it('the sweep finds what the definition says', () => {
    const xs = [3, 1, 2, 2, 5, 1, 4];
    const ys = [3, 5, 4, 4, 1, 6, 2];
    const rows = xs.map((_, row) => row);
    const dominated = (a: number): boolean =>
      rows.some((b) => xs[b] <= xs[a] && ys[b] <= ys[a] && (xs[b] < xs[a] || ys[b] < ys[a]));
    const front = frontOf(rows, (row) => xs[row], (row) => ys[row]);
    expect([...front].sort()).toEqual(rows.filter((row) => !dominated(row)).sort());
  });

  it('the flat front of two objectives is the engine’s own', () => {
    const { model } = recorded('small_or_fast');
    const rows = [...Array(model.table.count).keys()].filter((row) => [Fate.archived, Fate.accepted].includes(model.table.fate[row] as never));
    const front = frontOf(rows, (row) => model.table.scores[0][row], (row) => model.table.scores[1][row]);
    const points = new Set(front.map((row) => `${model.table.scores[0][row]} ${model.table.scores[1][row]}`));
    const theirs = new Set([...model.front].map((row) => `${model.table.scores[0][row]} ${model.table.scores[1][row]}`));
    expect(points).toEqual(theirs);
  });

  it('every parent of a tree stands between its children', () => {
    const { table } = recorded('slow_report').model;
    const slots = treeSlots(table);
    const leaves = [...slots].filter((slot) => Number.isInteger(slot));
    expect(leaves.length).toBeGreaterThan(10);
    for (let row = 1; row < table.count; row++) {
      const siblings = [...Array(table.count).keys()].filter((other) => table.parent[other] === table.parent[row] && !Number.isNaN(slots[other]));
      if (Number.isNaN(slots[row]) || siblings.length === 0) continue;
      const parent = slots[table.parent[row]];
      expect(parent).toBeGreaterThanOrEqual(Math.min(...siblings.map((other) => slots[other])));
      expect(parent).toBeLessThanOrEqual(Math.max(...siblings.map((other) => slots[other])));
    }
  });
});

describe('why a candidate was refused', () => {
  it('every rejected candidate has exactly one deciding gate with its event', () => {
    for (const name of ['slow_report', 'small_or_fast', 'broken_toolbox']) {
      const { model } = recorded(name);
      for (const row of listRows(model, 'rejected', '', 'number')) {
        const deciding = gatesOf(model, row, null).filter((gate) => gate.decides);
        expect(deciding).toHaveLength(1);
        expect(deciding[0].state).toBe('fail');
        expect(deciding[0].text).not.toBe('');
        expect(deciding[0].note).toBe(`seq ${model.table.seq[row]}`);
      }
    }
  });
});

describe('lists', () => {
  it('sort with the unknown last and find by words and numbers', () => {
    const { model } = recorded('small_or_fast');
    const up = listRows(model, 'all', '', 'o:time').map((row) => model.table.scores[0][row]);
    const known = up.filter((value) => !Number.isNaN(value));
    expect(up.slice(0, known.length)).toEqual([...known].sort((a, b) => a - b));
    expect(listRows(model, 'all', '#12', 'number')).toContain(12);
    expect(listRows(model, 'rejected', 'tests', 'number').length).toBeGreaterThan(0);
    expect(listRows(model, 'front', '', 'number').sort()).toEqual([...model.front].sort());
  });
});
