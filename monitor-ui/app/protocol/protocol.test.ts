// The wire: resume, gap, epoch change, reconnection, commands, snapshots and the binary columns.
import { describe, expect, it } from 'vitest';
import { decodeLineage, encodeLineage, frameBytes, NO_PARENT } from './columns';
import type { LineageColumns } from './columns';
import { parseFrame } from './frames';
import type { CommandFrame } from './frames';
import { DEAD_MS, Link, PING_MS, RETRY_LAST_MS } from './link';
import type { Handlers, Socket } from './link';

/** A daemon and a clock that do only what a test tells them. */
function setUp() {
  const sockets: (Socket & { sent: Record<string, unknown>[]; say(frame: object): void; bytes(data: ArrayBuffer): void; drop(): void })[] = [];
  const timers: { at: number; act: () => void; off: boolean }[] = [];
  const log: string[] = [];
  let clock = 0;
  const around = {
    connect(): Socket {
      const socket = {
        binaryType: '',
        sent: [] as Record<string, unknown>[],
        onopen: null as (() => void) | null,
        onmessage: null as ((event: { data: unknown }) => void) | null,
        onclose: null as ((event: { code: number }) => void) | null,
        send: (text: string) => void socket.sent.push(JSON.parse(text)),
        close: () => socket.onclose?.({ code: 1000 }),
        say: (frame: object) => socket.onmessage?.({ data: JSON.stringify(frame) }),
        bytes: (data: ArrayBuffer) => socket.onmessage?.({ data }),
        drop: () => socket.onclose?.({ code: 1006 }),
      };
      sockets.push(socket);
      queueMicrotask(() => socket.onopen?.());
      return socket;
    },
    now: () => clock,
    after(ms: number, act: () => void) {
      const timer = { at: clock + ms, act, off: false };
      timers.push(timer);
      return timer;
    },
    cancel: (timer: unknown) => {
      if (timer) (timer as { off: boolean }).off = true;
    },
    random: () => 0.5,
  };
  const on: Handlers = {
    status: (phase, retryAt) => log.push(phase === 'waiting' ? `waiting ${retryAt - clock}` : phase),
    hello: () => log.push('hello'),
    runs: (runs) => log.push(`runs ${runs.length}`),
    reset: () => log.push('reset'),
    goal: (_, seq) => log.push(`goal ${seq}`),
    delta: (delta) => log.push(`d ${delta.from}-${delta.to}`),
    snapshot: (frame, lineage) => log.push(`snap ${frame.seq} ${lineage?.byteLength ?? 'none'}`),
    latency: (ms) => log.push(`latency ${ms}`),
    problem: (code) => log.push(`problem ${code}`),
    gaps: (count) => log.push(`gaps ${count}`),
  };
  const link = new Link(around, on);
  const advance = (ms: number): void => {
    const until = clock + ms;
    for (;;) {
      const next = timers.filter((timer) => !timer.off && timer.at <= until).sort((a, b) => a.at - b.at)[0];
      if (!next) break;
      next.off = true;
      clock = next.at;
      next.act();
    }
    clock = until;
  };
  return { link, sockets, log, advance, latest: () => sockets[sockets.length - 1] };
}

const hello = (epoch = 'a') => ({ t: 'hello', proto: 1, epoch, seq: 9, server: 's', schema: '1', caps: [], role: 'operator', now: 0, runs: [] });
const subs = (socket: { sent: Record<string, unknown>[] }) => socket.sent.filter((frame) => frame.t === 'sub' && frame.topic === 'events');

async function connected(run = 'r') {
  const all = setUp();
  all.link.open();
  await Promise.resolve();
  all.latest().say(hello());
  all.link.follow(run);
  return all;
}

describe('frames', () => {
  it('come to nothing when they are no frames', () => {
    expect(parseFrame('nonsense')).toBeNull();
    expect(parseFrame('[]')).toBeNull();
    expect(parseFrame('{"t":"d","ev":5}')).toBeNull();
    expect(parseFrame('{"t":"pong","now":1,"more":true}')).toEqual({ t: 'pong', now: 1, more: true });
  });
});

