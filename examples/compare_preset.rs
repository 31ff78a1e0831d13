//! How a SillyTavern preset differs from what a model was trained on, and which fields are to blame.
//!
//! ```text
//! cargo run --example compare_preset -- magnum magnum
//! cargo run --example compare_preset -- context.json,instruct.json v7-tekken --json
//! ```
//!
//! The first argument is a built-in preset's name or files set apart by commas, the second a layout or a model's name.
//! The exit code is 1 where there is a difference.

use std::process::ExitCode;

use mistral_chat_template::Layout;

#[path = "support/preset_line.rs"]
mod preset_line;

#[path = "support/sentence.rs"]
mod sentence;

use crate::sentence::Sentence;

fn main() -> Result<ExitCode, Sentence> {
    let (flags, names): (Vec<_>, Vec<_>) = std::env::args().skip(1).partition(|argument| argument.starts_with("--"));
    let [preset, layout] = names.as_slice() else {
        return Err("compare_preset PRESET LAYOUT [--json]".into());
    };
    let report = preset_line::named(preset)?.compare(&layout.parse::<Layout>()?)?;
    if flags.iter().any(|flag| flag == "--json") {
        println!("{}", serde_json::to_string_pretty(&report)?);
    } else {
        print!("{report}");
    }
    Ok(if report.differences.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
