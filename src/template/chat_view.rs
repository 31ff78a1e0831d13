//! The chat view: a chat, typed or as it was sent, into the variables that transformers gives a template.
//!
//! Everything that either engine knows of a chat it knows from here: names, fields, and whose each text is, in the order in
//! which they were sent. The rules of transformers 5.24 are these: a member of a message that is `null` is left out, and
//! the reasoning is given under each name that templates read.

use std::borrow::Cow;

use super::clock::Clock;
use super::node::{Members, Node, Words, member, unreadable};
use super::{ChatTemplate, Compiled, GenerationPrompt};
use crate::chat::{
    ArgumentsForm, AssistantMessage, Chat, Chunk, Content, Dialect, Json, Message, ResponseFormat, ResponseSchema,
    Sent, Tool, ToolCall, ToolMessage,
};
use crate::error::{Error, ErrorKind};
use crate::python::json::{Reader, Token};
use crate::render::check::unkeepable;

/// The names that a message's reasoning is sent under; the first of them that a message has counts.
const REASONING: [&str; 3] = ["reasoning_content", "thinking", "reasoning"];

/// The members that a message has in one API or another.
const FIELDS: [&str; 8] =
    ["role", "content", "tool_calls", "tool_call_id", "name", "reasoning_content", "thinking", "reasoning"];

/// The roles that chat templates know.
const ROLES: [&str; 9] =
    ["system", "user", "assistant", "tool", "developer", "function", "ipython", "observation", "model"];

/// The types of chunks, and the members of one.
const CHUNKS: [&str; 15] = [
    "type",
    "text",
    "thinking",
    "closed",
    "image_url",
    "image",
    "input_audio",
    "audio_url",
    "audio",
    "video_url",
    "video",
    "url",
    "path",
    "base64",
    "detail",
];

/// The members of tools and of calls, and their type.
const FUNCTIONS: [&str; 7] = ["type", "function", "id", "name", "arguments", "description", "parameters"];

/// How a template reads the thinking of a message that was not sent as JSON.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Thinking {
    /// As chunks of the content.
    Chunks,
    /// As a field of its own, `reasoning_content`.
    Field,
}

/// The variables of one render.
pub(super) struct ChatView<'v> {
    /// What is set last counts.
    variables: Vec<(&'v str, Node<'v>)>,
    pub(super) messages: usize,
    pub(super) has_tools: bool,
    pub(super) continued: Option<Continued>,
    pub(super) clock: Option<&'v Clock>,
}

/// The part of the last message that is to be continued.
#[derive(Debug)]
pub(super) struct Continued {
    /// The members that hold it, each the same text; of a list of chunks, which of them.
    fields: Vec<String>,
    chunk: Option<usize>,
    /// What has been said so far.
    pub(super) text: String,
    /// Where it is in the chat.
    at: String,
}

impl Continued {
    /// Is the text of this member of the last message to be continued, or of this chunk of it?
    pub(super) fn is_in(&self, field: &str, chunk: Option<usize>) -> bool {
        self.chunk == chunk && self.fields.iter().any(|known| known == field)
    }

    /// What is wrong where a template does not print it.
    pub(super) fn not_printed(&self) -> Error {
        Error::new(ErrorKind::TemplateContinue, self.at.clone())
    }
}

/// What of a request a template is shown.
#[derive(Default)]
struct Request<'v> {
    messages: Vec<Node<'v>>,
    tools: Option<Node<'v>>,
    reasoning_effort: Option<Node<'v>>,
    response_format: Option<Node<'v>>,
    /// The member of the last message that is to be continued.
    continues: Option<Cow<'v, str>>,
}

impl<'v> ChatView<'v> {
    /// What a template is shown of a chat: what was sent, as far as that is still what the chat says.
    pub(super) fn of_chat(template: &'v ChatTemplate, chat: &'v Chat<'_>) -> Result<Self, Error> {
        let thinking = template.compiled_for(!chat.tools.is_empty()).thinking;
        let last = chat.messages.last();
        let continues = matches!(last, Some(Message::Assistant(AssistantMessage { prefix: true, .. })));
        let request = Request { continues: continues.then_some(Cow::Borrowed("content")), ..request(chat, thinking)? };
        ChatView::new(template, request)
    }

