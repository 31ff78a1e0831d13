//! A tokenizer of one id a byte, for every control token and medium.

use mistral_chat_template::layout::WordStart;
use mistral_chat_template::prompt::Medium;
use mistral_chat_template::{Control, Tokenizer};

#[derive(Clone, Copy)]
pub struct Bytes;

impl Tokenizer for Bytes {
    fn text(&self, text: &str, _: WordStart, ids: &mut Vec<u32>) {
        ids.extend(text.bytes().map(|byte| 1000 + u32::from(byte)));
    }

    fn control(&self, control: Control) -> Option<u32> {
        Control::all().position(|other| other == control).and_then(|id| u32::try_from(id).ok())
    }

    fn media(&self, _: Medium<'_>, ids: &mut Vec<u32>) -> bool {
        ids.push(900);
        true
    }
}
