//! What a turn of a long conversation costs a server, from the request to the ids: `cargo bench --bench turns`.
//!
//! An OpenAI client sends all of its conversation with each turn, every fifth turn calls a tool, and the ids are those of
//! the vocabulary of `examples/server`. The time of a turn is the least of several conversations; the columns are
//! microseconds:
//!
//! - parse: serde_json alone, into structs that borrow
//! - read: the whole request by [`Request::repair`], or the rest of it by [`Conversation::rest`] and [`Request::mend`]
//! - update: [`Conversation::update_from`] or [`Conversation::update_rest`], to the ids
//!
//! A second table says what share of all prompts' ids a prefix cache keeps, and what share is encoded, within windows.

use std::path::Path;
use std::time::{Duration, Instant};

use mistral_chat_template::conversation::{Update, Window};
use mistral_chat_template::layout::WordStart;
use mistral_chat_template::repair::RepairPolicy;
use mistral_chat_template::{
    AssistantMessage, Chat, Control, Conversation, Dialect, Layout, Mode, Request, Tokenizer, ToolCall,
};
use serde::Deserialize;
use serde_json::{Value, json};

use self::vocabulary::Vocabulary;

#[path = "../examples/support/vocabulary.rs"]
mod vocabulary;

const SHOWN: [usize; 4] = [2, 10, 100, 200];
const TURNS: usize = 200;
const RUNS: usize = 20;

/// What a turn took.
#[derive(Clone, Copy)]
struct Turn {
    turn: usize,
    bytes: usize,
    parse: Duration,
    read: Duration,
    update: Duration,
    shares: Shares,
}

/// Ids of the prompt, those that a cache keeps, and those that were encoded.
#[derive(Clone, Copy)]
struct Shares {
    ids: usize,
    kept: usize,
    encoded: usize,
}

