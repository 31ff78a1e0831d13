//! [`SceneFormat`]: a preset and a scene made ready, so that rendering a chat only writes.

use std::borrow::Cow;
use std::iter::zip;

use super::Preset;
use super::compiled::{Compiled, Place};
use super::fields::InjectionRole;
use super::frame::Frames;
use super::history::{History, Spoken};
use super::macros::{Card, ChatFacts, Macros, Memory};
use super::scene::{Generation, Scene, SceneMessage};
use crate::chat::{AssistantMessage, Chat, Content, Message};
use crate::error::{Error, ErrorKind};
use crate::format::Format;
use crate::prompt::Prompt;

/// A preset with a scene: what turns chats into the prompts that SillyTavern sends.
///
/// Everything that does not depend on the chat is done once: the story string is read and filled in, examples are laid
/// out, macros in sequences are replaced.
///
/// Of a [`Chat`], user messages are the user's and assistant messages the character's. A system message that begins the
/// chat takes the place of the system prompt, where the story string has one; it is text, and no macro in it is
/// replaced. Other system messages are the narrator's. [`render_messages`](SceneFormat::render_messages) takes names as
/// well. An assistant message that is a [prefix](Message::prefix) is continued. There is no `<s>`: backends add it.
///
/// ```
/// use mistral_chat_template::{Chat, Format, Layout, Message, Preset};
/// use mistral_chat_template::preset::Scene;
///
/// let format = Preset::for_layout(&Layout::MAGNUM)?.with_scene(&Scene::default())?;
/// let prompt = format.render(&Chat::new([
///     Message::system("Be kind."),
///     Message::user("Hi"),
///     Message::assistant("Hello"),
///     Message::user("Bye"),
/// ]))?;
/// assert_eq!(prompt.as_str(), "[INST] Be kind.\nHi[/INST] Hello</s>[INST] Bye[/INST]");
/// # Ok::<(), mistral_chat_template::Error>(())
/// ```
#[derive(Clone)]
pub struct SceneFormat {
    pub(super) preset: Preset,
    pub(super) scene: Scene,
    pub(super) card: Card,
    pub(super) opening: Opening,
    /// The opening of a chat that begins with a system message; `None` if the story has no system prompt.
    pub(super) opening_with_system: Option<Opening>,
    pub(super) frames: Frames,
    /// The user message before a chat that begins with none.
    pub(super) alignment: Option<Compiled>,
    pub(super) post_history: Option<Compiled>,
    pub(super) quiet_prompt: Option<Compiled>,
    pub(super) last_line: Compiled,
    /// What the answer begins with where instruct mode is off.
    pub(super) reply_start: Compiled,
    pub(super) stops: [Vec<Cow<'static, str>>; 2],
    /// What macros remember when the first sequence is written, if a sequence can say something else each time.
    pub(super) changing: Option<Memory>,
    /// Do macros ask for the chat? Then all is made ready again for each chat.
    pub(super) asks_for_chat: bool,
    /// What macros asked about the chat.
    pub(super) chat: Option<ChatFacts>,
}

/// What is set beside the messages of a chat.
#[derive(Clone, Default)]
pub(super) struct Opening {
    /// The story, the examples and what begins the chat.
    pub(super) story: Compiled,
    /// What is put into the chat, that of the greatest depth first.
    pub(super) injections: Vec<InChat>,
}

impl Opening {
    pub(super) fn has_system_prompt(&self) -> bool {
        let mut injected = self.injections.iter().map(|injection| &injection.text);
        self.story.has(Place::SystemPrompt) || injected.any(|text| text.has(Place::SystemPrompt))
    }
}

/// A message that is put into the chat.
#[derive(Clone)]
pub(super) struct InChat {
    pub(super) depth: usize,
    pub(super) role: InjectionRole,
    pub(super) text: Compiled,
}

impl Preset {
    /// This preset with a scene, made ready to render chats.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Story`]: the story string is not a template (`{{#if description}}` without its end).
    /// [`ErrorKind::MacrosTooLong`]: macros write without end.
    ///
    /// ```
    /// use mistral_chat_template::Preset;
    /// use mistral_chat_template::preset::{Context, Scene};
    ///
    /// let context = Context { story_string: "{{#if system}}".into(), ..Context::default() };
    /// let error = Preset { context, ..Preset::default() }.with_scene(&Scene::default()).err();
    /// let sentence = error.map(|error| error.to_string());
    /// assert_eq!(sentence.as_deref(), Some("context.story_string: the story string says nothing: line 1: a block is not closed, in \"{{#if system}}\""));
    /// ```
    pub fn with_scene(&self, scene: &Scene) -> Result<SceneFormat, Error> {
        self.made_ready(scene, None)
    }
}

impl SceneFormat {
    /// Renders a chat whose messages have names into a prompt that is begun anew, using the memory that it has.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::MacrosTooLong`]: macros in the first message write without end.
    ///
    /// ```
    /// use mistral_chat_template::Prompt;
    /// use mistral_chat_template::preset::{Builtin, Scene, SceneMessage, Speaker};
    ///
    /// let scene = Scene { user: "Rex".into(), char: "Mia".into(), ..Scene::default() };
    /// let format = Builtin::MistralV7Tekken.preset().with_scene(&scene)?;
    /// let mut prompt = Prompt::new();
    /// let other = SceneMessage { own_persona: true, ..SceneMessage::new(Speaker::User, "Max", "And me?") };
    /// format.render_messages(&[SceneMessage::new(Speaker::User, "Rex", "Hi"), other], &mut prompt)?;
    /// assert_eq!(prompt.as_str(), "[INST]Hi[/INST][INST]Max: And me?[/INST]");
    /// # Ok::<(), mistral_chat_template::Error>(())
    /// ```
    pub fn render_messages(&self, messages: &[SceneMessage<'_>], prompt: &mut Prompt) -> Result<(), Error> {
        self.write_messages(messages, prompt).inspect_err(|_| prompt.clear())
    }

    fn write_messages(&self, messages: &[SceneMessage<'_>], prompt: &mut Prompt) -> Result<(), Error> {
        if let Some(ready) = self.for_chat(messages)? {
            return ready.write_messages(messages, prompt);
        }
        History::new(self, None, messages, 0, &self.scene.settings.generation)?.write(prompt)
    }

    /// The message that a chat begins with, its macros replaced; `None` where there can be none in it.
    pub(super) fn first_message(&self, index: usize, text: &str) -> Result<Option<String>, Error> {
        if !text.bytes().fold(false, |found, byte| found | matches!(byte, b'{' | b'<' | b'\\')) {
            return Ok(None);
        }
        let Preset { context, instruct, system, .. } = &self.preset;
        let system = system.as_ref().filter(|system| system.enabled).map(|system| system.content.as_str());
        let input = text.len() + self.scene.len();
        let mut macros = Macros::new(context, instruct, &self.scene, system.unwrap_or_default(), input);
        macros.card = Some(self.card.clone());
        // The chat is empty when SillyTavern takes its first message in.
        let empty = ChatFacts::default();
        macros.chat = Some(&empty);
        let expanded = macros.expand_text(text);
        match macros.is_spent() {
            false => Ok(Some(expanded)),
            true => Err(Error::new(ErrorKind::MacrosTooLong, format!("messages[{index}].content"))),
        }
    }

    /// Under which name a message of a chat is said, and what it says.
    #[inline(always)]
    pub(super) fn message<'c>(
        &'c self,
        index: usize,
        message: &'c Message<'_>,
    ) -> Result<(&'c str, Cow<'c, str>), Error> {
        let name = match message {
            Message::User(_) => self.scene.user.as_str(),
            Message::Assistant(_) => self.scene.char.as_str(),
            Message::System(_) => "System",
            Message::Tool(_) => return Err(lacks(index, "tool results", "role")),
        };
        if matches!(message, Message::Assistant(message) if !message.tool_calls.is_empty()) {
            return Err(lacks(index, "tool calls", "tool_calls"));
        }
        Ok((name, said(index, message.content())?))
    }

    /// The system prompt that a chat begins with, if the story has a place for it.
    fn system_of<'c>(&self, chat: &'c Chat<'_>) -> Result<Option<Cow<'c, str>>, Error> {
        match chat.messages.first() {
            Some(Message::System(content)) if self.opening_with_system.is_some() => said(0, content).map(Some),
            _ => Ok(None),
        }
    }

    fn write_chat(&self, chat: &Chat<'_>, prompt: &mut Prompt) -> Result<(), Error> {
        if !chat.tools.is_empty() {
            return Err(Error::new(ErrorKind::PresetLacks { what: "tools" }, "tools"));
        }
        let continued = Generation::Continue;
        let generation = match chat.messages.last() {
            Some(Message::Assistant(AssistantMessage { prefix: true, .. })) => &continued,
            _ => &self.scene.settings.generation,
        };
        let system = self.system_of(chat)?;
        let skipped = usize::from(system.is_some());
        let messages = chat.messages.get(skipped..).unwrap_or_default();
        if self.asks_for_chat {
            let named: Result<Vec<_>, Error> = zip(skipped.., messages)
                .map(|(index, message)| {
                    let (name, text) = self.message(index, message)?;
                    Ok(SceneMessage::new(message.speaker(), name, text))
                })
                .collect();
            if let Some(ready) = self.for_chat(&named?)? {
                return ready.write_chat(chat, prompt);
            }
        }
        History::new(self, system, messages, skipped, generation)?.write(prompt)
    }
    pub(super) fn stop_strings(&self, continues_user: bool) -> &[Cow<'static, str>] {
        chosen_stops(&self.stops, continues_user)
    }
}

/// The stop strings of any chat, or those of a user's message that is continued.
pub(super) fn chosen_stops<'s>(
    [any, continued]: &'s [Vec<Cow<'static, str>>; 2],
    continues_user: bool,
) -> &'s [Cow<'static, str>] {
    if continues_user { continued } else { any }
}

impl Format for SceneFormat {
    fn render_into(&self, chat: &Chat<'_>, prompt: &mut Prompt) -> Result<(), Error> {
        self.write_chat(chat, prompt).inspect_err(|_| prompt.clear())
    }
}

#[cold]
fn lacks(index: usize, what: &'static str, field: &str) -> Error {
    Error::new(ErrorKind::PresetLacks { what }, format!("messages[{index}].{field}"))
}

/// The text of a message; several chunks as several paragraphs.
#[inline(always)]
fn said<'c>(index: usize, content: &'c Content<'_>) -> Result<Cow<'c, str>, Error> {
    let chunks = match content {
        Content::Text(text) => return Ok(Cow::Borrowed(text)),
        Content::Chunks(chunks) => chunks,
    };
    match chunks.iter().position(|chunk| chunk.as_text().is_none()) {
        None => Ok(content.joined("\n\n")),
        Some(at) => Err(lacks(index, "anything but text", &format!("content[{at}]"))),
    }
}
