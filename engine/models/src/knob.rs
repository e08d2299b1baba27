//! Parameters of a call that it can do without. Endpoints that refuse one say so in words of their own; which one they mean
//! is read from those words, and it is left out from then on.

use crate::error::ModelError;

/// A parameter that a call can do without.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Knob {
    Temperature,
    Seed,
    /// The wish to be told the tokens within a stream.
    StreamOptions,
    /// The wish that nothing be kept.
    Store,
    /// The mark of what may be kept in a cache.
    CacheControl,
    /// Reasoning effort.
    Effort,
    /// A JSON schema that the answer is held to.
    Schema,
    /// A grammar that the answer is held to.
    Grammar,
    /// Likelihoods of tokens.
    Logprobs,
    /// The limit of tokens by its older name.
    MaxTokens,
    /// The limit of tokens by its newer name.
    MaxCompletionTokens,
}

/// Each with its name in the record, and the words that mean it in a refusal.
const KNOBS: [(Knob, &str, &[&str]); 11] = [
    (Knob::Temperature, "temperature", &["temperature"]),
    (Knob::Seed, "seed", &["seed"]),
    (Knob::StreamOptions, "stream_options", &["stream_options", "include_usage"]),
    (Knob::Store, "store", &["store"]),
    (Knob::CacheControl, "cache_control", &["cache_control"]),
    (Knob::Effort, "reasoning_effort", &["reasoning_effort", "reasoning.effort", "effort", "reasoning"]),
    (
        Knob::Schema,
        "schema",
        &["response_format", "text.format", "json_schema", "structured_outputs", "output_config", "schema"],
    ),
    (Knob::Grammar, "grammar", &["grammar", "gbnf", "structured_outputs"]),
    (Knob::Logprobs, "logprobs", &["logprobs", "top_logprobs", "include"]),
    (Knob::MaxTokens, "max_tokens", &["max_tokens"]),
    (Knob::MaxCompletionTokens, "max_completion_tokens", &["max_completion_tokens"]),
];

impl Knob {
    /// Its name in the record.
    pub(crate) fn name(self) -> &'static str {
        KNOBS.iter().find(|(knob, ..)| *knob == self).map_or("", |(_, name, _)| name)
    }

    /// The knob of a name in the record.
    pub(crate) fn named(name: &str) -> Option<Self> {
        KNOBS.iter().find(|(_, known, _)| *known == name).map(|(knob, ..)| *knob)
    }

    fn words(self) -> &'static [&'static str] {
        KNOBS.iter().find(|(knob, ..)| *knob == self).map_or(&[], |(.., words)| words)
    }
}

/// Those of the parameters sent that a refusal means: the one that it names apart from its words, else all within them.
pub(crate) fn refused(error: &ModelError, sent: &[Knob]) -> Vec<Knob> {
    let ModelError::Refused { status: 400 | 422, message, parameter, .. } = error else {
        return Vec::new();
    };
    let meant = |text: &str| {
        let text = text.to_lowercase();
        let known = |knob: &&Knob| knob.words().iter().any(|word| holds_word(&text, word));
        sent.iter().filter(known).copied().collect::<Vec<_>>()
    };
    if let Some(parameter) = parameter {
        let named = meant(parameter);
        if !named.is_empty() {
            return named;
        }
    }
    // A question that is too long names the limit of tokens too, and no other limit would help it.
    if message.to_lowercase().contains("context") {
        return Vec::new();
    }
    meant(message)
}

/// Whether a text holds a word that is no part of a longer one.
fn holds_word(text: &str, word: &str) -> bool {
    let part = |letter: char| letter.is_alphanumeric() || letter == '_';
    text.match_indices(word).any(|(at, _)| {
        let before = text.get(..at).and_then(|before| before.chars().next_back());
        let after = text.get(at + word.len()..).and_then(|after| after.chars().next());
        !before.is_some_and(part) && !after.is_some_and(part)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(message: &str, parameter: Option<&str>) -> ModelError {
        ModelError::Refused {
            status: 400,
            message: message.to_owned(),
            parameter: parameter.map(str::to_owned),
            retry_after: None,
        }
    }

    #[test]
    fn a_refusal_is_understood_in_the_words_of_real_endpoints() {
        let sent = [Knob::Temperature, Knob::Schema, Knob::MaxTokens, Knob::Logprobs, Knob::Effort];
        for (message, parameter, meant) in [
            (
                "Unsupported value: 'temperature' does not support 0.2 with this model.",
                None,
                Knob::Temperature,
            ),
            (
                "Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens' instead.",
                None,
                Knob::MaxTokens,
            ),
            ("Unrecognized request argument supplied: top_logprobs", None, Knob::Logprobs),
            ("Invalid value.", Some("response_format"), Knob::Schema),
            ("Invalid schema, see the context of temperature", Some("text.format.schema"), Knob::Schema),
            ("reasoning is not supported by this model", None, Knob::Effort),
        ] {
            assert_eq!(refused(&error(message, parameter), &sent), [meant], "{message}");
        }
    }

    #[test]
    fn what_was_not_sent_or_is_not_meant_is_not_refused() {
        assert!(refused(&error("grammar is unknown", None), &[Knob::Temperature]).is_empty());
        assert!(refused(&error("the context is 4096, less max_tokens", None), &[Knob::MaxTokens]).is_empty());
        assert!(refused(&error("the temperatures are high", None), &[Knob::Temperature]).is_empty());
        let busy = ModelError::Refused {
            status: 429,
            message: "temperature".to_owned(),
            parameter: None,
            retry_after: None,
        };
        assert!(refused(&busy, &[Knob::Temperature]).is_empty());
    }

    #[test]
    fn names_lead_back_to_their_knobs() {
        for (knob, name, _) in KNOBS {
            assert_eq!(Knob::named(name), Some(knob));
        }
    }
}
