//! [`PresetFormat`]: a preset and a scene made ready, so that rendering a chat only writes.

use std::borrow::Cow;

use super::Preset;
use super::examples;
use super::fields::{InjectionRole, InstructPreset, NamesBehavior, StoryPosition};
use super::macros::{Card, Macros};
use super::mixed::{Mixed, Trust, is_space};
use super::scene::{Generation, InjectionPlace, QuietVoice, Scene, SceneMessage, Speaker};
use super::sequence::{Atom, Sequence, atoms, with_name};
use super::stops::Stops;
use super::story::{Parameters, Story, StoryError};
use super::turns::Turns;
use crate::chat::{AssistantMessage, Chat, Chunk, Content, Message};
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
/// replaced. Other system messages are the narrator's. [`render_messages`](PresetFormat::render_messages) takes names as
/// well. An assistant message that is a [prefix](Message::prefix) is continued. There is no `<s>`: backends add it.
///
/// ```
/// use mistral_chat_template::{Chat, Format, Layout, Message, Preset, Scene};
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
pub struct PresetFormat {
    pub(super) preset: Preset,
    pub(super) scene: Scene,
    card: Card,
    pub(super) opening: Opening,
    /// The opening of a chat that begins with a system message; none where the story has no system prompt.
    pub(super) opening_with_system: Option<Opening>,
    pub(super) sequences: Sequences,
    /// The user message before a chat that begins with none.
    pub(super) alignment: Option<Vec<Atom>>,
    pub(super) post_history: Option<Vec<Atom>>,
    pub(super) quiet_prompt: Option<Vec<Atom>>,
    pub(super) last_line: Vec<Atom>,
    stops: [Vec<Cow<'static, str>>; 2],
}

/// What is set beside the messages of a chat.
#[derive(Clone, Default)]
pub(super) struct Opening {
    /// The story, the examples and what begins the chat.
    pub(super) story: Vec<Atom>,
    /// What is put into the chat, that of the greatest depth first.
    pub(super) injections: Vec<InChat>,
}

impl Opening {
    fn has_system_prompt(&self) -> bool {
        let injected = self.injections.iter().flat_map(|injection| &injection.text);
        self.story.iter().chain(injected).any(|atom| *atom == Atom::SystemPrompt)
    }
}

/// What stands before and after messages.
#[derive(Clone, Default)]
pub(super) struct Sequences {
    pub(super) input: Sequence,
    pub(super) first_input: Sequence,
    pub(super) last_input: Sequence,
    pub(super) input_suffix: Sequence,
    pub(super) output: Sequence,
    pub(super) first_output: Sequence,
    pub(super) last_output: Sequence,
    pub(super) output_suffix: Sequence,
    pub(super) system: Sequence,
    pub(super) system_suffix: Sequence,
}

/// A message that is put into the chat.
#[derive(Clone)]
pub(super) struct InChat {
    pub(super) depth: usize,
    pub(super) role: InjectionRole,
    pub(super) text: Vec<Atom>,
}

impl Preset {
    /// This preset with a scene, made ready to render chats.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Story`]: the story string is no template (`{{#if description}}` without its end).
    /// [`ErrorKind::MacrosTooLong`]: macros write without end.
    ///
    /// ```
    /// use mistral_chat_template::{ContextPreset, Preset, Scene};
    ///
    /// let context = ContextPreset { story_string: "{{#if system}}".into(), ..ContextPreset::default() };
    /// let error = Preset { context, ..Preset::default() }.with_scene(&Scene::default()).err();
    /// let sentence = error.map(|error| error.to_string());
    /// assert_eq!(sentence.as_deref(), Some("context.story_string: the story string says nothing: line 1: a block is not closed"));
    /// ```
    pub fn with_scene(&self, scene: &Scene) -> Result<PresetFormat, Error> {
        let system = self.system.as_ref().filter(|system| system.enabled);
        let content = system.map(|system| system.content.as_str()).unwrap_or_default();
        let files = self.context.story_string.len() + self.instruct.stop_sequence.len() + content.len();
        let ready = |system| {
            let mut macros = Macros::new(&self.context, &self.instruct, scene, content, files + scene.len());
            let ready = Ready { preset: self, scene, system, macros: &mut macros }.format()?;
            match macros.is_spent() {
                false => Ok(ready),
                true => Err(Error::new(ErrorKind::MacrosTooLong, "")),
            }
        };
        let led = Some(ready(SystemPrompt::OfChat)?.opening).filter(Opening::has_system_prompt);
        Ok(PresetFormat { opening_with_system: led, ..ready(SystemPrompt::OfScene)? })
    }
}

/// Whose system prompt the story has.
#[derive(Clone, Copy, PartialEq)]
enum SystemPrompt {
    /// That of the preset or the card.
    OfScene,
    /// That of a chat which is yet to come.
    OfChat,
}

/// What stands for the system prompt of a chat until it comes. It is known by its trust; the character is never written.
const TO_COME: &str = "\u{FFFC}";

/// Makes a preset ready, in SillyTavern's order.
struct Ready<'r, 's> {
    preset: &'s Preset,
    scene: &'s Scene,
    system: SystemPrompt,
    macros: &'r mut Macros<'s>,
}

impl<'s> Ready<'_, 's> {
    fn format(mut self) -> Result<PresetFormat, Error> {
        let (preset, scene) = (self.preset, self.scene);
        let raw_examples = self.field(&scene.examples);
        let blocks = examples::blocks(&raw_examples);
        let mut card = Card {
            description: self.field(&scene.description),
            personality: self.field(&scene.personality),
            scenario: self.field(&scene.scenario),
            persona: self.field(&scene.persona),
            system_prompt: self.field(&scene.system_prompt),
            post_history: self.field(&scene.post_history),
            ..Card::default()
        };
        let system = self.system_prompt(&card);
        let post_history = self.post_history(&card);
        card.examples = examples::format(&blocks, self.macros);
        card.examples_raw = raw_examples_text(&blocks, preset);
        self.macros.card = Some(Card { examples_raw: raw_examples.clone(), ..card.clone() });

        let story = self
            .story(&card, &system)
            .map_err(|error| Error::new(ErrorKind::Story { what: error.to_string() }, "context.story_string"))?;
        let in_chat = preset.context.story_string_position == StoryPosition::InChat;
        let mut opening = if in_chat { Mixed::default() } else { self.framed(&story) };
        if !scene.settings.strip_examples {
            opening.append(&card.examples);
        }
        if !preset.context.chat_start.is_empty() {
            let start = self.macros.expand_preset(&format!("{}\n", preset.context.chat_start));
            opening.append(&start);
        }
        let injections = self.injections(in_chat.then_some(&story));
        let sequences = self.sequences();
        let alignment = Some(&preset.instruct.user_alignment_message).filter(|message| !message.is_empty());
        let alignment = alignment.filter(|_| preset.instruct.enabled).map(|message| {
            let message = self.macros.expand_preset(message);
            self.atoms(&message)
        });
        let quiet_prompt = self.quiet_prompt();
        let last_line = self.last_line();
        let stops = self.stops();
        Ok(PresetFormat {
            preset: preset.clone(),
            scene: scene.clone(),
            opening: Opening { story: self.atoms(&opening), injections },
            opening_with_system: None,
            post_history: post_history.map(|text| self.atoms(&text)),
            last_line: self.atoms(&last_line),
            card,
            sequences,
            alignment,
            quiet_prompt,
            stops,
        })
    }

