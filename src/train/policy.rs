//! A [`Row`] in, and which of its messages a model is to learn out, as trainers disagree about it.

use std::str::FromStr;

use crate::chat::call_id::nine;
use crate::chat::row::Row;
use crate::chat::{Chat, Message, Role};
use crate::error::Error;
use crate::layout::{CallIds, Layout};
use crate::prompt::Prompt;
use crate::train::{Learn, Mask};

/// Which messages of a row are learnt.
///
/// ```
/// use mistral_chat_template::train::{LearntTurns, RowReader, TrainingPolicy};
///
/// let row = r#"{"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"},
///     {"role": "user", "content": "c"}, {"role": "assistant", "content": "d", "weight": 0}]}"#;
/// let row = RowReader::default().read(row)?;
/// assert_eq!(TrainingPolicy::default().learnt(&row), [false, true, false, false]);
/// let last = TrainingPolicy::default().with_turns(LearntTurns::Last);
/// assert_eq!(last.learnt(&row), [false; 4], "the last reply alone, and its weight is 0");
/// # Ok::<(), mistral_chat_template::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct TrainingPolicy {
    /// The roles whose messages are learnt, where a message does not say otherwise.
    pub roles: Vec<Role>,
    /// What the marks of single messages count.
    pub marks: Marks,
    /// All of those messages, or the last.
    pub turns: LearntTurns,
}

/// What the marks of single messages count: `weight`, `train`, `loss`.
///
/// ```
/// use mistral_chat_template::train::{Marks, TrainingPolicy};
///
/// assert_eq!(TrainingPolicy::default().marks, Marks::Honour);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Marks {
    /// A message that is marked not to be learnt is not, and one that is marked to be learnt is, whatever its role.
    #[default]
    Honour,
    /// Nothing.
    Ignore,
}

/// All messages, the last reply, or all there is.
///
/// ```
/// use mistral_chat_template::train::{LearntTurns, TrainingPolicy};
///
/// assert_eq!(TrainingPolicy::default().turns, LearntTurns::All);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum LearntTurns {
    /// All; of a row that says `only_last`, the last.
    #[default]
    All,
    /// The last reply alone.
    Last,
    /// All; of a row that has tools or says `only_last`, the last, as mistral-finetune does.
    LastWithTools,
    /// The whole prompt, of every role.
    Everything,
}

/// Assistant messages, as they are marked, all of them.
impl Default for TrainingPolicy {
    fn default() -> Self {
        TrainingPolicy { roles: vec![Role::Assistant], marks: Marks::Honour, turns: LearntTurns::All }
    }
}

impl TrainingPolicy {
    /// This policy for other roles.
    ///
    /// ```
    /// use mistral_chat_template::train::TrainingPolicy;
    /// use mistral_chat_template::Role;
    ///
    /// assert_eq!(TrainingPolicy::default().with_roles([Role::User, Role::Assistant]).roles.len(), 2);
    /// ```
    #[must_use]
    pub fn with_roles(mut self, roles: impl IntoIterator<Item = Role>) -> Self {
        self.roles = roles.into_iter().collect();
        self
    }

    /// This policy for other turns.
    ///
    /// ```
    /// # use mistral_chat_template::train::{LearntTurns, TrainingPolicy};
    /// let policy = TrainingPolicy::default().with_turns(LearntTurns::Last);
    /// assert_eq!(policy.turns, LearntTurns::Last);
    /// ```
    #[must_use]
    pub const fn with_turns(mut self, turns: LearntTurns) -> Self {
        self.turns = turns;
        self
    }

    /// This policy with or without the marks of single messages.
    ///
    /// ```
    /// # use mistral_chat_template::train::{Marks, TrainingPolicy};
    /// let policy = TrainingPolicy::default().with_marks(Marks::Ignore);
    /// assert_eq!(policy.marks, Marks::Ignore);
    /// ```
    #[must_use]
    pub const fn with_marks(mut self, marks: Marks) -> Self {
        self.marks = marks;
        self
    }

    /// What is learnt of a prompt that the row was laid out as.
    ///
    /// # Errors
    ///
    /// There is nothing to learn: a row without a reply, or whose replies are all marked not to be learnt.
    ///
    /// ```
    /// use mistral_chat_template::train::{RowReader, TrainingPolicy};
    /// use mistral_chat_template::{Format, Layout, Mode};
    ///
    /// let row = RowReader::default().read(r#"{"prompt": "Hi", "completion": "Hello!"}"#)?;
    /// let prompt = Layout::MAGNUM.in_mode(Mode::Finetuning).render(&row.chat)?;
    /// let mask = TrainingPolicy::default().mask(&prompt, &row)?;
    /// assert!(mask.texts().eq([" Hello!</s>"]));
    /// # Ok::<(), mistral_chat_template::Error>(())
    /// ```
    pub fn mask<'p>(&self, prompt: &'p Prompt, row: &Row<'_>) -> Result<Mask<'p>, Error> {
        match self.turns {
            LearntTurns::Everything => prompt.mask(Learn::Everything),
            LearntTurns::All | LearntTurns::Last | LearntTurns::LastWithTools => {
                prompt.mask(Learn::Messages(&self.learnt(row)))
            }
        }
    }

