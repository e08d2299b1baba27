//! The sections `[evolution]` and `[safety_systems]`: how the core decides. Both become `evolution::settings`.

use super::diversity::{self, Measured};
use super::embedding::{self, EmbeddingSection};
use super::reader::{Bounds, Section};
use evolution::settings::{BreakerSettings, LearningRateSettings, MAX_LOOKAHEAD, SelectionPolicy, Settings};

/// Parent selection by name.
const SELECTIONS: [(&str, SelectionPolicy); 5] = [
    ("dgm", SelectionPolicy::Dgm),
    ("clade", SelectionPolicy::Clade),
    ("pareto", SelectionPolicy::Pareto),
    ("lexicase", SelectionPolicy::Lexicase),
    ("uniform", SelectionPolicy::Uniform),
];

/// What both sections say.
pub(super) struct Deciding {
    pub(super) settings: Settings,
    /// How embeddings are asked for.
    pub(super) embedding: Option<EmbeddingSection>,
    /// The lookahead, where it is set.
    pub(super) lookahead: Option<u32>,
}

/// Reads both sections. `measured` is what the features of a grid may be named after.
pub(super) fn deciding(top: &mut Section<'_>, measured: &Measured) -> Deciding {
    let breaker = breaker(top);
    let Some(mut section) = top.table("evolution") else {
        let settings = Settings { breaker, ..Settings::default() };
        return Deciding { settings, embedding: None, lookahead: None };
    };
    let default = Settings::default();
    let small = |number: u64| u32::try_from(number).unwrap_or(u32::MAX);
    let selection = section.choice("selection", &SELECTIONS).map_or(default.selection, |found| found.value);
    let archive = diversity::archive(&mut section, measured);
    let restart = diversity::restart(&mut section);
    let (embedding, similarity) = embedding::embedding(&mut section).unzip();
    let lookahead = section.whole("lookahead", 1..=u64::from(MAX_LOOKAHEAD)).map(small);
    let root_share = section.real("root_share", Bounds::SHARE).unwrap_or(default.root_share);
    let root_evaluations =
        section.whole("root_evaluations", 0..=u64::from(u32::MAX)).unwrap_or(default.root_evaluations);
    let champion_share = section.real("champion_share", Bounds::SHARE);
    let polish = section.whole("polish", 0..=1_000_000).map_or(default.polish, small);
    let learning_rate = learning_rate(&mut section);
    let discount = Bounds { above: Some(0.0), from: 0.0, to: 1.0 };
    let bandit_discount = section.real("bandit_discount", discount).unwrap_or(default.bandit_discount);
    let attempts = section.whole("evaluation_attempts", 1..=10).map_or(default.evaluation_attempts, small);
    section.finish();
    let settings = Settings {
        selection,
        archive,
        similarity,
        restart,
        lookahead: lookahead.unwrap_or(default.lookahead),
        root_share,
        root_evaluations,
        champion_share,
        polish,
        learning_rate,
        breaker,
        bandit_discount,
        evaluation_attempts: attempts,
    };
    Deciding { settings, embedding, lookahead }
}

/// Reads the keys of the learning rate; the contract bounds it to 0.01 to 0.5.
fn learning_rate(section: &mut Section<'_>) -> LearningRateSettings {
    let default = LearningRateSettings::default();
    let allowed = Bounds { above: None, from: default.min, to: default.max };
    let rate = LearningRateSettings {
        initial: section.real("learning_rate", allowed).unwrap_or(default.initial),
        min: section.real("learning_rate_min", allowed).unwrap_or(default.min),
        max: section.real("learning_rate_max", allowed).unwrap_or(default.max),
    };
    if !(rate.min <= rate.initial && rate.initial <= rate.max) {
        section.problems().add(
            section.key_span("learning_rate"),
            format!("the learning rate starts at {}, outside {} to {}", rate.initial, rate.min, rate.max),
            "must lie between learning_rate_min and learning_rate_max",
        );
    }
    rate
}

fn breaker(top: &mut Section<'_>) -> BreakerSettings {
    let default = BreakerSettings::default();
    let Some(mut section) = top.table("safety_systems") else { return default };
    let enabled = section.flag("circuit_breaker_enabled", default.enabled);
    let threshold = section.whole("failure_threshold", 1..=1_000_000);
    let recovery = section.whole("recovery_timeout_seconds", 0..=31_536_000);
    let automatic_rollback = section.flag("automatic_rollback", default.automatic_rollback);
    section.finish();
    BreakerSettings {
        enabled,
        failure_threshold: threshold
            .map_or(default.failure_threshold, |number| u32::try_from(number).unwrap_or(u32::MAX)),
        recovery_timeout_ms: recovery.map_or(default.recovery_timeout_ms, |seconds| {
            i64::try_from(seconds).unwrap_or(i64::MAX).saturating_mul(1000)
        }),
        automatic_rollback,
    }
}
