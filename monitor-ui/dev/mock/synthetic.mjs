// A run as large as wanted, from a fixed seed: a snapshot of so many candidates as binary columns, and events that go on
// from there. Invented figures for measuring the page, never for showing it.
const HEADER = 16;
const pad = (bytes) => (bytes + 3) & ~3;

function random(seed) {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

const OBJECTIVES = [
  { name: 'time', direction: 'minimize', unit: 's', weight: 0.6, threshold: null, bound: null },
  { name: 'size', direction: 'minimize', unit: 'tokens', weight: 0.4, threshold: null, bound: null },
];
const GATES = ['syntax', 'tests', 'wrong', 'timeout'];
const RUN = 'synthetic000';
/** Events that one candidate leaves in the log. */
const EVENTS = 5;

export class Synthetic {
  constructor(count) {
    this.rnd = random(7);
    this.count = 0;
    this.best = 1;
    this.viable = [0];
    this.columns = { parent: [], time: [], size: [], at: [], fate: [], gate: [], marks: [] };
    this.startedAt = Date.now() - count * 20;
    this.champions = [{ number: 0, seq: 4, time: 0, reason: 'baseline', evaluations: 0, spent: 0, rationale: 'the unchanged target' }];
    this.points = [];
    this.push({ parent: -1, time: 1, size: 200, fate: 5, gate: 255, marks: 4 });
    while (this.count < count) this.push(this.invent());
  }

  get seq() {
    return 4 + (this.count - 1) * EVENTS;
  }

  invent() {
    const { rnd, viable, columns } = this;
    const parent = viable[Math.floor(viable.length * (1 - rnd() ** 2 * 0.98))] ?? 0;
    const fails = rnd() < 0.4;
    const swing = (rnd() - 0.48) * 0.3;
    const time = Math.max(0.02 + this.best * 0.97, columns.time[parent] * Math.exp(swing + rnd() * 0.15));
    const size = Math.max(60, columns.size[parent] * Math.exp(-swing * 0.4 + (rnd() - 0.45) * 0.1));
    return { parent, time, size, fate: fails ? 6 : 4, gate: fails ? Math.floor(rnd() * GATES.length) : 255, marks: 0 };
  }

  push(row) {
    const { columns } = this;
    const number = this.count++;
    if (row.fate === 4 && row.time < this.best && number % 50 === 0) {
      this.best = row.time;
      row.fate = 5;
      row.marks = 4;
      this.champions.push({ number, seq: this.seq, time: number * 0.02, reason: 'improvement', evaluations: number, spent: 0, rationale: `step ${this.champions.length}` });
      this.points.push({ seq: this.seq, time: number * 0.02, evaluations: number, spent: 0, value: 1 - row.time * 0.9 });
    }
    for (const key of ['parent', 'time', 'size', 'fate', 'gate', 'marks']) columns[key].push(row[key]);
    columns.at.push(number * 0.02);
    if (row.fate !== 6) this.viable.push(number);
    return number;
  }

  state() {
    const { champions, count } = this;
    const rejected = this.columns.fate.filter((fate) => fate === 6).length;
    return {
      run_id: RUN,
      agent_id: 'synthetic',
      target: 'examples/synthetic',
      seed: 7,
      state: 'running',
      started_at: this.startedAt,
      last_at: this.startedAt + count * 20,
      active_ms: count * 20,
      objectives: OBJECTIVES,
      budget: { evaluations: 1_000_000, proposals: null, time_ms: 36_000_000 },
      spent: { evaluations: count - 1, proposals: count - 1, time_ms: count * 20, llm_tokens: 0, llm_cost_usd: null },
      counters: { evaluations: count - 1, proposals: count - 1, viable: count - 1 - rejected, accepted: champions.length - 1, rejected, duplicates: 0, proposal_outcomes: { applied: count - 1 }, gates: {}, outcomes: {} },
      arms: [{ proposer: 'ast', operator: 'speed', parents: 1, tries: count - 1, viable: count - 1 - rejected, accepted: champions.length - 1 }],
      gate_names: GATES,
      champion_history: champions,
      learning_rate_history: [{ seq: 1, time: 0, evaluations: 0, spent: 0, rate: 0.1, success_rate: 0.5 }],
      hypervolume_history: this.points,
      breakers: [{ name: 'run', state: 'closed', history: [] }],
      alerts: [],
      commands: [],
      noise: { time: 0.002 },
      isolation: 'L2',
      separation: 'split',
      evaluator_s: count * 0.3,
    };
  }

  frame() {
    const { columns, count } = this;
    const buffer = Buffer.alloc(HEADER + count * 4 * 7 + pad(count) * 4);
    buffer[0] = 1;
    buffer[1] = 1;
    buffer.writeUInt16LE(2, 2);
    buffer.writeUInt32LE(1, 4);
    buffer.writeUInt32LE(this.seq, 8);
    buffer.writeUInt32LE(count, 12);
    const champion = this.champions.at(-1).number;
    let at = HEADER;
    const column = (write, size, of) => {
      for (let row = 0; row < count; row++) buffer[write](of(row), at + row * size);
      at += size === 1 ? pad(count) : count * size;
    };
    column('writeUInt32LE', 4, (row) => (columns.parent[row] < 0 ? 0xffffffff : columns.parent[row]));
    column('writeUInt32LE', 4, () => 0xffffffff);
    column('writeFloatLE', 4, (row) => (columns.fate[row] === 6 ? NaN : columns.time[row]));
    column('writeFloatLE', 4, (row) => (columns.fate[row] === 6 ? NaN : columns.size[row]));
    column('writeFloatLE', 4, (row) => columns.at[row]);
    column('writeFloatLE', 4, () => NaN);
    column('writeUInt32LE', 4, (row) => 4 + row * EVENTS);
    column('writeUInt8', 1, (row) => columns.fate[row]);
    column('writeUInt8', 1, () => 0);
    column('writeUInt8', 1, (row) => columns.gate[row]);
    column('writeUInt8', 1, (row) => columns.marks[row] | (row === champion ? 3 : 0));
    return buffer;
  }

  /** The events of one more candidate. */
  next() {
    const row = this.invent();
    let seq = this.seq;
    const number = this.push(row);
    const id = `${RUN}-${number}`;
    const timestamp = new Date(this.startedAt + number * 20).toISOString();
    const record = (event_type, data) => ({ seq: ++seq, event_type, timestamp, ...(data.modification_id ? { modification_id: data.modification_id } : {}), data });
    const passed = row.fate !== 6;
    const scores = passed ? { time: row.time, size: row.size } : {};
    const evaluation = { outcome: passed ? 'ok' : 'wrong', isolation: 'L2', separation: 'split', checks: [{ name: 'tests', passed }], scores, cost: { wall_s: 0.3, cpu_s: 0.3, launches: 1 } };
    const verdict = passed
      ? record.bind(null, 'improvement_archived', { modification_id: id, scores, performance_delta: -0.01, reason: 'dominated' })
      : record.bind(null, 'improvement_rejected', { modification_id: id, gate: GATES[row.gate], reason: 'a test fails' });
    return [
      record('proposal_requested', { number, proposer: 'ast', operator: 'speed', parents: [Math.max(0, row.parent)], learning_rate: 0.1 }),
      record('improvement_proposed', { modification_id: id, number, parents: [`${RUN}-${Math.max(0, row.parent)}`], proposer: 'ast', operator: 'speed', rationale: 'change a loop', commit: 'abc', files: ['a.py'] }),
      record('validation_started', { modification_id: id, number, purpose: 'judge' }),
      record('validation_completed', { modification_id: id, number, purpose: 'judge', evaluation }),
      verdict(),
    ];
  }

  head() {
    return { run_id: RUN, agent_id: 'synthetic', target: 'examples/synthetic', state: 'running', started_at: this.startedAt, evaluations: this.count - 1, seq: this.seq };
  }
}
