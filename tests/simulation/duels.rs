//! Archive policies against the core's default, each on a landscape where it should win: the same proposer, seeds and
//! budget, and the number of evaluations until the best program is found. What is compared is the median over the seeds.

use crate::landscape::mix;
use crate::worlds::{DISGUISED, HILL, MAZE, TRACKS, VALLEY, World};
use evolution::candidate::{Cost, Evaluation, Outcome, Separation};
use evolution::decision::{Answer, Decision, Input, Order};
use evolution::embedding::{self, Embedding};
use evolution::engine::Engine;
use evolution::event::{ProposerInfo, RunStarted};
use evolution::id::{BASELINE, CommitId, Number, RunId};
use evolution::picking::proposal_seed;
use evolution::ports::OperatorPrior;
use evolution::settings::{
    ArchivePolicy, Budget, GridSettings, IslandSettings, NoveltySettings, RestartSettings, Settings,
};
use evolution::shape::{Shape, Sketch};
use objectives::{Direction, Objective, ObjectiveSet, Scores};
use std::collections::{BTreeMap, HashMap, VecDeque};

/// Evaluations of one run at most; a run that has not found the best program by then counts as this many.
const BUDGET: u64 = 1_000;
/// Seeds of one comparison. Odd, so that there is a median.
const SEEDS: u64 = 9;

fn settings(archive: ArchivePolicy, restart: Option<RestartSettings>) -> Settings {
    Settings { archive, restart, lookahead: 1, polish: 0, ..Settings::default() }
}

fn all() -> Settings {
    settings(ArchivePolicy::All, None)
}

fn islands() -> Settings {
    let islands = IslandSettings { count: 5, migration_every: 200, ..IslandSettings::default() };
    settings(ArchivePolicy::Islands(islands), None)
}

fn map_elites() -> Settings {
    let grid = GridSettings { features: vec!["place".to_owned()], bins: 30 };
    settings(ArchivePolicy::MapElites(grid), None)
}

fn novelty() -> Settings {
    settings(ArchivePolicy::Novelty(NoveltySettings { neighbours: 5, threshold: 0.02 }), None)
}

/// Novelty by what programs mean rather than by how they are written, and no evaluation of what means the same.
fn novelty_by_meaning() -> Settings {
    Settings { similarity: Some(0.999_9), ..novelty() }
}

fn restarts() -> Settings {
    settings(ArchivePolicy::All, Some(RestartSettings { patience: 40, growth: 1.1 }))
}

/// Evaluations until the best program was found, [`BUDGET`] if it was not.
fn solve(world: &World, settings: &Settings, seed: u64) -> u64 {
    let operator = |name: &str, parents| OperatorPrior {
        name: name.to_owned(),
        yield_mean: 0.3,
        strength: 4.0,
        parents,
    };
    let objective = Objective {
        bound: Some(1.0),
        threshold: Some(0.01),
        ..Objective::new("score", Direction::Maximize).unwrap()
    };
    let baseline = world.baseline.to_vec();
    let shape = |program: &[u32]| looks(world, program, settings.similarity.is_some());
    let started = RunStarted {
        version: evolution::event::VERSION,
        run_id: RunId::new("duel"),
        agent_id: "duel".to_owned(),
        target: String::new(),
        seed: mix(seed, &[1]),
        objectives: ObjectiveSet::new(vec![objective]).unwrap(),
        settings: settings.clone(),
        budget: Budget { evaluations: Some(BUDGET), ..Budget::default() },
        proposers: vec![ProposerInfo {
            name: "steps".to_owned(),
            operators: vec![operator("step", 1)],
            fed: false,
        }],
        baseline: CommitId::new("0"),
        fingerprint: format!("{baseline:?}"),
        shape: shape(&baseline),
        configuration: serde_json::Value::Null,
    };
    let (mut engine, decisions) = Engine::begin(started, 1, 0).unwrap();
    let mut pending = VecDeque::from(decisions);
    let mut programs: HashMap<Number, Vec<u32>> = HashMap::from([(BASELINE, baseline)]);
    while !engine.is_finished() {
        let input = match pending.pop_front() {
            None => Input::Tick,
            Some(Decision::Record(_)) => continue,
            Some(Decision::Carry(Order::Propose(asked))) => {
                let (number, parent) = (asked.number, &programs[&asked.parents[0]]);
                let program = world.step(parent, proposal_seed(engine.state().run.seed, number));
                let changed = program != *parent;
                let answer = Answer {
                    rationale: String::new(),
                    detail: serde_json::Value::Null,
                    fingerprint: format!("{program:?}"),
                    refused: None,
                    files: if changed { vec!["program".to_owned()] } else { Vec::new() },
                    changed_bytes: 0,
                    shape: shape(&program),
                    cost: Cost::default(),
                };
                programs.insert(number, program);
                Input::ProposalAnswered { number, answer: Ok(answer) }
            }
            Some(Decision::Carry(Order::Snapshot { number, .. })) => {
                Input::SnapshotMade { number, commit: CommitId::new(number.to_string()) }
            }
            Some(Decision::Carry(Order::Evaluate { number, purpose, .. })) => {
                let result = Ok(Box::new(evaluation(world, &programs[&number])));
                Input::EvaluationAnswered { number, purpose, result }
            }
            Some(Decision::Carry(_)) => continue,
        };
        pending.extend(engine.step(input, 0).unwrap());
    }
    engine.state().goal_at.unwrap_or(BUDGET)
}

