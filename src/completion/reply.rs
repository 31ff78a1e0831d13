//! Answers in the response form of the API that asked: whole, and as the events of a stream.
//!
//! The forms are those that openai 3.57 (`chat.completions`, `responses`), mistralai 3.7 (`chat`) and anthropic 0.x
//! (`messages`) for Python read.

use serde::Serialize;
use serde_json::{Value, json};

use super::{Completion, Delta, FinishReason};
use crate::chat::Dialect;

mod anthropic;
mod blocks;
mod completions;
mod responses;

/// What a response says beside the answer.
///
/// ```
/// use mistral_chat_template::{Completion, Dialect, Layout};
/// use mistral_chat_template::completion::ReplyHead;
///
/// let head = ReplyHead { id: "42", model: "devstral", created: 1_764_000_000, ..ReplyHead::default() };
/// let completion = Completion::from_text("Hello!</s>", &Layout::V13);
/// let response = serde_json::to_value(completion.response(Dialect::OpenAi, head))?;
/// assert_eq!(response["choices"][0]["message"]["content"], "Hello!");
/// assert_eq!(response["id"], "chatcmpl-42");
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ReplyHead<'h> {
    /// What makes the response's id, and those of its items, this response's own; each API puts its prefix before it.
    pub id: &'h str,
    /// The model's name, as the request had it.
    pub model: &'h str,
    /// When the response was made, in seconds since 1970.
    pub created: u64,
    /// How many tokens the prompt has.
    pub prompt_tokens: u64,
    /// How many tokens the answer has; of a stream, so far.
    pub completion_tokens: u64,
}

impl Completion {
    /// The whole response of a dialect's API: OpenAI's or Mistral's chat completions, OpenAI's Responses, or Anthropic's
    /// Messages. Of other dialects it is that of OpenAI's chat completions.
    ///
    /// Text that has no place in the message ([`rest`](Completion::rest)) is not in it either.
    ///
    /// ```
    /// use mistral_chat_template::{Completion, Dialect, Layout};
    /// use mistral_chat_template::completion::ReplyHead;
    ///
    /// let completion = Completion::from_text("[TOOL_CALLS]now[CALL_ID]abc123def[ARGS]{}</s>", &Layout::V11);
    /// let head = ReplyHead { id: "42", model: "devstral", ..ReplyHead::default() };
    /// let response = serde_json::to_value(completion.response(Dialect::Anthropic, head))?;
    /// assert_eq!(response["stop_reason"], "tool_use");
    /// assert_eq!(response["content"][0]["id"], "abc123def");
    /// # Ok::<(), serde_json::Error>(())
    /// ```
    pub fn response(&self, dialect: Dialect, head: ReplyHead<'_>) -> impl Serialize + use<> {
        match form(dialect) {
            Form::Completions => completions::whole(self, dialect, head),
            Form::Responses => responses::whole(self, head),
            Form::Anthropic => anthropic::whole(self, head),
        }
    }
}

/// Whose form a response has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    Completions,
    Responses,
    Anthropic,
}

const fn form(dialect: Dialect) -> Form {
    match dialect {
        Dialect::Responses => Form::Responses,
        Dialect::Anthropic => Form::Anthropic,
        _ => Form::Completions,
    }
}

/// One event of a stream, as server-sent events have it.
///
/// ```
/// use mistral_chat_template::Dialect;
/// use mistral_chat_template::completion::{Delta, ReplyEvents, ReplyHead};
///
/// let head = ReplyHead { id: "42", model: "m", ..ReplyHead::default() };
/// let mut events = ReplyEvents::new(Dialect::Anthropic, head);
/// assert!(events.begin(head)[0].to_string().starts_with("event: message_start\ndata: {"));
/// assert_eq!(events.push(&Delta::Text("Hi".to_owned())).len(), 2, "a block begins, and has text");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ReplyEvent {
    /// The event's name, for the APIs that name theirs.
    pub name: Option<&'static str>,
    /// The event's data: JSON, but for the `[DONE]` at the end of chat completions.
    pub data: String,
}

