//! What holds of every chat and every layout.

use mistral_chat_template::prompt::SpanKind;
use mistral_chat_template::render::CheckedChat;
use mistral_chat_template::{Chat, Dialect, Format, Layout, Mode, Prompt, Segment};
use proptest::prelude::*;

use crate::support::arbitrary;

proptest! {
    #![proptest_config(arbitrary::cases(500))]

    #[test]
    fn segments_joined_are_the_prompt_and_spans_tile_it(chat in arbitrary::chat()) {
        for layout in arbitrary::layouts() {
            let Ok(prompt) = layout.in_mode(Mode::Agnostic).render(&chat) else { continue };
            let (mut end, mut from_spans) = (0, String::new());
            for span in prompt.spans() {
                prop_assert_eq!(span.range.start, end);
                prop_assert!(span.range.end > span.range.start, "no span is empty");
                end = span.range.end;
                let text = &prompt.as_str()[span.range.clone()];
                if let SpanKind::Control(control) = span.kind {
                    prop_assert_eq!(text, control.as_str());
                }
                if let Some(message) = span.message {
                    prop_assert_eq!(Some(chat.messages[message].role()), span.role);
                }
                from_spans.push_str(text);
            }
            prop_assert_eq!(end, prompt.as_str().len());
            prop_assert_eq!(&from_spans, prompt.as_str());
            let printed: String = prompt.segments().map(|segment| match segment {
                Segment::Control(control) => control.as_str().to_owned(),
                Segment::Text(text) if layout.word_start == mistral_chat_template::layout::WordStart::Space => format!(" {text}"),
                Segment::Text(text) => text.to_owned(),
                Segment::Media(media) => format!("[{}]", if media.as_str() == "image" { "IMG" } else { "AUDIO" }),
            }).collect();
            prop_assert_eq!(&printed, prompt.as_str());
        }
    }

    #[test]
    fn a_used_prompt_renders_as_a_new_one(one in arbitrary::chat(), other in arbitrary::chat()) {
        for layout in arbitrary::layouts() {
            let mut prompt = Prompt::new();
            let first = layout.render_into(&one, &mut prompt);
            if first.is_err() {
                prop_assert_eq!(&prompt, &Prompt::new(), "nothing is left of a refused chat");
            }
            let again = layout.render_into(&other, &mut prompt);
            match layout.render(&other) {
                Ok(fresh) => prop_assert_eq!(&prompt, &fresh),
                Err(error) => prop_assert_eq!(error.to_string(), again.unwrap_err().to_string()),
            }
        }
    }

    #[test]
    fn reading_what_was_written_gives_the_same_chat(chat in arbitrary::chat()) {
        let json = serde_json::to_string(&chat).unwrap();
        prop_assert_eq!(&Chat::read(&json, Dialect::Mistral).unwrap(), &chat);
        prop_assert_eq!(&Chat::from_json(&json).unwrap(), &chat);
        prop_assert_eq!(&serde_json::from_str::<Chat>(&json).unwrap(), &chat);
    }

    #[test]
    fn truncation_keeps_the_last_question_and_the_budget(chat in arbitrary::chat(), budget in 0_usize..60) {
        let count = |segment: Segment<'_>| match segment {
            Segment::Text(text) => text.len(),
            Segment::Control(_) | Segment::Media(_) => 1,
        };
        for layout in [Layout::V7, Layout::V11, Layout::V15] {
            let Ok(conversation) = CheckedChat::new(&chat, &layout) else { continue };
            let mut prompt = Prompt::new();
            let Ok(short) = conversation.truncate(budget, count) else { continue };
            short.render_into(&mut prompt);
            let tokens: usize = prompt.segments().skip(1).map(count).sum();
            prop_assert!(tokens <= budget, "{tokens} tokens of {budget}: {prompt}");
        }
    }

    #[test]
    fn no_text_makes_reading_panic(text in ".{0,200}") {
        for dialect in [Dialect::Either, Dialect::Mistral, Dialect::OpenAi, Dialect::ShareGpt] {
            let _ = Chat::read(&text, dialect);
        }
    }

    #[test]
    fn no_broken_request_makes_reading_or_rendering_panic(
        chat in arbitrary::chat(),
        cuts in proptest::collection::vec((any::<prop::sample::Index>(), "[\\[\\]{}\",:0-9a-z\\\\]{0,3}"), 1..4),
    ) {
        let mut json: Vec<char> = serde_json::to_string(&chat).unwrap().chars().collect();
        for (at, replacement) in &cuts {
            let at = at.index(json.len());
            json.splice(at..=at, replacement.chars());
            if json.is_empty() {
                break;
            }
        }
        let json: String = json.into_iter().collect();
        if let Ok(chat) = Chat::from_json(&json) {
            for layout in arbitrary::layouts() {
                let _ = layout.render(&chat);
            }
        }
    }
}
