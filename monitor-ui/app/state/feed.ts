// The latest events as lines for people, in a ring of fixed length. What the ring has dropped is still in the log: the
// page fetches it from there. The wording lives here and nowhere else.
import type { KnownRecord } from '../protocol/records';
import type { Niche } from '../wire/log';
import type { LogRecord } from '../wire/wire';
import { numberOf } from '../protocol/records';
import { budgetWords } from '../run/alerts';
import type { RunModel } from '../run/model';
import { plainIds } from '../run/model';
import type { FeedKind } from './url';

/** Lines kept. */
export const FEED_LINES = 5000;

export type Tone = 'plain' | 'good' | 'bad' | 'warn' | 'control' | 'quiet';

export interface FeedLine {
  seq: number;
  /** Unix milliseconds. */
  at: number;
  type: string;
  number: number;
  text: string;
  tone: Tone;
}

const percent = (share: number): string => `${share > 0 ? '+' : ''}${(share * 100).toFixed(1)} %`;

/** Where an archive policy placed a candidate. */
export function nicheWords(niche: Niche): string {
  if ('island' in niche) return `island ${niche.island}`;
  return 'cell' in niche ? `cell ${niche.cell.join(' ')}` : `novelty ${niche.novelty.toFixed(3)}`;
}

function wording(record: KnownRecord): [string, Tone] {
  switch (record.event_type) {
    case 'run_started':
      return [`${record.data.agent_id} from ${record.data.target}, seed ${record.data.seed}`, 'control'];
    case 'run_resumed':
    case 'run_paused':
      return [record.data.reason, 'control'];
    case 'run_finished':
      return [[record.data.stopped_by, record.data.reason].filter(Boolean).join(': '), 'control'];
    case 'control_received': {
      const { command, reason, refused } = record.data;
      const about = 'modification_id' in command ? command.modification_id : '';
      const parts = [command.command, about, reason && `because: ${reason}`, refused && `refused: ${refused}`];
      return [parts.filter(Boolean).join(' · '), refused ? 'warn' : 'control'];
    }
    case 'proposal_requested':
      return [`${record.data.proposer}, ${record.data.operator}, from ${record.data.parents.join(' and ')}`, 'quiet'];
    case 'proposal_discarded':
      return [`${record.data.outcome.replaceAll('_', ' ')}: ${record.data.reason}`, 'quiet'];
    case 'improvement_proposed':
      return [record.data.rationale, 'plain'];
    case 'validation_started':
      return [record.data.purpose === 'judge' ? 'evaluation begins' : `to ${record.data.purpose === 'verify' ? 'verify it again' : 'measure the baseline'}`, 'quiet'];
    case 'validation_completed': {
      const { outcome, scores, cost } = record.data.evaluation;
      const figures = Object.entries(scores).map(([name, value]) => `${name} ${Number(value.toPrecision(4))}`);
      return [[outcome, ...figures, `${cost.wall_s.toFixed(2)} s`].join(' · '), 'plain'];
    }
    case 'evaluation_failed':
      return record.data.aborted ? [record.data.reason, 'control'] : [`${record.data.reason} (try ${record.data.attempt})`, 'warn'];
    case 'improvement_applied':
      return [`${percent(record.data.performance_delta)}, ${record.data.reason}`, 'good'];
    case 'improvement_archived':
      return [`${percent(record.data.performance_delta)}, ${record.data.reason}`, 'plain'];
    case 'improvement_rejected':
      return [`${record.data.gate}: ${record.data.reason}`, 'bad'];
    case 'champion_changed':
      return [record.data.reason, 'good'];
    case 'front_changed':
      return [`${record.data.size} on the front, hypervolume ${record.data.hypervolume.toFixed(4)}`, 'plain'];
    case 'niche_changed': {
      const { niche, entered, left, parents } = record.data;
      const gone = left?.length ? `, in place of ${left.join(' ')}` : '';
      return [`${nicheWords(niche)}: ${entered ? `a parent now${gone}` : 'no place for it'}, ${parents} parents`, 'quiet'];
    }
    case 'migrated':
      return [record.data.passages.map(({ from, to, migrants }) => `${migrants.join(' ')} from island ${from} to ${to}`).join('; '), 'quiet'];
    case 'search_restarted':
      return [`restart ${record.data.restart} from ${record.data.modification_id}: ${record.data.reason}`, 'warn'];
    case 'learning_rate_changed':
      return [`${record.data.from.toFixed(3)} to ${record.data.to.toFixed(3)}, ${Math.round(record.data.success_rate * 100)} % of the latest succeeded`, 'quiet'];
    case 'breaker_changed':
      return [`${record.data.name}: ${record.data.from} to ${record.data.to}, ${record.data.reason}`, record.data.to === 'closed' ? 'plain' : 'warn'];
    case 'budget_warning':
    case 'budget_exhausted':
      return [budgetWords(record.data).join(': '), 'warn'];
    case 'budget_changed':
      return [record.data.reason, 'control'];
    case 'safety_violation':
      return [record.data.reason, 'warn'];
    case 'performance_threshold_exceeded':
      return [`${record.data.objective} ${record.data.value} met ${record.data.threshold}`, 'good'];
    case 'rollback_initiated':
      return [`from ${record.data.from}: ${record.data.reason}`, 'control'];
    case 'rollback_completed':
      return [`${record.data.verified ? 'verified' : 'not verified'}: ${record.data.reason}`, record.data.verified ? 'control' : 'warn'];
    case 'knowledge_received': {
      const { from, improvement_type, compatibility, queued } = record.data;
      return [`${improvement_type} from ${from}, fits by ${Math.round(compatibility * 100)} %, ${queued ? 'waits to be tried' : 'not taken'}`, 'plain'];
    }
    case 'knowledge_shared': {
      const { to, outcome, attempts, reason } = record.data;
      return [[`with ${to}: ${outcome}`, attempts > 1 && `${attempts} attempts`, reason].filter(Boolean).join(', '), outcome === 'failed' ? 'warn' : 'plain'];
    }
    case 'peer_changed':
      return [[`${record.data.name}: ${record.data.change}`, record.data.reason].filter(Boolean).join(', '), record.data.change === 'fails' ? 'warn' : 'plain'];
    default:
      return ['', 'plain'];
  }
}

