//! Finds the text that an edit means: exactly, else with blanks at line ends ignored, else with another indentation. Each
//! way must find one place; the first way that finds any decides.

use super::{Reason, Rejection};
use std::ops::Range;

/// How similar a line must be to be shown as the one that was perhaps meant, 0 to 1.
const SIMILAR: f64 = 0.6;

/// A place and what goes there.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Place {
    /// Bytes of the file that go.
    pub(super) range: Range<usize>,
    /// The text that takes their place.
    pub(super) text: String,
}

/// Finds the one place of `search` in `text` within the stretches `allowed`, and makes `replace` fit it. `near` is the
/// line (from 1) that chooses among several places.
pub(super) fn find(
    text: &str,
    (search, replace): (&str, &str),
    allowed: &[Range<usize>],
    near: Option<usize>,
) -> Result<Place, Rejection> {
    let lines = Lines::of(text);
    let (search, replace) = (search.replace("\r\n", "\n"), replace.replace("\r\n", "\n"));
    let wanted: Vec<&str> = if search.is_empty() { Vec::new() } else { search.split('\n').collect() };
    if wanted.iter().all(|line| line.trim().is_empty()) {
        return match near {
            // A hunk of additions alone: the line before which they stand is all there is to go by.
            Some(line) => Ok(lines.insertion(line, &replace)),
            None => Err(Rejection::new(Reason::NotFound, "the text to be replaced is empty")),
        };
    }
    let exact = lines.places(&wanted, |line, wanted| line == wanted);
    if let Some(at) = choose(exact, &lines, allowed, near, wanted.len())? {
        return Ok(lines.place(at, wanted.len(), &replace));
    }
    if let Some(range) = part_of_line(text, &search, allowed)? {
        return Ok(Place { range, text: replace });
    }
    let loose = lines.places(&wanted, |line, wanted| line.trim_end() == wanted.trim_end());
    if let Some(at) = choose(loose, &lines, allowed, near, wanted.len())? {
        return Ok(lines.place(at, wanted.len(), &replace));
    }
    let first = wanted.iter().position(|line| !line.trim().is_empty()).unwrap_or(0);
    let shifted = lines.places(&wanted, |line, wanted| line.trim() == wanted.trim());
    let shifted: Vec<usize> =
        shifted.into_iter().filter(|at| lines.shift(*at, &wanted, first).is_some()).collect();
    if let Some(at) = choose(shifted, &lines, allowed, near, wanted.len())? {
        let moved = match lines.shift(at, &wanted, first) {
            Some(shift) => shift.apply(&replace),
            None => replace,
        };
        return Ok(lines.place(at, wanted.len(), &moved));
    }
    Err(not_found(&lines, wanted.get(first).copied().unwrap_or_default()))
}

/// Takes the one place, or the one nearest to a hint.
fn choose(
    found: Vec<usize>,
    lines: &Lines<'_>,
    allowed: &[Range<usize>],
    near: Option<usize>,
    length: usize,
) -> Result<Option<usize>, Rejection> {
    let inside = |at: &usize| {
        let range = lines.range(*at, length);
        allowed.iter().any(|stretch| stretch.start <= range.start && range.end <= stretch.end)
    };
    let within: Vec<usize> = found.iter().copied().filter(inside).collect();
    match (within.as_slice(), near) {
        ([], _) if found.is_empty() => Ok(None),
        ([], _) => Err(outside()),
        ([one], _) => Ok(Some(*one)),
        (several, Some(near)) => Ok(several.iter().copied().min_by_key(|at| (near.abs_diff(at + 1), *at))),
        (several, None) => {
            let places: Vec<String> = several.iter().take(5).map(|at| (at + 1).to_string()).collect();
            let detail = format!(
                "the text to be replaced stands at lines {}: add lines before it until it is unique",
                places.join(", ")
            );
            Err(Rejection::new(Reason::Ambiguous, detail))
        }
    }
}

/// A search within one line, such as one expression.
fn part_of_line(
    text: &str,
    search: &str,
    allowed: &[Range<usize>],
) -> Result<Option<Range<usize>>, Rejection> {
    if search.contains('\n') {
        return Ok(None);
    }
    let mut found = text.match_indices(search).map(|(at, _)| at..at + search.len()).peekable();
    if found.peek().is_none() {
        return Ok(None);
    }
    let mut inside = found.filter(|range| {
        allowed.iter().any(|stretch| stretch.start <= range.start && range.end <= stretch.end)
    });
    match (inside.next(), inside.next()) {
        (None, _) => Err(outside()),
        (Some(range), None) => Ok(Some(range)),
        (Some(_), Some(_)) => Err(Rejection::new(
            Reason::Ambiguous,
            "the text to be replaced stands in several places: give whole lines, with lines around them",
        )),
    }
}

fn outside() -> Rejection {
    Rejection::new(Reason::OutsideBlocks, "the text to be replaced stands outside the evolve blocks")
}

