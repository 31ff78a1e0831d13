//! Anthropic's Messages: a message of content blocks.

use serde::Serialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::blocks::{Block, BlockKind, BlockWriter, Step, blocks, object};
use super::{ReplyEvent, ReplyHead};
use crate::completion::{Completion, FinishReason};

const fn stop_reason(reason: FinishReason) -> &'static str {
    match reason {
        FinishReason::Stop => "end_turn",
        FinishReason::Length => "max_tokens",
        FinishReason::ToolCalls => "tool_use",
    }
}

#[derive(Serialize)]
struct Message {
    id: String,
    #[serde(rename = "type")]
    kind: &'static str,
    role: &'static str,
    model: String,
    content: Vec<ContentBlock>,
    stop_reason: Option<&'static str>,
    stop_sequence: Option<&'static str>,
    usage: Value,
}

impl Message {
    fn new(head: ReplyHead<'_>, content: Vec<ContentBlock>, reason: Option<FinishReason>) -> Self {
        Message {
            id: format!("msg_{}", head.id),
            kind: "message",
            role: "assistant",
            model: head.model.to_owned(),
            content,
            stop_reason: reason.map(stop_reason),
            stop_sequence: None,
            usage: json!({"input_tokens": head.prompt_tokens, "output_tokens": head.completion_tokens}),
        }
    }
}

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum ContentBlock {
    Thinking { thinking: String, signature: &'static str },
    Text { text: String },
    ToolUse { id: String, name: String, input: Input },
}

/// The input of a tool: an object, or, if the arguments are not one, the text that the model wrote.
#[derive(Serialize)]
#[serde(untagged)]
enum Input {
    Object(Box<RawValue>),
    Text(String),
}

impl ContentBlock {
    fn new(block: Block) -> Self {
        match block {
            Block::Thinking(thinking) => ContentBlock::Thinking { thinking, signature: "" },
            Block::Text(text) => ContentBlock::Text { text },
            Block::Call { id, name, arguments } => {
                let input = object(&arguments).map_or(Input::Text(arguments), Input::Object);
                ContentBlock::ToolUse { id, name, input }
            }
        }
    }

    /// A block that has come to nothing but its beginning.
    fn begun(block: Block) -> Self {
        match block {
            Block::Call { id, name, .. } => ContentBlock::new(Block::Call { id, name, arguments: "{}".to_owned() }),
            other => ContentBlock::new(other),
        }
    }
}

pub(super) fn whole(completion: &Completion, head: ReplyHead<'_>) -> impl Serialize + use<> {
    let content = blocks(completion).into_iter().map(ContentBlock::new).collect();
    Message::new(head, content, Some(completion.finish_reason()))
}

/// Writes a stream of content blocks.
#[derive(Debug)]
pub(super) struct Writer;

impl Writer {
    pub(super) fn begin(head: ReplyHead<'_>) -> Vec<ReplyEvent> {
        #[derive(Serialize)]
        struct Start {
            #[serde(rename = "type")]
            kind: &'static str,
            message: Message,
        }
        let message = Message::new(head, Vec::new(), None);
        vec![ReplyEvent::named("message_start", &Start { kind: "message_start", message })]
    }
}

impl BlockWriter for Writer {
    fn write(&mut self, steps: Vec<Step>) -> Vec<ReplyEvent> {
        steps.into_iter().map(event).collect()
    }

    fn end(&mut self, _: &[(Block, bool)], reason: FinishReason, head: ReplyHead<'_>) -> Vec<ReplyEvent> {
        let delta = json!({"stop_reason": stop_reason(reason), "stop_sequence": null});
        let last = json!({"type": "message_delta", "delta": delta, "usage": {"output_tokens": head.completion_tokens}});
        vec![
            ReplyEvent::named("message_delta", &last),
            ReplyEvent::named("message_stop", &json!({"type": "message_stop"})),
        ]
    }
}

fn event(step: Step) -> ReplyEvent {
    match step {
        Step::Begin(index, block) => {
            let block = serde_json::to_value(ContentBlock::begun(block)).unwrap_or_default();
            let data = json!({"type": "content_block_start", "index": index, "content_block": block});
            ReplyEvent::named("content_block_start", &data)
        }
        Step::More(index, kind, more) => {
            let delta = match kind {
                BlockKind::Thinking => json!({"type": "thinking_delta", "thinking": more}),
                BlockKind::Text => json!({"type": "text_delta", "text": more}),
                BlockKind::Call => json!({"type": "input_json_delta", "partial_json": more}),
            };
            let data = json!({"type": "content_block_delta", "index": index, "delta": delta});
            ReplyEvent::named("content_block_delta", &data)
        }
        Step::End(index, ..) => {
            ReplyEvent::named("content_block_stop", &json!({"type": "content_block_stop", "index": index}))
        }
    }
}
