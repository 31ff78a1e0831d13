//! [`Scene`]: who speaks, the card, the persona and the settings that go with a preset.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::fields::InjectionRole;
use super::macros::Clock;
use crate::control::{Control, Vocabulary};

/// Who speaks in a chat, and what SillyTavern knows about them beside the preset. No string of it can hold a control
/// token: it is all text.
///
/// ```
/// use mistral_chat_template::preset::Scene;
///
/// let scene = Scene {
///     user: "Rex".into(),
///     char: "Mia".into(),
///     description: "{{char}} is a cat who lives with {{user}}.".into(),
///     ..Scene::default()
/// };
/// assert!(scene.scenario.is_empty());
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Scene {
    /// The user's name.
    pub user: String,
    /// The character's name.
    pub char: String,
    /// The card's description.
    pub description: String,
    /// The card's personality.
    pub personality: String,
    /// The card's scenario.
    pub scenario: String,
    /// The card's example dialogue: blocks that begin with `<START>`.
    pub examples: String,
    /// The card's greeting, for `{{greeting}}`. A chat begins with it as its first message.
    pub greeting: String,
    /// The card's own system prompt, in which `{{original}}` is the preset's.
    pub system_prompt: String,
    /// The card's own last user message, in which `{{original}}` is the preset's.
    pub post_history: String,
    /// Who the user is.
    pub persona: String,
    /// World info that stands before the description.
    pub world_before: String,
    /// World info that stands after the scenario.
    pub world_after: String,
    /// What is put before or after the story or into the chat: author's notes and the like.
    pub injections: Vec<Injection>,
    /// The names of a group's characters; empty where there is no group.
    pub group: Vec<String>,
    /// The values of macros that are to say something else than SillyTavern's own, or that an extension adds.
    pub macros: BTreeMap<String, String>,
    /// The model's name, for `{{model}}`. A fresh install that is connected to no backend has `no_connection` here.
    pub model: String,
    /// What time it is, for `{{time}}`, `{{date}}` and the like. Without it, they stay as they are.
    pub now: Option<Clock>,
    /// What `{{random}}`, `{{pick}}` and `{{roll}}` draw from: the same seed, the same prompt. SillyTavern's own draws
    /// cannot be had again.
    pub seed: u64,
    /// How SillyTavern is set beside its presets.
    pub settings: SceneSettings,
}

impl Default for Scene {
    fn default() -> Self {
        Scene {
            user: "User".to_owned(),
            char: "Assistant".to_owned(),
            description: String::new(),
            personality: String::new(),
            scenario: String::new(),
            examples: String::new(),
            greeting: String::new(),
            system_prompt: String::new(),
            post_history: String::new(),
            persona: String::new(),
            world_before: String::new(),
            world_after: String::new(),
            injections: Vec::new(),
            group: Vec::new(),
            macros: BTreeMap::new(),
            model: "no_connection".to_owned(),
            now: None,
            seed: 0,
            settings: SceneSettings::default(),
        }
    }
}

impl Scene {
    /// The caller's value of a macro.
    pub(super) fn value_of(&self, name: &str) -> Option<&str> {
        self.macros.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// How many bytes of text there are.
    pub(super) fn len(&self) -> usize {
        let card = [&self.user, &self.char, &self.description, &self.personality, &self.scenario, &self.examples];
        let rest = [&self.greeting, &self.system_prompt, &self.post_history, &self.persona, &self.world_before];
        let injections = self.injections.iter().map(|injection| injection.text.len());
        card.into_iter().chain(rest).chain([&self.world_after]).map(String::len).chain(injections).sum()
    }
}

/// How SillyTavern is set beside its presets; the default is what a fresh install has.
///
/// ```
/// use mistral_chat_template::preset::{Generation, SceneSettings};
///
/// let settings = SceneSettings { generation: Generation::Impersonate, ..SceneSettings::default() };
/// assert!(settings.prefer_card_prompt);
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct SceneSettings {
    /// What is asked for.
    pub generation: Generation,
    /// Does the card's system prompt take the place of the preset's?
    pub prefer_card_prompt: bool,
    /// Does the card's last user message take the place of the preset's?
    pub prefer_card_post_history: bool,
    /// Are the examples left out, but for those in the story string?
    pub strip_examples: bool,
    /// Do several newlines become one?
    pub collapse_newlines: bool,
    /// What the answer is to begin with.
    pub bias: String,
    /// More stop strings.
    pub stop_strings: Vec<String>,
    /// Are macros replaced in those?
    pub stop_string_macros: bool,
    /// How many tokens the prompt and the answer may have, for `{{maxContext}}`.
    pub max_context: u32,
    /// How many tokens the answer may have, for `{{maxResponse}}`.
    pub max_response: u32,
    /// The control tokens of the model, which the preset's text can spell; by default all that there are.
    pub vocabulary: Vocabulary,
}

impl Default for SceneSettings {
    fn default() -> Self {
        SceneSettings {
            generation: Generation::Reply,
            prefer_card_prompt: true,
            prefer_card_post_history: true,
            strip_examples: false,
            collapse_newlines: false,
            bias: String::new(),
            stop_strings: Vec::new(),
            stop_string_macros: true,
            max_context: 8192,
            max_response: 350,
            vocabulary: Control::all().fold(Vocabulary::default(), |all, control| all.with(&[control])),
        }
    }
}

/// What is asked for.
///
/// ```
/// use mistral_chat_template::preset::{Generation, SceneSettings};
///
/// assert_eq!(SceneSettings::default().generation, Generation::Reply);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Generation {
    /// The character's next message.
    #[default]
    Reply,
    /// The rest of the last message.
    Continue,
    /// The user's next message.
    Impersonate,
    /// Another last message in the place of the one that there is.
    Swipe,
    /// As [`Swipe`](Generation::Swipe), where the last message is not the user's.
    Regenerate,
    /// Nothing: the chat is complete, as in a data set. The prompt ends where the last message does; SillyTavern itself
    /// always asks for something.
    Nothing,
    /// The answer to a prompt that the chat does not show.
    Quiet {
        /// The prompt.
        prompt: String,
        /// Who answers.
        voice: QuietVoice,
    },
}

