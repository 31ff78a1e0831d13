//! Writes the Jinja chat template of a layout: `write_template --layout v7-tekken+image > chat_template.jinja`.
//!
//! `--for` names the program that will render it: `transformers` (replies stand in `{% generation %}` blocks, which
//! trainers read), `llama.cpp`, `hf-jinja` (transformers.js, LM Studio, the Hub) or `any`, which is the default.

use std::io::Write;
use std::{env, io};

use mistral_chat_template::Layout;
use mistral_chat_template::template::GenerationMarks;

const USAGE: &str = "write_template --layout NAME [--for transformers|llama.cpp|hf-jinja|any]

Writes the layout's Jinja chat template to standard output.

  --layout NAME  a layout, such as v7-tekken+image or magnum, or a model's name
  --for PROGRAM  what will render the template; `any` by default.
                 For `transformers`, replies stand in {% generation %} blocks, which trainers read; minijinja and
                 plain jinja2 refuse those, so they are left out for all others";

#[path = "support/sentence.rs"]
mod sentence;

use crate::sentence::Sentence;

fn main() -> Result<(), Sentence> {
    let mut arguments = env::args().skip(1);
    let (mut layout, mut marks) = (None, GenerationMarks::Left);
    while let Some(argument) = arguments.next() {
        match (&*argument, arguments.next().as_deref()) {
            ("--layout", Some(name)) => layout = Some(name.parse::<Layout>()?),
            ("--for", Some("transformers")) => marks = GenerationMarks::Written,
            ("--for", Some("llama.cpp" | "hf-jinja" | "any")) => marks = GenerationMarks::Left,
            ("--help" | "-h", _) => return print(USAGE),
            _ => return Err(USAGE.into()),
        }
    }
    let Some(layout) = layout else { return Err(USAGE.into()) };
    print(&layout.chat_template_with(marks))
}

fn print(text: &str) -> Result<(), Sentence> {
    match writeln!(io::stdout(), "{}", text.trim_end_matches('\n')) {
        // Who reads the first lines only has seen enough.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        written => Ok(written?),
    }
}
