//! A [`Chat`] back into JSON, in Mistral's form: reading it gives the same chat.

use serde::Serialize;
use serde::ser::Serializer;
use serde_json::value::RawValue;

use super::{
    ArgumentsForm, AssistantMessage, Chat, Chunk, Content, Json, Message, ResponseFormat, Tool, ToolCall, ToolChoice,
    ToolMessage,
};

/// Writes Mistral's chat-completion JSON, without the fields that are empty.
///
/// It writes what is typed: what else was sent, which only a model's own template is shown, stays in [`Chat::sent`].
///
/// ```
/// use mistral_chat_template::{Chat, Message};
///
/// let chat = Chat::new([Message::user("Hi"), Message::prefix("Hello")]);
/// let json = serde_json::to_string(&chat)?;
/// assert_eq!(json, r#"{"messages":[{"role":"user","content":"Hi"},{"role":"assistant","content":"Hello","prefix":true}]}"#);
/// assert_eq!(Chat::from_json(&json)?, chat);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
impl Serialize for Chat<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Request<'v> {
            #[serde(skip_serializing_if = "Option::is_none")]
            model: Option<&'v str>,
            messages: &'v [Message<'v>],
            #[serde(skip_serializing_if = "<[_]>::is_empty")]
            tools: &'v [Tool<'v>],
            #[serde(skip_serializing_if = "is_auto")]
            tool_choice: &'v ToolChoice<'v>,
            #[serde(skip_serializing_if = "Option::is_none")]
            parallel_tool_calls: Option<bool>,
            #[serde(skip_serializing_if = "Option::is_none")]
            reasoning_effort: Option<&'v str>,
            #[serde(skip_serializing_if = "is_text")]
            response_format: &'v ResponseFormat<'v>,
        }
        let Chat {
            messages,
            tools,
            tool_choice,
            parallel_tool_calls,
            reasoning_effort,
            response_format,
            model,
            sent: _,
        } = self;
        Request {
            model: model.as_deref(),
            messages,
            tools,
            tool_choice,
            parallel_tool_calls: *parallel_tool_calls,
            reasoning_effort: reasoning_effort.map(|effort| effort.as_str()),
            response_format,
        }
        .serialize(serializer)
    }
}

fn is_text(format: &ResponseFormat<'_>) -> bool {
    *format == ResponseFormat::Text
}

fn is_auto(choice: &ToolChoice<'_>) -> bool {
    *choice == ToolChoice::Auto
}

fn is_false(flag: &bool) -> bool {
    !flag
}

impl Serialize for Message<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Fields<'v> {
            role: &'v str,
            content: Option<&'v Content<'v>>,
            #[serde(skip_serializing_if = "<[_]>::is_empty")]
            tool_calls: &'v [ToolCall<'v>],
            #[serde(skip_serializing_if = "is_false")]
            prefix: bool,
            #[serde(skip_serializing_if = "Option::is_none")]
            weight: Option<f64>,
            #[serde(skip_serializing_if = "Option::is_none")]
            tool_call_id: Option<&'v str>,
            #[serde(skip_serializing_if = "Option::is_none")]
            name: Option<&'v str>,
        }
        let mut fields = Fields {
            role: self.role().as_str(),
            content: None,
            tool_calls: &[],
            prefix: false,
            weight: None,
            tool_call_id: None,
            name: None,
        };
        match self {
            Message::System(content) | Message::User(content) => fields.content = Some(content),
            Message::Assistant(AssistantMessage { content, tool_calls, prefix, weight }) => {
                fields.content = Some(content).filter(|content| **content != Content::default());
                fields.tool_calls = tool_calls;
                fields.prefix = *prefix;
                fields.weight = *weight;
            }
            Message::Tool(ToolMessage { content, call_id, name }) => {
                fields.content = Some(content);
                fields.tool_call_id = call_id.as_deref();
                fields.name = name.as_deref();
            }
        }
        fields.serialize(serializer)
    }
}

