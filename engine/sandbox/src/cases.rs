//! Input/output cases: their file, and a run of them. Inputs go to the candidate one by one, answers come back as plain
//! data, and what is expected never leaves this process.
//!
//! Accepted forms of the file, all JSON:
//! - `{"function": "name", "file"?: "module.py", "cases": [CASE, ...]}`
//! - a list of cases, or one case a line
//! - CASE: `{"name"?, "function"?, "args": [...], "kwargs"?: {...}, "expected": ...}`, where `input`, `inputs` and `in`
//!   mean `args`, and `output`, `out`, `result` and `return` mean `expected`; or a pair `[args, expected]`
//! - CASE of a program: `{"stdin": "...", "stdout": "...", "argv"?: [...]}`: the file is run, and its output compared
//!   without trailing white space.
//!
//! Without a function's name, that of the file is taken (`gcd.py`: `gcd`), else its only public function.

use crate::bench::{Bench, BenchError, Trouble, line};
use crate::cell::{Received, Session};
use crate::localisation::Coverage;
use crate::measure;
use crate::value::Value;
use crate::workspace::Side;
use evolution::candidate::{CaseResult, Outcome};
use serde_json::value::RawValue;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;
use syntax::Module;

/// Most cases of one file.
const MAX_CASES: usize = 10_000;
/// New processes for the rest of the cases after one had to be killed.
const MAX_RESTARTS: u32 = 3;
/// Wall time that a case may take beyond its CPU limit: the machine may be busy.
const WALL_FACTOR: f64 = 8.0;

/// What a case asks.
#[derive(Debug, Clone, PartialEq)]
enum Question {
    Call { function: String, args: Vec<Value>, kwargs: Value, expected: Value },
    Program { argv: Vec<String>, stdin: String, stdout: String },
}

/// One case.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Case {
    pub(crate) name: String,
    question: Question,
}

/// The cases of a target.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct CaseFile {
    /// The program's file below the tree.
    file: String,
    pub(crate) cases: Vec<Case>,
}

/// What a run of cases or tests showed.
#[derive(Debug, Default)]
pub(crate) struct Findings {
    /// Cases that were run, in a stable order.
    pub(crate) results: Vec<CaseResult>,
    /// Cases that exist.
    pub(crate) total: u32,
    /// The rest was not run, since nothing that failed before passes now.
    pub(crate) gave_up: bool,
    /// What the candidate's interface cannot carry from one process to another, if that was asked of it.
    pub(crate) unfit: Option<String>,
    /// What was wrong beyond failing cases.
    pub(crate) trouble: Option<Trouble>,
    /// Lines that each case ran, when asked for.
    pub(crate) coverage: Vec<(bool, Coverage)>,
    /// Lines at which uncaught exceptions arose.
    pub(crate) blamed: BTreeSet<(String, u32)>,
    /// CPU seconds of the dearest case that passed.
    pub(crate) dearest_s: f64,
}

impl Findings {
    /// Notes what a case cost, if it is dearer than those before.
    pub(crate) fn note_cost(&mut self, answer: &Value, passed: bool) {
        if let Some(cpu_s) = answer.get("cpu").and_then(Value::as_f64).filter(|_| passed) {
            self.dearest_s = self.dearest_s.max(cpu_s);
        }
    }

    /// Whether the same cases passed and failed.
    pub(crate) fn agrees_with(&self, other: &Self) -> bool {
        let verdicts = |findings: &Self| -> BTreeMap<String, bool> {
            findings.results.iter().map(|case| (case.name.clone(), case.passed)).collect()
        };
        self.total == other.total && verdicts(self) == verdicts(other)
    }

    /// How many cases passed.
    pub(crate) fn passed(&self) -> usize {
        self.results.iter().filter(|case| case.passed).count()
    }
}

type Fields<'r> = BTreeMap<String, &'r RawValue>;

fn first<'r>(fields: &Fields<'r>, names: &[&str]) -> Option<&'r RawValue> {
    names.iter().find_map(|name| fields.get(*name).copied())
}