    /// What a template is shown of a request, even what no layout accepts.
    pub(super) fn of_sent(template: &'v ChatTemplate, sent: &'v Sent<'_>) -> Result<Self, Error> {
        ChatView::new(template, Request::read(sent.as_str())?)
    }

    fn new(template: &'v ChatTemplate, request: Request<'v>) -> Result<Self, Error> {
        let Request { messages, tools, reasoning_effort, response_format, continues } = request;
        let messages: Vec<_> = messages.into_iter().map(with_reasoning).collect();
        let count = messages.len();
        let tools = tools.unwrap_or(Node::Null);
        let has_tools = !matches!(tools, Node::Null);
        let source = &template.compiled_for(has_tools).source;
        let continued = continues.map(|field| continued(&messages, &field, source)).transpose()?;
        let added = template.generation_prompt == GenerationPrompt::Added && continued.is_none();
        let json = |json: &'v Json<'static>| Node::from_json(json.as_str());
        let mut variables = Vec::with_capacity(8 + template.special_tokens.len() + template.variables.len());
        variables.extend([
            ("messages", Node::List(messages)),
            ("tools", tools),
            ("documents", template.documents.as_ref().map(json).transpose()?.unwrap_or(Node::Null)),
            ("add_generation_prompt", Node::Bool(added)),
        ]);
        variables.extend(template.special_tokens.iter().map(|(name, token)| (&**name, Node::own(token))));
        variables.extend(reasoning_effort.map(|effort| ("reasoning_effort", effort)));
        variables.extend(response_format.map(|format| ("response_format", format)));
        for (name, value) in &template.variables {
            variables.push((name, json(value)?));
        }
        let clock = template.clock.as_deref();
        Ok(ChatView { variables, messages: count, has_tools, continued, clock })
    }

    /// The variable of a name, of which the last counts.
    pub(super) fn variable(&self, name: &str) -> Option<&Node<'v>> {
        self.variables.iter().rev().find(|(known, _)| *known == name).map(|(_, value)| value)
    }

    /// How many values it has, and how many bytes the client's texts have.
    pub(super) fn size(&self) -> (usize, usize) {
        self.variables.iter().fold((0, 0), |(values, bytes), (_, node)| {
            let (own, text) = node.size();
            (values + own, bytes + text)
        })
    }

    /// The template that renders this.
    pub(super) fn compiled<'t>(&self, template: &'t ChatTemplate) -> &'t Compiled {
        template.compiled_for(self.has_tools)
    }
}

/// What is to be continued, as transformers looks for it.
fn continued(messages: &[Node<'_>], field: &str, source: &str) -> Result<Continued, Error> {
    let at = match messages.len().checked_sub(1) {
        Some(last) => format!("messages[{last}].{field}"),
        None => "messages".to_owned(),
    };
    let nothing = || Error::new(ErrorKind::NothingToContinue, at.clone());
    let Some(Node::Dict(message)) = messages.last() else { return Err(nothing()) };
    let said = member(message, field).ok_or_else(nothing)?;
    let text_of = |node: &Node<'_>| match node {
        Node::Text(text) => Some(text.as_str().to_owned()),
        _ => None,
    };
    let (chunk, text) = match said {
        Node::List(chunks) => {
            let text = |chunk: &Node<'_>| match chunk {
                Node::Dict(members) => member(members, "text").map(text_of),
                _ => None,
            };
            let mut texts = chunks.iter().enumerate().rev().filter_map(|(place, chunk)| Some((place, text(chunk)?)));
            let (place, text) = texts.next().ok_or_else(nothing)?;
            (Some(place), text)
        }
        said => (None, text_of(said)),
    };
    let text = text.ok_or_else(nothing)?;
    // The reasoning stands under several names, and a template may read any of them.
    let is_same = |known: &&str| member(message, known).and_then(text_of).is_some_and(|known| known == text);
    let fields: Vec<String> = match REASONING.contains(&field) && chunk.is_none() {
        true => REASONING.iter().filter(|known| is_same(known)).map(|known| (*known).to_owned()).collect(),
        false => vec![field.to_owned()],
    };
    let is_read = fields.iter().any(|field| source.contains(field.as_str()));
    let continued = Continued { fields, chunk, text, at };
    if is_read { Ok(continued) } else { Err(continued.not_printed()) }
}

