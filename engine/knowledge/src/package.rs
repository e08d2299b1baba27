//! The knowledge package as it travels: fields by the seeds' names, a version of the schema, a digest over the rest. A
//! stranger's package is read within limits and believed in nothing that can be computed here.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// The version of the schema that is written; older ones are read.
pub const SCHEMA: u32 = 2;
/// Largest package, in bytes of JSON.
pub const MAX_PACKAGE_BYTES: usize = 256 * 1024;
/// Most changes of one package.
pub const MAX_CHANGES: usize = 64;
/// Longest source text of one change, in bytes.
pub const MAX_SOURCE_BYTES: usize = 64 * 1024;
/// Longest name, path or word, in bytes.
const MAX_WORD_BYTES: usize = 512;
/// Longest part of a signature, in bytes.
const MAX_SIGNATURE_BYTES: usize = 2_048;
/// Most names in one list (arguments, goals, factors).
pub const MAX_WORDS: usize = 128;

/// What a peer can reuse of an improvement.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Package {
    /// Version of this form.
    #[serde(default = "first_schema")]
    pub schema: u32,
    /// Who found it: the `agent_id` of the evolved program.
    pub source_agent: String,
    /// What kind of improvement it is: the operator that made it.
    pub improvement_type: String,
    /// What changed in the program.
    pub code_pattern: CodePattern,
    /// What it gained where it was found.
    pub performance_impact: Impact,
    /// Where it may fit.
    #[serde(default)]
    pub applicability_context: Applicability,
    /// Why it is believed, in sentences.
    #[serde(default)]
    pub success_factors: Vec<String>,
    /// Names of the test cases that pass with it and did not before, at most [`MAX_WORDS`], none when there are more: a hint
    /// to those who have the same cases, whether it is worth a trial. Readers of before it pass it over: it is neither in
    /// the digest nor another schema.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub solves: Vec<String>,
    /// SHA-256 over the package without this field, the one before and the next, hexadecimal; empty in what was not sealed.
    #[serde(default)]
    pub digest: String,
    /// Who vouches for it; as little part of the digest and the schema.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signature: Option<PackageSignature>,
}

/// A detached JWS (RFC 7515, appendix F) over the canonical JSON (RFC 8785) of a package without digest and signature. It is
/// checked by those who know keys; here it only travels.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PackageSignature {
    /// The protected header, base64url.
    pub protected: String,
    /// The signature, base64url.
    pub signature: String,
}

fn first_schema() -> u32 {
    1
}

/// What changed, piece by piece.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct CodePattern {
    /// The pieces.
    pub patterns: Vec<CodeChange>,
    /// The language; `python` is understood.
    pub language: String,
}

/// What a piece is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChangeKind {
    /// A function or method.
    Function,
    /// A statement of a module.
    Statement,
    /// An import that the others need.
    Import,
}

/// One piece of a pattern.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CodeChange {
    /// What it is.
    pub kind: ChangeKind,
    /// The file it was found in.
    #[serde(default)]
    pub path: String,
    /// Its name with that of its class, for a function.
    pub name: String,
    /// Names of its parameters.
    #[serde(default)]
    pub args: Vec<String>,
    /// Kinds of the syntax tree's nodes in order, for readers without a parser.
    #[serde(default)]
    pub body_pattern: Vec<String>,
    /// The source before, at the margin; `None` for what is new.
    #[serde(default)]
    pub before: Option<String>,
    /// The source after, at the margin; `None` for what is gone.
    #[serde(default)]
    pub after: Option<String>,
}

/// What an improvement gained.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Impact {
    /// One number, as the seeds have it: a share of the parent's score.
    Score(f64),
    /// The same with shares of the baseline by objective.
    Full {
        /// Weighted improvement over the parent.
        delta: f64,
        /// Share of the baseline won, by objective.
        #[serde(default)]
        by_objective: BTreeMap<String, f64>,
    },
}

impl Impact {
    /// The one number.
    pub fn delta(&self) -> f64 {
        match self {
            Self::Score(delta) | Self::Full { delta, .. } => *delta,
        }
    }
}

/// Where a package may fit.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Applicability {
    /// What it was judged by.
    pub objectives: Vec<Goal>,
    /// Fingerprint of the whole program before.
    pub fingerprint: String,
}

/// An objective by name and direction.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Goal {
    /// Its name.
    pub name: String,
    /// `minimize` or `maximize`.
    pub direction: String,
}

/// Why a package is not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PackageError {
    /// It is not of the form.
    #[error("the package cannot be read: {0}")]
    Malformed(String),
    /// It is larger than what is read.
    #[error("{what} has {size}, more than {limit}")]
    TooLarge {
        /// What.
        what: &'static str,
        /// How large.
        size: usize,
        /// The limit.
        limit: usize,
    },
    /// It is of a later form.
    #[error("the package has schema {0}; up to {SCHEMA} is understood")]
    Later(u32),
    /// It was changed on its way.
    #[error("the package's digest does not fit its content")]
    Digest,
}

