//! A `{"version", "completion"}` line: a model's output in; out come the message in mistral-common's JSON, what has no
//! place in it, what is wrong, and what a client would be sent.

use std::borrow::Cow;
use std::fmt::Write as _;

use mistral_chat_template::completion::{CallDeltas, Delta, Leniency, NewCallIds, NewDeltas};
use mistral_chat_template::version::Feature;
use mistral_chat_template::{
    AssistantMessage, Chunk, CompletionReader, Content, Control, Error, Layout, Segment, Tool, ToolCall, python_json,
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// The seed of ids that the layout does not write, so that the same line has the same answer.
const SEED: u64 = 20_260_101;

/// An output: control tokens spelled out in a string, or a list of `{"control"}` and `{"text"}`.
#[derive(Deserialize)]
#[serde(untagged)]
pub(crate) enum Output {
    Text(String),
    Segments(Vec<Piece>),
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Piece {
    Control(String),
    Text(String),
}

/// How calls are told while the output streams.
#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Stream {
    Streamed,
    Whole,
}

/// What is asked of an output.
#[derive(Default)]
pub(crate) struct Wishes<'a> {
    pub(crate) leniency: Leniency,
    pub(crate) stream: Option<Stream>,
    pub(crate) tools: &'a [Tool<'a>],
}

/// What an output says.
#[derive(Debug, Serialize)]
pub(crate) struct Answer {
    pub(crate) message: Spoken,
    /// What has no place in the message.
    pub(crate) rest: String,
    /// Control tokens that had no place where they stood.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) stray: Vec<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    liberties: Option<Vec<Value>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    deltas: Option<Vec<Value>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    finish_reason: Option<&'static str>,
    #[serde(skip)]
    pub(crate) error: Option<Error>,
}

/// The message as mistral-common writes it: its types take a fraction of what JSON values do.
#[derive(Debug, Serialize)]
pub(crate) struct Spoken {
    role: &'static str,
    content: Value,
    tool_calls: Option<Vec<Called>>,
    prefix: bool,
}

#[derive(Debug, Serialize)]
struct Called {
    id: Cow<'static, str>,
    #[serde(rename = "type")]
    kind: &'static str,
    function: Function,
}

#[derive(Debug, Serialize)]
struct Function {
    name: Cow<'static, str>,
    arguments: String,
}

/// Reads an output.
pub(crate) fn read(output: &Output, layout: &Layout, wishes: &Wishes<'_>) -> Answer {
    let reader = || CompletionReader::new(layout).with_leniency(wishes.leniency).with_tools(wishes.tools);
    let completion = match output {
        Output::Text(text) => reader().read(text),
        Output::Segments(pieces) => reader().read_segments(pieces.iter().map(Piece::segment)),
    };
    let stray = |stray: &mistral_chat_template::completion::Stray| json!({"token": stray.control.as_str(), "offset": stray.offset, "fate": format!("{:?}", stray.fate)});
    let liberty = |liberty: &mistral_chat_template::completion::Liberty| json!({"kind": liberty.kind.name(), "at": liberty.at, "what": liberty.to_string()});
    let finish_reason = completion.finish_reason().as_str();
    Answer {
        message: message(completion.message, output, layout),
        rest: completion.rest,
        stray: completion.stray.iter().map(stray).collect(),
        liberties: match wishes.leniency {
            Leniency::Strict => None,
            _ => Some(completion.liberties.iter().map(liberty).collect()),
        },
        deltas: wishes.stream.map(|stream| deltas(output, reader().with_calls(stream.calls()))),
        finish_reason: wishes.stream.map(|_| finish_reason),
        error: completion.error,
    }
}

impl Stream {
    fn calls(self) -> CallDeltas {
        match self {
            Stream::Streamed => CallDeltas::Streamed(NewCallIds::seeded(SEED)),
            Stream::Whole => CallDeltas::Whole(NewCallIds::seeded(SEED)),
        }
    }
}

/// The delta objects that a client gets, if the output comes character by character.
fn deltas(output: &Output, mut reader: CompletionReader) -> Vec<Value> {
    let mut deltas = Vec::new();
    let mut keep = |new: NewDeltas<'_>| deltas.extend(new.filter_map(|delta| sent(&delta)));
    match output {
        Output::Text(text) => {
            text.chars().for_each(|char| keep(reader.push(char.encode_utf8(&mut [0; 4]))));
        }
        Output::Segments(pieces) => {
            for piece in pieces {
                match piece.segment() {
                    Segment::Control(control) => keep(reader.push_control(control)),
                    Segment::Text(text) => {
                        text.chars().for_each(|char| keep(reader.push_text(char.encode_utf8(&mut [0; 4]))));
                    }
                    Segment::Media(_) => {}
                }
            }
        }
    }
    deltas.extend(reader.finish().deltas.iter().filter_map(sent));
    deltas
}

