//! A chat while it is mended: its messages, where each comes from, and what was done so far.

use std::borrow::Cow;

use super::{Repair, RepairKind, RepairPolicy, Repaired};
use crate::chat::{AssistantMessage, Chat, Message, Role, ToolCall};
use crate::error::{Error, ErrorKind};
use crate::layout::{Layout, ToolCalls};
use crate::mode::Mode;
use crate::normalize::Conversation;

/// More rounds of checking and mending than any chat takes.
const ROUNDS: usize = 64;

/// Checks and mends until the layout takes the chat, or a fault has no mend.
pub(super) fn repair<'c>(chat: &'c Chat<'_>, layout: &Layout, policy: &RepairPolicy) -> Result<Repaired<'c>, Error> {
    let Err(first) = check(chat, layout) else {
        return Ok(Repaired { chat: Cow::Borrowed(chat), repairs: Vec::new() });
    };
    let mut mending = Mending::new(chat.view(), layout, policy);
    let mut fault = mending.mend(first);
    for _ in 0..ROUNDS {
        match fault {
            Some(error) if matches!(error.kind(), ErrorKind::NoMessages) => break,
            Some(error) => return Err(mending.in_the_callers_terms(error)),
            None => {}
        }
        fault = match check(&mending.chat, layout) {
            Ok(()) => return Ok(Repaired { chat: Cow::Owned(mending.chat), repairs: mending.repairs }),
            Err(error) => mending.mend(error),
        };
    }
    // Nothing of the chat was left, so that all of it is what cannot be repaired.
    check(chat, layout).map(|()| Repaired { chat: Cow::Borrowed(chat), repairs: Vec::new() })
}

fn check(chat: &Chat<'_>, layout: &Layout) -> Result<(), Error> {
    Conversation::with_buffer(chat, layout, Vec::new()).map(drop)
}

pub(super) struct Mending<'l, 'c> {
    pub(super) chat: Chat<'c>,
    /// Where each message comes from.
    sources: Vec<Source>,
    repairs: Vec<Repair>,
    pub(super) layout: &'l Layout,
    pub(super) policy: &'l RepairPolicy,
}

/// A message that is being mended.
pub(super) struct Item<'c> {
    pub(super) message: Message<'c>,
    pub(super) source: Source,
}

/// Where a message comes from in the chat that came in.
#[derive(Clone, Default)]
pub(super) struct Source {
    /// The message; none for one that was added.
    message: Option<usize>,
    calls: Vec<CallSource>,
    /// The position of each chunk, once some were left out.
    chunks: Option<Vec<usize>>,
}

/// Where a call comes from: its message, and its position there.
#[derive(Clone, Copy)]
pub(super) struct CallSource {
    message: usize,
    call: usize,
}

impl CallSource {
    pub(super) fn path(self) -> String {
        format!("messages[{}].tool_calls[{}]", self.message, self.call)
    }
}

impl Source {
    fn of(index: usize, message: &Message<'_>) -> Self {
        let calls = (0..message.tool_calls().len()).map(|call| CallSource { message: index, call }).collect();
        Source { message: Some(index), calls, chunks: None }
    }

    pub(super) fn path(&self) -> String {
        format!("messages[{}]", self.message.unwrap_or_default())
    }

    pub(super) fn call_path(&self, call: usize) -> String {
        self.calls.get(call).map_or_else(|| self.path(), |source| source.path())
    }

    pub(super) fn chunk_path(&self, chunk: usize) -> String {
        format!("{}.content[{}]", self.path(), self.chunk(chunk))
    }

    fn chunk(&self, chunk: usize) -> usize {
        self.chunks.as_ref().map_or(Some(chunk), |chunks| chunks.get(chunk).copied()).unwrap_or_default()
    }

    /// Says which chunks are left.
    pub(super) fn keep_chunks(&mut self, kept: &[usize]) {
        self.chunks = Some(kept.iter().map(|chunk| self.chunk(*chunk)).collect());
    }
}

impl<'c> Item<'c> {
    /// A message that was not there.
    pub(super) fn added(message: Message<'c>) -> Self {
        Item { message, source: Source::default() }
    }

