//! Two formats and some chats into a report of where their prompts differ, and a template's nearest [`Layout`].

use std::fmt;

use serde::Serialize;

use super::ChatTemplate;
use crate::chat::Chat;
use crate::format::Format;
use crate::layout::Layout;
use crate::prompt::Prompt;
use crate::version::{Feature, Version};

mod probes;

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
    /// The chats of which they say something else.
    pub differences: Vec<Difference>,
}

/// A chat of which two formats say something else.
///
/// ```
/// use mistral_chat_template::{ChatTemplate, Layout, Said};
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
/// use mistral_chat_template::Said;
///
/// assert_eq!(Said::Refused("no messages".to_owned()).to_string(), "refuses it: no messages");
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
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
    /// The difference between two formats' answers; none where they say the same, or both refuse.
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
}

impl Answers {
    fn of(template: &ChatTemplate) -> Self {
        let mut prompt = Prompt::new();
        let answer = |(about, chat)| {
            let said = Said::of(template, &chat, &mut prompt);
            (about, chat, said)
        };
        Answers { answers: probes::all().map(answer).collect() }
    }

    fn compare(&self, layout: &Layout) -> Comparison {
        let mut prompt = Prompt::new();
        let differences = self.answers.iter().filter_map(|(about, chat, said)| {
            let other = Said::of(layout, chat, &mut prompt);
            Difference::between(about, said, other)
        });
        Comparison {
            one: "the template".to_owned(),
            other: label(layout),
            probes: self.answers.len(),
            differences: differences.collect(),
        }
    }
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
        let Comparison { one, other, probes, differences } = self;
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

/// The layout that a template is nearest to.
///
/// ```
/// use mistral_chat_template::{ChatTemplate, Layout};
///
/// let found = ChatTemplate::new(&Layout::MAGNUM.chat_template())?.nearest_layout();
/// assert_eq!(found.label(), "magnum");
/// let differences: Vec<_> = found.comparison.differences.iter().map(|difference| &*difference.probe).collect();
/// assert_eq!(differences, ["a call whose arguments are written close"], "Jinja cannot read JSON");
/// # Ok::<(), mistral_chat_template::Error>(())
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct NearestLayout {
    /// The layout.
    pub layout: Layout,
    /// Where the template differs from it.
    pub comparison: Comparison,
}

impl NearestLayout {
    /// The layout's label, with its features: `v13+image`.
    ///
    /// ```
    /// # use mistral_chat_template::{ChatTemplate, Feature, Layout};
    /// let layout = Layout::V13.with(Feature::Image);
    /// let found = ChatTemplate::new(&layout.chat_template())?.nearest_layout();
    /// assert_eq!(found.label(), "v13+image");
    /// # Ok::<(), mistral_chat_template::Error>(())
    /// ```
    #[must_use]
    pub fn label(&self) -> &str {
        &self.comparison.other
    }
}

impl fmt::Display for NearestLayout {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.label(), self.comparison)
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

    /// The layout that says what this template says of the most chats, and where they still differ.
    ///
    /// ```
    /// use mistral_chat_template::{ChatTemplate, Layout};
    ///
    /// let template = ChatTemplate::new(&Layout::V3.chat_template())?;
    /// let found = template.nearest_layout();
    /// assert_eq!(found.label(), "v3");
    /// # Ok::<(), mistral_chat_template::Error>(())
    /// ```
    #[must_use]
    pub fn nearest_layout(&self) -> NearestLayout {
        let answers = Answers::of(self);
        let near = |layout| NearestLayout { layout, comparison: answers.compare(&layout) };
        let mut nearest = near(Layout::V1);
        for version in Version::ALL {
            for features in FEATURES {
                let layout = features.iter().fold(version.layout(), |layout, feature| layout.with(*feature));
                let near = near(layout);
                if near.comparison.differences.len() < nearest.comparison.differences.len() {
                    nearest = near;
                }
            }
        }
        nearest
    }
}

/// The features that models have, fewest first.
const FEATURES: [&[Feature]; 5] =
    [&[], &[Feature::Think], &[Feature::Image], &[Feature::Audio], &[Feature::Image, Feature::Think]];

fn label(layout: &Layout) -> String {
    let features = layout.features.iter().map(|feature| format!("+{feature}"));
    std::iter::once(layout.name.to_owned()).chain(features).collect()
}
