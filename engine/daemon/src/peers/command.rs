//! `darwind peers`: add, list, remove, share, validate.

use super::asking::ask_all;
use super::letters::letters;
use super::sharing::{Effort, FIRST_PAUSE, Met, meet, package_of, share};
use super::validators::validators;
use super::{Change, Peer, Peers, note, overview};
use crate::cli::PeersCommand;
use crate::data::{DataFolder, Runs};
use crate::failure::{Exit, Failure};
use crate::terminal::Terminal;
use crate::wiring;
use a2a::signing::PublicKey;
use evolution::consensus::{Consensus, ConsensusSettings, Recommendation, Vote, decide};
use evolution::id::Number;
use evolution::state::State;
use knowledge::{Memory, TransferOutcome};
use serde_json::{Value, json};
use skills::peer::PeerAddress;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// Longest wait for a validator.
const PATIENCE: Duration = Duration::from_secs(300);
/// Share of approvals from which a person should look at a candidate.
const REVIEW_FROM: f64 = 0.4;

/// `darwind peers`.
pub(crate) fn peers(what: &PeersCommand, data: &DataFolder, terminal: Terminal) -> Result<Exit, Failure> {
    let runs = data.open()?;
    match what {
        PeersCommand::Add { url, name, token_env } => {
            add(&runs, url, name.as_deref(), token_env.as_deref(), terminal)
        }
        PeersCommand::List => list(&runs, terminal),
        PeersCommand::Remove { name } => remove(&runs, name, terminal),
        PeersCommand::Share { candidate, to } => offer(&runs, candidate, to.as_deref(), terminal),
        PeersCommand::Letters { replay } => letters(&runs, *replay, terminal),
        PeersCommand::Validate { candidate, validation_type } => {
            validate(&runs, candidate, validation_type, terminal)
        }
    }
}

fn add(
    runs: &Runs,
    url: &str,
    name: Option<&str>,
    token_env: Option<&str>,
    terminal: Terminal,
) -> Result<Exit, Failure> {
    let url = url.split('#').next().unwrap_or(url).trim_end_matches('/').to_owned();
    let token = token_env.map(std::env::var).transpose().map_err(|_| {
        Failure::usage(
            format!("{} is not set", token_env.unwrap_or_default()),
            "set it to the token that the peer's owner gave you",
        )
    })?;
    let Met { skills, capabilities, key } = meet(runs, &PeerAddress { url: url.clone(), token, key: None })?;
    let kid = key.as_ref().map(|key| key.kid().to_owned());
    let name = name.map_or_else(|| url.rsplit('/').next().unwrap_or(&url).to_owned(), str::to_owned);
    let added = Change::Added {
        name: name.clone(),
        url: url.clone(),
        token_env: token_env.map(str::to_owned),
        skills: skills.clone(),
        capabilities,
        key: key.as_ref().map(PublicKey::to_jwk),
    };
    note(runs, &added)?;
    if terminal.wants_json() {
        terminal.json(&json!({ "name": name, "url": url, "skills": skills, "key_id": kid }))?;
    } else {
        terminal.line(&format!("{name} at {url} has {}", skills.join(", ")))?;
        terminal.line(&match kid {
            Some(kid) => format!("it signs with the key {kid}, by which it is known from now on"),
            None => "its card is signed with no key that it publishes; whoever answers there is taken for it"
                .to_owned(),
        })?;
    }
    Ok(Exit::Done)
}

fn list(runs: &Runs, terminal: Terminal) -> Result<Exit, Failure> {
    if terminal.wants_json() {
        terminal.json(&overview(runs)?)?;
        return Ok(Exit::Done);
    }
    let known = Peers::read(runs)?;
    if known.peers.is_empty() {
        terminal.line("no peers; make one known with: darwind peers add URL")?;
    }
    for peer in known.peers.values() {
        let latency = peer.latency_ms.map_or_else(|| "never asked".to_owned(), |ms| format!("{ms:.0} ms"));
        let fault = peer.fault.as_ref().map(|fault| format!("  last: {fault}")).unwrap_or_default();
        let open = if peer.may_be_asked() { "" } else { "  breaker open" };
        let key = peer.key.as_ref().map_or_else(|| "no key".to_owned(), |key| format!("key {}", key.kid()));
        terminal.line(&format!("{}  {}  {key}  {latency}{open}{fault}", peer.name, peer.url))?;
    }
    let sources = Memory::new(runs.log()).sources();
    let sources = sources.map_err(|error| Failure::caused("what peers sent cannot be read", error))?;
    for (source, trust) in sources {
        terminal.line(&format!(
            "from {source}: {} packages; {} improved, {} changed nothing, {} broke a program; trust {:.2}",
            trust.received,
            trust.improved,
            trust.neutral,
            trust.failed,
            trust.value()
        ))?;
    }
    Ok(Exit::Done)
}

