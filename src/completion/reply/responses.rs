//! OpenAI's Responses: a response of output items, each block of the answer one.

use serde_json::{Value, json};

use super::blocks::{self, Block, BlockKind, BlockWriter, Step};
use super::{ReplyEvent, ReplyHead};
use crate::completion::{Completion, FinishReason};

/// What a response says of itself.
#[derive(Clone, Debug)]
struct Head {
    id: String,
    model: String,
    created: u64,
}

impl Head {
    fn of(head: ReplyHead<'_>) -> Self {
        Head { id: head.id.to_owned(), model: head.model.to_owned(), created: head.created }
    }

    /// The response, as far as it is known.
    fn response(&self, status: &str, output: &[Value], usage: &Value) -> Value {
        let incomplete = if status == "incomplete" { json!({"reason": "max_output_tokens"}) } else { Value::Null };
        json!({
            "id": format!("resp_{}", self.id),
            "object": "response",
            "created_at": self.created,
            "status": status,
            "model": self.model,
            "output": output,
            "usage": usage,
            "error": null,
            "incomplete_details": incomplete,
            "instructions": null,
            "metadata": {},
            "parallel_tool_calls": true,
            "temperature": null,
            "tool_choice": "auto",
            "tools": [],
            "top_p": null,
        })
    }

    /// A block as an output item.
    fn item(&self, index: usize, block: &Block, status: &str) -> Value {
        let id = self.item_id(index, block);
        match block {
            Block::Thinking(text) => json!({
                "id": id, "type": "reasoning", "status": status, "summary": [],
                "content": [{"type": "reasoning_text", "text": text}],
            }),
            Block::Text(text) => json!({
                "id": id, "type": "message", "role": "assistant", "status": status,
                "content": [part(text)],
            }),
            Block::Call { id: call_id, name, arguments } => json!({
                "id": id, "type": "function_call", "status": status,
                "call_id": call_id, "name": name, "arguments": arguments,
            }),
        }
    }

    /// Blocks as output items, each with whether it is complete.
    fn items(&self, blocks: &[(Block, bool)]) -> Vec<Value> {
        let items = blocks.iter().enumerate();
        items.map(|(index, (block, is_complete))| self.item(index, block, item_status(*is_complete))).collect()
    }

    fn item_id(&self, index: usize, block: &Block) -> String {
        let prefix = match block {
            Block::Thinking(_) => "rs",
            Block::Text(_) => "msg",
            Block::Call { .. } => "fc",
        };
        format!("{prefix}_{}_{index}", self.id)
    }
}

fn part(text: &str) -> Value {
    json!({"type": "output_text", "text": text, "annotations": [], "logprobs": []})
}

const fn item_status(is_complete: bool) -> &'static str {
    if is_complete { "completed" } else { "incomplete" }
}

const fn status(reason: FinishReason) -> &'static str {
    match reason {
        FinishReason::Stop | FinishReason::ToolCalls => "completed",
        FinishReason::Length => "incomplete",
    }
}

fn usage(head: ReplyHead<'_>) -> Value {
    json!({
        "input_tokens": head.prompt_tokens,
        "input_tokens_details": {"cached_tokens": 0},
        "output_tokens": head.completion_tokens,
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": head.prompt_tokens + head.completion_tokens,
    })
}

pub(super) fn whole(completion: &Completion, head: ReplyHead<'_>) -> Value {
    let own = Head::of(head);
    own.response(status(completion.finish_reason()), &own.items(&blocks::whole(completion)), &usage(head))
}

/// Writes a stream of output items.
#[derive(Debug)]
pub(super) struct Writer {
    head: Head,
    /// How many events there were.
    events: u64,
}

impl Writer {
    pub(super) fn new(head: ReplyHead<'_>) -> Self {
        Writer { head: Head::of(head), events: 0 }
    }

    fn event(&mut self, name: &'static str, mut data: Value) -> ReplyEvent {
        if let Some(fields) = data.as_object_mut() {
            fields.insert("type".to_owned(), name.into());
            fields.insert("sequence_number".to_owned(), self.events.into());
        }
        self.events += 1;
        ReplyEvent::named(name, &data)
    }

