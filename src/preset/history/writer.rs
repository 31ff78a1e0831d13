//! [`PromptWriter`]: pieces of a prompt, messages and what stands around them, as they are written.

use super::{Line, Position, Said};
use crate::chat::Role;
use crate::preset::compiled::{Compiled, Part, Place, Sequence};
use crate::preset::fields::NamesBehavior;
use crate::preset::frame::Frame;
use crate::preset::prepare::Changed;
use crate::preset::scene::Speaker;
use crate::preset::scene_format::SceneFormat;
use crate::prompt::{Origin, Writer};

/// With what a message ends.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Ending {
    Suffix,
    /// The suffix, but for a newline at its end.
    SuffixOfLine,
    /// Its text: it is to be continued.
    Text,
    /// The part of the suffix that is said with it: nothing is to follow.
    Reply,
}

/// The prompt that is written.
pub(super) struct PromptWriter<'w, 'f> {
    pub(super) writer: Writer<'w>,
    pub(super) format: &'f SceneFormat,
    /// The sequences of this chat, where they are not those of every one.
    pub(super) changed: Option<&'f Changed>,
    pub(super) system: &'f str,
    pub(super) collapses: bool,
    /// Is a `\r` to be left out of what is written?
    pub(super) has_returns: bool,
}

impl<'f> PromptWriter<'_, 'f> {
    /// Writes a text of the chat or the scene.
    #[inline]
    pub(super) fn text(&mut self, text: &str) {
        if self.has_returns {
            return self.without_returns(text);
        }
        self.clean(text);
    }

    #[cold]
    fn without_returns(&mut self, text: &str) {
        text.split('\r').for_each(|part| self.clean(part));
    }

    /// Writes a text without `\r`.
    #[inline]
    pub(super) fn clean(&mut self, text: &str) {
        if self.collapses {
            return self.collapsed(text);
        }
        self.writer.text(text);
    }

    /// Writes of newlines in a row the first alone.
    #[cold]
    fn collapsed(&mut self, text: &str) {
        let mut collapsed = String::with_capacity(text.len());
        let mut after_newline = self.writer.is_after_newline();
        for character in text.chars() {
            if character != '\n' || !after_newline {
                collapsed.push(character);
            }
            after_newline = character == '\n';
        }
        self.writer.text(&collapsed);
    }

    #[inline]
    pub(super) fn compiled(&mut self, compiled: &Compiled, name: &str) {
        if self.collapses {
            return self.parts(compiled, name);
        }
        self.writer.stretch(&compiled.first);
        for (place, stretch) in &compiled.rest {
            self.place(*place, name);
            self.writer.stretch(stretch);
        }
    }

    #[cold]
    fn parts(&mut self, compiled: &Compiled, name: &str) {
        compiled.parts().for_each(|part| self.part(part, name));
    }

    /// As [`compiled`](PromptWriter::compiled), without a newline at its end.
    fn compiled_of_line(&mut self, compiled: &Compiled, name: &str) {
        let mut parts = compiled.parts().peekable();
        while let Some(part) = parts.next() {
            match part {
                Part::Text(text) if parts.peek().is_none() => self.clean(text.strip_suffix('\n').unwrap_or(text)),
                part => self.part(part, name),
            }
        }
    }

    fn part(&mut self, part: Part<'_>, name: &str) {
        match part {
            Part::Control(control) => self.writer.control(control),
            Part::Text(text) => self.clean(text),
            Part::Place(place) => self.place(place, name),
        }
    }

    fn place(&mut self, place: Place, name: &str) {
        match place {
            Place::Name => self.text(if name.is_empty() { "System" } else { name }),
            Place::SystemPrompt => {
                self.writer.from(Origin::message(0, Role::System));
                self.text(self.system);
                self.writer.from(Origin::NONE);
            }
        }
    }

    /// What stands before or after a message. Of what stands after a reply, what is said with it is the reply's.
    #[inline]
    fn sequence(&mut self, sequence: &Sequence, name: &str, ending: Ending, reply: Option<Origin>) {
        sequence.for_name(name, self.format.scene.settings.vocabulary, |Sequence { said, rest, .. }| {
            if rest.is_empty() || (reply.is_some() && ending == Ending::Reply) {
                return self.end(said, name, ending);
            }
            self.compiled(said, name);
            if let Some(reply) = reply {
                self.writer.from(reply.unsaid());
            }
            self.end(rest, name, ending);
        });
    }

    #[inline]
    fn end(&mut self, compiled: &Compiled, name: &str, ending: Ending) {
        match ending {
            Ending::SuffixOfLine => self.compiled_of_line(compiled, name),
            Ending::Suffix | Ending::Text | Ending::Reply => self.compiled(compiled, name),
        }
    }

    pub(super) fn end_line(&mut self) {
        if !self.writer.is_after_newline() {
            self.clean("\n");
        }
    }

    /// What stands around the message of an index.
    #[inline]
    pub(super) fn frame(&self, index: usize, speaker: Speaker, position: Position) -> &'f Frame {
        let changed = self.changed.and_then(|changed| changed.frames.get(index));
        changed.unwrap_or_else(|| self.format.frames.of(speaker, position))
    }

    /// The user message before a chat that begins with none.
    pub(super) fn alignment(&mut self, text: &Compiled) {
        let (frame, text) = match self.changed {
            Some(changed) => (&changed.alignment_frame, &changed.alignment),
            None => (self.format.frames.of(Speaker::User, Position::First), text),
        };
        self.message(&Line::put_in(Speaker::User, &self.format.scene.user, text), frame, Ending::Suffix);
    }

    /// One message with its sequences.
    #[inline]
    pub(super) fn message(&mut self, line: &Line<'_>, frame: &Frame, ending: Ending) {
        if let (Some(enclosed), Said::Text(text)) = (&frame.enclosed, &line.text)
            && (ending == Ending::Suffix || (ending != Ending::Text && enclosed.tail.is_empty()))
            && !(self.collapses || self.has_returns || self.shows_name(line))
            && self.writer.encloses(line.origin, enclosed, text)
        {
            return self.writer.enclosed(line.origin, enclosed, text);
        }
        self.message_by_parts(line, frame, ending);
    }

    fn message_by_parts(&mut self, line: &Line<'_>, frame: &Frame, ending: Ending) {
        let Frame { before: prefix, after: suffix, .. } = frame;
        let wraps = self.format.preset.instruct.wrap;
        let shows_name = self.shows_name(line);
        let reply = (line.speaker == Speaker::Character).then_some(line.origin);
        self.writer.from(reply.map_or(line.origin, Origin::unsaid));
        self.sequence(prefix, line.name, Ending::Suffix, None);
        if wraps && !prefix.is_empty() {
            self.clean("\n");
        }
        if shows_name {
            self.text(line.name);
            self.clean(":");
        }
        if let Some(origin) = reply {
            self.writer.from(origin);
            self.writer.take_blank();
        }
        if shows_name {
            self.clean(" ");
        }
        self.said(&line.text);
        if wraps && suffix.is_empty() && ending == Ending::Suffix {
            self.clean("\n");
        } else if ending != Ending::Text {
            self.sequence(suffix, line.name, ending, reply);
        }
    }

    #[inline]
    fn said(&mut self, text: &Said<'_>) {
        match text {
            Said::Text(text) => self.text(text),
            Said::Compiled(text) => self.compiled(text, ""),
        }
    }

    #[inline]
    fn shows_name(&self, line: &Line<'_>) -> bool {
        let scene = &self.format.scene;
        let may = line.speaker != Speaker::Narrator && !line.name.is_empty();
        may && match self.format.preset.instruct.names_behavior {
            NamesBehavior::None => false,
            NamesBehavior::Force => (!scene.group.is_empty() || line.own_persona) && line.name != scene.user,
            NamesBehavior::Always => true,
        }
    }

    pub(super) fn plain_message(&mut self, line: &Line<'_>, ending: Ending) {
        let is_reply = line.speaker == Speaker::Character;
        self.writer.from(if is_reply { line.origin.unsaid() } else { line.origin });
        let shows_name = line.speaker != Speaker::Narrator && !line.name.is_empty();
        if shows_name {
            self.text(line.name);
            self.clean(":");
        }
        self.writer.from(line.origin);
        if shows_name {
            self.clean(" ");
        }
        self.said(&line.text);
        if ending == Ending::Suffix {
            self.clean("\n");
        }
    }
}
