//! Says which layout a template is, and where it is not quite that: `which_layout FILE [LAYOUT] [--json]`.
//!
//! The file is a `tokenizer_config.json`, a `chat_template.json` or a template by itself.

use std::error::Error;
use std::{env, fs};

use mistral_chat_template::{ChatTemplate, Layout};

fn main() -> Result<(), Box<dyn Error>> {
    let (options, arguments): (Vec<_>, Vec<_>) = env::args().skip(1).partition(|argument| argument.starts_with("--"));
    let (file, layout) = match &*arguments {
        [file] => (file, None),
        [file, layout] => (file, Some(layout.parse::<Layout>()?)),
        _ => return Err("which_layout FILE [LAYOUT] [--json]".into()),
    };
    let text = fs::read_to_string(file)?;
    let template = match file.ends_with(".json") {
        true => ChatTemplate::from_tokenizer_config(&text)?,
        false => ChatTemplate::new(&text)?,
    };
    let comparison = match layout {
        Some(layout) => template.compare(&layout),
        None => template.nearest_layout().comparison,
    };
    if options.iter().any(|option| option == "--json") {
        println!("{}", serde_json::to_string(&comparison)?);
    } else {
        println!("{comparison}");
    }
    Ok(())
}