    /// For each message of the row's chat, whether it is learnt. Nothing is learnt of the prompt of an answer.
    ///
    /// ```
    /// use mistral_chat_template::train::{RowReader, TrainingPolicy};
    ///
    /// let row = RowReader::default().read(r#"{"prompt": "Hi", "completion": "Hello!"}"#)?;
    /// assert_eq!(TrainingPolicy::default().learnt(&row), [false, true]);
    /// # Ok::<(), mistral_chat_template::Error>(())
    /// ```
    #[must_use]
    pub fn learnt(&self, row: &Row<'_>) -> Vec<bool> {
        let marks = row.marks.iter().copied().chain(std::iter::repeat(None));
        let is_learnt = |(index, (message, mark)): (usize, (&Message<'_>, Option<bool>))| {
            let by_role = self.roles.contains(&message.role());
            let wanted = match self.marks {
                Marks::Honour => mark.unwrap_or(by_role),
                Marks::Ignore => by_role,
            };
            wanted && index >= row.prompt_len
        };
        let mut learnt: Vec<bool> = row.chat.messages.iter().zip(marks).enumerate().map(is_learnt).collect();
        let only_last = match self.turns {
            LearntTurns::Last => true,
            LearntTurns::All => row.only_last,
            LearntTurns::LastWithTools => row.only_last || !row.chat.tools.is_empty(),
            LearntTurns::Everything => return vec![true; learnt.len()],
        };
        if only_last {
            let last = row.chat.messages.iter().rposition(|message| message.role() == Role::Assistant);
            for (index, learnt) in learnt.iter_mut().enumerate() {
                *learnt &= Some(index) == last;
            }
        }
        learnt
    }
}

/// A policy by the names of what is learnt, set apart by commas.
///
/// `weighted` (what replies are marked to be), `last` (the last reply alone), `mistral-finetune` (the last reply of a row
/// with tools, of other rows what is marked), `everything`, and the roles `system`, `user`, `assistant` and `tool`. Naming a role ignores the marks of single messages, unless `weighted` is named too.
///
/// ```
/// use mistral_chat_template::train::{LearntTurns, Marks, RowReader, TrainingPolicy};
///
/// assert_eq!("weighted".parse(), Ok(TrainingPolicy::default()));
/// let last: TrainingPolicy = "last,assistant".parse().unwrap();
/// assert_eq!((last.turns, last.marks), (LearntTurns::Last, Marks::Ignore));
///
/// let messages = r#"{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"},
///     {"role": "user", "content": "c"}, {"role": "assistant", "content": "d"}"#;
/// let tools = r#"[{"type": "function", "function": {"name": "f", "description": "", "parameters": {}}}]"#;
/// let policy: TrainingPolicy = "mistral-finetune".parse().unwrap();
/// for (tools, learnt) in [(tools, [false, false, false, true]), ("null", [false, true, false, true])] {
///     let row = format!(r#"{{"messages": [{messages}], "tools": {tools}}}"#);
///     assert_eq!(policy.learnt(&RowReader::default().read(&row).unwrap()), learnt);
/// }
/// let error = "nothing".parse::<TrainingPolicy>().unwrap_err();
/// assert_eq!(
///     error.to_string(),
///     "\"nothing\" cannot be learnt; there are weighted, last, mistral-finetune, everything, system, user, assistant, tool"
/// );
/// ```
impl FromStr for TrainingPolicy {
    type Err = UnknownPolicy;

    fn from_str(names: &str) -> Result<Self, UnknownPolicy> {
        let mut policy = TrainingPolicy { roles: Vec::new(), ..TrainingPolicy::default() };
        let mut is_weighted = false;
        for name in names.split(',').map(str::trim) {
            match name {
                "weighted" => is_weighted = true,
                "last" => policy.turns = LearntTurns::Last,
                "mistral-finetune" => policy.turns = LearntTurns::LastWithTools,
                "everything" => policy.turns = LearntTurns::Everything,
                "system" => policy.roles.push(Role::System),
                "user" => policy.roles.push(Role::User),
                "assistant" => policy.roles.push(Role::Assistant),
                "tool" => policy.roles.push(Role::Tool),
                _ => return Err(UnknownPolicy { name: name.to_owned() }),
            }
        }
        if policy.roles.is_empty() {
            policy.roles.push(Role::Assistant);
        } else if !is_weighted {
            policy.marks = Marks::Ignore;
        }
        Ok(policy)
    }
}

/// A name of what is learnt that is not known.
///
/// ```
/// use mistral_chat_template::train::TrainingPolicy;
///
/// assert_eq!("x".parse::<TrainingPolicy>().unwrap_err().name, "x");
/// ```
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{name:?} cannot be learnt; there are weighted, last, mistral-finetune, everything, system, user, assistant, tool"
)]
#[non_exhaustive]
pub struct UnknownPolicy {
    /// The name.
    pub name: String,
}

