//! Tests: what the Python SDK encodes is read as what its JSON says, and written as it wrote it; whatever else is written
//! here is read back as it was; and strangers' bytes do no harm.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use proptest::prelude::*;
use prost::Message as _;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::IntoModel;
use super::values::value;
use crate::model::{self, Content, Message, Part, Role, StreamItem, TaskState};
use crate::protobuf as wire;

/// What `tests/kits/protobuf_samples.py` wrote.
const SAMPLES: &str = include_str!("../../tests/kits/protobuf_samples.json");

#[derive(Deserialize)]
struct Sample {
    r#type: String,
    fields: Value,
    bytes: String,
}

/// Reads a sample as a message and its JSON as an object, which must be the same.
fn read<W>(sample: &Sample) -> W::Object
where
    W: IntoModel + prost::Message + Default,
    W::Object: DeserializeOwned + PartialEq + std::fmt::Debug,
{
    let bytes = BASE64_STANDARD.decode(&sample.bytes).unwrap();
    let object = W::decode(bytes.as_slice()).unwrap().into_model("").unwrap();
    assert_eq!(object, serde_json::from_value(sample.fields.clone()).unwrap(), "{}", sample.r#type);
    object
}

/// As `read`, and writes it again: the bytes must be the same too.
fn read_and_write<W>(sample: &Sample)
where
    W: IntoModel + prost::Message + Default + TryFrom<W::Object, Error: std::fmt::Debug>,
    W::Object: DeserializeOwned + PartialEq + std::fmt::Debug,
{
    let written = W::try_from(read::<W>(sample)).unwrap().encode_to_vec();
    assert_eq!(BASE64_STANDARD.encode(written), sample.bytes, "{}", sample.r#type);
}

#[test]
fn the_samples_of_the_python_sdk() {
    let samples: Vec<Sample> = serde_json::from_str(SAMPLES).unwrap();
    for sample in &samples {
        match sample.r#type.as_str() {
            "Message" => read_and_write::<wire::Message>(sample),
            "Part" => read_and_write::<wire::Part>(sample),
            "Task" => read_and_write::<wire::Task>(sample),
            "StreamResponse" => read_and_write::<wire::StreamResponse>(sample),
            "SendMessageRequest" => read_and_write::<wire::SendMessageRequest>(sample),
            "SendMessageResponse" => read_and_write::<wire::SendMessageResponse>(sample),
            "GetTaskRequest" => read_and_write::<wire::GetTaskRequest>(sample),
            "ListTasksRequest" => read_and_write::<wire::ListTasksRequest>(sample),
            "ListTasksResponse" => read_and_write::<wire::ListTasksResponse>(sample),
            "CancelTaskRequest" => drop(read::<wire::CancelTaskRequest>(sample)),
            "SubscribeToTaskRequest" => drop(read::<wire::SubscribeToTaskRequest>(sample)),
            "TaskPushNotificationConfig" => read_and_write::<wire::TaskPushNotificationConfig>(sample),
            "GetTaskPushNotificationConfigRequest" => {
                drop(read::<wire::GetTaskPushNotificationConfigRequest>(sample));
            }
            "DeleteTaskPushNotificationConfigRequest" => {
                drop(read::<wire::DeleteTaskPushNotificationConfigRequest>(sample));
            }
            "ListTaskPushNotificationConfigsRequest" => {
                drop(read::<wire::ListTaskPushNotificationConfigsRequest>(sample));
            }
            "ListTaskPushNotificationConfigsResponse" => {
                read_and_write::<wire::ListTaskPushNotificationConfigsResponse>(sample);
            }
            "AgentCard" => read_and_write::<wire::AgentCard>(sample),
            other => panic!("nothing reads {other}"),
        }
    }
}

#[test]
fn what_the_model_cannot_hold_is_named_by_its_path() {
    let part = wire::Part { filename: "empty".to_owned(), ..Default::default() };
    let number =
        wire::Part { content: Some(wire::Content::Data(value(json!([1, 2])))), ..Default::default() };
    let mut endless = number.clone();
    if let Some(wire::Content::Data(data)) = &mut endless.content {
        data.kind = Some(prost_types::value::Kind::NumberValue(f64::INFINITY));
    }
    let message = |part| wire::Message { parts: vec![number.clone(), part], ..Default::default() };
    let asked = |part| wire::SendMessageRequest { message: Some(message(part)), ..Default::default() };
    let at =
        |request: wire::SendMessageRequest| request.into_model("").unwrap_err().violations.remove(0).field;
    assert_eq!(at(asked(part)), "message.parts[1]");
    assert_eq!(at(asked(endless)), "message.parts[1].data");
    let late = prost_types::Timestamp { seconds: i64::MAX, nanos: -1 };
    let listed = wire::ListTasksRequest { status_timestamp_after: Some(late), ..Default::default() };
    assert_eq!(listed.into_model("").unwrap_err().violations[0].field, "statusTimestampAfter");
    let listed = wire::ListTasksRequest { status: 99, ..Default::default() };
    assert_eq!(listed.into_model("").unwrap_err().violations[0].field, "status");
}

fn data() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        // Beyond them a double loses digits.
        (-(1_i64 << 53)..=1 << 53).prop_map(Value::from),
        any::<f64>().prop_filter("JSON has no others", |number| number.is_finite()).prop_map(|number| {
            // A whole number comes back as an integer.
            value(json!(number)).into_model("").unwrap()
        }),
        ".{0,6}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::btree_map(".{0,4}", inner, 0..4)
                .prop_map(|object| Value::Object(object.into_iter().collect())),
        ]
    })
}

