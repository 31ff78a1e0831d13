//! What rendering returns: [`Prompt`], a string that knows which of its bytes are control tokens and which are text.
//!
//! ```
//! use mistral_chat_template::{Chat, Control, Format, Layout, Message, Segment};
//!
//! let prompt = Layout::V7.render(&Chat::new([Message::user("Write [INST].")]))?;
//! let segments: Vec<_> = prompt.segments().collect();
//! assert_eq!(segments[1], Segment::Control(Control::Inst), "the layout's");
//! assert_eq!(segments[2], Segment::Text("Write [INST]."), "the user's");
//!
//! // Each byte belongs to a span: what it is, and which message it comes from.
//! assert_eq!(prompt.spans().nth(2).and_then(|span| span.message), Some(0));
//! # Ok::<(), mistral_chat_template::Error>(())
//! ```
//!
//! [`Prompt::encode`] gives token ids, with a [`Tokenizer`] of yours. [`Prompt::divergence`] compares two prompts.

use std::borrow::Cow;
use std::fmt;
use std::ops::Range;

use crate::chat::{Role, Turn};
use crate::control::Control;
use crate::error::{Error, ErrorKind};
use crate::layout::WordStart;
pub use crate::terms::TokenizerKind;

mod divergence;
mod medium;
mod prefix_break;
mod runs;
mod tokenizer;
mod turn_writer;
mod writer;

pub use self::divergence::{Divergence, DivergenceKind};
pub(crate) use self::medium::MediaSource;
pub use self::medium::Medium;
pub use self::prefix_break::{BreakCause, PrefixBreak};
pub(crate) use self::runs::{Place, Run};
pub use self::tokenizer::Tokenizer;
pub(crate) use self::tokenizer::{Encoder, control_id};
use self::turn_writer::Joints;
pub(crate) use self::turn_writer::TurnWriter;
pub(crate) use self::writer::{Enclosed, Stretch, Writer};

/// A rendered prompt: one string that knows what of it is a control token and what is text.
///
/// ```
/// use mistral_chat_template::{Chat, Format, Layout, Message, Segment};
///
/// let chat = Chat::new([Message::system("Be kind."), Message::user("Hi"), Message::assistant("Hello!"), Message::user("</s>?")]);
/// let prompt = Layout::MAGNUM.render(&chat)?;
///
/// assert_eq!(prompt.as_str(), "<s>[INST] Be kind.\nHi[/INST] Hello!</s>[INST] </s>?[/INST]");
/// assert_eq!(prompt.segments().last(), Some(Segment::Control(mistral_chat_template::Control::EndInst)));
/// assert!(prompt.segments().any(|segment| segment == Segment::Text("</s>?")), "what a user types is text");
/// assert_eq!(prompt.stop_strings(), ["</s>"]);
/// # Ok::<(), mistral_chat_template::Error>(())
/// ```
///
/// A prompt can be the buffer of the next render ([`Format::render_into`](crate::Format::render_into)), which then
/// allocates nothing new.
#[derive(Clone, Default)]
pub struct Prompt {
    text: String,
    pieces: Vec<Piece>,
    stops: Vec<Cow<'static, str>>,
    /// The turns of the last render: kept for their capacity.
    turns: Vec<Turn>,
    /// The joints of the last plain render.
    joints: Option<Box<Joints>>,
    /// The kind of tokenizer that the layout is for; absent where no layout wrote the prompt.
    tokenizer: Option<TokenizerKind>,
}

/// A stretch of the string that one message wrote: text or media, with a control token on either side, on one or none.
/// It ends at `end` and begins where the piece before it ends.
#[derive(Clone, Copy)]
struct Piece {
    end: usize,
    /// The index of the message that the bytes come from; `u32::MAX` for none.
    message: u32,
    form: Form,
}

/// Whose piece it is, and what of it are control tokens and text.
#[derive(Clone, Copy, Default)]
struct Form {
    role: Option<Role>,
    open: Option<Control>,
    body: Body,
    close: Option<Control>,
}

