//! Any ids as an answer: read one by one, in pieces and as segments they say the same; a control token is one that was
//! sampled; and every API's form of the answer is JSON.

use mistral_chat_template::completion::{
    CallDeltas, Detokenizer, DummyPrefix, Leniency, NewCallIds, ReplyEvents, ReplyHead,
};
use mistral_chat_template::{Chat, Completion, CompletionReader, Control, Dialect, Layout, Segment};
use serde_json::Value;

use super::source::Source;
use super::support::Bytes;

/// What one id stands for that is no byte: texts in which calls, thinking and ends are begun, and characters cut in two.
const PIECES: [&[u8]; 16] = [
    b"{\"a\": 1}",
    b"[{\"name\": \"f\", \"arguments\": {}}]",
    b"[TOOL_CALLS]",
    b"f",
    b"</s>",
    b"[ARGS]",
    b"<think>",
    b"</think>",
    b"stop",
    b"\xe4\xb8",
    b"\x96 ",
    b"\"",
    b"}",
    b"\\u00",
    b"abcdefgh1",
    b"",
];

pub fn run(data: &[u8]) {
    let (mut head, rest) = Source::with_head(data);
    let layout = head.layout();
    let (longest, options) = (head.below(8) + 1, head.byte());
    let dialect = head.pick(&Dialect::ALL);
    let ids = ids(rest.bytes());
    let reader = || reader(&layout, options);
    let whole = reader().read_ids(&ids, &Pieces);

    let (mut cut, mut cutting) = (Completion::default(), reader());
    let mut ends = vec![0];
    for piece in ids.chunks(longest) {
        for (delta, from) in cutting.push_ids(piece, &Pieces).with_ids() {
            assert!(from.start <= from.end && from.end <= ids.len(), "{from:?}");
            ends.push(from.end);
            cut.add(delta);
        }
    }
    assert!(ends.is_sorted(), "deltas come in the order of their ids");
    let stop = cutting.stop_found().cloned();
    let finished = cutting.finish();
    if let Some(stop) = &stop {
        assert!(stop.ids.start < stop.ids.end && stop.ids.end <= ids.len(), "{stop:?}");
        assert_eq!(stop.string, "stop");
    }
    cut.finish(finished);
    assert_same(&whole, &cut);
    assert_same(&whole, &read_segments(reader().with_dummy_prefix(DummyPrefix::Present), &ids));
    if options & 1 == 0 && ids.iter().all(|id| Pieces.control_of(*id).is_none()) {
        assert!(whole.message.tool_calls.is_empty() && whole.error.is_none(), "{whole:?}");
    }
    assert_is_told(&whole, reader(), &ids, dialect);
}

fn reader(layout: &Layout, options: u8) -> CompletionReader {
    let request = r#"{"messages": [], "tools": [{"type": "function", "function": {"name": "f"}}]}"#;
    let tools = Chat::from_json(request).expect("a chat").tools;
    let calls = if options & 2 == 0 { CallDeltas::Whole } else { CallDeltas::Streamed };
    let reader = CompletionReader::new(layout).with_calls(calls(NewCallIds::seeded(1)));
    let reader = if options & 1 == 0 { reader } else { reader.with_leniency(Leniency::Lenient).with_tools(&tools) };
    if options & 4 == 0 { reader } else { reader.with_stop_strings(["stop"]) }
}

/// Ids of bytes and of control tokens, and those of pieces.
struct Pieces;

const PIECE: u32 = 2000;

impl Pieces {
    fn control_of(&self, id: u32) -> Option<Control> {
        Detokenizer::control(&Bytes, id)
    }
}

impl Detokenizer for Pieces {
    fn control(&self, id: u32) -> Option<Control> {
        self.control_of(id)
    }

    fn bytes(&self, id: u32, bytes: &mut Vec<u8>) {
        match id.checked_sub(PIECE) {
            Some(piece) => bytes.extend(PIECES[piece as usize % PIECES.len()]),
            None => Detokenizer::bytes(&Bytes, id, bytes),
        }
    }
}

/// An id for each byte: 128 and more are control tokens, 192 and more pieces.
fn ids(bytes: &[u8]) -> Vec<u32> {
    let id = |byte: &u8| match u32::from(*byte) {
        byte @ 192.. => PIECE + byte - 192,
        byte @ 128.. => (byte - 128) % count_of_controls(),
        byte => Bytes::id(byte),
    };
    bytes.iter().map(id).collect()
}

fn count_of_controls() -> u32 {
    Control::all().count().try_into().expect("there are few control tokens")
}

/// The same output as segments, each text as long as it can be.
fn read_segments(reader: CompletionReader, ids: &[u32]) -> Completion {
    let (mut texts, mut bytes) = (Vec::new(), Vec::new());
    for id in ids {
        match Pieces.control_of(*id) {
            Some(control) => texts.push((std::mem::take(&mut bytes), Some(control))),
            None => Pieces.bytes(*id, &mut bytes),
        }
    }
    texts.push((bytes, None));
    let texts: Vec<_> = texts.iter().map(|(bytes, control)| (String::from_utf8_lossy(bytes), *control)).collect();
    let segments = texts.iter().flat_map(|(text, control)| [Some(Segment::Text(text)), control.map(Segment::Control)]);
    reader.read_segments(segments.flatten())
}

fn assert_same(whole: &Completion, other: &Completion) {
    assert_eq!(whole.message, other.message);
    assert_eq!(whole.rest, other.rest);
    assert_eq!(whole.stray, other.stray);
    assert_eq!(whole.liberties, other.liberties);
    assert_eq!(whole.written_ids, other.written_ids);
    assert_eq!(whole.error.as_ref().map(ToString::to_string), other.error.as_ref().map(ToString::to_string));
}

/// What an API sends of the answer is JSON, whole and in pieces.
fn assert_is_told(whole: &Completion, mut reader: CompletionReader, ids: &[u32], dialect: Dialect) {
    let head = ReplyHead { id: "1", model: "m", ..ReplyHead::default() };
    serde_json::to_string(&whole.response(dialect, head)).expect("a response is written");
    let mut replies = ReplyEvents::new(dialect, head);
    let mut events = replies.begin();
    for id in ids {
        for delta in reader.push_id(*id, &Pieces) {
            events.extend(replies.push(&delta));
        }
    }
    let finished = reader.finish();
    finished.deltas.iter().for_each(|delta| events.extend(replies.push(delta)));
    events.extend(replies.finish(whole.finish_reason(), head));
    for event in events.iter().filter(|event| event.data != "[DONE]") {
        assert!(serde_json::from_str::<Value>(&event.data).is_ok(), "{}", event.data);
    }
}
