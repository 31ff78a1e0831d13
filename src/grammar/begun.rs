//! What may follow an answer that was begun: the last message, where it is a prefix.

use super::build::{Calling, Plan, refuse};
use super::calls;
use super::{Part, Shape};
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
        End::OpenThinking => {
            let end = [Shape::Part(Part::Text).optional(), Shape::Control(Control::EndThink), after_thinking(plan)];
            Ok(Shape::sequence(end))
        }
        End::Thinking => Ok(after_thinking(plan)),
        End::Text(text) => after_text(plan, begun, text),
        End::Call => Ok(match &plan.form {
            Some(form) => calls::more_calls(&plan.layout, form, &plan.callables, plan.count),
            None => Shape::Sequence(Vec::new()),
        }),
    }
}

fn after_thinking<'c>(plan: &Plan<'c>) -> Shape<'c> {
    match (&plan.schema, plan.calling) {
        (None, _) => plan.said(),
        (Some(schema), Calling::None) => Shape::Json(schema.clone()),
        (Some(schema), Calling::Auto | Calling::Required) => {
            Shape::Choice(vec![plan.said(), Shape::Json(schema.clone())])
        }
    }
}

fn after_text<'c>(plan: &Plan<'c>, begun: &Begun<'_>, text: &str) -> Result<Shape<'c>, Error> {
    let fault = |kind| refuse(&plan.layout, format!("messages[{}].content", begun.message), kind);
    let more = || Shape::Part(Part::Text).optional();
    if plan.schema.is_some() {
        let said = text.trim_start_matches([' ', '\t', '\r', '\n']);
        if said.is_empty() {
            return Ok(after_thinking(plan));
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
