// The words of the log, written out of the core's own events: `DARWIND_BLESS=1 cargo test -p evolution` writes this file
// anew, and the same test fails when it is not what the types say. Not to be edited.
import type { Objective } from './wire';

export type BreakerChanged = { 
/**
 * What it guards: `run`, `evaluator`, or `proposer:NAME`.
 */
name: string, 
/**
 * Before.
 */
from: BreakerState, 
/**
 * Now.
 */
to: BreakerState, 
/**
 * Why.
 */
reason: string, 
/**
 * Unix milliseconds at which an open breaker lets a trial through.
 */
retry_at_ms?: number, };

export type BreakerState = "closed" | "open" | "half_open";

export type Budget = { 
/**
 * Candidates whose evaluation is started, the baseline not included.
 */
evaluations: number | null, 
/**
 * Answers of proposers.
 */
proposals: number | null, 
/**
 * Milliseconds of wall time in which a process drives the run; pauses count, time between processes does not.
 */
time_ms: number | null, 
/**
 * Tokens of language models, read and written.
 */
llm_tokens?: number, 
/**
 * Price of language models, in US dollars. What has no known price does not count.
 */
llm_cost_usd?: number, };

export type BudgetChanged = { 
/**
 * The budget now.
 */
budget: Budget, 
/**
 * Why.
 */
reason: string, };

export type BudgetNote = { 
/**
 * Which budget: `evaluations`, `proposals`, `time` (in milliseconds), `llm_tokens`, `llm_cost_usd`.
 */
budget: string, 
/**
 * Spent so far.
 */
spent: number, 
/**
 * The limit.
 */
limit: number, };

export type CandidateId = string;

export type CaseResult = { 
/**
 * The case's name, stable over candidates.
 */
name: string, 
/**
 * Whether it passed. Cases that were not run (early abort) are absent from the list.
 */
passed: boolean, 
/**
 * The kind of failure, such as an exception's class name, `wrong` or `timeout`; empty when it passed.
 */
failure?: string, };

export type ChampionChanged = { 
/**
 * The champion now.
 */
modification_id: CandidateId, 
/**
 * Its snapshot.
 */
commit: CommitId, 
/**
 * The champion before, absent at first.
 */
previous?: CandidateId, 
/**
 * Why: `baseline`, `improvement`, `rollback`, `promotion`, `pin`.
 */
reason: string, };

export type CheckResult = { 
/**
 * The check's name: configured, or one of the engine's own (`syntax`, `policy`).
 */
name: string, 
/**
 * Whether it passed.
 */
passed: boolean, 
/**
 * Why not, in a sentence; may be empty when it passed.
 */
reason?: string, };

export type Command = { "command": "pause_evolution" } | { "command": "resume_evolution" } | { "command": "stop_evolution" } | { "command": "rollback_modification", 
/**
 * The candidate to go back to.
 */
modification_id: CandidateId, } | { "command": "promote", 
/**
 * The candidate.
 */
modification_id: CandidateId, } | { "command": "pin", 
/**
 * The candidate.
 */
modification_id: CandidateId, } | { "command": "abort_evaluation", 
/**
 * The candidate.
 */
modification_id: CandidateId, } | { "command": "set_budget", 
/**
 * The new limits.
 */
budget: Budget, };

export type CommitId = string;

export type Comparison = { 
/**
 * The objective's name.
 */
objective: string, 
/**
 * Interleaved pairs measured.
 */
pairs: number, 
/**
 * Median of child over parent; below 1 the child is cheaper.
 */
ratio: number, 
/**
 * Bounds of the interval for the ratio that the sequential test used.
 */
interval: [number, number], 
/**
 * `better`, `worse` or `tie`: a tie takes over the parent's score, so that noise never counts as progress.
 */
verdict: ComparisonVerdict, };

export type ComparisonVerdict = "better" | "worse" | "tie";

export type ControlReceived = { 
/**
 * The command's own id: the same id twice is obeyed once.
 */
id: string, 
/**
 * What was asked.
 */
command: Command, 
/**
 * Why, in the words of who asked.
 */
reason: string, 
/**
 * Absent when it was obeyed, else why it was refused.
 */
refused?: string, };

