//! Where answers go: text or JSON to standard output, notes to error output, colours only where a person looks on.
//! Every command writes through this and nothing else.

use serde::Serialize;
use std::io::{self, IsTerminal, Write};

/// The way out of a command.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Terminal {
    json: bool,
    colour: bool,
}

/// Colours that text may bear, by their ANSI codes.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Colour {
    /// Added, better, held.
    Green,
    /// Removed, worse, open.
    Red,
    /// Places and headers.
    Cyan,
    /// Partly so.
    Yellow,
    /// Titles.
    Bold,
    /// What matters less.
    Dim,
}

impl Colour {
    fn code(self) -> u8 {
        match self {
            Self::Bold => 1,
            Self::Dim => 2,
            Self::Red => 31,
            Self::Green => 32,
            Self::Yellow => 33,
            Self::Cyan => 36,
        }
    }
}

impl Terminal {
    /// A way out for a command that was asked for JSON or not. Colours follow <https://no-color.org>.
    pub(crate) fn new(json: bool) -> Self {
        let refused = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty())
            || std::env::var_os("TERM").is_some_and(|term| term == "dumb");
        Self { json, colour: !json && !refused && io::stdout().is_terminal() }
    }

    /// Whether the answer is to be JSON.
    pub(crate) fn wants_json(self) -> bool {
        self.json
    }

    /// Whether a person sits before it and can end what waits.
    pub(crate) fn is_interactive(self) -> bool {
        !self.json && io::stdout().is_terminal() && io::stdin().is_terminal()
    }

    /// Text in a colour, or plain where no colour is wanted.
    pub(crate) fn paint(self, text: &str, colour: Colour) -> String {
        if self.colour && !text.is_empty() {
            format!("\u{1b}[{}m{text}\u{1b}[0m", colour.code())
        } else {
            text.to_owned()
        }
    }

    /// Writes a line of the answer.
    pub(crate) fn line(self, text: &str) -> io::Result<()> {
        let mut out = io::stdout().lock();
        out.write_all(text.as_bytes())?;
        out.write_all(b"\n")
    }

    /// Writes the answer as one JSON document, indented.
    pub(crate) fn json<T: Serialize>(self, value: &T) -> io::Result<()> {
        let text = serde_json::to_string_pretty(value).map_err(io::Error::other)?;
        self.line(&text)
    }

    /// Writes one JSON object on a line of its own.
    pub(crate) fn json_line<T: Serialize>(self, value: &T) -> io::Result<()> {
        let text = serde_json::to_string(value).map_err(io::Error::other)?;
        self.line(&text)
    }

    /// Makes sure that everything has been written.
    pub(crate) fn flush(self) -> io::Result<()> {
        io::stdout().lock().flush()
    }

    /// Writes a note for people to error output. A closed error output is nobody's loss.
    pub(crate) fn note(self, text: &str) {
        let _ = writeln!(io::stderr().lock(), "{text}");
    }
}
