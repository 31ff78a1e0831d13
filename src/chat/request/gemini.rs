//! A request of Gemini's `generateContent`: contents of parts, of which calls and results are two.
//!
//! The form is that of google-genai 1.x for Python (`models.generate_content`), and its names in snake case.

use std::borrow::Cow;

use super::known;
use super::node::{Fields, Node, Path};
use super::notes::NoteSort;
use super::reader::{Reader, content, object_json, wrong};
use crate::chat::{
    ArgumentsForm, CallMode, Chunk, Content, Dialect, Json, Message, ReasoningEffort, ResponseFormat, ResponseSchema,
    Tool, ToolCall, ToolChoice, ToolMessage,
};
use crate::error::{Error, ErrorKind};

const REQUEST: &[&str] = &[
    "contents",
    "systemInstruction",
    "system_instruction",
    "tools",
    "toolConfig",
    "tool_config",
    "generationConfig",
    "generation_config",
];

/// What a request names that is kept by the API alone.
const KEPT_ELSEWHERE: [&str; 2] = ["cachedContent", "cached_content"];

/// What a generation's configuration says that shapes no prompt.
const GENERATION: &[&str] = &[
    "temperature",
    "topP",
    "topK",
    "top_p",
    "top_k",
    "candidateCount",
    "candidate_count",
    "maxOutputTokens",
    "max_output_tokens",
    "stopSequences",
    "stop_sequences",
    "seed",
    "presencePenalty",
    "presence_penalty",
    "frequencyPenalty",
    "frequency_penalty",
    "responseLogprobs",
    "response_logprobs",
    "logprobs",
    "responseMimeType",
    "response_mime_type",
    "responseSchema",
    "response_schema",
    "responseJsonSchema",
    "response_json_schema",
    "thinkingConfig",
    "thinking_config",
];

/// The fields of an image's or audio's data.
const DATA: [&str; 7] = ["data", "mimeType", "mime_type", "fileUri", "file_uri", "displayName", "display_name"];

/// A field by its name in camel case, or in snake case, and which of them it has.
fn either<'a, 'n>(fields: &Fields<'a>, names: &[&'n str; 2]) -> Option<(Node<'a>, &'n str)> {
    names.iter().find_map(|name| Some((fields.value(name)?, *name)))
}

/// The fields of an object that may be missing, and its name.
fn object_in<'a, 'n>(
    reader: &Reader<'_, 'a>,
    fields: &Fields<'a>,
    names: &[&'n str; 2],
    at: &Path<'_>,
) -> Result<Option<(Fields<'a>, &'n str)>, Error> {
    let Some((node, name)) = either(fields, names) else { return Ok(None) };
    Ok(Some((reader.object(node, &at.field(name))?, name)))
}

pub(super) fn read<'a>(reader: &mut Reader<'_, 'a>, request: Node<'a>) -> Result<(), Error> {
    let root = Path::Request;
    let fields = reader.object(request, &root)?;
    reader.notes.ignore_others(&root, &fields, &[REQUEST, known::REQUEST, &KEPT_ELSEWHERE]);
    reader.kept_elsewhere(&fields, &KEPT_ELSEWHERE)?;
    if let Some((system, name)) = either(&fields, &["systemInstruction", "system_instruction"]) {
        let at = root.field(name);
        let content = if system.is_text() {
            Content::Text(reader.text(system, &at)?)
        } else {
            let system = reader.object(system, &at)?;
            texts(reader, &system, &at)?
        };
        reader.push(Message::System(content), &at);
    }
    let at = root.field("contents");
    let contents = reader.field(&fields, "contents", &root)?;
    let list = if contents.is_object() { vec![contents] } else { reader.list(contents, &at)? };
    for (index, node) in list.into_iter().enumerate() {
        let at = at.index(index);
        let turn_fields = reader.object(node, &at)?;
        turn(reader, &turn_fields, &at)?;
    }
    reader.close();
    settings(reader, &fields)
}

