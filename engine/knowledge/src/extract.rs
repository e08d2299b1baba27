//! Makes a package of an accepted improvement: what its files and those of the unchanged program differ in, by function,
//! module statement and import.

use crate::package::{
    Applicability, ChangeKind, CodeChange, CodePattern, Goal, Impact, MAX_CHANGES, MAX_SOURCE_BYTES, Package,
    SCHEMA,
};
use crate::shape::kinds;
use evolution::candidate::SourceFiles;
use std::collections::BTreeMap;
use syntax::{Function, Kind, Module, Node};

/// Kinds of nodes kept in a pattern's `body_pattern`.
const MAX_KINDS: usize = 256;

/// An accepted improvement with what is needed to tell others of it.
#[derive(Debug, Clone)]
pub struct Improvement<'a> {
    /// The evolved program's name.
    pub agent_id: &'a str,
    /// The operator that made it.
    pub operator: &'a str,
    /// Files before.
    pub before: &'a SourceFiles,
    /// Files after.
    pub after: &'a SourceFiles,
    /// Weighted improvement over the parent.
    pub delta: f64,
    /// Share of the baseline won, by objective.
    pub by_objective: BTreeMap<String, f64>,
    /// What it was judged by.
    pub objectives: Vec<Goal>,
    /// Fingerprint of the program before.
    pub fingerprint: String,
    /// Why it is believed.
    pub success_factors: Vec<String>,
    /// Names of the test cases that it newly passes.
    pub solves: Vec<String>,
}

/// The package of an improvement; `None` when no Python that it changed can be told in pieces.
pub fn extract(improvement: &Improvement<'_>) -> Option<Package> {
    let mut patterns = Vec::new();
    for path in improvement.after.0.keys() {
        let (before, after) = (improvement.before.text(path), improvement.after.text(path));
        if let (Some(before), Some(after)) = (before, after)
            && before != after
        {
            patterns.extend(changes(path, before, after)?);
        }
    }
    let tellable = !patterns.is_empty() && patterns.len() <= MAX_CHANGES;
    tellable.then(|| {
        Package {
            schema: SCHEMA,
            source_agent: improvement.agent_id.to_owned(),
            improvement_type: improvement.operator.to_owned(),
            code_pattern: CodePattern { patterns, language: "python".to_owned() },
            performance_impact: Impact::Full {
                delta: improvement.delta,
                by_objective: improvement.by_objective.clone(),
            },
            applicability_context: Applicability {
                objectives: improvement.objectives.clone(),
                fingerprint: improvement.fingerprint.clone(),
            },
            success_factors: improvement.success_factors.clone(),
            solves: improvement.solves.clone(),
            digest: String::new(),
            signature: None,
        }
        .sealed()
    })
}

/// What two versions of a file differ in; `None` when one of them is no Python or a piece is too long.
fn changes(path: &str, before: &str, after: &str) -> Option<Vec<CodeChange>> {
    let (old, new) = (Module::parse(before), Module::parse(after));
    if !old.is_valid() || !new.is_valid() {
        return None;
    }
    let mut found = Vec::new();
    let known: BTreeMap<String, String> = outermost(&old)
        .iter()
        .map(|function| (function.qualified_name(), text_of(before, function)))
        .collect();
    for function in outermost(&new) {
        let (name, text) = (function.qualified_name(), text_of(after, &function));
        let earlier = known.get(&name);
        if earlier != Some(&text) {
            let args = function.parameters.iter().map(|parameter| parameter.name.to_owned()).collect();
            let told = earlier.unwrap_or(&text);
            let body_pattern = kinds(told).into_iter().take(MAX_KINDS).map(str::to_owned).collect();
            found.push(CodeChange {
                kind: ChangeKind::Function,
                path: path.to_owned(),
                name,
                args,
                body_pattern,
                before: earlier.cloned(),
                after: Some(text),
            });
        }
    }
    found.extend(statements(path, &old, &new));
    let fits = |text: &String| text.len() <= MAX_SOURCE_BYTES;
    found.iter().all(|change| change.before.iter().chain(&change.after).all(fits)).then_some(found)
}

/// Functions and methods that stand in no other function.
pub(crate) fn outermost(module: &Module) -> Vec<Function<'_>> {
    let nested = |function: &Function<'_>| {
        function.node.ancestors().any(|outer| outer.kind() == Kind::FunctionDefinition)
    };
    module.functions().into_iter().filter(|function| !nested(function)).collect()
}

/// A function's text with its decorators, moved to the margin.
pub(crate) fn text_of(source: &str, function: &Function<'_>) -> String {
    let span = function.span();
    let start = source[..span.start].rfind('\n').map_or(0, |at| at + 1);
    dedented(&source[start..span.end])
}

/// The text without the indentation of its first line.
pub(crate) fn dedented(text: &str) -> String {
    let indent = text.len() - text.trim_start_matches([' ', '\t']).len();
    let strip = |line: &str| {
        let blank = line.bytes().take(indent).take_while(|byte| matches!(byte, b' ' | b'\t')).count();
        line[blank..].to_owned()
    };
    text.split('\n').map(strip).collect::<Vec<_>>().join("\n")
}

/// Module statements that are new or changed: imports, and assignments by what they assign to.
fn statements(path: &str, old: &Module, new: &Module) -> Vec<CodeChange> {
    let plain = |module: &Module| -> Vec<(String, String, Kind)> {
        let wanted = |node: &Node<'_>| node.kind().is_simple_statement();
        let told = |node: Node<'_>| {
            let text = node.text().to_owned();
            let name = text.split('=').next().unwrap_or(&text).trim().to_owned();
            (name, text, node.kind())
        };
        module.root().named_children().filter(wanted).map(told).collect()
    };
    let known = plain(old);
    let mut found = Vec::new();
    for (name, text, kind) in plain(new) {
        if known.iter().any(|(_, earlier, _)| *earlier == text) {
            continue;
        }
        let import =
            matches!(kind, Kind::ImportStatement | Kind::ImportFromStatement | Kind::FutureImportStatement);
        let earlier = known.iter().find(|(earlier, _, _)| !import && *earlier == name);
        found.push(CodeChange {
            kind: if import { ChangeKind::Import } else { ChangeKind::Statement },
            path: path.to_owned(),
            name: if import { text.clone() } else { name },
            args: Vec::new(),
            body_pattern: Vec::new(),
            before: earlier.map(|(_, text, _)| text.clone()),
            after: Some(text),
        });
    }
    found
}
