// The log's own records, as they travel: one closed set of names with the fields that the page reads. It is not the
// whole of each record; what is not named here is kept but not looked at.

export interface Objective {
  name: string;
  direction: 'minimize' | 'maximize';
  unit: string | null;
  weight: number;
  threshold: number | null;
  bound: number | null;
}

export interface Budget {
  evaluations: number | null;
  proposals: number | null;
  time_ms: number | null;
  llm_tokens?: number | null;
  llm_cost_usd?: number | null;
}

export interface Cost {
  wall_s: number;
  cpu_s: number;
  launches: number;
  usd?: number | null;
  tokens?: number | null;
}

export interface CheckResult {
  name: string;
  passed: boolean;
  reason?: string;
}

export interface CaseResult {
  name: string;
  passed: boolean;
  failure?: string;
}

export interface Comparison {
  objective: string;
  pairs: number;
  ratio: number;
  interval: [number, number];
  verdict: 'better' | 'worse' | 'tie';
}

export type Scores = Record<string, number>;

export interface Evaluation {
  outcome: string;
  detail?: string;
  isolation: string;
  separation: string;
  checks: CheckResult[];
  scores: Scores;
  metrics?: Record<string, number>;
  cases?: CaseResult[];
  cases_total?: number;
  comparisons?: Comparison[];
  denials?: Record<string, number>;
  log?: string;
  cost: Cost;
}

export type Purpose = 'judge' | 'baseline' | 'verify';
export type BreakerWord = 'closed' | 'open' | 'half_open';

export interface RunStarted {
  run_id: string;
  agent_id: string;
  target: string;
  seed: number;
  objectives: Objective[];
  budget: Budget;
  proposers: { name: string; operators: { name: string; parents: number }[] }[];
  baseline: string;
  configuration?: unknown;
}

interface Payloads {
  run_started: RunStarted;
  run_resumed: { reason: string; in_flight?: string[] };
  run_paused: { reason: string };
  run_finished: { stopped_by: string; reason?: string };
  control_received: {
    id: string;
    command: { command: string; modification_id?: string; budget?: Budget };
    reason?: string;
    refused?: string;
  };
  proposal_requested: { number: number; proposer: string; operator: string; parents: number[]; learning_rate: number };
  proposal_discarded: { number: number; outcome: string; reason: string; duplicate_of?: string };
  improvement_proposed: {
    modification_id: string;
    number: number;
    parents: string[];
    proposer: string;
    operator: string;
    rationale: string;
    commit: string;
    files: string[];
    cost?: Cost;
  };
  validation_started: { modification_id: string; number: number; purpose: Purpose };
  validation_completed: { modification_id: string; number: number; purpose: Purpose; evaluation: Evaluation };
  evaluation_failed: { modification_id: string; number: number; attempt: number; reason: string; given_up: boolean };
  improvement_applied: {
    modification_id: string;
    scores: Scores;
    improvement: Scores;
    performance_delta: number;
    reason: string;
  };
  improvement_archived: { modification_id: string; scores: Scores; performance_delta: number; reason: string };
  improvement_rejected: { modification_id: string; gate: string; reason: string };
  champion_changed: { modification_id: string; commit: string; previous?: string; reason: string };
  front_changed: { joined: string[]; left: string[]; size: number; hypervolume: number };
  learning_rate_changed: { from: number; to: number; success_rate: number };
  breaker_changed: { name: string; from: BreakerWord; to: BreakerWord; reason: string; retry_at_ms?: number };
  budget_warning: { budget: string; spent: number; limit: number };
  budget_exhausted: { budget: string; spent: number; limit: number };
  budget_changed: { budget: Budget; reason: string };
  safety_violation: { modification_id: string; denials: Record<string, number>; reason: string };
  performance_threshold_exceeded: { modification_id: string; objective: string; value: number; threshold: number };
  rollback_initiated: { modification_id: string; from: string; reason: string };
  rollback_completed: { modification_id: string; from: string; verified: boolean; reason: string; scores?: Scores };
}

export type EventType = keyof Payloads;

interface Stamped {
  seq: number;
  timestamp: string;
  modification_id?: string | null;
}

/** One record of the log whose name this page knows. */
export type KnownRecord = { [K in EventType]: Stamped & { event_type: K; data: Payloads[K] } }[EventType];

/** One record as it comes: newer daemons may send names that this page does not know. */
export interface LogRecord extends Stamped {
  event_type: string;
  data: unknown;
}

/** The number at the end of a candidate's id, or -1 for anything else. */
export function numberOf(id: string | null | undefined): number {
  if (!id) return -1;
  const digits = id.slice(id.lastIndexOf('-') + 1);
  return /^\d+$/.test(digits) ? Number(digits) : -1;
}
