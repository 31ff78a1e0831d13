//! Stop strings: those of names, of the instruct preset, of the context preset, and the caller's.

use super::compiled::with_name;
use super::fields::{Context, Instruct};
use super::macros::Macros;
use super::scene::Generation;
use super::tracked_text::TrackedText;
use super::tracked_text::is_space;

/// The stop strings of a scene. The first part, which names are, is apart: what is asked for can add to it.
pub(super) struct StopStrings {
    pub(super) line: bool,
    pub(super) names: bool,
    pub(super) group: Vec<String>,
    pub(super) rest: Vec<String>,
}

impl StopStrings {
    pub(super) fn new(macros: &mut Macros<'_>) -> Self {
        let (context, scene) = (macros.context, macros.scene);
        let mut rest = Vec::new();
        sequences(macros.instruct, macros, &mut rest);
        separators(context, macros, &mut rest);
        for stop in &scene.settings.stop_strings {
            rest.push(if scene.settings.stop_string_macros { macros.expand_text(stop) } else { stop.clone() });
        }
        let group = scene.group.iter().filter(|name| !name.is_empty() && **name != scene.char).cloned().collect();
        StopStrings { line: context.single_line, names: context.names_as_stop_strings, group, rest }
    }

    /// All of them, each once.
    pub(super) fn list(&self, user: &str, char: &str, generation: &Generation, continues_user: bool) -> Vec<String> {
        let mut all = Vec::new();
        if self.line {
            all.push("\n".to_owned());
        }
        if self.names {
            let (user, char) = (format!("\n{user}:"), format!("\n{char}:"));
            if *generation == Generation::Impersonate {
                all.push(char.clone());
            }
            all.push(user);
            if continues_user {
                all.push(char);
            }
            all.extend(self.group.iter().map(|name| format!("\n{name}:")));
        }
        all.extend(self.rest.iter().cloned());
        let mut seen = std::collections::HashSet::new();
        all.retain(|stop| !stop.is_empty() && seen.insert(stop.clone()));
        all
    }
}

fn sequences(instruct: &Instruct, macros: &mut Macros<'_>, stops: &mut Vec<String>) {
    if !instruct.enabled {
        return;
    }
    let scene = macros.scene;
    let named = |sequence: &str, name: &str| with_name(&TrackedText::of_preset(sequence), name).into_string();
    let mut all = instruct.stop_sequence.clone();
    if instruct.sequences_as_stop_strings {
        for (sequence, name) in [
            (&instruct.input_sequence, scene.user.as_str()),
            (&instruct.output_sequence, &scene.char),
            (&instruct.first_output_sequence, &scene.char),
            (&instruct.last_output_sequence, &scene.char),
            (&instruct.system_sequence, "System"),
            (&instruct.last_system_sequence, "System"),
        ] {
            all.push('\n');
            all.push_str(&named(sequence, name));
        }
    }
    let mut seen = std::collections::HashSet::new();
    for line in all.split('\n').filter(|line| seen.insert(*line)) {
        if line.trim_matches(is_space).is_empty() {
            continue;
        }
        let stop = format!("{}{line}", if instruct.wrap { "\n" } else { "" });
        stops.push(if instruct.macros { macros.expand_text(&stop) } else { stop });
    }
}

fn separators(context: &Context, macros: &mut Macros<'_>, stops: &mut Vec<String>) {
    if !context.use_stop_strings {
        return;
    }
    for separator in [&context.chat_start, &context.example_separator] {
        if !separator.is_empty() {
            stops.push(format!("\n{}", macros.expand_text(separator)));
        }
    }
}
