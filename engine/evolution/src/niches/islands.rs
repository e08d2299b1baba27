//! Islands: several populations that seldom meet. A proposal belongs to the island `number % count`: its parents are taken
//! from there, and there its candidate lives. The baseline lives everywhere.
//!
//! Source: Tanese, "Distributed Genetic Algorithms" (1989); Whitley, Rana and Heckendorn, "The Island Model Genetic
//! Algorithm: On Separability, Population Size and Convergence" (1999). That a migrant never migrates again is OpenEvolve's
//! rule (github.com/algorithmicsuperintelligence/openevolve): else one winner soon fills the whole ring.

use super::grid::{Elite, Grid};
use crate::id::Number;
use std::collections::{BTreeMap, BTreeSet};

/// Parents of one run, by island.
#[derive(Debug, Clone, PartialEq)]
pub struct Islands {
    islands: Vec<Island>,
    /// Whoever was a migrant once, on whatever island.
    migrants: BTreeSet<Number>,
    /// Most members of one island.
    room: usize,
}

/// One population.
#[derive(Debug, Clone, PartialEq)]
struct Island {
    members: BTreeMap<Number, Elite>,
    /// Where the island has a grid of its own, its members are the elites of that.
    grid: Option<Grid>,
}

/// One step of a migration: `migrants` become parents of island `to` too.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Passage {
    /// Where they live.
    pub from: u32,
    /// Where they will live too.
    pub to: u32,
    /// Who.
    pub migrants: Vec<Number>,
}

impl Island {
    fn settle(&mut self, newcomer: Elite, room: usize) {
        let number = newcomer.number;
        if let Some(grid) = &mut self.grid {
            grid.enter(newcomer.clone());
            let elites: BTreeSet<Number> = grid.elites().map(|(_, elite)| elite.number).collect();
            self.members.retain(|member, _| elites.contains(member));
            if elites.contains(&number) {
                self.members.insert(number, newcomer);
            }
        } else {
            self.members.insert(number, newcomer);
        }
        let worst = self.members.values().min_by(|a, b| b.rank(a)).map(|elite| elite.number);
        if self.members.len() > room
            && let Some(worst) = worst
        {
            self.remove(worst);
        }
    }

    fn remove(&mut self, number: Number) {
        self.members.remove(&number);
        if let Some(grid) = &mut self.grid {
            grid.remove(number);
        }
    }
}

impl Islands {
    /// `count` islands with room for `room` parents together, each with a copy of `grid` if there is one.
    pub fn new(count: u32, room: usize, grid: Option<&Grid>) -> Self {
        let count = count.max(1) as usize;
        let island = Island { members: BTreeMap::new(), grid: grid.cloned() };
        Self { islands: vec![island; count], migrants: BTreeSet::new(), room: (room / count).max(1) }
    }

    /// How many islands there are, at least 1.
    pub fn count(&self) -> u32 {
        u32::try_from(self.islands.len()).unwrap_or(u32::MAX)
    }

    /// The island of a proposal.
    pub fn home(&self, number: Number) -> u32 {
        number.checked_rem(self.count()).unwrap_or(0)
    }

