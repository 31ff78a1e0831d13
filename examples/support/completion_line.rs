//! A `{"version", "completion"}` line: a model's output in, the message in mistral-common's JSON out.

use std::fmt::Write as _;

use mistral_chat_template::{
    AssistantMessage, Chunk, Completion, Content, Control, Error, Feature, Layout, Segment, ToolCall, python_json,
};
use serde::Deserialize;
use serde_json::{Value, json};

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

/// The message of an output, or what is wrong with it.
pub(crate) fn read(output: &Output, layout: &Layout) -> Result<Value, Error> {
    let completion = match output {
        Output::Text(text) => Completion::from_text(text, layout),
        Output::Segments(pieces) => Completion::from_segments(pieces.iter().map(Piece::segment), layout),
    };
    let message = completion.into_result()?;
    let calls_began = output.has(Control::ToolCalls, layout);
    let calls: Option<Vec<Value>> = calls_began.then(|| message.tool_calls.iter().map(call).collect());
    Ok(json!({
        "role": "assistant",
        "content": content(&message, output, layout),
        "tool_calls": calls,
        "prefix": message.prefix,
    }))
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

/// The content: null where there is none, a list where the vocabulary has `[THINK]` and the output only ends.
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

fn call(call: &ToolCall<'_>) -> Value {
    json!({
        "id": call.id.as_deref().unwrap_or("null"),
        "type": "function",
        "function": {"name": call.name, "arguments": arguments(&call.arguments)},
    })
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
