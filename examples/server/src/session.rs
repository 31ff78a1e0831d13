//! Conversations kept as ids: a client's whole chat in, the ids that the model is to read out, with those that it
//! sampled as they were.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use mistral_chat_template::conversation::{Rest, Window};
use mistral_chat_template::repair::Mended;
use mistral_chat_template::{AssistantMessage, Chat, Conversation, Error, Layout, Role};

use crate::tokens::Tokens;

/// The conversations that the server knows, the least recently used first.
pub struct Sessions {
    kept: Mutex<Vec<Known>>,
    capacity: usize,
    tokens: Arc<Tokens>,
    /// What a conversation is cut down to that is longer than the context; absent where it is refused.
    window: Option<Window>,
}

pub type Known = Conversation<'static, Arc<Tokens>>;

/// A conversation that a request has to itself; the others have it again when it is dropped.
pub struct Session {
    conversation: Option<Known>,
    home: Arc<Sessions>,
    /// How many ids of its prompt were encoded for this turn; the others were there.
    pub encoded: usize,
}

impl Sessions {
    pub fn new(tokens: Arc<Tokens>, capacity: usize, window: Option<Window>) -> Self {
        Sessions { kept: Mutex::default(), capacity: capacity.max(1), tokens, window }
    }

    /// The conversation whose last request a body goes on with, and what is left to read of the body.
    pub fn rest<'b>(self: &Arc<Self>, body: &'b str) -> Option<(Session, Rest<'b>)> {
        let mut kept = self.lock();
        let rests = kept.iter().enumerate().filter_map(|(index, known)| Some((index, known.rest(body)?)));
        let (index, rest) = rests.min_by_key(|(_, rest)| rest.as_str().len())?;
        Some((Session::new(self, kept.remove(index)), rest))
    }

    /// The conversation that the chat of a body goes on with, or a new one.
    pub fn take(self: &Arc<Self>, body: &str, mended: &Mended<'_>, layout: &Layout) -> Result<Session, Error> {
        let chat = &mended.request.chat;
        let mut session = match self.known(chat, layout) {
            Some(known) => {
                let mut session = Session::new(self, known);
                session.encoded =
                    session.known().map_or(Ok(0), |known| known.update_from(chat).map(|it| it.encoded))?;
                session
            }
            None => self.begin(chat, layout)?,
        };
        if let Some(known) = session.known() {
            known.remember(body, mended);
        }
        Ok(session)
    }

    /// The conversation that has most of a chat. Where another one begins the same, or this one was taken back, it is a
    /// copy.
    fn known(&self, chat: &Chat<'_>, layout: &Layout) -> Option<Known> {
        let mut kept = self.lock();
        let questions = chat.messages.iter().position(|message| message.role() == Role::User)?;
        let of_layout = kept.iter().enumerate().filter(|(_, known)| known.layout() == layout);
        let shared = of_layout.map(|(index, known)| (known.shared(chat), index));
        let (_, index) = shared.max().filter(|(shared, _)| *shared > questions)?;
        match kept.get(index) {
            Some(known) if !known.goes_on(chat) => Some(known.clone()),
            _ => Some(kept.remove(index)),
        }
    }

    fn begin(self: &Arc<Self>, chat: &Chat<'_>, layout: &Layout) -> Result<Session, Error> {
        let mut conversation = Conversation::new(chat.clone().into_owned(), layout, Arc::clone(&self.tokens))?;
        let encoded = conversation.ids().len();
        if let Some(window) = &self.window {
            conversation = conversation.with_window(window.clone())?;
        }
        let mut session = Session::new(self, conversation);
        session.encoded = encoded;
        Ok(session)
    }

    fn keep(&self, conversation: Known) {
        let mut kept = self.lock();
        kept.push(conversation);
        if kept.len() > self.capacity {
            kept.remove(0);
        }
    }

    /// Are conversations shortened that are longer than the context?
    pub fn shorten(&self) -> bool {
        self.window.is_some()
    }

    /// How many conversations there are.
    pub fn len(&self) -> usize {
        self.lock().len()
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Known>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Session {
    fn new(home: &Arc<Sessions>, known: Known) -> Self {
        Session { conversation: Some(known), home: Arc::clone(home), encoded: 0 }
    }

    fn known(&mut self) -> Option<&mut Known> {
        self.conversation.as_mut()
    }

    /// Goes on with the rest of a request, if it is one of this conversation and layout.
    pub fn go_on(&mut self, rest: &Rest<'_>, mended: &Mended<'_>, layout: &Layout) -> bool {
        let known = self.known().filter(|known| known.layout() == layout);
        let updated = known.and_then(|known| known.update_rest(rest, mended));
        self.encoded = updated.as_ref().map_or(0, |updated| updated.encoded);
        updated.is_some()
    }

    /// How many messages of the client's chat the model does not read.
    pub fn left_out(&self) -> usize {
        self.conversation.as_ref().map_or(0, |known| known.dropped().len())
    }

    /// The ids that the model is to read.
    pub fn ids(&self) -> &[u32] {
        self.conversation.as_ref().map_or(&[], Conversation::ids)
    }

    /// It is there until the session is dropped.
    pub fn conversation(&self) -> Option<&Known> {
        self.conversation.as_ref()
    }

    /// Takes the answer, and the ids that the model sampled.
    pub fn reply(&mut self, message: AssistantMessage<'static>, sampled: &[u32]) {
        if let Some(known) = &mut self.conversation {
            known.reply(message, sampled);
        }
    }
}

/// However the answer ended.
impl Drop for Session {
    fn drop(&mut self) {
        if let Some(known) = self.conversation.take() {
            self.home.keep(known);
        }
    }
}
