//! A preset beside a [`Layout`]: what SillyTavern sends, what the layout says, and which fields are to blame.
//!
//! Probes are chats made of words that occur nowhere else, so that what stands between two of them is what the preset
//! or the layout writes there. A difference is blamed by trying: of the values of a right pair, which of the preset's
//! fields need to change for it to go?

use std::fmt;

use serde::Serialize;

use super::Preset;
use super::fields::NamesBehavior;
use super::write::Opening;
use crate::error::Error;
use crate::layout::{Layout, Settings, System, UserTurn};

mod fields;
mod probes;

use self::fields::{FIELDS, Field};
use self::probes::Place;

/// How a preset differs from a layout.
///
/// It prints for a terminal and serialises to JSON.
///
/// ```
/// use mistral_chat_template::{BuiltinPreset, Layout, Preset};
///
/// let report = BuiltinPreset::Mistral202407.preset().compare(&Layout::MAGNUM)?;
/// assert_eq!(report.differences.len(), 8);
/// assert!(report.to_string().contains("instruct.output_suffix: \"\\n\" -> \"</s>\""));
///
/// assert!(Preset::for_layout(&Layout::MAGNUM)?.compare(&Layout::MAGNUM)?.differences.is_empty());
/// # Ok::<(), mistral_chat_template::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct PresetReport {
    /// The layout's name.
    pub layout: String,
    /// What the preset sends for a chat of a system prompt, a question, an answer and a question.
    pub sends: String,
    /// What the layout says for it.
    pub expects: String,
    /// The differences; none for a preset that is right.
    pub differences: Vec<PresetDifference>,
}

/// One difference.
///
/// ```
/// use mistral_chat_template::{BuiltinPreset, DifferenceKind, Layout};
///
/// let report = BuiltinPreset::Mistral202407.preset().compare(&Layout::MAGNUM)?;
/// let end = report.differences.iter().find(|difference| difference.kind == DifferenceKind::ReplyEnd).unwrap();
/// assert_eq!((&*end.sends, &*end.expects), ("\n", "</s>"));
/// assert_eq!(end.mends[0].field, "instruct.output_suffix");
/// # Ok::<(), mistral_chat_template::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct PresetDifference {
    /// Where it is.
    pub kind: DifferenceKind,
    /// What the preset sends there.
    pub sends: String,
    /// What the layout says.
    pub expects: String,
    /// The fields to blame, with the values that mend them; none where no field can.
    pub mends: Vec<Mend>,
}

/// A field and the value that is right.
///
/// ```
/// use mistral_chat_template::{BuiltinPreset, Layout};
///
/// let report = BuiltinPreset::MistralV7.preset().compare(&Layout::V7)?;
/// let mend = &report.differences[0].mends[0];
/// assert_eq!((mend.field.as_str(), mend.from.as_str(), mend.to.as_str()), ("instruct.last_output_sequence", "", "{{noop}}"));
/// # Ok::<(), mistral_chat_template::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Mend {
    /// The field, such as `instruct.input_suffix`.
    pub field: String,
    /// Its value.
    pub from: String,
    /// The value that mends it.
    pub to: String,
}

/// Where a preset and a layout differ.
///
/// ```
/// use mistral_chat_template::DifferenceKind;
///
/// assert_eq!(DifferenceKind::Names.to_string(), "before what is said");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum DifferenceKind {
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
            DifferenceKind::Names => "before what is said",
            DifferenceKind::BeforeSystem => "before the system prompt",
            DifferenceKind::AfterSystem => "between the system prompt and the first user message",
            DifferenceKind::NoSystem => "before the first user message, without a system prompt",
            DifferenceKind::OnlyMessage => "between the system prompt and the only user message",
            DifferenceKind::UserEnd => "between what the user says and the end of the turn",
            DifferenceKind::ReplyStart => "between the end of the user's turn and the reply",
            DifferenceKind::ReplyEnd => "between a reply and the next user turn",
            DifferenceKind::UserStart => "between the beginning of a user turn and what the user says",
            DifferenceKind::PromptEnd => "after the last user turn",
            DifferenceKind::Greeting => "between the system prompt and a greeting that begins the chat",
            DifferenceKind::Examples => "between two blocks of example dialogue",
            DifferenceKind::StopString => "among the stop strings",
        })
    }
}

