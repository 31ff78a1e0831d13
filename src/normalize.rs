//! A checked [`Chat`] into a [`Conversation`]: messages gathered into turns, in the order in which they are written.

use std::collections::HashMap;
use std::ops::Range;

use crate::chat::{Chat, Message, Role};
use crate::check::{Sort, check_chat, check_turns};
use crate::error::Error;
use crate::layout::{History, Layout, Pairing, Settings, System, UserTurn};

/// A chat that was checked and gathered into turns for one layout. It cannot be made any other way.
///
/// ```
/// use mistral_chat_template::{Chat, Conversation, Layout, Message, Prompt};
///
/// let chat = Chat::new([Message::user("Hi"), Message::user("Are you there?")]);
/// let conversation = Conversation::new(&chat, &Layout::V7)?;
/// let mut prompt = Prompt::new();
/// conversation.render_into(&mut prompt);
/// assert_eq!(prompt.as_str(), "<s>[INST] Hi\n\nAre you there?[/INST]");
/// # Ok::<(), mistral_chat_template::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Conversation<'c, 'a> {
    pub(crate) chat: &'c Chat<'a>,
    pub(crate) layout: &'c Layout,
    /// The turns; none of a chat that is only checked or written without them.
    pub(crate) turns: Vec<Turn>,
    /// The first and the last user turn, before any turn was dropped to fit a budget.
    pub(crate) users: Option<(usize, usize)>,
    /// The user turn that carries the tools and the settings, and the one that carries the system prompt.
    pub(crate) tools_turn: Option<usize>,
    pub(crate) system_turn: Option<usize>,
}

/// One turn: consecutive messages of one role that are written as one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Turn {
    pub(crate) role: Role,
    /// The messages; none for a user turn that only carries the system prompt.
    pub(crate) messages: Range<usize>,
    /// Is it one plain message?
    pub(crate) sort: Sort,
    /// Is the turn left out, to fit a budget?
    pub(crate) dropped: bool,
}

impl Turn {
    pub(crate) fn of_one(index: usize, role: Role, sort: Sort) -> Self {
        Turn { role, messages: index..index + 1, sort, dropped: false }
    }
}

impl<'c, 'a> Conversation<'c, 'a> {
    /// Checks the chat against the layout's rules and gathers its messages into turns.
    ///
    /// # Errors
    ///
    /// The layout does not take the chat: no messages, a tool result after a user message, a call id of eight letters in
    /// v3, an image without [`Feature::Image`](crate::Feature::Image). The error's path names the culprit.
    ///
    /// ```
    /// use mistral_chat_template::{Chat, Conversation, Layout, Message};
    ///
    /// let chat = Chat::new([Message::user("Hi"), Message::tool("42")]);
    /// let error = Conversation::new(&chat, &Layout::V3).unwrap_err();
    /// assert_eq!(error.to_string(), "messages[1].role: a tool message cannot follow a user message (v3)");
    /// ```
    pub fn new(chat: &'c Chat<'a>, layout: &'c Layout) -> Result<Self, Error> {
        Conversation::gathered(chat, layout, Vec::new())
    }

    /// As [`new`](Conversation::new), using the memory of `turns`.
    pub(crate) fn gathered(chat: &'c Chat<'a>, layout: &'c Layout, turns: Vec<Turn>) -> Result<Self, Error> {
        let mut conversation = Conversation::with_buffer(chat, layout, turns)?;
        if conversation.turns.is_empty() {
            gather(chat, layout, &mut conversation.turns);
        }
        Ok(conversation)
    }

    /// As [`gathered`](Conversation::gathered), without the turns where each message is one and none is left out.
    pub(crate) fn with_buffer(chat: &'c Chat<'a>, layout: &'c Layout, mut turns: Vec<Turn>) -> Result<Self, Error> {
        let sort = Sort::of_messages(&chat.messages);
        check_chat(chat, layout, sort)?;
        let users = match sort {
            Sort::Plain => ends(&chat.messages, |message| message.role() == Role::User),
            Sort::Mixed => {
                gather(chat, layout, &mut turns);
                ends(&turns, |turn| turn.role == Role::User)
            }
        };
        let conversation = Conversation::of_turns(chat, layout, turns, users);
        check_turns(&conversation, sort)?;
        Ok(conversation)
    }

