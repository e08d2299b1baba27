//! Which paths a snapshot may hold, and where a symbolic link leads. Pure: the file system is not asked, so that the
//! answer is the same for a directory, for a tree in the repository and for a patch that exists nowhere yet.

use crate::error::SnapshotsError;

/// Longest path below a target's root, in bytes (Linux's PATH_MAX less room for the root).
pub const MAX_PATH_BYTES: usize = 2_048;

/// Deepest nesting of a path: its number of parts.
pub const MAX_DEPTH: usize = 64;

/// Longest part of a path, in bytes (NAME_MAX of every common file system).
const MAX_NAME_BYTES: usize = 255;

/// Most links followed on the way of one link, as the Linux kernel's MAXSYMLINKS.
const MAX_LINKS: usize = 40;

/// Whether `name` would be taken for git's own folder, on any file system that git knows: case-insensitive ones, the
/// short names of NTFS, and HFS+, which ignores some code points.
pub(crate) fn is_git_folder(name: &[u8]) -> bool {
    let text: String = String::from_utf8_lossy(name)
        .chars()
        .filter(|c| !matches!(c, '\u{200c}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{206a}'..='\u{206f}' | '\u{feff}'))
        .collect();
    let text = text.trim_end_matches(['.', ' ']);
    text.eq_ignore_ascii_case(".git") || text.eq_ignore_ascii_case("git~1")
}

/// The parts of a path that may stand in a snapshot; an error for one that may not.
pub(crate) fn parts(path: &[u8]) -> Result<Vec<&[u8]>, SnapshotsError> {
    let refuse = |reason| SnapshotsError::Path { path: String::from_utf8_lossy(path).into_owned(), reason };
    if path.len() > MAX_PATH_BYTES {
        return Err(refuse("it is longer than any target needs"));
    }
    if path.contains(&0) {
        return Err(refuse("it holds a NUL byte"));
    }
    if path.first() == Some(&b'/') {
        return Err(refuse("it is absolute; paths are below the target's root"));
    }
    let parts: Vec<&[u8]> = path.split(|&byte| byte == b'/').collect();
    if parts.len() > MAX_DEPTH {
        return Err(refuse("it is nested too deeply"));
    }
    for part in &parts {
        match *part {
            b"" => return Err(refuse("it has an empty part")),
            b"." | b".." => return Err(refuse("it has a part that leads elsewhere")),
            name if name.len() > MAX_NAME_BYTES => {
                return Err(refuse("a part of it is longer than 255 bytes"));
            }
            name if is_git_folder(name) => return Err(refuse("it lies in a git folder")),
            _ => {}
        }
    }
    Ok(parts)
}

/// Whether the link at `path` with the content `target` leads out of the root, when `link_at` gives the content of
/// every other link of the tree. A link in a circle does not lead out: it leads nowhere.
pub(crate) fn leads_out(path: &[u8], target: &[u8], link_at: &dyn Fn(&[u8]) -> Option<Vec<u8>>) -> bool {
    let mut at: Vec<Vec<u8>> = path.split(|&byte| byte == b'/').map(<[u8]>::to_vec).collect();
    at.pop();
    if target.first() == Some(&b'/') {
        return true;
    }
    let mut ahead: Vec<Vec<u8>> = target.split(|&byte| byte == b'/').rev().map(<[u8]>::to_vec).collect();
    let mut followed = 0;
    while let Some(part) = ahead.pop() {
        match part.as_slice() {
            b"" | b"." => {}
            b".." => {
                if at.pop().is_none() {
                    return true;
                }
            }
            name => {
                at.push(name.to_vec());
                let Some(next) = link_at(&at.join(&b'/')) else { continue };
                followed += 1;
                if next.first() == Some(&b'/') {
                    return true;
                }
                if followed > MAX_LINKS {
                    return false;
                }
                at.pop();
                ahead.extend(next.split(|&byte| byte == b'/').rev().map(<[u8]>::to_vec));
            }
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_that_lead_elsewhere_are_refused() {
        for path in [
            "",
            "/etc/passwd",
            "a//b",
            "a/./b",
            "../a",
            "a/..",
            ".git/config",
            "a/.GIT/x",
            "a/.git ",
            "git~1/x",
            "a\0b",
            "a/",
        ] {
            assert!(parts(path.as_bytes()).is_err(), "{path:?} passed");
        }
        assert!(parts(".g\u{200c}it/hooks/x".as_bytes()).is_err());
        assert!(parts(&vec![b'a'; 256]).is_err());
        assert!(parts("a/".repeat(MAX_DEPTH).as_bytes()).is_err());
    }

    #[test]
    fn odd_names_are_allowed() {
        for path in
            ["a b/c\nd", ".gitignore", ".gitattributes", "..a/b", "é/\u{1f980}", "a/\"quoted\"", "-rf"]
        {
            assert!(parts(path.as_bytes()).is_ok(), "{path:?} was refused");
        }
        assert!(parts(b"not utf-8 \xff").is_ok());
    }

    #[test]
    fn links_are_followed_through_other_links() {
        let none = |_: &[u8]| None;
        assert!(leads_out(b"a", b"/etc/passwd", &none));
        assert!(leads_out(b"a/b", b"../../c", &none));
        assert!(!leads_out(b"a/b", b"../c", &none));
        // `deep` is a shortcut to a shallow folder, so that two steps up from it leave the root although the text
        // of the path alone does not.
        let shortcut = |path: &[u8]| (path == b"a/b/deep").then(|| b"../../top".to_vec());
        assert!(leads_out(b"l", b"a/b/deep/../../x", &shortcut));
        assert!(!leads_out(b"l", b"a/b/deep/../x", &shortcut));
        let circle = |path: &[u8]| (path == b"x").then(|| b"x".to_vec());
        assert!(!leads_out(b"l", b"x", &circle));
    }
}
