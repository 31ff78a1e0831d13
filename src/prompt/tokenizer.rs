//! [`Tokenizer`]: what a caller implements to turn a [`Prompt`]'s segments into token ids.

use std::sync::Arc;

use super::medium::MediaSource;
use super::{Medium, Place, Prompt, Run, Segment};
use crate::chat::Chat;
use crate::control::Control;
use crate::error::{Error, ErrorKind};
use crate::layout::{Layout, Mark, WordStart};
use crate::terms::TokenizerKind;

/// A tokenizer: text into ids that are never control tokens, and control tokens into their ids.
///
/// There is no call for a whole prompt string, so that no text can become a control token by accident. A reference, a
/// `Box` and an `Arc` of a tokenizer are tokenizers too, and so is a `&dyn Tokenizer`.
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

    /// The id of a control token, or `None` if the vocabulary lacks it.
    fn control(&self, control: Control) -> Option<u32>;

    /// What kind of tokenizer it is, so that encoding refuses a prompt whose layout is for the other kind.
    fn kind(&self) -> Option<TokenizerKind> {
        None
    }

    /// Appends the ids of an image or a sound, and says whether it could.
    fn media(&self, medium: Medium<'_>, ids: &mut Vec<u32>) -> bool {
        let _ = (medium, ids);
        false
    }
}

/// Passes every call on to the tokenizer behind a pointer.
macro_rules! behind {
    ($($pointer:ty),+) => {
        $(impl<T: Tokenizer + ?Sized> Tokenizer for $pointer {
            fn text(&self, text: &str, word_start: WordStart, ids: &mut Vec<u32>) {
                (**self).text(text, word_start, ids);
            }

            fn control(&self, control: Control) -> Option<u32> {
                (**self).control(control)
            }

            fn kind(&self) -> Option<TokenizerKind> {
                (**self).kind()
            }

            fn media(&self, medium: Medium<'_>, ids: &mut Vec<u32>) -> bool {
                (**self).media(medium, ids)
            }
        })+
    };
}

behind!(&T, Box<T>, Arc<T>);

/// The id of a control token, which has to have one.
pub(crate) fn control_id(tokenizer: &(impl Tokenizer + ?Sized), control: Control) -> Result<u32, Error> {
    tokenizer.control(control).ok_or_else(|| Error::new(ErrorKind::NoControlId { control: control.as_str() }, ""))
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
    pub fn check_tokenizer(&self, tokenizer: &(impl Tokenizer + ?Sized)) -> Result<(), Error> {
        let layout = self.tokenizer_kind();
        match tokenizer.kind() {
            Some(tokenizer) if tokenizer != layout => {
                Err(Error::new(ErrorKind::TokenizerMismatch { layout, tokenizer }, "").in_layout(self.name))
            }
            _ => Ok(()),
        }
    }

    /// The strings at which sampling ends, as [`Prompt::stop_strings`] of this layout's prompts.
    ///
    /// ```
    /// use mistral_chat_template::Layout;
    ///
    /// assert_eq!(Layout::V13.stop_strings().collect::<Vec<_>>(), ["</s>"]);
    /// ```
    pub fn stop_strings(&self) -> impl Iterator<Item = &'static str> + use<> {
        std::iter::once(self.reply.close.as_str())
    }

    /// The ids at which sampling ends; empty for a layout that ends replies with text.
    ///
    /// # Errors
    ///
    /// As [`check_tokenizer`](Layout::check_tokenizer), or the tokenizer has no id for the control token that ends replies.
    ///
    /// ```
    /// # use mistral_chat_template::layout::WordStart;
    /// use mistral_chat_template::{Control, Layout, Tokenizer};
    ///
    /// # struct Tekken;
    /// # impl Tokenizer for Tekken {
    /// #     fn text(&self, _: &str, _: WordStart, _: &mut Vec<u32>) {}
    /// #     fn control(&self, control: Control) -> Option<u32> { (control == Control::Eos).then_some(2) }
    /// # }
    /// assert_eq!(Layout::V13.stop_ids(&Tekken)?, [2]);
    /// # Ok::<(), mistral_chat_template::Error>(())
    /// ```
    pub fn stop_ids(&self, tokenizer: &(impl Tokenizer + ?Sized)) -> Result<Vec<u32>, Error> {
        self.check_tokenizer(tokenizer)?;
        match self.reply.close {
            Mark::Control(close) => {
                control_id(tokenizer, close).map(|id| vec![id]).map_err(|error| error.in_layout(self.name))
            }
            Mark::Text(_) => Ok(Vec::new()),
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
    pub fn encode(&self, tokenizer: &(impl Tokenizer + ?Sized)) -> Result<Vec<u32>, Error> {
        self.encode_with(MediaSource::Unknown, tokenizer)
    }

    /// As [`encode`](Prompt::encode), for a tokenizer that looks at images and sounds: it is given those of the chat
    /// that the prompt was rendered from.
    ///
    /// # Errors
    ///
    /// As [`encode`](Prompt::encode).
    ///
    /// ```
    /// use mistral_chat_template::{Chat, Chunk, Control, Format, Layout, Message, Tokenizer};
    /// use mistral_chat_template::layout::WordStart;
    /// use mistral_chat_template::prompt::Medium;
    /// use mistral_chat_template::version::Feature;
    ///
    /// struct Links;
    /// impl Tokenizer for Links {
    ///     fn text(&self, _: &str, _: WordStart, _: &mut Vec<u32>) {}
    ///     fn control(&self, _: Control) -> Option<u32> { Some(1) }
    ///     fn media(&self, medium: Medium<'_>, ids: &mut Vec<u32>) -> bool {
    ///         let Some(Chunk::ImageUrl { url, .. }) = medium.chunk else { return false };
    ///         ids.extend(std::iter::repeat_n(7, url.len()));
    ///         true
    ///     }
    /// }
    ///
    /// let chat = Chat::new([Message::user(vec![Chunk::image_url("https://a.b")])]);
    /// let prompt = Layout::V13.with(Feature::Image).render(&chat)?;
    /// assert_eq!(prompt.encode_for(&chat, &Links)?.iter().filter(|id| **id == 7).count(), 11);
    /// # Ok::<(), mistral_chat_template::Error>(())
    /// ```
    pub fn encode_for(&self, chat: &Chat<'_>, tokenizer: &(impl Tokenizer + ?Sized)) -> Result<Vec<u32>, Error> {
        self.encode_with(MediaSource::Chat(chat), tokenizer)
    }

    fn encode_with(&self, source: MediaSource<'_>, tokenizer: &(impl Tokenizer + ?Sized)) -> Result<Vec<u32>, Error> {
        self.check_tokenizer(tokenizer)?;
        let mut encoder = Encoder::new(tokenizer, source);
        for run in self.runs_from(Place::default()) {
            encoder.append(&run)?;
        }
        Ok(encoder.into_ids())
    }
}

impl Prompt {
    /// For each token of [`Prompt::encode`], the index of the message that it comes from; `None` for what the layout adds.
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
    pub fn token_messages(&self, tokenizer: &(impl Tokenizer + ?Sized)) -> Result<Vec<Option<usize>>, Error> {
        self.check_tokenizer(tokenizer)?;
        let mut encoder = Encoder::new(tokenizer, MediaSource::Unknown);
        let mut messages = Vec::new();
        for run in self.runs_from(Place::default()) {
            let count = encoder.append(&run)?.len();
            messages.extend(std::iter::repeat_n(run.message, count));
        }
        Ok(messages)
    }
}

/// Collects the ids of a prompt's segments.
pub(crate) struct Encoder<'t, T: ?Sized> {
    tokenizer: &'t T,
    source: MediaSource<'t>,
    ids: Vec<u32>,
    /// How many images and sounds there were.
    media: usize,
    /// The message of the last of them, and how many of that message there were.
    of_message: (Option<usize>, usize),
}

