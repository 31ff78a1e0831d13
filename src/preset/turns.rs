//! Messages into the prompt: which come first and last, what is put between them, and what stands around each.

use std::borrow::Cow;

use super::fields::{InjectionRole, NamesBehavior};
use super::format::{Changed, Opening, PresetFormat, chosen_stops};
use super::mixed::is_space;
use super::scene::{Generation, QuietVoice, Speaker};
use super::sequence::{Atom, Sequence};
use crate::chat::Role;
use crate::control::Control;
use crate::error::Error;
use crate::layout::WordStart;
use crate::prompt::{Origin, Prompt, Writer};

/// The messages of one chat on their way into a prompt.
pub(super) struct Turns<'m> {
    format: &'m PresetFormat,
    opening: &'m Opening,
    /// The system prompt that the chat begins with.
    system: Cow<'m, str>,
    generation: &'m Generation,
    lines: Vec<Line<'m>>,
}

/// One message, of the chat or put into it.
struct Line<'m> {
    speaker: Speaker,
    /// The name of who speaks; empty for nobody's.
    name: &'m str,
    text: Said<'m>,
    own_persona: bool,
    origin: Origin,
}

enum Said<'m> {
    Text(Cow<'m, str>),
    Atoms(&'m [Atom]),
}

/// Is it the first or the last message of its kind, for its sequence?
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Position {
    Middle,
    First,
    Last,
}

impl Position {
    pub(super) const ALL: [Position; 3] = [Position::Middle, Position::First, Position::Last];
}

/// With what a message ends.
#[derive(Clone, Copy, PartialEq)]
enum Ending {
    Suffix,
    /// The suffix, but for a newline at its end.
    SuffixOfLine,
    /// Its text: it is to be continued.
    Text,
    /// The part of the suffix that is said with it: nothing is to follow.
    Reply,
}

impl<'m> Turns<'m> {
    pub(super) fn new(
        format: &'m PresetFormat,
        system: Option<Cow<'m, str>>,
        count: usize,
        generation: &'m Generation,
    ) -> Self {
        let system = system.filter(|system| !system.is_empty());
        let led = format.opening_with_system.as_ref().filter(|_| system.is_some());
        let opening = led.unwrap_or(&format.opening);
        let lines = Vec::with_capacity(count + opening.injections.len() + 1);
        Turns { format, opening, system: system.unwrap_or_default(), generation, lines }
    }

    /// Takes the next message of the chat.
    #[inline(always)]
    pub(super) fn message(
        &mut self,
        index: usize,
        speaker: Speaker,
        name: &'m str,
        text: Cow<'m, str>,
        own_persona: bool,
    ) -> Result<(), Error> {
        let text = if self.lines.is_empty() { self.format.first_message(index, text)? } else { text };
        let role = match speaker {
            Speaker::User => Role::User,
            Speaker::Character => Role::Assistant,
            Speaker::Narrator => Role::System,
        };
        let name = if name.is_empty() && speaker != Speaker::User { &self.format.scene.char } else { name };
        let origin = Origin::message(index, role);
        self.lines.push(Line { speaker, name, text: Said::Text(text), own_persona, origin });
        Ok(())
    }

    /// Writes the whole prompt, in which SillyTavern deletes every `\r` in the end: it is written anew without them
    /// where there turn out to be some, which few chats have.
    pub(super) fn write(mut self, prompt: &mut Prompt) {
        let last_is_user = |lines: &[Line<'_>]| lines.last().is_some_and(|line| line.speaker == Speaker::User);
        let leaves_last_out = match self.generation {
            Generation::Swipe => true,
            Generation::Regenerate => !last_is_user(&self.lines),
            _ => false,
        };
        if leaves_last_out {
            self.lines.pop();
        }
        let continues = *self.generation == Generation::Continue;
        let continues_user = continues && last_is_user(&self.lines);
        let chat_length = self.lines.len();
        self.put_in(continues);

        let places = Places::new(&self.lines, self.generation);
        let changed = match self.format.has_changing_sequences() {
            true => self.format.changed(places.written(&self.lines)),
            false => None,
        };
        for has_returns in [false, true] {
            let mut out = Out {
                writer: Writer::new(prompt, WordStart::Nothing),
                format: self.format,
                changed: changed.as_ref(),
                system: &self.system,
                collapses: self.format.scene.settings.collapse_newlines,
                has_returns,
            };
            out.atoms(&self.opening.story, "");
            if self.format.preset.instruct.enabled {
                self.write_instructed(&mut out, &places);
            } else {
                self.write_plain(&mut out, continues, continues_user, chat_length);
            }
            if !has_return(prompt.as_str()) {
                break;
            }
        }
        let stops = match &changed {
            Some(changed) => chosen_stops(&changed.stops, continues_user),
            None => self.format.stop_strings(continues_user),
        };
        for stop in stops {
            prompt.stop_at(stop.clone());
        }
    }

    /// Puts the injections and the last user message that the chat does not show among the messages.
    fn put_in(&mut self, continues: bool) {
        let (format, injections) = (self.format, &self.opening.injections);
        if !injections.is_empty() {
            let length = self.lines.len();
            let with_room = Vec::with_capacity(self.lines.capacity());
            let mut chat = std::mem::replace(&mut self.lines, with_room).into_iter();
            let mut taken = 0;
            for injection in injections {
                // What is continued stays last.
                let depth = if continues { injection.depth.max(1) } else { injection.depth };
                let before = length.saturating_sub(depth);
                self.lines.extend(chat.by_ref().take(before.saturating_sub(taken)));
                taken = taken.max(before);
                let (speaker, name) = match injection.role {
                    InjectionRole::System => (Speaker::Narrator, &format.scene.char),
                    InjectionRole::User => (Speaker::User, &format.scene.user),
                    InjectionRole::Assistant => (Speaker::Character, &format.scene.char),
                };
                let text = Said::Atoms(&injection.text);
                self.lines.push(Line { speaker, name, text, own_persona: false, origin: Origin::NONE });
            }
            self.lines.extend(chat);
        }
        if let Some(text) = &format.post_history {
            let at = self.lines.len().saturating_sub(usize::from(continues));
            let text = Said::Atoms(text);
            self.lines
                .insert(at, Line { speaker: Speaker::User, name: "", text, own_persona: false, origin: Origin::NONE });
        }
    }

    fn write_instructed(&self, out: &mut Out<'_, '_>, places: &Places) {
        let format = self.format;
        let begins_with_user = self.lines.first().is_some_and(|line| line.speaker == Speaker::User);
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
        let last = self.lines.len().saturating_sub(1);
        for (index, line) in self.lines.iter().enumerate() {
            let frame = out.frame(index, line.speaker, places.of(index));
            out.message(line, frame, if index == last { last_ending } else { Ending::Suffix });
        }
        out.writer.from(Origin::NONE);
        if let Some(prompt) = &format.quiet_prompt {
            let (name, text) = (format.scene.user.as_str(), Said::Atoms(prompt));
            let line = Line { speaker: Speaker::Narrator, name, text, own_persona: false, origin: Origin::NONE };
            let usual = format.sequences.around(Speaker::Narrator, Position::Middle);
            let changed = out.changed.and_then(|changed| changed.quiet_frame.as_ref());
            out.message(&line, changed.map_or(usual, |(before, after)| (before, after)), Ending::Suffix);
        }
        if !places.continues && *self.generation != Generation::Nothing {
            out.atoms(out.changed.map_or(&format.last_line, |changed| &changed.last_line), "");
        }
    }

    /// The prompt with instruct mode off: `Name: text` lines.
    fn write_plain(&self, out: &mut Out<'_, '_>, continues: bool, continues_user: bool, chat_length: usize) {
        let format = self.format;
        let (user, char) = (&format.scene.user, &format.scene.char);
        let (before, continued) = match self.lines.split_last() {
            Some((last, before)) if continues => (before, Some(last)),
            _ => (self.lines.as_slice(), None),
        };
        for (index, line) in before.iter().enumerate() {
            let is_last = index + 1 == before.len() && !continues;
            out.plain_message(line, if is_last { Ending::SuffixOfLine } else { Ending::Suffix });
        }
        out.writer.from(Origin::NONE);
        let mut speaks = format.preset.context.always_force_name2
            && !(continues && chat_length == 1)
            && *self.generation != Generation::Nothing;
        if let (Some(prompt), Generation::Quiet { voice, .. }) = (&format.quiet_prompt, self.generation) {
            out.clean("\n");
            out.atoms(prompt, "");
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
            out.atoms(&format.reply_start, "");
        }
        if let Some(line) = continued {
            out.plain_message(line, Ending::Text);
        }
    }
}

/// Where the first and the last message of a chat are, for their sequences.
struct Places {
    count: usize,
    last_user: Option<usize>,
    continues: bool,
}

impl Places {
    fn new(lines: &[Line<'_>], generation: &Generation) -> Self {
        let last_user = match generation {
            Generation::Impersonate => None,
            _ => lines.iter().rposition(|line| line.speaker == Speaker::User),
        };
        Places { count: lines.len(), last_user, continues: *generation == Generation::Continue }
    }

    fn of(&self, index: usize) -> Position {
        match index {
            _ if Some(index) == self.last_user || (self.continues && index + 1 == self.count) => Position::Last,
            0 => Position::First,
            _ => Position::Middle,
        }
    }

    /// In which positions SillyTavern writes each message, one after the other; the last one stays.
    fn written<'l>(
        &self,
        lines: &'l [Line<'_>],
    ) -> impl Iterator<Item = (Speaker, [Option<Position>; 4])> + use<'l, '_> {
        let &Places { count, last_user, continues } = self;
        lines.iter().enumerate().map(move |(index, line)| {
            let first = (index == 0).then_some(Position::First);
            let last = (Some(index) == last_user).then_some(Position::Last);
            let continued = (continues && index + 1 == count).then_some(Position::Last);
            (line.speaker, [Some(Position::Middle), first, last, continued])
        })
    }
}

/// Is there a `\r`? What is rare is searched for to the end, which is done many bytes at a time.
fn has_return(text: &str) -> bool {
    text.bytes().fold(false, |found, byte| found | (byte == b'\r'))
}

/// The prompt that is written.
struct Out<'w, 'f> {
    writer: Writer<'w>,
    format: &'f PresetFormat,
    /// The sequences of this chat, where they are not those of every one.
    changed: Option<&'f Changed>,
    system: &'f str,
    collapses: bool,
    /// Is a `\r` to be left out of what is written?
    has_returns: bool,
}

/// What stands before and after a message.
type Frame<'f> = (&'f Sequence, &'f Sequence);

impl<'f> Out<'_, 'f> {
    /// Writes a text of the chat or the scene.
    #[inline]
    fn text(&mut self, text: &str) {
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
    fn clean(&mut self, text: &str) {
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

    fn atom(&mut self, atom: &Atom, name: &str) {
        match atom {
            Atom::Control(control) => self.writer.control(*control),
            Atom::Text(text) => self.clean(text),
            Atom::Name => self.text(if name.is_empty() { "System" } else { name }),
            Atom::SystemPrompt => {
                self.writer.from(Origin::message(0, Role::System));
                self.text(self.system);
                self.writer.from(Origin::NONE);
            }
        }
    }

    fn atoms(&mut self, atoms: &[Atom], name: &str) {
        atoms.iter().for_each(|atom| self.atom(atom, name));
    }

    /// As [`atoms`](Out::atoms), without a newline at their end.
    fn atoms_of_line(&mut self, atoms: &[Atom], name: &str) {
        match atoms.split_last() {
            Some((Atom::Text(text), before)) => {
                self.atoms(before, name);
                self.clean(text.strip_suffix('\n').unwrap_or(text));
            }
            _ => self.atoms(atoms, name),
        }
    }

    fn sequence(&mut self, sequence: &Sequence, name: &str, ending: Ending) {
        sequence.with_atoms(name, self.format.scene.settings.vocabulary, |atoms| match ending {
            Ending::SuffixOfLine => self.atoms_of_line(atoms, name),
            Ending::Suffix | Ending::Text | Ending::Reply => self.atoms(atoms, name),
        });
    }

    /// What stands after a reply: said with it down to the end token, or to what begins the next turn.
    fn reply_suffix(&mut self, atoms: &[Atom], line: &Line<'_>, ending: Ending) {
        let is_end = |atom: &Atom| *atom == Atom::Control(Control::Eos);
        let control = atoms.iter().position(|atom| matches!(atom, Atom::Control(_))).unwrap_or(atoms.len());
        let (said, rest) = atoms.split_at(control + usize::from(atoms.get(control).is_some_and(is_end)));
        let of_line = if ending == Ending::SuffixOfLine { Out::atoms_of_line } else { Out::atoms };
        if rest.is_empty() || ending == Ending::Reply {
            return of_line(self, said, line.name);
        }
        self.atoms(said, line.name);
        self.writer.from(line.origin.unsaid());
        of_line(self, rest, line.name);
    }

    fn end_line(&mut self) {
        if !self.writer.is_after_newline() {
            self.clean("\n");
        }
    }

    /// What stands around the message of an index.
    #[inline]
    fn frame(&self, index: usize, speaker: Speaker, position: Position) -> Frame<'f> {
        match self.changed.and_then(|changed| changed.frames.get(index)) {
            Some((before, after)) => (before, after),
            None => self.format.sequences.around(speaker, position),
        }
    }

    /// The user message before a chat that begins with none.
    fn alignment(&mut self, text: &[Atom]) {
        let mut frame = self.format.sequences.around(Speaker::User, Position::First);
        let mut text = text;
        if let Some(changed) = self.changed {
            let (before, after) = &changed.alignment_frame;
            (frame, text) = ((before, after), &changed.alignment);
        }
        let (name, text) = (self.format.scene.user.as_str(), Said::Atoms(text));
        let line = Line { speaker: Speaker::User, name, text, own_persona: false, origin: Origin::NONE };
        self.message(&line, frame, Ending::Suffix);
    }

    /// One message with its sequences.
    fn message(&mut self, line: &Line<'_>, (prefix, suffix): Frame<'_>, ending: Ending) {
        let format = self.format;
        let wraps = format.preset.instruct.wrap;
        let shows_name = self.shows_name(line);
        let is_reply = line.speaker == Speaker::Character;
        self.writer.from(if is_reply { line.origin.unsaid() } else { line.origin });
        self.sequence(prefix, line.name, Ending::Suffix);
        if wraps && !prefix.is_empty() {
            self.clean("\n");
        }
        if shows_name {
            self.text(line.name);
            self.clean(":");
        }
        if is_reply {
            self.writer.from(line.origin);
            self.writer.take_blank();
        }
        if shows_name {
            self.clean(" ");
        }
        self.said(&line.text);
        if wraps && suffix.is_empty() && ending == Ending::Suffix {
            self.clean("\n");
        } else if ending != Ending::Text && is_reply {
            suffix.with_atoms(line.name, format.scene.settings.vocabulary, |atoms| {
                self.reply_suffix(atoms, line, ending);
            });
        } else if ending != Ending::Text {
            self.sequence(suffix, line.name, ending);
        }
    }

    fn said(&mut self, text: &Said<'_>) {
        match text {
            Said::Text(text) => self.text(text),
            Said::Atoms(atoms) => self.atoms(atoms, ""),
        }
    }

    fn shows_name(&self, line: &Line<'_>) -> bool {
        let scene = &self.format.scene;
        let may = line.speaker != Speaker::Narrator && !line.name.is_empty();
        may && match self.format.preset.instruct.names_behavior {
            NamesBehavior::None => false,
            NamesBehavior::Force => (!scene.group.is_empty() || line.own_persona) && line.name != scene.user,
            NamesBehavior::Always => true,
        }
    }

    fn plain_message(&mut self, line: &Line<'_>, ending: Ending) {
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