export function lineOf(record: LogRecord, model: RunModel): FeedLine {
  const [text, tone] = wording(record as KnownRecord);
  const id = record.modification_id ?? (record.data as { modification_id?: string } | null)?.modification_id;
  return { seq: record.seq, at: Date.parse(record.timestamp), type: record.event_type, number: numberOf(id), text: plainIds(model, text), tone };
}

const KINDS: Record<Exclude<FeedKind, 'all'>, RegExp> = {
  verdicts: /^improvement_(applied|archived|rejected)$|^champion_/,
  applied: /^improvement_applied$|^champion_|^front_/,
  rejected: /^improvement_rejected$|^safety_/,
  controls: /^control_|^run_|^rollback_|^budget_/,
  machinery: /^breaker_|^evaluation_failed$|^learning_|^safety_|^proposal_discarded$/,
};

export const matches = (line: FeedLine, kind: FeedKind): boolean => kind === 'all' || KINDS[kind].test(line.type);

/** A ring of lines, oldest first. */
export class Feed {
  private lines: FeedLine[] = [];
  private start = 0;
  /** Lines that went out of the ring. */
  dropped = 0;

  push(line: FeedLine): void {
    if (this.lines.length < FEED_LINES) {
      this.lines.push(line);
      return;
    }
    this.lines[this.start] = line;
    this.start = (this.start + 1) % FEED_LINES;
    this.dropped += 1;
  }

  clear(): void {
    this.lines = [];
    this.start = 0;
    this.dropped = 0;
  }

  /** The newest lines that match, newest first, at most `limit`, none after `until`. */
  latest(kind: FeedKind, limit: number, until = Infinity): FeedLine[] {
    const found: FeedLine[] = [];
    for (let back = this.lines.length - 1; back >= 0 && found.length < limit; back--) {
      const line = this.lines[(this.start + back) % this.lines.length];
      if (line.seq <= until && matches(line, kind)) found.push(line);
    }
    return found;
  }

  get newest(): number {
    if (this.lines.length === 0) return 0;
    return this.lines[(this.start + this.lines.length - 1) % this.lines.length].seq;
  }
}
