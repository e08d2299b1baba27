//! Which peers are asked to measure a candidate.

use super::Peer;

/// The skill by which a peer measures candidates.
const VALIDATES: &str = "validate_candidate";

/// Validators for a candidate: peers that validate, those first that declare this kind of validation, know the program and
/// have experience with the kind of improvement; among equals the quickest.
pub(super) fn validators(
    known: Vec<Peer>,
    validation_type: &str,
    agent: &str,
    operator: &str,
    most: usize,
) -> Vec<Peer> {
    let mut fit: Vec<(usize, Peer)> = known
        .into_iter()
        .filter(|peer| peer.may_be_asked() && peer.skills.iter().any(|skill| skill == VALIDATES))
        .filter(|peer| {
            let declared = &peer.capabilities.validation_types;
            declared.is_empty() || declared.iter().any(|one| one == validation_type)
        })
        .map(|peer| {
            let knows = |list: &[String], word: &str| usize::from(list.iter().any(|one| one == word));
            let experience = knows(&peer.capabilities.improvement_experience, operator);
            (2 * knows(&peer.capabilities.targets, agent) + experience, peer)
        })
        .collect();
    fit.sort_by(|(a, one), (b, other)| {
        let latency = |peer: &Peer| peer.latency_ms.unwrap_or(f64::MAX);
        b.cmp(a).then(latency(one).total_cmp(&latency(other))).then_with(|| one.name.cmp(&other.name))
    });
    fit.into_iter().map(|(_, peer)| peer).take(most).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::peers::{Change, Peers};
    use skills::Capabilities;

    fn peer(known: &mut Peers, name: &str, targets: &[&str], took_ms: Option<u64>) {
        let targets = targets.iter().map(|&target| target.to_owned()).collect();
        let (name, url) = (name.to_owned(), format!("http://{name}.invalid"));
        let skills = vec![VALIDATES.to_owned()];
        let capabilities = Capabilities { targets, ..Capabilities::default() };
        let added =
            Change::Added { name: name.clone(), url, token_env: None, skills, capabilities, key: None };
        known.take(added, 1);
        if let Some(ms) = took_ms {
            known.take(Change::Asked { name, ms, fault: None }, 2);
        }
    }

    #[test]
    fn of_equally_able_validators_those_come_first_that_answer_sooner() {
        let mut known = Peers::default();
        peer(&mut known, "able-and-slow", &["t"], Some(9_000));
        peer(&mut known, "able-and-quick", &["t"], Some(20));
        peer(&mut known, "able-and-new", &["t"], None);
        peer(&mut known, "quickest", &[], Some(1));
        let known: Vec<Peer> = known.peers.into_values().collect();
        let chosen = |most| {
            let chosen = validators(known.clone(), "performance", "t", "speed", most);
            chosen.into_iter().map(|peer| peer.name).collect::<Vec<_>>()
        };
        assert_eq!(chosen(9), ["able-and-quick", "able-and-slow", "able-and-new", "quickest"]);
        assert_eq!(chosen(1), ["able-and-quick"]);
    }
}
