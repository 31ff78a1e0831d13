//! What the readers of all dialects share: fields of a sort, texts, tools, and messages that are being put together.

use std::borrow::Cow;

use super::known;
use super::node::{Fields, Node, Path};
use super::notes::{NoteSort, Notes};
use crate::chat::{
    AssistantMessage, CallMode, Chat, Chunk, Content, Json, Message, ReasoningEffort, ResponseFormat, ResponseSchema,
    Tool, ToolCall, ToolChoice, ToolMessage,
};
use crate::error::{Error, ErrorKind};

/// A request that is read into a chat.
pub(super) struct Reader<'n, 'a> {
    pub(super) notes: &'n mut Notes,
    pub(super) chat: Chat<'a>,
    /// A message of the model's that goes on.
    open: Option<AssistantMessage<'a>>,
}

impl<'n, 'a> Reader<'n, 'a> {
    pub(super) fn new(notes: &'n mut Notes) -> Self {
        Reader { notes, chat: Chat::default(), open: None }
    }

    /// The fields of an object.
    pub(super) fn object(&self, node: Node<'a>, at: &Path<'_>) -> Result<Fields<'a>, Error> {
        node.fields().ok_or_else(|| wrong(at, "an object"))
    }

    pub(super) fn list(&self, node: Node<'a>, at: &Path<'_>) -> Result<Vec<Node<'a>>, Error> {
        node.list().ok_or_else(|| wrong(at, "a list"))
    }

    pub(super) fn text(&self, node: Node<'a>, at: &Path<'_>) -> Result<Cow<'a, str>, Error> {
        match node.text() {
            Some(text) => Ok(text),
            None if node.is_text() => Err(Error::new(ErrorKind::LoneSurrogate, at.to_string())),
            None => Err(wrong(at, "a string")),
        }
    }

    /// A field that must be there.
    pub(super) fn field(&self, fields: &Fields<'a>, name: &'static str, at: &Path<'_>) -> Result<Node<'a>, Error> {
        fields.value(name).ok_or_else(|| Error::new(ErrorKind::MissingField(name), at.to_string()))
    }

    /// A text that must be there.
    pub(super) fn text_of(
        &self,
        fields: &Fields<'a>,
        name: &'static str,
        at: &Path<'_>,
    ) -> Result<Cow<'a, str>, Error> {
        self.text(self.field(fields, name, at)?, &at.field(name))
    }

    /// A text that may be missing.
    pub(super) fn text_in(
        &self,
        fields: &Fields<'a>,
        name: &str,
        at: &Path<'_>,
    ) -> Result<Option<Cow<'a, str>>, Error> {
        fields.value(name).map(|node| self.text(node, &at.field(name))).transpose()
    }

    /// An id: a text, or, mended, a number.
    pub(super) fn id_in(
        &mut self,
        fields: &Fields<'a>,
        name: &str,
        at: &Path<'_>,
    ) -> Result<Option<Cow<'a, str>>, Error> {
        let Some(node) = fields.value(name) else { return Ok(None) };
        if node.is_text() || !self.notes.mends() {
            return self.text(node, &at.field(name)).map(Some);
        }
        let what = format!("the id {} is not a text, and became one", node.json());
        self.notes.note(at.field(name), NoteSort::FieldMended, what);
        Ok(Some(Cow::Borrowed(node.json())))
    }

    /// Takes a result, or tells why it is left out.
    pub(super) fn or_drop<T>(&mut self, read: Result<T, Error>, sort: NoteSort) -> Result<Option<T>, Error> {
        match read {
            Ok(value) => Ok(Some(value)),
            Err(error) if self.notes.mends() => {
                let at = error.at().to_owned();
                let what = format!("{}, and it was left out", error.moved_to(String::new()));
                self.notes.note(at, sort, what);
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    /// Adds a message, behind that of the model's that is open.
    pub(super) fn push(&mut self, message: Message<'a>, at: &Path<'_>) {
        self.close();
        self.notes.places.say(format!("messages[{}]", self.chat.messages.len()), at);
        self.chat.messages.push(message);
    }

    /// Ends the model's message: what follows is another.
    pub(super) fn close(&mut self) {
        self.chat.messages.extend(self.open.take().map(Message::Assistant));
    }

    /// The model's message that goes on, or a new one.
    pub(super) fn reply(&mut self, at: &Path<'_>) -> &mut AssistantMessage<'a> {
        if self.open.is_none() {
            self.notes.places.say(format!("messages[{}]", self.chat.messages.len()), at);
        }
        self.open.get_or_insert_default()
    }

    /// Does the model's message go on, and is there text in it and no call?
    pub(super) fn has_said(&self) -> bool {
        let says = |chunk: &Chunk<'_>| chunk.as_text().is_some();
        self.open.as_ref().is_some_and(|message| {
            message.tool_calls.is_empty()
                && match &message.content {
                    Content::Text(text) => !text.is_empty(),
                    Content::Chunks(chunks) => chunks.iter().any(says),
                }
        })
    }

    /// Adds a chunk to the model's message.
    pub(super) fn say(&mut self, chunk: Chunk<'a>, at: &Path<'_>) {
        let content = &mut self.reply(at).content;
        let chunks = match (std::mem::take(content), chunk) {
            (Content::Text(text), Chunk::Text(only)) if text.is_empty() => {
                *content = Content::Text(only);
                self.notes.places.say(format!("messages[{}].content", self.chat.messages.len()), at);
                return;
            }
            (Content::Text(text), chunk) if text.is_empty() => vec![chunk],
            (Content::Text(text), chunk) => vec![Chunk::Text(text), chunk],
            (Content::Chunks(mut chunks), chunk) => {
                chunks.push(chunk);
                chunks
            }
        };
        let last = chunks.len().saturating_sub(1);
        *content = Content::Chunks(chunks);
        self.notes.places.say(format!("messages[{}].content[{last}]", self.chat.messages.len()), at);
    }

    /// Adds what the model says in one message: behind text that it said before, it is another message.
    pub(super) fn say_all(&mut self, content: Content<'a>, positions: &[usize], here: &Path<'_>, at: &Path<'_>) {
        if self.has_said() {
            self.close();
        }
        self.reply(at);
        match content {
            Content::Text(text) if text.is_empty() => {}
            Content::Text(text) => self.say(Chunk::Text(text), here),
            Content::Chunks(chunks) => {
                for (chunk, position) in chunks.into_iter().zip(positions) {
                    self.say(chunk, &here.index(*position));
                }
            }
        }
    }

    /// Adds a call to the model's message. The names are those of its fields in a chat and in the request.
    pub(super) fn call(&mut self, call: ToolCall<'a>, at: &Path<'_>, names: &[(&str, &str)]) {
        let calls = &mut self.reply(at).tool_calls;
        calls.push(call);
        let position = calls.len() - 1;
        let part = format!("messages[{}].tool_calls[{position}]", self.chat.messages.len());
        self.place_fields(&part, at, names);
        self.notes.places.say(part, at);
    }

    /// Adds a result. The names are those of its fields in a chat and in the request.
    pub(super) fn result(&mut self, result: ToolMessage<'a>, at: &Path<'_>, names: &[(&str, &str)]) {
        self.push(Message::Tool(result), at);
        let part = format!("messages[{}]", self.chat.messages.len().saturating_sub(1));
        self.place_fields(&part, at, names);
    }

    /// Says where the fields of a part come from, which in the request have names of their own.
    fn place_fields(&mut self, part: &str, at: &Path<'_>, names: &[(&str, &str)]) {
        for (name, theirs) in names {
            self.notes.places.say(format!("{part}.{name}"), at.field(theirs));
        }
    }

    /// What a request names that is kept by the API alone: an error, or left out where the request is mended.
    pub(super) fn kept_elsewhere(&mut self, fields: &Fields<'a>, names: &[&str]) -> Result<(), Error> {
        for name in names {
            if fields.has(name) {
                let what = "what it names stays with the API that keeps it, and it was left out";
                let at = Path::Request.field(name).to_string();
                self.notes.mend(at, NoteSort::FieldDropped, what, || ErrorKind::KnownById)?;
            }
        }
        Ok(())
    }

    /// A text or a list of parts, and where each chunk stands in the list; a part is as many chunks as `read` makes of it.
    pub(super) fn parts<C: IntoIterator<Item = Chunk<'a>>>(
        &mut self,
        node: Node<'a>,
        at: &Path<'_>,
        mut read: impl FnMut(&mut Self, Node<'a>, &Path<'_>) -> Result<C, Error>,
    ) -> Result<(Content<'a>, Vec<usize>), Error> {
        if node.is_text() {
            return Ok((Content::Text(self.text(node, at)?), Vec::new()));
        }
        let (mut chunks, mut positions) = (Vec::new(), Vec::new());
        for (index, node) in self.list(node, at)?.into_iter().enumerate() {
            let part = read(self, node, &at.index(index));
            for chunk in self.or_drop(part, NoteSort::PartDropped)?.into_iter().flatten() {
                chunks.push(chunk);
                positions.push(index);
            }
        }
        Ok((content(chunks), positions))
    }

    /// Says where the chunks of the last message come from. The names are those of an image's fields in a chat and in
    /// the request.
    pub(super) fn place_chunks(&mut self, positions: &[usize], at: &Path<'_>, images: &[(&str, &str)]) {
        let message = self.chat.messages.len().saturating_sub(1);
        for (chunk, position) in positions.iter().enumerate() {
            let (part, at) = (format!("messages[{message}].content[{chunk}]"), at.index(*position));
            let said = self.chat.messages.last().and_then(|message| message.content().chunks().get(chunk));
            if said.is_some_and(|chunk| chunk.kind().is_image()) {
                self.place_fields(&part, &at, images);
            }
            self.notes.places.say(part, at);
        }
    }

    /// A tool by the fields of its function.
    pub(super) fn function(&mut self, fields: &Fields<'a>, schema: &[&str], at: &Path<'_>) -> Result<Tool<'a>, Error> {
        self.notes.ignore_others(at, fields, &[known::TOOL, schema, &["name", "description", "strict"]]);
        let parameters = schema.iter().find_map(|name| fields.value(name).map(|node| (node, *name)));
        Ok(Tool {
            name: self.text_of(fields, "name", at)?,
            description: self.text_in(fields, "description", at)?.unwrap_or_default(),
            parameters: match parameters {
                None => Json::default(),
                Some((node, name)) => object_json(node, &at.field(name))?,
            },
            strict: fields.value("strict").and_then(Node::bool).unwrap_or_default(),
        })
    }

    /// Adds a tool, which in the request is at this place.
    pub(super) fn tool(&mut self, tool: Result<Tool<'a>, Error>, at: &Path<'_>) -> Result<(), Error> {
        if let Some(tool) = self.or_drop(tool, NoteSort::ToolDropped)? {
            let part = format!("tools[{}]", self.chat.tools.len());
            self.notes.places.say(format!("{part}.function"), at);
            self.notes.places.say(part, at);
            self.chat.tools.push(tool);
        }
        Ok(())
    }

    /// The tools of a list, each a function in an object of its own.
    pub(super) fn nested_tools(&mut self, node: Option<Node<'a>>, at: &Path<'_>) -> Result<(), Error> {
        let Some(node) = node else { return Ok(()) };
        for (index, tool) in self.list(node, at)?.into_iter().enumerate() {
            let at = at.index(index);
            let read = self.nested_tool(tool, &at);
            self.tool(read, &at)?;
            let part = format!("tools[{}].function", self.chat.tools.len().saturating_sub(1));
            self.notes.places.say(part, at.field("function"));
        }
        Ok(())
    }

    fn nested_tool(&mut self, node: Node<'a>, at: &Path<'_>) -> Result<Tool<'a>, Error> {
        let fields = self.object(node, at)?;
        if let Some(kind) = self.text_in(&fields, "type", at)?.filter(|kind| kind != "function") {
            return Err(Error::new(
                ErrorKind::UnknownToolType { name: kind.into_owned() },
                at.field("type").to_string(),
            ));
        }
        self.notes.ignore_others(at, &fields, &[known::TOOL, &["function"]]);
        let here = at.field("function");
        let function = self.object(self.field(&fields, "function", at)?, &here)?;
        self.function(&function, &["parameters"], &here)
    }

    /// The effort of this name; one that there is not is left out where the request is mended.
    pub(super) fn effort(&mut self, node: Option<Node<'a>>, at: &Path<'_>) -> Result<(), Error> {
        let Some(node) = node else { return Ok(()) };
        match node.text().and_then(|name| ReasoningEffort::from_name(&name)) {
            Some(effort) => self.chat.reasoning_effort = Some(effort),
            None => {
                let name = node.text().unwrap_or(Cow::Borrowed(node.json())).into_owned();
                let what = format!("{name:?} is not a reasoning effort, and was left out");
                self.notes.mend(at, NoteSort::EffortDropped, what, || ErrorKind::UnknownEffort { name })?;
            }
        }
        Ok(())
    }

    /// A response format whose fields stand beside its type.
    pub(super) fn flat_format(&mut self, node: Option<Node<'a>>, at: &Path<'_>) -> Result<(), Error> {
        let Some(node) = node else { return Ok(()) };
        let read = self.read_format(node, at);
        if let Some(format) = self.or_drop(read, NoteSort::FieldDropped)? {
            self.chat.response_format = format;
        }
        Ok(())
    }

    fn read_format(&mut self, node: Node<'a>, at: &Path<'_>) -> Result<ResponseFormat<'a>, Error> {
        let fields = self.object(node, at)?;
        let kind = self.text_of(&fields, "type", at)?;
        self.notes.ignore_others(at, &fields, &[&["type", "name", "description", "schema", "strict"]]);
        match &*kind {
            "text" => Ok(ResponseFormat::Text),
            "json_object" => Ok(ResponseFormat::JsonObject),
            "json_schema" => {
                let schema = object_json(self.field(&fields, "schema", at)?, &at.field("schema"))?;
                self.notes.places.say("response_format.json_schema", at);
                Ok(ResponseFormat::JsonSchema(ResponseSchema {
                    name: self.text_in(&fields, "name", at)?.unwrap_or(Cow::Borrowed("response")),
                    description: self.text_in(&fields, "description", at)?,
                    schema,
                    strict: fields.value("strict").and_then(Node::bool).unwrap_or_default(),
                }))
            }
            other => {
                let kind = ErrorKind::UnknownResponseFormat { name: other.to_owned() };
                Err(Error::new(kind, at.field("type").to_string()))
            }
        }
    }

    /// The choice of a tool; one that cannot be read is left out where the request is mended.
    pub(super) fn choice(&mut self, read: Result<ToolChoice<'a>, Error>) -> Result<(), Error> {
        if let Some(choice) = self.or_drop(read, NoteSort::FieldDropped)? {
            self.chat.tool_choice = choice;
        }
        Ok(())
    }

    /// A choice whose names stand beside its type, as in OpenAI's Responses.
    pub(super) fn flat_choice(&self, node: Node<'a>, at: &Path<'_>) -> Result<ToolChoice<'a>, Error> {
        let unknown = |name: &str, at: &Path<'_>| {
            Error::new(ErrorKind::UnknownToolChoice { name: name.to_owned() }, at.to_string())
        };
        if node.is_text() {
            let name = self.text(node, at)?;
            return match &*name {
                "auto" => Ok(ToolChoice::Auto),
                "none" => Ok(ToolChoice::None),
                "required" | "any" => Ok(ToolChoice::Required),
                other => Err(unknown(other, at)),
            };
        }
        let fields = self.object(node, at)?;
        let name_in = |fields: &Fields<'a>, at: &Path<'_>| match fields.value("function").and_then(Node::fields) {
            Some(function) => self.text_of(&function, "name", &at.field("function")),
            None => self.text_of(fields, "name", at),
        };
        let kind = self.text_of(&fields, "type", at)?;
        match &*kind {
            "function" => name_in(&fields, at).map(ToolChoice::Named),
            "allowed_tools" => {
                let mode = match self.text_of(&fields, "mode", at)?.as_ref() {
                    "auto" => CallMode::Auto,
                    "required" => CallMode::Required,
                    other => {
                        let kind = ErrorKind::UnknownCallMode { name: other.to_owned() };
                        return Err(Error::new(kind, at.field("mode").to_string()));
                    }
                };
                let here = at.field("tools");
                let tools = self.list(self.field(&fields, "tools", at)?, &here)?;
                let names = tools.into_iter().enumerate().map(|(index, tool)| {
                    let at = here.index(index);
                    name_in(&self.object(tool, &at)?, &at)
                });
                Ok(ToolChoice::Allowed { mode, names: names.collect::<Result<_, _>>()? })
            }
            other => Err(unknown(other, &at.field("type"))),
        }
    }
}

/// A value that is of another type than it must be.
pub(super) fn wrong(at: &Path<'_>, expected: &'static str) -> Error {
    Error::new(ErrorKind::FieldType { expected }, at.to_string())
}

/// The JSON of an object.
pub(super) fn object_json<'a>(node: Node<'a>, at: &Path<'_>) -> Result<Json<'a>, Error> {
    if node.is_object() { Ok(Json::borrowed(node.json())) } else { Err(wrong(at, "an object")) }
}

/// Chunks as content: one text is a text.
pub(super) fn content(mut chunks: Vec<Chunk<'_>>) -> Content<'_> {
    match (chunks.len(), chunks.pop()) {
        (1, Some(Chunk::Text(text))) => Content::Text(text),
        (_, Some(last)) => {
            chunks.push(last);
            Content::Chunks(chunks)
        }
        (_, None) => Content::default(),
    }
}