/// The texts of a system instruction.
fn texts<'a>(reader: &mut Reader<'_, 'a>, fields: &Fields<'a>, at: &Path<'_>) -> Result<Content<'a>, Error> {
    reader.notes.ignore_others(at, fields, &[known::MESSAGE, &["role", "parts"]]);
    let here = at.field("parts");
    let mut chunks = Vec::new();
    for (index, node) in parts_of(reader, fields, at)?.into_iter().enumerate() {
        let at = here.index(index);
        let part = reader.object(node, &at)?;
        reader.notes.ignore_others(&at, &part, &[known::PART, &["text"]]);
        let read = reader.text_of(&part, "text", &at).map(Chunk::Text);
        chunks.extend(reader.or_drop(read, NoteSort::PartDropped)?);
    }
    Ok(content(chunks))
}

fn parts_of<'a>(reader: &Reader<'_, 'a>, fields: &Fields<'a>, at: &Path<'_>) -> Result<Vec<Node<'a>>, Error> {
    let node = reader.field(fields, "parts", at)?;
    if node.is_object() { Ok(vec![node]) } else { reader.list(node, &at.field("parts")) }
}

fn turn<'a>(reader: &mut Reader<'_, 'a>, fields: &Fields<'a>, at: &Path<'_>) -> Result<(), Error> {
    reader.notes.ignore_others(at, fields, &[known::MESSAGE, &["role", "parts"]]);
    let role = reader.text_in(fields, "role", at)?.unwrap_or(Cow::Borrowed("user"));
    let is_model = match &*role {
        "model" => true,
        "user" | "function" | "tool" => false,
        other => {
            let kind = ErrorKind::UnknownRole { name: other.to_owned(), dialect: Dialect::Gemini };
            return Err(Error::new(kind, at.field("role").to_string()));
        }
    };
    reader.close();
    let here = at.field("parts");
    let (mut said, mut positions) = (Vec::new(), Vec::new());
    for (index, node) in parts_of(reader, fields, at)?.into_iter().enumerate() {
        let at = here.index(index);
        let part_fields = reader.object(node, &at)?;
        let read = part(reader, &part_fields, is_model, &at);
        if let Some(Some(chunk)) = reader.or_drop(read, NoteSort::PartDropped)? {
            if is_model {
                reader.say(chunk, &at);
            } else {
                said.push(chunk);
                positions.push(index);
            }
        }
    }
    if is_model {
        reader.reply(at);
        reader.close();
    } else if !said.is_empty() {
        reader.push(Message::User(content(said)), at);
        reader.place_chunks(&positions, &here, &[("image", ""), ("image_url", "")]);
    }
    Ok(())
}

