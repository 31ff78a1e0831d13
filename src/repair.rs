//! A chat as clients send it and a layout in, a chat that the layout accepts out, and the list of what was changed.
//!
//! ```
//! use mistral_chat_template::repair::RepairPolicy;
//! use mistral_chat_template::{Chat, Layout, Message, ToolCall};
//!
//! let chat = Chat::new([
//!     Message::user("What time is it?"),
//!     Message::calls([ToolCall::new("now", "{}").id("call_9yKqLb2xVzT0cWm3uRsE1hNd")]),
//!     Message::tool("12:00").answering("call_9yKqLb2xVzT0cWm3uRsE1hNd"),
//! ]);
//! let repaired = chat.repair(&Layout::V3, &RepairPolicy::default())?;
//! let said = repaired.repairs[0].to_string();
//! assert_eq!(said, r#"messages[1].tool_calls[0].id: "call_9yKqLb2xVzT0cWm3uRsE1hNd" became "bzi8lpajx""#);
//! # Ok::<(), mistral_chat_template::Error>(())
//! ```
//!
//! A fault that [`CheckedChat::new`](crate::render::CheckedChat::new) finds has one mend, which mends every fault of its kind in the chat; then the
//! chat is checked again. So nothing is changed that the layout accepts, and in [`Mode::Serving`](crate::Mode::Serving),
//! in which no call may be without a result, the beginning of a conversation is mended alike in every turn. (Elsewhere a
//! call stays until the next reply shows that it got none.)
//!
//! | what is wrong | what becomes of it | or |
//! | --- | --- | --- |
//! | a call id that the layout does not accept, or none | nine letters or digits computed from the whole id, in the call and its results | |
//! | two calls of one message with one id | an id each | |
//! | a result apart from its call, without a reply between | moved behind it | |
//! | a result apart from its call, behind other replies | the call moved to the last of these replies | |
//! | two results for one call | the last one counts, the other is left out | |
//! | a call without a result | left out | [`OpenCalls::Answer`] |
//! | a result without a call | left out | [`StrayResults::AsUser`] |
//! | calls where the layout has none | left out, and their results as those without a call | |
//! | several messages of calls before their results | the calls in one message | |
//! | several results where the layout accepts one (v2) | each call with its result | |
//! | text beside calls where the layout accepts one of them | the text left out | [`TextBesideCalls::DropCalls`] |
//! | thinking where the layout has none | left out | [`ForeignThinking::AsText`] |
//! | an image or audio where the layout has none | left out | [`ForeignMedia::AsText`] |
//! | an assistant message that says nothing | left out | [`EmptyReplies::Space`] |
//! | a system message behind an assistant message or a result | a user message | [`LateSystem::First`] |
//! | a system message in a chat with audio (v7, v11) | a user message | |
//! | an assistant message at the end, and nothing to answer | to be continued | [`LastReply::Drop`] |
//! | no assistant message at the end, for fine-tuning | what follows the last one left out | |
//! | a prefix that is not the last message | complete | |
//! | an assistant message alone, or calls and results at the beginning | an empty user message before it | |
//! | a function's name of other characters | with `_` for each, in the tool, its calls and their results | |
//! | a function's name that is too long, or as another one becomes | cut, with nine letters or digits behind it | |
//! | a reasoning effort where the layout has none | left out | |
//! | a reasoning effort that the layout does not have | the nearest that it has, of two the lower | |
//! | a lone surrogate in JSON | U+FFFD | |
//!
//! OpenAI's older `function_call` and messages of the role `function` come in through
//! [`Dialect::Legacy`](crate::Dialect::Legacy), without ids; here they get them.

use std::borrow::Cow;
use std::fmt;

use crate::chat::Chat;
use crate::error::Error;
use crate::layout::Layout;

mod call_ids;
mod call_results;
mod contents;
mod mending;
mod order;
mod pairing;
mod policy;
mod repair_kind;
mod request;
mod reunite;
mod tool_names;

pub use self::policy::{
    EmptyReplies, ForeignMedia, ForeignThinking, LastReply, LateSystem, OpenCalls, RepairPolicy, StrayResults,
    TextBesideCalls,
};
pub use self::repair_kind::RepairKind;
pub use self::request::Mended;

/// A chat that a layout accepts, and what was changed of the chat that came in.
///
/// ```
/// use std::borrow::Cow;
/// use mistral_chat_template::{Chat, Layout, Message};
/// use mistral_chat_template::repair::RepairPolicy;
///
/// let chat = Chat::new([Message::user("Hi")]);
/// let repaired = chat.repair(&Layout::V3, &RepairPolicy::default())?;
/// assert!(matches!(repaired.chat, Cow::Borrowed(_)) && repaired.repairs.is_empty());
/// # Ok::<(), mistral_chat_template::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Repaired<'c> {
    /// The chat: borrowed where the layout took it as it was.
    pub chat: Cow<'c, Chat<'c>>,
    /// What was changed, mend by mend.
    pub repairs: Vec<Repair>,
}

