//! One message of a row.

use std::borrow::Cow;

use super::field_names::{ANSWERED, ASKED, Voice, voice, voice_names};
use super::json::{Form, Object, form, is_empty, items, text, truth, within, without_null_members};
use super::{Reading, RowField, ThinkTags};
use crate::chat::{self, AssistantMessage, Chunk, Content, Message, Role, ToolMessage};
use crate::error::{Error, ErrorKind};

/// A message, and whether it is learnt, if it says so.
pub(super) struct Said<'a> {
    pub(super) message: Message<'a>,
    pub(super) mark: Option<bool>,
}

fn missing(field: &'static str) -> Error {
    Error::new(ErrorKind::MissingField(field), "")
}

impl Reading<'_> {
    /// A list of messages, or its text.
    pub(super) fn messages<'a>(&self, raw: &'a str) -> Result<Vec<Said<'a>>, Error> {
        match form(raw) {
            Form::Text => {
                let spelt = text(raw)?;
                let spelt = spelt.trim();
                if form(spelt) != Form::List {
                    return Err(Error::new(ErrorKind::RowType { expected: "a list of messages" }, ""));
                }
                let owned = |said: Said<'_>| Said { message: said.message.into_owned(), mark: said.mark };
                Ok(self.messages(spelt)?.into_iter().map(owned).collect())
            }
            Form::List => {
                let mut messages = Vec::new();
                for (index, raw) in items(raw)?.into_iter().enumerate() {
                    let said = self.said(raw).map_err(|error| within(error, || format!("[{index}]")))?;
                    messages.extend(said.into_iter().flatten());
                }
                Ok(messages)
            }
            _ => Err(Error::new(ErrorKind::RowType { expected: "a list of messages" }, "")),
        }
    }

    /// A message, or a question and its answer in one object.
    fn said<'a>(&self, raw: &'a str) -> Result<[Option<Said<'a>>; 2], Error> {
        if form(raw) != Form::Object {
            return Err(Error::new(ErrorKind::RowType { expected: "a message" }, ""));
        }
        let mut object = Object::read(raw)?;
        if !self.holds(&object, RowField::Role) {
            let half = |names: [&'static str; 7]| names.into_iter().find(|name| object.peek(name).is_some());
            if let (Some(asked), Some(answered)) = (half(ASKED), half(ANSWERED)) {
                let mut read = |name: &str| {
                    let raw = object.take(name).unwrap_or_default();
                    content_of(raw).map_err(|error| within(error, || name.to_owned()))
                };
                let (question, answer) = (read(asked)?, read(answered)?);
                self.tell_unread(&object, "messages[].");
                let messages = [Message::User(question), Message::assistant(self.untagged(answer))];
                return Ok(messages.map(|message| Some(Said { message, mark: None })));
            }
        }
        Ok([Some(self.message_of(object)?), None])
    }

    pub(super) fn message<'a>(&self, raw: &'a str) -> Result<Said<'a>, Error> {
        self.message_of(Object::read(raw)?)
    }

    fn message_of<'a>(&self, mut object: Object<'a>) -> Result<Said<'a>, Error> {
        let is_human = object.peek("is_human").map(form);
        let Some((role_name, role)) = self.take(&mut object, RowField::Role)? else {
            if let (Some(Form::Bool(is_human)), Some(raw)) = (is_human, object.take("message")) {
                // PIPPA.
                object.take("is_human");
                let said = content_of(raw).map_err(|error| within(error, || "message".to_owned()))?;
                let message = if is_human { Message::User(said) } else { Message::assistant(self.untagged(said)) };
                self.tell_unread(&object, "messages[].");
                return Ok(Said { message, mark: None });
            }
            let is_sharegpt = object.names().any(|name| name == "value");
            return Err(missing(if is_sharegpt { "from" } else { "role" }));
        };
        let voice = self.voice(role).map_err(|error| within(error, || role_name))?;
        let mut content = self.take(&mut object, RowField::Content)?;
        if content.is_none() && voice == Voice::Of(Role::System) {
            // SWE-agent's trajectories.
            content = object.take("system_prompt").map(|raw| ("system_prompt".to_owned(), raw));
        }
        let mut mark = self.mark(&mut object, voice)?;
        let read = |(name, raw): (String, &'a str)| content_of(raw).map_err(|error| within(error, || name));
        let message = match voice {
            Voice::Of(Role::System) => Message::System(read(content.ok_or_else(|| missing("content"))?)?),
            Voice::Of(Role::User) => Message::User(read(content.ok_or_else(|| missing("content"))?)?),
            Voice::Of(Role::Tool) => Message::Tool(self.result(&mut object, content.map(read).transpose()?)?),
            Voice::Of(Role::Assistant) => {
                let weight = mark.weight;
                let reply = self.reply(&mut object, content.map(read).transpose()?)?;
                Message::Assistant(AssistantMessage { weight, ..reply })
            }
            Voice::Calls => {
                let (name, raw) = content.ok_or_else(|| missing("content"))?;
                let tool_calls = self.calls(raw).map_err(|error| within(error, || name))?;
                Message::Assistant(AssistantMessage { tool_calls, weight: mark.weight, ..AssistantMessage::default() })
            }
        };
        if message.role() != Role::Assistant {
            // A weight is of what the model says; only a mark by name asks to learn what others say.
            let unheard = mark.asks.filter(|_| mark.named.is_none() && mark.learnt == Some(true));
            self.notes.borrow_mut().unread.extend(unheard.map(|name| format!("messages[].{name}")));
            mark.learnt = mark.named;
        }
        self.tell_unread(&object, "messages[].");
        Ok(Said { message, mark: mark.learnt })
    }

    fn voice(&self, raw: &str) -> Result<Voice, Error> {
        let name = text(raw)?;
        let own = self.reader.roles.iter().find(|(own, _)| *own == name).map(|(_, role)| Voice::Of(*role));
        own.or_else(|| voice(&name))
            .ok_or_else(|| Error::new(ErrorKind::RowRole { name: name.into_owned(), known: voice_names() }, ""))
    }

    /// Whether the message is learnt: only if every field that says something says so.
    fn mark(&self, object: &mut Object<'_>, voice: Voice) -> Result<Mark, Error> {
        let mut mark = Mark::default();
        for name in self.names(RowField::Weight) {
            let Some(raw) = object.take(name) else { continue };
            let number = match form(raw) {
                Form::Bool(is_learnt) => f64::from(u8::from(is_learnt)),
                Form::Number => raw.parse().map_err(|_| weight_type(name))?,
                _ => return Err(weight_type(name)),
            };
            if number != 0.0 && number != 1.0 && voice != Voice::Of(Role::User) {
                return Err(Error::new(ErrorKind::Weight { weight: number }, name));
            }
            let is_learnt = number != 0.0;
            mark.learnt = Some(mark.learnt.unwrap_or(true) && is_learnt);
            if is_learnt {
                mark.asks = Some(name.to_owned());
            }
            if name == "weight" {
                mark.weight = Some(number);
            } else if name.starts_with("train") {
                mark.named = Some(mark.named.unwrap_or(true) && is_learnt);
            }
        }
        Ok(mark)
    }

    fn result<'a>(&self, object: &mut Object<'a>, content: Option<Content<'a>>) -> Result<ToolMessage<'a>, Error> {
        let call_id = self.take(object, RowField::CallId)?.map(|(_, raw)| text(raw)).transpose();
        let name = object.take("name").map(text).transpose();
        Ok(ToolMessage {
            content: content.ok_or_else(|| missing("content"))?,
            call_id: call_id.map_err(|error| within(error, || "tool_call_id".to_owned()))?.filter(|id| !id.is_empty()),
            name: name.map_err(|error| within(error, || "name".to_owned()))?,
        })
    }

    fn reply<'a>(&self, object: &mut Object<'a>, content: Option<Content<'a>>) -> Result<AssistantMessage<'a>, Error> {
        let thinking = self.take(object, RowField::Thinking)?.filter(|(_, raw)| !is_empty(raw));
        let thinking = thinking.map(|(name, raw)| thinking_of(raw).map_err(|error| within(error, || name)));
        let mut tool_calls = Vec::new();
        for name in self.names(RowField::ToolCalls) {
            if let Some(raw) = object.take(name).filter(|raw| !is_empty(raw)) {
                tool_calls.extend(self.calls(raw).map_err(|error| within(error, || name.to_owned()))?);
            }
        }
        let prefix = object.take("prefix").map(truth).transpose();
        let prefix = prefix.map_err(|error| within(error, || "prefix".to_owned()))?;
        let content = content.unwrap_or_default();
        let content = match thinking.transpose()? {
            Some(thinking) => think_first(thinking, content)?,
            None => self.untagged(content),
        };
        Ok(AssistantMessage { content, tool_calls, prefix: prefix.unwrap_or_default(), weight: None })
    }
}

