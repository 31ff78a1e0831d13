//! [`CheckedChat`]: a chat that a layout accepts, gathered into turns.

use super::check::{check_chat, check_turns};
use super::gather::gather;
use crate::chat::{Chat, ChatShape, Message, Role, Turn};
use crate::error::Error;
use crate::layout::Layout;

/// A chat that was checked and gathered into turns for one layout. It cannot be made any other way.
///
/// ```
/// use mistral_chat_template::{Chat, Layout, Message, Prompt};
/// use mistral_chat_template::render::CheckedChat;
///
/// let chat = Chat::new([Message::user("Hi"), Message::user("Are you there?")]);
/// let conversation = CheckedChat::new(&chat, &Layout::V7)?;
/// let mut prompt = Prompt::new();
/// conversation.render_into(&mut prompt);
/// assert_eq!(prompt.as_str(), "<s>[INST] Hi\n\nAre you there?[/INST]");
/// # Ok::<(), mistral_chat_template::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct CheckedChat<'c, 'a> {
    pub(crate) chat: &'c Chat<'a>,
    pub(crate) layout: &'c Layout,
    /// The turns; empty for a chat that is only checked, or written without them.
    pub(crate) turns: Vec<Turn>,
    /// The first and the last user turn, before any turn was dropped to fit a budget.
    pub(crate) users: Option<(usize, usize)>,
    /// The user turn that carries the tools and the settings, and the one that carries the system prompt.
    pub(crate) tools_turn: Option<usize>,
    pub(crate) system_turn: Option<usize>,
}

impl<'c, 'a> CheckedChat<'c, 'a> {
    /// Checks the chat against the layout's rules and gathers its messages into turns.
    ///
    /// # Errors
    ///
    /// The layout does not accept the chat: no messages, a tool result after a user message, a call id of eight letters in
    /// v3, an image without [`Feature::Image`](crate::version::Feature::Image). The error's path names the culprit.
    ///
    /// ```
    /// use mistral_chat_template::{Chat, Layout, Message};
    /// use mistral_chat_template::render::CheckedChat;
    ///
    /// let chat = Chat::new([Message::user("Hi"), Message::tool("42")]);
    /// let error = CheckedChat::new(&chat, &Layout::V3).unwrap_err();
    /// assert_eq!(error.to_string(), "messages[1].role: a tool message cannot follow a user message (v3)");
    /// ```
    pub fn new(chat: &'c Chat<'a>, layout: &'c Layout) -> Result<Self, Error> {
        CheckedChat::gathered(chat, layout, Vec::new())
    }

    /// As [`new`](CheckedChat::new), using the memory of `turns`.
    pub(crate) fn gathered(chat: &'c Chat<'a>, layout: &'c Layout, turns: Vec<Turn>) -> Result<Self, Error> {
        let mut conversation = CheckedChat::with_buffer(chat, layout, turns)?;
        if conversation.turns.is_empty() {
            gather(chat, layout, &mut conversation.turns);
        }
        Ok(conversation)
    }

    /// As [`gathered`](CheckedChat::gathered), without the turns where each message is one and none is left out.
    pub(crate) fn with_buffer(chat: &'c Chat<'a>, layout: &'c Layout, mut turns: Vec<Turn>) -> Result<Self, Error> {
        let shape = ChatShape::of_messages(&chat.messages);
        check_chat(chat, layout, shape)?;
        let users = match shape {
            ChatShape::Plain => ends(&chat.messages, |message| message.role() == Role::User),
            ChatShape::Mixed => {
                gather(chat, layout, &mut turns);
                ends(&turns, |turn| turn.role == Role::User)
            }
        };
        let conversation = CheckedChat::of_turns(chat, layout, turns, users);
        check_turns(&conversation, shape)?;
        Ok(conversation)
    }

    /// A conversation of these turns, the first and the last user turn being these.
    pub(crate) fn of_turns(
        chat: &'c Chat<'a>,
        layout: &'c Layout,
        turns: Vec<Turn>,
        users: Option<(usize, usize)>,
    ) -> Self {
        let tools_turn =
            users.filter(|_| layout.prints_tools_or_settings(chat)).and_then(|ends| layout.tools_turn(ends));
        let system_turn = users.and_then(|ends| layout.system_turn(ends));
        CheckedChat { chat, layout, turns, users, tools_turn, system_turn }
    }

    /// The turns from one on, by themselves: none of them carries what turns before them do.
    pub(crate) fn of_turns_from(
        chat: &'c Chat<'a>,
        layout: &'c Layout,
        turns: Vec<Turn>,
        users: Option<(usize, usize)>,
        from: usize,
    ) -> Self {
        let whole = CheckedChat::of_turns(chat, layout, turns, users);
        let behind = |turn: Option<usize>| turn.and_then(|turn| turn.checked_sub(from));
        CheckedChat {
            users: users
                .map(|(first, last)| (first.checked_sub(from).unwrap_or(usize::MAX), last.saturating_sub(from))),
            tools_turn: behind(whole.tools_turn),
            system_turn: behind(whole.system_turn),
            ..whole
        }
    }

    /// The messages of a turn, with their indexes.
    pub(crate) fn messages(&self, turn: &Turn) -> impl Iterator<Item = (usize, &'c Message<'a>)> + use<'c, 'a> {
        let messages = self.chat.messages.get(turn.messages.clone()).unwrap_or_default();
        turn.messages.clone().zip(messages)
    }

    /// Is the turn one of tool calls or results of before the last user turn, which the layout leaves out?
    pub(crate) fn is_old_tool_turn(&self, index: usize, turn: &Turn) -> bool {
        self.layout.old_tool_turns.drops()
            && self.users.is_some_and(|(_, last)| index < last)
            && match turn.role {
                Role::Tool => true,
                Role::Assistant => self.has_calls(turn),
                Role::System | Role::User => false,
            }
    }

    pub(crate) fn has_calls(&self, turn: &Turn) -> bool {
        self.messages(turn).any(|(_, message)| !message.tool_calls().is_empty())
    }
}

/// The first and the last of those that are meant.
fn ends<T>(items: &[T], is_meant: impl Fn(&T) -> bool) -> Option<(usize, usize)> {
    items.iter().position(&is_meant).zip(items.iter().rposition(&is_meant))
}
