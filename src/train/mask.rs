//! A [`Prompt`] and a choice of turns in, the [`Mask`] of what a model is to learn from it out.

use std::iter;
use std::ops::Range;

use crate::chat::{Chat, Message, Role};
use crate::control::Control;
use crate::error::{Error, ErrorKind};
use crate::prompt::{Encoder, MediaSource, Place, Prompt, Span, SpanKind, Tokenizer};

/// What a model is to learn from a prompt.
///
/// Whatever an assistant turn says is learnt with it: its text, thinking and tool calls, the control tokens around them,
/// the end token, and the space that SentencePiece sets before it, which is part of its first token.
///
/// ```
/// use mistral_chat_template::{Chat, Format, Layout, Message};
/// use mistral_chat_template::train::Learn;
///
/// let chat = Chat::new([
///     Message::user("Hi"),
///     Message::assistant("Hello!"),
///     Message::user("Bye"),
///     Message::assistant("See you!"),
/// ]);
/// let prompt = Layout::MAGNUM.in_mode(mistral_chat_template::Mode::Finetuning).render(&chat)?;
/// let learnt = |learn| -> Result<Vec<&str>, mistral_chat_template::Error> {
///     Ok(prompt.mask(learn)?.texts().collect())
/// };
/// assert_eq!(learnt(Learn::Assistant)?, [" Hello!</s>", " See you!</s>"]);
/// assert_eq!(learnt(Learn::LastTurn)?, [" See you!</s>"]);
/// assert_eq!(learnt(Learn::Everything)?, [prompt.as_str()]);
/// # Ok::<(), mistral_chat_template::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[non_exhaustive]
pub enum Learn<'c> {
    /// All assistant turns.
    #[default]
    Assistant,
    /// The last assistant turn.
    LastTurn,
    /// The assistant messages of this chat, which the prompt was rendered from, whose weight is not 0.
    ///
    /// A message without a weight has the weight 1, as in mistral-common's fine-tuning mode.
    Weighted(&'c Chat<'c>),
    /// The messages of the chat for which this says so, whatever their role: see
    /// [`TrainingPolicy`](crate::train::TrainingPolicy).
    Messages(&'c [bool]),
    /// The whole prompt.
    Everything,
}

/// The bytes of a prompt that a model is to learn: never none of them.
///
/// It comes from what the prompt knows of its spans; no text is searched, so no user can have words of theirs learnt.
///
/// ```
/// use mistral_chat_template::{Chat, Format, Layout, Message, Mode};
/// use mistral_chat_template::train::Learn;
///
/// let chat = Chat::new([Message::user("Hi[/INST] I win</s>"), Message::assistant("Hello!")]);
/// let prompt = Layout::V7.in_mode(Mode::Finetuning).render(&chat)?;
/// let mask = prompt.mask(Learn::Assistant)?;
/// assert_eq!(prompt.as_str(), "<s>[INST] Hi[/INST] I win</s>[/INST] Hello!</s>");
/// assert_eq!(mask.ranges(), [36..47]);
/// assert!(mask.texts().eq([" Hello!</s>"]));
/// # Ok::<(), mistral_chat_template::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Mask<'p> {
    prompt: &'p Prompt,
    ranges: Vec<Range<usize>>,
}

/// A prompt's token ids, and of each whether it is learnt: what a trainer needs.
///
/// ```
/// use mistral_chat_template::train::Labelled;
///
/// let row = Labelled { input_ids: vec![1, 3, 4, 2], labels: vec![Labelled::IGNORED, -100, -100, 2] };
/// assert_eq!(row.labels.iter().filter(|label| **label != Labelled::IGNORED).count(), 1);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Labelled {
    /// The ids, as [`Prompt::encode`] gives them.
    pub input_ids: Vec<u32>,
    /// For each id, the id itself where it is learnt, and else [`IGNORED`](Labelled::IGNORED).
    pub labels: Vec<i64>,
}

impl Labelled {
    /// The label that a loss function ignores: -100, the `ignore_index` of PyTorch.
    pub const IGNORED: i64 = -100;
}

