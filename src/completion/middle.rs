//! A call in the middle of what is said, whose control tokens a server took out: text in pieces in; what is said out, and
//! what is held back because a call of one of the request's tools may begin with it.

use super::opening::{Found, Probe, Verdict, Wrapped, wrapped};
use crate::control::Control;

/// What JSON or its wrapping begins with.
const JSON_BEGINS: [char; 4] = ['[', '{', '`', '<'];

/// Looks for calls of tools in what is said.
#[derive(Debug, Default)]
pub(super) struct Middle {
    /// What may begin a call.
    pub(super) held: String,
    pub(super) offset: usize,
    /// Reads what is held, where it is JSON.
    probe: Option<Probe>,
    /// How many bytes stand before that JSON: what it is wrapped in.
    lead: usize,
    /// What stands before what is held.
    before: Option<char>,
}

/// What a piece turned out to be.
pub(super) struct Step {
    pub(super) said: String,
    /// A call, with the text that it begins with, and where that stands.
    pub(super) call: Option<(Found, String, usize)>,
}

enum Beginning {
    Call,
    Maybe,
    /// This many bytes are not part of a call, and do not begin one.
    Text(usize),
}

impl Middle {
    /// Takes a piece that begins at `offset`.
    pub(super) fn push(&mut self, text: &str, offset: usize, tools: &[String]) -> Step {
        let known = self.held.len();
        let mut whole = std::mem::take(&mut self.held);
        whole.push_str(text);
        // Places are counted from the end: what was left out between two pieces lies before it.
        let end = offset + text.len();
        let mut at = 0;
        while at < whole.len() {
            let rest = whole.get(at..).unwrap_or_default();
            let before = whole.get(..at).and_then(|before| before.chars().next_back()).or(self.before);
            let beginning = match self.probe.take() {
                Some(probe) => self.probed(probe, rest.get(known..).unwrap_or_default(), tools),
                None if rest.starts_with(JSON_BEGINS) => match wrapped(rest) {
                    Wrapped::Maybe => Beginning::Maybe,
                    Wrapped::Text => Beginning::Text(1),
                    Wrapped::Json(begin) => {
                        self.lead = begin;
                        self.probed(Probe::new(), rest.get(begin..).unwrap_or_default(), tools)
                    }
                },
                None => name(rest, before, tools),
            };
            match beginning {
                Beginning::Text(length) => at += length,
                Beginning::Maybe | Beginning::Call => {
                    let call = whole.split_off(at);
                    self.before = before;
                    let begin = end.saturating_sub(call.len());
                    if let Beginning::Call = beginning {
                        let found = if call.starts_with(JSON_BEGINS) { Found::Json(0) } else { Found::Call(0) };
                        self.before = None;
                        return Step { said: whole, call: Some((found, call, begin)) };
                    }
                    (self.held, self.offset) = (call, begin);
                    return Step { said: whole, call: None };
                }
            }
        }
        self.before = whole.chars().next_back().or(self.before);
        Step { said: whole, call: None }
    }

    /// Is all that is held the name of a tool, which `[ARGS]` would make a call?
    pub(super) fn is_name(&self, tools: &[String]) -> bool {
        tools.contains(&self.held)
    }

    /// What is held back, which is text.
    pub(super) fn flush(&mut self) -> String {
        self.probe = None;
        let held = std::mem::take(&mut self.held);
        self.before = held.chars().next_back().or(self.before);
        held
    }

    fn probed(&mut self, mut probe: Probe, new: &str, tools: &[String]) -> Beginning {
        match probe.push(new, tools) {
            None => {
                self.probe = Some(probe);
                Beginning::Maybe
            }
            Some(Verdict::Call) => Beginning::Call,
            // What was read is not read again, so that time is linear.
            Some(Verdict::Text) => Beginning::Text(self.lead + probe.end().max(1)),
        }
    }
}

/// A tool's name and the beginning of its arguments, at the beginning of a word.
fn name(text: &str, before: Option<char>, tools: &[String]) -> Beginning {
    let is_word = |char: char| char.is_alphanumeric() || matches!(char, '_' | '-');
    let word = text.find(|char| !is_word(char)).unwrap_or(text.len());
    let next = text.chars().next().map_or(1, char::len_utf8);
    // What stands in quotes is spoken of.
    if word == 0 || before.is_some_and(|before| is_word(before) || matches!(before, '`' | '"' | '\'')) {
        return Beginning::Text(word.max(next));
    }
    let mut beginning = Beginning::Text(word);
    for tool in tools.iter().filter(|tool| !tool.is_empty()) {
        let Some(after) = text.strip_prefix(&**tool) else {
            if tool.starts_with(text) {
                beginning = Beginning::Maybe;
            }
            continue;
        };
        match begins_arguments(after) {
            Some(true) => return Beginning::Call,
            Some(false) => {}
            None => beginning = Beginning::Maybe,
        }
    }
    beginning
}

/// Do arguments begin here? None where more of the text has to say it.
fn begins_arguments(text: &str) -> Option<bool> {
    let literals = [Control::Args.as_str(), Control::CallId.as_str()];
    if literals.iter().any(|literal| text.starts_with(literal)) {
        return Some(true);
    }
    let object = text.strip_prefix('(').unwrap_or(text);
    match object.strip_prefix('{').map(|inside| inside.chars().next()) {
        Some(Some(char)) => Some(matches!(char, '"' | '\'' | '}' | ' ' | '\n' | '\r' | '\t')),
        Some(None) => None,
        None if object.is_empty() || literals.iter().any(|literal| literal.starts_with(text)) => None,
        None => Some(false),
    }
}
