//! Source that is to be Python, as a candidate or a peer has it.
#![no_main]

use syntax::{Blocks, Module};

libfuzzer_sys::fuzz_target!(|text: &str| {
    let module = Module::parse(text);
    for function in module.functions() {
        assert!(text.get(function.span()).is_some());
        assert!(function.lines().start() <= function.lines().end());
    }
    let _ = (module.fingerprint(), Blocks::find(text));
});
