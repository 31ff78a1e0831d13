//! What models put around JSON: a code fence, a tag, or the parentheses of a call. Text in pieces in; out comes where the JSON
//! begins, and where its wrapping ends.

use super::liberty::{Leniency, LibertyKind};

pub(super) const FENCE: &str = "```";
/// The longest fence, with the name of its language.
pub(super) const LONGEST_FENCE: usize = 32;
pub(super) const CALL_TAG: &str = "<tool_call>";
const CALL_CLOSE_TAG: &str = "</tool_call>";

/// Looks for what is around one value.
#[derive(Debug)]
pub(super) struct Wrapping {
    state: State,
    /// What was read of a fence or a tag that begins, and where that is.
    held: String,
    offset: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Nothing yet but white space.
    Before,
    /// In the first line of a fence.
    Fence,
    /// In a tag.
    Tag,
    /// After the parenthesis that opens, with nothing yet but white space.
    Parenthesis,
    /// The value is wrapped, and this ends it.
    Open(&'static str),
    /// There is nothing around the value, or nothing more.
    Over,
}

/// What the beginning of a text turned out to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Begun<'t> {
    /// All of it is before the value.
    Nothing,
    /// The value begins with this, which stands at `offset`; `held` stands before it.
    Value { rest: &'t str, offset: usize },
    /// There are no arguments between the parentheses; what follows them.
    Empty { rest: &'t str, offset: usize },
}

impl Wrapping {
    pub(super) const fn new(leniency: Leniency) -> Self {
        let state = match leniency {
            Leniency::Strict => State::Over,
            Leniency::Lenient => State::Before,
        };
        Wrapping { state, held: String::new(), offset: 0 }
    }

    /// Has the value not begun?
    pub(super) const fn is_before(&self) -> bool {
        matches!(self.state, State::Before | State::Fence | State::Tag | State::Parenthesis)
    }

    /// Takes text before the value, which begins at `offset`; what is around the value is told.
    pub(super) fn push<'t>(
        &mut self,
        text: &'t str,
        offset: usize,
        mut tell: impl FnMut(LibertyKind, usize),
    ) -> Begun<'t> {
        for (at, char) in text.char_indices() {
            let rest = text.get(at..).unwrap_or_default();
            match self.state {
                State::Before if char == '`' => {
                    (self.state, self.offset) = (State::Fence, offset + at);
                    self.held.push(char);
                }
                State::Before if char == '<' => {
                    (self.state, self.offset) = (State::Tag, offset + at);
                    self.held.push(char);
                }
                State::Before if char == '(' => {
                    self.state = State::Parenthesis;
                    tell(LibertyKind::Parentheses, offset + at);
                }
                State::Parenthesis if char == ')' => {
                    self.state = State::Over;
                    let rest = rest.get(1..).unwrap_or_default();
                    return Begun::Empty { rest, offset: offset + at + 1 };
                }
                State::Before | State::Parenthesis if is_space(char) => {}
                State::Before => {
                    self.state = State::Over;
                    return Begun::Value { rest, offset: offset + at };
                }
                State::Parenthesis => {
                    self.state = State::Open(")");
                    return Begun::Value { rest, offset: offset + at };
                }
                State::Fence => {
                    let ticks = self.held.len().min(FENCE.len());
                    let is_more = if ticks < FENCE.len() { char == '`' } else { is_language(char) };
                    if is_more && self.held.len() < LONGEST_FENCE {
                        self.held.push(char);
                        continue;
                    }
                    self.state = State::Over;
                    if ticks == FENCE.len() && (is_space(char) || matches!(char, '{' | '[' | '"')) {
                        self.state = State::Open(FENCE);
                        self.held.clear();
                        tell(LibertyKind::CodeFence, self.offset);
                    }
                    return Begun::Value { rest, offset: offset + at };
                }
                State::Tag => {
                    self.held.push(char);
                    if self.held == CALL_TAG {
                        self.state = State::Open(CALL_CLOSE_TAG);
                        self.held.clear();
                        tell(LibertyKind::CallTags, self.offset);
                    } else if !CALL_TAG.starts_with(&*self.held) {
                        self.held.pop();
                        self.state = State::Over;
                        return Begun::Value { rest, offset: offset + at };
                    }
                }
                State::Open(_) | State::Over => return Begun::Value { rest, offset: offset + at },
            }
        }
        Begun::Nothing
    }

    /// What looked like a fence but is not one, and its place: it comes before the value.
    pub(super) fn take_held(&mut self) -> Option<(String, usize)> {
        if self.held.is_empty() {
            return None;
        }
        self.state = State::Over;
        Some((std::mem::take(&mut self.held), self.offset))
    }

    /// What follows a value: without the end of the wrapping, and not before that is known.
    pub(super) fn take_after(&mut self, after: &mut Option<String>) -> Option<String> {
        if let (State::Open(end), Some(held)) = (self.state, after.as_mut()) {
            let trimmed = held.trim_start_matches(is_space);
            if let Some(rest) = trimmed.strip_prefix(end) {
                *held = rest.to_owned();
            } else if end.starts_with(trimmed) {
                return None;
            }
            self.state = State::Over;
        }
        after.take()
    }
}

/// May it stand in the name of a language, after the fence?
pub(super) const fn is_language(char: char) -> bool {
    char.is_ascii_alphanumeric() || char == '_'
}

pub(super) const fn is_space(char: char) -> bool {
    matches!(char, ' ' | '\t' | '\n' | '\r')
}
