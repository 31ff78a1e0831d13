//! A request of any client into a [`Chat`], with what was ignored, and repaired where it can be.

use std::borrow::Cow;

use super::{Chat, Dialect};
use crate::error::{Error, ErrorKind};

mod anthropic;
mod completions;
mod conversations;
mod detect;
mod gemini;
mod known;
mod node;
mod notes;
mod ollama;
mod parts;
mod reader;
mod responses;

pub use self::detect::Recognised;
use self::node::{Node, Path, paths_of};
pub(crate) use self::notes::{Note, NoteSort};
use self::notes::{Notes, Places, Strictness};
use self::reader::Reader;
use super::read::names;
use super::surrogates;

/// A request: its chat, and what of it the chat does not hold.
///
/// ```
/// use mistral_chat_template::{Dialect, Request};
///
/// let body = r#"{
///     "messages": [{"role": "user", "content": "Hi", "name": "ann"}],
///     "functions": [{"name": "now", "parameters": {}}],
///     "temperature": 0.3
/// }"#;
/// let request = Request::read(body, Dialect::OpenAi)?;
/// assert_eq!(request.chat.messages.len(), 1);
/// assert_eq!(request.ignored, ["messages[0].name", "functions"]);
/// # Ok::<(), mistral_chat_template::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Request<'a> {
    /// The chat.
    pub chat: Chat<'a>,
    /// The dialect that the request was read in.
    pub dialect: Dialect,
    /// The paths of what was ignored and could have shaped the prompt. What shapes none, such as `temperature`, is
    /// not in the list, and neither is what says nothing: null, false and what is empty.
    pub ignored: Vec<String>,
    places: Places,
}

impl<'a> Request<'a> {
    /// Reads a request of a dialect.
    ///
    /// # Errors
    ///
    /// As [`Chat::read`].
    ///
    /// ```
    /// use mistral_chat_template::{Dialect, Message, Request};
    ///
    /// let request = Request::read(r#"{"instructions": "Be brief.", "input": "Hi"}"#, Dialect::Responses)?;
    /// assert_eq!(request.chat.messages, [Message::system("Be brief."), Message::user("Hi")]);
    /// assert!(request.ignored.is_empty());
    /// # Ok::<(), mistral_chat_template::Error>(())
    /// ```
    pub fn read(json: &'a str, dialect: Dialect) -> Result<Self, Error> {
        let mut notes = Notes::new(Strictness::Refuse);
        let chat = if dialect.is_completions() {
            let chat = Chat::read(json, dialect)?;
            if let Ok(node) = Node::parse(json) {
                completions::walk(node, dialect, &mut notes);
            }
            chat
        } else {
            read_other(json, dialect, &mut notes).map_err(|error| with_hint(error, json, dialect))?
        };
        let Notes { ignored, places, .. } = notes;
        Ok(Request { chat, dialect, ignored, places })
    }

    /// Reads a request of a dialect, of which nothing may be ignored that could have shaped the prompt.
    ///
    /// # Errors
    ///
    /// As [`Chat::read`], and the first of what [`Request::ignored`] would list.
    ///
    /// ```
    /// use mistral_chat_template::{Dialect, Request};
    ///
    /// let body = r#"{"messages": [{"role": "user", "content": "Hi"}], "prompt_mode": "reasoning", "top_p": 0.9}"#;
    /// assert_eq!(
    ///     Request::read_strictly(body, Dialect::Mistral).unwrap_err().to_string(),
    ///     "prompt_mode: this field is not read, but it could have shaped the prompt"
    /// );
    /// ```
    pub fn read_strictly(json: &'a str, dialect: Dialect) -> Result<Self, Error> {
        let request = Self::read(json, dialect)?;
        match request.ignored.first() {
            Some(at) => Err(Error::new(ErrorKind::Ignored, at.clone())),
            None => Ok(request),
        }
    }

    /// The place in the request that a path in its chat means, such as that of an [`Error`].
    ///
    /// ```
    /// use mistral_chat_template::{Dialect, Request};
    ///
    /// let request = Request::read(r#"{"instructions": "Be brief.", "input": [{"role": "user", "content": "Hi"}]}"#, Dialect::Responses)?;
    /// assert_eq!(request.place("messages[1].content"), "input[0].content");
    /// # Ok::<(), mistral_chat_template::Error>(())
    /// ```
    #[must_use]
    pub fn place(&self, path: &str) -> String {
        self.places.of(path)
    }

