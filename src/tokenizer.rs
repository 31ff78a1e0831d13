//! [`Tokenizer`]: what a caller implements to turn a [`Prompt`]'s segments into token ids.

use crate::control::Control;
use crate::error::{Error, ErrorKind};
use crate::layout::WordStart;
use crate::prompt::{Media, Prompt, Segment};

/// A tokenizer: text into ids that are never control tokens, and control tokens into their ids.
///
/// There is no call for a whole prompt string, so that no text can become a control token by accident.
///
/// ```
/// use mistral_chat_template::{Chat, Control, Format, Layout, Message, Tokenizer, WordStart};
///
/// /// One id a byte, past the ids of the control tokens.
/// struct Bytes;
///
/// impl Tokenizer for Bytes {
///     fn text(&self, text: &str, _: WordStart, ids: &mut Vec<u32>) {
///         ids.extend(text.bytes().map(|byte| 1000 + u32::from(byte)));
///     }
///
///     fn control(&self, control: Control) -> Option<u32> {
///         Control::all().position(|other| other == control).and_then(|id| u32::try_from(id).ok())
///     }
/// }
///
/// let prompt = Layout::V3.render(&Chat::new([Message::user("[")]))?;
/// assert_eq!(prompt.encode(&Bytes)?, [1, 3, 1091, 4]);
/// # Ok::<(), mistral_chat_template::Error>(())
/// ```
pub trait Tokenizer {
    /// Appends the ids of one run of text. Control tokens that the text spells are text.
    ///
    /// With [`WordStart::Space`] the tokenizer is a SentencePiece one and is to add its dummy prefix; with
    /// [`WordStart::Nothing`] it is not to.
    fn text(&self, text: &str, word_start: WordStart, ids: &mut Vec<u32>);

    /// The id of a control token, or none where the vocabulary lacks it.
    fn control(&self, control: Control) -> Option<u32>;

    /// Appends the ids of an image or a sound, the `index`-th of the prompt, and says whether it could.
    fn media(&self, media: Media, index: usize, ids: &mut Vec<u32>) -> bool {
        let _ = (media, index, ids);
        false
    }
}

impl Prompt {
    /// The prompt's token ids, segment by segment.
    ///
    /// # Errors
    ///
    /// The tokenizer has no id for a control token of the prompt (a v3 tokenizer asked for `[SYSTEM_PROMPT]`), or
    /// cannot encode an image or a sound.
    ///
    /// ```
    /// use mistral_chat_template::{Chat, Control, Format, Layout, Message, Tokenizer, WordStart};
    ///
    /// struct NoControls;
    /// impl Tokenizer for NoControls {
    ///     fn text(&self, _: &str, _: WordStart, _: &mut Vec<u32>) {}
    ///     fn control(&self, _: Control) -> Option<u32> { None }
    /// }
    ///
    /// let prompt = Layout::V3.render(&Chat::new([Message::user("Hi")]))?;
    /// let error = prompt.encode(&NoControls).unwrap_err();
    /// assert_eq!(error.to_string(), "the tokenizer has no id for the control token <s>");
    /// # Ok::<(), mistral_chat_template::Error>(())
    /// ```
    pub fn encode(&self, tokenizer: &impl Tokenizer) -> Result<Vec<u32>, Error> {
        let mut ids = Vec::new();
        encode_runs(self.runs(), 0, tokenizer, &mut ids)?;
        Ok(ids)
    }
}

/// Appends the ids of segments, `media_before` images and sounds being before them in the prompt.
pub(crate) fn encode_runs<'p>(
    runs: impl Iterator<Item = (Segment<'p>, WordStart)>,
    media_before: usize,
    tokenizer: &impl Tokenizer,
    ids: &mut Vec<u32>,
) -> Result<(), Error> {
    let mut media_count = media_before;
    for (segment, word_start) in runs {
        match segment {
            Segment::Text(text) => tokenizer.text(text, word_start, ids),
            Segment::Control(control) => ids.push(
                tokenizer
                    .control(control)
                    .ok_or_else(|| Error::new(ErrorKind::NoControlId { control: control.as_str() }, ""))?,
            ),
            Segment::Media(media) => {
                if !tokenizer.media(media, media_count, ids) {
                    return Err(Error::new(ErrorKind::NoMediaIds { media: media.as_str() }, ""));
                }
                media_count += 1;
            }
        }
    }
    Ok(())
}
