//! Ids for calls and results that have none: each result is the answer to the next open call, by name where it has one.

use std::borrow::Cow;

use crate::chat::call_id::nine;
use crate::chat::{AssistantMessage, Message, ToolMessage};

/// A call that has no result yet.
struct OpenCall {
    id: Cow<'static, str>,
    name: String,
    is_answered: bool,
}

/// Gives calls and results ids, and says to how many. A call at the end of the chat needs none and gets none.
pub(super) fn give(messages: &mut [Message<'_>]) -> usize {
    let mut given = 0;
    let mut open: Vec<OpenCall> = Vec::new();
    let last = messages.len().saturating_sub(1);
    for (index, message) in messages.iter_mut().enumerate() {
        match message {
            Message::Assistant(reply) if !reply.tool_calls.is_empty() => {
                // Results may come after several messages of calls.
                open.retain(|call| !call.is_answered);
                given += calls(reply, index, index == last, &mut open);
            }
            Message::Tool(result) => given += usize::from(answer(result, &mut open)),
            Message::System(_) | Message::User(_) | Message::Assistant(_) => open.clear(),
        }
    }
    given
}

fn calls(reply: &mut AssistantMessage<'_>, index: usize, is_last: bool, open: &mut Vec<OpenCall>) -> usize {
    let mut given = 0;
    for (position, call) in reply.tool_calls.iter_mut().enumerate() {
        if call.id.is_none() && !is_last {
            call.id = Some(Cow::Owned(nine(&format!("call {index}.{position}"), 0)));
            given += 1;
        }
        if let Some(id) = &call.id {
            let id = Cow::Owned(id.clone().into_owned());
            open.push(OpenCall { id, name: call.name.clone().into_owned(), is_answered: false });
        }
    }
    given
}

fn answer(result: &mut ToolMessage<'_>, open: &mut [OpenCall]) -> bool {
    let answered = |call: &&mut OpenCall| match (&result.call_id, &result.name) {
        (Some(id), _) => call.id == *id,
        (None, Some(name)) => !call.is_answered && call.name == **name,
        (None, None) => !call.is_answered,
    };
    let by_name =
        open.iter().position(|call| matches!(&result.name, Some(name) if call.name == **name && !call.is_answered));
    let call = match (&result.call_id, by_name) {
        (None, None) => open.iter_mut().find(|call| !call.is_answered),
        _ => open.iter_mut().find(answered),
    };
    let Some(call) = call else { return false };
    call.is_answered = true;
    if result.call_id.is_some() {
        return false;
    }
    result.call_id = Some(call.id.clone());
    true
}
