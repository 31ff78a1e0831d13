//! Pairs of measurements, taken in turn, and the medians of their ratios.

use std::hint::black_box;
use std::time::{Duration, Instant};

use mistral_chat_template::grammar::LarkStyle;
use mistral_chat_template::layout::WordStart;
use mistral_chat_template::preset::Scene;
use mistral_chat_template::render::CheckedChat;
use mistral_chat_template::repair::RepairPolicy;
use mistral_chat_template::version::Feature;
use mistral_chat_template::{
    Chat, Control, Conversation, Format, Layout, Message, Mode, Preset, Prompt, Tokenizer, Version,
};
use serde_json::Value;

use crate::chats::{self, Size};
use crate::peers::{self, Official, ThreeLines};

/// How long one side of a pair runs at least: short, so that other work of the machine falls into few of the pairs.
const SLICE: Duration = Duration::from_micros(200);
/// Pairs of one ratio: as many as go into the time, but for the least that a median needs.
const LEAST_PAIRS: usize = 15;
const MOST_PAIRS: usize = 1001;
const TIME: Duration = Duration::from_millis(800);

/// Prints those ratios whose family the filter names, or all.
pub(crate) fn print(filter: Option<&str>) {
    let families: [(&str, &dyn Fn()); 9] = [
        ("text", &|| Size::ALL.into_iter().for_each(text)),
        ("layout", &|| Version::ALL.iter().for_each(|version| layout(version.layout()))),
        ("template", &|| templates(Size::K8)),
        ("tools", &|| Size::ALL.into_iter().for_each(tools)),
        ("preset", &|| Size::ALL.into_iter().for_each(preset)),
        ("append", &|| append(Size::K80)),
        ("repair", &|| repair(Size::K80)),
        ("two", &threads),
        ("grow", &growths),
    ];
    println!();
    for (_, print) in families.iter().filter(|(name, _)| filter.is_none_or(|filter| *name == filter)) {
        print();
    }
}

fn growths() {
    growth("100k-messages", (100_000, 200), (1_000, 200));
    growth("100mb", (1, 100_000_000), (1, 1_000_000));
    slope("messages", &[1, 10, 100, 1_000, 10_000, 100_000].map(|count| seconds((count, 200))));
    slope("bytes", &[1_000, 10_000, 100_000, 1_000_000, 10_000_000, 100_000_000].map(|length| seconds((1, length))));
    slope("tools", &[10, 100, 1_000, 10_000].map(grammar_seconds));
}

fn report(name: &str, ratio: f64) {
    println!("ratio {name} {ratio:.3}");
}

fn text(size: Size) {
    let (name, json) = (size.name(), chats::text(size));
    let chat = Chat::from_json(&json).unwrap();
    let mut prompt = Layout::V3.render(&chat).unwrap();
    let pieces = peers::pieces(&prompt, &chat);
    let mut buffer = String::new();

    let mut native = || Layout::V3.render_into(black_box(&chat), &mut prompt).unwrap();
    report(&format!("native/limit@{name}"), ratio(&mut native, || peers::push(black_box(&pieces), &mut buffer)));
    if let Some(official) = Official::new(&json) {
        report(&format!("hf/native@{name}"), ratio(|| drop(black_box(official.render())), &mut native));
        template(&format!("hf/template@{name}"), &official, &chat);
    }
    let (three_lines, value) = (ThreeLines::new(), serde_json::from_str::<Value>(&json).unwrap());
    report(
        &format!("minijinja/native@{name}"),
        ratio(|| drop(black_box(three_lines.render_value(&value))), &mut native),
    );

    let bytes = json.as_bytes();
    let mut request = || {
        let chat = Chat::from_json(std::str::from_utf8(black_box(bytes)).unwrap()).unwrap();
        Layout::V3.render_into(&chat, &mut prompt).unwrap();
    };
    report(
        &format!("request/value@{name}"),
        ratio(&mut request, || drop(black_box(serde_json::from_slice::<Value>(black_box(bytes)).unwrap()))),
    );
    report(
        &format!("request/borrowed@{name}"),
        ratio(request, || {
            black_box(peers::bare_parse(black_box(bytes)));
        }),
    );
}

