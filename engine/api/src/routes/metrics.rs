//! Figures as Prometheus reads them (text format 0.0.4): of every run, and of the sockets.

use crate::meter::Meter;
use crate::mirror::Folded;
use crate::problem::Problem;
use crate::server::{Shared, blocking};
use crate::views;
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use evolution::event::BreakerState;
use evolution::invariants;
use evolution::state::{State as Run, Trial};
use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::Arc;

/// Runs whose figures are given, the newest.
const MAX_METERED: usize = 20;
/// Members of a front up to which its invariants are looked at: that takes time with the square of them.
const MAX_CHECKED_FRONT: usize = 1_000;

/// Samples of one name, which stand together.
struct Family {
    kind: &'static str,
    help: &'static str,
    samples: String,
}

/// A page of families in the making.
#[derive(Default)]
pub(crate) struct Page(BTreeMap<&'static str, Family>);

impl Page {
    /// Adds a figure that rises and falls. Labels as `name="value"`, with commas between.
    pub(crate) fn gauge(&mut self, name: &'static str, help: &'static str, labels: &str, value: f64) {
        self.sample(name, ("gauge", help), "", labels, value);
    }

    /// Adds a figure that only rises.
    pub(crate) fn counter(&mut self, name: &'static str, help: &'static str, labels: &str, value: f64) {
        self.sample(name, ("counter", help), "", labels, value);
    }

    /// Adds a histogram: bounds with how many lie at or below each, how many there are, their sum.
    pub(crate) fn histogram(
        &mut self,
        name: &'static str,
        help: &'static str,
        labels: &str,
        (buckets, count, sum): (&[(f64, u64)], u64, f64),
    ) {
        let family = ("histogram", help);
        let comma = if labels.is_empty() { "" } else { "," };
        for (bound, below) in buckets {
            self.sample(name, family, "_bucket", &format!("{labels}{comma}le=\"{bound}\""), *below as f64);
        }
        self.sample(name, family, "_bucket", &format!("{labels}{comma}le=\"+Inf\""), count as f64);
        self.sample(name, family, "_sum", labels, sum);
        self.sample(name, family, "_count", labels, count as f64);
    }

    fn sample(
        &mut self,
        name: &'static str,
        (kind, help): (&'static str, &'static str),
        suffix: &str,
        labels: &str,
        value: f64,
    ) {
        let family = self.0.entry(name).or_insert_with(|| Family { kind, help, samples: String::new() });
        let braced = if labels.is_empty() { String::new() } else { format!("{{{labels}}}") };
        let _ = writeln!(family.samples, "darwind_{name}{suffix}{braced} {value}");
    }

    fn text(self) -> String {
        let mut text = String::new();
        for (name, Family { kind, help, samples }) in self.0 {
            let _ = write!(text, "# HELP darwind_{name} {help}\n# TYPE darwind_{name} {kind}\n{samples}");
        }
        text
    }
}

/// Figures as Prometheus reads them.
#[utoipa::path(get, path = "/metrics", tag = "daemon",
    responses((status = 200, body = String, content_type = "text/plain; version=0.0.4")))]
pub(crate) async fn show(State(shared): State<Arc<Shared>>) -> Result<Response, Problem> {
    let text = blocking(move || {
        let mut page = Page::default();
        let runs = shared.mirrors.list()?;
        page.gauge("runs", "Runs in the log.", "", runs.len() as f64);
        for (run, _) in runs.into_iter().take(MAX_METERED) {
            let label = format!("run=\"{run}\"");
            // A run that cannot be read must not hide the others.
            let Ok(mirror) = shared.mirrors.get(&run) else {
                page.gauge("run_unreadable", "A run whose log cannot be read.", &label, 1.0);
                continue;
            };
            mirror.with_all(|folded| {
                progress(&mut page, &label, &folded.state);
                evaluations(&mut page, &label, folded);
                health(&mut page, &label, &folded.state);
            });
        }
        Meter::show(&shared.meter, &mut page);
        Ok(page.text())
    })
    .await?;
    Ok(([(header::CONTENT_TYPE, "text/plain; version=0.0.4")], text).into_response())
}

