//! Peers: looked at, and notifications for strangers sent again.

use crate::access::Role;
use crate::extract::Path;
use crate::problem::Problem;
use crate::server::{Shared, blocking};
use crate::wire::peers::{Collective, Redelivered};
use axum::Json;
use axum::extract::{Extension, State};
use std::sync::Arc;

/// The peers, their groups, the packages that flow between them, and notifications that could not be delivered.
#[utoipa::path(get, path = "/peers", tag = "peers", responses((status = 200, body = Collective)))]
pub(crate) async fn show(State(shared): State<Arc<Shared>>) -> Result<Json<Collective>, Problem> {
    blocking(move || Ok(shared.service.peers()?)).await.map(Json)
}

/// Sends a notification again that could not be delivered, with the same retries as at first; answers when that has ended,
/// after about a minute at most. One that was delivered is not sent once more, however often it is asked for.
#[utoipa::path(post, path = "/peers/letters/{number}/replay", tag = "peers",
    params(("number" = u64, Path, description = "The letter's number")), responses(
    (status = 200, body = Redelivered),
    (status = 409, body = crate::wire::Problem, content_type = "application/problem+json",
        description = "It is being sent already, or what it needs was not kept"),
    (status = 429, body = crate::wire::Problem, content_type = "application/problem+json",
        description = "Too many at once"),
))]
pub(crate) async fn replay(
    State(shared): State<Arc<Shared>>,
    Extension(role): Extension<Role>,
    Path(number): Path<u64>,
) -> Result<Json<Redelivered>, Problem> {
    if role != Role::Operator {
        return Err(Problem::forbidden("the operator's role is needed to send a notification again"));
    }
    shared.permits_command()?;
    let redelivered = blocking(move || {
        let redelivered = shared.service.replay_letter(number)?;
        tracing::info!(letter = number, delivered = redelivered.delivered, "a notification was sent again");
        Ok(redelivered)
    });
    redelivered.await.map(Json)
}