fn text(raw: &RawValue) -> Option<String> {
    serde_json::from_str(raw.get()).ok()
}

impl CaseFile {
    /// Reads a file of cases. `mutable` are the files that may change, `source` reads one of them.
    pub(crate) fn parse(
        content: &str,
        mutable: &[String],
        source: impl Fn(&str) -> Option<String>,
    ) -> Result<Self, String> {
        let whole: Result<&RawValue, _> = serde_json::from_str(content);
        let (mut function, mut file, raw_cases) = match whole {
            Ok(raw) if raw.get().trim_start().starts_with('{') && raw.get().contains("\"cases\"") => {
                let fields: Fields<'_> =
                    serde_json::from_str(raw.get()).map_err(|error| error.to_string())?;
                let cases = fields.get("cases").ok_or("it has no \"cases\"")?;
                let cases: Vec<&RawValue> =
                    serde_json::from_str(cases.get()).map_err(|error| error.to_string())?;
                let named = first(&fields, &["function", "entry_point", "entry"]).and_then(text);
                (named, first(&fields, &["file", "path"]).and_then(text), cases)
            }
            Ok(raw) if raw.get().trim_start().starts_with('[') => {
                (None, None, serde_json::from_str(raw.get()).map_err(|error| error.to_string())?)
            }
            _ => {
                let lines = content.lines().filter(|line| !line.trim().is_empty());
                let cases: Result<Vec<&RawValue>, _> = lines.map(serde_json::from_str).collect();
                (
                    None,
                    None,
                    cases
                        .map_err(|error| format!("it is neither JSON nor one JSON value a line: {error}"))?,
                )
            }
        };
        if raw_cases.is_empty() || raw_cases.len() > MAX_CASES {
            return Err(format!("it has {} cases; 1 to {MAX_CASES} are allowed", raw_cases.len()));
        }
        let file = file.take().or_else(|| mutable.iter().find(|path| path.ends_with(".py")).cloned());
        let file = file.ok_or("it names no file, and no Python file may change")?;
        if function.is_none() {
            function = source(&file).and_then(|text| only_function(&file, &text));
        }
        let cases = raw_cases
            .iter()
            .enumerate()
            .map(|(index, raw)| {
                case(raw, index, function.as_deref()).map_err(|error| format!("case {}: {error}", index + 1))
            })
            .collect::<Result<Vec<_>, _>>()?;
        Ok(Self { file, cases })
    }
}

/// The function meant when none is named.
fn only_function(file: &str, source: &str) -> Option<String> {
    let module = Module::parse(source);
    let functions = module.functions();
    let public: Vec<&str> = functions
        .iter()
        .filter(|function| function.is_top_level() && !function.name.starts_with('_'))
        .map(|function| function.name)
        .collect();
    let stem = file.rsplit('/').next().and_then(|name| name.strip_suffix(".py"));
    let named = public.iter().find(|name| Some(**name) == stem);
    named
        .or_else(|| if public.len() == 1 { public.first() } else { public.last() })
        .map(|name| (*name).to_owned())
}

