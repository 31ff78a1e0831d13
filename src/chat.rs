//! What a client sends: JSON of any dialect in, a [`Chat`] of messages, tools and settings out, borrowing its text.
//!
//! ```
//! use mistral_chat_template::{Chat, Dialect, Message};
//!
//! let json = r#"{"system": "Be brief.", "messages": [{"role": "user", "content": [{"type": "text", "text": "Hi"}]}]}"#;
//! let read = Chat::read(json, Dialect::Anthropic)?;
//! assert_eq!(read, Chat::new([Message::system("Be brief."), Message::user("Hi")]));
//!
//! let error = Chat::read(r#"{"messages": [{"role": "wizard"}]}"#, Dialect::OpenAi).unwrap_err();
//! assert!(error.to_string().starts_with("messages[0].role: "));
//! # Ok::<(), mistral_chat_template::Error>(())
//! ```
//!
//! [`Request`] also reports what was ignored, and reads what is not quite a chat.

use std::borrow::Cow;

mod borrow;
pub(crate) mod call_id;
mod choice;
mod json;
mod owned;
mod read;
pub(crate) mod request;
pub(crate) mod row;
mod sent;
pub(crate) mod surrogates;
mod to_json;
mod turn;

pub use self::call_id::new_call_id;
pub use self::choice::{CallMode, ToolChoice};
pub use self::json::Json;
pub use self::owned::OwnedChat;
pub(crate) use self::read::{content_from_json, response_format_from_json};
pub use self::request::{Recognised, Request};
pub use self::sent::Sent;
pub(crate) use self::turn::{ChatShape, Turn, plain_text};
pub use crate::terms::{Dialect, ReasoningEffort, Role};

/// A chat: what a request to a chat-completion endpoint holds, as far as it shapes the prompt.
///
/// ```
/// use mistral_chat_template::{Chat, Message};
///
/// let chat = Chat::new([
///     Message::system("Answer in French."),
///     Message::user("Hello!"),
///     Message::assistant("Bonjour !"),
///     Message::user("How are you?"),
/// ]);
/// assert_eq!(chat.messages.len(), 4);
///
/// let same = Chat::from_json(r#"{"messages": [
///     {"role": "system", "content": "Answer in French."},
///     {"role": "user", "content": "Hello!"},
///     {"role": "assistant", "content": "Bonjour !"},
///     {"role": "user", "content": "How are you?"}
/// ]}"#)?;
/// assert_eq!(chat, same);
/// # Ok::<(), mistral_chat_template::Error>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct Chat<'a> {
    /// The messages, oldest first.
    pub messages: Vec<Message<'a>>,
    /// The tools that the model may call; empty for none.
    pub tools: Vec<Tool<'a>>,
    /// Which of the tools the model may or must call; no layout prints it.
    pub tool_choice: ToolChoice<'a>,
    /// Whether one answer may hold several calls; absent for the default, yes. No layout prints it.
    pub parallel_tool_calls: Option<bool>,
    /// How much the model should reason, for models whose prompt says so (v15).
    pub reasoning_effort: Option<ReasoningEffort>,
    /// The form of the answer, for models whose prompt says so (v15).
    pub response_format: ResponseFormat<'a>,
    /// The model's name; only [`Mode::Serving`](crate::Mode::Serving) asks for one.
    pub model: Option<Cow<'a, str>>,
    /// What the chat was read from, which a model's own template is shown; nothing for a chat that was built.
    pub sent: Option<Sent<'a>>,
}

/// Chats that say the same are equal, no matter what they were read from.
impl PartialEq for Chat<'_> {
    fn eq(&self, other: &Self) -> bool {
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
        *messages == other.messages
            && *tools == other.tools
            && *tool_choice == other.tool_choice
            && *parallel_tool_calls == other.parallel_tool_calls
            && *reasoning_effort == other.reasoning_effort
            && *response_format == other.response_format
            && *model == other.model
    }
}