impl Package {
    /// Reads a stranger's package: limits first, then the schema, then the digest if there is one.
    ///
    /// # Errors
    /// [`PackageError`].
    pub fn read(value: &Value) -> Result<Self, PackageError> {
        let size = value.to_string().len();
        limit("the package", size, MAX_PACKAGE_BYTES)?;
        let schema = value.get("schema").map_or(Some(1), Value::as_u64);
        match schema {
            Some(schema) if schema > u64::from(SCHEMA) => {
                return Err(PackageError::Later(u32::try_from(schema).unwrap_or(u32::MAX)));
            }
            Some(1..) => {}
            _ => return Err(PackageError::Malformed("schema is a number from 1".to_owned())),
        }
        let mut package =
            Self::deserialize(value).map_err(|error| PackageError::Malformed(error.to_string()))?;
        package.check()?;
        if !package.digest.is_empty() && package.digest != package.computed_digest() {
            return Err(PackageError::Digest);
        }
        package.migrate();
        package.digest = package.computed_digest();
        Ok(package)
    }

    /// What a signature of the package is over: all of it, as it was written, but digest and signature.
    #[must_use]
    pub fn vouched_for(written: &Value) -> Value {
        let mut written = written.clone();
        if let Some(fields) = written.as_object_mut() {
            fields.remove("digest");
            fields.remove("signature");
        }
        written
    }

    /// The package with its digest.
    #[must_use]
    pub fn sealed(mut self) -> Self {
        self.digest = self.computed_digest();
        self
    }

    /// How many cases it says to solve that a program fails; `None` when it has nothing for that program: the program passes
    /// every case it names, and cases are all that it gained. `cases` are the program's own by name, with whether it passes
    /// them: others promise nothing. `counting` are the objectives that count cases. What a peer says is no more than a
    /// reason to try, or not to.
    #[must_use]
    pub fn promise(&self, cases: &HashMap<&str, bool>, counting: &BTreeSet<String>) -> Option<usize> {
        let passes = |case: &String| cases.get(case.as_str()).copied();
        let unsolved = self.solves.iter().filter(|case| passes(case) == Some(false)).count();
        let gained: BTreeSet<&String> = match &self.performance_impact {
            Impact::Full { by_objective, .. } => {
                by_objective.iter().filter(|(_, share)| **share > 0.0).map(|(name, _)| name).collect()
            }
            Impact::Score(_) => return Some(unsolved),
        };
        let all_pass = !self.solves.is_empty() && self.solves.iter().all(|case| passes(case) == Some(true));
        let only_cases = gained.iter().all(|name| counting.contains(*name));
        (!all_pass || !only_cases).then_some(unsolved)
    }

