// What the page knows of one run at one sequence number: the fold of its log. Plain data without any drawing; `fold.ts`
// changes it event by event and `snapshot.ts` fills it from the daemon's snapshot. Every list in it is bounded.
import type { BreakerWord, Budget, Objective, Phase } from '../wire/wire';
import { Candidates } from './candidates';
import type { Alert } from './alerts';

/** Points kept of a history before every second one is dropped. */
export const MAX_HISTORY = 8192;
/** Breaker transitions, alerts and commands kept; the oldest go first. */
export const MAX_NOTES = 1000;
/** Candidates whose words (rationale, files) stay in the page. */
export const MAX_WORDS = 4096;

export interface Arm {
  proposer: string;
  operator: string;
  tries: number;
  viable: number;
  accepted: number;
}

export interface Counters {
  evaluations: number;
  proposals: number;
  viable: number;
  accepted: number;
  rejected: number;
  duplicates: number;
  gates: Record<string, number>;
  outcomes: Record<string, number>;
  proposalOutcomes: Record<string, number>;
}

/** A moment of the run: which event, at which second, after how many evaluations, after which spending. */
export interface Moment {
  seq: number;
  time: number;
  evaluation: number;
  spent: number;
}

export interface ChampionStep extends Moment {
  number: number;
  reason: string;
}

export interface Point extends Moment {
  value: number;
}

export interface BreakerNote extends Moment {
  from: BreakerWord;
  to: BreakerWord;
  reason: string;
}

export interface BreakerInfo {
  name: string;
  state: BreakerWord;
  retryAt: number | null;
  history: BreakerNote[];
}

export interface CommandNote extends Moment {
  id: string;
  command: string;
  target: string | null;
  reason: string;
  refused: string | null;
}

/** The few words of a candidate that are shown before the daemon is asked for the rest. */
export interface Words {
  proposer: string;
  operator: string;
  rationale: string;
  files: string[];
  commit: string;
  reason: string;
}

/** What the run was doing from an event on. */
export interface PhaseNote {
  seq: number;
  phase: Phase;
  reason: string;
  stoppedBy: string;
  earlierMs: number;
  sessionAt: number;
}

/** What changed at an event and could not be told from the columns later: kept so that any earlier moment can be shown. */
export interface Traces {
  phases: PhaseNote[];
  fronts: { seq: number; joined: number[]; left: number[] }[];
  revocations: { seq: number; number: number; before: number; verdict: number }[];
  violations: { seq: number; number: number }[];
  budgets: { seq: number; budget: Budget }[];
  rollbacks: { seq: number; now: { to: number; from: number } | null }[];
  spending: { seq: number; usd: number | null; tokens: number }[];
}

export interface RunModel {
  runId: string;
  agentId: string;
  target: string;
  seed: number;
  objectives: Objective[];
  budget: Budget;
  /** The budget as the run began. */
  firstBudget: Budget;
  /** Unix milliseconds of the first event. */
  startedAt: number;
  /** Unix milliseconds of the latest event. */
  lastAt: number;
  seq: number;
  phase: Phase;
  pauseReason: string;
  stoppedBy: string;
  table: Candidates;
  arms: Arm[];
  gates: string[];
  outcomes: string[];
  traces: Traces;
  /** Events before this one are known only from a snapshot: earlier moments are shown without work under way. */
  exactFrom: number;
  counters: Counters;
  champion: number;
  champions: ChampionStep[];
  front: Set<number>;
  hypervolume: Point[];
  rate: Point[];
  successRate: number | null;
  breakers: Map<string, BreakerInfo>;
  alerts: Alert[];
  /** Alerts raised since the beginning, those that were dropped from the list included. */
  alertCount: number;
  commands: CommandNote[];
  words: Map<number, Words>;
  noise: Record<string, number>;
  /** Names of the checks that the baseline went through, in their order. */
  checks: string[];
  isolation: string;
  separation: string;
  /** US dollars and tokens spent on models; dollars are null when a price is not known, which is never the same as 0. */
  usd: number | null;
  tokens: number;
  /** Whether a model was to be asked, or was. */
  modelUsed: boolean;
  evaluatorSeconds: number;
  /** Milliseconds in which earlier processes drove the run, and when the present one began. */
  earlierMs: number;
  sessionAt: number;
  /** Numbers whose evaluation is under way, with the second at which it began. */
  underWay: Map<number, number>;
  rollback: { to: number; from: number } | null;
  /** Rows that did not fit the table. */
  overflow: number;
  /** Records whose name is not known here. */
  unknown: number;
}

