//! What becomes of a conversation's ids when its chat goes on or changes: each id stands where its segment does, nothing
//! known is encoded again, and the moves say where every id went.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may")]

use std::cell::RefCell;
use std::collections::{HashMap, HashSet};
use std::ops::Range;

use mistral_chat_template::chat::ReasoningEffort;
use mistral_chat_template::conversation::{Update, Window};
use mistral_chat_template::layout::{Frame, Mark, WordStart};
use mistral_chat_template::prompt::Medium;
use mistral_chat_template::version::Feature;
use mistral_chat_template::{
    AssistantMessage, Chat, Chunk, Control, Conversation, Format, Layout, Message, Mode, Segment, Tokenizer, ToolCall,
};

/// One id a character, one an image by its URL; remembers what it was asked.
#[derive(Default)]
struct Recording {
    heard: RefCell<Vec<String>>,
}

fn text_ids(text: &str, word_start: WordStart) -> Vec<u32> {
    let space = if word_start == WordStart::Space { " " } else { "" };
    [space, text].concat().chars().map(|char| 1000 + u32::from(char)).collect()
}

fn control_id(control: Control) -> u32 {
    u32::try_from(Control::all().position(|other| other == control).unwrap()).unwrap()
}

impl Tokenizer for Recording {
    fn text(&self, text: &str, word_start: WordStart, ids: &mut Vec<u32>) {
        self.heard.borrow_mut().push(text.to_owned());
        ids.extend(text_ids(text, word_start));
    }

    fn control(&self, control: Control) -> Option<u32> {
        Some(control_id(control))
    }

    fn media(&self, medium: Medium<'_>, ids: &mut Vec<u32>) -> bool {
        let Some(Chunk::ImageUrl { url, .. }) = medium.chunk else { return false };
        self.heard.borrow_mut().push(url.to_string());
        ids.extend(url.bytes().rev().take(2).map(|byte| 9000 + u32::from(byte)));
        true
    }
}

const EOS: u32 = 2;

fn says(text: &str) -> AssistantMessage<'static> {
    AssistantMessage { content: text.to_owned().into(), ..AssistantMessage::default() }
}

/// A segment without the prompt that it is of.
#[derive(Clone, PartialEq, Eq, Hash)]
enum Key {
    Control(Control),
    Text(String, WordStart),
    Media,
}

struct Part {
    key: Key,
    ids: Range<usize>,
    sampled: bool,
}

type Talk<'t> = Conversation<'static, &'t Recording>;

fn parts(conversation: &Talk<'_>) -> Vec<Part> {
    let part = |it: mistral_chat_template::conversation::EncodedSegment<'_>| Part {
        key: match it.segment {
            Segment::Control(control) => Key::Control(control),
            Segment::Text(text) => Key::Text(text.to_owned(), it.word_start),
            Segment::Media(_) => Key::Media,
        },
        ids: it.ids,
        sampled: it.sampled,
    };
    conversation.segments().map(part).collect()
}

/// What the segments say of their ids is so.
fn assert_ids_of_segments(conversation: &Talk<'_>) {
    let mut at = 0;
    for part in parts(conversation) {
        assert_eq!(part.ids.start, at);
        at = part.ids.end;
        let ids = &conversation.ids()[part.ids.clone()];
        match &part.key {
            Key::Control(control) => assert_eq!(ids, [control_id(*control)], "{control}"),
            Key::Text(text, word_start) => assert_eq!(ids, text_ids(text, *word_start), "{text:?}"),
            Key::Media => assert_eq!(ids.len(), 2),
        }
        let of_model = conversation.sampled()[part.ids].iter().filter(|sampled| **sampled).count();
        let is_closed_for_it = ids == [EOS] && of_model == 0;
        assert_eq!(of_model > 0, part.sampled && at > 0 && !ids.is_empty() && !is_closed_for_it);
    }
    assert_eq!(at, conversation.ids().len());
}

