//! [`CallDeltas`] and [`NewCallIds`]: how tool calls reach a client, and under which ids.

use std::fmt;
use std::hash::{BuildHasher, RandomState};

use crate::chat::{Dialect, new_call_id};
use crate::layout::Layout;

/// How tool calls reach a client.
///
/// | | [`Streamed`](CallDeltas::Streamed) | [`Whole`](CallDeltas::Whole) |
/// | --- | --- | --- |
/// | a call is sent | when its name is known; arguments follow as they come | once, when it is complete |
/// | its id, in v11 | the model's own | the model's own |
/// | its id, in v3 and v7 (which write it last) | a new one | the model's own |
/// | its id, in v2, v13 and v15 (which write none) | a new one | a new one |
/// | a call that was cut off | as far as it goes | not sent: left over, so that no client runs half a call |
/// | clients that accept it | OpenAI's, the AI SDK | those, and mistralai's, which does not put pieces together |
///
/// The next request has the ids that the client was sent. In v2, v13 and v15 no id stands in the prompt, so both ways
/// continue what the model sampled. In v3 and v7 *streamed* ids differ from the sampled ones: the next prompt differs from
/// what was sampled at the first id, and a prefix cache holds up to there. *Whole* calls keep it all. The id that the model
/// wrote is reported at the call's end ([`ToolCallEnd`](crate::completion::ToolCallEnd)), for servers that use it.
///
/// ```
/// use mistral_chat_template::{CompletionReader, Layout};
/// use mistral_chat_template::completion::{CallDeltas, Delta, NewCallIds};
///
/// let output = r#"[TOOL_CALLS][{"name": "now", "arguments": {}, "id": "abc123def"}]"#;
/// let first_id = |calls| match CompletionReader::new(&Layout::V7).with_calls(calls).push(output).next() {
///     Some(Delta::ToolCall(call)) => call.id,
///     _ => None,
/// };
/// assert_eq!(first_id(CallDeltas::Streamed(NewCallIds::seeded(7))).as_deref(), Some("WylX70R33"));
/// assert_eq!(first_id(CallDeltas::Whole(NewCallIds::seeded(7))).as_deref(), Some("abc123def"));
/// ```
#[derive(Debug)]
#[non_exhaustive]
pub enum CallDeltas {
    /// A call as it is written: its name first, then its arguments piece by piece.
    Streamed(NewCallIds),
    /// Each call in one delta, when the model has ended it.
    Whole(NewCallIds),
}

impl CallDeltas {
    /// What serves a client of this API best: calls as they are written, but whole ones where the client puts no pieces
    /// together (mistralai), and where the layout writes a call's id last (v3, v7), so that the prompt goes on with what
    /// was sampled.
    ///
    /// ```
    /// use mistral_chat_template::completion::{CallDeltas, NewCallIds};
    /// use mistral_chat_template::{Dialect, Layout};
    ///
    /// let calls = |dialect, layout| CallDeltas::for_client(dialect, layout, NewCallIds::random());
    /// assert!(matches!(calls(Dialect::OpenAi, &Layout::V13), CallDeltas::Streamed(_)));
    /// assert!(matches!(calls(Dialect::OpenAi, &Layout::V7), CallDeltas::Whole(_)));
    /// assert!(matches!(calls(Dialect::Mistral, &Layout::V13), CallDeltas::Whole(_)));
    /// ```
    #[must_use]
    pub fn for_client(dialect: Dialect, layout: &Layout, ids: NewCallIds) -> Self {
        let takes_pieces = match dialect {
            Dialect::Mistral | Dialect::Conversations => false,
            Dialect::Either
            | Dialect::OpenAi
            | Dialect::Legacy
            | Dialect::ShareGpt
            | Dialect::Responses
            | Dialect::Anthropic
            | Dialect::Ollama
            | Dialect::Gemini => true,
        };
        if takes_pieces && !layout.calls.writes_ids_last() { CallDeltas::Streamed(ids) } else { CallDeltas::Whole(ids) }
    }
}

/// No new ids: a call has the id that the model wrote before its name, or none. For logs and trainers.
impl Default for CallDeltas {
    fn default() -> Self {
        CallDeltas::Streamed(NewCallIds::none())
    }
}

/// The source of ids for calls whose own id is not known when they are sent.
///
/// ```
/// use mistral_chat_template::{CompletionReader, Layout};
/// use mistral_chat_template::completion::{CallDeltas, Delta, NewCallIds};
///
/// let ids = NewCallIds::from_fn(|index, name| format!("{name:_<8}{index}"));
/// let mut reader = CompletionReader::new(&Layout::V13).with_calls(CallDeltas::Streamed(ids));
/// let Some(Delta::ToolCall(call)) = reader.push("[TOOL_CALLS]now[ARGS]{}").next() else { unreachable!() };
/// assert_eq!(call.id.as_deref(), Some("now_____0"));
/// ```
pub struct NewCallIds(Source);

enum Source {
    None,
    Seed(u64),
    Function(Box<Maker>),
}

/// A call's index and name into its id.
type Maker = dyn FnMut(usize, &str) -> String + Send + Sync;

impl NewCallIds {
    /// No new ids.
    #[must_use]
    pub const fn none() -> Self {
        NewCallIds(Source::None)
    }

    /// The ids of [`new_call_id`]: nine letters or digits, which every layout accepts, computed from the seed and the
    /// call's index. A seed is for one answer: ids of one conversation must differ.
    #[must_use]
    pub const fn seeded(seed: u64) -> Self {
        NewCallIds(Source::Seed(seed))
    }

    /// Nine letters or digits, computed from a random seed.
    ///
    /// ```
    /// use mistral_chat_template::completion::NewCallIds;
    ///
    /// let ids = NewCallIds::random();
    /// # let _ = ids;
    /// ```
    #[must_use]
    pub fn random() -> Self {
        NewCallIds::seeded(RandomState::new().hash_one(0))
    }

    /// What the function returns for a call's index and name. Layouts before v13 accept nine ASCII letters or digits.
    pub fn from_fn(function: impl FnMut(usize, &str) -> String + Send + Sync + 'static) -> Self {
        NewCallIds(Source::Function(Box::new(function)))
    }

    pub(super) fn make(&mut self, index: usize, name: &str) -> Option<String> {
        match &mut self.0 {
            Source::None => None,
            Source::Seed(seed) => Some(new_call_id(*seed, index)),
            Source::Function(function) => Some(function(index, name)),
        }
    }
}

impl fmt::Debug for NewCallIds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Source::None => f.write_str("NewCallIds::none()"),
            Source::Seed(seed) => write!(f, "NewCallIds::seeded({seed})"),
            Source::Function(_) => f.write_str("NewCallIds::from_fn(…)"),
        }
    }
}