fn not_found(lines: &Lines<'_>, wanted: &str) -> Rejection {
    let wanted = wanted.trim();
    let closest = lines
        .all
        .iter()
        .enumerate()
        .map(|(at, line)| (similarity(line.trim(), wanted), at, line))
        .filter(|(share, _, _)| *share >= SIMILAR)
        .max_by(|left, right| left.0.total_cmp(&right.0).then(right.1.cmp(&left.1)));
    let detail = match closest {
        Some((_, at, line)) => format!(
            "the text to be replaced is not in the file; line {} is the closest to its first: {}",
            at + 1,
            line.trim_end()
        ),
        None => format!("the text to be replaced is not in the file: {wanted}"),
    };
    Rejection::new(Reason::NotFound, detail)
}

/// Share of pairs of letters that two lines have in common (Dice's coefficient), 0 to 1.
fn similarity(left: &str, right: &str) -> f64 {
    let pairs = |text: &str| {
        let letters: Vec<char> = text.chars().take(200).collect();
        let mut pairs: Vec<(char, char)> =
            letters.iter().zip(letters.iter().skip(1)).map(|(first, second)| (*first, *second)).collect();
        pairs.sort_unstable();
        pairs
    };
    let (left, right) = (pairs(left), pairs(right));
    let total = left.len() + right.len();
    let (mut common, mut other) = (0, right.iter().peekable());
    for pair in &left {
        while other.next_if(|candidate| *candidate < pair).is_some() {}
        if other.next_if_eq(&pair).is_some() {
            common += 1;
        }
    }
    if total == 0 { 0.0 } else { 2.0 * f64::from(common) / total as f64 }
}

/// What must be put before each line, or taken from it.
enum Shift {
    In(String),
    Out(String),
}

impl Shift {
    fn apply(&self, text: &str) -> String {
        let line = |line: &str| match self {
            _ if line.trim().is_empty() => String::new(),
            Self::In(more) => format!("{more}{line}"),
            Self::Out(less) => line.strip_prefix(less.as_str()).unwrap_or(line.trim_start()).to_owned(),
        };
        text.split('\n').map(line).collect::<Vec<_>>().join("\n")
    }
}

fn indentation(line: &str) -> &str {
    line.get(..line.len() - line.trim_start().len()).unwrap_or_default()
}

/// A text by its lines.
struct Lines<'t> {
    text: &'t str,
    /// Lines without their ends.
    all: Vec<&'t str>,
    /// Where each line begins, and the end of the text.
    starts: Vec<usize>,
    crlf: bool,
}

impl<'t> Lines<'t> {
    fn of(text: &'t str) -> Self {
        let mut starts = vec![0];
        let mut all = Vec::new();
        let mut at = 0;
        for line in text.split_inclusive('\n') {
            at += line.len();
            starts.push(at);
            let line = line.strip_suffix('\n').unwrap_or(line);
            all.push(line.strip_suffix('\r').unwrap_or(line));
        }
        Self { text, all, starts, crlf: text.contains("\r\n") }
    }

    /// First lines (from 0) of every place where `wanted` stands.
    fn places(&self, wanted: &[&str], same: impl Fn(&str, &str) -> bool) -> Vec<usize> {
        let windows = self.all.windows(wanted.len()).enumerate();
        let fits = |window: &[&str]| window.iter().zip(wanted).all(|(line, wanted)| same(line, wanted));
        windows.filter(|(_, window)| fits(window)).map(|(at, _)| at).collect()
    }

    fn range(&self, at: usize, length: usize) -> Range<usize> {
        let end = self.text.len();
        let start = |line: usize| self.starts.get(line).copied().unwrap_or(end);
        start(at)..start(at + length)
    }

    fn place(&self, at: usize, length: usize, replace: &str) -> Place {
        let range = self.range(at, length);
        let ended = self.text.get(range.clone()).is_some_and(|text| text.ends_with('\n'));
        let text = if replace.is_empty() { String::new() } else { self.ended(replace, ended) };
        Place { range, text }
    }

    fn insertion(&self, line: usize, text: &str) -> Place {
        // A hunk that only adds says after which line: `@@ -3,0 +4,2 @@`.
        let at = self.range(line.min(self.all.len()), 0).start;
        Place { range: at..at, text: self.ended(text, true) }
    }

    /// Whole lines with this file's line ends.
    fn ended(&self, text: &str, newline: bool) -> String {
        let mut text = text.to_owned();
        if newline {
            text.push('\n');
        }
        if self.crlf { text.replace('\n', "\r\n") } else { text }
    }

    /// How `wanted` must be moved to stand at `at`, when all its lines move alike.
    fn shift(&self, at: usize, wanted: &[&str], first: usize) -> Option<Shift> {
        let (here, there) = (indentation(self.all.get(at + first)?), indentation(wanted.get(first)?));
        let shift = match (here.strip_suffix(there), there.strip_suffix(here)) {
            (Some(more), _) => Shift::In(more.to_owned()),
            (None, Some(less)) => Shift::Out(less.to_owned()),
            (None, None) => return None,
        };
        let alike = self.all.get(at..at + wanted.len())?.iter().zip(wanted).all(|(line, wanted)| {
            line.trim().is_empty() || shift.apply(wanted).trim_end() == line.trim_end()
        });
        alike.then_some(shift)
    }
}
