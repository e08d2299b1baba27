//! Python's plain values as they travel between the engine and a candidate: Python's own `marshal` format, version 2,
//! written as hexadecimal text so that one value is one line.
//!
//! `marshal` is built into the interpreter (nothing is imported for it), keeps exact types, and refuses every object of
//! a class of the program's own, so that a value cannot answer for itself whether it is equal. Only plain data is read;
//! code objects and references are refused. Source: CPython, Python/marshal.c.

use serde_json::value::RawValue;
use std::collections::BTreeMap;

/// Deepest nesting read or written.
const MAX_DEPTH: usize = 200;
/// Bits in one digit of a long integer.
const DIGIT_BITS: u32 = 15;
/// Relative difference within which two floats count as equal.
const FLOAT_TOLERANCE: f64 = 1e-9;

/// A plain Python value.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Value {
    None,
    Bool(bool),
    Int(Integer),
    Float(f64),
    Str(String),
    Bytes(Vec<u8>),
    List(Vec<Value>),
    Tuple(Vec<Value>),
    Dict(Vec<(Value, Value)>),
    Set(Vec<Value>),
    FrozenSet(Vec<Value>),
}

/// An integer of any size: sign and digits to the base 2^15, the least first, without leading zeros.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Integer {
    negative: bool,
    digits: Vec<u16>,
}

impl Integer {
    /// Reads decimal digits with an optional sign.
    fn from_decimal(text: &str) -> Option<Self> {
        let (negative, digits) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        let mut number = Self { negative, digits: Vec::new() };
        for byte in digits.bytes() {
            let mut carry = u32::from(byte - b'0');
            for digit in &mut number.digits {
                carry += u32::from(*digit) * 10;
                *digit = (carry & 0x7fff) as u16;
                carry >>= DIGIT_BITS;
            }
            if carry > 0 {
                number.digits.push(carry as u16);
            }
        }
        Some(number.normal())
    }

    fn normal(mut self) -> Self {
        while self.digits.last() == Some(&0) {
            self.digits.pop();
        }
        self.negative &= !self.digits.is_empty();
        self
    }

    /// The nearest float.
    pub(crate) fn to_f64(&self) -> f64 {
        let size = self.digits.iter().rev().fold(0.0, |sum, digit| sum * 32_768.0 + f64::from(*digit));
        if self.negative { -size } else { size }
    }

    fn to_i32(&self) -> Option<i32> {
        let size = self.digits.iter().rev().try_fold(0i64, |sum, digit| {
            sum.checked_mul(32_768)?.checked_add(i64::from(*digit)).filter(|sum| *sum <= 1 << 31)
        })?;
        i32::try_from(if self.negative { -size } else { size }).ok()
    }
}

impl From<i64> for Integer {
    fn from(number: i64) -> Self {
        Self::from_decimal(&number.to_string()).unwrap_or_default()
    }
}

impl Value {
    /// A value as JSON means it. Whole numbers keep every digit.
    pub(crate) fn from_json(raw: &RawValue) -> Result<Self, String> {
        Self::from_json_at(raw.get().trim(), 0)
    }

    fn from_json_at(text: &str, depth: usize) -> Result<Self, String> {
        if depth > MAX_DEPTH {
            return Err("it is nested too deeply".to_owned());
        }
        let invalid = |error: serde_json::Error| error.to_string();
        match text.bytes().next() {
            Some(b'[') => {
                let items: Vec<&RawValue> = serde_json::from_str(text).map_err(invalid)?;
                items
                    .iter()
                    .map(|item| Self::from_json_at(item.get().trim(), depth + 1))
                    .collect::<Result<_, _>>()
                    .map(Self::List)
            }
            Some(b'{') => {
                let items: BTreeMap<String, &RawValue> = serde_json::from_str(text).map_err(invalid)?;
                let pair = |(key, item): (String, &RawValue)| {
                    Ok((Self::Str(key), Self::from_json_at(item.get().trim(), depth + 1)?))
                };
                items.into_iter().map(pair).collect::<Result<_, _>>().map(Self::Dict)
            }
            Some(b'"') => serde_json::from_str(text).map(Self::Str).map_err(invalid),
            Some(b't' | b'f') => serde_json::from_str(text).map(Self::Bool).map_err(invalid),
            Some(b'n') => Ok(Self::None),
            _ => match Integer::from_decimal(text) {
                Some(number) => Ok(Self::Int(number)),
                None => serde_json::from_str(text).map(Self::Float).map_err(invalid),
            },
        }
    }

