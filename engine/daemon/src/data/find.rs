//! Finds runs and candidates by what a person types: whole names, unambiguous beginnings, `last`, bare numbers. Pure.

use super::{DataError, DataFolder, RunLine};
use evolution::id::{Number, RunId};

/// The word for the newest run.
pub(super) const LAST: &str = "last";
/// Most names that an ambiguity lists.
const MAX_LISTED: usize = 5;

/// The run that `text` means; `runs` are newest first.
pub(super) fn run(runs: &[RunLine], text: &str, folder: &DataFolder) -> Result<RunId, DataError> {
    let unknown =
        || DataError::Unknown { what: "run", text: text.to_owned(), folder: folder.path().to_path_buf() };
    if text == LAST {
        return runs.first().map(|run| run.id.clone()).ok_or_else(unknown);
    }
    if let Some(exact) = runs.iter().find(|run| run.id.as_str() == text) {
        return Ok(exact.id.clone());
    }
    let fitting: Vec<&RunLine> =
        runs.iter().filter(|run| !text.is_empty() && run.id.as_str().starts_with(text)).collect();
    match fitting.as_slice() {
        [] => Err(unknown()),
        [one] => Ok(one.id.clone()),
        several => {
            let names: Vec<&str> = several.iter().take(MAX_LISTED).map(|run| run.id.as_str()).collect();
            Err(DataError::Ambiguous { text: text.to_owned(), matches: names.join(", ") })
        }
    }
}

/// The candidate that `text` means. Whether the run has it is for the run's state to say.
pub(super) fn candidate(
    runs: &[RunLine],
    text: &str,
    folder: &DataFolder,
) -> Result<(RunId, Number), DataError> {
    let (run_text, number) = match text.rsplit_once('-') {
        Some((run, number)) => (run, number),
        None if text.len() < super::RUN_ID_DIGITS && text.parse::<Number>().is_ok() => (LAST, text),
        None => (text, ""),
    };
    let number: Number = number.parse().map_err(|_| DataError::Unknown {
        what: "candidate",
        text: text.to_owned(),
        folder: folder.path().to_path_buf(),
    })?;
    Ok((run(runs, run_text, folder)?, number))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(id: &str) -> RunLine {
        RunLine { id: RunId::new(id), started_ms: 0, last_ms: 0, events: 1 }
    }

    fn folder() -> DataFolder {
        DataFolder::locate(Some("/nowhere".into())).unwrap()
    }

    #[test]
    fn beginnings_find_what_they_fit_alone() {
        let runs = [line("ab12"), line("ab34"), line("cd56")];
        let found = |text: &str| run(&runs, text, &folder()).map(|run| run.as_str().to_owned());
        assert_eq!(found("last").unwrap(), "ab12");
        assert_eq!(found("c").unwrap(), "cd56");
        assert_eq!(found("ab34").unwrap(), "ab34");
        assert!(matches!(found("ab"), Err(DataError::Ambiguous { .. })));
        assert!(matches!(found("x"), Err(DataError::Unknown { .. })));
        assert!(matches!(found(""), Err(DataError::Unknown { .. })));
    }

    #[test]
    fn candidates_are_found_by_run_and_number() {
        let runs = [line("ab12"), line("ab34"), line("cd56")];
        let found = |text: &str| candidate(&runs, text, &folder()).map(|(run, n)| format!("{run}-{n}"));
        assert_eq!(found("cd-7").unwrap(), "cd56-7");
        assert_eq!(found("7").unwrap(), "ab12-7");
        assert_eq!(found("last-0").unwrap(), "ab12-0");
        assert!(found("cd56").is_err() && found("cd-x").is_err() && found("").is_err());
    }
}