/// A part: a chunk, or a call or a result, which it adds by itself.
fn part<'a>(
    reader: &mut Reader<'_, 'a>,
    fields: &Fields<'a>,
    is_model: bool,
    at: &Path<'_>,
) -> Result<Option<Chunk<'a>>, Error> {
    let ignore_others = |reader: &mut Reader<'_, 'a>, read: &str| {
        let read = [read, "thought", "videoMetadata", "video_metadata"];
        reader.notes.ignore_others(at, fields, &[known::PART, &read]);
    };
    if let Some((call, field)) = either(fields, &["functionCall", "function_call"]).filter(|_| is_model) {
        ignore_others(reader, field);
        let here = at.field(field);
        let call = reader.object(call, &here)?;
        reader.notes.ignore_others(&here, &call, &[&["id", "name", "args"]]);
        let name = reader.text_of(&call, "name", &here)?;
        let new = match call.value("args") {
            None => ToolCall::new(name, "{}"),
            Some(args) if args.is_object() => {
                ToolCall { arguments_form: ArgumentsForm::Object, ..ToolCall::new(name, Cow::Borrowed(args.json())) }
            }
            Some(_) => return Err(wrong(&here.field("args"), "an object")),
        };
        let id = reader.id_in(&call, "id", &here)?;
        reader.call(ToolCall { id, ..new }, &here, &[("function.arguments", "args"), ("function", "")]);
        return Ok(None);
    }
    if let Some((response, field)) = either(fields, &["functionResponse", "function_response"]) {
        ignore_others(reader, field);
        let here = at.field(field);
        let response = reader.object(response, &here)?;
        reader.notes.ignore_others(&here, &response, &[&["id", "name", "response", "scheduling"]]);
        let name = reader.text_in(&response, "name", &here)?;
        let call_id = reader.id_in(&response, "id", &here)?;
        let content = match response.value("response") {
            None => Content::default(),
            Some(node) if node.is_text() => Content::Text(reader.text(node, &here.field("response"))?),
            Some(node) => Content::Text(Cow::Borrowed(node.json())),
        };
        let names = [("tool_call_id", "id"), ("content", "response")];
        reader.result(ToolMessage { content, call_id, name }, &here, &names);
        return Ok(None);
    }
    if let Some(text) = reader.text_in(fields, "text", at)? {
        ignore_others(reader, "text");
        let is_thought = fields.value("thought").and_then(Node::bool) == Some(true);
        return Ok(Some(if is_thought { Chunk::thinking(text) } else { Chunk::Text(text) }));
    }
    if let Some((data, field)) = object_in(reader, fields, &["inlineData", "inline_data"], at)? {
        ignore_others(reader, field);
        let here = at.field(field);
        reader.notes.ignore_others(&here, &data, &[&DATA]);
        let kind = mime_type(&data).unwrap_or_default();
        let bytes = reader.text_of(&data, "data", &here)?;
        return media(&kind, at, || Chunk::Image(bytes.clone()), || Chunk::InputAudio(bytes.clone()));
    }
    if let Some((data, field)) = object_in(reader, fields, &["fileData", "file_data"], at)? {
        ignore_others(reader, field);
        let here = at.field(field);
        reader.notes.ignore_others(&here, &data, &[&DATA]);
        let kind = mime_type(&data).unwrap_or(Cow::Borrowed("image/"));
        let (uri, name) =
            either(&data, &["fileUri", "file_uri"]).ok_or_else(|| wrong(&here, "an object with a `fileUri`"))?;
        let uri = reader.text(uri, &here.field(name))?;
        return media(&kind, at, || Chunk::image_url(uri.clone()), || Chunk::AudioUrl(uri.clone()));
    }
    let name = fields.iter().map(|(name, _)| name).next().unwrap_or_default().to_owned();
    Err(Error::new(ErrorKind::UnknownItem { name, dialect: Dialect::Gemini }, at.to_string()))
}

fn mime_type<'a>(data: &Fields<'a>) -> Option<Cow<'a, str>> {
    either(data, &["mimeType", "mime_type"])?.0.text()
}

/// An image or audio, by its type.
fn media<'a>(
    kind: &str,
    at: &Path<'_>,
    image: impl FnOnce() -> Chunk<'a>,
    audio: impl FnOnce() -> Chunk<'a>,
) -> Result<Option<Chunk<'a>>, Error> {
    match kind.split('/').next() {
        Some("image") => Ok(Some(image())),
        Some("audio") => Ok(Some(audio())),
        _ => {
            let kind = ErrorKind::UnknownItem { name: kind.to_owned(), dialect: Dialect::Gemini };
            Err(Error::new(kind, at.to_string()))
        }
    }
}

