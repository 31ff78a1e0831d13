//! [`Sent`]: the JSON that a chat was read from, which a model's own template is shown in place of the typed messages.

use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use super::{AssistantMessage, Chat, Chunk, Content, Dialect, Message, ToolCall, ToolMessage};

/// A chat as it was sent: the text of a request, in which every key, `null` and form stays as the client wrote it.
///
/// Layouts read the typed messages of a [`Chat`]. A model's own template is given what transformers would give it, the
/// JSON itself, and a `Chat` remembers it in [`Chat::sent`]. A message that was changed since, added or mended is shown as
/// its fields say; those that still say what was sent are shown as they were sent, wherever they now stand.
#[cfg_attr(
    feature = "template",
    doc = r##"
```
use mistral_chat_template::{Chat, ChatTemplate, Format, Message};

let template = ChatTemplate::new("{% for m in messages %}{{ m.name }}: {{ m.content }} {% endfor %}")?;
let mut chat = Chat::from_json(r#"{"messages": [{"role": "user", "name": "Ada", "content": "Hi"}]}"#)?;
assert_eq!(template.render(&chat)?.as_str(), "Ada: Hi ", "no layout knows the name of a user");

chat.messages.push(Message::assistant("Hello!"));
assert_eq!(template.render(&chat)?.as_str(), "Ada: Hi : Hello! ");

chat.messages[0] = Message::user("Bye");
assert_eq!(template.render(&chat)?.as_str(), ": Bye : Hello! ");
# Ok::<(), mistral_chat_template::Error>(())
```
"##
)]
///
/// What no layout could read, a role such as `observation` or a chunk of a template's own, is no [`Chat`], and so no
/// layout can be given it: it is read with `Sent::from_json`, and only `ChatTemplate::render_sent` takes it.
#[derive(Clone)]
pub struct Sent<'a> {
    text: Text<'a>,
    /// In which its messages were read.
    dialect: Dialect,
    /// Is it nothing but messages with a role and a text, in this order, which the typed ones say as well?
    plain: bool,
}

#[derive(Clone)]
enum Text<'a> {
    Borrowed(&'a str),
    Shared(Arc<str>),
}

/// How long the text is; it may be long, and hold what should be in no log.
impl fmt::Debug for Sent<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Sent({} bytes)", self.as_str().len())
    }
}

impl<'a> Sent<'a> {
    pub(crate) const fn new(text: &'a str, dialect: Dialect) -> Self {
        Sent { text: Text::Borrowed(text), dialect, plain: false }
    }

    /// What a chat of this dialect was sent as, where a template can be shown it: other APIs' messages are
    /// none that templates know.
    pub(super) const fn of(text: &'a str, dialect: Dialect) -> Option<Self> {
        match dialect {
            Dialect::Either | Dialect::Mistral | Dialect::OpenAi | Dialect::Legacy => Some(Sent::new(text, dialect)),
            Dialect::ShareGpt
            | Dialect::Responses
            | Dialect::Anthropic
            | Dialect::Conversations
            | Dialect::Ollama
            | Dialect::Gemini => None,
        }
    }

    /// The JSON.
    ///
    /// ```
    /// use mistral_chat_template::Chat;
    ///
    /// let json = r#"{"messages": [{"role": "user", "content": "Hi"}]}"#;
    /// assert_eq!(Chat::from_json(json)?.sent.as_ref().map(|sent| sent.as_str()), Some(json));
    /// # Ok::<(), mistral_chat_template::Error>(())
    /// ```
    #[must_use]
    pub fn as_str(&self) -> &str {
        match &self.text {
            Text::Borrowed(text) => text,
            Text::Shared(text) => text,
        }
    }

    pub(super) fn plain(self, plain: bool) -> Self {
        Sent { plain, ..self }
    }

    /// Is all that it says in the typed messages too?
    #[cfg_attr(not(feature = "template"), allow(dead_code, reason = "only templates ask"))]
    pub(crate) const fn is_plain(&self) -> bool {
        self.plain
    }

    pub(super) fn view(&self) -> Sent<'_> {
        Sent { text: Text::Borrowed(self.as_str()), dialect: self.dialect, plain: self.plain }
    }

    pub(crate) fn into_owned(self) -> Sent<'static> {
        let text = match self.text {
            Text::Borrowed(text) => text.into(),
            Text::Shared(text) => text,
        };
        Sent { text: Text::Shared(text), dialect: self.dialect, plain: self.plain }
    }
}

/// What of a chat is still as it was sent.
pub(crate) struct StillSaid {
    /// For each message, its place in the JSON; absent where the message is another now.
    pub(crate) messages: Vec<Option<usize>>,
    pub(crate) tools: bool,
    pub(crate) reasoning_effort: bool,
    pub(crate) response_format: bool,
}

