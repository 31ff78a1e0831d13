//! Which templates can be followed with marked texts in one render, and where they are watched while they render.
//!
//! A marked text has a mark beside each of its brackets, so what a template does with it comes to the same, but for the
//! marks, as long as it passes texts on, joins them, or asks what has nothing to do with brackets: whether there is a
//! text, whether it is `'user'`, whether it starts with `'x'`. Both sides of any other question are watched: the render
//! counts only if no marked text was asked about. What is neither is not followed at all, and is rendered twice, once
//! without marks, to see whether it comes to the same.

use super::operands;
use super::rewrite::Edits;
use super::tokens::{Kind, Previous, Token};

/// The filter that a text passes before it is taken apart.
pub(super) const TAKE_APART: &str = "|__watch_text";

/// The filter that a value passes before it is compared.
pub(super) const COMPARE: &str = "|__watch_value";

/// The filter that chunks pass before they are sorted by their types.
pub(super) const SORT_TYPES: &str = "|__watch_types";

/// Filters that do the same with a marked text, or that see to it themselves.
const FOLLOWED: [&str; 15] = [
    "abs", "count", "d", "default", "float", "int", "items", "length", "lower", "round", "safe", "string", "tojson",
    "trim", "upper",
];

/// Filters that do the same with a list of marked texts, and take a single text apart.
const OF_LISTS: [&str; 5] = ["first", "join", "last", "list", "reverse"];

/// Tests that ask for a value's type.
const TYPES: [&str; 13] = [
    "boolean", "callable", "defined", "false", "float", "integer", "iterable", "mapping", "none", "number", "sequence",
    "string", "true",
];

