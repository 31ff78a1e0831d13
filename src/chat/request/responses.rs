//! OpenAI's Responses request: instructions and items, of which those of one turn of the model's are one message.
//!
//! The form is that of OpenAI's API description of July 2026 (openai-python 2.x, `responses.create`).

use std::borrow::Cow;

use super::known;
use super::node::{Fields, Node, Path};
use super::notes::NoteSort;
use super::reader::{Reader, content};
use crate::chat::{Chunk, Content, Dialect, Message, ToolCall, ToolMessage};
use crate::error::{Error, ErrorKind};

const REQUEST: &[&str] = &["instructions", "input", "tools", "text", "reasoning", "truncation"];

/// What a request names that is kept by the API alone.
const KEPT_ELSEWHERE: [&str; 3] = ["previous_response_id", "conversation", "prompt"];

pub(super) fn read<'a>(reader: &mut Reader<'_, 'a>, request: Node<'a>) -> Result<(), Error> {
    let root = Path::Request;
    let fields = reader.object(request, &root)?;
    reader.notes.ignore_others(&root, &fields, &[REQUEST, known::REQUEST, &KEPT_ELSEWHERE]);
    for name in KEPT_ELSEWHERE {
        if fields.has(name) {
            let what = "what it names stays with the API that keeps it, and it was left out";
            reader.notes.mend(root.field(name), NoteSort::FieldDropped, what, || ErrorKind::KnownById)?;
        }
    }
    if let Some(instructions) = fields.value("instructions") {
        let at = root.field("instructions");
        if instructions.is_list() {
            items(reader, instructions, &at)?;
        } else {
            let text = reader.text(instructions, &at)?;
            reader.push(Message::System(Content::Text(text)), &at);
        }
    }
    let (input, at) = (reader.field(&fields, "input", &root)?, root.field("input"));
    if input.is_text() {
        let text = reader.text(input, &at)?;
        reader.push(Message::User(Content::Text(text)), &at);
    } else {
        items(reader, input, &at)?;
    }
    reader.close();
    settings(reader, &fields)
}

fn settings<'a>(reader: &mut Reader<'_, 'a>, fields: &Fields<'a>) -> Result<(), Error> {
    let root = Path::Request;
    if let Some(tools) = fields.value("tools") {
        let at = root.field("tools");
        for (index, tool) in reader.list(tools, &at)?.into_iter().enumerate() {
            let at = at.index(index);
            let tool = reader.object(tool, &at)?;
            let kind = reader.text_of(&tool, "type", &at)?;
            let read = match (&*kind, tool.value("function").and_then(Node::fields)) {
                ("function", Some(function)) if !tool.has("name") => {
                    reader.function(&function, &["parameters"], &at.field("function"))
                }
                ("function", _) => reader.function(&tool, &["parameters"], &at),
                (other, _) => {
                    let kind = ErrorKind::UnknownToolType { name: other.to_owned() };
                    Err(Error::new(kind, at.field("type").to_string()))
                }
            };
            reader.tool(read, &at)?;
        }
    }
    if let Some(text) = fields.value("text") {
        let at = root.field("text");
        let text = reader.object(text, &at)?;
        reader.notes.ignore_others(&at, &text, &[&["format"]]);
        reader.flat_format(text.value("format"), &at.field("format"))?;
    }
    if let Some(reasoning) = fields.value("reasoning") {
        let at = root.field("reasoning");
        let reasoning = reader.object(reasoning, &at)?;
        reader.notes.ignore_others(&at, &reasoning, &[&["effort", "summary", "generate_summary"]]);
        reader.effort(reasoning.value("effort"), &at.field("effort"))?;
        reader.notes.places.say("reasoning_effort", at.field("effort"));
    }
    if let Some(choice) = fields.value("tool_choice") {
        let read = reader.flat_choice(choice, &root.field("tool_choice"));
        reader.choice(read)?;
    }
    reader.chat.parallel_tool_calls = fields.value("parallel_tool_calls").and_then(Node::bool);
    reader.chat.model = reader.text_in(fields, "model", &root)?;
    Ok(())
}