/// What an update says of the ids is so. `replaced` says whether all of the chat was read anew.
fn assert_moves(before: (&[u32], &[Part]), after: &Talk<'_>, update: &Update, replaced: bool) {
    let ((old, old_parts), new) = (before, after.ids());
    let Update { kept, new_ids, moves, encoded, .. } = update;
    assert_eq!(*new_ids, *kept..new.len());
    assert_eq!(old[..*kept], new[..*kept]);
    assert!(*kept == old.len() || old.get(*kept) != new.get(*kept), "no more could be kept");
    assert!(*kept == old.len() || update.prefix_break.is_some());
    let mut positions = HashMap::new();
    let mut end = 0;
    for (index, moved) in moves.iter().enumerate() {
        if index == 0 && *kept > 0 {
            assert_eq!((moved.from.start, moved.to.start), (0, 0));
            assert!(moved.to.end >= *kept);
        }
        assert_eq!(old[moved.from.clone()], new[moved.to.clone()]);
        assert!(moved.to.start >= end && !moved.to.is_empty(), "in order");
        if let Some(last) = index.checked_sub(1).and_then(|last| moves.get(last)) {
            assert!(last.from.end != moved.from.start || last.to.end != moved.to.start, "one move, not two");
        }
        end = moved.to.end;
        for (from, to) in moved.from.clone().zip(moved.to.clone()) {
            let first = *positions.entry(from).or_insert(to);
            assert!(first == to || first < *kept, "an id goes to one place, beside that at which the same id stood");
        }
    }
    for place in 0..old.len() + 1 {
        assert_eq!(update.new_position(place), positions.get(&place).copied());
    }
    if replaced {
        let known: HashSet<&Key> = old_parts.iter().filter(|part| !part.sampled).map(|part| &part.key).collect();
        let of_new = |part: &Part| if part.sampled || known.contains(&part.key) { 0 } else { part.ids.len() };
        assert_eq!(*encoded, parts(after).iter().map(of_new).sum::<usize>(), "what was not known");
        let moved: HashSet<usize> = positions.values().copied().collect();
        for part in parts(after).iter().filter(|part| !part.sampled) {
            if !known.contains(&part.key) {
                assert!(!part.ids.clone().any(|place| place >= *kept && moved.contains(&place)));
            }
        }
    }
}

/// The ids of a reply as rendering it gives them.
fn rendered_reply(layout: &Layout, message: &AssistantMessage<'static>) -> Vec<u32> {
    let chat = Chat::new([Message::user("?"), Message::Assistant(message.clone())]);
    let ids = layout.in_mode(Mode::Agnostic).render(&chat).unwrap().encode(&Recording::default()).unwrap();
    ids.into_iter().skip_while(|id| *id != control_id(Control::EndInst)).skip(1).collect()
}

fn layouts() -> [Layout; 6] {
    [Layout::V2, Layout::V3, Layout::V7, Layout::V11, Layout::V13, Layout::V15]
}

/// What the model says in turn `n`: a text, or a call that the next message answers.
fn turn(n: usize) -> (AssistantMessage<'static>, Message<'static>) {
    if n % 3 == 1 {
        let id = format!("call0000{n}");
        let call = ToolCall::new("get", "{\"n\": 1}").id(id.clone());
        let reply = AssistantMessage { tool_calls: vec![call], ..AssistantMessage::default() };
        (reply, Message::tool("7").answering(id))
    } else {
        (says(["to", "so", "to"][n % 3]), Message::user(["b", "c", "a"][n % 3]))
    }
}