impl<'a> Chat<'a> {
    /// A chat of these messages, without tools.
    ///
    /// ```
    /// use mistral_chat_template::{Chat, Message};
    ///
    /// let chat = Chat::new([Message::user("Hello!")]);
    /// assert!(chat.tools.is_empty());
    /// ```
    pub fn new(messages: impl IntoIterator<Item = Message<'a>>) -> Self {
        Chat { messages: messages.into_iter().collect(), ..Chat::default() }
    }

    /// The same chat with copies of all borrowed text, to outlive the JSON that it was read from.
    ///
    /// ```
    /// use mistral_chat_template::Chat;
    ///
    /// let chat: Chat<'static> = {
    ///     let json = String::from(r#"{"messages": [{"role": "user", "content": "Hello!"}]}"#);
    ///     Chat::from_json(&json)?.into_owned()
    /// };
    /// assert_eq!(chat.messages.len(), 1);
    /// # Ok::<(), mistral_chat_template::Error>(())
    /// ```
    #[must_use]
    pub fn into_owned(self) -> Chat<'static> {
        Chat {
            messages: self.messages.into_iter().map(Message::into_owned).collect(),
            tools: self.tools.into_iter().map(Tool::into_owned).collect(),
            tool_choice: self.tool_choice.into_owned(),
            parallel_tool_calls: self.parallel_tool_calls,
            reasoning_effort: self.reasoning_effort,
            response_format: self.response_format.into_owned(),
            model: self.model.map(owned),
            sent: self.sent.map(Sent::into_owned),
        }
    }
}

