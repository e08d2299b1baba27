//! String literals taken apart: prefix, quotes, and the content as Python would read it.
//! Used to tell whether two spellings mean the same string; it evaluates nothing.

use crate::kind::Kind;
use crate::node::Node;

/// A stretch of a string's content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Piece {
    /// Characters, escapes resolved.
    Text(String),
    /// An escape that stands for no single `char` (a name, a lone surrogate), as it is spelt.
    Escape(String),
}

/// Prefix letters in lower case and sorted, without `u`, and the length of the opening quotes.
pub(crate) fn prefix(string_start: &str) -> (String, usize) {
    let quotes = string_start.trim_start_matches(|c: char| c.is_ascii_alphabetic());
    let mut letters: Vec<char> = string_start
        .chars()
        .take_while(char::is_ascii_alphabetic)
        .map(|c| c.to_ascii_lowercase())
        .filter(|c| *c != 'u')
        .collect();
    letters.sort_unstable();
    (letters.into_iter().collect(), quotes.len())
}

/// Whether a string literal has parts that are computed.
pub(crate) fn is_formatted(string: Node<'_>) -> bool {
    string.children().next().is_some_and(|start| prefix(start.text()).0.contains('f'))
}

/// Whether a statement is a string standing alone: a docstring, or a comment in disguise.
pub(crate) fn is_bare_string(statement: Node<'_>) -> bool {
    if statement.kind() != Kind::ExpressionStatement {
        return false;
    }
    let mut inner = statement.children().filter(|child| child.kind() != Kind::Comment);
    match (inner.next(), inner.next()) {
        (Some(only), None) => only.kind() == Kind::String && !is_formatted(only),
        _ => false,
    }
}

/// Resolves the escapes of a literal's content.
pub(crate) fn decode(content: &str, raw: bool, bytes: bool) -> Vec<Piece> {
    // Python reads every line ending in a source as one newline.
    let content = content.replace("\r\n", "\n").replace('\r', "\n");
    if raw || !content.contains('\\') {
        return vec![Piece::Text(content)];
    }
    let mut pieces = Vec::new();
    let mut text = String::new();
    let mut rest = content.as_str();
    while let Some(at) = rest.find('\\') {
        let (before, escape) = rest.split_at(at);
        text.push_str(before);
        let (length, meaning) = resolve(escape, bytes);
        let (spelt, after) = escape.split_at_checked(length).unwrap_or((escape, ""));
        match meaning {
            Some(meaning) => text.push_str(&meaning),
            None => {
                pieces.push(Piece::Text(std::mem::take(&mut text)));
                pieces.push(Piece::Escape(spelt.to_owned()));
            }
        }
        rest = after;
    }
    text.push_str(rest);
    pieces.push(Piece::Text(text));
    pieces
}

/// Length in bytes of the escape that `text` starts with, and its meaning where that is text.
/// Source: the Python language reference, section 2.4.1.1.
fn resolve(text: &str, bytes: bool) -> (usize, Option<String>) {
    let mut chars = text.chars();
    chars.next();
    let Some(letter) = chars.next() else { return (text.len(), Some("\\".to_owned())) };
    let simple = |meaning: &str| (1 + letter.len_utf8(), Some(meaning.to_owned()));
    match letter {
        '\n' => simple(""),
        '\\' => simple("\\"),
        '\'' => simple("'"),
        '"' => simple("\""),
        'a' => simple("\u{7}"),
        'b' => simple("\u{8}"),
        'f' => simple("\u{c}"),
        'n' => simple("\n"),
        'r' => simple("\r"),
        't' => simple("\t"),
        'v' => simple("\u{b}"),
        '0'..='7' => {
            let digits: String =
                text.chars().skip(1).take(3).take_while(|c| ('0'..='7').contains(c)).collect();
            (1 + digits.len(), character(&digits, 8))
        }
        'x' => numbered(text, 2),
        'u' if !bytes => numbered(text, 4),
        'U' if !bytes => numbered(text, 8),
        'N' if !bytes => (text.find('}').map_or(2, |end| end + 1), None),
        other => (1 + other.len_utf8(), Some(format!("\\{other}"))),
    }
}

fn numbered(text: &str, digits: usize) -> (usize, Option<String>) {
    match text.get(2..2 + digits) {
        Some(hex) => (2 + digits, character(hex, 16)),
        None => (2, None),
    }
}

fn character(digits: &str, radix: u32) -> Option<String> {
    u32::from_str_radix(digits, radix).ok().and_then(char::from_u32).map(String::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(content: &str) -> Vec<Piece> {
        decode(content, false, false)
    }

    #[test]
    fn escapes_mean_what_python_reads() {
        assert_eq!(text(r"a\n\x41\101\u0041\'\q"), [Piece::Text("a\nAAA'\\q".to_owned())]);
        assert_eq!(decode(r"\n", true, false), [Piece::Text("\\n".to_owned())]);
        assert_eq!(text("a\\\nb"), [Piece::Text("ab".to_owned())]);
        assert!(text(r"\N{DASH}x").contains(&Piece::Escape(r"\N{DASH}".to_owned())));
        assert!(text(r"\ud800").contains(&Piece::Escape(r"\ud800".to_owned())));
        assert_eq!(text("é\\é\\"), [Piece::Text("é\\é\\".to_owned())]);
    }
}
