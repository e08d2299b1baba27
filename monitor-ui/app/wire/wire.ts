// The words on the wire, written out of the daemon's own types: `DARWIND_BLESS=1 cargo test -p api` writes this file
// anew, and the same test fails when it is not what the types say. Not to be edited.

export type AlertNote = { 
/**
 * The event that raised it, and what makes it distinct there.
 */
id: string, 
/**
 * `serious`, `warning` or `note`.
 */
severity: string, kind: string, title: string, detail: string, modification_id: string | null, seq: number, 
/**
 * Seconds since the run's first event.
 */
time: number, evaluations: number, 
/**
 * US dollars spent on models; 0 where no price is known.
 */
spent: number, };

export type Arguments = { 
/**
 * The candidate.
 */
modification_id?: string, 
/**
 * The new limits, whole.
 */
budget?: Budget, };

export type Arm = { 
/**
 * The proposer.
 */
proposer: string, 
/**
 * The operator.
 */
operator: string, 
/**
 * How many parents it wants.
 */
parents: number, 
/**
 * Candidates that came of it.
 */
tries: number, 
/**
 * Those that passed every gate.
 */
viable: number, 
/**
 * Those that improved on what was known.
 */
accepted: number, };

export type Artifacts = { 
/**
 * Their names.
 */
artifacts: Array<string>, };

export type Breaker = { 
/**
 * Its state.
 */
state: BreakerWord, };

export type BreakerHistory = { name: string, state: BreakerWord, retry_at_ms?: number, history: Array<BreakerStep>, };

export type BreakerStep = { from: BreakerWord, to: BreakerWord, reason: string, seq: number, 
/**
 * Seconds since the run's first event.
 */
time: number, evaluations: number, 
/**
 * US dollars spent on models; 0 where no price is known.
 */
spent: number, };

export type BreakerWord = "closed" | "open" | "half_open";

export type Budget = { 
/**
 * Candidates whose evaluation is started.
 */
evaluations: number | null, 
/**
 * Answers of proposers.
 */
proposals: number | null, 
/**
 * Milliseconds of wall time in which a process drives the run.
 */
time_ms: number | null, 
/**
 * Tokens of language models, read and written.
 */
llm_tokens?: number, 
/**
 * Price of language models, in US dollars.
 */
llm_cost_usd?: number, };

export type Candidate = { 
/**
 * Why it was proposed.
 */
rationale: string, 
/**
 * Files that it changes against its first parent.
 */
files: Array<string>, 
/**
 * The same as `status`.
 */
fate: Status, 
/**
 * The verdict with its reason.
 */
verdict: Verdict, 
/**
 * Which event holds its evaluation; 0 before.
 */
evaluation_seq: number, 
/**
 * Bytes of files that differ from the baseline's.
 */
changed_bytes: number, 
/**
 * What its evaluation cost.
 */
cost: Cost, 
/**
 * Its name.
 */
candidate_id: string, 
/**
 * The same.
 */
id: string, 
/**
 * Its place in the run; 0 is the baseline.
 */
number: number, 
/**
 * Its snapshot.
 */
commit: string, 
/**
 * Its parents, the first being what its patch applies to.
 */
parents: Array<string>, 
/**
 * Who proposed it; null for the baseline.
 */
proposer: string | null, 
/**
 * With which operator.
 */
operator: string | null, 
/**
 * What became of it.
 */
status: Status, 
/**
 * The gate at which it was rejected; empty otherwise.
 */
gate: string, 
/**
 * The verdict's reason.
 */
reason: string, 
/**
 * How its evaluation ended, once it did.
 */
outcome: string | null, 
/**
 * Scores measured, complete exactly when it ran through.
 */
scores: { [key in string]: number }, 
/**
 * Share of the baseline won, by objective.
 */
improvement: { [key in string]: number } | null, 
/**
 * Pareto rank of a viable candidate, from 1.
 */
rank: number | null, 
/**
 * Whether it is on the first front.
 */
on_front: boolean, 
/**
 * Whether it is the champion.
 */
is_champion: boolean, 
/**
 * Cases passed.
 */
cases_passed: number, 
/**
 * Where it was placed among the parents, if it was worth it; absent where the archive policy has no places.
 */
niche?: Niche, };

