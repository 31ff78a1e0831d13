//! A preset and a scene made ready: macros replaced, the story filled in, examples and sequences laid out.

use std::borrow::Cow;

use super::Preset;
use super::compiled::{Compiled, Sequence, with_name};
use super::example_dialogue;
use super::fields::{InjectionRole, Instruct, NamesBehavior, StoryPosition, SystemPrompt};
use super::frame::{Frame, Frames, frame_texts};
use super::history::Position;
use super::macros::{Card, ChatFacts, Macros};
use super::scene::{Generation, InjectionPlace, QuietVoice, Scene, SceneMessage, Speaker};
use super::scene_format::{InChat, Opening, SceneFormat};
use super::stop_strings::StopStrings;
use super::story::{Parameters, Story, StoryError};
use super::tracked_text::{TrackedText, Trust, is_space};
use crate::error::{Error, ErrorKind};

impl Preset {
    pub(super) fn made_ready(&self, scene: &Scene, chat: Option<&ChatFacts>) -> Result<SceneFormat, Error> {
        let led = Some(self.ready(scene, chat, PromptSource::OfChat)?.opening).filter(Opening::has_system_prompt);
        Ok(SceneFormat { opening_with_system: led, ..self.ready(scene, chat, PromptSource::OfScene)? })
    }

    /// The preset with a scene, for chats that bring no system prompt with them.
    pub(super) fn ready_without_system_of_chat(&self, scene: &Scene) -> Result<SceneFormat, Error> {
        self.ready(scene, None, PromptSource::OfScene)
    }

