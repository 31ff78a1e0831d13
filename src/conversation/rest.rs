//! [`Rest`]: what of a request is left to read where its beginning is the request before, byte for byte.

use super::update::Update;
use super::whole_chat::{Copied, is_prefix};
use super::{Conversation, Reply};
use crate::chat::Dialect;
use crate::chat::request::{MessagesSpan, messages_span};
use crate::prompt::Tokenizer;
use crate::repair::Mended;

/// The request that a conversation was made of, as far as its messages go.
#[derive(Clone, Debug)]
pub(super) struct SentRequest {
    /// Up to the end of its last message.
    text: String,
    /// Where its first message may begin.
    start: usize,
    messages: usize,
    dialect: Dialect,
}

/// A request without the messages that a conversation has read: see [`Conversation::rest`].
#[derive(Clone, Debug)]
pub struct Rest<'b> {
    body: &'b str,
    json: String,
    /// How many bytes of the body are not in it.
    left_out: usize,
}

impl Rest<'_> {
    /// The request's JSON, whose messages are those that are new.
    ///
    /// ```
    /// use mistral_chat_template::repair::RepairPolicy;
    /// use mistral_chat_template::{Conversation, Dialect, Layout, Request};
    ///
    /// let first = r#"{"messages": [{"role": "user", "content": "Hi"}], "seed": 1}"#;
    /// let mended = Request::repair(first, Dialect::OpenAi, &Layout::V7, &RepairPolicy::default())?;
    /// let mut conversation = Conversation::without_ids(mended.request.chat.clone(), &Layout::V7)?;
    /// conversation.remember(first, &mended);
    ///
    /// let next = r#"{"messages": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello!"},
    ///     {"role": "user", "content": "Bye"}], "seed": 2}"#;
    /// let rest = conversation.rest(next).unwrap();
    /// assert!(rest.as_str().starts_with(r#"{"messages": [ {"role": "assistant", "content": "Hello!"},"#));
    /// # Ok::<(), mistral_chat_template::Error>(())
    /// ```
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.json
    }
}

impl<'a, T: Tokenizer> Conversation<'a, T> {
    /// Remembers the request that this conversation was made of or [updated](Conversation::update_from) with last, so
    /// that of the next one only the [rest](Conversation::rest) has to be read. It costs a copy of the body's text.
    ///
    /// Nothing is remembered of a request that was repaired, or of whose messages something was ignored: those are
    /// to be reported of the next one as well, and so it has to be read.
    pub fn remember(&mut self, body: &str, mended: &Mended<'_>) {
        self.sent = self.as_sent(body, mended);
    }

    fn as_sent(&self, body: &str, mended: &Mended<'_>) -> Option<SentRequest> {
        let Mended { request, repairs } = mended;
        let is_read_as_it_is = repairs.is_empty() && request.dialect.is_completions() && !of_messages(&request.ignored);
        let MessagesSpan { start, end, messages } = messages_span(body).filter(|_| is_read_as_it_is)?;
        if self.reply.is_some() || messages != self.given_count() || messages != request.chat.messages.len() {
            return None;
        }
        Some(SentRequest { text: body.get(..end)?.to_owned(), start, messages, dialect: request.dialect })
    }

