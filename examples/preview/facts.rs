//! What is to be known of a prompt beside its words: its size, where to stop, what in it needs a second look.

use mistral_chat_template::image::data_url_image;
use mistral_chat_template::prompt::Media;
use mistral_chat_template::{Chat, Chunk, Content, Message, Mode, Prompt, Segment};

use crate::blocks::{Block, PieceKind};
use crate::source::Source;

/// The facts, each with its caption.
pub(crate) fn facts(
    source: &Source,
    chat: &Chat<'_>,
    prompt: &Prompt,
    blocks: &[Block<'_>],
) -> Vec<(&'static str, String)> {
    let mut facts = vec![
        ("layout", format!("{}, for {}", source.name(), source.purpose())),
        ("messages", thousands(chat.messages.len())),
        ("bytes", thousands(prompt.as_str().len())),
        ("segments", segments(prompt)),
        (
            "stop at",
            prompt.stop_strings().iter().map(|stop| stop.escape_debug().to_string()).collect::<Vec<_>>().join(" "),
        ),
    ];
    match source.mode() {
        Mode::Serving => facts.push(("mode", "serving".to_owned())),
        Mode::Finetuning => facts.push(("mode", "finetuning: it ends with a reply to learn".to_owned())),
        Mode::Agnostic => facts.push(("mode", "agnostic: it may end with any message".to_owned())),
        Mode::Test => {}
        mode => facts.push(("mode", mode.as_str().to_owned())),
    }
    let lookalikes = blocks.iter().flat_map(|block| &block.pieces).filter(|piece| piece.kind == PieceKind::Lookalike);
    match lookalikes.count() {
        0 => {}
        1 => facts.push(("! forged", "text that spells a control token; it stays text".to_owned())),
        count => {
            let count = thousands(count);
            facts.push(("! forged", format!("{count} texts that spell a control token; they stay text")));
        }
    }
    for (index, message) in chat.messages.iter().enumerate() {
        facts.extend(media(message).map(|(caption, what)| (caption, format!("{what}, in message {index}"))));
    }
    facts
}

fn segments(prompt: &Prompt) -> String {
    let mut counts = [(0, "control token"), (0, "text"), (0, "image"), (0, "sound"), (0, "placeholder")];
    for segment in prompt.segments() {
        let [controls, texts, images, sounds, others] = &mut counts;
        let (count, _) = match segment {
            Segment::Control(_) => controls,
            Segment::Text(_) => texts,
            Segment::Media(Media::Image) => images,
            Segment::Media(Media::Audio) => sounds,
            Segment::Media(_) => others,
        };
        *count += 1;
    }
    let total = counts.iter().map(|(count, _)| count).sum();
    let present = counts.into_iter().filter(|(count, _)| *count > 0);
    let listed: Vec<_> = present.map(|(count, noun)| counted(count, noun)).collect();
    format!("{}: {}", thousands(total), listed.join(", "))
}

fn counted(count: usize, noun: &str) -> String {
    format!("{} {noun}{}", thousands(count), if count == 1 { "" } else { "s" })
}

/// The images and sounds of a message, by where they are.
fn media(message: &Message<'_>) -> impl Iterator<Item = (&'static str, String)> {
    let chunks = match message.content() {
        Content::Text(_) => &[],
        Content::Chunks(chunks) => chunks.as_slice(),
    };
    chunks.iter().filter_map(|chunk| {
        Some(match chunk {
            Chunk::ImageUrl { url, .. } => ("image", address(url)),
            Chunk::Image(data) => ("image", format!("{} characters of base64", thousands(data.len()))),
            Chunk::InputAudio(data) => ("audio", format!("{} characters of base64", thousands(data.len()))),
            Chunk::AudioUrl(url) => ("audio", address(url)),
            _ => return None,
        })
    })
}

fn address(url: &str) -> String {
    const LONGEST: usize = 100;
    match (data_url_image(url), url.starts_with("data:")) {
        (Ok((width, height)), _) => format!("{width} × {height} pixels, a data URL"),
        (Err(_), true) => format!("a data URL of {} bytes", thousands(url.len())),
        (Err(_), false) => url.chars().filter(|char| !char.is_control()).take(LONGEST).collect(),
    }
}

/// A number with a comma at every thousand.
fn thousands(number: usize) -> String {
    let digits = number.to_string();
    let mut grouped = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}
