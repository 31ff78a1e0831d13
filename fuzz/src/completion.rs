//! Outputs and prompts from anywhere: every cut says the same, and a mended prompt is what is rendered.

use mistral_chat_template::{Completion, CompletionReader, Explanation, Feature, Format, Layout, Mode, Version};

use super::source::Source;

pub fn run(data: &[u8]) {
    let (head, rest) = data.split_at(data.len().min(2));
    let Ok(text) = std::str::from_utf8(rest) else { return };
    let (mut head, _) = Source::with_head(head);
    let layout = head.pick(Version::ALL).layout().with(Feature::Image).with(Feature::Think);
    let longest = head.below(32) + 1;

    let whole = Completion::from_text(text, &layout);
    let cut = read_in_pieces(text, longest, &layout);
    assert_eq!(whole.message, cut.message);
    assert_eq!(whole.stray, cut.stray);
    assert_eq!(whole.error.map(|error| error.to_string()), cut.error.map(|error| error.to_string()));

    let explanation = Explanation::new(text, &layout);
    assert!(explanation.deviations.iter().all(|deviation| text.get(deviation.range.clone()).is_some()));
    if explanation.deviations.iter().all(|deviation| deviation.mend.is_some()) {
        let rendered = layout.in_mode(Mode::Agnostic).render(&explanation.chat).expect("what is mended is taken");
        assert_eq!(rendered.as_str(), explanation.mended());
    }
}

fn read_in_pieces(text: &str, longest: usize, layout: &Layout) -> Completion {
    let mut reader = CompletionReader::new(layout);
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
