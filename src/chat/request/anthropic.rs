//! Anthropic's Messages request: results stand in user messages, and come out as messages of their own before the rest.
//!
//! The form is that of Anthropic's API version 2023-06-01 (anthropic-sdk-python 0.x, `messages.create`).

use std::borrow::Cow;

use super::known;
use super::node::{Fields, Node, Path};
use super::notes::NoteSort;
use super::reader::{Reader, content, object_json, wrong};
use crate::chat::{
    ArgumentsForm, Chunk, Content, Dialect, Message, ResponseFormat, ResponseSchema, ToolCall, ToolChoice, ToolMessage,
};
use crate::error::{Error, ErrorKind};

const REQUEST: &[&str] =
    &["system", "messages", "tools", "thinking", "output_config", "output_format", "anthropic_version"];

/// The fields of what an image or a document comes from.
const SOURCE: &[&str] = &["type", "media_type", "data", "url", "content", "file_id"];

/// The fields of a call, of an image and of a result, as a chat names them and as a block does.
const CALL: [(&str, &str); 2] = [("function.arguments", "input"), ("function", "")];
const IMAGE: [(&str, &str); 2] = [("image", "source.data"), ("image_url", "source.url")];
const RESULT: [(&str, &str); 1] = [("tool_call_id", "tool_use_id")];

pub(super) fn read<'a>(reader: &mut Reader<'_, 'a>, request: Node<'a>) -> Result<(), Error> {
    let root = Path::Request;
    let fields = reader.object(request, &root)?;
    reader.notes.ignore_others(&root, &fields, &[REQUEST, known::REQUEST]);
    if let Some(system) = fields.value("system").filter(|system| !system.is_nothing()) {
        let at = root.field("system");
        let (content, positions) = texts(reader, system, &at)?;
        reader.push(Message::System(content), &at);
        reader.place_chunks(&positions, &at, &IMAGE);
    }
    let at = root.field("messages");
    for (index, node) in reader.list(reader.field(&fields, "messages", &root)?, &at)?.into_iter().enumerate() {
        let at = at.index(index);
        let message = reader.object(node, &at)?;
        reader.notes.ignore_others(&at, &message, &[known::MESSAGE, &["role", "content"]]);
        let role = reader.text_of(&message, "role", &at)?;
        match &*role {
            "user" => user(reader, &message, &at)?,
            "assistant" => assistant(reader, &message, &at)?,
            "system" => {
                let here = at.field("content");
                let (content, positions) = texts(reader, reader.field(&message, "content", &at)?, &here)?;
                reader.push(Message::System(content), &at);
                reader.place_chunks(&positions, &here, &IMAGE);
            }
            other => {
                let kind = ErrorKind::UnknownRole { name: other.to_owned(), dialect: Dialect::Anthropic };
                return Err(Error::new(kind, at.field("role").to_string()));
            }
        }
    }
    // A reply at the end is one to be continued, unless it calls tools.
    reader.close();
    if let Some(Message::Assistant(last)) = reader.chat.messages.last_mut()
        && last.tool_calls.is_empty()
    {
        last.prefix = true;
    }
    settings(reader, &fields)
}

