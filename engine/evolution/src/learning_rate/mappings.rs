//! What a learning rate means: each way in which boldness shows, as a pure function of the rate. Rates run from 0.01 to
//! 0.5 and start at 0.1; whatever else comes in is moved to the nearer of 0 and 1, and not a number counts as 0.

/// Most edits of one mutation.
pub const MAX_EDITS: u32 = 5;
/// Model temperature at a rate of 0.
pub const BASE_TEMPERATURE: f64 = 0.6;

fn share(rate: f64) -> f64 {
    if rate.is_nan() { 0.0 } else { rate.clamp(0.0, 1.0) }
}

/// Most edits that one mutation makes: `1 + floor(8 rate)`, at most [`MAX_EDITS`]. One up to a rate of 0.125 (the start
/// included, since most repairs are one edit away), two to 0.25, five at 0.5.
pub fn edits(rate: f64) -> u32 {
    // At most 9 before the limit, so the conversion is exact.
    (1 + (8.0 * share(rate)).floor() as u32).min(MAX_EDITS)
}

/// Standard deviation of the relative change of a number: `2 rate`. A fifth at the start, 2 % at the smallest rate, its
/// own size at the largest.
pub fn numeric_step(rate: f64) -> f64 {
    2.0 * share(rate)
}

/// Share of choices of a parent that ignore quality and draw uniformly: the rate itself. 0.1 at the start.
pub fn exploration(rate: f64) -> f64 {
    share(rate)
}

/// Sampling temperature of a language model: `0.6 + 0.8 rate`, so 0.68 at the start and 1.0 at the largest rate.
pub fn temperature(rate: f64) -> f64 {
    BASE_TEMPERATURE + 0.8 * share(rate)
}

#[cfg(test)]
mod tests {
    use super::{edits, exploration, numeric_step, temperature};

    #[test]
    fn boldness_at_the_start_and_at_the_bounds() {
        assert_eq!([edits(0.01), edits(0.1), edits(0.125), edits(0.25), edits(0.5)], [1, 1, 2, 3, 5]);
        assert_eq!([numeric_step(0.01), numeric_step(0.1), numeric_step(0.5)], [0.02, 0.2, 1.0]);
        assert_eq!([exploration(0.01), exploration(0.5)], [0.01, 0.5]);
        assert!((temperature(0.1) - 0.68).abs() < 1e-12 && (temperature(0.5) - 1.0).abs() < 1e-12);
    }

    #[test]
    fn every_mapping_rises_with_the_rate() {
        for step in 1..=50 {
            let (low, high) = (f64::from(step - 1) / 100.0, f64::from(step) / 100.0);
            assert!(edits(low) <= edits(high) && numeric_step(low) < numeric_step(high));
            assert!(exploration(low) < exploration(high) && temperature(low) < temperature(high));
        }
    }

    #[test]
    fn nonsense_is_moved_to_the_nearer_bound() {
        assert_eq!((edits(f64::NAN), edits(-1.0), edits(7.0)), (1, 1, 5));
        assert_eq!((exploration(f64::NAN), exploration(f64::INFINITY)), (0.0, 1.0));
    }
}
