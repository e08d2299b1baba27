//! Whole runs of the pure core against a make-believe world, by the hundred: seeded, with injected faults, no IO and no
//! real time. Every event is followed by every invariant. What fails here fails again under the same number.

#[cfg(test)]
mod checks;
#[cfg(test)]
mod driver;
#[cfg(test)]
mod duels;
#[cfg(test)]
mod landscape;
#[cfg(test)]
mod plan;
#[cfg(test)]
mod worlds;

use driver::{Ended, run};
use evolution::acceptance::CORRECTNESS_GATE;
use evolution::event::Event;
use evolution::id::BASELINE;
use evolution::state::Fate;
use landscape::{Goal, mix};
use plan::{FED, calm, stormy};

/// Runs of each kind.
const RUNS: u64 = 300;

/// The numbers of the runs to go through: `count` of them, or the one that `SIMULATION_RUN` names.
fn numbers(count: u64) -> Vec<u64> {
    match std::env::var("SIMULATION_RUN").ok().and_then(|number| number.parse().ok()) {
        Some(number) => vec![number],
        None => (0..count).collect(),
    }
}

/// What a run decided, in order, without what may differ between schedules: times, and where between the decisions the
/// proposals and evaluations fell.
fn decisions(ended: &Ended) -> (Vec<String>, Vec<String>) {
    let (mut asked, mut verdicts) = (Vec::new(), Vec::new());
    for (_, event) in &ended.log {
        match event {
            Event::ProposalRequested(_) => asked.push(format!("{event:?}")),
            Event::ImprovementApplied(_)
            | Event::ImprovementArchived(_)
            | Event::ImprovementRejected(_)
            | Event::ProposalDiscarded(_)
            | Event::ChampionChanged(_)
            | Event::FrontChanged(_)
            | Event::NicheChanged(_)
            | Event::Migrated(_)
            | Event::SearchRestarted(_)
            | Event::LearningRateChanged(_)
            | Event::RunFinished(_) => verdicts.push(format!("{event:?}")),
            _ => {}
        }
    }
    (asked, verdicts)
}

/// Holds the decisions of two runs against each other and shows where they part.
fn same_decisions(left: &Ended, right: &Ended, what: &str) {
    let (left, right) = (decisions(left), decisions(right));
    for (left, right) in [(&left.1, &right.1), (&left.0, &right.0)] {
        for (place, (left, right)) in left.iter().zip(right.iter()).enumerate() {
            assert_eq!(left, right, "{what}: decision {place}");
        }
        assert_eq!(left.len(), right.len(), "{what}: as many decisions");
    }
}

#[test]
fn the_same_seed_decides_the_same_whatever_the_number_and_order_of_workers() {
    for index in numbers(RUNS) {
        let plan = calm(index);
        let alone = run(&plan);
        for variant in 1..4_u64 {
            let mut other = plan.clone();
            other.workers = 1 + (mix(index, &[300, variant]) % 8) as usize;
            other.schedule = mix(index, &[301, variant]);
            other.echo = 5;
            same_decisions(&alone, &run(&other), &format!("run {index}, variant {variant}"));
        }
    }
}

#[test]
fn a_killed_and_resumed_run_ends_with_the_verdicts_of_the_unbroken_one() {
    let mut kills = 0;
    for index in numbers(RUNS) {
        let plan = calm(index);
        let unbroken = run(&plan);
        let mut broken = plan.clone();
        broken.workers = 1 + (index % 4) as usize;
        broken.schedule = mix(index, &[302]);
        broken.kill = [3, 7, 20][(index % 3) as usize];
        broken.lose = 8;
        let broken = run(&broken);
        kills += broken.kills;
        same_decisions(&unbroken, &broken, &format!("run {index}, killed {} times", broken.kills));
    }
    assert!(kills > RUNS, "only {kills} kills");
}

#[test]
fn an_incorrect_target_is_repaired_and_nothing_incorrect_leads_afterwards() {
    let (mut repaired, mut unrepaired, mut bred) = (0, 0, 0);
    for index in numbers(2 * RUNS) {
        let plan = calm(index);
        if plan.landscape.goal != Goal::Correct {
            continue;
        }
        let ended = run(&plan);
        let state = &ended.state;
        let broken = state.baseline().is_some_and(|baseline| baseline.gate == CORRECTNESS_GATE);
        if !broken {
            continue;
        }
        match state.archived.first() {
            Some(_) => {
                repaired += 1;
                let champion = state.champion.expect("a champion");
                assert!(state.is_viable(champion), "run {index}: {champion} leads");
                // After a restart the search may have begun anew from the broken target, and who scores like a candidate that was
                // refuted later was no parent beside it.
                let disturbed = state.stagnation.restarts > 0
                    || state.candidates().any(|record| record.fate == Fate::Revoked);
                let correct = state.eligible.iter().any(|parent| state.is_viable(*parent));
                assert!(correct || disturbed, "run {index}: no parent is correct");
            }
            None => {
                unrepaired += 1;
                assert_eq!(state.champion, Some(BASELINE), "run {index}: nothing is better than incorrect");
                bred += usize::from(state.eligible.len() > 1);
            }
        }
    }
    assert!(repaired > 30 && unrepaired > 0, "{repaired} were repaired, {unrepaired} were not");
    assert!(2 * bred > unrepaired, "{bred} of {unrepaired} went by way of others that are incorrect");
}

#[test]
fn in_any_weather_every_invariant_holds_after_every_event_and_the_run_ends() {
    let (mut kills, mut turns, mut accepted, mut opened, mut taught) = (0, 0, 0, 0, 0);
    let (mut placed, mut migrated, mut restarted) = (0, 0, 0);
    for index in numbers(2 * RUNS) {
        let ended = run(&stormy(index));
        kills += ended.kills;
        turns += ended.turns;
        accepted += ended.state.counters.accepted;
        let count = |kind: &str| ended.log.iter().filter(|(_, event)| event.name() == kind).count();
        opened += count("breaker_changed");
        placed += count("niche_changed");
        migrated += count("migrated");
        restarted += count("search_restarted");
        let of_peers = |event: &Event| match event {
            Event::ProposalRequested(requested) => requested.proposer == FED,
            _ => false,
        };
        taught += ended.log.iter().filter(|(_, event)| of_peers(event)).count();
    }
    // The weather was really bad, and the runs got somewhere all the same.
    assert!(kills > RUNS && turns > 20 * RUNS && accepted > RUNS / 2 && opened > 100);
    assert!(placed > 100 && migrated > 100 && restarted > 100, "{placed} {migrated} {restarted}");
    assert!(taught > 100, "only {taught} packages were tried");
    println!(
        "{} runs: {kills} kills, {turns} turns, {accepted} accepted, {opened} breaker changes, {taught} packages",
        2 * RUNS
    );
}