/// One message of a chat.
///
/// ```
/// use mistral_chat_template::{Message, ToolCall};
///
/// let messages = [
///     Message::user("What is the weather in Paris?"),
///     Message::calls([ToolCall::new("get_weather", r#"{"city": "Paris"}"#).id("abc123def")]),
///     Message::tool("22 degrees").answering("abc123def"),
/// ];
/// assert_eq!(messages.len(), 3);
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Message<'a> {
    /// Instructions from the operator of the model.
    System(Content<'a>),
    /// What the person says.
    User(Content<'a>),
    /// What the model said.
    Assistant(AssistantMessage<'a>),
    /// What a tool gave back.
    Tool(ToolMessage<'a>),
}

impl<'a> Message<'a> {
    /// A system message.
    ///
    /// ```
    /// # use mistral_chat_template::{Message, Role};
    /// assert_eq!(Message::system("Be kind.").role(), Role::System);
    /// ```
    pub fn system(content: impl Into<Content<'a>>) -> Self {
        Message::System(content.into())
    }

    /// A user message.
    ///
    /// ```
    /// # use mistral_chat_template::{Chunk, Message};
    /// let message = Message::user(vec![Chunk::text("What is this?"), Chunk::image_url("https://example.com/cat.png")]);
    /// # assert_eq!(message.role(), mistral_chat_template::Role::User);
    /// ```
    pub fn user(content: impl Into<Content<'a>>) -> Self {
        Message::User(content.into())
    }

    /// An assistant message that is complete.
    ///
    /// ```
    /// # use mistral_chat_template::{Message, Role};
    /// assert_eq!(Message::assistant("Hello!").role(), Role::Assistant);
    /// ```
    pub fn assistant(content: impl Into<Content<'a>>) -> Self {
        Message::Assistant(AssistantMessage { content: content.into(), ..AssistantMessage::default() })
    }

    /// The beginning of an assistant message that the model is to continue: no end token follows it.
    ///
    /// ```
    /// use mistral_chat_template::{Chat, Format, Layout, Message};
    ///
    /// let chat = Chat::new([Message::user("Count to three."), Message::prefix("One, two,")]);
    /// assert_eq!(Layout::V3.render(&chat)?.as_str(), "<s>[INST] Count to three.[/INST] One, two,");
    /// # Ok::<(), mistral_chat_template::Error>(())
    /// ```
    pub fn prefix(content: impl Into<Content<'a>>) -> Self {
        Message::Assistant(AssistantMessage { content: content.into(), prefix: true, ..AssistantMessage::default() })
    }

    /// An assistant message that calls tools.
    ///
    /// ```
    /// # use mistral_chat_template::{Message, Role, ToolCall};
    /// let message = Message::calls([ToolCall::new("now", "{}").id("abc123def")]);
    /// assert_eq!(message.role(), Role::Assistant);
    /// ```
    pub fn calls(calls: impl IntoIterator<Item = ToolCall<'a>>) -> Self {
        Message::Assistant(AssistantMessage { tool_calls: calls.into_iter().collect(), ..AssistantMessage::default() })
    }

    /// The result of a tool call; [`answering`](Message::answering) says of which.
    ///
    /// ```
    /// # use mistral_chat_template::{Message, Role};
    /// assert_eq!(Message::tool("42").answering("abc123def").role(), Role::Tool);
    /// ```
    pub fn tool(content: impl Into<Content<'a>>) -> Self {
        Message::Tool(ToolMessage { content: content.into(), call_id: None, name: None })
    }

    /// This tool result with the id of the call that it answers; any other message as it is.
    ///
    /// ```
    /// # use mistral_chat_template::Message;
    /// let Message::Tool(result) = Message::tool("42").answering("abc123def") else { unreachable!() };
    /// assert_eq!(result.call_id.as_deref(), Some("abc123def"));
    /// ```
    #[must_use]
    pub fn answering(mut self, call_id: impl Into<Cow<'a, str>>) -> Self {
        if let Message::Tool(result) = &mut self {
            result.call_id = Some(call_id.into());
        }
        self
    }

    /// Who the message comes from.
    ///
    /// ```
    /// # use mistral_chat_template::{Message, Role};
    /// assert_eq!(Message::tool("42").role(), Role::Tool);
    /// ```
    #[must_use]
    pub const fn role(&self) -> Role {
        match self {
            Message::System(_) => Role::System,
            Message::User(_) => Role::User,
            Message::Assistant(_) => Role::Assistant,
            Message::Tool(_) => Role::Tool,
        }
    }

    /// What the message says.
    ///
    /// ```
    /// # use mistral_chat_template::{Content, Message};
    /// assert_eq!(Message::user("Hi").content(), &Content::from("Hi"));
    /// ```
    #[must_use]
    pub const fn content(&self) -> &Content<'a> {
        match self {
            Message::System(content) | Message::User(content) => content,
            Message::Assistant(message) => &message.content,
            Message::Tool(message) => &message.content,
        }
    }

    pub(crate) fn into_owned(self) -> Message<'static> {
        match self {
            Message::System(content) => Message::System(content.into_owned()),
            Message::User(content) => Message::User(content.into_owned()),
            Message::Assistant(message) => Message::Assistant(AssistantMessage {
                content: message.content.into_owned(),
                tool_calls: message.tool_calls.into_iter().map(ToolCall::into_owned).collect(),
                prefix: message.prefix,
                weight: message.weight,
            }),
            Message::Tool(message) => Message::Tool(ToolMessage {
                content: message.content.into_owned(),
                call_id: message.call_id.map(owned),
                name: message.name.map(owned),
            }),
        }
    }
}

/// What the model said: text, thinking, tool calls, or text and calls.
///
/// ```
/// use mistral_chat_template::{AssistantMessage, Message, ToolCall};
///
/// let message = Message::Assistant(AssistantMessage {
///     content: "Let me look.".into(),
///     tool_calls: vec![ToolCall::new("now", "{}").id("abc123def")],
///     ..AssistantMessage::default()
/// });
/// # assert_eq!(message.role(), mistral_chat_template::Role::Assistant);
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct AssistantMessage<'a> {
    /// The text and thinking; empty where the message only calls tools.
    pub content: Content<'a>,
    /// The calls, in order.
    pub tool_calls: Vec<ToolCall<'a>>,
    /// The message is the beginning of one that the model is to continue: no end token follows.
    pub prefix: bool,
    /// How much a trainer learns from the message: 0 or 1; absent for the default of 1.
    pub weight: Option<f64>,
}

