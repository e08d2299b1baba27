//! The caller's tasks, those whose status changed last first, page by page.
//!
//! A page token holds the place (time and id) of the last task given, so a page never repeats a task and a task that
//! changes meanwhile moves to the front, where the client has already been.

use std::sync::Arc;

use super::{Cell, Tasks, parse_timestamp};
use crate::agent::Caller;
use crate::error::A2aError;
use crate::model::{ListTasksRequest, ListTasksResponse, Task, TaskState};
use crate::validation;

/// Where a task stands in the list: newer first, then by id.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    newest_first: std::cmp::Reverse<i64>,
    id: String,
}

impl Place {
    fn token(&self) -> String {
        crate::model::encode_base64(format!("{}/{}", self.newest_first.0, self.id).as_bytes())
    }

    fn of_token(token: &str) -> Option<Self> {
        let bytes = crate::model::decode_base64(token).ok()?;
        let text = String::from_utf8(bytes).ok()?;
        let (ms, id) = text.split_once('/')?;
        Some(Self { newest_first: std::cmp::Reverse(ms.parse().ok()?), id: id.to_owned() })
    }
}

impl Tasks {
    /// A page of the caller's tasks.
    ///
    /// # Errors
    /// [`crate::ErrorKind::InvalidParams`] for a wrong size, token, time or length; as
    /// [`Cell::settled`] when the log failed.
    pub(crate) async fn list(
        &self,
        caller: &Caller,
        request: &ListTasksRequest,
    ) -> Result<ListTasksResponse, A2aError> {
        let size = validation::page_size(request.page_size)?;
        let history = validation::history_length(request.history_length)?;
        let after = match request.page_token.as_str() {
            "" => None,
            token => Some(
                Place::of_token(token)
                    .ok_or_else(|| A2aError::invalid("pageToken", "is not a token of this server"))?,
            ),
        };
        let since = match request.status_timestamp_after.as_str() {
            "" => None,
            time => Some(parse_timestamp(time).ok_or_else(|| {
                A2aError::invalid("statusTimestampAfter", "must be an RFC 3339 time in UTC")
            })?),
        };
        let mut places = self.places(caller, request, since);
        places.sort_unstable_by(|(one, _), (other, _)| one.cmp(other));
        let total_size = i32::try_from(places.len()).unwrap_or(i32::MAX);
        let first = after.map_or(0, |after| places.partition_point(|(place, _)| *place <= after));
        let page = places.get(first..).unwrap_or_default();
        let next = page.get(..size).filter(|_| page.len() > size).and_then(|page| page.last());
        let next_page_token = next.map_or_else(String::new, |(place, _)| place.token());
        let mut tasks = Vec::with_capacity(page.len().min(size));
        for (_, cell) in page.iter().take(size) {
            let (mut task, _) = cell.snapshot().await?;
            if !request.include_artifacts {
                task.artifacts.clear();
            }
            trim_history(&mut task, history);
            tasks.push(task);
        }
        let page_size = i32::try_from(size).unwrap_or(i32::MAX);
        Ok(ListTasksResponse { tasks, next_page_token, page_size, total_size })
    }

    fn places(
        &self,
        caller: &Caller,
        request: &ListTasksRequest,
        since: Option<i64>,
    ) -> Vec<(Place, Arc<Cell>)> {
        let cells: Vec<Arc<Cell>> = {
            let index = self.shared.index();
            index.cells.values().filter(|cell| *cell.owner == *caller.principal).cloned().collect()
        };
        let place = |cell: Arc<Cell>| {
            let state = cell.lock();
            let standing = &state.standing;
            let wanted = (request.context_id.is_empty() || request.context_id == cell.context_id)
                && (request.status == TaskState::Unspecified || request.status == standing.task.status.state)
                && since.is_none_or(|since| standing.status_ms >= since);
            let place = Place { newest_first: std::cmp::Reverse(standing.status_ms), id: cell.id.clone() };
            drop(state);
            wanted.then_some((place, cell))
        };
        cells.into_iter().filter_map(place).collect()
    }
}

/// Leaves at most the newest `length` messages of the history.
pub(crate) fn trim_history(task: &mut Task, length: Option<usize>) {
    if let Some(length) = length
        && task.history.len() > length
    {
        task.history.drain(..task.history.len() - length);
    }
}