impl Reading<'_> {
    /// What a reply says, with its `<think>` tags as they are wished.
    pub(super) fn untagged<'a>(&self, content: Content<'a>) -> Content<'a> {
        match self.reader.think_tags {
            ThinkTags::AsThinking => without_tags(content),
            ThinkTags::AsText => content,
        }
    }
}

/// What the fields of a message say of learning it.
#[derive(Default)]
struct Mark {
    learnt: Option<bool>,
    /// What `train` and its kin say, which hold for any role.
    named: Option<bool>,
    /// The field that asks to learn the message.
    asks: Option<String>,
    weight: Option<f64>,
}

fn weight_type(name: &str) -> Error {
    Error::new(ErrorKind::RowType { expected: "0 or 1, true or false" }, name)
}

/// A text, or a list of chunks.
pub(super) fn content_of(raw: &str) -> Result<Content<'_>, Error> {
    match form(raw) {
        Form::Text => text(raw).map(Content::Text),
        Form::List => match without_null_members(raw) {
            _ if is_of_bare_texts(raw) => bare_texts(raw).map(Content::Chunks),
            Some((stripped, _)) => chat::content_from_json(&stripped).map(Content::into_owned),
            None => chat::content_from_json(raw),
        },
        _ => Err(Error::new(ErrorKind::RowType { expected: "a text or a list of chunks" }, "")),
    }
}

