//! Names the layout of a template, the evidence, and where the two differ; or says that it has no known layout: `which_layout [OPTIONS] PATH [LAYOUT]`.
//!
//! PATH is a model's folder, its `tokenizer_config.json`, its `chat_template.json` or a template by itself. `--lint` says
//! instead what of it fails or differs in other engines, and what it loses of a chat. `--json` prints JSON; `--variable` and `--now` give the template what `apply_chat_template` would, by default the time.

use std::fmt::Display;
use std::io::Write;
use std::path::Path;
use std::{env, io};

use mistral_chat_template::Layout;
use mistral_chat_template::template::GenerationPrompt;
use serde::Serialize;

#[path = "support/given.rs"]
mod given;
#[path = "support/model_files.rs"]
mod model_files;

#[path = "support/sentence.rs"]
mod sentence;

use crate::given::Given;
use crate::sentence::Sentence;

const USAGE: &str = "which_layout [--json] [--lint] [--variable NAME=JSON] [--now SECONDS] PATH [LAYOUT]";

fn main() -> Result<(), Sentence> {
    let (mut paths, mut given, mut in_json, mut lints) = (Vec::new(), Given::default(), false, false);
    let mut arguments = env::args().skip(1);
    while let Some(argument) = arguments.next() {
        match argument.strip_prefix("--") {
            None => paths.push(argument),
            Some("json") => in_json = true,
            Some("lint") => lints = true,
            Some(name) => {
                let value = || arguments.next().ok_or_else(|| format!("--{name} takes a value").into());
                if !given.take(name, value)? {
                    return Err(USAGE.into());
                }
            }
        }
    }
    let (path, layout) = match &*paths {
        [path] => (path, None),
        [path, layout] => (path, Some(layout.parse::<Layout>()?)),
        _ => return Err(USAGE.into()),
    };
    let template = given.to(model_files::template(Path::new(path))?, GenerationPrompt::LeftOut);
    let report = match layout {
        _ if lints && in_json => serde_json::to_string(&template.lint())?,
        _ if lints => template.lint().iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"),
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
