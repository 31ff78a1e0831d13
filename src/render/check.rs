//! A [`Chat`] against a [`Layout`]'s [`Rules`](crate::layout::Rules): everything that the layout refuses is refused here, once.
//!
//! The order of the checks is mistral-common's, so that of several faults the same one is reported.

use std::collections::HashSet;

use crate::chat::{AssistantMessage, Chat, ChatShape, Chunk, Message, ResponseFormat, Role, ToolCall, ToolMessage};
use crate::error::{Error, ErrorKind};
use crate::layout::{CallIds, ChunkKind, Layout, Pairing, Settings, SystemWithAudio};
use crate::python::schema::check_draft7;
use crate::terms::Mode;

mod contents;

#[cfg(feature = "template")]
pub(crate) use self::contents::unkeepable;
pub(crate) use self::contents::{check_turns, says_nothing};

/// What is left of [`check_chat`] and [`check_turns`] where each message is plain: how the chat ends, and its settings.
/// Schemas are not checked: a plain chat has none, and appending to a checked chat cannot change its own.
pub(crate) fn check_plain(chat: &Chat<'_>, layout: &Layout) -> Result<(), Error> {
    let check = Check { chat, layout };
    check.ends()?;
    check.effort()?;
    check.settings()
}

/// Checks what the messages say by themselves; [`check_turns`] checks what they are as turns.
pub(crate) fn check_chat(chat: &Chat<'_>, layout: &Layout, shape: ChatShape) -> Result<(), Error> {
    let check = Check { chat, layout };
    check.form(shape)?;
    check.ends()?;
    if shape == ChatShape::Mixed {
        check.order()?;
        for (index, message) in chat.messages.iter().enumerate() {
            check.message(index, message)?;
        }
    }
    check.tools()?;
    check.effort()
}

struct Check<'c, 'a> {
    chat: &'c Chat<'a>,
    layout: &'c Layout,
}

impl<'c, 'a> Check<'c, 'a> {
    #[cold]
    fn error(&self, kind: ErrorKind, at: impl Into<String>) -> Error {
        Error::new(kind, at).in_layout(self.layout.name)
    }

    #[cold]
    fn at<T>(&self, index: usize, field: &str, kind: ErrorKind) -> Result<T, Error> {
        let dot = if field.is_empty() { "" } else { "." };
        Err(self.error(kind, format!("messages[{index}]{dot}{field}")))
    }

    /// What no version accepts, which mistral-common's types refuse before any rule.
    fn form(&self, shape: ChatShape) -> Result<(), Error> {
        let mixed = if shape == ChatShape::Mixed { &*self.chat.messages } else { &[] };
        for (index, message) in mixed.iter().enumerate() {
            let role = message.role();
            for (at, chunk) in message.content().chunks().iter().enumerate() {
                let kind = chunk.kind();
                if !ever_in(role, kind) {
                    let kind = ErrorKind::ForeignChunk { role, chunk: kind.as_str() };
                    return self.at(index, &format!("content[{at}]"), kind);
                }
                match chunk {
                    Chunk::InputAudio(data) if data.trim().is_empty() => {
                        return self.at(index, &format!("content[{at}].input_audio"), ErrorKind::EmptyAudio);
                    }
                    Chunk::InputAudio(_)
                    | Chunk::Text(_)
                    | Chunk::Thinking { .. }
                    | Chunk::Image(_)
                    | Chunk::ImageUrl { .. }
                    | Chunk::AudioUrl(_) => {}
                }
            }
        }
        if let ResponseFormat::JsonSchema(schema) = &self.chat.response_format {
            check_draft7(schema.schema.as_str()).map_err(|error| {
                self.error(ErrorKind::ResponseSchema, "response_format.json_schema.schema").because(error)
            })?;
        }
        Ok(())
    }

