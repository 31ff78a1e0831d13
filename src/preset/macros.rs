//! `{{macros}}` and `<USER>`: text in, the text that SillyTavern's macro engine makes of it out.
//!
//! A macro's value is trusted only where the preset wrote all of the macro and the value is the preset's: a card that
//! says `{{instructInput}}` gets its text, and no control token.

use std::collections::HashMap;

use super::fields::{Context, Instruct};
use super::scene::{Scene, SceneMessage, Speaker};
use super::tracked_text::{TrackedText, Trust};

mod clock;
mod expand;
mod json_variables;
mod names;
mod parse;

pub use self::clock::Clock;
use self::parse::Scope;

/// How many bytes macros may write beyond eight times what goes in.
const ALLOWANCE: usize = 1 << 20;

/// What macros know and remember.
pub(super) struct Macros<'s> {
    pub(super) context: &'s Context,
    pub(super) instruct: &'s Instruct,
    pub(super) scene: &'s Scene,
    /// The text of the system prompt preset; empty where it is off.
    pub(super) system_prompt: &'s str,
    /// The card's fields, once they are known.
    pub(super) card: Option<Card>,
    /// The chat, once it is known.
    pub(super) chat: Option<&'s ChatFacts>,
    /// Did a macro ask for a chat that is not known yet?
    pub(super) asks_for_chat: bool,
    /// Did a macro run that can give something else the next time?
    pub(super) is_volatile: bool,
    /// What `{{original}}` gives, once.
    original: Option<TrackedText>,
    variables: Variables,
    /// How often chance was asked.
    draws: u64,
    /// How many bytes macros may still write.
    budget: usize,
    /// The budget did not suffice.
    spent: bool,
}

type Variables = HashMap<(Scope, String), TrackedText>;

/// What macros remember between texts.
#[derive(Clone, Default)]
pub(super) struct Memory {
    variables: Variables,
    draws: u64,
}

/// What macros can ask about a chat.
#[derive(Clone, Debug, Default)]
pub(super) struct ChatFacts {
    pub(super) count: usize,
    pub(super) last: String,
    pub(super) last_user: String,
    pub(super) last_char: String,
    /// When the user spoke before the last message, in seconds since 1970.
    pub(super) idle_since: Option<i64>,
}

impl ChatFacts {
    /// Takes the chat's messages in, the last one first.
    pub(super) fn new<'m>(messages: &[SceneMessage<'m>]) -> Self {
        let text = |found: Option<&SceneMessage<'m>>| found.map(|it| it.text.to_string()).unwrap_or_default();
        let is_user = |message: &&SceneMessage<'m>| message.speaker == Speaker::User;
        ChatFacts {
            count: messages.len(),
            last: text(messages.last()),
            last_user: text(messages.iter().rev().find(is_user)),
            last_char: text(messages.iter().rev().find(|message| !is_user(message))),
            idle_since: messages.iter().rev().skip(1).find(is_user).and_then(|message| message.sent),
        }
    }
}

/// The fields of a card, their macros replaced.
#[derive(Clone, Default)]
pub(super) struct Card {
    pub(super) description: String,
    pub(super) personality: String,
    pub(super) scenario: String,
    pub(super) persona: String,
    pub(super) examples_raw: String,
    pub(super) system_prompt: String,
    pub(super) post_history: String,
    pub(super) greeting: String,
    pub(super) examples: TrackedText,
}

impl<'s> Macros<'s> {
    pub(super) fn new(
        context: &'s Context,
        instruct: &'s Instruct,
        scene: &'s Scene,
        system_prompt: &'s str,
        input: usize,
    ) -> Self {
        Macros {
            context,
            instruct,
            scene,
            system_prompt,
            card: None,
            chat: None,
            asks_for_chat: false,
            is_volatile: false,
            original: None,
            variables: Variables::new(),
            draws: 0,
            budget: ALLOWANCE + 8 * input,
            spent: false,
        }
    }

    pub(super) fn memory(&self) -> Memory {
        Memory { variables: self.variables.clone(), draws: self.draws }
    }

    pub(super) fn remember(&mut self, memory: &Memory) {
        self.variables.clone_from(&memory.variables);
        self.draws = memory.draws;
    }

    /// Did macros write more than they may?
    pub(super) fn is_spent(&self) -> bool {
        self.spent
    }

    /// The text with its macros replaced.
    pub(super) fn expand(&mut self, text: &TrackedText) -> TrackedText {
        if !text.as_str().contains(['{', '<', '\\']) {
            return text.clone();
        }
        let timed = legacy_times(text);
        let text = timed.as_ref().unwrap_or(text);
        let marked = legacy_markers(text);
        let text = marked.as_ref().unwrap_or(text);
        let calls = parse::parse(text.as_str());
        let expanded = if calls.is_empty() { text.clone() } else { self.run(text, 0..text.len(), &calls, 0) };
        without_trims(unescaped(expanded))
    }

    /// The preset's text with its macros replaced.
    pub(super) fn expand_preset(&mut self, text: &str) -> TrackedText {
        self.expand(&TrackedText::of_preset(text))
    }

