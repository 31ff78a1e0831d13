//! Chat completions of OpenAI's and Mistral's.

use serde_json::{Value, json};

use super::{ReplyEvent, ReplyHead, usage};
use crate::chat::Dialect;
use crate::completion::{Completion, Delta, FinishReason};

/// The id of a response.
fn id(head: ReplyHead<'_>) -> String {
    format!("chatcmpl-{}", head.id)
}

pub(super) fn whole(completion: &Completion, dialect: Dialect, head: ReplyHead<'_>) -> Value {
    let message = serde_json::to_value(completion.message_for(dialect)).unwrap_or_default();
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

    pub(super) fn begin(&mut self) -> Vec<ReplyEvent> {
        vec![self.chunk(&json!({"role": "assistant", "content": ""}), None, None)]
    }

    pub(super) fn push(&mut self, delta: &Delta) -> Vec<ReplyEvent> {
        if delta.is_marker() {
            return Vec::new();
        }
        let delta = serde_json::to_value(delta.for_dialect(self.dialect)).unwrap_or_default();
        vec![self.chunk(&delta, None, None)]
    }

    pub(super) fn finish(&mut self, reason: FinishReason, head: ReplyHead<'_>) -> Vec<ReplyEvent> {
        let last = self.chunk(&json!({}), Some(reason), Some(usage(head)));
        vec![last, ReplyEvent { name: None, data: "[DONE]".to_owned() }]
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
