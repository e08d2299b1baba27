//! A part: one piece of content, which is exactly one of text, bytes, a link or a JSON value.
//! Not here: the part of older versions, which says its kind in a tag (`dialect`).

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use base64::prelude::BASE64_STANDARD;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de, ser::SerializeMap};
use serde_json::Value;

use super::{Metadata, nullable, present};

/// What a part holds.
#[derive(Clone, Debug, PartialEq)]
pub enum Content {
    /// Plain text.
    Text(String),
    /// Bytes of a file, base64 on the wire.
    Raw(Vec<u8>),
    /// Where a file can be fetched.
    Url(String),
    /// Any JSON value.
    Data(Value),
}

/// One piece of a message or an artifact.
#[derive(Clone, Debug, PartialEq)]
pub struct Part {
    /// What it holds.
    pub content: Content,
    /// Media type of the content; empty when the sender named none.
    pub media_type: String,
    /// Name of the file; empty when the sender named none.
    pub filename: String,
    /// Whatever else the sender attached.
    pub metadata: Metadata,
}

impl Part {
    fn of(content: Content) -> Self {
        Self { content, media_type: String::new(), filename: String::new(), metadata: Metadata::new() }
    }

    /// A part of plain text.
    #[must_use]
    pub fn text(text: impl Into<String>) -> Self {
        Self::of(Content::Text(text.into()))
    }

    /// A part that holds a JSON value.
    #[must_use]
    pub fn data(value: Value) -> Self {
        Self::of(Content::Data(value))
    }

    /// A part that holds the bytes of a file.
    #[must_use]
    pub fn raw(bytes: Vec<u8>) -> Self {
        Self::of(Content::Raw(bytes))
    }

    /// A part that says where a file is.
    #[must_use]
    pub fn url(url: impl Into<String>) -> Self {
        Self::of(Content::Url(url.into()))
    }

    /// The same part with a media type.
    #[must_use]
    pub fn with_media_type(mut self, media_type: impl Into<String>) -> Self {
        self.media_type = media_type.into();
        self
    }

    /// The same part with a file name.
    #[must_use]
    pub fn with_filename(mut self, filename: impl Into<String>) -> Self {
        self.filename = filename.into();
        self
    }

    /// The text, if it is a part of text.
    #[must_use]
    pub fn as_text(&self) -> Option<&str> {
        match &self.content {
            Content::Text(text) => Some(text),
            _ => None,
        }
    }

    /// Bytes that the content takes in memory, roughly.
    #[must_use]
    pub fn size(&self) -> usize {
        let content = match &self.content {
            Content::Text(text) | Content::Url(text) => text.len(),
            Content::Raw(bytes) => bytes.len(),
            Content::Data(value) => value_size(value),
        };
        content + self.media_type.len() + self.filename.len() + object_size(&self.metadata)
    }
}

/// Bytes that a JSON value takes, roughly; what limits are counted in.
pub(crate) fn value_size(value: &Value) -> usize {
    const SCALAR: usize = 16;
    SCALAR
        + match value {
            Value::Null | Value::Bool(_) | Value::Number(_) => 0,
            Value::String(text) => text.len(),
            Value::Array(items) => items.iter().map(value_size).sum(),
            Value::Object(object) => object_size(object),
        }
}

/// As [`value_size`], of an object.
pub(crate) fn object_size(object: &Metadata) -> usize {
    object.iter().map(|(key, value)| key.len() + value_size(value)).sum()
}

/// Reads base64 as ProtoJSON does: either alphabet, padded or not.
pub(crate) fn decode_base64(text: &str) -> Result<Vec<u8>, base64::DecodeError> {
    const LENIENT: GeneralPurposeConfig =
        GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
    let alphabet = if text.contains(['-', '_']) { &alphabet::URL_SAFE } else { &alphabet::STANDARD };
    GeneralPurpose::new(alphabet, LENIENT).decode(text)
}

/// Writes standard base64 with padding, as ProtoJSON does.
pub(crate) fn encode_base64(bytes: &[u8]) -> String {
    BASE64_STANDARD.encode(bytes)
}

#[derive(Deserialize)]
struct PartFields {
    text: Option<String>,
    raw: Option<String>,
    url: Option<String>,
    #[serde(default, deserialize_with = "present")]
    data: Option<Value>,
    #[serde(default, rename = "mediaType", alias = "media_type", deserialize_with = "nullable")]
    media_type: String,
    #[serde(default, deserialize_with = "nullable")]
    filename: String,
    #[serde(default, deserialize_with = "nullable")]
    metadata: Metadata,
}

impl<'de> Deserialize<'de> for Part {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let PartFields { text, raw, url, data, media_type, filename, metadata } =
            PartFields::deserialize(deserializer)?;
        let content = match (text, raw, url, data) {
            (Some(text), None, None, None) => Content::Text(text),
            (None, Some(raw), None, None) => Content::Raw(
                decode_base64(&raw)
                    .map_err(|error| de::Error::custom(format_args!("`raw` must be base64: {error}")))?,
            ),
            (None, None, Some(url), None) => Content::Url(url),
            (None, None, None, Some(data)) => Content::Data(data),
            _ => {
                return Err(de::Error::custom("a part holds exactly one of `text`, `raw`, `url` and `data`"));
            }
        };
        Ok(Self { content, media_type, filename, metadata })
    }
}

impl Serialize for Part {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        match &self.content {
            Content::Text(text) => map.serialize_entry("text", text)?,
            Content::Raw(bytes) => map.serialize_entry("raw", &encode_base64(bytes))?,
            Content::Url(url) => map.serialize_entry("url", url)?,
            Content::Data(value) => map.serialize_entry("data", value)?,
        }
        if !self.filename.is_empty() {
            map.serialize_entry("filename", &self.filename)?;
        }
        if !self.media_type.is_empty() {
            map.serialize_entry("mediaType", &self.media_type)?;
        }
        if !self.metadata.is_empty() {
            map.serialize_entry("metadata", &self.metadata)?;
        }
        map.end()
    }
}