fn metadata() -> impl Strategy<Value = model::Metadata> {
    proptest::collection::btree_map(".{0,4}", data(), 0..3).prop_map(|object| object.into_iter().collect())
}

fn part() -> impl Strategy<Value = Part> {
    let content = prop_oneof![
        ".{0,12}".prop_map(Content::Text),
        proptest::collection::vec(any::<u8>(), 0..12).prop_map(Content::Raw),
        ".{0,12}".prop_map(Content::Url),
        data().prop_map(Content::Data),
    ];
    (content, ".{0,4}", ".{0,4}", metadata()).prop_map(|(content, media_type, filename, metadata)| Part {
        content,
        media_type,
        filename,
        metadata,
    })
}

prop_compose! {
    fn message()(
        ids in (".{0,9}", ".{0,4}", ".{0,4}"),
        role in proptest::sample::select(vec![Role::Unspecified, Role::User, Role::Agent]),
        parts in proptest::collection::vec(part(), 0..4),
        metadata in metadata(),
        names in (proptest::collection::vec(".{0,9}", 0..3), proptest::collection::vec(".{0,9}", 0..3)),
    ) -> Message {
        let (message_id, context_id, task_id) = ids;
        let (extensions, reference_task_ids) = names;
        Message { message_id, context_id, task_id, role, parts, metadata, extensions, reference_task_ids }
    }
}

prop_compose! {
    fn status()(
        state in proptest::sample::select(TaskState::ALL.to_vec()),
        message in proptest::option::of(message()),
        millis in proptest::option::of(0..253_402_300_800_000_u64),
    ) -> model::TaskStatus {
        let time = |millis| std::time::UNIX_EPOCH + std::time::Duration::from_millis(millis);
        let timestamp = millis.map(|millis| humantime::format_rfc3339_millis(time(millis)).to_string());
        model::TaskStatus { state, message, timestamp: timestamp.unwrap_or_default() }
    }
}

prop_compose! {
    fn artifact()(
        texts in (".{0,9}", ".{0,4}", ".{0,4}"),
        parts in proptest::collection::vec(part(), 0..4),
        metadata in metadata(),
        extensions in proptest::collection::vec(".{0,9}", 0..3),
    ) -> model::Artifact {
        let (artifact_id, name, description) = texts;
        model::Artifact { artifact_id, name, description, parts, metadata, extensions }
    }
}

prop_compose! {
    fn task()(
        ids in (".{0,9}", ".{0,4}"),
        status in status(),
        artifacts in proptest::collection::vec(artifact(), 0..3),
        history in proptest::collection::vec(message(), 0..3),
        metadata in metadata(),
    ) -> model::Task {
        let (id, context_id) = ids;
        model::Task { id, context_id, status, artifacts, history, metadata }
    }
}

fn item() -> impl Strategy<Value = StreamItem> {
    let status =
        (".{0,9}", ".{0,4}", status(), metadata()).prop_map(|(task_id, context_id, status, metadata)| {
            StreamItem::StatusUpdate(model::TaskStatusUpdateEvent { task_id, context_id, status, metadata })
        });
    let artifact = (".{0,9}", ".{0,4}", artifact(), any::<(bool, bool)>(), metadata()).prop_map(
        |(task_id, context_id, artifact, (append, last_chunk), metadata)| {
            let update = model::TaskArtifactUpdateEvent {
                task_id,
                context_id,
                artifact,
                append,
                last_chunk,
                metadata,
            };
            StreamItem::ArtifactUpdate(update)
        },
    );
    prop_oneof![task().prop_map(StreamItem::Task), message().prop_map(StreamItem::Message), status, artifact]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, ..ProptestConfig::default() })]

    #[test]
    fn what_is_written_is_read_back(item in item()) {
        let bytes = wire::StreamResponse::from(item.clone()).encode_to_vec();
        let read = wire::StreamResponse::decode(bytes.as_slice()).unwrap().into_model("").unwrap();
        prop_assert_eq!(read, item);
    }

    #[test]
    fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        if let Ok(request) = wire::SendMessageRequest::decode(bytes.as_slice()) {
            let _ = request.into_model("");
        }
        if let Ok(request) = wire::ListTasksRequest::decode(bytes.as_slice()) {
            let _ = request.into_model("");
        }
    }

    #[test]
    fn a_broken_request_is_read_or_refused(
        message in message(), at in any::<proptest::sample::Index>(), byte in any::<u8>()
    ) {
        let request = model::SendMessageRequest { message: Some(message), ..Default::default() };
        let mut bytes = wire::SendMessageRequest::from(request).encode_to_vec();
        let at = at.index(bytes.len());
        bytes[at] = byte;
        if let Ok(request) = wire::SendMessageRequest::decode(bytes.as_slice()) {
            let _ = request.into_model("");
        }
    }
}
