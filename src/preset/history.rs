//! [`History`]: the messages of a chat into the prompt, what is put between them, and what stands around each.

use std::borrow::Cow;

use self::order::Order;
pub(super) use self::order::Position;
use self::writer::{Ending, PromptWriter};
use super::compiled::Compiled;
use super::fields::InjectionRole;
use super::scene::{Generation, QuietVoice, SceneMessage, Speaker};
use super::scene_format::{Opening, SceneFormat, chosen_stops};
use super::tracked_text::is_space;
use crate::chat::{Message, Role};
use crate::error::Error;
use crate::layout::WordStart;
use crate::prompt::{Origin, Prompt, Writer};

mod order;
mod writer;

/// The messages of one chat on their way into a prompt.
pub(super) struct History<'m, M> {
    format: &'m SceneFormat,
    opening: &'m Opening,
    /// The system prompt that the chat begins with.
    system: Cow<'m, str>,
    generation: &'m Generation,
    order: Order<'m, M>,
}

/// A message as a chat holds it.
pub(super) trait Spoken {
    fn speaker(&self) -> Speaker;

    /// The message as it is written, which the chat has at an index.
    fn line<'m>(&'m self, index: usize, format: &'m SceneFormat) -> Result<Line<'m>, Error>;
}

/// One message, of the chat or put into it.
pub(super) struct Line<'m> {
    pub(super) speaker: Speaker,
    /// The name of who speaks; empty for nobody's.
    pub(super) name: &'m str,
    pub(super) text: Said<'m>,
    pub(super) own_persona: bool,
    pub(super) origin: Origin,
}

pub(super) enum Said<'m> {
    Text(Cow<'m, str>),
    Compiled(&'m Compiled),
}

impl Spoken for Message<'_> {
    #[inline]
    fn speaker(&self) -> Speaker {
        match self {
            Message::User(_) => Speaker::User,
            Message::Assistant(_) => Speaker::Character,
            Message::System(_) | Message::Tool(_) => Speaker::Narrator,
        }
    }

    #[inline(always)]
    fn line<'m>(&'m self, index: usize, format: &'m SceneFormat) -> Result<Line<'m>, Error> {
        let (name, text) = format.message(index, self)?;
        Ok(Line::of_chat(index, self.speaker(), name, text))
    }
}

impl Spoken for SceneMessage<'_> {
    fn speaker(&self) -> Speaker {
        self.speaker
    }

    #[inline(always)]
    fn line<'m>(&'m self, index: usize, format: &'m SceneFormat) -> Result<Line<'m>, Error> {
        let is_char = self.name.is_empty() && self.speaker != Speaker::User;
        let name = if is_char { &format.scene.char } else { &*self.name };
        let line = Line::of_chat(index, self.speaker, name, Cow::Borrowed(&self.text));
        Ok(Line { own_persona: self.own_persona, ..line })
    }
}

impl<'m> Line<'m> {
    #[inline(always)]
    fn of_chat(index: usize, speaker: Speaker, name: &'m str, text: Cow<'m, str>) -> Self {
        let role = match speaker {
            Speaker::User => Role::User,
            Speaker::Character => Role::Assistant,
            Speaker::Narrator => Role::System,
        };
        Line { speaker, name, text: Said::Text(text), own_persona: false, origin: Origin::message(index, role) }
    }

    /// A message that is put into the chat.
    fn put_in(speaker: Speaker, name: &'m str, text: &'m Compiled) -> Self {
        Line { speaker, name, text: Said::Compiled(text), own_persona: false, origin: Origin::NONE }
    }
}

impl<'m, M: Spoken> History<'m, M> {
    /// The messages of a chat, the first of which the chat has at the index `skipped`.
    pub(super) fn new(
        format: &'m SceneFormat,
        system: Option<Cow<'m, str>>,
        messages: &'m [M],
        skipped: usize,
        generation: &'m Generation,
    ) -> Result<Self, Error> {
        let system = system.filter(|system| !system.is_empty());
        let led = format.opening_with_system.as_ref().filter(|_| system.is_some());
        let opening = led.unwrap_or(&format.opening);
        let order = Order::new(format, messages, skipped)?;
        Ok(History { format, opening, system: system.unwrap_or_default(), generation, order })
    }

