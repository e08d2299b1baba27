//! The operator `rank`: the model chooses among changes that the `ast` proposer can make, so that every answer applies and
//! even a small model is of use: in a measurement with a model of 1.5 billion parameters the right one of five to eight
//! changes stood at place 1.8 on average, where chance gives 3.75.
//!
//! Where the server tells likelihoods, each letter's is read from the first token, so that one token ranks them all; else
//! the letter that the answer names is the choice.
//!
//! The candidates are drawn when the question is begun and count as handed out; the model's choice is the proposal.

use super::conversation::Story;
use super::model::{AskError, Model, Question, Reply};
use crate::ast::AstProposer;
use crate::edit::form;
use evolution::candidate::{Patch, Proposal, SourceFiles};
use evolution::ports::{OperatorPrior, ProposalFeedback, ProposalRequest, Proposer, ProposerError, Spent};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde_json::json;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Changes that one question chooses among; each has a letter.
const MAX_CANDIDATES: usize = 8;
/// Tokens that an answer may have: a letter, and what small models cannot help saying.
pub(super) const ANSWER_TOKENS: u32 = 16;
/// Lines of a change that are shown on each side.
const MAX_LINES: usize = 12;

/// The `ast` proposer as a source of candidates. Its memory is a fold of what the operator noted down.
pub(super) struct Candidates {
    ast: AstProposer,
}

/// Candidates of one question.
pub(super) struct Drawn {
    /// The operator of the `ast` proposer that made them.
    operator: String,
    proposals: Vec<Proposal>,
}

impl Candidates {
    pub(super) fn new(ast: AstProposer) -> Self {
        Self { ast }
    }

    /// Draws candidates for a parent, all of one operator: the likelier the more is expected of it. An operator that has
    /// nothing left gives way to the next.
    pub(super) fn draw(&mut self, request: &ProposalRequest) -> Result<Drawn, ProposerError> {
        let mut rng = ChaCha8Rng::seed_from_u64(request.seed);
        let wanted = |operator: &OperatorPrior| usize::from(operator.parents) <= request.parents.len();
        let mut operators: Vec<OperatorPrior> = self.ast.operators().into_iter().filter(wanted).collect();
        while !operators.is_empty() {
            let total: f64 = operators.iter().map(|operator| operator.yield_mean).sum();
            let mut at = rng.random::<f64>() * total;
            let chosen = operators.iter().position(|operator| {
                at -= operator.yield_mean;
                at <= 0.0
            });
            let operator = operators.remove(chosen.unwrap_or(0)).name;
            let proposals = self.draw_of(request, &operator, &mut rng);
            if !proposals.is_empty() {
                return Ok(Drawn { operator, proposals });
            }
        }
        Err(ProposerError::Exhausted("the ast proposer has nothing left for this parent".to_owned()))
    }

    fn draw_of(&mut self, request: &ProposalRequest, operator: &str, rng: &mut ChaCha8Rng) -> Vec<Proposal> {
        let mut asked = ProposalRequest { operator: operator.to_owned(), ..request.clone() };
        let mut proposals = Vec::new();
        while proposals.len() < MAX_CANDIDATES {
            asked.seed = rng.random();
            match self.ast.propose(&asked) {
                Ok(proposal) => proposals.push(proposal),
                Err(_) => break,
            }
        }
        proposals
    }

    /// Hears of a proposal that was made before a restart.
    pub(super) fn recall(&mut self, number: u32, parents: &[u32], detail: &serde_json::Value) {
        if let Some(operator) = operator_in(detail) {
            self.ast.recall(number, parents, &operator, detail);
        }
    }

    /// Hears what became of one.
    pub(super) fn observe(&mut self, feedback: &ProposalFeedback) {
        if let Some(operator) = operator_in(&feedback.detail) {
            self.ast.observe(&ProposalFeedback { operator, ..feedback.clone() });
        }
    }
}

fn operator_in(detail: &serde_json::Value) -> Option<String> {
    detail.get("ranked")?.as_str().map(str::to_owned)
}