    fn atoms(&self, text: &Mixed) -> Vec<Atom> {
        atoms(text, self.scene.settings.vocabulary)
    }

    /// A field of the card.
    fn field(&mut self, text: &str) -> String {
        self.cleaned(text.trim_matches(is_space))
    }

    fn cleaned(&mut self, text: &str) -> String {
        let mut text = self.macros.expand_text(text);
        if self.scene.settings.collapse_newlines {
            text = collapsed(&text);
        }
        if text.contains('\r') { text.replace('\r', "") } else { text }
    }

    fn system_prompt(&mut self, card: &Card) -> Mixed {
        if self.system == SystemPrompt::OfChat {
            return Mixed::new(TO_COME, Trust::SystemPrompt);
        }
        let Some(system) = self.preset.system.as_ref().filter(|system| system.enabled) else { return Mixed::default() };
        let prompt = match self.scene.settings.prefer_card_prompt && !card.system_prompt.is_empty() {
            true => self.macros.expand_with_original(&card.system_prompt, &system.content),
            false => self.cleaned(&system.content),
        };
        Mixed::of_nobody(&self.macros.expand_with_original(&prompt, &system.content))
    }

    fn post_history(&mut self, card: &Card) -> Option<Mixed> {
        let system = self.preset.system.as_ref().filter(|system| system.enabled)?;
        let text = match self.scene.settings.prefer_card_post_history && !card.post_history.is_empty() {
            true => self.macros.expand_with_original(&card.post_history, &system.post_history),
            false => self.cleaned(&system.post_history),
        };
        Some(Mixed::of_nobody(&text)).filter(|text| !text.is_empty())
    }