fn items<'a>(reader: &mut Reader<'_, 'a>, list: Node<'a>, at: &Path<'_>) -> Result<(), Error> {
    for (index, node) in reader.list(list, at)?.into_iter().enumerate() {
        let at = at.index(index);
        let fields = reader.object(node, &at)?;
        let read = item(reader, &fields, &at);
        reader.or_drop(read, NoteSort::PartDropped)?;
    }
    Ok(())
}

fn item<'a>(reader: &mut Reader<'_, 'a>, fields: &Fields<'a>, at: &Path<'_>) -> Result<(), Error> {
    let kind = reader.text_in(fields, "type", at)?;
    match kind.as_deref() {
        Some("message") => message(reader, fields, at),
        None if fields.has("role") => message(reader, fields, at),
        Some("reasoning") => reasoning(reader, fields, at),
        Some("function_call") => {
            let known = ["call_id", "name", "arguments", "namespace", "caller"];
            reader.notes.ignore_others(at, fields, &[known::MESSAGE, known::CALL, &known]);
            let arguments = reader.text_of(fields, "arguments", at)?;
            let id = reader.id_in(fields, "call_id", at)?;
            let call = ToolCall { id, ..ToolCall::new(reader.text_of(fields, "name", at)?, arguments) };
            reader.call(call, at);
            Ok(())
        }
        Some("function_call_output" | "custom_tool_call_output") => {
            reader.notes.ignore_others(at, fields, &[known::MESSAGE, &["call_id", "output", "name", "caller"]]);
            let (output, here) = (reader.field(fields, "output", at)?, at.field("output"));
            let (content, positions) = parts(reader, output, &here)?;
            let call_id = reader.id_in(fields, "call_id", at)?;
            reader.result(ToolMessage { content, call_id, ..ToolMessage::default() }, at);
            reader.place_chunks(&positions, &here);
            Ok(())
        }
        Some("custom_tool_call") if reader.notes.mends() => {
            let input = reader.field(fields, "input", at)?.json();
            let id = reader.id_in(fields, "call_id", at)?;
            let name = reader.text_of(fields, "name", at)?;
            let call = ToolCall { id, ..ToolCall::new(name, format!("{{\"input\": {input}}}")) };
            reader.call(call, at);
            reader.notes.note(
                at,
                NoteSort::FieldMended,
                "the call is one of a custom tool, and became one of a function",
            );
            Ok(())
        }
        Some("item_reference") => Err(Error::new(ErrorKind::KnownById, at.to_string())),
        None if fields.has("id") => Err(Error::new(ErrorKind::KnownById, at.to_string())),
        None => Err(Error::new(ErrorKind::MissingField("type"), at.to_string())),
        Some(other) => {
            let kind = ErrorKind::UnknownItem { name: other.to_owned(), dialect: Dialect::Responses };
            Err(Error::new(kind, at.field("type").to_string()))
        }
    }
}

fn message<'a>(reader: &mut Reader<'_, 'a>, fields: &Fields<'a>, at: &Path<'_>) -> Result<(), Error> {
    reader.notes.ignore_others(at, fields, &[known::MESSAGE, &["role", "content", "phase"]]);
    let role = reader.text_of(fields, "role", at)?;
    let here = at.field("content");
    let node = match fields.value("content") {
        Some(node) => node,
        None => {
            let what = "the content is missing or null, and the message was left out";
            return reader.notes.mend(at, NoteSort::PartDropped, what, || ErrorKind::MissingField("content"));
        }
    };
    let (content, positions) = parts(reader, node, &here)?;
    match &*role {
        "system" | "developer" => reader.push(Message::System(content), at),
        "user" => reader.push(Message::User(content), at),
        "assistant" => {
            if reader.has_said() {
                reader.close();
            }
            match content {
                Content::Text(text) => {
                    if !text.is_empty() {
                        reader.say(Chunk::Text(text), &here);
                    }
                }
                Content::Chunks(chunks) => {
                    for (chunk, position) in chunks.into_iter().zip(&positions) {
                        reader.say(chunk, &here.index(*position));
                    }
                }
            }
            reader.reply(at);
            return Ok(());
        }
        other => {
            let kind = ErrorKind::UnknownRole { name: other.to_owned(), dialect: Dialect::Responses };
            return Err(Error::new(kind, at.field("role").to_string()));
        }
    }
    reader.place_chunks(&positions, &here);
    Ok(())
}

