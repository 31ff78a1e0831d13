//! The values of a run: what the chat holds, looked at where it is, and what the template makes of it.

use std::cell::RefCell;
use std::rc::Rc;

use super::syntax::Literal;
use super::text::{Piece, Text};
use crate::chat::{ArgumentsForm, AssistantMessage, Chunk, Content, Message, Tool, ToolCall};
use crate::template::python;
use crate::template::values::Thinking;

/// How deep a template's lists and dicts may hold one another.
const MAX_DEPTH: u32 = 16;

#[derive(Clone, Debug)]
pub(super) enum Value<'r> {
    Undefined,
    None,
    Bool(bool),
    Integer(i64),
    Float(f64),
    Text(Text<'r>),
    List(Rc<List<'r>>),
    Dict(Rc<Dict<'r>>),
    Message(&'r Message<'r>),
    /// The JSON of a dict.
    Json(&'r str),
    Namespace(Rc<RefCell<Members<'r>>>),
    /// A macro, by its place among those of the program.
    Macro(usize),
}

/// Values by their names.
pub(super) type Members<'r> = Vec<(&'r str, Value<'r>)>;

#[derive(Clone, Debug)]
pub(super) struct List<'r> {
    pub(super) items: Vec<Value<'r>>,
    /// How deep the items are nested.
    depth: u32,
}

#[derive(Clone, Debug)]
pub(super) struct Dict<'r> {
    pub(super) members: Members<'r>,
    depth: u32,
}

impl<'r> List<'r> {
    /// The list; none where its items are nested too deep, or cannot be held.
    pub(super) fn of(items: Vec<Value<'r>>) -> Option<Self> {
        let mut depth = 0;
        for item in &items {
            depth = depth.max(item.depth()?);
        }
        Some(List { items, depth })
    }

    pub(super) fn push(&mut self, item: Value<'r>) -> Option<()> {
        self.depth = self.depth.max(item.depth()?);
        self.items.push(item);
        Some(())
    }
}

impl<'r> Dict<'r> {
    pub(super) fn of(members: Members<'r>) -> Option<Self> {
        let mut depth = 0;
        for (_, value) in &members {
            depth = depth.max(value.depth()?);
        }
        Some(Dict { members, depth })
    }
}

impl<'r> Value<'r> {
    /// How deep this is nested where something holds it; none where nothing may.
    fn depth(&self) -> Option<u32> {
        let inner = match self {
            Value::List(list) => list.depth,
            Value::Dict(dict) => dict.depth,
            Value::Namespace(_) | Value::Macro(_) => return None,
            _ => 0,
        };
        (inner < MAX_DEPTH).then_some(inner + 1)
    }

    pub(super) fn literal(literal: &'r Literal) -> Self {
        match literal {
            Literal::None => Value::None,
            Literal::Bool(value) => Value::Bool(*value),
            Literal::Integer(number) => Value::Integer(*number),
            Literal::Text(text) => Value::template(text),
        }
    }

    pub(super) fn list(items: impl IntoIterator<Item = Value<'r>>) -> Option<Self> {
        Some(Value::List(Rc::new(List::of(items.into_iter().collect())?)))
    }

    pub(super) fn dict(members: Members<'r>) -> Option<Self> {
        Some(Value::Dict(Rc::new(Dict::of(members)?)))
    }

    pub(super) fn template(text: &'r str) -> Self {
        Value::Text(Text::template(text))
    }

    fn chat(text: &'r str) -> Self {
        Value::Text(Text::chat(text))
    }

    /// A member of a message, undefined where it has none of this name; none where it is not known what it is.
    pub(super) fn of_message(message: &'r Message<'r>, key: &str, thinking: Thinking) -> Option<Self> {
        match (key, message) {
            ("role", message) => Some(Value::template(message.role().as_str())),
            ("content", Message::System(content) | Message::User(content)) => Value::content(content),
            ("content", Message::Tool(message)) => Value::content(&message.content),
            ("content", Message::Assistant(message)) => Value::said(message, thinking),
            ("reasoning_content", Message::Assistant(message)) => Some(Value::reasoning(message, thinking)),
            ("tool_calls", Message::Assistant(message)) if !message.tool_calls.is_empty() => {
                let calls: Option<Vec<_>> = message.tool_calls.iter().map(Value::call).collect();
                Value::list(calls?)
            }
            ("tool_call_id", Message::Tool(message)) => Some(Value::optional(message.call_id.as_deref())),
            ("name", Message::Tool(message)) => Some(Value::optional(message.name.as_deref())),
            _ => Some(Value::Undefined),
        }
    }

    fn optional(text: Option<&'r str>) -> Self {
        text.map_or(Value::Undefined, Value::chat)
    }

    fn said(message: &'r AssistantMessage<'r>, thinking: Thinking) -> Option<Self> {
        match (&message.content, thinking) {
            (Content::Text(text), _) if text.is_empty() && !message.prefix => Some(Value::None),
            (Content::Chunks(chunks), Thinking::Field) if chunks.iter().any(is_thinking) => {
                let mut said = chunks.iter().filter(|chunk| !is_thinking(chunk));
                match (said.next(), said.next()) {
                    (None, _) => Some(Value::chat("")),
                    (Some(Chunk::Text(text)), None) => Some(Value::chat(text)),
                    _ => Value::chunks(chunks.iter().filter(|chunk| !is_thinking(chunk))),
                }
            }
            (content, _) => Value::content(content),
        }
    }

    fn reasoning(message: &'r AssistantMessage<'r>, thinking: Thinking) -> Self {
        match &message.content {
            Content::Chunks(chunks) if thinking == Thinking::Field && chunks.iter().any(is_thinking) => {
                Value::Text(Text::joined(chunks.iter().filter_map(|chunk| match chunk {
                    Chunk::Thinking { text, .. } => Some(Piece::Chat(text)),
                    _ => None,
                })))
            }
            _ => Value::Undefined,
        }
    }

    fn content(content: &'r Content<'r>) -> Option<Self> {
        match content {
            Content::Text(text) => Some(Value::chat(text)),
            Content::Chunks(chunks) => Value::chunks(chunks),
        }
    }

    fn chunks(chunks: impl IntoIterator<Item = &'r Chunk<'r>>) -> Option<Self> {
        let chunks: Option<Vec<_>> = chunks.into_iter().map(Value::chunk).collect();
        Value::list(chunks?)
    }

    fn chunk(chunk: &'r Chunk<'r>) -> Option<Self> {
        let url = |url: &'r str, detail: Option<&'r str>| {
            let detail = detail.map(|detail| ("detail", Value::chat(detail)));
            Value::dict([("url", Value::chat(url))].into_iter().chain(detail).collect())
        };
        let (kind, value) = match chunk {
            Chunk::Text(text) => ("text", Value::chat(text)),
            Chunk::Thinking { text, .. } => ("thinking", Value::chat(text)),
            Chunk::ImageUrl { url: at, detail } => ("image_url", url(at, detail.as_deref())?),
            Chunk::Image(data) => ("image", Value::chat(data)),
            Chunk::InputAudio(data) => ("input_audio", Value::chat(data)),
            Chunk::AudioUrl(at) => ("audio_url", url(at, None)?),
        };
        let mut members = vec![("type", Value::template(kind)), (kind, value)];
        if matches!(chunk, Chunk::Thinking { closed: false, .. }) {
            members.push(("closed", Value::Bool(false)));
        }
        Value::dict(members)
    }

    pub(super) fn tool(tool: &'r Tool<'r>) -> Option<Self> {
        let parameters = Some(tool.parameters.as_str()).filter(|json| json.starts_with('{'))?;
        let function = Value::dict(vec![
            ("name", Value::chat(&tool.name)),
            ("description", Value::chat(&tool.description)),
            ("parameters", Value::Json(parameters)),
        ])?;
        Value::dict(vec![("type", Value::template("function")), ("function", function)])
    }

    /// A variable that whoever renders sets.
    pub(super) fn variable(json: &'r str) -> Option<Self> {
        match json {
            "null" => Some(Value::None),
            "true" => Some(Value::Bool(true)),
            "false" => Some(Value::Bool(false)),
            json if json.starts_with('"') && !json.contains('\\') => {
                json.get(1..json.len().checked_sub(1)?).map(Value::chat)
            }
            json => json.parse().ok().map(Value::Integer),
        }
    }

    fn call(call: &'r ToolCall<'r>) -> Option<Self> {
        let arguments = match call.arguments_form {
            ArgumentsForm::Text => Value::chat(&call.arguments),
            ArgumentsForm::Object if call.arguments.is_empty() => Value::Json("{}"),
            ArgumentsForm::Object => Value::Json(call.arguments.starts_with('{').then_some(&call.arguments)?),
        };
        let function = Value::dict(vec![("name", Value::chat(&call.name)), ("arguments", arguments)])?;
        let id = call.id.as_deref().map(|id| ("id", Value::chat(id)));
        let rest = [("type", Value::template("function")), ("function", function)];
        Value::dict(id.into_iter().chain(rest).collect())
    }
}

fn is_thinking(chunk: &Chunk<'_>) -> bool {
    matches!(chunk, Chunk::Thinking { .. })
}

/// A number as Python prints it.
pub(super) fn number_text<'r>(number: &Value<'_>) -> Option<Text<'r>> {
    match number {
        Value::Integer(number) => Some(Text::made(number.to_string())),
        Value::Float(number) => {
            let mut text = String::new();
            python::display(&minijinja::Value::from(*number), &mut text, usize::MAX).ok()?;
            Some(Text::made(text))
        }
        _ => None,
    }
}
