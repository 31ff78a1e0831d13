//! The files of a preset as plain data: what each field is, as SillyTavern 1.19.0 knows it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize, Serializer};
use serde_json::Value;

/// SillyTavern's context preset: the story string and what stands around the examples and the chat.
///
/// ```
/// use mistral_chat_template::preset::{Context, StoryPosition};
///
/// let context = Context { story_string: "{{description}}".into(), ..Context::default() };
/// assert_eq!(context.story_string_position, StoryPosition::InPrompt);
/// ```
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Context {
    /// The template of the story: system prompt, card, persona, world info.
    pub story_string: String,
    /// What stands on a line before each block of example dialogue.
    pub example_separator: String,
    /// What stands on a line before the chat.
    pub chat_start: String,
    /// Are the two separators stop strings?
    pub use_stop_strings: bool,
    /// Are names stop strings?
    pub names_as_stop_strings: bool,
    /// Where the story goes.
    pub story_string_position: StoryPosition,
    /// How many messages stand after a story in the chat. `None`, which a file writes as -1: SillyTavern never puts it
    /// there.
    #[serde(serialize_with = "serialize_depth")]
    pub story_string_depth: Option<u32>,
    /// Whose message a story in the chat is.
    pub story_string_role: InjectionRole,
    /// With instruct mode off: does the prompt end with the character's name?
    pub always_force_name2: bool,
    /// Are incomplete sentences cut from answers? Nothing in a prompt depends on it.
    pub trim_sentences: bool,
    /// Does an answer end with its line?
    pub single_line: bool,
    /// The preset's name.
    pub name: String,
    /// What else the file held.
    #[serde(flatten)]
    pub unknown: UnknownFields,
}

/// SillyTavern's instruct preset: the sequences around messages.
///
/// ```
/// use mistral_chat_template::preset::Instruct;
///
/// let instruct = Instruct { input_sequence: "[INST] ".into(), ..Instruct::default() };
/// assert!(instruct.wrap, "as after a fresh install");
/// ```
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Instruct {
    /// Is instruct mode on? Exported files do not say.
    #[serde(skip)]
    pub enabled: bool,
    /// Does a newline stand between a sequence and a message?
    pub wrap: bool,
    /// Are macros replaced in the sequences?
    #[serde(rename = "macro")]
    pub macros: bool,
    /// Stands before the story.
    pub story_string_prefix: String,
    /// Stands after the story.
    pub story_string_suffix: String,
    /// Stands before a user message.
    pub input_sequence: String,
    /// Stands after a user message.
    pub input_suffix: String,
    /// Stands before a character's message.
    pub output_sequence: String,
    /// Stands after a character's message.
    pub output_suffix: String,
    /// Stands before a narrator's message.
    pub system_sequence: String,
    /// Stands after a narrator's message.
    pub system_suffix: String,
    /// Stands at the end of a prompt that the system asks.
    pub last_system_sequence: String,
    /// The user message before a chat that begins with none.
    pub user_alignment_message: String,
    /// Ends an answer; one stop string a line.
    pub stop_sequence: String,
    /// Stands before the first message, where it is the character's.
    pub first_output_sequence: String,
    /// Stands at the end of the prompt.
    pub last_output_sequence: String,
    /// Stands before the first message, where it is the user's.
    pub first_input_sequence: String,
    /// Stands before the last user message.
    pub last_input_sequence: String,
    /// The models for which SillyTavern selects the preset by itself.
    pub activation_regex: String,
    /// Are examples left as they are?
    pub skip_examples: bool,
    /// Which messages begin with a name.
    pub names_behavior: NamesBehavior,
    /// Are narrator messages framed as user messages?
    pub system_same_as_user: bool,
    /// Are the sequences stop strings?
    pub sequences_as_stop_strings: bool,
    /// The preset's name.
    pub name: String,
    /// What else the file held.
    #[serde(flatten)]
    pub unknown: UnknownFields,
}