impl<'t, T: Tokenizer + ?Sized> Encoder<'t, T> {
    pub(crate) fn new(tokenizer: &'t T, source: MediaSource<'t>) -> Self {
        Encoder { tokenizer, source, ids: Vec::new(), media: 0, of_message: (None, 0) }
    }

    /// An encoder that starts where a turn begins, after this many images and sounds.
    pub(crate) fn behind(media: usize, tokenizer: &'t T, source: MediaSource<'t>) -> Self {
        Encoder { media, ..Encoder::new(tokenizer, source) }
    }

    /// Appends the next segment, and gives its ids.
    pub(crate) fn append(&mut self, run: &Run<'_>) -> Result<&[u32], Error> {
        let begin = self.ids.len();
        match run.segment {
            Segment::Text(text) => self.tokenizer.text(text, run.word_start, &mut self.ids),
            Segment::Control(control) => self.ids.push(control_id(self.tokenizer, control)?),
            Segment::Media(media) => {
                let medium = self.next_medium(run).of(media);
                if !self.tokenizer.media(medium, &mut self.ids) {
                    let at = run.message.map_or_else(String::new, |message| format!("messages[{message}].content"));
                    return Err(Error::new(ErrorKind::NoMediaIds { media: media.as_str() }, at));
                }
            }
        }
        Ok(self.ids.get(begin..).unwrap_or_default())
    }

    /// Appends the ids of the next segment, which are known.
    pub(crate) fn append_known(&mut self, run: &Run<'_>, ids: &[u32]) {
        if let Segment::Media(_) = run.segment {
            self.next_medium(run);
        }
        self.ids.extend_from_slice(ids);
    }

    /// The image or sound that comes next.
    fn next_medium(&mut self, run: &Run<'_>) -> Medium<'t> {
        let (index, (last, count)) = (self.media, self.of_message);
        let nth = if last == run.message { count } else { 0 };
        (self.media, self.of_message) = (index + 1, (run.message, nth + 1));
        self.source.medium(index, run.message, nth)
    }

    pub(crate) fn ids(&self) -> &[u32] {
        &self.ids
    }

    pub(crate) fn into_ids(self) -> Vec<u32> {
        self.ids
    }
}
