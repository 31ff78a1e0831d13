//! A chat as the values that a template sees: the dicts of a client's own JSON, each untrusted text marked.

use std::borrow::Cow;

use minijinja::value::Value;

use super::object::{Dict, List, LongInteger};
use crate::chat::{ArgumentsForm, AssistantMessage, Chat, Chunk, Content, Message, ResponseFormat, Tool, ToolCall};
use crate::check::unkeepable;
use crate::control::Control;
use crate::error::{Error, ErrorKind};
use crate::marking::Mark;
use crate::python_json::{Number, Reader, Token};

/// How deep JSON may be nested for a template to see it.
const MAX_DEPTH: usize = 64;

/// How untrusted text is marked on its way through a template.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Marking {
    /// Not at all.
    None,
    /// Where a control literal could form.
    Brackets(Mark),
    /// There, and at both ends.
    Ends(Mark),
    /// Only where a text spells a literal, or begins or ends inside of one.
    Literals(Mark),
}

impl Marking {
    /// The text with marks; none where it stays as it is.
    pub(super) fn marked<'t>(self, text: &'t str) -> Option<Cow<'t, str>> {
        match self {
            Marking::None => None,
            Marking::Brackets(mark) => match mark.mark(text) {
                Cow::Borrowed(_) => None,
                marked => Some(marked),
            },
            Marking::Literals(mark) => mark_literals(text, mark).map(Cow::Owned),
            Marking::Ends(_) if text.is_empty() => None,
            Marking::Ends(mark) => {
                let inner = text.trim();
                let (mark_at, marked) = (mark.character(), mark.mark(inner));
                let start = text.len() - text.trim_start().len();
                let (before, rest) = text.split_at_checked(start).unwrap_or(("", text));
                let after = rest.get(inner.len()..).unwrap_or_default();
                Some(Cow::Owned(format!("{before}{mark_at}{marked}{mark_at}{after}")))
            }
        }
    }
}

/// Marks each bracket that begins a literal, or would with more text, and the one that ends what may be half of one.
fn mark_literals(text: &str, mark: Mark) -> Option<String> {
    let mut marked = String::new();
    let mut rest = text;
    if let Some(close) = text.find([']', '>']) {
        let head = text.get(..=close).unwrap_or_default();
        if Control::all().any(|control| control.as_str().ends_with(head)) {
            marked.extend([text.get(..close).unwrap_or_default(), mark.character().encode_utf8(&mut [0; 4])]);
            rest = text.get(close..).unwrap_or_default();
        }
    } else if let Cow::Owned(inside) = mark.mark(text)
        && !text.contains(['[', '<'])
    {
        return Some(inside);
    }
    let mut searched = 0;
    while let Some(found) = rest.get(searched..).and_then(|tail| tail.find(['[', '<'])) {
        searched += found + 1;
        let (head, tail) = rest.split_at_checked(searched - 1).unwrap_or((rest, ""));
        let meets = |control: Control| tail.starts_with(control.as_str()) || control.as_str().starts_with(tail);
        if Control::all().any(meets) {
            marked.push_str(head);
            marked.push_str(tail.get(..1).unwrap_or_default());
            marked.push(mark.character());
            rest = tail.get(1..).unwrap_or_default();
            searched = 0;
        }
    }
    if marked.is_empty() {
        return None;
    }
    marked.push_str(rest);
    Some(marked)
}

/// How a template reads the thinking of a message.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Thinking {
    /// As chunks of the content.
    Chunks,
    /// As a field of its own, `reasoning_content`.
    Field,
}

/// Makes the values of one render.
pub(super) struct Values {
    pub(super) marking: Marking,
    pub(super) thinking: Thinking,
    /// What is added to the last message, so that the prompt can be cut there.
    pub(super) tag: Option<char>,
}