    /// The value as one line of hexadecimal text, without its end.
    pub(crate) fn to_line(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        self.write(&mut bytes);
        const HEX: &[u8; 16] = b"0123456789abcdef";
        bytes
            .iter()
            .flat_map(|byte| [byte >> 4, byte & 15])
            .filter_map(|half| HEX.get(usize::from(half)).copied())
            .collect()
    }

    fn write(&self, out: &mut Vec<u8>) {
        let sized = |out: &mut Vec<u8>, tag: u8, count: usize| {
            out.push(tag);
            out.extend(u32::try_from(count).unwrap_or(u32::MAX).to_le_bytes());
        };
        match self {
            Self::None => out.push(b'N'),
            Self::Bool(true) => out.push(b'T'),
            Self::Bool(false) => out.push(b'F'),
            Self::Int(number) => match number.to_i32() {
                Some(small) => {
                    out.push(b'i');
                    out.extend(small.to_le_bytes());
                }
                None => {
                    out.push(b'l');
                    let count = i32::try_from(number.digits.len()).unwrap_or(i32::MAX);
                    out.extend(if number.negative { -count } else { count }.to_le_bytes());
                    out.extend(number.digits.iter().flat_map(|digit| digit.to_le_bytes()));
                }
            },
            Self::Float(number) => {
                out.push(b'g');
                out.extend(number.to_le_bytes());
            }
            Self::Str(text) => {
                sized(out, b'u', text.len());
                out.extend(text.as_bytes());
            }
            Self::Bytes(bytes) => {
                sized(out, b's', bytes.len());
                out.extend(bytes);
            }
            Self::List(items) | Self::Tuple(items) | Self::Set(items) | Self::FrozenSet(items) => {
                let tag = match self {
                    Self::List(_) => b'[',
                    Self::Tuple(_) => b'(',
                    Self::Set(_) => b'<',
                    _ => b'>',
                };
                sized(out, tag, items.len());
                items.iter().for_each(|item| item.write(out));
            }
            Self::Dict(items) => {
                out.push(b'{');
                for (key, item) in items {
                    key.write(out);
                    item.write(out);
                }
                out.push(b'0');
            }
        }
    }

    /// Reads a line of hexadecimal text. Anything but exactly one plain value is an error.
    pub(crate) fn from_line(line: &[u8]) -> Result<Self, String> {
        let half = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
        let mut bytes = Vec::with_capacity(line.len() / 2);
        for pair in line.chunks(2) {
            match pair {
                [high, low] => match (half(*high), half(*low)) {
                    (Some(high), Some(low)) => bytes.push(high << 4 | low),
                    _ => return Err("it is not hexadecimal".to_owned()),
                },
                _ => return Err("it ends in the middle of a byte".to_owned()),
            }
        }
        let mut reader = Reader { rest: &bytes };
        let value = reader.value(0)?.ok_or("it is empty")?;
        if reader.rest.is_empty() { Ok(value) } else { Err("something follows the value".to_owned()) }
    }

    /// An item of a dictionary by its text key.
    pub(crate) fn get(&self, key: &str) -> Option<&Self> {
        let Self::Dict(items) = self else { return None };
        items.iter().find(|(name, _)| matches!(name, Self::Str(text) if text == key)).map(|(_, item)| item)
    }

    /// The text of a string.
    pub(crate) fn as_str(&self) -> Option<&str> {
        match self {
            Self::Str(text) => Some(text),
            _ => None,
        }
    }

    /// Any number, or a truth value, as a float.
    pub(crate) fn as_f64(&self) -> Option<f64> {
        match self {
            Self::Int(number) => Some(number.to_f64()),
            Self::Float(number) => Some(*number),
            Self::Bool(truth) => Some(f64::from(u8::from(*truth))),
            _ => None,
        }
    }

