//! The fields of a preset that shape a prompt, one by one.

use super::super::Preset;
use super::Mend;

/// A field: its name, its value as text, and how it is taken over from another preset.
pub(super) struct Field {
    pub(super) name: &'static str,
    value: fn(&Preset) -> String,
    pub(super) copy: fn(&mut Preset, &Preset),
}

/// A field is the one of its name.
impl PartialEq for Field {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Field {
    pub(super) fn differs(&self, one: &Preset, other: &Preset) -> bool {
        (self.value)(one) != (self.value)(other)
    }

    pub(super) fn mend(&self, from: &Preset, to: &Preset) -> Mend {
        Mend { field: self.name.to_owned(), from: (self.value)(from), to: (self.value)(to) }
    }
}

/// Says each field once.
macro_rules! fields {
    ($($file:ident.$field:ident = $name:literal: $value:expr;)+) => {
        &[$(Field {
            name: $name,
            value: |preset| $value(&preset.$file.$field),
            copy: |to, from| to.$file.$field.clone_from(&from.$file.$field),
        }),+]
    };
}

/// The order is that of the search: what is first goes back first, where either of two would do.
pub(super) const FIELDS: &[Field] = fields! {
    instruct.wrap = "instruct.wrap": bool::to_string;
    instruct.macros = "instruct.macro": bool::to_string;
    instruct.skip_examples = "instruct.skip_examples": bool::to_string;
    instruct.system_same_as_user = "instruct.system_same_as_user": bool::to_string;
    instruct.sequences_as_stop_strings = "instruct.sequences_as_stop_strings": bool::to_string;
    instruct.names_behavior = "instruct.names_behavior": named;
    context.names_as_stop_strings = "context.names_as_stop_strings": bool::to_string;
    context.use_stop_strings = "context.use_stop_strings": bool::to_string;
    context.story_string_position = "context.story_string_position": named;
    context.chat_start = "context.chat_start": String::clone;
    instruct.story_string_prefix = "instruct.story_string_prefix": String::clone;
    instruct.story_string_suffix = "instruct.story_string_suffix": String::clone;
    instruct.system_sequence = "instruct.system_sequence": String::clone;
    instruct.system_suffix = "instruct.system_suffix": String::clone;
    instruct.last_system_sequence = "instruct.last_system_sequence": String::clone;
    instruct.last_input_sequence = "instruct.last_input_sequence": String::clone;
    instruct.output_sequence = "instruct.output_sequence": String::clone;
    instruct.last_output_sequence = "instruct.last_output_sequence": String::clone;
    instruct.first_input_sequence = "instruct.first_input_sequence": String::clone;
    instruct.first_output_sequence = "instruct.first_output_sequence": String::clone;
    instruct.input_sequence = "instruct.input_sequence": String::clone;
    instruct.user_alignment_message = "instruct.user_alignment_message": String::clone;
    context.example_separator = "context.example_separator": String::clone;
    instruct.stop_sequence = "instruct.stop_sequence": String::clone;
    instruct.output_suffix = "instruct.output_suffix": String::clone;
    instruct.input_suffix = "instruct.input_suffix": String::clone;
    context.story_string = "context.story_string": String::clone;
};

/// How a file names the value.
fn named(value: &impl serde::Serialize) -> String {
    serde_json::to_value(value).map(|value| value.as_str().map_or(value.to_string(), str::to_owned)).unwrap_or_default()
}
