//! The words on the wire: everything that is sent and taken, as plain data with one form for HTTP, sockets, the OpenAPI
//! document and the page. Filled by `views` and `records`; nothing here decides or looks at a state.
//!
//! Every number of the wire stays below 2^53, so that a page reads it exactly. Times are Unix milliseconds unless a field
//! says otherwise.

pub(crate) mod candidate;
pub(crate) mod command;
pub(crate) mod difference;
pub(crate) mod frame;
pub(crate) mod peers;
pub(crate) mod record;
pub(crate) mod run;

use serde::Serialize;
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// Scores by the name of their objective, each in the objective's unit.
pub(crate) type ScoresByName = BTreeMap<String, f64>;

/// A refusal, as RFC 9457 wants it.
#[derive(Debug, Serialize, ToSchema)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub(crate) struct Problem {
    /// `about:blank`: the status says what kind it is.
    #[serde(rename = "type")]
    pub(crate) kind: &'static str,
    /// The kind in words.
    pub(crate) title: &'static str,
    /// The status code.
    pub(crate) status: u16,
    /// What is wrong with this request.
    pub(crate) detail: String,
    /// What to do next.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub(crate) help: Option<String>,
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::path::Path;
    use ts_rs::{Config, TS, TypeVisitor};

    const HEAD: &str = "// The words on the wire, written out of the daemon's own types: `DARWIND_BLESS=1 cargo test -p api` writes this file\n\
        // anew, and the same test fails when it is not what the types say. Not to be edited.\n";

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
    fn the_page_has_the_words_of_the_wire() {
        let mut gathered = Gathered(Config::new().with_large_int("number"), BTreeMap::new());
        gathered.visit::<super::frame::ServerFrame>();
        gathered.visit::<super::frame::ClientFrame>();
        gathered.visit::<super::run::Runs>();
        gathered.visit::<super::run::Run>();
        gathered.visit::<super::run::Session>();
        gathered.visit::<super::candidate::Candidates>();
        gathered.visit::<super::candidate::Candidate>();
        gathered.visit::<super::candidate::Told>();
        gathered.visit::<super::candidate::Front>();
        gathered.visit::<super::candidate::Lineage>();
        gathered.visit::<super::candidate::Artifacts>();
        gathered.visit::<super::difference::Difference>();
        gathered.visit::<super::record::Events>();
        gathered.visit::<super::peers::Collective>();
        gathered.visit::<super::peers::Redelivered>();
        gathered.visit::<super::Problem>();
        let types: Vec<String> = gathered.1.into_values().collect();
        let made = format!("{HEAD}\n{}\n", types.join("\n\n"));
        let place = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../monitor-ui/app/wire/wire.ts");
        if std::env::var_os("DARWIND_BLESS").is_some() {
            std::fs::create_dir_all(place.parent().unwrap()).unwrap();
            std::fs::write(&place, &made).unwrap();
        }
        let tracked = std::fs::read_to_string(&place).unwrap();
        assert!(
            made == tracked,
            "the types changed: `DARWIND_BLESS=1 cargo test -p api`, and look at the difference"
        );
    }
}