    pub(super) fn begin(&mut self) -> Vec<ReplyEvent> {
        let response = json!({"response": self.head.response("in_progress", &[], &Value::Null)});
        vec![self.event("response.created", response.clone()), self.event("response.in_progress", response)]
    }

    fn step(&mut self, step: Step) -> Vec<ReplyEvent> {
        match step {
            Step::Begin(index, block) => self.begins(index, &block),
            Step::More(index, kind, more) => {
                let (prefix, name) = match kind {
                    BlockKind::Thinking => ("rs", "response.reasoning_text.delta"),
                    BlockKind::Text => ("msg", "response.output_text.delta"),
                    BlockKind::Call => ("fc", "response.function_call_arguments.delta"),
                };
                let id = format!("{prefix}_{}_{index}", self.head.id);
                let mut data = json!({"item_id": id, "output_index": index, "delta": more});
                if let (BlockKind::Thinking | BlockKind::Text, Some(fields)) = (kind, data.as_object_mut()) {
                    fields.insert("content_index".to_owned(), 0.into());
                }
                if let (BlockKind::Text, Some(fields)) = (kind, data.as_object_mut()) {
                    fields.insert("logprobs".to_owned(), json!([]));
                }
                vec![self.event(name, data)]
            }
            Step::End(index, block, is_complete) => self.ends(index, &block, item_status(is_complete)),
        }
    }

    fn begins(&mut self, index: usize, block: &Block) -> Vec<ReplyEvent> {
        let id = self.head.item_id(index, block);
        let mut item = self.head.item(index, block, "in_progress");
        if let (Block::Thinking(_) | Block::Text(_), Some(fields)) = (block, item.as_object_mut()) {
            fields.insert("content".to_owned(), json!([]));
        }
        let mut events = vec![self.event("response.output_item.added", json!({"output_index": index, "item": item}))];
        let part = match block {
            Block::Thinking(_) => json!({"type": "reasoning_text", "text": ""}),
            Block::Text(_) => part(""),
            Block::Call { .. } => return events,
        };
        let data = json!({"item_id": id, "output_index": index, "content_index": 0, "part": part});
        events.push(self.event("response.content_part.added", data));
        events
    }

    fn ends(&mut self, index: usize, block: &Block, status: &str) -> Vec<ReplyEvent> {
        let id = self.head.item_id(index, block);
        let mut events = Vec::new();
        let (name, data, part) = match block {
            Block::Thinking(text) => (
                "response.reasoning_text.done",
                json!({"item_id": id, "output_index": index, "content_index": 0, "text": text}),
                Some(json!({"type": "reasoning_text", "text": text})),
            ),
            Block::Text(text) => (
                "response.output_text.done",
                json!({"item_id": id, "output_index": index, "content_index": 0, "text": text, "logprobs": []}),
                Some(part(text)),
            ),
            Block::Call { name, arguments, .. } => (
                "response.function_call_arguments.done",
                json!({"item_id": id, "output_index": index, "name": name, "arguments": arguments}),
                None,
            ),
        };
        events.push(self.event(name, data));
        if let Some(part) = part {
            let data = json!({"item_id": id, "output_index": index, "content_index": 0, "part": part});
            events.push(self.event("response.content_part.done", data));
        }
        let item = self.head.item(index, block, status);
        events.push(self.event("response.output_item.done", json!({"output_index": index, "item": item})));
        events
    }
}

impl BlockWriter for Writer {
    fn write(&mut self, steps: Vec<Step>) -> Vec<ReplyEvent> {
        steps.into_iter().flat_map(|step| self.step(step)).collect()
    }

    fn end(&mut self, blocks: &[(Block, bool)], reason: FinishReason, head: ReplyHead<'_>) -> Vec<ReplyEvent> {
        let response = json!({"response": self.head.response(status(reason), &self.head.items(blocks), &usage(head))});
        let name = if reason == FinishReason::Length { "response.incomplete" } else { "response.completed" };
        vec![self.event(name, response)]
    }
}
