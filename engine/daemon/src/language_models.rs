//! The language models of a run: clients set up from `[proposers.llm]`, with one purse and one record of exchanges, behind
//! the port that the `llm` proposer asks through.

mod budget;
mod embedding;

use crate::config::{Configuration, Fallback, ModelSection};
use crate::data::{self, Runs};
use crate::embedding::Programs;
use crate::failure::Failure;
use evolution::candidate::ModelUsage;
use evolution::event::StoppedBy;
use evolution::id::RunId;
use evolution::settings::Budget;
use models::gateway::Gateway;
use models::{
    Answer, Capabilities, Client, ClientOptions, Entry, Exchanges, Finish, Form, Limits, Message, ModelError,
    Poor, Purse, Recording, Request,
};
use models::{Role, Secret};
use proposers::llm::{AskError, Model, NAME, Question, Reply, Speaker};
use std::sync::Arc;
use store::{Log, MemoryStore};

/// What every message about a model ends with.
const GO_ON: &str = "go on without a model with --proposer ast";
/// Seeds that every endpoint takes: 31 bits.
const SEED_MASK: u64 = 0x7FFF_FFFF;
/// Share of a model's context that its answer may take: the rest is the question's.
const ANSWER_SHARE: u64 = 2;
/// Characters of a question that are a token, on the low side for code.
const CHARACTERS_A_TOKEN: u64 = 3;

/// Name of the stream with a run's exchanges.
pub(crate) fn stream(run: &RunId) -> String {
    format!("exchanges/{run}")
}

/// What a run asks models through.
#[derive(Default)]
pub(crate) struct LanguageModels {
    /// The models of the `llm` proposer.
    pub(crate) models: Vec<Arc<dyn Model>>,
    /// Where commands ask the first of the models that are configured, without a key.
    pub(crate) gateway: Option<Arc<Gateway>>,
    /// What has the run's programs embedded, where that is configured.
    pub(crate) programs: Option<Arc<Programs>>,
}

/// The models of a run that uses the `llm` proposer, each of which answers, and the gateway of one whose commands ask a
/// model; nothing for other runs. What they spend comes out of one purse, and what they say is in one record.
///
/// # Errors
///
/// When a setting is missing, a key is not there, a budget of money has no price to go by, or an endpoint does not answer.
pub(crate) fn open(
    configuration: &Configuration,
    runs: &Runs,
    run: &RunId,
    budget: &Budget,
) -> Result<LanguageModels, Failure> {
    let own = section(configuration)?;
    let asking = configuration.proposers.commands().find(|(_, command)| command.asks_a_model());
    let section = match (own, asking) {
        (Some(section), _) => Some(section),
        (None, Some((name, _))) => Some(named(configuration).ok_or_else(|| without_a_model(name))?),
        (None, None) if configuration.embedding.is_none() => return Ok(LanguageModels::default()),
        (None, None) => None,
    };
    let exchanges = Exchanges::open(runs.log(), &stream(run), data::now_ms)
        .map_err(|error| Failure::caused("the recorded exchanges cannot be read", error))?;
    let spent = exchanges.tally();
    let purse = Arc::new(Purse::new(budget::of(budget), spent.tokens, spent.usd));
    budget::follow(runs, run, &purse)?;
    let exchanges = Arc::new(exchanges);
    let programs = embedding::programs(configuration, budget, (&exchanges, &purse))?;
    let Some(section) = section else { return Ok(LanguageModels { programs, ..LanguageModels::default() }) };
    // Tried even when only a command asks: an agent goes on asking an endpoint that is not there for minutes.
    let models = clients(section, budget, &exchanges, &purse)?;
    let gateway = section.models.first().filter(|_| asking.is_some()).map(|model| {
        Gateway::open(options(section, model, key(section)?, budget)?, exchanges, purse)
            .map(Arc::new)
            .map_err(|error| Failure::caused("the gateway of the run's commands cannot be opened", error))
    });
    let models = if own.is_some() { models } else { Vec::new() };
    Ok(LanguageModels { models, gateway: gateway.transpose()?, programs })
}

/// The models of a run as its record knows them: they answer what they answered, and need no endpoint and no key.
pub(crate) fn recorded(
    configuration: &Configuration,
    runs: &Runs,
    run: &RunId,
) -> Result<LanguageModels, Failure> {
    let section = section(configuration)?;
    if section.is_none() && configuration.embedding.is_none() {
        return Ok(LanguageModels::default());
    }
    let exchanges = Exchanges::open(runs.log(), &stream(run), data::now_ms)
        .map_err(|error| Failure::caused("the recorded exchanges cannot be read", error))?;
    let exchanges = Arc::new(exchanges);
    let model = |name: &String| {
        let section = section.ok_or_else(unconfigured)?;
        let known = capabilities(section, name)?;
        let answer = answer_tokens(section, &known);
        let recording = Recording::new(exchanges.clone(), name, known, section.effort.clone());
        Ok(Arc::new(Asked { source: Source::Recorded(recording), answer }) as Arc<dyn Model>)
    };
    let names = section.map_or(&[][..], |section| &section.models);
    let models = names.iter().map(model).collect::<Result<_, Failure>>()?;
    let programs = embedding::recorded(configuration, &exchanges);
    Ok(LanguageModels { models, gateway: None, programs })
}

