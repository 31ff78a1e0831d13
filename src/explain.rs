//! A prompt read back: a rendered string and a layout in, the [`Chat`] that it says out, or where the two differ.
//!
//! ```
//! use mistral_chat_template::explain::Explanation;
//! use mistral_chat_template::{Layout, Message};
//!
//! let explanation = Explanation::new("<s>[INST] Hi [/INST] Hello!</s>[INST] Bye[/INST]", &Layout::V3);
//! assert_eq!(explanation.chat.messages[1], Message::assistant("Hello!"));
//! assert_eq!(explanation.deviations.len(), 1, "the space before [/INST]");
//! ```
//!
//! [`Chat::from_prompt`] takes a prompt that is exactly what the layout writes. An [`Explanation`] accepts any, such as
//! one from a server's log, and says what is wrong with it and how to mend it.

mod blocks;
mod deviation;
mod messages;
mod pieces;
mod system_and_tools;

pub use self::deviation::{Deviation, DeviationKind};

use std::ops::Range;

use self::messages::{Spacing, Turns};
use self::pieces::control_around;
use crate::chat::{Chat, Role};
use crate::error::{Error, ErrorKind};
use crate::format::Format;
use crate::layout::Layout;
use crate::terms::Mode;
use crate::version::{Feature, Version};

impl Chat<'static> {
    /// The chat that the layout writes as this prompt.
    ///
    /// What a prompt does not show is made up: where it has no call ids, calls and results are numbered
    /// (`call00000`), and an image has a URL that leads nowhere. What a prompt does not part stays together: a
    /// system prompt inside of a user turn is what the user says.
    ///
    /// # Errors
    ///
    /// The layout does not write such a prompt: a second `<s>`, a space too many, JSON in another form, a tool result
    /// without a call. The error says at which byte the two part.
    ///
    /// ```
    /// use mistral_chat_template::{Chat, Layout, Message};
    ///
    /// let prompt = "<s>[INST] Hi[/INST] Hello!</s>[INST] Bye[/INST]";
    /// let chat = Chat::from_prompt(prompt, &Layout::V3)?;
    /// assert_eq!(chat.messages, [Message::user("Hi"), Message::assistant("Hello!"), Message::user("Bye")]);
    ///
    /// let error = Chat::from_prompt("<s><s>[INST] Hi[/INST]", &Layout::V3).unwrap_err();
    /// assert_eq!(error.to_string(), "the prompt departs from the layout at byte 3, where the layout has \"[INST] Hi[/INST]\" (v3)");
    /// # Ok::<(), mistral_chat_template::Error>(())
    /// ```
    pub fn from_prompt(prompt: &str, layout: &Layout) -> Result<Self, Error> {
        let chat = Turns::new(prompt, layout, Spacing::Said).into_chat();
        match parting(prompt, &chat, layout)? {
            None => Ok(chat),
            Some(Parting { offset, expected }) => {
                Err(Error::new(ErrorKind::PromptParts { offset, expected }, "").in_layout(layout.name))
            }
        }
    }
}

/// What is wrong with a prompt, seen from one layout.
///
/// ```
/// use mistral_chat_template::Layout;
/// use mistral_chat_template::explain::{DeviationKind, Explanation};
///
/// let log = "<s><s>[INST]Hi [/INST] Hello![INST] Bye[/INST]";
/// let explanation = Explanation::new(log, &Layout::V3);
///
/// let kinds: Vec<_> = explanation.deviations.iter().map(ToString::to_string).collect();
/// assert_eq!(kinds, [
///     "a second <s>",
///     "a space is missing beside [INST]",
///     "a space too many beside [/INST]",
///     "</s> is missing at the end of the reply",
/// ]);
/// assert_eq!(explanation.mended(), "<s>[INST] Hi[/INST] Hello!</s>[INST] Bye[/INST]");
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Explanation<'p> {
    /// The prompt.
    pub prompt: &'p str,
    /// The layout.
    pub layout: Layout,
    /// What is wrong, in the order of the prompt.
    pub deviations: Vec<Deviation>,
    /// The chat that the mended prompt says.
    pub chat: Chat<'static>,
}

impl<'p> Explanation<'p> {
    /// Explains a prompt as one of this layout.
    ///
    /// ```
    /// use mistral_chat_template::Layout;
    /// use mistral_chat_template::explain::Explanation;
    ///
    /// assert!(Explanation::new("<s>[INST]Hi[/INST]", &Layout::V11).deviations.is_empty());
    /// ```
    #[must_use]
    pub fn new(prompt: &'p str, layout: &Layout) -> Self {
        Explanation::placed(prompt, layout, "")
    }

    /// Explains a prompt whose system prompt is known, and so can be missed where it belongs.
    ///
    /// ```
    /// use mistral_chat_template::Layout;
    /// use mistral_chat_template::explain::Explanation;
    ///
    /// let prompt = "<s>[INST] Be kind.\n\nHi[/INST] Hello!</s>[INST] Bye[/INST]";
    /// let explanation = Explanation::with_system(prompt, &Layout::V3, "Be kind.");
    /// assert_eq!(explanation.deviations[0].to_string(), "the system prompt does not belong here");
    /// assert_eq!(explanation.mended(), "<s>[INST] Hi[/INST] Hello!</s>[INST] Be kind.\n\nBye[/INST]");
    /// ```
    #[must_use]
    pub fn with_system(prompt: &'p str, layout: &Layout, system: &str) -> Self {
        Explanation::placed(prompt, layout, system)
    }

