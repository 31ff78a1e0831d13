//! The blocks of a prompt that hold JSON or ids: tools, settings and tool results.

use serde_json::value::RawValue;

use super::messages::Turns;
use crate::chat::{Chat, Dialect, Json, Message, ReasoningEffort, ResponseFormat, ResponseSchema, ToolMessage};
use crate::control::Control;
use crate::layout::ToolResults;
use crate::python::json;

impl Turns<'_> {
    /// The tools that the model may call.
    pub(super) fn tools(&mut self) {
        let (json, range) = self.block(Control::EndAvailableTools);
        let request = format!("{{\"messages\": [], \"tools\": {json}}}");
        let is_json = serde_json::from_str::<&RawValue>(&json).map_err(|error| error.to_string());
        let chat = is_json.and_then(|_| Chat::read(&request, Dialect::Mistral).map_err(|error| error.to_string()));
        match chat {
            Ok(chat) => self.tools = chat.into_owned().tools,
            Err(error) => self.unreadable(format!("the tools cannot be read: {error}"), range.clone()),
        }
        self.tools_block = Some(range);
    }

    /// The settings: the reasoning effort and the form of the answer.
    pub(super) fn settings(&mut self) {
        #[derive(serde::Deserialize)]
        struct Fields<'v> {
            reasoning_effort: Option<String>,
            #[serde(borrow)]
            json_schema: Option<&'v RawValue>,
        }
        let (json, range) = self.block(Control::EndModelSettings);
        match serde_json::from_str::<Fields<'_>>(&json) {
            Ok(fields) => {
                self.effort = fields.reasoning_effort.as_deref().and_then(ReasoningEffort::from_name);
                let schema = fields.json_schema.and_then(|schema| Json::from_serialize(&schema).ok());
                self.format = schema.map_or(ResponseFormat::Text, |schema| {
                    let schema = ResponseSchema { name: "answer".into(), description: None, schema, strict: false };
                    ResponseFormat::JsonSchema(schema)
                });
            }
            Err(error) => self.unreadable(format!("the settings cannot be read: {error}"), range),
        }
    }

    /// A tool result.
    pub(super) fn result(&mut self) {
        let (id, range, content) = match self.layout.results {
            ToolResults::IdThenContent => {
                let (id, content, range) = self.two_part_block(Control::ToolContent, Control::EndToolResults);
                (Some(id), range, content)
            }
            ToolResults::None | ToolResults::NamedList | ToolResults::Object | ToolResults::Content => {
                let (content, range) = self.block(Control::EndToolResults);
                (None, range, content)
            }
        };
        let result = match self.layout.results {
            ToolResults::None => None,
            ToolResults::NamedList => named(&content),
            ToolResults::Object => object(&content),
            ToolResults::IdThenContent => {
                Some(ToolMessage { content: content.into(), call_id: id.map(Into::into), name: None })
            }
            ToolResults::Content => {
                let id = self.next_result_id();
                Some(ToolMessage { content: content.into(), call_id: Some(id.into()), name: None })
            }
        };
        match result {
            Some(result) => self.messages.push(Message::Tool(result)),
            None => self.unreadable("the tool result is not of the layout's form", range),
        }
    }
}

/// `[{"name": …, "content": …}]`, the content being any JSON that Python has.
fn named(json: &str) -> Option<ToolMessage<'static>> {
    let (name, content) = json.strip_prefix("[{\"name\": ")?.strip_suffix("}]")?.split_once(", \"content\": ")?;
    let name: Option<String> = serde_json::from_str(name).ok()?;
    Some(ToolMessage { content: said(content).into(), call_id: None, name: name.map(Into::into) })
}

/// `{"content": …, "call_id": …}`
fn object(json: &str) -> Option<ToolMessage<'static>> {
    let (content, id) = json.strip_prefix("{\"content\": ")?.strip_suffix('}')?.rsplit_once(", \"call_id\": ")?;
    let id: String = serde_json::from_str(id).ok()?;
    Some(ToolMessage { content: said(content).into(), call_id: Some(id.into()), name: None })
}

/// What a result says whose content is this JSON: a string's own text, unless that would be read as JSON again.
fn said(json: &str) -> String {
    match serde_json::from_str::<String>(json) {
        Ok(text) if !text.is_empty() && json::reformat(&text, &mut String::new()).is_err() => text,
        _ => json.to_owned(),
    }
}
