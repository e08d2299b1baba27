//! What the tests that ask by this crate's own client share: the scripted agent, and what is said to it.

use std::sync::Arc;

use a2a::model::{
    Message, Part, Role, SendMessageConfiguration, SendMessageRequest, SendMessageResponse, Task,
};
use a2a::server::{Access, ServerSettings};
use a2a::tasks::{Limits, Tasks};
use a2a::{Agent, Service};

use crate::support::{script, serve};

/// The scripted agent with limits, in memory, without a rate.
pub(crate) async fn scripted(limits: Limits, access: Access) -> (String, Service) {
    let agent: Arc<dyn Agent> = Arc::new(script::Scripted);
    let settings = ServerSettings { access, rate: None, ..ServerSettings::default() };
    serve(Tasks::in_memory(agent, limits), settings).await
}

/// A request that says a text.
pub(crate) fn say(text: &str) -> SendMessageRequest {
    let message = Message::new(Role::User, vec![Part::text(text)]);
    SendMessageRequest { message: Some(message), ..SendMessageRequest::default() }
}

/// As `say`, not waiting for the end.
pub(crate) fn say_at_once(text: &str) -> SendMessageRequest {
    let configuration = SendMessageConfiguration { return_immediately: true, ..Default::default() };
    SendMessageRequest { configuration, ..say(text) }
}

/// The task of an answer.
pub(crate) fn task(response: SendMessageResponse) -> Task {
    match response {
        SendMessageResponse::Task(task) => task,
        SendMessageResponse::Message(message) => panic!("a task was expected: {message:?}"),
    }
}
