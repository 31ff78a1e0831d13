//! A prompt's string into control tokens and text, and what in a text looks like a control token of someone else.

use std::ops::Range;

use crate::control::{Control, Vocabulary, find_open};
use crate::layout::{Layout, Mark};

/// A stretch of a prompt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Piece {
    pub(super) range: Range<usize>,
    /// The control token that it spells; `None` for text.
    pub(super) control: Option<Control>,
}

/// One side of a turn's frame: its literal, and the text that the layout sets beside that.
#[derive(Clone, Copy, Debug)]
pub(super) struct Side {
    pub(super) control: Control,
    /// Text before the literal.
    pub(super) before: &'static str,
    /// Text after it.
    pub(super) after: &'static str,
    /// Is the literal itself text, which joins the run beside it?
    pub(super) is_text: bool,
}

impl Side {
    /// None for a frame that no literal tells from what is said.
    pub(super) fn of(mark: Mark) -> Option<Self> {
        match mark {
            Mark::Control(control) => Some(Side { control, before: "", after: "", is_text: false }),
            Mark::Text(text) => Control::all().find_map(|control| {
                let (before, after) = text.split_once(control.as_str())?;
                Some(Side { control, before, after, is_text: true })
            }),
        }
    }
}

/// The literals that part a prompt of the layout: its vocabulary, and those of its frames.
pub(super) fn parting(layout: &Layout) -> Vocabulary {
    let mut literals = layout.vocabulary;
    let mut frames = vec![layout.user];
    frames.extend(layout.system.own_turn());
    for side in frames.iter().flat_map(|frame| [frame.open, frame.close]).filter_map(Side::of) {
        literals = literals.with(&[side.control]);
    }
    literals
}

/// The prompt in pieces, which tile it.
pub(super) fn pieces(prompt: &str, literals: Vocabulary) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut start = 0;
    for (at, control) in literals.find_in(prompt) {
        if start < at {
            pieces.push(Piece { range: start..at, control: None });
        }
        start = at + control.as_str().len();
        pieces.push(Piece { range: at..start, control: Some(control) });
    }
    if start < prompt.len() {
        pieces.push(Piece { range: start..prompt.len(), control: None });
    }
    pieces
}

/// Where the control token begins that goes over an offset.
pub(super) fn control_around(text: &str, offset: usize, literals: Vocabulary) -> Option<usize> {
    let (at, control) = literals.find_in(text).take_while(|(at, _)| *at < offset).last()?;
    (at + control.as_str().len() > offset).then_some(at)
}

/// What in a text is a control token of other layouts (`[SYSTEM_PROMPT]`) or other models (`<|im_start|>`, `<<SYS>>`).
pub(super) fn foreign(text: &str, literals: Vocabulary) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut searched = 0;
    while let Some(at) = text.get(searched..).and_then(find_open).map(|found| searched + found) {
        let tail = text.get(at..).unwrap_or_default();
        let other = Control::all().filter(|control| !literals.contains(*control)).map(Control::as_str);
        let length = other.chain(LLAMA).filter(|literal| tail.starts_with(literal)).map(str::len).max();
        match length.or_else(|| pipe_token(tail)) {
            Some(length) => {
                found.push(at..at + length);
                searched = at + length;
            }
            None => searched = at + 1,
        }
    }
    found
}

const LLAMA: [&str; 2] = ["<<SYS>>", "<</SYS>>"];

/// The length of `<|name|>` at the beginning of a text.
fn pipe_token(text: &str) -> Option<usize> {
    let name = text.strip_prefix("<|")?;
    let length = name.bytes().take(32).take_while(|byte| byte.is_ascii_alphanumeric() || *byte == b'_').count();
    name.get(length..)?.starts_with("|>").then_some(length + 4).filter(|_| length > 0)
}