/// What a piece holds beside control tokens.
#[derive(Clone, Copy, Default, PartialEq)]
enum Body {
    #[default]
    Nothing,
    /// The beginning of a text run, without a space before it.
    Run,
    /// The beginning of a text run, whose first byte is the space that the tokenizer adds.
    SpacedRun,
    /// More of the run of the piece before, from another message.
    Rest,
    Image,
    Audio,
}

impl Body {
    const fn run(word_start: WordStart) -> Self {
        match word_start {
            WordStart::Space => Body::SpacedRun,
            WordStart::Nothing => Body::Run,
        }
    }
}

impl Piece {
    fn origin(&self) -> Origin {
        Origin { message: self.message, role: self.form.role }
    }

    /// The spans of the piece, in order, where it begins at `start`.
    fn spans(&self, start: usize) -> impl Iterator<Item = Span> + use<> {
        let Form { role, open, body, close } = self.form;
        let message = self.origin().index();
        let text_start = start + length(open);
        let text_end = self.end - length(close);
        let body = match body {
            Body::Nothing => None,
            Body::Run => Some(SpanKind::Text(WordStart::Nothing)),
            Body::SpacedRun => Some(SpanKind::Text(WordStart::Space)),
            Body::Rest => Some(SpanKind::MoreText),
            Body::Image => Some(SpanKind::Media(Media::Image)),
            Body::Audio => Some(SpanKind::Media(Media::Audio)),
        };
        let spans = [
            (start..text_start, open.map(SpanKind::Control)),
            (text_start..text_end, body),
            (text_end..self.end, close.map(SpanKind::Control)),
        ];
        spans.into_iter().filter_map(move |(range, kind)| Some(Span { range, kind: kind?, message, role }))
    }
}

const fn length(control: Option<Control>) -> usize {
    match control {
        Some(control) => control.as_str().len(),
        None => 0,
    }
}

/// Where bytes come from: a message, by index and role.
#[derive(Clone, Copy, PartialEq)]
pub(crate) struct Origin {
    message: u32,
    role: Option<Role>,
}

impl Origin {
    pub(crate) const NONE: Origin = Origin { message: u32::MAX, role: None };

    pub(crate) fn message(index: usize, role: Role) -> Self {
        Origin { message: u32::try_from(index).unwrap_or(u32::MAX), role: Some(role) }
    }

    /// Of a role, in a message that is not known.
    #[cfg(feature = "template")]
    pub(crate) const fn role(role: Role) -> Self {
        Origin { message: u32::MAX, role: Some(role) }
    }

    /// Of what is set around the message, and said by nobody.
    pub(crate) const fn unsaid(self) -> Self {
        Origin { message: self.message, role: None }
    }

    fn index(self) -> Option<usize> {
        usize::try_from(self.message).ok().filter(|_| self.message != u32::MAX)
    }
}

/// An image or a sound, which a tokenizer turns into many tokens.
///
/// ```
/// use mistral_chat_template::prompt::Media;
///
/// assert_eq!(Media::Image.as_str(), "image");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Media {
    /// An image, which stands in the prompt's string as `[IMG]`.
    Image,
    /// A sound, which stands in the prompt's string as `[AUDIO]`.
    Audio,
}

impl Media {
    /// The medium's name.
    ///
    /// ```
    /// # use mistral_chat_template::prompt::Media;
    /// assert_eq!(Media::Audio.as_str(), "audio");
    /// ```
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Media::Image => "image",
            Media::Audio => "audio",
        }
    }

    /// The control token that stands for the whole of it in a prompt's string.
    pub(crate) const fn placeholder(self) -> Control {
        match self {
            Media::Image => Control::Img,
            Media::Audio => Control::Audio,
        }
    }
}

