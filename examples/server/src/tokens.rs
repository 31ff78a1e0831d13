//! [`Tokens`]: a vocabulary file, both ways, for prompts, for what is sampled and for grammars.

use std::error::Error;
use std::path::Path;
use std::sync::Arc;

use llguidance::api::TopLevelGrammar;
use llguidance::toktrie::{ApproximateTokEnv, TokEnv, TokRxInfo, TokTrie};
use llguidance::{Matcher, ParserFactory};
use mistral_chat_template::completion::Detokenizer;
use mistral_chat_template::image::{ImageConfig, ImageToken};
use mistral_chat_template::layout::{Settings, WordStart};
use mistral_chat_template::prompt::{Media, Medium, TokenizerKind};
use mistral_chat_template::version::Detection;
use mistral_chat_template::{Control, Layout, Tokenizer};

use crate::vocabulary::Vocabulary;

/// The vocabulary that ships with the server.
const TINY: &[u8] = include_bytes!("../vocabulary/tekken.json");

/// A vocabulary: text and control tokens into ids, ids into bytes and control tokens.
pub struct Tokens {
    vocabulary: Vocabulary,
    grammars: ParserFactory,
    /// How many ids an image has.
    pub images: ImageConfig,
    /// The layout that the file states, with its features; the vocabulary of a SentencePiece model states none.
    pub layout: Layout,
}

impl Tokens {
    /// The vocabulary of a file, or the one that ships with the server.
    pub fn open(path: Option<&Path>) -> Result<Self, Box<dyn Error>> {
        let file = path.map_or_else(|| Ok(TINY.to_vec()), std::fs::read)?;
        let vocabulary = Vocabulary::read(&file)?;
        let detection = match (vocabulary.kind(), path.and_then(Path::file_name)) {
            (Some(TokenizerKind::SentencePiece), Some(name)) => {
                Detection::from_sentencepiece_file_name(&name.to_string_lossy())?
            }
            _ => Detection::from_tekken_header(str::from_utf8(&file)?)?,
        };
        let end = Tokenizer::control(&vocabulary, Control::Eos).ok_or("the vocabulary has no end token")?;
        let pieces = (0..).zip(&vocabulary.pieces);
        let words: Vec<Vec<u8>> =
            pieces.map(|(id, bytes)| word(Detokenizer::control(&vocabulary, id), bytes)).collect();
        let info = TokRxInfo::new(u32::try_from(words.len())?, end);
        let environment: TokEnv = Arc::new(ApproximateTokEnv::new(TokTrie::from(&info, &words)));
        let mut grammars = ParserFactory::new_simple(&environment)?;
        grammars.quiet();
        let images = detection.image.unwrap_or(ImageConfig::PIXTRAL);
        let mut layout = detection.features.iter().fold(detection.version.layout(), Layout::with);
        if layout.settings != Settings::Unknown {
            layout.settings = Settings::from_json(vocabulary.settings.as_deref().unwrap_or("null"))?;
        }
        Ok(Tokens { vocabulary, grammars, images, layout })
    }

    /// How many ids there are.
    pub fn len(&self) -> usize {
        self.vocabulary.pieces.len()
    }

    /// The id of the end token.
    pub fn end(&self) -> u32 {
        Tokenizer::control(self, Control::Eos).unwrap_or_default()
    }

    /// Is the id text?
    pub fn is_text(&self, id: u32) -> bool {
        self.vocabulary.pieces.get(id as usize).is_some_and(|bytes| !bytes.is_empty())
    }

    /// Is the id part of an image?
    pub fn is_image(&self, id: u32) -> bool {
        matches!(self.control_of(id), Some(Control::Img | Control::ImgBreak | Control::ImgEnd))
    }

    /// The control token that an id stands for, if any.
    pub fn control_of(&self, id: u32) -> Option<Control> {
        Detokenizer::control(&self.vocabulary, id)
    }

    /// What follows a grammar in Lark.
    pub fn matcher(&self, lark: String) -> Result<Matcher, String> {
        let parser = self.grammars.create_parser(TopLevelGrammar::from_lark(lark));
        let matcher = Matcher::new(parser);
        matcher.get_error().map_or(Ok(matcher), Err)
    }
}

/// llguidance sets control tokens apart by a byte that no text has.
fn word(control: Option<Control>, bytes: &[u8]) -> Vec<u8> {
    match control {
        Some(control) => [&[TokTrie::SPECIAL_TOKEN_MARKER], control.as_str().as_bytes()].concat(),
        None => bytes.to_vec(),
    }
}

impl Tokenizer for Tokens {
    fn text(&self, text: &str, word_start: WordStart, ids: &mut Vec<u32>) {
        self.vocabulary.text(text, word_start, ids);
    }

    fn control(&self, control: Control) -> Option<u32> {
        Tokenizer::control(&self.vocabulary, control)
    }

    fn kind(&self) -> Option<TokenizerKind> {
        self.vocabulary.kind()
    }

    /// An image that is elsewhere is not fetched, and counts as one of 256 × 256 pixels.
    fn media(&self, medium: Medium<'_>, ids: &mut Vec<u32>) -> bool {
        let (width, height) = medium.size().ok().flatten().unwrap_or((256, 256));
        let grid = self.images.grid(width, height).ok().filter(|_| medium.media == Media::Image);
        let Some(grid) = grid else { return false };
        let id = |token| match token {
            ImageToken::Patch => Tokenizer::control(self, Control::Img),
            ImageToken::Break => Tokenizer::control(self, Control::ImgBreak),
            ImageToken::End => Tokenizer::control(self, Control::ImgEnd),
        };
        ids.extend(grid.tokens().filter_map(id));
        true
    }
}

impl Detokenizer for Tokens {
    fn control(&self, id: u32) -> Option<Control> {
        self.control_of(id)
    }

    fn bytes(&self, id: u32, bytes: &mut Vec<u8>) {
        self.vocabulary.bytes(id, bytes);
    }
}
