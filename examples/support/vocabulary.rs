//! A model's own vocabulary file as a [`Tokenizer`] and a [`Detokenizer`]: `tekken.json` or a SentencePiece model, through
//! `kitoken`.
#![allow(dead_code, reason = "each program uses a part")]

use std::collections::HashMap;
use std::error::Error;
use std::path::Path;

use kitoken::{Definition, Kitoken, Normalization, Token};
use mistral_chat_template::completion::Detokenizer;
use mistral_chat_template::layout::WordStart;
use mistral_chat_template::prompt::TokenizerKind;
use mistral_chat_template::{Control, Tokenizer};
use serde::Deserialize;
use serde_json::Value;

use word_cache::{WordCache, words};

#[path = "word_cache.rs"]
mod word_cache;

/// How a Tekken vocabulary parts a text before it encodes it, in all files of Mistral's.
pub(crate) const TEKKEN_PATTERN: &str = concat!(
    r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+",
    r"|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*",
    r"|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+",
);

/// The control tokens of a `tekken.json` that does not list its own, by their ids.
const TEKKEN_CONTROLS: [&str; 20] = [
    "<unk>",
    "<s>",
    "</s>",
    "[INST]",
    "[/INST]",
    "[AVAILABLE_TOOLS]",
    "[/AVAILABLE_TOOLS]",
    "[TOOL_RESULTS]",
    "[/TOOL_RESULTS]",
    "[TOOL_CALLS]",
    "[IMG]",
    "<pad>",
    "[IMG_BREAK]",
    "[IMG_END]",
    "[PREFIX]",
    "[MIDDLE]",
    "[SUFFIX]",
    "[SYSTEM_PROMPT]",
    "[/SYSTEM_PROMPT]",
    "[TOOL_CONTENT]",
];

/// Set before a text that is to have no dummy prefix, and taken off again: two tokens, as in mistral-common.
const NO_PREFIX: &str = "☺";

pub(crate) struct Vocabulary {
    /// Knows no control token, so that no text can become one.
    pub(crate) encoder: Kitoken,
    /// The control tokens by their names, those that the crate does not know among them.
    pub(crate) controls: HashMap<String, u32>,
    controls_by_id: HashMap<u32, Control>,
    /// The bytes of each id that is text; empty for any other.
    pub(crate) pieces: Vec<Box<[u8]>>,
    is_sentencepiece: bool,
    /// The words that were encoded before, where the ids of a text are those of its words.
    pub(crate) words: Option<WordCache>,
}

impl Vocabulary {
    /// Reads a vocabulary file, and beside it, where given, a JSON object of more control tokens and their ids.
    pub(crate) fn open(path: &Path, controls: Option<&Path>) -> Result<Self, Box<dyn Error>> {
        let mut vocabulary = Self::read(&std::fs::read(path)?)?;
        if let Some(path) = controls {
            vocabulary.add_controls(serde_json::from_slice(&std::fs::read(path)?)?);
        }
        Ok(vocabulary)
    }

    fn new(mut definition: Definition, controls: HashMap<String, u32>) -> Result<Self, Box<dyn Error>> {
        let is_sentencepiece = is_sentencepiece(&definition);
        let pieces = pieces(&definition);
        definition.specials.clear();
        let mut vocabulary = Vocabulary {
            encoder: Kitoken::from_definition(definition)?,
            controls: HashMap::new(),
            controls_by_id: HashMap::new(),
            pieces,
            is_sentencepiece,
            words: None,
        };
        vocabulary.add_controls(controls);
        Ok(vocabulary)
    }

    /// The ids of a text are those of its words, which are kept.
    fn with_words(mut self) -> Self {
        self.words = Some(WordCache::new(self.pieces.iter().map(|piece| piece.len())));
        self
    }

    /// Makes ids control tokens. What they were as text they are no longer.
    fn add_controls(&mut self, controls: HashMap<String, u32>) {
        for (name, id) in &controls {
            let index = *id as usize;
            if self.pieces.len() <= index {
                self.pieces.resize(index + 1, Box::default());
            }
            self.pieces[index] = Box::default();
            if let Some(control) = Control::all().find(|control| control.as_str() == name) {
                self.controls_by_id.insert(*id, control);
            }
        }
        self.controls.extend(controls);
    }

    /// Reads the bytes of a vocabulary file.
    pub(crate) fn read(bytes: &[u8]) -> Result<Self, Box<dyn Error>> {
        // A Tekken file is JSON, a SentencePiece model a binary message.
        let is_json = bytes.trim_ascii_start().first() == Some(&b'{');
        if is_json { tekken(bytes) } else { sentencepiece(bytes) }
    }

    /// How many tokens a text is.
    pub(crate) fn count(&self, text: &str) -> usize {
        let mut ids = Vec::new();
        self.text(text, WordStart::Space, &mut ids);
        ids.len()
    }
}

fn is_sentencepiece(definition: &Definition) -> bool {
    !definition.config.normalization.is_empty()
}

