//! Non-dominated sorting for four and more objectives by bit sets. Rows are numbered in lexicographic order. For each
//! further objective the sets of the 1, 2, 3, ... cheapest blocks of rows are kept; the intersection of one such set an
//! objective holds everyone who may dominate a row, and a few more, since blocks are coarse. A front dominates the row
//! when someone in that intersection belongs to it and stands a comparison.

use super::sort::{first_free, rank};

/// Bits of a word.
const WORD: usize = u64::BITS as usize;
/// Words that one step of a scan takes together, so that the compiler uses the machine's wide registers.
const STRIDE: usize = 8;
/// Rows of a block at least: fewer would cost memory traffic, more would let too many pass to a comparison.
const MIN_BLOCK: usize = 64;
/// Blocks of an objective at most, so that memory grows with the number of rows and not with its square.
const MAX_BLOCKS: usize = 256;

/// Ranks, from 1, of distinct rows of `m` costs in lexicographic order.
pub(super) fn many(sorted: &[f64], m: usize) -> Vec<u32> {
    let rows = sorted.len() / m;
    let block = MIN_BLOCK.max(rows.div_ceil(MAX_BLOCKS));
    let words = rows.div_ceil(WORD).next_multiple_of(STRIDE);
    let prefixes: Vec<Prefixes> = (1..m).map(|axis| Prefixes::new(sorted, m, axis, block, words)).collect();
    let mut suspects = Suspects::new(rows, prefixes, words);
    let mut fronts: Vec<Front> = Vec::new();
    (0..rows)
        .map(|row| {
            suspects.gather(row);
            let front = first_free(fronts.len(), |front| {
                fronts.get(front).is_some_and(|front| front.dominates(row, &mut suspects))
            });
            if front == fronts.len() {
                fronts.push(Front::default());
            }
            if let Some(front) = fronts.get_mut(front) {
                front.push(row, block, words);
            }
            rank(front)
        })
        .collect()
}

/// A finite cost and a row as one integer that orders as they do: integers are sorted without branches.
fn packed(cost: f64, row: u32) -> u128 {
    const SIGN: u64 = 1 << 63;
    // Adding zero makes minus zero zero, to which it is equal.
    let bits = (cost + 0.0).to_bits();
    let key = if bits & SIGN == 0 { bits | SIGN } else { !bits };
    u128::from(key) << u32::BITS | u128::from(row)
}

fn row_of(packed: u128) -> usize {
    packed as u32 as usize
}

/// The rows by one objective.
struct Prefixes {
    /// For each row how many rows are not dearer than it. Equal costs have equal places, and they order as costs do.
    places: Vec<u32>,
    /// Sets of the cheapest `block`, `2 block`, ... rows, `words` each.
    sets: Vec<u64>,
    block: usize,
    words: usize,
}

impl Prefixes {
    fn new(sorted: &[f64], m: usize, axis: usize, block: usize, words: usize) -> Self {
        let costs = sorted.iter().skip(axis).step_by(m);
        let mut order: Vec<u128> = (0..).zip(costs).map(|(row, cost)| packed(*cost, row)).collect();
        order.sort_unstable();
        let mut places = vec![0; order.len()];
        let mut place = 0;
        for tied in order.chunk_by(|a, b| a >> u32::BITS == b >> u32::BITS) {
            place += tied.len();
            for own in tied {
                if let Some(own) = places.get_mut(row_of(*own)) {
                    *own = u32::try_from(place).unwrap_or(u32::MAX);
                }
            }
        }
        let mut set = vec![0; words];
        let mut sets = Vec::with_capacity(order.len().div_ceil(block) * words);
        for next in order.chunks(block) {
            next.iter().for_each(|packed| insert(&mut set, row_of(*packed)));
            sets.extend_from_slice(&set);
        }
        Self { places, sets, block, words }
    }

    /// The smallest set that holds everyone who is not dearer than `row`, as its first `used` words.
    fn not_dearer(&self, row: usize, used: usize) -> &[u64] {
        let place = self.places.get(row).copied().unwrap_or(1) as usize;
        let start = place.div_ceil(self.block).saturating_sub(1) * self.words;
        self.sets.get(start..start + used).unwrap_or_default()
    }
}

