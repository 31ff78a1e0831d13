//! Says which layout a template is, what that rests on, and where it is not quite that; or that it is none: `which_layout PATH [LAYOUT] [--json]`.
//!
//! PATH is a model's folder, its `tokenizer_config.json`, its `chat_template.json` or a template by itself.

use std::fmt::Display;
use std::io::Write;
use std::path::Path;
use std::{env, io};

use mistral_chat_template::Layout;
use serde::Serialize;

#[path = "support/model_files.rs"]
mod model_files;

#[path = "support/sentence.rs"]
mod sentence;

use crate::sentence::Sentence;

fn main() -> Result<(), Sentence> {
    let (options, arguments): (Vec<_>, Vec<_>) = env::args().skip(1).partition(|argument| argument.starts_with("--"));
    let (path, layout) = match &*arguments {
        [path] => (path, None),
        [path, layout] => (path, Some(layout.parse::<Layout>()?)),
        _ => return Err("which_layout PATH [LAYOUT] [--json]".into()),
    };
    let template = model_files::template(Path::new(path))?;
    let in_json = options.iter().any(|option| option == "--json");
    let report = match layout {
        Some(layout) => report(&template.compare(&layout), in_json)?,
        None => report(&template.nearest_layout(), in_json)?,
    };
    match writeln!(io::stdout(), "{report}") {
        // Who reads the first lines only has seen enough.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        written => Ok(written?),
    }
}

fn report(found: &(impl Serialize + Display), in_json: bool) -> Result<String, serde_json::Error> {
    if in_json { serde_json::to_string(found) } else { Ok(found.to_string()) }
}