impl ReplyEvent {
    fn named(name: &'static str, data: &Value) -> Self {
        ReplyEvent { name: Some(name), data: data.to_string() }
    }

    fn unnamed(data: &Value) -> Self {
        ReplyEvent { name: None, data: data.to_string() }
    }
}

/// Writes the event as it goes over the wire, with the empty line behind it.
impl std::fmt::Display for ReplyEvent {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if let Some(name) = self.name {
            writeln!(f, "event: {name}")?;
        }
        write!(f, "data: {}\n\n", self.data)
    }
}

/// Writes the deltas of an answer as the events of a dialect's stream.
///
/// ```
/// use mistral_chat_template::{Completion, CompletionReader, Dialect, Layout};
/// use mistral_chat_template::completion::{CallDeltas, NewCallIds, ReplyEvents, ReplyHead};
///
/// let head = ReplyHead { id: "42", model: "devstral", ..ReplyHead::default() };
/// let mut reader = CompletionReader::new(&Layout::V13).with_calls(CallDeltas::Streamed(NewCallIds::seeded(7)));
/// let mut events = ReplyEvents::new(Dialect::Responses, head);
/// let mut stream = events.begin(head);
/// for delta in reader.push("Let me look.[TOOL_CALLS]now[ARGS]{}</s>") {
///     stream.extend(events.push(&delta));
/// }
/// let mut completion = Completion::default();
/// completion.finish(reader.finish());
/// stream.extend(events.finish(completion.finish_reason(), head));
/// assert_eq!(stream.last().unwrap().name, Some("response.completed"));
/// ```
#[derive(Debug)]
pub struct ReplyEvents {
    state: State,
}

#[derive(Debug)]
enum State {
    Completions(completions::Stream),
    Responses(responses::Stream),
    Anthropic(anthropic::Stream),
}

impl ReplyEvents {
    /// The events of one answer, in the form of this dialect's API (see [`Completion::response`]).
    #[must_use]
    pub fn new(dialect: Dialect, head: ReplyHead<'_>) -> Self {
        let state = match form(dialect) {
            Form::Completions => State::Completions(completions::Stream::new(dialect, head)),
            Form::Responses => State::Responses(responses::Stream::new(head)),
            Form::Anthropic => State::Anthropic(anthropic::Stream::new(head)),
        };
        ReplyEvents { state }
    }

    /// The events before the first delta.
    ///
    /// See [`ReplyEvents`] for an example.
    #[must_use = "the events are to be sent"]
    pub fn begin(&mut self, head: ReplyHead<'_>) -> Vec<ReplyEvent> {
        match &mut self.state {
            State::Completions(stream) => stream.begin(),
            State::Responses(stream) => stream.begin(),
            State::Anthropic(stream) => stream.begin(head),
        }
    }

    /// The events of a delta; those that an API has no word for have none.
    ///
    /// See [`ReplyEvents`] for an example.
    #[must_use = "the events are to be sent"]
    pub fn push(&mut self, delta: &Delta) -> Vec<ReplyEvent> {
        match &mut self.state {
            State::Completions(stream) => stream.push(delta),
            State::Responses(stream) => stream.push(delta),
            State::Anthropic(stream) => stream.push(delta),
        }
    }

    /// The events behind the last delta. The head has how many tokens there were.
    ///
    /// See [`ReplyEvents`] for an example.
    #[must_use = "the events are to be sent"]
    pub fn finish(&mut self, reason: FinishReason, head: ReplyHead<'_>) -> Vec<ReplyEvent> {
        match &mut self.state {
            State::Completions(stream) => stream.finish(reason, head),
            State::Responses(stream) => stream.finish(reason, head),
            State::Anthropic(stream) => stream.finish(reason, head),
        }
    }
}

/// OpenAI's and Mistral's count of tokens.
fn usage(head: ReplyHead<'_>) -> Value {
    json!({
        "prompt_tokens": head.prompt_tokens,
        "completion_tokens": head.completion_tokens,
        "total_tokens": head.prompt_tokens + head.completion_tokens,
    })
}
