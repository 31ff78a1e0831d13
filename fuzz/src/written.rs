//! Any chat through a layout and through the template that is written for it: the same prompt, with the same segments.

use std::cell::RefCell;
use std::collections::{HashMap, HashSet};

use mistral_chat_template::chat::ArgumentsForm;
use mistral_chat_template::error::ErrorKind;
use mistral_chat_template::layout::ToolResults;
use mistral_chat_template::python_json::reformat;
use mistral_chat_template::{Chat, ChatTemplate, Chunk, Content, Format, Layout, Message, Mode, ToolCall};
use serde_json::Value;

use super::source::Source;

thread_local! {
    static TEMPLATES: RefCell<HashMap<String, ChatTemplate>> = RefCell::default();
}

pub fn run(data: &[u8]) {
    let (mut head, rest) = Source::with_head(data);
    let layout = head.layout().in_mode(Mode::Agnostic);
    let (_, json) = Source::with_head(data);
    let Some(chat) = rest.chat().filter(|_| !has_thinking(json.bytes())) else { return };
    let Ok(prompt) = layout.render(&chat) else { return };
    if !is_expressible(&chat, &layout) {
        return;
    }
    let key = format!("{layout:?}");
    let rendered = TEMPLATES.with_borrow_mut(|templates| {
        let compile = || ChatTemplate::new(&layout.chat_template()).expect("a written template compiles");
        templates.entry(key).or_insert_with(compile).render(&chat)
    });
    let rendered = match rendered {
        Ok(rendered) => rendered,
        // A template is given fields that no layout prints, and half of a character in one of them cannot be kept.
        Err(error) if matches!(error.kind(), ErrorKind::JsonValue) => return,
        Err(error) => panic!("{error}, and not {prompt}"),
    };
    assert_eq!(rendered.as_str(), prompt.as_str());
}

/// Has a message a field `thinking`? transformers shows it to templates as `reasoning_content`, and no layout reads it.
fn has_thinking(json: &[u8]) -> bool {
    let request: Value = serde_json::from_slice(json).unwrap_or_default();
    let mut messages = request["messages"].as_array().into_iter().flatten();
    messages.any(|message| message.get("thinking").is_some())
}

fn reformatted(text: &str) -> Option<String> {
    let mut out = String::new();
    reformat(text, &mut out).is_ok().then_some(out)
}

/// An id that is empty or Python's `None` as text counts as none.
fn has_no_id(call: &ToolCall<'_>) -> bool {
    call.id.as_deref().is_none_or(|id| matches!(id, "" | "null"))
}

/// Do assistant messages that stand side by side have two calls of one id?
fn calls_one_id_twice(messages: &[Message<'_>]) -> bool {
    let mut ids = HashSet::new();
    messages.iter().any(|message| match message {
        Message::Assistant(message) => {
            !message.tool_calls.iter().all(|call| call.id.as_deref().is_none_or(|id| ids.insert(id)))
        }
        _ => {
            ids.clear();
            false
        }
    })
}

/// Can a template say what this chat says? It cannot read JSON, nor see white space go at a message's end.
fn is_expressible(chat: &Chat<'_>, layout: &Layout) -> bool {
    let reads_results = matches!(layout.results, ToolResults::NamedList | ToolResults::Object);
    let last = chat.messages.len() - 1;
    if calls_one_id_twice(&chat.messages) {
        return false;
    }
    // A template is given the tools even where it prints none.
    if chat.tools.iter().any(|tool| reformatted(tool.parameters.as_str()).is_none()) {
        return false;
    }
    chat.messages.iter().enumerate().all(|(index, message)| match message {
        // For fine-tuning, calls at the end need no ids; a template does not know what it is for.
        Message::Assistant(message) if index == last && message.tool_calls.iter().any(has_no_id) => false,
        Message::Assistant(message) => {
            let is_python = |text: &str| text.is_empty() || reformatted(text).as_deref() == Some(text);
            let calls = message.tool_calls.iter().all(|call| {
                let id = call.id.as_deref().unwrap_or("\n");
                let is_open = call.arguments_form == ArgumentsForm::Object || is_python(&call.arguments);
                is_open && !call.name.ends_with('\n') && !id.ends_with('\n')
            });
            let ends_plainly = match &message.content {
                Content::Text(text) => !text.is_empty() && text.trim_end() == &**text,
                Content::Chunks(_) => false,
            };
            calls && message.weight.is_none() && (!message.prefix || (message.tool_calls.is_empty() && ends_plainly))
        }
        Message::Tool(message) if reads_results => {
            let text = match &message.content {
                Content::Text(text) => text.to_string(),
                Content::Chunks(chunks) => {
                    let text = |chunk: &Chunk<'_>| {
                        if let Chunk::Text(text) = chunk { text.to_string() } else { String::new() }
                    };
                    chunks.iter().map(text).collect::<Vec<_>>().join("\n\n")
                }
            };
            let looks = text.trim_start().starts_with(['{', '[', '"']) || reformatted(&text).is_some();
            text.is_empty() || !looks || reformatted(&text).as_deref() == Some(&*text)
        }
        _ => true,
    })
}
