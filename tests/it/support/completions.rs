//! Reading what a model wrote in pieces, as text and as ids; `tests/growth.rs` reads ids with this file too.

use mistral_chat_template::completion::Detokenizer;
use mistral_chat_template::layout::WordStart;
use mistral_chat_template::{Completion, CompletionReader, Control, Tokenizer};

/// One id a byte, the space before a run of text being one of them, past the ids of the control tokens.
pub struct Bytes;

impl Tokenizer for Bytes {
    fn text(&self, text: &str, word_start: WordStart, ids: &mut Vec<u32>) {
        let space = if word_start == WordStart::Space { " " } else { "" };
        ids.extend(space.bytes().chain(text.bytes()).map(|byte| 1000 + u32::from(byte)));
    }

    fn control(&self, control: Control) -> Option<u32> {
        Control::all().position(|other| other == control).and_then(|id| u32::try_from(id).ok())
    }
}

impl Detokenizer for Bytes {
    fn control(&self, id: u32) -> Option<Control> {
        Control::all().nth(id as usize)
    }

    fn bytes(&self, id: u32, bytes: &mut Vec<u8>) {
        bytes.extend(id.checked_sub(1000).and_then(|byte| u8::try_from(byte).ok()));
    }
}

pub fn read_in_pieces<'t>(pieces: impl IntoIterator<Item = &'t str>, mut reader: CompletionReader) -> Completion {
    let mut completion = Completion::default();
    for piece in pieces {
        completion.extend(reader.push(piece));
    }
    completion.finish(reader.finish());
    completion
}

#[track_caller]
pub fn assert_same(cut: &Completion, whole: &Completion) {
    assert_eq!(cut.message, whole.message);
    assert_eq!(cut.rest, whole.rest);
    assert_eq!(cut.stray, whole.stray);
    assert_eq!(cut.liberties, whole.liberties);
    assert_eq!(cut.written_ids, whole.written_ids);
    assert_eq!(cut.stop_cause, whole.stop_cause);
    assert_eq!(cut.error.as_ref().map(ToString::to_string), whole.error.as_ref().map(ToString::to_string));
}

/// Cut once anywhere, and cut into its characters, an output reads as the whole.
#[track_caller]
pub fn assert_every_cut_reads_as(whole: &Completion, output: &str, reader: impl Fn() -> CompletionReader) {
    for (cut, _) in output.char_indices() {
        let (before, after) = output.split_at(cut);
        assert_same(&read_in_pieces([before, after], reader()), whole);
    }
    let chars: Vec<String> = output.chars().map(String::from).collect();
    assert_same(&read_in_pieces(chars.iter().map(String::as_str), reader()), whole);
}
