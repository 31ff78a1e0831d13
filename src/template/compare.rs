//! Two formats and some chats into a report of where their prompts differ.

use std::fmt;

use serde::Serialize;

use super::{ChatTemplate, ClockTime};
use crate::chat::{Chat, Message};
use crate::control::Control;
use crate::format::Format;
use crate::layout::Layout;
use crate::prompt::Prompt;

mod nearest;
mod probes;

pub use self::nearest::NearestLayout;

/// The time for a template that asks for it and has no clock.
const SOME_DAY: ClockTime = ClockTime::from_unix_seconds(1_735_689_600);

impl ChatTemplate {
    /// The template with its clock, or one that stands still.
    pub(super) fn dated(&self) -> Self {
        match &self.clock {
            Some(_) => self.clone(),
            None => self.clone().clock(|| SOME_DAY),
        }
    }
}

/// Where two formats say something else of the same chats.
///
/// ```
/// use mistral_chat_template::{ChatTemplate, Layout};
///
/// let template = ChatTemplate::new(&Layout::V7.chat_template())?;
/// let comparison = template.compare(&Layout::V3);
/// assert_eq!((&*comparison.one, &*comparison.other), ("the template", "v3"));
/// assert!(!comparison.differences.is_empty(), "v3 has no system prompt of its own");
/// # Ok::<(), mistral_chat_template::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Comparison {
    /// What the one is called.
    pub one: String,
    /// What the other is called.
    pub other: String,
    /// How many chats were tried.
    pub probes: usize,
    /// The system prompt that the one adds where a chat has none; the other was given it, too.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default_system: Option<String>,
    /// The chats of which they say something else.
    pub differences: Vec<Difference>,
}

/// A chat of which two formats say something else.
///
/// ```
/// use mistral_chat_template::{ChatTemplate, Layout};
/// use mistral_chat_template::template::Said;
///
/// let template = ChatTemplate::new(&Layout::V3.chat_template())?;
/// let comparison = template.compare(&Layout::V3_TEKKEN);
/// let first = &comparison.differences[0];
/// assert_eq!(first.probe, "a question");
/// assert_eq!(first.one, Said::Prompt("<s>[INST] Hello[/INST]".to_owned()));
/// assert_eq!(first.other, Said::Prompt("<s>[INST]Hello[/INST]".to_owned()));
/// assert_eq!(first.parts_at, Some(9));
/// # Ok::<(), mistral_chat_template::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Difference {
    /// What the chat is about.
    pub probe: String,
    /// What the one says.
    pub one: Said,
    /// What the other says.
    pub other: Said,
    /// The first byte at which two prompts differ.
    pub parts_at: Option<usize>,
}

/// What a format makes of a chat.
///
/// ```
/// use mistral_chat_template::template::Said;
///
/// assert_eq!(Said::Refused("no messages".to_owned()).to_string(), "refuses it: no messages");
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Said {
    /// A prompt, by its string.
    Prompt(String),
    /// An error, by its sentence.
    Refused(String),
}

impl Said {
    fn of(format: &impl Format, chat: &Chat<'_>, prompt: &mut Prompt) -> Self {
        match format.render_into(chat, prompt) {
            Ok(()) => Said::Prompt(prompt.as_str().to_owned()),
            Err(error) => Said::Refused(error.to_string()),
        }
    }
}

impl Difference {
    /// The difference between two formats' answers; `None` if they say the same, or both refuse.
    fn between(probe: &str, one: &Said, other: Said) -> Option<Self> {
        let parts_at = match (one, &other) {
            (Said::Refused(_), Said::Refused(_)) => return None,
            (Said::Prompt(one), Said::Prompt(other)) if one == other => return None,
            (Said::Prompt(one), Said::Prompt(other)) => {
                let same = one.char_indices().zip(other.chars()).find(|((_, one), other)| one != other);
                Some(same.map_or(one.len().min(other.len()), |((at, _), _)| at))
            }
            _ => None,
        };
        Some(Difference { probe: probe.to_owned(), one: one.clone(), other, parts_at })
    }
}

/// What a template says of the probes, to be compared with any number of layouts.
struct Answers {
    /// What each chat is about, the chat, and the answer.
    answers: Vec<(&'static str, Chat<'static>, Said)>,
    /// The system prompt that the template adds where a chat has none.
    default_system: Option<String>,
}