/// A message as transformers hands it on: without what is `null`, and its reasoning under each name.
fn with_reasoning(message: Node<'_>) -> Node<'_> {
    let Node::Dict(mut members) = message else { return message };
    members.retain(|(_, value)| !matches!(value, Node::Null));
    let Some(reasoning) = REASONING.iter().find_map(|name| member(&members, name)).cloned() else {
        return Node::Dict(members);
    };
    let place = |members: &Members<'_>, name: &str| members.iter().position(|(known, _)| known.as_str() == name);
    let thinking = match place(&members, "thinking") {
        Some(place) => members.remove(place).1,
        None => reasoning.clone(),
    };
    members.insert(0, (Words::Own("thinking"), thinking));
    match place(&members, "reasoning_content").and_then(|place| members.get_mut(place)) {
        Some(member) => member.1 = reasoning,
        None => members.push((Words::Own("reasoning_content"), reasoning)),
    }
    Node::Dict(members)
}

// What was sent.

impl<'v> Request<'v> {
    /// Of a request's JSON, where messages and tools are what transformers accepts: lists of objects.
    fn read(json: &'v str) -> Result<Self, Error> {
        let mut request = Request::default();
        let mut found = false;
        let mut reader = Reader::new(json);
        if reader.next_token().map_err(unreadable)? != Token::ObjectStart {
            return Err(wrong("", "an object"));
        }
        loop {
            let key = match reader.next_token().map_err(unreadable)? {
                Token::Key => reader.string().decode(),
                _ => break,
            };
            let first = reader.next_token().map_err(unreadable)?;
            let start = reader.span().start;
            let mut read = |at: &str| {
                let node = Node::read(json, &mut reader, first).map_err(|error| error.moved_to(at.to_owned()))?;
                match json.get(start..reader.span().end).and_then(unkeepable) {
                    Some(error) => Err(unreadable(error).moved_to(at.to_owned())),
                    None => Ok(node),
                }
            };
            match &*key {
                "messages" => {
                    request.messages = objects(read("messages")?, "messages", message)?.unwrap_or_default();
                    found = first != Token::Null;
                }
                "tools" => request.tools = objects(read("tools")?, "tools", function)?.map(Node::List),
                "reasoning_effort" => request.reasoning_effort = present(read("reasoning_effort")?),
                "response_format" => request.response_format = present(read("response_format")?).filter(is_no_text),
                "continue_final_message" => {
                    request.continues = match read("continue_final_message")? {
                        Node::Bool(true) => Some(Cow::Borrowed("content")),
                        Node::Text(Words::Sent(field)) if !field.is_empty() => Some(field),
                        _ => None,
                    }
                }
                _ if matches!(first, Token::ObjectStart | Token::ArrayStart) => {
                    reader.skip_container().map_err(unreadable)?;
                }
                _ => {}
            }
        }
        match reader.next_token().map_err(unreadable)? {
            Token::End if found => Ok(request),
            _ => Err(Error::new(ErrorKind::MissingField("messages"), "")),
        }
    }
}

impl<'a> Sent<'a> {
    /// A chat as it was sent, for a model's own template: all that `apply_chat_template` accepts.
    ///
    /// # Errors
    ///
    /// What is not a request: text that is not JSON, no `messages`, a message or a tool that is not an object.
    ///
    /// ```
    /// use mistral_chat_template::chat::Sent;
    ///
    /// assert!(Sent::from_json(r#"{"messages": [{"role": "observation", "content": [{"type": "image"}]}]}"#).is_ok());
    /// let error = Sent::from_json(r#"{"messages": ["Hi"]}"#).unwrap_err();
    /// assert_eq!(error.to_string(), "messages[0]: expected an object");
    /// ```
    pub fn from_json(json: &'a str) -> Result<Self, Error> {
        Request::read(json)?;
        Ok(Sent::new(json, Dialect::Either))
    }
}

fn wrong(at: impl Into<String>, expected: &'static str) -> Error {
    Error::new(ErrorKind::Json, at).because(format!("expected {expected}"))
}

fn present(node: Node<'_>) -> Option<Node<'_>> {
    if matches!(node, Node::Null) { None } else { Some(node) }
}

/// Any text is what a model answers unasked.
fn is_no_text(format: &Node<'_>) -> bool {
    let Node::Dict(members) = format else { return true };
    !matches!(member(members, "type"), Some(Node::Text(kind)) if kind.as_str() == "text")
}

/// The list with each of its objects changed; `None` for `null`.
fn objects<'v>(
    list: Node<'v>,
    at: &str,
    change: impl Fn(Members<'v>) -> Members<'v>,
) -> Result<Option<Vec<Node<'v>>>, Error> {
    let items = match list {
        Node::Null => return Ok(None),
        Node::List(items) => items,
        _ => return Err(wrong(at, "a list")),
    };
    let objects = items.into_iter().enumerate().map(|(place, item)| match item {
        Node::Dict(members) => Ok(Node::Dict(change(members))),
        _ => Err(wrong(format!("{at}[{place}]"), "an object")),
    });
    objects.collect::<Result<_, _>>().map(Some)
}

/// The members with those keys taken for the library's own that are among the known ones, and so the texts of some.
fn known<'v>(
    members: Members<'v>,
    keys: &'static [&'static str],
    value: impl Fn(&str, Node<'v>) -> Node<'v>,
) -> Members<'v> {
    let known = members.into_iter().map(|(key, inner)| {
        let inner = value(key.as_str(), inner);
        (own(key, keys), inner)
    });
    known.collect()
}

