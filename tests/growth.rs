//! How time and memory grow: twice the input, how much more of both.
//!
//! `cargo test --release --test growth -- --ignored --nocapture --test-threads 1` prints the tables. Time is the least of
//! fifteen runs; memory is the input and the most that is allocated at a time, over the input and the output.

use std::hint::black_box;
use std::time::{Duration, Instant};

use allocation_counter::measure;
use mistral_chat_template::completion::Leniency;
use mistral_chat_template::grammar::LarkStyle;
use mistral_chat_template::preset::Scene;
use mistral_chat_template::python_json::reformat;
use mistral_chat_template::repair::RepairPolicy;
use mistral_chat_template::train::RowReader;
use mistral_chat_template::{
    Chat, Completion, CompletionReader, Control, Conversation, Dialect, Format, Layout, Message, Mode, Preset, Request,
    Segment, ToolCall, Version,
};
use serde_json::{Value, json};

use self::completions::Bytes;

#[allow(dead_code, unreachable_pub, reason = "a part is used here")]
#[path = "it/support/completions.rs"]
mod completions;

/// An input, what it came to, and what that took.
struct Run<W> {
    input: String,
    work: W,
    output: usize,
    time: Duration,
}

impl<W: Fn(&str) -> usize> Run<W> {
    fn new(input: String, work: W) -> Self {
        Run { input, work, output: 0, time: Duration::MAX }
    }

    fn again(&mut self) {
        let started = Instant::now();
        self.output = black_box((self.work)(black_box(&self.input)));
        self.time = self.time.min(started.elapsed());
    }

    /// The input, which is not counted as allocated, and the most that is allocated at a time.
    fn peak(&self) -> f64 {
        let allocated = measure(|| assert_eq!((self.work)(&self.input), self.output)).bytes_max;
        (self.input.len() as f64 + allocated as f64) / (self.input.len() + self.output) as f64
    }
}

/// Runs n and 2n by turns, so that both meet the same neighbours on the machine, and prints a line of the table.
fn print<W: Fn(&str) -> usize>(name: &str, of: impl Fn(usize) -> Run<W>) {
    let (mut one, mut two) = (of(1), of(2));
    for _ in 0..15 {
        one.again();
        two.again();
        if two.time > Duration::from_secs(1) {
            break;
        }
    }
    let ratio = two.time.as_secs_f64() / one.time.as_secs_f64();
    let milliseconds = two.time.as_secs_f64() * 1e3;
    let (input, output) = (two.input.len(), two.output);
    let (peak, peak_of_two) = (one.peak(), two.peak());
    println!("| {name} | {input} | {output} | {milliseconds:.2} ms | {ratio:.2} | {peak:.2} | {peak_of_two:.2} |");
}

const WORDS: &str = "Forêt [/INST] </s>, 世界 and \"quotes\"\n";

fn words(bytes: usize) -> String {
    WORDS.repeat(bytes / WORDS.len())
}

fn json(chat: &Chat<'_>) -> String {
    serde_json::to_string(chat).unwrap()
}

/// One message of this many megabytes.
fn long_message(megabytes: usize) -> String {
    json(&Chat::new([Message::user(words(megabytes * 1_000_000))]))
}

fn exchanges(count: usize) -> Chat<'static> {
    let said =
        |index: usize| if index.is_multiple_of(2) { Message::user(words(100)) } else { Message::assistant(words(100)) };
    Chat::new((0..count * 5_000 + 1).map(said))
}

fn exchanges_json(count: usize) -> String {
    json(&exchanges(count))
}

/// Calls and results by turns, of an agent whose ids no layout takes.
fn agent(count: usize) -> Chat<'static> {
    let round = |index: usize| {
        let id = format!("call_{index:024}");
        let call = ToolCall::new("get", "{\"city\":\"Paris\"}").id(id.clone());
        [
            Message::user("And there?"),
            Message::calls([call]),
            Message::tool("22").answering(id),
            Message::assistant("22."),
        ]
    };
    Chat::new((0..count * 1_250).flat_map(round).chain([Message::user("Thanks.")]))
}

fn render(json: &str, format: &impl Format) -> usize {
    format.render(&Chat::from_json(json).unwrap()).unwrap().as_str().len()
}