fn settings<'a>(reader: &mut Reader<'_, 'a>, fields: &Fields<'a>) -> Result<(), Error> {
    let root = Path::Request;
    if let Some(tools) = fields.value("tools") {
        let at = root.field("tools");
        for (index, tool) in reader.list(tools, &at)?.into_iter().enumerate() {
            let at = at.index(index);
            let tool = reader.object(tool, &at)?;
            let kind = reader.text_in(&tool, "type", &at)?.filter(|kind| kind != "custom");
            let read = match kind {
                None => reader.function(&tool, &["input_schema"], &at),
                Some(name) => {
                    let kind = ErrorKind::UnknownToolType { name: name.into_owned() };
                    Err(Error::new(kind, at.field("type").to_string()))
                }
            };
            reader.tool(read, &at)?;
            let parameters = format!("tools[{}].function.parameters", reader.chat.tools.len().saturating_sub(1));
            reader.notes.places.say(parameters, at.field("input_schema"));
        }
    }
    if let Some(choice) = fields.value("tool_choice") {
        let at = root.field("tool_choice");
        let choice = reader.object(choice, &at)?;
        let read = tool_choice(reader, &choice, &at);
        reader.choice(read)?;
        let disabled = choice.value("disable_parallel_tool_use").and_then(Node::bool);
        reader.chat.parallel_tool_calls = disabled.map(|disabled| !disabled);
    }
    if let Some(thinking) = fields.value("thinking") {
        let kind = thinking.fields().and_then(|it| it.text("type"));
        if kind.is_none_or(|kind| kind != "disabled") {
            reader.notes.ignored.push("thinking".to_owned());
        }
    }
    if let Some(config) = fields.value("output_config") {
        let at = root.field("output_config");
        let config = reader.object(config, &at)?;
        reader.notes.ignore_others(&at, &config, &[&["effort", "format"]]);
        reader.effort(config.value("effort"), &at.field("effort"))?;
        reader.notes.places.say("reasoning_effort", at.field("effort"));
        format(reader, config.value("format"), &at.field("format"))?;
    }
    format(reader, fields.value("output_format"), &root.field("output_format"))?;
    reader.chat.model = reader.text_in(fields, "model", &root)?;
    Ok(())
}

/// A response format that is a schema without a name.
fn format<'a>(reader: &mut Reader<'_, 'a>, node: Option<Node<'a>>, at: &Path<'_>) -> Result<(), Error> {
    let Some(node) = node else { return Ok(()) };
    let fields = reader.object(node, at)?;
    reader.notes.ignore_others(at, &fields, &[&["type", "schema"]]);
    let here = at.field("schema");
    let read = reader.field(&fields, "schema", at).and_then(|schema| object_json(schema, &here));
    if let Some(schema) = reader.or_drop(read, NoteSort::FieldDropped)? {
        let name = Cow::Borrowed("response");
        let schema = ResponseSchema { name, description: None, schema, strict: true };
        reader.chat.response_format = ResponseFormat::JsonSchema(schema);
        reader.notes.places.say("response_format.json_schema", at);
    }
    Ok(())
}

fn tool_choice<'a>(reader: &Reader<'_, 'a>, fields: &Fields<'a>, at: &Path<'_>) -> Result<ToolChoice<'a>, Error> {
    match reader.text_of(fields, "type", at)?.as_ref() {
        "auto" => Ok(ToolChoice::Auto),
        "any" => Ok(ToolChoice::Required),
        "none" => Ok(ToolChoice::None),
        "tool" => reader.text_of(fields, "name", at).map(ToolChoice::Named),
        other => {
            let kind = ErrorKind::UnknownToolChoice { name: other.to_owned() };
            Err(Error::new(kind, at.field("type").to_string()))
        }
    }
}

/// A text or a list of text blocks, and where each stands in the list.
fn texts<'a>(reader: &mut Reader<'_, 'a>, node: Node<'a>, at: &Path<'_>) -> Result<(Content<'a>, Vec<usize>), Error> {
    let (content, positions) = blocks(reader, node, at)?;
    match content.chunks().iter().position(|chunk| chunk.as_text().is_none()) {
        Some(other) => Err(wrong(&at.index(positions.get(other).copied().unwrap_or(other)), "a text block")),
        None => Ok((content, positions)),
    }
}

/// A text or a list of blocks that are chunks, and where each chunk stands in the list.
fn blocks<'a>(reader: &mut Reader<'_, 'a>, node: Node<'a>, at: &Path<'_>) -> Result<(Content<'a>, Vec<usize>), Error> {
    reader.parts(node, at, |reader, node, at| {
        let fields = reader.object(node, at)?;
        chunks_of(reader, &fields, at)
    })
}

/// The chunks that a block is: none, where it was left out.
fn block<'a>(reader: &mut Reader<'_, 'a>, fields: &Fields<'a>, at: &Path<'_>) -> Result<Vec<Chunk<'a>>, Error> {
    let read = chunks_of(reader, fields, at);
    Ok(reader.or_drop(read, NoteSort::PartDropped)?.unwrap_or_default())
}