/// What a tokenizer is given at a time: one control token, one run of text, or one image or sound.
///
/// ```
/// use mistral_chat_template::{Chat, Control, Format, Layout, Message, Segment};
///
/// let prompt = Layout::V3.render(&Chat::new([Message::user("[/INST]")]))?;
/// let segments: Vec<Segment> = prompt.segments().collect();
/// assert_eq!(segments, [
///     Segment::Control(Control::Bos),
///     Segment::Control(Control::Inst),
///     Segment::Text("[/INST]"),
///     Segment::Control(Control::EndInst),
/// ]);
/// # Ok::<(), mistral_chat_template::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Segment<'p> {
    /// One control token.
    Control(Control),
    /// One run of text, without the space that SentencePiece sets before it. Two runs in a row are tokenised apart.
    Text(&'p str),
    /// A whole image or sound.
    Media(Media),
}

/// A stretch of a prompt's string and where it comes from.
///
/// ```
/// use mistral_chat_template::{Chat, Format, Layout, Message, Role};
///
/// let prompt = Layout::V7.render(&Chat::new([Message::system("Be kind."), Message::user("Hi")]))?;
/// let said: Vec<_> = prompt.spans().filter(|span| span.role == Some(Role::User) && span.is_text()).collect();
/// assert_eq!(said[0].message, Some(1));
/// assert_eq!(&prompt.as_str()[said[0].range.clone()], " Hi");
/// # Ok::<(), mistral_chat_template::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Span {
    /// The bytes; each span begins where the one before it ends.
    pub range: Range<usize>,
    /// What the bytes are.
    pub kind: SpanKind,
    /// The index of the message that they come from, or that they frame; `None` for what begins the prompt.
    pub message: Option<usize>,
    /// The role of that message; `None` for what a preset sets around a reply, which is not part of it. Of a template's
    /// output, what a `{% generation %}` block prints is the assistant's.
    pub role: Option<Role>,
}

/// What the bytes of a [`Span`] are.
///
/// ```
/// use mistral_chat_template::{Chat, Control, Format, Layout, Message};
/// use mistral_chat_template::prompt::SpanKind;
///
/// let prompt = Layout::V3_TEKKEN.render(&Chat::new([Message::user("Hi")]))?;
/// assert_eq!(prompt.spans().next().map(|span| span.kind), Some(SpanKind::Control(Control::Bos)));
/// # Ok::<(), mistral_chat_template::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SpanKind {
    /// A control token's literal.
    Control(Control),
    /// Text that begins a run, with the space that SentencePiece sets before it, where it sets one.
    Text(WordStart),
    /// Text that goes on with the run of the span before.
    MoreText,
    /// What stands for an image or a sound.
    Media(Media),
}

impl Span {
    /// Is this text, and no control token?
    ///
    /// ```
    /// # use mistral_chat_template::{Chat, Format, Layout, Message};
    /// # let prompt = Layout::V3.render(&Chat::new([Message::user("Hi")]))?;
    /// assert_eq!(prompt.spans().filter(|span| span.is_text()).count(), 1);
    /// # Ok::<(), mistral_chat_template::Error>(())
    /// ```
    #[must_use]
    pub const fn is_text(&self) -> bool {
        matches!(self.kind, SpanKind::Text(_) | SpanKind::MoreText)
    }
}

impl Prompt {
    /// An empty prompt, to render into.
    ///
    /// ```
    /// use mistral_chat_template::{Chat, Format, Layout, Message, Prompt};
    ///
    /// let mut prompt = Prompt::new();
    /// for question in ["Hi", "How are you?"] {
    ///     Layout::V7.render_into(&Chat::new([Message::user(question)]), &mut prompt)?;
    ///     assert!(prompt.as_str().contains(question));
    /// }
    /// # Ok::<(), mistral_chat_template::Error>(())
    /// ```
    #[must_use]
    pub fn new() -> Self {
        Prompt::default()
    }

