//! Judging what peers send: a candidate is measured in the sandbox against the unchanged program; a package is held against
//! the programs that are here.

use crate::config::Configuration;
use crate::data::Runs;
use crate::failure::Failure;
use crate::host::Host;
use crate::judge::Judge;
use crate::peers::Peers;
use crate::{config, peers, wiring};
use evolution::candidate::Evaluation;
use evolution::consensus::Recommendation;
use evolution::id::RunId;
use evolution::state::State;
use knowledge::{Compatibility, LocalContext, Memory, Package, Remembered, compatibility};
use objectives::ObjectiveSet;
use serde_json::json;
use skills::{Measured, PackageSent, Received, TransferRequest, ValidationRequest};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tempfile::TempDir;

/// Validations for peers at once; more would only disturb each other's measurements.
const MAX_VALIDATIONS: usize = 2;
/// Programs that a package is held against, those of the newest runs.
const MAX_PROGRAMS: usize = 16;
/// Runs that are looked through for a program, the newest first.
const MAX_RUNS: usize = 256;
/// Smallest share of the baseline that counts as a difference where no noise was measured.
const TOLERANCE: f64 = 0.01;
/// How many times the measured noise a difference must exceed.
const NOISE_FACTOR: f64 = 3.0;
/// Similar patterns that are asked what they came to.
const MAX_SIMILAR: usize = 5;
/// Similarity from which a pattern's outcomes tell something of another.
const SIMILAR_FROM: f64 = 0.8;

/// Counts validations under way.
#[derive(Default)]
pub(super) struct Benches(AtomicUsize);

impl Benches {
    fn take(&self) -> Option<Bench<'_>> {
        let taken = self.0.fetch_update(Ordering::AcqRel, Ordering::Acquire, |busy| {
            (busy < MAX_VALIDATIONS).then_some(busy + 1)
        });
        taken.ok().map(|_| Bench(&self.0))
    }
}

/// A place to measure at, given back when it is dropped.
struct Bench<'a>(&'a AtomicUsize);

impl Drop for Bench<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

/// Measures a candidate.
pub(super) fn validate(
    host: &Host,
    benches: &Benches,
    request: &ValidationRequest,
) -> Result<Measured, Failure> {
    let _bench = benches.take().ok_or_else(|| {
        let busy = format!("{MAX_VALIDATIONS} validations are under way already");
        Failure::work_with_help(busy, "ask again in a minute")
    })?;
    let (folder, configuration) = program(host, request)?;
    let mut judge = Judge::of_folder(folder.path(), &configuration)?;
    let patch = judge.admitted(&request.files)?;
    let baseline = judge.baseline()?;
    let candidate = judge.candidate(&patch)?;
    Ok(measured(&wiring::objective_set(&configuration)?, &baseline, &candidate))
}

/// A program laid out in a folder that goes with the value.
enum Program {
    Sent(PathBuf),
    Exported(TempDir),
}

impl Program {
    fn path(&self) -> &Path {
        match self {
            Self::Sent(path) => path,
            Self::Exported(folder) => folder.path(),
        }
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        if let Self::Sent(path) = self {
            // What stays behind is below the data folder and in nobody's way.
            let _ = std::fs::remove_dir_all(path);
        }
    }
}

/// The program that a request is about: sent along, or of the newest run of that name.
fn program(host: &Host, request: &ValidationRequest) -> Result<(Program, Configuration), Failure> {
    if let Some(files) = &request.program {
        let folder = Program::Sent(host.lay_down(files)?);
        let configuration = config::load(folder.path())?;
        super::refuse_foreign(&configuration)?;
        return Ok((folder, configuration));
    }
    let (run, state) = newest(host.runs(), &request.target)?.ok_or_else(|| {
        Failure::usage(
            format!("there is no program {:?} here", request.target),
            "send it along as target.files, with its darwind.toml",
        )
    })?;
    let fault =
        |error: &dyn std::fmt::Display| Failure::work(format!("the program cannot be laid out: {error}"));
    let folder = tempfile::tempdir().map_err(|error| fault(&error))?;
    let snapshots = host.runs().snapshots(&run)?;
    snapshots.export(&state.run.baseline, folder.path()).map_err(|error| fault(&error))?;
    let configuration = wiring::stored_configuration(&run, &state.run.configuration)?;
    Ok((Program::Exported(folder), configuration))
}

/// The newest run of a program.
fn newest(runs: &Runs, agent_id: &str) -> Result<Option<(RunId, State)>, Failure> {
    for line in runs.list()?.into_iter().take(MAX_RUNS) {
        // A run that cannot be read hides no other.
        if let Ok(state) = runs.state(&line.id)
            && state.run.agent_id == agent_id
        {
            return Ok(Some((line.id, state)));
        }
    }
    Ok(None)
}

