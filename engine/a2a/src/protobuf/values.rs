//! JSON values, objects and times as `google.protobuf` has them.
//! A number is a double there; a whole one is read as an integer, as ProtoJSON writes it.

use prost_types::value::Kind;
use prost_types::{ListValue, Struct, Timestamp};
use serde_json::{Number, Value};

use super::{IntoModel, within};
use crate::error::A2aError;
use crate::model::Metadata;

/// Beyond it a double does not tell whole numbers apart: 2^53.
const MAX_WHOLE: f64 = 9_007_199_254_740_992.0;
/// The first second after the year 9999, which is as far as RFC 3339 goes.
const TIMES_END: i64 = 253_402_300_800;

/// Writes a JSON value.
pub(super) fn value(value: Value) -> prost_types::Value {
    let kind = match value {
        Value::Null => Kind::NullValue(0),
        Value::Bool(flag) => Kind::BoolValue(flag),
        // Every number of serde_json has a nearest double.
        Value::Number(number) => Kind::NumberValue(number.as_f64().unwrap_or_default()),
        Value::String(text) => Kind::StringValue(text),
        Value::Array(items) => {
            Kind::ListValue(ListValue { values: items.into_iter().map(self::value).collect() })
        }
        Value::Object(members) => Kind::StructValue(fields(members)),
    };
    prost_types::Value { kind: Some(kind) }
}

/// Writes an object, though it be empty.
pub(super) fn fields(object: Metadata) -> Struct {
    Struct { fields: object.into_iter().map(|(name, member)| (name, value(member))).collect() }
}

/// Writes an object; an empty one is left out.
pub(super) fn object(object: Metadata) -> Option<Struct> {
    (!object.is_empty()).then(|| fields(object))
}

impl IntoModel for prost_types::Value {
    type Object = Value;

    /// A value that says no kind is null.
    fn into_model(self, at: &str) -> Result<Value, A2aError> {
        Ok(match self.kind {
            None | Some(Kind::NullValue(_)) => Value::Null,
            Some(Kind::BoolValue(flag)) => Value::Bool(flag),
            Some(Kind::NumberValue(number)) => Value::Number(
                whole(number)
                    .map(Number::from)
                    .or_else(|| Number::from_f64(number))
                    .ok_or_else(|| A2aError::invalid(at, "must hold finite numbers"))?,
            ),
            Some(Kind::StringValue(text)) => Value::String(text),
            Some(Kind::ListValue(list)) => {
                let items = list.values.into_iter().map(|item| item.into_model(at));
                Value::Array(items.collect::<Result<_, _>>()?)
            }
            Some(Kind::StructValue(members)) => Value::Object(members.into_model(at)?),
        })
    }
}

impl IntoModel for Struct {
    type Object = Metadata;

    fn into_model(self, at: &str) -> Result<Metadata, A2aError> {
        self.fields
            .into_iter()
            .map(|(name, member)| {
                let member = member.into_model(&within(at, &name))?;
                Ok((name, member))
            })
            .collect()
    }
}

/// The integer that a double is, as far as doubles tell them apart. A zero with a sign is none.
fn whole(number: f64) -> Option<i64> {
    let is_whole = number.fract() == 0.0 && number.abs() <= MAX_WHOLE;
    #[expect(clippy::cast_possible_truncation, reason = "a whole number below 2^53 is an i64")]
    (is_whole && !(number == 0.0 && number.is_sign_negative())).then_some(number as i64)
}

/// Writes a time; one that is not of RFC 3339 is left out.
pub(super) fn timestamp(text: &str) -> Option<Timestamp> {
    humantime::parse_rfc3339(text).ok().map(Timestamp::from)
}

impl IntoModel for Timestamp {
    type Object = String;

    /// To the millisecond, which is as exact as the times of tasks are.
    fn into_model(self, at: &str) -> Result<String, A2aError> {
        let time = Some(self).filter(|time| (0..TIMES_END).contains(&time.seconds));
        let time = time.filter(|time| (0..1_000_000_000).contains(&time.nanos));
        let time = time.and_then(|time| std::time::SystemTime::try_from(time).ok());
        let time = time.ok_or_else(|| A2aError::invalid(at, "must be a time from 1970 to 9999"))?;
        Ok(humantime::format_rfc3339_millis(time).to_string())
    }
}