/// How far a run has come, and how fast: rates are for the reader to take of what only rises.
fn progress(page: &mut Page, label: &str, state: &Run) {
    let counters = &state.counters;
    page.counter("events_total", "Events recorded.", label, state.seq as f64);
    page.counter("evaluations_total", "Evaluations started.", label, counters.evaluations as f64);
    page.counter("proposals_total", "Answers of proposers.", label, counters.proposals as f64);
    page.counter(
        "accepted_total",
        "Candidates that improved on what was known.",
        label,
        counters.accepted as f64,
    );
    page.counter("rejected_total", "Candidates that failed a gate.", label, counters.rejected as f64);
    page.counter("viable_total", "Candidates that passed every gate.", label, counters.viable as f64);
    page.gauge("front_size", "Members of the first front.", label, state.front.len() as f64);
    page.gauge("hypervolume", "Hypervolume of the first front.", label, state.hypervolume);
    let active_s = state.active_ms(state.last_ms) as f64 / 1000.0;
    page.counter("active_seconds_total", "Seconds in which a process drove the run.", label, active_s);
    page.counter("llm_tokens_total", "Tokens of language models.", label, state.llm.tokens() as f64);
    let usd = state.llm.cost_usd.unwrap_or_default();
    page.counter("llm_cost_usd_total", "Known price of language models.", label, usd);
    for (outcome, count) in &counters.proposal_outcomes {
        let labels = format!("{label},outcome=\"{}\"", views::word(outcome));
        page.counter("proposal_outcomes_total", "Answers by what they came to.", &labels, *count as f64);
    }
    for (gate, count) in &counters.gates {
        let labels = format!("{label},gate=\"{}\"", escaped(gate));
        page.counter("rejections_total", "Rejections by gate.", &labels, *count as f64);
    }
    let labels = format!("{label},state=\"{}\"", views::word(views::phase(&state.phase)));
    page.gauge("run_state", "What the run is doing: 1 at its state.", &labels, 1.0);
}

/// Evaluations by how they ended, how long they took, and how many wait.
fn evaluations(page: &mut Page, label: &str, Folded { state, chronicle, .. }: &Folded) {
    for (outcome, count) in &state.counters.outcomes {
        let labels = format!("{label},outcome=\"{outcome}\"");
        page.counter("evaluation_outcomes_total", "Evaluations by how they ended.", &labels, *count as f64);
    }
    let durations = &chronicle.durations;
    let told = (durations.buckets(), durations.count(), durations.sum());
    page.histogram("evaluation_seconds", "Wall time of evaluations.", label, (&told.0, told.1, told.2));
    let under_way = state.trials.values().filter(|trial| matches!(trial, Trial::UnderWay)).count();
    let waiting = state.trials.len() - under_way;
    let queues =
        [("in_flight", state.in_flight().count()), ("evaluating", under_way), ("awaiting_verdict", waiting)];
    for (queue, depth) in queues {
        let labels = format!("{label},queue=\"{queue}\"");
        page.gauge("queue_depth", "Proposals on their way, by where they are.", &labels, depth as f64);
    }
}

/// What guards a run: breakers, learning rate, invariants.
fn health(page: &mut Page, label: &str, state: &Run) {
    page.gauge("learning_rate", "Boldness.", label, state.learning_rate.rate());
    page.gauge("success_rate", "Share of successes of late.", label, state.learning_rate.success_rate());
    for (name, breaker) in &state.breakers {
        for (word, at) in [
            ("closed", BreakerState::Closed),
            ("open", BreakerState::Open),
            ("half_open", BreakerState::HalfOpen),
        ] {
            let labels = format!("{label},breaker=\"{}\",state=\"{word}\"", escaped(name));
            let is = f64::from(u8::from(breaker.state() == at));
            page.gauge("breaker_state", "A breaker's state: 1 at its state.", &labels, is);
        }
        let labels = format!("{label},breaker=\"{}\"", escaped(name));
        page.gauge("breaker_failures", "Failures in a row.", &labels, f64::from(breaker.failures()));
    }
    if state.front.len() <= MAX_CHECKED_FRONT {
        for (name, check) in invariants::ALL {
            let labels = format!("{label},invariant=\"{name}\"");
            let holds = f64::from(u8::from(check(state).is_ok()));
            page.gauge("invariant_holds", "Whether an invariant of the state holds.", &labels, holds);
        }
    }
}

/// A label's value as the text format wants it.
fn escaped(value: &str) -> String {
    value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use super::{Page, escaped};

    #[test]
    fn samples_of_a_name_stand_together_under_their_kind() {
        let mut page = Page::default();
        page.gauge("b", "Bees.", "run=\"1\"", 2.0);
        page.counter("a_total", "Ants.", "", 1.0);
        page.gauge("b", "Bees.", "run=\"2\"", 3.5);
        page.histogram("h", "Hats.", "", (&[(0.5, 1)], 2, 3.0));
        let text = page.text();
        let expected = "# HELP darwind_a_total Ants.\n# TYPE darwind_a_total counter\ndarwind_a_total 1\n\
            # HELP darwind_b Bees.\n# TYPE darwind_b gauge\ndarwind_b{run=\"1\"} 2\ndarwind_b{run=\"2\"} 3.5\n\
            # HELP darwind_h Hats.\n# TYPE darwind_h histogram\ndarwind_h_bucket{le=\"0.5\"} 1\n\
            darwind_h_bucket{le=\"+Inf\"} 2\ndarwind_h_sum 3\ndarwind_h_count 2\n";
        assert_eq!(text, expected);
        assert_eq!(escaped("a\"b\\c\nd"), "a\\\"b\\\\c\\nd");
    }
}
