//! An echo agent on the official Rust SDK (`a2a-server-lf`): submitted, working, an artifact, completed.
//! Usage: `a2a_echo_peer PORT`.

use std::sync::Arc;

use a2a::{
    A2AError, AgentCapabilities, Artifact, Part, StreamResponse, Task, TaskArtifactUpdateEvent, TaskState,
    TaskStatus, TaskStatusUpdateEvent, new_artifact_id,
};
use a2a_server::{AgentExecutor, DefaultRequestHandler, ExecutorContext, InMemoryTaskStore};
use axum::serve::ListenerExt as _;
use futures::stream::{self, BoxStream, StreamExt as _};

struct Echo;

fn status(state: TaskState) -> TaskStatus {
    TaskStatus { state, message: None, timestamp: Some(chrono::Utc::now()) }
}

fn update(context: &ExecutorContext, state: TaskState) -> StreamResponse {
    StreamResponse::StatusUpdate(TaskStatusUpdateEvent {
        task_id: context.task_id.clone(),
        context_id: context.context_id.clone(),
        status: status(state),
        metadata: None,
    })
}

impl AgentExecutor for Echo {
    fn execute(&self, context: ExecutorContext) -> BoxStream<'static, Result<StreamResponse, A2AError>> {
        let parts = context.message.iter().flat_map(|message| message.parts.clone());
        let text: String = parts.filter_map(|part| part.as_text().map(str::to_owned)).collect();
        let task = Task {
            id: context.task_id.clone(),
            context_id: context.context_id.clone(),
            status: status(TaskState::Submitted),
            artifacts: None,
            history: context.message.clone().map(|message| vec![message]),
            metadata: None,
        };
        let artifact = Artifact {
            artifact_id: new_artifact_id(),
            name: Some("echo".to_owned()),
            description: None,
            parts: vec![Part::text(text)],
            metadata: None,
            extensions: None,
        };
        let artifact = TaskArtifactUpdateEvent {
            task_id: context.task_id.clone(),
            context_id: context.context_id.clone(),
            artifact,
            append: None,
            last_chunk: Some(true),
            metadata: None,
        };
        stream::iter([
            Ok(StreamResponse::Task(task)),
            Ok(update(&context, TaskState::Working)),
            Ok(StreamResponse::ArtifactUpdate(artifact)),
            Ok(update(&context, TaskState::Completed)),
        ])
        .boxed()
    }

    fn cancel(&self, context: ExecutorContext) -> BoxStream<'static, Result<StreamResponse, A2AError>> {
        stream::iter([Ok(update(&context, TaskState::Canceled))]).boxed()
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let port = std::env::args().nth(1).ok_or("usage: a2a_echo_peer PORT")?;
    let capabilities = AgentCapabilities { streaming: Some(true), ..AgentCapabilities::default() };
    let handler =
        DefaultRequestHandler::new(Echo, InMemoryTaskStore::new()).with_capabilities(capabilities);
    let router = axum::Router::new().nest("/a2a", a2a_server::jsonrpc::jsonrpc_router(Arc::new(handler)));
    let listener = tokio::net::TcpListener::bind(format!("127.0.0.1:{port}")).await?;
    let listener = listener.tap_io(|stream| {
        let _ = stream.set_nodelay(true);
    });
    axum::serve(listener, router).await?;
    Ok(())
}