fn remove(runs: &Runs, name: &str, terminal: Terminal) -> Result<Exit, Failure> {
    let peer = named(&Peers::read(runs)?, name)?;
    note(runs, &Change::Removed { name: peer.name })?;
    if terminal.wants_json() {
        terminal.json(&json!({ "removed": name }))?;
    } else {
        terminal.line(&format!("{name} is forgotten"))?;
    }
    Ok(Exit::Done)
}

fn named(known: &Peers, name: &str) -> Result<Peer, Failure> {
    known.peers.get(name).cloned().ok_or_else(|| {
        let names: Vec<&str> = known.peers.keys().map(String::as_str).collect();
        let help = if names.is_empty() { "there are none yet".to_owned() } else { names.join(", ") };
        Failure::usage(format!("there is no peer {name:?}"), format!("the peers: {help}"))
    })
}

/// The peers that are meant: one by name, or all.
fn chosen(runs: &Runs, to: Option<&str>) -> Result<Vec<Peer>, Failure> {
    let known = Peers::read(runs)?;
    let chosen = match to {
        Some(name) => vec![named(&known, name)?],
        None => known.peers.into_values().collect(),
    };
    if chosen.is_empty() {
        return Err(Failure::work_with_help(
            "there are no peers",
            "make one known with: darwind peers add URL",
        ));
    }
    Ok(chosen)
}

fn candidate(runs: &Runs, text: &str) -> Result<(State, Number), Failure> {
    let (run, number) = runs.find_candidate(text)?;
    let state = runs.state(&run)?;
    if state.candidate(number).is_none() {
        return Err(Failure::usage(
            format!("run {run} has no candidate {number}"),
            format!("`darwind lineage {run}` lists them"),
        ));
    }
    Ok((state, number))
}

fn offer(runs: &Runs, text: &str, to: Option<&str>, terminal: Terminal) -> Result<Exit, Failure> {
    let (state, number) = candidate(runs, text)?;
    let package = package_of(runs, &state, number)?;
    let configuration = wiring::stored_configuration(&state.run.run_id, &state.run.configuration)?;
    let attempts = configuration.collective.knowledge_transfer.max_transfer_attempts;
    let attempts = u32::try_from(attempts).unwrap_or(u32::MAX);
    let effort = Effort { attempts, pause: FIRST_PAUSE, closing: Arc::default() };
    let memory = Memory::new(runs.log());
    let takers = chosen(runs, to)?;
    let id = state.id(number).to_string();
    let outcomes: Vec<Option<TransferOutcome>> = std::thread::scope(|scope| {
        let (memory, of, effort) = (&memory, (&package, id.as_str()), &effort);
        let threads: Vec<_> =
            takers.iter().map(|peer| scope.spawn(move || share(runs, memory, of, peer, effort))).collect();
        threads.into_iter().map(|thread| thread.join().unwrap_or(None)).collect()
    });
    let told = |outcome: &Option<TransferOutcome>| match outcome {
        None => "has it already".to_owned(),
        Some(TransferOutcome::Accepted) => "accepted".to_owned(),
        Some(TransferOutcome::Declined(reason)) => format!("declined: {reason}"),
        Some(TransferOutcome::Failed(reason)) => format!("failed: {reason}"),
    };
    let answers: Vec<Value> = takers
        .iter()
        .zip(&outcomes)
        .map(|(peer, outcome)| json!({ "peer": peer.name, "outcome": told(outcome) }))
        .collect();
    if terminal.wants_json() {
        terminal.json(&json!({ "digest": package.digest, "peers": answers }))?;
    } else {
        for (peer, outcome) in takers.iter().zip(&outcomes) {
            terminal.line(&format!("{}  {}", peer.name, told(outcome)))?;
        }
    }
    let all_failed = outcomes.iter().all(|outcome| matches!(outcome, Some(TransferOutcome::Failed(_))));
    Ok(if all_failed { Exit::WorkFailed } else { Exit::Done })
}

fn validate(runs: &Runs, text: &str, validation_type: &str, terminal: Terminal) -> Result<Exit, Failure> {
    let (state, number) = candidate(runs, text)?;
    let configuration = wiring::stored_configuration(&state.run.run_id, &state.run.configuration)?;
    let section = &configuration.collective.collaborative_validation;
    if !section.network_enabled {
        return Err(Failure::refused(
            "[collaborative_validation] network_enabled is false for this target",
            "set it to true in darwind.toml and begin a run, or measure again here with darwind rollback",
        ));
    }
    let operator = state.candidate(number).and_then(|record| state.arm(record));
    let operator = operator.map(|arm| arm.operator.clone()).unwrap_or_default();
    let most = usize::try_from(section.max_validators).unwrap_or(usize::MAX);
    let asked = validators(chosen(runs, None)?, validation_type, &state.run.agent_id, &operator, most);
    if asked.is_empty() {
        return Err(Failure::work_with_help(
            format!("no peer validates {validation_type}"),
            "`darwind peers list` shows what each can do",
        ));
    }
    let request = request(runs, &state, number, validation_type)?;
    let answers = ask_all(runs, &asked, &|peer| addressed(&request, peer, &state.run.agent_id), PATIENCE);
    let votes: Vec<Vote> = asked
        .iter()
        .zip(&answers)
        .map(|(peer, answer)| Vote { validator: peer.name.clone(), feedback: vote(answer) })
        .collect();
    let approve_from = section.consensus_threshold;
    let settings =
        ConsensusSettings { approve_from, review_from: REVIEW_FROM.min(approve_from), max_validators: most };
    let consensus = decide(&votes, &settings);
    tell(&votes, &answers, &consensus, terminal)?;
    Ok(if consensus.action == Recommendation::Reject { Exit::WorkFailed } else { Exit::Done })
}

