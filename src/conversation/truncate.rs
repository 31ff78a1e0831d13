//! A [`CheckedChat`] shortened to a budget of tokens as mistral-common shortens it: the oldest exchanges go first.

use crate::chat::Role;
use crate::error::{Error, ErrorKind};
use crate::layout::Truncation;
use crate::prompt::{Prompt, Segment, Writer};
use crate::render::CheckedChat;

impl CheckedChat<'_, '_> {
    /// Leaves out the oldest turns until at most `budget` tokens are left, by the caller's count of each segment.
    ///
    /// A user turn takes all that follows it up to the next user turn along; system turns and the last user turn stay.
    /// The `<s>` at the beginning does not count. Layouts up to v3 leave nothing out. The rule is mistral-common's
    /// (`truncate_for_context_length`).
    ///
    /// # Errors
    ///
    /// What may not be left out is over the budget by itself.
    ///
    /// ```
    /// use mistral_chat_template::{Chat, Layout, Message, Prompt, Segment};
    /// use mistral_chat_template::render::CheckedChat;
    ///
    /// let chat = Chat::new([
    ///     Message::system("Be kind."),
    ///     Message::user("one two three"),
    ///     Message::assistant("four five"),
    ///     Message::user("six seven"),
    /// ]);
    /// let words = |segment: Segment<'_>| match segment {
    ///     Segment::Text(text) => text.split_whitespace().count(),
    ///     Segment::Control(_) | Segment::Media(_) => 1,
    /// };
    /// let mut prompt = Prompt::new();
    /// CheckedChat::new(&chat, &Layout::V13)?.truncate(10, words)?.render_into(&mut prompt);
    /// assert_eq!(prompt.as_str(), "<s>[SYSTEM_PROMPT]Be kind.[/SYSTEM_PROMPT][INST]six seven[/INST]");
    ///
    /// let error = CheckedChat::new(&chat, &Layout::V13)?.truncate(5, words).unwrap_err();
    /// assert_eq!(error.to_string(), "the prompt is 3 tokens over the budget with everything dropped that may be (v13)");
    /// # Ok::<(), mistral_chat_template::Error>(())
    /// ```
    pub fn truncate(mut self, budget: usize, mut count: impl FnMut(Segment<'_>) -> usize) -> Result<Self, Error> {
        match self.layout.rules.truncation {
            Truncation::Never => return Ok(self),
            Truncation::OldestFirst => {}
        }
        let counts = self.count_turns(&mut count);
        let mut over = counts.iter().sum::<usize>().saturating_sub(budget);
        let last_user = self.users.map(|(_, last)| last);
        let mut with_user = false;
        for (index, (turn, count)) in self.turns.iter_mut().zip(counts).enumerate() {
            let is_user = turn.role == Role::User;
            // What follows a user turn that was passed goes with it, even where enough is gone by then.
            if over == 0 && (is_user || !with_user) {
                break;
            }
            with_user |= is_user;
            if turn.role != Role::System && Some(index) != last_user {
                turn.dropped = true;
                over = over.saturating_sub(count);
            }
        }
        if over > 0 {
            return Err(Error::new(ErrorKind::TooLong { budget, over }, "").in_layout(self.layout.name));
        }
        Ok(self)
    }

    /// The caller's count of each turn.
    fn count_turns(&self, count: &mut impl FnMut(Segment<'_>) -> usize) -> Vec<usize> {
        let mut prompt = Prompt::new();
        let mut counts = Vec::with_capacity(self.turns.len());
        for (index, turn) in self.turns.iter().enumerate() {
            let mut writer = Writer::of_layout(&mut prompt, self.layout);
            self.turn(&mut writer, index, turn);
            counts.push(prompt.segments().map(&mut *count).sum());
        }
        counts
    }
}
