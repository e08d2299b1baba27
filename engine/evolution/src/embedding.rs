//! Where an embedding model places a program: programs that mean alike lie in like directions, however differently they
//! are written. The model is asked outside, by whoever screens proposals; what it answered travels in the candidate's event.

use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use serde::{Deserialize, Serialize};

/// Most components of an embedding. The largest models that are known have as many.
pub const MAX_DIMENSIONS: usize = 4096;
/// Most characters of the reason for which there is no embedding.
pub const MAX_REASON: usize = 200;

/// A direction: each component as a share of the largest, in 1/32767. Of an embedding only the direction counts. Two bytes a
/// component leave errors of a cosine below one in 100,000 even where a few components are much larger than all others, which
/// one byte does not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[cfg_attr(test, ts(as = "String"))]
#[serde(try_from = "String", into = "String")]
pub struct Direction(Box<[i16]>);

/// Why numbers are no direction.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DirectionError {
    /// There are none, or too many.
    #[error("an embedding has 1 to {MAX_DIMENSIONS} numbers, this one {0}")]
    Length(usize),
    /// All are zero, or one is no number.
    #[error("the embedding points nowhere")]
    Nowhere,
    /// A recorded one cannot be read.
    #[error("the recorded embedding cannot be read")]
    Unreadable,
}

impl Direction {
    /// The direction of an embedding.
    ///
    /// # Errors
    ///
    /// When it has no components or more than [`MAX_DIMENSIONS`], or points nowhere.
    pub fn of(embedding: &[f32]) -> Result<Self, DirectionError> {
        if embedding.is_empty() || embedding.len() > MAX_DIMENSIONS {
            return Err(DirectionError::Length(embedding.len()));
        }
        let largest = embedding.iter().fold(0.0_f32, |largest, part| largest.max(part.abs()));
        if largest <= 0.0 || embedding.iter().any(|part| !part.is_finite()) {
            return Err(DirectionError::Nowhere);
        }
        // In 64 bits, where no quotient of 32 bits is lost; the result lies within -32767 to 32767.
        let share = |part: &f32| (f64::from(*part) / f64::from(largest) * f64::from(i16::MAX)).round() as i16;
        Ok(Self(embedding.iter().map(share).collect()))
    }

    /// How many components it has.
    pub fn dimensions(&self) -> usize {
        self.0.len()
    }

    /// The cosine of the angle between two directions, -1 to 1: the similarity of what they stand for. `None` for directions
    /// of different lengths, which are of different models.
    pub fn similarity(&self, other: &Self) -> Option<f64> {
        if self.0.len() != other.0.len() {
            return None;
        }
        // Sums of 4096 products of 30 bits: whole numbers, so that every machine finds the same.
        let product = |one: &[i16], two: &[i16]| -> i64 {
            one.iter().zip(two).map(|(one, two)| i64::from(*one) * i64::from(*two)).sum()
        };
        let lengths = product(&self.0, &self.0) as f64 * product(&other.0, &other.0) as f64;
        let cosine = product(&self.0, &other.0) as f64 / lengths.sqrt();
        Some(if self == other { 1.0 } else { cosine.clamp(-1.0, 1.0) })
    }
}

impl TryFrom<String> for Direction {
    type Error = DirectionError;

    fn try_from(text: String) -> Result<Self, DirectionError> {
        let bytes = STANDARD_NO_PAD.decode(text).map_err(|_| DirectionError::Unreadable)?;
        let (pairs, rest) = bytes.as_chunks::<2>();
        let parts: Box<[i16]> = pairs.iter().map(|pair| i16::from_le_bytes(*pair)).collect();
        if !rest.is_empty() || parts.is_empty() || parts.len() > MAX_DIMENSIONS {
            return Err(DirectionError::Unreadable);
        }
        if parts.iter().all(|part| *part == 0) {
            return Err(DirectionError::Nowhere);
        }
        Ok(Self(parts))
    }
}

impl From<Direction> for String {
    fn from(direction: Direction) -> Self {
        let bytes: Vec<u8> = direction.0.iter().flat_map(|part| part.to_le_bytes()).collect();
        STANDARD_NO_PAD.encode(bytes)
    }
}