impl Preset {
    /// Compares what SillyTavern sends with this preset to what a layout says.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Story`](crate::ErrorKind::Story), [`ErrorKind::MacrosTooLong`](crate::ErrorKind::MacrosTooLong):
    /// the preset sends nothing.
    ///
    /// ```
    /// use mistral_chat_template::{BuiltinPreset, Layout};
    ///
    /// let report = BuiltinPreset::MistralV7Tekken.preset().compare(&Layout::V7_TEKKEN)?;
    /// assert!(report.differences.is_empty());
    /// # Ok::<(), mistral_chat_template::Error>(())
    /// ```
    pub fn compare(&self, layout: &Layout) -> Result<PresetReport, Error> {
        let mut nameless = self.clone();
        nameless.instruct.names_behavior = NamesBehavior::None;
        let mut differences = Vec::new();
        differences.extend(names(self, &nameless, layout)?);
        // Names stand everywhere; what else differs is seen without them.
        let places = Place::all(layout);
        let search = Search { preset: &nameless, references: references(layout), layout, places: &places };
        let mut blamed: Vec<Vec<&Field>> = Vec::new();
        for place in &places {
            let (sent, expected) = (place.of_preset(&nameless)?, place.of_layout(layout)?);
            if sent == expected {
                continue;
            }
            // A chat of one message differs as any other does, but where no other differs.
            let is_told = place.kind == DifferenceKind::OnlyMessage
                && differences.iter().any(|known: &PresetDifference| known.kind == DifferenceKind::AfterSystem);
            let (fields, mends) = search.blame(place)?;
            if is_told || (!fields.is_empty() && blamed.contains(&fields)) {
                continue;
            }
            blamed.push(fields);
            let absent = || "(nothing of the sort)".to_owned();
            let (sends, expects) = (sent.unwrap_or_else(absent), expected.unwrap_or_else(absent));
            differences.push(PresetDifference { kind: place.kind, sends, expects, mends });
        }
        let (sends, expects) = probes::example(self, layout)?;
        Ok(PresetReport { layout: layout.name.to_owned(), sends, expects, differences })
    }
}

/// The difference that names make.
fn names(preset: &Preset, nameless: &Preset, layout: &Layout) -> Result<Option<PresetDifference>, Error> {
    let (named, _) = probes::example(preset, layout)?;
    let (unnamed, _) = probes::example(nameless, layout)?;
    let mend = FIELDS.iter().find(|field| field.name == "instruct.names_behavior");
    Ok((named != unnamed).then(|| PresetDifference {
        kind: DifferenceKind::Names,
        sends: probes::name_in_front(&named),
        expects: String::new(),
        mends: mend.map(|field| field.mend(preset, nameless)).into_iter().collect(),
    }))
}

/// Pairs that are right, as far as there are any: as presets are commonly written, and as they are always right.
fn references(layout: &Layout) -> Vec<Preset> {
    // What cannot be sent is left out; all that is not about it can be mended.
    let system = match layout.system {
        System::InUser { turn: UserTurn::Last, join } => System::InUser { turn: UserTurn::First, join },
        system => system,
    };
    let writable = Layout { system, settings: Settings::Unknown, ..*layout };
    [Opening::OwnSequence, Opening::ReplyEnd]
        .into_iter()
        .filter_map(|opening| Preset::arranged(&writable, opening).ok())
        .collect()
}

/// Finds the fields that are to blame.
struct Search<'s> {
    preset: &'s Preset,
    references: Vec<Preset>,
    layout: &'s Layout,
    places: &'s [Place],
}

