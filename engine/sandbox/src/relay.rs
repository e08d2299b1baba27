//! Judge and candidate in cells of their own: a project's tests or evaluator run in one, the candidate's functions in
//! the other, and calls are carried between them as plain data that is read and written anew on the way. The judge
//! stays alive from one candidate to the next; the candidate's cell is a fresh one each time.
//!
//! Whether an interface allows this is found out on the baseline, by judging it both ways.

use crate::bench::{Bench, BenchError, Trouble, line};
use crate::cell::{Job, Lane, LaneOptions, Received, Session};
use crate::value::Value;
use evolution::candidate::Outcome;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// Candidates after which a judge is replaced by a new one.
const MAX_JUDGED: u32 = 500;
/// How long a judge may take to start.
const START: Duration = Duration::from_secs(30);
/// New processes for a candidate after one had to be given up.
const MAX_RESTARTS: u32 = 3;
/// Most messages of one judgement.
const MAX_MESSAGES: usize = 1_000_000;

/// What is wanted of a judge's thread.
enum Order {
    Send(Vec<u8>),
    Receive(Duration),
}

/// A judge that stays alive: its lane, kept by a thread of its own.
pub(crate) struct Judge {
    orders: Option<Sender<Order>>,
    heard: Receiver<Received>,
    thread: Option<JoinHandle<()>>,
    framework: &'static str,
    judged: u32,
    /// CPU seconds that it had used when it was last done.
    cpu_s: f64,
}

impl Judge {
    /// Starts a judge.
    pub(crate) fn start(options: LaneOptions, job: Job, framework: &'static str) -> Result<Self, BenchError> {
        let mut lane = Lane::start(options)?;
        let (orders, wanted) = channel();
        let (tell, heard) = channel();
        let thread = std::thread::spawn(move || {
            // The error is seen as a channel that is closed.
            let Ok(mut session) = lane.open(&job) else { return };
            for order in wanted {
                match order {
                    Order::Send(bytes) => session.send(&bytes),
                    Order::Receive(wait) => {
                        if tell.send(session.receive(wait)).is_err() {
                            break;
                        }
                    }
                }
            }
            session.kill();
            drop(session);
        });
        let mut judge =
            Self { orders: Some(orders), heard, thread: Some(thread), framework, judged: 0, cpu_s: 0.0 };
        let name = (Value::Str("framework".to_owned()), Value::Str(framework.to_owned()));
        judge.send(&Value::Dict(vec![name]));
        judge.receive(START);
        Ok(judge)
    }

    /// Whether it can judge one more candidate by this framework.
    pub(crate) fn serves(&self, framework: &str) -> bool {
        self.framework == framework && self.judged < MAX_JUDGED && self.orders.is_some()
    }

    fn send(&mut self, value: &Value) {
        if let Some(orders) = &self.orders {
            let _ = orders.send(Order::Send(line(value)));
        }
    }

    fn receive(&mut self, wait: Duration) -> Received {
        let asked = self.orders.as_ref().is_some_and(|orders| orders.send(Order::Receive(wait)).is_ok());
        if asked { self.heard.recv().unwrap_or(Received::End) } else { Received::End }
    }

    /// What it says next.
    fn next(&mut self, until: Instant) -> Next {
        let Received::Line(text) = self.receive(until.saturating_duration_since(Instant::now())) else {
            return Next::Lost;
        };
        let Ok(said) = Value::from_line(&text) else { return Next::Lost };
        if let Some(cpu_s) = said.get("over").and_then(Value::as_f64) {
            Next::Over(cpu_s)
        } else if said.get("call").is_some() || said.get("load").is_some() {
            Next::Question(said)
        } else {
            Next::Said(said)
        }
    }
}

impl Drop for Judge {
    fn drop(&mut self) {
        self.orders = None;
        if let Some(thread) = self.thread.take() {
            // A thread that panicked has ended its session all the same.
            let _ = thread.join();
        }
    }
}