fn dict(members: impl IntoIterator<Item = (&'static str, Value)>) -> Value {
    Value::from_object(Dict::new(members.into_iter().map(|(key, value)| (Value::from(key), value)).collect()))
}

fn list(items: impl IntoIterator<Item = Value>) -> Value {
    Value::from_object(List::new(items.into_iter().collect()))
}

impl Values {
    fn text(&self, text: &str) -> Value {
        self.marking.marked(text).map_or_else(|| Value::from(text), Value::from)
    }

    pub(super) fn messages(&self, chat: &Chat<'_>) -> Result<Value, Error> {
        let last = chat.messages.len().saturating_sub(1);
        let messages = chat.messages.iter().enumerate();
        let messages = messages.map(|(index, message)| self.message(message, self.tag.filter(|_| index == last)));
        Ok(Value::from_object(List::new(messages.collect::<Result<_, _>>()?)))
    }

    fn message(&self, message: &Message<'_>, tag: Option<char>) -> Result<Value, Error> {
        let mut members = Vec::with_capacity(4);
        let mut member = |key: &'static str, value: Value| members.push((Value::from(key), value));
        member("role", Value::from(message.role().as_str()));
        match message {
            Message::System(content) | Message::User(content) => member("content", self.content(content, tag)),
            Message::Assistant(message) => {
                let (content, reasoning) = self.reply(message, tag);
                member("content", content);
                if let Some(reasoning) = reasoning {
                    member("reasoning_content", reasoning);
                }
                if !message.tool_calls.is_empty() {
                    let calls = message.tool_calls.iter().map(|call| self.call(call));
                    member("tool_calls", Value::from_object(List::new(calls.collect::<Result<_, _>>()?)));
                }
            }
            Message::Tool(message) => {
                member("content", self.content(&message.content, tag));
                if let Some(id) = &message.call_id {
                    member("tool_call_id", self.text(id));
                }
                if let Some(name) = &message.name {
                    member("name", self.text(name));
                }
            }
        }
        Ok(Value::from_object(Dict::new(members)))
    }

    /// An assistant's content, and its thinking where that is a field of its own.
    fn reply(&self, message: &AssistantMessage<'_>, tag: Option<char>) -> (Value, Option<Value>) {
        match (&message.content, self.thinking) {
            (Content::Text(text), _) if text.is_empty() && !message.prefix => (Value::from(()), None),
            (Content::Chunks(chunks), Thinking::Field) => {
                let mut reasoning = None;
                let mut said = Vec::with_capacity(chunks.len());
                for chunk in chunks {
                    match chunk {
                        Chunk::Thinking { text, .. } => reasoning.get_or_insert_with(String::new).push_str(text),
                        other => said.push(other.clone()),
                    }
                }
                let content = match (&reasoning, &mut *said) {
                    (Some(_), []) => Content::default(),
                    (Some(_), [Chunk::Text(text)]) => Content::Text(std::mem::take(text)),
                    _ => Content::Chunks(said),
                };
                (self.content(&content, tag), reasoning.map(|reasoning| self.text(&reasoning)))
            }
            (content, _) => (self.content(content, tag), None),
        }
    }

    fn content(&self, content: &Content<'_>, tag: Option<char>) -> Value {
        match content {
            Content::Text(text) => self.tagged(text, tag),
            Content::Chunks(chunks) => {
                let last_text = chunks.iter().rposition(|chunk| matches!(chunk, Chunk::Text(_)));
                list(
                    chunks
                        .iter()
                        .enumerate()
                        .map(|(at, chunk)| self.chunk(chunk, tag.filter(|_| last_text == Some(at)))),
                )
            }
        }
    }

    fn tagged(&self, text: &str, tag: Option<char>) -> Value {
        match tag {
            None => self.text(text),
            Some(tag) => {
                let text = self.marking.marked(text).unwrap_or(Cow::Borrowed(text));
                Value::from(format!("{text}{tag} "))
            }
        }
    }

    fn chunk(&self, chunk: &Chunk<'_>, tag: Option<char>) -> Value {
        let typed = |kind: &'static str, value: Value| dict([("type", Value::from(kind)), (kind, value)]);
        let url = |url: &str| dict([("url", self.text(url))]);
        match chunk {
            Chunk::Text(text) => typed("text", self.tagged(text, tag)),
            Chunk::Thinking { text, closed: true } => typed("thinking", self.text(text)),
            Chunk::Thinking { text, closed: false } => {
                dict([("type", Value::from("thinking")), ("thinking", self.text(text)), ("closed", Value::from(false))])
            }
            Chunk::ImageUrl { url: at, detail: None } => typed("image_url", url(at)),
            Chunk::ImageUrl { url, detail: Some(detail) } => {
                typed("image_url", dict([("url", self.text(url)), ("detail", self.text(detail))]))
            }
            Chunk::Image(data) => typed("image", self.text(data)),
            Chunk::InputAudio(data) => typed("input_audio", self.text(data)),
            Chunk::AudioUrl(at) => typed("audio_url", url(at)),
        }
    }

    fn call(&self, call: &ToolCall<'_>) -> Result<Value, Error> {
        let arguments = match call.arguments_form {
            ArgumentsForm::Text => self.text(&call.arguments),
            ArgumentsForm::Object if call.arguments.is_empty() => self.json("{}")?,
            ArgumentsForm::Object => self.json(&call.arguments)?,
        };
        let function = dict([("name", self.text(&call.name)), ("arguments", arguments)]);
        let id = call.id.as_deref().map(|id| ("id", self.text(id)));
        Ok(dict(id.into_iter().chain([("type", Value::from("function")), ("function", function)])))
    }

    /// The tools; none where the chat has none.
    pub(super) fn tools(&self, tools: &[Tool<'_>]) -> Result<Value, Error> {
        if tools.is_empty() {
            return Ok(Value::from(()));
        }
        let tools = tools.iter().map(|tool| {
            let function = dict([
                ("name", self.text(&tool.name)),
                ("description", self.text(&tool.description)),
                ("parameters", self.json(tool.parameters.as_str())?),
            ]);
            Ok::<_, Error>(dict([("type", Value::from("function")), ("function", function)]))
        });
        Ok(Value::from_object(List::new(tools.collect::<Result<_, _>>()?)))
    }

    pub(super) fn response_format(&self, format: &ResponseFormat<'_>) -> Result<Option<Value>, Error> {
        match format {
            ResponseFormat::Text => Ok(None),
            other => {
                let json =
                    serde_json::to_string(other).map_err(|error| Error::new(ErrorKind::Json, "").because(error))?;
                self.json(&json).map(Some)
            }
        }
    }

    /// A JSON document as Python reads it.
    pub(super) fn json(&self, source: &str) -> Result<Value, Error> {
        if let Some(error) = unkeepable(source) {
            return Err(Error::new(ErrorKind::JsonValue, "").because(error));
        }
        let mut reader = Reader::new(source);
        let mut open: Vec<Container> = Vec::new();
        let mut document = Value::from(());
        loop {
            let token = reader.next_token().map_err(|error| Error::new(ErrorKind::JsonValue, "").because(error))?;
            let value = match token {
                Token::End => return Ok(document),
                Token::ObjectStart | Token::ArrayStart if open.len() == MAX_DEPTH => {
                    let kind =
                        ErrorKind::TemplateLimit { what: "levels of JSON", found: MAX_DEPTH + 1, limit: MAX_DEPTH };
                    return Err(Error::new(kind, ""));
                }
                Token::ObjectStart => {
                    open.push(Container::Object(Vec::new(), Box::default()));
                    continue;
                }
                Token::ArrayStart => {
                    open.push(Container::Array(Vec::new()));
                    continue;
                }
                Token::Key => {
                    if let Some(Container::Object(_, key)) = open.last_mut() {
                        *key = reader.string().decode().into();
                    }
                    continue;
                }
                Token::ObjectEnd | Token::ArrayEnd => match open.pop() {
                    Some(Container::Object(members, _)) => Value::from_object(Dict::from_json(members, |key| {
                        self.marking.marked(key).map(Cow::into_owned)
                    })),
                    Some(Container::Array(items)) => list(items),
                    None => continue,
                },
                Token::String => self.text(&reader.string().decode()),
                Token::Integer | Token::Float | Token::NotFinite => number_value(reader.number(token)),
                Token::Bool => Value::from(source.get(reader.span()) == Some("true")),
                Token::Null => Value::from(()),
            };
            match open.last_mut() {
                Some(Container::Object(members, key)) => members.push((std::mem::take(key), value)),
                Some(Container::Array(items)) => items.push(value),
                None => document = value,
            }
        }
    }
}

/// A container of JSON whose end has not come.
enum Container {
    /// The members, and the key of the next one.
    Object(Vec<(Box<str>, Value)>, Box<str>),
    Array(Vec<Value>),
}

fn number_value(number: Number<'_>) -> Value {
    match number {
        Number::Integer(digits) => {
            let small = digits.parse::<i64>().map(Value::from);
            small
                .or_else(|_| digits.parse::<i128>().map(Value::from))
                .unwrap_or_else(|_| Value::from_object(LongInteger(digits.into())))
        }
        Number::Float(_) | Number::NotFinite(_) => Value::from(number.value()),
    }
}