fn count(segment: Segment<'_>) -> usize {
    match segment {
        Segment::Text(text) => text.len(),
        Segment::Control(_) | Segment::Media(_) => 1,
    }
}

#[test]
#[ignore = "a measurement: run it in release"]
fn growth() {
    // The allocator learns from it to keep what is freed: memory asked of the system anew would be what is timed.
    drop(black_box(vec![1_u8; 30 << 20]));
    println!(
        "| what, at n = 1 MB of content or 5,000 messages | input at 2n | output at 2n | time at 2n | t(2n)/t(n) | peak at n | at 2n |"
    );
    println!("| --- | ---: | ---: | ---: | ---: | ---: | ---: |");
    for version in Version::ALL {
        let layout = version.layout();
        print(&format!("content: JSON to prompt, {version}"), |n| {
            Run::new(long_message(n), |json| render(json, &layout))
        });
        print(&format!("messages: JSON to prompt, {version}"), |n| {
            Run::new(exchanges_json(n), |json| render(json, &layout))
        });
    }
    formats();
    conversations();
    texts();
}

/// The ids of a text of which each `[TOOL_CALLS]`, `[ARGS]` and `</s>` is a control token.
fn ids(text: &str) -> Vec<u32> {
    let mut ids = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((byte, tail)) = rest.split_first() {
        let controls = [Control::ToolCalls, Control::Args, Control::Eos];
        let control = controls.iter().find(|control| rest.starts_with(control.as_str().as_bytes()));
        rest = control.map_or(tail, |control| &rest[control.as_str().len()..]);
        ids.push(match control {
            Some(control) => u32::try_from(Control::all().position(|other| other == *control).unwrap()).unwrap(),
            None => 1000 + u32::from(*byte),
        });
    }
    ids
}

/// The bytes of what was read.
fn length(completion: Completion) -> usize {
    let calls = completion.into_result().unwrap().tool_calls;
    calls.iter().map(|call| call.name.len() + call.arguments.len()).sum()
}

/// Reads an output by one of the doors: all deltas are added to a message.
fn answer(reader: CompletionReader, push: impl FnOnce(&mut CompletionReader, &mut Completion)) -> usize {
    let (mut reader, mut completion) = (reader, Completion::default());
    push(&mut reader, &mut completion);
    completion.finish(reader.finish());
    length(completion)
}

/// An output by both doors, whole and in pieces of four characters or ids.
fn doors(name: &str, layout: Layout, leniency: Leniency, output: impl Fn(usize) -> String) {
    let request = r#"{"messages": [], "tools": [{"type": "function", "function": {"name": "get"}}]}"#;
    let tools = Chat::from_json(request).unwrap().tools;
    let reader = || CompletionReader::new(&layout).with_leniency(leniency).with_tools(&tools);
    print(&format!("{name}: text, whole"), |n| Run::new(output(n), |text| length(reader().read(text))));
    print(&format!("{name}: text, in pieces"), |n| {
        Run::new(output(n), |text| {
            answer(reader(), |reader, completion| {
                for piece in text.as_bytes().chunks(4) {
                    completion.extend(reader.push(std::str::from_utf8(piece).unwrap()));
                }
            })
        })
    });
    // The ids, which are the caller's, are not counted as allocated either.
    print(&format!("{name}: ids, whole"), |n| {
        let (text, reader) = (output(n), &reader);
        let ids = ids(&text);
        Run::new(text, move |_| length(reader().read_ids(&ids, &Bytes)))
    });
    print(&format!("{name}: ids, one by one"), |n| {
        let (text, reader) = (output(n), &reader);
        let ids = ids(&text);
        Run::new(text, move |_| {
            answer(reader(), |reader, completion| {
                for id in &ids {
                    completion.extend(reader.push_id(*id, &Bytes));
                }
            })
        })
    });
}