/// What two evaluations come to as a vote.
fn measured(objectives: &ObjectiveSet, baseline: &Evaluation, candidate: &Evaluation) -> Measured {
    let improvement = objectives.improvement(&baseline.scores, &candidate.scores);
    let noise = |name: &str| baseline.metrics.get(&format!("{name}.noise")).copied().unwrap_or_default();
    let tolerance = |name: &str| (NOISE_FACTOR * noise(name)).max(TOLERANCE);
    let better: Vec<&str> = improvement
        .iter()
        .filter(|(name, share)| **share > tolerance(name))
        .map(|(name, _)| name.as_str())
        .collect();
    let worse: Vec<&str> = improvement
        .iter()
        .filter(|(name, share)| **share < -tolerance(name))
        .map(|(name, _)| name.as_str())
        .collect();
    let unfit = unfit(objectives, candidate);
    let (recommendation, feedback) = match (&unfit, better.is_empty(), worse.is_empty()) {
        (Some(reason), _, _) => (Recommendation::Reject, reason.clone()),
        (None, false, true) => (Recommendation::Approve, format!("better in {}", better.join(", "))),
        (None, false, false) => {
            let text = format!("better in {} and worse in {}", better.join(", "), worse.join(", "));
            (Recommendation::Review, text)
        }
        (None, true, true) => (Recommendation::Review, "no difference that exceeds the noise".to_owned()),
        (None, true, false) => (Recommendation::Reject, format!("worse in {}", worse.join(", "))),
    };
    let details = json!({
        "valid": unfit.is_none(),
        "scores": candidate.scores,
        "baseline": baseline.scores,
        "improvement": improvement,
        "improvement_score": mean(objectives, &improvement),
        "checks": candidate.checks,
        "outcome": candidate.outcome,
        "isolation": candidate.isolation,
        "cases": { "passed": candidate.cases_passed(), "total": candidate.cases_total },
    });
    Measured { recommendation, feedback, details }
}

/// Why a candidate cannot be taken, if it cannot.
fn unfit(objectives: &ObjectiveSet, candidate: &Evaluation) -> Option<String> {
    if let Some(check) = candidate.failed_check() {
        return Some(format!("the check {} fails: {}", check.name, check.reason));
    }
    if let Err(error) = objectives.point(&candidate.scores) {
        return Some(format!("{} ({})", error, candidate.outcome.word()));
    }
    let unmet = objectives.meets_thresholds(&candidate.scores).err()?;
    Some(format!("{} is {}, and {} is wanted", unmet.name, unmet.value, unmet.threshold))
}

fn mean(objectives: &ObjectiveSet, shares: &BTreeMap<String, f64>) -> f64 {
    let known = objectives.iter().filter_map(|one| Some((one.weight, shares.get(&one.name)?)));
    let (sum, weights) =
        known.fold((0.0, 0.0), |(sum, all), (weight, share)| (sum + weight * share, all + weight));
    if weights > 0.0 { sum / weights } else { 0.0 }
}

/// The local program that a package fits best, with how well and with that program's threshold.
struct Fit {
    target: String,
    compatibility: Compatibility,
    threshold: f64,
    signed_only: bool,
}

fn best_fit(runs: &Runs, memory: &Memory, package: &Package, source: &str) -> Result<Option<Fit>, Failure> {
    let unreadable = |error| Failure::caused("what peers sent cannot be read", error);
    let trust = memory.trust(source).map_err(unreadable)?.value();
    let mut seen = Vec::new();
    let mut best: Option<Fit> = None;
    for line in runs.list()?.into_iter().take(MAX_RUNS) {
        let Ok(state) = runs.state(&line.id) else { continue };
        if seen.contains(&state.run.agent_id) || seen.len() >= MAX_PROGRAMS {
            continue;
        }
        seen.push(state.run.agent_id.clone());
        let Ok(configuration) = wiring::stored_configuration(&line.id, &state.run.configuration) else {
            continue;
        };
        // A package may fit the champion or, where the champion has gone its own way, the unchanged program.
        let champion = state.champion.and_then(|champion| state.candidate(champion));
        let mutable: std::collections::BTreeSet<String> =
            configuration.target.mutable.iter().cloned().collect();
        let Ok(mut snapshots) = wiring::reading(runs, &line.id, mutable) else { continue };
        let objectives = peers::goals(&state.run.objectives);
        for commit in champion.map(|record| &record.commit).into_iter().chain([&state.run.baseline]) {
            let Ok(files) = evolution::ports::Snapshots::files(&mut snapshots, commit) else { continue };
            let local = LocalContext { files: &files, objectives: &objectives, trust };
            let compatibility = compatibility(package, &local);
            if best.as_ref().is_none_or(|best| compatibility.score > best.compatibility.score) {
                let section = &configuration.collective.knowledge_transfer;
                let (threshold, signed_only) = (section.compatibility_threshold, section.signed_only);
                best =
                    Some(Fit { target: state.run.agent_id.clone(), compatibility, threshold, signed_only });
            }
        }
    }
    Ok(best)
}

