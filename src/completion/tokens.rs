//! [`Detokenizer`]: token ids in, text and control tokens out; no text is searched for control tokens.

use std::sync::Arc;

use super::Completion;
use super::reader::{CompletionReader, DummyPrefix};
use super::stream::{Door, NewDeltas};
use crate::control::Control;

/// The inverse of a [`Tokenizer`](crate::Tokenizer): which control token an id is, or which bytes it stands for.
///
/// ```
/// use mistral_chat_template::{Completion, CompletionReader, Control, Layout};
/// use mistral_chat_template::completion::Detokenizer;
///
/// /// The inverse of a tokenizer of bytes: control tokens first, then one id a byte.
/// struct Bytes;
///
/// impl Detokenizer for Bytes {
///     fn control(&self, id: u32) -> Option<Control> {
///         Control::all().nth(id as usize)
///     }
///
///     fn bytes(&self, id: u32, bytes: &mut Vec<u8>) {
///         bytes.extend(id.checked_sub(1000).and_then(|byte| u8::try_from(byte).ok()));
///     }
/// }
///
/// let sampled = [1060, 1047, 1115, 1062, 2]; // "</s>" as text, and the end token
/// let mut reader = CompletionReader::new(&Layout::V13);
/// let mut completion = Completion::default();
/// completion.extend(reader.push_ids(&sampled, &Bytes));
/// completion.finish(reader.finish());
/// assert_eq!(completion.message.content, "</s>".into());
/// assert!(!completion.message.prefix);
/// ```
pub trait Detokenizer {
    /// The control token that the id stands for, if any.
    fn control(&self, id: u32) -> Option<Control>;

    /// Appends the bytes of any other id, which may be part of a character. In a SentencePiece vocabulary, U+2581 is a space
    /// and a byte token its byte. An id that stands for nothing appends nothing.
    fn bytes(&self, id: u32, bytes: &mut Vec<u8>);
}

/// Passes every call on to the detokenizer behind a pointer.
macro_rules! behind {
    ($($pointer:ty),+) => {
        $(impl<T: Detokenizer + ?Sized> Detokenizer for $pointer {
            fn control(&self, id: u32) -> Option<Control> {
                (**self).control(id)
            }

            fn bytes(&self, id: u32, bytes: &mut Vec<u8>) {
                (**self).bytes(id, bytes);
            }
        })+
    };
}

behind!(&T, Box<T>, Arc<T>);

impl CompletionReader {
    /// Takes a token id. Holds back the bytes of a character that is not complete.
    ///
    /// The text of SentencePiece's tokens has its dummy prefix: the reader removes it (see [`DummyPrefix`]).
    ///
    /// See [`Detokenizer`] for an example, and [`NewDeltas::with_ids`] for which ids a delta comes from.
    pub fn push_id(&mut self, id: u32, tokens: &impl Detokenizer) -> NewDeltas<'_> {
        self.id(id, tokens);
        NewDeltas::new(self, "", Door::Apart)
    }

    /// Takes token ids.
    ///
    /// See [`Detokenizer`] for an example.
    pub fn push_ids(&mut self, ids: &[u32], tokens: &impl Detokenizer) -> NewDeltas<'_> {
        for id in ids {
            self.id(*id, tokens);
        }
        NewDeltas::new(self, "", Door::Apart)
    }

    /// Parses the token ids of a whole output. No text is searched for control tokens.
    ///
    /// ```
    /// # use mistral_chat_template::{Completion, CompletionReader, Control, Layout};
    /// # use mistral_chat_template::completion::Detokenizer;
    /// # struct Bytes;
    /// # impl Detokenizer for Bytes {
    /// #     fn control(&self, id: u32) -> Option<Control> {
    /// #         Control::all().nth(id as usize)
    /// #     }
    /// #     fn bytes(&self, id: u32, bytes: &mut Vec<u8>) {
    /// #         bytes.extend(id.checked_sub(1000).and_then(|byte| u8::try_from(byte).ok()));
    /// #     }
    /// # }
    /// let sampled = [1072, 1105, 2]; // "Hi", and the end token
    /// assert_eq!(CompletionReader::new(&Layout::V7).read_ids(&sampled, &Bytes).message.content, "Hi".into());
    /// ```
    #[must_use]
    pub fn read_ids(mut self, ids: &[u32], tokens: &impl Detokenizer) -> Completion {
        let mut completion = Completion::default();
        for id in ids {
            completion.extend(self.push_id(*id, tokens));
        }
        completion.finish(self.finish());
        completion
    }

    fn id(&mut self, id: u32, tokens: &impl Detokenizer) {
        self.dummy_prefix = DummyPrefix::Present;
        self.deltas.next_id();
        if let Some(control) = tokens.control(id) {
            self.release();
            return self.control(control, Door::Apart);
        }
        let mut bytes = std::mem::take(&mut self.partial);
        tokens.bytes(id, &mut bytes);
        self.partial = self.characters(bytes);
    }

    /// Reads bytes, with U+FFFD for what is not UTF-8, and gives back those of a character that is not complete.
    fn characters(&mut self, bytes: Vec<u8>) -> Vec<u8> {
        let mut rest = &*bytes;
        loop {
            let error = match std::str::from_utf8(rest) {
                Ok(text) => {
                    self.text(text);
                    return Vec::new();
                }
                Err(error) => error,
            };
            let (valid, invalid) = rest.split_at_checked(error.valid_up_to()).unwrap_or((rest, &[]));
            self.text(std::str::from_utf8(valid).unwrap_or_default());
            let Some(length) = error.error_len() else { return invalid.to_vec() };
            self.text(char::REPLACEMENT_CHARACTER.encode_utf8(&mut [0; 4]));
            rest = invalid.get(length..).unwrap_or_default();
        }
    }
}