fn chunks_of<'a>(reader: &mut Reader<'_, 'a>, fields: &Fields<'a>, at: &Path<'_>) -> Result<Vec<Chunk<'a>>, Error> {
    let kind = reader.text_of(fields, "type", at)?;
    match &*kind {
        "text" => {
            reader.notes.ignore_others(at, fields, &[known::PART, &["text"]]);
            Ok(vec![Chunk::Text(reader.text_of(fields, "text", at)?)])
        }
        "image" => {
            reader.notes.ignore_others(at, fields, &[known::PART, &["source"]]);
            image(reader, fields, at).map(|image| vec![image])
        }
        "document" => {
            reader.notes.ignore_others(at, fields, &[known::PART, &["source"]]);
            document(reader, fields, at)
        }
        "search_result" => {
            reader.notes.ignore_others(at, fields, &[known::PART, &["content"]]);
            let node = reader.field(fields, "content", at)?;
            let (content, _) = texts(reader, node, &at.field("content"))?;
            Ok(chunks(content))
        }
        other => Err(unknown(other, at)),
    }
}

fn unknown(name: &str, at: &Path<'_>) -> Error {
    let kind = ErrorKind::UnknownItem { name: name.to_owned(), dialect: Dialect::Anthropic };
    Error::new(kind, at.field("type").to_string())
}

fn chunks(content: Content<'_>) -> Vec<Chunk<'_>> {
    match content {
        Content::Text(text) => vec![Chunk::Text(text)],
        Content::Chunks(chunks) => chunks,
    }
}

fn image<'a>(reader: &mut Reader<'_, 'a>, fields: &Fields<'a>, at: &Path<'_>) -> Result<Chunk<'a>, Error> {
    let here = at.field("source");
    let source = reader.object(reader.field(fields, "source", at)?, &here)?;
    reader.notes.ignore_others(&here, &source, &[SOURCE]);
    match reader.text_of(&source, "type", &here)?.as_ref() {
        "base64" => reader.text_of(&source, "data", &here).map(Chunk::Image),
        "url" => reader.text_of(&source, "url", &here).map(Chunk::image_url),
        "file" => Err(Error::new(ErrorKind::KnownById, here.to_string())),
        other => Err(unknown(other, &here)),
    }
}

/// A document, as far as it is text.
fn document<'a>(reader: &mut Reader<'_, 'a>, fields: &Fields<'a>, at: &Path<'_>) -> Result<Vec<Chunk<'a>>, Error> {
    let here = at.field("source");
    let source = reader.object(reader.field(fields, "source", at)?, &here)?;
    reader.notes.ignore_others(&here, &source, &[SOURCE]);
    match reader.text_of(&source, "type", &here)?.as_ref() {
        "text" => Ok(vec![Chunk::Text(reader.text_of(&source, "data", &here)?)]),
        "content" => {
            let node = reader.field(&source, "content", &here)?;
            Ok(chunks(blocks(reader, node, &here.field("content"))?.0))
        }
        "file" => Err(Error::new(ErrorKind::KnownById, here.to_string())),
        "base64" => {
            let name = reader.text_of(&source, "media_type", &here)?.into_owned();
            let kind = ErrorKind::UnknownItem { name, dialect: Dialect::Anthropic };
            Err(Error::new(kind, here.field("media_type").to_string()))
        }
        other => Err(unknown(other, &here)),
    }
}

/// A user message: its results as messages of their own, and what the user says behind them.
fn user<'a>(reader: &mut Reader<'_, 'a>, message: &Fields<'a>, at: &Path<'_>) -> Result<(), Error> {
    let here = at.field("content");
    let Some(node) = message.value("content") else {
        let what = "the content is missing or null, and became an empty text";
        reader.notes.mend(at, NoteSort::FieldMended, what, || ErrorKind::MissingField("content"))?;
        reader.push(Message::user(""), at);
        return Ok(());
    };
    if node.is_text() {
        let text = reader.text(node, &here)?;
        reader.push(Message::User(Content::Text(text)), at);
        return Ok(());
    }
    let (mut said, mut positions, mut results) = (Vec::new(), Vec::new(), 0);
    let list = reader.list(node, &here)?;
    for (index, node) in list.iter().enumerate() {
        let at = here.index(index);
        let fields = reader.object(*node, &at)?;
        if fields.text("type").as_deref() == Some("tool_result") {
            if !said.is_empty() && reader.notes.mends() {
                // Anthropic's API refuses such a message.
                reader.notes.note(at, NoteSort::FieldMended, "the result stands behind text, and went before it");
            }
            let read = tool_result(reader, &fields, &at);
            reader.or_drop(read, NoteSort::PartDropped)?;
            results += 1;
            continue;
        }
        for chunk in block(reader, &fields, &at)? {
            said.push(chunk);
            positions.push(index);
        }
    }
    if !said.is_empty() || results == 0 {
        reader.push(Message::User(content(said)), at);
        reader.place_chunks(&positions, &here, &IMAGE);
    }
    Ok(())
}

