//! What all tests that serve share: a card, and a real server on a free port.

use std::net::SocketAddr;

use a2a::Service;
use a2a::model::{AgentCapabilities, AgentCard};
use a2a::outbound::Reach;
use a2a::server::{Server, ServerSettings, interfaces};
use a2a::tasks::Tasks;

#[path = "../../examples/scripted_agent/script.rs"]
pub(crate) mod script;

/// A card of an agent with everything on, at that origin.
pub(crate) fn card(base: &str) -> AgentCard {
    let modes = vec!["text/plain".to_owned(), "application/json".to_owned()];
    AgentCard {
        name: "test".to_owned(),
        description: "test".to_owned(),
        version: "1".to_owned(),
        supported_interfaces: interfaces(base, true),
        capabilities: AgentCapabilities {
            streaming: Some(true),
            push_notifications: Some(true),
            ..AgentCapabilities::default()
        },
        default_input_modes: modes.clone(),
        default_output_modes: modes,
        ..AgentCard::default()
    }
}

/// Serves tasks in every binding on a free port and returns the origin.
pub(crate) async fn serve(tasks: Tasks, settings: ServerSettings) -> (String, Service) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    let mut card = card(&base);
    settings.access.declare(&mut card);
    let reach = Reach { loopback: true, ..Reach::default() };
    let service = Service::new(card, None, tasks, reach).unwrap();
    let server = Server::new(service.clone(), settings).unwrap();
    let router = server.router().merge(server.grpc_router());
    let router = router.into_make_service_with_connect_info::<SocketAddr>();
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    (base, service)
}
