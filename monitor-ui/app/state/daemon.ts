// Ties the link to the store: opens the session, follows the run that the view names, folds what comes, sends commands.
import type { Budget, CommandName } from '../wire/wire';
import type { CommandFrame } from '../protocol/frames';
import { SCHEMA } from '../protocol/frames';
import { decodeLineage } from '../protocol/columns';
import * as http from '../protocol/http';
import { Link } from '../protocol/link';
import type { Answer, Socket } from '../protocol/link';
import { fold } from '../run/fold';
import { emptyModel, idOf } from '../run/model';
import { fromSnapshot } from '../run/snapshot';
import { lineOf } from './feed';
import * as store from './store';
import { takeToken } from './url';
import { uuid } from './uuid';

let socketLink: Link | null = null;
let followed = '';

function connect(): Socket {
  const url = new URL('ws', document.baseURI.replace(/#.*$/, ''));
  url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
  return new WebSocket(url, 'darwind.v1') as unknown as Socket;
}

/** Opens the session with the address's token or the cookie, then the socket. */
export async function start(): Promise<void> {
  const { token, rest } = takeToken(location.hash);
  if (token !== null) {
    history.replaceState(null, '', rest || '#');
    store.followAddress();
  }
  try {
    if (token) await http.openSession(token);
    store.role.value = (await http.session()).role;
  } catch (problem) {
    store.gate.value = problem instanceof http.Problem && problem.status === 401 ? 'token' : 'failed';
    return;
  }
  store.gate.value = 'open';
  socketLink = makeLink();
  socketLink.open();
}

/** After a connection that failed: a daemon that answers and does not know this session wants the token again. */
async function checkSession(): Promise<void> {
  try {
    await http.session();
  } catch (problem) {
    if (problem instanceof http.Problem && problem.status === 401) store.gate.value = 'token';
  }
}

/** Tries a token that somebody typed. */
export async function enter(token: string): Promise<string | null> {
  try {
    await http.openSession(token);
  } catch (problem) {
    return problem instanceof Error ? problem.message : 'The token was refused.';
  }
  if (socketLink) store.gate.value = 'open';
  else await start();
  return null;
}

function makeLink(): Link {
  const around = {
    connect,
    now: () => performance.now(),
    after: (ms: number, act: () => void) => setTimeout(act, ms),
    cancel: (timer: unknown) => clearTimeout(timer as ReturnType<typeof setTimeout> | undefined),
    random: Math.random,
  };
  return new Link(around, {
    status: (phase, retryAt) => {
      store.link.value = { phase, retryAt };
      if (phase !== 'open') store.latency.value = null;
      if (phase === 'waiting') void checkSession();
    },
    hello: (hello) => {
      store.role.value = hello.role;
      store.skew.value = hello.now - Date.now();
      store.outdated.value = hello.schema !== SCHEMA;
      store.runs.value = hello.runs;
      chooseRun();
    },
    runs: (runs) => {
      store.runs.value = runs;
      chooseRun();
    },
    reset: () => {
      store.replaceLive(emptyModel());
      store.feed.clear();
    },
    goal: (_, seq) => {
      store.goal.value = seq;
      store.changed();
    },
    delta: (delta) => {
      const model = store.liveModel();
      for (const record of delta.ev) if (fold(model, record)) store.feed.push(lineOf(record, model));
      store.changed();
    },
    snapshot: (frame, lineage) => {
      const columns = lineage ? decodeLineage(lineage) : null;
      store.replaceLive(fromSnapshot(frame.seq, frame.state, columns));
      store.goal.value = frame.seq;
    },
    latency: (ms) => (store.latency.value = ms),
    problem: (code, message) => store.say(`${message} (${code})`, 'bad'),
    gaps: (count) => (store.gaps.value = count),
  });
}

/** Follows the run that the view names, else the newest. */
export function chooseRun(): void {
  if (!socketLink) return;
  const runs = store.runs.value;
  const wanted = store.view.value.run;
  const run = wanted || runs[0]?.run_id || '';
  if (!run || run === followed) return;
  followed = run;
  store.goal.value = 0;
  store.replaceLive(emptyModel());
  store.feed.clear();
  socketLink.follow(run);
}

export interface Order {
  name: CommandName;
  number?: number;
  reason: string;
  confirm?: string;
  budget?: Budget;
  expectSeq?: number;
}

/** Sends a command for the run shown; resolves with the daemon's answer, however long the link is down meanwhile. */
export async function command(order: Order): Promise<Answer> {
  const model = store.liveModel();
  if (!socketLink) return { ok: false, error: 'There is no connection to the daemon.' };
  const frame: CommandFrame = {
    t: 'cmd',
    id: uuid(),
    name: order.name,
    run: model.runId,
    args: {},
    reason: order.reason,
  };
  if (order.number !== undefined) frame.args.modification_id = idOf(model, order.number);
  if (order.budget) frame.args.budget = order.budget;
  if (order.confirm) frame.confirm = order.confirm;
  if (order.expectSeq) frame.expect_seq = order.expectSeq;
  return socketLink.command(frame);
}
