//! What a stranger posts: every binding and dialect, and behind them the skills. Nothing may be a fault of ours.
#![no_main]

use a2a::Service;
use a2a::model::{AgentCapabilities, AgentCard};
use a2a::outbound::Reach;
use a2a::server::{Server, ServerSettings};
use a2a::tasks::{Limits, Tasks};
use axum::body::Body;
use axum::http::Request;
use evolution::id::RunId;
use skills::{
    FeedbackRequest, GroupRequest, Heard, Measured, Member, Order, Outcome, Received, SkilledAgent,
    TransferRequest, ValidationRequest, Workshop, WorkshopError,
};
use std::ops::ControlFlow;
use std::sync::Arc;
use tower::ServiceExt;

/// Refuses everything: what is tried is the way to it.
struct Closed;

fn closed<T>() -> Result<T, WorkshopError> {
    Err(WorkshopError::Refused("closed".to_owned()))
}

impl Workshop for Closed {
    fn is_known(&self, _: &RunId) -> bool {
        false
    }
    fn follow(
        &self,
        _: &RunId,
        _: &mut dyn FnMut(Option<Heard>) -> ControlFlow<()>,
    ) -> Result<(), WorkshopError> {
        closed()
    }
    fn begin(&self, _: Order) -> Result<(), WorkshopError> {
        closed()
    }
    fn stop(&self, _: &RunId, _: &str) -> Result<(), WorkshopError> {
        closed()
    }
    fn outcome(&self, _: &RunId) -> Result<Outcome, WorkshopError> {
        closed()
    }
    fn validate(&self, _: &ValidationRequest) -> Result<Measured, WorkshopError> {
        closed()
    }
    fn receive(&self, _: &str, _: &TransferRequest) -> Result<Received, WorkshopError> {
        closed()
    }
    fn assess(&self, _: &str, _: &FeedbackRequest) -> Result<Measured, WorkshopError> {
        closed()
    }
    fn regroup(&self, _: &GroupRequest) -> Result<Vec<Member>, WorkshopError> {
        closed()
    }
    fn capabilities(&self) -> Member {
        Member { agent_id: "closed".to_owned(), capabilities: Default::default() }
    }
}

fn server() -> Server {
    let capabilities =
        AgentCapabilities { streaming: Some(true), push_notifications: Some(true), ..Default::default() };
    let card = AgentCard { name: "closed".to_owned(), capabilities, ..AgentCard::default() };
    let tasks = Tasks::in_memory(Arc::new(SkilledAgent::new(Arc::new(Closed))), Limits::default());
    let service = Service::new(card, None, tasks, Reach::default()).expect("a service");
    let settings = ServerSettings { rate: None, ..ServerSettings::default() };
    Server::new(service, settings).expect("a server")
}

const PATHS: [&str; 6] = [
    "/",
    "/message:send",
    "/message:stream",
    "/v1/message:send",
    "/tasks/1:cancel",
    "/tasks/1/pushNotificationConfigs",
];
const VERSIONS: [&str; 4] = ["1.0", "0.3", "0.2", "7"];

libfuzzer_sys::fuzz_target!(|sent: (u8, u8, &[u8])| {
    let (path, version, body) = sent;
    let of = |words: &[&'static str], choice: u8| words[usize::from(choice) % words.len()];
    let request = Request::post(of(&PATHS, path))
        .header("Content-Type", "application/json")
        .header("A2A-Version", of(&VERSIONS, version))
        .body(Body::from(body.to_vec()))
        .expect("a request");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let answer = runtime.block_on(async { server().router().oneshot(request).await }).expect("an answer");
    assert!(answer.status().as_u16() != 500, "{answer:?}");
});
