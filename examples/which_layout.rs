//! Says which layout a template is, and where it is not quite that: `which_layout PATH [LAYOUT] [--json]`.
//!
//! PATH is a model's folder, its `tokenizer_config.json`, its `chat_template.json` or a template by itself.

use std::io::Write;
use std::path::Path;
use std::{env, io};

use mistral_chat_template::Layout;

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
    let comparison = match layout {
        Some(layout) => template.compare(&layout),
        None => template.nearest_layout().comparison,
    };
    let report = match options.iter().any(|option| option == "--json") {
        true => serde_json::to_string(&comparison)?,
        false => comparison.to_string(),
    };
    match writeln!(io::stdout(), "{report}") {
        // Who reads the first lines only has seen enough.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        written => Ok(written?),
    }
}
