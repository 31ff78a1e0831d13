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