    pub(super) fn role(&self) -> Role {
        self.message.role()
    }

    pub(super) fn has_calls(&self) -> bool {
        !self.message.tool_calls().is_empty()
    }

    /// The weight of an assistant message; none of any other.
    #[allow(clippy::option_option, reason = "an assistant message may have no weight")]
    pub(super) fn weight(&self) -> Option<Option<f64>> {
        match &self.message {
            Message::Assistant(message) => Some(message.weight),
            Message::System(_) | Message::User(_) | Message::Tool(_) => None,
        }
    }

    /// An assistant message that says nothing yet, of the turn that this one is of.
    pub(super) fn next_of_turn(&self) -> Self {
        let weight = self.weight().flatten();
        let message = Message::Assistant(AssistantMessage { weight, ..AssistantMessage::default() });
        Item { message, source: Source { message: self.source.message, ..Source::default() } }
    }

    /// Takes the calls out.
    pub(super) fn take_calls(&mut self) -> Calls<'c> {
        let calls = match &mut self.message {
            Message::Assistant(message) => std::mem::take(&mut message.tool_calls),
            Message::System(_) | Message::User(_) | Message::Tool(_) => Vec::new(),
        };
        Calls { calls, sources: std::mem::take(&mut self.source.calls) }
    }

    /// Puts calls behind those that there are.
    pub(super) fn append_calls(&mut self, more: Calls<'c>) {
        let own = self.take_calls();
        self.put_calls(more);
        self.put_calls(own);
    }

    /// Puts calls before those that there are.
    pub(super) fn put_calls(&mut self, mut front: Calls<'c>) {
        for (call, source) in self.take_calls().into_pairs() {
            front.push(call, source);
        }
        if let Message::Assistant(message) = &mut self.message {
            (message.tool_calls, self.source.calls) = (front.calls, front.sources);
        }
    }
}

/// Calls and where each comes from.
#[derive(Default)]
pub(super) struct Calls<'c> {
    calls: Vec<ToolCall<'c>>,
    sources: Vec<CallSource>,
}

impl<'c> Calls<'c> {
    pub(super) fn one(call: ToolCall<'c>, source: CallSource) -> Self {
        Calls { calls: vec![call], sources: vec![source] }
    }

    pub(super) fn push(&mut self, call: ToolCall<'c>, source: CallSource) {
        self.calls.push(call);
        self.sources.push(source);
    }

    pub(super) fn into_pairs(self) -> impl Iterator<Item = (ToolCall<'c>, CallSource)> {
        self.calls.into_iter().zip(self.sources)
    }
}

impl<'l, 'c> Mending<'l, 'c> {
    fn new(chat: Chat<'c>, layout: &'l Layout, policy: &'l RepairPolicy) -> Self {
        let sources = chat.messages.iter().enumerate().map(|(index, message)| Source::of(index, message)).collect();
        Mending { chat, sources, repairs: Vec::new(), layout, policy }
    }