/// Each official template, for texts without brackets and with them.
fn templates(size: Size) {
    for (kind, json) in [("plain", chats::text(size)), ("brackets", chats::bracketed(size))] {
        let chat = Chat::from_json(&json).unwrap();
        for (name, official) in Official::all(&json) {
            template(&format!("hf/template@{}/{name}/{kind}", size.name()), &official, &chat);
        }
    }
}

/// `hf-chat-template` over this crate's way with a template.
fn template(name: &str, official: &Official, chat: &Chat<'_>) {
    let mut prompt = Prompt::new();
    official.render_ours(chat, &mut prompt);
    assert_eq!(prompt.as_str(), official.render());
    let ours = || official.render_ours(black_box(chat), &mut prompt);
    report(name, ratio(|| drop(black_box(official.render())), ours));
}

/// Every layout over its own limit, at one size.
fn layout(layout: Layout) {
    let json = chats::text(Size::K8);
    let chat = Chat::from_json(&json).unwrap();
    let mut prompt = layout.render(&chat).unwrap();
    let pieces = peers::pieces(&prompt, &chat);
    let mut buffer = String::new();
    let native = || layout.render_into(black_box(&chat), &mut prompt).unwrap();
    report(&format!("native/limit@8k/{}", layout.name), ratio(native, || peers::push(black_box(&pieces), &mut buffer)));
}

/// The pair of presets that equals a layout, over the layout.
fn preset(size: Size) {
    let json = chats::text(size);
    let chat = Chat::from_json(&json).unwrap();
    let format = Preset::for_layout(&Layout::MAGNUM).unwrap().with_scene(&Scene::default()).unwrap();
    let (mut one, mut other) = (format.render(&chat).unwrap(), Layout::MAGNUM.render(&chat).unwrap());
    assert_eq!(one.as_str(), other.after_bos());
    let preset = || format.render_into(black_box(&chat), &mut one).unwrap();
    let native = || Layout::MAGNUM.render_into(black_box(&chat), &mut other).unwrap();
    report(&format!("preset/native@{}", size.name()), ratio(preset, native));
}

fn tools(size: Size) {
    let json = chats::tools(size);
    let chat = Chat::from_json(&json).unwrap();
    let value: Value = serde_json::from_str(&json).unwrap();
    let layout = Layout::V13.with(Feature::Think);
    let mut prompt = layout.render(&chat).unwrap();
    let pieces = peers::pieces(&prompt, &chat);
    let mut buffer = String::new();
    let native = || layout.render_into(black_box(&chat), &mut prompt).unwrap();
    let limit = || {
        peers::push(black_box(&pieces), &mut buffer);
        black_box(serde_json::to_string(black_box(&value)).unwrap());
    };
    report(&format!("tools/limit@{}", size.name()), ratio(native, limit));
}

/// Appending a reply and the next question to a prompt that is there, over rendering the whole chat anew.
fn append(size: Size) {
    const APPENDED: u32 = 8;
    let json = chats::text(size);
    let chat = Chat::from_json(&json).unwrap();
    let (reply, question) = (chat.messages[2].clone(), chat.messages[3].clone());
    let mut prompt = Layout::V7.render(&chat).unwrap();
    // The allocator learns from it to keep what is freed: pages asked of the system anew would be what is timed.
    drop(black_box(vec![1_u8; 30 << 20]));
    let growing = Conversation::without_ids(chat.clone(), &Layout::V7).unwrap();
    let ratios = (0..101).map(|_| {
        let mut growing = growing.clone();
        // A clone has no room to grow, which a prompt that has grown has.
        growing.append([reply.clone(), question.clone()]).unwrap();
        // The messages are the caller's, as the chat is that is rendered.
        let turns: Vec<_> = (0..APPENDED).map(|_| [reply.clone(), question.clone()]).collect();
        let start = Instant::now();
        for turn in turns {
            black_box(growing.append(turn).unwrap());
        }
        let appended = start.elapsed().as_secs_f64() / f64::from(APPENDED);
        appended / time(&mut || Layout::V7.render_into(black_box(&chat), &mut prompt).unwrap())
    });
    report(&format!("append/render@{}", size.name()), median(ratios.collect()));
}

