//! Presets for the tests of stories and macros.

use mistral_chat_template::Preset;
use mistral_chat_template::preset::{Context, Instruct, NamesBehavior};

/// A preset of which only the story is sent.
pub(crate) fn story(template: &str) -> Preset {
    let context = Context {
        story_string: template.to_owned(),
        chat_start: String::new(),
        example_separator: String::new(),
        ..Context::default()
    };
    let instruct = Instruct {
        wrap: false,
        input_sequence: String::new(),
        output_sequence: String::new(),
        output_suffix: String::new(),
        names_behavior: NamesBehavior::None,
        ..Instruct::default()
    };
    Preset { context, instruct, ..Preset::default() }
}
