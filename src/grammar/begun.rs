//! What may follow an answer that was begun: the last message, where it is a prefix.

use super::build::{Calling, Plan, refuse};
use super::calls;
use super::{Part, Shape, TextKind};
use crate::chat::{AssistantMessage, Chat, Chunk, Content, Message};
use crate::control::Control;
use crate::error::{Error, ErrorKind};
use crate::layout::TextAndCalls;

/// An answer that was begun.
pub(super) struct Begun<'c> {
    /// The index of its message.
    message: usize,
    end: End<'c>,
}

/// What a begun answer ends with.
enum End<'c> {
    /// Thinking that has not come to its end.
    OpenThinking,
    /// Thinking that has.
    Thinking,
    Text(&'c str),
    Call,
}

impl<'c> Begun<'c> {
    /// The last message, where it is a prefix that says something.
    pub(super) fn of(chat: &'c Chat<'_>) -> Option<Self> {
        let (message, last) = chat.messages.iter().enumerate().next_back()?;
        let Message::Assistant(AssistantMessage { content, tool_calls, prefix: true, weight: _ }) = last else {
            return None;
        };
        let end = if tool_calls.is_empty() { content_end(content)? } else { End::Call };
        Some(Begun { message, end })
    }
}

fn content_end<'c>(content: &'c Content<'_>) -> Option<End<'c>> {
    match content {
        Content::Text(text) => Some(End::Text(text)).filter(|_| !text.is_empty()),
        Content::Chunks(chunks) => chunks.iter().rev().find_map(|chunk| match chunk {
            Chunk::Text(text) => Some(End::Text(text)).filter(|_| !text.is_empty()),
            Chunk::Thinking { closed: true, .. } => Some(End::Thinking),
            Chunk::Thinking { closed: false, .. } => Some(End::OpenThinking),
            Chunk::Image(_) | Chunk::ImageUrl { .. } | Chunk::InputAudio(_) | Chunk::AudioUrl(_) => None,
        }),
    }
}

/// What may follow.
pub(super) fn rest<'c>(plan: &Plan<'c>, begun: &Begun<'_>) -> Result<Shape<'c>, Error> {
    match begun.end {
        End::OpenThinking if !plan.thinks() => {
            Err(refuse(&plan.layout, format!("messages[{}].content", begun.message), ErrorKind::NoThinking))
        }
        End::OpenThinking => {
            let more = Shape::Text(TextKind::Any).optional();
            let end = [more, Shape::Control(Control::EndThink), after_thinking(plan, plan.run_of_json())];
            Ok(Shape::sequence(end))
        }
        End::Thinking => Ok(after_thinking(plan, plan.run_of_json())),
        End::Text(text) => after_text(plan, begun, text),
        End::Call => Ok(match &plan.form {
            Some(form) => calls::more_calls(&plan.layout, form, &plan.callables, plan.count),
            None => Shape::Sequence(Vec::new()),
        }),
    }
}

fn after_thinking<'c>(plan: &Plan<'c>, json: Option<Shape<'c>>) -> Shape<'c> {
    match (json, plan.calling) {
        (None, _) => plan.said(),
        (Some(json), Calling::None) => json,
        (Some(json), Calling::Auto | Calling::Required) => Shape::Choice(vec![plan.said(), json]),
    }
}

fn after_text<'c>(plan: &Plan<'c>, begun: &Begun<'_>, text: &str) -> Result<Shape<'c>, Error> {
    let fault = |kind| refuse(&plan.layout, format!("messages[{}].content", begun.message), kind);
    let more = || plan.more_text().optional();
    if let Some(schema) = &plan.schema {
        let said = text.trim_start_matches([' ', '\t', '\r', '\n']);
        if said.is_empty() {
            // The run has begun, so that there is no space to set.
            return Ok(after_thinking(plan, Some(Shape::Json(schema.clone()))));
        }
        if plan.calling == Calling::None || said.starts_with(['{', '[']) {
            return Err(fault(ErrorKind::BegunJson));
        }
    }
    let calls = Shape::Part(Part::Calls);
    match (plan.calling(), plan.layout.rules.text_and_calls) {
        (Calling::None, _) | (Calling::Auto, TextAndCalls::Either) => Ok(more()),
        (Calling::Auto, TextAndCalls::Both) => Ok(Shape::sequence([more(), calls.optional()])),
        (Calling::Required, TextAndCalls::Both) => Ok(Shape::sequence([more(), calls])),
        (Calling::Required, TextAndCalls::Either) => Err(fault(ErrorKind::CallAfterText)),
    }
}
