//! A reply and a message of a client's chat in: is the message the reply, as the client kept it?

use std::borrow::Cow;
use std::cmp::Reverse;
use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};

use serde_json::{Number, Value};

use crate::chat::{AssistantMessage, Chunk, Content, Message, ToolCall};

/// Is a message of a client's chat this reply?
///
/// Clients leave thinking out, write arguments anew, and send nothing, `null` or a space for a reply that says nothing.
pub(super) fn is_echo(reply: &AssistantMessage<'_>, message: &Message<'_>) -> bool {
    let Message::Assistant(echoed) = message else { return false };
    let mut calls = reply.tool_calls.iter().zip(&echoed.tool_calls);
    reply.tool_calls.len() == echoed.tool_calls.len()
        && same_texts(&reply.content, &echoed.content)
        && calls.all(|(one, other)| is_echoed_call(one, other))
}

fn is_echoed_call(one: &ToolCall<'_>, other: &ToolCall<'_>) -> bool {
    one.name == other.name && (one.id.is_none() || one.id == other.id) && same_json(&one.arguments, &other.arguments)
}

/// Gives the calls of a reply the ids that the client gave them, where they have none.
pub(super) fn take_ids<'a, 'g>(
    reply: &mut AssistantMessage<'a>,
    echoed: &AssistantMessage<'g>,
    own: impl Fn(&Cow<'g, str>) -> Cow<'a, str>,
) {
    for (call, echoed) in reply.tool_calls.iter_mut().zip(&echoed.tool_calls) {
        if call.id.is_none() {
            call.id = echoed.id.as_ref().map(&own);
        }
    }
}

/// Do two contents say the same aloud?
fn same_texts(one: &Content<'_>, other: &Content<'_>) -> bool {
    says_nothing(one) && says_nothing(other) || texts(one).flat_map(str::bytes).eq(texts(other).flat_map(str::bytes))
}

fn says_nothing(content: &Content<'_>) -> bool {
    texts(content).all(|text| text.is_empty() || text == " ")
}

fn texts<'c>(content: &'c Content<'_>) -> impl Iterator<Item = &'c str> {
    let text = match content {
        Content::Text(text) => Some(&**text),
        Content::Chunks(_) => None,
    };
    let chunk_text = |chunk: &'c Chunk<'_>| match chunk {
        Chunk::Text(text) => Some(&**text),
        Chunk::Thinking { .. }
        | Chunk::Image(_)
        | Chunk::ImageUrl { .. }
        | Chunk::InputAudio(_)
        | Chunk::AudioUrl(_) => None,
    };
    text.into_iter().chain(content.chunks().iter().filter_map(chunk_text))
}

/// Are two texts the same JSON? No arguments are an empty object.
fn same_json(one: &str, other: &str) -> bool {
    let parse = |text: &str| {
        let text = if text.trim().is_empty() { "{}" } else { text };
        serde_json::from_str::<Value>(text).ok()
    };
    one == other || parse(one).zip(parse(other)).is_some_and(|(one, other)| same_values(&one, &other))
}

/// The parser goes no deeper than 128.
fn same_values(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Number(one), Value::Number(other)) => same_numbers(one, other),
        (Value::Array(one), Value::Array(other)) => {
            one.len() == other.len() && one.iter().zip(other).all(|(one, other)| same_values(one, other))
        }
        (Value::Object(one), Value::Object(other)) => {
            let same = |(key, value)| other.get(key).is_some_and(|other| same_values(value, other));
            one.len() == other.len() && one.iter().all(same)
        }
        _ => one == other,
    }
}

/// JavaScript writes `1` for `1.0`.
fn same_numbers(one: &Number, other: &Number) -> bool {
    let is_whole = |number: &Number| number.is_i64() || number.is_u64();
    if is_whole(one) && is_whole(other) { one == other } else { one.as_f64() == other.as_f64() }
}

