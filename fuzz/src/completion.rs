//! Outputs and prompts from anywhere: every cut says the same, and a mended prompt is what is rendered.

use mistral_chat_template::completion::{CallDeltas, Leniency, Liberty, LibertyKind, NewCallIds};
use mistral_chat_template::explain::Explanation;
use mistral_chat_template::version::Feature;
use mistral_chat_template::{Chat, Completion, CompletionReader, Format, Mode, Version};

use super::source::Source;

pub fn run(data: &[u8]) {
    let (head, rest) = data.split_at(data.len().min(2));
    let Ok(text) = std::str::from_utf8(rest) else { return };
    let (mut head, _) = Source::with_head(head);
    let layout = head.pick(Version::ALL).layout().with(Feature::Image).with(Feature::Think);
    let longest = head.below(32) + 1;

    let reader = || CompletionReader::new(&layout);
    let strict = reader().read(text);
    same(&strict, &read_in_pieces(text, longest, reader()));
    let request = r#"{"messages": [], "tools": [{"type": "function", "function": {"name": "f"}}]}"#;
    let tools = Chat::from_json(request).expect("a chat").tools;
    let lenient_reader = || {
        let reader = reader().with_leniency(Leniency::Lenient).with_tools(&tools);
        reader.with_calls(CallDeltas::Whole(NewCallIds::seeded(1)))
    };
    let lenient = lenient_reader().read(text);
    same(&lenient, &read_in_pieces(text, longest, lenient_reader()));
    if strict.error.is_none() && lenient.liberties.is_empty() {
        assert_eq!(strict.message.content, lenient.message.content);
        assert_eq!(strict.message.tool_calls.len(), lenient.message.tool_calls.len());
        assert_eq!(strict.rest, lenient.rest);
    }
    // A call whose name no function has, such as `{"a": 1`, looks like a list of calls to a lenient reader, and what follows a
    // brace in an id like arguments.
    let is_name_byte = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.');
    let is_name = |text: &str| !text.is_empty() && text.bytes().all(is_name_byte);
    let mut calls = strict.message.tool_calls.iter();
    let has_names = calls.all(|call| is_name(&call.name) && call.id.as_deref().is_none_or(is_name));
    if strict.error.is_none() && has_names {
        let (kept, all) = (strict.message.tool_calls.len(), lenient.message.tool_calls.len());
        let added = |liberty: &Liberty| matches!(liberty.kind, LibertyKind::BareCall | LibertyKind::FurtherList);
        let is_told = lenient.liberties.iter().any(added);
        // A bare call that is cut off may hold what spells another; that is an error.
        assert!(kept == all || (is_told && (kept < all || lenient.error.is_some())));
    }
    let mut reader = lenient_reader();
    let mut spoken = Completion::default();
    spoken.extend(reader.push_text(text));
    spoken.finish(reader.finish());
    if !text.contains('f') && !text.contains("\\u") && !text.contains("<think>") {
        assert!(spoken.message.tool_calls.is_empty() && spoken.rest.is_empty() && spoken.error.is_none());
        assert_eq!(spoken.message.content, text.into(), "text that names no tool is said");
    }

    let explanation = Explanation::new(text, &layout);
    assert!(explanation.deviations.iter().all(|deviation| text.get(deviation.range.clone()).is_some()));
    if explanation.deviations.iter().all(|deviation| deviation.mend.is_some()) {
        let rendered = layout.in_mode(Mode::Agnostic).render(&explanation.chat).expect("what is mended is taken");
        assert_eq!(rendered.as_str(), explanation.mended());
    }
}

fn same(whole: &Completion, cut: &Completion) {
    assert_eq!(whole.message, cut.message);
    assert_eq!(whole.rest, cut.rest);
    assert_eq!(whole.stray, cut.stray);
    assert_eq!(whole.liberties, cut.liberties);
    assert_eq!(whole.error.as_ref().map(ToString::to_string), cut.error.as_ref().map(ToString::to_string));
}

fn read_in_pieces(text: &str, longest: usize, mut reader: CompletionReader) -> Completion {
    let mut completion = Completion::default();
    let mut rest = text;
    while !rest.is_empty() {
        let cut = rest.char_indices().map(|(at, _)| at).nth(longest).unwrap_or(rest.len());
        let (piece, tail) = rest.split_at(cut);
        completion.extend(reader.push(piece));
        rest = tail;
    }
    completion.finish(reader.finish());
    completion
}