    fn ready(&self, scene: &Scene, chat: Option<&ChatFacts>, whose: PromptSource) -> Result<SceneFormat, Error> {
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
enum PromptSource {
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
    system: PromptSource,
    macros: &'r mut Macros<'s>,
}

impl<'s> Ready<'_, 's> {
    fn format(mut self) -> Result<SceneFormat, Error> {
        let (preset, scene) = (self.preset, self.scene);
        let raw_examples = self.field(&scene.examples);
        let blocks = example_dialogue::blocks(&raw_examples);
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
            examples: TrackedText::default(),
        };
        // What the preset's prompts say themselves is without the card, as the card's fields are.
        let own_system = self.own_text(|system| &system.content);
        let own_post_history = self.own_text(|system| &system.post_history);
        self.macros.card = Some(card.clone());
        card.examples = example_dialogue::format(&blocks, self.macros);
        self.macros.card = Some(card.clone());
        let system = self.system_prompt(&card, own_system);
        let post_history = self.post_history(&card, own_post_history);

        let story = self
            .story(&card, &system, raw_examples_text(&blocks, preset))
            .map_err(|error| Error::new(ErrorKind::Story { what: error.to_string() }, "context.story_string"))?;
        let in_chat = preset.context.story_string_position == StoryPosition::InChat;
        let mut opening = if in_chat { TrackedText::default() } else { self.framed(&story) };
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
        Ok(SceneFormat {
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

    fn compiled(&self, text: &TrackedText) -> Compiled {
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
    fn own_text(&mut self, text: impl Fn(&SystemPrompt) -> &str) -> Option<String> {
        let system = self.preset.system.as_ref().filter(|system| system.enabled)?;
        Some(self.cleaned(text(system)))
    }

    fn system_prompt(&mut self, card: &Card, own: Option<String>) -> TrackedText {
        if self.system == PromptSource::OfChat {
            return TrackedText::new(TO_COME, Trust::SystemPrompt);
        }
        let (Some(own), Some(system)) = (own, &self.preset.system) else { return TrackedText::default() };
        let prompt = match card.system_prompt.is_empty() {
            false => self.macros.expand_with_original(&card.system_prompt, &system.content),
            true => own,
        };
        TrackedText::of_nobody(&match self.preset.instruct.enabled {
            true => self.macros.expand_with_original(&prompt, &system.content),
            false => prompt,
        })
    }

    fn post_history(&mut self, card: &Card, own: Option<String>) -> Option<TrackedText> {
        let (own, system) = (own?, self.preset.system.as_ref()?);
        let text = match card.post_history.is_empty() {
            false => self.macros.expand_with_original(&card.post_history, &system.post_history),
            true => own,
        };
        Some(TrackedText::of_nobody(&text)).filter(|text| !text.is_empty())
    }

    fn story(&mut self, card: &Card, system: &TrackedText, raw_examples: String) -> Result<TrackedText, StoryError> {
        let story = Story::parse(&self.preset.context.story_string)?;
        let before = TrackedText::of_nobody(&self.macros.expand_text(&self.scene.world_before));
        let after = TrackedText::of_nobody(&self.macros.expand_text(&self.scene.world_after));
        let parameters = Parameters::new([
            ("description", TrackedText::of_nobody(&card.description)),
            ("personality", TrackedText::of_nobody(&card.personality)),
            ("persona", TrackedText::of_nobody(&card.persona)),
            ("scenario", TrackedText::of_nobody(&card.scenario)),
            ("system", system.clone()),
            ("char", TrackedText::of_nobody(&self.scene.char)),
            ("user", TrackedText::of_nobody(&self.scene.user)),
            ("wiBefore", before.clone()),
            ("wiAfter", after.clone()),
            ("loreBefore", before),
            ("loreAfter", after),
            ("anchorBefore", self.injected(|place| place == InjectionPlace::BeforeStory).trimmed()),
            ("anchorAfter", self.injected(|place| place == InjectionPlace::AfterStory).trimmed()),
            ("mesExamples", card.examples.clone()),
            ("mesExamplesRaw", TrackedText::of_nobody(&raw_examples)),
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
    fn framed(&mut self, story: &TrackedText) -> TrackedText {
        let instruct = &self.preset.instruct;
        if !instruct.enabled || story.is_empty() {
            return story.clone();
        }
        let mut framed = TrackedText::default();
        if !instruct.story_string_prefix.is_empty() {
            framed = with_name(&self.macros.expand_preset(&instruct.story_string_prefix), "System");
            framed.push(if instruct.wrap { "\n" } else { "" }, Trust::Preset);
        }
        framed.append(story);
        framed.append(&self.macros.expand_preset(&instruct.story_string_suffix));
        framed
    }

    /// All injected text of some places, one a line.
    fn injected(&mut self, is_there: impl Fn(InjectionPlace) -> bool) -> TrackedText {
        let all =
            self.scene.injections.iter().filter(|injection| is_there(injection.place) && !injection.text.is_empty());
        let joined = all.map(|injection| injection.text.trim_matches(is_space)).collect::<Vec<_>>().join("\n");
        TrackedText::of_nobody(&self.macros.expand_text(&joined))
    }

    /// What is put into the chat, and the story where it is.
    fn injections(&mut self, story: Option<&TrackedText>) -> Vec<InChat> {
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
            let mut text = TrackedText::default();
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
            false => Sequence::plain(&TrackedText::of_preset(text), vocabulary),
        }
    }

    fn quiet_prompt(&mut self) -> Option<Compiled> {
        let Generation::Quiet { prompt, .. } = &self.scene.settings.generation else { return None };
        let prompt = TrackedText::of_nobody(&self.macros.expand_text(prompt));
        Some(self.compiled(&prompt)).filter(|prompt| !prompt.is_empty())
    }

    /// What ends the prompt: the sequence of who is to speak, a name, what the answer begins with.
    fn last_line(&mut self) -> TrackedText {
        let (instruct, scene) = (&self.preset.instruct, self.scene);
        let generation = &scene.settings.generation;
        if !instruct.enabled {
            return TrackedText::default();
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
        let mut line = TrackedText::of_preset(sequence);
        if instruct.macros {
            line = with_name(&self.macros.expand_preset(sequence), if name.is_empty() { "System" } else { name });
        }
        let newline = if instruct.wrap { "\n" } else { "" };
        let mut text = TrackedText::of_preset(if quiet.is_some() { "" } else { newline });
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
    fn reply_start(&mut self) -> TrackedText {
        let settings = &self.scene.settings;
        if self.preset.instruct.enabled
            || matches!(settings.generation, Generation::Impersonate | Generation::Continue | Generation::Nothing)
        {
            return TrackedText::default();
        }
        let bias = self.macros.expand_text(&settings.bias);
        TrackedText::of_nobody(if bias.trim_matches(is_space).is_empty() {
            ""
        } else {
            bias.trim_start_matches(is_space)
        })
    }

    /// The stop strings of any chat, and those of a user's message that is continued.
    fn stops(&mut self) -> [Vec<Cow<'static, str>>; 2] {
        let stops = StopStrings::new(self.macros);
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

impl SceneFormat {
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
            Ready { preset: &self.preset, scene: &self.scene, system: PromptSource::OfScene, macros: &mut macros };
        let mut frames = Vec::new();
        for (speaker, positions) in messages {
            let written = positions.into_iter().flatten().map(|position| ready.frame(speaker, position));
            frames.extend(written.last());
        }
        let alignment = match instruct.user_alignment_message.as_str() {
            "" => TrackedText::default(),
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
    pub(super) fn for_chat(&self, messages: &[SceneMessage<'_>]) -> Result<Option<SceneFormat>, Error> {
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
        Ok(Some(SceneFormat { chat: Some(facts), ..ready }))
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

fn last_sequence<'p>(instruct: &'p Instruct, generation: &Generation, quiet: Option<QuietVoice>) -> &'p str {
    let (last, base) = match (generation, quiet) {
        (Generation::Impersonate, _) => (&instruct.last_input_sequence, &instruct.input_sequence),
        (_, Some(QuietVoice::System)) => (&instruct.last_system_sequence, &instruct.output_sequence),
        _ => (&instruct.last_output_sequence, &instruct.output_sequence),
    };
    if last.is_empty() { base } else { last }
}

/// What stands before a name that the last sequence does not set apart as the others do.
fn name_filler(instruct: &Instruct, sequence: &str) -> Option<char> {
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