export type CandidateHead = { 
/**
 * Its name.
 */
candidate_id: string, 
/**
 * The same.
 */
id: string, 
/**
 * Its place in the run; 0 is the baseline.
 */
number: number, 
/**
 * Its snapshot.
 */
commit: string, 
/**
 * Its parents, the first being what its patch applies to.
 */
parents: Array<string>, 
/**
 * Who proposed it; null for the baseline.
 */
proposer: string | null, 
/**
 * With which operator.
 */
operator: string | null, 
/**
 * What became of it.
 */
status: Status, 
/**
 * The gate at which it was rejected; empty otherwise.
 */
gate: string, 
/**
 * The verdict's reason.
 */
reason: string, 
/**
 * How its evaluation ended, once it did.
 */
outcome: string | null, 
/**
 * Scores measured, complete exactly when it ran through.
 */
scores: { [key in string]: number }, 
/**
 * Share of the baseline won, by objective.
 */
improvement: { [key in string]: number } | null, 
/**
 * Pareto rank of a viable candidate, from 1.
 */
rank: number | null, 
/**
 * Whether it is on the first front.
 */
on_front: boolean, 
/**
 * Whether it is the champion.
 */
is_champion: boolean, 
/**
 * Cases passed.
 */
cases_passed: number, 
/**
 * Where it was placed among the parents, if it was worth it; absent where the archive policy has no places.
 */
niche?: Niche, };

export type Candidates = { 
/**
 * How many are listed here.
 */
shown: number, 
/**
 * How many fit the question.
 */
total: number, 
/**
 * The candidates.
 */
candidates: Array<CandidateHead>, 
/**
 * What to ask `after` for the next page; null when this is the last, or the order has no pages.
 */
next: number | null, };

export type Case = { 
/**
 * Its name.
 */
name: string, 
/**
 * Whether it passed.
 */
passed: boolean, 
/**
 * The kind of failure.
 */
failure?: string, };

export type ChampionStep = { number: number, reason: string, rationale: string, seq: number, 
/**
 * Seconds since the run's first event.
 */
time: number, evaluations: number, 
/**
 * US dollars spent on models; 0 where no price is known.
 */
spent: number, };

export type Check = { 
/**
 * Its name.
 */
name: string, 
/**
 * Whether it was passed.
 */
passed: boolean, 
/**
 * Why not.
 */
reason?: string, };

export type ClientFrame = { "t": "sub", id: string, topic: string, run?: string, from?: Place, at?: Past, } | { "t": "unsub", id: string, } | { "t": "cmd", id: string, name: CommandName, run?: string, args: Arguments, reason: string, expect_seq?: number, confirm?: string, } | { "t": "ping", };

export type Collective = { 
/**
 * Peers by name.
 */
peers: Array<Peer>, 
/**
 * Groups that agents formed here, by name.
 */
groups: Array<Group>, 
/**
 * Sources of packages, by name.
 */
sources: Array<Source>, 
/**
 * The newest packages that came, were tried and went; the newest first, at most 100.
 */
flow: Array<Flow>, 
/**
 * Push notifications that could not be delivered, oldest first.
 */
dead_letters: Array<Letter>, };

export type CommandName = "pause_evolution" | "resume_evolution" | "stop_evolution" | "rollback_modification" | "promote" | "pin" | "abort_evaluation" | "set_budget";

export type CommandNote = { id: string, command: string, modification_id: string | null, reason: string, refused: string | null, seq: number, 
/**
 * Seconds since the run's first event.
 */
time: number, evaluations: number, 
/**
 * US dollars spent on models; 0 where no price is known.
 */
spent: number, };

export type Comparison = { 
/**
 * The objective.
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
 * Bounds of the interval for the ratio.
 */
interval: [number, number], 
/**
 * `better`, `worse` or `tie`.
 */
verdict: string, };

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
 * Processes or cells launched.
 */
launches: number, };

export type Counters = { 
/**
 * Candidates whose evaluation was started, the baseline not included.
 */
evaluations: number, 
/**
 * Answers of proposers.
 */
proposals: number, 
/**
 * Candidates that passed every gate.
 */
viable: number, 
/**
 * Candidates that improved on what was known.
 */
accepted: number, 
/**
 * Candidates that failed a gate.
 */
rejected: number, 
/**
 * Answers whose program was known already.
 */
duplicates: number, 
/**
 * Answers by what they came to.
 */
proposal_outcomes: { [key in string]: number }, 
/**
 * Rejections by gate.
 */
gates: { [key in string]: number }, 
/**
 * Evaluations by how they ended.
 */
outcomes: { [key in string]: number }, };

