//! Durations and sizes as people write them: `"1h 30m"`, `"256MiB"`. Only text to number and back.

use std::time::Duration;

/// Units of size with their bytes; decimal by the SI, binary by IEC 80000-13.
const SIZE_UNITS: [(&str, u64); 9] = [
    ("B", 1),
    ("kB", 1_000),
    ("KB", 1_000),
    ("MB", 1_000_000),
    ("GB", 1_000_000_000),
    ("KiB", 1 << 10),
    ("MiB", 1 << 20),
    ("GiB", 1 << 30),
    ("TiB", 1 << 40),
];

/// Reads a duration such as `20s`, `10m` or `1h 30m`.
pub(crate) fn duration(text: &str) -> Result<Duration, String> {
    humantime::parse_duration(text.trim()).map_err(|error| error.to_string())
}

/// Reads a size in bytes such as `1GiB`, `1.5 MB` or `4096`.
pub(crate) fn size(text: &str) -> Result<u64, String> {
    let text = text.trim();
    let unit_at = text.find(|c: char| !(c.is_ascii_digit() || c == '.' || c == '_')).unwrap_or(text.len());
    let (number, unit) = text.split_at(unit_at);
    let unit = unit.trim();
    let factor = match SIZE_UNITS.iter().find(|(name, _)| name.eq_ignore_ascii_case(unit)) {
        Some((_, factor)) => *factor,
        None if unit.is_empty() => 1,
        None => return Err(format!("unknown unit `{unit}`")),
    };
    let number: f64 =
        number.replace('_', "").parse().map_err(|_| format!("`{text}` begins with no number"))?;
    let bytes = number * factor as f64;
    // Beyond 2^53 a size is no longer exact as a double, and far beyond any machine.
    if bytes.is_finite() && (0.0..=9.0e15).contains(&bytes) {
        Ok(bytes.round() as u64)
    } else {
        Err(format!("`{text}` is too large"))
    }
}

/// A size as people write it, in the largest binary unit that divides it.
pub(crate) fn size_text(bytes: u64) -> String {
    let binary = ["TiB", "GiB", "MiB", "KiB"];
    let unit = SIZE_UNITS
        .iter()
        .rev()
        .find(|(name, factor)| binary.contains(name) && bytes >= *factor && bytes.is_multiple_of(*factor));
    match unit {
        Some((name, factor)) => format!("{}{name}", bytes / factor),
        None => format!("{bytes}B"),
    }
}

/// Serde form of durations: text such as `1m 30s`.
pub(crate) mod duration_text {
    use serde::{Deserialize, Deserializer, Serializer};
    use std::time::Duration;

    pub(crate) fn serialize<S: Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&humantime::format_duration(*duration))
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
        let text = String::deserialize(deserializer)?;
        super::duration(&text).map_err(serde::de::Error::custom)
    }
}

/// The same for durations that may be absent.
pub(crate) mod optional_duration_text {
    use serde::{Deserialize, Deserializer, Serializer};
    use std::time::Duration;

    pub(crate) fn serialize<S: Serializer>(
        duration: &Option<Duration>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        match duration {
            Some(duration) => super::duration_text::serialize(duration, serializer),
            None => serializer.serialize_none(),
        }
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<Duration>, D::Error> {
        let text = Option::<String>::deserialize(deserializer)?;
        text.map(|text| super::duration(&text).map_err(serde::de::Error::custom)).transpose()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_in_every_unit() {
        let cases =
            [("1GiB", 1 << 30), ("256MiB", 256 << 20), ("1.5 MB", 1_500_000), ("4096", 4096), ("2kb", 2000)];
        for (text, bytes) in cases {
            assert_eq!(size(text), Ok(bytes), "{text}");
        }
        for text in ["", "GiB", "1XB", "1e99", "-1"] {
            assert!(size(text).is_err(), "{text}");
        }
    }

    #[test]
    fn sizes_are_written_as_they_were_read() {
        for text in ["1GiB", "256MiB", "3B", "1025B", "64KiB"] {
            assert_eq!(size(text).map(size_text), Ok(text.to_owned()));
        }
    }

    #[test]
    fn durations_are_read() {
        assert_eq!(duration("20s"), Ok(Duration::from_secs(20)));
        assert_eq!(duration(" 1h 30m "), Ok(Duration::from_secs(5400)));
        assert!(duration("20").is_err() && duration("soon").is_err());
    }
}