/// What a client does with its chat before it sends it again.
fn changed(chat: &Chat<'static>, way: usize) -> Chat<'static> {
    let mut messages = chat.messages.clone();
    match way {
        0 => {}
        1 => drop(messages.drain(1..3)),
        2 => messages[0] = Message::system("another"),
        3 => drop(messages.drain(messages.len() - 2..)),
        4 => messages[1] = Message::user("said otherwise"),
        5 => drop(messages.remove(0)),
        6 => {
            let end = messages.len() - 1;
            messages.truncate(end);
            messages.push(Message::user("asked again"));
        }
        _ => messages = vec![messages[0].clone(), messages[1].clone()],
    }
    Chat { messages, ..chat.clone() }
}

#[test]
fn every_id_is_where_the_moves_say() {
    let mut asked = 0;
    for layout in layouts() {
        for (turns, way) in (2..7).flat_map(|turns| (0..8).map(move |way| (turns, way))) {
            let recording = Recording::default();
            let mut client = Chat::new([Message::system("S"), Message::user("a")]);
            let mut conversation = Conversation::new(client.clone(), &layout, &recording).unwrap();
            assert_ids_of_segments(&conversation);
            for n in 0..turns {
                let (reply, next) = turn(n);
                let mut sampled = rendered_reply(&layout, &reply);
                // Cut off now and then, so that the end token is one that the model has not said.
                sampled.truncate(sampled.len() - usize::from((turns + way + n) % 3 == 0));
                conversation.reply(reply.clone(), &sampled);
                let (ids, old) = (conversation.ids().to_vec(), parts(&conversation));
                client.messages.extend([Message::Assistant(reply), next]);
                let sent = if n + 1 == turns { changed(&client, way) } else { client.clone() };
                let Ok(rendered) = layout.render(&sent) else { continue };
                let is_replaced = n + 1 == turns && way > 0;
                let update = conversation.update(sent.clone()).unwrap();
                assert_eq!(conversation.chat(), &sent, "{} {way}", layout.name);
                assert_ids_of_segments(&conversation);
                assert_eq!(conversation.ids(), rendered.encode(&Recording::default()).unwrap());
                assert_moves((&ids, &old), &conversation, &update, is_replaced && way != 6);
                asked += 1;
            }
        }
    }
    assert!(asked > 700, "{asked}");
}

#[test]
fn what_stayed_moves_with_its_message() {
    let recording = Recording::default();
    let mut client = Chat::new([Message::user("x"), Message::assistant("y"), Message::user("x")]);
    let mut conversation = Conversation::new(client.clone(), &Layout::V7, &recording).unwrap();
    recording.heard.borrow_mut().clear();
    // <s> [INST] x [/INST] y </s> [INST] x [/INST]: the second question goes on, not the first, which says the same.
    client.messages.drain(..2);
    let update = conversation.update(client).unwrap();
    assert_eq!(recording.heard.borrow().len(), 0);
    assert_eq!((update.kept, update.encoded), (5, 0));
    assert_eq!(conversation.ids(), [1, 3, 1032, 1120, 4]);
}

#[test]
fn images_are_known_by_their_urls() {
    let url = |name: &str| Chunk::image_url(format!("https://example.com/{name}"));
    let image_ids = |name: &str| name.bytes().rev().take(2).map(|byte| 9000 + u32::from(byte)).collect::<Vec<_>>();
    let layout = Layout::V13.with(Feature::Image);
    let recording = Recording::default();
    let chat = Chat::new([
        Message::system("S"),
        Message::user(vec![url("aa"), url("bb"), Chunk::text("?")]),
        Message::assistant("y"),
        Message::user(vec![url("cc"), url("dd")]),
    ]);
    let mut conversation = Conversation::new(chat.clone(), &layout, &recording).unwrap();
    let images = |conversation: &Talk<'_>| {
        let ids = conversation.ids().iter().filter(|id| **id >= 9000);
        ids.copied().collect::<Vec<_>>()
    };
    assert_eq!(images(&conversation), ["aa", "bb", "cc", "dd"].map(image_ids).concat());
    for (first, second, heard) in [
        (["bb", "aa"], ["cc", "dd"], 0),
        (["aa", "bb"], ["dd", "aa"], 0),
        (["ee", "bb"], ["aa", "ff"], 2),
        (["ee", "ff"], ["aa", "bb"], 0),
        (["aa", "gg"], ["bb", "aa"], 1),
    ] {
        let mut sent = chat.clone();
        sent.messages[1] = Message::user(vec![url(first[0]), url(first[1]), Chunk::text("?")]);
        sent.messages[3] = Message::user(vec![url(second[0]), url(second[1])]);
        recording.heard.borrow_mut().clear();
        let update = conversation.update(sent.clone()).unwrap();
        assert_eq!(
            images(&conversation),
            [first, second].concat().into_iter().map(image_ids).collect::<Vec<_>>().concat()
        );
        assert_eq!((recording.heard.borrow().len(), update.encoded), (heard, 2 * heard), "{first:?} {second:?}");
    }
}

