//! Every door that reads a request or a row, with bodies at the edges of what it accepts: what each becomes, what is told
//! of it, and what is refused. `tests/goldens/doors.jsonl`.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::fs;
use std::path::Path;

use mistral_chat_template::chat::{OwnedChat, ReasoningEffort, ResponseFormat, ToolChoice};
use mistral_chat_template::repair::RepairPolicy;
use mistral_chat_template::train::RowReader;
use mistral_chat_template::{Chat, Dialect, Layout, Message, Mode, Request, Tool};
use serde::Deserialize;
use serde_json::{Value, json};

#[derive(Deserialize)]
struct Case {
    door: String,
    body: String,
    answer: Value,
}

/// What a request is read as, strictly and with mends.
fn request(dialect: Dialect, body: &str) -> Value {
    let layout = Layout::V13.in_mode(Mode::Serving);
    let read = match Request::read(body, dialect) {
        Ok(request) => json!({"chat": request.chat, "ignored": request.ignored}),
        Err(error) => json!({"error": error.to_string()}),
    };
    let strict = Request::read_strictly(body, dialect).err().map(|error| error.to_string());
    let mended = match Request::repair(body, dialect, &layout, &RepairPolicy::default()) {
        Ok(mended) => {
            let repairs: Vec<_> = mended.repairs.iter().map(ToString::to_string).collect();
            json!({"chat": mended.request.chat, "repairs": repairs})
        }
        Err(error) => json!({"error": error.to_string()}),
    };
    let recognised = Dialect::recognise(body).map(|recognised| recognised.dialect.as_str());
    json!({"read": read, "strict": strict, "mended": mended, "recognised": recognised})
}

fn row(body: &str) -> Value {
    match RowReader::default().read(body) {
        Ok(row) => json!({
            "chat": row.chat,
            "rejected": row.rejected,
            "prompt_len": row.prompt_len,
            "label": row.label,
            "marks": row.marks,
            "only_last": row.only_last,
            "columns": row.columns.iter().map(|(name, json)| format!("{name}: {json}")).collect::<Vec<_>>(),
            "unread": row.notes.unread,
            "nulls": [row.notes.nulls_in_tools, row.notes.nulls_in_arguments],
            "given_ids": row.notes.given_ids,
        }),
        Err(error) => json!({"error": error.to_string()}),
    }
}

#[test]
fn every_door_reads_its_edges_as_it_did() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/goldens/doors.jsonl");
    let (mut count, mut others) = (0, Vec::new());
    for line in fs::read_to_string(path).unwrap().lines() {
        let Case { door, body, answer: expected } = serde_json::from_str(line).unwrap();
        let answer = match door.as_str() {
            "row" => row(&body),
            name => request(Dialect::from_name(name).unwrap(), &body),
        };
        if answer != expected {
            others.push(json!({"door": door, "body": body, "answer": answer}).to_string());
        }
        count += 1;
    }
    assert!(others.is_empty(), "{} of {count} have another answer now:\n{}", others.len(), others.join("\n"));
    assert!(count >= 40, "{count} bodies");
}

#[test]
fn chats_are_equal_in_all_that_is_typed() {
    let chat = Chat::new([Message::user("a")]);
    let others = [
        Chat::new([Message::user("b")]),
        Chat { tools: vec![Tool { name: "f".into(), ..Tool::default() }], ..chat.clone() },
        Chat { tool_choice: ToolChoice::Required, ..chat.clone() },
        Chat { parallel_tool_calls: Some(true), ..chat.clone() },
        Chat { reasoning_effort: Some(ReasoningEffort::High), ..chat.clone() },
        Chat { response_format: ResponseFormat::JsonObject, ..chat.clone() },
        Chat { model: Some("m".into()), ..chat.clone() },
    ];
    for (at, other) in others.iter().enumerate() {
        assert_ne!(other, &chat);
        assert!(others.iter().skip(at + 1).all(|another| another != other));
        assert_eq!(other, &other.clone());
        let owned = OwnedChat::from(other.clone());
        assert_eq!(&*owned, other);
        assert_eq!(&Chat::from(owned), other);
    }
    let mut owned = OwnedChat::from(chat.clone());
    owned.messages.push(Message::user("b"));
    assert_eq!(owned.messages, [Message::user("a"), Message::user("b")]);
}