impl Serialize for Content<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Content::Text(text) => serializer.serialize_str(text),
            Content::Chunks(chunks) => chunks.serialize(serializer),
        }
    }
}

impl Serialize for Chunk<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct ImageUrl<'v> {
            url: &'v str,
            #[serde(skip_serializing_if = "Option::is_none")]
            detail: Option<&'v str>,
        }
        #[derive(Serialize)]
        #[serde(tag = "type", rename_all = "snake_case")]
        enum Tagged<'v> {
            Text { text: &'v str },
            Thinking { thinking: &'v str, closed: bool },
            Image { image: &'v str },
            ImageUrl { image_url: ImageUrl<'v> },
            InputAudio { input_audio: &'v str },
            AudioUrl { audio_url: &'v str },
        }
        let tagged = match self {
            Chunk::Text(text) => Tagged::Text { text },
            Chunk::Thinking { text, closed } => Tagged::Thinking { thinking: text, closed: *closed },
            Chunk::Image(image) => Tagged::Image { image },
            Chunk::ImageUrl { url, detail } => {
                Tagged::ImageUrl { image_url: ImageUrl { url, detail: detail.as_deref() } }
            }
            Chunk::InputAudio(input_audio) => Tagged::InputAudio { input_audio },
            Chunk::AudioUrl(audio_url) => Tagged::AudioUrl { audio_url },
        };
        tagged.serialize(serializer)
    }
}

impl Serialize for ToolCall<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Function<'v> {
            name: &'v str,
            arguments: Arguments<'v>,
        }
        #[derive(Serialize)]
        #[serde(untagged)]
        enum Arguments<'v> {
            Text(&'v str),
            Object(&'v RawValue),
        }
        #[derive(Serialize)]
        struct Call<'v> {
            #[serde(skip_serializing_if = "Option::is_none")]
            id: Option<&'v str>,
            r#type: &'v str,
            function: Function<'v>,
        }
        let ToolCall { id, name, arguments, arguments_form } = self;
        let object = match arguments_form {
            ArgumentsForm::Text => None,
            ArgumentsForm::Object => serde_json::from_str(arguments).ok(),
        };
        let function = Function { name, arguments: object.map_or(Arguments::Text(arguments), Arguments::Object) };
        Call { id: id.as_deref(), r#type: "function", function }.serialize(serializer)
    }
}

impl Serialize for Tool<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Function<'v> {
            name: &'v str,
            description: &'v str,
            parameters: &'v Json<'v>,
            #[serde(skip_serializing_if = "is_false")]
            strict: bool,
        }
        #[derive(Serialize)]
        struct Typed<'v> {
            r#type: &'v str,
            function: Function<'v>,
        }
        let Tool { name, description, parameters, strict } = self;
        let function = Function { name, description, parameters, strict: *strict };
        Typed { r#type: "function", function }.serialize(serializer)
    }
}

impl Serialize for ResponseFormat<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Schema<'v> {
            name: &'v str,
            #[serde(skip_serializing_if = "Option::is_none")]
            description: Option<&'v str>,
            schema: &'v Json<'v>,
            strict: bool,
        }
        #[derive(Serialize)]
        #[serde(tag = "type", rename_all = "snake_case")]
        enum Tagged<'v> {
            Text,
            JsonObject,
            JsonSchema { json_schema: Schema<'v> },
        }
        let tagged = match self {
            ResponseFormat::Text => Tagged::Text,
            ResponseFormat::JsonObject => Tagged::JsonObject,
            ResponseFormat::JsonSchema(schema) => Tagged::JsonSchema {
                json_schema: Schema {
                    name: &schema.name,
                    description: schema.description.as_deref(),
                    schema: &schema.schema,
                    strict: schema.strict,
                },
            },
        };
        tagged.serialize(serializer)
    }
}

/// Writes the value's own text where the format is JSON.
impl Serialize for Json<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let raw: &RawValue = serde_json::from_str(self.as_str()).map_err(serde::ser::Error::custom)?;
        raw.serialize(serializer)
    }
}
