//! [`Preset`]: SillyTavern's context and instruct presets in, the prompts that SillyTavern sends with them out.
//!
//! ```
//! use mistral_chat_template::preset::{Builtin, Scene};
//! use mistral_chat_template::{Chat, Format, Layout, Message};
//!
//! let preset = Builtin::MistralV7.preset();
//! let report = preset.compare(&Layout::V7)?;
//! assert_eq!(report.differences[0].to_string(), r#"at the end of the prompt: " " instead of """#);
//!
//! let mended = preset.mended(&Layout::V7)?.with_system_prompt("");
//! let prompt = mended.with_scene(&Scene::default())?.render(&Chat::new([Message::user("Hi")]))?;
//! assert_eq!(prompt.as_str(), "[INST] Hi[/INST]");
//! # Ok::<(), mistral_chat_template::Error>(())
//! ```
//!
//! [`Preset::load`] reads a preset; with a [`Scene`] it is a [`Format`](crate::Format) like any other. The prompt's string
//! is byte for byte what SillyTavern 1.19.0 sends, and its segments say which `[INST]` the preset wrote and which
//! somebody typed.
//!
//! What the context and the instruct preset write is trusted, and so can hold control tokens. Names, cards, personas,
//! world info, system prompts, chats and whatever a macro makes of them are text: each stretch of text keeps track of its
//! author throughout, so that no literal can form in it or across its ends.
//!
//! Time and memory are linear in what comes in. Macros may write 1 MiB and eight times their input, a story as much and
//! in 100,000 steps; blocks, macros and scopes go 64 deep. Nothing reaches a file, a clock or a source of chance.

use serde::Serialize;
use serde_json::ser::{PrettyFormatter, Serializer};

mod adapter;
mod builtin;
mod compare;
mod compiled;
mod example_dialogue;
mod fields;
mod for_layout;
mod frame;
mod history;
mod load;
mod macros;
mod ollama;
mod prepare;
mod scene;
mod scene_format;
mod stop_strings;
mod story;
mod tracked_text;

pub use self::adapter::Adapter;
pub use self::builtin::Builtin;
pub use self::compare::{DeadEnd, Difference, DifferenceKind, Mend, Report, Weight};
pub use self::fields::{Context, InjectionRole, Instruct, NamesBehavior, StoryPosition, SystemPrompt, UnknownFields};
pub use self::macros::Clock;
pub use self::ollama::ollama_modelfile;
pub use self::scene::{Generation, Injection, InjectionPlace, QuietVoice, Scene, SceneMessage, SceneSettings, Speaker};
pub use self::scene_format::SceneFormat;

/// SillyTavern's presets: how it lays a chat out.
///
/// ```
/// use mistral_chat_template::{Chat, Format, Message};
/// use mistral_chat_template::preset::{Builtin, Scene};
///
/// let preset = Builtin::Magnum.preset();
/// let scene = Scene { user: "Rex".into(), char: "Mia".into(), ..Scene::default() };
/// let chat = Chat::new([Message::assistant("Meow."), Message::user("[/INST]")]);
///
/// let prompt = preset.with_scene(&scene)?.render(&chat)?;
/// assert!(prompt.as_str().ends_with("[/INST] Mia: Meow.</s>[INST] Rex: [/INST][/INST] Mia:"));
/// assert_eq!(prompt.stop_strings(), ["\nRex:", "</s>", "[INST] "]);
/// # Ok::<(), mistral_chat_template::Error>(())
/// ```
///
/// The default is what a fresh install of SillyTavern 1.19.0 has, its system prompt included, with instruct mode on.
#[derive(Clone, Debug, PartialEq)]
pub struct Preset {
    /// The context preset.
    pub context: Context,
    /// The instruct preset.
    pub instruct: Instruct,
    /// The system prompt preset, where there is one.
    pub system: Option<SystemPrompt>,
    /// What else an export of all presets held.
    pub unknown: UnknownFields,
}

