// A stand-in for the daemon while the page is worked on: serves dist/ and answers the API and `darwind.v1` from a recorded
// log, or from a synthetic run of any size. Loopback only, any token but "wrong" is taken. Not part of the product.
//   node dev/mock-daemon.mjs [--port 7800] [--log slow_report]... [--grow FACTOR] [--synthetic N --rate EVENTS_PER_SECOND]
import { createServer } from 'node:http';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';
import { accept } from './mock/socket.mjs';
import { Run } from './mock/run.mjs';
import { Synthetic } from './mock/synthetic.mjs';
import { exampleDiff } from './mock/diff.mjs';
import { examplePeers } from './mock/peers.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const TYPES = { html: 'text/html; charset=utf-8', js: 'text/javascript; charset=utf-8', css: 'text/css; charset=utf-8', svg: 'image/svg+xml' };
const CSP = "default-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; object-src 'none'";
const CHUNK = 500;
const BATCH_MS = 50;

/** Starts a mock daemon; resolves with its address, its runs and a way to end it. */
export async function startMock({ port = 0, logs = ['slow_report'], grow = 0, synthetic = 0, rate = 0 } = {}) {
  const runs = logs.map((name) => Run.fromFile(join(here, 'recorded', `${name}.jsonl`)));
  const large = synthetic ? new Synthetic(synthetic) : null;
  const mock = { runs, large, epoch: 'e1', clients: new Set(), timers: [], hold: false };
  if (grow > 0) for (const run of runs) growAgain(mock, run, grow);
  const server = createServer((request, response) => answer(mock, request, response));
  server.on('upgrade', (request, socket) => {
    const client = accept(request, socket, 'darwind.v1');
    mock.clients.add(client);
    serve(mock, client, rate);
    client.onClose = () => {
      mock.clients.delete(client);
      client.stop?.();
    };
  });
  await new Promise((ready) => server.listen(port, '127.0.0.1', ready));
  mock.url = `http://127.0.0.1:${server.address().port}/`;
  mock.stop = () => {
    mock.timers.forEach(clearInterval);
    for (const client of mock.clients) client.drop();
    server.close();
  };
  return mock;
}

/** Takes a recorded run back to its beginning and lets it happen again, so many times as fast; a pause holds it. */
function growAgain(mock, run, factor) {
  const tape = run.records.filter(({ event_type }) => event_type !== 'run_paused');
  const first = Date.parse(tape[0].timestamp);
  const stamp = (record) => ({ ...record, timestamp: new Date().toISOString() });
  run.records = [stamp(tape[0])];
  run.started = run.records[0];
  run.refresh();
  let next = 1;
  let played = 0;
  let before = Date.now();
  mock.timers.push(
    setInterval(() => {
      const now = Date.now();
      if (run.state === 'running' || run.state === 'pending') played += (now - before) * factor;
      before = now;
      while (next < tape.length && Date.parse(tape[next].timestamp) - first <= played) {
        run.append({ ...stamp(tape[next++]), seq: run.seq + 1 });
      }
    }, 20),
  );
}

function heads(mock) {
  const all = mock.runs.map((run) => run.head());
  return mock.large ? [mock.large.head(), ...all] : all;
}

function serve(mock, client, rate) {
  const subscriptions = new Map();
  const stops = [];
  client.stop = () => stops.forEach((stop) => stop());
  client.send({ t: 'hello', proto: 1, epoch: mock.epoch, seq: 0, server: 'mock', schema: '1', caps: ['events', 'runs', 'commands', 'snap'], role: 'operator', now: Date.now(), runs: heads(mock) });
  client.onText = (text) => {
    const frame = JSON.parse(text);
    if (frame.t === 'ping') client.send({ t: 'pong', now: Date.now() });
    if (frame.t === 'unsub') {
      subscriptions.get(frame.id)?.();
      subscriptions.delete(frame.id);
    }
    if (frame.t === 'cmd') {
      const run = mock.runs.find(({ id }) => id === frame.run);
      client.send({ t: 'ack', id: frame.id, ...(run ? run.obey(frame) : { ok: false, error: 'unknown run' }) });
    }
    if (frame.t !== 'sub') return;
    const stop = frame.topic === 'runs' ? runsTopic(mock, client, frame) : eventsTopic(mock, client, frame, rate);
    subscriptions.set(frame.id, stop);
    stops.push(stop);
  };
}

function runsTopic(mock, client, { id }) {
  const tell = () => client.send({ t: 'runs', id, runs: heads(mock) });
  tell();
  const timer = setInterval(tell, 1000);
  return () => clearInterval(timer);
}

function eventsTopic(mock, client, frame, rate) {
  const run = mock.runs.find(({ id }) => id === frame.run);
  if (!run) return mock.large ? largeTopic(mock, client, frame, rate) : () => {};
  const { id } = frame;
  let sent = frame.from?.epoch === mock.epoch ? frame.from.seq : 0;
  client.send({ t: 'resume', id, run: run.id, epoch: mock.epoch, from: sent, to: run.seq });
  const flush = () => {
    if (mock.hold) return;
    for (let ev = run.after(sent, CHUNK); ev.length > 0; ev = run.after(sent, CHUNK)) {
      client.send({ t: 'd', id, run: run.id, from: sent + 1, to: ev.at(-1).seq, ev: ev.map(trimmed) });
      sent = ev.at(-1).seq;
    }
  };
  flush();
  const timer = setInterval(flush, BATCH_MS);
  return () => clearInterval(timer);
}

