//! Chat completions of OpenAI's and Mistral's.

use std::borrow::Cow;

use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};
use serde_json::{Value, json};

use super::{ReplyEvent, ReplyHead};
use crate::chat::{AssistantMessage, Chunk, Content, Dialect, ToolCall};
use crate::completion::{Completion, Delta, FinishReason};

/// The id of a response.
fn id(head: ReplyHead<'_>) -> String {
    format!("chatcmpl-{}", head.id)
}

fn usage(head: ReplyHead<'_>) -> Value {
    json!({
        "prompt_tokens": head.prompt_tokens,
        "completion_tokens": head.completion_tokens,
        "total_tokens": head.prompt_tokens + head.completion_tokens,
    })
}

pub(super) fn whole(completion: &Completion, dialect: Dialect, head: ReplyHead<'_>) -> Value {
    let message = serde_json::to_value(Message::new(&completion.message, dialect)).unwrap_or_default();
    json!({
        "id": id(head),
        "object": "chat.completion",
        "created": head.created,
        "model": head.model,
        "choices": [{
            "index": 0,
            "message": message,
            "finish_reason": completion.finish_reason().as_str(),
            "logprobs": null,
        }],
        "usage": usage(head),
    })
}

/// A stream of chunks.
#[derive(Debug)]
pub(super) struct Stream {
    dialect: Dialect,
    id: String,
    model: String,
    created: u64,
}

impl Stream {
    pub(super) fn new(dialect: Dialect, head: ReplyHead<'_>) -> Self {
        Stream { dialect, id: id(head), model: head.model.to_owned(), created: head.created }
    }

    pub(super) fn begin(&self) -> Vec<ReplyEvent> {
        vec![self.chunk(&json!({"role": "assistant", "content": ""}), None, None)]
    }

    pub(super) fn push(&mut self, delta: &Delta) -> Vec<ReplyEvent> {
        if delta.is_marker() {
            return Vec::new();
        }
        let delta = match delta {
            Delta::Thinking(text) if self.dialect == Dialect::Mistral => {
                json!({"content": [MessageChunk::thinking(text, None)]})
            }
            delta => json!(delta),
        };
        vec![self.chunk(&delta, None, None)]
    }

    pub(super) fn finish(&mut self, reason: FinishReason, head: ReplyHead<'_>) -> Vec<ReplyEvent> {
        let last = self.chunk(&json!({}), Some(reason), Some(usage(head)));
        vec![last, ReplyEvent::done()]
    }

    fn chunk(&self, delta: &Value, reason: Option<FinishReason>, usage: Option<Value>) -> ReplyEvent {
        let mut chunk = json!({
            "id": self.id,
            "object": "chat.completion.chunk",
            "created": self.created,
            "model": self.model,
            "choices": [{"index": 0, "delta": delta, "finish_reason": reason.map(FinishReason::as_str), "logprobs": null}],
        });
        if let (Some(usage), Some(chunk)) = (usage, chunk.as_object_mut()) {
            chunk.insert("usage".to_owned(), usage);
        }
        ReplyEvent::unnamed(&chunk)
    }
}

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum MessageChunk<'v> {
    Text {
        text: &'v str,
    },
    Thinking {
        thinking: [Box<MessageChunk<'v>>; 1],
        #[serde(skip_serializing_if = "Option::is_none")]
        closed: Option<bool>,
    },
}

impl<'v> MessageChunk<'v> {
    fn thinking(text: &'v str, closed: Option<bool>) -> Self {
        MessageChunk::Thinking { thinking: [Box::new(MessageChunk::Text { text })], closed }
    }
}

/// The message of a whole answer. Content is one text, or a list of chunks where Mistral's has thinking; both have
/// `null` without one.
struct Message<'c> {
    message: &'c AssistantMessage<'static>,
    is_mistral: bool,
}

impl<'c> Message<'c> {
    fn new(message: &'c AssistantMessage<'static>, dialect: Dialect) -> Self {
        Message { message, is_mistral: dialect == Dialect::Mistral }
    }
}

impl Serialize for Message<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let AssistantMessage { content, tool_calls, prefix: _, weight: _ } = self.message;
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("role", "assistant")?;
        match content {
            Content::Chunks(chunks) if self.is_mistral => {
                let chunks: Vec<_> = chunks.iter().filter_map(message_chunk).collect();
                map.serialize_entry("content", &chunks)?;
            }
            _ => map.serialize_entry("content", &said(content))?,
        }
        if let Some(thought) = thought(content).filter(|_| !self.is_mistral) {
            map.serialize_entry("reasoning_content", &thought)?;
        }
        if !tool_calls.is_empty() {
            let calls: Vec<_> =
                tool_calls.iter().enumerate().map(|(index, call)| MessageCall { index, call }).collect();
            map.serialize_entry("tool_calls", &calls)?;
        }
        map.end()
    }
}

fn message_chunk<'c>(chunk: &'c Chunk<'_>) -> Option<MessageChunk<'c>> {
    match chunk {
        Chunk::Text(text) => Some(MessageChunk::Text { text }),
        Chunk::Thinking { text, closed } => Some(MessageChunk::thinking(text, Some(*closed))),
        // A model writes none of them.
        Chunk::ImageUrl { .. } | Chunk::Image(_) | Chunk::InputAudio(_) | Chunk::AudioUrl(_) => None,
    }
}

/// What is said, as one text; `None` if there is nothing.
fn said<'c>(content: &'c Content<'_>) -> Option<Cow<'c, str>> {
    match content {
        Content::Text(text) => Some(Cow::Borrowed(&**text)).filter(|text| !text.is_empty()),
        Content::Chunks(chunks) => joined(chunks.iter().map(Chunk::as_text)),
    }
}

/// What is thought, as one text.
fn thought<'c>(content: &'c Content<'_>) -> Option<Cow<'c, str>> {
    joined(content.chunks().iter().map(Chunk::as_thinking))
}

fn joined<'c>(texts: impl Iterator<Item = Option<&'c str>>) -> Option<Cow<'c, str>> {
    texts.flatten().fold(None, |whole, text| match whole {
        None => Some(Cow::Borrowed(text)),
        Some(whole) => Some(whole + text),
    })
}

/// A call of a whole answer.
struct MessageCall<'c> {
    index: usize,
    call: &'c ToolCall<'static>,
}

impl Serialize for MessageCall<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Function<'v> {
            name: &'v str,
            arguments: &'v str,
        }
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("index", &self.index)?;
        if let Some(id) = &self.call.id {
            map.serialize_entry("id", id)?;
        }
        map.serialize_entry("type", "function")?;
        map.serialize_entry("function", &Function { name: &self.call.name, arguments: &self.call.arguments })?;
        map.end()
    }
}
