//! What lays the rows out: a layout, a SillyTavern preset or a model's own template.

use std::error::Error as StdError;
use std::path::PathBuf;

use mistral_chat_template::preset::{Generation, Scene, SceneFormat, SceneSettings};
use mistral_chat_template::train::{Learn, Mask};
use mistral_chat_template::train::{LearntTurns, Row, TrainingPolicy};
use mistral_chat_template::{Chat, ChatTemplate, Error, Format, Layout, Mode, Prompt, Role};

use crate::formatter::Reason;
use crate::options::Options;
use crate::vocabulary::Vocabulary;
use crate::{model_files, preset_line};

/// What the command line names.
#[derive(Clone, Debug)]
pub(crate) enum Named {
    Layout(Box<Layout>),
    /// A preset by its name, or by its files, set apart by commas.
    Preset(String),
    /// A template's file, or a model's folder.
    Template(PathBuf),
}

/// What lays the rows out.
pub(crate) enum Source {
    Layout(Box<Layout>),
    Preset(Box<SceneFormat>),
    Template(Box<ChatTemplate>),
}

impl Default for Named {
    fn default() -> Self {
        Named::Layout(Box::new(Layout::MAGNUM))
    }
}

impl Named {
    /// Opens what is named, and sees to it that it can say what of a row is to be learnt.
    pub(crate) fn open(&self, learns_everything: bool) -> Result<Source, Box<dyn StdError>> {
        Ok(match self {
            Named::Layout(layout) => Source::Layout(Box::new(layout.in_mode(Mode::Finetuning))),
            Named::Preset(names) => {
                let settings = SceneSettings { generation: Generation::Nothing, ..SceneSettings::default() };
                let scene = Scene { settings, ..Scene::default() };
                Source::Preset(Box::new(preset_line::named(names)?.with_scene(&scene)?))
            }
            Named::Template(path) => {
                let template = model_files::template(path)?;
                if !template.marks_generated() && !learns_everything {
                    return Err(format!(
                        "{}: the template has no {{% generation %}} block, so nothing says what of its prompts is to \
                         be learnt; --learn everything learns all of it",
                        path.display()
                    )
                    .into());
                }
                Source::Template(Box::new(template))
            }
        })
    }

    /// The files that are read.
    pub(crate) fn files(&self) -> Vec<PathBuf> {
        match self {
            Named::Layout(_) => Vec::new(),
            Named::Preset(names) => names.split(',').map(PathBuf::from).filter(|path| path.is_file()).collect(),
            Named::Template(path) if path.is_dir() => model_files::NAMES.map(|name| path.join(name)).to_vec(),
            Named::Template(path) => vec![path.clone()],
        }
    }

    /// What identifies the run when it is resumed.
    pub(crate) fn fingerprint(&self) -> String {
        match self {
            Named::Layout(layout) => format!("{}{}", layout.name, layout.features),
            Named::Preset(names) => format!("preset {names}"),
            Named::Template(path) => format!("template {}", path.display()),
        }
    }
}

impl Source {
    pub(crate) fn render_into(&self, chat: &Chat<'_>, prompt: &mut Prompt) -> Result<(), Error> {
        match self {
            Source::Layout(layout) => layout.render_into(chat, prompt),
            Source::Preset(preset) => preset.render_into(chat, prompt),
            Source::Template(template) => template.render_into(chat, prompt),
        }
    }

    /// What is learnt of a prompt of the row.
    ///
    /// A template prints what it likes of a message, so that nothing can be followed to its text: there, either all replies
    /// are learnt or the last.
    pub(crate) fn mask<'p>(
        &self,
        prompt: &'p Prompt,
        row: &Row<'_>,
        policy: &TrainingPolicy,
    ) -> Result<Mask<'p>, Reason> {
        if !matches!(self, Source::Template(_)) || policy.turns == LearntTurns::Everything {
            return Ok(policy.mask(prompt, row)?);
        }
        let learnt = policy.learnt(row);
        let replies = || row.chat.messages.iter().zip(&learnt).enumerate();
        let differs = replies().find(|(_, (message, learnt))| (message.role() == Role::Assistant) != **learnt);
        let Some((index, (message, _))) = differs else { return Ok(prompt.mask(Learn::Assistant)?) };
        let last = replies().rfind(|(_, (message, _))| message.role() == Role::Assistant);
        let only_last =
            last.is_some_and(|(_, (_, is_learnt))| *is_learnt && learnt.iter().filter(|l| **l).count() == 1);
        if only_last {
            return Ok(prompt.mask(Learn::LastTurn)?);
        }
        Err(Reason {
            kind: "weight",
            sentence: match message.role() {
                Role::Assistant => format!(
                    "messages[{index}].weight: a template cannot leave a message unlearnt; --learn assistant learns it"
                ),
                _ => format!("messages[{index}]: a template cannot say what of a {} message is its", message.role()),
            },
        })
    }

    /// Refuses a vocabulary of another kind than the layout is for.
    pub(crate) fn check_vocabulary(&self, vocabulary: &Vocabulary, options: &Options) -> Result<(), String> {
        match self {
            Source::Layout(layout) => layout
                .check_tokenizer(vocabulary)
                .map_err(|error| format!("{} and --layout {}: {error}", options.vocabulary_name(), layout.name)),
            // What these send is text alone, whatever the tokenizer.
            Source::Preset(_) | Source::Template(_) => Ok(()),
        }
    }
}
