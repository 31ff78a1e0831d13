//! Pairs of measurements, taken in turn, and the medians of their ratios.

use std::hint::black_box;
use std::time::{Duration, Instant};

use mistral_chat_template::{Chat, Feature, Format, Layout, Prompt};
use serde_json::Value;

use crate::chats::{self, Size};
use crate::peers::{self, Official, ThreeLines};

/// How long one side of a pair runs.
const SLICE: Duration = Duration::from_millis(4);
const PAIRS: usize = 61;

pub(crate) fn print() {
    println!();
    for size in Size::ALL {
        text(size);
    }
    for size in Size::ALL {
        tools(size);
    }
    threads();
    growth();
}

fn report(name: &str, ratio: f64) {
    println!("ratio {name} {ratio:.3}");
}

fn text(size: Size) {
    let (name, json) = (size.name(), chats::text(size));
    let chat = Chat::from_json(&json).unwrap();
    let mut prompt = Layout::V3.render(&chat).unwrap();
    let pieces = peers::pieces(&prompt);
    let mut buffer = String::new();

    let mut native = || Layout::V3.render_into(black_box(&chat), &mut prompt).unwrap();
    report(&format!("native/limit@{name}"), ratio(&mut native, || peers::push(black_box(&pieces), &mut buffer)));
    if let Some(official) = Official::new(&json) {
        report(&format!("hf/native@{name}"), ratio(|| drop(black_box(official.render())), &mut native));
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

fn tools(size: Size) {
    let json = chats::tools(size);
    let chat = Chat::from_json(&json).unwrap();
    let value: Value = serde_json::from_str(&json).unwrap();
    let layout = Layout::V13.with(Feature::Think);
    let mut prompt = layout.render(&chat).unwrap();
    let pieces = peers::pieces(&prompt);
    let mut buffer = String::new();
    let native = || layout.render_into(black_box(&chat), &mut prompt).unwrap();
    let limit = || {
        peers::push(black_box(&pieces), &mut buffer);
        black_box(serde_json::to_string(black_box(&value)).unwrap());
    };
    report(&format!("tools/limit@{}", size.name()), ratio(native, limit));
}

/// Prompts per second on two threads over one.
fn threads() {
    let json = chats::text(Size::K8);
    let chat = Chat::from_json(&json).unwrap();
    let run = |count: usize| {
        let start = Instant::now();
        std::thread::scope(|scope| {
            for _ in 0..count {
                scope.spawn(|| {
                    let mut prompt = Prompt::new();
                    for _ in 0..20_000 {
                        Layout::V3.render_into(black_box(&chat), &mut prompt).unwrap();
                    }
                });
            }
        });
        start.elapsed().as_secs_f64()
    };
    run(2);
    let ratios = (0..11).map(|_| 2.0 * run(1) / run(2)).collect();
    report("two/one@8k", median(ratios));
}

/// Time per byte of the large over time per byte of the small.
fn growth() {
    for (name, small, large) in
        [("messages", (1_000, 200), (100_000, 200)), ("bytes", (1, 1_000_000), (1, 100_000_000))]
    {
        let per_byte = |(count, length)| {
            let json = chats::uniform(count, length);
            let chat = Chat::from_json(&json).unwrap();
            let mut prompt = Layout::V3.render(&chat).unwrap();
            let bytes = prompt.as_str().len() as f64;
            let mut render = || Layout::V3.render_into(black_box(&chat), &mut prompt).unwrap();
            let times = (0..9).map(|_| time(&mut render)).collect();
            median(times) / bytes
        };
        report(&format!("grow/{name}"), per_byte(large) / per_byte(small));
    }
}

/// The median of `PAIRS` ratios of the one's time over the other's, measured in turn.
fn ratio(mut one: impl FnMut(), mut other: impl FnMut()) -> f64 {
    // The first calls warm the caches.
    time(&mut one);
    time(&mut other);
    median((0..PAIRS).map(|_| time(&mut one) / time(&mut other)).collect())
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
