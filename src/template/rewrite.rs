//! The tags of a template as the engine is given them: what they say is the same, and what they make is limited.
//!
//! The engine knows no `{% generation %}`, which becomes a call block. It has no limit on how deep and how often values
//! hold one another, so lists, dicts and tuples that a template writes down pass a filter, and so does what it gives a
//! name. What it stores in a namespace, the namespace checks itself: `{% set ns.a = b %}` becomes a call of its method,
//! and where a list grows by `{% set ns.a = ns.a + [b] %}` it grows in place. Line breaks stay where they are, so that
//! errors name the right line.

use std::borrow::Cow;

use super::namespace;
use super::tokens::{Kind, Previous, Token};

/// The filter that lists and tuples pass where a template writes one down.
pub(super) const KEEP_FILTER: &str = "__keep";
const CLOSE_KEEP: &str = "|__keep)";

/// The filter that makes a dict of a list of keys and values.
pub(super) const DICT_FILTER: &str = "__dict";
const CLOSE_DICT: &str = "]|__dict)";

/// The filter that values pass where a template gives them a name.
pub(super) const NAME_FILTER: &str = "__name";
const CLOSE_NAME: &str = ")|__name";

/// The function that a `{% generation %}` block calls.
pub(super) const GENERATION_CALL: &str = "__generation";

/// Names that the engine lets no template assign to, and says so.
const RESERVED: [&str; 8] = ["true", "True", "false", "False", "none", "None", "loop", "self"];

/// Takes a source's tags one by one, and gives the source that says the same.
pub(super) struct Rewriter<'s> {
    source: &'s str,
    /// How much of the source is in `out`.
    copied: usize,
    out: String,
    /// Is there a `{% generation %}` block?
    pub(super) generation: bool,
    /// What is to be said after each `{% endset %}` to come.
    open_sets: Vec<String>,
}

/// What stands in the place of a stretch of a tag.
struct Edit {
    start: usize,
    end: usize,
    new: Cow<'static, str>,
}

impl<'s> Rewriter<'s> {
    pub(super) fn new(source: &'s str) -> Self {
        Rewriter { source, copied: 0, out: String::new(), generation: false, open_sets: Vec::new() }
    }

    /// The source that is to be rendered.
    pub(super) fn finish(mut self) -> Cow<'s, str> {
        if self.copied == 0 {
            return Cow::Borrowed(self.source);
        }
        self.copy_to(self.source.len());
        Cow::Owned(self.out)
    }

    /// An expression that is printed, its inside from `inside` on.
    pub(super) fn expression(&mut self, inside: usize, tokens: &[Token<'_>]) {
        let mut edits = Edits(Vec::new());
        edits.values(tokens);
        self.apply(inside, edits);
    }

    /// A statement, its inside from `inside` on.
    pub(super) fn statement(&mut self, inside: usize, tokens: &[Token<'_>]) {
        let end = tokens.last().map_or(0, Token::end);
        let mut edits = Edits(Vec::new());
        match tokens.first().map_or("", |token| token.text) {
            "set" => self.set(&mut edits, tokens, end),
            "endset" => {
                if let Some(then) = self.open_sets.pop().filter(|then| !then.is_empty()) {
                    edits.insert(end, format!(" %}}{then}"));
                }
            }
            "generation" if tokens.len() == 1 => {
                self.generation = true;
                edits.replace(tokens.first(), format!("call {GENERATION_CALL}()"));
            }
            "endgeneration" => edits.replace(tokens.first(), "endcall"),
            _ => edits.values(tokens),
        }
        self.apply(inside, edits);
    }

    fn set(&mut self, edits: &mut Edits, tokens: &[Token<'_>], end: usize) {
        let assignment = tokens.iter().position(|token| token.depth == 0 && token.is_sign("="));
        let target_end =
            assignment.or_else(|| tokens.iter().position(|token| token.is_sign("|"))).unwrap_or(tokens.len());
        let target = tokens.get(1..target_end).unwrap_or_default();
        let Some(assignment) = assignment else {
            edits.values(tokens.get(target_end..).unwrap_or_default());
            self.open_sets.push(edits.set_after(target));
            return;
        };
        let value = tokens.get(assignment + 1..).unwrap_or_default();
        if let Some(attribute) = attribute(target) {
            edits.set_attribute(tokens, target, attribute, value, end);
            return;
        }
        edits.values(value);
        if computes(tokens) {
            edits.insert(tokens.get(assignment).map_or(end, Token::end), " (");
            edits.insert(end, CLOSE_NAME);
        }
        let then = edits.set_after(target);
        if !then.is_empty() {
            edits.insert(end, format!(" %}}{then}"));
        }
    }

    fn apply(&mut self, inside: usize, Edits(mut edits): Edits) {
        edits.sort_by_key(|edit| (edit.start, edit.end));
        for edit in edits {
            self.copy_to(inside + edit.start);
            self.out.push_str(&edit.new);
            self.copied = inside + edit.end;
        }
    }

    fn copy_to(&mut self, end: usize) {
        self.out.push_str(self.source.get(self.copied..end).unwrap_or_default());
        self.copied = end;
    }
}

/// The name of the attribute that a target such as `ns.a` is.
fn attribute<'s>(target: &[Token<'s>]) -> Option<&'s str> {
    let [first, .., dot, last] = target else { return None };
    let names = target.iter().step_by(2).all(|token| token.kind == Kind::Name);
    let dots = target.iter().skip(1).step_by(2).all(|token| token.is_sign("."));
    (names && dots && dot.is_sign(".") && !RESERVED.contains(&first.text)).then_some(last.text)
}

