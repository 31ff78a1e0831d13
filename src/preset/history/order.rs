//! [`Order`]: the messages of a chat in the order in which they are written, with what is put among them.

use std::borrow::Cow;

use super::{Line, Said, Spoken};
use crate::error::Error;
use crate::preset::scene::Speaker;
use crate::preset::scene_format::SceneFormat;

/// Is it the first or the last message of its kind, for its sequence?
#[derive(Clone, Copy, PartialEq)]
pub(in crate::preset) enum Position {
    Middle,
    First,
    Last,
}

impl Position {
    pub(in crate::preset) const ALL: [Position; 3] = [Position::Middle, Position::First, Position::Last];
}

/// The messages of a chat and, at their places, those that are put among them.
pub(super) struct Order<'m, M> {
    messages: &'m [M],
    /// The index of the first of the messages in the chat.
    skipped: usize,
    /// The text of the first message, where its macros make another one of it.
    first: Option<Cow<'m, str>>,
    /// What is put in, in order, each with the index that it has among all.
    put_in: Vec<(usize, Line<'m>)>,
}

/// One of them.
pub(super) enum Entry<'o, M> {
    /// A message of the chat, its index there, and its text where that is another.
    Message(&'o M, usize, Option<&'o str>),
    PutIn(&'o Line<'o>),
}

impl<M: Spoken> Entry<'_, M> {
    fn speaker(&self) -> Speaker {
        match self {
            Entry::Message(message, ..) => message.speaker(),
            Entry::PutIn(line) => line.speaker,
        }
    }

    #[inline(always)]
    pub(super) fn with_line(&self, format: &SceneFormat, write: impl FnOnce(&Line<'_>)) -> Result<(), Error> {
        match self {
            Entry::Message(message, index, text) => {
                let mut line = message.line(*index, format)?;
                if let Some(text) = text {
                    line.text = Said::Text(Cow::Borrowed(text));
                }
                write(&line);
            }
            Entry::PutIn(line) => write(line),
        }
        Ok(())
    }
}

impl<'m, M: Spoken> Order<'m, M> {
    pub(super) fn new(format: &'m SceneFormat, messages: &'m [M], skipped: usize) -> Result<Self, Error> {
        let mut first = None;
        if let Some(message) = messages.first()
            && let Said::Text(text) = message.line(skipped, format)?.text
        {
            first = format.first_message(skipped, &text)?.map(Cow::Owned);
        }
        Ok(Order { messages, skipped, first, put_in: Vec::new() })
    }

    pub(super) fn len(&self) -> usize {
        self.messages.len() + self.put_in.len()
    }

    /// Leaves the last message out, which must be one that could be written.
    pub(super) fn leave_last_out(&mut self, format: &'m SceneFormat) -> Result<(), Error> {
        if let Some((last, rest)) = self.messages.split_last() {
            last.line(self.skipped + rest.len(), format)?;
            self.messages = rest;
        }
        Ok(())
    }

    /// Puts a line before the message of an index, behind what is put in there or before.
    pub(super) fn put_in_before(&mut self, message: usize, line: Line<'m>) {
        self.put_in.push((message + self.put_in.len(), line));
    }

    /// Puts a line where it has an index among all.
    pub(super) fn put_in_at(&mut self, index: usize, line: Line<'m>) {
        let place = self.put_in.partition_point(|(other, _)| *other < index);
        self.put_in.iter_mut().skip(place).for_each(|(other, _)| *other += 1);
        self.put_in.insert(place, (index, line));
    }

    /// All of them, in order.
    #[inline]
    pub(super) fn entries(&self) -> impl Iterator<Item = Entry<'_, M>> {
        let mut messages = self.messages.iter().enumerate();
        let mut put_in = self.put_in.iter().peekable();
        (0..self.len()).map_while(move |index| {
            if let Some((_, line)) = put_in.next_if(|(other, _)| *other == index) {
                return Some(Entry::PutIn(line));
            }
            let (index, message) = messages.next()?;
            let text = if index == 0 { self.first.as_deref() } else { None };
            Some(Entry::Message(message, self.skipped + index, text))
        })
    }

    pub(super) fn speakers(&self) -> impl Iterator<Item = Speaker> {
        self.entries().map(|entry| entry.speaker())
    }

    pub(super) fn first_speaker(&self) -> Option<Speaker> {
        self.speakers().next()
    }

    /// Who says the last message of the chat, with nothing put in yet.
    pub(super) fn last_speaker(&self) -> Option<Speaker> {
        self.messages.last().map(Spoken::speaker)
    }

    /// The index among all of the last that the user says.
    pub(super) fn last_user(&self) -> Option<usize> {
        let put_in = self.put_in.iter().rfind(|(_, line)| line.speaker == Speaker::User).map(|(index, _)| *index);
        let message = self.messages.iter().rposition(|message| message.speaker() == Speaker::User);
        message.map(|message| self.index_of(message)).max(put_in)
    }

    /// The index among all of a message.
    fn index_of(&self, message: usize) -> usize {
        let before = self.put_in.iter().enumerate().take_while(|(count, (index, _))| index - count <= message).count();
        message + before
    }
}
