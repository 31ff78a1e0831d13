//! A [`Chat`] as one that borrows its text from it: a copy of the lists, and of no text.

use std::borrow::Cow;

use super::{AssistantMessage, Chat, Chunk, Content, Message, ResponseFormat, ResponseSchema, Sent, Tool, ToolCall};
use super::{ToolMessage, json::Json};

impl Chat<'_> {
    /// The same chat, borrowing from this one.
    pub(crate) fn view(&self) -> Chat<'_> {
        self.view_of(&self.messages)
    }

    /// A chat of some of its messages, with all that is beside them.
    pub(crate) fn view_of<'v>(&'v self, messages: impl IntoIterator<Item = &'v Message<'v>>) -> Chat<'v> {
        Chat {
            messages: messages.into_iter().map(Message::view).collect(),
            tools: self.tools.iter().map(Tool::view).collect(),
            tool_choice: self.tool_choice.view(),
            parallel_tool_calls: self.parallel_tool_calls,
            response_format: self.response_format.view(),
            sent: self.sent.as_ref().map(Sent::view),
            ..self.view_without_messages()
        }
    }

    /// The chat's first `n` messages, with all that is beside them.
    pub(crate) fn first(&self, n: usize) -> Chat<'_> {
        self.view_of(self.messages.get(..n).unwrap_or(&self.messages))
    }

    /// The model and the effort of the chat: what checking a message may ask for.
    pub(crate) fn view_without_messages(&self) -> Chat<'_> {
        Chat { reasoning_effort: self.reasoning_effort, model: self.model.as_deref().map(view), ..Chat::default() }
    }
}

pub(super) fn view(text: &str) -> Cow<'_, str> {
    Cow::Borrowed(text)
}

impl Message<'_> {
    pub(crate) fn view(&self) -> Message<'_> {
        match self {
            Message::System(content) => Message::System(content.view()),
            Message::User(content) => Message::User(content.view()),
            Message::Assistant(AssistantMessage { content, tool_calls, prefix, weight }) => {
                Message::Assistant(AssistantMessage {
                    content: content.view(),
                    tool_calls: tool_calls.iter().map(ToolCall::view).collect(),
                    prefix: *prefix,
                    weight: *weight,
                })
            }
            Message::Tool(message) => Message::Tool(ToolMessage {
                content: message.content.view(),
                call_id: message.call_id.as_deref().map(view),
                name: message.name.as_deref().map(view),
            }),
        }
    }
}

impl Content<'_> {
    fn view(&self) -> Content<'_> {
        match self {
            Content::Text(text) => Content::Text(view(text)),
            Content::Chunks(chunks) => Content::Chunks(chunks.iter().map(Chunk::view).collect()),
        }
    }
}

impl Chunk<'_> {
    fn view(&self) -> Chunk<'_> {
        match self {
            Chunk::Text(text) => Chunk::Text(view(text)),
            Chunk::Thinking { text, closed } => Chunk::Thinking { text: view(text), closed: *closed },
            Chunk::ImageUrl { url, detail } => Chunk::ImageUrl { url: view(url), detail: detail.as_deref().map(view) },
            Chunk::Image(data) => Chunk::Image(view(data)),
            Chunk::InputAudio(data) => Chunk::InputAudio(view(data)),
            Chunk::AudioUrl(url) => Chunk::AudioUrl(view(url)),
        }
    }
}

impl ToolCall<'_> {
    fn view(&self) -> ToolCall<'_> {
        ToolCall {
            id: self.id.as_deref().map(view),
            name: view(&self.name),
            arguments: view(&self.arguments),
            arguments_form: self.arguments_form,
        }
    }
}

impl Tool<'_> {
    fn view(&self) -> Tool<'_> {
        Tool {
            name: view(&self.name),
            description: view(&self.description),
            parameters: self.parameters.view(),
            strict: self.strict,
        }
    }
}

impl ResponseFormat<'_> {
    fn view(&self) -> ResponseFormat<'_> {
        match self {
            ResponseFormat::Text => ResponseFormat::Text,
            ResponseFormat::JsonObject => ResponseFormat::JsonObject,
            ResponseFormat::JsonSchema(schema) => ResponseFormat::JsonSchema(ResponseSchema {
                name: view(&schema.name),
                description: schema.description.as_deref().map(view),
                schema: schema.schema.view(),
                strict: schema.strict,
            }),
        }
    }
}

impl Json<'_> {
    fn view(&self) -> Json<'_> {
        Json::borrowed(self.as_str())
    }
}