    /// The items of a list, tuple or set.
    pub(crate) fn items(&self) -> Option<&[Self]> {
        match self {
            Self::List(items) | Self::Tuple(items) | Self::Set(items) | Self::FrozenSet(items) => Some(items),
            _ => None,
        }
    }

    /// Whether a result is what was expected, the expectation coming from JSON, which knows fewer types: tuples equal
    /// lists, sets equal lists in any order, keys equal their text, whole floats equal integers, floats within a
    /// relative 1e-9. Truth values are no numbers. Not-a-number and infinities equal nothing.
    pub(crate) fn meets(&self, expected: &Self) -> bool {
        match (self, expected) {
            (Self::None, Self::None) => true,
            (Self::Bool(a), Self::Bool(b)) => a == b,
            (Self::Int(a), Self::Int(b)) => a == b,
            (Self::Int(_) | Self::Float(_), Self::Int(_) | Self::Float(_)) => {
                let (Some(a), Some(b)) = (self.as_f64(), expected.as_f64()) else { return false };
                a.is_finite()
                    && b.is_finite()
                    && (a - b).abs() <= FLOAT_TOLERANCE * a.abs().max(b.abs()).max(1.0)
            }
            (Self::Str(a), Self::Str(b)) => a == b,
            (Self::Bytes(a), Self::Str(b)) => a == b.as_bytes(),
            (Self::List(a) | Self::Tuple(a), Self::List(b) | Self::Tuple(b)) => {
                a.len() == b.len() && a.iter().zip(b).all(|(a, b)| a.meets(b))
            }
            (Self::Set(a) | Self::FrozenSet(a), Self::List(b) | Self::Tuple(b)) => {
                let mut left: Vec<&Self> = b.iter().collect();
                a.len() == b.len()
                    && a.iter().all(|a| match left.iter().position(|b| a.meets(b)) {
                        Some(place) => {
                            left.swap_remove(place);
                            true
                        }
                        None => false,
                    })
            }
            (Self::Dict(a), Self::Dict(b)) => {
                a.len() == b.len()
                    && b.iter().all(|(key, expected)| {
                        a.iter().any(|(own, value)| own.is_key(key) && value.meets(expected))
                    })
            }
            _ => false,
        }
    }

    fn is_key(&self, expected: &Self) -> bool {
        if self.meets(expected) {
            return true;
        }
        let Self::Str(text) = expected else { return false };
        match self {
            Self::Int(number) => Integer::from_decimal(text).as_ref() == Some(number),
            Self::Bool(truth) => text == if *truth { "true" } else { "false" },
            Self::None => text == "null",
            Self::Float(number) => text.parse() == Ok(*number),
            _ => false,
        }
    }
}

/// Reads `marshal` data.
struct Reader<'b> {
    rest: &'b [u8],
}

