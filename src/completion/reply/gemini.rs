//! Gemini's `generateContent`: a candidate of parts, calls whole, their arguments as objects.

use serde::Serialize;
use serde_json::value::RawValue;

use super::blocks::{self, Block, BlockKind, BlockWriter, Step, object};
use super::{ReplyEvent, ReplyHead};
use crate::completion::{Completion, FinishReason};

/// Gemini has no finish reason for calls, but one for a malformed call.
const fn finish_reason(reason: FinishReason, all_have_objects: bool) -> &'static str {
    match reason {
        FinishReason::Length => "MAX_TOKENS",
        FinishReason::Stop | FinishReason::ToolCalls if all_have_objects => "STOP",
        FinishReason::Stop | FinishReason::ToolCalls => "MALFORMED_FUNCTION_CALL",
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Response {
    candidates: [Candidate; 1],
    #[serde(skip_serializing_if = "Option::is_none")]
    usage_metadata: Option<Usage>,
    model_version: String,
    response_id: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Candidate {
    content: Content,
    #[serde(skip_serializing_if = "Option::is_none")]
    finish_reason: Option<&'static str>,
    index: usize,
}

#[derive(Serialize)]
struct Content {
    parts: Vec<Part>,
    role: &'static str,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Part {
    Text {
        text: String,
        #[serde(skip_serializing_if = "std::ops::Not::not")]
        thought: bool,
    },
    #[serde(rename_all = "camelCase")]
    Call { function_call: FunctionCall },
}

#[derive(Serialize)]
struct FunctionCall {
    #[serde(skip_serializing_if = "String::is_empty")]
    id: String,
    name: String,
    args: Box<RawValue>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Usage {
    prompt_token_count: u64,
    candidates_token_count: u64,
    total_token_count: u64,
}

impl Part {
    const fn text(text: String) -> Self {
        Part::Text { text, thought: false }
    }

    const fn thought(text: String) -> Self {
        Part::Text { text, thought: true }
    }

    /// `None` if the arguments are not an object.
    fn call(id: String, name: String, arguments: &str) -> Option<Self> {
        object(arguments).map(|args| Part::Call { function_call: FunctionCall { id, name, args } })
    }

    fn of(block: Block) -> Option<Self> {
        match block {
            Block::Thinking(text) => Some(Part::thought(text)),
            Block::Text(text) => Some(Part::text(text)),
            Block::Call { id, name, arguments } => Part::call(id, name, &arguments),
        }
    }
}

/// What a response says of itself.
#[derive(Debug)]
struct Head {
    id: String,
    model: String,
}

impl Head {
    fn of(head: ReplyHead<'_>) -> Self {
        Head { id: head.id.to_owned(), model: head.model.to_owned() }
    }

    fn response(&self, parts: Vec<Part>, end: Option<(&'static str, ReplyHead<'_>)>) -> Response {
        Response {
            candidates: [Candidate {
                content: Content { parts, role: "model" },
                finish_reason: end.map(|(reason, _)| reason),
                index: 0,
            }],
            usage_metadata: end.map(|(_, head)| Usage {
                prompt_token_count: head.prompt_tokens,
                candidates_token_count: head.completion_tokens,
                total_token_count: head.prompt_tokens + head.completion_tokens,
            }),
            model_version: self.model.clone(),
            response_id: self.id.clone(),
        }
    }
}

pub(super) fn whole(completion: &Completion, head: ReplyHead<'_>) -> impl Serialize + use<> {
    let blocks = blocks::blocks(completion);
    let count = blocks.len();
    let parts: Vec<Part> = blocks.into_iter().filter_map(Part::of).collect();
    let reason = finish_reason(completion.finish_reason(), parts.len() == count);
    Head::of(head).response(parts, Some((reason, head)))
}

/// Writes a stream of responses, each with parts that the candidate has more.
#[derive(Debug)]
pub(super) struct Writer {
    head: Head,
    all_have_objects: bool,
}

impl Writer {
    pub(super) fn new(head: ReplyHead<'_>) -> Self {
        Writer { head: Head::of(head), all_have_objects: true }
    }
}

impl BlockWriter for Writer {
    fn end(&mut self, _: &[(Block, bool)], reason: FinishReason, head: ReplyHead<'_>) -> Vec<ReplyEvent> {
        let reason = finish_reason(reason, self.all_have_objects);
        // Clients look for a part in each response.
        let last = self.head.response(vec![Part::text(String::new())], Some((reason, head)));
        vec![ReplyEvent::unnamed(&last)]
    }

    fn write(&mut self, steps: Vec<Step>) -> Vec<ReplyEvent> {
        let mut parts = Vec::new();
        for step in steps {
            match step {
                Step::More(_, BlockKind::Thinking, text) => parts.push(Part::thought(text)),
                Step::More(_, BlockKind::Text, text) => parts.push(Part::text(text)),
                Step::End(_, Block::Call { id, name, arguments }, _) => {
                    let part = Part::call(id, name, &arguments);
                    self.all_have_objects &= part.is_some();
                    parts.extend(part);
                }
                Step::More(_, BlockKind::Call, _) | Step::Begin(..) | Step::End(..) => {}
            }
        }
        if parts.is_empty() {
            return Vec::new();
        }
        vec![ReplyEvent::unnamed(&self.head.response(parts, None))]
    }
}