describe('the link', () => {
  it('asks from the beginning and takes deltas in order', async () => {
    const { latest, log } = await connected();
    const [sub] = subs(latest());
    expect(sub.from).toBeUndefined();
    latest().say({ t: 'resume', id: sub.id, run: 'r', epoch: 'a', from: 0, to: 9 });
    latest().say({ t: 'd', id: sub.id, run: 'r', from: 1, to: 5, ev: [] });
    latest().say({ t: 'd', id: sub.id, run: 'r', from: 6, to: 9, ev: [] });
    expect(log).toContain('goal 9');
    expect(log.slice(-2)).toEqual(['d 1-5', 'd 6-9']);
  });

  it('asks again from where it was when something is missing', async () => {
    const { latest, log } = await connected();
    const [sub] = subs(latest());
    latest().say({ t: 'resume', id: sub.id, run: 'r', epoch: 'a', from: 0, to: 5 });
    latest().say({ t: 'd', id: sub.id, run: 'r', from: 1, to: 5, ev: [] });
    latest().say({ t: 'd', id: sub.id, run: 'r', from: 8, to: 9, ev: [] });
    expect(log.at(-1)).toBe('gaps 1');
    expect(subs(latest()).at(-1)?.from).toEqual({ epoch: 'a', seq: 5 });
    const again = subs(latest()).at(-1);
    latest().say({ t: 'd', id: sub.id, run: 'r', from: 6, to: 7, ev: [] });
    expect(log.at(-1)).toBe('gaps 1');
    latest().say({ t: 'd', id: again?.id, run: 'r', from: 6, to: 9, ev: [] });
    expect(log.at(-1)).toBe('d 6-9');
    latest().say({ t: 'gap', id: again?.id, run: 'r', from: 10, to: 20 });
    expect(subs(latest()).at(-1)?.from).toEqual({ epoch: 'a', seq: 9 });
  });

  it('goes on where it was after a reconnection, and waits longer each time', async () => {
    const { latest, log, advance, sockets } = await connected();
    const [sub] = subs(latest());
    latest().say({ t: 'resume', id: sub.id, run: 'r', epoch: 'a', from: 0, to: 5 });
    latest().say({ t: 'd', id: sub.id, run: 'r', from: 1, to: 5, ev: [] });
    latest().drop();
    expect(log.at(-1)).toBe('waiting 250');
    advance(250);
    latest().drop();
    expect(log.at(-1)).toBe('waiting 500');
    for (let turn = 0; turn < 12; turn++) {
      advance(20_000);
      latest().drop();
    }
    expect(log.at(-1)).toBe(`waiting ${RETRY_LAST_MS}`);
    advance(RETRY_LAST_MS);
    latest().say(hello());
    expect(subs(latest())[0].from).toEqual({ epoch: 'a', seq: 5 });
    expect(log).not.toContain('reset');
    expect(sockets.length).toBeGreaterThan(10);
  });

  it('forgets everything when the log is another one', async () => {
    const { latest, log, advance } = await connected();
    const [sub] = subs(latest());
    latest().say({ t: 'resume', id: sub.id, run: 'r', epoch: 'a', from: 0, to: 5 });
    latest().say({ t: 'd', id: sub.id, run: 'r', from: 1, to: 5, ev: [] });
    latest().drop();
    advance(250);
    latest().say(hello('b'));
    const [again] = subs(latest());
    expect(again.from).toEqual({ epoch: 'a', seq: 5 });
    expect(log).not.toContain('reset');
    latest().say({ t: 'resume', id: again.id, run: 'r', epoch: 'b', from: 0, to: 3 });
    expect(log).toContain('reset');
  });

  it('hands over a snapshot with its columns and goes on after it', async () => {
    const { latest, log } = await connected();
    const [sub] = subs(latest());
    latest().bytes(new ArrayBuffer(32));
    latest().say({ t: 'snap', id: sub.id, run: 'r', epoch: 'a', seq: 500, state: {} });
    latest().say({ t: 'd', id: sub.id, run: 'r', from: 501, to: 502, ev: [] });
    expect(log.slice(-3)).toEqual(['reset', 'snap 500 32', 'd 501-502']);
  });

  it('sends a command again after a reconnection, under the same id, until it is answered', async () => {
    const { link, latest, advance } = await connected();
    const frame: CommandFrame = { t: 'cmd', id: 'c1', name: 'pause_evolution', run: 'r', args: {}, reason: 'x' };
    const answer = link.command(frame);
    expect(latest().sent.at(-1)?.id).toBe('c1');
    latest().drop();
    advance(250);
    latest().say(hello());
    expect(latest().sent.filter((sent) => sent.id === 'c1')).toHaveLength(1);
    latest().say({ t: 'ack', id: 'c1', ok: true, seq: 12 });
    expect(await answer).toMatchObject({ ok: true, seq: 12 });
    latest().drop();
    advance(250);
    latest().say(hello());
    expect(latest().sent.some((sent) => sent.id === 'c1')).toBe(false);
  });

  it('notices a dead socket by its silence', async () => {
    const { log, advance, latest } = await connected();
    latest().say({ t: 'pong', now: 0 });
    expect(log.at(-1)).toBe('latency 0');
    advance(DEAD_MS + PING_MS * 2);
    expect(log.some((line) => line.startsWith('waiting'))).toBe(true);
  });
});

describe('the binary columns', () => {
  const columns: LineageColumns = {
    epoch: 7,
    seq: 99,
    count: 3,
    objectives: 2,
    parent: Uint32Array.from([NO_PARENT, 0, 1]),
    parent2: Uint32Array.from([NO_PARENT, NO_PARENT, 0]),
    scores: [Float32Array.from([1, 0.5, NaN]), Float32Array.from([10, 20, 30])],
    time: Float32Array.from([0, 1.5, 2.5]),
    spent: Float32Array.from([NaN, NaN, NaN]),
    verdictSeq: Uint32Array.from([4, 9, 0]),
    fate: Uint8Array.from([5, 4, 3]),
    arm: Uint8Array.from([255, 0, 1]),
    gate: Uint8Array.from([255, 255, 255]),
    marks: Uint8Array.from([4, 3, 0]),
  };

  it('come back as they went, at their padded places', () => {
    const buffer = encodeLineage(columns);
    expect(buffer.byteLength).toBe(frameBytes(3, 2));
    expect(decodeLineage(buffer)).toEqual(columns);
    expect(new DataView(buffer).getUint32(12, true)).toBe(3);
  });

  it('are refused when cut short, of another kind, or lying about their length', () => {
    const buffer = encodeLineage(columns);
    expect(decodeLineage(buffer.slice(0, 8))).toBeNull();
    expect(decodeLineage(buffer.slice(0, buffer.byteLength - 1))).toBeNull();
    const other = buffer.slice(0);
    new DataView(other).setUint8(0, 9);
    expect(decodeLineage(other)).toBeNull();
    const lying = buffer.slice(0);
    new DataView(lying).setUint32(12, 0xffffffff, true);
    expect(decodeLineage(lying)).toBeNull();
  });
});