export type Cost = { 
/**
 * Wall seconds.
 */
wall_s: number, 
/**
 * CPU seconds of the children, all processes together.
 */
cpu_s: number, 
/**
 * Processes (or cells) launched.
 */
launches: number, 
/**
 * What language models were asked for.
 */
llm?: ModelUsage, };

export type Direction = string;

export type Embedding = "unasked" | { "missing": string } | { "known": Direction };

export type Evaluation = { 
/**
 * How it ended, in one word.
 */
outcome: Outcome, 
/**
 * More about that word: the limit, the signal, what was denied.
 */
detail?: string, 
/**
 * The isolation level it ran at: `L1`, `L2` or `L3`.
 */
isolation: string, 
/**
 * How far the judge was kept apart.
 */
separation: Separation, 
/**
 * The gates in the order they were taken; the cascade ends at the first that failed.
 */
checks: Array<CheckResult>, 
/**
 * Scores of the objectives measured before the cascade ended. Complete exactly when the candidate ran through.
 */
scores: { [key in string]: number }, 
/**
 * Every further raw number that the evaluator reported.
 */
metrics?: { [key in string]: number }, 
/**
 * Cases that were run, in a stable order.
 */
cases?: Array<CaseResult>, 
/**
 * Cases that exist, run or not.
 */
cases_total: number, 
/**
 * Where the fault may lie, when cases failed and localisation was asked for.
 */
suspicion?: Array<Suspicion>, 
/**
 * Paired comparisons with the parent.
 */
comparisons?: Array<Comparison>, 
/**
 * What the sandbox denied, with counts.
 */
denials?: { [key in string]: number }, 
/**
 * The end of the candidate's output and error output, at most [`MAX_LOG_BYTES`].
 */
log?: string, 
/**
 * What the evaluation cost.
 */
cost: Cost, };

export type EvaluationFailed = { 
/**
 * The candidate.
 */
modification_id: CandidateId, 
/**
 * Its number.
 */
number: number, 
/**
 * Why it was evaluated.
 */
purpose: Purpose, 
/**
 * Which try this was, from 1.
 */
attempt: number, 
/**
 * What went wrong.
 */
reason: string, 
/**
 * Whether it is given up now.
 */
given_up: boolean, 
/**
 * Whether somebody ended it: no fault of the machinery.
 */
aborted?: boolean, };

export type Event = { "event_type": "run_started", "data": RunStarted } | { "event_type": "run_resumed", "data": RunResumed } | { "event_type": "run_paused", "data": Reasoned } | { "event_type": "run_finished", "data": RunFinished } | { "event_type": "control_received", "data": ControlReceived } | { "event_type": "proposal_requested", "data": ProposalRequested } | { "event_type": "proposal_discarded", "data": ProposalDiscarded } | { "event_type": "improvement_proposed", "data": ImprovementProposed } | { "event_type": "validation_started", "data": ValidationStarted } | { "event_type": "validation_completed", "data": ValidationCompleted } | { "event_type": "evaluation_failed", "data": EvaluationFailed } | { "event_type": "improvement_applied", "data": ImprovementApplied } | { "event_type": "improvement_archived", "data": ImprovementArchived } | { "event_type": "improvement_rejected", "data": ImprovementRejected } | { "event_type": "champion_changed", "data": ChampionChanged } | { "event_type": "front_changed", "data": FrontChanged } | { "event_type": "niche_changed", "data": NicheChanged } | { "event_type": "migrated", "data": Migrated } | { "event_type": "search_restarted", "data": SearchRestarted } | { "event_type": "learning_rate_changed", "data": LearningRateChanged } | { "event_type": "breaker_changed", "data": BreakerChanged } | { "event_type": "budget_warning", "data": BudgetNote } | { "event_type": "budget_exhausted", "data": BudgetNote } | { "event_type": "budget_changed", "data": BudgetChanged } | { "event_type": "safety_violation", "data": SafetyViolation } | { "event_type": "performance_threshold_exceeded", "data": ThresholdCrossed } | { "event_type": "rollback_initiated", "data": RollbackInitiated } | { "event_type": "rollback_completed", "data": RollbackCompleted } | { "event_type": "knowledge_received", "data": KnowledgeReceived } | { "event_type": "knowledge_shared", "data": KnowledgeShared } | { "event_type": "peer_changed", "data": PeerChanged } | { "event_type": "search_divided", "data": SearchDivided };