fn own<'v>(words: Words<'v>, known: &'static [&'static str]) -> Words<'v> {
    known.iter().find(|known| **known == words.as_str()).map_or(words, |known| Words::Own(known))
}

fn own_text<'v>(node: Node<'v>, known: &'static [&'static str]) -> Node<'v> {
    match node {
        Node::Text(words) => Node::Text(own(words, known)),
        other => other,
    }
}

/// Each dict of a list changed.
fn each<'v>(node: Node<'v>, change: impl Fn(Members<'v>) -> Members<'v>) -> Node<'v> {
    match node {
        Node::List(items) => Node::List(
            items
                .into_iter()
                .map(|item| match item {
                    Node::Dict(members) => Node::Dict(change(members)),
                    other => other,
                })
                .collect(),
        ),
        other => other,
    }
}

fn message(members: Members<'_>) -> Members<'_> {
    known(members, &FIELDS, |key, value| match key {
        "role" => own_text(value, &ROLES),
        "content" | "thinking" | "reasoning_content" => each(value, chunk),
        "tool_calls" => each(value, function),
        _ => value,
    })
}

fn chunk(members: Members<'_>) -> Members<'_> {
    known(members, &CHUNKS, |key, value| match key {
        "type" => own_text(value, &CHUNKS),
        "thinking" => each(value, chunk),
        "image_url" | "input_audio" | "audio_url" => match value {
            Node::Dict(members) => Node::Dict(known(members, &CHUNKS, |_, value| value)),
            other => other,
        },
        _ => value,
    })
}

/// A tool, or a call of one.
fn function(members: Members<'_>) -> Members<'_> {
    known(members, &FUNCTIONS, |key, value| match (key, value) {
        ("type", value) => own_text(value, &FUNCTIONS),
        ("function", Node::Dict(members)) => Node::Dict(known(members, &FUNCTIONS, |_, value| value)),
        (_, value) => value,
    })
}

/// The chat with each part as it was sent that is still so, and the rest as it is typed.
fn request<'v>(chat: &'v Chat<'_>, thinking: Thinking) -> Result<Request<'v>, Error> {
    // What chooses among the tools, and the model's name, are not variables of a template.
    let Chat {
        messages,
        tools,
        tool_choice: _,
        parallel_tool_calls: _,
        reasoning_effort,
        response_format,
        model: _,
        sent,
    } = chat;
    // What was sent as roles and texts alone need not be read again to be shown as it was.
    let (mut request, still) = match sent {
        Some(sent) if !sent.is_plain() => (Request::read(sent.as_str())?, chat.still_said()),
        _ => (Request::default(), None),
    };
    let mut was = std::mem::take(&mut request.messages);
    let mut message_at = |place: usize| was.get_mut(place).map(|node| std::mem::replace(node, Node::Null));
    let places = still.as_ref().map_or(&[][..], |still| &still.messages);
    request.messages.reserve_exact(messages.len());
    for (index, message) in messages.iter().enumerate() {
        let sent = places.get(index).copied().flatten().and_then(&mut message_at);
        request.messages.push(sent.map_or_else(|| typed_message(message, thinking), Ok)?);
    }
    let still = still.as_ref();
    if !still.is_some_and(|still| still.tools) {
        request.tools = typed_tools(tools)?;
    }
    if !still.is_some_and(|still| still.reasoning_effort) {
        request.reasoning_effort = reasoning_effort.map(|effort| Node::own(effort.as_str()));
    }
    if !still.is_some_and(|still| still.response_format) {
        request.response_format = typed_format(response_format)?;
    }
    Ok(request)
}

// What is typed.

fn typed_message<'v>(message: &'v Message<'_>, thinking: Thinking) -> Result<Node<'v>, Error> {
    let role = ("role", Node::own(message.role().as_str()));
    let mut members = match message {
        Message::System(content) | Message::User(content) => {
            return Ok(Node::dict([role, ("content", typed_content(content))]));
        }
        Message::Assistant(_) | Message::Tool(_) => Vec::with_capacity(4),
    };
    members.push(role);
    match message {
        Message::System(_) | Message::User(_) => {}
        Message::Assistant(AssistantMessage { content, tool_calls, prefix, weight: _ }) => {
            let (said, reasoning) = reply(content, thinking);
            let only_calls = content.is_empty() && !tool_calls.is_empty() && !prefix;
            members.extend((!only_calls).then_some(("content", said)));
            members.extend(reasoning.map(|reasoning| ("reasoning_content", Node::sent(reasoning))));
            if !tool_calls.is_empty() {
                let calls = tool_calls.iter().map(typed_call).collect::<Result<_, _>>()?;
                members.push(("tool_calls", Node::List(calls)));
            }
        }
        Message::Tool(ToolMessage { content, call_id, name }) => {
            members.push(("content", typed_content(content)));
            members.extend(call_id.as_deref().map(|id| ("tool_call_id", Node::sent(id))));
            members.extend(name.as_deref().map(|name| ("name", Node::sent(name))));
        }
    }
    Ok(Node::dict(members))
}

/// What an assistant says, and its thinking where that is a field of its own.
fn reply<'v>(content: &'v Content<'_>, thinking: Thinking) -> (Node<'v>, Option<Cow<'v, str>>) {
    let is_thinking = |chunk: &&'v Chunk<'_>| chunk.as_thinking().is_some();
    match (content, thinking) {
        (Content::Chunks(chunks), Thinking::Field) if chunks.iter().any(|chunk| is_thinking(&chunk)) => {
            let thoughts = chunks.iter().filter_map(Chunk::as_thinking);
            let said: Vec<_> = chunks.iter().filter(|chunk| !is_thinking(chunk)).collect();
            let said = match &*said {
                [] => Node::sent(""),
                [Chunk::Text(text)] => Node::sent(&**text),
                said => Node::List(said.iter().map(|chunk| typed_chunk(chunk)).collect()),
            };
            let mut thoughts = thoughts.peekable();
            let first = thoughts.next().unwrap_or_default();
            let reasoning = match thoughts.peek() {
                None => Cow::Borrowed(first),
                Some(_) => Cow::Owned(std::iter::once(first).chain(thoughts).collect()),
            };
            (said, Some(reasoning))
        }
        (content, _) => (typed_content(content), None),
    }
}

fn typed_content<'v>(content: &'v Content<'_>) -> Node<'v> {
    match content {
        Content::Text(text) => Node::sent(&**text),
        Content::Chunks(chunks) => Node::List(chunks.iter().map(typed_chunk).collect()),
    }
}

fn typed_chunk<'v>(chunk: &'v Chunk<'_>) -> Node<'v> {
    let typed = |kind: &'static str, value: Node<'v>| Node::dict([("type", Node::own(kind)), (kind, value)]);
    let url = |url: &'v str| ("url", Node::sent(url));
    match chunk {
        Chunk::Text(text) => typed("text", Node::sent(&**text)),
        Chunk::Thinking { text, closed: true } => typed("thinking", Node::sent(&**text)),
        Chunk::Thinking { text, closed: false } => Node::dict([
            ("type", Node::own("thinking")),
            ("thinking", Node::sent(&**text)),
            ("closed", Node::Bool(false)),
        ]),
        Chunk::ImageUrl { url: at, detail } => {
            let detail = detail.as_deref().map(|detail| ("detail", Node::sent(detail)));
            typed("image_url", Node::dict([url(at)].into_iter().chain(detail)))
        }
        Chunk::Image(data) => typed("image", Node::sent(&**data)),
        Chunk::InputAudio(data) => typed("input_audio", Node::sent(&**data)),
        Chunk::AudioUrl(at) => typed("audio_url", Node::dict([url(at)])),
    }
}

fn typed_call<'v>(call: &'v ToolCall<'_>) -> Result<Node<'v>, Error> {
    let ToolCall { id, name, arguments, arguments_form } = call;
    let arguments = match arguments_form {
        ArgumentsForm::Text => Node::sent(&**arguments),
        ArgumentsForm::Object if arguments.is_empty() => Node::dict([]),
        ArgumentsForm::Object => Node::from_json(arguments)?,
    };
    let function = Node::dict([("name", Node::sent(&**name)), ("arguments", arguments)]);
    let id = id.as_deref().map(|id| ("id", Node::sent(id)));
    Ok(Node::dict(id.into_iter().chain([("type", Node::own("function")), ("function", function)])))
}

/// The tools; `None` where the chat has none.
fn typed_tools<'v>(tools: &'v [Tool<'_>]) -> Result<Option<Node<'v>>, Error> {
    let typed = tools.iter().map(|Tool { name, description, parameters, strict: _ }| {
        let function = Node::dict([
            ("name", Node::sent(&**name)),
            ("description", Node::sent(&**description)),
            ("parameters", Node::from_json(parameters.as_str())?),
        ]);
        Ok(Node::dict([("type", Node::own("function")), ("function", function)]))
    });
    let typed: Vec<_> = typed.collect::<Result<_, Error>>()?;
    Ok(if typed.is_empty() { None } else { Some(Node::List(typed)) })
}

fn typed_format<'v>(format: &'v ResponseFormat<'_>) -> Result<Option<Node<'v>>, Error> {
    let kind = |kind: &'static str| ("type", Node::own(kind));
    Ok(match format {
        ResponseFormat::Text => None,
        ResponseFormat::JsonObject => Some(Node::dict([kind("json_object")])),
        ResponseFormat::JsonSchema(ResponseSchema { name, description, schema, strict }) => {
            let description = description.as_deref().map(|text| ("description", Node::sent(text)));
            let rest = [("schema", Node::from_json(schema.as_str())?), ("strict", Node::Bool(*strict))];
            let schema = Node::dict([("name", Node::sent(&**name))].into_iter().chain(description).chain(rest));
            Some(Node::dict([kind("json_schema"), ("json_schema", schema)]))
        }
    })
}
