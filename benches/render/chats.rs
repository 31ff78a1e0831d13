//! The chats that are measured: a system prompt, short questions, longer replies, a tenth of the characters not ASCII.

use serde_json::{Value, json};

#[derive(Clone, Copy)]
pub(crate) enum Size {
    K03,
    K8,
    K80,
    K500,
}

impl Size {
    pub(crate) const ALL: [Size; 4] = [Size::K03, Size::K8, Size::K80, Size::K500];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Size::K03 => "0.3k",
            Size::K8 => "8k",
            Size::K80 => "80k",
            Size::K500 => "500k",
        }
    }

    /// Messages, and characters of a question and of a reply.
    const fn shape(self) -> (usize, usize, usize) {
        match self {
            Size::K03 => (4, 60, 120),
            Size::K8 => (22, 200, 520),
            Size::K80 => (82, 500, 1400),
            Size::K500 => (402, 700, 1900),
        }
    }
}

/// Prose of about this many characters.
fn prose(characters: usize, seed: usize) -> String {
    const WORDS: [&str; 16] = [
        "the", "forêt", "was", "quiet", "when", "Zoë", "came", "back", "with", "naïve", "ideas", "of", "Übermut",
        "and", "old", "—",
    ];
    let mut text = String::new();
    for index in 0.. {
        if text.chars().count() >= characters {
            break;
        }
        text.push_str(WORDS[(index * 7 + seed * 3 + index / 11) % WORDS.len()]);
        text.push(' ');
    }
    text.trim_end().to_owned()
}

fn messages(size: Size) -> Vec<Value> {
    let (count, question, reply) = size.shape();
    let mut messages = vec![json!({"role": "system", "content": prose(question, 1)})];
    for index in 1..count {
        let (role, length) = if index % 2 == 1 { ("user", question) } else { ("assistant", reply) };
        messages.push(json!({"role": role, "content": prose(length, index)}));
    }
    messages
}

/// A chat of text alone, as a request.
pub(crate) fn text(size: Size) -> String {
    json!({"model": "m", "messages": messages(size), "temperature": 0.3}).to_string()
}

/// The same with brackets in every message, which a template could take for a part of its own literals.
pub(crate) fn bracketed(size: Size) -> String {
    let mut messages = messages(size);
    for message in &mut messages {
        let text = format!("{} [1] <b>", message["content"].as_str().unwrap_or_default());
        message["content"] = Value::String(text);
    }
    json!({"model": "m", "messages": messages, "temperature": 0.3}).to_string()
}

/// A chat with tools, calls, results and thinking.
pub(crate) fn tools(size: Size) -> String {
    let parameters = json!({"type": "object", "required": ["city"], "properties": {
        "city": {"type": "string", "description": prose(40, 3)},
        "days": {"type": "integer", "minimum": 1, "maximum": 14},
    }});
    let function = json!({"name": "get_weather", "description": prose(60, 2), "parameters": parameters});
    let mut list = Vec::new();
    for (index, message) in messages(size).into_iter().enumerate() {
        let is_reply = message["role"] == "assistant";
        let content = message["content"].clone();
        if !is_reply {
            list.push(message);
            continue;
        }
        let id = format!("call{index:05}");
        let arguments = json!({"city": prose(12, index), "days": index % 14 + 1}).to_string();
        let call = json!({"id": id, "type": "function", "function": {"name": "get_weather", "arguments": arguments}});
        let thinking = json!([{"type": "thinking", "thinking": prose(60, index)}]);
        list.push(json!({"role": "assistant", "content": thinking, "tool_calls": [call]}));
        let result = json!({"temperature": 21.5, "text": prose(80, index)}).to_string();
        list.push(json!({"role": "tool", "tool_call_id": id, "content": result}));
        list.push(json!({"role": "assistant", "content": content}));
    }
    let tool = json!({"type": "function", "function": function});
    json!({"model": "m", "messages": list, "tools": [tool]}).to_string()
}
