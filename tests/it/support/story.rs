//! Presets for the tests of stories and macros.

use mistral_chat_template::Preset;
use mistral_chat_template::preset::{ContextPreset, InstructPreset, NamesBehavior};

/// A preset of which only the story is sent.
pub(crate) fn story(template: &str) -> Preset {
    let context = ContextPreset {
        story_string: template.to_owned(),
        chat_start: String::new(),
        example_separator: String::new(),
        ..ContextPreset::default()
    };
    let instruct = InstructPreset {
        wrap: false,
        input_sequence: String::new(),
        output_sequence: String::new(),
        output_suffix: String::new(),
        names_behavior: NamesBehavior::None,
        ..InstructPreset::default()
    };
    Preset { context, instruct, ..Preset::default() }
}