#[test]
fn images_that_change_places_all_move() {
    let url = |name: &str| Chunk::image_url(format!("https://example.com/{name}"));
    let shows = |names: &str| {
        let images = names.chars().map(|name| url(&name.to_string().repeat(2)));
        Chat::new([Message::user(images.chain([Chunk::text("?")]).collect::<Vec<_>>())])
    };
    let layout = Layout::V13.with(Feature::Image);
    for (one, other) in [("abab", "baab"), ("abab", "bbaa"), ("aabb", "abab"), ("abcabc", "cbacba")] {
        let recording = Recording::default();
        let mut conversation = Conversation::new(shows(one), &layout, &recording).unwrap();
        let before = conversation.ids().to_vec();
        let update = conversation.update(shows(other)).unwrap();
        assert_eq!(update.encoded, 0, "{one} {other}");
        let moved: Vec<_> = (0..before.len()).filter_map(|place| update.new_position(place)).collect();
        assert_eq!(moved.iter().collect::<HashSet<_>>().len(), before.len(), "{one} {other}: each id has a place");
        assert!(moved.iter().zip(&before).all(|(place, id)| conversation.ids()[*place] == *id), "{one} {other}");
    }
}

#[test]
fn a_reply_that_says_something_more_is_encoded_anew() {
    let recording = Recording::default();
    let call = ToolCall::new("f", "{}").id("abcdefgh1");
    let more = AssistantMessage { tool_calls: vec![call], ..says("b") };
    for layout in [Layout::V11, Layout::V13] {
        let mut conversation = Conversation::new(Chat::new([Message::user("a")]), &layout, &recording).unwrap();
        conversation.reply(says("b"), &[77, 78, EOS]);
        let result = Message::tool("r").answering("abcdefgh1");
        let chat = Chat::new([Message::user("a"), Message::Assistant(more.clone()), result]);
        conversation.update(chat.clone()).unwrap();
        assert_eq!(conversation.ids(), layout.render(&chat).unwrap().encode(&recording).unwrap());
    }
}

#[test]
fn a_client_that_continues_what_was_said_changes_nothing() {
    let recording = Recording::default();
    let client = Chat::new([Message::user("a")]);
    let with_prefix = Chat::new([Message::user("a"), Message::prefix("b")]);
    let frames = [Layout::V7, Layout { reply: Frame { open: Mark::Text(""), close: Mark::Text("") }, ..Layout::V7 }];
    for layout in frames {
        let mut conversation = Conversation::new(client.clone(), &layout, &recording).unwrap();
        conversation.reply(says("b"), &[1032, 1098]);
        let (ids, segments) = (conversation.ids().to_vec(), conversation.segments().count());
        let update = conversation.update(with_prefix.clone()).unwrap();
        assert_eq!(conversation.ids(), ids);
        assert_eq!((update.kept, update.new_ids.clone(), update.encoded), (ids.len(), ids.len()..ids.len(), 0));
        assert_eq!(
            (update.new_segments.clone(), update.start),
            (segments..segments, conversation.prompt().as_str().len())
        );
        assert_eq!((update.prefix_break, update.ends_sample), (None, false));
        assert_eq!(
            (0..ids.len()).map(|place| update.new_position(place)).collect::<Vec<_>>(),
            (0..ids.len()).map(Some).collect::<Vec<_>>()
        );
    }
    // What was ended is opened again: the end token goes.
    let mut conversation = Conversation::new(client.clone(), &Layout::V7, &recording).unwrap();
    conversation.reply(says("b"), &[1032, 1098, EOS]);
    let update = conversation.update(with_prefix.clone()).unwrap();
    assert_eq!((conversation.ids().last(), update.kept), (Some(&1098), conversation.ids().len()));
    assert_eq!(conversation.ids(), Layout::V7.render(&with_prefix).unwrap().encode(&recording).unwrap());
    // A prefix of something else is not what was said.
    let mut conversation = Conversation::new(client, &Layout::V7, &recording).unwrap();
    conversation.reply(says("b"), &[1032, 1098]);
    let other = Chat::new([Message::user("a"), Message::prefix("c")]);
    conversation.update(other.clone()).unwrap();
    assert_eq!(conversation.ids(), Layout::V7.render(&other).unwrap().encode(&recording).unwrap());
}

