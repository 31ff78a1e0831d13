//! What comes of a piece of the output, and of its end.

use std::ops::Range;

use super::delta::Delta;
use super::finish_reason::StopCause;
use super::reader::CompletionReader;
use super::stops::StopFound;
use crate::error::Error;

/// How many bytes of a piece are read at a time: deltas are many times as long as what they are made of.
const STEP: usize = 4096;

/// How control tokens come to a reader.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Door {
    /// Spelled out in the text.
    Spelled,
    /// Apart from it.
    Apart,
}

/// The deltas of one piece. The piece is read as they are taken; those that are not taken are lost.
///
/// ```
/// use mistral_chat_template::{CompletionReader, Layout};
/// use mistral_chat_template::completion::Delta;
///
/// let mut reader = CompletionReader::new(&Layout::V13);
/// let mut deltas = reader.push("Hi");
/// assert_eq!(deltas.next(), Some(Delta::Text("Hi".to_owned())));
/// assert_eq!(deltas.next(), None);
/// ```
#[derive(Debug)]
#[must_use = "deltas that are not taken are lost"]
pub struct NewDeltas<'r> {
    reader: &'r mut CompletionReader,
    rest: &'r str,
    door: Door,
}

impl<'r> NewDeltas<'r> {
    pub(super) fn new(reader: &'r mut CompletionReader, rest: &'r str, door: Door) -> Self {
        NewDeltas { reader, rest, door }
    }

    /// The deltas, each with the positions of the token ids that it comes from: the first id pushed is 0. An id that
    /// ends one delta and begins another belongs to both. Every id belongs to a delta.
    ///
    /// ```
    /// use mistral_chat_template::{CompletionReader, Control, Layout};
    /// use mistral_chat_template::completion::{Delta, Detokenizer};
    ///
    /// /// Ids below 10 are control tokens, others bytes.
    /// struct Bytes;
    /// impl Detokenizer for Bytes {
    ///     fn control(&self, id: u32) -> Option<Control> {
    ///         (id == 2).then_some(Control::Eos)
    ///     }
    ///     fn bytes(&self, id: u32, bytes: &mut Vec<u8>) {
    ///         bytes.extend(u8::try_from(id));
    ///     }
    /// }
    ///
    /// let mut reader = CompletionReader::new(&Layout::V13);
    /// assert_eq!(reader.push_id(0xC3, &Bytes).count(), 0, "half an é");
    /// let deltas: Vec<_> = reader.push_id(0xA9, &Bytes).with_ids().collect();
    /// assert_eq!(deltas, [(Delta::Text("é".to_owned()), 0..2)]);
    /// ```
    pub fn with_ids(self) -> impl Iterator<Item = (Delta, Range<usize>)> + use<'r> {
        let mut deltas = self;
        std::iter::from_fn(move || deltas.step())
    }

    fn step(&mut self) -> Option<(Delta, Range<usize>)> {
        loop {
            if let Some(delta) = self.reader.deltas.pop() {
                return Some(delta);
            }
            if self.rest.is_empty() {
                return None;
            }
            let end = (STEP..self.rest.len()).find(|end| self.rest.is_char_boundary(*end));
            let (piece, rest) = self.rest.split_at_checked(end.unwrap_or(self.rest.len())).unwrap_or((self.rest, ""));
            self.rest = rest;
            match self.door {
                Door::Spelled => self.reader.spelled(piece),
                Door::Apart => self.reader.text(piece),
            }
        }
    }
}

impl Iterator for NewDeltas<'_> {
    type Item = Delta;

    fn next(&mut self) -> Option<Delta> {
        self.step().map(|(delta, _)| delta)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let known = self.reader.deltas.len();
        (known, self.rest.is_empty().then_some(known))
    }
}

impl Drop for NewDeltas<'_> {
    fn drop(&mut self) {
        while self.step().is_some() {}
    }
}

/// What [`CompletionReader::finish`] returns: the last deltas, and how the output ended.
///
/// ```
/// use mistral_chat_template::{CompletionReader, Layout};
/// use mistral_chat_template::completion::Delta;
///
/// let mut reader = CompletionReader::new(&Layout::V13);
/// assert_eq!(reader.push("a <").collect::<Vec<_>>(), [Delta::Text("a ".to_owned())], "\"<\" may begin \"</s>\"");
/// let finished = reader.finish();
/// assert_eq!(finished.deltas, [Delta::Text("<".to_owned())]);
/// assert!(finished.prefix && finished.error.is_none());
/// ```
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct Finished {
    /// The last deltas: what was held back.
    pub deltas: Vec<Delta>,
    /// Does the output lack an end token? Then the message can be continued.
    pub prefix: bool,
    /// Why sampling stopped.
    pub stop_cause: StopCause,
    /// The stop string that was found, if any.
    pub stop: Option<StopFound>,
    /// What is wrong with the output, if anything; the deltas are what is right.
    pub error: Option<Error>,
}

impl Finished {
    /// Of the ids that were sampled and pushed, those that the answer is made of, for
    /// [`Conversation::reply`](crate::Conversation::reply): all, or those before a stop string. `None` where the stop
    /// string begins within an id; the answer has no ids of its own then.
    ///
    /// ```
    /// use mistral_chat_template::{CompletionReader, Control, Layout};
    /// use mistral_chat_template::completion::Detokenizer;
    ///
    /// /// Ids are bytes.
    /// struct Bytes;
    /// impl Detokenizer for Bytes {
    ///     fn control(&self, _: u32) -> Option<Control> {
    ///         None
    ///     }
    ///     fn bytes(&self, id: u32, bytes: &mut Vec<u8>) {
    ///         bytes.extend(u8::try_from(id));
    ///     }
    /// }
    ///
    /// let sampled: Vec<u32> = b"Hi\nUser:".iter().copied().map(u32::from).collect();
    /// let mut reader = CompletionReader::new(&Layout::V13).with_stop_strings(["\nUser"]);
    /// drop(reader.push_ids(&sampled, &Bytes));
    /// assert_eq!(reader.finish().answer_ids(&sampled), Some(&sampled[..2]));
    /// ```
    #[must_use]
    pub fn answer_ids<'s>(&self, sampled: &'s [u32]) -> Option<&'s [u32]> {
        match &self.stop {
            None => Some(sampled),
            Some(stop) if stop.splits_id => None,
            Some(stop) => sampled.get(..stop.ids.start),
        }
    }
}