    /// Writes the whole prompt, in which SillyTavern deletes every `\r` in the end: it is written anew without them
    /// where there turn out to be some, which few chats have.
    ///
    /// Errors are those of messages that a preset has no place for.
    pub(super) fn write(mut self, prompt: &mut Prompt) -> Result<(), Error> {
        let leaves_last_out = match self.generation {
            Generation::Swipe => true,
            Generation::Regenerate => self.order.last_speaker() != Some(Speaker::User),
            _ => false,
        };
        if leaves_last_out {
            self.order.leave_last_out(self.format)?;
        }
        let continues = *self.generation == Generation::Continue;
        let continues_user = continues && self.order.last_speaker() == Some(Speaker::User);
        let chat_length = self.order.len();
        self.put_in(continues);

        let last_user = match self.generation {
            Generation::Impersonate => None,
            _ => self.order.last_user(),
        };
        let places = Places { count: self.order.len(), last_user, continues };
        let changed = match self.format.has_changing_sequences() {
            true => self.format.changed(places.written(self.order.speakers())),
            false => None,
        };
        let mut stops = prompt.take_stops();
        for has_returns in [false, true] {
            let mut out = PromptWriter {
                writer: Writer::new(prompt, WordStart::Nothing),
                format: self.format,
                changed: changed.as_ref(),
                system: &self.system,
                collapses: self.format.scene.settings.collapse_newlines,
                has_returns,
            };
            out.compiled(&self.opening.story, "");
            if self.format.preset.instruct.enabled {
                self.write_instructed(&mut out, &places)?;
            } else {
                self.write_plain(&mut out, continues, continues_user, chat_length)?;
            }
            if !has_return(prompt.as_str()) {
                break;
            }
        }
        match &changed {
            Some(changed) => chosen_stops(&changed.stops, continues_user),
            None => self.format.stop_strings(continues_user),
        }
        .clone_into(&mut stops);
        prompt.keep_stops(stops);
        Ok(())
    }

    /// Puts the injections and the last user message that the chat does not show among the messages.
    fn put_in(&mut self, continues: bool) {
        let (format, length) = (self.format, self.order.len());
        for injection in &self.opening.injections {
            // What is continued stays last.
            let depth = if continues { injection.depth.max(1) } else { injection.depth };
            let (speaker, name) = match injection.role {
                InjectionRole::System => (Speaker::Narrator, &format.scene.char),
                InjectionRole::User => (Speaker::User, &format.scene.user),
                InjectionRole::Assistant => (Speaker::Character, &format.scene.char),
            };
            self.order.put_in_before(length.saturating_sub(depth), Line::put_in(speaker, name, &injection.text));
        }
        if let Some(text) = &format.post_history {
            let at = self.order.len().saturating_sub(usize::from(continues));
            self.order.put_in_at(at, Line::put_in(Speaker::User, "", text));
        }
    }