export type FrontChanged = { 
/**
 * Members that came.
 */
joined: Array<CandidateId>, 
/**
 * Members that went.
 */
left: Array<CandidateId>, 
/**
 * Members now.
 */
size: number, 
/**
 * Hypervolume of the front in the unit box spanned by what the run has seen; see `State::hypervolume`.
 */
hypervolume: number, };

export type ImprovementApplied = { 
/**
 * The candidate.
 */
modification_id: CandidateId, 
/**
 * Its scores.
 */
scores: { [key in string]: number }, 
/**
 * Share of the baseline won, by objective; positive is better.
 */
improvement: { [key in string]: number }, 
/**
 * The improvement over the first parent, weighted over the objectives: the seeds' `performance_delta`.
 */
performance_delta: number, 
/**
 * Why, for people.
 */
reason: string, };

export type ImprovementArchived = { 
/**
 * The candidate.
 */
modification_id: CandidateId, 
/**
 * Its scores.
 */
scores: { [key in string]: number }, 
/**
 * Weighted improvement over the first parent; may be negative.
 */
performance_delta: number, 
/**
 * Why it is no improvement.
 */
reason: string, };

export type ImprovementProposed = { 
/**
 * The candidate's name.
 */
modification_id: CandidateId, 
/**
 * Its number.
 */
number: number, 
/**
 * Its parents.
 */
parents: Array<CandidateId>, 
/**
 * Who proposed it.
 */
proposer: string, 
/**
 * With which operator.
 */
operator: string, 
/**
 * Why.
 */
rationale: string, 
/**
 * Its snapshot.
 */
commit: CommitId, 
/**
 * Its program's fingerprint.
 */
fingerprint: string, 
/**
 * Files that it changes against its first parent.
 */
files: Array<string>, 
/**
 * Size of the change against the baseline: bytes of the files that differ, for ties between equal candidates.
 */
changed_bytes: number, 
/**
 * What its program looks like, where the archive policy wants to know.
 */
shape?: Shape, 
/**
 * What its proposer noted down.
 */
detail?: unknown, 
/**
 * What the proposal cost.
 */
cost: Cost, };

export type ImprovementRejected = { 
/**
 * The candidate.
 */
modification_id: CandidateId, 
/**
 * The gate that it failed at: a check's name, `threshold`, or `machinery`.
 */
gate: string, 
/**
 * Why.
 */
reason: string, };

export type KnowledgeReceived = { 
/**
 * The package's SHA-256, hexadecimal.
 */
digest: string, 
/**
 * Who sent it: credentials and agent, as trust is kept.
 */
from: string, 
/**
 * The agent that found it.
 */
source_agent: string, 
/**
 * What kind of improvement it is: the operator that made it.
 */
improvement_type: string, 
/**
 * How well it fits, 0 to 1.
 */
compatibility: number, 
/**
 * Whether it waits to be proposed; else it fitted too badly.
 */
queued: boolean, 
/**
 * Name of the peer whose key signed it; absent without a signature that was verified.
 */
signed_by?: string | null, };

export type KnowledgeShared = { 
/**
 * The candidate whose change was told; absent where it is not known.
 */
modification_id?: CandidateId | null, 
/**
 * The package's SHA-256, hexadecimal.
 */
digest: string, 
/**
 * The peer.
 */
to: string, 
/**
 * Attempts made, from 1.
 */
attempts: number, 
/**
 * `accepted`, `declined` or `failed`.
 */
outcome: string, 
/**
 * Why, when it was not accepted.
 */
reason?: string, };

export type LearningRateChanged = { 
/**
 * The rate before.
 */
from: number, 
/**
 * The rate now.
 */
to: number, 
/**
 * Share of successes over the last ten.
 */
success_rate: number, };

export type Migrated = { 
/**
 * Who went where, one entry an island that sent somebody.
 */
passages: Array<Voyage>, };

