//! [`Adapter`]: koboldcpp's chat completion adapters, and LM Studio's older presets, which have the same parts.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::compare::{self, Reach};
use super::fields::{Context, Instruct, NamesBehavior, SystemPrompt, UnknownFields};
use super::for_layout::NOTHING;
use super::{Preset, Report, pretty};
use crate::error::{Error, ErrorKind};
use crate::layout::Layout;

/// A chat completion adapter of koboldcpp: what stands around each message, and nothing else.
///
/// ```
/// use mistral_chat_template::Layout;
/// use mistral_chat_template::preset::Adapter;
///
/// let adapter = Adapter::from_json(r#"{"user_start": "[INST] ", "assistant_start": "[/INST]", "assistant_end": "</s>"}"#)?;
/// assert_eq!(adapter.user_start, "[INST] ");
///
/// let report = adapter.compare(&Layout::V7_TEKKEN)?;
/// assert!(report.mends().any(|mend| mend.field == "user_start" && mend.to == "[INST]"));
/// # Ok::<(), mistral_chat_template::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(default)]
pub struct Adapter {
    /// Stands before a system message.
    pub system_start: String,
    /// Stands after a system message.
    pub system_end: String,
    /// Stands before a user message.
    pub user_start: String,
    /// Stands after a user message.
    pub user_end: String,
    /// Stands before a reply.
    pub assistant_start: String,
    /// Stands after a reply.
    pub assistant_end: String,
    /// Ends the prompt; without it, what stands before a reply does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub assistant_gen: Option<String>,
    /// What else the file held.
    #[serde(flatten)]
    pub unknown: UnknownFields,
}

/// What koboldcpp takes for the fields that a file lacks.
impl Default for Adapter {
    fn default() -> Self {
        let (instruction, response) = ("\n### Instruction:\n".to_owned(), "\n### Response:\n".to_owned());
        Adapter {
            system_start: instruction.clone(),
            system_end: String::new(),
            user_start: instruction,
            user_end: String::new(),
            assistant_start: response,
            assistant_end: String::new(),
            assistant_gen: None,
            unknown: UnknownFields::default(),
        }
    }
}

/// An entry of koboldcpp's `AutoGuess.json`.
#[derive(Deserialize)]
struct Guess {
    name: String,
    adapter: Adapter,
}

const ITS_KEYS: [&str; 3] = ["system_start", "user_start", "assistant_start"];

impl Adapter {
    /// Reads an adapter's file.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Json`]: `json` is not a JSON object, or a field is not text: `{"user_start": 1}`.
    ///
    /// ```
    /// # use mistral_chat_template::preset::Adapter;
    /// assert!(Adapter::from_json(r#"{"user_start": 1}"#).is_err());
    /// ```
    pub fn from_json(json: &str) -> Result<Self, Error> {
        serde_json::from_str(json).map_err(|error| Error::new(ErrorKind::Json, "").because(error))
    }

    /// Reads a list of adapters with their names, as koboldcpp's `AutoGuess.json` is one.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Json`]: `json` is not a list of objects with `name` and `adapter`.
    ///
    /// ```
    /// # use mistral_chat_template::preset::Adapter;
    /// let list = Adapter::list(r#"[{"search": ["[/INST]"], "name": "Mistral", "adapter": {"user_start": "[INST]"}}]"#)?;
    /// assert_eq!((list[0].0.as_str(), list[0].1.user_start.as_str()), ("Mistral", "[INST]"));
    /// # Ok::<(), mistral_chat_template::Error>(())
    /// ```
    pub fn list(json: &str) -> Result<Vec<(String, Self)>, Error> {
        let guesses: Vec<Guess> =
            serde_json::from_str(json).map_err(|error| Error::new(ErrorKind::Json, "").because(error))?;
        Ok(guesses.into_iter().map(|guess| (guess.name, guess.adapter)).collect())
    }

    /// The adapter as JSON.
    #[must_use]
    pub fn to_json(&self) -> String {
        pretty(self)
    }

