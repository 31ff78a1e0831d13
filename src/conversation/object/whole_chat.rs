//! A client's whole chat: what of it a conversation has already, and what it goes on with.

use std::collections::BTreeMap;

use super::{Conversation, said};
use crate::chat::{AssistantMessage, Chat, Message, Role};
use crate::conversation::echo::{is_echo, matches, take_ids};
use crate::conversation::growing::{GrowingPrompt, same_runs};
use crate::conversation::ids::SampledTurns;
use crate::conversation::update::{Update, all_moves};
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
    pub fn update(&mut self, mut chat: Chat<'a>) -> Result<Update, Error> {
        let known = self.known_count();
        let is_known = |(at, message): &(usize, &Message<'_>)| self.is_known(*at, message);
        let same = chat.messages.iter().enumerate().take(known).take_while(is_known).count();
        if same < known || !self.prompt.same_beside_messages(&chat) {
            return self.replace(chat, same);
        }
        if self.reply.is_some() && chat.messages.len() == known && is_prefix(chat.messages.last()) {
            if self.is_closed()? {
                return self.replace(chat, same);
            }
            self.ended = None;
            return Ok(self.nothing_new());
        }
        let new = chat.messages.split_off(known);
        let echoed = self.reply.as_ref().and_then(|_| chat.messages.pop());
        let updated = self.go_on(echoed, new)?;
        self.prompt.take_unprinted(chat);
        Ok(updated)
    }

    /// Appends what comes after a reply that a client sent back.
    fn go_on(&mut self, echoed: Option<Message<'a>>, new: Vec<Message<'a>>) -> Result<Update, Error> {
        let (Some(reply), Some(Message::Assistant(echoed))) = (&mut self.reply, echoed) else {
            return self.append(new);
        };
        let sampled = reply.message.clone();
        take_ids(&mut reply.message, &echoed);
        if let Ok(update) = self.append(new.clone()) {
            return Ok(update);
        }
        // What the model said may be nothing that the layout takes; what the client made of it may be.
        if let Some(reply) = &mut self.reply {
            reply.message = AssistantMessage { prefix: false, ..echoed };
        }
        let updated = self.append(new);
        if let Some(reply) = &mut self.reply {
            reply.message = sampled;
        }
        updated
    }

    /// How many messages the conversation has, with the reply.
    fn known_count(&self) -> usize {
        self.reply.as_ref().map_or(self.chat().messages.len(), |reply| reply.before + 1)
    }

    /// Is a message of a client's chat that of the conversation, or its echo?
    fn is_known(&self, at: usize, message: &Message<'_>) -> bool {
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
                    take_ids(own, echoed);
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

fn is_prefix(message: Option<&Message<'_>>) -> bool {
    matches!(message, Some(Message::Assistant(AssistantMessage { prefix: true, .. })))
}
