//! Drives one simulated run as the conductor drives a real one: record what the core decided, then carry its orders
//! out. Answers come in any order, late, twice or never; the process may be killed between any two steps and is then
//! taken up again from the log alone.

use crate::checks::{Audit, same_state};
use crate::landscape::{Genome, checkout, commit, mix};
use crate::plan::Plan;
use evolution::decision::{Decision, Input, Order};
use evolution::engine::Engine;
use evolution::event::{
    Command, Event, KnowledgeReceived, KnowledgeShared, News, PeerChanged, ProposalRequested, SearchDivided,
};
use evolution::id::Number;
use evolution::part::Part;
use evolution::picking::proposal_seed;
use evolution::settings::Budget;
use evolution::state::{Phase, Slot, State};
use std::collections::{HashMap, VecDeque};

/// Turns after which a run that has not ended is stuck.
const MAX_TURNS: u64 = 20_000;
/// Longest time that one turn takes, in milliseconds.
const MAX_STEP_MS: u64 = 400;
/// Commands at most in one run.
const MAX_COMMANDS: u64 = 12;
/// News of peers at most in one run.
const MAX_NEWS: u64 = 20;

/// What is left of a run.
pub(crate) struct Ended {
    pub(crate) log: Vec<(i64, Event)>,
    pub(crate) state: State,
    pub(crate) kills: u64,
    pub(crate) turns: u64,
}

/// The process that a kill ends: everything in it is lost.
struct Process {
    engine: Engine,
    /// Answers on their way.
    inbox: Vec<Input>,
    /// Programs proposed and not yet in a snapshot.
    patches: HashMap<Number, Genome>,
}

struct Driver<'a> {
    plan: &'a Plan,
    log: Vec<(i64, Event)>,
    audit: Audit,
    now_ms: i64,
    draws: u64,
    kills: u64,
    commands: u64,
    news: u64,
    lost: u64,
}

/// A kill that the schedule asked for.
struct Killed;

/// Runs a plan to its end.
pub(crate) fn run(plan: &Plan) -> Ended {
    let mut driver = Driver {
        plan,
        log: Vec::new(),
        audit: Audit::new(plan),
        now_ms: 1_700_000_000_000,
        draws: 0,
        kills: 0,
        commands: 0,
        news: 0,
        lost: 0,
    };
    let mut turns = 0;
    let mut process = driver.restart(&mut turns);
    while !process.engine.is_finished() {
        turns += 1;
        assert!(turns < MAX_TURNS, "run {} is stuck after {:?}", plan.started.run_id, driver.log.last());
        if driver.turn(&mut process).is_err() {
            process = driver.restart(&mut turns);
        }
    }
    let state = process.engine.state().clone();
    let events = driver.log.iter().map(|(time_ms, event)| (*time_ms, event));
    let folded = State::fold(events).unwrap();
    same_state(&folded, &state, "the folded log", "the live state");
    driver.audit.at_the_end(&state);
    Ended { log: driver.log, state, kills: driver.kills, turns }
}

