//! A [`Row`] whose chat no layout accepts, mended for training.

use super::policy::mark_by_weight;
use crate::chat::row::Row;
use crate::chat::{AssistantMessage, Chat, Message};
use crate::error::Error;
use crate::layout::Layout;
use crate::repair::{Repair, RepairPolicy, StrayResults};

impl RepairPolicy {
    /// The policy for rows that a model learns from: nothing that was said is lost where it can be kept, and nothing is
    /// made up. A result without a call becomes a user message.
    ///
    /// ```
    /// use mistral_chat_template::repair::{RepairPolicy, StrayResults};
    ///
    /// assert_eq!(RepairPolicy::for_training().stray_results, StrayResults::AsUser);
    /// ```
    #[must_use]
    pub fn for_training() -> Self {
        RepairPolicy { stray_results: StrayResults::AsUser, ..RepairPolicy::default() }
    }
}

impl Row<'_> {
    /// Mends the row's chats as [`Chat::repair`] does, and lists what was changed.
    ///
    /// What is learnt is kept in the weights of the replies, so that it follows them; a mark of a message that is no
    /// reply holds only where nothing was mended.
    ///
    /// # Errors
    ///
    /// As [`Chat::repair`]: the chat has a fault that has no mend, such as an image that is not an image.
    ///
    /// ```
    /// use mistral_chat_template::train::RowReader;
    /// use mistral_chat_template::{Layout, Mode};
    /// use mistral_chat_template::repair::RepairPolicy;
    ///
    /// let row = r#"{"messages": [{"role": "user", "content": "?"}, {"role": "assistant", "tool_calls": [
    ///     {"id": "call_1", "function": {"name": "w", "arguments": "{}"}}]},
    ///     {"role": "tool", "tool_call_id": "call_1", "content": "4"}, {"role": "assistant", "content": "4."}]}"#;
    /// let mut row = RowReader::default().read(row)?;
    /// let layout = Layout::V3.in_mode(Mode::Finetuning);
    /// let repairs = row.repair(&layout, &RepairPolicy::for_training())?;
    /// assert_eq!(repairs[0].at, "messages[1].tool_calls[0].id");
    /// # Ok::<(), mistral_chat_template::Error>(())
    /// ```
    pub fn repair(&mut self, layout: &Layout, policy: &RepairPolicy) -> Result<Vec<Repair>, Error> {
        let marks = self.marks.iter().copied().chain(std::iter::repeat(None));
        for ((index, message), mark) in self.chat.messages.iter_mut().enumerate().zip(marks) {
            if let Message::Assistant(reply) = message {
                let is_learnt = mark.unwrap_or(true) && index >= self.prompt_len;
                reply.weight = if is_learnt { reply.weight } else { Some(0.0) };
            }
        }
        let mut repairs = mend(&mut self.chat, layout, policy)?;
        if let Some(rejected) = &mut self.rejected {
            repairs.extend(mend(rejected, layout, policy)?);
        }
        if !repairs.is_empty() {
            self.marks = self.chat.messages.iter().map(mark_by_weight).collect();
            self.prompt_len = self.prompt_len_of_mended();
        }
        Ok(repairs)
    }

    /// The messages before the first that is learnt, if the row has a prompt; of a pair, at most those that both have.
    fn prompt_len_of_mended(&self) -> usize {
        if self.prompt_len == 0 {
            return 0;
        }
        let is_learnt =
            |message: &Message<'_>| matches!(message, Message::Assistant(reply) if reply.weight != Some(0.0));
        let messages = &self.chat.messages;
        let prompt = messages.iter().position(is_learnt).unwrap_or(messages.len());
        match &self.rejected {
            None => prompt,
            Some(rejected) => {
                let pairs = messages.iter().zip(&rejected.messages);
                let common = pairs.take_while(|(one, other)| without_weight(one) == without_weight(other));
                prompt.min(common.count())
            }
        }
    }
}

/// The message as both chats of a pair have it: only the one that is learnt was given weights.
fn without_weight<'m>(message: &'m Message<'_>) -> Message<'m> {
    match message.view() {
        Message::Assistant(reply) => Message::Assistant(AssistantMessage { weight: None, ..reply }),
        other => other,
    }
}

fn mend(chat: &mut Chat<'_>, layout: &Layout, policy: &RepairPolicy) -> Result<Vec<Repair>, Error> {
    let repaired = chat.repair(layout, policy)?;
    let repairs = repaired.repairs;
    if !repairs.is_empty() {
        let mended: Chat<'static> = repaired.chat.into_owned().into_owned();
        *chat = mended;
    }
    Ok(repairs)
}
