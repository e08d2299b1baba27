//! Sends a push notification again that could not be delivered, on the caller's thread: for commands, which have no runtime.

use a2a::outbound::Reach;
use a2a::{DeadLetters, RedeliveryError};

/// Why a letter could not be tried again.
#[derive(Debug, thiserror::Error)]
pub enum LetterError {
    /// It cannot be tried at all.
    #[error(transparent)]
    Redelivery(#[from] RedeliveryError),
    /// This side has no runtime to send from.
    #[error("cannot send: {0}")]
    Runtime(#[from] std::io::Error),
}

/// Tries a letter again, to public addresses alone; says whether it was delivered.
///
/// # Errors
/// [`LetterError`].
pub fn redeliver(letters: &DeadLetters, number: u64) -> Result<bool, LetterError> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    Ok(runtime.block_on(a2a::redeliver(letters, Reach::default(), number))?)
}
