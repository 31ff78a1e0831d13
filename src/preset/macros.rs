//! `{{macros}}` and `<USER>`: text in, the text that SillyTavern's macro engine makes of it out.
//!
//! A macro's value is trusted only where the preset wrote all of the macro and the value is the preset's: a card that
//! says `{{instructInput}}` gets its text, and no control token.

use std::collections::HashMap;

use super::fields::{ContextPreset, InstructPreset};
use super::mixed::{Mixed, Trust};
use super::scene::Scene;

mod names;
mod parse;
mod run;

use self::parse::Scope;

/// How many bytes macros may write beyond eight times what goes in.
const ALLOWANCE: usize = 1 << 20;

/// What macros know and remember.
pub(super) struct Macros<'s> {
    pub(super) context: &'s ContextPreset,
    pub(super) instruct: &'s InstructPreset,
    pub(super) scene: &'s Scene,
    /// The text of the system prompt preset; empty where it is off.
    pub(super) system_prompt: &'s str,
    /// The card's fields, once they are known.
    pub(super) card: Option<Card>,
    /// What `{{original}}` gives, once.
    original: Option<Mixed>,
    variables: HashMap<(Scope, String), Mixed>,
    /// How often chance was asked.
    draws: u64,
    /// How many bytes macros may still write.
    budget: usize,
    /// The budget did not suffice.
    spent: bool,
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
    pub(super) examples: Mixed,
}

impl<'s> Macros<'s> {
    pub(super) fn new(
        context: &'s ContextPreset,
        instruct: &'s InstructPreset,
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
            original: None,
            variables: HashMap::new(),
            draws: 0,
            budget: ALLOWANCE + 8 * input,
            spent: false,
        }
    }

    /// Did macros write more than they may?
    pub(super) fn is_spent(&self) -> bool {
        self.spent
    }

    /// The text with its macros replaced.
    pub(super) fn expand(&mut self, text: &Mixed) -> Mixed {
        if !text.as_str().contains(['{', '<', '\\']) {
            return text.clone();
        }
        let marked = legacy_markers(text);
        let text = marked.as_ref().unwrap_or(text);
        let calls = parse::parse(text.as_str());
        let expanded = if calls.is_empty() { text.clone() } else { self.run(text, 0..text.len(), &calls, 0) };
        without_trims(unescaped(expanded))
    }

    /// The preset's text with its macros replaced.
    pub(super) fn expand_preset(&mut self, text: &str) -> Mixed {
        self.expand(&Mixed::of_preset(text))
    }

    /// Somebody's text with its macros replaced: all of it is somebody's.
    pub(super) fn expand_text(&mut self, text: &str) -> String {
        self.expand(&Mixed::of_nobody(text)).into_string()
    }

    /// As [`expand_text`](Macros::expand_text), with a value for `{{original}}`.
    pub(super) fn expand_with_original(&mut self, text: &str, original: &str) -> String {
        self.original = Some(Mixed::of_nobody(original));
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

fn legacy_markers(text: &Mixed) -> Option<Mixed> {
    let source = text.as_str();
    let mut marked = None;
    let mut copied = 0;
    for (at, _) in source.match_indices('<') {
        let starts = |marker: &str| source.get(at..at + marker.len()).is_some_and(|s| s.eq_ignore_ascii_case(marker));
        let Some((marker, replacement)) = MARKERS.iter().find(|(marker, _)| starts(marker)) else { continue };
        let end = at + marker.len();
        let trust = if text.is_of_preset(at..end) { Trust::Preset } else { Trust::Nobody };
        let marked = marked.get_or_insert_with(Mixed::default);
        marked.append_part(text, copied..at);
        marked.push(replacement, trust);
        copied = end;
    }
    if let Some(marked) = &mut marked {
        marked.append_part(text, copied..source.len());
    }
    marked
}

/// `\{` and `\}` without their backslashes.
fn unescaped(text: Mixed) -> Mixed {
    let source = text.as_str();
    let escapes: Vec<_> = source
        .match_indices('\\')
        .filter(|(at, _)| source.get(at + 1..).is_some_and(|rest| rest.starts_with(['{', '}'])))
        .map(|(at, _)| at..at + 1)
        .collect();
    if escapes.is_empty() { text } else { text.without(escapes) }
}

/// The text without `{{trim}}` and the newlines around each.
fn without_trims(text: Mixed) -> Mixed {
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
