//! A client's whole chat: what of it a conversation has already, and what it goes on with.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::echo::{is_echo, matches, take_ids};
use super::fit::in_given;
use super::growing::{GrowingPrompt, same_runs};
use super::ids::SampledTurns;
use super::update::{Update, all_moves};
use super::{Conversation, said};
use crate::chat::{AssistantMessage, Chat, Message, Role, ToolChoice};
use crate::error::Error;
use crate::prompt::{Place, Tokenizer};

impl<'a, T: Tokenizer> Conversation<'a, T> {
    /// Makes it the conversation of a chat that a client sent whole: with the reply as it kept it, and what comes next.
    ///
    /// A reply is recognised although the client wrote its arguments anew, left its thinking out, or sent `null` for
    /// nothing; it stays as it was sampled. Where the chat begins with what was there, the rest is
    /// [appended](Conversation::append). Where it does not (the client took a message back, a budget left one out, the tools are
    /// others), the ids part there, and those of what is the same behind it are used again.
    ///
    /// # Errors
    ///
    /// As [`append`](Conversation::append); the path is one of the chat that was given. Nothing is changed then.
    ///
    /// ```
    /// use mistral_chat_template::{Chat, Conversation, Layout, Message};
    /// use mistral_chat_template::prompt::BreakCause;
    ///
    /// let mut messages = vec![Message::user("Hi")];
    /// let mut conversation = Conversation::without_ids(Chat::new(messages.clone()), &Layout::V7)?;
    ///
    /// messages.extend([Message::assistant("Hello!"), Message::user("Bye")]);
    /// let update = conversation.update(Chat::new(messages.clone()))?;
    /// assert_eq!(&conversation.prompt().as_str()[update.start..], " Hello!</s>[INST] Bye[/INST]");
    ///
    /// messages[2] = Message::user("How are you?");
    /// let update = conversation.update(Chat::new(messages))?;
    /// assert_eq!(update.prefix_break.map(|it| it.cause), Some(BreakCause::MessageChanges));
    /// assert_eq!(&conversation.prompt().as_str()[update.start..], " How are you?[/INST]");
    /// # Ok::<(), mistral_chat_template::Error>(())
    /// ```
    pub fn update(&mut self, chat: Chat<'a>) -> Result<Update, Error> {
        let updated = self.update_of(&chat, &Moved)?;
        self.prompt.take_sent(chat.sent);
        Ok(updated)
    }

    /// As [`update`](Conversation::update), of a chat that is the caller's, such as one that borrows from a request's
    /// body: only what is new is copied.
    ///
    /// What a layout does not read, [`Chat::sent`], is not kept.
    ///
    /// # Errors
    ///
    /// As [`update`](Conversation::update).
    ///
    /// ```
    /// use mistral_chat_template::{Chat, Conversation, Layout, Message};
    ///
    /// let mut conversation: Conversation<'static> =
    ///     Conversation::without_ids(Chat::new([Message::user("Hi")]), &Layout::V7)?;
    /// let body = String::from(r#"{"messages": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello!"},
    ///     {"role": "user", "content": "Bye"}]}"#);
    /// conversation.update_from(&Chat::from_json(&body)?)?;
    /// drop(body);
    /// assert_eq!(conversation.prompt().as_str(), "<s>[INST] Hi[/INST] Hello!</s>[INST] Bye[/INST]");
    /// # Ok::<(), mistral_chat_template::Error>(())
    /// ```
    pub fn update_from(&mut self, chat: &Chat<'_>) -> Result<Update, Error> {
        self.update_of(chat, &Copied)
    }

    /// How many messages this conversation has at the beginning of a chat, the reply as its client kept it among them.
    /// Those that a [window](Conversation::with_window) leaves out are not counted.
    ///
    /// ```
    /// use mistral_chat_template::{Chat, Conversation, Layout, Message};
    ///
    /// let hi = || Message::user("Hi");
    /// let conversation = Conversation::without_ids(Chat::new([hi(), Message::assistant("Hello!"), Message::user("Bye")]), &Layout::V7)?;
    /// assert_eq!(conversation.shared(&Chat::new([hi(), Message::assistant("Hello!"), Message::user("And?")])), 2);
    /// assert_eq!(conversation.shared(&Chat::new([Message::user("Bye")])), 0);
    /// # Ok::<(), mistral_chat_template::Error>(())
    /// ```
    #[must_use]
    pub fn shared(&self, chat: &Chat<'_>) -> usize {
        self.same(&Given { chat, dropped: &self.left_out(chat) })
    }

