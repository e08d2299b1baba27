//! The OpenAPI document: gathered from the routes themselves, so that it lists what is served and nothing else. What
//! every route may refuse is added here by rule instead of standing at each of them.
//!
//! `engine/api/openapi.json` is this document, tracked; `DARWIND_BLESS=1 cargo test -p api` writes it anew. It is held
//! against a living daemon by `schemathesis run http://HOST:PORT/api/v1/openapi.json -H "Authorization: Bearer TOKEN"`,
//! see CONTRIBUTING.md.

use crate::wire;
use utoipa::openapi::path::{Operation, Parameter, ParameterIn, PathItem};
use utoipa::openapi::security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{ContentBuilder, OpenApi, Ref, RefOr, ResponseBuilder};
use utoipa::{Modify, OpenApi as _};

/// Media type of a refusal, RFC 9457.
pub(crate) const PROBLEM: &str = "application/problem+json";

#[derive(utoipa::OpenApi)]
#[openapi(
    info(title = "darwind", description = "Runs of evolution: looked at, started and commanded."),
    components(schemas(wire::Problem)),
    modifiers(&Keys),
    security(("bearer" = []), ("session" = [])),
    tags(
        (name = "runs", description = "Runs, their state at any event, and their log"),
        (name = "candidates", description = "Candidates, their files, differences, front and lineage"),
        (name = "peers", description = "Other agents, and what flows between them and this one"),
        (name = "commands", description = "What an operator asks of a run"),
        (name = "session", description = "A session for a page"),
        (name = "daemon", description = "Whether the daemon is well"),
    )
)]
struct Frame;

/// The two ways of saying who asks.
struct Keys;

impl Modify for Keys {
    fn modify(&self, document: &mut OpenApi) {
        let components = document.components.get_or_insert_default();
        let bearer = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).build();
        components.add_security_scheme("bearer", SecurityScheme::Http(bearer));
        let session = ApiKey::Cookie(ApiKeyValue::new("darwind_session"));
        components.add_security_scheme("session", SecurityScheme::ApiKey(session));
    }
}

/// The document that the routes are gathered into.
pub(crate) fn frame() -> OpenApi {
    Frame::openapi()
}

/// Completes what the routes gathered: axum's words for the rest of a path become OpenAPI's, and every operation says
/// how it may refuse.
pub(crate) fn complete(mut document: OpenApi) -> OpenApi {
    let gathered = std::mem::take(&mut document.paths.paths);
    for (path, mut item) in gathered {
        operations(&mut item).for_each(refusals);
        document.paths.paths.insert(path.replace("{*", "{"), item);
    }
    document
}

fn operations(item: &mut PathItem) -> impl Iterator<Item = &mut Operation> {
    [&mut item.get, &mut item.post].into_iter().filter_map(Option::as_mut)
}

/// What an operation may answer beside what it says itself, by what it takes.
fn refusals(operation: &mut Operation) {
    let takes = |place: ParameterIn| {
        let own = operation.parameters.iter().flatten();
        let parameter =
            |it: &RefOr<_>| matches!(it, RefOr::T(Parameter { parameter_in, .. }) if *parameter_in == place);
        own.into_iter().any(parameter)
    };
    let (path, query, body) =
        (takes(ParameterIn::Path), takes(ParameterIn::Query), operation.request_body.is_some());
    let possible = [
        ("401", true, "Neither a session nor a token that is known"),
        ("403", true, "Not for this role, this `Host` or this `Origin`"),
        ("404", path, "There is no such thing"),
        ("413", body, "The body is too large"),
        ("422", path || query || body, "The request makes no sense"),
        ("429", body, "Too many at once"),
        ("500", true, "The daemon's own fault"),
        ("503", true, "The daemon is stopping, or its log cannot be read"),
    ];
    for (status, _, why) in possible.into_iter().filter(|(_, possible, _)| *possible) {
        let content = ContentBuilder::new().schema(Some(Ref::from_schema_name("Problem"))).build();
        let response = ResponseBuilder::new().description(why).content(PROBLEM, content).build();
        operation.responses.responses.entry(status.to_owned()).or_insert_with(|| RefOr::T(response));
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    #[test]
    fn the_tracked_document_is_what_the_routes_say() {
        let made = serde_json::to_string_pretty(&crate::routes::document()).unwrap() + "\n";
        let place = Path::new(env!("CARGO_MANIFEST_DIR")).join("openapi.json");
        if std::env::var_os("DARWIND_BLESS").is_some() {
            std::fs::write(&place, &made).unwrap();
        }
        let tracked = std::fs::read_to_string(&place).unwrap();
        assert!(
            made == tracked,
            "the routes changed: `DARWIND_BLESS=1 cargo test -p api`, and look at the difference"
        );
    }
}