export type DiffLine = { 
/**
 * ` `, `+` or `-`.
 */
kind: string, 
/**
 * Its number in the old file, from 1.
 */
old?: number, 
/**
 * Its number in the new file, from 1.
 */
new?: number, 
/**
 * Its text without the end of line.
 */
text: string, };

export type DiffPart = { 
/**
 * Its header as in a unified diff.
 */
header: string, 
/**
 * Its lines.
 */
lines: Array<DiffLine>, };

export type Difference = { 
/**
 * The commit that is compared with.
 */
from: string, 
/**
 * The candidate's commit.
 */
to: string, 
/**
 * Files that differ.
 */
files: Array<FileChange>, };

export type Direction = "minimize" | "maximize";

export type Events = { 
/**
 * The events in order.
 */
events: Array<LogRecord>, 
/**
 * What to ask `after` for the next page; null when this is the newest.
 */
next: number | null, };

export type FileChange = { 
/**
 * Its path.
 */
path: string, 
/**
 * `added`, `deleted`, `modified`.
 */
status: string, 
/**
 * Lines added.
 */
added: number, 
/**
 * Lines removed.
 */
removed: number, 
/**
 * Whether it is no text.
 */
binary: boolean, 
/**
 * Whether the parts below are not all.
 */
truncated: boolean, 
/**
 * The parts that differ.
 */
hunks: Array<DiffPart>, };

export type Fit = { 
/**
 * The whole: the weighted sum of the parts.
 */
score: number, 
/**
 * How alike its functions and the local ones are.
 */
structure: number, 
/**
 * Share of parameters in common.
 */
interface: number, 
/**
 * Share of its objectives that are objectives here.
 */
objectives: number, 
/**
 * Trust in its source.
 */
trust: number, };

export type Flow = { "event_type": "knowledge_received", 
/**
 * When, Unix milliseconds.
 */
time_ms: number, 
/**
 * The package's SHA-256, hexadecimal.
 */
digest: string, 
/**
 * Who sent it, as trust is kept.
 */
from: string, 
/**
 * Name of the peer whose key signed it; null without a signature that was verified.
 */
signed_by: string | null, 
/**
 * The agent that found it.
 */
source_agent: string, 
/**
 * What kind of improvement it is.
 */
improvement_type: string, 
/**
 * The sender's name for the transfer.
 */
transfer_id: string, 
/**
 * The program that it fits best; empty when there is none.
 */
target: string, 
/**
 * How well.
 */
compatibility: Fit, 
/**
 * Whether it waits to be tried there.
 */
queued: boolean, } | { "event_type": "judged", 
/**
 * When, Unix milliseconds.
 */
time_ms: number, 
/**
 * The package.
 */
digest: string, 
/**
 * The program.
 */
target: string, 
/**
 * The run.
 */
occasion: string, 
/**
 * Whether it improved the program.
 */
improved: boolean, 
/**
 * Whether the program was viable with it.
 */
viable: boolean, } | { "event_type": "knowledge_shared", 
/**
 * When, Unix milliseconds.
 */
time_ms: number, 
/**
 * The package.
 */
digest: string, 
/**
 * The peer.
 */
to: string, 
/**
 * Our name for the transfer.
 */
transfer_id: string, 
/**
 * Attempts made.
 */
attempts: number, 
/**
 * How it ended.
 */
outcome: Transfer, 
/**
 * The candidate whose change it is; empty where it is not known.
 */
modification_id: string, };

export type Front = { 
/**
 * Its members in order of arrival.
 */
front: Array<CandidateHead>, 
/**
 * Its hypervolume.
 */
hypervolume: number, };

export type Group = { 
/**
 * Its name.
 */
group_id: string, 
/**
 * Its members.
 */
members: Array<Member>, };

export type Hello = { 
/**
 * Version of the protocol.
 */
proto: number, 
/**
 * The newest run's log: its name and the moment of its first event.
 */
epoch: string | null, 
/**
 * That run's newest event.
 */
seq: number, 
/**
 * The program and its version.
 */
server: string, 
/**
 * Version of the frames' meaning; a page of another version should be loaded again.
 */
schema: string, 
/**
 * What can be asked for.
 */
caps: Array<string>, 
/**
 * What the client may do.
 */
role: Role, 
/**
 * The daemon's time, Unix milliseconds.
 */
now: number, 
/**
 * The newest runs.
 */
runs: Array<RunHead>, };

