//! Reads one table of a spanned TOML tree key by key: every value is checked where it stands, and every key that
//! nobody asked for is a problem. What the keys mean is the sections' business.

use super::problem::{Problems, listed, nearest};
use super::quantity;
use std::ops::{Range, RangeInclusive};
use std::time::Duration;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// A value with the bytes of the file that it came from.
#[derive(Debug, Clone)]
pub(super) struct Found<T> {
    pub(super) value: T,
    pub(super) span: Range<usize>,
}

/// Bounds of a real number, and how to say them.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bounds {
    pub(super) above: Option<f64>,
    pub(super) from: f64,
    pub(super) to: f64,
}

impl Bounds {
    /// Any finite number.
    pub(super) const FINITE: Self = Self { above: None, from: f64::MIN, to: f64::MAX };
    /// A share.
    pub(super) const SHARE: Self = Self { above: None, from: 0.0, to: 1.0 };
    /// Above zero.
    pub(super) const POSITIVE: Self = Self { above: Some(0.0), from: 0.0, to: f64::MAX };
    /// Zero or more.
    pub(super) const NOT_NEGATIVE: Self = Self { above: None, from: 0.0, to: f64::MAX };

    fn holds(self, value: f64) -> bool {
        value.is_finite()
            && value >= self.from
            && value <= self.to
            && self.above.is_none_or(|above| value > above)
    }

    fn words(self) -> String {
        match (self.above, self.from, self.to) {
            (Some(above), _, f64::MAX) => format!("a number above {above}"),
            (Some(above), _, to) => format!("a number above {above} and at most {to}"),
            (None, f64::MIN, f64::MAX) => "a finite number".to_owned(),
            (None, from, f64::MAX) => format!("a number from {from} up"),
            (None, from, to) => format!("a number from {from} to {to}"),
        }
    }
}

/// One table being read.
pub(super) struct Section<'t> {
    /// As it is written, for messages: `[target]`, `[[objective]]`.
    title: String,
    /// Where the section is named in the file.
    span: Range<usize>,
    table: &'t DeTable<'t>,
    asked: Vec<&'static str>,
    problems: &'t Problems,
}

impl<'t> Section<'t> {
    /// The file's top.
    pub(super) fn top(table: &'t DeTable<'t>, problems: &'t Problems) -> Self {
        Self { title: "the file".to_owned(), span: 0..0, table, asked: Vec::new(), problems }
    }

    pub(super) fn title(&self) -> &str {
        &self.title
    }

    pub(super) fn span(&self) -> Range<usize> {
        self.span.clone()
    }