impl Chat<'_> {
    /// What still is as it was sent; `None` of a chat that was not read from JSON.
    pub(crate) fn still_said(&self) -> Option<StillSaid> {
        let Chat { messages, tools, reasoning_effort, response_format, sent, .. } = self;
        let sent = sent.as_ref()?;
        let read = Chat::read(sent.as_str(), sent.dialect).ok()?;
        Some(StillSaid {
            messages: places(messages, &read.messages),
            tools: *tools == read.tools,
            reasoning_effort: *reasoning_effort == read.reasoning_effort,
            response_format: *response_format == read.response_format,
        })
    }
}

/// Where each message is among those that were sent, of equal ones in order.
fn places(messages: &[Message<'_>], sent: &[Message<'_>]) -> Vec<Option<usize>> {
    if messages.len() == sent.len() && messages.iter().zip(sent).all(|(message, sent)| says_the_same(message, sent)) {
        return (0..messages.len()).map(Some).collect();
    }
    let mut known: HashMap<u64, VecDeque<usize>> = HashMap::new();
    for (place, message) in sent.iter().enumerate() {
        known.entry(fingerprint(message)).or_default().push_back(place);
    }
    let place = |message: &Message<'_>| {
        let equal = known.get_mut(&fingerprint(message))?;
        let same = |place: &usize| sent.get(*place).is_some_and(|sent| says_the_same(message, sent));
        if equal.front().is_some_and(same) { equal.pop_front() } else { None }
    };
    messages.iter().map(place).collect()
}

/// Do the two say the same? Whether a message is to be continued, and how much is learnt of it, is not said in it.
fn says_the_same(one: &Message<'_>, other: &Message<'_>) -> bool {
    match (one, other) {
        (Message::Assistant(one), Message::Assistant(other)) => {
            let AssistantMessage { content, tool_calls, prefix: _, weight: _ } = one;
            *content == other.content && *tool_calls == other.tool_calls
        }
        (one, other) => one == other,
    }
}

/// The same number for messages that say the same.
fn fingerprint(message: &Message<'_>) -> u64 {
    let mut hasher = DefaultHasher::new();
    message.role().hash(&mut hasher);
    let content = match message {
        Message::System(content) | Message::User(content) => content,
        Message::Assistant(AssistantMessage { content, tool_calls, prefix: _, weight: _ }) => {
            for ToolCall { id, name, arguments, arguments_form } in tool_calls {
                (id, name, arguments, arguments_form).hash(&mut hasher);
            }
            content
        }
        Message::Tool(ToolMessage { content, call_id, name }) => {
            (call_id, name).hash(&mut hasher);
            content
        }
    };
    match content {
        Content::Text(text) => text.hash(&mut hasher),
        Content::Chunks(chunks) => {
            chunks.len().hash(&mut hasher);
            for chunk in chunks {
                match chunk {
                    Chunk::Text(text)
                    | Chunk::Thinking { text, closed: _ }
                    | Chunk::ImageUrl { url: text, detail: _ }
                    | Chunk::Image(text)
                    | Chunk::InputAudio(text)
                    | Chunk::AudioUrl(text) => text.hash(&mut hasher),
                }
            }
        }
    }
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Chat<'_> {
        Chat::from_json(json).unwrap()
    }

    const JSON: &str = r#"{"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": ""},
        {"role": "user", "content": "a", "name": "b"}, {"role": "assistant", "content": null}]}"#;

    fn places_of(chat: &Chat<'_>) -> Vec<Option<usize>> {
        chat.still_said().unwrap().messages
    }

    #[test]
    fn messages_are_found_wherever_they_stand() {
        let mut chat = read(JSON);
        assert_eq!(places_of(&chat), [Some(0), Some(1), Some(2), Some(3)]);
        chat.messages.remove(1);
        assert_eq!(places_of(&chat), [Some(0), Some(2), Some(1)], "what says the same is taken in order");
        chat.messages.insert(0, Message::system("new"));
        assert_eq!(places_of(&chat), [None, Some(0), Some(2), Some(1)]);
        chat.messages.reverse();
        assert_eq!(places_of(&chat), [Some(1), Some(0), Some(2), None]);
    }

    #[test]
    fn a_message_that_was_changed_is_another() {
        let mut chat = read(JSON);
        if let Some(Message::Assistant(last)) = chat.messages.last_mut() {
            last.prefix = true;
            last.weight = Some(0.0);
        }
        assert_eq!(places_of(&chat)[3], Some(3));
        chat.messages[3] = Message::assistant("b");
        assert_eq!(places_of(&chat)[3], None);
    }

    #[test]
    fn an_owned_chat_remembers() {
        let chat = read(JSON).into_owned();
        assert_eq!(places_of(&chat), [Some(0), Some(1), Some(2), Some(3)]);
        assert!(Chat::new([Message::user("a")]).still_said().is_none());
        assert_eq!(format!("{:?}", chat.sent), format!("Some(Sent({} bytes))", JSON.len()));
    }
}
