//! Keys that never show: not in what is printed for debugging, not in records, not in messages of errors.

use std::fmt;

/// What stands where a key stood.
const MASK: &str = "[key]";
/// Shorter keys are not looked for in texts: they would be found everywhere.
const MIN_KEY: usize = 6;

/// A key.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Keeps a key.
    pub fn new(key: impl Into<String>) -> Self {
        Self(key.into())
    }

    /// The key, for the header that needs it.
    pub(crate) fn reveal(&self) -> &str {
        &self.0
    }

    /// A text without the key.
    pub(crate) fn hide_in(&self, text: &str) -> String {
        if self.0.len() < MIN_KEY { text.to_owned() } else { text.replace(&self.0, MASK) }
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(MASK)
    }
}