/// What a judge says.
enum Next {
    /// Something that only the candidate can answer.
    Question(Value),
    /// Something of its own.
    Said(Value),
    /// It is done; the CPU seconds that it has used since it was started.
    Over(f64),
    /// It says no more, or nothing that can be understood, or time is up.
    Lost,
}

/// What is asked of both sides.
pub(crate) struct Brief<'b> {
    /// `unittest`, `pytest` or `evaluator`.
    pub(crate) framework: &'static str,
    /// What the judge is told.
    pub(crate) task: &'b Value,
    /// CPU seconds for each call.
    pub(crate) limit_s: f64,
    /// Record the lines that run.
    pub(crate) trace: bool,
    /// Wall time for all.
    pub(crate) wall: Duration,
}

/// How a judgement ended.
#[derive(Debug, Default)]
pub(crate) struct Judgement {
    /// What the candidate's interface cannot carry, if there is something.
    pub(crate) unfit: Option<String>,
    /// What kept the judge from its end, or the sandbox from its work.
    pub(crate) trouble: Option<Trouble>,
    /// How the candidate last failed to answer.
    pub(crate) gone: Option<Trouble>,
    /// Whether the candidate was needed at all.
    pub(crate) asked: bool,
}

/// A judgement under way.
struct Exchange<'e> {
    judge: &'e mut Judge,
    hear: &'e mut dyn FnMut(&Value, Option<&Value>),
    judgement: Judgement,
    /// Files that the candidate was asked to load, for a new process of it to load again.
    loads: Vec<Value>,
    until: Instant,
    patience: Duration,
    trace: bool,
}

/// How a part of an exchange ended.
enum Part {
    /// The judge asks something, and the candidate is not there.
    Asked(Value),
    /// The candidate is gone, for a reason that its cell may tell.
    Gone(Option<Trouble>),
    /// The judge is done.
    Over(f64),
    /// The judge is lost.
    Lost,
}

impl Exchange<'_> {
    /// Takes what the judge says of its own accord.
    fn take(&mut self, said: &Value, lines: Option<&Value>) {
        if let Some(reason) = said.get("unfit").and_then(Value::as_str) {
            self.judgement.unfit.get_or_insert_with(|| reason.to_owned());
        } else {
            (self.hear)(said, lines);
        }
    }

    /// Listens until the candidate is needed.
    fn alone(&mut self) -> Part {
        for _ in 0..MAX_MESSAGES {
            match self.judge.next(self.until) {
                Next::Question(question) => return Part::Asked(question),
                Next::Said(said) => self.take(&said, None),
                Next::Over(cpu_s) => return Part::Over(cpu_s),
                Next::Lost => return Part::Lost,
            }
        }
        Part::Lost
    }

    /// Carries questions and answers to and fro, beginning with `question`.
    fn together(&mut self, host: &mut Session<'_>, question: Value) -> Part {
        for load in self.loads.clone() {
            if let Err(trouble) = self.ask(host, &load) {
                self.judge.send(&gone(trouble.as_ref()));
                return Part::Gone(trouble);
            }
        }
        let mut open = Some(question);
        for _ in 0..MAX_MESSAGES {
            if let Some(question) = open.take() {
                if question.get("load").is_some() && !self.loads.contains(&question) {
                    self.loads.push(question.clone());
                }
                match self.ask(host, &question) {
                    Ok(answer) => self.judge.send(&answer),
                    Err(trouble) => {
                        self.judge.send(&gone(trouble.as_ref()));
                        return Part::Gone(trouble);
                    }
                }
            }
            match self.judge.next(self.until) {
                Next::Question(question) => open = Some(question),
                Next::Said(said) => {
                    let wanted = self.trace && said.get("case").is_some();
                    let lines = if wanted { self.ask(host, &note("lines", Value::None)).ok() } else { None };
                    self.take(&said, lines.as_ref());
                }
                Next::Over(cpu_s) => return Part::Over(cpu_s),
                Next::Lost => return Part::Lost,
            }
        }
        Part::Lost
    }

    /// The candidate's answer; without one the reason, which its cell may tell if it is not known here.
    fn ask(&self, host: &mut Session<'_>, question: &Value) -> Result<Value, Option<Trouble>> {
        host.send(&line(question));
        match host.receive(self.patience) {
            Received::Line(text) => {
                Value::from_line(&text).map_err(|reason| Some(Trouble::new(Outcome::Protocol, reason)))
            }
            Received::Timeout => Err(Some(Trouble::new(Outcome::Timeout, "a call did not return in time"))),
            Received::End => Err(None),
        }
    }
}

