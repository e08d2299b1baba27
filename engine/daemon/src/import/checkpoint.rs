//! A checkpoint of OpenEvolve 0.4: `metadata.json` and `programs/ID.json`. Only programs that survived are in it, so a
//! parent may be missing. Files are read as data, nothing is run.

use crate::failure::Failure;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, HashMap};
use std::path::Path;

/// Programs of one checkpoint.
const MAX_PROGRAMS: usize = 20_000;
/// Largest file of a program, in bytes: its prompts and artifacts are in it.
const MAX_FILE_BYTES: u64 = 16 << 20;
/// Largest note of a program's metrics, in bytes; of larger ones only the numbers are kept.
const MAX_METRICS_BYTES: usize = 8 << 10;
/// Numbers that are kept of larger metrics.
const MAX_NUMBERS: usize = 64;
/// Longest sentence about a change, in characters.
const MAX_RATIONALE: usize = 240;

/// What is read of `metadata.json`.
#[derive(Debug, Default, Deserialize)]
struct Metadata {
    #[serde(default)]
    best_program_id: Option<String>,
}

/// What is read of a program's file.
#[derive(Debug, Deserialize)]
struct Written {
    id: String,
    code: String,
    #[serde(default)]
    parent_id: Option<String>,
    #[serde(default)]
    generation: u64,
    #[serde(default)]
    iteration_found: u64,
    #[serde(default)]
    metrics: Map<String, Value>,
    #[serde(default)]
    metadata: Map<String, Value>,
}

/// A program of the archive.
#[derive(Debug)]
pub(super) struct Program {
    written: Written,
    /// Its code.
    pub(super) code: String,
    /// The place of its parent among the programs, if it survived.
    pub(super) parent: Option<usize>,
}

/// An archive, parents before their children.
#[derive(Debug)]
pub(super) struct Checkpoint {
    /// The programs.
    pub(super) programs: Vec<Program>,
    /// The place of the best one.
    pub(super) best: Option<usize>,
    /// Programs that name a parent which is not there.
    pub(super) without_parent: usize,
}

impl Checkpoint {
    /// Reads a checkpoint's folder.
    ///
    /// # Errors
    ///
    /// When it is none, or a file of it cannot be read.
    pub(super) fn read(folder: &Path) -> Result<Self, Failure> {
        let programs = folder.join("programs");
        let entries = std::fs::read_dir(&programs).map_err(|error| {
            Failure::usage(
                format!("{} is no checkpoint of OpenEvolve: {error}", folder.display()),
                "name a folder like openevolve_output/checkpoints/checkpoint_100, with metadata.json and programs/",
            )
        })?;
        let metadata: Metadata = read_json(&folder.join("metadata.json"))?;
        let mut written = Vec::new();
        for entry in entries {
            let path = entry
                .map_err(|error| Failure::caused(format!("cannot read {}", programs.display()), error))?
                .path();
            if path.extension().is_some_and(|ending| ending == "json") {
                written.push(read_json::<Written>(&path)?);
            }
            if written.len() > MAX_PROGRAMS {
                return Err(Failure::usage(
                    format!("{} has more than {MAX_PROGRAMS} programs", folder.display()),
                    "import an earlier checkpoint, or delete programs that are not wanted",
                ));
            }
        }
        Ok(Self::ordered(written, metadata.best_program_id.as_deref()))
    }

