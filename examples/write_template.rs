//! Writes the Jinja chat template of a layout: `write_template --layout v7-tekken+image > chat_template.jinja`.

use std::io::Write;
use std::{env, io};

use mistral_chat_template::Layout;

#[path = "support/sentence.rs"]
mod sentence;

use crate::sentence::Sentence;

fn main() -> Result<(), Sentence> {
    let arguments: Vec<_> = env::args().skip(1).collect();
    let layout: Layout = match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["--layout", name] => name.parse()?,
        _ => return Err("write_template --layout NAME".into()),
    };
    match io::stdout().write_all(layout.chat_template().as_bytes()) {
        // Who reads the first lines only has seen enough.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        written => Ok(written?),
    }
}
