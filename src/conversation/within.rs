//! A conversation within a [`Window`]: its oldest exchanges go when its ids are more than the budget.

use std::collections::HashMap;

use super::fit::in_given;
use super::update::Update;
use super::whole_chat::{Given, Moved};
use super::window::Window;
use super::{Conversation, EndedRow};
use crate::chat::Chat;
use crate::error::Error;
use crate::prompt::{Segment, Tokenizer};

impl<'a, T: Tokenizer> Conversation<'a, T> {
    /// This conversation within a budget of ids: where an [`update`](Conversation::update) takes it over the budget, its
    /// oldest exchanges go, down to the window's low-water mark.
    ///
    /// The whole chat is given to each update, as the client sends it. What is left out of it stays out, so that the
    /// cut moves rarely, and [`dropped`](Conversation::dropped) says what that is. What goes and what stays is as in
    /// [`Chat::fit`]. A conversation [without ids](Conversation::without_ids) is always within the budget.
    ///
    /// # Errors
    ///
    /// What has to stay is over the budget: the last user message, what follows it, the tools and the system prompt. An
    /// update that says so has taken the chat in nevertheless.
    ///
    /// ```
    /// # use mistral_chat_template::{Control, Tokenizer};
    /// # use mistral_chat_template::layout::WordStart;
    /// # struct Bytes;
    /// # impl Tokenizer for Bytes {
    /// #     fn text(&self, text: &str, _: WordStart, ids: &mut Vec<u32>) {
    /// #         ids.extend(text.bytes().map(|byte| 1000 + u32::from(byte)));
    /// #     }
    /// #     fn control(&self, control: Control) -> Option<u32> {
    /// #         Control::all().position(|other| other == control).and_then(|id| u32::try_from(id).ok())
    /// #     }
    /// # }
    /// use mistral_chat_template::conversation::Window;
    /// use mistral_chat_template::{Chat, Conversation, Layout, Message};
    ///
    /// let mut messages = vec![Message::user("Hi")];
    /// let conversation = Conversation::new(Chat::new(messages.clone()), &Layout::V13, Bytes)?;
    /// let mut conversation = conversation.with_window(Window::new(40))?;
    /// let mut dropped = Vec::new();
    /// for question in ["Where?", "When?", "Who?", "Why?", "How?"] {
    ///     messages.extend([Message::assistant("Hm."), Message::user(question)]);
    ///     conversation.update(Chat::new(messages.clone()))?;
    ///     assert!(conversation.ids().len() <= 40);
    ///     dropped.push(conversation.dropped().len());
    /// }
    /// assert_eq!(dropped, [0, 0, 0, 6, 6]);
    /// # Ok::<(), mistral_chat_template::Error>(())
    /// ```
    pub fn with_window(mut self, window: Window) -> Result<Self, Error> {
        self.window = Some(window);
        self.within_window(Update::default())?;
        Ok(self)
    }

    /// The messages that the window leaves out of the chat that was given last, by their indexes.
    #[must_use]
    pub fn dropped(&self) -> &[usize] {
        &self.dropped
    }

    /// What the window leaves out of a chat, as long as its cut does not move.
    pub(super) fn left_out(&self, chat: &Chat<'_>) -> Vec<usize> {
        self.window.as_ref().and_then(|window| window.left_out(chat)).unwrap_or_default()
    }

    fn is_over_budget(&self) -> bool {
        self.window.as_ref().is_some_and(|window| self.ids.len() > window.budget())
    }

    /// Cuts what was taken in down to the window's mark, where it is over the budget.
    pub(super) fn within_window(&mut self, mut updated: Update) -> Result<Update, Error> {
        while let Some(mut window) = self.window.clone().filter(|_| self.is_over_budget()) {
            let counts = self.counts();
            let more = window.move_cut(self.chat(), self.layout(), |segment| self.count(&counts, segment))?;
            if more.is_empty() {
                break;
            }
            let dropped = self.with_more(&more);
            let chat = self.chat().clone();
            let row = self.ended.take().map(|row| self.whole_row(row));
            let again = self.update_messages(&Given { chat: &chat, dropped: &more }, &Moved);
            let again = again.map_err(|error| in_given(error, &dropped))?;
            self.dropped = dropped;
            // The row that ended first has all that the second has.
            self.ended = row.or(self.ended.take());
            updated = updated.then(again);
            window.move_behind(&self.dropped, more.len());
            self.window = Some(window);
        }
        Ok(updated)
    }

    /// What is left out of the chat that was given, with more of what was kept of it.
    fn with_more(&self, more: &[usize]) -> Vec<usize> {
        let mut gone = self.dropped.iter().peekable();
        let all = self.dropped.len() + self.chat().messages.len();
        let kept = (0..all).filter(|index| gone.next_if_eq(&index).is_none());
        let mut more = more.iter().peekable();
        let lost = kept.enumerate().filter(|(at, _)| more.next_if_eq(&at).is_some()).map(|(_, index)| index);
        let mut dropped: Vec<_> = self.dropped.iter().copied().chain(lost).collect();
        dropped.sort_unstable();
        dropped
    }

    /// A row that depends on none of the conversation's ids.
    fn whole_row(&self, row: EndedRow) -> EndedRow {
        let EndedRow { kept, ids, as_read } = row;
        let kept_ids = self.ids.get(..kept).unwrap_or_default();
        let kept_as_read = self.as_read.get(..kept).unwrap_or_default();
        EndedRow { kept: 0, ids: [kept_ids, &ids].concat(), as_read: [kept_as_read, &as_read].concat() }
    }

    /// How many ids each segment has; of those that are equal, the most.
    fn counts(&self) -> HashMap<Segment<'_>, usize> {
        let mut counts = HashMap::new();
        for segment in self.segments() {
            let count: &mut usize = counts.entry(segment.segment).or_default();
            *count = segment.ids.len().max(*count);
        }
        counts
    }

    /// How many ids a segment has, known or not.
    fn count(&self, counts: &HashMap<Segment<'_>, usize>, segment: Segment<'_>) -> usize {
        counts.get(&segment).copied().unwrap_or_else(|| match (segment, &self.tokenizer) {
            (Segment::Text(text), Some(tokenizer)) => {
                let mut ids = Vec::new();
                tokenizer.text(text, self.layout().word_start, &mut ids);
                ids.len()
            }
            _ => 1,
        })
    }
}
