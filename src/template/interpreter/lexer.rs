//! A template's source into its own text and its tags, with white space as Jinja leaves it between them where
//! `trim_blocks` and `lstrip_blocks` are on.

use crate::template::scan::find_open;
use crate::template::tokens::{Token, tokens};

/// A stretch of a source.
#[derive(Debug)]
pub(super) enum Part<'s> {
    /// What is printed as it is.
    Text(&'s str),
    /// The inside of `{{ … }}`.
    Expression(Vec<Token<'s>>),
    /// The inside of `{% … %}`.
    Statement(Vec<Token<'s>>),
}

/// What a tag does to the white space before or after it.
#[derive(Clone, Copy, PartialEq)]
enum WhiteSpace {
    /// `-`
    Removed,
    /// `+`
    Kept,
    /// What the options say.
    AsUsual,
}

impl WhiteSpace {
    fn of(sign: Option<&u8>) -> Self {
        match sign {
            Some(b'-') => WhiteSpace::Removed,
            Some(b'+') => WhiteSpace::Kept,
            _ => WhiteSpace::AsUsual,
        }
    }
}

/// The parts of a source, in order; none where it has a raw block, or a tag that does not end.
pub(super) fn parts(source: &str) -> Option<Vec<Part<'_>>> {
    let source = source.strip_suffix('\n').unwrap_or(source);
    let source = source.strip_suffix('\r').unwrap_or(source);
    let mut parts = Vec::new();
    let mut at = 0;
    while let Some(open) = find_open(source, at) {
        let kind = *source.as_bytes().get(open + 1)?;
        let (before, inside) = (source.get(at..open)?, source.get(open + 2..)?);
        let text = match WhiteSpace::of(inside.as_bytes().first()) {
            WhiteSpace::Removed => before.trim_end(),
            WhiteSpace::AsUsual if kind != b'{' && begins_line(source.get(..open)?) => without_indent(before),
            WhiteSpace::AsUsual | WhiteSpace::Kept => before,
        };
        if !text.is_empty() {
            parts.push(Part::Text(text));
        }
        let close = match kind {
            b'#' => comment_end(inside)?,
            b'%' => {
                let (tokens, close) = tokens(inside, "%}");
                if tokens.first()?.text == "raw" {
                    return None;
                }
                parts.push(Part::Statement(tokens));
                close?
            }
            _ => {
                let (tokens, close) = tokens(inside, "}}");
                parts.push(Part::Expression(tokens));
                close?
            }
        };
        let after = inside.get(close + 2..)?;
        let after = match WhiteSpace::of(close.checked_sub(1).and_then(|last| inside.as_bytes().get(last))) {
            WhiteSpace::Removed => after.trim_start(),
            WhiteSpace::AsUsual if kind != b'{' => without_line_end(after),
            WhiteSpace::AsUsual | WhiteSpace::Kept => after,
        };
        at = source.len() - after.len();
    }
    let rest = source.get(at..)?;
    if !rest.is_empty() {
        parts.push(Part::Text(rest));
    }
    Some(parts)
}

/// Where a comment ends, the sign at its beginning not being the one at its end.
fn comment_end(inside: &str) -> Option<usize> {
    let signs = usize::from(inside.starts_with(['-', '+']));
    let close = signs + inside.get(signs..)?.find("#}")?;
    (close > signs || signs == 0).then_some(close)
}

/// Is there nothing but white space since the line began?
fn begins_line(before: &str) -> bool {
    before.chars().rev().find(|character| is_line_end(*character) || !character.is_whitespace()).is_none_or(is_line_end)
}

fn without_indent(text: &str) -> &str {
    let trimmed = text.trim_end_matches(|character: char| character.is_whitespace() && !is_line_end(character));
    if trimmed.is_empty() || trimmed.ends_with('\n') { trimmed } else { text }
}

fn without_line_end(text: &str) -> &str {
    let text = text.strip_prefix('\r').unwrap_or(text);
    text.strip_prefix('\n').unwrap_or(text)
}

fn is_line_end(character: char) -> bool {
    matches!(character, '\r' | '\n')
}
