//! [`Source`]: what lays the chat out.

use std::fmt::Write;
use std::path::Path;

use mistral_chat_template::layout::{Vocabulary, WordStart};
use mistral_chat_template::preset::Scene;
use mistral_chat_template::template::GenerationPrompt;
use mistral_chat_template::{Chat, ChatTemplate, Control, Error, Format, Layout, Mode, Preset, Prompt, Version};

use crate::Failure;
use crate::given::Given;
use crate::inks;
use crate::{model_files, preset_line};

/// What lays the chat out.
pub(crate) enum Source {
    Layout(Layout),
    /// SillyTavern's files, with the names `User` and `Assistant`.
    Preset {
        name: String,
        preset: Box<Preset>,
    },
    /// A model's own template.
    Template {
        name: String,
        template: Box<ChatTemplate>,
    },
}

impl Source {
    /// The layout of a version's label or a model's name.
    pub(crate) fn from_name(name: &str) -> Result<Self, Failure> {
        name.parse().map(Source::Layout).map_err(|error: Error| Failure::Usage(error.to_string()))
    }

    /// A preset by its name, or by its files, set apart by commas.
    pub(crate) fn preset(name: &str) -> Result<Self, Failure> {
        let preset = preset_line::named(name).map_err(|error| Failure::Chat(error.to_string()))?;
        Ok(Source::Preset { name: name.to_owned(), preset: Box::new(preset) })
    }

    /// A template by its file, or by the folder of its model.
    pub(crate) fn template(path: &str) -> Result<Self, Failure> {
        let template = model_files::template(Path::new(path)).map_err(|error| Failure::Chat(error.to_string()))?;
        let name = Path::new(path).file_name().map_or(path.into(), |name| name.to_string_lossy());
        Ok(Source::Template { name: name.into_owned(), template: Box::new(template) })
    }

    /// A template with what it is given beside the chat; any other as it is.
    pub(crate) fn given(self, given: &Given) -> Self {
        match self {
            Source::Template { name, template } => {
                let template = given.to(*template, GenerationPrompt::LeftOut);
                Source::Template { name, template: Box::new(template) }
            }
            other => other,
        }
    }

    pub(crate) fn in_mode(self, mode: Mode) -> Self {
        match self {
            Source::Layout(layout) => Source::Layout(layout.in_mode(mode)),
            other => other,
        }
    }

    pub(crate) fn render(&self, chat: &Chat<'_>) -> Result<Prompt, Error> {
        match self {
            Source::Layout(layout) => layout.render(chat),
            Source::Preset { preset, .. } => preset.with_scene(&Scene::default())?.render(chat),
            Source::Template { template, .. } => template.render(chat),
        }
    }

    /// A short name for the head of the page.
    pub(crate) fn name(&self) -> String {
        match self {
            Source::Layout(layout) => format!("{}{}", layout.name, layout.features),
            Source::Preset { name, .. } | Source::Template { name, .. } => name.clone(),
        }
    }

    /// What it is for, in a few words.
    pub(crate) fn purpose(&self) -> &'static str {
        match self {
            Source::Layout(layout) => {
                let mut versions = Version::ALL.iter().copied();
                versions.find(|version| version.name() == layout.name).map_or("", purpose)
            }
            Source::Preset { .. } => "SillyTavern 1.19.0",
            Source::Template { .. } => "the model that it comes with",
        }
    }

    pub(crate) fn mode(&self) -> Mode {
        match self {
            Source::Layout(layout) => layout.mode,
            Source::Preset { .. } | Source::Template { .. } => Mode::Test,
        }
    }

    /// The control tokens that text might spell.
    pub(crate) fn vocabulary(&self) -> Vocabulary {
        match self {
            Source::Layout(layout) => layout.vocabulary,
            Source::Preset { .. } | Source::Template { .. } => Vocabulary::of(&Control::all().collect::<Vec<_>>()),
        }
    }
}

/// Every layout, and what it is for.
pub(crate) fn list() -> String {
    let (head, name) = (inks::HEAD, inks::CONTROL);
    let mut list = format!("{head}{:<11} {:<14} For{head:#}\n", "Layout", "Tokenizer");
    for version in Version::ALL {
        let tokenizer = match version.layout().word_start {
            WordStart::Space => "SentencePiece",
            WordStart::Nothing => "Tekken",
        };
        // Writing to a string cannot fail.
        let _ = writeln!(list, "{name}{version:<11}{name:#} {tokenizer:<14} {}", purpose(*version));
    }
    list + "
A tokenizer that takes images or audio, or thinks, is named with +image, +audio or +think: v13+think+image.
A model's name says its layout as well: Mistral-Nemo-Instruct-2407, anthracite-org/magnum-v2-123b.
"
}

fn purpose(version: Version) -> &'static str {
    match version {
        Version::V1 => "Mistral 7B v0.1 and v0.2, Mixtral 8x7B",
        Version::V1Tekken | Version::V2Tekken => "no model",
        Version::V2 => "the hosted models of early 2024, such as mistral-large-2402",
        Version::V3 => "Mistral Large 2407, Mixtral 8x22B, Mistral 7B v0.3, Codestral 22B",
        Version::V3Tekken => "Mistral Nemo, Ministral 8B, Pixtral 12B",
        Version::V7 => "Mistral Large 2411, Pixtral Large",
        Version::V7Tekken => "Mistral Small 3 and 3.1, Voxtral, Devstral Small 2505",
        Version::V11 => "Mistral Small 3.2, Magistral Small 2506",
        Version::V13 => "Magistral Small 2507 and 2509, Ministral 3, Mistral Large 3, Devstral 2",
        Version::V15 => "Mistral Small 4, Mistral Medium 3.5",
        Version::Magnum => "Magnum 123B: v3 with the system prompt first",
        _ => "",
    }
}
