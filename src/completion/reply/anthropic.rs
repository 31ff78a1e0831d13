//! Anthropic's Messages: a message of content blocks.

use serde_json::{Value, json};

use super::blocks::{Block, Growing, Sort, Step, blocks};
use super::{ReplyEvent, ReplyHead};
use crate::completion::{Completion, Delta, FinishReason};

const fn stop_reason(reason: FinishReason) -> &'static str {
    match reason {
        FinishReason::Stop => "end_turn",
        FinishReason::Length => "max_tokens",
        FinishReason::ToolCalls => "tool_use",
    }
}

fn id(head: ReplyHead<'_>) -> String {
    format!("msg_{}", head.id)
}

fn usage(head: ReplyHead<'_>) -> Value {
    json!({"input_tokens": head.prompt_tokens, "output_tokens": head.completion_tokens})
}

pub(super) fn whole(completion: &Completion, head: ReplyHead<'_>) -> Value {
    let content: Vec<Value> = blocks(completion).iter().map(content).collect();
    json!({
        "id": id(head),
        "type": "message",
        "role": "assistant",
        "model": head.model,
        "content": content,
        "stop_reason": stop_reason(completion.finish_reason()),
        "stop_sequence": null,
        "usage": usage(head),
    })
}

fn content(block: &Block) -> Value {
    match block {
        Block::Thinking(text) => json!({"type": "thinking", "thinking": text, "signature": ""}),
        Block::Text(text) => json!({"type": "text", "text": text}),
        Block::Call { id, name, arguments } => {
            json!({"type": "tool_use", "id": id, "name": name, "input": input(arguments)})
        }
    }
}

/// The arguments as an object; what is none stays the text that the model wrote.
fn input(arguments: &str) -> Value {
    match serde_json::from_str(arguments) {
        Ok(value @ Value::Object(_)) => value,
        _ => Value::String(arguments.to_owned()),
    }
}

/// A stream of content blocks.
#[derive(Debug)]
pub(super) struct Stream {
    id: String,
    model: String,
    blocks: Growing,
}

impl Stream {
    pub(super) fn new(head: ReplyHead<'_>) -> Self {
        Stream { id: id(head), model: head.model.to_owned(), blocks: Growing::default() }
    }

    pub(super) fn begin(&mut self, head: ReplyHead<'_>) -> Vec<ReplyEvent> {
        let message = json!({
            "id": self.id,
            "type": "message",
            "role": "assistant",
            "model": self.model,
            "content": [],
            "stop_reason": null,
            "stop_sequence": null,
            "usage": usage(head),
        });
        vec![ReplyEvent::named("message_start", &json!({"type": "message_start", "message": message}))]
    }

    pub(super) fn push(&mut self, delta: &Delta) -> Vec<ReplyEvent> {
        self.blocks.push(delta).into_iter().map(event).collect()
    }

    pub(super) fn finish(&mut self, reason: FinishReason, head: ReplyHead<'_>) -> Vec<ReplyEvent> {
        let mut events: Vec<ReplyEvent> = self.blocks.finish(reason).into_iter().map(event).collect();
        let delta = json!({"stop_reason": stop_reason(reason), "stop_sequence": null});
        let last = json!({"type": "message_delta", "delta": delta, "usage": {"output_tokens": head.completion_tokens}});
        events.push(ReplyEvent::named("message_delta", &last));
        events.push(ReplyEvent::named("message_stop", &json!({"type": "message_stop"})));
        events
    }
}

fn event(step: Step) -> ReplyEvent {
    match step {
        Step::Begin(index, block) => {
            let block = match block {
                // What a call is given comes piece by piece.
                Block::Call { id, name, .. } => json!({"type": "tool_use", "id": id, "name": name, "input": {}}),
                other => content(&other),
            };
            let data = json!({"type": "content_block_start", "index": index, "content_block": block});
            ReplyEvent::named("content_block_start", &data)
        }
        Step::More(index, sort, more) => {
            let delta = match sort {
                Sort::Thinking => json!({"type": "thinking_delta", "thinking": more}),
                Sort::Text => json!({"type": "text_delta", "text": more}),
                Sort::Call => json!({"type": "input_json_delta", "partial_json": more}),
            };
            let data = json!({"type": "content_block_delta", "index": index, "delta": delta});
            ReplyEvent::named("content_block_delta", &data)
        }
        Step::End(index, ..) => {
            ReplyEvent::named("content_block_stop", &json!({"type": "content_block_stop", "index": index}))
        }
    }
}
