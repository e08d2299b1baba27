//! Rewrites that say the same with less: conditions that are values already, branches and names that nothing needs, loops
//! that are comprehensions. Ordered by the tokens that they save, as `code_size` counts them; those of `speed` that make a
//! program smaller too are among them.
//!
//! As with `speed`, a rule matches syntax and not meaning: tests and benchmarks tell what goes too far. Nothing is left
//! out only because no test looks at it. Source of most rules: the catalogues of refactorings and simplifications of
//! Ruff (families SIM, RET, PIE, C4, FURB), of which these are implementations of our own.

mod branches;
mod conditions;
mod expressions;
mod loops;
mod unused;
mod values;

use super::pool::Change;
use super::rewrites::{Family, Rewrites};
use super::scene::{Scene, SceneFile};
use super::speed;
use syntax::Module;

/// The operator's name.
pub(super) const NAME: &str = "simplify";

/// Most characters of a piece of code that a rationale quotes.
const MAX_QUOTED: usize = 40;

/// What looks for the rewrites of one file, a theme each.
const FAMILIES: [Family; 6] =
    [branches::find, conditions::find, expressions::find, loops::find, unused::find, values::find];

/// All rewrites of all files that save something.
pub fn changes(scene: &Scene) -> Vec<Change> {
    let mut changes = Vec::new();
    for file in &scene.files {
        let found = Rewrites::of(file, &FAMILIES).into_iter().chain(Rewrites::of(file, &speed::SHORTER));
        changes.extend(found.filter_map(|change| rated(file, change)));
    }
    changes
}

/// The change with the tokens that it saves for its score; none when it saves nothing.
fn rated(file: &SceneFile, change: Change) -> Option<Change> {
    let source = file.module.source();
    let tokens = |text: &str| i64::from(Module::parse(text).code_size());
    let saved: i64 = change
        .edits
        .iter()
        .map(|edit| tokens(source.get(edit.range.clone()).unwrap_or_default()) - tokens(&edit.replacement))
        .sum();
    (saved > 0).then_some(Change { score: saved as f64, ..change })
}

/// A piece of code for a rationale, on one line and not too long.
fn quoted(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if line.chars().count() <= MAX_QUOTED {
        return line;
    }
    line.chars().take(MAX_QUOTED).chain(std::iter::once('…')).collect()
}

#[cfg(test)]
mod tests {
    use super::changes;
    use crate::ast::rewrites::tests::{expect, programs};
    use syntax::Module;

    /// Every program that a family offers for this one, the best first. What does not parse, or is no smaller, fails.
    pub(super) fn offers(family: &str, source: &str) -> Vec<String> {
        let size = |text: &str| Module::parse(text).code_size();
        let found = programs(changes, family, source);
        found.iter().for_each(|text| assert!(size(text) < size(source), "no smaller: {text}"));
        found
    }

    /// A family offers exactly this program, perhaps beside others.
    #[track_caller]
    pub(super) fn check(family: &str, source: &str, expected: &str) {
        expect(&offers(family, source), expected);
    }
}
