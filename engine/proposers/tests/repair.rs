//! The repair catalogue from outside: what it offers parses, stays where it may, comes in the same order each time, and
//! holds the human correction of the small buggy programs among its first edits.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use proposers::ast::repair::{Family, Hints, Search, Suspicion};
use std::collections::{BTreeMap, HashSet};
use std::path::{Path, PathBuf};
use syntax::{Blocks, Module};

fn programs() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/repair");
    let mut found: Vec<PathBuf> =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    found.sort();
    assert!(found.len() >= 24);
    found
}

fn search(source: &str, seed: u64) -> Search {
    let module = Module::parse(source);
    assert!(module.is_valid(), "{:?}", module.errors());
    let blocks = Blocks::find(source).unwrap();
    Search::new(&module, blocks, &Suspicion::unknown(), &Hints::default(), seed)
}

/// Edits looked at for the human correction.
const SEARCHED: usize = 1_000;

/// Place of the human correction in the order, without localisation and without running anything.
fn rank(program: &Path, seed: u64) -> Option<usize> {
    let read = |name: &str| std::fs::read_to_string(program.join(name)).unwrap();
    let fixed = Module::parse(&read("fixed.py")).fingerprint();
    search(&read("buggy.py"), seed)
        .take(SEARCHED)
        .position(|candidate| candidate.fingerprint == fixed)
        .map(|at| at + 1)
}

#[test]
fn holds_most_human_corrections_early() {
    let ranks: BTreeMap<String, Option<usize>> = programs()
        .iter()
        .map(|program| (program.file_name().unwrap().to_string_lossy().into_owned(), rank(program, 1)))
        .collect();
    for (name, rank) in &ranks {
        println!("{name:<20} {}", rank.map_or_else(|| "-".to_owned(), |rank| rank.to_string()));
    }
    let within = |most: usize| ranks.values().flatten().filter(|rank| **rank <= most).count();
    println!(
        "of {}: {} in 100, {} in 500, {} in {SEARCHED}",
        ranks.len(),
        within(100),
        within(500),
        within(SEARCHED)
    );
    assert!(10 * within(500) >= 6 * ranks.len(), "{} of {}", within(500), ranks.len());
}

#[test]
fn offers_each_program_once_and_only_what_parses() {
    for program in programs().iter().step_by(6) {
        let source = std::fs::read_to_string(program.join("buggy.py")).unwrap();
        let mut seen = HashSet::from([Module::parse(&source).fingerprint()]);
        let mut last = f64::INFINITY;
        for candidate in search(&source, 3).take(300) {
            assert_eq!(syntax::apply(&source, &candidate.edits).as_deref(), Ok(candidate.source.as_str()));
            let module = Module::parse(&candidate.source);
            assert!(module.is_valid(), "{}\n{:?}", candidate.source, module.errors());
            assert!(seen.insert(candidate.fingerprint), "{}", candidate.rationale);
            assert!(candidate.score > 0.0 && candidate.score <= last);
            assert!(!candidate.rationale.is_empty() && candidate.line >= 1);
            last = candidate.score;
        }
    }
}

/// CPython's compiler has the last word on what parses.
#[test]
fn python_compiles_what_is_offered() {
    let mut sources: Vec<String> = Vec::new();
    for program in programs().iter().step_by(3) {
        let source = std::fs::read_to_string(program.join("buggy.py")).unwrap();
        sources.extend(search(&source, 5).step_by(23).take(150).map(|candidate| candidate.source));
    }
    let script = "import sys,json,warnings\nwarnings.simplefilter('ignore')\nbad=[]\nfor s in json.load(sys.stdin):\n try: compile(s,'p','exec')\n except SyntaxError as e: bad.append(str(e)+'\\n'+s)\nprint(json.dumps(bad))";
    let child = std::process::Command::new("python3")
        .args(["-c", script])
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .spawn();
    let Ok(mut child) = child else {
        println!("skipped: no python3 to ask");
        return;
    };
    serde_json::to_writer(child.stdin.take().unwrap(), &sources).unwrap();
    let bad: Vec<String> = serde_json::from_slice(&child.wait_with_output().unwrap().stdout).unwrap();
    println!("{} of {} refused by Python", bad.len(), sources.len());
    assert!(bad.len() * 200 <= sources.len(), "{} of {}, the first:\n{}", bad.len(), sources.len(), bad[0]);
}

#[test]
fn one_seed_gives_one_order_and_another_another() {
    let source = "def f(xs, n):\n    total = 0\n    for x in xs:\n        if x < n:\n            total += x\n    return total\n";
    let order = |seed| search(source, seed).take(200).map(|c| c.source).collect::<Vec<_>>();
    assert_eq!(order(1), order(1));
    assert_ne!(order(1), order(2));
}

#[test]
fn only_blocks_change() {
    let source = "import sys\nLIMIT = 3\n# EVOLVE-BLOCK-START\ndef f(n):\n    if n > LIMIT:\n        return n - 1\n    return 0\n# EVOLVE-BLOCK-END\nprint(f(int(sys.argv[1])))\n";
    let blocks = Blocks::find(source).unwrap();
    let mut count = 0;
    for candidate in search(source, 1) {
        assert_eq!(syntax::confined(source, &candidate.source, &blocks), Ok(()), "{}", candidate.rationale);
        count += 1;
    }
    assert!(count > 200, "{count}");
}

#[test]
fn suspicious_lines_and_triggered_families_come_first() {
    let source = "def f(a, b):\n    c = a + b\n    d = a - b\n    return c * d\n";
    let module = Module::parse(source);
    let lines = |suspicion: Suspicion| {
        let search = Search::new(&module, Blocks::find(source).unwrap(), &suspicion, &Hints::default(), 1);
        search.take(40).filter(|candidate| candidate.line == 3).count()
    };
    assert!(lines(Suspicion::from_lines([(3, 1.0), (2, 0.1)])) > lines(Suspicion::unknown()) + 10);
    let guards = |failure: &str| {
        let hints = Hints { failures: [failure.to_owned()].into(), ..Hints::default() };
        let search = Search::new(&module, Blocks::find(source).unwrap(), &Suspicion::unknown(), &hints, 1);
        search.take(150).filter(|candidate| candidate.family == Family::Guard).count()
    };
    assert!(guards("ZeroDivisionError") > guards("wrong"));
}

#[test]
fn other_sources_lend_their_expressions() {
    let source = "def f(a, b):\n    return a\n";
    let module = Module::parse(source);
    let other = "def g(a, b):\n    return (a * a + b) // len(b)\n".to_owned();
    let offers = |sources: Vec<String>| {
        let hints = Hints { sources, ..Hints::default() };
        let search = Search::new(&module, Blocks::find(source).unwrap(), &Suspicion::unknown(), &hints, 1);
        search.into_iter().any(|candidate| candidate.source.contains("return (a * a + b) // len(b)"))
    };
    assert!(offers(vec![other]));
    assert!(!offers(Vec::new()));
}

#[test]
fn no_source_is_too_strange() {
    for source in [
        "",
        "x = 1\n",
        "pass\n",
        "class A: pass\n",
        "def f(): return lambda: (yield)\n",
        "if x: y\n",
        "a = b = c = 1; d = 2\n",
        "async def f(x):\n    return [await y async for y in x]\n",
        "def f(\n  a,\n):\n  return {\n    **a}\n",
        "x = f'{a:>{b}}'\n",
        "match x:\n    case [a, b]:\n        print(a)\n",
        "def f(x):\n\tif x:\n\t\treturn x",
    ] {
        let _ = search(source, 1).take(300).count();
    }
}