impl Drawn {
    /// The candidates as the model is shown them.
    pub(super) fn shown(&self, parent: &SourceFiles) -> String {
        let letters = self.letters();
        let shown = self.proposals.iter().zip(letters).map(|(proposal, letter)| {
            format!("{letter}: {}\n{}", proposal.rationale, difference(parent, &proposal.patch))
        });
        shown.collect::<Vec<_>>().join("\n\n")
    }

    /// The grammar of an answer: one of the letters.
    pub(super) fn grammar(&self) -> String {
        form::letter(self.proposals.len())
    }

    fn letters(&self) -> impl Iterator<Item = char> + use<> {
        ('A'..='Z').take(self.proposals.len())
    }

    /// Asks and answers with the chosen candidate; with the first when the answer names none, since the `ast` proposer's
    /// own order is better than none.
    pub(super) fn choose(
        self,
        model: &Arc<dyn Model>,
        question: &Question,
        used: &[(&'static str, String)],
    ) -> Result<Proposal, ProposerError> {
        let mut story = Story::default();
        let reply = match model.ask(question) {
            Ok(reply) => reply,
            Err(error) => {
                let error = match error {
                    AskError::OutOfBudget(budget) => ProposerError::OutOfBudget(budget),
                    AskError::Failed(reason) => ProposerError::Failed(format!("{}: {reason}", model.name())),
                };
                let detail = self.noted(story.detail(model.as_ref(), question, used), None);
                return Err(ProposerError::Spent(Box::new(Spent { error, detail, cost: story.cost() })));
            }
        };
        story.hear(&reply);
        let ranking = Ranking::of(&reply, &self.letters().collect::<Vec<_>>());
        let chosen = ranking.order.first().copied();
        let mut detail = self.noted(story.detail(model.as_ref(), question, used), chosen);
        detail["ranked_by"] = json!(ranking.by);
        detail["ranking"] = json!(ranking.order);
        let cost = story.cost();
        let Some(proposal) = self.proposals.into_iter().nth(chosen.unwrap_or(0)) else {
            return Err(ProposerError::Failed("there was nothing to choose among".to_owned()));
        };
        Ok(Proposal { detail, cost, operator: super::RANK.to_owned(), ..proposal })
    }

    /// What is noted down: what the `ast` proposer wants to hear again, of every candidate, beside the exchange.
    fn noted(&self, mut detail: serde_json::Value, chosen: Option<usize>) -> serde_json::Value {
        let first = self.proposals.get(chosen.unwrap_or(0));
        let mut own = first.map_or(serde_json::Value::Null, |proposal| proposal.detail.clone());
        let used = self.proposals.iter().filter_map(|proposal| proposal.detail.get("used")?.as_array());
        own["used"] = used.flatten().cloned().collect();
        let programs = self.proposals.iter().filter_map(|proposal| proposal.detail.get("program").cloned());
        own["programs"] = programs.collect();
        own["ranked"] = json!(self.operator);
        own["candidates"] = json!(self.proposals.len());
        own["chosen"] = json!(chosen);
        if let (Some(detail), Some(own)) = (detail.as_object_mut(), own.as_object()) {
            detail.extend(own.iter().map(|(name, value)| (name.clone(), value.clone())));
            detail.insert("summary".to_owned(), json!(first.map(|proposal| proposal.rationale.as_str())));
        }
        detail
    }
}

/// How the candidates came out.
struct Ranking {
    /// What it was read from: `likelihoods`, `answer`, or `order` when neither said anything.
    by: &'static str,
    /// Places of candidates, the best first; only the best when the answer named it, empty when nothing was said.
    order: Vec<usize>,
}

impl Ranking {
    fn of(reply: &Reply, letters: &[char]) -> Self {
        let shares = shares(&reply.likelihoods, letters);
        if shares.iter().any(|share| *share > 0.0) {
            let mut told: Vec<(usize, f64)> =
                shares.into_iter().enumerate().filter(|(_, share)| *share > 0.0).collect();
            // The `ast` proposer's own order breaks ties: the sort is stable.
            told.sort_by(|(_, one), (_, other)| other.total_cmp(one));
            return Self { by: "likelihoods", order: told.into_iter().map(|(at, _)| at).collect() };
        }
        let named = letter(&reply.text, letters.iter().copied());
        Self { by: if named.is_some() { "answer" } else { "order" }, order: named.into_iter().collect() }
    }
}

/// The probability that the first token is each letter, whatever blanks and marks stand around it.
fn shares(likelihoods: &[(String, f64)], letters: &[char]) -> Vec<f64> {
    let share = |letter: &char| {
        let of_letter = likelihoods.iter().filter(|(token, _)| {
            let mut alone = token.chars().filter(|part| part.is_alphanumeric());
            alone.next() == Some(*letter) && alone.next().is_none()
        });
        of_letter.map(|(_, logarithm)| logarithm.exp()).filter(|share| share.is_finite()).sum()
    };
    letters.iter().map(share).collect()
}

/// The place of the first letter that an answer names, alone or as the first of its line.
fn letter(answer: &str, letters: impl Iterator<Item = char>) -> Option<usize> {
    let letters: BTreeMap<char, usize> = letters.enumerate().map(|(at, letter)| (letter, at)).collect();
    let mut words = answer.split(|letter: char| !letter.is_alphanumeric()).filter(|word| !word.is_empty());
    words.find_map(|word| match (word.chars().next(), word.chars().nth(1)) {
        (Some(letter), None) => letters.get(&letter).copied(),
        _ => None,
    })
}

/// The lines that a patch takes out and puts in.
fn difference(parent: &SourceFiles, patch: &Patch) -> String {
    let mut shown = Vec::new();
    for change in &patch.0 {
        let old = parent.text(&change.path).unwrap_or_default();
        let new =
            change.content.as_deref().and_then(|bytes| std::str::from_utf8(bytes).ok()).unwrap_or_default();
        let (old, new): (Vec<&str>, Vec<&str>) = (old.lines().collect(), new.lines().collect());
        let same = old.iter().zip(&new).take_while(|(left, right)| left == right).count();
        let rest = old.iter().skip(same).rev().zip(new.iter().skip(same).rev());
        let tail = rest.take_while(|(left, right)| left == right).count();
        for (mark, lines) in [('-', old), ('+', new)] {
            let changed = lines.get(same..lines.len() - tail).unwrap_or_default();
            shown.extend(changed.iter().take(MAX_LINES).map(|line| format!("{mark} {line}")));
            if changed.len() > MAX_LINES {
                shown.push(format!("{mark} [... {} lines left out ...]", changed.len() - MAX_LINES));
            }
        }
    }
    shown.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use evolution::candidate::ModelUsage;

    #[test]
    fn one_token_ranks_all_letters() {
        let reply = |text: &str, likelihoods: &[(&str, f64)]| Reply {
            text: text.to_owned(),
            likelihoods: likelihoods.iter().map(|(token, share)| ((*token).to_owned(), share.ln())).collect(),
            truncated: false,
            usage: ModelUsage::default(),
            model: String::new(),
            exchange: String::new(),
        };
        let told = [("B", 0.2), (" C", 0.25), ("**B", 0.15), ("The", 0.3), ("Z", 0.05)];
        let ranking = Ranking::of(&reply("C", &told), &['A', 'B', 'C']);
        assert_eq!((ranking.by, ranking.order), ("likelihoods", vec![1, 2]));
        let untold = Ranking::of(&reply("C", &[]), &['A', 'B', 'C']);
        assert_eq!((untold.by, untold.order), ("answer", vec![2]));
        let elsewhere = Ranking::of(&reply("hm", &[("The", 0.9)]), &['A', 'B', 'C']);
        assert_eq!((elsewhere.by, elsewhere.order), ("order", vec![]));
    }

    #[test]
    fn a_letter_is_found_in_what_models_say() {
        let of = |answer: &str| letter(answer, 'A'..='D');
        assert_eq!(of("B"), Some(1));
        assert_eq!(of("**C**: since it is quicker"), Some(2));
        assert_eq!(of("The answer is D."), Some(3));
        assert_eq!(of("Z"), None);
        assert_eq!(of("no idea"), None);
    }
}