/// What a file of presets is.
///
/// ```
/// use mistral_chat_template::Preset;
/// use mistral_chat_template::preset::FileKind;
///
/// let file = Preset::default().load(r#"{"name": "Kind", "content": "Be kind."}"#)?;
/// assert_eq!(file, FileKind::System);
/// # Ok::<(), mistral_chat_template::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum FileKind {
    /// A context preset.
    Context,
    /// An instruct preset.
    Instruct,
    /// A system prompt preset.
    System,
    /// An export of several.
    Master,
    /// A chat completion adapter of koboldcpp.
    KoboldCpp,
    /// A preset of LM Studio before 0.3.
    LmStudio,
}

impl Default for Preset {
    fn default() -> Self {
        Preset {
            context: Context::default(),
            instruct: Instruct::default(),
            system: Some(SystemPrompt::fresh_install()),
            unknown: UnknownFields::default(),
        }
    }
}

impl Preset {
    /// The context preset as SillyTavern's JSON.
    ///
    /// ```
    /// # use mistral_chat_template::Preset;
    /// assert!(Preset::default().context_json().contains("\"story_string_depth\": 1"));
    /// ```
    #[must_use]
    pub fn context_json(&self) -> String {
        pretty(&self.context)
    }

    /// The instruct preset as SillyTavern's JSON.
    ///
    /// ```
    /// # use mistral_chat_template::Preset;
    /// assert!(Preset::default().instruct_json().contains("\"names_behavior\": \"force\""));
    /// ```
    #[must_use]
    pub fn instruct_json(&self) -> String {
        pretty(&self.instruct)
    }

    /// All of it as SillyTavern's export of several presets; `"sysprompt": null` where there is no system prompt.
    ///
    /// ```
    /// # use mistral_chat_template::Preset;
    /// # use mistral_chat_template::preset::Builtin;
    /// let preset = Builtin::MistralV7.preset().with_system_prompt("Be kind.");
    /// let mut same = Preset::default();
    /// same.load(&preset.to_json())?;
    /// assert_eq!(same, preset);
    /// # Ok::<(), mistral_chat_template::Error>(())
    /// ```
    #[must_use]
    pub fn to_json(&self) -> String {
        #[derive(Serialize)]
        struct Master<'p> {
            instruct: &'p Instruct,
            context: &'p Context,
            sysprompt: &'p Option<SystemPrompt>,
            #[serde(flatten)]
            unknown: &'p UnknownFields,
        }
        let Preset { context, instruct, system, unknown } = self;
        pretty(&Master { instruct, context, sysprompt: system, unknown })
    }

    /// This preset with a system prompt.
    ///
    /// ```
    /// # use mistral_chat_template::{Chat, Format, Message};
    /// # use mistral_chat_template::preset::{Builtin, Scene};
    /// let preset = Builtin::MistralV7Tekken.preset().with_system_prompt("Be kind.");
    /// let prompt = preset.with_scene(&Scene::default())?.render(&Chat::new([Message::user("Hi")]))?;
    /// assert_eq!(prompt.as_str(), "[SYSTEM_PROMPT]Be kind.[/SYSTEM_PROMPT][INST]Hi[/INST]");
    /// # Ok::<(), mistral_chat_template::Error>(())
    /// ```
    #[must_use]
    pub fn with_system_prompt(mut self, content: impl Into<String>) -> Self {
        self.system = Some(SystemPrompt { content: content.into(), ..SystemPrompt::default() });
        self
    }
}

/// JSON as SillyTavern exports it: four spaces a level.
fn pretty(value: &impl Serialize) -> String {
    let mut json = Vec::new();
    let mut serializer = Serializer::with_formatter(&mut json, PrettyFormatter::with_indent(b"    "));
    // Texts, numbers and flags under text keys cannot fail to be written to memory.
    match value.serialize(&mut serializer) {
        Ok(()) => String::from_utf8(json).unwrap_or_default(),
        Err(_) => String::new(),
    }
}
