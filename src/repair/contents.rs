//! What a message holds: chunks that the layout has no place for, or nothing at all.

use super::mending::{Item, Mending, Source};
use super::{EmptyReplies, ForeignMedia, ForeignThinking, RepairKind};
use crate::chat::{Chunk, Content, Message, Role};
use crate::layout::ChunkKind;
use crate::render::check::{ever_in, says_nothing};
use crate::version::Feature;

impl<'c> Mending<'_, 'c> {
    /// Mends every chunk that the layout has no place for.
    pub(super) fn chunks(&mut self) {
        for mut item in self.take() {
            let role = item.role();
            let is_foreign = |chunk: &Chunk<'_>| !self.has_place(role, chunk.kind());
            if item.message.content().chunks().iter().any(is_foreign)
                && let Content::Chunks(chunks) = std::mem::take(item.message.content_mut())
            {
                *item.message.content_mut() = Content::Chunks(self.with_a_place(&mut item.source, role, chunks));
            }
            self.put([item]);
        }
    }

    fn with_a_place(&mut self, source: &mut Source, role: Role, chunks: Vec<Chunk<'c>>) -> Vec<Chunk<'c>> {
        let (mut kept, mut positions) = (Vec::new(), Vec::new());
        for (position, chunk) in chunks.into_iter().enumerate() {
            let at = source.chunk_path(position);
            let chunk = if self.has_place(role, chunk.kind()) { Some(chunk) } else { self.foreign(at, role, chunk) };
            if let Some(chunk) = chunk {
                kept.push(chunk);
                positions.push(position);
            }
        }
        source.keep_chunks(&positions);
        kept
    }

    fn has_place(&self, role: Role, kind: ChunkKind) -> bool {
        let features = self.layout.features;
        let is_written = match kind {
            ChunkKind::Text => true,
            ChunkKind::Thinking => self.layout.thinking.has_tokens() && features.contains(Feature::Think),
            ChunkKind::Image | ChunkKind::ImageUrl => features.contains(Feature::Image),
            ChunkKind::InputAudio | ChunkKind::AudioUrl => features.contains(Feature::Audio),
        };
        is_written && ever_in(role, kind) && self.layout.rules.chunks.of(role).contains(kind)
    }

    /// What becomes of a chunk that the layout has no place for.
    fn foreign(&mut self, at: String, role: Role, chunk: Chunk<'c>) -> Option<Chunk<'c>> {
        let kind = chunk.kind().as_str();
        let text = match (&chunk, self.policy.thinking, self.policy.media) {
            (Chunk::Thinking { .. }, ForeignThinking::Drop, _) => None,
            (Chunk::Thinking { text, .. }, ForeignThinking::AsText, _) => Some(text.clone()),
            // Text has its place everywhere.
            (Chunk::Text(text), _, _) => Some(text.clone()),
            (Chunk::Image(_) | Chunk::ImageUrl { .. } | Chunk::InputAudio(_) | Chunk::AudioUrl(_), _, media) => {
                match media {
                    ForeignMedia::Drop => None,
                    ForeignMedia::AsText(text) => Some(text.into()),
                }
            }
        };
        let (repair, became) = match (chunk.as_thinking(), &text) {
            (Some(_), None) => (RepairKind::ThinkingDropped, "was left out"),
            (Some(_), Some(_)) => (RepairKind::ThinkingAsText, "became text"),
            (None, None) => (RepairKind::MediaDropped, "was left out"),
            (None, Some(_)) => (RepairKind::MediaAsText, "became text"),
        };
        self.record(at, repair, format!("the layout has no place for {kind} in {role} messages, and it {became}"));
        text.map(Chunk::Text)
    }

    /// What becomes of assistant messages that say nothing.
    pub(super) fn empty_replies(&mut self) {
        for mut item in self.take() {
            let Message::Assistant(message) = &mut item.message else {
                self.put([item]);
                continue;
            };
            if !message.tool_calls.is_empty() || !says_nothing(&message.content) {
                self.put([item]);
            } else if self.policy.empty_replies == EmptyReplies::Space {
                message.content = Content::from(" ");
                self.says_nothing(&item, RepairKind::EmptyReplyKept, "got a space to say");
                self.put([item]);
            } else {
                self.says_nothing(&item, RepairKind::EmptyReplyDropped, "was left out");
            }
        }
    }

    pub(super) fn says_nothing(&mut self, item: &Item<'_>, kind: RepairKind, became: &str) {
        self.record(item.source.path(), kind, format!("the message says nothing, and {became}"));
    }
}

impl<'c> Message<'c> {
    fn content_mut(&mut self) -> &mut Content<'c> {
        match self {
            Message::System(content) | Message::User(content) => content,
            Message::Assistant(message) => &mut message.content,
            Message::Tool(message) => &mut message.content,
        }
    }
}