impl Search<'_> {
    /// The fewest fields that make a place right when they get a right pair's values, and the mends that do so and
    /// break no other place.
    fn blame(&self, place: &Place) -> Result<(Vec<&'static Field>, Vec<Mend>), Error> {
        let expected = place.of_layout(self.layout)?;
        for reference in &self.references {
            let Some(blamed) = fewest(self.preset, reference, place, &expected)? else { continue };
            let mut fields = blamed.clone();
            while let Some(broken) = self.broken_by(&fields, reference, place)? {
                let expected = broken.of_layout(self.layout)?;
                let more = fewest(&mended(self.preset, reference, &fields), reference, broken, &expected)?;
                let known = fields.len();
                fields.extend(more.into_iter().flatten());
                if fields.len() == known {
                    break;
                }
            }
            let mends = fields.iter().map(|field| field.mend(self.preset, reference)).collect();
            return Ok((blamed, mends));
        }
        Ok((Vec::new(), Vec::new()))
    }

    /// A place that was right and that these mends make wrong, or the place that they are to mend.
    fn broken_by(&self, fields: &[&Field], reference: &Preset, target: &Place) -> Result<Option<&Place>, Error> {
        let mended = mended(self.preset, reference, fields);
        for place in self.places {
            let expected = place.of_layout(self.layout)?;
            let is_to_be_right = place.kind == target.kind || place.of_preset(self.preset)? == expected;
            if is_to_be_right && place.of_preset(&mended)? != expected {
                return Ok(Some(place));
            }
        }
        Ok(None)
    }
}

fn mended(preset: &Preset, reference: &Preset, fields: &[&Field]) -> Preset {
    let mut mended = preset.clone();
    fields.iter().for_each(|field| (field.copy)(&mut mended, reference));
    mended
}

/// The fewest fields whose values of the reference make the place right; none where even all of them do not.
fn fewest(
    preset: &Preset,
    reference: &Preset,
    place: &Place,
    expected: &Option<String>,
) -> Result<Option<Vec<&'static Field>>, Error> {
    let mut changed: Vec<&'static Field> = FIELDS.iter().filter(|field| field.differs(preset, reference)).collect();
    if place.of_preset(&mended(preset, reference, &changed))? != *expected {
        return Ok(None);
    }
    // Each field that is not needed goes back to what it was.
    let mut index = 0;
    while index < changed.len() {
        let field = changed.remove(index);
        if place.of_preset(&mended(preset, reference, &changed))? != *expected {
            changed.insert(index, field);
            index += 1;
        }
    }
    Ok(Some(changed))
}

impl fmt::Display for PresetReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let PresetReport { layout, sends, expects, differences } = self;
        writeln!(f, "sends    {sends:?}")?;
        writeln!(f, "{layout:<8} {expects:?}")?;
        match differences.len() {
            0 => writeln!(f, "\nno difference")?,
            1 => writeln!(f, "\n1 difference")?,
            count => writeln!(f, "\n{count} differences")?,
        }
        for (index, difference) in differences.iter().enumerate() {
            writeln!(f, "\n{}. {difference}", index + 1)?;
        }
        Ok(())
    }
}

impl fmt::Display for PresetDifference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let PresetDifference { kind, sends, expects, mends } = self;
        write!(f, "{kind}\n   sends {sends:?}, not {expects:?}")?;
        for mend in mends {
            write!(f, "\n   {mend}")?;
        }
        if mends.is_empty() {
            write!(f, "\n   no field can mend it")?;
        }
        Ok(())
    }
}

impl fmt::Display for Mend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (from, to) = differing_parts(&self.from, &self.to);
        write!(f, "{}: {from} -> {to}", self.field)
    }
}

/// Two texts in quotes; of long ones only what differs, and some of what is around it.
fn differing_parts(from: &str, to: &str) -> (String, String) {
    const LONG: usize = 60;
    const AROUND: usize = 12;
    if from.len().max(to.len()) <= LONG {
        return (format!("{from:?}"), format!("{to:?}"));
    }
    let same_start = from.chars().zip(to.chars()).take_while(|(one, other)| one == other).count();
    let rest = from.chars().count().min(to.chars().count()) - same_start;
    let same_end = from.chars().rev().zip(to.chars().rev()).take(rest).take_while(|(one, other)| one == other).count();
    let part = |text: &str| {
        let length = text.chars().count();
        let (start, end) = (same_start.saturating_sub(AROUND), (length - same_end + AROUND).min(length));
        let shown: String = text.chars().skip(start).take(end - start).collect();
        let (before, after) = (if start > 0 { "…" } else { "" }, if end < length { "…" } else { "" });
        format!("{before}{shown:?}{after}")
    };
    (part(from), part(to))
}
