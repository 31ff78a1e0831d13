//! A preset beside a [`Layout`]: what SillyTavern sends, what the layout says, and which fields mend it.
//!
//! Probes are chats made of words that occur nowhere else, so that what stands between two of them is what the preset
//! or the layout writes there ([`probes`]). The nearest preset that is right is searched for once ([`nearest`]), so all
//! mends of a report go together: with all of them applied, a preset compares clean.

use std::fmt;

use serde::Serialize;

use super::Preset;
use crate::error::Error;
use crate::layout::{Layout, Settings, System, UserTurn};

mod display;
mod fields;
mod nearest;
mod probes;
mod story;

use self::fields::{FIELDS, Field};
use self::nearest::Target;
use self::probes::Probes;

/// How a preset differs from a layout.
///
/// It prints for a terminal and serialises to JSON.
///
/// ```
/// use mistral_chat_template::{Layout, Preset};
/// use mistral_chat_template::preset::Builtin;
///
/// let report = Builtin::Mistral202407.preset().compare(&Layout::MAGNUM)?;
/// assert_eq!(report.differences.len(), 9);
/// let suffix = report.mends().find(|mend| mend.field == "instruct.output_suffix").unwrap();
/// assert_eq!((suffix.from.as_str(), suffix.to.as_str()), ("\n", "</s>[INST] "));
///
/// assert!(Preset::for_layout(&Layout::MAGNUM)?.compare(&Layout::MAGNUM)?.differences.is_empty());
/// # Ok::<(), mistral_chat_template::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Report {
    /// The layout's name.
    pub layout: String,
    /// What the preset sends for a chat of a system prompt, a question, an answer and a question.
    pub sends: String,
    /// What the layout says for it.
    pub expects: String,
    /// Why no preset makes SillyTavern send the layout; the differences then are those from the nearest one that a
    /// preset can send.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dead_end: Option<DeadEnd>,
    /// The differences, what a model sees as another layout first. There are none for a preset that is right.
    pub differences: Vec<Difference>,
}

/// A layout that no preset can send, and the nearest one that a preset can.
///
/// ```
/// use mistral_chat_template::Layout;
/// use mistral_chat_template::preset::Builtin;
///
/// let report = Builtin::MistralV3Tekken.preset().compare(&Layout::V3_TEKKEN)?;
/// let dead_end = report.dead_end.unwrap();
/// assert_eq!(dead_end.why, "its system prompt is in the last user turn, and a story begins the prompt");
/// assert_eq!(dead_end.nearest, "v3-tekken with the system prompt in the first user turn");
/// # Ok::<(), mistral_chat_template::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct DeadEnd {
    /// The reason.
    pub why: &'static str,
    /// The layout that the differences are from.
    pub nearest: String,
    /// What the model misses in it.
    pub cost: &'static str,
}

/// How much a difference matters.
///
/// ```
/// use mistral_chat_template::preset::{DifferenceKind, Weight};
///
/// assert_eq!(DifferenceKind::ReplyEnd.weight(), Weight::Wrong);
/// assert_eq!(DifferenceKind::Names.weight(), Weight::Deliberate);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Weight {
    /// The model sees another layout than it was trained on.
    Wrong,
    /// The author can want it so.
    Deliberate,
}

/// One difference.
///
/// ```
/// use mistral_chat_template::Layout;
/// use mistral_chat_template::preset::{Builtin, DifferenceKind};
///
/// let report = Builtin::Mistral202407.preset().compare(&Layout::MAGNUM)?;
/// let end = report.differences.iter().find(|difference| difference.kind == DifferenceKind::ReplyEnd).unwrap();
/// assert_eq!((&*end.sends, &*end.expects), ("\n", "</s>"));
/// assert!(end.mends.iter().any(|mend| mend.field == "instruct.output_suffix"));
/// # Ok::<(), mistral_chat_template::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Difference {
    /// Where it is.
    pub kind: DifferenceKind,
    /// What the preset sends there.
    pub sends: String,
    /// What the layout says.
    pub expects: String,
    /// The fields that mend it. The same field can mend several differences; its value is then the same.
    pub mends: Vec<Mend>,
}