/// Checking a chat that has no fault, with repair over without.
fn repair(size: Size) {
    let json = chats::tools(size);
    let chat = Chat::from_json(&json).unwrap();
    let (layout, policy) = (Layout::V13.with(Feature::Think), RepairPolicy::default());
    let repaired = || {
        let repaired = black_box(&chat).repair(&layout, &policy).unwrap();
        assert!(repaired.repairs.is_empty());
    };
    let checked = || drop(black_box(CheckedChat::new(black_box(&chat), &layout).unwrap()));
    report(&format!("repair/check@{}", size.name()), ratio(repaired, checked));
}

/// Prompts per second on two threads over one, and the same of the limit, whose threads share nothing that is written:
/// what it falls short of two is the machine's.
fn threads() {
    let json = chats::text(Size::K8);
    let chat = Chat::from_json(&json).unwrap();
    let pieces = peers::pieces(&Layout::V3.render(&chat).unwrap(), &chat);
    let native = || {
        let mut prompt = Prompt::new();
        for _ in 0..100_000 {
            Layout::V3.render_into(black_box(&chat), &mut prompt).unwrap();
        }
    };
    let limit = || {
        let mut buffer = String::new();
        for _ in 0..100_000 {
            peers::push(black_box(&pieces), &mut buffer);
        }
    };
    let (natives, limits) = (0..15).map(|_| (two_over_one(native), two_over_one(limit))).unzip();
    report("two/one@8k", median(natives));
    report("two/one@8k/limit", median(limits));
}

/// How much more two threads do than one does.
fn two_over_one(work: impl Fn() + Sync) -> f64 {
    let seconds = |count: usize| {
        let start = Instant::now();
        std::thread::scope(|scope| {
            for _ in 0..count {
                scope.spawn(&work);
            }
        });
        start.elapsed().as_secs_f64()
    };
    2.0 * seconds(1) / seconds(2)
}

/// Messages, and bytes of each.
type Shape = (usize, usize);

/// Time per byte of one large chat over time per byte of a hundred chats, each a hundredth of it.
///
/// Both sides read the same bytes and write as many, into a prompt for each chat: a small chat alone would stay in the
/// cache, and the ratio would say how fast memory is.
fn growth(name: &str, large: Shape, small: Shape) {
    let text = "x".repeat(large.0 * large.1);
    let mut large = Rendered::new(&text, large);
    let mut small = Rendered::new(&text, small);
    report(&format!("grow/{name}"), ratio(|| large.again(), || small.again()));
}

/// How time grows with size, over sizes of many orders of magnitude: the exponent, 1 where twice as much takes twice as
/// long. What every render costs, however small, makes it less.
fn slope(name: &str, points: &[(f64, f64)]) {
    let mean = |of: fn(&(f64, f64)) -> f64| points.iter().map(of).sum::<f64>() / points.len() as f64;
    let (mean_x, mean_y) = (mean(|point| point.0), mean(|point| point.1));
    let rise: f64 = points.iter().map(|(x, y)| (x - mean_x) * (y - mean_y)).sum();
    let run: f64 = points.iter().map(|(x, _)| (x - mean_x) * (x - mean_x)).sum();
    report(&format!("slope/{name}"), rise / run);
}