fn note(name: &str, value: Value) -> Value {
    Value::Dict(vec![(Value::Str(name.to_owned()), value)])
}

fn gone(trouble: Option<&Trouble>) -> Value {
    let word = trouble.map_or(Outcome::EarlyExit, |trouble| trouble.outcome).word();
    note("gone", Value::Str(word.to_owned()))
}

impl Bench {
    /// Lets a judge judge the files shown, and its questions be answered by the candidate. `hear` gets what the judge
    /// says of its own accord, with the lines that the candidate ran meanwhile, when they are recorded.
    pub(crate) fn relay(
        &mut self,
        brief: &Brief<'_>,
        hear: &mut dyn FnMut(&Value, Option<&Value>),
    ) -> Result<Judgement, BenchError> {
        let mut judge = match self.judge.take().filter(|judge| judge.serves(brief.framework)) {
            Some(judge) => judge,
            None => self.appoint(brief.framework)?,
        };
        judge.judged += 1;
        judge.send(brief.task);
        let (job, task) = self.host(brief);
        let mut exchange = Exchange {
            judge: &mut judge,
            hear,
            judgement: Judgement::default(),
            loads: Vec::new(),
            until: Instant::now() + brief.wall,
            patience: Duration::from_secs_f64(brief.limit_s * 8.0 + 1.0).min(brief.wall),
            trace: brief.trace,
        };
        let mut restarts = 0;
        let mut part = exchange.alone();
        let judge_cpu_s = loop {
            match part {
                Part::Asked(_) if restarts > MAX_RESTARTS => {
                    let gone = gone(exchange.judgement.gone.as_ref());
                    exchange.judge.send(&gone);
                    part = exchange.alone();
                }
                Part::Asked(question) => {
                    restarts += 1;
                    exchange.judgement.asked = true;
                    let mut host = self.lane.open(&job)?;
                    host.send(&line(&task));
                    part = exchange.together(&mut host, question);
                    // Whoever closed the channel is on the way out, and how they leave tells more than our ending them.
                    if !matches!(part, Part::Gone(None)) {
                        host.kill();
                    }
                    let report = host.finish()?;
                    let report = self.settle(report);
                    if let Part::Gone(known) = &part {
                        let trouble = known.clone().unwrap_or_else(|| Trouble::of(&report));
                        if trouble.outcome == Outcome::SandboxError {
                            exchange.judgement.trouble = Some(trouble.clone());
                        }
                        exchange.judgement.gone = Some(trouble);
                    }
                }
                Part::Gone(_) => part = exchange.alone(),
                Part::Over(cpu_s) => break Some(cpu_s),
                Part::Lost => break None,
            }
        };
        let mut judgement = exchange.judgement;
        match judge_cpu_s {
            Some(cpu_s) => {
                self.bill.cost.cpu_s += (cpu_s - judge.cpu_s).max(0.0);
                judge.cpu_s = cpu_s;
                self.judge = Some(judge);
            }
            // It is in the middle of something that nobody waits for: the next candidate gets another.
            None => {
                let trouble =
                    || Trouble::new(Outcome::Timeout, "judging it took too long, or ended the judge");
                judgement.trouble.get_or_insert_with(trouble);
            }
        }
        Ok(judgement)
    }
}
