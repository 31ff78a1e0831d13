//! A chat through every door of serde: borrowed from text, owned from readers, values and flattened fields.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::borrow::Cow;

use mistral_chat_template::chat::OwnedChat;
use mistral_chat_template::{Chat, Content, Format, Layout, Message, ToolCall};
use proptest::prelude::*;
use serde::Deserialize;
use serde_json::Value;

use crate::support::arbitrary;

/// A tool whose schema has numbers, arguments as text and as an object, and a schema for the answer.
const WITH_CALLS: &str = r#"{"temperature": 0.5, "messages": [
    {"role": "user", "content": [{"type": "text", "text": "Wh\u00e4t?"}, {"type": "image_url", "image_url": "https://a/b.png"}]},
    {"role": "assistant", "content": null, "weight": 1, "tool_calls": [
        {"id": "abcdef123", "type": "function", "function": {"name": "f", "arguments": "{\"a\": [1.50, null]}"}},
        {"id": "abcdef124", "type": "function", "function": {"name": "f", "arguments": {"a": [1.5, true, "\u2028"]}}}
    ]},
    {"role": "tool", "tool_call_id": "abcdef123", "content": "1"},
    {"role": "tool", "tool_call_id": "abcdef124", "content": "2"}
], "tools": [{"type": "function", "function": {"name": "f", "parameters":
    {"type": "object", "properties": {"z": {"maximum": 18446744073709551615}, "a": {"minimum": -1e-7, "enum": [[], {}]}}}}}],
    "tool_choice": {"type": "function", "function": {"name": "f"}},
    "response_format": {"type": "json_schema", "json_schema": {"name": "s", "schema": {"type": "object"}}}}"#;

#[derive(Deserialize)]
struct Flattened {
    temperature: Option<f64>,
    #[serde(flatten)]
    chat: OwnedChat,
}

#[derive(Deserialize)]
struct FlattenedBorrowed<'a> {
    #[serde(flatten, borrow)]
    chat: Chat<'a>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum ChatOrText {
    Chat(OwnedChat),
    #[allow(dead_code, reason = "the other of two")]
    Text(String),
}

#[derive(Deserialize)]
#[serde(tag = "kind")]
enum Tagged {
    #[serde(rename = "chat")]
    Chat {
        #[serde(flatten)]
        chat: OwnedChat,
    },
}