impl Repaired<'_> {
    /// The chat, owning its text.
    ///
    /// ```
    /// use mistral_chat_template::{Chat, Layout, Message};
    /// use mistral_chat_template::repair::RepairPolicy;
    ///
    /// let chat: Chat<'static> = {
    ///     let question = String::from("Hi");
    ///     let chat = Chat::new([Message::user(&*question), Message::assistant("")]);
    ///     chat.repair(&Layout::V3, &RepairPolicy::default())?.into_chat()
    /// };
    /// assert_eq!(chat.messages, [Message::user("Hi")]);
    /// # Ok::<(), mistral_chat_template::Error>(())
    /// ```
    #[must_use]
    pub fn into_chat(self) -> Chat<'static> {
        self.chat.into_owned().into_owned()
    }
}

/// One thing that was changed.
///
/// ```
/// use mistral_chat_template::{Chat, Layout, Message};
/// use mistral_chat_template::repair::{RepairKind, RepairPolicy};
///
/// let chat = Chat::new([Message::user("Hi"), Message::assistant(""), Message::user("Hello?")]);
/// let repaired = chat.repair(&Layout::V7, &RepairPolicy::default())?;
/// assert_eq!(repaired.repairs[0].kind, RepairKind::EmptyReplyDropped);
/// assert_eq!(repaired.repairs[0].to_string(), "messages[1]: the message says nothing, and was left out");
/// # Ok::<(), mistral_chat_template::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Repair {
    /// The path to what was changed, in the chat that came in.
    pub at: String,
    /// What was done.
    pub kind: RepairKind,
    /// What was done, as a sentence.
    pub what: String,
    /// The old and the new name, where the name of a function was changed: replies name the new one.
    pub renamed: Option<Renamed>,
}

/// A function's name, old and new.
///
/// ```
/// use mistral_chat_template::{Chat, Layout, Message, Tool};
/// use mistral_chat_template::chat::Json;
/// use mistral_chat_template::repair::RepairPolicy;
///
/// let tool = Tool { name: "files.read".into(), ..Tool::default() };
/// let chat = Chat { tools: vec![tool], ..Chat::new([Message::user("Hi")]) };
/// let repaired = chat.repair(&Layout::V13, &RepairPolicy::default())?;
/// let renamed = repaired.repairs[0].renamed.as_ref().unwrap();
/// assert_eq!((&*renamed.old, &*renamed.new), ("files.read", "files_read"));
/// # Ok::<(), mistral_chat_template::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Renamed {
    /// The name that the client knows.
    pub old: String,
    /// The name in the prompt, and so in the model's replies.
    pub new: String,
}

impl Repair {
    pub(crate) fn new(at: impl Into<String>, kind: RepairKind, what: impl Into<String>) -> Self {
        Repair { at: at.into(), kind, what: what.into(), renamed: None }
    }
}

impl fmt::Display for Repair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &*self.at {
            "" => f.write_str(&self.what),
            at => write!(f, "{at}: {}", self.what),
        }
    }
}

impl Chat<'_> {
    /// The chat as the layout accepts it, in the layout's mode.
    ///
    /// What the layout accepts comes back as it was. Repairing what was repaired changes nothing more.
    ///
    /// # Errors
    ///
    /// What cannot be repaired is the error that checking gives, with the path in this chat: no messages, a tool whose
    /// parameters are not a JSON schema, a broken image, a chat to be served that names no model.
    ///
    /// ```
    /// use mistral_chat_template::{Chat, Format, Layout, Message, ToolCall};
    /// use mistral_chat_template::repair::RepairPolicy;
    ///
    /// let chat = Chat::new([
    ///     Message::user("What time is it?"),
    ///     Message::calls([ToolCall::new("now", "{}").id("call_9yKqLb2xVzT0cWm3uRsE1hNd")]),
    ///     Message::tool("12:00").answering("call_9yKqLb2xVzT0cWm3uRsE1hNd"),
    /// ]);
    /// assert!(Layout::V7.render(&chat).is_err());
    ///
    /// let repaired = chat.repair(&Layout::V7, &RepairPolicy::default())?;
    /// assert_eq!(
    ///     repaired.repairs[0].to_string(),
    ///     "messages[1].tool_calls[0].id: \"call_9yKqLb2xVzT0cWm3uRsE1hNd\" became \"bzi8lpajx\""
    /// );
    /// assert!(Layout::V7.render(&repaired.chat).is_ok());
    /// # Ok::<(), mistral_chat_template::Error>(())
    /// ```
    pub fn repair(&self, layout: &Layout, policy: &RepairPolicy) -> Result<Repaired<'_>, Error> {
        mending::repair(self, layout, policy)
    }
}