/// What a program looks like. A number of it is as many parts of its tree as it is high, so that programs differ by as much
/// as their numbers do; one that only disguises it is forty parts that no other has.
fn looks(world: &World, program: &[u32], embedded: bool) -> Shape {
    let (disguise, meaning) = program.split_at(world.disguises);
    let named = (1..)
        .zip(disguise)
        .flat_map(|(place, number)| (0..40).map(move |part| 1_000_000 * place + 1000 * number + part));
    let counted =
        (0..).zip(meaning).flat_map(|(place, number)| (0..*number).map(move |part| place * 1000 + part));
    Shape {
        bytes: program.iter().map(|number| u64::from(*number)).sum(),
        sketch: Sketch::of(counted.chain(named).collect()),
        embedding: if embedded { Embedding::Known(direction(world, meaning)) } else { Embedding::Unasked },
    }
}

/// Where a model that sees through the disguise places a program: one step is one component that changes its sign.
fn direction(world: &World, meaning: &[u32]) -> embedding::Direction {
    let highest = world.highest.iter().skip(world.disguises);
    let parts = meaning
        .iter()
        .zip(highest)
        .flat_map(|(number, highest)| (0..*highest).map(move |part| if part < *number { 1.0 } else { -1.0 }));
    embedding::Direction::of(&parts.collect::<Vec<f32>>()).unwrap()
}

fn evaluation(world: &World, program: &[u32]) -> Evaluation {
    Evaluation {
        outcome: Outcome::Ok,
        detail: String::new(),
        isolation: "L1".to_owned(),
        separation: Separation::Split,
        checks: Vec::new(),
        scores: Scores::from_pairs([("score", (world.score)(program))]).unwrap(),
        metrics: BTreeMap::from([("place".to_owned(), f64::from(program[0]))]),
        cases: Vec::new(),
        cases_total: 0,
        suspicion: Vec::new(),
        comparisons: Vec::new(),
        denials: BTreeMap::new(),
        log: String::new(),
        cost: Cost::default(),
    }
}

/// Evaluations of each seed, fewest first.
fn trials(world: &World, settings: &Settings) -> Vec<u64> {
    let mut trials: Vec<u64> = (0..SEEDS).map(|seed| solve(world, settings, seed)).collect();
    trials.sort_unstable();
    trials
}

fn median(trials: &[u64]) -> u64 {
    trials[trials.len() / 2]
}

fn wins(world: &World, settings: &Settings) {
    let (challenger, default) = (trials(world, settings), trials(world, &all()));
    println!("{}: {challenger:?} against {default:?} by default", world.name);
    assert!(median(&challenger) < median(&default), "{challenger:?} against {default:?}");
}

#[test]
fn islands_follow_several_tracks_at_once() {
    wins(&TRACKS, &islands());
}

#[test]
fn a_grid_crosses_a_valley() {
    wins(&VALLEY, &map_elites());
}

#[test]
fn novelty_leaves_a_dead_end() {
    wins(&MAZE, &novelty());
}

#[test]
fn embeddings_see_through_a_disguise() {
    let (by_meaning, by_tree) = (trials(&DISGUISED, &novelty_by_meaning()), trials(&DISGUISED, &novelty()));
    println!("{}: {by_meaning:?} against {by_tree:?} by the tree", DISGUISED.name);
    assert!(median(&by_meaning) < median(&by_tree), "{by_meaning:?} against {by_tree:?}");
}

#[test]
fn restarts_leave_a_track_that_ends() {
    wins(&TRACKS, &restarts());
}

#[test]
fn the_same_seed_takes_the_same_way() {
    for settings in [islands(), map_elites(), novelty(), novelty_by_meaning(), restarts()] {
        assert_eq!(solve(&TRACKS, &settings, 5), solve(&TRACKS, &settings, 5));
    }
}

/// `cargo test -p tests --test simulation -- --ignored --nocapture every_policy` prints the table of docs/parents.md.
#[test]
#[ignore = "a table to read, with nothing to check"]
fn every_policy_on_every_landscape() {
    let policies = [
        ("all", all()),
        ("islands", islands()),
        ("map_elites", map_elites()),
        ("novelty", novelty()),
        ("novelty by meaning", novelty_by_meaning()),
        ("all with restarts", restarts()),
    ];
    for world in [&HILL, &VALLEY, &MAZE, &TRACKS, &DISGUISED] {
        for (name, settings) in &policies {
            let trials = trials(world, settings);
            println!("{} | {name} | {} | {trials:?}", world.name, median(&trials));
        }
    }
}