impl Reader<'_> {
    fn take(&mut self, count: usize) -> Result<&[u8], String> {
        let (taken, rest) = self.rest.split_at_checked(count).ok_or("it ends too early")?;
        self.rest = rest;
        Ok(taken)
    }

    fn number(&mut self) -> Result<i32, String> {
        let bytes = self.take(4)?.try_into().map_err(|_| "it ends too early")?;
        Ok(i32::from_le_bytes(bytes))
    }

    fn count(&mut self) -> Result<usize, String> {
        let count = usize::try_from(self.number()?).map_err(|_| "a size is negative")?;
        // Every item takes a byte at least, so a larger count is a lie; this also bounds what is reserved.
        if count > self.rest.len() { Err("a size is larger than the data".to_owned()) } else { Ok(count) }
    }

    fn items(&mut self, depth: usize) -> Result<Vec<Value>, String> {
        let count = self.count()?;
        (0..count).map(|_| self.value(depth + 1)?.ok_or_else(|| "an item is missing".to_owned())).collect()
    }

    /// One value, or `None` for the mark that ends a dictionary.
    fn value(&mut self, depth: usize) -> Result<Option<Value>, String> {
        if depth > MAX_DEPTH {
            return Err("it is nested too deeply".to_owned());
        }
        let tag = self.take(1)?.first().copied().unwrap_or(b'0');
        Ok(Some(match tag {
            b'0' => return Ok(None),
            b'N' => Value::None,
            b'T' => Value::Bool(true),
            b'F' => Value::Bool(false),
            b'i' => Value::Int(Integer::from(i64::from(self.number()?))),
            b'l' => {
                let count = self.number()?;
                let digits = self.take(count.unsigned_abs() as usize * 2)?;
                let digits = digits.chunks_exact(2).map(|pair| match pair {
                    [low, high] => u16::from_le_bytes([*low, *high]),
                    _ => 0,
                });
                Value::Int(Integer { negative: count < 0, digits: digits.collect() }.normal())
            }
            b'g' => {
                let bytes = self.take(8)?.try_into().map_err(|_| "it ends too early")?;
                Value::Float(f64::from_le_bytes(bytes))
            }
            b'u' | b't' => {
                let count = self.count()?;
                Value::Str(String::from_utf8_lossy(self.take(count)?).into_owned())
            }
            b's' => {
                let count = self.count()?;
                Value::Bytes(self.take(count)?.to_vec())
            }
            b'[' => Value::List(self.items(depth)?),
            b'(' => Value::Tuple(self.items(depth)?),
            b'<' => Value::Set(self.items(depth)?),
            b'>' => Value::FrozenSet(self.items(depth)?),
            b'{' => {
                let mut items = Vec::new();
                while let Some(key) = self.value(depth + 1)? {
                    let item = self.value(depth + 1)?.ok_or("an item is missing")?;
                    items.push((key, item));
                }
                Value::Dict(items)
            }
            other => {
                return Err(format!("it holds something that is not plain data ({:?})", char::from(other)));
            }
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn json(text: &str) -> Value {
        Value::from_json(&RawValue::from_string(text.to_owned()).expect("json")).expect("a value")
    }

    fn values() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::None),
            any::<bool>().prop_map(Value::Bool),
            any::<i64>().prop_map(|number| Value::Int(number.into())),
            "[0-9]{20,60}".prop_map(|text| Value::Int(Integer::from_decimal(&text).expect("digits"))),
            (-1e300..1e300f64).prop_map(Value::Float),
            ".{0,12}".prop_map(Value::Str),
        ];
        leaf.prop_recursive(4, 40, 6, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..6).prop_map(Value::List),
                prop::collection::vec(inner.clone(), 0..6).prop_map(Value::Tuple),
                prop::collection::vec((inner.clone(), inner), 0..4).prop_map(Value::Dict),
            ]
        })
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(value in values()) {
            prop_assert_eq!(Value::from_line(&value.to_line()), Ok(value.clone()));
        }

        #[test]
        fn garbage_is_refused_or_read_and_never_panics(line in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = Value::from_line(&line);
        }
    }

    #[test]
    fn expectations_from_json_are_met_as_people_mean_them() {
        let yes = [
            (Value::Tuple(vec![json("1"), json("2")]), "[1, 2]"),
            (Value::Set(vec![json("2"), json("1")]), "[1, 2]"),
            (Value::Dict(vec![(json("1"), json("true"))]), "{\"1\": true}"),
            (Value::Float(3.0), "3"),
            (json("1267650600228229401496703205376"), "1267650600228229401496703205376"),
            (Value::Float(0.1 + 0.2), "0.3"),
        ];
        for (value, expected) in yes {
            assert!(value.meets(&json(expected)), "{value:?} {expected}");
        }
        let no = [
            (Value::Bool(true), "1"),
            (json("1267650600228229401496703205376"), "1267650600228229401496703205377"),
            (Value::Float(f64::NAN), "0"),
            (json("[1, 2]"), "[2, 1]"),
            (json("\"1\""), "1"),
            (Value::None, "0"),
        ];
        for (value, expected) in no {
            assert!(!value.meets(&json(expected)), "{value:?} {expected}");
        }
    }
}