    /// Puts parents before children; among the free the one found first, so that the same checkpoint gives the same run.
    fn ordered(written: Vec<Written>, best: Option<&str>) -> Self {
        let mut written: Vec<Option<Written>> = {
            let mut sorted = written;
            sorted.sort_by(|one, other| {
                (one.iteration_found, one.generation, &one.id).cmp(&(
                    other.iteration_found,
                    other.generation,
                    &other.id,
                ))
            });
            sorted.into_iter().map(Some).collect()
        };
        let known: BTreeMap<String, usize> = written
            .iter()
            .enumerate()
            .filter_map(|(at, program)| Some((program.as_ref()?.id.clone(), at)))
            .collect();
        let mut places: HashMap<String, usize> = HashMap::new();
        let mut read = Self { programs: Vec::new(), best: None, without_parent: 0 };
        for first in 0..written.len() {
            // A parent found later than its child, as after a migration, is taken in before it.
            let mut line = Vec::new();
            let mut at = Some(first);
            while let Some(program) = at.and_then(|at| written.get_mut(at)).and_then(Option::take) {
                at = program.parent_id.as_ref().and_then(|parent| known.get(parent)).copied();
                line.push(program);
            }
            for mut program in line.into_iter().rev() {
                let parent = program.parent_id.as_ref().and_then(|parent| places.get(parent)).copied();
                read.without_parent += usize::from(program.parent_id.is_some() && parent.is_none());
                places.insert(program.id.clone(), read.programs.len());
                let code = std::mem::take(&mut program.code);
                read.programs.push(Program { written: program, code, parent });
            }
        }
        read.best = best.and_then(|best| places.get(best)).copied();
        read
    }
}

impl Program {
    /// What it was meant to do, as far as it says.
    pub(super) fn rationale(&self) -> String {
        let said = self.written.metadata.get("changes").and_then(Value::as_str).unwrap_or_default();
        let said = said.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or_default();
        if said.is_empty() {
            return format!(
                "imported from OpenEvolve, found in its iteration {}",
                self.written.iteration_found
            );
        }
        said.chars().take(MAX_RATIONALE).collect()
    }

    /// What is noted of it. The metrics are those of the other engine, and say so.
    pub(super) fn detail(&self) -> Value {
        let Written { id, parent_id, generation, iteration_found, metrics, metadata, .. } = &self.written;
        let whole = Value::Object(metrics.clone());
        let metrics = if whole.to_string().len() <= MAX_METRICS_BYTES {
            whole
        } else {
            let numbers = metrics.iter().filter(|(name, value)| value.is_number() && name.len() < 100);
            numbers.take(MAX_NUMBERS).map(|(name, value)| (name.clone(), value.clone())).collect()
        };
        json!({ "imported": {
            "engine": "openevolve", "id": id, "parent_id": parent_id, "generation": generation,
            "iteration": iteration_found, "island": metadata.get("island").filter(|island| island.is_number()),
            "metrics": metrics, "validated": false,
        } })
    }
}

fn read_json<T: serde::de::DeserializeOwned>(path: &Path) -> Result<T, Failure> {
    let unreadable = |error: &dyn std::fmt::Display| {
        Failure::usage(
            format!("cannot read {}: {error}", path.display()),
            "a checkpoint of OpenEvolve has a metadata.json and a programs folder with a JSON file for each program",
        )
    };
    let bytes = std::fs::metadata(path).map_err(|error| unreadable(&error))?.len();
    if bytes > MAX_FILE_BYTES {
        return Err(unreadable(&format!("it has {bytes} bytes, more than {MAX_FILE_BYTES}")));
    }
    let text = std::fs::read_to_string(path).map_err(|error| unreadable(&error))?;
    // Python writes NaN and Infinity, which are no JSON; such a metric was no measurement.
    serde_json::from_str(&text)
        .or_else(|_| serde_json::from_str(&without_nan(&text)))
        .map_err(|error| unreadable(&error))
}

