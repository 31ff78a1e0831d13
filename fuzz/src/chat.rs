//! Any text as a chat, in every dialect: a chat that is written and read again as it is, or an error.

use mistral_chat_template::{Chat, Dialect, Message};
use serde_json::Value;

const DIALECTS: [Dialect; 5] = [Dialect::Either, Dialect::Mistral, Dialect::OpenAi, Dialect::Legacy, Dialect::ShareGpt];

pub fn run(data: &[u8]) {
    let Ok(json) = std::str::from_utf8(data) else { return };
    for dialect in DIALECTS {
        match Chat::read(json, dialect) {
            Ok(chat) => {
                assert_eq!(chat, Chat::read(json, dialect).expect("what is read once is read again"));
                assert_is_written(&chat);
                if dialect != Dialect::ShareGpt {
                    assert_says_what_json_says(&chat, json);
                }
            }
            Err(error) => assert!(!error.to_string().is_empty()),
        }
    }
    match (Chat::from_json(json), serde_json::from_str::<Chat<'_>>(json)) {
        (Ok(own), Ok(serde)) => assert_eq!(own, serde),
        (Err(_), Err(_)) => {}
        (own, serde) => panic!("{own:?} {serde:?}"),
    }
}

fn assert_is_written(chat: &Chat<'_>) {
    if chat.messages.iter().any(weighs_strangely) {
        return;
    }
    let json = serde_json::to_string(chat).expect("a chat is written");
    assert_eq!(&Chat::read(&json, Dialect::Mistral).expect("what was written is read"), chat);
    assert_eq!(&Chat::from_json(&json).expect("what was written is read"), chat);
    assert_eq!(&chat.clone().into_owned(), chat);
}

/// No layout takes such a weight, and serde_json reads a number of many digits only nearly.
fn weighs_strangely(message: &Message<'_>) -> bool {
    matches!(message, Message::Assistant(message) if message.weight.is_some_and(|weight| weight != 0.0 && weight != 1.0))
}

/// An independent reader finds the same messages, and in those that are one text the same text.
fn assert_says_what_json_says(chat: &Chat<'_>, json: &str) {
    // Numbers that are too big for it are of no interest here.
    let Ok(value) = serde_json::from_str::<Value>(json) else { return };
    let messages = value["messages"].as_array().expect("a list of messages");
    assert_eq!(messages.len(), chat.messages.len());
    for (message, value) in chat.messages.iter().zip(messages) {
        let role = value["role"].as_str().expect("a role");
        let known = match role {
            "developer" => "system",
            "function" => "tool",
            role => role,
        };
        assert_eq!(message.role().as_str(), known);
        if let (Message::User(content) | Message::System(content), Some(text)) = (message, value["content"].as_str()) {
            assert_eq!(content, &text.into());
        }
    }
}