    /// Does a chat go on with this conversation: has it all of its messages, and the same tools and settings?
    ///
    /// Another one that begins the same, or in which the client took a message back, does not; a server that keeps this
    /// conversation as well [updates](Conversation::update) a clone of it then.
    ///
    /// ```
    /// use mistral_chat_template::{Chat, Conversation, Layout, Message};
    ///
    /// let mut messages = vec![Message::user("Hi"), Message::assistant("Hello!"), Message::user("Bye")];
    /// let conversation = Conversation::without_ids(Chat::new(messages.clone()), &Layout::V7)?;
    /// messages.push(Message::assistant("Bye!"));
    /// messages.push(Message::user("Are you there?"));
    /// assert!(conversation.goes_on(&Chat::new(messages.clone())));
    /// messages[2] = Message::user("How are you?");
    /// assert!(!conversation.goes_on(&Chat::new(messages)));
    /// # Ok::<(), mistral_chat_template::Error>(())
    /// ```
    #[must_use]
    pub fn goes_on(&self, chat: &Chat<'_>) -> bool {
        self.prompt.same_beside_messages(chat)
            && self.same(&Given { chat, dropped: &self.left_out(chat) }) == self.known_count()
    }

    /// Takes in a chat, without what the window leaves out of it.
    fn update_of<'g>(&mut self, chat: &Chat<'g>, own: &impl Own<'g, 'a>) -> Result<Update, Error> {
        let dropped = self.left_out(chat);
        let given = Given { chat, dropped: &dropped };
        let updated = self.update_messages(&given, own).map_err(|error| in_given(error, &dropped))?;
        self.dropped = dropped;
        self.sent = None;
        self.within_window(updated)
    }

    /// Takes in the messages of a chat that are within the window.
    pub(super) fn update_messages<'g>(
        &mut self,
        given: &Given<'_, 'g>,
        own: &impl Own<'g, 'a>,
    ) -> Result<Update, Error> {
        let (known, same, chat) = (self.known_count(), self.same(given), given.chat);
        if same < known || !self.prompt.same_beside_messages(chat) {
            return self.replace(own.chat(given), same);
        }
        if self.reply.is_some() && given.len() == known && is_prefix(chat.messages.last()) {
            if self.is_closed()? {
                return self.replace(own.chat(given), same);
            }
            self.ended = None;
            self.prompt.take_unprinted(own.choice(chat), chat.parallel_tool_calls);
            return Ok(self.nothing_new());
        }
        let echoed = known.checked_sub(1).and_then(|last| given.messages().nth(last));
        let updated = self.go_on(echoed, given.messages().skip(known), own)?;
        self.prompt.take_unprinted(own.choice(chat), chat.parallel_tool_calls);
        Ok(updated)
    }

    /// Appends what comes after a reply that a client sent back.
    pub(super) fn go_on<'c, 'g: 'c>(
        &mut self,
        echoed: Option<&Message<'g>>,
        new: impl Iterator<Item = &'c Message<'g>> + Clone,
        own: &impl Own<'g, 'a>,
    ) -> Result<Update, Error> {
        let owned = || new.clone().map(|message| own.message(message));
        let (Some(reply), Some(Message::Assistant(as_kept))) = (&mut self.reply, echoed) else {
            return self.append(owned());
        };
        let sampled = reply.message.clone();
        take_ids(&mut reply.message, as_kept, |id| own.text(id));
        if let Ok(update) = self.append(owned()) {
            return Ok(update);
        }
        // What the model said may be nothing that the layout takes; what the client made of it may be.
        if let (Some(reply), Some(Message::Assistant(echoed))) = (&mut self.reply, echoed.map(|it| own.message(it))) {
            reply.message = AssistantMessage { prefix: false, ..echoed };
        }
        let updated = self.append(owned());
        if let Some(reply) = &mut self.reply {
            reply.message = sampled;
        }
        updated
    }

    /// How many messages the conversation has, with the reply.
    fn known_count(&self) -> usize {
        self.reply.as_ref().map_or(self.chat().messages.len(), |reply| reply.before + 1)
    }

    /// How many messages are those of the conversation, from the first on.
    fn same(&self, given: &Given<'_, '_>) -> usize {
        let known = given.messages().enumerate().take(self.known_count());
        known.take_while(|(at, message)| self.is_known(*at, message)).count()
    }

    /// Is a message of a client's chat that of the conversation, or its echo?
    pub(super) fn is_known(&self, at: usize, message: &Message<'_>) -> bool {
        if let Some(reply) = self.reply.as_ref().filter(|reply| reply.before == at) {
            return is_echo(&reply.message, message);
        }
        self.chat().messages.get(at).is_some_and(|known| match known {
            Message::Assistant(reply) if known != message => self.was_sampled(at) && is_echo(reply, message),
            _ => known == message,
        })
    }

    /// Is a message of a turn that was sampled?
    fn was_sampled(&self, at: usize) -> bool {
        let first = self.turns.range(..=at).next_back().map(|(first, _)| *first);
        let messages = first.and_then(|first| self.chat().messages.get(first..=at)).unwrap_or_default();
        !messages.is_empty() && messages.iter().all(|message| message.role() == Role::Assistant)
    }

    /// Has the reply come to its end?
    fn is_closed(&self) -> Result<bool, Error> {
        let end = self.end_of_reply()?;
        let said = self.reply.as_ref().and_then(|reply| self.ids.get(reply.start..)).unwrap_or_default();
        Ok(!end.is_empty() && said.ends_with(&end))
    }

    fn nothing_new(&self) -> Update {
        let (ids, segments) = (self.ids.len(), self.parts.len());
        Update {
            kept: ids,
            new_ids: ids..ids,
            new_segments: segments..segments,
            start: self.prompt().as_str().len(),
            moves: all_moves(ids, ids, Vec::new()),
            ..Update::default()
        }
    }

    /// Makes it the conversation of a chat of whose messages the first are the `same`.
    fn replace(&mut self, chat: Chat<'a>, same: usize) -> Result<Update, Error> {
        let open = self.ids.len();
        self.close()?;
        let reply_message = self.reply.as_ref().map(|reply| Message::Assistant(said(&reply.message)));
        let known = self.chat().messages.iter().take(self.reply.as_ref().map_or(usize::MAX, |it| it.before));
        let known: Vec<_> = known.chain(&reply_message).collect();
        let known_of = matches(&known, &chat.messages, same, |at, message| self.is_known(at, message));
        let (mut messages, mut turns) = (chat.messages.clone(), BTreeMap::new());
        for (at, message) in messages.iter_mut().enumerate() {
            let Some(known_at) = known_of.get(at).copied().flatten() else { continue };
            let of_reply = self.reply.as_ref().filter(|reply| reply.before == known_at);
            let turn = match of_reply {
                Some(reply) => (reply.first == known_at).then(|| self.turn_of(reply)),
                None => self.turns.get(&known_at).cloned(),
            };
            if let (Some(turn), Message::Assistant(echoed), false) = (turn, &*message, is_prefix(Some(message))) {
                let mut own = known.get(known_at).copied().cloned();
                if let Some(Message::Assistant(own)) = &mut own {
                    take_ids(own, echoed, Cow::clone);
                }
                *message = own.unwrap_or_else(|| message.clone());
                turns.insert(at, turn);
            }
        }
        let replaced = GrowingPrompt::new(Chat { messages, ..chat.clone() }, self.layout());
        let replaced = replaced.or_else(|_| GrowingPrompt::new(chat, self.layout()));
        let known_of = |message: usize| known_of.get(message).copied().flatten();
        let updated = replaced.and_then(|prompt| self.replace_prompt(prompt, turns, known_of, open));
        if updated.is_err() {
            let reply = self.reply.take();
            self.reopen(open, reply);
        }
        updated
    }

    fn replace_prompt(
        &mut self,
        prompt: GrowingPrompt<'a>,
        turns: SampledTurns,
        known_of: impl Fn(usize) -> Option<usize>,
        open: usize,
    ) -> Result<Update, Error> {
        let earlier = std::mem::replace(&mut self.prompt, prompt);
        let earlier_turns = std::mem::replace(&mut self.turns, turns);
        match self.assemble(Place::default(), 0, (earlier.prompt(), earlier.chat()), known_of) {
            Ok(assembled) => {
                self.reply = None;
                let stays = same_runs(earlier.prompt(), self.prompt().runs_from(Place::default()));
                let prefix_break = self.prompt.prefix_break(earlier.chat());
                Ok(self.take_in(assembled, (Place::default(), 0, stays), open, prefix_break))
            }
            Err(error) => {
                (self.prompt, self.turns) = (earlier, earlier_turns);
                Err(error)
            }
        }
    }
}

