//! The embedding model of a run, set up from `[evolution.embedding]`: with the purse and the record of the other models.

use super::named;
use crate::config::{Configuration, EmbeddingSection};
use crate::embedding::{Programs, Source};
use crate::failure::Failure;
use evolution::settings::Budget;
use models::{Embedder, EmbedderOptions, Exchanges, Limits, Purse, RecordedEmbeddings, Secret, Space};
use std::sync::Arc;

/// Bytes of one answer: 4,096 numbers in the longest form that servers write.
const MAX_ANSWER: usize = 256 << 10;

/// What has the programs of a run embedded; `None` where none is configured. An endpoint that is not there, or a key, stops no
/// run: the programs then have no embeddings, and the log says why.
///
/// # Errors
///
/// When a budget of money has no price to go by, or the client cannot be set up.
pub(super) fn programs(
    configuration: &Configuration,
    budget: &Budget,
    (exchanges, purse): (&Arc<Exchanges>, &Arc<Purse>),
) -> Result<Option<Arc<Programs>>, Failure> {
    let Some(section) = &configuration.embedding else { return Ok(None) };
    if budget.llm_cost_usd.is_some() && section.price.is_none() {
        return Err(Failure::usage(
            format!(
                "`llm_cost_usd` in [budget] does not limit what embeddings of {} cost, since their price is not known",
                section.model
            ),
            "add price in US dollars for a million tokens to [evolution.embedding] (0 for a model of your own)",
        ));
    }
    let source = match reached(configuration, section) {
        Err(reason) => Source::Nowhere(reason),
        Ok((endpoint, key)) => {
            let limits = Limits { answer_bytes: MAX_ANSWER, ..Limits::within(section.timeout) };
            let options =
                EmbedderOptions { endpoint, space: space(section), key, limits, price: section.price };
            let embedder = Embedder::open(options, exchanges.clone(), purse.clone())
                .map_err(|error| Failure::caused("[evolution.embedding] cannot be used", error))?;
            Source::Live(Box::new(embedder))
        }
    };
    Ok(Some(Arc::new(Programs::new(source, section.question, &configuration.settings.breaker))))
}

/// The same as the record of a run knows them.
pub(super) fn recorded(configuration: &Configuration, exchanges: &Arc<Exchanges>) -> Option<Arc<Programs>> {
    let section = configuration.embedding.as_ref()?;
    let source = Source::Recorded(RecordedEmbeddings::new(exchanges.clone(), space(section)));
    Some(Arc::new(Programs::new(source, section.question, &configuration.settings.breaker)))
}

fn space(section: &EmbeddingSection) -> Space {
    Space { model: section.model.clone(), dimensions: section.dimensions }
}

/// The endpoint and its key, or why there is none. A key of `[proposers.llm]` goes to its own endpoint only.
fn reached(
    configuration: &Configuration,
    section: &EmbeddingSection,
) -> Result<(String, Option<Secret>), String> {
    let model = named(configuration);
    let shared = model.and_then(|model| model.endpoint.clone());
    let endpoint = section.endpoint.clone().or_else(|| shared.clone());
    let endpoint = endpoint.ok_or("neither [evolution.embedding] nor [proposers.llm] names an endpoint")?;
    let is_shared = shared.is_some_and(|shared| shared == endpoint);
    let of_model = model.and_then(|model| model.key_env.clone()).filter(|_| is_shared);
    let Some(variable) = section.key_env.clone().or(of_model) else { return Ok((endpoint, None)) };
    match std::env::var(&variable) {
        Ok(key) if !key.is_empty() => Ok((endpoint, Some(Secret::new(key)))),
        _ => Err(format!("the environment has no {variable}, which names the key of the embeddings")),
    }
}
