//! Where a fault may lie: suspicion of lines from which cases ran them. Ochiai's coefficient (Abreu et al. 2007):
//! failing cases that ran the line, over the root of all failing times all that ran it.

use evolution::candidate::Suspicion;
use std::collections::{BTreeMap, BTreeSet};

/// Lines of one case: file and line number.
pub(crate) type Coverage = BTreeSet<(String, u32)>;

/// Suspicion by file. `blamed` are lines at which uncaught exceptions arose: they count as most suspicious.
pub(crate) fn suspicion(cases: &[(bool, Coverage)], blamed: &BTreeSet<(String, u32)>) -> Vec<Suspicion> {
    let failing = cases.iter().filter(|(passed, _)| !passed).count();
    let mut ran: BTreeMap<&(String, u32), (u32, u32)> = BTreeMap::new();
    for (passed, lines) in cases {
        for line in lines {
            let counts = ran.entry(line).or_default();
            if *passed {
                counts.0 += 1;
            } else {
                counts.1 += 1;
            }
        }
    }
    let mut files: BTreeMap<&str, Vec<(u32, f32)>> = BTreeMap::new();
    for (place, (passed, failed)) in &ran {
        let (file, line) = (&place.0, place.1);
        let all = f64::from(failing as u32) * f64::from(passed + failed);
        let ochiai = if *failed == 0 { 0.0 } else { f64::from(*failed) / all.sqrt() };
        let value = if blamed.contains(*place) { 1.0 } else { ochiai };
        if value > 0.0 {
            files.entry(file).or_default().push((line, value as f32));
        }
    }
    for (file, line) in blamed {
        let lines = files.entry(file).or_default();
        if !lines.iter().any(|(known, _)| known == line) {
            lines.push((*line, 1.0));
        }
    }
    files.into_iter().map(|(path, lines)| Suspicion { path: path.to_owned(), lines }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_that_only_failing_cases_ran_is_most_suspicious() {
        let line = |line| ("a.py".to_owned(), line);
        let cases = [
            (true, Coverage::from([line(1), line(2)])),
            (true, Coverage::from([line(1)])),
            (false, Coverage::from([line(1), line(3)])),
        ];
        let found = suspicion(&cases, &BTreeSet::new());
        let lines = &found.first().expect("one file").lines;
        let of = |wanted: u32| lines.iter().find(|(line, _)| *line == wanted).map(|(_, value)| *value);
        assert_eq!(of(3), Some(1.0));
        assert!((of(1).expect("run by all") - (1.0 / 3.0f32.sqrt())).abs() < 1e-6);
        assert_eq!(of(2), None);
        assert_eq!(
            suspicion(&[], &BTreeSet::from([line(9)])).first().map(|file| file.lines.clone()),
            Some(vec![(9, 1.0)])
        );
    }
}
