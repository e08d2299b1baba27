//! Push notifications that could not be delivered: shown, and sent again, by `darwind peers letters` and by the API.

use crate::data::Runs;
use crate::failure::{Exit, Failure};
use crate::lease::Driving;
use crate::terminal::Terminal;
use a2a::{DeadLetters, RedeliveryError};
use api::{Letter, Redelivered, ServiceError};
use serde_json::json;
use skills::letters::LetterError;

/// Shows the letters, or sends one again.
pub(super) fn letters(runs: &Runs, number: Option<u64>, terminal: Terminal) -> Result<Exit, Failure> {
    let Some(number) = number else { return list(runs, terminal) };
    let Redelivered { delivered, .. } = replay(runs, number).map_err(|error| match error {
        ServiceError::NotFound(text) => Failure::usage(text, "`darwind peers letters` lists them"),
        other => Failure::work(other.to_string()),
    })?;
    if terminal.wants_json() {
        terminal.json(&json!({ "number": number, "delivered": delivered }))?;
    } else {
        let words = if delivered { "was delivered" } else { "failed again and stays" };
        terminal.line(&format!("letter {number} {words}"))?;
    }
    Ok(if delivered { Exit::Done } else { Exit::WorkFailed })
}

/// Sends a letter again, whoever asks: one at a time, and never one that has arrived.
pub(crate) fn replay(runs: &Runs, number: u64) -> Result<Redelivered, ServiceError> {
    let failed = |failure: &Failure| ServiceError::Failed(failure.text());
    // Two who ask at once must not both send it, from whatever process.
    let taken = Driving::take_named(runs, &format!("a2a-letter/{number}"));
    let _sending = taken
        .map_err(|failure| failed(&failure))?
        .map_err(|_| ServiceError::Refused(format!("letter {number} is being sent already")))?;
    let letters = DeadLetters::over(runs.log());
    let was_delivered = letters.was_delivered(number).map_err(|error| failed(&unreadable(error)))?;
    if was_delivered {
        return Ok(Redelivered { number, delivered: true });
    }
    match skills::letters::redeliver(&letters, number) {
        Ok(delivered) => Ok(Redelivered { number, delivered }),
        Err(LetterError::Redelivery(RedeliveryError::Unknown(_))) => {
            Err(ServiceError::NotFound(format!("there is no letter {number}")))
        }
        Err(LetterError::Redelivery(
            error @ (RedeliveryError::NotKept(_) | RedeliveryError::Unregistered(_)),
        )) => Err(ServiceError::Refused(error.to_string())),
        Err(error) => Err(ServiceError::Failed(format!("letter {number} cannot be sent again: {error}"))),
    }
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
    for Letter { number, at, task_id, url, reason, .. } in &found {
        terminal.line(&format!("{number}  {at}  task {task_id} to {url}: {reason}"))?;
    }
    Ok(Exit::Done)
}

/// The letters, oldest first, without what they say and the secrets of their webhooks.
pub(super) fn shown(runs: &Runs) -> Result<Vec<Letter>, Failure> {
    let letters = DeadLetters::over(runs.log()).list().map_err(unreadable)?;
    let letter = |letter: a2a::DeadLetter| Letter {
        number: letter.number,
        task_id: letter.task_id,
        owner: letter.owner,
        config_id: letter.config.id,
        url: letter.config.url,
        reason: letter.reason,
        at: letter.at,
        kept: letter.body.is_some(),
    };
    Ok(letters.into_iter().map(letter).collect())
}

fn unreadable(error: store::StoreError) -> Failure {
    Failure::caused("the notifications that could not be delivered cannot be read", error)
}
