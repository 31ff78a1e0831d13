//! A model's own template, from its folder or from one of its files.
#![allow(dead_code, reason = "each example uses a part")]

use std::error::Error;
use std::path::Path;
use std::{fs, io};

use mistral_chat_template::ChatTemplate;
use mistral_chat_template::template::ModelFiles;

/// What holds a template in a model's folder, in the order in which transformers looks.
const PLACES: &str = "chat_template.jinja, chat_template of a tokenizer_config.json or chat_template.json";

/// The files of a model's folder that are read, beside those of [`ADDITIONAL`].
pub(crate) const NAMES: [&str; 4] =
    ["chat_template.jinja", "chat_template.json", "tokenizer_config.json", "special_tokens_map.json"];

/// The folder of templates with names of their own.
const ADDITIONAL: &str = "additional_chat_templates";

/// The template of a path: a model's folder, a JSON file of one, an instruction template of text-generation-webui in
/// YAML, or a template by itself.
pub(crate) fn template(path: &Path) -> Result<ChatTemplate, Box<dyn Error>> {
    if path.is_dir() {
        return in_folder(path)?.ok_or_else(|| format!("{}: there is no {PLACES}", path.display()).into());
    }
    let text = existing(path)?.ok_or_else(|| format!("{}: there is no such file", path.display()))?;
    let is = |wanted: &str| path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case(wanted));
    let template = match () {
        () if is("json") => ChatTemplate::from_tokenizer_config(&text),
        () if is("yaml") || is("yml") => {
            ChatTemplate::new(&instruction_template(&text).map_err(|why| format!("{}: {why}", path.display()))?)
        }
        () => ChatTemplate::new(&text),
    };
    template.map_err(|error| in_file(path, &error))
}

/// The Jinja text of an instruction template of text-generation-webui: a block of YAML, or a value on one line.
fn instruction_template(yaml: &str) -> Result<String, &'static str> {
    const KEY: &str = "instruction_template:";
    let mut lines = yaml.lines();
    let Some(value) = lines.find_map(|line| line.strip_prefix(KEY)) else {
        return Err(match yaml.lines().any(|line| line.starts_with("turn_template:")) {
            true => "a `turn_template` of text-generation-webui before 2024 is not Jinja",
            false => "YAML without an `instruction_template`",
        });
    };
    let value = value.trim();
    if let Some(text) = value.strip_prefix('\'').and_then(|rest| rest.strip_suffix('\'')) {
        return Ok(text.replace("''", "'"));
    }
    let Some(kept) = value.strip_prefix('|') else {
        return serde_json::from_str(value)
            .map_err(|_| "its `instruction_template` is neither a `|` block nor in quotes");
    };
    let block: Vec<&str> = lines.take_while(|line| line.is_empty() || line.starts_with(' ')).collect();
    let depth = |line: &&&str| line.len() - line.trim_start_matches(' ').len();
    let first = block.iter().find(|line| !line.trim().is_empty());
    let depth = first.as_ref().map_or(0, depth);
    let mut text: String = block.iter().flat_map(|line| [line.get(depth..).unwrap_or_default(), "\n"]).collect();
    if !kept.contains('+') {
        text.truncate(text.trim_end_matches('\n').len());
        text.push_str(if kept.contains('-') { "" } else { "\n" });
    }
    Ok(text)
}

/// The template of a model's folder, as transformers' `AutoTokenizer` finds it; `None` where the folder has none.
pub(crate) fn in_folder(folder: &Path) -> Result<Option<ChatTemplate>, Box<dyn Error>> {
    let [jinja, json, config, map] = NAMES.map(|name| existing(&folder.join(name)));
    let (jinja, json, config, map) = (jinja?, json?, config?, map?);
    let additional = additional(folder)?;
    let mut files = ModelFiles::default();
    files.chat_template = jinja.as_deref();
    files.additional = additional.iter().map(|(name, source)| (&**name, &**source)).collect();
    files.tokenizer_config = config.as_deref();
    files.special_tokens_map = map.as_deref();
    files.processor_template = json.as_deref();
    ChatTemplate::from_model_files(&files).map_err(|error| in_file(folder, &error))
}

/// The templates of `additional_chat_templates`, by name.
fn additional(folder: &Path) -> Result<Vec<(String, String)>, Box<dyn Error>> {
    let folder = folder.join(ADDITIONAL);
    let entries = match fs::read_dir(&folder) {
        Ok(entries) => entries,
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
            return Ok(Vec::new());
        }
        Err(error) => return Err(in_file(&folder, &error)),
    };
    let mut found = Vec::new();
    for entry in entries {
        let path = entry.map_err(|error| in_file(&folder, &error))?.path();
        let is_template = path.extension().is_some_and(|extension| extension == "jinja");
        if let (true, Some(name), Some(source)) = (is_template, path.file_stem(), existing(&path)?) {
            found.push((name.to_string_lossy().into_owned(), source));
        }
    }
    Ok(found)
}

/// The text of a file, or `None` if there is no such file.
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
