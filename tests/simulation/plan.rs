//! What one simulated run is to go through, drawn from a number: target, settings, workers, faults, kills, commands.

use crate::landscape::{Faults, Goal, Landscape, commit, fingerprint, mix, shape};
use evolution::event::{ProposerInfo, RunStarted};
use evolution::id::{BASELINE, RunId};
use evolution::ports::OperatorPrior;
use evolution::settings::{
    ArchivePolicy, Budget, GridSettings, IslandSettings, NoveltySettings, RestartSettings, SelectionPolicy,
    Settings,
};

/// The proposer that offers what peers sent.
pub(crate) const FED: &str = "peer_knowledge";

/// One simulated run.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    /// The run as it begins.
    pub(crate) started: RunStarted,
    pub(crate) landscape: Landscape,
    /// Evaluations at once.
    pub(crate) workers: usize,
    /// Seed of everything that may not matter: which answer comes first, when the clock moves, when a kill falls.
    pub(crate) schedule: u64,
    /// One in so many appended batches is followed by a kill; 0 is never.
    pub(crate) kill: u64,
    /// One in so many answers of an evaluator is lost; 0 is never.
    pub(crate) lose: u64,
    /// One in so many answers comes twice; 0 is never.
    pub(crate) echo: u64,
    /// One in so many turns brings a command; 0 is never.
    pub(crate) command: u64,
    /// One in so many turns brings news of peers; 0 is never.
    pub(crate) news: u64,
}

/// A calm run number `index`: proposers may fail and programs may be bad, but nothing depends on time, so its decisions
/// may not depend on the schedule either.
pub(crate) fn calm(index: u64) -> Plan {
    let draw = |what: u64, values: u64| mix(index, &[100, what]) % values;
    let goal = [Goal::Repair, Goal::Speed, Goal::TradeOff, Goal::Correct][draw(0, 4) as usize];
    let faults = Faults {
        proposer: [0, 12][draw(1, 2) as usize],
        worthless: [0, 6][draw(2, 2) as usize],
        exhausted: [0, 9][draw(3, 2) as usize],
        evaluator: [0, 6][draw(12, 2) as usize],
        program: [0, 5][draw(4, 2) as usize],
        luck: [0, 4][draw(5, 2) as usize],
    };
    let landscape = Landscape { seed: mix(index, &[101]), goal, faults };
    let policies = [
        SelectionPolicy::Dgm,
        SelectionPolicy::Clade,
        SelectionPolicy::Pareto,
        SelectionPolicy::Lexicase,
        SelectionPolicy::Uniform,
    ];
    let mut settings = Settings {
        selection: policies[draw(6, 5) as usize],
        archive: archive(index),
        restart: restart(index),
        lookahead: [1, 2, 5, 16][draw(7, 4) as usize],
        polish: [0, 5, 16][draw(8, 3) as usize],
        ..Settings::default()
    };
    settings.breaker.enabled = false;
    let budget = Budget {
        evaluations: Some(5 + draw(9, 30)),
        proposals: [None, Some(20 + draw(10, 40))][draw(11, 2) as usize],
        time_ms: None,
        ..Budget::default()
    };
    let baseline = landscape.baseline();
    let started = RunStarted {
        version: evolution::event::VERSION,
        run_id: RunId::new(format!("{index:08}")),
        agent_id: "target".to_owned(),
        target: "target".to_owned(),
        seed: mix(index, &[102]),
        objectives: landscape.objectives(),
        settings,
        budget,
        proposers: landscape.proposers(),
        baseline: commit(BASELINE, &baseline),
        fingerprint: fingerprint(&baseline),
        shape: shape(&baseline),
        configuration: serde_json::Value::Null,
    };
    Plan { started, landscape, workers: 1, schedule: 0, kill: 0, lose: 0, echo: 0, command: 0, news: 0 }
}

/// Who is kept as a parent in run number `index`.
fn archive(index: u64) -> ArchivePolicy {
    let draw = |what: u64, values: u64| mix(index, &[110, what]) % values;
    let small = |what: u64, values: u64| u32::try_from(draw(what, values)).unwrap();
    match draw(0, 4) {
        0 => ArchivePolicy::All,
        1 => ArchivePolicy::Islands(IslandSettings {
            count: 2 + small(1, 4),
            migration_every: 1 + draw(2, 9),
            migrants: small(3, 3),
            grid: (draw(4, 3) == 0)
                .then(|| GridSettings { features: vec!["complexity".to_owned()], bins: 4 }),
        }),
        2 => {
            let features = ["complexity", "diversity", "score", "cost", "first", "nobody reports it"];
            let from = draw(1, 4) as usize;
            let features = features[from..].iter().take(1 + draw(2, 2) as usize);
            let features = features.map(|name| (*name).to_owned()).collect();
            ArchivePolicy::MapElites(GridSettings { features, bins: 2 + small(3, 5) })
        }
        _ => ArchivePolicy::Novelty(NoveltySettings {
            neighbours: 1 + small(1, 5),
            threshold: [0.0, 0.2, 0.5][draw(2, 3) as usize],
        }),
    }
}

/// When the search of run number `index` starts anew.
fn restart(index: u64) -> Option<RestartSettings> {
    let draw = |what: u64, values: u64| mix(index, &[120, what]) % values;
    let settings = RestartSettings { patience: 2 + draw(1, 8), growth: [1.0, 1.5][draw(2, 2) as usize] };
    (draw(0, 2) == 0).then_some(settings)
}

/// A stormy run number `index`: all that can go wrong does, and time matters.
pub(crate) fn stormy(index: u64) -> Plan {
    let mut plan = calm(index);
    let draw = |what: u64, values: u64| mix(index, &[200, what]) % values;
    plan.landscape.faults.evaluator = [0, 4, 2][draw(0, 3) as usize];
    plan.landscape.faults.proposer = [12, 3, 2][draw(1, 3) as usize];
    plan.landscape.faults.program = [0, 5, 2][draw(2, 3) as usize];
    plan.started.settings.breaker.enabled = draw(3, 4) != 0;
    plan.started.settings.breaker.failure_threshold = [5, 2][draw(4, 2) as usize];
    plan.started.budget.time_ms = [None, Some(60_000), Some(3_600_000)][draw(5, 3) as usize];
    plan.workers = 1 + draw(6, 5) as usize;
    plan.schedule = draw(7, u64::MAX);
    plan.kill = [0, 9, 3][draw(8, 3) as usize];
    plan.lose = [0, 10][draw(9, 2) as usize];
    plan.echo = [0, 6][draw(10, 2) as usize];
    plan.command = [0, 15][draw(11, 2) as usize];
    plan.news = [0, 12][draw(12, 2) as usize];
    let adapt = OperatorPrior { name: "adapt".to_owned(), yield_mean: 0.5, strength: 4.0, parents: 1 };
    plan.started.proposers.push(ProposerInfo { name: FED.to_owned(), operators: vec![adapt], fed: true });
    plan
}
