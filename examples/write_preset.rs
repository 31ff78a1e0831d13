//! The SillyTavern preset that sends a layout: a layout's or a model's name in, files out.
//!
//! ```text
//! cargo run --example write_preset -- magnum
//! cargo run --example write_preset -- v7-tekken presets/
//! cargo run --example write_preset -- v7-tekken --for koboldcpp
//! cargo run --example write_preset -- v13 --for ollama > Modelfile
//! ```
//!
//! With a folder it writes `NAME-context.json` and `NAME-instruct.json` there; without, it prints an export of both,
//! which SillyTavern's master import reads. For koboldcpp it prints an adapter, for Ollama a Modelfile.

use std::path::Path;

use mistral_chat_template::preset::{Adapter, ollama_modelfile};
use mistral_chat_template::{Layout, Preset};

#[path = "support/files.rs"]
mod files;

#[path = "support/sentence.rs"]
mod sentence;

use crate::sentence::Sentence;

const USAGE: &str = "write_preset LAYOUT [FOLDER] [--for sillytavern|koboldcpp|ollama]";

/// Whose file is written.
#[derive(Clone, Copy)]
enum Program {
    SillyTavern,
    KoboldCpp,
    Ollama,
}

impl Program {
    fn from_name(name: &str) -> Result<Self, Sentence> {
        match name {
            "sillytavern" => Ok(Program::SillyTavern),
            "koboldcpp" => Ok(Program::KoboldCpp),
            "ollama" => Ok(Program::Ollama),
            other => Err(format!("{other:?} is not sillytavern, koboldcpp or ollama").into()),
        }
    }
}

fn main() -> Result<(), Sentence> {
    let mut names = Vec::new();
    let mut program = Program::SillyTavern;
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--help" | "-h" => {
                println!("{USAGE}");
                return Ok(());
            }
            "--for" => program = Program::from_name(&arguments.next().ok_or("--for: for which program?")?)?,
            flag if flag.starts_with("--") => return Err(format!("{flag} is not a flag; usage: {USAGE}").into()),
            _ => names.push(argument),
        }
    }
    let (layout, folder) = match names.as_slice() {
        [layout] => (layout.parse::<Layout>()?, None),
        [layout, folder] => (layout.parse()?, Some(folder)),
        _ => return Err(format!("which layout? {USAGE}").into()),
    };
    let (name, text) = match program {
        Program::SillyTavern => {
            let preset = Preset::for_layout(&layout)?;
            if let Some(folder) = folder {
                write(folder, &format!("{}-context.json", layout.name), &preset.context_json())?;
                return write(folder, &format!("{}-instruct.json", layout.name), &preset.instruct_json());
            }
            (String::new(), preset.to_json())
        }
        Program::KoboldCpp => (format!("{}-adapter.json", layout.name), Adapter::for_layout(&layout)?.to_json()),
        Program::Ollama => (format!("{}.Modelfile", layout.name), ollama_modelfile(&layout, ".")?),
    };
    match folder {
        Some(folder) => write(folder, &name, &text)?,
        None => println!("{}", text.trim_end()),
    }
    Ok(())
}

/// Writes a file and tells its path.
fn write(folder: &str, name: &str, text: &str) -> Result<(), Sentence> {
    let path = Path::new(folder).join(name);
    files::write(&path, text.as_bytes()).map_err(|error| format!("{}: {error}", path.display()))?;
    println!("{}", path.display());
    Ok(())
}