impl<'a> Row<'a> {
    /// The row of a chat that was read otherwise; replies of weight 0 are not learnt.
    ///
    /// ```
    /// use mistral_chat_template::train::{Row, TrainingPolicy};
    /// use mistral_chat_template::{Chat, Message};
    ///
    /// let row = Row::new(Chat::new([Message::user("Hi"), Message::assistant("Hello!")]));
    /// assert_eq!(TrainingPolicy::default().learnt(&row), [false, true]);
    /// ```
    #[must_use]
    pub fn new(chat: Chat<'a>) -> Self {
        let marks = chat.messages.iter().map(mark_by_weight).collect();
        Row { chat, marks, ..Row::default() }
    }
}

/// What a reply's weight says of learning it.
pub(super) fn mark_by_weight(message: &Message<'_>) -> Option<bool> {
    match message {
        Message::Assistant(reply) => reply.weight.map(|weight| weight != 0.0),
        Message::System(_) | Message::User(_) | Message::Tool(_) => None,
    }
}

impl Row<'_> {
    /// Leaves out what follows the last reply, of which nothing is learnt, and says how many messages that is.
    ///
    /// A layout for fine-tuning takes no chat that ends with a question. What is learnt is the same with it and without
    /// (axolotl keeps the question, and learns nothing of it). A chat without a reply stays as it is.
    ///
    /// ```
    /// use mistral_chat_template::train::RowReader;
    ///
    /// let row = r#"{"messages": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello!"},
    ///     {"role": "user", "content": "Bye"}]}"#;
    /// let mut row = RowReader::default().read(row)?;
    /// assert_eq!(row.end_with_reply(), 1);
    /// assert_eq!(row.chat.messages.len(), 2);
    /// # Ok::<(), mistral_chat_template::Error>(())
    /// ```
    pub fn end_with_reply(&mut self) -> usize {
        let Some(last) = self.chat.messages.iter().rposition(|message| message.role() == Role::Assistant) else {
            return 0;
        };
        let dropped = self.chat.messages.len() - last - 1;
        self.chat.messages.truncate(last + 1);
        self.marks.truncate(last + 1);
        dropped
    }

    /// Leaves out the ids of the calls of the last message, which are random and not to be learnt, as mistral-finetune
    /// does; says how many those are.
    ///
    /// ```
    /// use mistral_chat_template::train::RowReader;
    ///
    /// let row = r#"{"messages": [{"role": "user", "content": "?"}, {"role": "assistant", "tool_calls": [
    ///     {"id": "abc123def", "function": {"name": "w", "arguments": "{}"}}]}]}"#;
    /// let mut row = RowReader::default().read(row)?;
    /// assert_eq!(row.forget_last_call_ids(), 1);
    /// # Ok::<(), mistral_chat_template::Error>(())
    /// ```
    pub fn forget_last_call_ids(&mut self) -> usize {
        let chats = [Some(&mut self.chat), self.rejected.as_mut()];
        let mut forgotten = 0;
        for chat in chats.into_iter().flatten() {
            if let Some(Message::Assistant(reply)) = chat.messages.last_mut() {
                forgotten += reply.tool_calls.iter_mut().filter_map(|call| call.id.take()).count();
            }
        }
        forgotten
    }

    /// Gives the calls of the last message ids where the layout asks for one of each call and prints none, and says how
    /// many: no token of the prompt hangs on them.
    ///
    /// ```
    /// use mistral_chat_template::train::RowReader;
    /// use mistral_chat_template::Layout;
    ///
    /// let row = r#"{"query": "Weather?", "answers": "[{\"name\": \"w\", \"arguments\": {}}]"}"#;
    /// let mut row = RowReader::default().read(row)?;
    /// assert_eq!(row.give_unprinted_ids(&Layout::V7), 0);
    /// assert_eq!(row.give_unprinted_ids(&Layout::V13), 1);
    /// # Ok::<(), mistral_chat_template::Error>(())
    /// ```
    pub fn give_unprinted_ids(&mut self, layout: &Layout) -> usize {
        if layout.rules.call_ids != CallIds::NotEmpty || layout.calls.writes_ids() {
            return 0;
        }
        let chats = [Some(&mut self.chat), self.rejected.as_mut()];
        let mut given = 0;
        for chat in chats.into_iter().flatten() {
            let Some(Message::Assistant(reply)) = chat.messages.last_mut() else { continue };
            for (position, call) in reply.tool_calls.iter_mut().enumerate().filter(|(_, call)| call.id.is_none()) {
                call.id = Some(nine(&format!("last call {position}"), 0).into());
                given += 1;
            }
        }
        given
    }
}