/// The result of a tool call.
///
/// ```
/// use mistral_chat_template::ToolMessage;
///
/// let result = ToolMessage { content: "42".into(), call_id: Some("abc123def".into()), name: None };
/// # assert!(result.name.is_none());
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ToolMessage<'a> {
    /// What the tool gave back.
    pub content: Content<'a>,
    /// The id of the call that this answers.
    pub call_id: Option<Cow<'a, str>>,
    /// The tool's name; only v2 prints it.
    pub name: Option<Cow<'a, str>>,
}

/// What a message says: one text, or a list of chunks.
///
/// ```
/// use mistral_chat_template::{Chunk, Content};
///
/// assert_eq!(Content::from("Hi"), Content::Text("Hi".into()));
/// assert!(Content::from(vec![Chunk::text("Hi")]) != Content::from("Hi"), "as they were sent");
/// ```
#[derive(Clone, Debug, PartialEq)]
pub enum Content<'a> {
    /// One text; empty for none.
    Text(Cow<'a, str>),
    /// A list of chunks.
    Chunks(Vec<Chunk<'a>>),
}

impl<'a> Content<'a> {
    /// Is there nothing at all: an empty text or an empty list?
    ///
    /// ```
    /// # use mistral_chat_template::{Chunk, Content};
    /// assert!(Content::default().is_empty());
    /// assert!(!Content::from(vec![Chunk::text("")]).is_empty(), "a list of one chunk");
    /// ```
    #[must_use]
    pub fn is_empty(&self) -> bool {
        match self {
            Content::Text(text) => text.is_empty(),
            Content::Chunks(chunks) => chunks.is_empty(),
        }
    }

    /// The chunks of a list; empty for a text.
    pub(crate) fn chunks(&self) -> &[Chunk<'a>] {
        match self {
            Content::Text(_) => &[],
            Content::Chunks(chunks) => chunks,
        }
    }

    /// The text, or the text chunks as one text.
    pub(crate) fn joined(&self, join: &str) -> Cow<'_, str> {
        let chunks = match self {
            Content::Text(text) => return Cow::Borrowed(text),
            Content::Chunks(chunks) => chunks,
        };
        let mut whole = String::new();
        for text in chunks.iter().filter_map(Chunk::as_text) {
            if !whole.is_empty() && !text.is_empty() {
                whole.push_str(join);
            }
            whole.push_str(text);
        }
        Cow::Owned(whole)
    }

    pub(crate) fn into_owned(self) -> Content<'static> {
        match self {
            Content::Text(text) => Content::Text(owned(text)),
            Content::Chunks(chunks) => Content::Chunks(chunks.into_iter().map(Chunk::into_owned).collect()),
        }
    }
}

impl Default for Content<'_> {
    fn default() -> Self {
        Content::Text(Cow::Borrowed(""))
    }
}

impl<'a> From<&'a str> for Content<'a> {
    fn from(text: &'a str) -> Self {
        Content::Text(Cow::Borrowed(text))
    }
}

impl From<String> for Content<'_> {
    fn from(text: String) -> Self {
        Content::Text(Cow::Owned(text))
    }
}

impl<'a> From<Cow<'a, str>> for Content<'a> {
    fn from(text: Cow<'a, str>) -> Self {
        Content::Text(text)
    }
}

impl<'a> From<Vec<Chunk<'a>>> for Content<'a> {
    fn from(chunks: Vec<Chunk<'a>>) -> Self {
        Content::Chunks(chunks)
    }
}

