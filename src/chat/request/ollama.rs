//! A request of Ollama's own chat API: images and thinking in fields of a message, arguments as objects, calls without ids.
//!
//! The form is that of ollama-python 0.x (`Client.chat`) and of Ollama's `docs/api.md`.

use std::borrow::Cow;

use super::known;
use super::node::{Fields, Node, Path};
use super::notes::NoteSort;
use super::reader::{Reader, content, object_json, wrong};
use crate::chat::{
    ArgumentsForm, Chunk, Content, Dialect, Message, ResponseFormat, ResponseSchema, ToolCall, ToolMessage,
};
use crate::error::{Error, ErrorKind};

const REQUEST: &[&str] = &["messages", "tools", "format", "think", "options"];

pub(super) fn read<'a>(reader: &mut Reader<'_, 'a>, request: Node<'a>) -> Result<(), Error> {
    let root = Path::Request;
    let fields = reader.object(request, &root)?;
    reader.notes.ignore_others(&root, &fields, &[REQUEST, known::REQUEST]);
    let at = root.field("messages");
    for (index, node) in reader.list(reader.field(&fields, "messages", &root)?, &at)?.into_iter().enumerate() {
        let at = at.index(index);
        let fields = reader.object(node, &at)?;
        message(reader, &fields, &at)?;
    }
    reader.close();
    reader.nested_tools(fields.value("tools"), &root.field("tools"))?;
    if let Some(think) = fields.value("think").filter(|think| !think.is_nothing()) {
        if think.is_text() {
            reader.effort(Some(think), &root.field("think"))?;
            reader.notes.places.say("reasoning_effort", "think");
        } else {
            reader.notes.ignored.push("think".to_owned());
        }
    }
    if let Some(format) = fields.value("format").filter(|format| !format.is_nothing()) {
        let at = root.field("format");
        let read = match format {
            format if format.is("json") => Ok(ResponseFormat::JsonObject),
            format if format.is_object() => object_json(format, &at).map(|schema| {
                let name = Cow::Borrowed("response");
                ResponseFormat::JsonSchema(ResponseSchema { name, description: None, schema, strict: true })
            }),
            _ => Err(wrong(&at, "\"json\" or a JSON schema")),
        };
        if let Some(format) = reader.or_drop(read, NoteSort::FieldDropped)? {
            reader.chat.response_format = format;
            reader.notes.places.say("response_format.json_schema.schema", at);
        }
    }
    reader.chat.model = reader.text_in(&fields, "model", &root)?;
    Ok(())
}

fn message<'a>(reader: &mut Reader<'_, 'a>, fields: &Fields<'a>, at: &Path<'_>) -> Result<(), Error> {
    let role = reader.text_of(fields, "role", at)?;
    let text = reader.text_in(fields, "content", at)?;
    let read: &[&str] = match &*role {
        "assistant" => &["role", "content", "thinking", "tool_calls"],
        "tool" => &["role", "content", "tool_name", "tool_call_id", "images"],
        _ => &["role", "content", "images"],
    };
    reader.notes.ignore_others(at, fields, &[known::MESSAGE, read]);
    if &*role != "assistant" && text.is_none() && !fields.has("images") {
        let what = "the content is missing or null, and became an empty text";
        reader.notes.mend(at, NoteSort::FieldMended, what, || ErrorKind::MissingField("content"))?;
    }
    match &*role {
        "system" => {
            let content = with_images(reader, fields, text, at)?;
            reader.push(Message::System(content), at);
        }
        "user" => {
            let content = with_images(reader, fields, text, at)?;
            reader.push(Message::User(content), at);
        }
        "assistant" => assistant(reader, fields, text, at)?,
        "tool" => {
            let content = with_images(reader, fields, text, at)?;
            let call_id = reader.id_in(fields, "tool_call_id", at)?;
            let name = reader.text_in(fields, "tool_name", at)?;
            reader.result(ToolMessage { content, call_id, name }, at, &[("name", "tool_name")]);
        }
        other => {
            let kind = ErrorKind::UnknownRole { name: other.to_owned(), dialect: Dialect::Ollama };
            return Err(Error::new(kind, at.field("role").to_string()));
        }
    }
    Ok(())
}

/// Images stand before the text, where Ollama puts them.
fn with_images<'a>(
    reader: &mut Reader<'_, 'a>,
    fields: &Fields<'a>,
    text: Option<Cow<'a, str>>,
    at: &Path<'_>,
) -> Result<Content<'a>, Error> {
    let mut chunks = Vec::new();
    if let Some(images) = fields.value("images") {
        let here = at.field("images");
        for (index, image) in reader.list(images, &here)?.into_iter().enumerate() {
            let at = here.index(index);
            let message = reader.chat.messages.len();
            let part = format!("messages[{message}].content[{}]", chunks.len());
            reader.notes.places.say(format!("{part}.image"), at);
            reader.notes.places.say(part, at);
            let read = reader.text(image, &at).map(Chunk::Image);
            chunks.extend(reader.or_drop(read, NoteSort::PartDropped)?);
        }
    }
    chunks.extend(text.filter(|text| !text.is_empty() || chunks.is_empty()).map(Chunk::Text));
    Ok(content(chunks))
}

fn assistant<'a>(
    reader: &mut Reader<'_, 'a>,
    fields: &Fields<'a>,
    text: Option<Cow<'a, str>>,
    at: &Path<'_>,
) -> Result<(), Error> {
    reader.close();
    reader.reply(at);
    if let Some(thinking) = reader.text_in(fields, "thinking", at)?.filter(|text| !text.is_empty()) {
        reader.say(Chunk::thinking(thinking), &at.field("thinking"));
    }
    if let Some(text) = text.filter(|text| !text.is_empty()) {
        reader.say(Chunk::Text(text), &at.field("content"));
    }
    let Some(calls) = fields.value("tool_calls") else { return Ok(()) };
    let here = at.field("tool_calls");
    for (index, node) in reader.list(calls, &here)?.into_iter().enumerate() {
        let at = here.index(index);
        let read = call(reader, node, &at);
        if let Some(call) = reader.or_drop(read, NoteSort::CallDropped)? {
            reader.call(call, &at, &[]);
        }
    }
    Ok(())
}

fn call<'a>(reader: &mut Reader<'_, 'a>, node: Node<'a>, at: &Path<'_>) -> Result<ToolCall<'a>, Error> {
    let fields = reader.object(node, at)?;
    reader.notes.ignore_others(at, &fields, &[known::CALL, &["function"]]);
    let here = at.field("function");
    let function = reader.object(reader.field(&fields, "function", at)?, &here)?;
    reader.notes.ignore_others(&here, &function, &[known::CALL, &["name", "arguments", "description"]]);
    let arguments = match function.value("arguments") {
        None => ToolCall::new("", "{}"),
        Some(node) if node.is_object() => {
            ToolCall { arguments_form: ArgumentsForm::Object, ..ToolCall::new("", Cow::Borrowed(node.json())) }
        }
        Some(node) if node.is_text() => ToolCall::new("", reader.text(node, &here.field("arguments"))?),
        Some(_) => return Err(wrong(&here.field("arguments"), "an object")),
    };
    let id = reader.id_in(&fields, "id", at)?;
    Ok(ToolCall { id, name: reader.text_of(&function, "name", &here)?, ..arguments })
}
