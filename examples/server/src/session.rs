//! Conversations kept as ids: a client's whole chat in, the ids that the model is to read out, with those that it
//! sampled as they were.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use mistral_chat_template::conversation::{Update, Window};
use mistral_chat_template::prompt::{BreakCause, PrefixBreak};
use mistral_chat_template::{AssistantMessage, Chat, Conversation, Error, Layout, Message, Role, Segment};

use crate::tokens::Tokens;

/// The conversations that the server knows, the least recently used first.
pub struct Sessions {
    kept: Mutex<Vec<Session>>,
    capacity: usize,
    tokens: Arc<Tokens>,
    /// What a conversation is cut down to that is longer than the context; absent where it is refused.
    window: Option<Window>,
}

/// A conversation.
#[derive(Clone)]
pub struct Session {
    layout: Layout,
    conversation: Conversation<'static, Arc<Tokens>>,
    window: Option<Window>,
    /// The messages of the client's chat that the conversation goes on without.
    dropped: Vec<usize>,
    /// What the window counted of its prompt.
    counted: usize,
    /// How many ids of its prompt were encoded for this turn; the others were there.
    pub encoded: usize,
}

impl Sessions {
    pub fn new(tokens: Arc<Tokens>, capacity: usize, window: Option<Window>) -> Self {
        Sessions { kept: Mutex::default(), capacity: capacity.max(1), tokens, window }
    }

    /// The conversation that a chat goes on with, or a new one. It is the caller's until it is kept.
    pub fn take(&self, chat: Chat<'static>, layout: &Layout) -> Result<Session, Error> {
        let known = {
            let mut kept = self.lock();
            let shared = |session: &Session| if session.layout == *layout { session.shared(&chat) } else { 0 };
            let best = kept.iter().enumerate().map(|(index, session)| (shared(session), index)).max();
            best.filter(|(shared, _)| *shared > 0).map(|(_, index)| kept.remove(index))
        };
        let Some(mut session) = known else { return self.begin(chat, layout) };
        let before = session.clone();
        let update = session.update(chat, &self.tokens, self.window.as_ref());
        let is_cut = session.dropped.len() > before.dropped.len();
        let goes_on = update.as_ref().is_ok_and(|update| is_cut || update.prefix_break.is_none_or(|it| goes_on(&it)));
        if !goes_on {
            // It is another conversation that begins the same, or one that was taken back.
            self.keep(before);
        }
        update?;
        Ok(session)
    }

    /// A new conversation.
    fn begin(&self, chat: Chat<'static>, layout: &Layout) -> Result<Session, Error> {
        let mut window = self.window.clone();
        let (session, kept) = within(window.as_mut(), &chat, layout, &self.tokens, |chat| self.look(chat, layout))?;
        Ok(Session { window, dropped: kept.dropped, counted: kept.count, ..session })
    }

    /// A conversation of the whole chat, to look at.
    pub fn look(&self, chat: Chat<'static>, layout: &Layout) -> Result<Session, Error> {
        let conversation = Conversation::new(chat, layout, Arc::clone(&self.tokens))?;
        let encoded = conversation.ids().len();
        Ok(Session { layout: *layout, conversation, window: None, dropped: Vec::new(), counted: encoded, encoded })
    }

    pub fn keep(&self, session: Session) {
        let mut kept = self.lock();
        kept.push(session);
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

    fn lock(&self) -> MutexGuard<'_, Vec<Session>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Does a conversation go on, though its layout moves what stood before?
fn goes_on(parts: &PrefixBreak) -> bool {
    !matches!(parts.cause, BreakCause::MessageChanges | BreakCause::Shorter)
}

/// Which messages of a chat are not within a window, and what the others count.
#[derive(Default)]
struct Kept {
    dropped: Vec<usize>,
    count: usize,
}

/// Does something with what of a chat is within the window. Errors point into the whole chat.
fn within<T>(
    window: Option<&mut Window>,
    chat: &Chat<'static>,
    layout: &Layout,
    tokens: &Tokens,
    work: impl FnOnce(Chat<'static>) -> Result<T, Error>,
) -> Result<(T, Kept), Error> {
    let Some(window) = window else { return Ok((work(chat.clone())?, Kept::default())) };
    let fitted = window.fit(chat, layout, |segment: Segment<'_>| tokens.count(segment, layout.word_start))?;
    let done = work(fitted.clone().into_chat()).map_err(|error| fitted.in_given(error))?;
    Ok((done, Kept { count: fitted.count, dropped: fitted.dropped }))
}

impl Session {
    /// Goes on with a client's chat, within a budget of ids.
    fn update(&mut self, chat: Chat<'static>, tokens: &Tokens, budget: Option<&Window>) -> Result<Update, Error> {
        let update = self.update_once(&chat, tokens)?;
        self.encoded = update.encoded;
        let over = budget.filter(|budget| self.ids().len() > budget.budget() && self.counted > 0);
        let Some(budget) = over else { return Ok(update) };
        // What was sampled can be more ids than a tokenizer makes of its text: the window is to count as many.
        let (counted, ids) = (self.counted, self.ids().len());
        let scaled = |tokens: usize| tokens.saturating_mul(counted) / ids;
        self.window = Some(Window::new(scaled(budget.budget())).with_low_water(scaled(budget.low_water())));
        let update = self.update_once(&chat, tokens)?;
        self.encoded += update.encoded;
        Ok(update)
    }

    fn update_once(&mut self, chat: &Chat<'static>, tokens: &Tokens) -> Result<Update, Error> {
        let Session { layout, conversation, window, .. } = self;
        let (update, kept) = within(window.as_mut(), chat, layout, tokens, |chat| conversation.update(chat))?;
        (self.dropped, self.counted) = (kept.dropped, kept.count);
        Ok(update)
    }

    /// How many messages of the client's chat the model does not read.
    pub fn left_out(&self) -> usize {
        self.dropped.len()
    }

    /// The ids that the model is to read.
    pub fn ids(&self) -> &[u32] {
        self.conversation.ids()
    }

    /// Takes the answer, and the ids that the model sampled.
    pub fn reply(&mut self, message: AssistantMessage<'static>, sampled: &[u32]) {
        self.conversation.reply(message, sampled);
    }

    /// How many messages a chat begins with that this conversation has; none before the first user message. Replies
    /// are compared when it goes on.
    fn shared(&self, chat: &Chat<'_>) -> usize {
        let is_same = |(one, other): &(&Message<'_>, &Message<'_>)| {
            one == other || (one.role(), other.role()) == (Role::Assistant, Role::Assistant)
        };
        let known = &self.conversation.chat().messages;
        let mut dropped = self.dropped.iter().peekable();
        let kept = chat.messages.iter().enumerate().filter(|(index, _)| dropped.next_if_eq(&index).is_none());
        let kept = kept.map(|(_, message)| message);
        let shared = known.iter().zip(kept).take_while(is_same).count();
        let is_asked = known.iter().take(shared).any(|message| message.role() == Role::User);
        if is_asked { shared } else { 0 }
    }
}