    fn computed_digest(&self) -> String {
        let bare = Self { solves: Vec::new(), digest: String::new(), signature: None, ..self.clone() };
        // Fields are written in the order of their declaration and maps in that of their keys, so equal is equal.
        let text = serde_json::to_vec(&bare).unwrap_or_default();
        Sha256::digest(&text).iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// Brings an older form up: schema 1 named no language.
    fn migrate(&mut self) {
        if self.schema < 2 && self.code_pattern.language.is_empty() {
            self.code_pattern.language = "python".to_owned();
        }
        self.schema = SCHEMA;
    }

    fn check(&self) -> Result<(), PackageError> {
        let word = |what, text: &str| limit(what, text.len(), MAX_WORD_BYTES);
        word("source_agent", &self.source_agent)?;
        word("improvement_type", &self.improvement_type)?;
        word("digest", &self.digest)?;
        word("fingerprint", &self.applicability_context.fingerprint)?;
        for part in self.signature.iter().flat_map(|one| [&one.protected, &one.signature]) {
            limit("a part of the signature", part.len(), MAX_SIGNATURE_BYTES)?;
        }
        limit("success_factors", self.success_factors.len(), MAX_WORDS)?;
        limit("solves", self.solves.len(), MAX_WORDS)?;
        self.solves.iter().try_for_each(|case| word("a case", case))?;
        limit("objectives", self.applicability_context.objectives.len(), MAX_WORDS)?;
        limit("patterns", self.code_pattern.patterns.len(), MAX_CHANGES)?;
        if !self.performance_impact.delta().is_finite() {
            return Err(PackageError::Malformed("performance_impact is a finite number".to_owned()));
        }
        for change in &self.code_pattern.patterns {
            word("name", &change.name)?;
            word("path", &change.path)?;
            limit("args", change.args.len(), MAX_WORDS)?;
            for text in change.before.iter().chain(&change.after) {
                limit("a source text", text.len(), MAX_SOURCE_BYTES)?;
            }
        }
        Ok(())
    }
}

fn limit(what: &'static str, size: usize, limit: usize) -> Result<(), PackageError> {
    if size <= limit { Ok(()) } else { Err(PackageError::TooLarge { what, size, limit }) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn small() -> Value {
        json!({ "source_agent": "a", "improvement_type": "speed", "performance_impact": 0.5,
            "code_pattern": { "patterns": [{ "kind": "function", "name": "f", "before": "def f(): pass", "after": "def f(): return 1" }] } })
    }

    #[test]
    fn the_seeds_form_is_read_and_brought_up() {
        let package = Package::read(&small()).unwrap();
        assert_eq!((package.schema, package.code_pattern.language.as_str()), (SCHEMA, "python"));
        let again = Package::read(&serde_json::to_value(&package).unwrap()).unwrap();
        assert_eq!(again, package);
    }

    #[test]
    fn what_solves_only_what_passes_here_promises_nothing() {
        let package = |solves: &[&str], gained: &[&str]| {
            let mut value = small();
            let shares: BTreeMap<&str, f64> = gained.iter().map(|name| (*name, 0.5)).collect();
            value["performance_impact"] = json!({ "delta": 0.5, "by_objective": shares });
            value["solves"] = json!(solves);
            Package::read(&value).unwrap()
        };
        let counting = BTreeSet::from(["accuracy".to_owned()]);
        let promise = |solves: &[&str], gained: &[&str]| {
            let cases = HashMap::from([("a", true), ("b", true), ("c", false), ("d", false)]);
            package(solves, gained).promise(&cases, &counting)
        };
        assert_eq!(promise(&["a", "c", "d"], &["accuracy"]), Some(2));
        assert_eq!(promise(&["a", "b"], &["accuracy"]), None);
        // Cases that are not of here promise nothing, and rule nothing out.
        assert_eq!(promise(&["x", "y", "z", "c"], &["accuracy"]), Some(1));
        assert_eq!(promise(&["a", "x"], &["accuracy"]), Some(0));
        // It gained something else too, or says nothing of cases, or not by what it gained.
        assert_eq!(promise(&["a"], &["accuracy", "cpu_time"]), Some(0));
        assert_eq!(promise(&[], &["accuracy"]), Some(0));
        let short = Package { performance_impact: Impact::Score(0.5), ..package(&["a"], &[]) };
        assert_eq!(short.promise(&HashMap::from([("a", true)]), &counting), Some(0));
    }

    #[test]
    fn what_was_changed_on_its_way_is_refused() {
        let mut sent = serde_json::to_value(Package::read(&small()).unwrap()).unwrap();
        sent["performance_impact"] = json!(9.0);
        assert_eq!(Package::read(&sent), Err(PackageError::Digest));
        // A signature and a hint may be added or taken away without it.
        let mut signed = serde_json::to_value(Package::read(&small()).unwrap()).unwrap();
        signed["signature"] = json!({ "protected": "e30", "signature": "AAAA" });
        signed["solves"] = json!(["f#0"]);
        let read = Package::read(&signed).unwrap();
        assert_eq!(
            (&read.digest, read.signature.is_some()),
            (&Package::read(&small()).unwrap().digest, true)
        );
        signed["signature"]["protected"] = json!("x".repeat(MAX_SIGNATURE_BYTES + 1));
        assert!(matches!(Package::read(&signed), Err(PackageError::TooLarge { .. })));
        sent["schema"] = json!(99);
        assert_eq!(Package::read(&sent), Err(PackageError::Later(99)));
    }

    #[test]
    fn what_is_too_large_is_refused() {
        let mut sent = small();
        sent["code_pattern"]["patterns"][0]["after"] = json!("x".repeat(MAX_SOURCE_BYTES + 1));
        assert!(matches!(Package::read(&sent), Err(PackageError::TooLarge { what: "a source text", .. })));
        sent["code_pattern"]["patterns"][0]["after"] = json!("x".repeat(MAX_PACKAGE_BYTES));
        assert!(matches!(Package::read(&sent), Err(PackageError::TooLarge { what: "the package", .. })));
    }

    fn any_json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<f64>().prop_map(Value::from),
            ".{0,12}".prop_map(Value::from),
        ];
        let keys = prop_oneof![
            Just("schema".to_owned()),
            Just("source_agent".to_owned()),
            Just("improvement_type".to_owned()),
            Just("code_pattern".to_owned()),
            Just("patterns".to_owned()),
            Just("performance_impact".to_owned()),
            Just("digest".to_owned()),
            Just("signature".to_owned()),
            Just("protected".to_owned()),
            Just("kind".to_owned()),
            Just("before".to_owned()),
            ".{0,6}",
        ];
        leaf.prop_recursive(5, 64, 8, move |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
                prop::collection::btree_map(keys.clone(), inner, 0..8)
                    .prop_map(|fields| fields.into_iter().collect()),
            ]
        })
    }

    proptest! {
        #[test]
        fn whatever_is_read_reads_back_the_same(value in any_json()) {
            if let Ok(package) = Package::read(&value) {
                let again = Package::read(&serde_json::to_value(&package).unwrap());
                prop_assert_eq!(again, Ok(package));
            }
        }
    }
}