/// A field and the value that is right.
///
/// ```
/// use mistral_chat_template::Layout;
/// use mistral_chat_template::preset::Builtin;
///
/// let report = Builtin::MistralV7.preset().compare(&Layout::V7)?;
/// let mend = &report.differences[0].mends[0];
/// assert_eq!((mend.field.as_str(), mend.from.as_str(), mend.to.as_str()), ("instruct.last_output_sequence", "", "{{noop}}"));
/// # Ok::<(), mistral_chat_template::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Mend {
    /// The field, such as `instruct.input_suffix`.
    pub field: String,
    /// What SillyTavern's page calls it: `User Message Suffix`.
    pub label: String,
    /// Its value.
    pub from: String,
    /// The value that mends it.
    pub to: String,
}

/// Where a preset and a layout differ.
///
/// ```
/// use mistral_chat_template::preset::DifferenceKind;
///
/// assert_eq!(DifferenceKind::Names.to_string(), "before what is said");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum DifferenceKind {
    /// The preset writes `<s>`, which backends add as well.
    DoubledBos,
    /// Names stand before what is said.
    Names,
    /// Before the system prompt.
    BeforeSystem,
    /// Between the system prompt and the first user message.
    AfterSystem,
    /// Before the first user message of a chat without a system prompt.
    NoSystem,
    /// Between the system prompt and the only user message.
    OnlyMessage,
    /// Between what the user says and the end of the user's turn.
    UserEnd,
    /// Between the end of the user's turn and the reply.
    ReplyStart,
    /// Between a reply and the next user turn.
    ReplyEnd,
    /// Between the beginning of a user turn and what the user says.
    UserStart,
    /// After the last user turn.
    PromptEnd,
    /// Between the system prompt and a greeting that begins the chat.
    Greeting,
    /// Between two blocks of example dialogue.
    Examples,
    /// Among the stop strings.
    StopString,
}

impl fmt::Display for DifferenceKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            DifferenceKind::DoubledBos => "<s> stands in the preset, and backends add one",
            DifferenceKind::Names => "before what is said",
            DifferenceKind::BeforeSystem => "before the system prompt",
            DifferenceKind::AfterSystem => "between the system prompt and the first user message",
            DifferenceKind::NoSystem => "before the first message, without a system prompt",
            DifferenceKind::OnlyMessage => "between the system prompt and the only user message",
            DifferenceKind::UserEnd => "after what the user says",
            DifferenceKind::ReplyStart => "before a reply",
            DifferenceKind::ReplyEnd => "after a reply",
            DifferenceKind::UserStart => "before what the user says in later turns",
            DifferenceKind::PromptEnd => "at the end of the prompt",
            DifferenceKind::Greeting => "before a greeting that begins the chat",
            DifferenceKind::Examples => "between two example dialogues",
            DifferenceKind::StopString => "among the stop strings",
        })
    }
}

impl DifferenceKind {
    /// How much it matters.
    #[must_use]
    pub const fn weight(self) -> Weight {
        match self {
            DifferenceKind::Names | DifferenceKind::StopString => Weight::Deliberate,
            DifferenceKind::DoubledBos
            | DifferenceKind::BeforeSystem
            | DifferenceKind::AfterSystem
            | DifferenceKind::NoSystem
            | DifferenceKind::OnlyMessage
            | DifferenceKind::UserEnd
            | DifferenceKind::ReplyStart
            | DifferenceKind::ReplyEnd
            | DifferenceKind::UserStart
            | DifferenceKind::PromptEnd
            | DifferenceKind::Greeting
            | DifferenceKind::Examples => Weight::Wrong,
        }
    }
}

impl Report {
    /// Every mend of the report, each once.
    pub fn mends(&self) -> impl Iterator<Item = &Mend> {
        let all = self.differences.iter().flat_map(|difference| &difference.mends);
        let mut seen = Vec::new();
        all.filter(move |mend| {
            let is_new = !seen.contains(&mend.field.as_str());
            seen.push(&mend.field);
            is_new
        })
    }
}

