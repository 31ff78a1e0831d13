//! Answers in the response form of the API that asked: whole, and as the events of a stream.
//!
//! The forms are those that these clients for Python read: openai 3.57 (`chat.completions`, `responses`), mistralai 3.7
//! (`chat`), anthropic 2.14 (`messages`), ollama 0.6 (`chat`) and google-genai 3.6 (`models.generate_content`).

use serde::Serialize;
use serde_json::Value;

use self::blocks::BlockStream;
use super::{Completion, Delta, FinishReason};
use crate::chat::Dialect;

mod anthropic;
mod blocks;
mod completions;
mod gemini;
mod ollama;
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
    /// The whole response in the form of the API that asked.
    ///
    /// | [`Dialect`] | form | thinking |
    /// | --- | --- | --- |
    /// | `OpenAi`, and those without a row | OpenAI's chat completions | `reasoning_content` of the message |
    /// | `Mistral` | Mistral's chat completions | a chunk of the content |
    /// | `Responses` | OpenAI's Responses | an item `reasoning` |
    /// | `Anthropic` | Anthropic's Messages | a block `thinking` |
    /// | `Ollama` | Ollama's `/api/chat` | `thinking` of the message |
    /// | `Gemini` | Gemini's `generateContent` | a part with `thought` |
    ///
    /// Text that has no place in the message ([`rest`](Completion::rest)) is not in it either. Anthropic's, Ollama's and
    /// Gemini's calls have their arguments as an object. One whose arguments are none, such as a call that was cut off,
    /// has the text that the model wrote in Anthropic's form, and does not stand in Ollama's and Gemini's:
    /// [`error`](Completion::error) says what is wrong with it, and Gemini's finish reason, too.
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
        match Form::of(dialect) {
            Form::Completions => Response::Completions(completions::whole(self, dialect, head)),
            Form::Responses => Response::Responses(responses::whole(self, head)),
            Form::Anthropic => Response::Anthropic(anthropic::whole(self, head)),
            Form::Ollama => Response::Ollama(ollama::whole(self, head)),
            Form::Gemini => Response::Gemini(gemini::whole(self, head)),
        }
    }
}

/// A whole response, by its form.
#[derive(Serialize)]
#[serde(untagged)]
enum Response<A, O, G> {
    Completions(Value),
    Responses(Value),
    Anthropic(A),
    Ollama(O),
    Gemini(G),
}

/// Whose form a response has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    Completions,
    Responses,
    Anthropic,
    Ollama,
    Gemini,
}

impl Form {
    const fn of(dialect: Dialect) -> Self {
        match dialect {
            Dialect::Responses => Form::Responses,
            Dialect::Anthropic => Form::Anthropic,
            Dialect::Ollama => Form::Ollama,
            Dialect::Gemini => Form::Gemini,
            Dialect::Either
            | Dialect::Mistral
            | Dialect::OpenAi
            | Dialect::Legacy
            | Dialect::ShareGpt
            | Dialect::Conversations => Form::Completions,
        }
    }
}

/// One event of a stream: a server-sent event, or for Ollama a line of JSON.
///
/// ```
/// use mistral_chat_template::Dialect;
/// use mistral_chat_template::completion::{Delta, ReplyEvents, ReplyHead};
///
/// let head = ReplyHead { id: "42", model: "m", ..ReplyHead::default() };
/// let mut events = ReplyEvents::new(Dialect::Anthropic, head);
/// assert!(events.begin()[0].to_string().starts_with("event: message_start\ndata: {"));
/// assert_eq!(events.push(&Delta::Text("Hi".to_owned())).len(), 2, "a block begins, and has text");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ReplyEvent {
    /// The event's name, for the APIs that name theirs.
    pub name: Option<&'static str>,
    /// The event's data: JSON on one line, but for the `[DONE]` at the end of chat completions.
    pub data: String,
    framing: Framing,
}

/// What stands around an event's data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Framing {
    ServerSent,
    Line,
}

impl ReplyEvent {
    fn new(name: Option<&'static str>, data: &impl Serialize, framing: Framing) -> Self {
        // What is written here are texts, numbers and JSON: it cannot fail.
        ReplyEvent { name, data: serde_json::to_string(data).unwrap_or_default(), framing }
    }

    fn named(name: &'static str, data: &impl Serialize) -> Self {
        ReplyEvent::new(Some(name), data, Framing::ServerSent)
    }

