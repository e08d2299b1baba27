// A real daemon with a data folder of its own, evolving a real example; it can be killed and started again at the same
// address. `DARWIND` names the binary. Nothing here knows of the page.
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const EXAMPLES = join(dirname(fileURLToPath(import.meta.url)), '..', '..', 'examples');
const TOKEN = 'end-to-end';
/** How long a condition may take to come true on a machine that is busy, milliseconds, and how often it is looked at. */
export const PATIENCE_MS = 90_000;
const LOOK_MS = 150;

/** Looks until `ask` answers something true; says what it waited for when that never happens. */
export async function until(what, ask) {
  const end = Date.now() + PATIENCE_MS;
  for (;;) {
    const found = await ask();
    if (found) return found;
    if (Date.now() > end) throw new Error(`waited in vain: ${what}`);
    await new Promise((next) => setTimeout(next, LOOK_MS));
  }
}

export class RealDaemon {
  constructor(binary) {
    this.binary = binary;
    this.data = mkdtempSync(join(tmpdir(), 'darwind-e2e-'));
    this.address = '127.0.0.1:0';
  }

  /** Starts it; resolves when it has said where it listens. */
  async start() {
    const env = { ...process.env, DARWIND_DATA_DIR: this.data, DARWIND_TOKEN: TOKEN };
    this.process = spawn(this.binary, ['serve', '--listen', this.address], { env, stdio: ['ignore', 'ignore', 'pipe'] });
    this.ended = new Promise((end) => this.process.once('exit', end));
    const said = [];
    const listens = new Promise((found) => {
      createInterface({ input: this.process.stderr }).on('line', (line) => {
        said.push(line);
        const link = /http:\/\/([\d.]+:\d+)\//.exec(line);
        if (link) found(link[1]);
      });
    });
    const address = await Promise.race([listens, this.ended.then(() => null)]);
    if (!address) throw new Error(`the daemon did not start: ${said.join('\n')}`);
    this.address = address;
    this.url = `http://${address}/#t=${TOKEN}`;
  }

  /** `kill -9`. */
  async kill() {
    this.process.kill('SIGKILL');
    await this.ended;
  }

  async end() {
    if (this.process && this.process.exitCode === null && this.process.signalCode === null) await this.kill();
    rmSync(this.data, { recursive: true, force: true });
  }

  async ask(path, body) {
    const response = await fetch(`http://${this.address}/api/v1/${path}`, {
      method: body ? 'POST' : 'GET',
      headers: { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json' },
      body: body && JSON.stringify(body),
    });
    const answer = await response.json();
    return { status: response.status, answer };
  }

  async get(path) {
    const { status, answer } = await this.ask(path);
    if (status !== 200) throw new Error(`${path}: ${status} ${JSON.stringify(answer)}`);
    return answer;
  }

  /** Starts an example with budget to spare and with more of `darwind.toml`; null, and why, where nothing can be contained. */
  evolve(example, more = '') {
    const root = join(EXAMPLES, example);
    const files = {};
    for (const entry of readdirSync(root, { withFileTypes: true, recursive: true })) {
      const path = join(entry.parentPath, entry.name);
      if (entry.isFile() && /\.(py|toml)$/.test(entry.name)) files[relative(root, path)] = readFileSync(path, 'utf8');
    }
    const ample = { evaluations: 'evaluations = 100000', time: 'time = "30m"' };
    files['darwind.toml'] = files['darwind.toml'].replace(/^evaluations = .*$/m, ample.evaluations).replace(/^time = .*$/m, ample.time) + more;
    return this.begin(files);
  }

  /** Starts a run of these files; null, and why, where nothing can be contained. */
  async begin(files) {
    const { status, answer } = await this.ask('runs', { files, seed: 7 });
    if (status === 409) return { run: null, why: answer.detail ?? answer.title };
    if (status !== 201) throw new Error(`no run: ${status} ${JSON.stringify(answer)}`);
    return { run: answer.run_id };
  }

  run(id) {
    return this.get(`runs/${id}`);
  }

  /** The whole log of a run. */
  async log(id) {
    const all = [];
    for (let after = 0; after !== null; ) {
      const page = await this.get(`runs/${id}/events?after=${after}&limit=1000`);
      all.push(...page.events);
      after = page.next;
    }
    return all;
  }

  /** Waits until a paused run has finished what was under way; resolves with its log. */
  drained(id) {
    return until('what was under way is finished', async () => {
      const log = await this.log(id);
      return underWay(log) === 0 && log;
    });
  }
}

/**
 * How many evaluations and rollbacks of a log were begun and are not over. A proposal that was asked for before a pause may be
 * answered at any time, also after it; it changes no figure that is compared.
 */
function underWay(log) {
  const open = new Set();
  for (const { event_type, data } of log) {
    const number = data.number ?? Number(data.modification_id?.split('-').pop());
    if (event_type === 'validation_started') open.add(`${data.purpose} ${number}`);
    if (event_type === 'validation_completed' && data.purpose !== 'judge') open.delete(`${data.purpose} ${number}`);
    if (/^improvement_(applied|archived|rejected)$/.test(event_type)) open.delete(`judge ${number}`);
    if (event_type === 'rollback_initiated') open.add('rollback');
    if (event_type === 'rollback_completed') open.delete('rollback');
  }
  return open.size;
}