    /// A conversation of these turns, the first and the last user turn being these.
    pub(crate) fn of_turns(
        chat: &'c Chat<'a>,
        layout: &'c Layout,
        turns: Vec<Turn>,
        users: Option<(usize, usize)>,
    ) -> Self {
        let at = |place: UserTurn| users.map(|(first, last)| if place == UserTurn::First { first } else { last });
        let has_block = !chat.tools.is_empty() || matches!(layout.settings, Settings::Block { .. });
        let tools_turn = layout.tools.filter(|_| has_block).and_then(at);
        let system_turn = match layout.system {
            System::InUser { turn, .. } => at(turn),
            System::OwnTurn(_) => None,
        };
        Conversation { chat, layout, turns, users, tools_turn, system_turn }
    }

    /// The messages of a turn, with their indexes.
    pub(crate) fn messages(&self, turn: &Turn) -> impl Iterator<Item = (usize, &'c Message<'a>)> + use<'c, 'a> {
        let messages = self.chat.messages.get(turn.messages.clone()).unwrap_or_default();
        turn.messages.clone().zip(messages)
    }

    /// Is the turn one of tool calls or results of before the last user turn, which the layout leaves out?
    pub(crate) fn is_old_tool_turn(&self, index: usize, turn: &Turn) -> bool {
        self.layout.old_tool_turns == History::Drop
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

/// Gathers consecutive messages of one role, and of one weight, into turns.
fn gather(chat: &Chat<'_>, layout: &Layout, turns: &mut Vec<Turn>) {
    let mut previous = None;
    for (index, message) in chat.messages.iter().enumerate() {
        let role = message.role();
        let same_role = previous.replace(role) == Some(role);
        if same_role
            && matches!(role, Role::User | Role::Assistant)
            && let Some(turn) = turns.last_mut()
            && chat.weight(turn.messages.start) == message.weight()
        {
            (turn.messages.end, turn.sort) = (index + 1, Sort::Mixed);
        } else {
            turns.push(Turn::of_one(index, role, Sort::of_message(message)));
        }
    }
    if layout.rules.pairing == Pairing::ById {
        order_results(chat, turns);
    }
    let first = turns.iter().find(|turn| turn.role != Role::System);
    if matches!(layout.system, System::InUser { .. }) && first.is_none_or(|turn| turn.role != Role::User) {
        turns.insert(0, Turn { role: Role::User, messages: 0..0, sort: Sort::Mixed, dropped: false });
    }
}

/// Puts the results that stand together into the order of the calls before them.
fn order_results(chat: &Chat<'_>, turns: &mut [Turn]) {
    for group in turns.chunk_by_mut(|one, next| one.role == Role::Tool && next.role == Role::Tool) {
        if let [first, _, ..] = group {
            let first_result = first.messages.start;
            order_by_calls(chat, first_result, group);
        }
    }
}

/// Puts results into the order of the calls before them, those that no call knows last; of equal ids the last counts.
pub(crate) fn order_by_calls(chat: &Chat<'_>, first_result: usize, results: &mut [Turn]) {
    let before = chat.messages.get(..first_result).unwrap_or_default();
    let since_last_result = before.rsplit(|message| message.role() == Role::Tool).next().unwrap_or_default();
    let calls = since_last_result.iter().flat_map(Message::tool_calls);
    let call_order: HashMap<&str, usize> = calls.enumerate().map(|(order, call)| (call.id_or_null(), order)).collect();
    let id_of = |turn: &Turn| match chat.messages.get(turn.messages.start) {
        Some(Message::Tool(result)) => result.call_id.as_deref(),
        _ => None,
    };
    let result_order: HashMap<Option<&str>, usize> =
        results.iter().enumerate().map(|(order, turn)| (id_of(turn), order)).collect();
    results.sort_by_key(|turn| {
        let id = id_of(turn);
        let call = id.filter(|id| !id.is_empty()).unwrap_or(crate::chat::ToolCall::NULL_ID);
        (call_order.get(call).copied().unwrap_or(usize::MAX), result_order.get(&id).copied())
    });
}

impl Chat<'_> {
    fn weight(&self, index: usize) -> Option<f64> {
        self.messages.get(index).and_then(Message::weight)
    }
}

impl<'a> Message<'a> {
    /// The calls of an assistant message; none of any other.
    pub(crate) fn tool_calls(&self) -> &[crate::chat::ToolCall<'a>] {
        match self {
            Message::Assistant(message) => &message.tool_calls,
            Message::System(_) | Message::User(_) | Message::Tool(_) => &[],
        }
    }

    pub(crate) fn weight(&self) -> Option<f64> {
        match self {
            Message::Assistant(message) => message.weight,
            Message::System(_) | Message::User(_) | Message::Tool(_) => None,
        }
    }
}