impl Generation {
    /// SillyTavern's word for it.
    pub(super) fn as_str(&self) -> &'static str {
        match self {
            Generation::Reply | Generation::Nothing => "normal",
            Generation::Continue => "continue",
            Generation::Impersonate => "impersonate",
            Generation::Swipe => "swipe",
            Generation::Regenerate => "regenerate",
            Generation::Quiet { .. } => "quiet",
        }
    }
}

/// Who answers a quiet prompt.
///
/// ```
/// use mistral_chat_template::preset::{Generation, QuietVoice};
///
/// let summary = Generation::Quiet { prompt: "Summarize the story.".into(), voice: QuietVoice::System };
/// # assert_ne!(summary, Generation::Reply);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum QuietVoice {
    /// Nobody by name.
    #[default]
    System,
    /// The character.
    Character,
}

/// Text that is put somewhere into the prompt.
///
/// ```
/// use mistral_chat_template::preset::{Injection, InjectionPlace, InjectionRole};
///
/// let note = Injection {
///     text: "It is getting dark.".into(),
///     place: InjectionPlace::InChat { depth: 4, role: InjectionRole::System },
/// };
/// # assert!(!note.text.is_empty());
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Injection {
    /// The text, with macros.
    pub text: String,
    /// Where it goes.
    pub place: InjectionPlace,
}

/// Where injected text goes.
///
/// ```
/// use mistral_chat_template::preset::InjectionPlace;
///
/// let place = InjectionPlace::BeforeStory;
/// # assert_ne!(place, InjectionPlace::AfterStory);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum InjectionPlace {
    /// Where the story string says `{{anchorBefore}}`.
    BeforeStory,
    /// Where the story string says `{{anchorAfter}}`.
    AfterStory,
    /// Into the chat.
    InChat {
        /// How many messages stand after it.
        depth: u32,
        /// Whose message it is.
        role: InjectionRole,
    },
}

/// A message of a chat as SillyTavern keeps it: with the name of who speaks.
///
/// ```
/// use mistral_chat_template::preset::{SceneMessage, Speaker};
///
/// let message = SceneMessage::new(Speaker::User, "Rex", "Who are you?");
/// assert_eq!(message.text, "Who are you?");
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct SceneMessage<'a> {
    /// Who speaks.
    pub speaker: Speaker,
    /// By which name.
    pub name: Cow<'a, str>,
    /// What is said.
    pub text: Cow<'a, str>,
    /// Was it sent under a persona of its own (SillyTavern's `force_avatar`)? Then [`NamesBehavior::Force`] says who
    /// speaks.
    ///
    /// [`NamesBehavior::Force`]: super::NamesBehavior::Force
    pub own_persona: bool,
    /// When it was sent, in seconds since 1970, for `{{idleDuration}}`.
    pub sent: Option<i64>,
}

impl<'a> SceneMessage<'a> {
    /// A message.
    ///
    /// ```
    /// # use mistral_chat_template::preset::{SceneMessage, Speaker};
    /// assert!(!SceneMessage::new(Speaker::Narrator, "System", "The door opens.").own_persona);
    /// ```
    pub fn new(speaker: Speaker, name: impl Into<Cow<'a, str>>, text: impl Into<Cow<'a, str>>) -> Self {
        SceneMessage { speaker, name: name.into(), text: text.into(), own_persona: false, sent: None }
    }
}

/// Who speaks.
///
/// ```
/// use mistral_chat_template::preset::Speaker;
///
/// assert_ne!(Speaker::User, Speaker::Character);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Speaker {
    /// The person.
    User,
    /// The character.
    Character,
    /// Nobody: text without a name.
    Narrator,
}
