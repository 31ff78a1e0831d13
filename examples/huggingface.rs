//! A model's folder and a chat in, the prompt out: `huggingface [OPTIONS] FOLDER < chat.json`.
//!
//! The template is read as transformers' `AutoTokenizer` does: from `chat_template.jinja` and `additional_chat_templates`,
//! else from `tokenizer_config.json`, which has the special tokens in any case, else from a processor's
//! `chat_template.json`. A folder of Mistral's own files has no template:
//! then its tokenizer file says the layout. The chat is a chat-completion request; of an answer at its end, the rest is
//! asked for where the request says `"prefix": true`. A template is given the request as it was sent, and by `--help`'s
//! options what else `apply_chat_template` takes.

use std::error::Error;
use std::io::{self, Read};
use std::path::Path;
use std::process::ExitCode;
use std::{env, fs};

use mistral_chat_template::template::GenerationPrompt;
use mistral_chat_template::version::{DetectError, Detection};
use mistral_chat_template::{Chat, Dialect, Format, Prompt, Segment};

#[path = "support/given.rs"]
mod given;
#[path = "support/model_files.rs"]
mod model_files;

use crate::given::Given;

const USAGE: &str = "huggingface [OPTIONS] FOLDER < chat.json";

fn main() -> ExitCode {
    let (mut folder, mut given) = (None, Given::default());
    let mut arguments = env::args().skip(1);
    while let Some(argument) = arguments.next() {
        let Some(name) = argument.strip_prefix("--") else {
            if folder.replace(argument).is_some() {
                return complain(USAGE);
            }
            continue;
        };
        if name == "help" {
            println!("Usage: {USAGE}\n\nOptions:\n{}", given::HELP);
            return ExitCode::SUCCESS;
        }
        let value = || arguments.next().ok_or_else(|| format!("--{name} takes a value").into());
        match given.take(name, value) {
            Ok(true) => {}
            Ok(false) => return complain(USAGE),
            Err(error) => return complain(&error.to_string()),
        }
    }
    let Some(folder) = folder else { return complain(USAGE) };
    match prompt(Path::new(&folder), &given) {
        Ok(prompt) => {
            show(&prompt);
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn complain(sentence: &str) -> ExitCode {
    eprintln!("{sentence}");
    ExitCode::from(2)
}

/// The prompt by the model's template, or else by the layout that its tokenizer file says.
fn prompt(folder: &Path, given: &Given) -> Result<Prompt, Box<dyn Error>> {
    let template = model_files::in_folder(folder)?;
    let mut json = String::new();
    io::stdin().read_to_string(&mut json)?;
    if let Some(template) = template {
        return Ok(given.render(&given.to(template, GenerationPrompt::Added), &json, Dialect::Either)?);
    }
    let Some(detection) = detection(folder)? else {
        return Err(
            format!("{}: there is neither a chat template nor a tokenizer of Mistral's", folder.display()).into()
        );
    };
    let layout = detection.features.iter().fold(detection.version.layout(), |layout, feature| layout.with(feature));
    eprintln!("there is no chat template; the layout is {}{}: {}", layout.name, layout.features, detection.evidence);
    Ok(layout.render(&Chat::from_json(&json)?)?)
}

/// What the folder's Tekken file or SentencePiece model says; `None` where there is neither. A folder that has several
/// vocabularies is refused, unless all say the same.
fn detection(folder: &Path) -> Result<Option<Detection>, Box<dyn Error>> {
    let (mut found, mut undecided): (Vec<(String, Detection)>, _) = (Vec::new(), None);
    for entry in fs::read_dir(folder).map_err(|error| format!("{}: {error}", folder.display()))? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        // Some are published under a name of their own, such as `tekken_240911.json`.
        if name == "tekken.json" || name.starts_with("tekken_") && name.ends_with(".json") {
            let path = folder.join(&name);
            let detection = Detection::from_tekken_header(&fs::read_to_string(&path)?);
            found.push((name, detection.map_err(|error| format!("{}: {error}", path.display()))?));
            continue;
        }
        match Detection::from_sentencepiece_file_name(&name) {
            Ok(detection) => found.push((name, detection)),
            Err(DetectError::Unknown { .. }) => {}
            Err(error) => undecided = Some(error),
        }
    }
    found.sort_by(|(one, _), (other, _)| one.cmp(other));
    let says = |(name, detection): &(String, Detection)| format!("{name} says {}", detection.version);
    if let Some((first, others)) = found.split_first() {
        if others.iter().any(|(_, other)| other.version != first.1.version) {
            let all: Vec<_> = found.iter().map(says).collect();
            return Err(format!("{}: there are several vocabularies: {}", folder.display(), all.join(", ")).into());
        }
        if !others.is_empty() {
            let all: Vec<_> = found.iter().map(says).collect();
            eprintln!("there are several vocabularies: {}", all.join(", "));
        }
    }
    match (found.into_iter().next(), undecided) {
        (Some((_, detection)), _) => Ok(Some(detection)),
        (None, Some(error)) => Err(format!("{}: there is no chat template, and {error}", folder.display()).into()),
        (None, None) => Ok(None),
    }
}

fn show(prompt: &Prompt) {
    println!("{prompt}");
    for segment in prompt.segments() {
        match segment {
            Segment::Control(control) => eprintln!("control {control}"),
            Segment::Text(text) => eprintln!("text    {text:?}"),
            Segment::Media(media) => eprintln!("media   {}", media.as_str()),
        }
    }
}
