//! A model's folder and a chat in, the prompt out: `huggingface FOLDER < chat.json`.
//!
//! The template is read as transformers does: from `chat_template.jinja`, else from `chat_template.json`, else from
//! `tokenizer_config.json`, which has the special tokens in any case. A folder of Mistral's own files has no template:
//! then its tokenizer file says the layout. The chat is a chat-completion request; of an answer at its end, the rest is
//! asked for where the request says `"prefix": true`.

use std::error::Error;
use std::io::{self, Read};
use std::path::Path;
use std::process::ExitCode;
use std::{env, fs};

use mistral_chat_template::{Chat, DetectError, Detection, Format, GenerationPrompt, Prompt, Segment};

#[path = "support/model_files.rs"]
mod model_files;

fn main() -> ExitCode {
    let mut arguments = env::args().skip(1);
    let (Some(folder), None) = (arguments.next(), arguments.next()) else {
        eprintln!("huggingface FOLDER < chat.json");
        return ExitCode::from(2);
    };
    match prompt(Path::new(&folder)) {
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

fn prompt(folder: &Path) -> Result<Prompt, Box<dyn Error>> {
    let format = format(folder)?;
    let mut json = String::new();
    io::stdin().read_to_string(&mut json)?;
    Ok(format.render(&Chat::from_json(&json)?)?)
}

/// The model's template, or else the layout that its tokenizer file says.
fn format(folder: &Path) -> Result<Box<dyn Format>, Box<dyn Error>> {
    if let Some(template) = model_files::in_folder(folder)? {
        return Ok(Box::new(template.generation_prompt(GenerationPrompt::Added)));
    }
    let Some(detection) = detection(folder)? else {
        return Err(
            format!("{}: there is neither a chat template nor a tokenizer of Mistral's", folder.display()).into()
        );
    };
    let layout = detection.features.iter().fold(detection.version.layout(), |layout, feature| layout.with(feature));
    eprintln!("there is no chat template; the layout is {}{}: {}", layout.name, layout.features, detection.evidence);
    Ok(Box::new(layout))
}

/// What the folder's `tekken.json` or SentencePiece model says; none where there is neither.
fn detection(folder: &Path) -> Result<Option<Detection>, Box<dyn Error>> {
    let tekken = folder.join("tekken.json");
    if tekken.exists() {
        let detection = Detection::from_tekken_header(&fs::read_to_string(&tekken)?);
        return detection.map(Some).map_err(|error| format!("{}: {error}", tekken.display()).into());
    }
    let mut undecided = None;
    for entry in fs::read_dir(folder).map_err(|error| format!("{}: {error}", folder.display()))? {
        match Detection::from_sentencepiece_file_name(&entry?.file_name().to_string_lossy()) {
            Ok(detection) => return Ok(Some(detection)),
            Err(DetectError::Unknown { .. }) => {}
            Err(error) => undecided = Some(error),
        }
    }
    match undecided {
        Some(error) => Err(format!("{}: there is no chat template, and {error}", folder.display()).into()),
        None => Ok(None),
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