/// Watches a tag. Is it one that can be followed?
pub(super) fn watch(edits: &mut Edits, tokens: &[Token<'_>]) -> bool {
    let statement = tokens.first().map_or("", |token| token.text);
    let mut in_loop = statement == "for";
    tokens.iter().enumerate().all(|(place, token)| match (token.kind, token.text) {
        (Kind::Sign, "==" | "!=" | "<" | ">" | "<=" | ">=") => compared(edits, tokens, place),
        (Kind::Name, "in") if in_loop && token.depth == 0 => {
            in_loop = false;
            gone_through(edits, tokens, place);
            true
        }
        (Kind::Name, "in") => is_plain_membership(tokens, place),
        (Kind::Name, "is") => {
            let test = tokens.get(place + 1..).and_then(|rest| rest.iter().find(|token| token.text != "not"));
            test.is_some_and(|test| test.text == "undefined" || TYPES.contains(&test.text))
        }
        (Kind::Sign, "|") => filtered(edits, tokens, place),
        (Kind::Sign, "[") if token.previous == Previous::Value => indexed(edits, tokens, place),
        (Kind::Sign, "{") => has_plain_keys(token, tokens, place),
        // `f(*a)` goes through what it is given.
        (Kind::Sign, "*" | "**") => token.previous == Previous::Value,
        // `a.0` is an index.
        (Kind::Sign, ".") => {
            let kind = |at: Option<usize>| at.and_then(|at| tokens.get(at)).map(|token| token.kind);
            kind(place.checked_sub(1)) == Some(Kind::Number) || kind(Some(place + 1)) != Some(Kind::Number)
        }
        (Kind::Name, "loop") => tokens.get(place + 1).is_none_or(|next| !next.is_sign("(")),
        (Kind::Name, "changed" | "recursive" | "sort_keys") => false,
        (Kind::Name, "filter") => place > 0,
        _ => true,
    })
}

/// Is it a value that no text with brackets equals?
fn is_plain(token: &Token<'_>) -> bool {
    match token.kind {
        Kind::Number => true,
        Kind::Name => !token.is_dynamic(),
        Kind::Text => is_plain_text(token),
        Kind::Sign => false,
    }
}

/// A string without brackets, and without escapes that could spell some.
fn is_plain_text(token: &Token<'_>) -> bool {
    let escapes = token.text.split('\\').skip(1);
    token.kind == Kind::Text
        && !token.text.contains(['[', ']', '<', '>'])
        && escapes.into_iter().all(|escape| escape.starts_with(['n', 't', 'r', '\'', '"']))
}

fn compared(edits: &mut Edits, tokens: &[Token<'_>], operator: usize) -> bool {
    let (before, after) = (operands::before(tokens, operator), operands::after(tokens, operator));
    let orders = tokens.get(operator).is_some_and(|token| token.text.starts_with(['<', '>']));
    let plain = |range: &Option<std::ops::Range<usize>>| {
        let [token] = range.clone().and_then(|range| tokens.get(range)).unwrap_or_default() else { return false };
        is_plain(token) && !(orders && token.kind == Kind::Text)
    };
    if plain(&before) || plain(&after) {
        return true;
    }
    let (Some(_), Some(after)) = (before, after) else { return false };
    for end in [operator, after.end] {
        edits.insert(end.checked_sub(1).and_then(|last| tokens.get(last)).map_or(0, Token::end), COMPARE);
    }
    true
}

/// Watches what a loop goes through: a text would fall apart.
fn gone_through(edits: &mut Edits, tokens: &[Token<'_>], operator: usize) {
    let rest = tokens.get(operator + 1..).unwrap_or_default();
    let length = rest.iter().position(|token| token.depth == 0 && matches!(token.text, "if" | "recursive"));
    let iterated = rest.get(..length.unwrap_or(rest.len())).unwrap_or_default();
    if let (Some(first), Some(last)) = (iterated.first(), iterated.last()) {
        edits.insert(first.start, "(");
        edits.insert(last.end(), format!("){TAKE_APART}"));
    }
}

/// Is a plain text looked for, or is it looked for among plain texts?
fn is_plain_membership(tokens: &[Token<'_>], place: usize) -> bool {
    let negated = place.checked_sub(1).and_then(|before| tokens.get(before)).is_some_and(|before| before.text == "not");
    let before = operands::before(tokens, if negated { place - 1 } else { place });
    if let Some([looked_for]) = before.and_then(|range| tokens.get(range))
        && is_plain_text(looked_for)
    {
        return true;
    }
    let among = operands::after(tokens, place).and_then(|range| tokens.get(range)).unwrap_or_default();
    match among {
        [open, items @ .., _] if open.opens_literal() && open.text != "{" => {
            items.iter().all(|token| token.is_sign(",") || is_plain(token))
        }
        _ => false,
    }
}

fn filtered(edits: &mut Edits, tokens: &[Token<'_>], place: usize) -> bool {
    let Some(filter) = tokens.get(place + 1) else { return false };
    let has_arguments = tokens.get(place + 2).is_some_and(|next| next.is_sign("("));
    if OF_LISTS.contains(&filter.text) {
        edits.insert(tokens.get(place).map_or(0, |token| token.start), TAKE_APART);
        return true;
    }
    let arguments: String = tokens.iter().skip(place + 2).take(5).map(|token| token.text).collect();
    if filter.text == "sort" && matches!(&*arguments, "(attribute='type')" | "(attribute=\"type\")") {
        edits.insert(tokens.get(place).map_or(0, |token| token.start), SORT_TYPES);
        return true;
    }
    FOLLOWED.contains(&filter.text) && !(filter.text == "trim" && has_arguments)
}

/// An index can be followed that finds a member by a plain name, or that counts: it would take a text apart.
fn indexed(edits: &mut Edits, tokens: &[Token<'_>], place: usize) -> bool {
    let close = tokens.get(place).and_then(|open| open.partner).unwrap_or(place);
    let index = tokens.get(place + 1..close).unwrap_or_default();
    if let [name] = index
        && name.kind == Kind::Text
    {
        return is_plain_text(name);
    }
    let depth = tokens.get(place).map_or(0, |open| open.depth + 1);
    let slices = index.iter().any(|token| token.depth == depth && token.is_sign(":"))
        && index.iter().all(|token| token.kind != Kind::Text);
    let of = operands::indexed(tokens, place).and_then(|range| tokens.get(range));
    let (Some([first, ..]), Some([.., last])) = (of, of) else { return false };
    edits.insert(first.start, "(");
    edits.insert(last.end(), format!("{TAKE_APART})"));
    slices || counts(index)
}

/// Is an index made of numbers, and of the places of a loop?
fn counts(index: &[Token<'_>]) -> bool {
    let text = |at: Option<usize>| at.and_then(|at| index.get(at)).map_or("", |token| token.text);
    index.iter().enumerate().all(|(at, token)| match (token.kind, token.text) {
        (Kind::Number, _) | (Kind::Sign, "+" | "-") => true,
        (Kind::Name, "loop") => text(Some(at + 1)) == ".",
        (Kind::Sign, ".") => text(at.checked_sub(1)) == "loop",
        (Kind::Name, "index" | "index0" | "revindex" | "revindex0" | "length") => text(at.checked_sub(1)) == ".",
        _ => false,
    })
}

/// Has a dict that a template writes down only plain keys, or is this the beginning of something else?
fn has_plain_keys(open: &Token<'_>, tokens: &[Token<'_>], place: usize) -> bool {
    let close = open.partner.unwrap_or(place);
    let inner = tokens.get(place + 1..close).unwrap_or_default();
    let key = |member: &[Token<'_>]| {
        member.first().is_none_or(is_plain_text) && member.get(1).is_none_or(|next| next.is_sign(":"))
    };
    inner.split(|token| token.depth == open.depth + 1 && token.is_sign(",")).all(key)
}
