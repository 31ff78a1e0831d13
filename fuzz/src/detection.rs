//! Headers of tokenizer files and names of models: the version, or an error. The first byte says which it is.

use mistral_chat_template::layout::Settings;
use mistral_chat_template::render::Fim;
use mistral_chat_template::version::Detection;
use mistral_chat_template::{Layout, Version};

pub fn run(data: &[u8]) {
    let Some((kind, text)) = data.split_first() else { return };
    let Ok(text) = std::str::from_utf8(text) else { return };
    let detected = match kind % 4 {
        0 => Detection::from_tekken_header(text),
        1 => Detection::from_model_name(text),
        2 => Detection::from_sentencepiece_file_name(text),
        _ => {
            let keys = text.lines().map(|line| line.split_once('=').unwrap_or((line, "")));
            Detection::from_gguf(keys)
        }
    };
    match detected {
        Ok(detection) => {
            assert!(!detection.evidence.is_empty());
            assert!(Version::ALL.contains(&detection.version));
        }
        Err(error) => assert!(!error.to_string().is_empty()),
    }
    if let Ok(layout) = text.parse::<Layout>() {
        assert!(Version::ALL.iter().any(|version| version.name() == layout.name));
    }
    let _ = Settings::from_json(text);
    let _ = Fim::from_json(text);
    let _ = mistral_chat_template::ChatTemplate::from_tokenizer_config(text);
}