function trimmed(record) {
  const { evaluation } = record.data;
  if (!evaluation) return record;
  const { log, suspicion, cases, ...rest } = evaluation;
  const cases_passed = (cases ?? []).filter((one) => one.passed).length;
  return { ...record, trimmed: true, data: { ...record.data, evaluation: { ...rest, cases_passed } } };
}

function largeTopic(mock, client, frame, rate) {
  const { large } = mock;
  client.sendBinary(large.frame());
  client.send({ t: 'snap', id: frame.id, run: frame.run, epoch: mock.epoch, seq: large.seq, state: large.state() });
  let owed = 0;
  const timer = setInterval(() => {
    owed += (rate * BATCH_MS) / 1000;
    const ev = [];
    while (ev.length < owed) ev.push(...large.next());
    owed -= ev.length;
    if (ev.length > 0) client.send({ t: 'd', id: frame.id, run: frame.run, from: ev[0].seq, to: ev.at(-1).seq, ev });
  }, BATCH_MS);
  return () => clearInterval(timer);
}

function answer(mock, request, response) {
  const url = new URL(request.url, 'http://mock');
  const json = (status, body) => {
    response.writeHead(status, { 'content-type': status < 400 ? 'application/json' : 'application/problem+json' });
    response.end(JSON.stringify(body));
  };
  if (url.pathname.startsWith('/api/')) return api(mock, request, url, json, response);
  const path = url.pathname === '/' ? 'index.html' : normalize(url.pathname).replace(/^[/\\.]+/, '');
  const file = join(here, '..', 'dist', path);
  if (!existsSync(file)) return json(404, { title: 'Not found', status: 404 });
  response.writeHead(200, { 'content-type': TYPES[path.split('.').pop()] ?? 'text/plain', 'content-security-policy': CSP, 'cache-control': 'no-cache' });
  response.end(readFileSync(file));
}

function api(mock, request, url, json, response) {
  const parts = url.pathname.split('/').filter(Boolean).map(decodeURIComponent);
  if (parts[1] === 'session') return sessionRoute(request, json, response);
  if (parts[2] === 'peers') return json(200, examplePeers());
  const run = mock.runs.find(({ id }) => id === parts[3]);
  if (parts.length === 3) return json(200, { runs: heads(mock) });
  if (!run) return json(404, { title: 'Unknown run', status: 404, detail: `There is no run ${parts[3]}.` });
  if (parts[4] === 'events') {
    const limit = Math.min(1000, Number(url.searchParams.get('limit') ?? 100));
    const found = run.after(Number(url.searchParams.get('after') ?? 0), limit);
    return json(200, { events: found, next: found.length === limit ? found.at(-1).seq : null });
  }
  const found = parts[4] === 'candidates' && run.candidate(parts[5]);
  if (!found) return json(404, { title: 'Unknown candidate', status: 404, detail: `There is no candidate ${parts[5]}.` });
  if (parts[6] === 'diff') return json(200, exampleDiff(found, url.searchParams.get('against')));
  if (parts[6] === 'artifacts') return json(200, { artifacts: [] });
  if (parts[6] === 'logs' || parts[6] === 'files') {
    response.writeHead(200, { 'content-type': 'text/plain; charset=utf-8' });
    return response.end(parts[6] === 'logs' ? (found.log ?? '') : 'def mock():\n    return "<b>only ever text</b>"\n');
  }
  return json(200, found);
}

function sessionRoute(request, json, response) {
  if (request.method === 'GET') {
    const known = /darwind_session=/.test(request.headers.cookie ?? '');
    return known ? json(200, { role: 'operator' }) : json(401, { title: 'No session', status: 401, detail: 'Open the link that the daemon printed.' });
  }
  let body = '';
  request.on('data', (chunk) => (body += chunk));
  request.on('end', () => {
    if (JSON.parse(body).token === 'wrong') return json(401, { title: 'Wrong token', status: 401, detail: 'That token is not valid.' });
    response.writeHead(204, { 'set-cookie': 'darwind_session=mock; HttpOnly; SameSite=Strict; Path=/' });
    response.end();
  });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const given = process.argv.slice(2);
  const option = (name, otherwise) => (given.includes(name) ? given[given.indexOf(name) + 1] : otherwise);
  const logs = given.flatMap((word, index) => (word === '--log' ? [given[index + 1]] : []));
  const mock = await startMock({
    port: Number(option('--port', 7800)),
    logs: logs.length > 0 ? logs : ['slow_report', 'small_or_fast', 'broken_toolbox'],
    grow: Number(option('--grow', 0)),
    synthetic: Number(option('--synthetic', 0)),
    rate: Number(option('--rate', 0)),
  });
  console.log(`${mock.url}#t=mock`);
}
