//! The token ids of a chat, through a model's own vocabulary file.
//!
//! ```sh
//! cargo run --release --example tokens -- tekken.json examples/chats/card.json --layout v3-tekken
//! ```

use std::error::Error;
use std::io::{self, BufRead, Read, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use mistral_chat_template::layout::WordStart;
use mistral_chat_template::prompt::TokenizerKind;
use mistral_chat_template::{Chat, Format, Layout, Segment, Tokenizer};
use serde_json::{Value, json};

#[path = "../support/vocabulary.rs"]
mod vocabulary;

use vocabulary::Vocabulary;

const HELP: &str = "\
Shows the token ids of a chat.

Usage: tokens VOCABULARY CHAT [--layout LAYOUT] [--controls FILE]
       tokens VOCABULARY --jsonl [--controls FILE] < PROMPTS

  VOCABULARY   a tekken.json, or a SentencePiece model (tokenizer.model.v3)
  CHAT         a chat-completion request in JSON; - for standard input
  --layout     v3, v13+think, a model's name …; v3-tekken for a tekken.json, else v3
  --controls   a JSON object of control tokens and their ids, beside those of the vocabulary
  --jsonl      reads lines {\"segments\": […], \"infill\": index}, answers lines of ids";

struct Arguments {
    vocabulary: PathBuf,
    chat: Option<PathBuf>,
    layout: Option<String>,
    controls: Option<PathBuf>,
    jsonl: bool,
}

fn arguments() -> Option<Arguments> {
    let (mut paths, mut layout, mut controls, mut jsonl) = (Vec::new(), None, None, false);
    let mut given = std::env::args().skip(1);
    while let Some(argument) = given.next() {
        match &*argument {
            "--layout" => layout = Some(given.next()?),
            "--controls" => controls = Some(given.next()?.into()),
            "--jsonl" => jsonl = true,
            "-h" | "--help" => return None,
            _ => paths.push(PathBuf::from(argument)),
        }
    }
    let mut paths = paths.into_iter();
    let arguments = Arguments { vocabulary: paths.next()?, chat: paths.next(), layout, controls, jsonl };
    (arguments.jsonl || arguments.chat.is_some()).then_some(arguments)
}

fn main() -> ExitCode {
    let Some(arguments) = arguments() else {
        eprintln!("{HELP}");
        return ExitCode::from(2);
    };
    match run(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("tokens: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments) -> Result<(), Box<dyn Error>> {
    let vocabulary = Vocabulary::open(&arguments.vocabulary, arguments.controls.as_deref())?;
    match &arguments.chat {
        Some(path) if !arguments.jsonl => show(arguments, &vocabulary, path),
        _ => answer_lines(&vocabulary),
    }
}

fn show(arguments: &Arguments, vocabulary: &Vocabulary, path: &std::path::Path) -> Result<(), Box<dyn Error>> {
    let default = match vocabulary.kind() {
        Some(TokenizerKind::Tekken) => "v3-tekken",
        _ => "v3",
    };
    let layout: Layout = arguments.layout.as_deref().unwrap_or(default).parse()?;
    layout.check_tokenizer(vocabulary)?;
    let json = match path.to_str() {
        Some("-") => io::read_to_string(io::stdin())?,
        _ => std::fs::read_to_string(path)?,
    };
    let prompt = layout.render(&Chat::from_json(&json)?)?;
    for segment in prompt.segments() {
        match segment {
            Segment::Control(control) => {
                println!("{:>7}  {control}", vocabulary.control(control).map_or("?".to_owned(), |id| id.to_string()));
            }
            Segment::Text(text) => println!("{:>7}  {text:?}", format!("+{}", vocabulary.count(text))),
            Segment::Media(media) => println!("{:>7}  {}", "?", media.as_str()),
        }
    }
    let ids = prompt.encode(vocabulary)?;
    println!("\n{} tokens: {ids:?}", ids.len());
    Ok(())
}

/// Encodes segments that are given, for comparing with another encoder.
fn answer_lines(vocabulary: &Vocabulary) -> Result<(), Box<dyn Error>> {
    let (stdin, mut stdout) = (io::stdin().lock().take(u64::MAX), io::BufWriter::new(io::stdout().lock()));
    for line in stdin.lines() {
        let line: Value = serde_json::from_str(&line?)?;
        let infill = line["infill"].as_u64();
        let mut ids = Vec::new();
        for (index, segment) in (0_u64..).zip(line["segments"].as_array().into_iter().flatten()) {
            let word_start = if infill == Some(index) { WordStart::Nothing } else { WordStart::Space };
            match (segment["control"].as_str(), segment["text"].as_str()) {
                (Some(literal), _) => {
                    let control = mistral_chat_template::Control::all().find(|control| control.as_str() == literal);
                    ids.push(control.and_then(|control| vocabulary.control(control)));
                }
                (_, Some(text)) => {
                    let mut run = Vec::new();
                    vocabulary.text(text, word_start, &mut run);
                    ids.extend(run.into_iter().map(Some));
                }
                _ => ids.push(None),
            }
        }
        writeln!(stdout, "{}", json!(ids))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::sync::LazyLock;

    use mistral_chat_template::Control;
    use mistral_chat_template::completion::Detokenizer;
    use proptest::prelude::*;

    use super::*;

    /// The bytes, and merges of letters, of spaces and of both.
    fn vocabulary() -> Vocabulary {
        const MERGES: [&str; 12] = ["ab", " a", "  ", "é", " ab", "bc", "abc", " 雨", "\n\n", ", ", "..", "   "];
        let bytes = (0..=u8::MAX).map(|byte| vec![byte]).chain(MERGES.map(|merge| merge.as_bytes().to_vec()));
        let token =
            |(rank, bytes): (usize, Vec<u8>)| json!({"rank": rank, "token_bytes": base64(&bytes), "token_str": null});
        let vocab: Vec<Value> = bytes.enumerate().map(token).collect();
        let config = json!({
            "pattern": vocabulary::TEKKEN_PATTERN, "version": "v3", "num_vocab_tokens": vocab.len(),
            "default_vocab_size": 20 + vocab.len(), "default_num_special_tokens": 20,
        });
        Vocabulary::read(json!({"config": config, "vocab": vocab}).to_string().as_bytes()).unwrap()
    }

    fn base64(bytes: &[u8]) -> String {
        const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
        let mut text = String::new();
        for chunk in bytes.chunks(3) {
            let bits = chunk.iter().fold(0, |bits, byte| bits << 8 | usize::from(*byte)) << (8 * (3 - chunk.len()));
            for digit in 0..4 {
                let shift = 18 - 6 * digit;
                text.push(if digit <= chunk.len() { char::from(DIGITS[bits >> shift & 63]) } else { '=' });
            }
        }
        text
    }

    #[test]
    fn a_control_token_is_no_text() {
        let id = Tokenizer::control(&*WHOLE, Control::ToolCalls).unwrap();
        assert_eq!(Detokenizer::control(&*WHOLE, id), Some(Control::ToolCalls));
        let mut bytes = Vec::new();
        WHOLE.bytes(id, &mut bytes);
        assert!(bytes.is_empty());
    }

    static BY_WORDS: LazyLock<Vocabulary> = LazyLock::new(vocabulary);

    static WHOLE: LazyLock<Vocabulary> = LazyLock::new(|| {
        let mut vocabulary = vocabulary();
        assert!(vocabulary.words.take().is_some(), "the pattern is that of Tekken's files");
        vocabulary
    });

    fn ids(vocabulary: &Vocabulary, text: &str) -> Vec<u32> {
        let mut ids = Vec::new();
        vocabulary.text(text, WordStart::Nothing, &mut ids);
        ids
    }

    proptest! {
        #[test]
        fn words_have_the_ids_that_they_have_in_their_text(
            text in "([a-cé1.,'/雨▁\u{a0}\u{301}]{0,4}[ \t\n]{0,2}){0,12}",
        ) {
            prop_assert_eq!(ids(&BY_WORDS, &text), ids(&WHOLE, &text));
        }

        #[test]
        fn ids_stand_for_the_bytes_of_their_text(text in any::<String>()) {
            let mut bytes = Vec::new();
            for id in ids(&WHOLE, &text) {
                prop_assert_eq!(Detokenizer::control(&*WHOLE, id), None);
                WHOLE.bytes(id, &mut bytes);
            }
            prop_assert_eq!(String::from_utf8(bytes), Ok(text));
        }
    }
}