    /// Somebody's text with its macros replaced: all of it is somebody's.
    pub(super) fn expand_text(&mut self, text: &str) -> String {
        self.expand(&TrackedText::of_nobody(text)).into_string()
    }

    /// As [`expand_text`](Macros::expand_text), with a value for `{{original}}`.
    pub(super) fn expand_with_original(&mut self, text: &str, original: &str) -> String {
        self.original = Some(TrackedText::of_nobody(original));
        let expanded = self.expand_text(text);
        self.original = None;
        expanded
    }

    /// Takes what macros write out of the budget.
    fn spend(&mut self, bytes: usize) -> bool {
        match self.budget.checked_sub(bytes) {
            Some(left) => self.budget = left,
            None => self.spent = true,
        }
        !self.spent
    }
}

/// The markers that came before macros, as the macros that they are.
const MARKERS: [(&str, &str); 5] = [
    ("<USER>", "{{user}}"),
    ("<BOT>", "{{char}}"),
    ("<CHAR>", "{{char}}"),
    ("<GROUP>", "{{group}}"),
    ("<CHARIFNOTGROUP>", "{{charIfNotGroup}}"),
];

fn legacy_markers(text: &TrackedText) -> Option<TrackedText> {
    let source = text.as_str();
    let mut marked = None;
    let mut copied = 0;
    for (at, _) in source.match_indices('<') {
        let starts = |marker: &str| source.get(at..at + marker.len()).is_some_and(|s| s.eq_ignore_ascii_case(marker));
        let Some((marker, replacement)) = MARKERS.iter().find(|(marker, _)| starts(marker)) else { continue };
        let end = at + marker.len();
        let trust = if text.is_of_preset(at..end) { Trust::Preset } else { Trust::Nobody };
        let marked = marked.get_or_insert_with(TrackedText::default);
        marked.append_part(text, copied..at);
        marked.push(replacement, trust);
        copied = end;
    }
    if let Some(marked) = &mut marked {
        marked.append_part(text, copied..source.len());
    }
    marked
}

/// `{{time_UTC+2}}` as the `{{time::UTC+2}}` that it is now.
fn legacy_times(text: &TrackedText) -> Option<TrackedText> {
    const BEFORE: &str = "{{time_";
    let source = text.as_str();
    let mut timed = None;
    let mut copied = 0;
    for (at, _) in source.match_indices("{{") {
        let start = at + BEFORE.len();
        if !source.get(at..start).is_some_and(|found| found.eq_ignore_ascii_case(BEFORE)) {
            continue;
        }
        let rest = source.get(start..).unwrap_or_default();
        let Some((offset, _)) = rest.split_once("}}") else { continue };
        let is_utc = offset.get(..3).is_some_and(|utc| utc.eq_ignore_ascii_case("UTC"));
        let hours = offset.get(3..).and_then(|hours| hours.strip_prefix(['+', '-'])).unwrap_or_default();
        if !is_utc || hours.is_empty() || !hours.bytes().all(|byte| byte.is_ascii_digit()) {
            continue;
        }
        let timed = timed.get_or_insert_with(TrackedText::default);
        timed.append_part(text, copied..start - 1);
        timed.push("::", text.part(at..start).trust());
        copied = start;
    }
    if let Some(timed) = &mut timed {
        timed.append_part(text, copied..source.len());
    }
    timed
}

/// `\{` and `\}` without their backslashes.
fn unescaped(text: TrackedText) -> TrackedText {
    let source = text.as_str();
    let escapes: Vec<_> = source
        .match_indices('\\')
        .filter(|(at, _)| source.get(at + 1..).is_some_and(|rest| rest.starts_with(['{', '}'])))
        .map(|(at, _)| at..at + 1)
        .collect();
    if escapes.is_empty() { text } else { text.without(escapes) }
}

/// The text without `{{trim}}` and the newlines around each.
fn without_trims(text: TrackedText) -> TrackedText {
    const TRIM: &str = "{{trim}}";
    let source = text.as_str();
    let mut cuts = Vec::new();
    let mut from = 0;
    for (at, _) in source.match_indices("{{") {
        let end = at + TRIM.len();
        if at < from || !source.get(at..end).is_some_and(|found| found.eq_ignore_ascii_case(TRIM)) {
            continue;
        }
        let start = from + without_newlines_at_end(source.get(from..at).unwrap_or_default()).len();
        let after = source.get(end..).unwrap_or_default();
        let end = end + (after.len() - without_newlines_at_start(after).len());
        cuts.push(start..end);
        from = end;
    }
    if cuts.is_empty() { text } else { text.without(cuts) }
}

fn without_newlines_at_end(mut text: &str) -> &str {
    while let Some(rest) = text.strip_suffix('\n') {
        text = rest.strip_suffix('\r').unwrap_or(rest);
    }
    text
}

fn without_newlines_at_start(mut text: &str) -> &str {
    while let Some(rest) = text.strip_prefix("\r\n").or_else(|| text.strip_prefix('\n')) {
        text = rest;
    }
    text
}