    /// The parents on an island, in the order of numbers.
    pub fn on(&self, island: u32) -> impl Iterator<Item = Number> + '_ {
        self.islands.get(island as usize).into_iter().flat_map(|island| island.members.keys().copied())
    }

    /// All parents, in the order of numbers.
    pub fn all(&self) -> BTreeSet<Number> {
        self.islands.iter().flat_map(|island| island.members.keys().copied()).collect()
    }

    /// Lets a candidate live on an island. When that is full, its worst leaves, which may be the newcomer.
    pub fn settle(&mut self, newcomer: Elite, island: u32) {
        if let Some(island) = self.islands.get_mut(island as usize) {
            island.settle(newcomer, self.room);
        }
    }

    /// Who would migrate now: the best `migrants` of each island that never migrated, to the next one around the ring.
    pub fn passages(&self, migrants: u32) -> Vec<Passage> {
        let count = self.count();
        let passage = |(from, island): (u32, &Island)| {
            let to = (from + 1).checked_rem(count).unwrap_or(0);
            let is_there = |number: Number| self.on(to).any(|member| member == number);
            let natives = island.members.values().filter(|elite| !self.migrants.contains(&elite.number));
            let mut natives: Vec<&Elite> = natives.filter(|elite| !is_there(elite.number)).collect();
            natives.sort_by(|a, b| a.rank(b));
            natives.truncate(migrants as usize);
            Passage { from, to, migrants: natives.iter().map(|elite| elite.number).collect() }
        };
        (0..).zip(&self.islands).map(passage).filter(|passage| !passage.migrants.is_empty()).collect()
    }

    /// Carries out a migration; who does not live where it should come from stays away. Everybody leaves before anybody
    /// arrives, so that the order of the passages does not matter.
    pub fn migrate(&mut self, passages: &[Passage]) {
        let of = |passage: &Passage| {
            let from = self.islands.get(passage.from as usize);
            let elites = passage.migrants.iter().filter_map(|migrant| from?.members.get(migrant).cloned());
            (passage.to, elites.collect::<Vec<Elite>>())
        };
        let voyages: Vec<(u32, Vec<Elite>)> = passages.iter().map(of).collect();
        for (to, elites) in voyages {
            for elite in elites {
                self.migrants.insert(elite.number);
                self.settle(elite, to);
            }
        }
    }

    /// Takes a candidate from everywhere.
    pub fn remove(&mut self, number: Number) {
        self.migrants.remove(&number);
        for island in &mut self.islands {
            island.remove(number);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Islands, Passage};
    use crate::id::Number;
    use crate::niches::grid::{Elite, Grid};
    use proptest::prelude::*;

    /// Quality rises with the number, but for the tens.
    fn elite(number: Number) -> Elite {
        let quality = f64::from(number % 10);
        Elite { number, quality, features: vec![Some(f64::from(number))] }
    }

    #[test]
    fn children_live_where_they_were_asked_for_and_the_best_visit_the_next_island_once() {
        let mut islands = Islands::new(3, 30, None);
        for number in 1..=6 {
            islands.settle(elite(number), islands.home(number));
        }
        assert_eq!(islands.on(0).collect::<Vec<_>>(), [3, 6]);
        assert_eq!(islands.on(1).collect::<Vec<_>>(), [1, 4]);
        let passages = islands.passages(1);
        let passage = |(from, to, migrant)| Passage { from, to, migrants: vec![migrant] };
        assert_eq!(passages, [(0, 1, 6), (1, 2, 4), (2, 0, 5)].map(passage));
        islands.migrate(&passages);
        assert_eq!(islands.on(1).collect::<Vec<_>>(), [1, 4, 6]);
        // Neither the 6 on island 1 nor the one on island 0 goes on.
        assert_eq!(islands.passages(1), [(0, 1, 3), (1, 2, 1), (2, 0, 2)].map(passage));
        islands.remove(6);
        assert!(!islands.all().contains(&6));
    }

    #[test]
    fn an_island_with_a_grid_keeps_the_elites() {
        let mut islands = Islands::new(2, 30, Some(&Grid::new(1, 2)));
        for number in [2, 4, 18, 20] {
            islands.settle(elite(number), 0);
        }
        islands.settle(elite(3), 1);
        // Of 2 and 4 the better, of 18 and 20 too.
        assert_eq!(islands.on(0).collect::<Vec<_>>(), [4, 18]);
        assert_eq!(islands.on(1).collect::<Vec<_>>(), [3]);
    }

    proptest! {
        #[test]
        fn islands_are_never_fuller_than_their_room(
            count in 1_u32..6, room in 1_usize..20, births in prop::collection::vec(0_u32..500, 0..80)
        ) {
            let mut islands = Islands::new(count, room, None);
            let mut twin: Vec<Vec<Number>> = vec![Vec::new(); count as usize];
            for number in births {
                let home = islands.home(number);
                islands.settle(elite(number), home);
                let members = &mut twin[home as usize];
                if !members.contains(&number) {
                    members.push(number);
                }
                members.sort_by(|a, b| (b % 10).cmp(&(a % 10)).then(a.cmp(b)));
                members.truncate((room / count as usize).max(1));
            }
            for (island, members) in (0..).zip(&mut twin) {
                members.sort_unstable();
                prop_assert_eq!(&islands.on(island).collect::<Vec<_>>(), members);
            }
        }
    }
}
