//! A model's own template, from its folder or from one of its files.
#![allow(dead_code, reason = "each example uses a part")]

use std::error::Error;
use std::path::Path;
use std::{fs, io};

use mistral_chat_template::ChatTemplate;

/// What holds a template in a model's folder, in the order in which transformers looks.
const PLACES: &str = "chat_template.jinja, chat_template.json or the chat_template of a tokenizer_config.json";

/// The files of a model's folder that are read.
pub(crate) const NAMES: [&str; 4] =
    ["chat_template.jinja", "chat_template.json", "tokenizer_config.json", "special_tokens_map.json"];

/// The template of a path: a model's folder, a JSON file of one, or a template by itself.
pub(crate) fn template(path: &Path) -> Result<ChatTemplate, Box<dyn Error>> {
    if path.is_dir() {
        return in_folder(path)?.ok_or_else(|| format!("{}: there is no {PLACES}", path.display()).into());
    }
    let text = existing(path)?.ok_or_else(|| format!("{}: there is no such file", path.display()))?;
    let is_json = path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("json"));
    let template = if is_json { ChatTemplate::from_tokenizer_config(&text) } else { ChatTemplate::new(&text) };
    template.map_err(|error| in_file(path, &error))
}

/// The template of a model's folder, as transformers finds it; none where the folder has none.
pub(crate) fn in_folder(folder: &Path) -> Result<Option<ChatTemplate>, Box<dyn Error>> {
    let [jinja, json, config, map] = NAMES.map(|name| folder.join(name));
    let (own, from) = match (existing(&jinja)?, existing(&json)?) {
        (Some(source), _) => (Some(ChatTemplate::new(&source)), jinja),
        (None, Some(text)) => (Some(ChatTemplate::from_tokenizer_config(&text)), json),
        (None, None) => (None, config.clone()),
    };
    let tokens = existing(&config)?;
    let template = match (own, &tokens) {
        (Some(template), _) => template.map_err(|error| in_file(&from, &error))?,
        (None, Some(text)) if has_template(text) => {
            return ChatTemplate::from_tokenizer_config(text).map(Some).map_err(|error| in_file(&from, &error));
        }
        (None, _) => return Ok(None),
    };
    // The special tokens are in a file of their own, where the configuration is missing.
    let (tokens, from) = if tokens.is_some() { (tokens, config) } else { (existing(&map)?, map) };
    let Some(tokens) = tokens else { return Ok(Some(template)) };
    template.with_tokenizer_config(&tokens).map(Some).map_err(|error| in_file(&from, &error))
}

/// Is there a template, or something that says itself what is wrong with it?
fn has_template(json: &str) -> bool {
    let parsed: Result<serde_json::Value, _> = serde_json::from_str(json);
    parsed.map_or(true, |config| config.get("chat_template").is_some_and(|template| !template.is_null()))
}

/// The text of a file; none where there is no such file.
fn existing(path: &Path) -> Result<Option<String>, Box<dyn Error>> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(in_file(path, &error)),
    }
}

fn in_file(path: &Path, error: &dyn Error) -> Box<dyn Error> {
    format!("{}: {error}", path.display()).into()
}
