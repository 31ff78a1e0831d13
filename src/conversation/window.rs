//! [`Window`]: a budget for a conversation that goes on, whose cut moves rarely.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};

use super::echo::fingerprint;
use super::fit::{Fitted, Totals, cuts};
use crate::chat::{Chat, Message, Role, Turn};
use crate::error::Error;
use crate::layout::Layout;
use crate::prompt::Segment;
use crate::render::CheckedChat;

/// The end of a conversation that is within a budget, turn by turn.
///
/// [`Chat::fit`] cuts no more than it has to, so that a conversation at its budget is cut elsewhere in each turn, and a
/// prefix cache keeps nothing behind the cut. A window cuts down to a low-water mark once the budget is passed, and keeps
/// the cut until it is passed again. It also keeps the counts: a turn counts only the segments that are new.
///
/// ```
/// use mistral_chat_template::conversation::Window;
/// use mistral_chat_template::{Chat, Layout, Message};
///
/// let mut window = Window::new(40).with_low_water(20);
/// let (mut chat, mut dropped) = (Chat::default(), Vec::new());
/// for turn in 0..20 {
///     chat.messages.push(Message::user(format!("question {turn}")));
///     let fitted = window.fit(&chat, &Layout::V13, |_| 1)?;
///     assert!(fitted.count <= 40);
///     dropped.push(fitted.dropped.len());
///     chat.messages.push(Message::assistant("answer"));
/// }
/// assert_eq!(dropped, [0, 0, 0, 0, 0, 0, 0, 0, 10, 10, 10, 10, 10, 20, 20, 20, 20, 20, 30, 30]);
/// # Ok::<(), mistral_chat_template::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Window {
    budget: usize,
    low_water: usize,
    cut: Option<Cut>,
    /// What the segments count that the last prompt had.
    counts: HashMap<Key, usize>,
    hasher: RandomState,
}

/// The first message behind the cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Cut {
    message: usize,
    fingerprint: u64,
}

/// A segment by its hash and its length.
type Key = (u64, usize);

impl Window {
    /// A window of at most `budget` tokens, which is cut down to half of them.
    ///
    /// ```
    /// use mistral_chat_template::conversation::Window;
    ///
    /// let window = Window::new(8192);
    /// assert_eq!((window.budget(), window.low_water()), (8192, 4096));
    /// ```
    #[must_use]
    pub fn new(budget: usize) -> Self {
        Window { budget, low_water: budget / 2, cut: None, counts: HashMap::new(), hasher: RandomState::new() }
    }

    /// This window, cut down to at most `low_water` tokens: the lower, the rarer the cut moves, and the less stays.
    ///
    /// ```
    /// use mistral_chat_template::conversation::Window;
    ///
    /// assert_eq!(Window::new(8192).with_low_water(6000).low_water(), 6000);
    /// ```
    #[must_use]
    pub const fn with_low_water(mut self, low_water: usize) -> Self {
        self.low_water = if low_water < self.budget { low_water } else { self.budget };
        self
    }

    /// The largest count of a prompt.
    #[must_use]
    pub const fn budget(&self) -> usize {
        self.budget
    }

    /// What a prompt counts at most when the cut has moved, if what has to stay allows it.
    #[must_use]
    pub const fn low_water(&self) -> usize {
        self.low_water
    }