#[test]
fn what_the_client_wrote_is_kept_as_the_client_writes_it() {
    let calling = |arguments: &'static str| Message::calls([ToolCall::new("f", arguments).id("call00001")]);
    let answered = |arguments| {
        [calling(arguments), Message::tool("7").answering("call00001"), Message::assistant("d"), Message::user("e")]
    };
    let (one, other) = (r#"{"a": 1, "b": 2}"#, r#"{"b": 2, "a": 1}"#);
    for layout in layouts() {
        let recording = Recording::default();
        // The calls are of the chat that the client began with: no ids of them were sampled.
        let begun = |arguments| Chat::new([Message::user("a")].into_iter().chain(answered(arguments)));
        let mut conversation = Conversation::new(begun(one), &layout, &recording).unwrap();
        conversation.update(begun(other)).unwrap();
        assert_eq!(conversation.chat(), &begun(other), "{}", layout.name);
        assert_eq!(conversation.ids(), layout.render(&begun(other)).unwrap().encode(&recording).unwrap());

        // A reply was sampled before them.
        let first = [Message::user("a"), Message::assistant("to"), Message::user("c")];
        let mut conversation = Conversation::new(Chat::new([Message::user("a")]), &layout, &recording).unwrap();
        conversation.reply(says("to"), &rendered_reply(&layout, &says("to")));
        conversation.append([Message::user("c")].into_iter().chain(answered(one))).unwrap();
        let sent = Chat::new(first.iter().cloned().chain(answered(other)));
        conversation.update(sent.clone()).unwrap();
        assert_eq!(conversation.chat(), &sent, "{}", layout.name);
        assert_eq!(conversation.ids(), layout.render(&sent).unwrap().encode(&recording).unwrap());
    }
}

#[test]
fn what_the_layout_refuses_of_a_reply_is_as_the_client_kept_it() {
    let recording = Recording::default();
    let mut conversation = Conversation::new(Chat::new([Message::user("a")]), &Layout::V3, &recording).unwrap();
    let thinking = vec![Chunk::thinking("hm"), Chunk::text("b")];
    conversation.reply(AssistantMessage { content: thinking.into(), ..AssistantMessage::default() }, &[1098, EOS]);
    let kept = AssistantMessage { prefix: true, ..says("b") };
    conversation.update(Chat::new([Message::user("a"), Message::Assistant(kept), Message::user("c")])).unwrap();
    assert_eq!(conversation.chat().messages[1], Message::assistant("b"), "what follows ends it");
    assert!(conversation.ids().windows(2).any(|ids| ids == [1098, EOS]));

    let mut conversation = Conversation::new(Chat::new([Message::user("a")]), &Layout::V3, &recording).unwrap();
    conversation.reply(AssistantMessage { prefix: true, ..says("b") }, &[1098, EOS]);
    conversation.append([Message::user("c")]).unwrap();
    assert_eq!(conversation.chat().messages[1], Message::assistant("b"));
}

#[test]
fn ids_of_calls_are_the_clients_where_the_layout_writes_none() {
    let recording = Recording::default();
    let mut conversation = Conversation::new(Chat::new([Message::user("a")]), &Layout::V13, &recording).unwrap();
    let calling = |id: Option<&'static str>| {
        let call = ToolCall::new("f", "{}");
        AssistantMessage { tool_calls: vec![id.into_iter().fold(call, ToolCall::id)], ..AssistantMessage::default() }
    };
    let ids = rendered_reply(&Layout::V13, &calling(Some("x")));
    conversation.reply(calling(None), &ids);
    let sent = [Message::user("a"), Message::Assistant(calling(Some("mine"))), Message::tool("7").answering("mine")];
    let sent = Chat::new(sent);
    conversation.update(sent.clone()).unwrap();
    assert_eq!(conversation.chat(), &sent);
    // So it is when an earlier message changed as well.
    let mut conversation = Conversation::new(Chat::new([Message::user("z")]), &Layout::V13, &recording).unwrap();
    conversation.reply(calling(None), &ids);
    conversation.update(sent.clone()).unwrap();
    assert_eq!(conversation.chat(), &sent);
}

