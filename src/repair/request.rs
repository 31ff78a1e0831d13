//! A request's JSON in, a chat that a layout accepts out: reading and repairing as one step, with one list of what was changed.

use super::mending::repair_owned;
use super::{Repair, RepairKind, RepairPolicy};
use crate::chat::request::{Note, NoteSort};
use crate::chat::{Dialect, Request};
use crate::error::Error;
use crate::layout::Layout;

/// A request whose form was mended, and what was changed.
///
/// ```
/// use mistral_chat_template::{Dialect, Format, Layout, Request};
/// use mistral_chat_template::repair::RepairPolicy;
///
/// let body = r#"{
///     "messages": [
///         {"role": "user", "content": "Look!"},
///         {"role": "assistant", "content": null, "tool_calls": [
///             {"id": 7, "type": null, "function": {"name": "files.read"}}
///         ]},
///         {"role": "tool", "tool_call_id": 7, "content": null}
///     ],
///     "tools": [{"type": "web_search"}, {"type": "function", "function": {"name": "files.read"}}]
/// }"#;
/// let mended = Request::repair(body, Dialect::OpenAi, &Layout::V13, &RepairPolicy::default())?;
/// assert_eq!(
///     mended.repairs.iter().map(ToString::to_string).collect::<Vec<_>>(),
///     [
///         "messages[1].tool_calls[0].type: the type is null, and became \"function\"",
///         "messages[1].tool_calls[0].id: the id 7 is a number, and became the text \"7\"",
///         "messages[1].tool_calls[0].function: the call has no arguments, and got `{}`",
///         "messages[2].tool_call_id: the id 7 is a number, and became the text \"7\"",
///         "messages[2].content: the content is missing or null, and became an empty text",
///         "tools[0]: a tool of the type \"web_search\" is not a function, and was left out",
///         "tools[1].function.name: \"files.read\" became \"files_read\"",
///         "messages[1].tool_calls[0].function.name: \"files.read\" became \"files_read\"",
///     ]
/// );
/// assert!(Layout::V13.render(&mended.request.chat).is_ok());
/// # Ok::<(), mistral_chat_template::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Mended<'a> {
    /// The request: its chat, and what was ignored.
    pub request: Request<'a>,
    /// What was changed, with paths in the request as it came in.
    pub repairs: Vec<Repair>,
}

impl<'a> Request<'a> {
    /// Reads a request, mends what reading would refuse, and repairs the chat for a layout.
    ///
    /// # Errors
    ///
    /// What [`Request::mend`] and [`Chat::repair`](crate::Chat::repair) refuse.
    ///
    /// ```
    /// use mistral_chat_template::{Dialect, Layout, Message, Request};
    /// use mistral_chat_template::repair::RepairPolicy;
    ///
    /// let body = r#"{"messages": [{"role": "user", "content": "Hi"}], "reasoning_effort": "low"}"#;
    /// let mended = Request::repair(body, Dialect::OpenAi, &Layout::V15, &RepairPolicy::default())?;
    /// assert_eq!(
    ///     mended.repairs[0].to_string(),
    ///     "reasoning_effort: the effort low became none, which is the nearest of none, high"
    /// );
    /// # Ok::<(), mistral_chat_template::Error>(())
    /// ```
    pub fn repair(
        json: &'a str,
        dialect: Dialect,
        layout: &Layout,
        policy: &RepairPolicy,
    ) -> Result<Mended<'a>, Error> {
        Self::mend(json, dialect)?.repair(layout, policy)
    }

    /// Reads a request, and mends what reading would refuse.
    ///
    /// A request that looks like another API's is read as one of these.
    ///
    /// # Errors
    ///
    /// What cannot be mended: text that is not JSON, no `messages`, a role such as `"wizard"`.
    ///
    /// ```
    /// use mistral_chat_template::{Dialect, Message, Request};
    ///
    /// let body = r#"{"messages": [{"role": "user", "content": null}, {"role": "user", "content": "cut \ud83d"}]}"#;
    /// let mended = Request::mend(body, Dialect::OpenAi)?;
    /// assert_eq!(mended.request.chat.messages, [Message::user(""), Message::user("cut \u{fffd}")]);
    /// let repair = mended.repairs[0].to_string();
    /// assert_eq!(repair, "messages[1].content: a lone surrogate is not text, and became U+FFFD");
    /// # Ok::<(), mistral_chat_template::Error>(())
    /// ```
    pub fn mend(json: &'a str, dialect: Dialect) -> Result<Mended<'a>, Error> {
        let (request, notes) = Request::read_mending(json, dialect)?;
        Ok(Mended { request, repairs: notes.into_iter().map(Repair::from).collect() })
    }
}

impl<'a> Mended<'a> {
    /// The same request with its chat as the layout accepts it.
    ///
    /// # Errors
    ///
    /// As [`Chat::repair`](crate::Chat::repair), with the path in the request.
    ///
    /// ```
    /// use mistral_chat_template::{Dialect, Layout, Request};
    /// use mistral_chat_template::repair::RepairPolicy;
    ///
    /// let body = r#"{"input": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello"}]}"#;
    /// let mended = Request::mend(body, Dialect::Responses)?.repair(&Layout::V7, &RepairPolicy::default())?;
    /// assert_eq!(mended.repairs[0].at, "input[1]");
    /// # Ok::<(), mistral_chat_template::Error>(())
    /// ```
    pub fn repair(self, layout: &Layout, policy: &RepairPolicy) -> Result<Self, Error> {
        let Mended { mut request, mut repairs } = self;
        let chat = std::mem::take(&mut request.chat);
        let (chat, more) = repair_owned(chat, layout, policy).map_err(|error| request.locate(error))?;
        repairs.extend(more.into_iter().map(|repair| Repair { at: request.place(&repair.at), ..repair }));
        request.chat = chat;
        Ok(Mended { request, repairs })
    }
}

/// A request that was read as it is.
impl<'a> From<Request<'a>> for Mended<'a> {
    fn from(request: Request<'a>) -> Self {
        Mended { request, repairs: Vec::new() }
    }
}

impl From<Note> for Repair {
    fn from(Note { at, sort, what }: Note) -> Self {
        let kind = match sort {
            NoteSort::Surrogate => RepairKind::Surrogate,
            NoteSort::PartDropped => RepairKind::PartDropped,
            NoteSort::PartAsText => RepairKind::PartAsText,
            NoteSort::ToolDropped => RepairKind::ToolDropped,
            NoteSort::CallDropped => RepairKind::CallDropped,
            NoteSort::EffortDropped => RepairKind::EffortDropped,
            NoteSort::FieldMended => RepairKind::FieldMended,
            NoteSort::FieldDropped => RepairKind::FieldDropped,
            NoteSort::Form => RepairKind::Form,
        };
        Repair::new(at, kind, what)
    }
}