    /// The whole chat of a turn without its oldest exchanges, those that were left out before and, where the prompt is over
    /// the budget, as many more as bring it down to the low-water mark.
    ///
    /// What goes and what stays is as in [`Chat::fit`], and so is the count, which has to depend on the segment alone.
    /// Where the message behind the cut is no longer what it was, the chat is cut anew.
    ///
    /// # Errors
    ///
    /// As [`Chat::fit`], with paths in the chat that was given. The window stays as it was.
    ///
    /// ```
    /// use mistral_chat_template::conversation::Window;
    /// use mistral_chat_template::{Chat, Conversation, Layout, Message};
    ///
    /// let chat = Chat::new([Message::user("Hi"), Message::assistant("Hello!"), Message::user("Bye")]);
    /// let mut window = Window::new(4);
    /// let fitted = window.fit(&chat, &Layout::V3, |_| 1)?;
    /// let conversation = Conversation::without_ids(fitted.into_chat(), &Layout::V3)?;
    /// assert_eq!(conversation.prompt().as_str(), "<s>[INST] Bye[/INST]");
    ///
    /// let error = Window::new(3).fit(&chat, &Layout::V3, |_| 1).unwrap_err();
    /// assert_eq!(error.to_string(), "what has to stay in the prompt is 1 over the budget (v3)");
    /// # Ok::<(), mistral_chat_template::Error>(())
    /// ```
    pub fn fit<'c>(
        &mut self,
        chat: &'c Chat<'_>,
        layout: &Layout,
        mut count: impl FnMut(Segment<'_>) -> usize,
    ) -> Result<Fitted<'c>, Error> {
        let mut counts = HashMap::with_capacity(self.counts.len());
        let mut counted = |segment: Segment<'_>| {
            let key = (self.hasher.hash_one(segment), length(segment));
            *counts.entry(key).or_insert_with(|| self.counts.get(&key).copied().unwrap_or_else(|| count(segment)))
        };
        let (fitted, cut) = self.cut(chat, layout, &mut counted)?;
        (self.cut, self.counts) = (cut, counts);
        Ok(fitted)
    }

    /// As [`fit`](Window::fit), counting each segment, without keeping the new cut.
    fn cut<'c>(
        &self,
        chat: &'c Chat<'_>,
        layout: &Layout,
        count: &mut impl FnMut(Segment<'_>) -> usize,
    ) -> Result<(Fitted<'c>, Option<Cut>), Error> {
        let conversation = CheckedChat::new(chat, layout)?;
        let mut cuts = cuts(&conversation);
        let first = self.turn_of_cut(&conversation).and_then(|turn| cuts.iter().position(|cut| *cut == turn));
        cuts.drain(..first.unwrap_or_default());
        let from = cuts.first().copied().unwrap_or_default();
        let mut totals = Totals::new(conversation, from, count);
        let total = totals.of(from);
        let (cut, total) = if total <= self.budget {
            (from, total)
        } else if let Some(found) = totals.first_within(&cuts, self.low_water) {
            found
        } else {
            // What has to stay may be over the mark and within the budget.
            let last = cuts.last().copied().unwrap_or_default();
            match totals.of(last) {
                total if total <= self.budget => (last, total),
                _ => return Err(totals.over_budget(&cuts, self.budget)),
            }
        };
        let message = totals.conversation.turns.get(cut).map_or(0, |turn| turn.messages.start);
        let fitted = totals.fitted(chat, cut, total);
        let behind = chat.messages.get(message).filter(|_| !fitted.dropped.is_empty());
        let cut = behind.map(|behind| Cut { message, fingerprint: fingerprint(behind) });
        Ok((fitted, cut))
    }

    /// Moves the cut for a prompt that is over the budget, and says what more is left out of a chat without what was left
    /// out before.
    pub(super) fn move_cut(
        &mut self,
        chat: &Chat<'_>,
        layout: &Layout,
        mut count: impl FnMut(Segment<'_>) -> usize,
    ) -> Result<Vec<usize>, Error> {
        self.cut = None;
        let (fitted, cut) = self.cut(chat, layout, &mut count)?;
        self.cut = cut;
        Ok(fitted.dropped)
    }

    /// Says where the cut is in the chat that was given, of which these messages are left out, `more` of them now.
    pub(super) fn move_behind(&mut self, dropped: &[usize], more: usize) {
        if let Some(cut) = &mut self.cut {
            cut.message += dropped.len().saturating_sub(more);
        }
    }

    /// What is left out of a chat as long as the cut stays, where the chat still has the message behind it.
    pub(super) fn left_out(&self, chat: &Chat<'_>) -> Option<Vec<usize>> {
        let Cut { message, fingerprint: known } = self.cut?;
        let (before, behind) = chat.messages.split_at_checked(message)?;
        let is_user = |message: &Message<'_>| message.role() == Role::User;
        let begins_turn = !before.last().is_some_and(is_user);
        let is_behind = |first: &Message<'_>| begins_turn && is_user(first) && fingerprint(first) == known;
        behind.first().filter(|first| is_behind(first))?;
        let is_dropped = |index: &usize| before.get(*index).is_some_and(|it| it.role() != Role::System);
        Some((0..message).filter(is_dropped).collect())
    }

    /// The turn behind the cut, where the chat still has it.
    fn turn_of_cut(&self, conversation: &CheckedChat<'_, '_>) -> Option<usize> {
        let Cut { message, fingerprint: known } = self.cut?;
        let behind = conversation.chat.messages.get(message)?;
        (fingerprint(behind) == known).then_some(())?;
        let is_behind = |turn: &Turn| turn.messages.start == message && !turn.messages.is_empty();
        conversation.turns.iter().position(is_behind)
    }
}

/// How long a text is.
const fn length(segment: Segment<'_>) -> usize {
    match segment {
        Segment::Text(text) => text.len(),
        Segment::Control(_) | Segment::Media(_) => 0,
    }
}