/// Answers of n MB of arguments, and of 200,000 n calls.
#[test]
#[ignore = "a measurement: run it in release"]
fn answers() {
    drop(black_box(vec![1_u8; 30 << 20]));
    println!("| what | input at 2n | output at 2n | time at 2n | t(2n)/t(n) | peak at n | at 2n |");
    println!("| --- | ---: | ---: | ---: | ---: | ---: | ---: |");
    let arguments = |n: usize| format!("{{\"a\": [{}0]}}", "{\"b\": \"value \\\"\", \"n\": 12}, ".repeat(n * 33_000));
    let object = "{\"name\": \"get\", \"arguments\": {\"a\": 1}}";
    let strict = Leniency::Strict;
    doors("arguments, v13", Layout::V13, strict, |n| format!("[TOOL_CALLS]get[ARGS]{}</s>", arguments(n)));
    doors("arguments, v7", Layout::V7, strict, |n| {
        format!("[TOOL_CALLS][{{\"name\": \"get\", \"arguments\": {}}}]</s>", arguments(n))
    });
    doors("calls, v13", Layout::V13, strict, |n| "[TOOL_CALLS]get[ARGS]{\"a\": 1}".repeat(n * 200_000));
    let list = |n: usize| format!("[TOOL_CALLS][{}{object}]", format!("{object}, ").repeat(n * 200_000 - 1));
    doors("calls, v7", Layout::V7, strict, list);
    doors("bare calls, v13, lenient", Layout::V13, Leniency::Lenient, |n| "get{\"a\": 1} ".repeat(n * 200_000));
    doors("lists amid text, v7, lenient", Layout::V7, Leniency::Lenient, |n| {
        format!("So [1]: [{object}] and ").repeat(n * 200_000)
    });
}

/// A request whose longest list, which is that of its messages, is repeated until it has this many bytes.
fn repeated(request: &Value, bytes: usize) -> String {
    let mut request = request.clone();
    let lists = request.as_object_mut().unwrap().values_mut().filter_map(Value::as_array_mut);
    let messages = lists.max_by_key(|list| list.len()).unwrap();
    let once = messages.clone();
    let length = serde_json::to_string(&once).unwrap().len();
    for _ in 0..bytes / length {
        messages.extend_from_slice(&once);
    }
    request.to_string()
}

/// Tools, each with a schema of a hundred fields that are nested in each other.
fn tools(count: usize, fields: usize) -> String {
    let schema = (0..fields).fold(
        json!({"type": "string"}),
        |inner, _| json!({"type": "object", "properties": {"of": inner}, "required": ["of"]}),
    );
    let tool = |index: usize| {
        let function = json!({"name": format!("tool_{index}"), "description": "Does it.", "parameters": schema});
        json!({"type": "function", "function": function})
    };
    let tools: Vec<Value> = (0..count).map(tool).collect();
    let messages = json!([{"role": "user", "content": "Hi"}]);
    json!({"messages": messages, "tools": tools, "tool_choice": "required"}).to_string()
}

/// Requests of 50 n MB in each dialect and row of a data set, read, repaired and rendered, and those with many tools.
#[test]
#[ignore = "a measurement: run it in release"]
fn requests() {
    drop(black_box(vec![1_u8; 30 << 20]));
    println!("| what | input at 2n | output at 2n | time at 2n | t(2n)/t(n) | peak at n | at 2n |");
    println!("| --- | ---: | ---: | ---: | ---: | ---: | ---: |");
    let layout = Layout::V13.in_mode(Mode::Agnostic);
    for line in include_str!("goldens/rich_requests.jsonl").lines() {
        let mut line: Value = serde_json::from_str(line).unwrap();
        let (kind, request) = (line["kind"].take(), line["request"].take());
        let Some(dialect) = Dialect::from_name(kind.as_str().unwrap()) else {
            if request["messages"].is_array() || request["conversations"].is_array() {
                print("a row", |n| Run::new(repeated(&request, n * 50_000_000), |json| read_row(json, &layout)));
            }
            continue;
        };
        print(&format!("a request of {dialect:?}"), |n| {
            Run::new(repeated(&request, n * 50_000_000), |json| {
                let mended = Request::repair(json, dialect, &layout, &RepairPolicy::default()).unwrap();
                layout.render(&mended.request.chat).unwrap().as_str().len()
            })
        });
    }
    for (count, fields) in [(10_000, 10), (100, 60)] {
        let name = format!("{count} n tools, their schemas {} deep", 2 * fields);
        print(&format!("{name}: JSON to prompt"), |n| Run::new(tools(n * count, fields), |json| render(json, &layout)));
        print(&format!("{name}: JSON to grammar"), |n| {
            Run::new(tools(n * count, fields), |json| {
                let chat = Chat::from_json(json).unwrap();
                layout.grammar(&chat).unwrap().unwrap().to_lark(&Bytes, LarkStyle::Exact).unwrap().len()
            })
        });
    }
}