/// One part of a message that is sent as a list.
///
/// ```
/// use mistral_chat_template::Chunk;
///
/// let chunks = vec![Chunk::thinking("The user greets me."), Chunk::text("Hello!")];
/// # assert_eq!(chunks.len(), 2);
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Chunk<'a> {
    /// Text.
    Text(Cow<'a, str>),
    /// The model's thinking.
    Thinking {
        /// The thoughts.
        text: Cow<'a, str>,
        /// Has the thinking come to its end? Where not, no end token follows it.
        closed: bool,
    },
    /// An image by its URL (`https:`, `data:` or `file:`). Of the data of a `data:` URL a layout looks at what holds the
    /// image's width and height: what breaks off before is refused, what breaks off later is not noticed.
    ImageUrl {
        /// The URL.
        url: Cow<'a, str>,
        /// The detail level that OpenAI's API accepts; no layout uses it.
        detail: Option<Cow<'a, str>>,
    },
    /// An image as base64, of which a layout looks at as much as of that in a `data:` URL.
    Image(Cow<'a, str>),
    /// Audio as base64.
    InputAudio(Cow<'a, str>),
    /// Audio by its URL.
    AudioUrl(Cow<'a, str>),
}

impl<'a> Chunk<'a> {
    /// A text chunk.
    ///
    /// ```
    /// # use mistral_chat_template::Chunk;
    /// assert_eq!(Chunk::text("Hi"), Chunk::Text("Hi".into()));
    /// ```
    pub fn text(text: impl Into<Cow<'a, str>>) -> Self {
        Chunk::Text(text.into())
    }

    /// A thinking chunk that has come to its end.
    ///
    /// ```
    /// # use mistral_chat_template::Chunk;
    /// assert_eq!(Chunk::thinking("Hm."), Chunk::Thinking { text: "Hm.".into(), closed: true });
    /// ```
    pub fn thinking(text: impl Into<Cow<'a, str>>) -> Self {
        Chunk::Thinking { text: text.into(), closed: true }
    }

    /// An image by its URL.
    ///
    /// ```
    /// # use mistral_chat_template::Chunk;
    /// let chunk = Chunk::image_url("https://example.com/cat.png");
    /// # assert!(matches!(chunk, Chunk::ImageUrl { .. }));
    /// ```
    pub fn image_url(url: impl Into<Cow<'a, str>>) -> Self {
        Chunk::ImageUrl { url: url.into(), detail: None }
    }

    fn into_owned(self) -> Chunk<'static> {
        match self {
            Chunk::Text(text) => Chunk::Text(owned(text)),
            Chunk::Thinking { text, closed } => Chunk::Thinking { text: owned(text), closed },
            Chunk::ImageUrl { url, detail } => Chunk::ImageUrl { url: owned(url), detail: detail.map(owned) },
            Chunk::Image(data) => Chunk::Image(owned(data)),
            Chunk::InputAudio(data) => Chunk::InputAudio(owned(data)),
            Chunk::AudioUrl(url) => Chunk::AudioUrl(owned(url)),
        }
    }
}

/// A call of a tool.
///
/// ```
/// use mistral_chat_template::ToolCall;
///
/// let call = ToolCall::new("get_weather", r#"{"city": "Paris"}"#).id("abc123def");
/// assert_eq!(call.id.as_deref(), Some("abc123def"));
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ToolCall<'a> {
    /// The call's id, by which its result names it; absent where JSON has none or `"null"`.
    pub id: Option<Cow<'a, str>>,
    /// The tool's name.
    pub name: Cow<'a, str>,
    /// The arguments: the text of a JSON object, or what the model wrote instead.
    pub arguments: Cow<'a, str>,
    /// How JSON sent the arguments; only a model's own template sees the difference.
    pub arguments_form: ArgumentsForm,
}

/// How a request's JSON sends the arguments of a call.
///
/// ```
/// use mistral_chat_template::ToolCall;
/// use mistral_chat_template::chat::ArgumentsForm;
///
/// assert_eq!(ToolCall::new("now", "{}").arguments_form, ArgumentsForm::Text);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum ArgumentsForm {
    /// As a string that holds JSON, as OpenAI's and Mistral's APIs do.
    #[default]
    Text,
    /// As the object itself, as transformers asks for.
    Object,
}

impl<'a> ToolCall<'a> {
    /// A call without an id.
    ///
    /// ```
    /// # use mistral_chat_template::ToolCall;
    /// assert_eq!(ToolCall::new("now", "{}").id, None);
    /// ```
    pub fn new(name: impl Into<Cow<'a, str>>, arguments: impl Into<Cow<'a, str>>) -> Self {
        ToolCall { name: name.into(), arguments: arguments.into(), ..ToolCall::default() }
    }

