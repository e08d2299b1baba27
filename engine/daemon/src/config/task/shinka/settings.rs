//! What a program of settings (`run_evo.py`) says where it says it in so many words. It is read as a syntax tree: whatever
//! would have to be computed is named and left alone.

use super::super::populations::Populations;
use syntax::{Field, Kind, Module, Node};

/// The end of the names of the classes that say how an evaluation is run (`LocalJobConfig` and the others).
const JOB: &str = "JobConfig";
/// The class that says what is evolved.
const EVOLUTION: &str = "EvolutionConfig";
/// Most seconds that are taken over: a day.
const MAX_SECONDS: u64 = 86_400;

/// The settings that have a counterpart here.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Settings {
    /// `eval_program_path`.
    pub(super) evaluator: Option<String>,
    /// `init_program_path`.
    pub(super) program: Option<String>,
    /// `time`: what one evaluation may take.
    pub(super) seconds: Option<u64>,
    /// `extra_cmd_args`, as the words that they come to.
    pub(super) arguments: Vec<String>,
    /// The islands.
    pub(super) populations: Populations,
    /// Those of the settings above that are there and not written out.
    pub(super) unread: Vec<&'static str>,
}

impl Settings {
    /// Reads them.
    pub(super) fn read(source: &str) -> Self {
        let module = Module::parse(source);
        let mut settings = Self { populations: populations(&module), ..Self::default() };
        let path = |node: Node<'_>| text(node).map(|path| path.trim_start_matches("./").to_owned());
        settings.evaluator = settings.found(&module, JOB, "eval_program_path", path);
        settings.program = settings.found(&module, EVOLUTION, "init_program_path", path);
        settings.seconds = settings.found(&module, JOB, "time", |node| seconds(text(node)?));
        settings.arguments = settings.found(&module, JOB, "extra_cmd_args", words).unwrap_or_default();
        settings
    }

    /// What stands behind a keyword in the call of a class, as far as it can be read.
    fn found<T>(
        &mut self,
        module: &Module,
        class: &str,
        keyword: &'static str,
        read: impl Fn(Node<'_>) -> Option<T>,
    ) -> Option<T> {
        let value = keyword_values(module, keyword).find(|(argument, _)| {
            let call = argument.ancestor(Kind::Call).and_then(|call| call.child(Field::Function));
            call.is_some_and(|function| function.text().ends_with(class))
        });
        let (_, value) = value.filter(|(_, value)| value.kind() != Kind::None)?;
        let found = read(value);
        if found.is_none() {
            self.unread.push(keyword);
        }
        found
    }
}

/// Every argument with this keyword, with its value.
fn keyword_values<'m>(
    module: &'m Module,
    keyword: &'static str,
) -> impl Iterator<Item = (Node<'m>, Node<'m>)> {
    module.nodes_of(Kind::KeywordArgument).filter_map(move |argument| {
        let is_meant = argument.child(Field::Name).is_some_and(|name| name.text() == keyword);
        argument.child(Field::Value).filter(|_| is_meant).map(|value| (argument, value))
    })
}

/// A text in plain quotes, without a prefix and without escapes.
fn text(node: Node<'_>) -> Option<&str> {
    let written = Some(node).filter(|node| node.kind() == Kind::String)?.text();
    let quote = written.chars().next().filter(|quote| matches!(quote, '"' | '\''))?;
    let inside = written.strip_prefix(quote)?.strip_suffix(quote)?;
    (!inside.is_empty() && !inside.contains([quote, '\\', '\n'])).then_some(inside)
}

/// `HH:MM:SS` as seconds.
fn seconds(time: &str) -> Option<u64> {
    let parts: Vec<u64> = time.split(':').map(str::parse).collect::<Result<_, _>>().ok()?;
    let [hours, minutes, seconds] = parts.as_slice() else { return None };
    let all = hours.checked_mul(3600)?.checked_add(minutes.checked_mul(60)?)?.checked_add(*seconds)?;
    Some(all.clamp(1, MAX_SECONDS))
}

/// A dictionary as the words that ShinkaEvolve makes of it: `--key value`.
fn words(node: Node<'_>) -> Option<Vec<String>> {
    let pairs = Some(node).filter(|node| node.kind() == Kind::Dictionary)?.named_children();
    let mut words = Vec::new();
    for pair in pairs.filter(|part| part.kind() != Kind::Comment) {
        words.push(format!("--{}", text(pair.child(Field::Key)?)?));
        words.push(word(pair.child(Field::Value)?)?);
    }
    Some(words)
}

/// A value as Python's `str` writes it, where that is how it stands there.
fn word(node: Node<'_>) -> Option<String> {
    let written = node.text();
    let digits = written.strip_prefix('-').unwrap_or(written);
    let plain = |digits: &str| {
        let zeros = digits.len() > 1 && digits.starts_with('0');
        !digits.is_empty() && !zeros && digits.bytes().all(|byte| byte.is_ascii_digit())
    };
    match node.kind() {
        Kind::String => text(node).map(str::to_owned),
        Kind::True | Kind::False => Some(written.to_owned()),
        _ if plain(digits) => Some(written.to_owned()),
        // A float of few digits is written back as it was.
        _ => {
            let (whole, part) = digits.split_once('.').filter(|_| digits.len() < 16)?;
            let decimals =
                part == "0" || (!part.ends_with('0') && part.bytes().all(|byte| byte.is_ascii_digit()));
            let tiny = part.starts_with("0000") && whole == "0";
            (plain(whole) && !part.is_empty() && decimals && !tiny).then(|| written.to_owned())
        }
    }
}

/// The islands that are asked for: numbers that stand behind keywords.
fn populations(module: &Module) -> Populations {
    let number = |keyword: &'static str| {
        let written = keyword_values(module, keyword).next().map(|(_, value)| value.text());
        written.and_then(|value| value.parse::<f64>().ok()).filter(|value| *value >= 0.0)
    };
    let whole = |keyword: &'static str| number(keyword).map(|value| value as u64);
    Populations {
        islands: whole("num_islands"),
        interval: whole("migration_interval"),
        rate: number("migration_rate"),
        ..Populations::default()
    }
}