    /// Who is alone, and who is last.
    fn ends(&self) -> Result<(), Error> {
        let messages = &*self.chat.messages;
        if self.layout.mode.serves() && self.chat.model.is_none() {
            return Err(self.error(ErrorKind::NoModel, "model"));
        }
        match messages {
            [] => return Err(self.error(ErrorKind::NoMessages, "messages")),
            [only] if matches!(only.role(), Role::Assistant | Role::Tool) => {
                return self.at(0, "role", ErrorKind::LoneMessage { role: only.role() });
            }
            _ => {}
        }
        if let Some((last, before)) = messages.split_last()
            && (!before.is_empty() || self.layout.mode.learns())
        {
            self.last(before.len(), last)?;
        }
        Ok(())
    }

    /// Which roles follow which, and whether calls have their results.
    fn order(&self) -> Result<(), Error> {
        for (index, pair) in self.chat.messages.windows(2).enumerate() {
            if let [previous, message] = pair {
                let (previous, role) = (previous.role(), message.role());
                if !may_follow(previous, role) {
                    return self.at(index + 1, "role", ErrorKind::RoleOrder { previous, role });
                }
            }
        }
        match self.layout.rules.pairing {
            Pairing::ByCount => self.pair_by_count()?,
            Pairing::ById => self.pair_by_id()?,
        }
        self.system_with_audio()
    }

    fn last(&self, index: usize, last: &Message<'_>) -> Result<(), Error> {
        match (self.layout.mode, last) {
            (Mode::Agnostic, _) => Ok(()),
            (Mode::Finetuning, Message::Assistant(message)) => {
                if message.prefix {
                    return self.at(index, "prefix", ErrorKind::LastIsPrefix);
                }
                match self.layout.rules.call_ids {
                    CallIds::Unchecked => Ok(()),
                    CallIds::NineAlphanumeric | CallIds::NotEmpty => self.calls(index, message),
                }
            }
            (Mode::Finetuning, other) => self.at(index, "role", ErrorKind::LastNotAssistant { role: other.role() }),
            (Mode::Serving | Mode::Test, Message::Assistant(message)) if !message.prefix => {
                self.at(index, "role", ErrorKind::LastIsAssistant)
            }
            (Mode::Serving | Mode::Test, _) => Ok(()),
        }
    }

    /// Counts results against calls before each assistant message. The first message counts as neither.
    fn pair_by_count(&self) -> Result<(), Error> {
        let (mut calls, mut results) = (0, 0);
        for (index, message) in self.chat.messages.iter().enumerate().skip(1) {
            match message {
                Message::Tool(_) => results += 1,
                Message::Assistant(message) => {
                    if calls != results {
                        return self.at(index, "", ErrorKind::OpenCalls { calls, results });
                    }
                    (calls, results) = (message.tool_calls.len(), 0);
                }
                Message::System(_) | Message::User(_) => {}
            }
        }
        let wrong = match self.layout.mode {
            Mode::Serving => calls != results,
            Mode::Finetuning => calls < results,
            Mode::Test | Mode::Agnostic => false,
        };
        if wrong {
            return Err(self.error(ErrorKind::OpenCallsAtEnd { calls, results }, "messages"));
        }
        Ok(())
    }

    /// Finds each result's call by its id. The first message counts as neither.
    fn pair_by_id(&self) -> Result<(), Error> {
        let (mut calls, mut results) = (HashSet::new(), HashSet::new());
        for (index, message) in self.chat.messages.iter().enumerate().skip(1) {
            match message {
                Message::Tool(result) => {
                    let id = result.call_id.as_deref();
                    if id.is_some_and(|id| results.contains(id)) {
                        let id = id.unwrap_or_default().to_owned();
                        return self.at(index, "tool_call_id", ErrorKind::DuplicateResult { id });
                    }
                    match id.filter(|id| calls.contains(id)) {
                        Some(id) => results.insert(id),
                        None => {
                            let id = id.map(str::to_owned);
                            return self.at(index, "tool_call_id", ErrorKind::UnknownResult { id });
                        }
                    };
                }
                Message::Assistant(message) => {
                    if calls.len() != results.len() {
                        let kind = ErrorKind::OpenCalls { calls: calls.len(), results: results.len() };
                        return self.at(index, "", kind);
                    }
                    calls.clear();
                    results.clear();
                    for (at, call) in message.tool_calls.iter().enumerate() {
                        let id = call.id_or_null();
                        if !calls.insert(id) {
                            let kind = ErrorKind::DuplicateCall { id: id.to_owned() };
                            return self.at(index, &format!("tool_calls[{at}].id"), kind);
                        }
                    }
                }
                Message::System(_) | Message::User(_) => {}
            }
        }
        if calls.len() != results.len() && self.layout.mode.serves() {
            let kind = ErrorKind::OpenCallsAtEnd { calls: calls.len(), results: results.len() };
            return Err(self.error(kind, "messages"));
        }
        Ok(())
    }

