//! [`RepairPolicy`]: what is done where people would disagree.

/// What is done where people would disagree. The defaults lose the least.
///
/// ```
/// use mistral_chat_template::{Chat, Layout, Message, ToolCall};
/// use mistral_chat_template::repair::{OpenCalls, RepairPolicy};
///
/// let chat = Chat::new([
///     Message::user("What time is it?"),
///     Message::calls([ToolCall::new("now", "{}").id("abcdefgh1")]),
///     Message::user("Well?"),
///     Message::assistant("One moment."),
///     Message::user("Well?"),
/// ]);
/// let policy = RepairPolicy { open_calls: OpenCalls::Answer("cancelled"), ..RepairPolicy::default() };
/// let repaired = chat.repair(&Layout::V11, &policy)?;
/// assert_eq!(repaired.chat.messages[2], Message::tool("cancelled").answering("abcdefgh1"));
/// # Ok::<(), mistral_chat_template::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RepairPolicy {
    /// What becomes of a call without a result.
    pub open_calls: OpenCalls,
    /// What becomes of a result without a call.
    pub stray_results: StrayResults,
    /// What becomes of text beside calls.
    pub text_beside_calls: TextBesideCalls,
    /// What becomes of thinking.
    pub thinking: ForeignThinking,
    /// What becomes of images and audio.
    pub media: ForeignMedia,
    /// What becomes of an assistant message that says nothing.
    pub empty_replies: EmptyReplies,
    /// What becomes of a system message behind an assistant message or a result.
    pub late_system: LateSystem,
    /// What becomes of an assistant message at the end.
    pub last_reply: LastReply,
}

/// What becomes of a call without a result.
///
/// ```
/// # use mistral_chat_template::repair::OpenCalls;
/// assert_eq!(OpenCalls::default(), OpenCalls::Drop);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum OpenCalls {
    /// It is left out: a result would have to be made up.
    #[default]
    Drop,
    /// It gets this text for its result.
    Answer(&'static str),
}

/// What becomes of a result without a call.
///
/// ```
/// # use mistral_chat_template::repair::StrayResults;
/// assert_eq!(StrayResults::default(), StrayResults::Drop);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum StrayResults {
    /// It is left out: what it was the result of is not known.
    #[default]
    Drop,
    /// It becomes a user message.
    AsUser,
}

/// What becomes of text beside calls where the layout accepts one of them.
///
/// ```
/// # use mistral_chat_template::repair::TextBesideCalls;
/// assert_eq!(TextBesideCalls::default(), TextBesideCalls::DropText);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum TextBesideCalls {
    /// The text is left out: without the calls, what follows is not understood.
    #[default]
    DropText,
    /// The calls are left out, and their results.
    DropCalls,
}

/// What becomes of thinking where the layout has none.
///
/// ```
/// # use mistral_chat_template::repair::ForeignThinking;
/// assert_eq!(ForeignThinking::default(), ForeignThinking::Drop);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ForeignThinking {
    /// It is left out: a model that does not think would learn to say its thoughts.
    #[default]
    Drop,
    /// It becomes text.
    AsText,
}

/// What becomes of images and audio where the layout has none.
///
/// ```
/// # use mistral_chat_template::repair::ForeignMedia;
/// assert_eq!(ForeignMedia::default(), ForeignMedia::Drop);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ForeignMedia {
    /// They are left out.
    #[default]
    Drop,
    /// Each becomes this text.
    AsText(&'static str),
}

/// What becomes of an assistant message that says nothing.
///
/// ```
/// # use mistral_chat_template::repair::EmptyReplies;
/// assert_eq!(EmptyReplies::default(), EmptyReplies::Drop);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum EmptyReplies {
    /// It is left out, and the user messages around it are one turn.
    #[default]
    Drop,
    /// It says a space, which most layouts trim: an empty turn stays.
    Space,
}

/// What becomes of a system message behind an assistant message or a result.
///
/// ```
/// # use mistral_chat_template::repair::LateSystem;
/// assert_eq!(LateSystem::default(), LateSystem::AsUser);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum LateSystem {
    /// It becomes a user message where it stands, and the prompt before it stays the same.
    #[default]
    AsUser,
    /// It goes behind the system messages at the beginning, and keeps its authority.
    First,
}

/// What becomes of a complete assistant message at the end, where the layout's mode asks for something to answer.
///
/// ```
/// # use mistral_chat_template::repair::LastReply;
/// assert_eq!(LastReply::default(), LastReply::Continue);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum LastReply {
    /// It is to be continued.
    #[default]
    Continue,
    /// It is left out: the message before it is to be answered anew.
    Drop,
}
