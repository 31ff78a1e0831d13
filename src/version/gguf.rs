//! The keys of a GGUF file come in, the version that they agree on comes out.

use super::models::{Identity, identify};
use super::signs::{self, Sign};
use super::{Backend, Certainty, DetectError, Detection, Features};
use std::borrow::Cow;

/// The architectures that models of the table are converted to.
const ARCHITECTURES: &[&str] = &["llama", "mistral", "mistral3", "mistral4", "pixtral", "mamba2", "deepseek2"];

/// `tokenizer.ggml.model` and the vocabulary it stands for.
const VOCABULARIES: &[(&str, Backend)] = &[("llama", Backend::SentencePiece), ("gpt2", Backend::Tekken)];

/// The values of `tokenizer.ggml.pre` that do not exclude Tekken.
const TEKKEN_PRE_TOKENIZERS: &[&str] = &["tekken", "default"];

/// The keys that say something about the version.
#[derive(Debug, Default)]
pub(super) struct Metadata {
    name: Option<String>,
    basename: Option<String>,
    finetune: Option<String>,
    version: Option<String>,
    size_label: Option<String>,
    bases: Vec<String>,
    architecture: Option<String>,
    model: Option<String>,
    pre: Option<String>,
    template: Option<String>,
}

impl Metadata {
    pub(super) fn set(&mut self, key: &str, value: &str) {
        let place = match key {
            "general.name" => &mut self.name,
            "general.basename" => &mut self.basename,
            "general.finetune" => &mut self.finetune,
            "general.version" => &mut self.version,
            "general.size_label" => &mut self.size_label,
            "general.architecture" => &mut self.architecture,
            "tokenizer.ggml.model" => &mut self.model,
            "tokenizer.ggml.pre" => &mut self.pre,
            "tokenizer.chat_template" => &mut self.template,
            _ => {
                if is_base_model(key) {
                    self.bases.push(value.to_owned());
                }
                return;
            }
        };
        *place = Some(value.to_owned());
    }

    pub(super) fn detect(&self) -> Result<Detection, DetectError> {
        self.check_architecture()?;
        let vocabulary = self.vocabulary()?;
        let sign = self.sign()?;
        match (self.identity(), sign) {
            (Ok((identity, subject)), sign) => {
                let mut detection = match vocabulary {
                    Some((backend, seen)) => identity.confirmed_by(backend, &seen)?,
                    None => identity.into_detection(),
                };
                if subject == Subject::Base {
                    detection.certainty = Certainty::Indirect;
                    detection.evidence += "; that is the base model, and this one may have another layout";
                }
                Ok(match sign {
                    Some(sign) => disputed_by(sign, detection),
                    None => detection,
                })
            }
            (Err(DetectError::Unknown { .. } | DetectError::Undecided { .. }), Some(sign)) => {
                by_template(sign, vocabulary)
            }
            (Err(error), _) => Err(error),
        }
    }

    fn check_architecture(&self) -> Result<(), DetectError> {
        match self.architecture.as_deref() {
            Some(other) if !ARCHITECTURES.contains(&other) => {
                Err(DetectError::foreign(other, "general.architecture is not one that Mistral models are converted to"))
            }
            _ => Ok(()),
        }
    }

    /// The kind of vocabulary, and the key that says so.
    fn vocabulary(&self) -> Result<Option<(Backend, String)>, DetectError> {
        let Some(model) = self.model.as_deref() else {
            return Ok(None);
        };
        let Some(&(_, backend)) = VOCABULARIES.iter().find(|(name, _)| *name == model) else {
            let why = "tokenizer.ggml.model is neither SentencePiece (llama) nor Tekken (gpt2)";
            return Err(DetectError::foreign(model, why));
        };
        match self.pre.as_deref() {
            Some(pre) if backend == Backend::Tekken && !TEKKEN_PRE_TOKENIZERS.contains(&pre) => {
                Err(DetectError::foreign(pre, "tokenizer.ggml.pre is not Tekken's"))
            }
            _ => Ok(Some((backend, format!("tokenizer.ggml.model {model:?}")))),
        }
    }

    /// The newest control token in the chat template.
    fn sign(&self) -> Result<Option<Sign>, DetectError> {
        let Some(template) = self.template.as_deref() else {
            return Ok(None);
        };
        signs::of(template).map_err(|token| DetectError::foreign(token, "the chat template is built on this token"))
    }

    /// The first name that is a model's; without one, what was wrong with the first.
    fn identity(&self) -> Result<(Identity, Subject), DetectError> {
        let own = [self.name.as_deref().map(Cow::from), self.made_of_parts().map(Cow::from)];
        let own = own.into_iter().flatten().map(|name| (name, Subject::Itself));
        let bases = self.bases.iter().map(|name| (Cow::from(name), Subject::Base));
        let mut first_error = None;
        for (name, subject) in own.chain(bases) {
            match identify(&name) {
                Ok(identity) => return Ok((identity, subject)),
                Err(error @ (DetectError::Unknown { .. } | DetectError::Undecided { .. })) => {
                    first_error.get_or_insert(error);
                }
                Err(error) => return Err(error),
            }
        }
        Err(first_error.unwrap_or_else(|| DetectError::undecided("general.name", "there is no such key")))
    }

    fn made_of_parts(&self) -> Option<String> {
        let basename = self.basename.as_deref()?;
        let rest = [&self.finetune, &self.version, &self.size_label];
        let words = rest.into_iter().filter_map(|part| part.as_deref());
        Some([basename].into_iter().chain(words).collect::<Vec<_>>().join("-"))
    }
}

/// Whose name it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Subject {
    Itself,
    Base,
}

/// Is it `general.base_model.N.name` or `.repo_url`?
fn is_base_model(key: &str) -> bool {
    key.strip_prefix("general.base_model.")
        .and_then(|rest| rest.split_once('.'))
        .is_some_and(|(index, field)| index.bytes().all(|b| b.is_ascii_digit()) && matches!(field, "name" | "repo_url"))
}

/// Lowers the certainty where the template has a token that came after the version.
fn disputed_by(sign: Sign, mut detection: Detection) -> Detection {
    let Sign { token, tekken, .. } = sign;
    if tekken.number() > detection.version.number() {
        detection.certainty = detection.certainty.min(Certainty::Disputed);
        let lacking = detection.version;
        detection.evidence += &format!("; but the chat template has {token}, which {lacking} lacks");
    }
    detection
}

fn by_template(sign: Sign, vocabulary: Option<(Backend, String)>) -> Result<Detection, DetectError> {
    let Sign { token, sentencepiece, tekken } = sign;
    let template = format!("the chat template has {token}");
    let (version, why) = match (vocabulary, sentencepiece) {
        (Some((Backend::Tekken, seen)), _) => (tekken, format!("{seen} is Tekken")),
        (Some((Backend::SentencePiece, seen)), Some(version)) => (version, format!("{seen} is SentencePiece")),
        (Some((Backend::SentencePiece, seen)), None) => {
            return Err(DetectError::conflict(template, format!("{seen} is SentencePiece")));
        }
        (None, None) => (tekken, "every version that has it is over Tekken".to_owned()),
        (None, Some(other)) => {
            let why = format!("{other} and {tekken} have it, and without tokenizer.ggml.model it may be either");
            return Err(DetectError::undecided(token, why));
        }
    };
    Ok(Detection {
        version,
        features: Features::NONE,
        image: None,
        certainty: Certainty::Indirect,
        evidence: format!("no name helps, but {template}, and {why}"),
    })
}