    /// The whole prompt, with control tokens spelled out and the spaces that SentencePiece sets before text.
    ///
    /// It is what a template would print. Tokenise the [`segments`](Prompt::segments), not this: in a string, a
    /// control token and a user who types one look the same.
    ///
    /// ```
    /// # use mistral_chat_template::{Chat, Format, Layout, Message};
    /// let chat = Chat::new([Message::user("Hi")]);
    /// assert_eq!(Layout::V3.render(&chat)?.as_str(), "<s>[INST] Hi[/INST]");
    /// assert_eq!(Layout::V3_TEKKEN.render(&chat)?.as_str(), "<s>[INST]Hi[/INST]");
    /// # Ok::<(), mistral_chat_template::Error>(())
    /// ```
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The prompt's string after `<s>`, for servers that add `<s>` themselves.
    ///
    /// ```
    /// # use mistral_chat_template::{Chat, Format, Layout, Message};
    /// let prompt = Layout::V3.render(&Chat::new([Message::user("Hi")]))?;
    /// assert_eq!(prompt.after_bos(), "[INST] Hi[/INST]");
    /// # Ok::<(), mistral_chat_template::Error>(())
    /// ```
    #[must_use]
    pub fn after_bos(&self) -> &str {
        match self.spans().next() {
            Some(Span { range, kind: SpanKind::Control(Control::Bos), .. }) => {
                self.text.get(range.end..).unwrap_or_default()
            }
            _ => &self.text,
        }
    }

    /// The prompt's string without begin and end tokens: no `<s>`, no `</s>`. Text that spells one stays.
    ///
    /// ```
    /// # use mistral_chat_template::{Chat, Format, Layout, Message};
    /// let chat = Chat::new([Message::user("</s>?"), Message::assistant("Yes?"), Message::user("Hi")]);
    /// assert_eq!(Layout::V3.render(&chat)?.without_begin_and_end(), "[INST] </s>?[/INST] Yes?[INST] Hi[/INST]");
    /// # Ok::<(), mistral_chat_template::Error>(())
    /// ```
    #[must_use]
    pub fn without_begin_and_end(&self) -> String {
        let kept = |span: &Span| !matches!(span.kind, SpanKind::Control(Control::Bos | Control::Eos));
        self.spans().filter(kept).filter_map(|span| self.text.get(span.range)).collect()
    }

    /// The prompt's string without the spaces that SentencePiece sets before text, for a tokenizer that adds them.
    ///
    /// ```
    /// # use mistral_chat_template::{Chat, Format, Layout, Message};
    /// let prompt = Layout::V3.render(&Chat::new([Message::user("Hi"), Message::assistant("Hello"), Message::user("Bye")]))?;
    /// assert_eq!(prompt.plain(), "<s>[INST]Hi[/INST]Hello</s>[INST]Bye[/INST]");
    /// # Ok::<(), mistral_chat_template::Error>(())
    /// ```
    #[must_use]
    pub fn plain(&self) -> String {
        let mut plain = String::with_capacity(self.text.len());
        for segment in self.segments() {
            plain.push_str(match segment {
                Segment::Control(control) => control.as_str(),
                Segment::Text(text) => text,
                Segment::Media(media) => media.placeholder().as_str(),
            });
        }
        plain
    }