    fn unnamed(data: &impl Serialize) -> Self {
        ReplyEvent::new(None, data, Framing::ServerSent)
    }

    fn line(data: &impl Serialize) -> Self {
        ReplyEvent::new(None, data, Framing::Line)
    }

    fn done() -> Self {
        ReplyEvent { name: None, data: "[DONE]".to_owned(), framing: Framing::ServerSent }
    }
}

/// Writes the event as it goes over the wire, with the empty line behind it.
impl std::fmt::Display for ReplyEvent {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.framing == Framing::Line {
            return writeln!(f, "{}", self.data);
        }
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
/// let mut stream = events.begin();
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
    stream: Stream,
    /// The events before the first delta, until they are taken.
    begin: Vec<ReplyEvent>,
}

#[derive(Debug)]
enum Stream {
    Completions(completions::Stream),
    Responses(BlockStream<responses::Writer>),
    Anthropic(BlockStream<anthropic::Writer>),
    Ollama(BlockStream<ollama::Writer>),
    Gemini(BlockStream<gemini::Writer>),
}

impl ReplyEvents {
    /// The events of one answer, in the form of this dialect's API (see [`Completion::response`]). Ollama's and Gemini's
    /// streams have each call in one piece.
    #[must_use]
    pub fn new(dialect: Dialect, head: ReplyHead<'_>) -> Self {
        let (stream, begin) = match Form::of(dialect) {
            Form::Completions => {
                let stream = completions::Stream::new(dialect, head);
                let begin = stream.begin();
                (Stream::Completions(stream), begin)
            }
            Form::Responses => {
                let mut writer = responses::Writer::new(head);
                let begin = writer.begin();
                (Stream::Responses(BlockStream::new(writer)), begin)
            }
            Form::Anthropic => (Stream::Anthropic(BlockStream::new(anthropic::Writer)), anthropic::Writer::begin(head)),
            Form::Ollama => (Stream::Ollama(BlockStream::new(ollama::Writer::new(head))), Vec::new()),
            Form::Gemini => (Stream::Gemini(BlockStream::new(gemini::Writer::new(head))), Vec::new()),
        };
        ReplyEvents { stream, begin }
    }

    /// The content type of the stream.
    ///
    /// ```
    /// use mistral_chat_template::Dialect;
    /// use mistral_chat_template::completion::{ReplyEvents, ReplyHead};
    ///
    /// let content_type = |dialect| ReplyEvents::new(dialect, ReplyHead::default()).content_type();
    /// assert_eq!(content_type(Dialect::Anthropic), "text/event-stream");
    /// assert_eq!(content_type(Dialect::Ollama), "application/x-ndjson");
    /// ```
    #[must_use]
    pub const fn content_type(&self) -> &'static str {
        match self.stream {
            Stream::Ollama(_) => "application/x-ndjson",
            Stream::Completions(_) | Stream::Responses(_) | Stream::Anthropic(_) | Stream::Gemini(_) => {
                "text/event-stream"
            }
        }
    }

    /// The events before the first delta.
    ///
    /// See [`ReplyEvents`] for an example.
    #[must_use = "the events are to be sent"]
    pub fn begin(&mut self) -> Vec<ReplyEvent> {
        std::mem::take(&mut self.begin)
    }

    /// The events of a delta; those that an API has no word for have none.
    ///
    /// See [`ReplyEvents`] for an example.
    #[must_use = "the events are to be sent"]
    pub fn push(&mut self, delta: &Delta) -> Vec<ReplyEvent> {
        match &mut self.stream {
            Stream::Completions(stream) => stream.push(delta),
            Stream::Responses(stream) => stream.push(delta),
            Stream::Anthropic(stream) => stream.push(delta),
            Stream::Ollama(stream) => stream.push(delta),
            Stream::Gemini(stream) => stream.push(delta),
        }
    }

    /// The events behind the last delta. The head has how many tokens there were.
    ///
    /// See [`ReplyEvents`] for an example.
    #[must_use = "the events are to be sent"]
    pub fn finish(&mut self, reason: FinishReason, head: ReplyHead<'_>) -> Vec<ReplyEvent> {
        match &mut self.stream {
            Stream::Completions(stream) => stream.finish(reason, head),
            Stream::Responses(stream) => stream.finish(reason, head),
            Stream::Anthropic(stream) => stream.finish(reason, head),
            Stream::Ollama(stream) => stream.finish(reason, head),
            Stream::Gemini(stream) => stream.finish(reason, head),
        }
    }
}
