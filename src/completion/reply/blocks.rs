//! An answer as blocks, one after the other: thinking, text, and calls.

use serde_json::value::RawValue;

use super::{ReplyEvent, ReplyHead};
use crate::chat::{Chunk, Content, ToolCall, surrogates};
use crate::completion::{Completion, Delta, FinishReason};
use crate::python::json;

/// One block of an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Block {
    Thinking(String),
    Text(String),
    Call { id: String, name: String, arguments: String },
}

impl Block {
    /// Is the block complete, when the answer ends with it?
    fn is_complete_at_end(&self, reason: FinishReason) -> bool {
        match self {
            Block::Thinking(_) => false,
            Block::Text(_) => reason != FinishReason::Length,
            Block::Call { arguments, .. } => is_json(arguments),
        }
    }
}

fn is_json(text: &str) -> bool {
    serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok()
}

/// Arguments as an object, for an API that has no text of JSON there: on one line, their keys in the order in which the
/// model wrote them. Arguments that are not an object, or that no JSON reader accepts, have no such form.
pub(super) fn object(arguments: &str) -> Option<Box<RawValue>> {
    let replaced = surrogates::replaced(arguments);
    let mut object = String::new();
    json::reformat(replaced.as_deref().unwrap_or(arguments), &mut object).ok()?;
    RawValue::from_string(object).ok().filter(|object| object.get().starts_with('{'))
}

/// The blocks of a whole answer, and whether each is complete.
pub(super) fn whole(completion: &Completion) -> Vec<(Block, bool)> {
    let has_open_thinking = completion.message.content.chunks().last().is_some_and(Chunk::is_open);
    let blocks = blocks(completion);
    let last = blocks.len().saturating_sub(1);
    let reason = completion.finish_reason();
    let is_complete = |index: usize, block: &Block| match block {
        Block::Thinking(_) => index != last || !has_open_thinking,
        Block::Text(_) => index != last || block.is_complete_at_end(reason),
        Block::Call { .. } => block.is_complete_at_end(reason),
    };
    let all = blocks.into_iter().enumerate();
    all.map(|(index, block)| {
        let complete = is_complete(index, &block);
        (block, complete)
    })
    .collect()
}

/// The blocks of a whole answer.
pub(super) fn blocks(completion: &Completion) -> Vec<Block> {
    let mut blocks: Vec<Block> = match &completion.message.content {
        Content::Text(text) if text.is_empty() => Vec::new(),
        Content::Text(text) => vec![Block::Text(text.clone().into_owned())],
        Content::Chunks(chunks) => chunks.iter().filter_map(block).collect(),
    };
    blocks.extend(completion.message.tool_calls.iter().map(call));
    blocks
}

fn block(chunk: &Chunk<'_>) -> Option<Block> {
    match chunk {
        Chunk::Text(text) => Some(Block::Text(text.clone().into_owned())),
        Chunk::Thinking { text, .. } => Some(Block::Thinking(text.clone().into_owned())),
        // A model writes none of them.
        Chunk::ImageUrl { .. } | Chunk::Image(_) | Chunk::InputAudio(_) | Chunk::AudioUrl(_) => None,
    }
}

fn call(call: &ToolCall<'_>) -> Block {
    Block::Call {
        id: call.id.clone().unwrap_or_default().into_owned(),
        name: call.name.clone().into_owned(),
        arguments: call.arguments.clone().into_owned(),
    }
}

/// The kind of a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum BlockKind {
    Thinking,
    Text,
    Call,
}

/// What a delta does to the blocks of a stream.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// A block begins, empty but for a call's id and name.
    Begin(usize, Block),
    /// The block has more.
    More(usize, BlockKind, String),
    /// The block has come to its end, and is this; is it complete?
    End(usize, Block, bool),
}

/// The blocks of a stream, of which the last one is open.
#[derive(Debug, Default)]
struct Growing {
    done: Vec<(Block, bool)>,
    open: Option<Block>,
    /// The index of the call that is open.
    call: Option<usize>,
}