impl Answers {
    fn of(template: &ChatTemplate) -> Self {
        let template = &template.dated();
        let mut prompt = Prompt::new();
        let answer = |(about, chat)| {
            let said = Said::of(template, &chat, &mut prompt);
            (about, chat, said)
        };
        let answers: Vec<_> = probes::all().map(answer).collect();
        let question = answers.iter().find(|(about, _, _)| *about == probes::QUESTION).map(|(_, _, said)| said);
        let default_system = match question {
            Some(Said::Prompt(prompt)) => default_system(prompt),
            _ => None,
        };
        Answers { answers, default_system }
    }

    /// The probes with what the template says and what a layout says, which is given the default system prompt where the
    /// template added it.
    fn beside(&self, layout: &Layout) -> impl Iterator<Item = (&'static str, &Said, Said)> {
        let mut prompt = Prompt::new();
        self.answers.iter().map(move |(about, chat, said)| {
            let added = match (said, self.default_system.as_deref()) {
                (Said::Prompt(said), Some(system)) if said.contains(system) => Some(system),
                _ => None,
            };
            let other = match added {
                None => Said::of(layout, chat, &mut prompt),
                Some(system) => {
                    let mut chat = chat.clone();
                    chat.messages.insert(0, Message::system(system));
                    Said::of(layout, &chat, &mut prompt)
                }
            };
            (*about, said, other)
        })
    }

    fn compare(&self, layout: &Layout) -> Comparison {
        let differences =
            self.beside(layout).filter_map(|(about, said, other)| Difference::between(about, said, other));
        Comparison {
            one: "the template".to_owned(),
            other: label(layout),
            probes: self.answers.len(),
            differences: differences.collect(),
            default_system: self.default_system.clone(),
        }
    }
}

/// What a template says before a question that has no system prompt: in a block of its own, or at the question's beginning.
fn default_system(prompt: &str) -> Option<String> {
    let in_block = prompt
        .split_once(Control::SystemPrompt.as_str())
        .and_then(|(_, tail)| tail.split_once(Control::EndSystemPrompt.as_str()));
    let found = match in_block {
        Some((system, _)) => system,
        None => {
            let (_, turn) = prompt.split_once(Control::Inst.as_str())?;
            turn.split_once(probes::HELLO)?.0.strip_suffix("\n\n")?
        }
    };
    Some(found.trim().to_owned()).filter(|system| !system.is_empty())
}

impl Comparison {
    /// Do the two say the same of every chat that was tried?
    ///
    /// ```
    /// use mistral_chat_template::{ChatTemplate, Layout};
    ///
    /// let template = ChatTemplate::new(&Layout::V11.chat_template())?;
    /// assert!(!template.compare(&Layout::V13).is_equal());
    /// # Ok::<(), mistral_chat_template::Error>(())
    /// ```
    #[must_use]
    pub fn is_equal(&self) -> bool {
        self.differences.is_empty()
    }
}

impl fmt::Display for Said {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Said::Prompt(prompt) => write!(f, "says {prompt:?}"),
            Said::Refused(error) => write!(f, "refuses it: {error}"),
        }
    }
}

impl fmt::Display for Comparison {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Comparison { one, other, probes, default_system, differences } = self;
        if default_system.is_some() {
            writeln!(f, "{one} adds a system prompt of its own where a chat has none, and {other} is given the same")?;
        }
        if differences.is_empty() {
            return write!(f, "{one} says what {other} says of all {probes} chats");
        }
        write!(f, "{one} differs from {other} in {} of {probes} chats", differences.len())?;
        for Difference { probe, one: said, other: other_said, parts_at } in differences {
            write!(f, "\n{probe}")?;
            if let Some(at) = parts_at {
                write!(f, ": from byte {at} on")?;
            }
            write!(f, "\n  {one} {said}\n  {other} {other_said}")?;
        }
        Ok(())
    }
}

impl ChatTemplate {
    /// Renders some fifty chats with this template and with a layout, and says where they differ.
    ///
    /// ```
    /// use mistral_chat_template::{ChatTemplate, Layout};
    ///
    /// let template = ChatTemplate::new(&Layout::V7_TEKKEN.chat_template().replace("'[/INST]'", "' [/INST]'"))?;
    /// let comparison = template.compare(&Layout::V7_TEKKEN);
    /// assert!(comparison.to_string().starts_with("the template differs from v7-tekken in "));
    /// # Ok::<(), mistral_chat_template::Error>(())
    /// ```
    #[must_use]
    pub fn compare(&self, layout: &Layout) -> Comparison {
        Answers::of(self).compare(layout)
    }
}

fn label(layout: &Layout) -> String {
    let features = layout.features.iter().map(|feature| format!("+{feature}"));
    std::iter::once(layout.name.to_owned()).chain(features).collect()
}
