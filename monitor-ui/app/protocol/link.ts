// The page's one socket: connects, asks for what is shown, checks that nothing is missing, reconnects and goes on where it
// was, and sends commands until each has its answer. It knows no run and draws nothing: what comes goes to the handlers.
import type { ClientFrame, Hello, RunHead, ServerFrame } from '../wire/wire';
import type { CommandFrame, Frame } from './frames';
import { parseFrame } from './frames';

/** First and longest wait before another attempt, milliseconds; in between it doubles, with a quarter of jitter. */
export const RETRY_FIRST_MS = 250;
export const RETRY_LAST_MS = 10_000;
/** How often the daemon is asked for a sign of life, and after what silence the socket counts as dead, milliseconds. */
export const PING_MS = 5_000;
export const DEAD_MS = 20_000;

export type LinkPhase = 'connecting' | 'open' | 'waiting' | 'closed';

export interface Socket {
  binaryType: string;
  send(text: string): void;
  close(): void;
  onopen: (() => void) | null;
  onmessage: ((event: { data: unknown }) => void) | null;
  onclose: ((event: { code: number }) => void) | null;
}

/** What the link needs of its surroundings; a test gives it others. */
export interface Surroundings {
  connect(): Socket;
  now(): number;
  after(ms: number, act: () => void): unknown;
  cancel(timer: unknown): void;
  random(): number;
}

export interface Handlers {
  status(phase: LinkPhase, retryAt: number): void;
  hello(hello: Hello): void;
  runs(runs: RunHead[]): void;
  /** The log is another one, or its state comes whole: forget what was folded. */
  reset(run: string): void;
  /** How far the answer to the subscription will go. */
  goal(run: string, seq: number): void;
  delta(delta: Frame<'d'>): void;
  snapshot(frame: Frame<'snap'>, lineage: ArrayBuffer | null): void;
  latency(ms: number): void;
  problem(code: string, message: string): void;
  gaps(count: number): void;
}

export type Answer = Pick<Frame<'ack'>, 'ok' | 'error' | 'seq'>;

export class Link {
  private socket: Socket | null = null;
  private attempts = 0;
  private run: string | null = null;
  /** Whether the daemon has greeted this socket: nothing is sent before. */
  private isGreeted = false;
  /** Which log `last` counts in. */
  private epoch = '';
  private last = 0;
  private subscription = 0;
  private lineage: ArrayBuffer | null = null;
  private pings: unknown = null;
  private pingAt = 0;
  private heardAt = 0;
  private gapCount = 0;
  private closed = false;
  private readonly waiting = new Map<string, { frame: CommandFrame; settle: (answer: Answer) => void }>();

  constructor(
    private readonly around: Surroundings,
    private readonly on: Handlers,
  ) {}

  open(): void {
    if (this.closed) return;
    this.on.status('connecting', 0);
    const socket = this.around.connect();
    socket.binaryType = 'arraybuffer';
    this.socket = socket;
    socket.onopen = () => {
      this.heardAt = this.around.now();
      this.watch();
    };
    socket.onmessage = ({ data }) => {
      this.heardAt = this.around.now();
      if (typeof data === 'string') this.take(parseFrame(data));
      else if (data instanceof ArrayBuffer) this.lineage = data;
    };
    socket.onclose = () => this.lost(socket);
  }

  close(): void {
    this.closed = true;
    this.around.cancel(this.pings);
    this.socket?.close();
    this.on.status('closed', 0);
  }

  /** Shows another run. Where `last` of the same run is known, only what follows it is asked for. */
  follow(run: string, last = 0): void {
    this.unsubscribe();
    this.run = run;
    this.last = last;
    this.subscribe();
  }

  command(frame: CommandFrame): Promise<Answer> {
    return new Promise((settle) => {
      this.waiting.set(frame.id, { frame, settle });
      this.send(frame);
    });
  }

  private send(frame: ClientFrame): void {
    if (this.socket && this.isGreeted) this.socket.send(JSON.stringify(frame));
  }

  private unsubscribe(): void {
    if (this.subscription > 0) this.send({ t: 'unsub', id: this.name() });
  }

  private name(): string {
    return `e${this.subscription}`;
  }

  private subscribe(): void {
    if (!this.run || !this.isGreeted) return;
    this.subscription += 1;
    this.lineage = null;
    const from = this.last > 0 ? { epoch: this.epoch, seq: this.last } : undefined;
    this.send({ t: 'sub', id: this.name(), topic: 'events', run: this.run, from });
  }

  private take(frame: ServerFrame | null): void {
    if (!frame) return;
    switch (frame.t) {
      case 'hello':
        return this.greeted(frame);
      case 'runs':
        return this.on.runs(frame.runs);
      case 'ack':
        this.waiting.get(frame.id)?.settle(frame);
        this.waiting.delete(frame.id);
        return;
      case 'pong':
        this.on.latency(this.around.now() - this.pingAt);
        return;
      case 'err':
        return this.on.problem(frame.code, frame.message);
      default:
        // An answer to a subscription that was given up is not for this run any more.
        if ('id' in frame && frame.id === this.name()) this.answered(frame);
    }
  }

  private greeted(hello: Hello): void {
    this.attempts = 0;
    this.isGreeted = true;
    this.on.status('open', 0);
    this.on.hello(hello);
    this.send({ t: 'sub', id: 'runs', topic: 'runs' });
    // `hello` may have chosen a run, which subscribed already; a second subscription replaces it.
    if (this.run && this.subscription === 0) this.subscribe();
    for (const { frame } of this.waiting.values()) this.send(frame);
    this.ping();
  }

  private answered(frame: Frame<'resume' | 'snap' | 'd' | 'gap'>): void {
    switch (frame.t) {
      case 'resume':
        this.epoch = frame.epoch;
        if (frame.from !== this.last) {
          this.last = frame.from;
          this.on.reset(frame.run);
        }
        return this.on.goal(frame.run, frame.to);
      case 'snap':
        this.epoch = frame.epoch;
        this.last = frame.seq;
        this.on.reset(frame.run);
        this.on.snapshot(frame, this.lineage);
        this.lineage = null;
        return;
      case 'd':
        if (frame.to <= this.last) return;
        if (frame.from > this.last + 1) return this.missed();
        this.last = frame.to;
        return this.on.delta(frame);
      case 'gap':
        return this.missed();
    }
  }

  /** Something is missing: asks again from the last record that is known, so that nothing stays missing. */
  private missed(): void {
    this.gapCount += 1;
    this.on.gaps(this.gapCount);
    this.unsubscribe();
    this.subscribe();
  }

  private watch(): void {
    this.around.cancel(this.pings);
    this.pings = this.around.after(PING_MS, () => {
      if (this.around.now() - this.heardAt > DEAD_MS) {
        this.socket?.close();
        return;
      }
      this.ping();
      this.watch();
    });
  }

  private ping(): void {
    this.pingAt = this.around.now();
    this.send({ t: 'ping' });
  }

  private lost(socket: Socket): void {
    if (this.socket !== socket) return;
    this.socket = null;
    this.isGreeted = false;
    this.subscription = 0;
    this.around.cancel(this.pings);
    if (this.closed) return;
    const base = Math.min(RETRY_LAST_MS, RETRY_FIRST_MS * 2 ** this.attempts);
    const wait = base * (0.75 + this.around.random() * 0.5);
    this.attempts += 1;
    this.on.status('waiting', this.around.now() + wait);
    this.around.after(wait, () => this.open());
  }
}