export type Letter = { 
/**
 * Its number, for sending it again.
 */
number: number, 
/**
 * The task that it tells of.
 */
task_id: string, 
/**
 * Whose task.
 */
owner: string, 
/**
 * The webhook's id.
 */
config_id: string, 
/**
 * The webhook.
 */
url: string, 
/**
 * Why it did not get there.
 */
reason: string, 
/**
 * When it was given up, RFC 3339.
 */
at: string, 
/**
 * Whether what it says was kept, so that it can be sent again.
 */
kept: boolean, };

export type Lineage = { 
/**
 * How many are listed here.
 */
shown: number, 
/**
 * How many there are.
 */
total: number, 
/**
 * In the order of numbers.
 */
candidates: Array<LineagePoint>, };

export type LineagePoint = { 
/**
 * Its place in the run.
 */
number: number, 
/**
 * Its name.
 */
candidate_id: string, 
/**
 * Numbers of its parents.
 */
parents: Array<number>, 
/**
 * What became of it.
 */
status: Status, 
/**
 * Scores measured.
 */
scores: { [key in string]: number }, };

export type LogRecord = { 
/**
 * Its place in the run's log, from 1, without gaps.
 */
seq: number, 
/**
 * The run.
 */
run_id: string, 
/**
 * What happened, by its name in the log.
 */
event_type: string, 
/**
 * When, as RFC 3339 in UTC.
 */
timestamp: string, 
/**
 * The candidate that it is about, if it is about one.
 */
modification_id?: string, 
/**
 * What the event says; its form depends on its name.
 */
data: unknown, 
/**
 * Whether parts were left out that come with the candidate itself.
 */
trimmed?: boolean, };

export type Member = { 
/**
 * Its name.
 */
agent_id: string, 
/**
 * What it says it can do.
 */
capabilities: PeerCapabilities, };

export type Niche = { "island": number } | { "cell": Array<number> } | { "novelty": number };

export type Objective = { 
/**
 * Its name.
 */
name: string, 
/**
 * Which way is better.
 */
direction: Direction, 
/**
 * How much it counts in the choice of the champion, against the other weights.
 */
weight: number, 
/**
 * A score worse than this makes a candidate not viable.
 */
threshold: number | null, 
/**
 * Unit of the scores.
 */
unit: string | null, 
/**
 * The best score that can be had, where one is known.
 */
bound: number | null, };

export type Past = { 
/**
 * The last event to send.
 */
seq: number, };

export type Peer = { 
/**
 * Its name here.
 */
name: string, 
/**
 * Where it is.
 */
url: string, 
/**
 * Its breaker: whether it is asked.
 */
breaker: PeerBreaker, 
/**
 * Questions that it answered.
 */
answered: number, 
/**
 * How long it takes to answer, in milliseconds, the newest counting most; null before the first answer.
 */
latency_ms: number | null, 
/**
 * Why the last question failed; null when it did not.
 */
fault: string | null, 
/**
 * Ids of its skills.
 */
skills: Array<string>, 
/**
 * What it says it can do.
 */
capabilities: PeerCapabilities, 
/**
 * Id of the key by which it is known again and with which it signs packages; null when it signs nothing.
 */
key_id: string | null, };

export type PeerBreaker = "closed" | "open" | "half_open";

export type PeerCapabilities = { 
/**
 * Kinds of validation that it carries out.
 */
validation_types: Array<string>, 
/**
 * Kinds of improvement that it has seen.
 */
improvement_experience: Array<string>, 
/**
 * Programs that it can judge, by `agent_id`.
 */
targets: Array<string>, };

export type Phase = "pending" | "running" | "paused" | "finished" | "stopped" | "failed";

export type Place = { 
/**
 * Which log.
 */
epoch: string, 
/**
 * The last event that is known of it.
 */
seq: number, };

export type Problem = { 
/**
 * `about:blank`: the status says what kind it is.
 */
type: string, 
/**
 * The kind in words.
 */
title: string, 
/**
 * The status code.
 */
status: number, 
/**
 * What is wrong with this request.
 */
detail: string, 
/**
 * What to do next.
 */
help?: string, };