fn case(raw: &RawValue, index: usize, function: Option<&str>) -> Result<Case, String> {
    let unnamed = format!("case {}", index + 1);
    if raw.get().trim_start().starts_with('[') {
        let pair: Vec<&RawValue> = serde_json::from_str(raw.get()).map_err(|error| error.to_string())?;
        let [args, expected] = pair.as_slice() else { return Err("it is a list, and not of two".to_owned()) };
        let question = Question::Call {
            function: function.ok_or("no function is named")?.to_owned(),
            args: arguments(args)?,
            kwargs: Value::Dict(Vec::new()),
            expected: Value::from_json(expected)?,
        };
        return Ok(Case { name: unnamed, question });
    }
    let fields: Fields<'_> = serde_json::from_str(raw.get()).map_err(|error| error.to_string())?;
    let name = first(&fields, &["name", "id"]).and_then(text).unwrap_or(unnamed);
    let expected = first(&fields, &["expected", "output", "out", "result", "return", "stdout"]);
    let expected = expected.ok_or("it has no \"expected\"")?;
    let own = first(&fields, &["function"]).and_then(text);
    let input = first(&fields, &["args", "input", "inputs", "in"]);
    let is_program = fields.contains_key("stdin")
        || (fields.contains_key("stdout") && !fields.contains_key("expected"))
        || (function.is_none() && own.is_none() && input.and_then(text).is_some());
    let question = if is_program {
        let argv = first(&fields, &["argv", "args"]).and_then(|raw| serde_json::from_str(raw.get()).ok());
        Question::Program {
            argv: argv.unwrap_or_default(),
            stdin: first(&fields, &["stdin", "input", "in"]).and_then(text).unwrap_or_default(),
            stdout: text(expected).ok_or("the expected output is not text")?,
        }
    } else {
        Question::Call {
            function: own.or_else(|| function.map(str::to_owned)).ok_or("no function is named")?,
            args: input.map(arguments).transpose()?.unwrap_or_default(),
            kwargs: first(&fields, &["kwargs"])
                .map(Value::from_json)
                .transpose()?
                .unwrap_or(Value::Dict(Vec::new())),
            expected: Value::from_json(expected)?,
        }
    };
    Ok(Case { name, question })
}

/// A list is the arguments; anything else is the only one.
fn arguments(raw: &RawValue) -> Result<Vec<Value>, String> {
    Ok(match Value::from_json(raw)? {
        Value::List(items) => items,
        single => vec![single],
    })
}

/// Why listening ended.
enum Halt {
    /// Every case was answered.
    Complete,
    /// The rest does not matter any more.
    Hopeless,
    /// The module could not be loaded.
    NotLoaded,
    /// Something came that is no answer.
    Garbled(String),
    /// Nothing came in time.
    Silent,
    /// The channel was closed.
    Closed,
}

/// How cases are run.
pub(crate) struct CaseRun<'c> {
    pub(crate) file: &'c CaseFile,
    /// Names of cases to run first.
    pub(crate) first: &'c [String],
    /// Give the rest up when none of the first passes.
    pub(crate) give_up: bool,
    /// CPU seconds for each case.
    pub(crate) limit_s: f64,
    /// Record the lines that run.
    pub(crate) trace: bool,
    /// Wall time for all.
    pub(crate) wall: Duration,
}