fn insert(set: &mut [u64], row: usize) {
    if let Some(word) = set.get_mut(row / WORD) {
        *word |= 1 << (row % WORD);
    }
}

/// Who may dominate the row that is being ranked.
struct Suspects {
    prefixes: Vec<Prefixes>,
    /// Places of each row in each of the objectives after the first, one row after another.
    places: Vec<u32>,
    /// One bit a row; only the first `used` words have a meaning.
    bits: Vec<u64>,
    used: usize,
}

impl Suspects {
    fn new(rows: usize, prefixes: Vec<Prefixes>, words: usize) -> Self {
        let mut places = Vec::with_capacity(rows * prefixes.len());
        for row in 0..rows {
            places.extend(prefixes.iter().filter_map(|prefix| prefix.places.get(row)));
        }
        Self { prefixes, places, bits: vec![0; words], used: 0 }
    }

    /// Takes up the next row. Whoever stands behind it in the order is in no front yet, and needs no bit cleared.
    fn gather(&mut self, row: usize) {
        self.used = (row / WORD + 1).next_multiple_of(STRIDE);
        let used = self.used;
        let Some(bits) = self.bits.get_mut(..used) else { return };
        let mut sets = self.prefixes.iter().map(|prefix| prefix.not_dearer(row, used));
        if let Some(first) = sets.next() {
            bits.copy_from_slice(first);
        }
        for set in sets {
            for (bits, set) in bits.iter_mut().zip(set) {
                *bits &= set;
            }
        }
    }

    /// Whether `other`, which stands before `row` in the order, is not dearer in any objective.
    fn stands(&self, other: usize, row: usize) -> bool {
        let m = self.prefixes.len();
        let places = |row: usize| self.places.get(row * m..(row + 1) * m).unwrap_or_default();
        places(other).iter().zip(places(row)).all(|(other, own)| other <= own)
    }

    /// Whether one of `members`, bits of the given word, dominates `row`. Who does not loses the bit, so that the
    /// comparison is made once.
    fn any_stands(&mut self, word: usize, members: u64, row: usize) -> bool {
        let mut left = members & self.bits.get(word).copied().unwrap_or(0);
        while left != 0 {
            let lowest = left & left.wrapping_neg();
            if self.stands(word * WORD + lowest.trailing_zeros() as usize, row) {
                return true;
            }
            if let Some(bits) = self.bits.get_mut(word) {
                *bits &= !lowest;
            }
            left ^= lowest;
        }
        false
    }
}

/// The members of one front: a list while they are few, else one bit a row. There are never more long fronts than blocks,
/// so that many short fronts cost little memory.
#[derive(Default)]
struct Front {
    members: Vec<usize>,
    bits: Vec<u64>,
}

impl Front {
    /// Whether a member dominates `row`.
    fn dominates(&self, row: usize, suspects: &mut Suspects) -> bool {
        if self.bits.is_empty() {
            let mut members = self.members.iter().rev();
            return members.any(|member| suspects.any_stands(member / WORD, 1 << (member % WORD), row));
        }
        for (place, members) in self.bits.chunks_exact(STRIDE).take(suspects.used / STRIDE).enumerate() {
            let start = place * STRIDE;
            let known = suspects.bits.get(start..start + STRIDE).unwrap_or_default();
            if members.iter().zip(known).fold(0, |any, (a, b)| any | a & b) == 0 {
                continue;
            }
            for (word, members) in (start..).zip(members) {
                if suspects.any_stands(word, *members, row) {
                    return true;
                }
            }
        }
        false
    }

    fn push(&mut self, row: usize, block: usize, words: usize) {
        if self.bits.is_empty() {
            self.members.push(row);
            if self.members.len() <= block {
                return;
            }
            self.bits = vec![0; words];
            let bits = &mut self.bits;
            self.members.drain(..).for_each(|member| insert(bits, member));
        } else {
            insert(&mut self.bits, row);
        }
    }
}