export type ModelUsage = { 
/**
 * Calls that were answered.
 */
calls: number, 
/**
 * Tokens read, those from a cache included.
 */
input: number, 
/**
 * Tokens read from a cache.
 */
cached: number, 
/**
 * Tokens written while thinking.
 */
reasoning: number, 
/**
 * Tokens written, those of thinking included.
 */
output: number, 
/**
 * Price in US dollars; `None` where it is not known, which is never the same as 0.
 */
cost_usd: number | null, };

export type Niche = { "island": number } | { "cell": Array<number> } | { "novelty": number };

export type NicheChanged = { 
/**
 * The candidate.
 */
modification_id: CandidateId, 
/**
 * Where it was placed.
 */
niche: Niche, 
/**
 * Whether it is a parent now.
 */
entered: boolean, 
/**
 * Parents that lost their place by it.
 */
left?: Array<CandidateId>, 
/**
 * Parents now.
 */
parents: number, };

export type OperatorPrior = { 
/**
 * Its name, unique within the proposer.
 */
name: string, 
/**
 * Expected share of proposals that pay, 0 to 1: the mean of the Beta prior of the learned choice.
 */
yield_mean: number, 
/**
 * How many observations that belief is worth, above 0.
 */
strength: number, 
/**
 * Parents it wants: 1, or 2 for a crossover.
 */
parents: number, };

export type Outcome = "ok" | "wrong" | "crashed" | "early_exit" | "timeout" | "limit" | "denied" | "protocol" | "tamper" | "sandbox_error";

export type Part = { 
/**
 * Which one, from 0.
 */
own: number, 
/**
 * Of how many, at least 1.
 */
of: number, };

export type PeerChanged = { 
/**
 * The peer's name, or the agent's that joined or left a group.
 */
name: string, 
/**
 * `added`, `removed`, `joined`, `left`, `answers`, `fails`.
 */
change: string, 
/**
 * Its breaker after it, for a peer.
 */
breaker?: BreakerState | null, 
/**
 * More about it, for people.
 */
reason?: string, };

export type ProposalDiscarded = { 
/**
 * Its number.
 */
number: number, 
/**
 * What it came to; never `applied`.
 */
outcome: ProposalOutcome, 
/**
 * Why.
 */
reason: string, 
/**
 * The proposer has nothing left for this parent and operator.
 */
exhausted: boolean, 
/**
 * The candidate with the same program, for a duplicate; for a similar one, with the most similar program.
 */
duplicate_of?: CandidateId, 
/**
 * What its proposer noted down, if there was a proposal at all.
 */
detail?: unknown, 
/**
 * What it cost all the same.
 */
cost?: Cost, 
/**
 * The budget that could not bear it: the run ends with what is under way.
 */
out_of?: StoppedBy, };

export type ProposalOutcome = "applied" | "duplicate" | "similar" | "no_change" | "does_not_apply" | "refused" | "failed";

export type ProposalRequested = { 
/**
 * The number that the proposal will bear.
 */
number: number, 
/**
 * The proposer asked.
 */
proposer: string, 
/**
 * The operator chosen.
 */
operator: string, 
/**
 * Parents' numbers, the first being what the patch applies to.
 */
parents: Array<number>, 
/**
 * Numbers of the archive members shown beside the parents.
 */
peers?: Array<number>, 
/**
 * Boldness at that moment.
 */
learning_rate: number, 
/**
 * The part of the search to look at first, where others search the same program.
 */
part?: Part, };

export type ProposerInfo = { 
/**
 * Its name.
 */
name: string, 
/**
 * Its operators.
 */
operators: Array<OperatorPrior>, 
/**
 * It offers only what came from peers: see [`crate::ports::Proposer::is_fed`].
 */
fed?: boolean, };

export type Purpose = "judge" | "baseline" | "verify";

export type Reasoned = { 
/**
 * Why.
 */
reason: string, };

export type RollbackCompleted = { 
/**
 * The champion now, when it was verified.
 */
modification_id: CandidateId, 
/**
 * The champion that was left.
 */
from: CandidateId, 
/**
 * Whether the fresh measurement agrees with the snapshot's within the noise.
 */
verified: boolean, 
/**
 * What was compared.
 */
reason: string, 
/**
 * The fresh scores.
 */
scores: { [key in string]: number }, };

