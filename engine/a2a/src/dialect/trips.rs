//! Tests: a message that is written in older words and read back is the same message, in every vocabulary.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::{Dialect, read, read_proto_send};
use crate::model::{Content, Message, Part, Role, SendMessageResponse};
use crate::operation::{Reply, Request};

fn data() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i32>().prop_map(Value::from),
        "[a-zé\u{1f600}\"]{0,4}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::btree_map("[a-z]{1,3}", inner, 0..4)
                .prop_map(|object| Value::Object(object.into_iter().collect())),
        ]
    })
}

fn part() -> impl Strategy<Value = Part> {
    let content = prop_oneof![
        ".{0,12}".prop_map(Content::Text),
        proptest::collection::vec(any::<u8>(), 0..12).prop_map(Content::Raw),
        "https://[a-z]{1,5}/".prop_map(Content::Url),
        data().prop_map(Content::Data),
    ];
    (content, "[a-z]{0,4}", "[a-z]{0,4}", any::<bool>()).prop_map(|(content, media_type, filename, noted)| {
        // Older words have a place for the name and type of files only.
        let is_file = matches!(content, Content::Raw(_) | Content::Url(_));
        let mut part = Part::data(Value::Null);
        part.content = content;
        if is_file {
            part = part.with_media_type(media_type).with_filename(filename);
        }
        if noted {
            part.metadata.insert("note".to_owned(), json!([1]));
        }
        part
    })
}

fn message() -> impl Strategy<Value = Message> {
    let ids = ("[a-z0-9-]{1,9}", "[a-z]{0,4}", "[a-z]{0,4}");
    (ids, proptest::collection::vec(part(), 1..5), proptest::collection::vec("[a-z:]{1,9}", 0..3)).prop_map(
        |((message_id, context_id, task_id), parts, extensions)| Message {
            message_id,
            context_id,
            task_id,
            extensions,
            ..Message::new(Role::User, parts)
        },
    )
}

proptest! {
    #[test]
    fn in_1_0(message in message()) {
        let text = serde_json::to_string(&message).unwrap();
        prop_assert_eq!(serde_json::from_str::<Message>(&text).unwrap(), message);
    }

    #[test]
    fn in_0_3(message in message()) {
        let reply = Reply::Sent(SendMessageResponse::Message(message.clone()));
        let written = Dialect::V03.reply(&reply, None).unwrap();
        let (request, dialect) = read("message/send", &json!({ "message": written })).unwrap();
        let Request::Send(request) = request else { panic!("a message was sent") };
        prop_assert_eq!((request.message.unwrap(), dialect), (message, Dialect::V03));
    }

    #[test]
    fn in_the_protobuf_of_0_3(message in message()) {
        let reply = Reply::Sent(SendMessageResponse::Message(message.clone()));
        let written = Dialect::V03Proto.reply(&reply, None).unwrap();
        prop_assert_eq!(read_proto_send(&written).unwrap().message.unwrap(), message);
    }

    #[test]
    fn in_0_1(message in message()) {
        let reply = Reply::Sent(SendMessageResponse::Message(message.clone()));
        let written = Dialect::V01.reply(&reply, Some("mine")).unwrap();
        let mut said = written["status"]["message"].clone();
        said["role"] = json!("user");
        let (request, _) = read("tasks/send", &json!({ "id": written["id"], "message": said })).unwrap();
        let Request::Send(request) = request else { panic!("a message was sent") };
        let read = request.message.unwrap();
        prop_assert_eq!((read.parts, read.task_id.as_str()), (message.parts, "mine"));
    }
}
