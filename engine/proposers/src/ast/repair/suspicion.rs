//! Where the fault may lie: a suspicion for each line, from the coverage of passing and failing cases.

use std::collections::BTreeMap;

/// Suspicion of the lines of one file.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Suspicion {
    lines: BTreeMap<u32, f64>,
}

impl Suspicion {
    /// Nothing is known: every line is as suspicious as any other.
    pub fn unknown() -> Self {
        Self::default()
    }

    /// From lines (from 1) and their suspicion, 0 to 1. Lines that are not named were run by no failing case.
    pub fn from_lines(lines: impl IntoIterator<Item = (u32, f64)>) -> Self {
        let lines = lines
            .into_iter()
            .map(|(line, value)| (line, if value.is_nan() { 0.0 } else { value.clamp(0.0, 1.0) }));
        Self { lines: lines.collect() }
    }

    /// Whether anything is known.
    pub fn is_known(&self) -> bool {
        !self.lines.is_empty()
    }

    /// Suspicion of a line, 0 to 1.
    pub fn of(&self, line: u32) -> f64 {
        if self.lines.is_empty() { 1.0 } else { self.lines.get(&line).copied().unwrap_or(0.0) }
    }

    /// The highest suspicion of all lines, 0 to 1.
    pub fn peak(&self) -> f64 {
        if self.lines.is_empty() { 1.0 } else { self.lines.values().copied().fold(0.0, f64::max) }
    }

    /// The highest suspicion among lines `first` to `last`, both included.
    pub fn highest(&self, first: u32, last: u32) -> f64 {
        if self.lines.is_empty() || first > last {
            return self.of(first);
        }
        self.lines.range(first..=last).map(|(_, value)| *value).fold(0.0, f64::max)
    }
}
