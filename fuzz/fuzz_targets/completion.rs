//! Outputs and prompts from anywhere: nothing panics, every cut says the same, and a mended prompt is what is rendered.
#![no_main]

use libfuzzer_sys::fuzz_target;
use mistral_chat_template::{Completion, CompletionReader, Explanation, Feature, Format, Layout, Mode, Version};

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
    completion.end(reader.finish());
    completion
}

fuzz_target!(|input: (u8, u8, &str)| {
    let (version, longest, text) = input;
    let version = Version::ALL[usize::from(version) % Version::ALL.len()];
    let layout = version.layout().with(Feature::Image).with(Feature::Think);

    let whole = Completion::from_text(text, &layout);
    let cut = read_in_pieces(text, usize::from(longest % 32) + 1, &layout);
    assert_eq!(whole.message, cut.message);
    assert_eq!(whole.skipped, cut.skipped);
    assert_eq!(whole.error.map(|error| error.to_string()), cut.error.map(|error| error.to_string()));

    let explanation = Explanation::new(text, &layout);
    assert!(explanation.deviations.iter().all(|deviation| text.get(deviation.range.clone()).is_some()));
    if explanation.deviations.iter().all(|deviation| deviation.mend.is_some()) {
        let rendered = layout.in_mode(Mode::Agnostic).render(&explanation.chat).unwrap();
        assert_eq!(rendered.as_str(), explanation.mended());
    }
});
