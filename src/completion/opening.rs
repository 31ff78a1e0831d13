//! The beginning of a text that may not be one: text in pieces in, what it turns out to be out.
//!
//! It may be thinking in `<think>` tags, or a call whose control tokens a server took out.

use super::call::{LONGEST_NAME, is_name, is_name_byte};
use super::json::{Event, Json};
use super::liberty::Leniency;
use super::scanner::Kind;
use super::unescape::Unescape;
use super::wrapping::{CALL_TAG, FENCE, LONGEST_FENCE, is_language, is_space};
use crate::control::Control;

pub(super) const OPEN_TAG: &str = "<think>";
pub(super) const CLOSE_TAG: &str = "</think>";

/// The longest white space before a tag or a call.
const LONGEST_SPACE: usize = 256;

/// What is held back of a text until it is known what it is.
#[derive(Debug)]
pub(super) struct Opening {
    pub(super) held: String,
    pub(super) offset: usize,
    leniency: Leniency,
    pub(super) after: Before,
    probe: Option<Probe>,
}

/// What stands before a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Before {
    Anything,
    /// A call, which text should not follow.
    Call,
}

/// What a text turned out to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Found {
    Nothing,
    Text,
    /// Thinking, after this many bytes.
    Thinking(usize),
    /// A call in the form of its own tokens, after this many bytes.
    Call(usize),
    /// A call or a list of them as JSON, after this many bytes.
    Json(usize),
}

impl Opening {
    pub(super) fn new(leniency: Leniency, after: Before) -> Self {
        Opening { held: String::new(), offset: 0, leniency, after, probe: None }
    }

    /// Takes a piece that begins at `offset`.
    pub(super) fn push(&mut self, text: &str, offset: usize, tools: &[String]) -> Found {
        if self.held.is_empty() {
            self.offset = offset;
        }
        let known = self.held.len();
        self.held.push_str(text);
        let space = self.leading();
        let trimmed = self.held.get(space..).unwrap_or_default();
        match (trimmed.bytes().next(), self.leniency) {
            (None, _) if space > LONGEST_SPACE => Found::Text,
            (None, _) => Found::Nothing,
            _ if trimmed.starts_with(OPEN_TAG) => Found::Thinking(space + OPEN_TAG.len()),
            _ if OPEN_TAG.starts_with(trimmed) => Found::Nothing,
            (Some(b'[' | b'{' | b'`' | b'<'), Leniency::Lenient) if !tools.is_empty() || self.after == Before::Call => {
                let json = match wrapped(trimmed) {
                    Wrapped::Maybe => return Found::Nothing,
                    Wrapped::Text => return Found::Text,
                    Wrapped::Json(at) => space + at,
                };
                let new = self.held.get(known.max(json)..).unwrap_or_default();
                match self.probe.get_or_insert_with(Probe::new).push(new, tools) {
                    None => Found::Nothing,
                    Some(Verdict::Call) => Found::Json(space),
                    Some(Verdict::Text) => Found::Text,
                }
            }
            (Some(_), Leniency::Lenient) => named(trimmed, space, tools),
            (Some(_), Leniency::Strict) => Found::Text,
        }
    }

    /// Is all that is held a name, which `[ARGS]` would make a call?
    pub(super) fn is_name(&self) -> bool {
        self.leniency == Leniency::Lenient && is_name(self.held.get(self.leading()..).unwrap_or_default().trim())
    }

    /// Is the name that is held one of these, if there are any?
    pub(super) fn names_one_of(&self, tools: &[String]) -> bool {
        let name = self.held.get(self.leading()..).unwrap_or_default().trim();
        tools.is_empty() || tools.iter().any(|tool| tool == name)
    }

    /// How many bytes of white space come first, and of what may stand between calls.
    fn leading(&self) -> usize {
        let says_nothing = |char: char| char.is_whitespace() || (self.after == Before::Call && is_punctuation(char));
        self.held.len() - self.held.trim_start_matches(says_nothing).len()
    }

    /// Is nothing held but what may stand between calls?
    pub(super) fn says_nothing(&self) -> bool {
        self.after == Before::Call && self.leading() == self.held.len()
    }

    /// What stands between calls, and a name.
    pub(super) fn parts(&self) -> (&str, &str) {
        let (between, name) = self.held.split_at_checked(self.leading()).unwrap_or_default();
        if between.trim().is_empty() { ("", &self.held) } else { (between, name) }
    }
}

/// May it stand between calls?
const fn is_punctuation(char: char) -> bool {
    matches!(char, ',' | ';' | '}' | ']')
}

/// The name of a tool, and then `[ARGS]`, `[CALL_ID]` or arguments.
fn named(text: &str, space: usize, tools: &[String]) -> Found {
    let length = text.bytes().take(LONGEST_NAME + 1).take_while(|byte| is_name_byte(*byte)).count();
    let (name, after) = text.split_at_checked(length).unwrap_or((text, ""));
    let literals = [Control::Args.as_str(), Control::CallId.as_str()];
    let begins_arguments = after.starts_with('{') || literals.iter().any(|literal| after.starts_with(literal));
    if !is_name(name) {
        Found::Text
    } else if begins_arguments && tools.iter().any(|tool| tool == name) {
        Found::Call(space)
    } else if literals.iter().any(|literal| literal.starts_with(after)) {
        Found::Nothing
    } else {
        Found::Text
    }
}

/// Does JSON begin here, perhaps in a code fence or a tag?
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wrapped {
    /// More of the text has to say it.
    Maybe,
    Text,
    /// It begins after this many bytes.
    Json(usize),
}