fn settings<'a>(reader: &mut Reader<'_, 'a>, fields: &Fields<'a>) -> Result<(), Error> {
    let root = Path::Request;
    if let Some(tools) = fields.value("tools") {
        let at = root.field("tools");
        let list = if tools.is_object() { vec![tools] } else { reader.list(tools, &at)? };
        for (index, node) in list.into_iter().enumerate() {
            let at = at.index(index);
            let tool = reader.object(node, &at)?;
            declarations(reader, &tool, &at)?;
        }
    }
    if let Some((config, name)) = object_in(reader, fields, &["toolConfig", "tool_config"], &root)? {
        let at = root.field(name);
        let names = ["functionCallingConfig", "function_calling_config"];
        reader.notes.ignore_others(&at, &config, &[&names]);
        if let Some((calling, name)) = object_in(reader, &config, &names, &at)? {
            let read = tool_choice(reader, &calling, &at.field(name));
            reader.choice(read)?;
        }
    }
    if let Some((generation, name)) = object_in(reader, fields, &["generationConfig", "generation_config"], &root)? {
        let at = root.field(name);
        reader.notes.ignore_others(&at, &generation, &[GENERATION]);
        generation_config(reader, &generation, &at)?;
    }
    if let Some(model) = reader.text_in(fields, "model", &root)? {
        reader.chat.model = Some(model);
    }
    Ok(())
}

fn tool_choice<'a>(reader: &mut Reader<'_, 'a>, fields: &Fields<'a>, at: &Path<'_>) -> Result<ToolChoice<'a>, Error> {
    let known = ["mode", "allowedFunctionNames", "allowed_function_names"];
    reader.notes.ignore_others(at, fields, &[&known]);
    let mut names = Vec::new();
    if let Some((allowed, name)) = either(fields, &["allowedFunctionNames", "allowed_function_names"]) {
        let at = at.field(name);
        for (index, name) in reader.list(allowed, &at)?.into_iter().enumerate() {
            names.push(reader.text(name, &at.index(index))?);
        }
    }
    let mode = reader.text_in(fields, "mode", at)?.unwrap_or_default().to_ascii_uppercase();
    match (&*mode, names.is_empty()) {
        ("NONE", _) => Ok(ToolChoice::None),
        ("ANY", true) => Ok(ToolChoice::Required),
        ("ANY", false) => Ok(ToolChoice::Allowed { mode: CallMode::Required, names }),
        ("" | "AUTO" | "VALIDATED" | "MODE_UNSPECIFIED", true) => Ok(ToolChoice::Auto),
        ("" | "AUTO" | "VALIDATED" | "MODE_UNSPECIFIED", false) => {
            Ok(ToolChoice::Allowed { mode: CallMode::Auto, names })
        }
        _ => Err(Error::new(ErrorKind::UnknownToolChoice { name: mode }, at.field("mode").to_string())),
    }
}

fn declarations<'a>(reader: &mut Reader<'_, 'a>, tool: &Fields<'a>, at: &Path<'_>) -> Result<(), Error> {
    for (name, value) in tool.iter() {
        if !matches!(name, "functionDeclarations" | "function_declarations") && !value.is_null() {
            let unknown = Error::new(ErrorKind::UnknownToolType { name: name.to_owned() }, at.field(name).to_string());
            reader.tool(Err(unknown), at)?;
        }
    }
    let Some((list, name)) = either(tool, &["functionDeclarations", "function_declarations"]) else { return Ok(()) };
    let here = at.field(name);
    for (index, node) in reader.list(list, &here)?.into_iter().enumerate() {
        let at = here.index(index);
        let function = reader.object(node, &at)?;
        let read = declaration(reader, &function, &at);
        reader.tool(read, &at)?;
    }
    Ok(())
}

fn declaration<'a>(reader: &mut Reader<'_, 'a>, function: &Fields<'a>, at: &Path<'_>) -> Result<Tool<'a>, Error> {
    let known = ["name", "description", "parameters", "parametersJsonSchema", "parameters_json_schema", "behavior"];
    reader.notes.ignore_others(at, function, &[&known]);
    let parameters = match either(function, &["parametersJsonSchema", "parameters_json_schema"]) {
        Some((schema, name)) => object_json(schema, &at.field(name))?,
        None => match function.value("parameters") {
            Some(schema) => json_schema(schema, &at.field("parameters"))?,
            None => Json::default(),
        },
    };
    Ok(Tool {
        name: reader.text_of(function, "name", at)?,
        description: reader.text_in(function, "description", at)?.unwrap_or_default(),
        parameters,
        strict: false,
    })
}