/// Puts `ast` in the place of a model that cannot be asked, where the configuration wants that, and says so.
pub(crate) fn settle(configuration: &mut Configuration) {
    let falls_back = |section: &ModelSection| section.fallback == Fallback::Ast;
    if !configuration.proposers.llm.as_ref().is_some_and(falls_back) {
        return;
    }
    let asked = || {
        let Some(section) = section(configuration)? else { return Ok(()) };
        let log: Arc<dyn Log> = Arc::new(MemoryStore::new());
        let exchanges = Exchanges::open(log, "probe", data::now_ms)
            .map_err(|error| Failure::caused("the models cannot be tried", error))?;
        clients(section, &configuration.budget.for_core(), &Arc::new(exchanges), &Arc::default()).map(|_| ())
    };
    let Err(failure) = asked() else { return };
    let used = &mut configuration.proposers.used;
    used.retain(|name| name != NAME);
    if !used.iter().any(|name| name == "ast") {
        used.push("ast".to_owned());
    }
    let warning = format!("{}: the proposer is `ast` in its place, which needs no model", failure.text());
    configuration.warnings.push(warning);
}

/// Most characters of a question that all models of a section can take beside an answer.
pub(crate) fn question_size(section: &ModelSection) -> Result<usize, Failure> {
    let mut size = section.question;
    for model in &section.models {
        let known = capabilities(section, model)?;
        if let Some(context) = known.context {
            let left = context.saturating_sub(u64::from(answer_tokens(section, &known)));
            let fits = left.saturating_mul(CHARACTERS_A_TOKEN);
            size = size.min(usize::try_from(fits).unwrap_or(usize::MAX));
        }
    }
    Ok(size)
}

/// `[proposers.llm]` of a run that uses it.
fn section(configuration: &Configuration) -> Result<Option<&ModelSection>, Failure> {
    if !configuration.proposers.used.iter().any(|used| used == NAME) {
        return Ok(None);
    }
    named(configuration).map(Some).ok_or_else(unconfigured)
}

/// `[proposers.llm]`, if it names a model.
fn named(configuration: &Configuration) -> Option<&ModelSection> {
    configuration.proposers.llm.as_ref().filter(|section| !section.models.is_empty())
}

/// What is said when a command asks a model and no section says which.
fn without_a_model(proposer: &str) -> Failure {
    Failure::usage(
        format!("[proposers.{proposer}] asks a model, and no model is configured"),
        format!(
            "add [proposers.llm] with endpoint = \"http://127.0.0.1:8080/v1\", model = \"NAME\" and, where one is \
             needed, key_env = \"NAME_OF_A_VARIABLE\"; with enabled = false there only the {proposer} asks it. Or {GO_ON}"
        ),
    )
}

/// A client of each model, all of which answer.
fn clients(
    section: &ModelSection,
    budget: &Budget,
    exchanges: &Arc<Exchanges>,
    purse: &Arc<Purse>,
) -> Result<Vec<Arc<dyn Model>>, Failure> {
    let key = key(section)?;
    let model = |name: &String| {
        let options = options(section, name, key.clone(), budget)?;
        let endpoint = options.endpoint.clone();
        let answer = answer_tokens(section, &options.capabilities);
        let client = Client::open(options, exchanges.clone(), purse.clone());
        let client = client.and_then(|client| client.probe().map(|()| client)).map_err(|error| {
            Failure::usage(
                format!("the model {name} at {endpoint} cannot be asked: {error}"),
                format!("check `endpoint` and `key_env` in [proposers.llm], or {GO_ON}"),
            )
        })?;
        Ok(Arc::new(Asked { source: Source::Live(Box::new(client)), answer }) as Arc<dyn Model>)
    };
    section.models.iter().map(model).collect()
}

/// What is known of a model: what the section says goes before what is shipped, and its entries before its own keys.
fn capabilities(section: &ModelSection, model: &str) -> Result<Capabilities, Failure> {
    let all = Entry {
        model: "*".to_owned(),
        dialect: section.dialect,
        price: section.price.map(|price| price.listed()),
        ..Entry::default()
    };
    let own: Vec<Entry> = std::iter::once(all).chain(section.capabilities.iter().cloned()).collect();
    Capabilities::of(model, &own).map_err(|error| Failure::caused("what models take is not known", error))
}

/// Tokens that an answer of a model may have.
fn answer_tokens(section: &ModelSection, known: &Capabilities) -> u32 {
    let fits = known.context.map_or(u64::MAX, |context| context / ANSWER_SHARE);
    section.answer.min(u32::try_from(fits).unwrap_or(u32::MAX))
}

