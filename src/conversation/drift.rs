//! [`Drift`]: where the ids that were sampled are others than those that rendering gives.

use super::Conversation;
use super::ids::{Inside, SampledTurns};
use crate::error::Error;
use crate::prompt::{Encoder, MediaSource, Place, Tokenizer};

impl<T: Tokenizer> Conversation<'_, T> {
    /// The finished turns whose ids are others than those that rendering the messages gives.
    ///
    /// # Errors
    ///
    /// As [`Prompt::encode`](crate::Prompt::encode).
    pub fn drift(&self) -> Result<Vec<Drift>, Error> {
        let (Some(tokenizer), prompt, turns) = self.seen() else { return Ok(Vec::new()) };
        let mut inside = Inside::new(prompt.chat(), turns, prompt.layout().reply.close);
        let mut rendered: Vec<(usize, Encoder<'_, T>)> = Vec::new();
        for run in prompt.prompt().runs_from(Place::default()) {
            let Some((first, begins)) = inside.next(&run) else { continue };
            if begins {
                rendered.push((first, Encoder::new(tokenizer, MediaSource::Chat(prompt.chat()))));
            }
            if let Some((_, encoder)) = rendered.last_mut() {
                encoder.append(&run)?;
            }
        }
        Ok(rendered.into_iter().filter_map(|(first, encoder)| drift_of(turns, first, encoder.into_ids())).collect())
    }
}

fn drift_of(turns: &SampledTurns, message: usize, rendered: Vec<u32>) -> Option<Drift> {
    let turn = turns.get(&message)?;
    let at = turn.ids.iter().zip(&rendered).take_while(|(one, other)| one == other).count();
    let start = turn.start.filter(|_| turn.ids != rendered)?;
    Some(Drift { message, start, at, ids: turn.ids.clone(), rendered })
}

/// An assistant turn whose ids are others than those that its rendered messages give.
///
/// ```
/// # use mistral_chat_template::{AssistantMessage, Chat, Control, Layout, Message, Tokenizer, Conversation};
/// # use mistral_chat_template::layout::WordStart;
/// # struct Bytes;
/// # impl Tokenizer for Bytes {
/// #     fn text(&self, text: &str, _: WordStart, ids: &mut Vec<u32>) {
/// #         ids.extend(text.bytes().map(|byte| 1000 + u32::from(byte)));
/// #     }
/// #     fn control(&self, control: Control) -> Option<u32> {
/// #         Control::all().position(|other| other == control).and_then(|id| u32::try_from(id).ok())
/// #     }
/// # }
/// let mut conversation = Conversation::new(Chat::new([Message::user("Hi")]), &Layout::V7, Bytes)?;
/// let message = AssistantMessage { content: "Hi ".into(), ..AssistantMessage::default() };
/// conversation.reply(message, &[1072, 1105, 1032, 2]); // "Hi </s>"
/// conversation.append([Message::user("Bye")])?;
///
/// let drift = &conversation.drift()?[0];
/// assert_eq!((drift.message, drift.at), (1, 2), "the layout trims the space");
/// assert_eq!(drift.rendered, [1072, 1105, 2]);
/// # Ok::<(), mistral_chat_template::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Drift {
    /// The first message of the turn.
    pub message: usize,
    /// Where the turn's ids begin in the conversation.
    pub start: usize,
    /// The position of the first id that differs, from the beginning of the turn.
    pub at: usize,
    /// The turn's ids in the conversation.
    pub ids: Vec<u32>,
    /// The ids that the rendered messages give.
    pub rendered: Vec<u32>,
}

impl Drift {
    /// Is the text another one too, by the caller's decoder? Where not, the same text was sampled in other pieces.
    ///
    /// ```
    /// # use mistral_chat_template::{AssistantMessage, Chat, Control, Layout, Message, Tokenizer, Conversation};
    /// # use mistral_chat_template::layout::WordStart;
    /// # struct Bytes;
    /// # impl Tokenizer for Bytes {
    /// #     fn text(&self, text: &str, _: WordStart, ids: &mut Vec<u32>) {
    /// #         ids.extend(text.bytes().map(|byte| 1000 + u32::from(byte)));
    /// #     }
    /// #     fn control(&self, control: Control) -> Option<u32> {
    /// #         Control::all().position(|other| other == control).and_then(|id| u32::try_from(id).ok())
    /// #     }
    /// # }
    /// # let decode = |ids: &[u32]| -> String {
    /// #     let text = |id: &u32| if *id == 5000 { "Hi".to_owned() } else { char::from_u32(id - 1000).unwrap().to_string() };
    /// #     ids.iter().filter(|id| **id > 1000).map(text).collect()
    /// # };
    /// let mut conversation = Conversation::new(Chat::new([Message::user("Hi")]), &Layout::V7, Bytes)?;
    /// let message = AssistantMessage { content: "Hi".into(), ..AssistantMessage::default() };
    /// conversation.reply(message, &[5000, 2]);
    /// conversation.append([Message::user("Bye")])?;
    /// assert!(!conversation.drift()?[0].is_in_text(decode), "\"Hi\" as one id, and as two");
    /// # Ok::<(), mistral_chat_template::Error>(())
    /// ```
    pub fn is_in_text(&self, mut decode: impl FnMut(&[u32]) -> String) -> bool {
        decode(&self.ids) != decode(&self.rendered)
    }
}