    /// What is left to read of a request that goes on where the one before ended: the same bytes up to the end of its last
    /// message, and more messages behind it, as chat-completion clients send them. Otherwise `None`.
    ///
    /// A long conversation costs a comparison of bytes then, instead of being read, mended and compared message by
    /// message:
    ///
    /// ```
    /// use mistral_chat_template::repair::RepairPolicy;
    /// use mistral_chat_template::{Conversation, Dialect, Error, Layout, Request};
    ///
    /// fn take_in(conversation: &mut Conversation<'static>, body: &str) -> Result<(), Error> {
    ///     if let Some(rest) = conversation.rest(body)
    ///         && let Ok(mended) = Request::mend(rest.as_str(), Dialect::OpenAi)
    ///         && conversation.update_rest(&rest, &mended).is_some()
    ///     {
    ///         return Ok(());
    ///     }
    ///     let mended = Request::repair(body, Dialect::OpenAi, conversation.layout(), &RepairPolicy::default())?;
    ///     conversation.update_from(&mended.request.chat)?;
    ///     conversation.remember(body, &mended);
    ///     Ok(())
    /// }
    ///
    /// let body = |more: &str| format!(r#"{{"messages": [{{"role": "user", "content": "Hi"}}{more}], "model": "m"}}"#);
    /// let first = body("");
    /// let mended = Request::repair(&first, Dialect::OpenAi, &Layout::V7, &RepairPolicy::default())?;
    /// let mut conversation = Conversation::without_ids(mended.request.chat.clone().into_owned(), &Layout::V7)?;
    /// conversation.remember(&first, &mended);
    ///
    /// let next = r#",{"role": "assistant", "content": "Hello!"},{"role": "user", "content": "Bye"}"#;
    /// assert!(conversation.rest(&body(next)).is_some());
    /// take_in(&mut conversation, &body(next))?;
    /// assert_eq!(conversation.prompt().as_str(), "<s>[INST] Hi[/INST] Hello!</s>[INST] Bye[/INST]");
    ///
    /// let last = r#",{"role": "assistant", "content": "Hello?"},{"role": "user", "content": "Bye"}"#;
    /// assert!(conversation.rest(&body(last)).is_none(), "another reply");
    /// take_in(&mut conversation, &body(last))?;
    /// assert_eq!(conversation.prompt().as_str(), "<s>[INST] Hi[/INST] Hello?</s>[INST] Bye[/INST]");
    /// # Ok::<(), Error>(())
    /// ```
    #[must_use]
    pub fn rest<'b>(&self, body: &'b str) -> Option<Rest<'b>> {
        let sent = self.sent.as_ref()?;
        let new = body.strip_prefix(&*sent.text)?.trim_start_matches([' ', '\t', '\r', '\n']).strip_prefix(',')?;
        let json = [sent.text.get(..sent.start)?, new].concat();
        Some(Rest { body, left_out: body.len().checked_sub(json.len())?, json })
    }

    /// As [`update_from`](Conversation::update_from), of the [rest](Conversation::rest) of a request, which
    /// [`Request::mend`](crate::Request::mend) has read.
    ///
    /// The request has to be read as a whole where this gives nothing: what is new does not go on with the
    /// conversation (another reply than the one that was sampled, other tools), was mended, or is refused. Reading the
    /// whole request finds out why. Nothing is changed then, except where a [window](Conversation::with_window) cannot be
    /// cut enough, which the update of the whole request says.
    pub fn update_rest(&mut self, rest: &Rest<'_>, mended: &Mended<'_>) -> Option<Update> {
        let sent = self.sent.take()?;
        let grown = self.grown(&sent, rest, mended);
        let updated = grown.as_ref().and_then(|_| self.update_with_new(mended));
        self.sent = match grown.filter(|_| updated.is_some()) {
            Some(grown) => grown.onto(sent, rest.body),
            None => Some(sent).filter(|sent| sent.messages == self.given_count()),
        };
        updated
    }

    /// How many messages the chat had that was given last.
    fn given_count(&self) -> usize {
        self.chat().messages.len() + self.dropped.len()
    }

    /// How a remembered request grows by a rest, where that is its messages alone, and read as it is.
    fn grown(&self, sent: &SentRequest, rest: &Rest<'_>, mended: &Mended<'_>) -> Option<Grown> {
        let Mended { request, repairs } = mended;
        let is_mended = repairs.iter().any(|repair| is_of_messages(&repair.at));
        let MessagesSpan { start, end, messages } = messages_span(&rest.json)?;
        let goes_on = start == sent.start
            && request.dialect == sent.dialect
            && !is_mended
            && !of_messages(&request.ignored)
            && messages == request.chat.messages.len();
        goes_on.then(|| Grown { end: end + rest.left_out, messages: sent.messages + messages })
    }

    /// Takes in messages that follow those of the conversation and its reply.
    fn update_with_new(&mut self, mended: &Mended<'_>) -> Option<Update> {
        let chat = &mended.request.chat;
        let is_whole = |reply: &Reply<'_>| reply.before == self.chat().messages.len();
        if !self.reply.as_ref().is_none_or(is_whole)
            || self.prompt.open_turn().is_some()
            || !self.prompt.same_beside_messages(chat)
        {
            return None;
        }
        let (echo, new) = chat.messages.split_at_checked(usize::from(self.reply.is_some()))?;
        let is_kept = |echo| !is_prefix(Some(echo)) && self.is_known(self.chat().messages.len(), echo);
        if !echo.iter().all(is_kept) {
            return None;
        }
        let updated = self.go_on(echo.first(), new.iter(), &Copied).ok()?;
        self.prompt.take_unprinted(chat.tool_choice.clone().into_owned(), chat.parallel_tool_calls);
        self.within_window(updated).ok()
    }
}

/// How far a remembered request goes, once it has grown.
struct Grown {
    end: usize,
    messages: usize,
}

impl Grown {
    fn onto(self, mut sent: SentRequest, body: &str) -> Option<SentRequest> {
        sent.text.push_str(body.get(sent.text.len()..self.end)?);
        Some(SentRequest { messages: self.messages, ..sent })
    }
}

fn of_messages(paths: &[String]) -> bool {
    paths.iter().any(|path| is_of_messages(path))
}

/// Is a path one of a message? What is mended or ignored of the whole request has no such path.
fn is_of_messages(path: &str) -> bool {
    path.is_empty() || path.starts_with("messages")
}
