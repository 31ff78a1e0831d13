//! Whose API a request is one of, and by which of its fields one can tell.

use super::node::{Fields, Node};
use crate::chat::Dialect;

/// What a request looks like.
///
/// ```
/// use mistral_chat_template::Dialect;
///
/// let body = r#"{"model": "m", "max_tokens": 9, "system": "Be brief.", "messages": [{"role": "user", "content": "Hi"}]}"#;
/// let recognised = Dialect::recognise(body).unwrap();
/// assert_eq!(recognised.dialect, Dialect::Anthropic);
/// assert_eq!(recognised.to_string(), "the request looks like Anthropic's Messages: it has `system` beside its messages");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Recognised {
    /// The dialect.
    pub dialect: Dialect,
    /// What the request has that tells.
    pub why: &'static str,
}

impl std::fmt::Display for Recognised {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "the request looks like {}: it has {}", self.dialect.title(), self.why)
    }
}

impl Dialect {
    /// The dialect that a request's JSON shows, by what no other dialect has; `None` where nothing tells.
    ///
    /// OpenAI's and Mistral's chat completions are not told apart: they are [`Dialect::Either`].
    ///
    /// ```
    /// use mistral_chat_template::Dialect;
    ///
    /// let of = |json| Dialect::recognise(json).map(|recognised| recognised.dialect);
    /// assert_eq!(of(r#"{"input": "Hi"}"#), Some(Dialect::Responses));
    /// assert_eq!(of(r#"{"messages": [{"role": "user", "content": "Hi"}]}"#), Some(Dialect::Either));
    /// assert_eq!(of(r#"{"prompt": "def f("}"#), None);
    /// ```
    #[must_use]
    pub fn recognise(json: &str) -> Option<Recognised> {
        recognise(Node::parse(json).ok()?)
    }
}

pub(super) fn recognise(request: Node<'_>) -> Option<Recognised> {
    let fields = request.fields()?;
    let found = |dialect, why| Some(Recognised { dialect, why });
    let messages = fields.value("messages");
    match messages {
        Some(_) => {}
        None if fields.has("contents") => return found(Dialect::Gemini, "`contents`"),
        None if fields.has("conversations") => return found(Dialect::ShareGpt, "`conversations`"),
        None if fields.has("inputs") => return found(Dialect::Conversations, "`inputs`"),
        None if fields.has("input") => return found(Dialect::Responses, "`input`"),
        None => return None,
    }
    // Read once: each message is asked for several signs.
    let messages: Vec<_> = objects(messages).collect();
    if let Some(why) = anthropic(&fields, &messages) {
        return found(Dialect::Anthropic, why);
    }
    if let Some(why) = ollama(&fields, &messages) {
        return found(Dialect::Ollama, why);
    }
    if fields.has("functions") {
        return found(Dialect::Legacy, "`functions`");
    }
    for message in &messages {
        if message.has("function_call") {
            return found(Dialect::Legacy, "a message with `function_call`");
        }
        if message.text("role").is_some_and(|role| role == "function") {
            return found(Dialect::Legacy, "a message of the role `function`");
        }
    }
    found(Dialect::Either, "`messages`")
}

fn objects<'a>(list: Option<Node<'a>>) -> impl Iterator<Item = Fields<'a>> {
    list.and_then(Node::list).unwrap_or_default().into_iter().filter_map(Node::fields)
}

fn anthropic(fields: &Fields<'_>, messages: &[Fields<'_>]) -> Option<&'static str> {
    if fields.value("system").is_some_and(|system| !system.is_nothing()) {
        return Some("`system` beside its messages");
    }
    if fields.has("anthropic_version") {
        return Some("`anthropic_version`");
    }
    if objects(fields.value("tools")).any(|tool| tool.has("input_schema")) {
        return Some("a tool with `input_schema`");
    }
    for part in messages.iter().flat_map(|message| objects(message.value("content"))) {
        match part.text("type").as_deref() {
            Some("tool_use") => return Some("a part of the type `tool_use`"),
            Some("tool_result") => return Some("a part of the type `tool_result`"),
            Some("image" | "document") if part.has("source") => return Some("a part with a `source`"),
            _ => {}
        }
    }
    None
}

fn ollama(fields: &Fields<'_>, messages: &[Fields<'_>]) -> Option<&'static str> {
    for message in messages {
        if message.value("images").is_some_and(|images| images.is_list() && !images.is_nothing()) {
            return Some("a message with `images`");
        }
        if message.value("thinking").is_some_and(Node::is_text) {
            return Some("a message with `thinking`");
        }
        if message.has("tool_name") {
            return Some("a result with `tool_name`");
        }
    }
    if fields.has("options") && fields.value("options").is_some_and(Node::is_object) {
        return Some("`options`");
    }
    fields.has("think").then_some("`think`")
}
