//! What a turn of a long conversation costs a server, from the request to the ids: `cargo bench --bench turns`.
//!
//! An OpenAI client sends all of its conversation with each turn, every fifth turn calls a tool, and the ids are those of
//! the vocabulary of `examples/server`. The time of a turn is the least of several conversations; the columns are
//! microseconds:
//!
//! - parse: serde_json alone, into structs that borrow
//! - read: the whole request by [`Request::repair`], or the rest of it by [`Conversation::rest`] and [`Request::mend`]
//! - update: [`Conversation::update_from`] or [`Conversation::update_rest`], to the ids

use std::path::Path;
use std::time::{Duration, Instant};

use mistral_chat_template::layout::WordStart;
use mistral_chat_template::repair::RepairPolicy;
use mistral_chat_template::{
    AssistantMessage, Control, Conversation, Dialect, Layout, Mode, Request, Tokenizer, ToolCall,
};
use serde::Deserialize;
use serde_json::{Value, json};

use self::vocabulary::Vocabulary;

#[path = "../examples/support/vocabulary.rs"]
mod vocabulary;

const SHOWN: [usize; 4] = [2, 10, 100, 200];
const RUNS: usize = 20;

/// What a turn took.
#[derive(Clone, Copy)]
struct Times {
    bytes: usize,
    parse: Duration,
    read: Duration,
    update: Duration,
}

impl Times {
    fn least(self, other: Times) -> Times {
        let Times { bytes, parse, read, update } = other;
        Times { bytes, parse: self.parse.min(parse), read: self.read.min(read), update: self.update.min(update) }
    }
}

fn timed<T>(work: impl FnOnce() -> T) -> (T, Duration) {
    let start = Instant::now();
    let done = std::hint::black_box(work());
    (done, start.elapsed())
}

/// What borrowing what a layout reads takes at least.
#[derive(Deserialize)]
#[allow(dead_code, reason = "it is read, and no more")]
struct Bare<'a> {
    #[serde(borrow)]
    messages: Vec<BareMessage<'a>>,
}

#[derive(Deserialize)]
#[allow(dead_code, reason = "it is read, and no more")]
struct BareMessage<'a> {
    #[serde(borrow)]
    role: &'a str,
    #[serde(borrow)]
    content: std::borrow::Cow<'a, str>,
}

fn tool() -> Value {
    json!({"type": "function", "function": {"name": "get_tide", "description": "The tide of a port", "strict": true, "parameters": {
        "type": "object",
        "properties": {"port": {"enum": ["Brest", "Calais"]}, "days": {"type": "integer", "minimum": 1, "maximum": 9}},
        "required": ["port", "days"],
        "additionalProperties": false,
    }}})
}

/// One conversation: what each turn took.
fn converse(layout: &Layout, tokenizer: &Vocabulary, turns: usize, goes_on: bool) -> Vec<Times> {
    let policy = RepairPolicy::default();
    let mut messages = vec![json!({"role": "system", "content": "You know the tides."})];
    let mut conversation: Option<Conversation<'static, &Vocabulary>> = None;
    let mut times = Vec::new();
    let end = Tokenizer::control(tokenizer, Control::Eos).unwrap();
    for turn in 1..=turns {
        messages.push(
            json!({"role": "user", "content": format!("Question {turn}: how high is the water in Brest, and when?")}),
        );
        let steps = if turn % 5 == 0 { 2 } else { 1 };
        for step in 0..steps {
            let calls = steps == 2 && step == 0;
            let body = json!({"messages": messages, "model": "tiny", "max_tokens": 64, "tool_choice": "none", "tools": [tool()]});
            let body = body.to_string();
            let (bare, parse) = timed(|| serde_json::from_str::<Bare<'_>>(&body));
            drop(bare);
            let (mut read, mut update) = (Duration::ZERO, Duration::ZERO);
            let mut is_read = false;
            if let Some(known) = conversation.as_mut().filter(|_| goes_on) {
                let (rest, compared) = timed(|| known.rest(&body));
                if let Some(rest) = rest {
                    let (mended, mending) = timed(|| Request::mend(rest.as_str(), Dialect::Either).unwrap());
                    let (updated, updating) = timed(|| known.update_rest(&rest, &mended));
                    (read, update, is_read) = (compared + mending, updating, updated.is_some());
                }
                assert!(is_read || turn < 3, "{turn}");
            }
            if !is_read {
                let (mended, reading) = timed(|| Request::repair(&body, Dialect::Either, layout, &policy).unwrap());
                read = reading;
                match &mut conversation {
                    None => {
                        let chat = mended.request.chat.clone().into_owned();
                        conversation = Some(Conversation::new(chat, layout, tokenizer).unwrap());
                    }
                    Some(conversation) => {
                        let (updated, updating) = timed(|| conversation.update_from(&mended.request.chat).unwrap());
                        assert!(updated.encoded < 100);
                        update = updating;
                    }
                }
                if let Some(known) = &mut conversation {
                    known.remember(&body, &mended);
                }
            }
            let conversation = conversation.as_mut().unwrap();
            if step + 1 == steps {
                times.push(Times { bytes: body.len(), parse, read, update });
            }
            let said =
                format!("The tide of day {turn} is high at six in the morning, and low at noon; it is \"{turn}\".");
            let mut ids = Vec::new();
            tokenizer.text(&said, WordStart::Nothing, &mut ids);
            ids.push(end);
            let id = format!("{turn:09}");
            let arguments = r#"{"port": "Brest", "days": 3}"#;
            let message = if calls {
                AssistantMessage {
                    tool_calls: vec![ToolCall::new("get_tide", arguments).id(id.clone())],
                    ..AssistantMessage::default()
                }
            } else {
                AssistantMessage { content: said.clone().into(), ..AssistantMessage::default() }
            };
            conversation.reply(message, &ids);
            if calls {
                let call =
                    json!({"id": id, "type": "function", "function": {"name": "get_tide", "arguments": arguments}});
                messages.push(json!({"role": "assistant", "content": "", "tool_calls": [call]}));
                messages.push(
                    json!({"role": "tool", "tool_call_id": id, "name": "get_tide", "content": "{\"high\": \"06:12\"}"}),
                );
            } else {
                messages.push(json!({"role": "assistant", "content": said}));
            }
        }
    }
    times
}

fn main() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/server/vocabulary/tekken.json");
    let tokenizer = Vocabulary::open(&path, None).unwrap();
    println!("| layout, what is read | turn | body | parse | read | update |");
    println!("| --- | ---: | ---: | ---: | ---: | ---: |");
    for layout in [Layout::V3_TEKKEN, Layout::V7_TEKKEN, Layout::V11, Layout::V13] {
        let layout = layout.in_mode(Mode::Serving);
        for (name, goes_on) in [("whole", false), ("rest", true)] {
            let mut least = converse(&layout, &tokenizer, 200, goes_on);
            for _ in 1..RUNS {
                let again = converse(&layout, &tokenizer, 200, goes_on);
                least = least.into_iter().zip(again).map(|(one, other)| one.least(other)).collect();
            }
            for turn in SHOWN {
                let Times { bytes, parse, read, update } = least[turn - 1];
                let [parse, read, update] = [parse, read, update].map(|time| time.as_secs_f64() * 1e6);
                println!("| {}, {name} | {turn} | {bytes} | {parse:.1} | {read:.1} | {update:.1} |", layout.name);
            }
        }
    }
}
