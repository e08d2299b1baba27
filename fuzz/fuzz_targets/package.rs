//! A knowledge package, read and adapted to a program here: what it comes to is Python in a file that was there.
#![no_main]

use evolution::candidate::SourceFiles;
use knowledge::{Package, adapt};
use std::sync::Arc;

const PROGRAM: &str = "def total(values):\n    result = 0\n    for value in values:\n        result += value\n    return result\n";

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let Ok(value) = serde_json::from_slice(bytes) else { return };
    let Ok(package) = Package::read(&value) else { return };
    let files = SourceFiles([("program.py".to_owned(), Arc::from(PROGRAM.as_bytes()))].into());
    let Ok(patch) = adapt(&package, &files) else { return };
    let adapted = files.patched(&patch);
    assert!(adapted.0.keys().eq(files.0.keys()), "{adapted:?}");
    let text = adapted.text("program.py").expect("text");
    assert!(syntax::Module::parse(text).is_valid(), "{text}");
});
