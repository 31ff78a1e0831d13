//! Example dialogue: a card's `<START>` blocks into messages with the preset's sequences.

use super::compiled::with_name;
use super::fields::{Instruct, NamesBehavior};
use super::macros::Macros;
use super::tracked_text::{TrackedText, Trust, is_space};

const START: &str = "<START>";

/// The blocks of a card's examples, each without the white space around it.
pub(super) fn blocks(examples: &str) -> Vec<&str> {
    if examples.is_empty() || examples == START {
        return Vec::new();
    }
    let mut blocks = Vec::new();
    // Without the marker at its very beginning, what stands before the first marker is a block.
    let mut start = 0;
    for (at, _) in examples.match_indices('<') {
        let end = at + START.len();
        if !examples.get(at..end).is_some_and(|found| found.eq_ignore_ascii_case(START)) {
            continue;
        }
        if at > 0 || !examples.starts_with(START) {
            blocks.push(examples.get(start..at).unwrap_or_default());
        }
        start = end;
    }
    blocks.push(examples.get(start..).unwrap_or_default());
    blocks.into_iter().map(|block| block.trim_matches(is_space)).collect()
}

/// The examples as they stand in the prompt.
pub(super) fn format(blocks: &[&str], macros: &mut Macros<'_>) -> TrackedText {
    let separator = &macros.context.example_separator;
    let mut heading = TrackedText::default();
    if !separator.is_empty() {
        heading = macros.expand_preset(separator);
        heading.push("\n", Trust::Preset);
    }
    let instruct = macros.instruct;
    let mut formatted = TrackedText::default();
    if instruct.enabled && !instruct.skip_examples {
        let frames = Frames::new(instruct, macros);
        let mut any = false;
        for block in blocks {
            let messages = messages(block, macros);
            if messages.is_empty() {
                continue;
            }
            any = true;
            formatted.append(&heading);
            for message in &messages {
                frames.write(message, instruct, macros, &mut formatted);
            }
        }
        if any {
            return formatted;
        }
    }
    for block in blocks {
        formatted.append(&heading);
        formatted.push(block, Trust::Nobody);
        formatted.push("\n", Trust::Nobody);
    }
    formatted
}

/// One message of an example.
struct Example {
    is_user: bool,
    /// Who of a group speaks.
    name: String,
    text: String,
}

/// The messages of a block: one begins where a line does with the name of somebody else.
fn messages(block: &str, macros: &Macros<'_>) -> Vec<Example> {
    let scene = macros.scene;
    let (user, char) = (format!("{}:", scene.user), format!("{}:", scene.char));
    let group: Vec<String> = scene.group.iter().map(|name| format!("{name}:")).collect();
    let mut messages = Vec::new();
    let mut lines = String::new();
    let mut speaking = None;
    let mut member = scene.char.as_str();
    let mut finish = |lines: &mut String, is_user: bool, member: &str| {
        let name = if is_user { scene.user.as_str() } else { member };
        let text = lines.strip_suffix('\n').unwrap_or(lines).replacen(&format!("{name}:"), "", 1);
        messages.push(Example { is_user, name: name.to_owned(), text: text.trim_matches(is_space).to_owned() });
        lines.clear();
    };
    let block = block.replace('\r', "");
    for line in block.split('\n') {
        if line.starts_with(&user) {
            if speaking == Some(false) {
                finish(&mut lines, false, member);
            }
            speaking = Some(true);
        } else if line.starts_with(&char) || group.iter().any(|name| line.starts_with(name)) {
            if !line.starts_with(&char) {
                member = line.split(':').next().unwrap_or_default();
            }
            if speaking == Some(true) {
                finish(&mut lines, true, member);
            }
            speaking = Some(false);
        }
        lines.push_str(line);
        lines.push('\n');
    }
    if let Some(is_user) = speaking {
        finish(&mut lines, is_user, member);
    }
    messages
}

/// What stands around the messages of examples.
struct Frames {
    input: (TrackedText, TrackedText),
    output: (TrackedText, TrackedText),
}

impl Frames {
    fn new(instruct: &Instruct, macros: &mut Macros<'_>) -> Self {
        let (user, char) = (&macros.scene.user, &macros.scene.char);
        let mut ready = |text: &str, name: &str| match instruct.macros {
            true => with_name(&macros.expand_preset(text), name),
            false => TrackedText::of_preset(text),
        };
        // Macros can count, so the order is SillyTavern's.
        let (input, output) = (ready(&instruct.input_sequence, user), ready(&instruct.output_sequence, char));
        let suffixes = [ready(&instruct.input_suffix, user), ready(&instruct.output_suffix, char)];
        let newline = if instruct.wrap && instruct.macros { "\n" } else { "" };
        let [after_input, after_output] =
            suffixes.map(|suffix| if suffix.is_empty() { TrackedText::of_preset(newline) } else { suffix });
        Frames { input: (input, after_input), output: (output, after_output) }
    }

    fn write(&self, message: &Example, instruct: &Instruct, macros: &Macros<'_>, out: &mut TrackedText) {
        let scene = macros.scene;
        let is_group = !scene.group.is_empty() && instruct.names_behavior != NamesBehavior::None;
        let (prefix, suffix) = if message.is_user { &self.input } else { &self.output };
        let name = match (is_group, instruct.names_behavior) {
            (true, _) => Some(message.name.as_str()),
            (false, NamesBehavior::Force) if message.is_user => Some(scene.user.as_str()),
            (false, NamesBehavior::Always) if message.is_user => Some(scene.user.as_str()),
            (false, NamesBehavior::Always) => Some(scene.char.as_str()),
            (false, _) => None,
        };
        out.append(prefix);
        let is_blank = name.is_none() && message.text.is_empty() && suffix.is_empty();
        if instruct.wrap && !prefix.is_empty() && !is_blank {
            out.push("\n", Trust::Preset);
        }
        if let Some(name) = name {
            out.push(name, Trust::Nobody);
            out.push(": ", Trust::Nobody);
        }
        out.push(&message.text, Trust::Nobody);
        out.append(suffix);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_begin_at_their_markers() {
        assert_eq!(blocks("<START>\na\n<start> b "), ["a", "b"]);
        assert_eq!(blocks("a"), ["a"]);
        assert_eq!(blocks("<start>\na"), ["", "a"], "only capitals begin the first block");
        assert_eq!(blocks("x<START>y"), ["x", "y"]);
        assert!(blocks("<START>").is_empty() && blocks("").is_empty());
    }
}