    fn story(&mut self, card: &Card, system: &Mixed) -> Result<Mixed, StoryError> {
        let story = Story::parse(&self.preset.context.story_string)?;
        let before = Mixed::of_nobody(&self.macros.expand_text(&self.scene.world_before));
        let after = Mixed::of_nobody(&self.macros.expand_text(&self.scene.world_after));
        let parameters = Parameters::new([
            ("description", Mixed::of_nobody(&card.description)),
            ("personality", Mixed::of_nobody(&card.personality)),
            ("persona", Mixed::of_nobody(&card.persona)),
            ("scenario", Mixed::of_nobody(&card.scenario)),
            ("system", system.clone()),
            ("char", Mixed::of_nobody(&self.scene.char)),
            ("user", Mixed::of_nobody(&self.scene.user)),
            ("wiBefore", before.clone()),
            ("wiAfter", after.clone()),
            ("loreBefore", before),
            ("loreAfter", after),
            ("anchorBefore", self.injected(|place| place == InjectionPlace::BeforeStory).trimmed()),
            ("anchorAfter", self.injected(|place| place == InjectionPlace::AfterStory).trimmed()),
            ("mesExamples", card.examples.clone()),
            ("mesExamplesRaw", Mixed::of_nobody(&card.examples_raw)),
        ]);
        let filled = story.fill(&parameters, self.macros)?;
        let story = self.macros.expand(&filled);
        let start = story.len() - story.as_str().trim_start_matches('\n').len();
        let mut story = story.part(start..story.len());
        let instruct = &self.preset.instruct;
        let needs_newline = !instruct.enabled || (instruct.wrap && instruct.story_string_suffix.is_empty());
        let in_chat = self.preset.context.story_string_position == StoryPosition::InChat;
        if needs_newline && !in_chat && !story.is_empty() && !story.as_str().ends_with('\n') {
            story.push("\n", Trust::Preset);
        }
        Ok(story)
    }

    /// The story with what the instruct preset sets around it.
    fn framed(&mut self, story: &Mixed) -> Mixed {
        let instruct = &self.preset.instruct;
        if !instruct.enabled || story.is_empty() {
            return story.clone();
        }
        let mut framed = Mixed::default();
        if !instruct.story_string_prefix.is_empty() {
            framed = with_name(&self.macros.expand_preset(&instruct.story_string_prefix), "System");
            framed.push(if instruct.wrap { "\n" } else { "" }, Trust::Preset);
        }
        framed.append(story);
        framed.append(&self.macros.expand_preset(&instruct.story_string_suffix));
        framed
    }

    /// All injected text of some places, one a line.
    fn injected(&mut self, is_there: impl Fn(InjectionPlace) -> bool) -> Mixed {
        let all =
            self.scene.injections.iter().filter(|injection| is_there(injection.place) && !injection.text.is_empty());
        let joined = all.map(|injection| injection.text.trim_matches(is_space)).collect::<Vec<_>>().join("\n");
        Mixed::of_nobody(&self.macros.expand_text(&joined))
    }