    /// The adapter of a layout whose system prompt is a turn of its own.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Unwritable`]: [`Layout::V3`] and those before it, and [`Layout::MAGNUM`], have their system prompt
    /// in a user turn, and [`Layout::V15`] has settings.
    ///
    /// ```
    /// # use mistral_chat_template::Layout;
    /// # use mistral_chat_template::preset::Adapter;
    /// let adapter = Adapter::for_layout(&Layout::V7_TEKKEN)?;
    /// assert_eq!((adapter.user_start.as_str(), adapter.user_end.as_str()), ("[INST]", "[/INST]"));
    /// assert!(adapter.compare(&Layout::V7_TEKKEN)?.differences.is_empty());
    /// # Ok::<(), mistral_chat_template::Error>(())
    /// ```
    pub fn for_layout(layout: &Layout) -> Result<Self, Error> {
        if layout.system.in_user().is_some() {
            let why = "its system prompt is in a user turn, and koboldcpp opens each message by itself";
            return Err(Error::new(ErrorKind::Unwritable { why }, "").in_layout(layout.name));
        }
        Ok(Adapter::of(&Preset::for_layout(layout)?))
    }

    /// What an instruct preset has of an adapter.
    pub(super) fn of(preset: &Preset) -> Self {
        let said = |text: &str| text.replace(NOTHING, "");
        let instruct = &preset.instruct;
        let last = Some(&instruct.last_output_sequence).filter(|last| !last.is_empty()).map(|last| said(last));
        Adapter {
            system_start: said(&instruct.story_string_prefix),
            system_end: said(&instruct.story_string_suffix),
            user_start: said(&instruct.input_sequence),
            user_end: said(&instruct.input_suffix),
            assistant_start: said(&instruct.output_sequence),
            assistant_end: said(&instruct.output_suffix),
            assistant_gen: last.filter(|last| *last != instruct.output_sequence),
            unknown: UnknownFields::default(),
        }
    }

    /// The preset with which SillyTavern sends what koboldcpp makes of the adapter.
    ///
    /// ```
    /// use mistral_chat_template::{Chat, Format, Layout, Message};
    /// use mistral_chat_template::preset::{Adapter, Scene};
    ///
    /// let preset = Adapter::for_layout(&Layout::V7_TEKKEN)?.preset();
    /// let chat = Chat::new([Message::system("Be kind."), Message::user("Hi")]);
    /// let prompt = preset.with_scene(&Scene::default())?.render(&chat)?;
    /// assert_eq!(prompt.as_str(), "[SYSTEM_PROMPT]Be kind.[/SYSTEM_PROMPT][INST]Hi[/INST]");
    /// # Ok::<(), mistral_chat_template::Error>(())
    /// ```
    #[must_use]
    pub fn preset(&self) -> Preset {
        let Adapter { system_start, system_end, user_start, user_end, assistant_start, assistant_end, .. } = self;
        let end = self.assistant_gen.as_ref().unwrap_or(assistant_start);
        // An empty end does not stand for what stands before a reply.
        let end = if end.is_empty() && !assistant_start.is_empty() { NOTHING } else { end.as_str() };
        let instruct = Instruct {
            story_string_prefix: system_start.clone(),
            story_string_suffix: system_end.clone(),
            system_sequence: system_start.clone(),
            system_suffix: system_end.clone(),
            input_sequence: user_start.clone(),
            input_suffix: user_end.clone(),
            output_sequence: assistant_start.clone(),
            output_suffix: assistant_end.clone(),
            last_output_sequence: end.to_owned(),
            ..frames_alone("koboldcpp")
        };
        Preset { context: system_alone("koboldcpp"), instruct, system: None, unknown: UnknownFields::default() }
    }