    /// The error of its chat with the path in the request.
    ///
    /// ```
    /// use mistral_chat_template::{Dialect, Format, Layout, Request};
    ///
    /// let request = Request::read(r#"{"input": "Hi", "reasoning": {"effort": "low"}}"#, Dialect::Responses)?;
    /// let error = Layout::V13.render(&request.chat).unwrap_err();
    /// assert_eq!(request.locate(error).at(), "reasoning.effort");
    /// # Ok::<(), mistral_chat_template::Error>(())
    /// ```
    #[must_use]
    pub fn locate(&self, error: Error) -> Error {
        error.moved(|at| self.place(at))
    }

    /// Reads a request and mends what reading would refuse.
    pub(crate) fn read_mending(json: &'a str, dialect: Dialect) -> Result<(Self, Vec<Note>), Error> {
        let (text, mended) = without_surrogates(json);
        let refusal = |error: Error| with_hint(error, json, dialect);
        let Ok(node) = Node::parse(&text) else {
            return Err(Chat::read(json, dialect).err().unwrap_or_else(|| Error::new(ErrorKind::Json, "")));
        };
        let attempt = |dialect: Dialect, form: Option<String>| {
            let mut notes = Notes::new(Strictness::Mend);
            notes.mended.clone_from(&mended);
            notes.mended.extend(form.map(|what| Note { at: String::new(), sort: NoteSort::Form, what }));
            let chat = owned_where_changed(&text, |text| read_mended(text, dialect, &mut notes))?;
            Ok(Self::of(chat, dialect, notes))
        };
        let looks = detect::recognise(node).filter(|looks| looks_other(dialect, looks.dialect));
        if let Some(looks) = looks
            && let Ok(read) = attempt(looks.dialect, Some(format!("{looks}, and was read as one of these")))
        {
            return Ok(read);
        }
        attempt(dialect, None).or_else(|error| {
            // These have `messages` too, and what of them cannot be read may be chat completions.
            let has_messages = node.fields().is_some_and(|fields| fields.has("messages"));
            if has_messages && matches!(dialect, Dialect::Anthropic | Dialect::Ollama) {
                let form = format!("read as one of {}, because {error}", Dialect::OpenAi.title());
                attempt(Dialect::Either, Some(form)).map_err(|_| refusal(error))
            } else {
                Err(refusal(error))
            }
        })
    }

    fn of(chat: Chat<'a>, dialect: Dialect, notes: Notes) -> (Self, Vec<Note>) {
        let Notes { mended, ignored, places, .. } = notes;
        (Request { chat, dialect, ignored, places }, mended)
    }
}

/// Where a request's messages stand in its text.
pub(crate) struct MessagesSpan {
    /// Behind the bracket that begins their list.
    pub(crate) start: usize,
    /// Behind the last of them.
    pub(crate) end: usize,
    pub(crate) messages: usize,
}

/// Where the messages of a chat-completion request stand, if there are some.
pub(crate) fn messages_span(json: &str) -> Option<MessagesSpan> {
    let list = Node::parse(json).ok()?.fields()?.value("messages")?;
    let messages = list.list()?;
    let place = |node: Node<'_>| node.json().as_ptr().addr().checked_sub(json.as_ptr().addr());
    let last = messages.last()?;
    Some(MessagesSpan { start: place(list)? + 1, end: place(*last)? + last.json().len(), messages: messages.len() })
}

/// Reads a text, and copies what is read of one that is not the caller's.
fn owned_where_changed<'a>(
    text: &Cow<'a, str>,
    read: impl for<'t> FnOnce(&'t str) -> Result<Chat<'t>, Error>,
) -> Result<Chat<'a>, Error> {
    match text {
        Cow::Borrowed(text) => read(text),
        Cow::Owned(text) => read(text).map(Chat::into_owned),
    }
}

