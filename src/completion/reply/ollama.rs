//! Ollama's `/api/chat`: a message, streamed as lines of JSON; calls whole, their arguments as objects.

use serde::Serialize;
use serde_json::value::RawValue;

use super::blocks::{Block, BlockKind, BlockWriter, Step, blocks, object};
use super::{ReplyEvent, ReplyHead};
use crate::completion::{Completion, FinishReason};

/// Ollama has no reason of its own for calls.
const fn done_reason(reason: FinishReason) -> &'static str {
    match reason {
        FinishReason::Stop | FinishReason::ToolCalls => "stop",
        FinishReason::Length => "length",
    }
}

#[derive(Serialize)]
struct Response {
    model: String,
    created_at: String,
    message: Message,
    done: bool,
    #[serde(flatten)]
    end: Option<End>,
}

#[derive(Serialize)]
struct End {
    done_reason: &'static str,
    prompt_eval_count: u64,
    eval_count: u64,
}

impl End {
    fn new(reason: FinishReason, head: ReplyHead<'_>) -> Self {
        End {
            done_reason: done_reason(reason),
            prompt_eval_count: head.prompt_tokens,
            eval_count: head.completion_tokens,
        }
    }
}

#[derive(Serialize)]
struct Message {
    role: &'static str,
    content: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    thinking: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tool_calls: Vec<Call>,
}

impl Default for Message {
    fn default() -> Self {
        Message { role: "assistant", content: String::new(), thinking: String::new(), tool_calls: Vec::new() }
    }
}

#[derive(Serialize)]
struct Call {
    #[serde(skip_serializing_if = "String::is_empty")]
    id: String,
    function: Function,
}

#[derive(Serialize)]
struct Function {
    index: usize,
    name: String,
    arguments: Box<RawValue>,
}

/// A call as the one of this index; `None` if its arguments are not an object.
fn call(index: usize, id: String, name: String, arguments: &str) -> Option<Call> {
    object(arguments).map(|arguments| Call { id, function: Function { index, name, arguments } })
}

/// What a response says of itself.
#[derive(Debug)]
struct Head {
    model: String,
    created_at: String,
}

impl Head {
    fn of(head: ReplyHead<'_>) -> Self {
        Head { model: head.model.to_owned(), created_at: timestamp(head.created) }
    }

    fn response(&self, message: Message, end: Option<End>) -> Response {
        let (model, created_at) = (self.model.clone(), self.created_at.clone());
        Response { model, created_at, message, done: end.is_some(), end }
    }
}

pub(super) fn whole(completion: &Completion, head: ReplyHead<'_>) -> impl Serialize + use<> {
    let mut message = Message::default();
    for block in blocks(completion) {
        match block {
            Block::Thinking(text) => message.thinking.push_str(&text),
            Block::Text(text) => message.content.push_str(&text),
            Block::Call { id, name, arguments } => {
                message.tool_calls.extend(call(message.tool_calls.len(), id, name, &arguments));
            }
        }
    }
    Head::of(head).response(message, Some(End::new(completion.finish_reason(), head)))
}

/// Writes a stream of responses, each with what the message has more.
#[derive(Debug)]
pub(super) struct Writer {
    head: Head,
    /// How many calls were sent.
    calls: usize,
}

impl Writer {
    pub(super) fn new(head: ReplyHead<'_>) -> Self {
        Writer { head: Head::of(head), calls: 0 }
    }
}

impl BlockWriter for Writer {
    fn end(&mut self, _: &[(Block, bool)], reason: FinishReason, head: ReplyHead<'_>) -> Vec<ReplyEvent> {
        vec![ReplyEvent::line(&self.head.response(Message::default(), Some(End::new(reason, head))))]
    }

    fn write(&mut self, steps: Vec<Step>) -> Vec<ReplyEvent> {
        let messages = steps.into_iter().filter_map(|step| match step {
            Step::More(_, BlockKind::Thinking, thinking) => Some(Message { thinking, ..Message::default() }),
            Step::More(_, BlockKind::Text, content) => Some(Message { content, ..Message::default() }),
            Step::End(_, Block::Call { id, name, arguments }, _) => {
                let call = call(self.calls, id, name, &arguments)?;
                self.calls += 1;
                Some(Message { tool_calls: vec![call], ..Message::default() })
            }
            Step::More(_, BlockKind::Call, _) | Step::Begin(..) | Step::End(..) => None,
        });
        let messages: Vec<Message> = messages.collect();
        messages.into_iter().map(|message| ReplyEvent::line(&self.head.response(message, None))).collect()
    }
}

/// Seconds since 1970 as RFC 3339 has them.
fn timestamp(seconds: u64) -> String {
    let (days, second) = (seconds / 86_400, seconds % 86_400);
    // Years begin with March, so that a leap day is the last of its year; eras are 400 years.
    let day = days + 719_468;
    let (era, day) = (day / 146_097, day % 146_097);
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let (month, later) = if month < 10 { (month + 3, 0) } else { (month - 9, 1) };
    let year = era * 400 + year + later;
    format!("{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}Z", second / 3600, second / 60 % 60, second % 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timestamps() {
        for (seconds, expected) in [
            (0, "1970-01-01T00:00:00Z"),
            (951_782_399, "2000-02-28T23:59:59Z"),
            (951_782_400, "2000-02-29T00:00:00Z"),
            (951_868_800, "2000-03-01T00:00:00Z"),
            (1_764_000_000, "2025-11-24T16:00:00Z"),
            (4_107_542_399, "2100-02-28T23:59:59Z"),
            (4_107_542_400, "2100-03-01T00:00:00Z"),
        ] {
            assert_eq!(timestamp(seconds), expected);
        }
    }
}
