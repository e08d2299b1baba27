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

#[cfg(test)]
mod tests {
    use super::{asset, names};
    use sha2::{Digest, Sha256};
    use std::path::Path;
    use std::{fs, io};

    /// What stands outside `app/` and still decides what the page is, as in `dev/source-hash.mjs`.
    const FIXED: [&str; 6] = [
        "index.html",
        "package-lock.json",
        "package.json",
        "public/icon.svg",
        "tsconfig.json",
        "vite.config.ts",
    ];

    #[test]
    fn the_page_is_there_with_its_types() {
        let page = asset("/").unwrap();
        assert_eq!(page.content_type, "text/html; charset=utf-8");
        assert_eq!(asset("index.html"), Some(page));
        assert_eq!(asset("/app.js").unwrap().content_type, "text/javascript; charset=utf-8");
        assert!(asset("/app.css").is_some());
        assert!(asset("/../Cargo.toml").is_none());
        assert!(asset("/nothing").is_none());
    }

    #[test]
    fn entity_tags_are_quoted_and_differ() {
        let tags: Vec<&str> = names().filter_map(|name| asset(name).map(|asset| asset.etag)).collect();
        let mut distinct = tags.clone();
        distinct.sort_unstable();
        distinct.dedup();
        assert_eq!(distinct.len(), tags.len());
        assert!(tags.iter().all(|tag| tag.starts_with('"') && tag.ends_with('"') && tag.len() > 2));
    }

    #[test]
    fn the_page_was_rebuilt_after_its_sources_changed() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let mut paths: Vec<String> = FIXED.iter().map(|name| (*name).to_owned()).collect();
        walk(root, "app", &mut paths).unwrap();
        paths.sort();
        let mut hash = Sha256::new();
        for path in &paths {
            let bytes = fs::read(root.join(path)).unwrap();
            hash.update(format!("{path}\0{}\0", bytes.len()));
            hash.update(&bytes);
        }
        let expected: String = hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
        let recorded = asset("SOURCE_HASH").unwrap();
        assert_eq!(
            std::str::from_utf8(recorded.bytes).unwrap().trim(),
            expected,
            "run `npm ci && npm run build` in monitor-ui and commit dist/"
        );
    }

    fn walk(root: &Path, folder: &str, paths: &mut Vec<String>) -> io::Result<()> {
        for entry in fs::read_dir(root.join(folder))? {
            let entry = entry?;
            let path = format!("{folder}/{}", entry.file_name().to_string_lossy());
            if entry.file_type()?.is_dir() {
                if path != "app/fixtures" && path != "app/wire" {
                    walk(root, &path, paths)?;
                }
            } else if !path.ends_with(".test.ts") {
                paths.push(path);
            }
        }
        Ok(())
    }
}