/// The chat through each door, by the door's name.
fn doors(json: &str) -> Vec<(&'static str, Result<Chat<'static>, serde_json::Error>)> {
    let value: Value = serde_json::from_str(json).unwrap();
    let tagged = json.replacen('{', r#"{"kind": "chat", "#, 1);
    vec![
        ("borrowed", serde_json::from_str::<Chat<'_>>(json).map(Chat::into_owned)),
        ("text", serde_json::from_str::<OwnedChat>(json).map(|chat| chat.0)),
        ("bytes", serde_json::from_slice::<OwnedChat>(json.as_bytes()).map(|chat| chat.0)),
        ("reader", serde_json::from_reader::<_, OwnedChat>(json.as_bytes()).map(|chat| chat.0)),
        ("value", serde_json::from_value::<OwnedChat>(value.clone()).map(|chat| chat.0)),
        ("borrowed value", Chat::deserialize(&value).map(Chat::into_owned)),
        ("flattened", serde_json::from_str::<Flattened>(json).map(|body| body.chat.0)),
        ("flattened from a reader", serde_json::from_reader::<_, Flattened>(json.as_bytes()).map(|body| body.chat.0)),
        ("flattened from a value", serde_json::from_value::<Flattened>(value).map(|body| body.chat.0)),
        ("flattened and borrowed", serde_json::from_str::<FlattenedBorrowed<'_>>(json).map(|it| it.chat.into_owned())),
        ("tagged", serde_json::from_str::<Tagged>(&tagged).map(|Tagged::Chat { chat }| chat.0)),
        (
            "untagged",
            serde_json::from_str::<ChatOrText>(json).map(|read| match read {
                ChatOrText::Chat(chat) => chat.0,
                ChatOrText::Text(_) => unreachable!("an object is no text"),
            }),
        ),
    ]
}

/// What a layout makes of a chat: its prompt, or why it refuses it.
fn rendered(layout: &Layout, chat: &Chat<'_>) -> String {
    layout.render(chat).map_or_else(|error| error.to_string(), |prompt| prompt.as_str().to_owned())
}

#[test]
fn calls_and_tools_come_through_every_door() {
    let expected = Chat::from_json(WITH_CALLS).unwrap();
    let Message::Assistant(reply) = &expected.messages[1] else { panic!("a reply") };
    assert_eq!(reply.tool_calls.len(), 2);
    let layout = Layout::V11.with(mistral_chat_template::version::Feature::Image);
    let prompt = rendered(&layout, &expected);
    assert!(prompt.contains("18446744073709551615"), "{prompt}");
    for (door, read) in doors(WITH_CALLS) {
        let chat = read.unwrap_or_else(|error| panic!("{door}: {error}"));
        assert_eq!(rendered(&layout, &chat), prompt, "{door}");
        assert_eq!((&chat.tool_choice, &chat.parallel_tool_calls), (&expected.tool_choice, &None), "{door}");
    }
    assert_eq!(serde_json::from_str::<Flattened>(WITH_CALLS).unwrap().temperature, Some(0.5));
}

#[test]
fn text_is_borrowed_where_it_can_be() {
    let chat: Chat<'_> = serde_json::from_str(WITH_CALLS).unwrap();
    let Message::Assistant(reply) = &chat.messages[1] else { panic!("a reply") };
    let is_borrowed =
        |call: &ToolCall<'_>| matches!((&call.name, &call.id), (Cow::Borrowed(_), Some(Cow::Borrowed(_))));
    assert!(reply.tool_calls.iter().all(is_borrowed));
    assert!(matches!(reply.tool_calls[1].arguments, Cow::Borrowed(_)));
    assert!(matches!(chat.messages[2].content(), Content::Text(Cow::Borrowed("1"))));
}

#[test]
fn an_owned_chat_remembers_the_json_that_it_was_sent_as() {
    let sent = |chat: &Chat<'_>| chat.sent.as_ref().map(|sent| sent.as_str().to_owned());
    for (door, read) in doors(WITH_CALLS) {
        let expected = match door {
            "text" | "bytes" | "reader" => Some(WITH_CALLS.to_owned()),
            "value" => Some(serde_json::from_str::<Value>(WITH_CALLS).unwrap().to_string()),
            _ => None,
        };
        assert_eq!(sent(&read.unwrap()), expected, "{door}");
    }
}

#[test]
fn every_door_names_the_culprit() {
    let json = r#"{"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "tool_calls": [
        {"id": "abcdef123", "function": {"name": "f", "arguments": 5}}]}]}"#;
    for (door, read) in doors(json) {
        let error = read.unwrap_err().to_string();
        let names_it =
            error.starts_with("messages[1].tool_calls[0].function.arguments: expected a string or a JSON object");
        // serde's untagged enums keep no error.
        assert!(
            names_it || matches!(door, "untagged" | "borrowed" | "borrowed value" | "flattened and borrowed"),
            "{door}: {error}"
        );
    }
    let error = serde_json::from_str::<OwnedChat>(r#"{"messages": [{"role": "wizard", "content": ""}]}"#).unwrap_err();
    assert!(error.to_string().starts_with(r#"messages[0].role: "wizard" is not a role"#), "{error}");
}

#[test]
fn what_nests_too_deep_for_a_value_is_refused() {
    // A deserializer that no JSON is behind, as deep as its maker likes.
    struct Deep(usize);
    impl<'de> serde::Deserializer<'de> for Deep {
        type Error = serde::de::value::Error;

        fn deserialize_any<V: serde::de::Visitor<'de>>(self, visitor: V) -> Result<V::Value, Self::Error> {
            visitor
                .visit_newtype_struct(Deep(self.0.checked_sub(1).ok_or_else(|| serde::de::Error::custom("the end"))?))
        }

        serde::forward_to_deserialize_any! {
            bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct
            newtype_struct seq tuple tuple_struct map struct enum identifier ignored_any
        }
    }
    let error = OwnedChat::deserialize(Deep(10_000_000)).unwrap_err();
    assert_eq!(error.to_string(), "the JSON nests more than 128 levels deep");
}

/// What a deserializer of another format may give, and JSON's does not.
#[derive(Clone)]
enum Made {
    Nothing,
    Something(Box<Made>),
    Signed(i64),
    Wide(i128),
    Wider(u128),
    Text(&'static str),
    List(Vec<Made>),
    Map(Vec<(&'static str, Made)>),
}

impl<'de> serde::Deserializer<'de> for Made {
    type Error = serde::de::value::Error;

    fn deserialize_any<V: serde::de::Visitor<'de>>(self, visitor: V) -> Result<V::Value, Self::Error> {
        use serde::de::value::{MapDeserializer, SeqDeserializer};

        match self {
            Made::Nothing => visitor.visit_none(),
            Made::Something(inner) => visitor.visit_some(*inner),
            Made::Signed(value) => visitor.visit_i64(value),
            Made::Wide(value) => visitor.visit_i128(value),
            Made::Wider(value) => visitor.visit_u128(value),
            Made::Text(text) => visitor.visit_borrowed_str(text),
            Made::List(items) => visitor.visit_seq(SeqDeserializer::new(items.into_iter())),
            Made::Map(members) => visitor.visit_map(MapDeserializer::new(members.into_iter())),
        }
    }

    fn deserialize_option<V: serde::de::Visitor<'de>>(self, visitor: V) -> Result<V::Value, Self::Error> {
        match self {
            Made::Nothing => visitor.visit_none(),
            some => visitor.visit_some(some),
        }
    }

    fn deserialize_newtype_struct<V: serde::de::Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Self::Error> {
        visitor.visit_newtype_struct(self)
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct
        seq tuple tuple_struct map struct enum identifier ignored_any
    }
}

impl serde::de::IntoDeserializer<'_> for Made {
    type Deserializer = Made;

    fn into_deserializer(self) -> Made {
        self
    }
}

#[test]
fn values_that_json_does_not_have_are_written_as_json() {
    let arguments = Made::Map(vec![
        ("nothing", Made::Nothing),
        ("something", Made::Something(Box::new(Made::Signed(-1)))),
        ("signed", Made::Signed(-2)),
        ("wide", Made::Wide(i128::MIN)),
        ("wider", Made::Wider(u128::MAX)),
    ]);
    let function = Made::Map(vec![("name", Made::Text("f")), ("arguments", arguments)]);
    let call = Made::Map(vec![("id", Made::Text("call00001")), ("function", function)]);
    let reply = Made::Map(vec![("role", Made::Text("assistant")), ("tool_calls", Made::List(vec![call]))]);
    let chat = OwnedChat::deserialize(Made::Map(vec![("messages", Made::List(vec![reply]))])).unwrap();
    let Message::Assistant(reply) = &chat.messages[0] else { panic!("{chat:?}") };
    let wide = format!(r#""wide":{},"wider":{}"#, i128::MIN, u128::MAX);
    assert_eq!(reply.tool_calls[0].arguments, format!(r#"{{"nothing":null,"something":-1,"signed":-2,{wide}}}"#));
}

#[test]
fn a_number_of_any_precision_is_a_number() {
    // What serde_json's `arbitrary_precision` makes of a number that is kept as a value.
    let number = |text: &str, more: &str| format!(r#"{{"n": {{"$serde_json::private::Number": "{text}"{more}}}}}"#);
    let schema = |parameters: &str| {
        let json =
            format!(r#"{{"messages": [], "tools": [{{"function": {{"name": "f", "parameters": {parameters}}}}}]}}"#);
        serde_json::from_str::<Flattened>(&json).unwrap().chat.tools[0].parameters.as_str().to_owned()
    };
    assert_eq!(schema(&number("123456789012345678901234567890", "")), r#"{"n":123456789012345678901234567890}"#);
    for (text, more) in [("5 or so", ""), ("5", r#","m":1"#)] {
        assert_eq!(schema(&number(text, more)), number(text, more).replace(": ", ":"), "an object like any other");
    }
    for other in [r#"{"n":{"m":"5"}}"#, r#"{"n":{"m":1,"$serde_json::private::Number":"5"}}"#] {
        assert_eq!(schema(other), other);
    }
}

proptest! {
    #![proptest_config(arbitrary::cases(64))]

    #[test]
    fn every_door_gives_the_same_chat(chat in arbitrary::chat()) {
        let json = serde_json::to_string(&chat).unwrap();
        let read = Chat::from_json(&json).map_err(|error| error.to_string());
        for (door, through) in doors(&json) {
            let (Ok(chat), Ok(expected)) = (&through, &read) else {
                prop_assert_eq!(through.is_ok(), read.is_ok(), "{}", door);
                continue;
            };
            for layout in arbitrary::layouts() {
                prop_assert_eq!(rendered(&layout, chat), rendered(&layout, expected), "{} {}", door, layout.name);
            }
        }
    }
}

#[test]
fn arguments_that_are_null_are_none_through_every_door() {
    let json = r#"{"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": null,
        "tool_calls": [{"id": "abcdefgh1", "function": {"name": "f", "arguments": null}}]}]}"#;
    for (door, read) in doors(json) {
        let chat = read.unwrap_or_else(|error| panic!("{door}: {error}"));
        let Message::Assistant(reply) = &chat.messages[1] else { panic!("{door}") };
        assert_eq!(reply.tool_calls[0].arguments, "{}", "{door}");
    }
}