impl CaseRun<'_> {
    /// Runs the cases on the files shown.
    pub(crate) fn run(&self, bench: &mut Bench) -> Result<Findings, BenchError> {
        let cases = &self.file.cases;
        let is_first = |case: &Case| self.first.contains(&case.name);
        let (early, late): (Vec<usize>, Vec<usize>) =
            (0..cases.len()).partition(|index| cases.get(*index).is_some_and(is_first));
        let mut findings =
            Findings { total: u32::try_from(cases.len()).unwrap_or(u32::MAX), ..Findings::default() };
        let mut results: BTreeMap<usize, CaseResult> = BTreeMap::new();
        let mut restarts = 0;
        let mut open: Vec<usize> = early.iter().chain(&late).copied().collect();
        while !open.is_empty() {
            let hopeless = |results: &BTreeMap<usize, CaseResult>| {
                let failed = |index| results.get(index).is_some_and(|result: &CaseResult| !result.passed);
                self.give_up && !early.is_empty() && early.iter().all(failed)
            };
            let done = self.speak(bench, &open, &mut results, &mut findings, &hopeless)?;
            findings.gave_up = hopeless(&results) && results.len() < cases.len();
            if findings.gave_up || (findings.trouble.is_some() && done == 0) {
                break;
            }
            open.drain(..done);
            restarts += 1;
            if restarts > MAX_RESTARTS {
                break;
            }
        }
        if !findings.gave_up {
            let failure = findings.trouble.as_ref().map_or("not reached", |trouble| trouble.outcome.word());
            for (index, case) in cases.iter().enumerate() {
                results.entry(index).or_insert_with(|| CaseResult {
                    name: case.name.clone(),
                    passed: false,
                    failure: failure.to_owned(),
                });
            }
        }
        findings.results = results.into_values().collect();
        Ok(findings)
    }

    /// One process for the open cases. Answers how many of them are done with.
    fn speak(
        &self,
        bench: &mut Bench,
        open: &[usize],
        results: &mut BTreeMap<usize, CaseResult>,
        findings: &mut Findings,
        hopeless: &dyn Fn(&BTreeMap<usize, CaseResult>) -> bool,
    ) -> Result<usize, BenchError> {
        let task = self.task(bench);
        let cases = &self.file.cases;
        let mut session = bench.start("cases", Side::Candidate, self.wall, &task)?;
        for index in open {
            if let Some(case) = cases.get(*index) {
                session.send(&line(&case.request(*index)));
            }
        }
        let mut answers = Vec::new();
        let halt = self.listen(&mut session, open, results, &mut answers, hopeless);
        // Whoever closed the channel is on the way out, and how they leave tells more than how we would end them.
        if !matches!(halt, Halt::Complete | Halt::Closed) {
            session.kill();
        }
        let report = session.finish()?;
        let report = bench.settle(report);
        let done = answers.iter().filter(|answer| answer.get("id").is_some()).count();
        self.gather(bench, &answers, findings);
        let trouble = match halt {
            Halt::Complete => return Ok(done),
            Halt::Hopeless | Halt::NotLoaded => return Ok(0),
            Halt::Garbled(reason) => Trouble::new(Outcome::Protocol, reason),
            Halt::Silent => Trouble::new(Outcome::Timeout, "a case did not answer in time"),
            Halt::Closed => Trouble::of(&report),
        };
        if trouble.outcome == Outcome::SandboxError {
            findings.trouble = Some(trouble);
            return Ok(0);
        }
        // The case that was under way is to blame; the others get a process of their own.
        if let Some((index, case)) = open.get(done).and_then(|index| Some((*index, cases.get(*index)?))) {
            let failure = trouble.outcome.word().to_owned();
            results.insert(index, CaseResult { name: case.name.clone(), passed: false, failure });
        }
        findings.trouble.get_or_insert(trouble);
        Ok(done + 1)
    }

    /// Takes answers until there is a reason to stop.
    fn listen(
        &self,
        session: &mut Session<'_>,
        open: &[usize],
        results: &mut BTreeMap<usize, CaseResult>,
        answers: &mut Vec<Value>,
        hopeless: &dyn Fn(&BTreeMap<usize, CaseResult>) -> bool,
    ) -> Halt {
        let patience = Duration::from_secs_f64(self.limit_s * WALL_FACTOR + 1.0);
        let mut next = || match session.receive(patience) {
            Received::Line(text) => Value::from_line(&text).map_err(Halt::Garbled),
            Received::End => Err(Halt::Closed),
            Received::Timeout => Err(Halt::Silent),
        };
        match next() {
            Ok(greeting) if greeting.get("failed").is_some() => {
                answers.push(greeting);
                return Halt::NotLoaded;
            }
            Ok(_) => {}
            Err(halt) => return halt,
        }
        for index in open {
            let Some(case) = self.file.cases.get(*index) else { continue };
            match next() {
                Ok(answer) if answer.get("id") != Some(&identity(*index)) => {
                    return Halt::Garbled("an answer came that was not asked for".to_owned());
                }
                Ok(answer) => {
                    results.insert(*index, case.judge(&answer));
                    answers.push(answer);
                }
                Err(halt) => return halt,
            }
            if hopeless(results) {
                return Halt::Hopeless;
            }
        }
        Halt::Complete
    }

    fn task(&self, bench: &Bench) -> Value {
        let file = bench.workspace.tree(Side::Candidate).join(&self.file.file).display().to_string();
        let folder = self.file.file.rsplit_once('/').map_or("", |(folder, _)| folder);
        let stem = self.file.file.rsplit('/').next().unwrap_or_default().trim_end_matches(".py").to_owned();
        let is_program = self.file.cases.iter().any(|case| matches!(case.question, Question::Program { .. }));
        let mode = if is_program { "program" } else { "call" };
        bench.task(
            Side::Candidate,
            &[folder, ""],
            vec![
                ("mode", Value::Str(mode.to_owned())),
                ("module", Value::Str(stem)),
                ("file", Value::Str(file)),
                ("limit", Value::Float(self.limit_s)),
                ("trace", Value::Bool(self.trace)),
            ],
        )
    }

    /// Takes what answers tell besides results: lines that ran, lines to blame, why the module did not load.
    fn gather(&self, bench: &Bench, answers: &[Value], findings: &mut Findings) {
        for answer in answers {
            let error = answer.get("error").or_else(|| answer.get("failed"));
            blame(bench, error, findings);
            findings.note_cost(answer, error.is_none());
            if let Some(trouble) = measure::failure(answer) {
                findings.trouble = Some(trouble);
            }
            if self.trace {
                let passed = error.is_none()
                    && self.file.cases.iter().enumerate().any(|(index, case)| {
                        answer.get("id") == Some(&identity(index)) && case.judge(answer).passed
                    });
                findings.coverage.push((passed, coverage(bench, answer)));
            }
        }
    }
}