export function emptyModel(): RunModel {
  return {
    runId: '',
    agentId: '',
    target: '',
    seed: 0,
    objectives: [],
    budget: { evaluations: null, proposals: null, time_ms: null },
    firstBudget: { evaluations: null, proposals: null, time_ms: null },
    startedAt: 0,
    lastAt: 0,
    seq: 0,
    phase: 'pending',
    pauseReason: '',
    stoppedBy: '',
    table: new Candidates(0),
    arms: [],
    gates: [],
    outcomes: [],
    traces: { phases: [], fronts: [], revocations: [], violations: [], budgets: [], rollbacks: [], spending: [] },
    exactFrom: 0,
    counters: {
      evaluations: 0,
      proposals: 0,
      viable: 0,
      accepted: 0,
      rejected: 0,
      duplicates: 0,
      gates: {},
      outcomes: {},
      proposalOutcomes: {},
    },
    champion: -1,
    champions: [],
    front: new Set(),
    hypervolume: [],
    rate: [],
    successRate: null,
    breakers: new Map(),
    alerts: [],
    alertCount: 0,
    commands: [],
    words: new Map(),
    noise: {},
    checks: [],
    isolation: '',
    separation: '',
    usd: 0,
    tokens: 0,
    modelUsed: false,
    evaluatorSeconds: 0,
    earlierMs: 0,
    sessionAt: 0,
    underWay: new Map(),
    rollback: null,
    overflow: 0,
    unknown: 0,
  };
}

/** A candidate's id in this run. */
export const idOf = (model: RunModel, number: number): string => `${model.runId}-${number}`;

/** A sentence of the log with this run's candidate ids written as the page writes them. */
export const plainIds = (model: RunModel, text: string): string => (model.runId ? text.replaceAll(`${model.runId}-`, '#') : text);

/** Whether a person has pinned the champion: the latest obeyed choice of one was a pin. */
export function isPinned(model: RunModel): boolean {
  const chosen = model.commands.findLast(({ command, refused }) => !refused && /^(pin|promote|rollback_modification)$/.test(command));
  return chosen?.command === 'pin';
}

/** What a process says of the run as it ends. */
const INTERRUPTED = new Set(['interrupted', 'the daemon was stopped']);

/** Whether the process that drove the run is gone: what was under way is carried out again when the run goes on. */
export const isInterrupted = ({ phase, pauseReason }: RunModel): boolean => phase === 'paused' && INTERRUPTED.has(pauseReason);

/** Milliseconds in which a process has driven the run, up to `nowMs`: pauses count, time between processes does not. */
export function activeMs(model: RunModel, nowMs: number): number {
  if (isOver(model.phase) || !model.sessionAt) return model.earlierMs;
  const until = isInterrupted(model) ? model.lastAt : nowMs;
  return model.earlierMs + Math.max(0, until - model.sessionAt);
}

export const isOver = (phase: Phase): boolean => phase === 'finished' || phase === 'stopped' || phase === 'failed';

/** Appends and, when the history is full, drops every second point but the first and the last. */
export function pushThinned<T>(history: T[], point: T): void {
  history.push(point);
  if (history.length <= MAX_HISTORY) return;
  const last = history.length - 1;
  let kept = 0;
  for (let index = 0; index <= last; index++) {
    if (index % 2 === 0 || index === last) history[kept++] = history[index];
  }
  history.length = kept;
}

/** Appends and drops the oldest beyond the limit. */
export function pushBounded<T>(list: T[], item: T, limit = MAX_NOTES): void {
  list.push(item);
  if (list.length > limit) list.splice(0, list.length - limit);
}

/** Rows from the champion up to the baseline along first parents, the baseline first. */
export function pathTo(model: RunModel, number: number): number[] {
  const path: number[] = [];
  const { table } = model;
  for (let row = number; row >= 0 && row < table.count && path.length < table.count; row = table.parent[row]) path.push(row);
  return path.reverse();
}
