//! Messages into turns: what a turn is, and which messages are plain text.

use std::ops::Range;

use super::{AssistantMessage, Chat, Chunk, Content, Message, Role, ToolCall};
use crate::terms::ChunkKind;

/// One turn: consecutive messages of one role that are written as one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Turn {
    pub(crate) role: Role,
    /// The messages; empty for a user turn that only carries the system prompt.
    pub(crate) messages: Range<usize>,
    /// Is the turn left out, to fit a budget?
    pub(crate) dropped: bool,
}

impl Turn {
    pub(crate) fn of_one(index: usize, role: Role) -> Self {
        Turn { role, messages: index..index + 1, dropped: false }
    }
}

/// What messages are made of, as far as it decides how much there is to check and to gather.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ChatShape {
    /// Texts that every layout accepts; of a chat also that each message is a turn by itself, in an order that every
    /// layout accepts. Nothing in them can be wrong.
    Plain,
    /// Anything.
    Mixed,
}

impl ChatShape {
    /// Found in a pass of its own, because most chats are plain.
    pub(crate) fn of_messages(messages: &[Message<'_>]) -> Self {
        let mut previous = Role::System;
        let plain = messages.iter().all(|message| {
            let role = message.role();
            let in_turn = match previous {
                Role::System => matches!(role, Role::System | Role::User),
                Role::User => matches!(role, Role::System | Role::Assistant),
                Role::Assistant => matches!(role, Role::User),
                Role::Tool => false,
            };
            previous = role;
            in_turn && plain_text(message, role).is_some()
        });
        // System messages alone make a user turn beside them.
        if plain && previous != Role::System { ChatShape::Plain } else { ChatShape::Mixed }
    }
}

/// The text of a message that is plain and of this role.
#[inline]
pub(crate) fn plain_text<'c>(message: &'c Message<'_>, role: Role) -> Option<&'c str> {
    match (message, role) {
        (Message::System(Content::Text(text)), Role::System) | (Message::User(Content::Text(text)), Role::User) => {
            Some(text)
        }
        (
            Message::Assistant(AssistantMessage {
                content: Content::Text(text),
                tool_calls,
                prefix: false,
                weight: None,
            }),
            Role::Assistant,
        ) if !text.is_empty() && tool_calls.is_empty() => Some(text),
        _ => None,
    }
}

impl Chat<'_> {
    pub(crate) fn weight(&self, index: usize) -> Option<f64> {
        self.messages.get(index).and_then(Message::weight)
    }
}

impl Chunk<'_> {
    pub(crate) const fn kind(&self) -> ChunkKind {
        match self {
            Chunk::Text(_) => ChunkKind::Text,
            Chunk::Thinking { .. } => ChunkKind::Thinking,
            Chunk::Image(_) => ChunkKind::Image,
            Chunk::ImageUrl { .. } => ChunkKind::ImageUrl,
            Chunk::InputAudio(_) => ChunkKind::InputAudio,
            Chunk::AudioUrl(_) => ChunkKind::AudioUrl,
        }
    }

    pub(crate) fn as_text(&self) -> Option<&str> {
        match self {
            Chunk::Text(text) => Some(text),
            Chunk::Thinking { .. }
            | Chunk::Image(_)
            | Chunk::ImageUrl { .. }
            | Chunk::InputAudio(_)
            | Chunk::AudioUrl(_) => None,
        }
    }

    /// Is it thinking that has not come to its end?
    pub(crate) const fn is_open(&self) -> bool {
        match self {
            Chunk::Thinking { text: _, closed } => !*closed,
            Chunk::Text(_) | Chunk::Image(_) | Chunk::ImageUrl { .. } | Chunk::InputAudio(_) | Chunk::AudioUrl(_) => {
                false
            }
        }
    }

    pub(crate) fn as_thinking(&self) -> Option<&str> {
        match self {
            Chunk::Thinking { text, closed: _ } => Some(text),
            Chunk::Text(_) | Chunk::Image(_) | Chunk::ImageUrl { .. } | Chunk::InputAudio(_) | Chunk::AudioUrl(_) => {
                None
            }
        }
    }
}

impl<'a> Message<'a> {
    /// The calls of an assistant message; empty for any other.
    pub(crate) fn tool_calls(&self) -> &[ToolCall<'a>] {
        match self {
            Message::Assistant(message) => &message.tool_calls,
            Message::System(_) | Message::User(_) | Message::Tool(_) => &[],
        }
    }

    pub(crate) fn weight(&self) -> Option<f64> {
        match self {
            Message::Assistant(message) => message.weight,
            Message::System(_) | Message::User(_) | Message::Tool(_) => None,
        }
    }
}

impl ToolCall<'_> {
    /// How JSON spells the lack of an id.
    pub(crate) const NULL_ID: &'static str = "null";

    pub(crate) fn id_or_null(&self) -> &str {
        self.id.as_deref().unwrap_or(Self::NULL_ID)
    }
}