    fn system_with_audio(&self) -> Result<(), Error> {
        match self.layout.rules.system_with_audio {
            SystemWithAudio::Taken | SystemWithAudio::OnlyByUrl => Ok(()),
            SystemWithAudio::Refused => self.refuse_system_with(ChunkKind::is_audio),
        }
    }

    /// Refuses a chat that has a system message and a user chunk of such a kind.
    fn refuse_system_with(&self, is_audio: impl Fn(ChunkKind) -> bool) -> Result<(), Error> {
        let messages = &*self.chat.messages;
        let Some(system) = messages.iter().position(|message| message.role() == Role::System) else { return Ok(()) };
        for (index, message) in messages.iter().enumerate() {
            if let Message::User(content) = message
                && let Some(at) = content.chunks().iter().position(|chunk| is_audio(chunk.kind()))
            {
                return self.at(index, &format!("content[{at}]"), ErrorKind::AudioWithSystem { system });
            }
        }
        Ok(())
    }

    fn message(&self, index: usize, message: &Message<'_>) -> Result<(), Error> {
        self.chunk_kinds(index, message)?;
        match message {
            Message::System(_) | Message::User(_) => Ok(()),
            Message::Assistant(message) => self.assistant(index, message),
            Message::Tool(message) => self.result(index, message),
        }
    }

    fn chunk_kinds(&self, index: usize, message: &Message<'_>) -> Result<(), Error> {
        let role = message.role();
        let allowed = self.layout.rules.chunks.of(role);
        for (at, chunk) in message.content().chunks().iter().enumerate() {
            if !allowed.contains(chunk.kind()) {
                let kind = ErrorKind::Chunk { role, chunk: chunk.kind().as_str() };
                return self.at(index, &format!("content[{at}]"), kind);
            }
        }
        Ok(())
    }

    fn assistant(&self, index: usize, message: &AssistantMessage<'_>) -> Result<(), Error> {
        if self.layout.rules.text_and_calls.exclude_each_other() {
            match (message.content.is_empty(), message.tool_calls.is_empty()) {
                (false, false) => return self.at(index, "", ErrorKind::ContentAndCalls),
                (true, true) => return self.at(index, "", ErrorKind::NoContentNorCalls),
                _ => {}
            }
        }
        self.calls(index, message)?;
        if let (Mode::Finetuning | Mode::Agnostic, Some(weight)) = (self.layout.mode, message.weight)
            && weight != 0.0
            && weight != 1.0
        {
            return self.at(index, "weight", ErrorKind::Weight { weight });
        }
        if message.prefix && index + 1 != self.chat.messages.len() {
            return self.at(index, "prefix", ErrorKind::PrefixNotLast);
        }
        Ok(())
    }

    fn calls(&self, index: usize, message: &AssistantMessage<'_>) -> Result<(), Error> {
        for (at, call) in message.tool_calls.iter().enumerate() {
            if let Some(kind) = self.wrong_call_id(index, call) {
                return self.at(index, &format!("tool_calls[{at}].id"), kind);
            }
            if !is_function_name(&call.name) {
                let kind = ErrorKind::CallName { name: call.name.clone().into_owned() };
                return self.at(index, &format!("tool_calls[{at}].function.name"), kind);
            }
        }
        Ok(())
    }

