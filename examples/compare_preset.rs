//! How a SillyTavern preset differs from what a model was trained on, and which fields mend it.
//!
//! ```text
//! cargo run --example compare_preset -- magnum magnum
//! cargo run --example compare_preset -- context.json,instruct.json v7-tekken --json
//! cargo run --example compare_preset -- mistral.json v7-tekken --write mended.json
//! ```
//!
//! The first argument is a built-in preset's name or files set apart by commas, the second a layout or a model's name.
//! With `--write` the preset is written with all mends, as one file that SillyTavern's master import takes whole. The
//! exit code is 1 where there is a difference.

use std::process::ExitCode;

use mistral_chat_template::Layout;

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
                flag if flag.starts_with("--") => return Err(format!("{flag} is no flag; usage: {USAGE}").into()),
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
    let (preset, layout) = (preset_line::named(preset)?, layout.parse::<Layout>()?);
    let report = preset.compare(&layout)?;
    if wish.json {
        println!("{}", serde_json::to_string_pretty(&report)?);
    } else {
        print!("{report}");
    }
    if let Some(path) = wish.write {
        std::fs::write(&path, preset.mended(&layout)?.to_json()).map_err(|error| format!("{path}: {error}"))?;
    }
    Ok(if report.differences.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