pub(super) fn is_prefix(message: Option<&Message<'_>>) -> bool {
    matches!(message, Some(Message::Assistant(AssistantMessage { prefix: true, .. })))
}

/// A chat that is given, and which of its messages the window leaves out of it.
pub(super) struct Given<'c, 'g> {
    pub(super) chat: &'c Chat<'g>,
    pub(super) dropped: &'c [usize],
}

impl<'c, 'g> Given<'c, 'g> {
    fn len(&self) -> usize {
        self.chat.messages.len().saturating_sub(self.dropped.len())
    }

    fn messages(&self) -> impl Iterator<Item = &'c Message<'g>> + Clone + use<'c, 'g> {
        let mut dropped = self.dropped.iter().peekable();
        let kept = self.chat.messages.iter().enumerate().filter(move |(at, _)| dropped.next_if_eq(&at).is_none());
        kept.map(|(_, message)| message)
    }
}

/// These messages, with what a chat has beside its own.
fn with_messages<'g>(beside: &Chat<'g>, messages: Vec<Message<'g>>) -> Chat<'g> {
    let Chat {
        messages: _,
        tools,
        tool_choice,
        parallel_tool_calls,
        reasoning_effort,
        response_format,
        model,
        sent: _,
    } = beside;
    Chat {
        messages,
        tools: tools.clone(),
        tool_choice: tool_choice.clone(),
        parallel_tool_calls: *parallel_tool_calls,
        reasoning_effort: *reasoning_effort,
        response_format: response_format.clone(),
        model: model.clone(),
        sent: None,
    }
}