    /// Mends every fault of this kind, or gives the fault back.
    fn mend(&mut self, fault: Error) -> Option<Error> {
        let before = self.repairs.len();
        match fault.kind() {
            // Without calls, their ids and results need no mend.
            ErrorKind::NoTools => self.drop_tools(),
            ErrorKind::OpenCalls { .. }
            | ErrorKind::OpenCallsAtEnd { .. }
            | ErrorKind::DuplicateResult { .. }
            | ErrorKind::UnknownResult { .. }
            | ErrorKind::DuplicateCall { .. }
            | ErrorKind::ContentAndCalls
            | ErrorKind::MergedContentAndCalls { .. }
                if self.layout.calls == ToolCalls::None =>
            {
                self.drop_tools();
            }
            ErrorKind::CallId { .. }
            | ErrorKind::NullCallId { .. }
            | ErrorKind::NoCallId
            | ErrorKind::ResultId { .. }
            | ErrorKind::NoResultId
            | ErrorKind::MissingResultId
            | ErrorKind::DuplicateCall { .. } => self.ids(),
            ErrorKind::OpenCalls { .. }
            | ErrorKind::OpenCallsAtEnd { .. }
            | ErrorKind::DuplicateResult { .. }
            | ErrorKind::UnknownResult { .. } => self.pairing(),
            ErrorKind::ParallelResults => self.split_calls(),
            ErrorKind::ContentAndCalls | ErrorKind::MergedContentAndCalls { .. } => self.text_beside_calls(),
            ErrorKind::NoContentNorCalls | ErrorKind::EmptyReply => self.empty_replies(),
            ErrorKind::RoleOrder { .. } => self.order(),
            ErrorKind::AudioWithSystem { .. } => self.system_as_user(),
            ErrorKind::LoneMessage { .. } => self.lone_message(),
            ErrorKind::LastIsAssistant => self.last_reply(),
            ErrorKind::LastNotAssistant { .. } => self.behind_last_reply(),
            ErrorKind::LastIsPrefix | ErrorKind::PrefixNotLast => self.prefixes(),
            ErrorKind::Chunk { .. }
            | ErrorKind::ForeignChunk { .. }
            | ErrorKind::NoThinking
            | ErrorKind::NoThinkTokens
            | ErrorKind::NoEncoder { .. } => self.chunks(),
            ErrorKind::CallName { .. } | ErrorKind::ResultName { .. } => self.names(),
            ErrorKind::NoEffort => self.effort(),
            _ => {}
        }
        (self.repairs.len() == before).then_some(fault)
    }

    pub(super) fn record(&mut self, at: impl Into<String>, kind: RepairKind, what: impl Into<String>) {
        self.repairs.push(Repair { at: at.into(), kind, what: what.into() });
    }

    pub(super) fn repairs_so_far(&self) -> usize {
        self.repairs.len()
    }

    /// Takes the messages out, to go through them; [`put`](Mending::put) puts them back.
    pub(super) fn take(&mut self) -> impl ExactSizeIterator<Item = Item<'c>> + DoubleEndedIterator + use<'c> {
        let messages = std::mem::take(&mut self.chat.messages).into_iter();
        messages.zip(std::mem::take(&mut self.sources)).map(|(message, source)| Item { message, source })
    }

    pub(super) fn put(&mut self, items: impl IntoIterator<Item = Item<'c>>) {
        for Item { message, source } in items {
            self.chat.messages.push(message);
            self.sources.push(source);
        }
    }

    /// The error with its path in the chat that came in.
    fn in_the_callers_terms(&self, error: Error) -> Error {
        let Some((index, rest)) = element(error.at(), "messages[") else { return error };
        let Some(source) = self.sources.get(index) else { return error };
        let at = if let Some((call, rest)) = element(rest, ".tool_calls[") {
            format!("{}{rest}", source.call_path(call))
        } else if let Some((chunk, rest)) = element(rest, ".content[") {
            format!("{}{rest}", source.chunk_path(chunk))
        } else {
            format!("{}{rest}", source.path())
        };
        error.moved_to(at)
    }

    fn effort(&mut self) {
        if let Some(effort) = self.chat.reasoning_effort.take() {
            let what = format!("the effort {effort} was left out: the layout has none to set");
            self.record("reasoning_effort", RepairKind::EffortDropped, what);
        }
    }

    /// A fine-tuned reply is complete, and so is one that is not the last.
    fn prefixes(&mut self) {
        let last = self.chat.messages.len().saturating_sub(1);
        let last_stays = self.layout.mode != Mode::Finetuning;
        for (index, item) in self.take().enumerate() {
            let Item { mut message, source } = item;
            if let Message::Assistant(AssistantMessage { prefix: prefix @ true, .. }) = &mut message
                && !(last_stays && index == last)
            {
                *prefix = false;
                let what = "the message was to be continued, and became complete";
                self.record(format!("{}.prefix", source.path()), RepairKind::PrefixEnded, what);
            }
            self.put([Item { message, source }]);
        }
    }
}

/// The index behind `head` at the beginning of a path, and the path behind it.
fn element<'p>(path: &'p str, head: &str) -> Option<(usize, &'p str)> {
    let (index, rest) = path.strip_prefix(head)?.split_once(']')?;
    Some((index.parse().ok()?, rest))
}
