//! How much memory a render takes at most, beside the prompt that it makes.
//!
//! `cargo bench --bench memory` prints lines `ratio NAME VALUE`. It is apart from the other benchmarks because counting
//! allocations makes each of them slower.

use allocation_counter::measure;
use mistral_chat_template::{Chat, Format, Layout, Message, Mode, Prompt};

const LAYOUT: Layout = Layout::V3.in_mode(Mode::Agnostic);

/// Questions and replies of one length.
fn chat(text: &str, length: usize) -> Chat<'_> {
    let texts = (0..text.len() / length).map(|index| &text[index * length..(index + 1) * length]);
    Chat::new(texts.enumerate().map(|(index, text)| match index % 2 {
        0 => Message::user(text),
        _ => Message::assistant(text),
    }))
}

/// The most bytes that rendering into a new prompt holds at a time, and the bytes of the prompt.
fn peak(chat: &Chat<'_>) -> (f64, f64) {
    let mut prompt = Prompt::new();
    let most = measure(|| LAYOUT.render_into(chat, &mut prompt).unwrap()).bytes_max;
    (most as f64, prompt.as_str().len() as f64)
}

fn main() {
    let text = "x".repeat(100_000_000);
    for (name, count, length) in
        [("100k-messages", 100_000, 200), ("1k-messages", 1_000, 200), ("100mb", 1, text.len())]
    {
        let chat = chat(&text[..count * length], length);
        let (most, bytes) = peak(&chat);
        println!("ratio memory/output@{name} {:.3}", most / bytes);
        println!("ratio memory/message@{name} {:.1}", (most - bytes) / count as f64);
    }
}