/// What is said when the `llm` proposer is asked for without a section that says whom to ask.
pub(crate) fn unconfigured() -> Failure {
    Failure::usage(
        "the proposer `llm` is asked for, and no model is configured",
        format!(
            "add [proposers.llm] with endpoint = \"http://127.0.0.1:8080/v1\" and model = \"NAME\", or {GO_ON}"
        ),
    )
}

fn key(section: &ModelSection) -> Result<Option<Secret>, Failure> {
    let Some(variable) = &section.key_env else { return Ok(None) };
    match std::env::var(variable) {
        Ok(key) if !key.is_empty() => Ok(Some(Secret::new(key))),
        _ => Err(Failure::usage(
            format!("the environment has no {variable}, which `key_env` in [proposers.llm] names"),
            format!("set it, or {GO_ON}"),
        )),
    }
}

fn options(
    section: &ModelSection,
    model: &str,
    key: Option<Secret>,
    budget: &Budget,
) -> Result<ClientOptions, Failure> {
    let endpoint = section.endpoint.clone().ok_or_else(|| {
        Failure::usage(
            "[proposers.llm] names a model and no endpoint",
            format!("add endpoint = \"http://127.0.0.1:8080/v1\", or {GO_ON}"),
        )
    })?;
    let known = capabilities(section, model)?;
    let price = known.price_at(&endpoint);
    if budget.llm_cost_usd.is_some() && price.is_none() {
        return Err(Failure::usage(
            format!(
                "`llm_cost_usd` in [budget] limits nothing, since the price of {model} at {endpoint} is not known"
            ),
            "add [proposers.llm.price] with input and output in US dollars for a million tokens, or use `llm_tokens`",
        ));
    }
    if let (Some(effort), Some(taken)) = (&section.effort, &known.effort)
        && !taken.contains(effort)
    {
        let taken = if taken.is_empty() { "none".to_owned() } else { taken.join(", ") };
        return Err(Failure::usage(
            format!("{model} takes no `effort` of {effort:?}: it takes {taken}"),
            "change or leave out `effort` in [proposers.llm], or say otherwise in [[proposers.llm.capability]]",
        ));
    }
    Ok(ClientOptions {
        endpoint,
        model: model.to_owned(),
        capabilities: known,
        effort: section.effort.clone(),
        key,
        limits: Limits::within(section.timeout),
        price,
    })
}

/// Where answers come from.
enum Source {
    /// An endpoint.
    Live(Box<Client>),
    /// The record of a run.
    Recorded(Recording),
}

impl Source {
    fn model(&self) -> &str {
        match self {
            Self::Live(client) => client.model(),
            Self::Recorded(recording) => recording.model(),
        }
    }

    fn complete(&self, request: &Request) -> Result<Answer, ModelError> {
        match self {
            Self::Live(client) => client.complete(request),
            Self::Recorded(recording) => recording.complete(request),
        }
    }
}

/// A model as the proposer sees it.
struct Asked {
    source: Source,
    /// Tokens that an answer may have.
    answer: u32,
}

impl Model for Asked {
    fn name(&self) -> &str {
        self.source.model()
    }

    fn ask(&self, question: &Question) -> Result<Reply, AskError> {
        let messages = question.said.iter().map(|(speaker, text)| Message {
            role: match speaker {
                Speaker::User => Role::User,
                Speaker::Model => Role::Assistant,
            },
            text: text.clone(),
        });
        let request = Request {
            tag: format!("proposal {}, turn {}", question.number, question.turn),
            system: question.system.clone(),
            messages: messages.collect(),
            temperature: Some(question.temperature),
            max_tokens: question.max_tokens.map_or(self.answer, |limit| limit.min(self.answer)),
            seed: Some(question.seed & SEED_MASK),
            template: question.prompts.clone(),
            form: question
                .form
                .as_ref()
                .map(|form| Form { schema: form.schema.clone(), grammar: form.grammar.clone() }),
            likelihoods: question.likelihoods,
        };
        let answer = self.source.complete(&request).map_err(|error| match error {
            ModelError::Poor(Poor::Tokens) => AskError::OutOfBudget(StoppedBy::LlmTokens),
            ModelError::Poor(Poor::Money) => AskError::OutOfBudget(StoppedBy::LlmCostUsd),
            error => AskError::Failed(error.to_string()),
        })?;
        let usage = &answer.usage;
        Ok(Reply {
            truncated: answer.finish == Finish::Length,
            usage: ModelUsage {
                calls: 1,
                input: usage.input,
                cached: usage.cached,
                reasoning: usage.reasoning,
                output: usage.output,
                cost_usd: answer.cost_usd,
            },
            text: answer.text,
            likelihoods: answer.likelihoods,
            model: answer.model,
            exchange: answer.exchange,
        })
    }
}
