//! [`PresetFormat`]: a preset and a scene made ready, so that rendering a chat only writes.

use std::borrow::Cow;
use std::iter::zip;

use super::Preset;
use super::examples;
use super::fields::{InjectionRole, InstructPreset, NamesBehavior, StoryPosition, SystemPreset};
use super::frame::{Frame, Frames, frame_texts};
use super::history::{History, Position, Spoken};
use super::macros::{Card, ChatFacts, Macros, Memory};
use super::mixed::{Mixed, Trust, is_space};
use super::scene::{Generation, InjectionPlace, QuietVoice, Scene, SceneMessage, Speaker};
use super::sequence::{Compiled, Place, Sequence, with_name};
use super::stops::Stops;
use super::story::{Parameters, Story, StoryError};
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
pub struct PresetFormat {
    pub(super) preset: Preset,
    pub(super) scene: Scene,
    card: Card,
    pub(super) opening: Opening,
    /// The opening of a chat that begins with a system message; none where the story has no system prompt.
    pub(super) opening_with_system: Option<Opening>,
    pub(super) frames: Frames,
    /// The user message before a chat that begins with none.
    pub(super) alignment: Option<Compiled>,
    pub(super) post_history: Option<Compiled>,
    pub(super) quiet_prompt: Option<Compiled>,
    pub(super) last_line: Compiled,
    /// What the answer begins with where instruct mode is off.
    pub(super) reply_start: Compiled,
    stops: [Vec<Cow<'static, str>>; 2],
    /// What macros remember when the first sequence is written, if a sequence can say something else each time.
    changing: Option<Memory>,
    /// Do macros ask for the chat? Then all is made ready again for each chat.
    asks_for_chat: bool,
    /// What macros asked about the chat.
    chat: Option<ChatFacts>,
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
    fn has_system_prompt(&self) -> bool {
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
    /// [`ErrorKind::Story`]: the story string is no template (`{{#if description}}` without its end).
    /// [`ErrorKind::MacrosTooLong`]: macros write without end.
    ///
    /// ```
    /// use mistral_chat_template::Preset;
    /// use mistral_chat_template::preset::{ContextPreset, Scene};
    ///
    /// let context = ContextPreset { story_string: "{{#if system}}".into(), ..ContextPreset::default() };
    /// let error = Preset { context, ..Preset::default() }.with_scene(&Scene::default()).err();
    /// let sentence = error.map(|error| error.to_string());
    /// assert_eq!(sentence.as_deref(), Some("context.story_string: the story string says nothing: line 1: a block is not closed, in \"{{#if system}}\""));
    /// ```
    pub fn with_scene(&self, scene: &Scene) -> Result<PresetFormat, Error> {
        self.made_ready(scene, None)
    }

    fn made_ready(&self, scene: &Scene, chat: Option<&ChatFacts>) -> Result<PresetFormat, Error> {
        let led = Some(self.ready(scene, chat, SystemPrompt::OfChat)?.opening).filter(Opening::has_system_prompt);
        Ok(PresetFormat { opening_with_system: led, ..self.ready(scene, chat, SystemPrompt::OfScene)? })
    }

    /// The preset with a scene, for chats that bring no system prompt with them.
    pub(super) fn ready_without_system_of_chat(&self, scene: &Scene) -> Result<PresetFormat, Error> {
        self.ready(scene, None, SystemPrompt::OfScene)
    }

    fn ready(&self, scene: &Scene, chat: Option<&ChatFacts>, whose: SystemPrompt) -> Result<PresetFormat, Error> {
        let system = self.system.as_ref().filter(|system| system.enabled);
        let content = system.map(|system| system.content.as_str()).unwrap_or_default();
        let files = self.context.story_string.len() + self.instruct.stop_sequence.len() + content.len();
        let mut macros = Macros::new(&self.context, &self.instruct, scene, content, files + scene.len());
        macros.chat = chat;
        let ready = Ready { preset: self, scene, system: whose, macros: &mut macros }.format()?;
        match macros.is_spent() {
            false => Ok(ready),
            true => Err(Error::new(ErrorKind::MacrosTooLong, "")),
        }
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
        let preferred = |is_preferred: bool, text: &'s str| if is_preferred { text } else { "" };
        let mut card = Card {
            description: self.field(&scene.description),
            personality: self.field(&scene.personality),
            scenario: self.field(&scene.scenario),
            persona: self.field(&scene.persona),
            system_prompt: self.field(preferred(scene.settings.prefer_card_prompt, &scene.system_prompt)),
            post_history: self.field(preferred(scene.settings.prefer_card_post_history, &scene.post_history)),
            greeting: self.field(&scene.greeting),
            examples_raw: raw_examples.clone(),
            examples: Mixed::default(),
        };
        // What the preset's prompts say themselves is without the card, as the card's fields are.
        let own_system = self.own_text(|system| &system.content);
        let own_post_history = self.own_text(|system| &system.post_history);
        self.macros.card = Some(card.clone());
        card.examples = examples::format(&blocks, self.macros);
        self.macros.card = Some(card.clone());
        let system = self.system_prompt(&card, own_system);
        let post_history = self.post_history(&card, own_post_history);

        let story = self
            .story(&card, &system, raw_examples_text(&blocks, preset))
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
        let memory = self.macros.memory();
        self.macros.is_volatile = false;
        let frames = self.frames();
        let alignment = Some(&preset.instruct.user_alignment_message).filter(|message| !message.is_empty());
        let alignment = alignment.filter(|_| preset.instruct.enabled).map(|message| {
            let message = self.macros.expand_preset(message);
            self.compiled(&message)
        });
        let quiet_prompt = self.quiet_prompt();
        let last_line = self.last_line();
        let reply_start = self.reply_start();
        let stops = self.stops();
        Ok(PresetFormat {
            changing: Some(memory).filter(|_| self.macros.is_volatile && preset.instruct.enabled),
            asks_for_chat: self.macros.asks_for_chat,
            chat: None,
            reply_start: self.compiled(&reply_start),
            preset: preset.clone(),
            scene: scene.clone(),
            opening: Opening { story: self.compiled(&opening), injections },
            opening_with_system: None,
            post_history: post_history.map(|text| self.compiled(&text)),
            last_line: self.compiled(&last_line),
            card,
            frames,
            alignment,
            quiet_prompt,
            stops,
        })
    }

    fn compiled(&self, text: &Mixed) -> Compiled {
        Compiled::new(text, self.scene.settings.vocabulary)
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

    /// A text of the system prompt preset, if that is on.
    fn own_text(&mut self, text: impl Fn(&SystemPreset) -> &str) -> Option<String> {
        let system = self.preset.system.as_ref().filter(|system| system.enabled)?;
        Some(self.cleaned(text(system)))
    }

    fn system_prompt(&mut self, card: &Card, own: Option<String>) -> Mixed {
        if self.system == SystemPrompt::OfChat {
            return Mixed::new(TO_COME, Trust::SystemPrompt);
        }
        let (Some(own), Some(system)) = (own, &self.preset.system) else { return Mixed::default() };
        let prompt = match card.system_prompt.is_empty() {
            false => self.macros.expand_with_original(&card.system_prompt, &system.content),
            true => own,
        };
        Mixed::of_nobody(&match self.preset.instruct.enabled {
            true => self.macros.expand_with_original(&prompt, &system.content),
            false => prompt,
        })
    }

    fn post_history(&mut self, card: &Card, own: Option<String>) -> Option<Mixed> {
        let (own, system) = (own?, self.preset.system.as_ref()?);
        let text = match card.post_history.is_empty() {
            false => self.macros.expand_with_original(&card.post_history, &system.post_history),
            true => own,
        };
        Some(Mixed::of_nobody(&text)).filter(|text| !text.is_empty())
    }

    fn story(&mut self, card: &Card, system: &Mixed, raw_examples: String) -> Result<Mixed, StoryError> {
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
            ("mesExamplesRaw", Mixed::of_nobody(&raw_examples)),
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
        let story_depth = context.story_string_depth.filter(|_| story.is_some());
        places.extend(story_depth.map(|depth| (depth, context.story_string_role)));
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
                story.as_ref().filter(|_| (story_depth, context.story_string_role) == (Some(depth), role))
            {
                text.append(&self.macros.expand(story));
            }
            let others = self.injected(|place| place == InjectionPlace::InChat { depth, role });
            if !text.is_empty() && !others.is_empty() {
                text.push("\n", Trust::Nobody);
            }
            text.append(&others);
            let start = text.len() - text.as_str().trim_start_matches(is_space).len();
            let text = self.compiled(&text.part(start..text.len()));
            if !text.is_empty() {
                injections.push(InChat { depth: usize::try_from(depth).unwrap_or(usize::MAX), role, text });
            }
        }
        injections
    }

    fn frames(&mut self) -> Frames {
        let instruct = &self.preset.instruct;
        if !instruct.enabled {
            return Frames::default();
        }
        // Macros can count, so the order is SillyTavern's.
        let (user, character, narrator) = (Speaker::User, Speaker::Character, Speaker::Narrator);
        let mut before = |speaker, position| self.sequence(frame_texts(instruct, speaker, position).0);
        let inputs = Position::ALL.map(|position| before(user, position));
        let outputs = Position::ALL.map(|position| before(character, position));
        let system = before(narrator, Position::Middle);
        let mut after = |speaker| self.sequence(frame_texts(instruct, speaker, Position::Middle).1);
        let (input_suffix, output_suffix, system_suffix) = (after(user), after(character), after(narrator));
        Frames {
            user: inputs.map(|input| Frame::new(input, input_suffix.clone(), user, instruct.wrap)),
            character: outputs.map(|output| Frame::new(output, output_suffix.clone(), character, instruct.wrap)),
            narrator: Frame::new(system, system_suffix, narrator, instruct.wrap),
        }
    }

    /// What stands around one message, its macros replaced anew.
    fn frame(&mut self, speaker: Speaker, position: Position) -> Frame {
        let (before, after) = frame_texts(&self.preset.instruct, speaker, position);
        Frame::new(self.sequence(before), self.sequence(after), speaker, self.preset.instruct.wrap)
    }

    fn sequence(&mut self, text: &str) -> Sequence {
        let vocabulary = self.scene.settings.vocabulary;
        match self.preset.instruct.macros {
            true => Sequence::named(&self.macros.expand_preset(text), vocabulary),
            false => Sequence::plain(&Mixed::of_preset(text), vocabulary),
        }
    }

    fn quiet_prompt(&mut self) -> Option<Compiled> {
        let Generation::Quiet { prompt, .. } = &self.scene.settings.generation else { return None };
        let prompt = Mixed::of_nobody(&self.macros.expand_text(prompt));
        Some(self.compiled(&prompt)).filter(|prompt| !prompt.is_empty())
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

    /// What the answer begins with, for a prompt without sequences.
    fn reply_start(&mut self) -> Mixed {
        let settings = &self.scene.settings;
        if self.preset.instruct.enabled
            || matches!(settings.generation, Generation::Impersonate | Generation::Continue | Generation::Nothing)
        {
            return Mixed::default();
        }
        let bias = self.macros.expand_text(&settings.bias);
        Mixed::of_nobody(if bias.trim_matches(is_space).is_empty() { "" } else { bias.trim_start_matches(is_space) })
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

/// Sequences of one chat, whose macros say something else each time. SillyTavern writes each message in every form that
/// it could need and takes the last one; it writes the end of the prompt three times, and the stop strings twice.
pub(super) struct Changed {
    /// What stands around each message.
    pub(super) frames: Vec<Frame>,
    pub(super) alignment: Compiled,
    pub(super) alignment_frame: Frame,
    pub(super) quiet_frame: Option<Frame>,
    pub(super) last_line: Compiled,
    pub(super) stops: [Vec<Cow<'static, str>>; 2],
}

impl PresetFormat {
    pub(super) fn has_changing_sequences(&self) -> bool {
        self.changing.is_some()
    }

    /// The sequences of a chat, message by message: who speaks, and in which positions it is written.
    pub(super) fn changed(&self, messages: impl Iterator<Item = (Speaker, [Option<Position>; 4])>) -> Option<Changed> {
        let memory = self.changing.as_ref()?;
        let Preset { context, instruct, system, .. } = &self.preset;
        let system = system.as_ref().filter(|system| system.enabled).map(|system| system.content.as_str());
        let mut macros = Macros::new(context, instruct, &self.scene, system.unwrap_or_default(), self.scene.len());
        macros.remember(memory);
        macros.card = Some(self.card.clone());
        macros.chat = self.chat.as_ref();
        let mut ready =
            Ready { preset: &self.preset, scene: &self.scene, system: SystemPrompt::OfScene, macros: &mut macros };
        let mut frames = Vec::new();
        for (speaker, positions) in messages {
            let written = positions.into_iter().flatten().map(|position| ready.frame(speaker, position));
            frames.extend(written.last());
        }
        let alignment = match instruct.user_alignment_message.as_str() {
            "" => Mixed::default(),
            message => ready.macros.expand_preset(message),
        };
        let alignment_frame = match alignment.is_empty() {
            true => Frame::default(),
            false => ready.frame(Speaker::User, Position::First),
        };
        let [_, _, (quiet_frame, last_line)] = [(); 3].map(|()| {
            (self.quiet_prompt.as_ref().map(|_| ready.frame(Speaker::Narrator, Position::Middle)), ready.last_line())
        });
        let [_, stops] = [(); 2].map(|()| ready.stops());
        let (alignment, last_line) = (ready.compiled(&alignment), ready.compiled(&last_line));
        Some(Changed { frames, alignment, alignment_frame, quiet_frame, last_line, stops })
    }

    /// The same, made ready with what macros ask about a chat; `None` where they ask nothing.
    fn for_chat(&self, messages: &[SceneMessage<'_>]) -> Result<Option<PresetFormat>, Error> {
        if !self.asks_for_chat {
            return Ok(None);
        }
        let mut messages = messages.to_vec();
        if let Some(first) = messages.first_mut()
            && let Some(text) = self.first_message(0, &first.text)?
        {
            first.text = Cow::Owned(text);
        }
        let facts = ChatFacts::new(&messages);
        let ready = self.preset.made_ready(&self.scene, Some(&facts))?;
        Ok(Some(PresetFormat { chat: Some(facts), ..ready }))
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
    /// use mistral_chat_template::Prompt;
    /// use mistral_chat_template::preset::{BuiltinPreset, Scene, SceneMessage, Speaker};
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

impl Format for PresetFormat {
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
    match chunks.iter().position(|chunk| !matches!(chunk, Chunk::Text(_))) {
        None => Ok(content.joined("\n\n")),
        Some(at) => Err(lacks(index, "anything but text", &format!("content[{at}]"))),
    }
}
