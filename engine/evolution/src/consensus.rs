//! Voting on an improvement by several validators, as arithmetic: who is asked and how the answers travel is not here.
//! Approve at 0.7 or more of the valid votes, review at 0.4, else reject; without a valid vote, reject and say so.

use serde::{Deserialize, Serialize};
use std::collections::HashSet;

/// The reason of a rejection for want of votes.
pub const NO_VALID_FEEDBACK: &str = "No valid feedback received";

/// The numbers of a vote, with the design's defaults.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ConsensusSettings {
    /// Share of approvals from which an improvement is approved, 0 to 1.
    pub approve_from: f64,
    /// Share of approvals from which a person should look, 0 to 1.
    pub review_from: f64,
    /// Validators whose votes count; later ones are ignored.
    pub max_validators: usize,
}

impl Default for ConsensusSettings {
    fn default() -> Self {
        Self { approve_from: 0.7, review_from: 0.4, max_validators: 5 }
    }
}

/// What a validator recommends, and what a vote comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Recommendation {
    /// Take it.
    Approve,
    /// Let somebody look at it.
    Review,
    /// Leave it.
    Reject,
}

/// One validator's answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Vote {
    /// Who votes; the first answer of each counts.
    pub validator: String,
    /// The recommendation with its words, or why the answer is not valid.
    pub feedback: Result<(Recommendation, String), String>,
}

/// What a vote came to.
#[derive(Debug, Clone, PartialEq)]
pub struct Consensus {
    /// Share of approvals among the valid votes; 0 without any.
    pub score: f64,
    /// What to do.
    pub action: Recommendation,
    /// Valid votes counted.
    pub valid: usize,
    /// The words of the valid votes in order, or [`NO_VALID_FEEDBACK`].
    pub feedback: Vec<String>,
}

/// Counts the votes of the first [`ConsensusSettings::max_validators`] distinct validators.
pub fn decide(votes: &[Vote], settings: &ConsensusSettings) -> Consensus {
    let mut voters = HashSet::new();
    let counted: Vec<&(Recommendation, String)> = votes
        .iter()
        .filter(|vote| voters.insert(vote.validator.as_str()))
        .take(settings.max_validators)
        .filter_map(|vote| vote.feedback.as_ref().ok())
        .collect();
    if counted.is_empty() {
        return Consensus {
            score: 0.0,
            action: Recommendation::Reject,
            valid: 0,
            feedback: vec![NO_VALID_FEEDBACK.to_owned()],
        };
    }
    let approvals =
        counted.iter().filter(|(recommendation, _)| *recommendation == Recommendation::Approve).count();
    let score = approvals as f64 / counted.len() as f64;
    let action = if score >= settings.approve_from {
        Recommendation::Approve
    } else if score >= settings.review_from {
        Recommendation::Review
    } else {
        Recommendation::Reject
    };
    let feedback = counted.iter().map(|(_, words)| words.clone()).collect();
    Consensus { score, action, valid: counted.len(), feedback }
}

#[cfg(test)]
mod tests {
    use super::{Consensus, ConsensusSettings, NO_VALID_FEEDBACK, Recommendation, Vote, decide};
    use proptest::prelude::*;

    fn vote(validator: usize, feedback: Result<Recommendation, &str>) -> Vote {
        Vote {
            validator: format!("v{validator}"),
            feedback: feedback.map(|word| (word, format!("w{validator}"))).map_err(str::to_owned),
        }
    }

    fn votes(approvals: usize, rejections: usize) -> Vec<Vote> {
        let yes = (0..approvals).map(|index| vote(index, Ok(Recommendation::Approve)));
        let no = (approvals..approvals + rejections).map(|index| vote(index, Ok(Recommendation::Reject)));
        yes.chain(no).collect()
    }

    fn count(approvals: usize, rejections: usize) -> Consensus {
        let settings = ConsensusSettings { max_validators: 100, ..ConsensusSettings::default() };
        decide(&votes(approvals, rejections), &settings)
    }

    #[test]
    fn the_borders_belong_to_the_better_side() {
        assert_eq!(count(7, 3).action, Recommendation::Approve);
        assert_eq!(count(69, 31).action, Recommendation::Review);
        assert_eq!(count(4, 6).action, Recommendation::Review);
        assert_eq!(count(39, 61).action, Recommendation::Reject);
        assert_eq!(count(0, 1).score, 0.0);
    }

    #[test]
    fn no_valid_feedback_is_a_rejection_that_says_so() {
        for votes in [vec![], vec![vote(0, Err("timed out")), vote(1, Err("not JSON"))]] {
            let consensus = decide(&votes, &ConsensusSettings::default());
            assert_eq!(
                (consensus.action, consensus.valid, consensus.score),
                (Recommendation::Reject, 0, 0.0)
            );
            assert_eq!(consensus.feedback, [NO_VALID_FEEDBACK]);
        }
    }

    #[test]
    fn invalid_answers_do_not_count_as_votes() {
        let mut ballots = votes(2, 0);
        ballots.push(vote(2, Err("timed out")));
        let consensus = decide(&ballots, &ConsensusSettings::default());
        assert_eq!((consensus.action, consensus.valid, consensus.score), (Recommendation::Approve, 2, 1.0));
        assert_eq!(consensus.feedback, ["w0", "w1"]);
    }

    #[test]
    fn one_validator_has_one_vote_and_five_are_heard() {
        let mut ballots = vec![vote(0, Ok(Recommendation::Reject)); 4];
        ballots.extend((1..10).map(|index| vote(index, Ok(Recommendation::Approve))));
        let consensus = decide(&ballots, &ConsensusSettings::default());
        assert_eq!((consensus.valid, consensus.score), (5, 0.8));
    }

    proptest! {
        #[test]
        fn one_more_approval_never_makes_it_worse(approvals in 0usize..30, rejections in 0usize..30) {
            let badness = |consensus: Consensus| match consensus.action {
                Recommendation::Approve => 0,
                Recommendation::Review => 1,
                Recommendation::Reject => 2,
            };
            prop_assert!(badness(count(approvals + 1, rejections)) <= badness(count(approvals, rejections)));
            prop_assert!(badness(count(approvals, rejections + 1)) >= badness(count(approvals, rejections)) || approvals == 0);
        }
    }
}