fn tool_result<'a>(reader: &mut Reader<'_, 'a>, fields: &Fields<'a>, at: &Path<'_>) -> Result<(), Error> {
    reader.notes.ignore_others(at, fields, &[known::PART, &["tool_use_id", "content"]]);
    let call_id = reader.id_in(fields, "tool_use_id", at)?;
    if call_id.is_none() {
        let what = "the result names no call, and goes by its place";
        reader.notes.mend(at, NoteSort::FieldMended, what, || ErrorKind::MissingField("tool_use_id"))?;
    }
    let here = at.field("content");
    let (content, positions) = match fields.value("content") {
        Some(node) => blocks(reader, node, &here)?,
        None => (Content::default(), Vec::new()),
    };
    reader.result(ToolMessage { content, call_id, name: None }, at, &RESULT);
    reader.place_chunks(&positions, &here, &IMAGE);
    Ok(())
}

fn assistant<'a>(reader: &mut Reader<'_, 'a>, message: &Fields<'a>, at: &Path<'_>) -> Result<(), Error> {
    reader.close();
    let here = at.field("content");
    let Some(node) = message.value("content") else {
        let what = "the content is missing or null, and the message says nothing";
        reader.notes.mend(at, NoteSort::FieldMended, what, || ErrorKind::MissingField("content"))?;
        reader.reply(at);
        return Ok(());
    };
    reader.reply(at);
    if node.is_text() {
        let text = reader.text(node, &here)?;
        reader.say(Chunk::Text(text), &here);
        return Ok(());
    }
    for (index, node) in reader.list(node, &here)?.into_iter().enumerate() {
        let at = here.index(index);
        let fields = reader.object(node, &at)?;
        let read = said(reader, &fields, &at);
        reader.or_drop(read, NoteSort::PartDropped)?;
    }
    Ok(())
}

/// A block of what the model said.
fn said<'a>(reader: &mut Reader<'_, 'a>, fields: &Fields<'a>, at: &Path<'_>) -> Result<(), Error> {
    match reader.text_of(fields, "type", at)?.as_ref() {
        "thinking" => {
            reader.notes.ignore_others(at, fields, &[known::PART, &["thinking"]]);
            let text = reader.text_of(fields, "thinking", at)?;
            reader.say(Chunk::thinking(text), at);
        }
        "redacted_thinking" => reader.notes.ignored.push(at.to_string()),
        "tool_use" => {
            reader.notes.ignore_others(at, fields, &[known::CALL, &["id", "name", "input", "caller"]]);
            let id = reader.id_in(fields, "id", at)?;
            let name = reader.text_of(fields, "name", at)?;
            let call = match fields.value("input") {
                Some(input) if input.is_object() => ToolCall {
                    arguments_form: ArgumentsForm::Object,
                    ..ToolCall::new(name, Cow::Borrowed(input.json()))
                },
                Some(input) if reader.notes.mends() => {
                    reader.notes.note(
                        at.field("input"),
                        NoteSort::FieldMended,
                        "the input is not an object, and became the text of its JSON",
                    );
                    ToolCall::new(name, input.text().unwrap_or(Cow::Borrowed(input.json())))
                }
                Some(_) => return Err(wrong(&at.field("input"), "an object")),
                None => ToolCall::new(name, "{}"),
            };
            reader.call(ToolCall { id, ..call }, at, &CALL);
        }
        _ => {
            for chunk in chunks_of(reader, fields, at)? {
                reader.say(chunk, at);
            }
        }
    }
    Ok(())
}