    /// What is put into the chat, and the story where it is.
    fn injections(&mut self, story: Option<&Mixed>) -> Vec<InChat> {
        let context = &self.preset.context;
        let story = story.map(|story| story.trimmed()).filter(|story| !story.is_empty());
        let mut places: Vec<(u32, InjectionRole)> = Vec::new();
        if story.is_some() {
            places.push((context.story_string_depth, context.story_string_role));
        }
        places.extend(self.scene.injections.iter().filter_map(|injection| match injection.place {
            InjectionPlace::InChat { depth, role } => Some((depth, role)),
            _ => None,
        }));
        // In the text, the deepest are first, and of one depth the character's, the user's and the narrator's.
        places.sort_by_key(|(depth, role)| (std::cmp::Reverse(*depth), std::cmp::Reverse(*role)));
        places.dedup();
        let mut injections = Vec::new();
        for (depth, role) in places {
            let mut text = Mixed::default();
            if let Some(story) =
                story.as_ref().filter(|_| (context.story_string_depth, context.story_string_role) == (depth, role))
            {
                text.append(&self.macros.expand(story));
            }
            let others = self.injected(|place| place == InjectionPlace::InChat { depth, role });
            if !text.is_empty() && !others.is_empty() {
                text.push("\n", Trust::Nobody);
            }
            text.append(&others);
            let start = text.len() - text.as_str().trim_start_matches(is_space).len();
            let text = self.atoms(&text.part(start..text.len()));
            if !text.is_empty() {
                injections.push(InChat { depth: usize::try_from(depth).unwrap_or(usize::MAX), role, text });
            }
        }
        injections
    }

    fn sequences(&mut self) -> Sequences {
        let instruct = &self.preset.instruct;
        if !instruct.enabled {
            return Sequences::default();
        }
        let or = |text: &'s str, base: &'s str| if text.is_empty() { base } else { text };
        let (input, output) = (instruct.input_sequence.as_str(), instruct.output_sequence.as_str());
        Sequences {
            input: self.sequence(input),
            first_input: self.sequence(or(&instruct.first_input_sequence, input)),
            last_input: self.sequence(or(&instruct.last_input_sequence, input)),
            input_suffix: self.sequence(&instruct.input_suffix),
            output: self.sequence(output),
            first_output: self.sequence(or(&instruct.first_output_sequence, output)),
            last_output: self.sequence(or(&instruct.last_output_sequence, output)),
            output_suffix: self.sequence(&instruct.output_suffix),
            system: self.sequence(if instruct.system_same_as_user { input } else { &instruct.system_sequence }),
            system_suffix: self.sequence(match instruct.system_same_as_user {
                true => &instruct.input_suffix,
                false => &instruct.system_suffix,
            }),
        }
    }

    fn sequence(&mut self, text: &str) -> Sequence {
        let vocabulary = self.scene.settings.vocabulary;
        match self.preset.instruct.macros {
            true => Sequence::named(&self.macros.expand_preset(text), vocabulary),
            false => Sequence::plain(&Mixed::of_preset(text), vocabulary),
        }
    }

    fn quiet_prompt(&mut self) -> Option<Vec<Atom>> {
        let Generation::Quiet { prompt, .. } = &self.scene.settings.generation else { return None };
        let prompt = Mixed::of_nobody(&self.macros.expand_text(prompt));
        Some(self.atoms(&prompt)).filter(|prompt| !prompt.is_empty())
    }

