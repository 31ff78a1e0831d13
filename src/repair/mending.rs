//! A chat while it is mended: its messages, where each comes from, and what was done so far.

use std::borrow::Cow;

use super::{Renamed, Repair, RepairKind, RepairPolicy, Repaired};
use crate::chat::surrogates::replaced;
use crate::chat::{
    AssistantMessage, Chat, Chunk, Content, Json, Message, ReasoningEffort, ResponseFormat, Role, ToolCall,
};
use crate::error::{Error, ErrorKind};
use crate::layout::{Efforts, Layout};
use crate::render::CheckedChat;

/// More rounds of checking and mending than any chat takes.
const ROUNDS: usize = 64;

/// Checks and mends until the layout accepts the chat, or a fault has no mend.
pub(super) fn repair<'c>(chat: &'c Chat<'_>, layout: &Layout, policy: &RepairPolicy) -> Result<Repaired<'c>, Error> {
    match check(chat, layout) {
        Ok(()) => Ok(Repaired { chat: Cow::Borrowed(chat), repairs: Vec::new() }),
        Err(first) => {
            let (chat, repairs) = mend(chat.view(), first, layout, policy)?;
            Ok(Repaired { chat: Cow::Owned(chat), repairs })
        }
    }
}

/// As [`repair`], of a chat that is given away.
pub(super) fn repair_owned<'c>(
    chat: Chat<'c>,
    layout: &Layout,
    policy: &RepairPolicy,
) -> Result<(Chat<'c>, Vec<Repair>), Error> {
    match check(&chat, layout) {
        Ok(()) => Ok((chat, Vec::new())),
        Err(first) => mend(chat, first, layout, policy),
    }
}

fn mend<'c>(
    chat: Chat<'c>,
    first: Error,
    layout: &Layout,
    policy: &RepairPolicy,
) -> Result<(Chat<'c>, Vec<Repair>), Error> {
    let mut mending = Mending::new(chat, layout, policy);
    let mut later: Option<Error> = None;
    for _ in 0..ROUNDS {
        let fault = later.as_ref().unwrap_or(&first);
        if !mending.mend(fault) {
            let is_all_gone = matches!(fault.kind(), ErrorKind::NoMessages);
            // Nothing of the chat was left, so that all of it is what cannot be repaired.
            let Some(later) = later.filter(|_| !is_all_gone) else { break };
            return Err(mending.in_the_callers_terms(later));
        }
        match check(&mending.chat, layout) {
            Ok(()) => return Ok((mending.chat, mending.repairs)),
            Err(error) => later = Some(error),
        }
    }
    Err(first)
}

fn check(chat: &Chat<'_>, layout: &Layout) -> Result<(), Error> {
    CheckedChat::with_buffer(chat, layout, Vec::new()).map(drop)
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
    /// The message; `None` for one that was added.
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

    /// The weight of an assistant message; `None` for any other.
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

    /// Mends every fault of this kind; says whether there was anything to mend.
    fn mend(&mut self, fault: &Error) -> bool {
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
                if !self.layout.calls.are_written() =>
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
            ErrorKind::CallName { .. } | ErrorKind::ResultName { .. } | ErrorKind::ToolName { .. } => self.names(),
            ErrorKind::NoEffort | ErrorKind::Effort { .. } => self.effort(),
            ErrorKind::JsonValue => self.surrogates(),
            _ => {}
        }
        self.repairs.len() > before
    }

    pub(super) fn record(&mut self, at: impl Into<String>, kind: RepairKind, what: impl Into<String>) {
        self.repairs.push(Repair::new(at, kind, what));
    }

    /// Tells of a name that became another.
    pub(super) fn renamed(&mut self, at: String, kind: RepairKind, renamed: Renamed) {
        let what = format!("{:?} became {:?}", renamed.old, renamed.new);
        self.repairs.push(Repair { renamed: Some(renamed), ..Repair::new(at, kind, what) });
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

    /// The nearest effort that the layout has; of two, the lower one.
    fn effort(&mut self) {
        let Some(effort) = self.chat.reasoning_effort.take() else { return };
        let allowed = self.layout.settings.effort().map_or(Efforts::default(), |setting| setting.values);
        let distance = |other: &ReasoningEffort| (*other as u8).abs_diff(effort as u8);
        let at = "reasoning_effort";
        match allowed.iter().min_by_key(distance) {
            Some(nearest) => {
                let what = format!("the effort {effort} became {nearest}, which is the nearest of {allowed}");
                self.record(at, RepairKind::EffortChanged, what);
                self.chat.reasoning_effort = Some(nearest);
            }
            None => {
                let what = format!("the effort {effort} was left out: the layout has none to set");
                self.record(at, RepairKind::EffortDropped, what);
            }
        }
    }

    /// Puts U+FFFD for each lone surrogate in the JSON of calls, results, tools and the response format.
    fn surrogates(&mut self) {
        let what = "a lone surrogate is not text, and became U+FFFD";
        for index in 0..self.chat.tools.len() {
            if let Some(tool) = self.chat.tools.get_mut(index)
                && let Some(json) = replaced(tool.parameters.as_str())
            {
                tool.parameters = Json::of_text(json);
                self.record(format!("tools[{index}].function.parameters"), RepairKind::Surrogate, what);
            }
        }
        if let ResponseFormat::JsonSchema(schema) = &mut self.chat.response_format
            && let Some(json) = replaced(schema.schema.as_str())
        {
            schema.schema = Json::of_text(json);
            self.record("response_format.json_schema.schema", RepairKind::Surrogate, what);
        }
        for mut item in self.take() {
            match &mut item.message {
                Message::Assistant(message) => {
                    for (position, call) in message.tool_calls.iter_mut().enumerate() {
                        if let Some(json) = replaced(&call.arguments) {
                            call.arguments = json.into();
                            let at = format!("{}.function.arguments", item.source.call_path(position));
                            self.record(at, RepairKind::Surrogate, what);
                        }
                    }
                }
                Message::Tool(result) => {
                    if replace_in(&mut result.content) {
                        self.record(format!("{}.content", item.source.path()), RepairKind::Surrogate, what);
                    }
                }
                Message::System(_) | Message::User(_) => {}
            }
            self.put([item]);
        }
    }

    /// A fine-tuned reply is complete, and so is one that is not the last.
    fn prefixes(&mut self) {
        let last = self.chat.messages.len().saturating_sub(1);
        let last_stays = !self.layout.mode.learns();
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

/// Replaces the lone surrogates in a result that is JSON; says whether there were any.
fn replace_in(content: &mut Content<'_>) -> bool {
    let texts: Vec<&mut Cow<'_, str>> = match content {
        Content::Text(text) => vec![text],
        Content::Chunks(chunks) => (chunks.iter_mut())
            .filter_map(|chunk| match chunk {
                Chunk::Text(text) => Some(text),
                Chunk::Thinking { .. }
                | Chunk::Image(_)
                | Chunk::ImageUrl { .. }
                | Chunk::InputAudio(_)
                | Chunk::AudioUrl(_) => None,
            })
            .collect(),
    };
    let mut any = false;
    for text in texts {
        if let Some(json) = replaced(text) {
            *text = json.into();
            any = true;
        }
    }
    any
}

/// The index behind `head` at the beginning of a path, and the path behind it.
fn element<'p>(path: &'p str, head: &str) -> Option<(usize, &'p str)> {
    let (index, rest) = path.strip_prefix(head)?.split_once(']')?;
    Some((index.parse().ok()?, rest))
}