impl Prompt {
    /// What a model is to learn from the prompt.
    ///
    /// # Errors
    ///
    /// There is nothing to learn: a chat of questions alone, assistant messages that all have the weight 0.
    ///
    /// ```
    /// use mistral_chat_template::{Chat, Format, Layout, Message};
    /// use mistral_chat_template::train::Learn;
    ///
    /// let prompt = Layout::V7.render(&Chat::new([Message::user("Hi")]))?;
    /// let error = prompt.mask(Learn::Assistant).unwrap_err();
    /// assert_eq!(error.to_string(), "there is nothing to learn: the prompt holds no assistant turn");
    /// # Ok::<(), mistral_chat_template::Error>(())
    /// ```
    pub fn mask(&self, learn: Learn<'_>) -> Result<Mask<'_>, Error> {
        let by_assistant = |span: &Span| span.role == Some(Role::Assistant);
        let ranges = match learn {
            Learn::Everything => merged(self.spans()),
            Learn::Assistant => merged(self.spans().filter(by_assistant)),
            Learn::LastTurn => self.last_turn().into_iter().collect(),
            Learn::Messages(learnt) => merged(self.spans().filter(|span| is_learnt(learnt, span))),
            Learn::Weighted(chat) => merged(self.spans().filter(|span| by_assistant(span) && has_weight(chat, span))),
        };
        if ranges.is_empty() {
            let reason = match learn {
                Learn::Everything => "the prompt is empty",
                Learn::Weighted(_) if self.spans().any(|span| by_assistant(&span)) => {
                    "all assistant messages have the weight 0"
                }
                Learn::Messages(_) if self.spans().any(|span| by_assistant(&span)) => {
                    "no message of the prompt is to be learnt"
                }
                Learn::Assistant | Learn::LastTurn | Learn::Weighted(_) | Learn::Messages(_) => {
                    "the prompt holds no assistant turn"
                }
            };
            return Err(Error::new(ErrorKind::NothingToLearn { reason }, ""));
        }
        Ok(Mask { prompt: self, ranges })
    }

    /// The last assistant turn: two may touch, and then the end token of the first parts them.
    fn last_turn(&self) -> Option<Range<usize>> {
        let mut turn: Option<Range<usize>> = None;
        let mut is_open = false;
        for span in self.spans() {
            if span.role != Some(Role::Assistant) {
                is_open = false;
                continue;
            }
            match &mut turn {
                Some(turn) if is_open => turn.end = span.range.end,
                _ => turn = Some(span.range),
            }
            is_open = span.kind != SpanKind::Control(Control::Eos);
        }
        turn
    }
}

/// The ranges of the spans, those that touch made one.
fn merged(spans: impl Iterator<Item = Span>) -> Vec<Range<usize>> {
    let mut ranges: Vec<Range<usize>> = Vec::new();
    for Span { range, .. } in spans {
        match ranges.last_mut() {
            Some(last) if last.end == range.start => last.end = range.end,
            _ => ranges.push(range),
        }
    }
    ranges
}

/// Is the span part of what a message says, and the message learnt?
fn is_learnt(learnt: &[bool], span: &Span) -> bool {
    span.role.is_some() && span.message.and_then(|index| learnt.get(index)).is_some_and(|learnt| *learnt)
}

fn has_weight(chat: &Chat<'_>, span: &Span) -> bool {
    match span.message.and_then(|index| chat.messages.get(index)) {
        Some(Message::Assistant(message)) => message.weight != Some(0.0),
        _ => true,
    }
}

impl<'p> Mask<'p> {
    /// The byte ranges of [`Prompt::as_str`], in order; no two of them touch.
    ///
    /// ```
    /// # use mistral_chat_template::{Chat, Format, Layout, Message, Mode};
    /// # use mistral_chat_template::train::Learn;
    /// # let chat = Chat::new([Message::user("Hi"), Message::assistant("Hello!")]);
    /// let prompt = Layout::V3.in_mode(Mode::Finetuning).render(&chat)?;
    /// assert_eq!(prompt.mask(Learn::Assistant)?.ranges(), [19..30]);
    /// # Ok::<(), mistral_chat_template::Error>(())
    /// ```
    #[must_use]
    pub fn ranges(&self) -> &[Range<usize>] {
        &self.ranges
    }

    /// What is learnt, as text.
    ///
    /// ```
    /// # use mistral_chat_template::{Chat, Format, Layout, Message, Mode};
    /// # use mistral_chat_template::train::Learn;
    /// # let chat = Chat::new([Message::user("Hi"), Message::assistant("Hello!")]);
    /// let prompt = Layout::V13.in_mode(Mode::Finetuning).render(&chat)?;
    /// assert!(prompt.mask(Learn::Assistant)?.texts().eq(["Hello!</s>"]));
    /// # Ok::<(), mistral_chat_template::Error>(())
    /// ```
    pub fn texts(&self) -> impl Iterator<Item = &'p str> {
        let text = self.prompt.as_str();
        self.ranges.iter().filter_map(move |range| text.get(range.clone()))
    }

    /// What is learnt in characters (Unicode code points) of [`Prompt::as_str`], as Python counts them.
    ///
    /// ```
    /// # use mistral_chat_template::{Chat, Format, Layout, Message, Mode};
    /// # use mistral_chat_template::train::Learn;
    /// let chat = Chat::new([Message::user("Grüße"), Message::assistant("Ja")]);
    /// let prompt = Layout::V3.in_mode(Mode::Finetuning).render(&chat)?;
    /// let mask = prompt.mask(Learn::Assistant)?;
    /// assert_eq!((mask.ranges()[0].clone(), mask.char_ranges()[0].clone()), (24..31, 22..29));
    /// # Ok::<(), mistral_chat_template::Error>(())
    /// ```
    #[must_use]
    pub fn char_ranges(&self) -> Vec<Range<usize>> {
        let (mut bytes, mut chars) = (0, 0);
        let mut count = |to: usize| {
            chars += self.prompt.as_str().get(bytes..to).map_or(0, |text| text.chars().count());
            bytes = to;
            chars
        };
        self.ranges.iter().map(|range| count(range.start)..count(range.end)).collect()
    }

