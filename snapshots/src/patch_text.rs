//! The text of a unified diff with git's headers (git-diff, "Generating patch text with -p"; git's
//! apply.c and base85.c for binary files). Pure.

use crate::diff::Compared;
use crate::object::{FileKind, ObjectId, zlib_stored};
use crate::tree::File;

/// How a changed binary file appears.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Binary {
    /// As one line that names it: for reading.
    Named,
    /// Whole, both versions: for applying.
    Whole,
}

/// Digits of an object's name in a patch for reading, as git's default is for repositories of middling size.
const SHORT_ID_DIGITS: usize = 10;

/// Bytes on one line of a binary patch (git's diff.c, `emit_binary_diff_body`).
const BINARY_LINE_BYTES: usize = 52;

/// The digits of git's base 85 (base85.c).
const DIGITS: &[u8; 85] =
    b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz!#$%&()*+-;<=>?@^_`{|}~";

/// The files as one patch.
pub(crate) fn render(files: &[Compared], binary: Binary) -> Vec<u8> {
    let mut out = Vec::new();
    for file in files {
        render_file(file, binary, &mut out);
    }
    out
}

fn render_file(file: &Compared, binary: Binary, out: &mut Vec<u8>) {
    let path = &file.difference.path;
    let (old_name, new_name) = (quoted(b"a/", path), quoted(b"b/", path));
    let line = |out: &mut Vec<u8>, parts: &[&[u8]]| {
        parts.iter().for_each(|part| out.extend_from_slice(part));
        out.push(b'\n');
    };
    line(out, &[b"diff --git ", &old_name, b" ", &new_name]);
    let mode = |side: Option<File>| side.map(|side| side.kind.mode().as_bytes());
    let modes = (mode(file.difference.old), mode(file.difference.new));
    match modes {
        (None, Some(new)) => line(out, &[b"new file mode ", new]),
        (Some(old), None) => line(out, &[b"deleted file mode ", old]),
        (Some(old), Some(new)) if old != new => {
            line(out, &[b"old mode ", old]);
            line(out, &[b"new mode ", new]);
        }
        _ => {}
    }
    let id = |side: Option<File>| side.map_or(ObjectId([0; 20]), |side| side.id);
    let (old_id, new_id) = (id(file.difference.old), id(file.difference.new));
    if old_id == new_id {
        return;
    }
    // A binary patch applies only to exactly the file that its full name says.
    let digits = if file.binary && binary == Binary::Whole { 2 * old_id.0.len() } else { SHORT_ID_DIGITS };
    let ids = format!("index {:.digits$}..{:.digits$}", old_id.to_string(), new_id.to_string());
    match modes {
        (Some(old), Some(new)) if old == new => line(out, &[ids.as_bytes(), b" ", new]),
        _ => line(out, &[ids.as_bytes()]),
    }
    let none = || b"/dev/null".to_vec();
    let old_side = if file.difference.old.is_some() { old_name } else { none() };
    let new_side = if file.difference.new.is_some() { new_name } else { none() };
    match (file.binary, binary) {
        (true, Binary::Named) => line(out, &[b"Binary files ", &old_side, b" and ", &new_side, b" differ"]),
        (true, Binary::Whole) => {
            line(out, &[b"GIT binary patch"]);
            render_literal(&file.new, out);
            render_literal(&file.old, out);
        }
        (false, _) if file.hunks.is_empty() => {}
        (false, _) => {
            line(out, &[b"--- ", &old_side, tab_after(&old_side)]);
            line(out, &[b"+++ ", &new_side, tab_after(&new_side)]);
            render_hunks(file, out);
        }
    }
}

fn render_hunks(file: &Compared, out: &mut Vec<u8>) {
    for hunk in &file.hunks {
        let (old, new) = ((hunk.old_start, hunk.old_lines), (hunk.new_start, hunk.new_lines));
        out.extend_from_slice(format!("@@ -{},{} +{},{} @@\n", old.0, old.1, new.0, new.1).as_bytes());
        for (origin, content) in &hunk.lines {
            let mut buffer = [0; 4];
            out.extend_from_slice(origin.encode_utf8(&mut buffer).as_bytes());
            out.extend_from_slice(content);
            if content.last() != Some(&b'\n') {
                out.extend_from_slice(b"\n\\ No newline at end of file\n");
            }
        }
    }
}

/// A name with a space ends with a tab, so that it cannot be taken for a name and a date.
fn tab_after(name: &[u8]) -> &'static [u8] {
    if name.contains(&b' ') && name.first() != Some(&b'"') { b"\t" } else { b"" }
}

/// The path with its prefix, in C's quotes when it holds what would break a header. Other languages' letters stay.
fn quoted(prefix: &[u8], path: &[u8]) -> Vec<u8> {
    let text = std::str::from_utf8(path).is_ok();
    let breaks =
        |byte: u8| byte < 0x20 || byte == 0x7f || byte == b'"' || byte == b'\\' || (byte >= 0x80 && !text);
    if !path.iter().any(|&byte| breaks(byte)) {
        return [prefix, path].concat();
    }
    let mut name = vec![b'"'];
    name.extend_from_slice(prefix);
    for &byte in path {
        match byte {
            b'"' | b'\\' => name.extend_from_slice(&[b'\\', byte]),
            byte if breaks(byte) => name.extend_from_slice(format!("\\{byte:03o}").as_bytes()),
            byte => name.push(byte),
        }
    }
    name.push(b'"');
    name
}

fn render_literal(content: &[u8], out: &mut Vec<u8>) {
    out.extend_from_slice(format!("literal {}\n", content.len()).as_bytes());
    for chunk in zlib_stored(content).chunks(BINARY_LINE_BYTES) {
        let length = u8::try_from(chunk.len()).unwrap_or(0);
        out.push(if length <= 26 { b'A' + length - 1 } else { b'a' + length - 27 });
        for group in chunk.chunks(4) {
            let mut word = [0; 4];
            word[..group.len()].copy_from_slice(group);
            let mut value = u32::from_be_bytes(word);
            let mut digits = [0; 5];
            for digit in digits.iter_mut().rev() {
                *digit = DIGITS[(value % 85) as usize];
                value /= 85;
            }
            out.extend_from_slice(&digits);
        }
        out.push(b'\n');
    }
    out.push(b'\n');
}

/// Git's mode of a file, for callers that show one.
impl std::fmt::Display for FileKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.mode())
    }
}
