//! The dashboard's own files, out of the binary.

use axum::http::{HeaderMap, HeaderValue, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};

/// What a build without a page shows.
const NOT_BUILT: &str =
    "darwind is running. The dashboard's page is not part of this build; the API is at /api/v1.\n";

/// A file of the page; `/` is its first one.
pub(crate) async fn asset(uri: Uri, headers: HeaderMap) -> Response {
    let path = uri.path().trim_start_matches('/');
    let path = if path.is_empty() { "index.html" } else { path };
    let Some(asset) = monitor_ui::asset(path) else {
        let first = path == "index.html";
        let status = if first { StatusCode::OK } else { StatusCode::NOT_FOUND };
        return (status, if first { NOT_BUILT } else { "there is no such file\n" }).into_response();
    };
    let known =
        headers.get(header::IF_NONE_MATCH).is_some_and(|known| known.as_bytes() == asset.etag.as_bytes());
    let tags = [
        (header::CONTENT_TYPE, HeaderValue::from_static(asset.content_type)),
        (header::ETAG, HeaderValue::from_static(asset.etag)),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-cache")),
    ];
    if known {
        return (StatusCode::NOT_MODIFIED, tags).into_response();
    }
    (tags, asset.bytes).into_response()
}