/// What is known of a program's embedding.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum Embedding {
    /// Nobody asked for it.
    #[default]
    Unasked,
    /// It was asked for and not had, for this reason: the distance of syntax trees takes its place.
    Missing(Box<str>),
    /// Its direction: two bytes a component as little-endian base64 without padding.
    Known(Direction),
}

impl Embedding {
    /// One that was not had.
    pub fn missing(reason: &str) -> Self {
        Self::Missing(reason.chars().take(MAX_REASON).collect::<String>().into_boxed_str())
    }

    /// Whether nobody asked.
    pub fn is_unasked(&self) -> bool {
        matches!(self, Self::Unasked)
    }

    /// The cosine of the angle to another, -1 to 1; `None` unless both are known and of one model.
    pub fn similarity(&self, other: &Self) -> Option<f64> {
        match (self, other) {
            (Self::Known(one), Self::Known(two)) => one.similarity(two),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Direction, DirectionError, Embedding, MAX_DIMENSIONS};
    use proptest::prelude::*;

    fn direction(parts: &[f32]) -> Direction {
        Direction::of(parts).unwrap()
    }

    #[test]
    fn what_points_nowhere_is_no_direction() {
        assert_eq!(Direction::of(&[]), Err(DirectionError::Length(0)));
        assert_eq!(Direction::of(&[0.0, 0.0]), Err(DirectionError::Nowhere));
        assert_eq!(Direction::of(&[1.0, f32::NAN]), Err(DirectionError::Nowhere));
        assert_eq!(Direction::of(&[1.0, f32::INFINITY]), Err(DirectionError::Nowhere));
        let long = vec![1.0; MAX_DIMENSIONS + 1];
        assert_eq!(Direction::of(&long), Err(DirectionError::Length(long.len())));
    }

    #[test]
    fn the_cosine_is_that_of_the_angle_whatever_the_lengths() {
        let east = direction(&[2.0, 0.0]);
        assert_eq!(east.similarity(&direction(&[0.1, 0.0])), Some(1.0));
        assert_eq!(east.similarity(&direction(&[0.0, 3.0])), Some(0.0));
        assert_eq!(east.similarity(&direction(&[-1.0, 0.0])), Some(-1.0));
        let north_east = east.similarity(&direction(&[1.0, 1.0])).unwrap();
        assert!((north_east - 0.5_f64.sqrt()).abs() < 1e-12, "{north_east}");
        assert_eq!(east.similarity(&direction(&[1.0])), None, "those of another model are not compared");
    }

    #[test]
    fn what_is_not_known_is_compared_with_nothing() {
        let known = Embedding::Known(direction(&[1.0]));
        let missing = Embedding::missing(&"x".repeat(1_000));
        assert_eq!(known.similarity(&missing), None);
        assert_eq!(known.similarity(&Embedding::Unasked), None);
        assert!(matches!(missing, Embedding::Missing(reason) if reason.len() == 200));
    }

    proptest! {
        #[test]
        fn what_is_kept_is_as_good_as_what_came(
            one in prop::collection::vec(-1.0_f32..1.0, 1..400),
            noise in prop::collection::vec(-0.1_f32..0.1, 400),
            outlier in 1.0_f32..100.0,
        ) {
            // One component that is much larger than all others, as models have them.
            let one: Vec<f32> = std::iter::once(outlier).chain(one).collect();
            let two: Vec<f32> = one.iter().zip(&noise).map(|(part, noise)| part + noise).collect();
            let product = |one: &[f32], two: &[f32]| -> f64 {
                one.iter().zip(two).map(|(one, two)| f64::from(*one) * f64::from(*two)).sum()
            };
            let exact = product(&one, &two) / (product(&one, &one) * product(&two, &two)).sqrt();
            let (one, two) = (direction(&one), direction(&two));
            let kept = one.similarity(&two).unwrap();
            prop_assert!((kept - exact).abs() < 1e-5, "{} {}", kept, exact);
            prop_assert_eq!(two.similarity(&one), Some(kept));
            prop_assert_eq!(one.similarity(&one), Some(1.0));
            let written = serde_json::to_string(&Embedding::Known(one.clone())).unwrap();
            prop_assert_eq!(serde_json::from_str::<Embedding>(&written).unwrap(), Embedding::Known(one));
        }
    }
}