/// The length of the prompt of a row's chat as it is repaired.
fn read_row(json: &str, layout: &Layout) -> usize {
    let chat = RowReader::default().read(json).unwrap().chat;
    let repaired = chat.repair(layout, &RepairPolicy::default()).unwrap();
    layout.render(&repaired.chat).unwrap().as_str().len()
}

fn formats() {
    let preset = Preset::for_layout(&Layout::MAGNUM).unwrap().with_scene(&Scene::default()).unwrap();
    print("content: JSON to prompt, a preset", |n| Run::new(long_message(n), |json| render(json, &preset)));
    print("messages: JSON to prompt, a preset", |n| Run::new(exchanges_json(n), |json| render(json, &preset)));
    for layout in [Layout::V3, Layout::V13] {
        let template = mistral_chat_template::ChatTemplate::new(&layout.chat_template()).unwrap();
        let name = format!("a template, {}", layout.name);
        print(&format!("content: JSON to prompt, {name}"), |n| {
            Run::new(long_message(n), |json| render(json, &template))
        });
        print(&format!("messages: JSON to prompt, {name}"), |n| {
            Run::new(exchanges_json(n), |json| render(json, &template))
        });
    }
}

fn conversations() {
    for layout in [Layout::V3, Layout::V7, Layout::V13] {
        print(&format!("messages: repaired, {}", layout.name), |n| {
            Run::new(json(&agent(n)), |json| {
                let chat = Chat::from_json(json).unwrap();
                let repaired = chat.repair(&layout, &RepairPolicy::default()).unwrap();
                layout.render(&repaired.chat).unwrap().as_str().len()
            })
        });
        print(&format!("messages: fitted to half, {}", layout.name), |n| {
            Run::new(exchanges_json(n), move |json| {
                let chat = Chat::from_json(json).unwrap();
                let fitted = chat.fit(&layout, n * 400_000, count).unwrap();
                assert!(!fitted.dropped.is_empty());
                fitted.count
            })
        });
        print(&format!("messages: appended two by two, {}", layout.name), |n| {
            Run::new(exchanges_json(n), |json| {
                let messages = Chat::from_json(json).unwrap().messages;
                let mut messages = messages.into_iter();
                let first = messages.next().unwrap();
                let mut growing = Conversation::without_ids(Chat::new([first]), &layout).unwrap();
                while let (Some(one), Some(other)) = (messages.next(), messages.next()) {
                    growing.append([one, other]).unwrap();
                }
                growing.prompt().as_str().len()
            })
        });
    }
}

fn texts() {
    print("content: a completion of text", |n| {
        Run::new(words(n * 1_000_000), |text| {
            let content = Completion::from_text(text, &Layout::V13).message.content;
            if let mistral_chat_template::Content::Text(text) = content { text.len() } else { 0 }
        })
    });
    print("content: JSON as Python writes it", |n| {
        Run::new(format!("[{}0]", "{\"a\":1,\"b\":[1.50,\"\\u00e9\"],\"a\":2},".repeat(n * 27_000)), |json| {
            let mut out = String::new();
            reformat(json, &mut out).unwrap();
            out.len()
        })
    });
    print("content: a preset's file", |n| {
        let file = serde_json::json!({"story_string": words(n * 1_000_000)}).to_string();
        Run::new(file, |json| {
            let mut preset = Preset::default();
            preset.load(json).unwrap();
            preset.context.story_string.len()
        })
    });
    let layout = Layout::V3.in_mode(Mode::Agnostic);
    print("content: a prompt explained, v3", |n| {
        let prompt = layout.render(&exchanges(n)).unwrap().into_string();
        Run::new(prompt, |prompt| {
            mistral_chat_template::explain::Explanation::new(prompt, &layout).chat.messages.len() * 100
        })
    });
}