export type RatePoint = { rate: number, success_rate: number, seq: number, 
/**
 * Seconds since the run's first event.
 */
time: number, evaluations: number, 
/**
 * US dollars spent on models; 0 where no price is known.
 */
spent: number, };

export type Redelivered = { 
/**
 * The letter.
 */
number: number, 
/**
 * Whether it has been delivered, now or earlier; else it stays and can be sent again.
 */
delivered: boolean, };

export type Refusal = "bad_frame" | "unknown_topic" | "unknown_run" | "too_many";

export type Role = "viewer" | "operator";

export type Run = { 
/**
 * Its name.
 */
run_id: string, 
/**
 * The target's name.
 */
agent_id: string, 
/**
 * Where the target lay when the run began.
 */
target: string, 
/**
 * Patterns of files that may change, as they were configured.
 */
files: Array<string>, 
/**
 * What it is doing.
 */
state: Phase, 
/**
 * What ended it, once it ended.
 */
stopped_by: string | null, 
/**
 * Whether a process drives it.
 */
driven: boolean, 
/**
 * Seed of every decision.
 */
seed: number, 
/**
 * The event up to which this is folded.
 */
seq: number, 
/**
 * Time of its first event, Unix milliseconds.
 */
started_at: number, 
/**
 * The same as RFC 3339.
 */
started: string, 
/**
 * Time of its newest event, Unix milliseconds.
 */
last_event_at: number, 
/**
 * Milliseconds in which a process drove it.
 */
active_ms: number, 
/**
 * How many of everything there were.
 */
counters: Counters, 
/**
 * What is measured.
 */
objectives: Array<Objective>, 
/**
 * The unchanged target, once measured.
 */
baseline: Scored | null, 
/**
 * The candidate that is applied now, once the baseline is measured.
 */
champion: Scored | null, 
/**
 * The same candidate, by the name that reports use.
 */
best: Scored | null, 
/**
 * Members of the first front.
 */
front: Array<string>, 
/**
 * Hypervolume of the front.
 */
hypervolume: number, 
/**
 * Champions in order, the baseline first.
 */
champion_history: Array<string>, 
/**
 * Whether a person chose the champion to stay until it is unpinned.
 */
pinned: boolean, 
/**
 * Boldness.
 */
learning_rate: number, 
/**
 * Circuit breakers by what they guard.
 */
breakers: { [key in string]: Breaker }, 
/**
 * What may be spent.
 */
budget: Budget, 
/**
 * What was spent.
 */
spent: Spent, 
/**
 * Relative noise of objectives, measured on the baseline.
 */
noise: { [key in string]: number }, 
/**
 * The isolation level of the latest evaluation, empty before.
 */
isolation: string, 
/**
 * Proposers and operators.
 */
arms: Array<Arm>, };

export type RunHead = { 
/**
 * Its name.
 */
run_id: string, 
/**
 * The target's name.
 */
agent_id: string, 
/**
 * Where the target lay when the run began.
 */
target: string, 
/**
 * What it is doing.
 */
state: Phase, 
/**
 * Time of its first event, Unix milliseconds.
 */
started_at: number, 
/**
 * Candidates whose evaluation was started.
 */
evaluations: number, 
/**
 * Its newest event.
 */
seq: number, };

export type RunLine = { 
/**
 * Whether a process drives it.
 */
driven: boolean, 
/**
 * How many of everything there were.
 */
counters: Counters, 
/**
 * Its name.
 */
run_id: string, 
/**
 * The target's name.
 */
agent_id: string, 
/**
 * Where the target lay when the run began.
 */
target: string, 
/**
 * What it is doing.
 */
state: Phase, 
/**
 * Time of its first event, Unix milliseconds.
 */
started_at: number, 
/**
 * Candidates whose evaluation was started.
 */
evaluations: number, 
/**
 * Its newest event.
 */
seq: number, };

export type Runs = { 
/**
 * How many are listed here.
 */
shown: number, 
/**
 * How many there are.
 */
total: number, 
/**
 * Newest first.
 */
runs: Array<RunLine>, };

export type Scored = { 
/**
 * Its name.
 */
candidate_id: string, 
/**
 * Its place in the run.
 */
number: number, 
/**
 * Its snapshot.
 */
commit: string, 
/**
 * Its scores.
 */
scores: { [key in string]: number }, 
/**
 * Share of the baseline won, by objective; null for the baseline.
 */
improvement: { [key in string]: number } | null, };