impl Driver<'_> {
    /// A number below `values` from the schedule.
    fn draw(&mut self, values: u64) -> u64 {
        self.draws += 1;
        mix(self.plan.schedule, &[self.draws]) % values.max(1)
    }

    fn happens(&mut self, one_in: u64) -> bool {
        one_in > 0 && self.draw(one_in) == 0
    }

    /// Begins the run, or takes it up again from the log, as often as it takes.
    fn restart(&mut self, turns: &mut u64) -> Process {
        loop {
            *turns += 1;
            assert!(*turns < MAX_TURNS, "run {} never starts", self.plan.started.run_id);
            if let Ok(process) = self.start() {
                return process;
            }
        }
    }

    fn start(&mut self) -> Result<Process, Killed> {
        self.now_ms += i64::try_from(self.draw(MAX_STEP_MS)).unwrap();
        if self.log.is_empty() {
            let (engine, decisions) =
                Engine::begin(self.plan.started.clone(), self.plan.workers, self.now_ms).unwrap();
            let mut process = Process { engine, inbox: Vec::new(), patches: HashMap::new() };
            self.settle(&mut process, decisions)?;
            return Ok(process);
        }
        let state = State::fold(self.log.iter().map(|(time_ms, event)| (*time_ms, event))).unwrap();
        same_state(&state, self.audit.state(), "the state after a restart", "the state before");
        let open: Vec<ProposalRequested> = state
            .slots
            .iter()
            .filter_map(
                |slot| if let Slot::Requested(requested) = slot { Some(requested.clone()) } else { None },
            )
            .collect();
        self.audit.restarted();
        let over = matches!(state.phase, Phase::Finished(_));
        let (engine, decisions) = if over {
            (Engine::revisit(state, self.now_ms), Vec::new())
        } else {
            Engine::resume(state, self.plan.workers, "restart", self.now_ms).unwrap()
        };
        let mut process = Process { engine, inbox: Vec::new(), patches: HashMap::new() };
        if !over {
            for requested in open {
                let seed = proposal_seed(self.plan.started.seed, requested.number);
                self.ask(&mut process, requested.number, &requested.operator, &requested.parents, seed);
            }
        }
        self.settle(&mut process, decisions)?;
        Ok(process)
    }

    /// One thing happens: an answer, a command, or time.
    fn turn(&mut self, process: &mut Process) -> Result<(), Killed> {
        self.now_ms += i64::try_from(self.draw(MAX_STEP_MS)).unwrap();
        let input = if self.commands < MAX_COMMANDS && self.happens(self.plan.command) {
            self.commands += 1;
            self.command(process.engine.state())
        } else if self.news < MAX_NEWS && self.happens(self.plan.news) {
            self.news += 1;
            self.hear()
        } else if process.inbox.is_empty() {
            self.wait(process)?
        } else {
            let which = self.draw(process.inbox.len() as u64) as usize;
            let input = process.inbox.swap_remove(which);
            // A failed evaluation is answered once: the port is a call that returns, and a second failure would count as
            // a second try.
            let failed = matches!(input, Input::EvaluationAnswered { result: Err(_), .. });
            if !failed && self.happens(self.plan.echo) {
                process.inbox.push(input.clone());
            }
            input
        };
        if let Input::EvaluationAnswered { number, purpose, .. } = &input {
            self.audit.answered(*number, *purpose);
        }
        let decisions = process.engine.step(input, self.now_ms).unwrap();
        self.settle(process, decisions)
    }

    /// Nothing is on its way: the clock moves on, and a run that waits for a lost answer is restarted by its operator.
    fn wait(&mut self, process: &Process) -> Result<Input, Killed> {
        let state = process.engine.state();
        if state.phase == Phase::Paused && state.rollback.is_none() && process.engine.is_idle() {
            self.commands += 1;
            let id = format!("resume {}", self.commands);
            return Ok(Input::Control { id, command: Command::ResumeEvolution, reason: "go on".to_owned() });
        }
        if self.lost > 0 {
            self.lost = 0;
            self.kills += 1;
            return Err(Killed);
        }
        if let Some(at) = process.engine.wake_at_ms() {
            self.now_ms = self.now_ms.max(at);
        }
        Ok(Input::Tick)
    }

    /// Something that peers did; now and then what is known already.
    fn hear(&mut self) -> Input {
        let which = if self.happens(4) { self.news / 2 } else { self.news };
        let (digest, from) = (format!("package {which}"), "peer".to_owned());
        Input::News(match self.draw(10) {
            0 => News::Peer(PeerChanged {
                name: from,
                change: "fails".to_owned(),
                breaker: None,
                reason: String::new(),
            }),
            1 => News::Shared(KnowledgeShared {
                modification_id: None,
                digest,
                to: from,
                attempts: 1,
                outcome: "accepted".to_owned(),
                reason: String::new(),
            }),
            2 | 3 => News::Divided(SearchDivided {
                part: self.happens(2).then(|| Part { own: u32::from(self.happens(2)), of: 2 }),
                with: vec![from],
            }),
            chance => News::Received(KnowledgeReceived {
                digest,
                from,
                source_agent: "agent".to_owned(),
                improvement_type: "speed".to_owned(),
                compatibility: 0.8,
                queued: chance > 4,
                signed_by: None,
            }),
        })
    }

    fn command(&mut self, state: &State) -> Input {
        let any = self.draw(u64::from(state.next_number())) as Number;
        let modification_id = state.id(any);
        let evaluated = state.trials.keys().map(|(number, _)| *number).max();
        let command = match self.draw(14) {
            0..=2 => Command::PauseEvolution,
            3..=5 => Command::ResumeEvolution,
            6..=7 => Command::RollbackModification { modification_id },
            8..=9 => Command::Promote { modification_id },
            10 => Command::StopEvolution,
            11 => Command::Pin { modification_id },
            12 => Command::AbortEvaluation { modification_id: state.id(evaluated.unwrap_or(any)) },
            _ => {
                let more = state.counters.evaluations + self.draw(20) + 16;
                let budget = Budget { evaluations: Some(more), ..state.budget.clone() };
                Command::SetBudget { budget }
            }
        };
        // Now and then the same command comes again under its old id.
        let id = if self.happens(5) { self.commands / 2 } else { self.commands };
        Input::Control { id: format!("command {id}"), command, reason: "because".to_owned() }
    }

    /// Appends what was decided, then carries the orders out, until nothing is left.
    fn settle(&mut self, process: &mut Process, decisions: Vec<Decision>) -> Result<(), Killed> {
        let mut pending = VecDeque::from(decisions);
        while !pending.is_empty() {
            if self.killed() {
                return Err(Killed);
            }
            let (mut orders, mut recorded) = (Vec::new(), false);
            for decision in pending.drain(..) {
                match decision {
                    Decision::Record(event) => {
                        self.audit.record(self.now_ms, &event);
                        self.log.push((self.now_ms, *event));
                        recorded = true;
                    }
                    Decision::Carry(order) => orders.push(order),
                }
            }
            self.audit.after_batch(process.engine.state());
            if recorded && self.killed() {
                return Err(Killed);
            }
            for order in orders {
                self.audit.order(&order);
                pending.extend(self.carry(process, order));
            }
        }
        Ok(())
    }

    fn killed(&mut self) -> bool {
        let killed = self.happens(self.plan.kill);
        self.kills += u64::from(killed);
        killed
    }

    fn carry(&mut self, process: &mut Process, order: Order) -> Vec<Decision> {
        match order {
            Order::Propose(asked) => {
                let seed = proposal_seed(process.engine.state().run.seed, asked.number);
                self.ask(process, asked.number, &asked.operator, &asked.parents, seed);
                Vec::new()
            }
            Order::Snapshot { number, .. } => {
                let genome = process.patches.remove(&number).expect("a proposal that was answered");
                let input = Input::SnapshotMade { number, commit: commit(number, &genome) };
                process.engine.step(input, self.now_ms).unwrap()
            }
            Order::Evaluate { number, purpose, .. } => {
                let state = process.engine.state();
                let genome = checkout(&state.candidate(number).expect("a candidate with a snapshot").commit);
                let failures = self.log.iter().filter(|(_, event)| match event {
                    Event::EvaluationFailed(failed) => failed.number == number && failed.purpose == purpose,
                    _ => false,
                });
                let attempt = u32::try_from(failures.count()).unwrap() + 1;
                let result = self.plan.landscape.evaluate(&genome, purpose, attempt);
                if self.happens(self.plan.lose) {
                    self.lost += 1;
                } else {
                    process.inbox.push(Input::EvaluationAnswered { number, purpose, result });
                }
                Vec::new()
            }
            // An evaluator that is told to end answers all the same, with whatever it has.
            Order::Abort { .. }
            | Order::Observe { .. }
            | Order::Annotate { .. }
            | Order::SetChampion { .. } => Vec::new(),
        }
    }

    fn ask(&self, process: &mut Process, number: Number, operator: &str, parents: &[Number], seed: u64) {
        let state = process.engine.state();
        let genome =
            |parent: &Number| checkout(&state.candidate(*parent).expect("a parent with a snapshot").commit);
        let parents: Vec<Genome> = parents.iter().map(genome).collect();
        let (answer, genome) = self.plan.landscape.propose(operator, &parents, seed);
        process.patches.insert(number, genome);
        process.inbox.push(Input::ProposalAnswered { number, answer });
    }
}
