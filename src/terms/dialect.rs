//! [`Dialect`]: whose form a request or an answer has.

/// Whose JSON a chat is read from: the dialects differ in what they allow.
///
/// ```
/// use mistral_chat_template::{Chat, Dialect};
///
/// let json = r#"{"messages": [{"role": "developer", "content": "Be brief."}]}"#;
/// assert!(Chat::read(json, Dialect::OpenAi).is_ok());
/// assert!(Chat::read(json, Dialect::Mistral).is_err(), "Mistral's API has no developer role");
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Dialect {
    /// Mistral's or OpenAI's: all that either allows.
    #[default]
    Either,
    /// Mistral's API: no `developer` role, every tool has `parameters`, `prefix` marks a message to be continued.
    Mistral,
    /// OpenAI's API: `developer` is `system`, tools may lack `parameters`, a result names its call, `prefix` is unknown.
    OpenAi,
    /// As [`Either`](Dialect::Either), and OpenAI's legacy function calling: `functions`, `function_call` in an
    /// assistant message and as the choice of one, and messages of the role `function`. Such calls have no ids;
    /// [`Chat::repair`](crate::Chat::repair) gives them some.
    Legacy,
    /// ShareGPT: `{"conversations": [{"from": "human", "value": "…"}]}`.
    ShareGpt,
    /// OpenAI's Responses: `instructions`, and `input` as a text or a list of items.
    Responses,
    /// Anthropic's Messages: `system`, and messages whose parts are calls and results too.
    Anthropic,
    /// Mistral's Conversations: `inputs` as a text or a list of entries.
    Conversations,
    /// Ollama's own chat: messages with `images` and `thinking`, calls without ids.
    Ollama,
    /// Gemini's `contents` of `parts`.
    Gemini,
}

impl Dialect {
    /// Every dialect.
    pub const ALL: [Dialect; 10] = [
        Dialect::Either,
        Dialect::Mistral,
        Dialect::OpenAi,
        Dialect::Legacy,
        Dialect::ShareGpt,
        Dialect::Responses,
        Dialect::Anthropic,
        Dialect::Conversations,
        Dialect::Ollama,
        Dialect::Gemini,
    ];

    /// The dialect's name, in lower case.
    ///
    /// ```
    /// # use mistral_chat_template::Dialect;
    /// assert_eq!(Dialect::Responses.as_str(), "responses");
    /// ```
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Dialect::Either => "either",
            Dialect::Mistral => "mistral",
            Dialect::OpenAi => "openai",
            Dialect::Legacy => "legacy",
            Dialect::ShareGpt => "sharegpt",
            Dialect::Responses => "responses",
            Dialect::Anthropic => "anthropic",
            Dialect::Conversations => "conversations",
            Dialect::Ollama => "ollama",
            Dialect::Gemini => "gemini",
        }
    }

    /// The dialect of this name.
    ///
    /// ```
    /// # use mistral_chat_template::Dialect;
    /// assert_eq!(Dialect::from_name("anthropic"), Some(Dialect::Anthropic));
    /// assert_eq!(Dialect::from_name("cohere"), None);
    /// ```
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|dialect| dialect.as_str() == name)
    }
}
