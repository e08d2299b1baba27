//! Where statements lie in the text: whole lines, indentation, moving them about. It knows text and nodes, and nothing
//! of why a statement is moved.

use std::ops::Range;
use syntax::{Edit, Field, Kind, Node};

/// Byte at which the line of `byte` starts.
pub(crate) fn line_start(source: &str, byte: usize) -> usize {
    source.get(..byte).and_then(|before| before.rfind('\n')).map_or(0, |at| at + 1)
}

/// Byte after the newline that ends the line of `byte`, or the end of the source.
pub(crate) fn line_end(source: &str, byte: usize) -> usize {
    source.get(byte..).and_then(|after| after.find('\n')).map_or(source.len(), |at| byte + at + 1)
}

/// The blanks before a statement that starts its line; `None` when something else stands before it.
pub(crate) fn indentation<'m>(statement: Node<'m>) -> Option<&'m str> {
    let source = statement.module().source();
    let start = statement.range().start;
    let before = source.get(line_start(source, start)..start)?;
    before.chars().all(|c| c == ' ' || c == '\t').then_some(before)
}

/// The whole lines of a statement that shares them with no other; trailing comments belong to it.
pub(crate) fn whole_lines(statement: Node<'_>) -> Option<Range<usize>> {
    indentation(statement)?;
    let source = statement.module().source();
    let start = line_start(source, statement.range().start);
    let code_end = code_end(statement);
    let end = line_end(source, code_end);
    let rest = source.get(code_end..end)?.trim();
    (rest.is_empty() || rest.starts_with('#')).then_some(start..end)
}

/// Last byte of the statement's own code: a compound statement's node may reach over blank lines below it.
fn code_end(statement: Node<'_>) -> usize {
    let range = statement.range();
    let source = statement.module().source();
    let text = source.get(range.clone()).unwrap_or_default();
    range.start + text.trim_end().len()
}

/// The text of whole lines with a newline at its end.
pub(crate) fn lines_text(source: &str, lines: &Range<usize>) -> String {
    let mut text = source.get(lines.clone()).unwrap_or_default().to_owned();
    if !text.ends_with('\n') {
        text.push('\n');
    }
    text
}

/// Lines moved from one indentation to another. `None` when a line does not start with the old one, or a string over
/// several lines could change its content.
pub(crate) fn reindent(lines: &str, from: &str, to: &str) -> Option<String> {
    if lines.contains("\"\"\"") || lines.contains("'''") {
        return None;
    }
    let mut result = String::with_capacity(lines.len() + 16);
    for line in lines.split_inclusive('\n') {
        if line.trim().is_empty() {
            result.push_str(line);
        } else {
            result.push_str(to);
            result.push_str(line.strip_prefix(from)?);
        }
    }
    Some(result)
}

/// One level of indentation as this source has it.
pub(crate) fn unit(root: Node<'_>) -> String {
    let bodies = root.descendants().filter(|node| node.kind() == Kind::Block);
    for block in bodies {
        let Some(inner) = block.statements().next().and_then(indentation) else { continue };
        let outer = block.parent().and_then(|owner| indentation(owner).map(str::to_owned));
        if let Some(unit) =
            outer.and_then(|outer| inner.strip_prefix(outer.as_str())).filter(|unit| !unit.is_empty())
        {
            return unit.to_owned();
        }
    }
    "    ".to_owned()
}

/// An edit that puts whole lines before byte `at`, which starts a line or ends the source.
pub(crate) fn insert_lines(source: &str, at: usize, lines: &str) -> Edit {
    let missing = at > 0 && !source.get(..at).unwrap_or_default().ends_with('\n');
    Edit::insert(at, if missing { format!("\n{lines}") } else { lines.to_owned() })
}

/// The blocks of a compound statement, those of its clauses included, in order.
pub(crate) fn blocks(statement: Node<'_>) -> Vec<Node<'_>> {
    let mut found = Vec::new();
    for child in statement.named_children() {
        match child.kind() {
            Kind::Block => found.push(child),
            Kind::ElifClause
            | Kind::ElseClause
            | Kind::ExceptClause
            | Kind::FinallyClause
            | Kind::CaseClause => {
                found.extend(child.named_children().filter(|inner| inner.kind() == Kind::Block))
            }
            Kind::FunctionDefinition | Kind::ClassDefinition
                if statement.kind() == Kind::DecoratedDefinition =>
            {
                found.extend(child.child(Field::Body));
            }
            _ => {}
        }
    }
    found
}
