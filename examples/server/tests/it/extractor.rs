//! A chat as the body that axum's `Json` reads, for servers that leave reading to it.

use axum::Json;
use mistral_chat_template::Message;
use mistral_chat_template::chat::OwnedChat;
use serde::Deserialize;

const BODY: &str = r#"{"temperature": 0.5, "messages": [
    {"role": "user", "content": "The tide?"},
    {"role": "assistant", "content": null, "tool_calls": [
        {"id": "abcdef123", "type": "function", "function": {"name": "get_tide", "arguments": {"port": "Brest", "days": 1.50}}}
    ]},
    {"role": "tool", "tool_call_id": "abcdef123", "content": "06:12"}
], "tools": [{"type": "function", "function": {"name": "get_tide", "parameters": {"type": "object"}}}]}"#;

#[derive(Deserialize)]
struct Asked {
    temperature: f64,
    #[serde(flatten)]
    chat: OwnedChat,
}

#[test]
fn a_body_with_calls_is_a_chat() {
    let Json(chat) = Json::<OwnedChat>::from_bytes(BODY.as_bytes()).unwrap();
    let Message::Assistant(reply) = &chat.messages[1] else { panic!("a reply") };
    let call = &reply.tool_calls[0];
    assert_eq!((&*call.name, &*call.arguments), ("get_tide", r#"{"port": "Brest", "days": 1.50}"#));
    let Json(asked) = Json::<Asked>::from_bytes(BODY.as_bytes()).unwrap();
    assert_eq!((asked.temperature, asked.chat.messages.len(), asked.chat.tools.len()), (0.5, 3, 1));
}

#[test]
fn a_rejection_names_the_culprit() {
    let body = BODY.replace(r#""name": "get_tide", "arguments""#, r#""name": null, "arguments""#);
    let error = Json::<OwnedChat>::from_bytes(body.as_bytes()).unwrap_err().body_text();
    assert!(error.contains("messages[1].tool_calls[0].function: the field `name` is missing or null"), "{error}");
}
