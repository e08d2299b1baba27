// Why a candidate was accepted or refused, gate by gate: what each gate saw, which one decided, and the event that says so.
// Only what was recorded; gates that were not reached are named as such. Pure.
import type { CandidateDetail } from '../protocol/http';
import { figure, percent } from '../parts/figures';
import { Fate, NONE } from '../run/candidates';
import type { RunModel } from '../run/model';
import { plainIds } from '../run/model';

export interface Gate {
  state: 'pass' | 'fail' | 'skip' | 'open';
  name: string;
  text: string;
  note: string;
  decides: boolean;
}

const gate = (state: Gate['state'], name: string, text: string, note = ''): Gate => ({ state, name, text, note, decides: false });

/** The gates of a candidate in the order in which they are taken. */
export function gatesOf(model: RunModel, row: number, detail: CandidateDetail | null): Gate[] {
  const { table } = model;
  const fate = table.fate[row];
  const gates: Gate[] = [];
  const files = detail?.files ?? model.words.get(row)?.files ?? [];
  if (row > 0 && fate >= Fate.proposed) {
    const text = files.length > 0 ? `changes ${files.join(', ')}` : 'its change fits the parent';
    gates.push(gate('pass', 'applies', text, table.answered[row] > 0 ? `seq ${table.answered[row]}` : ''));
  }
  gates.push(...checkGates(model, row, detail));
  gates.push(...thresholdGates(model, row));
  for (const one of detail?.comparisons ?? []) {
    const [low, high] = one.interval;
    const text = `${figure(one.ratio)} times its parent's, ${figure(low)} to ${figure(high)} over ${one.pairs} pairs: ${one.verdict}`;
    gates.push(gate(one.verdict === 'worse' ? 'skip' : 'pass', `${one.objective} again`, text));
  }
  addVerdict(model, row, detail, gates);
  return gates;
}

function checkGates(model: RunModel, row: number, detail: CandidateDetail | null): Gate[] {
  const taken = detail?.checks ?? [];
  const gates = taken.map((check) => {
    const text = check.reason || (check.passed ? 'passes' : 'fails');
    return gate(check.passed ? 'pass' : 'fail', check.name, text);
  });
  if (!detail || row === 0) return gates;
  const missed = model.checks.filter((name) => !taken.some((check) => check.name === name));
  const over = model.table.ended[row] > 0;
  for (const name of missed) gates.push(gate(over ? 'skip' : 'open', name, over ? 'not reached' : 'not yet'));
  return gates;
}

function thresholdGates(model: RunModel, row: number): Gate[] {
  const gates: Gate[] = [];
  model.objectives.forEach(({ name, threshold, direction, unit }, index) => {
    if (threshold === null || threshold === undefined) return;
    const value = model.table.scores[index][row];
    const wanted = `${direction === 'minimize' ? 'at most' : 'at least'} ${figure(threshold)} ${unit ?? ''}`.trim();
    if (!Number.isFinite(value)) return void gates.push(gate('skip', name, `not measured, needs ${wanted}`));
    const meets = direction === 'minimize' ? value <= threshold : value >= threshold;
    gates.push(gate(meets ? 'pass' : 'fail', name, `${figure(value)}, needs ${wanted}`));
  });
  return gates;
}

function addVerdict(model: RunModel, row: number, detail: CandidateDetail | null, gates: Gate[]): void {
  const { table } = model;
  const fate = table.fate[row];
  const seq = table.seq[row] > 0 ? `seq ${table.seq[row]}` : '';
  const reason = plainIds(model, detail?.reason || model.words.get(row)?.reason || '');
  if (fate === Fate.rejected || fate === Fate.revoked) {
    const name = table.gate[row] === NONE ? (detail?.gate ?? '') : model.gates[table.gate[row]];
    const known = gates.findLast((one) => one.name === name && one.state === 'fail') ?? gates.findLast((one) => one.state === 'fail');
    if (known && (known.name === name || name === '')) {
      Object.assign(known, { decides: true, note: seq, text: reason || known.text });
      return;
    }
    gates.push({ ...gate('fail', name || 'refused', reason, seq), decides: true });
    return;
  }
  if (row === 0) {
    gates.push({ ...gate('pass', 'baseline', 'the unchanged target, what everything is compared with', seq), decides: true });
  } else if (fate === Fate.accepted) {
    gates.push({ ...gate('pass', 'improves', reason || 'nothing known was as good in everything', seq), decides: true });
  } else if (fate === Fate.archived) {
    gates.push({ ...gate('skip', 'improves', reason || 'something known is as good in everything', seq), decides: true });
  } else if (fate === Fate.abandoned) {
    gates.push({ ...gate('skip', 'abandoned', 'the run ended before its verdict'), decides: true });
  } else {
    gates.push(gate('open', 'verdict', 'not given yet'));
  }
}

/** The heading over the gates. */
export function verdictTitle(fate: number, row: number): string {
  if (row === 0) return 'The baseline';
  if (fate === Fate.rejected) return 'Why rejected';
  if (fate === Fate.revoked) return 'Why revoked';
  if (fate === Fate.accepted) return 'Why accepted';
  if (fate === Fate.archived) return 'Why kept, but no improvement';
  if (fate === Fate.abandoned) return 'Abandoned';
  return 'Under way';
}

/** A row's weighted improvement on the baseline in words, or what stands instead. */
export function scoreWords(model: RunModel, row: number): string {
  const score = model.table.score[row];
  if (row === 0) return 'baseline';
  return Number.isFinite(score) ? `${score >= 0 ? '+' : ''}${percent(score)} on the baseline` : 'no score';
}