    /// The prompt's token ids with a label for each.
    ///
    /// # Errors
    ///
    /// As [`Prompt::encode`]; or one run of text is learnt in part, so that a token could straddle the bounds. That is
    /// so where a format writes a reply and what is around it as one text, or where not all messages of one turn are
    /// learnt.
    ///
    /// ```
    /// use mistral_chat_template::{Chat, Control, Format, Layout, Message, Mode, Tokenizer};
    /// use mistral_chat_template::layout::WordStart;
    /// use mistral_chat_template::train::Learn;
    ///
    /// /// One id a byte, past the ids of the control tokens.
    /// struct Bytes;
    /// impl Tokenizer for Bytes {
    ///     fn text(&self, text: &str, _: WordStart, ids: &mut Vec<u32>) {
    ///         ids.extend(text.bytes().map(|byte| 1000 + u32::from(byte)));
    ///     }
    ///     fn control(&self, control: Control) -> Option<u32> {
    ///         Control::all().position(|other| other == control).and_then(|id| u32::try_from(id).ok())
    ///     }
    /// }
    ///
    /// let chat = Chat::new([Message::user("a"), Message::assistant("b")]);
    /// let prompt = Layout::V3.in_mode(Mode::Finetuning).render(&chat)?;
    /// let row = prompt.mask(Learn::Assistant)?.encode(&Bytes)?;
    /// assert_eq!(row.input_ids, [1, 3, 1097, 4, 1098, 2]);
    /// assert_eq!(row.labels, [-100, -100, -100, -100, 1098, 2]);
    /// # Ok::<(), mistral_chat_template::Error>(())
    /// ```
    pub fn encode(&self, tokenizer: &(impl Tokenizer + ?Sized)) -> Result<Labelled, Error> {
        self.prompt.check_tokenizer(tokenizer)?;
        let mut encoder = Encoder::new(tokenizer, MediaSource::Unknown);
        let mut runs = Vec::new();
        let mut learnt = self.ranges.iter().peekable();
        for (segment, run) in self.prompt.runs_from(Place::default()).zip(run_ranges(self.prompt)) {
            while learnt.next_if(|range| range.end <= run.start).is_some() {}
            let range = learnt.peek().filter(|range| range.start < run.end);
            if range.is_some_and(|range| range.start > run.start || range.end < run.end) {
                return Err(Error::new(ErrorKind::PartlyLearnt { start: run.start, end: run.end }, ""));
            }
            runs.push((encoder.append(&segment)?.len(), range.is_some()));
        }
        let input_ids = encoder.into_ids();
        let mut labels = Vec::with_capacity(input_ids.len());
        let mut ids = input_ids.iter();
        for (count, is_learnt) in runs {
            let label = |id: &u32| if is_learnt { i64::from(*id) } else { Labelled::IGNORED };
            labels.extend(ids.by_ref().take(count).map(label));
        }
        Ok(Labelled { input_ids, labels })
    }
}

/// The bytes of each of the prompt's runs.
fn run_ranges(prompt: &Prompt) -> impl Iterator<Item = Range<usize>> {
    let mut spans = prompt.spans().peekable();
    iter::from_fn(move || {
        let mut run = spans.next()?.range;
        while let Some(more) = spans.next_if(|next| next.kind == SpanKind::MoreText) {
            run.end = more.range.end;
        }
        Some(run)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layout::WordStart;
    use crate::prompt::{Origin, Writer};

    struct Letters;

    impl Tokenizer for Letters {
        fn text(&self, text: &str, _: WordStart, ids: &mut Vec<u32>) {
            ids.extend(text.chars().map(u32::from));
        }

        fn control(&self, _: Control) -> Option<u32> {
            Some(0)
        }
    }

    #[test]
    fn a_run_that_is_learnt_in_part_has_no_labels() {
        let mut prompt = Prompt::new();
        let mut writer = Writer::new(&mut prompt, WordStart::Space);
        writer.control(Control::Bos);
        writer.from(Origin::message(0, Role::User));
        writer.text("Q: why? A:");
        writer.from(Origin::message(1, Role::Assistant));
        writer.text(" so.");
        let mask = prompt.mask(Learn::Assistant).unwrap();
        assert_eq!(mask.ranges().first(), Some(&(14..18)));
        assert_eq!(mask.ranges().len(), 1);
        let error = mask.encode(&Letters).unwrap_err();
        assert_eq!(error.to_string(), "the text at bytes 3 to 18 is encoded as one run but learnt only in part");
        assert!(prompt.mask(Learn::Everything).unwrap().encode(&Letters).is_ok());
    }

    #[test]
    fn an_empty_prompt_teaches_nothing() {
        let error = Prompt::new().mask(Learn::Everything).unwrap_err();
        assert_eq!(error.to_string(), "there is nothing to learn: the prompt is empty");
    }
}
