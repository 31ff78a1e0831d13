//! Conversations kept as ids: a client's whole chat in, the ids that the model is to read out, with those that it
//! sampled as they were.

use std::sync::{Arc, Mutex, PoisonError};

use mistral_chat_template::image::{Grid, ImageToken, data_url_image};
use mistral_chat_template::layout::WordStart;
use mistral_chat_template::prompt::{Media, TokenizerKind};
use mistral_chat_template::{
    AssistantMessage, Chat, Chunk, Content, Control, Error, Layout, Message, Tokenizer, Transcript,
};

use crate::tokens::Tokens;

/// The conversations that the server knows, the least recently used first.
pub struct Sessions {
    kept: Mutex<Vec<Session>>,
    capacity: usize,
    tokens: Arc<Tokens>,
}

/// A conversation, and what the model said last.
pub struct Session {
    layout: Layout,
    tokens: Arc<Tokens>,
    transcript: Transcript<'static, Shared>,
    images: Arc<Mutex<Vec<Grid>>>,
    reply: Option<AssistantMessage<'static>>,
    /// How many ids of its prompt were encoded for this turn; the others were there.
    pub encoded: usize,
}

/// The vocabulary, with the ids of a chat's images.
struct Shared {
    tokens: Arc<Tokens>,
    images: Arc<Mutex<Vec<Grid>>>,
}

impl Sessions {
    pub fn new(tokens: Arc<Tokens>, capacity: usize) -> Self {
        Sessions { kept: Mutex::default(), capacity: capacity.max(1), tokens }
    }

    /// The conversation that a chat goes on with, or a new one. It is the caller's until it is given back.
    pub fn take(&self, chat: Chat<'static>, layout: &Layout) -> Result<Session, Error> {
        let known = {
            let mut kept = self.lock();
            let goes_on = |session: &Session| session.layout == *layout && session.goes_on_with(&chat);
            kept.iter().rposition(goes_on).map(|index| kept.remove(index))
        };
        match known {
            // What the model wrote may be nothing that a layout takes; what the client makes of it is.
            Some(session) => match session.go_on(chat.clone()) {
                Ok(session) => Ok(session),
                Err(_) => Session::new(chat, layout, Arc::clone(&self.tokens)),
            },
            None => Session::new(chat, layout, Arc::clone(&self.tokens)),
        }
    }

    /// A conversation that nobody keeps.
    pub fn look(&self, chat: Chat<'static>, layout: &Layout) -> Result<Session, Error> {
        Session::new(chat, layout, Arc::clone(&self.tokens))
    }

    /// Takes a conversation back.
    pub fn keep(&self, session: Session) {
        let mut kept = self.lock();
        kept.push(session);
        if kept.len() > self.capacity {
            kept.remove(0);
        }
    }