impl Preset {
    /// Compares what SillyTavern sends with this preset to what a layout says.
    ///
    /// Text that a story adds to the system prompt is the author's, and no difference; a control token or white space
    /// is. Names in examples are none either.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Story`](crate::ErrorKind::Story), [`ErrorKind::MacrosTooLong`](crate::ErrorKind::MacrosTooLong):
    /// the preset sends nothing. [`ErrorKind::Unwritable`](crate::ErrorKind::Unwritable): the layout itself writes what
    /// SillyTavern treats as a macro.
    ///
    /// ```
    /// use mistral_chat_template::Layout;
    /// use mistral_chat_template::preset::Builtin;
    ///
    /// let report = Builtin::MistralV7Tekken.preset().compare(&Layout::V7_TEKKEN)?;
    /// assert!(report.differences.is_empty());
    /// # Ok::<(), mistral_chat_template::Error>(())
    /// ```
    pub fn compare(&self, layout: &Layout) -> Result<Report, Error> {
        compare(self, layout, Reach::SillyTavern)
    }

    /// This preset with every mend that [`compare`](Preset::compare) lists.
    ///
    /// # Errors
    ///
    /// As [`compare`](Preset::compare).
    ///
    /// ```
    /// use mistral_chat_template::Layout;
    /// use mistral_chat_template::preset::Builtin;
    ///
    /// let mended = Builtin::Mistral202407.preset().mended(&Layout::V7_TEKKEN)?;
    /// assert!(mended.compare(&Layout::V7_TEKKEN)?.differences.is_empty());
    /// # Ok::<(), mistral_chat_template::Error>(())
    /// ```
    pub fn mended(&self, layout: &Layout) -> Result<Preset, Error> {
        mended(self, layout, Reach::SillyTavern)
    }
}

/// What a program can send, and so what a mend can change.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Reach {
    SillyTavern,
    /// Frames around messages, and no more.
    KoboldCpp,
}

pub(super) fn compare(preset: &Preset, layout: &Layout, reach: Reach) -> Result<Report, Error> {
    let (reachable, dead_end) = reachable(layout, reach);
    let probes = Probes::new(&reachable, reach)?;
    let sent = probes.send(preset)?;
    let mut differences = probes.differences(&sent);
    if !differences.is_empty() {
        Target::nearest(preset, &reachable, &probes, reach)?.blame(&probes, &mut differences)?;
    }
    differences.sort_by_key(|difference| difference.kind.weight());
    Ok(Report {
        layout: layout.name.to_owned(),
        sends: sent.example().to_owned(),
        expects: probes.example().to_owned(),
        dead_end,
        differences,
    })
}

pub(super) fn mended(preset: &Preset, layout: &Layout, reach: Reach) -> Result<Preset, Error> {
    let (reachable, _) = reachable(layout, reach);
    let probes = Probes::new(&reachable, reach)?;
    if probes.accept(preset)? {
        return Ok(preset.clone());
    }
    Ok(Target::nearest(preset, &reachable, &probes, reach)?.into_preset())
}

/// The layout, or the nearest one that a preset can send, and why it is not the layout itself.
fn reachable(layout: &Layout, reach: Reach) -> (Layout, Option<DeadEnd>) {
    let mut nearest = *layout;
    let mut dead_end = None;
    if layout.settings.are_always_printed() {
        nearest.settings = Settings::Unknown;
        dead_end = Some(DeadEnd {
            why: super::for_layout::SETTINGS_FIRST,
            nearest: format!("{} without [MODEL_SETTINGS]", layout.name),
            cost: "the model is not told how much to think",
        });
    }
    if let Some((_, join)) = layout.system.in_user().filter(|(turn, _)| turn.is_last()) {
        nearest.system = System::InUser { turn: UserTurn::First, join };
        dead_end = Some(DeadEnd {
            why: super::for_layout::SYSTEM_LAST,
            nearest: format!("{} with the system prompt in the first user turn", layout.name),
            cost: "the model reads its system prompt first, not before the last question",
        });
    }
    if let (Some(_), Reach::KoboldCpp) = (layout.system.in_user(), reach) {
        dead_end = Some(DeadEnd {
            why: "its system prompt is in a user turn, and koboldcpp opens each message by itself",
            nearest: format!("{} without a system prompt", layout.name),
            cost: "a system prompt has no place in it",
        });
    }
    (nearest, dead_end)
}