/// Could the value of a statement be a list or a text that is not yet limited? What is looked up has been made before.
fn computes(tokens: &[Token<'_>]) -> bool {
    tokens.iter().any(|token| match (token.kind, token.text) {
        (Kind::Sign, "[") => token.previous == Previous::Operator || slices(token, tokens),
        (Kind::Sign, "," | "(" | "{" | "+" | "*" | "|" | "**") => true,
        _ => false,
    })
}

/// Does an index take a slice?
fn slices(open: &Token<'_>, tokens: &[Token<'_>]) -> bool {
    enclosed(open, tokens).is_some_and(|(inner, _)| top(open, inner).any(|token| token.is_sign(":")))
}

/// What stands between a bracket and the one that closes it, and that one.
fn enclosed<'t, 's>(open: &Token<'_>, tokens: &'t [Token<'s>]) -> Option<(&'t [Token<'s>], &'t Token<'s>)> {
    let rest = tokens.get(tokens.partition_point(|token| token.start <= open.start)..)?;
    let close = rest.iter().position(|token| token.depth == open.depth)?;
    Some((rest.get(..close)?, rest.get(close)?))
}

/// What stands in a bracket and in no other one within.
fn top<'t, 's>(open: &Token<'_>, inner: &'t [Token<'s>]) -> impl Iterator<Item = &'t Token<'s>> {
    let depth = open.depth + 1;
    inner.iter().filter(move |token| token.depth == depth)
}

/// The changes to one tag.
struct Edits(Vec<Edit>);

impl Edits {
    fn insert(&mut self, at: usize, new: impl Into<Cow<'static, str>>) {
        self.0.push(Edit { start: at, end: at, new: new.into() });
    }

    fn replace(&mut self, token: Option<&Token<'_>>, new: impl Into<Cow<'static, str>>) {
        if let Some(token) = token {
            self.0.push(Edit { start: token.start, end: token.end(), new: new.into() });
        }
    }

    /// Lists, dicts and tuples that hold what is not known beforehand pass a filter.
    fn values(&mut self, tokens: &[Token<'_>]) {
        for open in tokens.iter().filter(|token| token.opens_literal()) {
            self.literal(open, tokens);
        }
    }

    fn literal(&mut self, open: &Token<'_>, tokens: &[Token<'_>]) {
        let Some((inner, close)) = enclosed(open, tokens) else { return };
        if !inner.iter().any(Token::is_dynamic) {
            return;
        }
        match open.text {
            "(" if !top(open, inner).any(|token| token.is_sign(",")) => {}
            "{" if !top(open, inner).any(|token| token.is_sign("**")) => {
                self.replace(Some(open), "([");
                top(open, inner).filter(|token| token.is_sign(":")).for_each(|colon| self.replace(Some(colon), ","));
                self.replace(Some(close), CLOSE_DICT);
            }
            _ => {
                self.insert(open.start, "(");
                self.insert(close.end(), CLOSE_KEEP);
            }
        }
    }

    /// A namespace's attribute set by its own method.
    fn set_attribute(
        &mut self,
        tokens: &[Token<'_>],
        target: &[Token<'_>],
        attribute: &str,
        value: &[Token<'_>],
        end: usize,
    ) {
        self.replace(tokens.first(), "do");
        let (operand, method) = match addend(target, value) {
            Some([open, item @ .., close]) if is_one_item(open, item, close) => (item, namespace::APPEND),
            Some(operand) => (operand, namespace::ADD),
            None => (value, namespace::SET),
        };
        let dot = target.len().saturating_sub(2);
        self.replace(target.get(dot), format!(".{method}(\"{attribute}\", ("));
        self.replace(target.last(), "");
        let operand_start = operand.first().map_or(end, |token| token.start);
        let operand_end = operand.last().map_or(end, Token::end);
        let taken = tokens.iter().filter(|token| token.start >= target.last().map_or(0, Token::end));
        for token in taken.filter(|token| token.start < operand_start || token.start >= operand_end) {
            self.replace(Some(token), "");
        }
        self.values(operand);
        self.insert(end, "))");
    }

    /// Names in the place of the attributes among a statement's targets, and what sets the attributes by them.
    fn set_after(&mut self, target: &[Token<'_>]) -> String {
        let mut then = String::new();
        let is_name = |token: &&Token<'_>| token.kind == Kind::Name || token.is_sign(".");
        let mut place = 0;
        while place < target.len() {
            let name = target.get(place..).unwrap_or_default();
            let name = name.get(..name.iter().take_while(is_name).count()).unwrap_or_default();
            if let Some(attribute) = attribute(name) {
                let path: String = name.iter().take(name.len() - 2).map(|token| token.text).collect();
                let method = namespace::SET;
                let held = format!("__{}{attribute}", then.len());
                then.push_str(&format!("{{% do {path}.{method}(\"{attribute}\", {held}) %}}"));
                name.iter().for_each(|token| self.replace(Some(token), ""));
                self.insert(name.first().map_or(0, |token| token.start), held);
            }
            place += name.len().max(1);
        }
        then.truncate(then.trim_end_matches(" %}").len());
        then
    }
}

/// What is added to the target's own value, where that is all that the value is, and does nothing else.
fn addend<'t, 's>(target: &[Token<'_>], value: &'t [Token<'s>]) -> Option<&'t [Token<'s>]> {
    let (own, rest) = value.split_at_checked(target.len())?;
    let (plus, operand) = rest.split_first()?;
    let same = target.len() == 3 && own.iter().zip(target).all(|(one, other)| one.text == other.text);
    let binds = |token: &Token<'_>| match token.kind {
        Kind::Sign => token.depth > 0 || matches!(token.text, "." | "|" | "[" | "]" | "{" | "}"),
        Kind::Name => token.depth > 0 || !token.is_word_operator(),
        Kind::Number | Kind::Text => true,
    };
    // A call could change what is added to.
    let alone = operand.iter().all(|token| binds(token) && !token.is_sign("("));
    (same && plus.is_sign("+") && alone && !operand.is_empty()).then_some(operand)
}

/// Is this a list of one item?
fn is_one_item(open: &Token<'_>, item: &[Token<'_>], close: &Token<'_>) -> bool {
    let separate = |token: &Token<'_>| token.depth == 1 && token.is_sign(",") || token.depth == 0;
    open.is_sign("[") && open.opens_literal() && close.is_sign("]") && !item.is_empty() && !item.iter().any(separate)
}

#[cfg(test)]
mod tests;
