//! The log's words as the page reads them: its types are written out of the events' own (`monitor-ui/app/wire/log.ts`), so
//! that neither side can rename a field behind the other's back. Only tests know this.
#![expect(clippy::disallowed_methods, reason = "a test that writes a file is no part of the core")]

use crate::event::Event;
use std::collections::BTreeMap;
use std::path::Path;
use ts_rs::{Config, TS, TypeVisitor};

const HEAD: &str = "// The words of the log, written out of the core's own events: `DARWIND_BLESS=1 cargo test -p evolution` writes this file\n\
    // anew, and the same test fails when it is not what the types say. Not to be edited.\n\
    import type { Objective } from './wire';\n";

/// Gathers a type with all that it is made of.
struct Gathered(Config, BTreeMap<String, String>);

impl TypeVisitor for Gathered {
    fn visit<T: TS + 'static + ?Sized>(&mut self) {
        if T::output_path().is_none() || self.1.contains_key(&T::name(&self.0)) {
            return T::visit_generics(self);
        }
        self.1.insert(T::name(&self.0), format!("export {}", T::decl(&self.0)));
        T::visit_dependencies(self);
        T::visit_generics(self);
    }
}

#[test]
fn the_page_has_the_words_of_the_log() {
    let mut gathered = Gathered(Config::new().with_large_int("number"), BTreeMap::new());
    gathered.visit::<Event>();
    let types: Vec<String> = gathered.1.into_values().collect();
    let made = format!("{HEAD}\n{}\n", types.join("\n\n"));
    let place = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../monitor-ui/app/wire/log.ts");
    if std::env::var_os("DARWIND_BLESS").is_some() {
        std::fs::write(&place, &made).unwrap();
    }
    let tracked = std::fs::read_to_string(&place).unwrap_or_default();
    assert!(
        made == tracked,
        "the events changed: `DARWIND_BLESS=1 cargo test -p evolution`, and look at the difference"
    );
}
