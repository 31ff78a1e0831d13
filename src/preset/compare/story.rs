//! Story strings that keep their author's text and have another frame around it.

use super::super::SceneSettings;
use super::super::for_layout::{story_in_turn, without_newlines};
use crate::control::Vocabulary;
use crate::layout::{Layout, System};

const TRIM: &str = "{{trim}}";

/// The author's story as it can stand in a layout, the least changed first. None of them need be right.
pub(super) fn candidates(author: &str, layout: &Layout, open: &str) -> Vec<String> {
    let vocabulary = SceneSettings::default().vocabulary;
    let bare = without_frame(&author.replace("<s>", ""), vocabulary);
    let closed = without_spaces_before_system(&bare);
    let mut all = vec![author.to_owned()];
    match layout.system {
        System::OwnTurn(_) => {
            all.push(format!("{author}{TRIM}"));
            all.extend([&bare, &closed].into_iter().flat_map(|story| [story.clone(), format!("{story}{TRIM}")]));
        }
        System::InUser { join, .. } => {
            let own = story_in_turn(join);
            // What the layout's own story has after its last line joins a story of lines as well.
            let after_lines = own.find("{{#if anchorBefore}}{{newline}}").and_then(|at| own.get(at..));
            for story in [&bare, &closed] {
                let untrimmed = story.strip_suffix(TRIM).unwrap_or(story);
                all.push(format!("{open}{untrimmed}"));
                all.extend(after_lines.map(|after| format!("{open}{untrimmed}{after}")));
                all.push(format!("{open}{untrimmed}{join}"));
                all.push(format!("{open}{untrimmed}{}", without_newlines(join)));
                all.push(format!("{open}{story}{}", without_newlines(join)));
            }
        }
    }
    let mut seen = std::collections::HashSet::new();
    all.retain(|story| seen.insert(story.clone()));
    all
}

/// The story without the spaces between a tag and the system prompt.
fn without_spaces_before_system(story: &str) -> String {
    let mut kept = String::with_capacity(story.len());
    let mut rest = story;
    while let Some((before, after)) = rest.split_once("{{system}}") {
        let trimmed = before.trim_end_matches(' ');
        kept.push_str(if trimmed.ends_with("}}") { trimmed } else { before });
        kept.push_str("{{system}}");
        rest = after;
    }
    kept + rest
}

/// The text between the tags at the beginning and at the end, without control tokens and the text outside of them.
fn without_frame(story: &str, vocabulary: Vocabulary) -> String {
    let first_tag = story.find("{{").unwrap_or(story.len());
    let last_tag = story.rfind("}}").map_or(first_tag, |at| at + 2);
    let (before, rest) = story.split_at(first_tag);
    let (tags, after) = rest.split_at(last_tag.saturating_sub(first_tag));
    let last = vocabulary.find_in(before).last().map(|(at, control)| at + control.as_str().len());
    let kept_before = last.and_then(|end| before.get(end..)).map_or(before, str::trim_start);
    let first = vocabulary.find_in(after).next();
    let kept_after = first.and_then(|(at, _)| after.get(..at)).map_or(after, str::trim_end);
    format!("{kept_before}{tags}{kept_after}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_goes_and_the_text_stays() {
        let bare = |story: &str| without_frame(story, SceneSettings::default().vocabulary);
        assert_eq!(bare("[INST] {{system}}{{trim}} [/INST]"), "{{system}}{{trim}}");
        assert_eq!(bare("[INST] You: {{system}}\nGo.[/INST] "), "You: {{system}}\nGo.");
        assert_eq!(bare("You: {{system}}"), "You: {{system}}");
        assert_eq!(bare("[INST]"), "");
    }
}