export type ServerFrame = { "t": "hello" } & Hello | { "t": "resume", id: string, run: string, epoch: string, from: number, to: number, } | { "t": "snap", id: string, run: string, epoch: string, seq: number, state: SnapState, } | { "t": "d", id: string, run: string, from: number, to: number, ev: Array<LogRecord>, } | { "t": "gap", id: string, run: string, from: number, to: number, 
/**
 * How many records that is.
 */
missed: number, } | { "t": "runs", id: string, runs: Array<RunHead>, } | { "t": "ack", id: string, ok: boolean, error?: string, seq?: number, } | { "t": "pong", now: number, } | { "t": "err", id?: string, code: Refusal, message: string, };

export type Session = { 
/**
 * What they may do.
 */
role: Role, };

export type SnapState = { 
/**
 * Names of gates in the order of the column's indices.
 */
gate_names: Array<string>, champion_history: Array<ChampionStep>, learning_rate_history: Array<RatePoint>, hypervolume_history: Array<VolumePoint>, breakers: Array<BreakerHistory>, alerts: Array<AlertNote>, commands: Array<CommandNote>, 
/**
 * `split`, `canary` or `shared`, of the latest evaluation.
 */
separation: string, 
/**
 * Wall seconds of all evaluations together.
 */
evaluator_s: number, run_id: string, agent_id: string, target: string, seed: number, state: Phase, stopped_by?: string, pause_reason?: string, started_at: number, last_at: number, active_ms: number, objectives: Array<Objective>, budget: Budget, spent: Spent, counters: Counters, arms: Array<Arm>, noise: { [key in string]: number }, isolation: string, };

export type Source = { 
/**
 * Credentials, or the peer that signed, and the agent.
 */
source: string, 
/**
 * Trust in it, 0 to 1; 0.5 for the unknown.
 */
trust: number, 
/**
 * Packages received.
 */
received: number, 
/**
 * Judgements in which one improved a program here.
 */
improved: number, 
/**
 * Judgements in which the program was viable with one and no better.
 */
neutral: number, 
/**
 * Judgements in which the program was not viable with one.
 */
failed: number, };

export type Spent = { 
/**
 * Candidates whose evaluation was started.
 */
evaluations: number, 
/**
 * Answers of proposers.
 */
proposals: number, 
/**
 * Milliseconds in which a process drove the run.
 */
time_ms: number, 
/**
 * Tokens of language models, read and written.
 */
llm_tokens: number, 
/**
 * Price of language models, in US dollars; null where it is not known.
 */
llm_cost_usd: number | null, };

export type Status = "undecided" | "abandoned" | "rejected" | "archived" | "accepted" | "revoked";

export type Suspicion = { 
/**
 * The file.
 */
path: string, 
/**
 * Line, from 1, and suspicion, 0 to 1.
 */
lines: Array<[number, number]>, };

export type Told = { 
/**
 * More about the outcome: the limit, the signal, what was denied.
 */
detail: string, 
/**
 * The isolation level: `L1`, `L2` or `L3`.
 */
isolation: string, 
/**
 * How far the judge was kept apart: `split`, `canary` or `shared`.
 */
separation: string, 
/**
 * The gates in the order they were taken.
 */
checks: Array<Check>, 
/**
 * Every further raw number that the evaluator reported.
 */
metrics: { [key in string]: number }, 
/**
 * Cases that were run.
 */
cases: Array<Case>, 
/**
 * Cases that exist.
 */
cases_total: number, 
/**
 * Where the fault may lie.
 */
suspicion: Array<Suspicion>, 
/**
 * Paired comparisons with the parent.
 */
comparisons: Array<Comparison>, 
/**
 * What the sandbox denied, with counts.
 */
denials: { [key in string]: number }, 
/**
 * The end of what the candidate printed.
 */
log: string, };

export type Transfer = "accepted" | { "declined": string } | { "failed": string };

export type Verdict = { 
/**
 * What became of it.
 */
status: Status, 
/**
 * The gate at which it was rejected.
 */
gate: string, 
/**
 * Why.
 */
reason: string, };

export type VolumePoint = { value: number, seq: number, 
/**
 * Seconds since the run's first event.
 */
time: number, evaluations: number, 
/**
 * US dollars spent on models; 0 where no price is known.
 */
spent: number, };