/// The logarithms of a chat's bytes and of the seconds that it takes, the shortest of a few.
fn seconds(shape: Shape) -> (f64, f64) {
    let text = "x".repeat(shape.0 * shape.1);
    let mut chat = Rendered::new(&text, shape);
    let shortest = (0..9).map(|_| time(&mut || chat.again())).fold(f64::INFINITY, f64::min);
    ((text.len() as f64).ln(), shortest.ln())
}

/// The logarithms of a number of strict tools and of the seconds that their grammar takes, made and printed in both forms.
fn grammar_seconds(count: u32) -> (f64, f64) {
    let tools: Vec<String> = (0..count)
        .map(|index| {
            let schema = r#"{"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}"#;
            format!(r#"{{"function": {{"name": "tool_{index}", "parameters": {schema}, "strict": true}}}}"#)
        })
        .collect();
    let json = format!(r#"{{"messages": [], "tools": [{}], "tool_choice": "required"}}"#, tools.join(", "));
    let chat = Chat::from_json(&json).unwrap();
    let mut print = || {
        let grammar = Layout::V13.grammar(black_box(&chat)).unwrap().unwrap();
        black_box(grammar.to_lark(&Controls, LarkStyle::Exact).unwrap());
        black_box(grammar.to_structural_tag(&Controls).unwrap());
    };
    let shortest = (0..9).map(|_| time(&mut print)).fold(f64::INFINITY, f64::min);
    (f64::from(count).ln(), shortest.ln())
}

/// Ids of control tokens, and nothing else of a tokenizer.
struct Controls;

impl Tokenizer for Controls {
    fn text(&self, _: &str, _: WordStart, _: &mut Vec<u32>) {}

    fn control(&self, _: Control) -> Option<u32> {
        Some(9)
    }
}

/// Chats, each with the prompt that it is rendered into.
struct Rendered<'t>(Vec<(Chat<'t>, Prompt)>);

impl<'t> Rendered<'t> {
    /// Chats that need not end with a question.
    const LAYOUT: Layout = Layout::V3.in_mode(Mode::Agnostic);

    fn new(text: &'t str, (count, length): Shape) -> Self {
        let texts: Vec<&str> = (0..text.len()).step_by(length).map(|start| &text[start..start + length]).collect();
        let chats = texts.chunks(count).map(|texts| {
            let chat = Chat::new(texts.iter().enumerate().map(|(index, text)| match index % 2 {
                0 => Message::user(*text),
                _ => Message::assistant(*text),
            }));
            let prompt = Self::LAYOUT.render(&chat).unwrap();
            (chat, prompt)
        });
        Rendered(chats.collect())
    }

    fn again(&mut self) {
        for (chat, prompt) in &mut self.0 {
            Self::LAYOUT.render_into(black_box(chat), prompt).unwrap();
        }
    }
}

/// The median of the ratios of the one's time over the other's, measured in turn.
fn ratio(mut one: impl FnMut(), mut other: impl FnMut()) -> f64 {
    // The first calls warm the caches.
    time(&mut one);
    time(&mut other);
    let (start, mut ratios) = (Instant::now(), Vec::new());
    while ratios.len() < LEAST_PAIRS || (ratios.len() < MOST_PAIRS && start.elapsed() < TIME) {
        ratios.push(time(&mut one) / time(&mut other));
    }
    median(ratios)
}

/// Seconds of one call, over as many calls as fill a slice.
fn time(call: &mut impl FnMut()) -> f64 {
    let (start, mut calls, mut batch) = (Instant::now(), 0_u32, 1_u32);
    loop {
        for _ in 0..batch {
            call();
        }
        calls += batch;
        let elapsed = start.elapsed();
        if elapsed >= SLICE {
            return elapsed.as_secs_f64() / f64::from(calls);
        }
        // Looking at the clock costs as much as a small render.
        batch = (batch * 2).min(4096);
    }
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