    /// What ends the prompt: the sequence of who is to speak, a name, what the answer begins with.
    fn last_line(&mut self) -> Mixed {
        let (instruct, scene) = (&self.preset.instruct, self.scene);
        let generation = &scene.settings.generation;
        if !instruct.enabled {
            return Mixed::default();
        }
        let quiet = match generation {
            Generation::Quiet { prompt, voice } if !prompt.is_empty() => Some(*voice),
            _ => None,
        };
        let name = match (generation, quiet) {
            (Generation::Impersonate, _) => &scene.user,
            (_, Some(QuietVoice::System)) => "System",
            _ => scene.char.as_str(),
        };
        let names = match instruct.names_behavior {
            NamesBehavior::None => false,
            NamesBehavior::Force => !scene.group.is_empty(),
            NamesBehavior::Always => true,
        };
        let names = names && !name.is_empty() && quiet != Some(QuietVoice::System);
        let sequence = last_sequence(instruct, generation, quiet);
        let filler = name_filler(instruct, sequence).filter(|_| names);
        let mut line = Mixed::of_preset(sequence);
        if instruct.macros {
            line = with_name(&self.macros.expand_preset(sequence), if name.is_empty() { "System" } else { name });
        }
        let newline = if instruct.wrap { "\n" } else { "" };
        let mut text = Mixed::of_preset(if quiet.is_some() { "" } else { newline });
        text.append(&line);
        if names {
            text.push(newline, Trust::Preset);
            text.push(filler.map(String::from).as_deref().unwrap_or_default(), Trust::Preset);
            text.push(&format!("{name}:"), Trust::Nobody);
        }
        let bias = self.macros.expand_text(&scene.settings.bias);
        if *generation != Generation::Impersonate && !bias.is_empty() {
            if !names {
                text.push(newline, Trust::Preset);
            }
            text.push(if names { &bias } else { bias.trim_start_matches(is_space) }, Trust::Nobody);
        }
        let mut text = if instruct.wrap { text.trimmed_end() } else { text };
        if !names {
            text.push(newline, Trust::Preset);
        }
        text
    }

    /// The stop strings of any chat, and those of a user's message that is continued.
    fn stops(&mut self) -> [Vec<Cow<'static, str>>; 2] {
        let stops = Stops::new(self.macros);
        let (scene, generation) = (self.scene, &self.scene.settings.generation);
        [false, true].map(|continues_user| {
            let list = stops.list(&scene.user, &scene.char, generation, continues_user);
            list.into_iter().map(Cow::Owned).collect()
        })
    }
}

/// The examples of `{{mesExamplesRaw}}`: block after block, before any sequence is set around them.
fn raw_examples_text(blocks: &[&str], preset: &Preset) -> String {
    let separator = &preset.context.example_separator;
    let heading = match (preset.instruct.enabled, separator.is_empty()) {
        (true, _) => "<START>\n".to_owned(),
        (false, true) => String::new(),
        (false, false) => format!("{separator}\n"),
    };
    blocks.iter().map(|block| format!("{heading}{block}\n")).collect()
}

fn last_sequence<'p>(instruct: &'p InstructPreset, generation: &Generation, quiet: Option<QuietVoice>) -> &'p str {
    let (last, base) = match (generation, quiet) {
        (Generation::Impersonate, _) => (&instruct.last_input_sequence, &instruct.input_sequence),
        (_, Some(QuietVoice::System)) => (&instruct.last_system_sequence, &instruct.output_sequence),
        _ => (&instruct.last_output_sequence, &instruct.output_sequence),
    };
    if last.is_empty() { base } else { last }
}

/// What stands before a name that the last sequence does not set apart as the others do.
fn name_filler(instruct: &InstructPreset, sequence: &str) -> Option<char> {
    let last = instruct.last_output_sequence.as_str();
    let end = instruct.output_sequence.chars().next_back().filter(|end| is_space(*end))?;
    (!last.is_empty() && sequence == last && !last.ends_with(is_space)).then_some(end)
}

fn collapsed(text: &str) -> String {
    let mut collapsed = String::with_capacity(text.len());
    for character in text.chars() {
        if character != '\n' || !collapsed.ends_with('\n') {
            collapsed.push(character);
        }
    }
    collapsed
}