/// Gemini's schemas name their types in capitals, JSON schema does not.
fn json_schema<'a>(node: Node<'a>, at: &Path<'_>) -> Result<Json<'a>, Error> {
    const TYPES: [&str; 7] = ["STRING", "NUMBER", "INTEGER", "BOOLEAN", "ARRAY", "OBJECT", "NULL"];
    let json = object_json(node, at)?;
    let (mut whole, mut rest) = (String::new(), json.as_str());
    while let Some(key) = rest.find("\"type\"") {
        let (before, found) = rest.split_at(key + "\"type\"".len());
        whole.push_str(before);
        rest = found;
        let value = found.trim_start().strip_prefix(':').map(str::trim_start).unwrap_or_default();
        let named = TYPES.iter().find(|name| {
            value.strip_prefix('"').and_then(|it| it.strip_prefix(**name)).is_some_and(|it| it.starts_with('"'))
        });
        if let Some(name) = named {
            let gap = found.len() - value.len();
            whole.push_str(found.get(..gap).unwrap_or_default());
            whole.push_str(&format!("\"{}\"", name.to_ascii_lowercase()));
            rest = found.get(gap + name.len() + 2..).unwrap_or_default();
        }
    }
    if whole.is_empty() {
        return Ok(json);
    }
    whole.push_str(rest);
    Ok(Json::of_text(whole))
}

fn generation_config<'a>(reader: &mut Reader<'_, 'a>, fields: &Fields<'a>, at: &Path<'_>) -> Result<(), Error> {
    let schema = match either(fields, &["responseJsonSchema", "response_json_schema"]) {
        Some((schema, name)) => Some((object_json(schema, &at.field(name)), name)),
        None => either(fields, &["responseSchema", "response_schema"])
            .map(|(schema, name)| (json_schema(schema, &at.field(name)), name)),
    };
    let kind = either(fields, &["responseMimeType", "response_mime_type"]).and_then(|(kind, _)| kind.text());
    if let Some((read, field)) = schema {
        if let Some(schema) = reader.or_drop(read, NoteSort::FieldDropped)? {
            let name = Cow::Borrowed("response");
            let schema = ResponseSchema { name, description: None, schema, strict: true };
            reader.chat.response_format = ResponseFormat::JsonSchema(schema);
            reader.notes.places.say("response_format.json_schema.schema", at.field(field));
        }
    } else if kind.is_some_and(|kind| kind == "application/json") {
        reader.chat.response_format = ResponseFormat::JsonObject;
    }
    let Some((thinking, name)) = object_in(reader, fields, &["thinkingConfig", "thinking_config"], at)? else {
        return Ok(());
    };
    let at = at.field(name);
    let known = ["thinkingLevel", "thinking_level", "includeThoughts", "include_thoughts"];
    reader.notes.ignore_others(&at, &thinking, &[&known]);
    if let Some((level, name)) = either(&thinking, &["thinkingLevel", "thinking_level"]) {
        let at = at.field(name);
        let level = reader.text(level, &at)?;
        match ReasoningEffort::from_name(&level.to_ascii_lowercase()) {
            Some(effort) => reader.chat.reasoning_effort = Some(effort),
            None => {
                let name = level.into_owned();
                let what = format!("{name:?} is not a reasoning effort, and was left out");
                reader.notes.mend(at, NoteSort::EffortDropped, what, || ErrorKind::UnknownEffort { name })?;
            }
        }
        reader.notes.places.say("reasoning_effort", at);
    }
    Ok(())
}
