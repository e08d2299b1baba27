// One run of the mock daemon: a log that is read from a file or grows by itself, and the commands that it obeys.
import { readFileSync } from 'node:fs';

export class Run {
  constructor(records) {
    this.records = records;
    this.started = records[0];
    this.id = records[0].data.run_id;
    this.listeners = new Set();
    this.seen = new Map();
    this.refresh();
  }

  static fromFile(path) {
    return new Run(readFileSync(path, 'utf8').trim().split('\n').map((line) => JSON.parse(line)));
  }

  get seq() {
    return this.records.at(-1).seq;
  }

  refresh() {
    this.evaluations = 0;
    this.state = 'pending';
    this.champion = `${this.id}-0`;
    for (const record of this.records) this.note(record);
  }

  note({ event_type, data }) {
    if (event_type === 'validation_started' && data.purpose === 'judge') this.evaluations += 1;
    if (event_type === 'champion_changed') this.champion = data.modification_id;
    if (event_type === 'validation_completed' && data.purpose === 'baseline') this.state = 'running';
    if (event_type === 'run_paused') this.state = 'paused';
    if (event_type === 'run_resumed') this.state = 'running';
    if (event_type === 'run_finished') this.state = data.stopped_by === 'interrupt' ? 'stopped' : 'finished';
  }

  add(event_type, data) {
    const record = { seq: this.seq + 1, event_type, timestamp: new Date().toISOString(), data };
    if (data.modification_id) record.modification_id = data.modification_id;
    this.append(record);
  }

  append(record) {
    this.records.push(record);
    this.note(record);
    for (const listen of this.listeners) listen();
  }

  head() {
    const { agent_id } = this.started.data;
    const started_at = Date.parse(this.started.timestamp);
    return { run_id: this.id, agent_id, state: this.state, started_at, evaluations: this.evaluations, seq: this.seq };
  }

  /** Records after a sequence number; the log is dense, so the place is known. */
  after(seq, limit = Infinity) {
    const from = seq - this.records[0].seq + 1;
    return this.records.slice(Math.max(0, from), Math.max(0, from) + limit);
  }

  candidate(id) {
    const found = this.records.find((r) => r.event_type === 'improvement_proposed' && r.data.modification_id === id);
    const baseline = id === `${this.id}-0`;
    if (!found && !baseline) return null;
    const done = this.records.find((r) => r.event_type === 'validation_completed' && r.data.modification_id === id);
    const verdict = this.records.find((r) => /^improvement_(applied|archived|rejected)$/.test(r.event_type) && r.data.modification_id === id);
    const fates = { improvement_applied: 'accepted', improvement_archived: 'archived', improvement_rejected: 'rejected' };
    const evaluation = done?.data.evaluation ?? {};
    return {
      id,
      number: Number(id.split('-').pop()),
      commit: found?.data.commit ?? this.started.data.baseline,
      parents: found?.data.parents ?? [],
      proposer: found?.data.proposer ?? '',
      operator: found?.data.operator ?? '',
      rationale: found?.data.rationale ?? 'the unchanged target',
      files: found?.data.files ?? [],
      fate: baseline ? 'accepted' : (fates[verdict?.event_type] ?? 'undecided'),
      gate: verdict?.data.gate ?? '',
      reason: verdict?.data.reason ?? '',
      verdict_seq: verdict?.seq,
      proposed_seq: found?.seq,
      rank: null,
      improvement: verdict?.data.improvement,
      ...evaluation,
      scores: evaluation.scores ?? {},
      detail: evaluation.detail ?? '',
    };
  }

  /** Obeys a command; the answer is what an ack carries. */
  obey({ id, name, args = {}, reason = '', confirm }) {
    if (this.seen.has(id)) return this.seen.get(id);
    const answer = this.decide(id, name, args, reason, confirm);
    this.seen.set(id, answer);
    return answer;
  }

  decide(id, name, args, reason, confirm) {
    const target = args.modification_id;
    const over = this.state === 'finished' || this.state === 'stopped';
    const refuse = (error) => ({ ok: false, error });
    if (name === 'pause_evolution' && this.state !== 'running') return refuse(`the run is ${this.state}`);
    if (name === 'resume_evolution' && this.state !== 'paused') return refuse(`the run is ${this.state}`);
    if (name === 'stop_evolution' && over) return refuse('the run is over');
    if (name === 'stop_evolution' && confirm !== this.id) return refuse(`confirm with the run's id, ${this.id}`);
    if (name === 'rollback_modification' && confirm !== target) return refuse(`confirm with the candidate's id, ${target}`);
    if (['pin', 'abort_evaluation'].includes(name)) return refuse('not known to the mock');
    this.add('control_received', { id, command: { command: name, ...args }, reason });
    if (name === 'pause_evolution') this.add('run_paused', { reason: reason || 'command' });
    if (name === 'resume_evolution') this.add('run_resumed', { reason: reason || 'command', in_flight: [] });
    if (name === 'stop_evolution') this.add('run_finished', { stopped_by: 'interrupt', reason });
    if (name === 'set_budget') this.add('budget_changed', { budget: { ...this.started.data.budget, ...args.budget }, reason });
    if (name === 'rollback_modification' || name === 'promote') this.crown(name, target, reason);
    return { ok: true, seq: this.seq };
  }

  crown(name, target, reason) {
    const from = this.champion;
    const rollback = name === 'rollback_modification';
    if (rollback) {
      this.add('rollback_initiated', { modification_id: target, from, reason });
      this.add('rollback_completed', { modification_id: target, from, verified: true, reason: 'measured again and equal to its snapshot', scores: {} });
    }
    const { commit } = this.candidate(target) ?? {};
    this.add('champion_changed', { modification_id: target, commit, previous: from, reason: rollback ? 'rollback' : 'promotion' });
  }
}
