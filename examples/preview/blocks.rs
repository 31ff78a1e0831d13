//! A prompt into [`Block`]s: stretches of one message each, for the margin, of pieces of one ink each.

use mistral_chat_template::layout::{Vocabulary, WordStart};
use mistral_chat_template::prompt::{Span, SpanKind};
use mistral_chat_template::{Control, Prompt, Role};

/// A stretch of the prompt that the margin gives one caption.
pub(crate) struct Block<'p> {
    pub(crate) caption: Caption,
    pub(crate) pieces: Vec<Piece<'p>>,
    /// Is there more than opening control tokens?
    has_content: bool,
    /// Has a control token ended it?
    is_closed: bool,
}

/// Whose words a block is made of.
#[derive(Clone, Copy, PartialEq)]
pub(crate) struct Caption {
    pub(crate) message: Option<usize>,
    pub(crate) role: Option<Role>,
    pub(crate) section: Section,
}

impl Caption {
    const NONE: Caption = Caption { message: None, role: None, section: Section::Words };
}

/// What of a message, or of the request, a block is.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Section {
    Words,
    Thinking,
    Calls,
    Tools,
    Settings,
}

/// A stretch of one ink.
pub(crate) struct Piece<'p> {
    pub(crate) text: &'p str,
    pub(crate) kind: PieceKind,
}

#[derive(Clone, Copy, PartialEq)]
pub(crate) enum PieceKind {
    Control,
    /// The space that SentencePiece sets before text.
    WordStart,
    Text,
    Thinking,
    /// Text that spells a control token.
    Lookalike,
}

pub(crate) fn blocks<'p>(prompt: &'p Prompt, vocabulary: Vocabulary) -> Vec<Block<'p>> {
    let mut blocks = Blocks { done: Vec::new(), open: Block::new(Caption::NONE), vocabulary };
    for span in prompt.spans() {
        let text = prompt.as_str().get(span.range.clone()).unwrap_or_default();
        blocks.span(&span, text);
    }
    blocks.done.push(blocks.open);
    blocks.done
}

struct Blocks<'p> {
    done: Vec<Block<'p>>,
    open: Block<'p>,
    vocabulary: Vocabulary,
}

impl<'p> Blocks<'p> {
    fn span(&mut self, span: &Span, text: &'p str) {
        match span.kind {
            // What ends something belongs to what it ends, whichever message it is said to come from.
            SpanKind::Control(control) if is_closing(control) => {
                self.open.piece(text, PieceKind::Control);
                self.open.is_closed = true;
            }
            SpanKind::Control(control) => {
                self.go_on(span, opened_by(control));
                self.open.piece(text, PieceKind::Control);
            }
            SpanKind::Media(_) => {
                self.go_on(span, None);
                self.open.piece(text, PieceKind::Control);
                self.open.has_content = true;
            }
            SpanKind::Text(word_start) => {
                self.go_on(span, None);
                let start = if word_start == WordStart::Space { 1 } else { 0 };
                let (space, rest) = text.split_at_checked(start).unwrap_or(("", text));
                self.open.piece(space, PieceKind::WordStart);
                self.open.text(rest, self.vocabulary);
            }
            SpanKind::MoreText => {
                self.go_on(span, None);
                self.open.text(text, self.vocabulary);
            }
        }
    }

    /// Begins a block where the span does not go on with the open one. A block that has only opened gets the caption
    /// of its first words.
    fn go_on(&mut self, span: &Span, opened: Option<Section>) {
        let section = match opened {
            Some(section) => section,
            None if self.open.is_closed => Section::Words,
            None => self.open.caption.section,
        };
        let caption = Caption { message: span.message, role: span.role, section };
        if !self.open.has_content && !self.open.is_closed {
            self.open.caption = caption;
        } else if self.open.caption != caption || self.open.is_closed || opened == Some(Section::Calls) {
            self.done.push(std::mem::replace(&mut self.open, Block::new(caption)));
        }
    }
}

impl<'p> Block<'p> {
    fn new(caption: Caption) -> Self {
        Block { caption, pieces: Vec::new(), has_content: false, is_closed: false }
    }

    /// Text, with what spells a control token set apart.
    fn text(&mut self, text: &'p str, vocabulary: Vocabulary) {
        let kind = if self.caption.section == Section::Thinking { PieceKind::Thinking } else { PieceKind::Text };
        self.has_content = true;
        let (mut rest, mut searched) = (text, 0);
        while let Some(at) = rest.get(searched..).and_then(|tail| tail.find(['[', '<'])) {
            let at = searched + at;
            match rest.split_at_checked(at) {
                Some((before, tail)) if lookalike(tail, vocabulary) > 0 => {
                    let (spelled, after) = tail.split_at(lookalike(tail, vocabulary));
                    self.piece(before, kind);
                    self.piece(spelled, PieceKind::Lookalike);
                    (rest, searched) = (after, 0);
                }
                _ => searched = at + 1,
            }
        }
        self.piece(rest, kind);
    }

    fn piece(&mut self, text: &'p str, kind: PieceKind) {
        if !text.is_empty() {
            self.pieces.push(Piece { text, kind });
        }
    }
}

/// The length of the longest control token that the text begins with.
fn lookalike(text: &str, vocabulary: Vocabulary) -> usize {
    let literals = vocabulary.iter().map(Control::as_str);
    literals.filter(|literal| text.starts_with(literal)).map(str::len).max().unwrap_or(0)
}

fn is_closing(control: Control) -> bool {
    matches!(
        control,
        Control::Eos
            | Control::EndInst
            | Control::EndSystemPrompt
            | Control::EndAvailableTools
            | Control::EndToolResults
            | Control::EndThink
            | Control::EndModelSettings
    )
}

/// The section that a control token opens, or `None` if it continues the current one.
fn opened_by(control: Control) -> Option<Section> {
    match control {
        Control::Think => Some(Section::Thinking),
        Control::ToolCalls => Some(Section::Calls),
        Control::AvailableTools => Some(Section::Tools),
        Control::ModelSettings => Some(Section::Settings),
        Control::Args | Control::CallId | Control::ToolContent => None,
        _ => Some(Section::Words),
    }
}