export type RollbackInitiated = { 
/**
 * The candidate to go back to.
 */
modification_id: CandidateId, 
/**
 * The champion that is left.
 */
from: CandidateId, 
/**
 * Why.
 */
reason: string, };

export type RunFinished = { 
/**
 * What ended it.
 */
stopped_by: StoppedBy, 
/**
 * More about it.
 */
reason?: string, };

export type RunId = string;

export type RunResumed = { 
/**
 * Why: a command, or a restart.
 */
reason: string, 
/**
 * Evaluations under way when the last process ended: they are carried out again, and recorded once.
 */
in_flight: Array<CandidateId>, };

export type RunStarted = { 
/**
 * Form of the events that follow.
 */
version: number, 
/**
 * The run's name.
 */
run_id: RunId, 
/**
 * The target's name.
 */
agent_id: string, 
/**
 * Where the target lay when the run began; for people, never read again by the run.
 */
target: string, 
/**
 * Seed of every decision.
 */
seed: number, 
/**
 * What is measured.
 */
objectives: Array<Objective>, 
/**
 * How the core decides.
 */
settings: unknown, 
/**
 * What may be spent.
 */
budget: Budget, 
/**
 * The proposers in use with their operators.
 */
proposers: Array<ProposerInfo>, 
/**
 * The unchanged target's snapshot.
 */
baseline: CommitId, 
/**
 * Fingerprint of the unchanged target.
 */
fingerprint: string, 
/**
 * What the unchanged target looks like, where the archive policy wants to know.
 */
shape?: Shape, 
/**
 * The whole configuration as it was read, for `show` and for a resume.
 */
configuration: unknown, };

export type SafetyViolation = { 
/**
 * The candidate.
 */
modification_id: CandidateId, 
/**
 * What it tried, with counts.
 */
denials: { [key in string]: number }, 
/**
 * In a sentence.
 */
reason: string, };

export type SearchDivided = { 
/**
 * This run's part; absent when it searches alone.
 */
part?: Part | null, 
/**
 * Names of the peers that have the others.
 */
with: Array<string>, };

export type SearchRestarted = { 
/**
 * Which restart, from 1.
 */
restart: number, 
/**
 * The candidate that the search starts from.
 */
modification_id: CandidateId, 
/**
 * Why.
 */
reason: string, 
/**
 * Decided evaluations without progress that are borne from now on.
 */
patience: number, };

export type Separation = "split" | "canary" | "shared";

export type Shape = { 
/**
 * Bytes of its files that may change.
 */
bytes: number, 
/**
 * Its syntax tree's parts; empty when nobody asked for them.
 */
sketch?: Sketch, 
/**
 * Its embedding, where one is configured.
 */
embedding?: Embedding, };

export type Sketch = Array<number>;

export type StoppedBy = "evaluations" | "time" | "llm_tokens" | "llm_cost_usd" | "goal" | "interrupt" | "exhausted" | "failure";

export type Suspicion = { 
/**
 * The file's path below the target's root.
 */
path: string, 
/**
 * Line (from 1) and suspicion (Ochiai, 0 to 1) of every line that some failing case ran.
 */
lines: Array<[number, number]>, };

export type ThresholdCrossed = { 
/**
 * The candidate.
 */
modification_id: CandidateId, 
/**
 * The objective.
 */
objective: string, 
/**
 * Its value.
 */
value: number, 
/**
 * The threshold that it met while nothing before it had.
 */
threshold: number, };

export type ValidationCompleted = { 
/**
 * The candidate.
 */
modification_id: CandidateId, 
/**
 * Its number.
 */
number: number, 
/**
 * Why it was evaluated.
 */
purpose: Purpose, 
/**
 * What was measured.
 */
evaluation: Evaluation, };

export type ValidationStarted = { 
/**
 * The candidate.
 */
modification_id: CandidateId, 
/**
 * Its number.
 */
number: number, 
/**
 * Why it is evaluated.
 */
purpose: Purpose, };

export type Voyage = { 
/**
 * Where they live.
 */
from: number, 
/**
 * Where they live too from now on.
 */
to: number, 
/**
 * Who.
 */
migrants: Array<CandidateId>, };