    /// How many conversations there are.
    pub fn len(&self) -> usize {
        self.lock().len()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Session>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Session {
    fn new(chat: Chat<'static>, layout: &Layout, tokens: Arc<Tokens>) -> Result<Self, Error> {
        let images = Arc::new(Mutex::new(grids(&chat, &tokens)));
        let shared = Shared { tokens: Arc::clone(&tokens), images: Arc::clone(&images) };
        let transcript = Transcript::new(chat, layout, shared)?;
        let encoded = transcript.ids().len();
        Ok(Session { layout: *layout, tokens, transcript, images, reply: None, encoded })
    }

    /// The ids that the model is to read.
    pub fn ids(&self) -> &[u32] {
        self.transcript.ids()
    }

    /// Takes the answer, and the ids that the model sampled.
    pub fn reply(&mut self, message: AssistantMessage<'static>, sampled: &[u32]) {
        self.transcript.reply(message.clone(), sampled);
        self.reply = Some(message);
    }

    /// Does a client's chat begin with this conversation?
    fn goes_on_with(&self, chat: &Chat<'_>) -> bool {
        let known = self.transcript.chat();
        let after = known.messages.len();
        let beside = known.tools == chat.tools
            && known.reasoning_effort == chat.reasoning_effort
            && known.response_format == chat.response_format
            && known.model == chat.model;
        beside
            && chat.messages.len() >= after
            && known.messages.iter().zip(&chat.messages).all(|(one, other)| is_same(one, other))
            && match (&self.reply, chat.messages.get(after)) {
                (None, None) => true,
                (Some(reply), Some(Message::Assistant(echoed))) => {
                    is_echo(reply, echoed) && chat.messages.len() > after + 1
                }
                _ => false,
            }
    }

    fn go_on(mut self, mut chat: Chat<'static>) -> Result<Self, Error> {
        self.encoded = 0;
        if self.reply.is_none() {
            return Ok(self);
        }
        *self.images.lock().unwrap_or_else(PoisonError::into_inner) = grids(&chat, &self.tokens);
        let new = chat.messages.split_off(self.transcript.chat().messages.len() + 1);
        self.encoded = self.transcript.append(new)?.len();
        self.reply = None;
        Ok(self)
    }
}

/// Is a message the one that is known, be it a reply that a client writes anew?
fn is_same(known: &Message<'_>, sent: &Message<'_>) -> bool {
    match (known, sent) {
        (Message::Assistant(known), Message::Assistant(sent)) => is_echo(known, sent),
        (known, sent) => known == sent,
    }
}

/// Is an assistant message the reply, as a client sends it back?
fn is_echo(reply: &AssistantMessage<'_>, echoed: &AssistantMessage<'_>) -> bool {
    let calls = || reply.tool_calls.iter().zip(&echoed.tool_calls);
    said(&reply.content) == said(&echoed.content)
        && reply.tool_calls.len() == echoed.tool_calls.len()
        && calls().all(|(one, other)| {
            one.name == other.name && one.id == other.id && same_json(&one.arguments, &other.arguments)
        })
}

/// What a content says aloud. Clients leave thinking out, and send a space, nothing or null for nothing.
fn said(content: &Content<'_>) -> String {
    let text = match content {
        Content::Text(text) => text.to_string(),
        Content::Chunks(chunks) => chunks
            .iter()
            .filter_map(|chunk| match chunk {
                Chunk::Text(text) => Some(&**text),
                _ => None,
            })
            .collect(),
    };
    if text == " " { String::new() } else { text }
}

fn same_json(one: &str, other: &str) -> bool {
    let parse = |text: &str| serde_json::from_str::<serde_json::Value>(text).ok();
    one == other || parse(one).is_some_and(|value| parse(other) == Some(value))
}

/// The grids of a chat's images, in order.
fn grids(chat: &Chat<'_>, tokens: &Tokens) -> Vec<Grid> {
    let chunks = chat.messages.iter().flat_map(|message| match message.content() {
        Content::Text(_) => &[],
        Content::Chunks(chunks) => chunks.as_slice(),
    });
    let url = |chunk: &Chunk<'_>| match chunk {
        Chunk::ImageUrl { url, .. } => Some(url.to_string()),
        Chunk::Image(data) => Some(format!("data:image/png;base64,{data}")),
        _ => None,
    };
    chunks.filter_map(url).filter_map(|url| grid(&url, tokens)).collect()
}

/// An image that is elsewhere is not fetched, and counts as one of 256 × 256 pixels.
fn grid(url: &str, tokens: &Tokens) -> Option<Grid> {
    let (width, height) = data_url_image(url).unwrap_or((256, 256));
    tokens.images.grid(width, height).ok()
}

impl Tokenizer for Shared {
    fn text(&self, text: &str, word_start: WordStart, ids: &mut Vec<u32>) {
        self.tokens.text(text, word_start, ids);
    }

    fn control(&self, control: Control) -> Option<u32> {
        Tokenizer::control(&*self.tokens, control)
    }

    fn kind(&self) -> Option<TokenizerKind> {
        self.tokens.kind()
    }

    fn media(&self, media: Media, index: usize, ids: &mut Vec<u32>) -> bool {
        let grid = self.images.lock().unwrap_or_else(PoisonError::into_inner).get(index).copied();
        let Some(grid) = grid.filter(|_| media == Media::Image) else { return false };
        let id = |token| match token {
            ImageToken::Patch => self.control(Control::Img),
            ImageToken::Break => self.control(Control::ImgBreak),
            ImageToken::End => self.control(Control::ImgEnd),
        };
        ids.extend(grid.tokens().filter_map(id));
        true
    }
}