/// A text of JSON with Python's NaN and Infinity outside of strings replaced by null.
fn without_nan(text: &str) -> String {
    let mut clean = String::with_capacity(text.len());
    let mut rest = text;
    let mut quoted = false;
    while let Some(letter) = rest.chars().next() {
        if quoted && letter == '\\' {
            let taken = rest.chars().take(2).map(char::len_utf8).sum();
            let (pair, after) = rest.split_at(taken);
            clean.push_str(pair);
            rest = after;
            continue;
        }
        quoted ^= letter == '"';
        let word =
            ["-Infinity", "Infinity", "NaN"].into_iter().find(|word| !quoted && rest.starts_with(word));
        match word {
            Some(word) => {
                clean.push_str("null");
                rest = rest.get(word.len()..).unwrap_or_default();
            }
            None => {
                clean.push(letter);
                rest = rest.get(letter.len_utf8()..).unwrap_or_default();
            }
        }
    }
    clean
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn written(id: &str, parent: Option<&str>, iteration: u64) -> Written {
        let parent = parent.map(str::to_owned);
        serde_json::from_value(json!({
            "id": id, "code": id, "parent_id": parent, "iteration_found": iteration, "metrics": { "score": 1.5 },
        }))
        .unwrap()
    }

    #[test]
    fn parents_come_before_children_and_holes_are_counted() {
        let programs = vec![
            written("child", Some("late"), 2),
            written("root", None, 0),
            written("late", Some("root"), 5),
            written("orphan", Some("gone"), 3),
        ];
        let read = Checkpoint::ordered(programs, Some("orphan"));
        let order: Vec<(&str, Option<usize>)> =
            read.programs.iter().map(|program| (program.code.as_str(), program.parent)).collect();
        assert_eq!(order, [("root", None), ("late", Some(0)), ("child", Some(1)), ("orphan", None)]);
        assert_eq!((read.best, read.without_parent), (Some(3), 1));
    }

    #[test]
    fn a_circle_of_parents_ends() {
        let programs = vec![written("one", Some("two"), 0), written("two", Some("one"), 1)];
        assert_eq!(Checkpoint::ordered(programs, None).programs.len(), 2);
    }

    /// Programs as a checkpoint may hold them: few ids, so that parents are circles, holes and doubles.
    fn any_programs() -> impl Strategy<Value = Vec<Value>> {
        let id = "[a-d]{1,2}";
        let number = prop_oneof![
            Just(json!(null)),
            any::<u64>().prop_map(Value::from),
            (0_u64..4).prop_map(Value::from)
        ];
        let metrics = prop::collection::btree_map("[a-z]{0,3}", any::<f64>(), 0..3);
        let program = (id, prop::option::of(id), number, metrics);
        let program = program.prop_map(|(id, parent, number, metrics)| {
            json!({ "id": id, "code": id, "parent_id": parent, "generation": number, "iteration_found": number,
                "metrics": metrics, "metadata": { "island": number } })
        });
        prop::collection::vec(program, 0..12)
    }

    proptest! {
        #[test]
        fn any_checkpoint_is_read_or_refused(programs in any_programs(), best in "[a-d]{1,2}", junk in ".{0,30}") {
            let folder = tempfile::tempdir().unwrap();
            let place = folder.path().join("programs");
            std::fs::create_dir(&place).unwrap();
            let metadata = json!({ "best_program_id": best }).to_string();
            std::fs::write(folder.path().join("metadata.json"), metadata).unwrap();
            for (number, program) in programs.iter().enumerate() {
                std::fs::write(place.join(format!("{number}.json")), program.to_string()).unwrap();
            }
            if let Ok(read) = Checkpoint::read(folder.path()) {
                prop_assert_eq!(read.programs.len(), programs.len());
                for (at, program) in read.programs.iter().enumerate() {
                    prop_assert!(program.parent.is_none_or(|parent| parent < at));
                    let _ = (program.rationale(), program.detail());
                }
            }
            std::fs::write(place.join("junk.json"), &junk).unwrap();
            let refused = Checkpoint::read(folder.path()).err();
            prop_assert!(refused.is_none_or(|failure| !failure.text().is_empty()));
        }
    }

    #[test]
    fn what_python_writes_is_read() {
        let text = r#"{"a": NaN, "b": [-Infinity, 1], "c": "NaN \" Infinity", "d": "é"}"#;
        let read: Value = serde_json::from_str(&without_nan(text)).unwrap();
        assert_eq!(read, json!({ "a": null, "b": [null, 1], "c": "NaN \" Infinity", "d": "é" }));
    }

    #[test]
    fn large_metrics_leave_their_numbers() {
        let mut program = written("one", None, 0);
        program.metrics.insert("artifacts".to_owned(), json!({ "long": "x".repeat(MAX_METRICS_BYTES) }));
        let program = Program { code: String::new(), parent: None, written: program };
        assert_eq!(program.detail()["imported"]["metrics"], json!({ "score": 1.5 }));
    }
}