impl Growing {
    fn push(&mut self, delta: &Delta) -> Vec<Step> {
        let mut steps = Vec::new();
        match delta {
            Delta::ThinkingStart => self.begin(Block::Thinking(String::new()), &mut steps),
            Delta::Thinking(more) => {
                if !matches!(self.open, Some(Block::Thinking(_))) {
                    self.begin(Block::Thinking(String::new()), &mut steps);
                }
                self.more(more, &mut steps);
            }
            Delta::Text(more) => {
                if !matches!(self.open, Some(Block::Text(_))) {
                    self.begin(Block::Text(String::new()), &mut steps);
                }
                self.more(more, &mut steps);
            }
            Delta::ToolCall(call) => {
                if self.call != Some(call.index) {
                    let block = Block::Call {
                        id: call.id.clone().unwrap_or_default(),
                        name: call.name.clone().unwrap_or_default(),
                        arguments: String::new(),
                    };
                    self.begin(block, &mut steps);
                    self.call = Some(call.index);
                }
                self.more(&call.arguments, &mut steps);
            }
            Delta::ThinkingEnd => {
                if matches!(self.open, Some(Block::Thinking(_))) {
                    self.end(&mut steps);
                }
            }
            Delta::ToolCallEnd(_) => {
                if matches!(self.open, Some(Block::Call { .. })) {
                    self.end(&mut steps);
                }
            }
            Delta::Rest(_) | Delta::Stray(_) | Delta::Liberty(_) => {}
        }
        steps
    }

    fn begin(&mut self, block: Block, steps: &mut Vec<Step>) {
        self.end(steps);
        steps.push(Step::Begin(self.done.len(), block.clone()));
        self.open = Some(block);
    }

    fn more(&mut self, more: &str, steps: &mut Vec<Step>) {
        if more.is_empty() {
            return;
        }
        let (kind, text) = match &mut self.open {
            Some(Block::Thinking(text)) => (BlockKind::Thinking, text),
            Some(Block::Text(text)) => (BlockKind::Text, text),
            Some(Block::Call { arguments, .. }) => (BlockKind::Call, arguments),
            None => return,
        };
        text.push_str(more);
        steps.push(Step::More(self.done.len(), kind, more.to_owned()));
    }

    /// Ends the block that is open, behind which more comes.
    fn end(&mut self, steps: &mut Vec<Step>) {
        self.call = None;
        if let Some(block) = self.open.take() {
            let is_complete = match &block {
                Block::Thinking(_) | Block::Text(_) => true,
                Block::Call { arguments, .. } => is_json(arguments),
            };
            steps.push(Step::End(self.done.len(), block.clone(), is_complete));
            self.done.push((block, is_complete));
        }
    }

    /// Ends the block that is open, with which the answer ends.
    fn finish(&mut self, reason: FinishReason) -> Vec<Step> {
        self.call = None;
        let Some(block) = self.open.take() else { return Vec::new() };
        let is_complete = block.is_complete_at_end(reason);
        let step = Step::End(self.done.len(), block.clone(), is_complete);
        self.done.push((block, is_complete));
        vec![step]
    }
}

/// Writes what becomes of the blocks as events of one API.
pub(super) trait BlockWriter {
    fn write(&mut self, steps: Vec<Step>) -> Vec<ReplyEvent>;

    /// The events behind the last block; these are all, each with whether it is complete.
    fn end(&mut self, blocks: &[(Block, bool)], reason: FinishReason, head: ReplyHead<'_>) -> Vec<ReplyEvent>;
}

/// A stream whose events are of blocks.
#[derive(Debug)]
pub(super) struct BlockStream<W> {
    blocks: Growing,
    writer: W,
}

impl<W: BlockWriter> BlockStream<W> {
    pub(super) fn new(writer: W) -> Self {
        BlockStream { blocks: Growing::default(), writer }
    }

    pub(super) fn push(&mut self, delta: &Delta) -> Vec<ReplyEvent> {
        self.writer.write(self.blocks.push(delta))
    }

    pub(super) fn finish(&mut self, reason: FinishReason, head: ReplyHead<'_>) -> Vec<ReplyEvent> {
        let mut events = self.writer.write(self.blocks.finish(reason));
        events.extend(self.writer.end(&self.blocks.done, reason, head));
        events
    }
}