#[test]
fn the_arguments_of_a_call_that_takes_the_clients_id_stay_the_models() {
    let recording = Recording::default();
    let calling = |arguments: &'static str| ToolCall::new("f", arguments);
    let reply = |call| AssistantMessage { tool_calls: vec![call], ..AssistantMessage::default() };
    let ids = rendered_reply(&Layout::V13, &reply(calling(r#"{"a": 1}"#).id("x")));
    let chat = |call| Chat::new([Message::user("a"), Message::calls([call]), Message::tool("7").answering("mine")]);
    let (sent, kept) = (chat(calling(r#"{"a":1}"#).id("mine")), chat(calling(r#"{"a": 1}"#).id("mine")));
    for is_moved in [true, false] {
        let mut conversation = Conversation::new(Chat::new([Message::user("a")]), &Layout::V13, &recording).unwrap();
        conversation.reply(reply(calling(r#"{"a": 1}"#)), &ids);
        assert!(conversation.goes_on(&sent));
        if is_moved { conversation.update(sent.clone()) } else { conversation.update_from(&sent) }.unwrap();
        assert_eq!(conversation.chat(), &kept);
        let otherwise = Chat { reasoning_effort: Some(ReasoningEffort::High), ..sent.clone() };
        assert!(!conversation.goes_on(&otherwise) && !conversation.goes_on(&Chat::new([Message::user("b")])));
    }
}

#[test]
fn ids_that_were_sampled_are_of_their_turn_alone() {
    let recording = Recording::default();
    let reply = |arguments: &'static str| AssistantMessage {
        tool_calls: vec![ToolCall::new("f", arguments).id("call00001")],
        ..says("b")
    };
    let mut conversation = Conversation::new(Chat::new([Message::user("a")]), &Layout::V13, &recording).unwrap();
    let sampled: Vec<u32> =
        rendered_reply(&Layout::V13, &reply(r#"{"a": 1}"#)).into_iter().map(|id| id + 5000).collect();
    conversation.reply(reply(r#"{"a": 1}"#), &sampled);
    let result = Message::tool("7").answering("call00001");
    let sent = |arguments| Chat::new([Message::user("a"), Message::Assistant(reply(arguments)), result.clone()]);
    conversation.update(sent(r#"{"a": 1}"#)).unwrap();
    // Of a turn that became another one nothing was sampled, though its text is the same.
    let other = sent(r#"{"a": 2}"#);
    conversation.update(other.clone()).unwrap();
    assert_eq!(conversation.ids(), Layout::V13.render(&other).unwrap().encode(&recording).unwrap());
}

#[test]
fn a_window_says_its_bounds() {
    let window = Window::new(100);
    assert_eq!((window.budget(), window.low_water()), (100, 50));
    let lower = Window::new(100).with_low_water(30);
    assert_eq!((lower.budget(), lower.low_water()), (100, 30));
    assert_eq!(Window::new(100).with_low_water(1000).low_water(), 100, "no higher than the budget");
}

/// A sound and a system message may exclude each other, wherever they stand.
#[test]
fn what_a_new_message_excludes_may_stand_anywhere_before_it() {
    let sounds = [Chunk::InputAudio("AAAA".into()), Chunk::AudioUrl("https://example.com/a.wav".into())];
    let said = |chunk: &Chunk<'static>| Message::user(vec![chunk.clone(), Chunk::text("What is it?")]);
    let talk = [Message::user("a"), Message::assistant("b"), Message::user("c"), Message::assistant("d")];
    let (mut refused, mut accepted) = (0, 0);
    for layout in layouts().map(|layout| layout.with(Feature::Audio).in_mode(Mode::Agnostic)) {
        for sound in &sounds {
            for (begun, new) in [
                ([vec![Message::system("S")], talk.to_vec()].concat(), vec![said(sound)]),
                ([vec![said(sound)], talk[1..].to_vec()].concat(), vec![Message::user("e"), Message::system("S")]),
                ([vec![said(sound)], talk[1..].to_vec()].concat(), vec![Message::system("S"), Message::user("e")]),
            ] {
                let Ok(mut conversation) = Conversation::without_ids(Chat::new(begun.clone()), &layout) else {
                    continue;
                };
                let whole = Chat::new([begun, new.clone()].concat());
                match (conversation.append(new), layout.render(&whole)) {
                    (Ok(_), Ok(rendered)) => {
                        assert_eq!(conversation.prompt(), &rendered);
                        accepted += 1;
                    }
                    (Err(error), Err(expected)) => {
                        assert_eq!(error.to_string(), expected.to_string());
                        refused += 1;
                    }
                    (appended, rendered) => panic!("{}: {appended:?} {rendered:?}", layout.name),
                }
            }
        }
    }
    assert!(refused > 3 && accepted > 3, "{refused} {accepted}");
}

#[test]
fn results_that_come_one_by_one_go_into_the_order_of_their_calls() {
    let call = |id: &'static str| ToolCall::new("f", "{}").id(id);
    let result = |id: &'static str| Message::tool(id).answering(id);
    let begun = [
        Message::user("a"),
        Message::calls([call("call0000a"), call("call0000b")]),
        result("call0000b"),
        result("call0000a"),
        Message::assistant("d"),
        Message::user("e"),
        Message::calls([call("call00001"), call("call00002"), call("call00003"), call("call00004")]),
    ];
    for layout in layouts() {
        for order in [[1, 2, 3, 4], [4, 3, 2, 1], [2, 1, 4, 3], [1, 2, 4, 3], [1, 3, 2, 4], [3, 4, 1, 2]] {
            let ids = order.map(|n: usize| ["call00001", "call00002", "call00003", "call00004"][n - 1]);
            for first in 0..4 {
                let mut messages = begun.to_vec();
                messages.extend(ids[..first].iter().copied().map(result));
                let Ok(mut conversation) =
                    Conversation::without_ids(Chat::new(messages.clone()), &layout.in_mode(Mode::Agnostic))
                else {
                    continue;
                };
                messages.extend(ids[first..].iter().copied().map(result));
                let appended =
                    conversation.append(ids[first..].iter().copied().map(result)).map_err(|it| it.to_string());
                match layout.in_mode(Mode::Agnostic).render(&Chat::new(messages)).map_err(|it| it.to_string()) {
                    Ok(rendered) => assert_eq!(conversation.prompt(), &rendered, "{} {order:?} {first}", layout.name),
                    Err(error) => assert_eq!(appended.unwrap_err(), error),
                }
            }
        }
    }
}

/// The first result that moves stands far behind the calls, which are the second turn.
#[test]
fn the_last_two_of_many_results_change_places() {
    let ids = ["call00001", "call00002", "call00003", "call00004", "call00005"];
    let calls = Message::calls(ids.map(|id| ToolCall::new("f", "{}").id(id)));
    let [first, second, third, fourth, fifth] = ids.map(|id| Message::tool(id).answering(id));
    for layout in layouts().map(|layout| layout.in_mode(Mode::Agnostic)) {
        let begun =
            vec![Message::user("a"), calls.clone(), first.clone(), second.clone(), third.clone(), fifth.clone()];
        let Ok(mut conversation) = Conversation::without_ids(Chat::new(begun.clone()), &layout) else { continue };
        let whole = Chat::new([begun, vec![fourth.clone()]].concat());
        conversation.append([fourth.clone()]).unwrap();
        assert_eq!(conversation.prompt(), &layout.render(&whole).unwrap(), "{}", layout.name);
    }
}

/// Ids that a tokenizer would not give are a reply's own: a prompt that goes on with the same text has a tokenizer's.
#[test]
fn what_is_to_be_continued_is_encoded_anew() {
    let recording = Recording::default();
    for layout in layouts() {
        let mut conversation = Conversation::new(Chat::new([Message::user("a")]), &layout, &recording).unwrap();
        conversation.reply(says("b"), &[7777, EOS]);
        let with_prefix = Chat::new([Message::user("a"), Message::prefix("b")]);
        conversation.update(with_prefix.clone()).unwrap();
        let rendered = layout.render(&with_prefix).unwrap();
        assert_eq!(conversation.ids(), rendered.encode(&recording).unwrap(), "{}", layout.name);
    }
}

/// What was sampled stays behind a question that changed, and the message with it, of which a client keeps a part.
#[test]
fn a_reply_stays_as_it_was_sampled_behind_another_question() {
    let recording = Recording::default();
    let layout = Layout::V13.with(Feature::Think);
    let own = AssistantMessage {
        content: vec![Chunk::thinking("hm"), Chunk::text("b")].into(),
        ..AssistantMessage::default()
    };
    let sampled = [7777, 7778, EOS];
    let mut conversation = Conversation::new(Chat::new([Message::user("a")]), &layout, &recording).unwrap();
    conversation.reply(own.clone(), &sampled);
    let sent = Chat::new([Message::user("z"), Message::assistant("b"), Message::user("c")]);
    conversation.update(sent).unwrap();
    assert_eq!(conversation.chat().messages[1], Message::Assistant(own.clone()));
    assert!(conversation.ids().windows(3).any(|ids| ids == sampled));

    // So it does once more, as a turn among others.
    let sent = Chat::new([Message::user("y"), Message::assistant("b"), Message::user("d")]);
    conversation.update(sent).unwrap();
    assert_eq!(conversation.chat().messages[1], Message::Assistant(own));
    assert!(conversation.ids().windows(3).any(|ids| ids == sampled));
}

/// A reply that was cut off, and a client that ends with it, or with the beginning of another.
#[test]
fn what_was_cut_off_ends_unless_it_is_to_be_continued() {
    let recording = Recording::default();
    let begun = || {
        let layout = Layout::V7.in_mode(Mode::Agnostic);
        let mut conversation = Conversation::new(Chat::new([Message::user("a")]), &layout, &recording).unwrap();
        conversation.reply(says("b"), &[7777]);
        conversation
    };
    let said = [Message::user("a"), Message::assistant("b")];
    let mut conversation = begun();
    conversation.update(Chat::new(said.clone())).unwrap();
    assert_eq!(conversation.ids()[conversation.ids().len() - 2..], [7777, EOS]);

    let mut conversation = begun();
    let sent = Chat::new(said.into_iter().chain([Message::user("c"), Message::prefix("d")]));
    conversation.update(sent.clone()).unwrap();
    assert_eq!(conversation.chat(), &sent);
    let (said, next) = conversation.ids().split_at(conversation.ids().len() - 6);
    assert_eq!((&said[said.len() - 2..], next), (&[7777, EOS][..], &[3, 1032, 1099, 4, 1032, 1100][..]));
}

/// Every image that stood there before goes somewhere, as often as it did, whatever order they come in now.
#[test]
fn each_of_several_images_goes_to_one_place() {
    let layout = Layout::V13.with(Feature::Image);
    let recording = Recording::default();
    let chat = |images: usize| {
        let url = |at: usize| Chunk::image_url(["https://example.com/aa", "https://example.com/bb"][images >> at & 1]);
        let mut chunks: Vec<_> = (0..4).map(url).collect();
        chunks.push(Chunk::text("?"));
        Chat::new([Message::user(chunks)])
    };
    for (old, new) in (0..16).flat_map(|old| (0..16).map(move |new| (old, new))) {
        let mut conversation = Conversation::new(chat(old), &layout, &recording).unwrap();
        let update = conversation.update(chat(new)).unwrap();
        let known = old.count_ones().min(new.count_ones()) + (4 - old.count_ones()).min(4 - new.count_ones());
        let came = update.moves.iter().flat_map(|it| it.to.clone()).filter(|at| conversation.ids()[*at] >= 9000);
        assert_eq!(came.count(), 2 * known as usize, "{old:04b} {new:04b}");
    }
}

/// The last turn is one that was sampled, and the chat before it another.
#[test]
fn a_chat_may_end_with_what_was_sampled() {
    let recording = Recording::default();
    let layout = Layout::V7.in_mode(Mode::Agnostic);
    let mut conversation = Conversation::new(Chat::new([Message::user("a")]), &layout, &recording).unwrap();
    conversation.reply(says("b"), &[1032, 1098, EOS]);
    conversation.update(Chat::new([Message::user("z"), Message::assistant("b")])).unwrap();
    assert_ids_of_segments(&conversation);
    assert!(conversation.segments().last().unwrap().sampled);
}