/// SillyTavern's system prompt preset.
///
/// ```
/// use mistral_chat_template::preset::SystemPrompt;
///
/// let system = SystemPrompt { content: "You are {{char}}.".into(), ..SystemPrompt::default() };
/// assert!(system.enabled);
/// ```
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SystemPrompt {
    /// Is there a system prompt? Exported files do not say.
    #[serde(skip)]
    pub enabled: bool,
    /// The preset's name.
    pub name: String,
    /// The system prompt: text with macros, in which no control token stands.
    pub content: String,
    /// A last user message, which the chat does not show.
    pub post_history: String,
    /// What else the file held.
    #[serde(flatten)]
    pub unknown: UnknownFields,
}

/// Fields of a file that SillyTavern 1.19.0 does not know; they are kept, and written back.
///
/// ```
/// use mistral_chat_template::Preset;
///
/// let mut preset = Preset::default();
/// preset.load(r#"{"name": "Kind", "content": "Be kind.", "author": "me"}"#)?;
/// let system = preset.system.unwrap_or_default();
/// assert!(system.unknown.names().eq(["author"]));
/// # Ok::<(), mistral_chat_template::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize)]
#[serde(transparent)]
pub struct UnknownFields(pub(super) BTreeMap<String, Value>);

impl UnknownFields {
    /// The fields' names.
    ///
    /// ```
    /// # use mistral_chat_template::preset::UnknownFields;
    /// assert_eq!(UnknownFields::default().names().count(), 0);
    /// ```
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }
}

/// Which messages begin with a name.
///
/// ```
/// use mistral_chat_template::preset::{Instruct, NamesBehavior};
///
/// assert_eq!(Instruct::default().names_behavior, NamesBehavior::Force);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum NamesBehavior {
    /// None.
    None,
    /// Those of groups and of other personas, and what the user says in examples.
    #[default]
    Force,
    /// All but the narrator's.
    Always,
}

/// Where the story goes.
///
/// ```
/// use mistral_chat_template::preset::{Context, StoryPosition};
///
/// assert_eq!(Context::default().story_string_position, StoryPosition::InPrompt);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum StoryPosition {
    /// `-1`, which SillyTavern treats as `InPrompt`.
    None,
    /// `0`: to the beginning.
    #[default]
    InPrompt,
    /// `1`: into the chat, as a message.
    InChat,
    /// `2`, which SillyTavern treats as `InPrompt`.
    BeforePrompt,
}

/// Whose message something is that is put into the chat.
///
/// ```
/// use mistral_chat_template::preset::{Context, InjectionRole};
///
/// assert_eq!(Context::default().story_string_role, InjectionRole::System);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum InjectionRole {
    /// The narrator's.
    #[default]
    System,
    /// The user's.
    User,
    /// The character's.
    Assistant,
}

impl StoryPosition {
    pub(super) const ALL: [(i64, StoryPosition); 4] = [
        (-1, StoryPosition::None),
        (0, StoryPosition::InPrompt),
        (1, StoryPosition::InChat),
        (2, StoryPosition::BeforePrompt),
    ];
}

impl InjectionRole {
    pub(super) const ALL: [(i64, InjectionRole); 3] =
        [(0, InjectionRole::System), (1, InjectionRole::User), (2, InjectionRole::Assistant)];
}

impl Serialize for StoryPosition {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serialize_number(&StoryPosition::ALL, *self, serializer)
    }
}

impl Serialize for InjectionRole {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serialize_number(&InjectionRole::ALL, *self, serializer)
    }
}

fn serialize_number<T: PartialEq, S: Serializer>(all: &[(i64, T)], value: T, serializer: S) -> Result<S::Ok, S::Error> {
    let number = all.iter().find(|(_, known)| *known == value).map_or(0, |(number, _)| *number);
    serializer.serialize_i64(number)
}

fn serialize_depth<S: Serializer>(depth: &Option<u32>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_i64(depth.map_or(-1, i64::from))
}