/// The request for one peer: the program travels along, unless the peer has it.
fn addressed(request: &(Value, Value), peer: &Peer, agent: &str) -> Value {
    let (mut message, target) = request.clone();
    if !peer.capabilities.targets.iter().any(|one| one == agent) {
        message["target"] = target;
    }
    message
}

/// The message, and the program with everything that judges it.
fn request(
    runs: &Runs,
    state: &State,
    number: Number,
    validation_type: &str,
) -> Result<(Value, Value), Failure> {
    let unreadable =
        |error: snapshots::SnapshotsError| Failure::caused("the candidate cannot be read", error);
    let snapshots = runs.snapshots(&state.run.run_id)?;
    let record = state.candidate(number).ok_or_else(|| Failure::work("there is no such candidate"))?;
    let text = |commit, path: &Path| -> Result<Option<String>, Failure> {
        Ok(String::from_utf8(snapshots.read(commit, path).map_err(unreadable)?).ok())
    };
    let named = |path: &Path| path.to_string_lossy().into_owned();
    // The peer knows the unchanged program, so the candidate is told against that.
    let mut changed = BTreeMap::new();
    for file in snapshots.changed(&state.run.baseline, &record.commit).map_err(unreadable)? {
        changed.insert(named(&file.path), text(&record.commit, &file.path)?);
    }
    let mut files = BTreeMap::new();
    for file in snapshots.list(&state.run.baseline).map_err(unreadable)? {
        files.insert(named(&file.path), text(&state.run.baseline, &file.path)?);
    }
    changed.retain(|_, text| text.is_some());
    files.retain(|_, text| text.is_some());
    let message = json!({
        "type": "validation_request",
        "candidate": { "id": state.id(number), "agent_id": state.run.agent_id, "code_changes": changed },
        "validation_type": validation_type,
        "requester": super::own_name(),
        "request_id": state.id(number),
    });
    Ok((message, json!({ "files": files })))
}

/// What a validator's answer is worth as a vote.
fn vote(answer: &Result<Value, String>) -> Result<(Recommendation, String), String> {
    let answer = answer.as_ref().map_err(Clone::clone)?;
    let recommendation = serde_json::from_value(answer["recommendation"].clone())
        .map_err(|_| "its answer holds no recommendation".to_owned())?;
    Ok((recommendation, answer["feedback"].as_str().unwrap_or_default().to_owned()))
}

fn tell(
    votes: &[Vote],
    answers: &[Result<Value, String>],
    consensus: &Consensus,
    terminal: Terminal,
) -> Result<(), Failure> {
    if terminal.wants_json() {
        let validators = votes.iter().zip(answers).map(|(vote, answer)| match (&vote.feedback, answer) {
            (Ok((recommendation, feedback)), Ok(answer)) => json!({ "peer": vote.validator,
                "recommendation": recommendation, "feedback": feedback, "scores": answer["scores"],
                "improvement": answer["improvement"] }),
            (Err(error), _) | (_, Err(error)) => json!({ "peer": vote.validator, "error": error }),
        });
        let validators: Vec<Value> = validators.collect();
        terminal
            .json(&json!({ "action": consensus.action, "score": consensus.score, "valid": consensus.valid,
            "feedback": consensus.feedback, "validators": validators }))?;
        return Ok(());
    }
    for vote in votes {
        let line = match &vote.feedback {
            Ok((recommendation, words)) => format!("{}  {}: {words}", vote.validator, word(*recommendation)),
            Err(reason) => format!("{}  no vote: {reason}", vote.validator),
        };
        terminal.line(&line)?;
    }
    let share = consensus.score * 100.0;
    let (action, valid) = (word(consensus.action), consensus.valid);
    terminal.line(&format!("{action}: {share:.0} % of {valid} votes approve"))?;
    Ok(())
}

fn word(recommendation: Recommendation) -> &'static str {
    match recommendation {
        Recommendation::Approve => "approve",
        Recommendation::Review => "review",
        Recommendation::Reject => "reject",
    }
}
