//! A model that answers from the record alone: for going through a run again without any endpoint.

use crate::capabilities::Capabilities;
use crate::error::ModelError;
use crate::exchange::{self, Exchanges};
use crate::request::{Answer, Request};
use std::sync::Arc;

/// The recorded answers of one model.
pub struct Recording {
    exchanges: Arc<Exchanges>,
    model: String,
    capabilities: Capabilities,
    effort: Option<String>,
}

impl Recording {
    /// The answers that `exchanges` hold of this model, asked at this effort.
    pub fn new(
        exchanges: Arc<Exchanges>,
        model: &str,
        capabilities: Capabilities,
        effort: Option<String>,
    ) -> Self {
        Self { exchanges, model: model.to_owned(), capabilities, effort }
    }

    /// The model's name.
    pub fn model(&self) -> &str {
        &self.model
    }

    /// The answer that the same question for the same purpose had.
    ///
    /// # Errors
    ///
    /// [`ModelError::Missing`] when the record holds none.
    pub fn complete(&self, request: &Request) -> Result<Answer, ModelError> {
        let asked = (self.model.as_str(), self.capabilities.dialect, self.effort.as_deref());
        let question = exchange::question(asked, request);
        let missing = || ModelError::Missing { tag: request.tag.clone() };
        self.exchanges.find(&request.tag, &question).ok_or_else(missing)
    }
}