    pub(super) fn problems(&self) -> &'t Problems {
        self.problems
    }

    /// Whether the section holds no key at all.
    pub(super) fn is_empty(&self) -> bool {
        self.table.is_empty()
    }

    /// Whether a key is written, whatever its value.
    pub(super) fn has(&self, key: &str) -> bool {
        self.table.contains_key(key)
    }

    /// Where a key is written, else the section's title.
    pub(super) fn key_span(&self, key: &str) -> Range<usize> {
        self.table.get_key_value(key).map_or_else(|| self.span(), |(name, _)| name.span())
    }

    fn value(&mut self, key: &'static str) -> Option<&'t Spanned<DeValue<'t>>> {
        self.asked.push(key);
        self.table.get(key)
    }

    fn wrong_type(&self, key: &str, value: &Spanned<DeValue<'_>>, wanted: &str) {
        let found = value.get_ref().type_str();
        self.problems.add(
            value.span(),
            format!("`{key}` in {} must be {wanted}, not a TOML {found}", self.title),
            format!("expected {wanted}"),
        );
    }

    /// Notes that a key is missing.
    pub(super) fn missing(&self, key: &str, example: &str) {
        self.problems.advise(
            self.span(),
            format!("{} lacks `{key}`", self.title),
            format!("`{key}` is needed here"),
            format!("write for example: {example}"),
        );
    }

    /// Text that is not empty.
    pub(super) fn text(&mut self, key: &'static str) -> Option<Found<String>> {
        let value = self.value(key)?;
        match value.get_ref().as_str() {
            None => {
                self.wrong_type(key, value, "text in quotes");
                None
            }
            Some("") => {
                self.problems.add(
                    value.span(),
                    format!("`{key}` in {} is empty", self.title),
                    "say something here",
                );
                None
            }
            Some(text) => Some(Found { value: text.to_owned(), span: value.span() }),
        }
    }

    /// Text that must be there.
    pub(super) fn required_text(&mut self, key: &'static str, example: &str) -> Option<Found<String>> {
        if !self.has(key) {
            self.asked.push(key);
            self.missing(key, example);
            return None;
        }
        self.text(key)
    }

    /// A path that must be one of `files`.
    pub(super) fn file(&mut self, key: &'static str, files: &[String]) -> Option<String> {
        let found = self.text(key)?;
        let path = found.value.strip_prefix("./").unwrap_or(&found.value).to_owned();
        if files.contains(&path) {
            return Some(path);
        }
        let known: Vec<&str> = files.iter().map(String::as_str).collect();
        let label = nearest(&path, &known).map_or_else(
            || "no such file below the target".to_owned(),
            |meant| format!("did you mean `{meant}`?"),
        );
        let message = format!("`{key}` in {} names {path}, and there is no such file", self.title);
        self.problems.add(found.span, message, label);
        None
    }

    /// A list of texts, none of them empty.
    pub(super) fn texts(&mut self, key: &'static str) -> Option<Found<Vec<Found<String>>>> {
        let value = self.value(key)?;
        let Some(array) = value.get_ref().as_array() else {
            let help = value.get_ref().as_str().map(|text| {
                let words: Vec<String> = text.split_whitespace().map(|word| format!("\"{word}\"")).collect();
                format!("write: {key} = [{}]", words.join(", "))
            });
            let message = format!("`{key}` in {} must be a list of texts", self.title);
            match help {
                Some(help) => {
                    self.problems.advise(value.span(), message, "expected a list in brackets", help)
                }
                None => self.problems.add(value.span(), message, "expected a list in brackets"),
            }
            return None;
        };
        let mut texts = Vec::with_capacity(array.len());
        for item in array.iter() {
            match item.get_ref().as_str() {
                Some(text) if !text.is_empty() => {
                    texts.push(Found { value: text.to_owned(), span: item.span() })
                }
                _ => self.wrong_type(key, item, "text in quotes that is not empty"),
            }
        }
        if array.is_empty() {
            self.problems.add(
                value.span(),
                format!("`{key}` in {} is empty", self.title),
                "name at least one",
            );
            return None;
        }
        (texts.len() == array.len()).then_some(Found { value: texts, span: value.span() })
    }

    /// A list of texts without their places.
    pub(super) fn plain_texts(&mut self, key: &'static str) -> Option<Vec<String>> {
        self.texts(key).map(|found| found.value.into_iter().map(|text| text.value).collect())
    }

    /// `true` or `false`.
    pub(super) fn flag(&mut self, key: &'static str, default: bool) -> bool {
        let Some(value) = self.value(key) else { return default };
        value.get_ref().as_bool().unwrap_or_else(|| {
            self.wrong_type(key, value, "`true` or `false`");
            default
        })
    }

    /// A whole number within `range`.
    pub(super) fn whole(&mut self, key: &'static str, range: RangeInclusive<u64>) -> Option<u64> {
        let value = self.value(key)?;
        let Some(integer) = value.get_ref().as_integer() else {
            self.wrong_type(key, value, "a whole number");
            return None;
        };
        let parsed =
            u64::from_str_radix(integer.as_str(), integer.radix()).ok().filter(|n| range.contains(n));
        if parsed.is_none() {
            let wanted = match *range.end() {
                u64::MAX => format!("a whole number from {} up", range.start()),
                end => format!("a whole number from {} to {end}", range.start()),
            };
            self.impossible(key, value.span(), integer.as_str(), &wanted);
        }
        parsed
    }

    /// A real number within bounds; a whole number will do.
    pub(super) fn real(&mut self, key: &'static str, bounds: Bounds) -> Option<f64> {
        let value = self.value(key)?;
        let parsed = match value.get_ref() {
            DeValue::Integer(integer) if integer.radix() == 10 => integer.as_str().parse::<f64>().ok(),
            DeValue::Float(float) => float.as_str().parse::<f64>().ok(),
            _ => {
                self.wrong_type(key, value, "a number");
                return None;
            }
        };
        let fitting = parsed.filter(|number| bounds.holds(*number));
        if fitting.is_none() {
            let written = parsed.map_or_else(String::new, |number| number.to_string());
            self.impossible(key, value.span(), &written, &bounds.words());
        }
        fitting
    }

    /// A list of real numbers; whole numbers will do.
    pub(super) fn reals(&mut self, key: &'static str) -> Option<Vec<f64>> {
        let value = self.value(key)?;
        let number = |item: &DeValue<'_>| match item {
            DeValue::Integer(integer) => integer.as_str().parse::<f64>().ok(),
            DeValue::Float(float) => float.as_str().parse::<f64>().ok(),
            _ => None,
        };
        let numbers = value
            .get_ref()
            .as_array()
            .and_then(|array| array.iter().map(|item| number(item.get_ref())).collect::<Option<Vec<f64>>>());
        if numbers.is_none() {
            self.wrong_type(key, value, "a list of numbers");
        }
        numbers
    }

    /// A duration such as `"20s"`, within `range`.
    pub(super) fn duration(
        &mut self,
        key: &'static str,
        range: RangeInclusive<Duration>,
    ) -> Option<Duration> {
        let value = self.value(key)?;
        let Some(text) = value.get_ref().as_str() else {
            self.wrong_type(key, value, "a duration in quotes, such as \"20s\" or \"10m\"");
            return None;
        };
        match quantity::duration(text) {
            Ok(duration) if range.contains(&duration) => Some(duration),
            Ok(_) => {
                let wanted = format!(
                    "a duration from {} to {}",
                    humantime::format_duration(*range.start()),
                    humantime::format_duration(*range.end())
                );
                self.impossible(key, value.span(), text, &wanted);
                None
            }
            Err(reason) => {
                self.problems.advise(
                    value.span(),
                    format!("`{key}` in {} is no duration: {reason}", self.title),
                    "expected a duration",
                    "write a number with its unit, such as \"500ms\", \"20s\", \"10m\" or \"1h 30m\"",
                );
                None
            }
        }
    }

    /// A size such as `"1GiB"` in bytes, within `range`; a bare whole number counts bytes.
    pub(super) fn size(&mut self, key: &'static str, range: RangeInclusive<u64>) -> Option<u64> {
        let value = self.value(key)?;
        let written = match value.get_ref() {
            DeValue::String(text) => text.to_string(),
            DeValue::Integer(integer) if integer.radix() == 10 => integer.as_str().to_owned(),
            _ => {
                self.wrong_type(key, value, "a size in quotes, such as \"256MiB\" or \"1GiB\"");
                return None;
            }
        };
        match quantity::size(&written) {
            Ok(bytes) if range.contains(&bytes) => Some(bytes),
            Ok(_) => {
                let (from, to) = (quantity::size_text(*range.start()), quantity::size_text(*range.end()));
                self.impossible(key, value.span(), &written, &format!("a size from {from} to {to}"));
                None
            }
            Err(reason) => {
                self.problems.advise(
                    value.span(),
                    format!("`{key}` in {} is no size: {reason}", self.title),
                    "expected a size",
                    "write a number with its unit: B, kB, MB, GB or KiB, MiB, GiB",
                );
                None
            }
        }
    }

    /// One of a few words.
    pub(super) fn choice<T: Copy>(
        &mut self,
        key: &'static str,
        words: &[(&'static str, T)],
    ) -> Option<Found<T>> {
        let value = self.value(key)?;
        let known: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
        let Some(text) = value.get_ref().as_str() else {
            self.wrong_type(key, value, &format!("one of {}", listed(&known)));
            return None;
        };
        if let Some((_, chosen)) = words.iter().find(|(word, _)| *word == text) {
            return Some(Found { value: *chosen, span: value.span() });
        }
        let label = nearest(text, &known)
            .map_or_else(|| "not known".to_owned(), |meant| format!("did you mean `{meant}`?"));
        self.problems.advise(
            value.span(),
            format!("`{key}` in {} cannot be `{text}`", self.title),
            label,
            format!("it is one of {}", listed(&known)),
        );
        None
    }

    /// A table below this one.
    pub(super) fn table(&mut self, key: &'static str) -> Option<Self> {
        let title = self.child_title(key);
        let span = self.key_span(key);
        let value = self.value(key)?;
        let Some(table) = value.get_ref().as_table() else {
            self.wrong_type(key, value, &format!("a section, written {title}"));
            return None;
        };
        Some(Self { title, span, table, asked: Vec::new(), problems: self.problems })
    }

    /// An array of tables below this one, each written `[[key]]`.
    pub(super) fn tables(&mut self, key: &'static str) -> Vec<Self> {
        let title = format!("[[{key}]]");
        let Some(value) = self.value(key) else { return Vec::new() };
        let items: Vec<&Spanned<DeValue<'_>>> = match value.get_ref() {
            DeValue::Array(array) if array.iter().all(|item| item.get_ref().is_table()) => {
                array.iter().collect()
            }
            _ => {
                self.problems.advise(
                    self.key_span(key),
                    format!("`{key}` must be a list of sections"),
                    "expected double brackets",
                    format!("write {title} above each of them"),
                );
                return Vec::new();
            }
        };
        let tables = items.into_iter().filter_map(|item| Some((item.span(), item.get_ref().as_table()?)));
        tables
            .map(|(span, table)| Self {
                title: title.clone(),
                span,
                table,
                asked: Vec::new(),
                problems: self.problems,
            })
            .collect()
    }

    fn child_title(&self, key: &str) -> String {
        match self.title.strip_prefix('[').and_then(|title| title.strip_suffix(']')) {
            Some(parent) => format!("[{parent}.{key}]"),
            None => format!("[{key}]"),
        }
    }

    fn impossible(&self, key: &str, span: Range<usize>, written: &str, wanted: &str) {
        let message = format!("`{key}` in {} cannot be {written}", self.title);
        self.problems.add(span, message, format!("expected {wanted}"));
    }

    /// Refuses every key that was not asked for. The last thing to do with a section.
    pub(super) fn finish(self) {
        for (key, _) in self.table.iter() {
            let name: &str = key.get_ref();
            if self.asked.contains(&name) {
                continue;
            }
            let label = nearest(name, &self.asked)
                .map_or_else(|| "not known here".to_owned(), |meant| format!("did you mean `{meant}`?"));
            let message = format!("unknown key `{name}` in {}", self.title);
            let help = if self.asked.is_empty() {
                format!("{} has no keys", self.title)
            } else {
                format!("{} may have {}", self.title, listed(&self.asked))
            };
            self.problems.advise(key.span(), message, label, help);
        }
    }
}