/// Reads a text that is JSON, and mends what reading would refuse.
fn read_mended<'t>(json: &'t str, dialect: Dialect, notes: &mut Notes) -> Result<Chat<'t>, Error> {
    if !dialect.is_completions() {
        return read_other(json, dialect, notes);
    }
    match completions::walk(Node::of_parsed(json), dialect, notes) {
        None => completions_of(json, dialect, notes),
        Some(edited) => completions_of(&edited, dialect, notes).map(Chat::into_owned),
    }
}

/// Reads chat completions, and where the dialect does not allow what another does, as the other.
fn completions_of<'t>(json: &'t str, dialect: Dialect, notes: &mut Notes) -> Result<Chat<'t>, Error> {
    let error = match Chat::read(json, dialect) {
        Ok(chat) => return Ok(chat),
        Err(error) => error.moved(|at| notes.places.of(at)),
    };
    let Ok(chat) = Chat::read(json, Dialect::Legacy) else { return Err(error) };
    let what = format!("read in another form, because {error}");
    let at = error.at().to_owned();
    notes.note(at, NoteSort::Form, what);
    Ok(chat)
}

/// The JSON with U+FFFD for each lone surrogate, and a note for each text that had one.
fn without_surrogates(json: &str) -> (Cow<'_, str>, Vec<Note>) {
    let Some(replaced) = surrogates::replaced(json) else { return (Cow::Borrowed(json), Vec::new()) };
    let mut paths = paths_of(json, &surrogates::lone(json));
    paths.dedup();
    let note = |at| {
        let what = "a lone surrogate is not text, and became U+FFFD".to_owned();
        Note { at, sort: NoteSort::Surrogate, what }
    };
    (Cow::Owned(replaced), paths.into_iter().map(note).collect())
}

/// Is what a request looks like another API's than that of the dialect?
fn is_another(dialect: Dialect, looks: Dialect) -> bool {
    match (dialect, looks) {
        // Their requests have `messages` too, which is all that tells of chat completions.
        (Dialect::Anthropic | Dialect::Ollama, Dialect::Either) => false,
        _ => dialect != looks && !(dialect.is_completions() && looks.is_completions()),
    }
}

/// Is what a request looks like another API's, or an older form?
fn looks_other(dialect: Dialect, looks: Dialect) -> bool {
    let is_older = looks == Dialect::Legacy && dialect.is_completions() && dialect != Dialect::Legacy;
    is_another(dialect, looks) || is_older
}

/// Reads a dialect that is not one of chat completions.
fn read_other<'a>(json: &'a str, dialect: Dialect, notes: &mut Notes) -> Result<Chat<'a>, Error> {
    let read = match dialect {
        Dialect::Responses => responses::read,
        Dialect::Anthropic => anthropic::read,
        Dialect::Conversations => conversations::read,
        Dialect::Ollama => ollama::read,
        Dialect::Gemini => gemini::read,
        Dialect::Either | Dialect::Mistral | Dialect::OpenAi | Dialect::Legacy | Dialect::ShareGpt => {
            let chat = Chat::read(json, dialect)?;
            ignored_of_sharegpt(json, notes);
            return Ok(chat);
        }
    };
    let node = Node::parse(json).map_err(|error| Error::new(ErrorKind::Json, "").because(error))?;
    let mut reader = Reader::new(notes);
    read(&mut reader, node)?;
    Ok(reader.chat)
}

/// Reports what reading a ShareGPT conversation ignored.
fn ignored_of_sharegpt(json: &str, notes: &mut Notes) {
    let Some(fields) = Node::parse(json).ok().and_then(Node::fields) else { return };
    let root = Path::Request;
    notes.ignore_others(&root, &fields, &[names::CONVERSATION, known::REQUEST, &["id"]]);
    let at = root.field("conversations");
    for (index, turn) in fields.value("conversations").and_then(Node::list).unwrap_or_default().into_iter().enumerate()
    {
        if let Some(turn) = turn.fields() {
            notes.ignore_others(&at.index(index), &turn, &[names::TURN, known::MESSAGE]);
        }
    }
}

/// A chat of one of the dialects that have a reader of their own here.
pub(super) fn read<'a>(json: &'a str, dialect: Dialect) -> Result<Chat<'a>, Error> {
    read_other(json, dialect, &mut Notes::new(Strictness::Refuse)).map_err(|error| with_hint(error, json, dialect))
}

