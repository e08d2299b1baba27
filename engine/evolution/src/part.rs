//! The part of a search that one of several daemons looks at first, when they search the same program and tell each other what
//! they find.

use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// One part of a search, of so many. Nobody looks only at his own part: it comes first, the others' after it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Part {
    /// Which one, from 0.
    pub own: u32,
    /// Of how many, at least 1.
    pub of: u32,
}

impl Part {
    /// The part of one among members: its place in their order. Everybody who knows the same members gives each of them the
    /// same part. `None` where it is alone, or not among them.
    pub fn among(own: &str, members: &BTreeSet<String>) -> Option<Self> {
        let place = members.iter().position(|member| member == own).filter(|_| members.len() > 1)?;
        Some(Self { own: u32::try_from(place).ok()?, of: u32::try_from(members.len()).ok()? })
    }

    /// Whether a change is in it, by a number that names the change alike for everybody.
    pub fn holds(self, change: u64) -> bool {
        change.checked_rem(u64::from(self.of)).is_none_or(|part| part == u64::from(self.own))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_change_is_in_one_part_of_all() {
        let members: BTreeSet<String> = ["b", "a", "c"].map(str::to_owned).into();
        let parts: Vec<Part> = members.iter().filter_map(|member| Part::among(member, &members)).collect();
        assert_eq!(parts.len(), 3);
        for change in [0, 1, 2, 3, u64::MAX] {
            assert_eq!(parts.iter().filter(|part| part.holds(change)).count(), 1);
        }
    }

    #[test]
    fn who_is_alone_has_no_part() {
        let alone: BTreeSet<String> = ["a".to_owned()].into();
        assert_eq!(Part::among("a", &alone), None);
        assert_eq!(Part::among("b", &alone), None);
        assert!(Part { own: 0, of: 0 }.holds(7), "a part that cannot be holds everything");
    }
}
