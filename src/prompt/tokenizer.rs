//! [`Tokenizer`]: what a caller implements to turn a [`Prompt`]'s segments into token ids.

use crate::control::Control;
use crate::error::{Error, ErrorKind};
use crate::layout::{Layout, WordStart};
use crate::prompt::{Media, Prompt, Segment, SpanKind};
use crate::terms::TokenizerKind;

/// A tokenizer: text into ids that are never control tokens, and control tokens into their ids.
///
/// There is no call for a whole prompt string, so that no text can become a control token by accident.
///
/// ```
/// use mistral_chat_template::{Chat, Control, Format, Layout, Message, Tokenizer};
/// use mistral_chat_template::layout::WordStart;
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

    /// What kind of tokenizer it is, so that encoding refuses a prompt whose layout is for the other kind.
    fn kind(&self) -> Option<TokenizerKind> {
        None
    }

    /// Appends the ids of an image or a sound, the `index`-th of the prompt, and says whether it could.
    fn media(&self, media: Media, index: usize, ids: &mut Vec<u32>) -> bool {
        let _ = (media, index, ids);
        false
    }
}

impl Layout {
    /// Checks that a tokenizer is of the layout's kind, before anything is encoded.
    ///
    /// mistral-common binds each version to its tokenizer's file. A tokenizer that does not say what it is passes.
    ///
    /// # Errors
    ///
    /// The tokenizer says that it is of the other kind: a Tekken vocabulary for `v3`, a SentencePiece one for `v13`.
    ///
    /// ```
    /// use mistral_chat_template::prompt::TokenizerKind;
    /// use mistral_chat_template::{Control, Layout, Tokenizer};
    /// use mistral_chat_template::layout::WordStart;
    ///
    /// struct Tekken;
    /// impl Tokenizer for Tekken {
    ///     fn text(&self, _: &str, _: WordStart, _: &mut Vec<u32>) {}
    ///     fn control(&self, _: Control) -> Option<u32> { Some(0) }
    ///     fn kind(&self) -> Option<TokenizerKind> { Some(TokenizerKind::Tekken) }
    /// }
    ///
    /// assert!(Layout::V3_TEKKEN.check_tokenizer(&Tekken).is_ok());
    /// let error = Layout::MAGNUM.check_tokenizer(&Tekken).unwrap_err();
    /// assert_eq!(error.to_string(), "the layout is for a SentencePiece vocabulary, and the tokenizer has a Tekken one (magnum)");
    /// ```
    pub fn check_tokenizer(&self, tokenizer: &impl Tokenizer) -> Result<(), Error> {
        let layout = self.tokenizer_kind();
        match tokenizer.kind() {
            Some(tokenizer) if tokenizer != layout => {
                Err(Error::new(ErrorKind::TokenizerMismatch { layout, tokenizer }, "").in_layout(self.name))
            }
            _ => Ok(()),
        }
    }
}

impl Prompt {
    /// The prompt's token ids, segment by segment.
    ///
    /// # Errors
    ///
    /// The tokenizer is of another kind than the prompt's layout is for (Tekken ids for a `v3` prompt), has no id for a control token of the prompt (a v3 tokenizer asked for `[SYSTEM_PROMPT]`), or
    /// cannot encode an image or a sound.
    ///
    /// ```
    /// use mistral_chat_template::{Chat, Control, Format, Layout, Message, Tokenizer};
    /// use mistral_chat_template::layout::WordStart;
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
        self.check_tokenizer(tokenizer)?;
        let mut encoder = Encoder::new(tokenizer);
        for (segment, word_start) in self.runs() {
            encoder.append(segment, word_start)?;
        }
        Ok(encoder.into_ids())
    }
}

impl Prompt {
    /// For each token of [`Prompt::encode`], the index of the message that it comes from; none for what the layout adds.
    ///
    /// Where one run of text comes from several messages, its tokens are counted as the first one's.
    ///
    /// # Errors
    ///
    /// As [`Prompt::encode`].
    ///
    /// ```
    /// use mistral_chat_template::{Chat, Control, Format, Layout, Message, Tokenizer};
    /// use mistral_chat_template::layout::WordStart;
    ///
    /// struct Bytes;
    /// impl Tokenizer for Bytes {
    ///     fn text(&self, text: &str, _: WordStart, ids: &mut Vec<u32>) {
    ///         ids.extend(text.bytes().map(u32::from));
    ///     }
    ///     fn control(&self, _: Control) -> Option<u32> { Some(1) }
    /// }
    ///
    /// let prompt = Layout::V3.render(&Chat::new([Message::user("Hi")]))?;
    /// assert_eq!(prompt.token_messages(&Bytes)?, [None, Some(0), Some(0), Some(0), Some(0)]);
    /// # Ok::<(), mistral_chat_template::Error>(())
    /// ```
    pub fn token_messages(&self, tokenizer: &impl Tokenizer) -> Result<Vec<Option<usize>>, Error> {
        self.check_tokenizer(tokenizer)?;
        let mut encoder = Encoder::new(tokenizer);
        let mut messages = Vec::new();
        let runs = self.spans().filter(|span| span.kind != SpanKind::MoreText);
        for ((segment, word_start), span) in self.runs().zip(runs) {
            let count = encoder.append(segment, word_start)?.len();
            messages.extend(std::iter::repeat_n(span.message, count));
        }
        Ok(messages)
    }
}

/// Collects the ids of a prompt's segments.
pub(crate) struct Encoder<'t, T> {
    tokenizer: &'t T,
    ids: Vec<u32>,
    media_count: usize,
}

impl<'t, T: Tokenizer> Encoder<'t, T> {
    pub(crate) fn new(tokenizer: &'t T) -> Self {
        Encoder { tokenizer, ids: Vec::new(), media_count: 0 }
    }

    /// Appends the next segment, and gives its ids.
    pub(crate) fn append(&mut self, segment: Segment<'_>, word_start: WordStart) -> Result<&[u32], Error> {
        let begin = self.ids.len();
        match segment {
            Segment::Text(text) => self.tokenizer.text(text, word_start, &mut self.ids),
            Segment::Control(control) => self.ids.push(
                self.tokenizer
                    .control(control)
                    .ok_or_else(|| Error::new(ErrorKind::NoControlId { control: control.as_str() }, ""))?,
            ),
            Segment::Media(media) => {
                if !self.tokenizer.media(media, self.media_count, &mut self.ids) {
                    return Err(Error::new(ErrorKind::NoMediaIds { media: media.as_str() }, ""));
                }
                self.media_count += 1;
            }
        }
        Ok(self.ids.get(begin..).unwrap_or_default())
    }

    pub(crate) fn into_ids(self) -> Vec<u32> {
        self.ids
    }
}

/// Appends the ids of segments, `media_before` images and sounds being before them in the prompt.
pub(crate) fn encode_runs<'p>(
    mut runs: impl Iterator<Item = (Segment<'p>, WordStart)>,
    media_before: usize,
    tokenizer: &impl Tokenizer,
    ids: &mut Vec<u32>,
) -> Result<(), Error> {
    let mut encoder = Encoder { tokenizer, ids: std::mem::take(ids), media_count: media_before };
    let result = runs.try_for_each(|(segment, word_start)| encoder.append(segment, word_start).map(drop));
    *ids = encoder.into_ids();
    result
}