/// The known message that each message of a client's chat is, where one is.
///
/// The first `same` are equal. The others are shifted by one offset, that of most messages which occur only once: a client
/// took a message back, or left out the oldest.
pub(super) fn matches(
    known: &[&Message<'_>],
    given: &[Message<'_>],
    same: usize,
    is_same: impl Fn(usize, &Message<'_>) -> bool,
) -> Vec<Option<usize>> {
    let places = places(known.iter().copied().enumerate().skip(same));
    let mut votes: HashMap<isize, usize> = HashMap::new();
    for (fingerprint, at) in self::places(given.iter().enumerate().skip(same)) {
        if let (Some(at), Some(Some(known))) = (at, places.get(&fingerprint)) {
            *votes.entry(known.wrapping_sub(at).cast_signed()).or_default() += 1;
        }
    }
    let most = votes.into_iter().max_by_key(|(offset, count)| (*count, Reverse(offset.unsigned_abs()), *offset));
    let offset = most.map_or(0, |(offset, _)| offset);
    let known_of = |(at, message): (usize, &Message<'_>)| {
        if at < same {
            return Some(at);
        }
        at.checked_add_signed(offset).filter(|at| (same..known.len()).contains(at) && is_same(*at, message))
    };
    given.iter().enumerate().map(known_of).collect()
}

/// The place of each message that occurs once; `None` for one that occurs more often.
fn places<'m>(messages: impl Iterator<Item = (usize, &'m Message<'m>)>) -> HashMap<u64, Option<usize>> {
    let mut places = HashMap::new();
    for (at, message) in messages {
        places.entry(fingerprint(message)).and_modify(|place| *place = None).or_insert(Some(at));
    }
    places
}

/// A number that is the same for a reply and its echo.
pub(super) fn fingerprint(message: &Message<'_>) -> u64 {
    let mut hasher = DefaultHasher::new();
    message.role().as_str().hash(&mut hasher);
    if !says_nothing(message.content()) {
        texts(message.content()).for_each(|text| hasher.write(text.as_bytes()));
    }
    message.tool_calls().iter().for_each(|call| call.name.hash(&mut hasher));
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn calls(arguments: &str) -> AssistantMessage<'_> {
        AssistantMessage { tool_calls: vec![ToolCall::new("f", arguments).id("1")], ..AssistantMessage::default() }
    }

    #[test]
    fn arguments_are_compared_as_json() {
        for (one, other, same) in [
            (r#"{"a": 1, "b": [2.0]}"#, r#"{"b":[2],"a":1}"#, true),
            ("", "{}", true),
            (r#"{"a": 1}"#, r#"{"a": "1"}"#, false),
            (r#"{"a": 9007199254740993}"#, r#"{"a": 9007199254740992}"#, false),
            (r#"{"a": -9007199254740993}"#, r#"{"a": -9007199254740992}"#, false),
            (r#"{"a": 18446744073709551615}"#, r#"{"a": 18446744073709551614}"#, false),
            (r#"{"a": [1]}"#, r#"{"a": [1, 2]}"#, false),
            (r#"{"a": [1, 2]}"#, r#"{"a": [1]}"#, false),
            (r#"{"a": 1}"#, r#"{"a": 1, "b": 2}"#, false),
            ("not json", "not json", true),
            ("not json", "nor this", false),
        ] {
            assert_eq!(is_echo(&calls(one), &Message::Assistant(calls(other))), same, "{one} {other}");
        }
    }

    fn says(text: &str) -> AssistantMessage<'_> {
        AssistantMessage { content: text.into(), ..AssistantMessage::default() }
    }

    #[test]
    fn texts_are_compared_aloud() {
        for (one, other, same) in
            [("a", "a", true), ("", " ", true), (" ", "", true), ("a", "", false), ("", "a", false), ("a", "b", false)]
        {
            assert_eq!(is_echo(&says(one), &Message::Assistant(says(other))), same, "{one:?} {other:?}");
        }
    }

    #[test]
    fn calls_are_compared_by_number_name_and_id() {
        let call = |name: &'static str, id: &'static str| ToolCall::new(name, "{}").id(id);
        let calling = |calls: &[ToolCall<'static>]| AssistantMessage {
            tool_calls: calls.to_vec(),
            ..AssistantMessage::default()
        };
        let one = call("f", "1");
        for (others, same) in [
            (vec![one.clone()], true),
            (vec![one.clone(), call("g", "2")], false),
            (vec![], false),
            (vec![call("g", "1")], false),
            (vec![call("f", "2")], false),
            (vec![ToolCall::new("f", "{}")], false),
        ] {
            let echoed = Message::Assistant(calling(&others));
            assert_eq!(is_echo(&calling(std::slice::from_ref(&one)), &echoed), same, "{others:?}");
        }
        let without_id = calling(&[ToolCall::new("f", "{}")]);
        assert!(is_echo(&without_id, &Message::Assistant(calling(&[one]))), "the layout wrote no id");
        assert!(!is_echo(&without_id, &Message::Assistant(calling(&[call("g", "1")]))));
    }

    #[test]
    fn ids_are_taken_where_there_are_no_own() {
        let mut reply = AssistantMessage {
            tool_calls: vec![ToolCall::new("f", "{}"), ToolCall::new("g", "{}").id("own")],
            ..AssistantMessage::default()
        };
        let echoed = AssistantMessage {
            tool_calls: vec![ToolCall::new("f", "{}").id("1"), ToolCall::new("g", "{}").id("2")],
            ..AssistantMessage::default()
        };
        take_ids(&mut reply, &echoed, Cow::clone);
        let ids: Vec<_> = reply.tool_calls.iter().map(|call| call.id.as_deref()).collect();
        assert_eq!(ids, [Some("1"), Some("own")]);
    }

    #[test]
    fn most_messages_decide_how_far_all_were_shifted() {
        let messages = |texts: &[&'static str]| texts.iter().copied().map(Message::user).collect::<Vec<_>>();
        let known = messages(&["s", "a", "b", "c", "d", "e"]);
        let known: Vec<_> = known.iter().collect();
        let given = messages(&["s", "b", "d", "e"]);
        let found = matches(&known, &given, 1, |at, message| known[at] == message);
        assert_eq!(found, [Some(0), None, Some(4), Some(5)], "two were shifted by two, and one by one");
    }

    #[test]
    fn of_two_offsets_the_one_is_taken_of_messages_that_went() {
        let messages = |texts: &[&'static str]| texts.iter().copied().map(Message::user).collect::<Vec<_>>();
        let known = messages(&["s", "a", "b", "c"]);
        let known: Vec<_> = known.iter().collect();
        let given = messages(&["s", "b", "x", "y", "c"]);
        for _ in 0..20 {
            let found = matches(&known, &given, 1, |at, message| known[at] == message);
            assert_eq!(found, [Some(0), Some(2), None, None, None], "not by chance");
        }
    }

    #[test]
    fn messages_are_found_where_the_oldest_went() {
        let say = |text: &'static str| Message::user(text);
        let known = [say("s"), say("a"), say("ok"), say("b"), say("ok"), say("c")];
        let known: Vec<_> = known.iter().collect();
        let given = [say("s"), say("b"), say("ok"), say("c"), say("d")];
        let found = matches(&known, &given, 1, |at, message| known[at] == message);
        assert_eq!(found, [Some(0), Some(3), Some(4), Some(5), None]);
    }
}