/// A delta as it is sent, or `None` where clients have no word for it.
fn sent(delta: &Delta) -> Option<Value> {
    if delta.is_marker() { None } else { serde_json::to_value(delta).ok() }
}

fn message(message: AssistantMessage<'static>, output: &Output, layout: &Layout) -> Spoken {
    let calls_began = !message.tool_calls.is_empty() || output.has(Control::ToolCalls, layout);
    Spoken {
        content: content(&message, output, layout),
        prefix: message.prefix,
        role: "assistant",
        tool_calls: calls_began.then(|| message.tool_calls.into_iter().map(call).collect()),
    }
}

impl Piece {
    /// A literal that names no control token is text.
    fn segment(&self) -> Segment<'_> {
        match self {
            Piece::Text(text) => Segment::Text(text),
            Piece::Control(literal) => match Control::all().find(|control| control.as_str() == literal) {
                Some(control) => Segment::Control(control),
                None => Segment::Text(literal),
            },
        }
    }
}

impl Output {
    fn has(&self, control: Control, layout: &Layout) -> bool {
        layout.vocabulary.contains(control)
            && match self {
                Output::Text(text) => text.contains(control.as_str()),
                Output::Segments(pieces) => pieces.iter().any(|piece| piece.segment() == Segment::Control(control)),
            }
    }

    fn is_empty(&self) -> bool {
        match self {
            Output::Text(text) => text.is_empty(),
            Output::Segments(pieces) => pieces.iter().all(|piece| piece.segment() == Segment::Text("")),
        }
    }

    /// Do calls, or the end of the output, follow this much of the beginning?
    fn begins_calls_after(&self, before: &[Control]) -> bool {
        let ahead = [before, &[Control::ToolCalls]].concat();
        match self {
            Output::Text(text) => {
                let literals =
                    |controls: &[Control]| controls.iter().map(|control| control.as_str()).collect::<String>();
                text.starts_with(&literals(&ahead)) || *text == literals(before)
            }
            Output::Segments(pieces) => {
                let mut pieces = pieces.iter().map(Piece::segment).filter(|piece| *piece != Segment::Text(""));
                ahead.iter().all(|control| pieces.next().is_none_or(|piece| piece == Segment::Control(*control)))
            }
        }
    }
}

/// The content: null if it is empty, a list where the vocabulary has `[THINK]` and the output only ends.
fn content(message: &AssistantMessage<'_>, output: &Output, layout: &Layout) -> Value {
    let chunk = |chunk: &Chunk<'_>| match chunk {
        Chunk::Text(text) => json!({"type": "text", "text": text}),
        Chunk::Thinking { text, closed } => json!({"type": "thinking", "thinking": text, "closed": closed}),
        _ => Value::Null,
    };
    match &message.content {
        Content::Chunks(chunks) => chunks.iter().map(chunk).collect(),
        Content::Text(text) if !text.is_empty() => json!(text),
        Content::Text(_) if output.is_empty() || output.begins_calls_after(&[]) => Value::Null,
        Content::Text(_) if layout.features.contains(Feature::Think) && output.begins_calls_after(&[Control::Eos]) => {
            json!([])
        }
        Content::Text(_) => json!(""),
    }
}

fn call(call: ToolCall<'static>) -> Called {
    Called {
        function: Function { arguments: arguments(&call.arguments), name: call.name },
        id: call.id.unwrap_or(Cow::Borrowed("null")),
        kind: "function",
    }
}

/// Arguments as mistral-common writes them anew: an object as Python's `json.dumps` does, any other text as it is.
fn arguments(text: &str) -> String {
    let mut written = String::new();
    if !text.starts_with('{') || python_json::reformat(text, &mut written).is_err() {
        return text.to_owned();
    }
    let mut ascii = String::with_capacity(written.len());
    for char in written.chars() {
        match char {
            ' '..='~' => ascii.push(char),
            _ => {
                for unit in char.encode_utf16(&mut [0; 2]) {
                    // Writing to a string cannot fail.
                    let _ = write!(ascii, "\\u{unit:04x}");
                }
            }
        }
    }
    ascii
}
