//! The fields of a preset that shape a prompt, one by one.

use super::super::Preset;
use super::Mend;

/// A field: its name, its value as text, and how it is taken over from another preset.
pub(super) struct Field {
    pub(super) name: &'static str,
    /// What SillyTavern's page calls it.
    label: &'static str,
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
        Mend {
            field: self.name.to_owned(),
            label: self.label.to_owned(),
            from: (self.value)(from),
            to: (self.value)(to),
        }
    }
}

/// Says each field once.
macro_rules! fields {
    ($($file:ident.$field:ident = $name:literal, $label:literal: $value:expr;)+) => {
        &[$(Field {
            name: $name,
            label: $label,
            value: |preset| $value(&preset.$file.$field),
            copy: |to, from| to.$file.$field.clone_from(&from.$file.$field),
        }),+]
    };
}

/// The order is that of the search: what is first goes back first, where either of two would do.
pub(super) const FIELDS: &[Field] = fields! {
    instruct.wrap = "instruct.wrap", "Wrap Sequences with Newline": bool::to_string;
    instruct.macros = "instruct.macro", "Replace Macro in Sequences": bool::to_string;
    instruct.skip_examples = "instruct.skip_examples", "Skip Example Dialogues Formatting": bool::to_string;
    instruct.system_same_as_user = "instruct.system_same_as_user", "System same as User": bool::to_string;
    instruct.sequences_as_stop_strings = "instruct.sequences_as_stop_strings", "Sequences as Stop Strings": bool::to_string;
    instruct.names_behavior = "instruct.names_behavior", "Include Names": named;
    context.names_as_stop_strings = "context.names_as_stop_strings", "Names as Stop Strings": bool::to_string;
    context.use_stop_strings = "context.use_stop_strings", "Separators as Stop Strings": bool::to_string;
    context.story_string_position = "context.story_string_position", "Story String: Position": named;
    context.chat_start = "context.chat_start", "Chat Start": String::clone;
    instruct.story_string_prefix = "instruct.story_string_prefix", "Story String Prefix": String::clone;
    instruct.story_string_suffix = "instruct.story_string_suffix", "Story String Suffix": String::clone;
    instruct.system_sequence = "instruct.system_sequence", "System Message Prefix": String::clone;
    instruct.system_suffix = "instruct.system_suffix", "System Message Suffix": String::clone;
    instruct.last_system_sequence = "instruct.last_system_sequence", "System Instruction Prefix": String::clone;
    instruct.last_input_sequence = "instruct.last_input_sequence", "Last User Prefix": String::clone;
    instruct.output_sequence = "instruct.output_sequence", "Assistant Message Prefix": String::clone;
    instruct.last_output_sequence = "instruct.last_output_sequence", "Last Assistant Prefix": String::clone;
    instruct.first_input_sequence = "instruct.first_input_sequence", "First User Prefix": String::clone;
    instruct.first_output_sequence = "instruct.first_output_sequence", "First Assistant Prefix": String::clone;
    instruct.input_sequence = "instruct.input_sequence", "User Message Prefix": String::clone;
    instruct.user_alignment_message = "instruct.user_alignment_message", "User Filler Message": String::clone;
    context.example_separator = "context.example_separator", "Example Separator": String::clone;
    instruct.stop_sequence = "instruct.stop_sequence", "Stop Sequence": String::clone;
    instruct.output_suffix = "instruct.output_suffix", "Assistant Message Suffix": String::clone;
    instruct.input_suffix = "instruct.input_suffix", "User Message Suffix": String::clone;
    context.story_string = "context.story_string", "Story String": String::clone;
};

/// How a file names the value.
fn named(value: &impl serde::Serialize) -> String {
    serde_json::to_value(value).map(|value| value.as_str().map_or(value.to_string(), str::to_owned)).unwrap_or_default()
}