impl PresetFormat {
    /// Renders a chat whose messages have names into a prompt that is begun anew, using the memory that it has.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::MacrosTooLong`]: macros in the first message write without end.
    ///
    /// ```
    /// use mistral_chat_template::{BuiltinPreset, Prompt, Scene, SceneMessage, Speaker};
    ///
    /// let scene = Scene { user: "Rex".into(), char: "Mia".into(), ..Scene::default() };
    /// let format = BuiltinPreset::MistralV7Tekken.preset().with_scene(&scene)?;
    /// let mut prompt = Prompt::new();
    /// let other = SceneMessage { own_persona: true, ..SceneMessage::new(Speaker::User, "Max", "And me?") };
    /// format.render_messages(&[SceneMessage::new(Speaker::User, "Rex", "Hi"), other], &mut prompt)?;
    /// assert_eq!(prompt.as_str(), "[INST]Hi[/INST][INST]Max: And me?[/INST]");
    /// # Ok::<(), mistral_chat_template::Error>(())
    /// ```
    pub fn render_messages(&self, messages: &[SceneMessage<'_>], prompt: &mut Prompt) -> Result<(), Error> {
        prompt.clear();
        let lines =
            messages.iter().map(|message| (message.speaker, &*message.name, &*message.text, message.own_persona));
        let mut turns = Turns::new(self, None, messages.len(), &self.scene.settings.generation);
        for (index, (speaker, name, text, own_persona)) in lines.enumerate() {
            turns.message(index, speaker, name, Cow::Borrowed(text), own_persona)?;
        }
        turns.write(prompt);
        Ok(())
    }

    /// Replaces the macros of the message that a chat begins with.
    pub(super) fn first_message<'t>(&self, index: usize, text: Cow<'t, str>) -> Result<Cow<'t, str>, Error> {
        if !text.bytes().fold(false, |found, byte| found | matches!(byte, b'{' | b'<' | b'\\')) {
            return Ok(text);
        }
        let Preset { context, instruct, system, .. } = &self.preset;
        let system = system.as_ref().filter(|system| system.enabled).map(|system| system.content.as_str());
        let input = text.len() + self.scene.len();
        let mut macros = Macros::new(context, instruct, &self.scene, system.unwrap_or_default(), input);
        macros.card = Some(self.card.clone());
        let expanded = macros.expand_text(&text);
        match macros.is_spent() {
            false => Ok(Cow::Owned(expanded)),
            true => Err(Error::new(ErrorKind::MacrosTooLong, format!("messages[{index}].content"))),
        }
    }

    /// The system prompt that a chat begins with, if the story has a place for it.
    fn system_of<'c>(&self, chat: &'c Chat<'_>) -> Result<Option<Cow<'c, str>>, Error> {
        match chat.messages.first() {
            Some(Message::System(content)) if self.opening_with_system.is_some() => said(0, content).map(Some),
            _ => Ok(None),
        }
    }

    pub(super) fn stop_strings(&self, continues_user: bool) -> &[Cow<'static, str>] {
        let [any, continued] = &self.stops;
        if continues_user { continued } else { any }
    }
}

impl Format for PresetFormat {
    fn render_into(&self, chat: &Chat<'_>, prompt: &mut Prompt) -> Result<(), Error> {
        prompt.clear();
        if !chat.tools.is_empty() {
            return Err(Error::new(ErrorKind::PresetLacks { what: "tools" }, "tools"));
        }
        let continued = Generation::Continue;
        let generation = match chat.messages.last() {
            Some(Message::Assistant(AssistantMessage { prefix: true, .. })) => &continued,
            _ => &self.scene.settings.generation,
        };
        let system = self.system_of(chat)?;
        let taken = usize::from(system.is_some());
        let mut turns = Turns::new(self, system, chat.messages.len(), generation);
        for (index, message) in chat.messages.iter().enumerate().skip(taken) {
            let (speaker, name) = match message {
                Message::User(_) => (Speaker::User, self.scene.user.as_str()),
                Message::Assistant(_) => (Speaker::Character, self.scene.char.as_str()),
                Message::System(_) => (Speaker::Narrator, "System"),
                Message::Tool(_) => return Err(lacks(index, "tool results", "role")),
            };
            if matches!(message, Message::Assistant(message) if !message.tool_calls.is_empty()) {
                return Err(lacks(index, "tool calls", "tool_calls"));
            }
            turns.message(index, speaker, name, said(index, message.content())?, false)?;
        }
        turns.write(prompt);
        Ok(())
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
    match chunks.iter().position(|chunk| !matches!(chunk, Chunk::Text(_))) {
        None => Ok(content.joined("\n\n")),
        Some(at) => Err(lacks(index, "anything but text", &format!("content[{at}]"))),
    }
}
