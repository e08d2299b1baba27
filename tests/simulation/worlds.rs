//! Landscapes on which archive policies differ. A program is a few small numbers, a step changes one of them by one; the
//! first number is its `place`, which a grid may look at. The best score is 1.

use crate::landscape::mix;

/// A landscape.
pub(crate) struct World {
    pub(crate) name: &'static str,
    /// The program to start from.
    pub(crate) baseline: &'static [u32],
    /// Highest value of each number.
    pub(crate) highest: &'static [u32],
    /// How many of the first numbers a step sets to any value.
    pub(crate) leaps: usize,
    /// How many of the first numbers change how a program is written, and nothing of what it does.
    pub(crate) disguises: usize,
    /// Whether a step may change the number at a place of a program.
    pub(crate) may_change: fn(&[u32], usize) -> bool,
    /// 0 to 1; a program that scores 0 fails.
    pub(crate) score: fn(&[u32]) -> f64,
}

impl World {
    /// A program one step from another: a number one up or down, or the same where that cannot be.
    pub(crate) fn step(&self, program: &[u32], seed: u64) -> Vec<u32> {
        let mut program = program.to_vec();
        let place = (mix(seed, &[40]) % program.len() as u64) as usize;
        if !(self.may_change)(&program, place) {
            return program;
        }
        let up = mix(seed, &[41]).is_multiple_of(2);
        let number = program[place];
        program[place] = if place < self.leaps {
            (mix(seed, &[42]) % u64::from(self.highest[place] + 1)) as u32
        } else if up {
            (number + 1).min(self.highest[place])
        } else {
            number.saturating_sub(1)
        };
        program
    }
}

/// A little for numbers that hardly matter, so that there are many programs that are nearly as good.
fn detail(numbers: &[u32]) -> f64 {
    numbers.iter().enumerate().map(|(place, number)| 0.001 * f64::from(*number) / (place + 1) as f64).sum()
}

/// Every step up is better: nothing to be gained by breadth.
pub(crate) const HILL: World = World {
    name: "hill",
    baseline: &[0, 0, 0, 0],
    highest: &[10, 10, 10, 10],
    leaps: 0,
    disguises: 0,
    may_change: |_, _| true,
    score: |program| f64::from(program.iter().sum::<u32>()) / 40.0,
};

/// A hill near the baseline, and the best program behind a valley that falls all the way to it.
pub(crate) const VALLEY: World = World {
    name: "valley",
    baseline: &[5, 4, 4],
    highest: &[25, 8, 8],
    leaps: 0,
    disguises: 0,
    may_change: |_, _| true,
    score: |program| match program[0] {
        25 => 1.0,
        place => 0.6 - 0.02 * f64::from(place.abs_diff(5)) + detail(&program[1..]),
    },
};

/// A goal behind a wall that is open to the left: a dead end on the straight way from the baseline. What stands in the wall
/// fails.
pub(crate) const MAZE: World = World {
    name: "maze",
    baseline: &[4, 10],
    highest: &[20, 20],
    leaps: 0,
    disguises: 0,
    may_change: |_, _| true,
    score: |program| {
        let (x, y) = (program[0], program[1]);
        let in_wall = (x == 15 && (3..=17).contains(&y)) || (matches!(y, 3 | 17) && (6..=15).contains(&x));
        let (across, along) = (f64::from(x) - 18.0, f64::from(y) - 10.0);
        if in_wall { 0.0 } else { 1.0 - across.hypot(along) / 40.0 }
    },
};

/// Four tracks lead away from the baseline, of which one goes on to the end; to change to another one must go back to the
/// start. The first number is the track, the second how far it was followed.
pub(crate) const TRACKS: World = World {
    name: "tracks",
    baseline: &[0, 0, 4],
    highest: &[4, 12, 8],
    leaps: 1,
    disguises: 0,
    may_change: |program, place| if place == 0 { program[1] == 0 } else { program[0] > 0 },
    score: |program| {
        let (track, far) = (program[0], program[1]);
        let end = if track == 4 { 12 } else { 5 + track };
        let way = 0.3 + 0.05 * f64::from(far.min(end)) + 0.0001 * f64::from(track);
        if track == 4 && far == 12 { 1.0 } else { way + detail(&program[2..]) }
    },
};

/// The maze, through which a program goes in one of twenty disguises.
pub(crate) const DISGUISED: World = World {
    name: "disguised",
    baseline: &[0, 4, 10],
    highest: &[19, 20, 20],
    leaps: 1,
    disguises: 1,
    may_change: |_, _| true,
    score: |program| (MAZE.score)(&program[1..]),
};
