//! A request of Mistral's Conversations: entries, of which those of one turn of the model's are one message.
//!
//! The form is that of mistralai 3.7 for Python (`beta.conversations.start` and `append`).

use std::borrow::Cow;

use super::completions::ignored_of_format;
use super::known;
use super::node::{Fields, Node, Path};
use super::notes::NoteSort;
use super::parts::parts;
use super::reader::{Reader, wrong};
use crate::chat::{ArgumentsForm, Content, Dialect, Message, ToolCall, ToolMessage, response_format_from_json};
use crate::error::{Error, ErrorKind};

const REQUEST: &[&str] = &["inputs", "instructions", "tools", "completion_args"];

/// What a request names that is kept by the API alone.
const KEPT_ELSEWHERE: [&str; 3] = ["agent_id", "conversation_id", "from_entry_id"];

/// The fields of a call and of a result, as a chat names them and as an entry does.
const CALL: [(&str, &str); 2] = [("function", ""), ("id", "tool_call_id")];
const RESULT: [(&str, &str); 1] = [("content", "result")];

pub(super) fn read<'a>(reader: &mut Reader<'_, 'a>, request: Node<'a>) -> Result<(), Error> {
    let root = Path::Request;
    let fields = reader.object(request, &root)?;
    reader.notes.ignore_others(&root, &fields, &[REQUEST, known::REQUEST, &KEPT_ELSEWHERE]);
    reader.kept_elsewhere(&fields, &KEPT_ELSEWHERE)?;
    if let Some(text) = reader.text_in(&fields, "instructions", &root)?.filter(|text| !text.is_empty()) {
        reader.push(Message::System(Content::Text(text)), &root.field("instructions"));
    }
    let (inputs, at) = (reader.field(&fields, "inputs", &root)?, root.field("inputs"));
    if inputs.is_text() {
        let text = reader.text(inputs, &at)?;
        reader.push(Message::User(Content::Text(text)), &at);
    } else {
        for (index, node) in reader.list(inputs, &at)?.into_iter().enumerate() {
            let at = at.index(index);
            let entry_fields = reader.object(node, &at)?;
            let read = entry(reader, &entry_fields, &at);
            reader.or_drop(read, NoteSort::PartDropped)?;
        }
    }
    reader.close();
    reader.nested_tools(fields.value("tools"), &root.field("tools"))?;
    if let Some(arguments) = fields.value("completion_args") {
        let at = root.field("completion_args");
        let arguments = reader.object(arguments, &at)?;
        let known = ["response_format", "reasoning_effort"];
        reader.notes.ignore_others(&at, &arguments, &[known::REQUEST, &known]);
        response_format(reader, arguments.value("response_format"), &at.field("response_format"))?;
        reader.effort(arguments.value("reasoning_effort"), &at.field("reasoning_effort"))?;
        if let Some(choice) = arguments.value("tool_choice") {
            let read = reader.flat_choice(choice, &at.field("tool_choice"));
            reader.choice(read)?;
        }
    }
    reader.chat.model = reader.text_in(&fields, "model", &root)?;
    Ok(())
}

/// A response format whose schema stands in a field of its own.
fn response_format<'a>(reader: &mut Reader<'_, 'a>, node: Option<Node<'a>>, at: &Path<'_>) -> Result<(), Error> {
    let Some(node) = node else { return Ok(()) };
    ignored_of_format(reader.notes, node, at);
    let read = response_format_from_json(node.json());
    let read = read.map_err(|error| {
        let rest = if error.at().is_empty() { String::new() } else { format!(".{}", error.at()) };
        error.moved_to(format!("{at}{rest}"))
    });
    if let Some(format) = reader.or_drop(read, NoteSort::FieldDropped)? {
        reader.chat.response_format = format;
        reader.notes.places.say("response_format", at);
    }
    Ok(())
}

fn entry<'a>(reader: &mut Reader<'_, 'a>, fields: &Fields<'a>, at: &Path<'_>) -> Result<(), Error> {
    let kind = reader.text_in(fields, "type", at)?;
    match kind.as_deref() {
        Some("message.input" | "message.output") => message(reader, fields, at),
        None if fields.has("role") => message(reader, fields, at),
        Some("function.call") => {
            reader.notes.ignore_others(at, fields, &[known::MESSAGE, &["tool_call_id", "name", "arguments"]]);
            let (node, here) = (reader.field(fields, "arguments", at)?, at.field("arguments"));
            let (arguments, arguments_form) = match node {
                node if node.is_object() => (Cow::Borrowed(node.json()), ArgumentsForm::Object),
                node if node.is_text() => (reader.text(node, &here)?, ArgumentsForm::Text),
                _ => return Err(wrong(&here, "a string or an object")),
            };
            let id = reader.id_in(fields, "tool_call_id", at)?;
            let name = reader.text_of(fields, "name", at)?;
            reader.call(ToolCall { id, name, arguments, arguments_form }, at, &CALL);
            Ok(())
        }
        Some("function.result") => {
            reader.notes.ignore_others(at, fields, &[known::MESSAGE, &["tool_call_id", "result"]]);
            let (result, here) = (reader.field(fields, "result", at)?, at.field("result"));
            let (content, positions) = parts(reader, result, &here)?;
            let call_id = reader.id_in(fields, "tool_call_id", at)?;
            reader.result(ToolMessage { content, call_id, name: None }, at, &RESULT);
            reader.place_chunks(&positions, &here, &[]);
            Ok(())
        }
        None => Err(Error::new(ErrorKind::MissingField("type"), at.to_string())),
        Some(other) => {
            let kind = ErrorKind::UnknownItem { name: other.to_owned(), dialect: Dialect::Conversations };
            Err(Error::new(kind, at.field("type").to_string()))
        }
    }
}

fn message<'a>(reader: &mut Reader<'_, 'a>, fields: &Fields<'a>, at: &Path<'_>) -> Result<(), Error> {
    reader.notes.ignore_others(at, fields, &[known::MESSAGE, &["role", "content", "prefix"]]);
    let role = reader.text_in(fields, "role", at)?.unwrap_or(Cow::Borrowed("assistant"));
    let here = at.field("content");
    let (content, positions) = parts(reader, reader.field(fields, "content", at)?, &here)?;
    match &*role {
        "user" => reader.push(Message::User(content), at),
        "system" => reader.push(Message::System(content), at),
        "assistant" => {
            reader.say_all(content, &positions, &here, at);
            reader.reply(at).prefix = fields.value("prefix").and_then(Node::bool).unwrap_or_default();
            return Ok(());
        }
        other => {
            let kind = ErrorKind::UnknownRole { name: other.to_owned(), dialect: Dialect::Conversations };
            return Err(Error::new(kind, at.field("role").to_string()));
        }
    }
    reader.place_chunks(&positions, &here, &[]);
    Ok(())
}
