//! The dashboard's built page as bytes inside the binary. It only hands out files: what serves them, and under which
//! headers, is the API's business. The files come from `dist/`, which is committed; see the README for how it is built.

#![forbid(unsafe_code)]

/// One file of the page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Asset {
    /// Its content.
    pub bytes: &'static [u8],
    /// What to say in `Content-Type`.
    pub content_type: &'static str,
    /// Its `ETag`, quotes included; changes exactly when the content does.
    pub etag: &'static str,
}

/// Name, content and entity tag of every file, sorted by name.
const FILES: &[(&str, &[u8], &str)] = include!(concat!(env!("OUT_DIR"), "/files.rs"));

/// The file at a path of the page, with or without the leading `/`; the empty path is `index.html`. `None` when there is
/// no such file, and for every path when the crate was built without `dist/`.
pub fn asset(path: &str) -> Option<Asset> {
    let path = path.strip_prefix('/').unwrap_or(path);
    let name = if path.is_empty() { "index.html" } else { path };
    let found = FILES.binary_search_by(|(file, _, _)| (*file).cmp(name)).ok()?;
    let (name, bytes, etag) = FILES.get(found)?;
    Some(Asset { bytes, content_type: content_type(name), etag })
}

/// Names of all files, sorted.
pub fn names() -> impl Iterator<Item = &'static str> {
    FILES.iter().map(|(name, _, _)| *name)
}

fn content_type(name: &str) -> &'static str {
    match name.rsplit_once('.').map(|(_, extension)| extension) {
        Some("html") => "text/html; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("svg") => "image/svg+xml",
        Some("json") => "application/json",
        Some("png") => "image/png",
        _ => "text/plain; charset=utf-8",
    }
}