/// Is the list one of `{"text": …}` alone, as Bedrock has it?
fn is_of_bare_texts(raw: &str) -> bool {
    let is_bare = |raw: &&str| Object::read(raw).is_ok_and(|part| part.unread().eq(["text"]));
    items(raw).is_ok_and(|parts| !parts.is_empty() && parts.iter().all(is_bare))
}

fn bare_texts(raw: &str) -> Result<Vec<Chunk<'_>>, Error> {
    let chunk =
        |raw| Object::read(raw)?.take("text").map(text).transpose().map(|text| Chunk::Text(text.unwrap_or_default()));
    items(raw)?.into_iter().map(chunk).collect()
}

/// A text, a list of texts, or a list of chunks.
pub(super) fn thinking_of(raw: &str) -> Result<Cow<'_, str>, Error> {
    if form(raw) != Form::List {
        return text(raw);
    }
    let mut whole = String::new();
    for (index, item) in items(raw)?.into_iter().enumerate() {
        let at = || format!("[{index}]");
        match form(item) {
            Form::Text => whole.push_str(&text(item)?),
            _ => {
                let mut chunk = Object::read(item).map_err(|error| within(error, at))?;
                let text_of = ["text", "thinking"].into_iter().find_map(|name| chunk.take(name));
                whole.push_str(&text(text_of.ok_or_else(|| within(missing("text"), at))?)?);
            }
        }
    }
    Ok(Cow::Owned(whole))
}

pub(super) fn think_first<'a>(thinking: Cow<'a, str>, content: Content<'a>) -> Result<Content<'a>, Error> {
    let mut chunks = vec![Chunk::thinking(thinking)];
    match content {
        Content::Text(text) if text.is_empty() => {}
        Content::Text(text) => chunks.push(Chunk::Text(text)),
        Content::Chunks(list) => {
            if list.iter().any(|chunk| chunk.as_thinking().is_some()) {
                return Err(Error::new(ErrorKind::ReasoningTwice, "thinking"));
            }
            chunks.extend(list);
        }
    }
    Ok(Content::Chunks(chunks))
}

/// The text with what stands between `<think>` and `</think>` at its beginning as thinking.
fn without_tags(content: Content<'_>) -> Content<'_> {
    let Content::Text(text) = &content else { return content };
    let parts = text.trim_start().strip_prefix("<think>").and_then(|rest| rest.split_once("</think>"));
    let Some((thinking, said)) = parts else { return content };
    let (thinking, said) = (thinking.trim().to_owned(), said.trim_start().to_owned());
    let mut chunks = Vec::new();
    if !thinking.is_empty() {
        chunks.push(Chunk::thinking(thinking));
    }
    if !said.is_empty() {
        chunks.push(Chunk::text(said));
    }
    Content::Chunks(chunks)
}