/// The story string of a fresh install, with the places for author's notes that SillyTavern adds when it starts.
const FRESH_STORY: &str = "{{#if anchorBefore}}{{anchorBefore}}\n{{/if}}{{#if system}}{{system}}\n{{/if}}\
    {{#if wiBefore}}{{wiBefore}}\n{{/if}}{{#if description}}{{description}}\n{{/if}}\
    {{#if personality}}{{char}}'s personality: {{personality}}\n{{/if}}{{#if scenario}}Scenario: {{scenario}}\n{{/if}}\
    {{#if wiAfter}}{{wiAfter}}\n{{/if}}{{#if persona}}{{persona}}\n{{/if}}\
    {{#if anchorAfter}}{{anchorAfter}}\n{{/if}}";

/// The story string of nearly every context preset that SillyTavern 1.19.0 comes with.
pub(super) const STORY: &str = "{{#if anchorBefore}}{{anchorBefore}}\n{{/if}}{{#if system}}{{system}}\n{{/if}}\
    {{#if wiBefore}}{{wiBefore}}\n{{/if}}{{#if description}}{{description}}\n{{/if}}\
    {{#if personality}}{{personality}}\n{{/if}}{{#if scenario}}{{scenario}}\n{{/if}}\
    {{#if wiAfter}}{{wiAfter}}\n{{/if}}{{#if persona}}{{persona}}\n{{/if}}\
    {{#if anchorAfter}}{{anchorAfter}}\n{{/if}}{{trim}}";

/// What a fresh install has: `default/content/settings.json` of SillyTavern 1.19.0, as the page has loaded it.
impl Default for Context {
    fn default() -> Self {
        Context {
            story_string: FRESH_STORY.to_owned(),
            example_separator: "***".to_owned(),
            chat_start: "***".to_owned(),
            use_stop_strings: true,
            names_as_stop_strings: true,
            story_string_position: StoryPosition::InPrompt,
            story_string_depth: Some(1),
            story_string_role: InjectionRole::System,
            always_force_name2: true,
            trim_sentences: false,
            single_line: false,
            name: "Default".to_owned(),
            unknown: UnknownFields::default(),
        }
    }
}

/// What a fresh install has, with instruct mode switched on: SillyTavern 1.19.0 has it off until the user turns it on.
impl Default for Instruct {
    fn default() -> Self {
        Instruct {
            enabled: true,
            wrap: true,
            macros: true,
            story_string_prefix: String::new(),
            story_string_suffix: String::new(),
            input_sequence: "### Instruction:".to_owned(),
            input_suffix: "\n\n".to_owned(),
            output_sequence: "### Response:".to_owned(),
            output_suffix: "\n\n".to_owned(),
            system_sequence: "### Input:".to_owned(),
            system_suffix: "\n\n".to_owned(),
            last_system_sequence: String::new(),
            user_alignment_message: String::new(),
            stop_sequence: String::new(),
            first_output_sequence: String::new(),
            last_output_sequence: String::new(),
            first_input_sequence: String::new(),
            last_input_sequence: String::new(),
            activation_regex: String::new(),
            skip_examples: false,
            names_behavior: NamesBehavior::Force,
            system_same_as_user: false,
            sequences_as_stop_strings: true,
            name: "Alpaca".to_owned(),
            unknown: UnknownFields::default(),
        }
    }
}

impl SystemPrompt {
    /// The system prompt that is selected in a fresh install of SillyTavern 1.19.0, "Neutral - Chat".
    ///
    /// ```
    /// # use mistral_chat_template::Preset;
    /// # use mistral_chat_template::preset::SystemPrompt;
    /// assert_eq!(Preset::default().system, Some(SystemPrompt::fresh_install()));
    /// ```
    #[must_use]
    pub fn fresh_install() -> Self {
        SystemPrompt {
            name: "Neutral - Chat".to_owned(),
            content: "Write {{char}}'s next reply in a fictional chat between {{char}} and {{user}}.".to_owned(),
            ..SystemPrompt::default()
        }
    }
}

/// A system prompt that is on and says nothing.
impl Default for SystemPrompt {
    fn default() -> Self {
        SystemPrompt {
            enabled: true,
            name: String::new(),
            content: String::new(),
            post_history: String::new(),
            unknown: UnknownFields::default(),
        }
    }
}