    /// This call with an id.
    ///
    /// ```
    /// # use mistral_chat_template::ToolCall;
    /// assert_eq!(ToolCall::new("now", "{}").id("abc123def").id.as_deref(), Some("abc123def"));
    /// ```
    #[must_use]
    pub fn id(mut self, id: impl Into<Cow<'a, str>>) -> Self {
        self.id = Some(id.into());
        self
    }

    pub(crate) fn into_owned(self) -> ToolCall<'static> {
        ToolCall {
            id: self.id.map(owned),
            name: owned(self.name),
            arguments: owned(self.arguments),
            arguments_form: self.arguments_form,
        }
    }
}

/// A tool that the model may call: a function with a JSON schema of its arguments.
///
/// ```
/// use mistral_chat_template::Tool;
/// use mistral_chat_template::chat::Json;
///
/// let tool = Tool {
///     name: "get_weather".into(),
///     description: "The weather in a city".into(),
///     parameters: Json::new(r#"{"type": "object", "properties": {"city": {"type": "string"}}}"#)?,
///     ..Tool::default()
/// };
/// # assert_eq!(tool.name, "get_weather");
/// # Ok::<(), mistral_chat_template::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Tool<'a> {
    /// The function's name: 1 to 64 ASCII letters, digits, `_` or `-`.
    pub name: Cow<'a, str>,
    /// What the function does; printed even where empty.
    pub description: Cow<'a, str>,
    /// A JSON schema (draft 7) of the arguments, printed in the order of its keys.
    pub parameters: Json<'a>,
    /// Must the arguments follow the schema, rather than be any JSON object? No layout prints it.
    pub strict: bool,
}

impl Tool<'_> {
    pub(crate) fn into_owned(self) -> Tool<'static> {
        Tool {
            name: owned(self.name),
            description: owned(self.description),
            parameters: self.parameters.into_owned(),
            strict: self.strict,
        }
    }
}

/// The form that the answer is to have.
///
/// ```
/// use mistral_chat_template::chat::ResponseFormat;
///
/// assert_eq!(ResponseFormat::default(), ResponseFormat::Text);
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub enum ResponseFormat<'a> {
    /// Any text.
    #[default]
    Text,
    /// Any JSON object or array.
    JsonObject,
    /// JSON that a schema describes.
    JsonSchema(ResponseSchema<'a>),
}

impl ResponseFormat<'_> {
    /// The schema that [`JsonObject`](ResponseFormat::JsonObject) stands for.
    pub(crate) const ANY_OBJECT_OR_ARRAY: &'static str = r#"{"anyOf": [{"type": "object"}, {"type": "array"}]}"#;

    pub(crate) fn into_owned(self) -> ResponseFormat<'static> {
        match self {
            ResponseFormat::Text => ResponseFormat::Text,
            ResponseFormat::JsonObject => ResponseFormat::JsonObject,
            ResponseFormat::JsonSchema(schema) => ResponseFormat::JsonSchema(ResponseSchema {
                name: owned(schema.name),
                description: schema.description.map(owned),
                schema: schema.schema.into_owned(),
                strict: schema.strict,
            }),
        }
    }
}

/// A named JSON schema that the answer is to follow.
///
/// ```
/// use mistral_chat_template::chat::{Json, ResponseSchema};
///
/// let schema = ResponseSchema { name: "city".into(), description: None, schema: Json::new("{}")?, strict: false };
/// # assert_eq!(schema.name, "city");
/// # Ok::<(), mistral_chat_template::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct ResponseSchema<'a> {
    /// The schema's name.
    pub name: Cow<'a, str>,
    /// What the schema is for.
    pub description: Option<Cow<'a, str>>,
    /// The JSON schema (draft 7).
    pub schema: Json<'a>,
    /// Must decoding follow the schema? It does not change the prompt.
    pub strict: bool,
}

pub(crate) fn owned(text: Cow<'_, str>) -> Cow<'static, str> {
    Cow::Owned(text.into_owned())
}