    /// Compares what koboldcpp makes of the adapter with what a layout says; mends name the adapter's fields.
    ///
    /// # Errors
    ///
    /// As [`Preset::compare`].
    pub fn compare(&self, layout: &Layout) -> Result<Report, Error> {
        let mut report = compare::compare(&self.preset(), layout, Reach::KoboldCpp)?;
        for mend in report.differences.iter_mut().flat_map(|difference| &mut difference.mends) {
            if let Some((_, name)) = FIELDS.iter().find(|(field, _)| *field == mend.field) {
                (mend.field, mend.label) = ((*name).to_owned(), (*name).to_owned());
            }
            mend.to = mend.to.replace(NOTHING, "");
        }
        Ok(report)
    }

    /// This adapter with every mend that [`compare`](Adapter::compare) lists.
    ///
    /// # Errors
    ///
    /// As [`compare`](Adapter::compare).
    ///
    /// ```
    /// # use mistral_chat_template::Layout;
    /// # use mistral_chat_template::preset::Adapter;
    /// let mended = Adapter::default().mended(&Layout::V7_TEKKEN)?;
    /// assert!(mended.compare(&Layout::V7_TEKKEN)?.differences.is_empty());
    /// # Ok::<(), mistral_chat_template::Error>(())
    /// ```
    pub fn mended(&self, layout: &Layout) -> Result<Self, Error> {
        let mended = compare::mended(&self.preset(), layout, Reach::KoboldCpp)?;
        Ok(Adapter { unknown: self.unknown.clone(), ..Adapter::of(&mended) })
    }

    /// Is a file one?
    pub(super) fn is_adapter(file: &serde_json::Map<String, Value>) -> bool {
        ITS_KEYS.iter().any(|key| file.contains_key(*key))
    }
}

/// The fields of an instruct preset that an adapter has, and their names there.
pub(super) const FIELDS: [(&str, &str); 7] = [
    ("instruct.story_string_prefix", "system_start"),
    ("instruct.story_string_suffix", "system_end"),
    ("instruct.input_sequence", "user_start"),
    ("instruct.input_suffix", "user_end"),
    ("instruct.output_sequence", "assistant_start"),
    ("instruct.output_suffix", "assistant_end"),
    ("instruct.last_output_sequence", "assistant_gen"),
];

/// An instruct preset that writes nothing by itself.
fn frames_alone(name: &str) -> Instruct {
    Instruct {
        wrap: false,
        names_behavior: NamesBehavior::None,
        sequences_as_stop_strings: false,
        name: name.to_owned(),
        ..Instruct::default()
    }
}

/// A context preset whose story is the system prompt.
fn system_alone(name: &str) -> Context {
    Context {
        story_string: "{{#if system}}{{system}}{{/if}}".to_owned(),
        example_separator: String::new(),
        chat_start: String::new(),
        use_stop_strings: false,
        names_as_stop_strings: false,
        name: name.to_owned(),
        ..Context::default()
    }
}

/// LM Studio's preset of before 0.3: `{"name", "inference_params": {"input_prefix", …}}`. A reply has no end there.
pub(super) fn of_lm_studio(file: &serde_json::Map<String, Value>) -> Option<Preset> {
    let parameters = file.get("inference_params")?.as_object()?;
    if !["input_prefix", "input_suffix"].iter().any(|key| parameters.contains_key(*key)) {
        return None;
    }
    let text = |key: &str| parameters.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
    let stops = parameters.get("antiprompt").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
    let name = file.get("name").and_then(Value::as_str).unwrap_or("LM Studio");
    let instruct = Instruct {
        story_string_prefix: text("pre_prompt_prefix"),
        story_string_suffix: text("pre_prompt_suffix"),
        system_sequence: text("pre_prompt_prefix"),
        system_suffix: text("pre_prompt_suffix"),
        input_sequence: text("input_prefix"),
        input_suffix: text("input_suffix"),
        output_sequence: String::new(),
        output_suffix: String::new(),
        stop_sequence: stops.collect::<Vec<_>>().join("\n"),
        ..frames_alone(name)
    };
    let content = text("pre_prompt");
    let system = SystemPrompt { name: name.to_owned(), content, ..SystemPrompt::default() };
    let system = Some(system).filter(|system| !system.content.is_empty());
    Some(Preset { context: system_alone(name), instruct, system, unknown: UnknownFields::default() })
}