    /// What a tokenizer is to be given, in order.
    ///
    /// ```
    /// # use mistral_chat_template::{Chat, Format, Layout, Message, Segment};
    /// let prompt = Layout::V1.render(&Chat::new([Message::user("Hi")]))?;
    /// assert_eq!(prompt.segments().nth(1), Some(Segment::Text("[INST] Hi [/INST]")), "v1's frames are text");
    /// # Ok::<(), mistral_chat_template::Error>(())
    /// ```
    pub fn segments(&self) -> impl Iterator<Item = Segment<'_>> {
        self.runs().map(|(segment, _)| segment)
    }

    /// The segments, each text run with how the tokenizer is to begin it.
    pub(crate) fn runs(&self) -> impl Iterator<Item = (Segment<'_>, WordStart)> {
        self.runs_from(Place::default()).map(|run| (run.segment, run.word_start))
    }

    /// The stretches of the string, which tile it, and the messages that they come from.
    ///
    /// ```
    /// # use mistral_chat_template::{Chat, Format, Layout, Message};
    /// let prompt = Layout::V3.render(&Chat::new([Message::user("a"), Message::user("b")]))?;
    /// let from: Vec<_> = prompt.spans().filter(|span| span.is_text()).map(|span| span.message).collect();
    /// assert_eq!(from, [Some(0), Some(1)], "two messages in one run of text");
    /// # Ok::<(), mistral_chat_template::Error>(())
    /// ```
    pub fn spans(&self) -> impl Iterator<Item = Span> {
        self.spans_from(Place::default())
    }

    /// The strings at which generation is to stop, as text: for servers that cannot stop at the token itself.
    ///
    /// ```
    /// # use mistral_chat_template::{Chat, Format, Layout, Message};
    /// let prompt = Layout::V7.render(&Chat::new([Message::user("Hi")]))?;
    /// assert_eq!(prompt.stop_strings(), ["</s>"]);
    /// # Ok::<(), mistral_chat_template::Error>(())
    /// ```
    #[must_use]
    pub fn stop_strings(&self) -> &[Cow<'static, str>] {
        &self.stops
    }

    /// The string by itself.
    ///
    /// ```
    /// # use mistral_chat_template::{Chat, Format, Layout, Message};
    /// let string: String = Layout::V7.render(&Chat::new([Message::user("Hi")]))?.into_string();
    /// assert_eq!(string, "<s>[INST] Hi[/INST]");
    /// # Ok::<(), mistral_chat_template::Error>(())
    /// ```
    #[must_use]
    pub fn into_string(self) -> String {
        self.text
    }

    /// Gives a prompt that has no memory yet as much as it needs at once, in bytes and pieces; any other grows as it must.
    pub(crate) fn make_room(&mut self, needs: impl FnOnce() -> (usize, usize)) {
        if self.text.capacity() == 0 {
            let (bytes, pieces) = needs();
            self.text.reserve_exact(bytes);
            self.pieces.reserve_exact(pieces);
            self.stops.reserve_exact(1);
        }
    }

    /// Takes the list of turns to fill again; [`keep_turns`](Prompt::keep_turns) gives it back.
    pub(crate) fn take_turns(&mut self) -> Vec<Turn> {
        let mut turns = std::mem::take(&mut self.turns);
        turns.clear();
        turns
    }

    pub(crate) fn keep_turns(&mut self, turns: Vec<Turn>) {
        self.turns = turns;
    }

    /// Takes the stop strings to write over; [`keep_stops`](Prompt::keep_stops) gives them back.
    pub(crate) fn take_stops(&mut self) -> Vec<Cow<'static, str>> {
        std::mem::take(&mut self.stops)
    }

    pub(crate) fn keep_stops(&mut self, stops: Vec<Cow<'static, str>>) {
        self.stops = stops;
    }

    /// Empties the prompt, keeping its memory; for what cannot be rendered, nothing is left behind.
    pub(crate) fn clear(&mut self) {
        self.text.clear();
        self.pieces.clear();
        self.stops.clear();
        self.tokenizer = None;
    }

    pub(crate) fn set_tokenizer(&mut self, kind: TokenizerKind) {
        self.tokenizer = Some(kind);
    }

    /// Refuses a tokenizer of another kind than the prompt's layout is for.
    pub(crate) fn check_tokenizer(&self, tokenizer: &(impl Tokenizer + ?Sized)) -> Result<(), Error> {
        match (self.tokenizer, tokenizer.kind()) {
            (Some(layout), Some(tokenizer)) if layout != tokenizer => {
                Err(Error::new(ErrorKind::TokenizerMismatch { layout, tokenizer }, ""))
            }
            _ => Ok(()),
        }
    }

    pub(crate) fn stop_at(&mut self, stop: impl Into<Cow<'static, str>>) {
        self.stops.push(stop.into());
    }
}

impl fmt::Display for Prompt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for Prompt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Prompt")
            .field("text", &self.text)
            .field("segments", &self.segments().collect::<Vec<_>>())
            .field("stop_strings", &self.stops)
            .finish()
    }
}

/// Two prompts are equal when they have the same string, spans and stop strings.
impl PartialEq for Prompt {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text && self.spans().eq(other.spans()) && self.stops == other.stops
    }
}
