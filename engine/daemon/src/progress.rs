//! The live line while a run is driven: evaluations, best against baseline, time left. Drawn on error output, so that
//! the answer on standard output stays clean; without a terminal a plain line now and then.

use crate::report;
use crate::summary;
use crate::terminal::Terminal;
use evolution::candidate::{Evaluation, Outcome};
use evolution::event::Event;
use evolution::ports::Purpose;
use evolution::state::{Phase, State};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::io::IsTerminal;
use std::time::{Duration, Instant};

/// Time between two plain lines where no terminal is.
const PLAIN_EVERY: Duration = Duration::from_secs(10);
/// Redraws a second on a terminal.
const DRAWS_PER_SECOND: u8 = 8;
/// Time between two drawn messages on a terminal; the bar itself limits its own drawing.
const MESSAGE_EVERY: Duration = Duration::from_millis(100);

/// Shows how a run goes on. Feed it every event; it draws as often as a person can read.
pub(crate) struct Progress {
    bar: Option<ProgressBar>,
    next: Instant,
}

impl Progress {
    /// Progress for a run with this state; silent when `quiet`.
    pub(crate) fn new(state: &State, quiet: bool) -> Self {
        let on_terminal = std::io::stderr().is_terminal();
        let bar = (on_terminal && !quiet).then(|| bar(state));
        let wait = if bar.is_some() { Duration::ZERO } else { PLAIN_EVERY };
        Self { bar, next: Instant::now() + wait }
    }

    /// Hears of one more event.
    pub(crate) fn observe(&mut self, state: &State, event: &Event) {
        let notable = matches!(
            event,
            Event::ChampionChanged(_)
                | Event::RunPaused(_)
                | Event::RunFinished(_)
                | Event::BreakerChanged(_)
        );
        if let Event::ValidationCompleted(it) = event
            && it.purpose == Purpose::Baseline
            && let Some(words) = noteworthy(&it.evaluation)
        {
            self.beside(|| Terminal::new(false).note(&words));
        }
        let now = Instant::now();
        if let Some(bar) = &self.bar {
            bar.set_position(state.counters.evaluations);
            if notable || now >= self.next {
                bar.set_message(line(state));
                self.next = now + MESSAGE_EVERY;
            }
        } else if now >= self.next {
            Terminal::new(false).note(&plain(state));
            self.next = now + PLAIN_EVERY;
        }
    }

    /// Writes something else while the line is out of the way.
    pub(crate) fn beside<T>(&self, write: impl FnOnce() -> T) -> T {
        match &self.bar {
            Some(bar) => bar.suspend(write),
            None => write(),
        }
    }

    /// Takes the line away.
    pub(crate) fn finish(self) {
        if let Some(bar) = self.bar {
            bar.finish_and_clear();
        }
    }
}

/// What the user should know of the unchanged program before the run goes on.
fn noteworthy(evaluation: &Evaluation) -> Option<String> {
    let ran = evaluation.outcome == Outcome::Ok && !evaluation.detail.is_empty();
    let words = ran.then(|| format!("the unchanged program: {}", evaluation.detail));
    words.or_else(|| report::repair_note(evaluation))
}

fn bar(state: &State) -> ProgressBar {
    let target = ProgressDrawTarget::stderr_with_hz(DRAWS_PER_SECOND);
    let (length, template) = match state.budget.evaluations {
        Some(limit) => (Some(limit), "{bar:24.green} {pos}/{len} evaluations · {msg}"),
        None => (None, "{spinner} {pos} evaluations · {msg}"),
    };
    let bar = ProgressBar::with_draw_target(length, target);
    // The template is ours and constant; should it ever be wrong, the plain style still tells the numbers.
    let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
    bar.set_style(style);
    bar.set_position(state.counters.evaluations);
    bar.enable_steady_tick(Duration::from_millis(500));
    bar.set_message(line(state));
    bar
}

fn plain(state: &State) -> String {
    let total = state.budget.evaluations.map_or_else(String::new, |limit| format!("/{limit}"));
    format!("{}{total} evaluations · {}", state.counters.evaluations, line(state))
}

/// Best against baseline, and the time left.
fn line(state: &State) -> String {
    let doing = match state.phase {
        Phase::Pending => Some("measuring the unchanged program".to_owned()),
        Phase::Paused => Some("paused".to_owned()),
        _ => None,
    };
    let mut parts: Vec<String> = doing.into_iter().chain(gains(state)).collect();
    if let Some((passed, known)) = summary::best(state).and_then(|best| best.cases)
        && passed < known
    {
        parts.push(format!("{passed} of {known} cases"));
    }
    parts.extend(time_left(state));
    parts.join(" · ")
}

fn gains(state: &State) -> Vec<String> {
    let Some(best) = summary::best(state) else { return Vec::new() };
    let shares = best.improvement.unwrap_or_default();
    let objective = |objective: &objectives::Objective| {
        let value = best.scores.get(&objective.name)?;
        let share = shares.get(&objective.name).copied().unwrap_or(0.0);
        Some(format!("{} {} ({:+.1} %)", objective.name, report::measured(objective, value), share * 100.0))
    };
    state.run.objectives.iter().filter_map(objective).collect()
}

/// The time that the budget leaves: of a budget of time what is left of it, of one of evaluations an estimate.
fn time_left(state: &State) -> Option<String> {
    let active = state.active_ms(state.last_ms);
    let by_time = state.budget.time_ms.map(|limit| limit - active);
    let by_evaluations = state.budget.evaluations.and_then(|limit| {
        let done = i64::try_from(state.evaluations_decided).ok().filter(|done| *done > 0)?;
        let left = i64::try_from(limit).ok()?.saturating_sub(done);
        active.checked_mul(left).map(|product| product / done)
    });
    let left = by_time.into_iter().chain(by_evaluations).min()?.max(0);
    let seconds = u64::try_from(left).unwrap_or(0) / 1000;
    Some(format!("{} left", humantime::format_duration(Duration::from_secs(seconds))))
}