    /// Explains a prompt for the layouts of every version, the nearest first.
    ///
    /// Layouts that write the same prompt are equally near. One that the prompt shows to have images, audio or thinking
    /// is taken with them.
    ///
    /// ```
    /// use mistral_chat_template::explain::Explanation;
    ///
    /// let nearest = Explanation::nearest("<s>[SYSTEM_PROMPT]Be kind.[/SYSTEM_PROMPT][INST]Hi[/INST]");
    /// assert_eq!(nearest[0].layout.name, "v7-tekken");
    /// assert!(nearest[0].deviations.is_empty());
    /// ```
    #[must_use]
    pub fn nearest(prompt: &'p str) -> Vec<Self> {
        let mut explanations: Vec<_> =
            Version::ALL.iter().map(|version| Explanation::new(prompt, &shown(prompt, version.layout()))).collect();
        explanations.sort_by_key(|explanation| explanation.deviations.len());
        explanations
    }

    /// The prompt with every mend.
    ///
    /// ```
    /// # use mistral_chat_template::Layout;
    /// # use mistral_chat_template::explain::Explanation;
    /// assert_eq!(Explanation::new("[INST]Hi[/INST]\n", &Layout::V11).mended(), "<s>[INST]Hi[/INST]");
    /// ```
    #[must_use]
    pub fn mended(&self) -> String {
        mend(self.prompt, &self.deviations)
    }

    fn placed(prompt: &'p str, layout: &Layout, system: &str) -> Self {
        let mut turns = Turns::new(prompt, layout, Spacing::Judged);
        turns.read();
        turns.place_system(system);
        turns.place_tools();
        let mut deviations = turns.deviations;
        sort(&mut deviations);
        let mended = mend(prompt, &deviations);
        let chat = Turns::new(&mended, layout, Spacing::Said).into_chat();
        match parting(&mended, &chat, layout) {
            Ok(None) => {}
            Ok(Some(Parting { offset, expected })) => {
                let start = unmended_offset(&deviations, offset);
                let kind = DeviationKind::Differs { expected };
                deviations.push(Deviation { kind, range: start..prompt.len(), mend: None });
            }
            Err(error) => {
                let kind = DeviationKind::Refused { why: error.to_string() };
                deviations.push(Deviation { kind, range: 0..prompt.len(), mend: None });
            }
        }
        sort(&mut deviations);
        Explanation { prompt, layout: *layout, deviations, chat }
    }
}

/// In the order of the prompt.
fn sort(deviations: &mut [Deviation]) {
    deviations.sort_by_key(|deviation| (deviation.range.start, deviation.range.end));
}

/// The layout with the features whose control tokens the prompt has.
fn shown(prompt: &str, layout: Layout) -> Layout {
    [Feature::Image, Feature::Audio, Feature::Think].into_iter().fold(layout, |layout, feature| {
        let with = layout.with(feature);
        let takes = match feature {
            Feature::Image => layout.rules.chunks.of(Role::User).contains(crate::layout::ChunkKind::ImageUrl),
            Feature::Audio => layout.rules.chunks.of(Role::User).contains(crate::layout::ChunkKind::AudioUrl),
            Feature::Think => layout.thinking == crate::layout::Thinking::Tokens,
        };
        let shows = Layout::V1
            .with(feature)
            .vocabulary
            .iter()
            .any(|control| !Layout::V1.vocabulary.contains(control) && prompt.contains(control.as_str()));
        if takes && shows { with } else { layout }
    })
}

/// Where a prompt and what the layout makes of its chat part.
struct Parting {
    offset: usize,
    expected: String,
}

/// How much of what is expected is reported.
const LONGEST_EXPECTED: usize = 40;

fn parting(prompt: &str, chat: &Chat<'_>, layout: &Layout) -> Result<Option<Parting>, Error> {
    let rendered = layout.in_mode(Mode::Agnostic).render(chat)?;
    if rendered.as_str() == prompt {
        return Ok(None);
    }
    let same = |(one, other): &(char, char)| one == other;
    let offset = prompt.chars().zip(rendered.as_str().chars()).take_while(same).map(|(one, _)| one.len_utf8()).sum();
    let begun =
        [prompt, rendered.as_str()].into_iter().find_map(|text| control_around(text, offset, layout.vocabulary));
    let offset = begun.unwrap_or(offset);
    let expected = rendered.as_str().get(offset..).unwrap_or_default().chars().take(LONGEST_EXPECTED).collect();
    Ok(Some(Parting { offset, expected }))
}

/// The mends of deviations that are in order, with what each takes the place of, but for those that begin in another.
fn mends(deviations: &[Deviation]) -> impl Iterator<Item = (&Range<usize>, &str)> {
    let mut end = 0;
    deviations.iter().filter_map(move |Deviation { range, mend, .. }| {
        let mend = mend.as_deref().filter(|_| range.start >= end)?;
        end = range.end;
        Some((range, mend))
    })
}

fn mend(prompt: &str, deviations: &[Deviation]) -> String {
    let mut mended = String::with_capacity(prompt.len());
    let mut end = 0;
    for (range, mend) in mends(deviations) {
        mended.push_str(prompt.get(end..range.start).unwrap_or_default());
        mended.push_str(mend);
        end = range.end;
    }
    mended.push_str(prompt.get(end..).unwrap_or_default());
    mended
}

/// The offset in the prompt of an offset in the mended prompt; in a mend, where that begins.
fn unmended_offset(deviations: &[Deviation], mended: usize) -> usize {
    let (mut end, mut written) = (0, 0);
    for (range, mend) in mends(deviations) {
        let start = written + range.start.saturating_sub(end);
        if mended <= start {
            break;
        }
        if mended < start + mend.len() {
            return range.start;
        }
        (end, written) = (range.end, start + mend.len());
    }
    end + mended.saturating_sub(written)
}