/// Looks for JSON at the beginning of a text.
pub(super) fn wrapped(text: &str) -> Wrapped {
    let opened = match text.strip_prefix(FENCE) {
        Some(fenced) => fenced.trim_start_matches(is_language),
        None => text.strip_prefix(CALL_TAG).unwrap_or(text),
    };
    let inside = opened.trim_start_matches(is_space);
    let begin = text.len() - inside.len();
    let may_go_on = match text.len() - opened.len() {
        0 => FENCE.starts_with(text) || CALL_TAG.starts_with(text),
        length => length <= LONGEST_FENCE && begin <= LONGEST_SPACE && inside.is_empty(),
    };
    match inside.starts_with(['[', '{']) {
        true if text.len() - opened.len() <= LONGEST_FENCE => Wrapped::Json(begin),
        false if may_go_on => Wrapped::Maybe,
        _ => Wrapped::Text,
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Call,
    Text,
}

/// Reads JSON until it names a tool, or shows that it is not a call.
#[derive(Debug)]
pub(super) struct Probe {
    json: Json,
    seen: Seen,
    /// How many bytes were read.
    read: usize,
}

#[derive(Debug)]
struct Seen {
    call_level: usize,
    wrapped: usize,
    key: String,
    name: String,
    decoder: Unescape,
    target: Target,
    /// Is a tool named, whose arguments did not begin yet?
    is_named: bool,
    has_arguments: bool,
    /// Does the object say that it is a message? Then it may have content before its calls.
    has_role: bool,
    verdict: Option<Verdict>,
    /// Where it was known.
    end: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Target {
    Other,
    Key,
    Value,
    Name,
    /// The value of `tool_calls`.
    Calls,
}

impl Probe {
    pub(super) fn new() -> Self {
        let seen = Seen {
            call_level: 0,
            wrapped: 0,
            key: String::new(),
            name: String::new(),
            decoder: Unescape::default(),
            target: Target::Other,
            is_named: false,
            has_arguments: false,
            has_role: false,
            verdict: None,
            end: 0,
        };
        Probe { json: Json::new(Leniency::Lenient, 4), seen, read: 0 }
    }

    /// Takes more text. Without tools, whatever is called is taken for one.
    pub(super) fn push(&mut self, text: &str, tools: &[String]) -> Option<Verdict> {
        let Probe { json, seen, read } = self;
        json.push(text, *read, |event| {
            if seen.verdict.is_none() {
                seen.verdict = seen.on(event, tools);
                if let Event::Begin { offset, .. } | Event::End { offset, .. } | Event::Lost { offset, .. } = event {
                    seen.end = offset;
                }
            }
        });
        *read += text.len();
        seen.verdict
    }

    /// How many bytes it took to know what they are.
    pub(super) fn end(&self) -> usize {
        self.seen.end
    }
}

impl Seen {
    fn on(&mut self, event: Event<'_>, tools: &[String]) -> Option<Verdict> {
        let field_level = self.call_level + 1 + self.wrapped;
        match event {
            Event::Begin { kind: Kind::Array, level: 0, .. } => self.call_level = 1,
            Event::Begin { kind, level, .. } if level == self.call_level && kind != Kind::Object => {
                return Some(Verdict::Text);
            }
            Event::Begin { kind, level, .. } if level == field_level => {
                self.target = match (kind, self.target, &*self.key) {
                    (Kind::Key, ..) => {
                        self.key.clear();
                        Target::Key
                    }
                    (Kind::String, Target::Value, "name" | "function") => Target::Name,
                    (Kind::Object, Target::Value, "function") => {
                        self.wrapped = 1;
                        Target::Other
                    }
                    (Kind::Array, Target::Calls, _) => {
                        self.call_level = 2;
                        Target::Other
                    }
                    _ => Target::Other,
                };
                self.decoder = Unescape::default();
            }
            Event::Source(text) => match self.target {
                Target::Key => self.decoder.push(text, &mut self.key),
                Target::Name => self.decoder.push(text, &mut self.name),
                Target::Other | Target::Value | Target::Calls => {}
            },
            Event::End { level, .. } if level == field_level => match self.target {
                Target::Name => {
                    let name = self.name.trim();
                    let names_a_tool = tools.iter().any(|tool| tool == name) || (tools.is_empty() && is_name(name));
                    if !names_a_tool || self.has_arguments {
                        return Some(if names_a_tool { Verdict::Call } else { Verdict::Text });
                    }
                    (self.is_named, self.target) = (true, Target::Other);
                }
                Target::Key => return self.on_key(),
                Target::Other | Target::Value | Target::Calls => self.target = Target::Other,
            },
            // An object ends that names a tool alone, or nothing.
            Event::End { level, .. } if level < field_level => {
                return Some(if self.is_named { Verdict::Call } else { Verdict::Text });
            }
            Event::Lost { .. } => return Some(Verdict::Text),
            _ => {}
        }
        None
    }

    /// A key that no call has: then the object is not a call.
    fn on_key(&mut self) -> Option<Verdict> {
        self.target = match &*self.key {
            "arguments" | "parameters" if self.is_named => return Some(Verdict::Call),
            "arguments" | "parameters" => {
                self.has_arguments = true;
                Target::Value
            }
            "name" | "function" | "type" | "id" => Target::Value,
            "tool_calls" if self.call_level == 0 => Target::Calls,
            "role" if self.call_level == 0 => {
                self.has_role = true;
                Target::Value
            }
            "content" if self.has_role => Target::Value,
            _ => return Some(Verdict::Text),
        };
        None
    }
}