/// Notes where an error arose.
pub(crate) fn blame(bench: &Bench, error: Option<&Value>, findings: &mut Findings) {
    if let Some(place) = error.and_then(|error| place(bench, error.get("place")?)) {
        findings.blamed.insert(place);
    }
}

/// The lines that an answer says were run.
pub(crate) fn coverage(bench: &Bench, answer: &Value) -> Coverage {
    let lines = answer.get("lines").and_then(Value::items).unwrap_or_default();
    lines.iter().filter_map(|line| place(bench, line)).collect()
}

fn place(bench: &Bench, value: &Value) -> Option<(String, u32)> {
    let [file, line] = value.items()? else { return None };
    let line = line.as_f64().filter(|line| *line >= 0.0)?;
    Some((bench.workspace.relative(file.as_str()?)?, line as u32))
}

fn identity(index: usize) -> Value {
    Value::Int(i64::try_from(index).unwrap_or(i64::MAX).into())
}

impl Case {
    /// What the candidate's side is asked: the input, and not what is expected.
    fn request(&self, index: usize) -> Value {
        let mut items = vec![("id", identity(index))];
        match &self.question {
            Question::Call { function, args, kwargs, .. } => items.extend([
                ("function", Value::Str(function.clone())),
                ("args", Value::List(args.clone())),
                ("kwargs", kwargs.clone()),
            ]),
            Question::Program { argv, stdin, .. } => items.extend([
                ("argv", Value::List(argv.iter().cloned().map(Value::Str).collect())),
                ("stdin", Value::Str(stdin.clone())),
            ]),
        }
        Value::Dict(items.into_iter().map(|(name, value)| (Value::Str(name.to_owned()), value)).collect())
    }

    /// The result of an answer.
    fn judge(&self, answer: &Value) -> CaseResult {
        let failure = match (answer.get("error"), answer.get("value")) {
            (Some(error), _) => error.get("kind").and_then(Value::as_str).unwrap_or("error").to_owned(),
            (None, Some(value)) => self.difference(value).to_owned(),
            (None, None) => "protocol".to_owned(),
        };
        CaseResult { name: self.name.clone(), passed: failure.is_empty(), failure }
    }

    fn difference(&self, value: &Value) -> &'static str {
        match &self.question {
            Question::Call { expected, .. } => {
                if value.meets(expected) {
                    ""
                } else {
                    "wrong"
                }
            }
            Question::Program { stdout, .. } => {
                let Some([output, status]) = value.items() else { return "protocol" };
                let lines = |text: &str| {
                    text.trim_end().lines().map(|line| line.trim_end().to_owned()).collect::<Vec<_>>()
                };
                let same = output.as_str().is_some_and(|output| lines(output) == lines(stdout));
                match status.as_f64() {
                    Some(0.0) if same => "",
                    Some(0.0) => "wrong",
                    Some(status) if status as u32 >> 8 == 124 => "timeout",
                    _ => "crashed",
                }
            }
        }
    }
}