/// Takes a package in: what fits a program here is queued as a proposal for it.
pub(super) fn receive(runs: &Runs, from: &str, request: &TransferRequest) -> Result<Received, Failure> {
    let memory = Memory::new(runs.log());
    let package = &request.sent.package;
    let signed_by = signer(runs, &request.sent)?;
    let source = source_of(from, signed_by.as_deref(), package);
    let fit = best_fit(runs, &memory, package, &source)?;
    let (target, compatibility, threshold, signed_only) = match fit {
        Some(fit) => (fit.target, fit.compatibility, fit.threshold, fit.signed_only),
        None => (String::new(), Compatibility::default(), 1.0, false),
    };
    let unsigned = signed_only && signed_by.is_none();
    let queued = compatibility.score > threshold && !unsigned;
    let remembered = Remembered {
        package: Arc::new(package.clone()),
        from: source,
        target: target.clone(),
        compatibility,
        queued,
        signed_by,
    };
    let new = memory
        .received(&remembered, &request.transfer_id, crate::data::now_ms())
        .map_err(|error| Failure::caused("the package cannot be kept", error))?;
    let fits = if target.is_empty() {
        "there is no program here that it could fit".to_owned()
    } else {
        format!(
            "compatibility {:.2} with {target}, and more than {threshold:.2} is wanted",
            compatibility.score
        )
    };
    let reason = match (queued, new) {
        (true, true) => {
            format!("queued for {target} as a proposal, compatibility {:.2}", compatibility.score)
        }
        (true, false) => format!("known already; it is or was queued for {target}"),
        (false, _) if unsigned => {
            format!("{target} takes only packages that are signed with the key of a peer that is known here")
        }
        (false, _) => fits,
    };
    Ok(Received { queued_for: queued.then_some(target), compatibility, reason })
}

/// The peer whose key a package is signed with, if it is one that is known here.
///
/// # Errors
/// When it is signed in a peer's name and the signature does not hold.
fn signer(runs: &Runs, sent: &PackageSent) -> Result<Option<String>, Failure> {
    let known = Peers::read(runs)?;
    let signer = known.signer(sent).map_err(|_| {
        Failure::refused(
            "the package's signature does not hold for what it says",
            "send it as it was signed, with the key that your card is signed with",
        )
    })?;
    Ok(signer.map(str::to_owned))
}

/// Who is trusted or not: the agent, as far as the peer that signed, or else the credentials that its message came with.
fn source_of(from: &str, signed_by: Option<&str>, package: &Package) -> String {
    match signed_by {
        Some(peer) => format!("{peer} (signed)/{}", package.source_agent),
        None => format!("{from}/{}", package.source_agent),
    }
}

/// What is thought of a package: what patterns like it came to here, and how well it fits.
pub(super) fn assess(runs: &Runs, from: &str, sent: &PackageSent) -> Result<Measured, Failure> {
    let unreadable = |error| Failure::caused("what peers sent cannot be read", error);
    let memory = Memory::new(runs.log());
    let package = &sent.package;
    let source = source_of(from, signer(runs, sent)?.as_deref(), package);
    let fit = best_fit(runs, &memory, package, &source)?;
    let similar = memory.similar(package, MAX_SIMILAR).map_err(unreadable)?;
    let telling = similar.iter().filter(|one| one.similarity >= SIMILAR_FROM);
    let (improved, failed) = telling.fold((0, 0), |(yes, no), one| (yes + one.improved, no + one.failed));
    let compatibility = fit.as_ref().map(|fit| fit.compatibility).unwrap_or_default();
    let fits = fit.as_ref().is_some_and(|fit| fit.compatibility.score > fit.threshold);
    let past =
        format!("patterns like it improved a program {improved} times here and did not {failed} times");
    let score = compatibility.score;
    let (recommendation, feedback) = match (improved, failed, fits) {
        (yes, no, _) if yes > no => (Recommendation::Approve, past),
        (yes, no, _) if no > yes => (Recommendation::Reject, past),
        (_, _, true) => {
            (Recommendation::Review, format!("it fits (compatibility {score:.2}) and is untried here"))
        }
        _ => (Recommendation::Reject, format!("it fits nothing here (compatibility {score:.2})")),
    };
    let details = json!({ "compatibility": compatibility, "improved": improved, "failed": failed });
    Ok(Measured { recommendation, feedback, details })
}
