//! How a SillyTavern preset differs from what a model was trained on, and which fields mend it.
//!
//! ```text
//! cargo run --example compare_preset -- magnum magnum
//! cargo run --example compare_preset -- context.json,instruct.json v7-tekken --json
//! cargo run --example compare_preset -- mistral.json v7-tekken --write mended.json
//! cargo run --example compare_preset -- 'AutoGuess.json#Mistral Tekken' v7-tekken
//! ```
//!
//! The first argument is a built-in preset's name or files set apart by commas, an adapter of koboldcpp, or one of a list
//! of them after a `#`. The second is a layout or a model's name. With `--write` the preset is written with all mends:
//! as one file that SillyTavern's master import takes whole, or as an adapter. The exit code is 1 where there is a
//! difference.

use std::process::ExitCode;

use mistral_chat_template::preset::{Adapter, FileKind};
use mistral_chat_template::{Layout, Preset};

#[path = "support/files.rs"]
mod files;
#[path = "support/preset_line.rs"]
mod preset_line;
#[path = "support/sentence.rs"]
mod sentence;

use crate::sentence::Sentence;

const USAGE: &str = "compare_preset PRESET LAYOUT [--json] [--write FILE]";

/// What the command line asks for.
#[derive(Default)]
struct Wish {
    names: Vec<String>,
    json: bool,
    write: Option<String>,
}

impl Wish {
    fn read(arguments: impl Iterator<Item = String>) -> Result<Option<Wish>, Sentence> {
        let mut arguments = arguments.peekable();
        let mut wish = Wish::default();
        while let Some(argument) = arguments.next() {
            match argument.as_str() {
                "--help" | "-h" => return Ok(None),
                "--json" => wish.json = true,
                "--write" => wish.write = Some(arguments.next().ok_or("--write: into which file?")?),
                flag if flag.starts_with("--") => return Err(format!("{flag} is not a flag; usage: {USAGE}").into()),
                _ => wish.names.push(argument),
            }
        }
        Ok(Some(wish))
    }
}

fn main() -> Result<ExitCode, Sentence> {
    let Some(wish) = Wish::read(std::env::args().skip(1))? else {
        println!("{USAGE}");
        return Ok(ExitCode::SUCCESS);
    };
    let [preset, layout] = wish.names.as_slice() else {
        return Err(format!("two names are needed: {USAGE}").into());
    };
    let layout: Layout = layout.parse()?;
    let (report, mended) = match adapter(preset)? {
        Some(adapter) => (adapter.compare(&layout)?, adapter.mended(&layout)?.to_json()),
        None => {
            let preset = preset_line::named(preset)?;
            (preset.compare(&layout)?, preset.mended(&layout)?.to_json())
        }
    };
    if wish.json {
        println!("{}", serde_json::to_string_pretty(&report)?);
    } else {
        print!("{report}");
    }
    if let Some(path) = wish.write {
        files::write(std::path::Path::new(&path), mended.as_bytes()).map_err(|error| format!("{path}: {error}"))?;
    }
    Ok(if report.differences.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// The adapter of a file, or that of a name in a file's list.
fn adapter(source: &str) -> Result<Option<Adapter>, Sentence> {
    let (path, name) = source.split_once('#').map_or((source, None), |(path, name)| (path, Some(name)));
    let Ok(json) = std::fs::read_to_string(path) else { return Ok(None) };
    if let Ok(list) = Adapter::list(&json) {
        let names: Vec<_> = list.iter().map(|(name, _)| name.clone()).collect();
        let found = list.into_iter().find(|(known, _)| Some(known.as_str()) == name).map(|(_, adapter)| adapter);
        return match found {
            Some(adapter) => Ok(Some(adapter)),
            None => Err(format!("{path} is a list; which of it? {path}#NAME, of {}", names.join(", ")).into()),
        };
    }
    let mut preset = Preset::default();
    match preset.load(&json) {
        Ok(FileKind::KoboldCpp) => Ok(Some(Adapter::from_json(&json)?)),
        _ => Ok(None),
    }
}
