//! Where answers go: text or JSON to standard output, notes to error output, colours only where a person looks on.
//! Every command writes through this and nothing else. Much of what is shown is a stranger's: a peer's card, a candidate's
//! code, a model's words. Before a person's eyes nothing of it moves the cursor, or commands the terminal otherwise.

use serde::Serialize;
use std::borrow::Cow;
use std::io::{self, IsTerminal, Write};

/// The way out of a command.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Terminal {
    json: bool,
    colour: bool,
    /// Whether a person looks at the answer.
    watched: bool,
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
        let watched = io::stdout().is_terminal();
        Self { json, colour: !json && !refused && watched, watched }
    }

    /// Whether the answer is to be JSON.
    pub(crate) fn wants_json(self) -> bool {
        self.json
    }

    /// Whether a person sits before it and can end what waits.
    pub(crate) fn is_interactive(self) -> bool {
        !self.json && io::stdout().is_terminal() && io::stdin().is_terminal()
    }

    /// Whether a person looks at the answer.
    pub(crate) fn is_watched(self) -> bool {
        self.watched
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
        let text = if self.watched { tamed(text, own_colour) } else { Cow::Borrowed(text) };
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
        let mut out = io::stderr().lock();
        let text = if out.is_terminal() { tamed(text, any_colour) } else { Cow::Borrowed(text) };
        let _ = writeln!(out, "{text}");
    }
}

/// The text without what a terminal would obey, but for ends of lines, tabs and the colours whose length `colour` tells; a
/// file gets everything as it is.
fn tamed(text: &str, colour: fn(&str) -> Option<usize>) -> Cow<'_, str> {
    if !text.chars().any(is_obeyed) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(is_obeyed) {
        let (plain, from) = rest.split_at(at);
        shown.push_str(plain);
        let kept = colour(from).or_else(|| from.starts_with("\r\n").then_some(2));
        let obeyed = from.chars().next().map_or(0, char::len_utf8);
        let (code, after) = from.split_at(kept.unwrap_or(obeyed));
        shown.push_str(if kept.is_some() { code } else { "\u{fffd}" });
        rest = after;
    }
    shown.push_str(rest);
    Cow::Owned(shown)
}

/// Whether a terminal does something else with it than show it: controls, and what turns the direction of a text around.
fn is_obeyed(letter: char) -> bool {
    let turns = matches!(letter, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    turns || (letter.is_control() && letter != '\n' && letter != '\t')
}

/// The length of the colour code that a text begins with, when it is one of [`Terminal::paint`]: others may hide a text.
fn own_colour(text: &str) -> Option<usize> {
    const CODES: [&str; 7] = ["0m", "1m", "2m", "31m", "32m", "33m", "36m"];
    let code = text.strip_prefix("\u{1b}[")?;
    CODES.iter().find(|own| code.starts_with(**own)).map(|own| "\u{1b}[".len() + own.len())
}

/// The length of the colour code (ECMA-48, SGR) that a text begins with: reports of errors have colours of their own.
fn any_colour(text: &str) -> Option<usize> {
    let numbers = text.strip_prefix("\u{1b}[")?;
    let end = numbers.find(|letter: char| !letter.is_ascii_digit() && letter != ';')?;
    numbers.get(end..)?.starts_with('m').then_some("\u{1b}[".len() + end + 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_a_terminal_would_obey_is_shown_as_unknown() {
        let seen = |text: &str| tamed(text, any_colour).into_owned();
        assert_eq!(seen("größer\tand so on\n"), "größer\tand so on\n");
        assert_eq!(
            seen("\u{1b}[31mred\u{1b}[0m and \u{1b}[1;38;5;3mbold"),
            "\u{1b}[31mred\u{1b}[0m and \u{1b}[1;38;5;3mbold"
        );
        assert_eq!(seen("title \u{1b}]0;mine\u{7}"), "title \u{fffd}]0;mine\u{fffd}");
        assert_eq!(
            seen("up \u{1b}[2A and gone \u{1b}[2J\u{9b}2J"),
            "up \u{fffd}[2A and gone \u{fffd}[2J\u{fffd}2J"
        );
        assert_eq!(seen("good\rbad\r\nnext\u{1b}"), "good\u{fffd}bad\r\nnext\u{fffd}");
        assert_eq!(seen("if admin:\u{202e} # no"), "if admin:\u{fffd} # no");
    }

    #[test]
    fn an_answer_has_the_colours_of_paint_and_none_that_hides() {
        let seen = |text: &str| tamed(text, own_colour).into_owned();
        assert_eq!(seen("\u{1b}[31mred\u{1b}[0m \u{1b}[1mbold"), "\u{1b}[31mred\u{1b}[0m \u{1b}[1mbold");
        assert_eq!(seen("\u{1b}[8mhidden \u{1b}[30;40mtoo"), "\u{fffd}[8mhidden \u{fffd}[30;40mtoo");
        let colours = [Colour::Green, Colour::Red, Colour::Cyan, Colour::Yellow, Colour::Bold, Colour::Dim]
            .map(Colour::code);
        assert!(colours.iter().all(|code| own_colour(&format!("\u{1b}[{code}mtext")).is_some()));
    }

    proptest! {
        #[test]
        fn nothing_obeyed_is_left_but_colours_and_line_ends(text in "([\\x00-\\x1f\\x7f-\\x9f]|\\x1b\\[|[0-9;m]|\\r\\n|.){0,30}") {
            let mut rest = tamed(&text, any_colour).replace("\r\n", "\n");
            while let Some(at) = rest.find('\u{1b}') {
                let length = any_colour(&rest[at..]);
                prop_assert!(length.is_some(), "{rest:?}");
                rest.replace_range(at..at + length.unwrap_or_default(), "");
            }
            prop_assert!(!rest.chars().any(is_obeyed), "{rest:?}");
        }
    }
}