/// The error, with what the request looks like where that is another API's.
#[cold]
pub(super) fn with_hint(error: Error, json: &str, dialect: Dialect) -> Error {
    match Dialect::recognise(json) {
        Some(looks) if looks_other(dialect, looks.dialect) => error.with_hint(looks.to_string()),
        _ => error,
    }
}

impl Dialect {
    /// Is it a dialect of chat completions: of OpenAI's or Mistral's?
    pub(crate) const fn is_completions(self) -> bool {
        match self {
            Dialect::Either | Dialect::Mistral | Dialect::OpenAi | Dialect::Legacy => true,
            Dialect::ShareGpt
            | Dialect::Responses
            | Dialect::Anthropic
            | Dialect::Conversations
            | Dialect::Ollama
            | Dialect::Gemini => false,
        }
    }

    /// What its requests are called.
    pub(crate) const fn title(self) -> &'static str {
        match self {
            Dialect::Either | Dialect::OpenAi => "OpenAI's chat completions",
            Dialect::Mistral => "Mistral's chat completions",
            Dialect::Legacy => "OpenAI's legacy function calling",
            Dialect::ShareGpt => "ShareGPT's conversations",
            Dialect::Responses => "OpenAI's Responses",
            Dialect::Anthropic => "Anthropic's Messages",
            Dialect::Conversations => "Mistral's Conversations",
            Dialect::Ollama => "Ollama's chat",
            Dialect::Gemini => "Gemini's contents",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chat::Content;
    use crate::terms::ChunkKind;

    /// The part that a dialect has for a kind, in a body; `None` where it has none. A new kind, or a new dialect, is
    /// decided here.
    const fn body(dialect: Dialect, kind: ChunkKind) -> Option<&'static str> {
        match dialect {
            Dialect::Either | Dialect::Mistral | Dialect::OpenAi | Dialect::Legacy => Some(match kind {
                ChunkKind::Text => r#"{"messages": [{"role": "user", "content": [{"type": "text", "text": "A"}]}]}"#,
                ChunkKind::Thinking => {
                    r#"{"messages": [{"role": "assistant", "content": [{"type": "thinking", "thinking": "A"}]}]}"#
                }
                ChunkKind::Image => r#"{"messages": [{"role": "user", "content": [{"type": "image", "image": "A"}]}]}"#,
                ChunkKind::ImageUrl => {
                    r#"{"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "A"}}]}]}"#
                }
                ChunkKind::InputAudio => {
                    r#"{"messages": [{"role": "user", "content": [{"type": "input_audio", "input_audio": {"data": "A"}}]}]}"#
                }
                ChunkKind::AudioUrl => {
                    r#"{"messages": [{"role": "user", "content": [{"type": "audio_url", "audio_url": {"url": "A"}}]}]}"#
                }
            }),
            Dialect::Conversations => Some(match kind {
                ChunkKind::Text => r#"{"inputs": [{"role": "user", "content": [{"type": "text", "text": "A"}]}]}"#,
                ChunkKind::Thinking => {
                    r#"{"inputs": [{"role": "assistant", "content": [{"type": "thinking", "thinking": "A"}]}]}"#
                }
                ChunkKind::Image => r#"{"inputs": [{"role": "user", "content": [{"type": "image", "image": "A"}]}]}"#,
                ChunkKind::ImageUrl => {
                    r#"{"inputs": [{"role": "user", "content": [{"type": "image_url", "image_url": "A"}]}]}"#
                }
                ChunkKind::InputAudio => {
                    r#"{"inputs": [{"role": "user", "content": [{"type": "input_audio", "input_audio": "A"}]}]}"#
                }
                ChunkKind::AudioUrl => {
                    r#"{"inputs": [{"role": "user", "content": [{"type": "audio_url", "audio_url": "A"}]}]}"#
                }
            }),
            Dialect::ShareGpt => match kind {
                ChunkKind::Text => Some(r#"{"conversations": [{"from": "human", "value": "A"}]}"#),
                ChunkKind::Thinking
                | ChunkKind::Image
                | ChunkKind::ImageUrl
                | ChunkKind::InputAudio
                | ChunkKind::AudioUrl => None,
            },
            Dialect::Responses => match kind {
                ChunkKind::Text => {
                    Some(r#"{"input": [{"role": "user", "content": [{"type": "input_text", "text": "A"}]}]}"#)
                }
                ChunkKind::Thinking => {
                    Some(r#"{"input": [{"type": "reasoning", "summary": [{"type": "summary_text", "text": "A"}]}]}"#)
                }
                ChunkKind::ImageUrl => {
                    Some(r#"{"input": [{"role": "user", "content": [{"type": "input_image", "image_url": "A"}]}]}"#)
                }
                ChunkKind::InputAudio => Some(
                    r#"{"input": [{"role": "user", "content": [{"type": "input_audio", "input_audio": {"data": "A"}}]}]}"#,
                ),
                ChunkKind::Image | ChunkKind::AudioUrl => None,
            },
            Dialect::Anthropic => match kind {
                ChunkKind::Text => {
                    Some(r#"{"messages": [{"role": "user", "content": [{"type": "text", "text": "A"}]}]}"#)
                }
                ChunkKind::Thinking => {
                    Some(r#"{"messages": [{"role": "assistant", "content": [{"type": "thinking", "thinking": "A"}]}]}"#)
                }
                ChunkKind::Image => Some(
                    r#"{"messages": [{"role": "user", "content": [{"type": "image", "source": {"type": "base64", "data": "A"}}]}]}"#,
                ),
                ChunkKind::ImageUrl => Some(
                    r#"{"messages": [{"role": "user", "content": [{"type": "image", "source": {"type": "url", "url": "A"}}]}]}"#,
                ),
                ChunkKind::InputAudio | ChunkKind::AudioUrl => None,
            },
            Dialect::Ollama => match kind {
                ChunkKind::Text => Some(r#"{"messages": [{"role": "user", "content": "A"}]}"#),
                ChunkKind::Thinking => Some(r#"{"messages": [{"role": "assistant", "content": "", "thinking": "A"}]}"#),
                ChunkKind::Image => Some(r#"{"messages": [{"role": "user", "content": "", "images": ["A"]}]}"#),
                ChunkKind::ImageUrl | ChunkKind::InputAudio | ChunkKind::AudioUrl => None,
            },
            Dialect::Gemini => match kind {
                ChunkKind::Text => Some(r#"{"contents": [{"role": "user", "parts": [{"text": "A"}]}]}"#),
                ChunkKind::Thinking => {
                    Some(r#"{"contents": [{"role": "model", "parts": [{"text": "A", "thought": true}]}]}"#)
                }
                ChunkKind::Image => Some(
                    r#"{"contents": [{"role": "user", "parts": [{"inlineData": {"mimeType": "image/png", "data": "A"}}]}]}"#,
                ),
                ChunkKind::ImageUrl => Some(
                    r#"{"contents": [{"role": "user", "parts": [{"fileData": {"mimeType": "image/png", "fileUri": "https://a.de/A"}}]}]}"#,
                ),
                ChunkKind::InputAudio => Some(
                    r#"{"contents": [{"role": "user", "parts": [{"inlineData": {"mimeType": "audio/wav", "data": "A"}}]}]}"#,
                ),
                ChunkKind::AudioUrl => Some(
                    r#"{"contents": [{"role": "user", "parts": [{"fileData": {"mimeType": "audio/wav", "fileUri": "https://a.de/A"}}]}]}"#,
                ),
            },
        }
    }

    #[test]
    fn every_kind_of_chunk_is_read_where_a_dialect_has_it() {
        for dialect in Dialect::ALL {
            for &kind in ChunkKind::ALL {
                let Some(body) = body(dialect, kind) else { continue };
                let request = Request::read(body, dialect).unwrap_or_else(|error| panic!("{body}: {error}"));
                let [message] = &*request.chat.messages else { panic!("{body}: {request:?}") };
                let is_read = match message.content() {
                    Content::Text(text) => kind == ChunkKind::Text && text == "A",
                    Content::Chunks(chunks) => chunks.iter().any(|chunk| chunk.kind() == kind),
                };
                assert!(is_read, "{dialect:?}, {kind:?}: {message:?}");
                assert!(request.ignored.is_empty(), "{dialect:?}, {kind:?}: {:?}", request.ignored);
            }
        }
    }
}
