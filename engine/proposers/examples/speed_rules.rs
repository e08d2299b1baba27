//! Prints what the speed rules offer for a Python file, one JSON object a line, the best first: for looking at the rules
//! without running anything. `cargo run -p proposers --example speed_rules -- program.py`

use proposers::ast::{Scene, SceneFile, speed};
use std::collections::HashMap;
use syntax::{Blocks, Module, apply};

#[expect(clippy::print_stdout, reason = "a command-line tool")]
fn main() -> Result<(), Box<dyn std::error::Error>> {
    for path in std::env::args().skip(1) {
        let source = std::fs::read_to_string(&path)?;
        let module = Module::parse(&source);
        let blocks = Blocks::find(&source)?;
        let file = SceneFile { path: path.clone(), module, blocks, suspicion: HashMap::new() };
        let scene = Scene { files: vec![file], ..Scene::default() };
        let mut changes = speed::changes(&scene);
        changes.sort_by(|a, b| b.score.total_cmp(&a.score));
        for change in changes {
            let text = apply(&source, &change.edits).ok();
            let parses = text.as_deref().is_some_and(|text| Module::parse(text).is_valid());
            let line = serde_json::json!({
                "path": path, "family": change.family, "score": change.score, "rationale": change.rationale,
                "parses": parses, "source": text,
            });
            println!("{line}");
        }
    }
    Ok(())
}