impl Turn {
    fn least(self, other: Turn) -> Turn {
        let Turn { parse, read, update, .. } = other;
        Turn { parse: self.parse.min(parse), read: self.read.min(read), update: self.update.min(update), ..self }
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

/// A client, which keeps the whole conversation.
struct Client {
    messages: Vec<Value>,
}

impl Client {
    fn new() -> Self {
        Client { messages: vec![json!({"role": "system", "content": "You know the tides."})] }
    }

    fn ask(&mut self, turn: usize) {
        let question = format!("Question {turn}: how high is the water in Brest, and when?");
        self.messages.push(json!({"role": "user", "content": question}));
    }

    fn body(&self) -> String {
        let Client { messages } = self;
        json!({"messages": messages, "model": "tiny", "max_tokens": 64, "tool_choice": "none", "tools": [tool()]})
            .to_string()
    }

    /// Takes the answer of a turn, a call or a text, and gives it as the server has it.
    fn keep(&mut self, turn: usize, calls: bool) -> (AssistantMessage<'static>, String) {
        let said = format!("The tide of day {turn} is high at six in the morning, and low at noon; it is \"{turn}\".");
        let (id, arguments) = (format!("{turn:09}"), r#"{"port": "Brest", "days": 3}"#);
        if calls {
            let call = json!({"id": id, "type": "function", "function": {"name": "get_tide", "arguments": arguments}});
            let result =
                json!({"role": "tool", "tool_call_id": id, "name": "get_tide", "content": "{\"high\": \"06:12\"}"});
            self.messages.extend([json!({"role": "assistant", "content": "", "tool_calls": [call]}), result]);
            let tool_calls = vec![ToolCall::new("get_tide", arguments).id(id)];
            return (AssistantMessage { tool_calls, ..AssistantMessage::default() }, said);
        }
        self.messages.push(json!({"role": "assistant", "content": said}));
        (AssistantMessage { content: said.clone().into(), ..AssistantMessage::default() }, said)
    }
}

type Known<'v> = Conversation<'static, &'v Vocabulary>;

/// Reads what of a body is new and takes it in; `None` where that is not enough.
fn by_rest(known: &mut Known<'_>, body: &str) -> Option<(Update, Duration, Duration)> {
    let (rest, compared) = timed(|| known.rest(body));
    let rest = rest?;
    let (mended, mended_in) = timed(|| Request::mend(rest.as_str(), Dialect::Either).unwrap());
    let (update, updated_in) = timed(|| known.update_rest(&rest, &mended));
    Some((update?, compared + mended_in, updated_in))
}

fn by_all(known: &mut Known<'_>, body: &str) -> (Update, Duration, Duration) {
    let policy = RepairPolicy::default();
    let layout = *known.layout();
    let (mended, read_in) = timed(|| Request::repair(body, Dialect::Either, &layout, &policy).unwrap());
    let (update, updated_in) = timed(|| known.update_from(&mended.request.chat).unwrap());
    known.remember(body, &mended);
    (update, read_in, updated_in)
}

/// One conversation: what each turn took.
fn converse(layout: &Layout, tokenizer: &Vocabulary, reads_rest: bool, window: Option<Window>) -> Vec<Turn> {
    let mut client = Client::new();
    client.ask(0);
    let chat = Chat::from_json(&client.body()).unwrap().into_owned();
    let mut known = Conversation::new(chat, layout, tokenizer).unwrap();
    if let Some(window) = window {
        known = known.with_window(window).unwrap();
    }
    let end = Tokenizer::control(tokenizer, Control::Eos).unwrap();
    let mut turns = Vec::new();
    for turn in 1..=TURNS {
        let steps: &[bool] = if turn % 5 == 0 { &[true, false] } else { &[false] };
        for calls in steps {
            let (reply, said) = client.keep(turn, *calls);
            let mut ids = Vec::new();
            tokenizer.text(&said, WordStart::Nothing, &mut ids);
            ids.push(end);
            known.reply(reply, &ids);
            if !calls {
                client.ask(turn);
            }
            let body = client.body();
            let (_, parse) = timed(|| drop(serde_json::from_str::<Bare<'_>>(&body)));
            let went_on = Some(()).filter(|()| reads_rest).and_then(|()| by_rest(&mut known, &body));
            assert!(went_on.is_some() || !reads_rest || turns.is_empty(), "turn {turn} is read as a whole");
            let (update, read, update_time) = went_on.unwrap_or_else(|| by_all(&mut known, &body));
            let shares = Shares { ids: known.ids().len(), kept: update.kept, encoded: update.encoded };
            turns.push(Turn { turn, bytes: body.len(), parse, read, update: update_time, shares });
        }
    }
    turns
}

fn main() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/server/vocabulary/tekken.json");
    let tokenizer = Vocabulary::open(&path, None).unwrap();
    let layouts = [Layout::V3_TEKKEN, Layout::V7_TEKKEN, Layout::V11, Layout::V13];
    let layouts = layouts.map(|layout| layout.in_mode(Mode::Serving));
    println!("| layout, what is read | turn | body | parse | read | update |");
    println!("| --- | ---: | ---: | ---: | ---: | ---: |");
    for layout in &layouts {
        for (name, reads_rest) in [("whole", false), ("rest", true)] {
            let mut least = converse(layout, &tokenizer, reads_rest, None);
            for _ in 1..RUNS {
                let again = converse(layout, &tokenizer, reads_rest, None);
                least = least.into_iter().zip(again).map(|(one, other)| one.least(other)).collect();
            }
            for shown in SHOWN {
                // In some turns a call comes before the text.
                let turn = least.iter().rfind(|it| it.turn == shown).unwrap();
                let [parse, read, update] = [turn.parse, turn.read, turn.update].map(|time| time.as_secs_f64() * 1e6);
                let bytes = turn.bytes;
                println!("| {}, {name} | {shown} | {bytes} | {parse:.1} | {read:.1} | {update:.1} |", layout.name);
            }
        }
    }
    println!("\n| layout | budget, low-water mark | kept | encoded | longest |\n| --- | --- | ---: | ---: | ---: |");
    for layout in &layouts {
        for (budget, low_water) in [(usize::MAX, usize::MAX), (8_128, 4_064), (8_128, 6_096), (8_128, 2_032)] {
            let window = Window::new(budget).with_low_water(low_water);
            let turns = converse(layout, &tokenizer, true, Some(window));
            let sum = |of: fn(&Shares) -> usize| turns.iter().map(|turn| of(&turn.shares)).sum::<usize>() as f64;
            let ids = sum(|it| it.ids);
            let (kept, encoded) = (100.0 * sum(|it| it.kept) / ids, 100.0 * sum(|it| it.encoded) / ids);
            let longest = turns.iter().map(|turn| turn.shares.ids).max().unwrap_or_default();
            let mark = if budget == usize::MAX { "none".to_owned() } else { format!("{budget}, {low_water}") };
            println!("| {} | {mark} | {kept:.1} % | {encoded:.1} % | {longest} |", layout.name);
        }
    }
}
