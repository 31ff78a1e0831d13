//! The SillyTavern preset that sends a layout: a layout's or a model's name in, files out.
//!
//! ```text
//! cargo run --example write_preset -- magnum
//! cargo run --example write_preset -- v7-tekken presets/
//! ```
//!
//! With a folder it writes `NAME-context.json` and `NAME-instruct.json` there; without, it prints an export of both,
//! which SillyTavern's master import reads.

use std::path::Path;

use mistral_chat_template::{Layout, Preset};

#[path = "support/files.rs"]
mod files;

#[path = "support/sentence.rs"]
mod sentence;

use crate::sentence::Sentence;

fn main() -> Result<(), Sentence> {
    let mut arguments = std::env::args().skip(1);
    let layout: Layout = arguments.next().ok_or("which layout? magnum, v7, a model's name, …")?.parse()?;
    let preset = Preset::for_layout(&layout)?;
    let Some(folder) = arguments.next() else {
        println!("{}", preset.to_json());
        return Ok(());
    };
    for (kind, json) in [("context", preset.context_json()), ("instruct", preset.instruct_json())] {
        let path = Path::new(&folder).join(format!("{}-{kind}.json", layout.name));
        files::write(&path, json.as_bytes()).map_err(|error| format!("{}: {error}", path.display()))?;
        println!("{}", path.display());
    }
    Ok(())
}