/// How a conversation takes what is new of a chat that is given.
pub(super) trait Own<'g, 'a> {
    #[expect(clippy::ptr_arg, reason = "what is borrowed from the request stays borrowed")]
    fn text(&self, text: &Cow<'g, str>) -> Cow<'a, str>;
    fn message(&self, message: &Message<'g>) -> Message<'a>;
    fn choice(&self, beside: &Chat<'g>) -> ToolChoice<'a>;
    /// The chat without what is left out.
    fn chat(&self, given: &Given<'_, 'g>) -> Chat<'a>;
}

/// It lives as long as the conversation.
pub(super) struct Moved;

impl<'a> Own<'a, 'a> for Moved {
    fn text(&self, text: &Cow<'a, str>) -> Cow<'a, str> {
        text.clone()
    }

    fn message(&self, message: &Message<'a>) -> Message<'a> {
        message.clone()
    }

    fn choice(&self, beside: &Chat<'a>) -> ToolChoice<'a> {
        beside.tool_choice.clone()
    }

    fn chat(&self, given: &Given<'_, 'a>) -> Chat<'a> {
        with_messages(given.chat, given.messages().map(|message| self.message(message)).collect())
    }
}

/// It does not, and is copied.
pub(super) struct Copied;

impl<'g, 'a> Own<'g, 'a> for Copied {
    fn text(&self, text: &Cow<'g, str>) -> Cow<'a, str> {
        Cow::Owned(text.clone().into_owned())
    }

    fn message(&self, message: &Message<'g>) -> Message<'a> {
        message.view().into_owned()
    }

    fn choice(&self, beside: &Chat<'g>) -> ToolChoice<'a> {
        beside.tool_choice.clone().into_owned()
    }

    fn chat(&self, given: &Given<'_, 'g>) -> Chat<'a> {
        with_messages(given.chat, given.messages().map(Message::view).collect()).into_owned()
    }
}