    fn write_instructed(&self, out: &mut PromptWriter<'_, '_>, places: &Places) -> Result<(), Error> {
        let format = self.format;
        let begins_with_user = self.order.first_speaker() == Some(Speaker::User);
        if let Some(alignment) = format.alignment.as_ref().filter(|_| !begins_with_user) {
            out.alignment(alignment);
        }
        let is_quiet = matches!(self.generation, Generation::Quiet { .. });
        let last_ending = match () {
            () if places.continues => Ending::Text,
            () if *self.generation == Generation::Nothing => Ending::Reply,
            () if format.preset.instruct.wrap && !is_quiet => Ending::SuffixOfLine,
            () => Ending::Suffix,
        };
        for (index, entry) in self.order.entries().enumerate() {
            let ending = if index + 1 == places.count { last_ending } else { Ending::Suffix };
            entry.with_line(format, |line| {
                out.message(line, out.frame(index, line.speaker, places.of(index)), ending);
            })?;
        }
        out.writer.from(Origin::NONE);
        if let Some(prompt) = &format.quiet_prompt {
            let line = Line::put_in(Speaker::Narrator, &format.scene.user, prompt);
            let changed = out.changed.and_then(|changed| changed.quiet_frame.as_ref());
            out.message(&line, changed.unwrap_or(&format.frames.narrator), Ending::Suffix);
        }
        if !places.continues && *self.generation != Generation::Nothing {
            out.compiled(out.changed.map_or(&format.last_line, |changed| &changed.last_line), "");
        }
        Ok(())
    }

    /// The prompt with instruct mode off: `Name: text` lines.
    fn write_plain(
        &self,
        out: &mut PromptWriter<'_, '_>,
        continues: bool,
        continues_user: bool,
        chat_length: usize,
    ) -> Result<(), Error> {
        let format = self.format;
        let (user, char) = (&format.scene.user, &format.scene.char);
        let before = self.order.len().saturating_sub(usize::from(continues));
        for (index, entry) in self.order.entries().take(before).enumerate() {
            let is_last = index + 1 == before && !continues;
            let ending = if is_last { Ending::SuffixOfLine } else { Ending::Suffix };
            entry.with_line(format, |line| out.plain_message(line, ending))?;
        }
        out.writer.from(Origin::NONE);
        let mut speaks = format.preset.context.always_force_name2
            && !(continues && chat_length == 1)
            && *self.generation != Generation::Nothing;
        if let (Some(prompt), Generation::Quiet { voice, .. }) = (&format.quiet_prompt, self.generation) {
            out.clean("\n");
            out.compiled(prompt, "");
            speaks &= *voice == QuietVoice::Character;
        }
        if *self.generation == Generation::Impersonate {
            out.end_line();
            out.text(user);
            out.clean(":");
        } else if speaks {
            out.end_line();
            if !continues_user {
                out.text(char);
                out.clean(":");
            }
        }
        if !format.reply_start.is_empty() {
            if !out.writer.is_after(is_space) {
                out.clean(" ");
            }
            out.compiled(&format.reply_start, "");
        }
        let mut continued = self.order.entries().skip(before);
        continued.try_for_each(|entry| entry.with_line(format, |line| out.plain_message(line, Ending::Text)))
    }
}

/// Where the first and the last message of a chat are, for their sequences.
struct Places {
    count: usize,
    last_user: Option<usize>,
    continues: bool,
}

impl Places {
    #[inline]
    fn of(&self, index: usize) -> Position {
        match index {
            _ if Some(index) == self.last_user || (self.continues && index + 1 == self.count) => Position::Last,
            0 => Position::First,
            _ => Position::Middle,
        }
    }

    /// In which positions SillyTavern writes each message, one after the other; the last one stays.
    fn written(
        &self,
        speakers: impl Iterator<Item = Speaker>,
    ) -> impl Iterator<Item = (Speaker, [Option<Position>; 4])> {
        let &Places { count, last_user, continues } = self;
        speakers.enumerate().map(move |(index, speaker)| {
            let first = (index == 0).then_some(Position::First);
            let last = (Some(index) == last_user).then_some(Position::Last);
            let continued = (continues && index + 1 == count).then_some(Position::Last);
            (speaker, [Some(Position::Middle), first, last, continued])
        })
    }
}

/// Is there a `\r`? Whole blocks are searched to their ends, which is done many bytes at a time.
fn has_return(text: &str) -> bool {
    let (blocks, rest) = text.as_bytes().as_chunks::<256>();
    let has = |bytes: &[u8]| bytes.iter().fold(0, |found, byte| found | u8::from(*byte == b'\r')) != 0;
    blocks.iter().any(|block| has(block)) || has(rest)
}
