//! Probes: chats of words that occur nowhere else, and the places between the words.

use super::super::{Preset, Scene};
use super::DifferenceKind;
use crate::chat::{Chat, Message};
use crate::error::Error;
use crate::format::Format;
use crate::layout::Layout;
use crate::prompt::Prompt;

const SYSTEM: &str = "SYSTEM MESSAGE";
const USER: &str = "USER MESSAGE";
const REPLY: &str = "ASSISTANT MESSAGE";
const LAST: &str = "LAST MESSAGE";
const BEFORE: &str = "EARLIER MESSAGE";
const ANSWER: &str = "EARLIER ANSWER";

/// A chat, as both sides see it.
#[derive(Clone, Copy)]
enum Probe {
    /// A question, an answer, a question.
    Turns { system: bool },
    /// One question.
    Only,
    /// A greeting, a question.
    Greeting,
    /// Two blocks of example dialogue and a question.
    Examples,
}

/// A place in a probe's prompt.
pub(super) struct Place {
    pub(super) kind: DifferenceKind,
    probe: Probe,
    between: Between,
}

enum Between {
    Words(Option<&'static str>, Option<&'static str>),
    /// Up to a mark of the layout, after a word.
    UpTo {
        word: &'static str,
        mark: &'static str,
        next: Option<&'static str>,
    },
    /// From a mark of the layout to a word, or to the end.
    From {
        word: &'static str,
        mark: &'static str,
        next: Option<&'static str>,
    },
    Stop(&'static str),
}

impl Place {
    /// Every place of a layout, the most telling first.
    pub(super) fn all(layout: &Layout) -> Vec<Place> {
        let (open, close) = (layout.user.open.as_str().trim(), layout.user.close.as_str().trim());
        let turns = Probe::Turns { system: true };
        let place = |kind, probe, between| Place { kind, probe, between };
        let words = |before, after| Between::Words(before, after);
        vec![
            place(DifferenceKind::BeforeSystem, turns, words(None, Some(SYSTEM))),
            place(DifferenceKind::AfterSystem, turns, words(Some(SYSTEM), Some(USER))),
            place(DifferenceKind::NoSystem, Probe::Turns { system: false }, words(None, Some(USER))),
            place(DifferenceKind::OnlyMessage, Probe::Only, words(Some(SYSTEM), Some(USER))),
            place(DifferenceKind::UserEnd, turns, Between::UpTo { word: USER, mark: close, next: Some(REPLY) }),
            place(DifferenceKind::ReplyStart, turns, Between::From { word: USER, mark: close, next: Some(REPLY) }),
            place(DifferenceKind::ReplyEnd, turns, Between::UpTo { word: REPLY, mark: open, next: Some(LAST) }),
            place(DifferenceKind::UserStart, turns, Between::From { word: REPLY, mark: open, next: Some(LAST) }),
            place(DifferenceKind::PromptEnd, turns, Between::From { word: LAST, mark: close, next: None }),
            place(DifferenceKind::Greeting, Probe::Greeting, words(Some(SYSTEM), Some(REPLY))),
            place(DifferenceKind::Examples, Probe::Examples, words(Some(ANSWER), Some(USER))),
            place(DifferenceKind::StopString, turns, Between::Stop(layout.reply.close.as_str())),
        ]
    }

    pub(super) fn of_layout(&self, layout: &Layout) -> Result<Option<String>, Error> {
        let prompt = layout.render(&self.probe.chat(Side::Layout))?;
        Ok(self.read(&prompt))
    }

    pub(super) fn of_preset(&self, preset: &Preset) -> Result<Option<String>, Error> {
        Ok(self.read(&self.probe.render(preset)?))
    }

    /// What stands at the place; none where one of its words is missing.
    fn read(&self, prompt: &Prompt) -> Option<String> {
        let text = prompt.after_bos();
        let after = |word: &str| text.split_once(word).map(|(_, rest)| rest);
        let up_to = |rest: &str, word: Option<&str>| match word {
            Some(word) => rest.split_once(word).map(|(before, _)| before.to_owned()),
            None => Some(rest.to_owned()),
        };
        match &self.between {
            Between::Words(before, next) => up_to(before.map_or(Some(text), after)?, *next),
            Between::UpTo { word, mark, next } => {
                let gap = up_to(after(word)?, *next)?;
                gap.split_once(mark).map(|(before, _)| before.to_owned()).or(Some(gap))
            }
            Between::From { word, mark, next } => {
                let gap = up_to(after(word)?, *next)?;
                gap.split_once(mark).map(|(_, rest)| rest.to_owned())
            }
            Between::Stop(stop) => prompt.stop_strings().iter().any(|known| known == stop).then(|| (*stop).to_owned()),
        }
    }
}

#[derive(Clone, Copy, PartialEq)]
enum Side {
    Preset,
    Layout,
}

impl Probe {
    fn has_system(self) -> bool {
        !matches!(self, Probe::Turns { system: false })
    }

    /// The chat; a preset has its system prompt and its examples elsewhere.
    fn chat(self, side: Side) -> Chat<'static> {
        let mut messages = Vec::new();
        if side == Side::Layout && self.has_system() {
            messages.push(Message::system(SYSTEM));
        }
        if let (Side::Layout, Probe::Examples) = (side, self) {
            messages.extend([Message::user(BEFORE), Message::assistant(ANSWER)]);
            messages.extend([Message::user(USER), Message::assistant(REPLY)]);
        }
        match self {
            Probe::Turns { .. } => {
                messages.extend([Message::user(USER), Message::assistant(REPLY), Message::user(LAST)]);
            }
            Probe::Only => messages.push(Message::user(USER)),
            Probe::Greeting => messages.extend([Message::assistant(REPLY), Message::user(LAST)]),
            Probe::Examples => messages.push(Message::user(LAST)),
        }
        Chat::new(messages)
    }

    fn render(self, preset: &Preset) -> Result<Prompt, Error> {
        let content = if self.has_system() { SYSTEM } else { "" };
        let preset = preset.clone().with_system_prompt(content);
        let mut scene = Scene::default();
        if let Probe::Examples = self {
            let block = |question, answer| format!("<START>\n{}: {question}\n{}: {answer}\n", scene.user, scene.char);
            scene.examples = block(BEFORE, ANSWER) + &block(USER, REPLY);
        }
        preset.with_scene(&scene)?.render(&self.chat(Side::Preset))
    }
}

/// One chat as the preset sends it and as the layout says.
pub(super) fn example(preset: &Preset, layout: &Layout) -> Result<(String, String), Error> {
    let probe = Probe::Turns { system: true };
    let expects = layout.render(&probe.chat(Side::Layout))?;
    Ok((probe.render(preset)?.into_string(), expects.after_bos().to_owned()))
}

/// The name before a message of the example, where one stands.
pub(super) fn name_in_front(example: &str) -> String {
    let name = format!("{}: ", Scene::default().user);
    if example.contains(&format!("{name}{USER}")) { name } else { format!("{}:", Scene::default().char) }
}