/// The bytes of each id that is text: a `▁` of SentencePiece is a space.
fn pieces(definition: &Definition) -> Vec<Box<[u8]>> {
    let is_sentencepiece = is_sentencepiece(definition);
    let mut pieces = Vec::new();
    // kitoken has pieces of a SentencePiece model that no id stands for.
    for token in definition.model.vocab().iter().filter(|token| token.id != Token::INVALID) {
        let index = token.id as usize;
        if pieces.len() <= index {
            pieces.resize(index + 1, Box::default());
        }
        pieces[index] = match std::str::from_utf8(&token.bytes) {
            Ok(text) if is_sentencepiece => text.replace('▁', " ").into_bytes().into(),
            _ => token.bytes.as_slice().into(),
        };
    }
    pieces
}

fn sentencepiece(bytes: &[u8]) -> Result<Vocabulary, Box<dyn Error>> {
    let definition = Definition::from_sentencepiece_slice(bytes)?;
    let is_plain = |form: &Normalization| matches!(form, Normalization::Replace { .. } | Normalization::Extend { .. });
    let are_apart = definition.config.normalization.iter().all(is_plain)
        && definition.model.vocab().iter().all(|token| is_of_one_word(&token.bytes));
    let specials = definition.specials.iter().filter(|special| special.id != Token::INVALID);
    let named = |bytes: &[u8], id| Some((std::str::from_utf8(bytes).ok()?.to_owned(), id));
    let mut controls: HashMap<_, _> = specials.filter_map(|special| named(&special.bytes, special.id)).collect();
    // The unknown piece is the first, and no special token to the encoder.
    controls.entry("<unk>".to_owned()).or_insert(0);
    let vocabulary = Vocabulary::new(definition, controls)?;
    Ok(if are_apart { vocabulary.with_words() } else { vocabulary })
}

/// Does no other character stand before a space of the piece?
fn is_of_one_word(piece: &[u8]) -> bool {
    let piece = String::from_utf8_lossy(piece).replace('▁', " ");
    !piece.trim_start_matches(' ').contains(' ')
}

fn tekken(bytes: &[u8]) -> Result<Vocabulary, Box<dyn Error>> {
    #[derive(Deserialize)]
    struct Special {
        rank: u32,
        token_str: String,
    }
    let mut file: Value = serde_json::from_slice(bytes)?;
    let listed: Option<Vec<Special>> = serde_json::from_value(file["special_tokens"].take())?;
    let controls = match listed {
        Some(listed) => listed.into_iter().map(|special| (special.token_str, special.rank)).collect(),
        None => TEKKEN_CONTROLS.into_iter().map(str::to_owned).zip(0..).collect(),
    };
    let is_parted_at_spaces = file["config"]["pattern"] == TEKKEN_PATTERN;
    // The vocabulary is of the same form in all versions.
    file["config"]["version"] = "v3".into();
    let definition = Definition::from_tekken_slice(&serde_json::to_vec(&file)?)?;
    let vocabulary = Vocabulary::new(definition, controls)?;
    Ok(if is_parted_at_spaces { vocabulary.with_words() } else { vocabulary })
}

impl Tokenizer for Vocabulary {
    fn text(&self, text: &str, word_start: WordStart, ids: &mut Vec<u32>) {
        let encode = |text: &str| self.encoder.encode(text, false).unwrap_or_default();
        let without_prefix =
            |text: &str| -> Vec<u32> { encode(&format!("{NO_PREFIX}{text}")).into_iter().skip(2).collect() };
        let whole = || match (self.is_sentencepiece, word_start) {
            (true, WordStart::Nothing) => without_prefix(text),
            _ => encode(text),
        };
        match (self.is_sentencepiece, word_start, &self.words) {
            (_, _, _) if text.is_empty() => {}
            (_, _, None) => ids.extend(whole()),
            (false, _, Some(cache)) => cache.encode(words(text), ids, whole, encode),
            (true, WordStart::Nothing, Some(cache)) => cache.encode(words(text), ids, whole, without_prefix),
            (true, WordStart::Space, Some(cache)) => {
                // The dummy prefix is a space of the first word.
                let first = words(text).next().unwrap_or_default();
                let spaced = format!(" {first}");
                let words = std::iter::once(&*spaced).chain(words(&text[first.len()..]));
                cache.encode(words, ids, whole, without_prefix);
            }
        }
    }

    fn kind(&self) -> Option<TokenizerKind> {
        Some(if self.is_sentencepiece { TokenizerKind::SentencePiece } else { TokenizerKind::Tekken })
    }

    fn control(&self, control: Control) -> Option<u32> {
        self.controls.get(control.as_str()).copied()
    }
}

impl Detokenizer for Vocabulary {
    fn control(&self, id: u32) -> Option<Control> {
        self.controls_by_id.get(&id).copied()
    }

    fn bytes(&self, id: u32, bytes: &mut Vec<u8>) {
        bytes.extend(self.pieces.get(id as usize).into_iter().flatten());
    }
}