    fn wrong_call_id(&self, index: usize, call: &ToolCall<'_>) -> Option<ErrorKind> {
        match (self.layout.rules.call_ids, call.id_or_null()) {
            (CallIds::Unchecked, _) => None,
            (CallIds::NineAlphanumeric, ToolCall::NULL_ID) => match self.layout.mode {
                Mode::Finetuning | Mode::Agnostic if index + 1 == self.chat.messages.len() => None,
                mode => Some(ErrorKind::NullCallId { mode }),
            },
            (CallIds::NineAlphanumeric, id) => {
                (!is_nine_alphanumeric(id)).then(|| ErrorKind::CallId { id: id.to_owned() })
            }
            (CallIds::NotEmpty, "" | ToolCall::NULL_ID) => Some(ErrorKind::NoCallId),
            (CallIds::NotEmpty, _) => None,
        }
    }

    fn result(&self, index: usize, message: &ToolMessage<'_>) -> Result<(), Error> {
        let ToolMessage { content: _, call_id, name } = message;
        if let Some(name) = name.as_deref().filter(|name| !is_function_name(name)) {
            return self.at(index, "name", ErrorKind::ResultName { name: name.to_owned() });
        }
        let wrong = match (self.layout.rules.call_ids, call_id.as_deref()) {
            (CallIds::Unchecked, _) => None,
            (CallIds::NineAlphanumeric, None) => Some(ErrorKind::MissingResultId),
            (CallIds::NineAlphanumeric, Some(id)) => {
                (!is_nine_alphanumeric(id)).then(|| ErrorKind::ResultId { id: id.to_owned() })
            }
            (CallIds::NotEmpty, None | Some("" | ToolCall::NULL_ID)) => Some(ErrorKind::NoResultId),
            (CallIds::NotEmpty, Some(_)) => None,
        };
        wrong.map_or(Ok(()), |kind| self.at(index, "tool_call_id", kind))
    }

    fn effort(&self) -> Result<(), Error> {
        match (self.layout.settings, self.chat.reasoning_effort) {
            (Settings::Unknown, Some(_)) => Err(self.error(ErrorKind::NoEffort, "reasoning_effort")),
            (Settings::Unknown | Settings::Missing | Settings::Block { .. }, _) => Ok(()),
        }
    }

    fn tools(&self) -> Result<(), Error> {
        for (index, tool) in self.chat.tools.iter().enumerate() {
            check_draft7(tool.parameters.as_str()).map_err(|error| {
                let at = format!("tools[{index}].function.parameters");
                self.error(ErrorKind::ToolSchema, at).because(error)
            })?;
            if !is_function_name(&tool.name) {
                let kind = ErrorKind::ToolName { name: tool.name.clone().into_owned() };
                return Err(self.error(kind, format!("tools[{index}].function.name")));
            }
        }
        Ok(())
    }
}

/// Which role may follow which, in every version.
pub(crate) const fn may_follow(previous: Role, role: Role) -> bool {
    match previous {
        Role::System | Role::User => !matches!(role, Role::Tool),
        Role::Assistant | Role::Tool => !matches!(role, Role::System),
    }
}

/// Can any version's message of this role hold this kind of chunk?
pub(crate) const fn ever_in(role: Role, kind: ChunkKind) -> bool {
    match kind {
        ChunkKind::Text => true,
        ChunkKind::Thinking => matches!(role, Role::System | Role::Assistant),
        ChunkKind::InputAudio => matches!(role, Role::System | Role::User | Role::Tool),
        ChunkKind::Image | ChunkKind::ImageUrl | ChunkKind::AudioUrl => matches!(role, Role::User | Role::Tool),
    }
}

/// Python's `$` lets one newline through at the end.
fn without_newline(text: &str) -> &str {
    text.strip_suffix('\n').unwrap_or(text)
}

/// `^[a-zA-Z0-9_-]{1,64}$`, as Python reads it.
pub(crate) fn is_function_name(name: &str) -> bool {
    let name = without_newline(name);
    (1..=64).contains(&name.len())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-')
}

/// `^[a-zA-Z0-9]{9}$`, as Python reads it.
pub(crate) fn is_nine_alphanumeric(id: &str) -> bool {
    let id = without_newline(id);
    id.len() == 9 && id.bytes().all(|byte| byte.is_ascii_alphanumeric())
}
