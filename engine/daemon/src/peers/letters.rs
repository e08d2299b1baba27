//! `darwind peers letters`: push notifications that could not be delivered, and sending one again.

use crate::data::Runs;
use crate::failure::{Exit, Failure};
use crate::terminal::Terminal;
use a2a::DeadLetters;
use serde_json::{Value, json};

/// Shows the letters, or sends one again.
pub(super) fn letters(runs: &Runs, replay: Option<u64>, terminal: Terminal) -> Result<Exit, Failure> {
    let letters = DeadLetters::over(runs.log());
    let Some(number) = replay else { return list(runs, terminal) };
    let found = letters.find(number).map_err(unreadable)?;
    let letter = found.ok_or_else(|| {
        Failure::usage(format!("there is no letter {number}"), "`darwind peers letters` lists them")
    })?;
    if letter.body.is_none() {
        return Err(Failure::work(format!("letter {number} was too long to be kept")));
    }
    let delivered = skills::letters::redeliver(&letters, number)
        .map_err(|error| Failure::caused(format!("letter {number} cannot be sent again"), error))?;
    if terminal.wants_json() {
        terminal.json(&json!({ "number": number, "delivered": delivered }))?;
    } else {
        let words = if delivered { "was delivered" } else { "failed again and stays" };
        terminal.line(&format!("letter {number} to {} {words}", letter.config.url))?;
    }
    Ok(if delivered { Exit::Done } else { Exit::WorkFailed })
}

fn list(runs: &Runs, terminal: Terminal) -> Result<Exit, Failure> {
    let found = shown(runs)?;
    if terminal.wants_json() {
        terminal.json(&found)?;
        return Ok(Exit::Done);
    }
    if found.is_empty() {
        terminal.line("every push notification was delivered")?;
    }
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    for letter in &found {
        let (at, task) = (text(&letter["at"]), text(&letter["task_id"]));
        let (url, reason) = (text(&letter["url"]), text(&letter["reason"]));
        terminal.line(&format!("{}  {at}  task {task} to {url}: {reason}", letter["number"]))?;
    }
    Ok(Exit::Done)
}

/// The letters, oldest first, without what they say and the secrets of their webhooks.
pub(super) fn shown(runs: &Runs) -> Result<Vec<Value>, Failure> {
    let letters = DeadLetters::over(runs.log()).list().map_err(unreadable)?;
    let letter = |letter: a2a::DeadLetter| {
        json!({ "number": letter.number, "task_id": letter.task_id, "owner": letter.owner, "config_id": letter.config.id,
            "url": letter.config.url, "reason": letter.reason, "at": letter.at, "kept": letter.body.is_some() })
    };
    Ok(letters.into_iter().map(letter).collect())
}

fn unreadable(error: store::StoreError) -> Failure {
    Failure::caused("the notifications that could not be delivered cannot be read", error)
}
