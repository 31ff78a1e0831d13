//! A model's folder and a chat in, the prompt out: `huggingface FOLDER < chat.json`.
//!
//! The template is read as transformers does: from `chat_template.jinja`, else from `chat_template.json`, else from
//! `tokenizer_config.json`, which has the special tokens in any case. The chat is a chat-completion request.

use std::error::Error;
use std::io::{self, Read};
use std::path::Path;
use std::{env, fs};

use mistral_chat_template::{Chat, ChatTemplate, Format, GenerationPrompt, Segment};

fn template(folder: &Path) -> Result<ChatTemplate, Box<dyn Error>> {
    let read = |name: &str| fs::read_to_string(folder.join(name));
    let config = read("tokenizer_config.json")?;
    if let Ok(source) = read("chat_template.jinja") {
        return Ok(ChatTemplate::new(&source)?.with_tokenizer_config(&config)?);
    }
    if let Ok(json) = read("chat_template.json") {
        return Ok(ChatTemplate::from_tokenizer_config(&json)?.with_tokenizer_config(&config)?);
    }
    Ok(ChatTemplate::from_tokenizer_config(&config)?)
}

fn main() -> Result<(), Box<dyn Error>> {
    let folder = env::args().nth(1).ok_or("huggingface FOLDER < chat.json")?;
    let template = template(Path::new(&folder))?.generation_prompt(GenerationPrompt::Added);
    let mut json = String::new();
    io::stdin().read_to_string(&mut json)?;
    let prompt = template.render(&Chat::from_json(&json)?)?;
    println!("{prompt}");
    for segment in prompt.segments() {
        match segment {
            Segment::Control(control) => eprintln!("control {control}"),
            Segment::Text(text) => eprintln!("text    {text:?}"),
            Segment::Media(media) => eprintln!("media   {}", media.as_str()),
        }
    }
    Ok(())
}