/// A text or a list of parts, and where each chunk stands in the list.
fn parts<'a>(reader: &mut Reader<'_, 'a>, node: Node<'a>, at: &Path<'_>) -> Result<(Content<'a>, Vec<usize>), Error> {
    if node.is_text() {
        return Ok((Content::Text(reader.text(node, at)?), Vec::new()));
    }
    let (mut chunks, mut positions) = (Vec::new(), Vec::new());
    for (index, node) in reader.list(node, at)?.into_iter().enumerate() {
        let read = part(reader, node, &at.index(index));
        if let Some(chunk) = reader.or_drop(read, NoteSort::PartDropped)? {
            chunks.push(chunk);
            positions.push(index);
        }
    }
    Ok((content(chunks), positions))
}

fn part<'a>(reader: &mut Reader<'_, 'a>, node: Node<'a>, at: &Path<'_>) -> Result<Chunk<'a>, Error> {
    let fields = reader.object(node, at)?;
    let kind = reader.text_of(&fields, "type", at)?;
    let field = match &*kind {
        "input_text" | "output_text" | "text" | "summary_text" | "reasoning_text" => "text",
        "refusal" => "refusal",
        "input_image" => "image_url",
        "input_audio" => "input_audio",
        other => {
            let kind = ErrorKind::UnknownItem { name: other.to_owned(), dialect: Dialect::Responses };
            return Err(Error::new(kind, at.field("type").to_string()));
        }
    };
    reader.notes.ignore_others(at, &fields, &[known::PART, &[field]]);
    match field {
        "image_url" => {
            if !fields.has("image_url") && fields.has("file_id") {
                return Err(Error::new(ErrorKind::KnownById, at.to_string()));
            }
            Ok(Chunk::ImageUrl {
                url: reader.text_of(&fields, field, at)?,
                detail: reader.text_in(&fields, "detail", at)?,
            })
        }
        "input_audio" => {
            let here = at.field(field);
            let audio = reader.object(reader.field(&fields, field, at)?, &here)?;
            Ok(Chunk::InputAudio(reader.text_of(&audio, "data", &here)?))
        }
        _ => Ok(Chunk::Text(reader.text_of(&fields, field, at)?)),
    }
}

/// The model's thinking: its own text where it is there, else its summary.
fn reasoning<'a>(reader: &mut Reader<'_, 'a>, fields: &Fields<'a>, at: &Path<'_>) -> Result<(), Error> {
    reader.notes.ignore_others(at, fields, &[known::MESSAGE, &["summary", "content"]]);
    for name in ["content", "summary"] {
        let Some(list) = fields.value(name).filter(|node| !node.is_nothing()) else { continue };
        let (thinking, _) = parts(reader, list, &at.field(name))?;
        let text = match thinking {
            Content::Text(text) => text,
            Content::Chunks(chunks) => Cow::Owned(joined(&chunks)),
        };
        reader.say(Chunk::thinking(text), at);
        return Ok(());
    }
    Ok(())
}

/// The texts of a summary, which stand as paragraphs.
fn joined(chunks: &[Chunk<'_>]) -> String {
    let texts: Vec<&str> = chunks.iter().filter_map(Chunk::as_text).collect();
    texts.join("\n\n")
}
