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

    use kitoken::Definition;
    use mistral_chat_template::Control;
    use mistral_chat_template::completion::Detokenizer;
    use proptest::prelude::*;

    use super::*;
    use vocabulary::Encoder;

    /// A Tekken vocabulary of the bytes, and merges of letters, of spaces and of both.
    fn tekken() -> Vec<u8> {
        let bytes = (0..=u8::MAX).map(|byte| vec![byte]).chain(MERGES.map(|merge| merge.as_bytes().to_vec()));
        let token =
            |(rank, bytes): (usize, Vec<u8>)| json!({"rank": rank, "token_bytes": base64(&bytes), "token_str": null});
        let vocab: Vec<Value> = bytes.enumerate().map(token).collect();
        let config = json!({
            "pattern": vocabulary::TEKKEN_PATTERN, "version": "v3", "num_vocab_tokens": vocab.len(),
            "default_vocab_size": 20 + vocab.len(), "default_num_special_tokens": 20,
        });
        json!({"config": config, "vocab": vocab}).to_string().into_bytes()
    }

    /// A SentencePiece model of the bytes, some characters, and merges of letters, of spaces and of both.
    fn sentencepiece(merges: &[&str]) -> Vec<u8> {
        const NORMAL: u8 = 1;
        const BYTE: u8 = 6;
        let field = |number: u8, bytes: &[u8]| [&[number << 3 | 2, u8::try_from(bytes.len()).unwrap()], bytes].concat();
        let piece = |text: &str, score: f32, kind: u8| {
            field(1, &[&*field(1, text.as_bytes()), &[2 << 3 | 5], &score.to_le_bytes(), &[3 << 3, kind]].concat())
        };
        let mut model = [("<unk>", 2), ("<s>", 3), ("</s>", 3)].map(|(text, kind)| piece(text, 0.0, kind)).concat();
        model.extend((0..=u8::MAX).flat_map(|byte| piece(&format!("<0x{byte:02X}>"), 0.0, BYTE)));
        for (rank, merge) in (1_u8..).zip(merges.iter().chain(&["xyz"])) {
            model.extend(piece(&merge.replace(' ', "▁"), -f32::from(rank), NORMAL));
        }
        for character in "▁abcé雨.1".chars() {
            model.extend(piece(&character.to_string(), -100.0, NORMAL));
        }
        let (byte_pairs, byte_fallback) = ([3 << 3, 2], [0x98, 0x02, 1]);
        let (prefix, spaces_stay) = ([3 << 3, 1], [4 << 3, 0]);
        model.extend(field(2, &[&byte_pairs[..], &byte_fallback].concat()));
        model.extend(field(3, &[&*field(1, b"identity"), &prefix, &spaces_stay].concat()));
        model
    }

    const MERGES: [&str; 12] = ["ab", " a", "  ", "é", " ab", "bc", "abc", " 雨", "\n\n", "..", "   ", "ca"];

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
        let id = Tokenizer::control(&TEKKEN.0, Control::ToolCalls).unwrap();
        assert_eq!(Detokenizer::control(&TEKKEN.0, id), Some(Control::ToolCalls));
        let mut bytes = Vec::new();
        TEKKEN.0.bytes(id, &mut bytes);
        assert!(bytes.is_empty());
    }

    /// What kitoken makes of a vocabulary file, which knows no control token here either.
    struct Kitoken(Definition, kitoken::Kitoken);

    impl From<Definition> for Kitoken {
        fn from(mut definition: Definition) -> Self {
            definition.specials.clear();
            Kitoken(definition.clone(), kitoken::Kitoken::from_definition(definition).unwrap())
        }
    }

    static TEKKEN: LazyLock<(Vocabulary, Kitoken)> = LazyLock::new(|| {
        let vocabulary = Vocabulary::read(&tekken()).unwrap();
        assert!(matches!(vocabulary.encoder, Encoder::Tekken(..)));
        (vocabulary, Definition::from_tekken_slice(&tekken()).unwrap().into())
    });

    static SENTENCEPIECE: LazyLock<(Vocabulary, Kitoken)> = LazyLock::new(|| {
        let model = sentencepiece(&MERGES);
        let vocabulary = Vocabulary::read(&model).unwrap();
        assert!(matches!(vocabulary.encoder, Encoder::SentencePiece(..)));
        (vocabulary, Definition::from_sentencepiece_slice(&model).unwrap().into())
    });

    fn ids(vocabulary: &Vocabulary, text: &str, word_start: WordStart) -> Vec<u32> {
        let mut ids = Vec::new();
        vocabulary.text(text, word_start, &mut ids);
        ids
    }

    /// Texts of each class of the pattern's, and of any other character.
    fn text() -> impl Strategy<Value = String> {
        let character = prop_oneof![
            6 => proptest::sample::select("abcABC 雨éǅʰ\u{301}\u{903}1½٣.,!'/▁☺\t\r\n\u{a0}\u{85}\u{3000}\u{200b}".chars().collect::<Vec<_>>()),
            1 => any::<char>(),
        ];
        let run = (character, 1..4_usize).prop_map(|(character, times)| character.to_string().repeat(times));
        proptest::collection::vec(run, 0..24).prop_map(|runs| runs.concat())
    }

    proptest! {
        #[test]
        fn tekken_words_are_the_matches_of_the_pattern(text in text()) {
            let Encoder::Tekken(words, _) = &TEKKEN.0.encoder else { unreachable!() };
            let matches: Vec<&str> = TEKKEN.1.0.config.split(&text).into_iter().map(|(start, end)| &text[start..end]).collect();
            prop_assert_eq!(words.of(&text).collect::<Vec<_>>(), matches);
        }

        #[test]
        fn tekken_ids_are_those_of_kitoken(text in text()) {
            prop_assert_eq!(ids(&TEKKEN.0, &text, WordStart::Space), TEKKEN.1.1.encode(&text, false).unwrap());
        }

        #[test]
        fn sentencepiece_ids_are_those_of_kitoken(text in text()) {
            let encode = |text: &str| SENTENCEPIECE.1.1.encode(text, false).unwrap();
            let own = |word_start| ids(&SENTENCEPIECE.0, &text, word_start);
            prop_assert_eq!(own(WordStart::Space), encode(&text));
            // Without the prefix there are the ids of what follows a character that is in no merge.
            let alone = encode("\u{1}");
            prop_assert_eq!([&*alone, &*own(WordStart::Nothing)].concat(), encode(&format!("\u{1}{text}")));
        }

        #[test]
        fn ids_stand_for_the_bytes_of_their_text(text in any::<String>()) {
            let mut bytes = Vec::new();
            for id in ids(&TEKKEN.0, &text, WordStart::Space) {
                prop_assert_eq!(Detokenizer::control(&TEKKEN.0, id), None);
                TEKKEN.0.bytes(id, &mut bytes);
            }
            prop_assert_eq!(String::from_utf8(bytes), Ok(text));
        }
    }

    #[test]
    fn pieces_are_bytes_of_text_again() {
        let (vocabulary, text) = (&SENTENCEPIECE.0, "ab a  é雨 ☺\n\nX");
        let mut bytes = Vec::new();
        ids(vocabulary, text, WordStart::Nothing).into_iter().for_each(|id| vocabulary.bytes(id, &mut bytes));
        assert_eq!(String::from_utf8(bytes).unwrap(), text);
        // The byte of a letter that is a piece of its own too.
        let mut bytes = Vec::new();
        SENTENCEPIECE.0.bytes(3 + u32::from(b'a'), &mut bytes);
        assert_eq!(bytes, b"a");
    }

    #[test]
    fn a_piece_that_no_merge_leads_to_is_not_what_a_text_becomes() {
        let whole =
            (3 + 256..).zip(MERGES.iter().chain(&["xyz"])).find(|(_, piece)| **piece == "xyz").map(|(id, _)| id);
        assert!(!ids(&SENTENCEPIECE.0, "xyz", WordStart::Nothing).contains(&whole.unwrap()));
    }

    #[test]
    fn a_piece_of_two_words_is_found() {
        let vocabulary = Vocabulary::read(&sentencepiece(&["b ", "ab", " a"])).unwrap();
        assert!(matches!(vocabulary.encoder, Encoder::SentencePiece(..)));
        // " a", "b " and "a", as SentencePiece 0.2.3 has it. kitoken 0.10 cuts the text at spaces first.
        assert_eq!(ids(&vocabulary, "ab a", WordStart::Space), [261, 259, 264]);
    }

    #[test]
    fn other_patterns_are_encoded_too() {
        let tekken = String::from_utf8(tekken()).unwrap().replace(r"|\\s+(?!\\S)", "");
        let other = Vocabulary::read(tekken.as_bytes()).unwrap();
        assert!(matches!(other.encoder, Encoder::Other(_)));
        let spaces = ["a", "  ", "a"].map(|word| ids(&TEKKEN.0, word, WordStart::Space)).concat();
        assert_eq!(ids(&other, "a  a", WordStart::Space), spaces);
        assert_ne!(ids(&TEKKEN.0, "a  a", WordStart::Space), spaces);
    }
}
