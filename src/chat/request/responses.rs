//! OpenAI's Responses request: instructions and items, of which those of one turn of the model's are one message.
//!
//! The form is that of OpenAI's API description of July 2026 (openai-python 2.x, `responses.create`).

use std::borrow::Cow;

use super::known;
use super::node::{Fields, Node, Path};
use super::notes::NoteSort;
use super::reader::Reader;
use crate::chat::{Chunk, Content, Dialect, Message, ToolCall, ToolMessage};
use crate::error::{Error, ErrorKind};

const REQUEST: &[&str] = &["instructions", "input", "tools", "text", "reasoning", "truncation"];

/// What a request names that is kept by the API alone.
const KEPT_ELSEWHERE: [&str; 3] = ["previous_response_id", "conversation", "prompt"];

/// The fields of a call and of a result, as a chat names them and as an item does.
const CALL: [(&str, &str); 2] = [("function", ""), ("id", "call_id")];
const RESULT: [(&str, &str); 2] = [("tool_call_id", "call_id"), ("content", "output")];

pub(super) fn read<'a>(reader: &mut Reader<'_, 'a>, request: Node<'a>) -> Result<(), Error> {
    let root = Path::Request;
    let fields = reader.object(request, &root)?;
    reader.notes.ignore_others(&root, &fields, &[REQUEST, known::REQUEST, &KEPT_ELSEWHERE]);
    reader.kept_elsewhere(&fields, &KEPT_ELSEWHERE)?;
    if let Some(instructions) = fields.value("instructions").filter(|it| !it.is_nothing()) {
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
            reader.call(call, at, &CALL);
            Ok(())
        }
        Some("function_call_output" | "custom_tool_call_output") => {
            reader.notes.ignore_others(at, fields, &[known::MESSAGE, &["call_id", "output", "name", "caller"]]);
            let (output, here) = (reader.field(fields, "output", at)?, at.field("output"));
            let (content, positions) = reader.parts(output, &here, part)?;
            let call_id = reader.id_in(fields, "call_id", at)?;
            reader.result(ToolMessage { content, call_id, name: None }, at, &RESULT);
            reader.place_chunks(&positions, &here, &[]);
            Ok(())
        }
        Some(kind) if reader.notes.mends() && is_of_clients_tool(kind) => client_tool(reader, kind, fields, at),
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
    let (content, positions) = reader.parts(node, &here, part)?;
    match &*role {
        "system" | "developer" => reader.push(Message::System(content), at),
        "user" => reader.push(Message::User(content), at),
        "assistant" => {
            reader.say_all(content, &positions, &here, at);
            return Ok(());
        }
        other => {
            let kind = ErrorKind::UnknownRole { name: other.to_owned(), dialect: Dialect::Responses };
            return Err(Error::new(kind, at.field("role").to_string()));
        }
    }
    reader.place_chunks(&positions, &here, &[]);
    Ok(())
}

/// Is it a call of a tool that the API defines and its client runs, or the output of one?
fn is_of_clients_tool(kind: &str) -> bool {
    let tool = kind.strip_suffix("_output").unwrap_or(kind);
    matches!(tool, "custom_tool_call" | "local_shell_call" | "shell_call" | "apply_patch_call" | "computer_call")
}

/// Such a call as one of a function, or its output as a result.
fn client_tool<'a>(reader: &mut Reader<'_, 'a>, kind: &str, fields: &Fields<'a>, at: &Path<'_>) -> Result<(), Error> {
    let own = ["call_id", "name", "caller", "input", "action", "operation", "output", "max_output_length"];
    reader.notes.ignore_others(at, fields, &[known::MESSAGE, known::CALL, &own]);
    let id = reader.id_in(fields, "call_id", at)?;
    if let Some(kind) = kind.strip_suffix("_output") {
        let (output, here) = (reader.field(fields, "output", at)?, at.field("output"));
        let content = match output.fields().filter(|output| output.has("image_url")) {
            Some(shot) => Content::Chunks(vec![Chunk::image_url(reader.text_of(&shot, "image_url", &here)?)]),
            None if output.is_text() => Content::Text(reader.text(output, &here)?),
            None => Content::Text(Cow::Borrowed(output.json())),
        };
        reader.result(ToolMessage { content, call_id: id, name: None }, at, &RESULT);
        let what = format!("the output is one of a {}, and became a function's", title(kind));
        reader.notes.note(at, NoteSort::FieldMended, what);
        return Ok(());
    }
    let input = ["input", "action", "operation"].into_iter().find(|name| fields.has(name)).unwrap_or("input");
    let arguments = match reader.field(fields, input, at)? {
        object if object.is_object() => Cow::Borrowed(object.json()),
        other => Cow::Owned(format!("{{\"input\": {}}}", other.json())),
    };
    let name = match kind {
        "custom_tool_call" => reader.text_of(fields, "name", at)?,
        _ => Cow::Owned(kind.trim_end_matches("_call").to_owned()),
    };
    let call = ToolCall { id, ..ToolCall::new(name, arguments) };
    reader.call(call, at, &[("function.arguments", input), ("function", ""), ("id", "call_id")]);
    let what = format!("the call is one of a {}, and became a function's", title(kind));
    reader.notes.note(at, NoteSort::FieldMended, what);
    Ok(())
}

/// What calls of this kind are of.
fn title(kind: &str) -> String {
    let tool = kind.trim_end_matches("_call").trim_end_matches("_tool").replace('_', " ");
    format!("{tool} tool")
}

fn part<'a>(reader: &mut Reader<'_, 'a>, node: Node<'a>, at: &Path<'_>) -> Result<Option<Chunk<'a>>, Error> {
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
            let url = reader.text_of(&fields, field, at)?;
            Ok(Some(Chunk::ImageUrl { url, detail: reader.text_in(&fields, "detail", at)? }))
        }
        "input_audio" => {
            let here = at.field(field);
            let audio = reader.object(reader.field(&fields, field, at)?, &here)?;
            reader.notes.ignore_others(&here, &audio, &[&["data", "format"]]);
            Ok(Some(Chunk::InputAudio(reader.text_of(&audio, "data", &here)?)))
        }
        _ => Ok(Some(Chunk::Text(reader.text_of(&fields, field, at)?))),
    }
}

/// The model's thinking: its own text where it is there, else its summary.
fn reasoning<'a>(reader: &mut Reader<'_, 'a>, fields: &Fields<'a>, at: &Path<'_>) -> Result<(), Error> {
    reader.notes.ignore_others(at, fields, &[known::MESSAGE, &["summary", "content"]]);
    for name in ["content", "summary"] {
        let Some(list) = fields.value(name).filter(|node| !node.is_nothing()) else { continue };
        let (thinking, _) = reader.parts(list, &at.field(name), part)?;
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
