//! Any source and any words: a template renders or is refused, and what is said never becomes a control token.
#![no_main]

use libfuzzer_sys::fuzz_target;
use mistral_chat_template::{Chat, ChatTemplate, Format, Message, Prompt, Segment};

fn controls(prompt: &Prompt) -> usize {
    prompt.segments().filter(|segment| matches!(segment, Segment::Control(_))).count()
}

fuzz_target!(|input: (&str, &str)| {
    let (source, said) = input;
    if let Ok(template) = ChatTemplate::new(source) {
        let chat = Chat::new([Message::user(said), Message::assistant(said), Message::user(said)]);
        if let Ok(prompt) = template.render(&chat) {
            assert_eq!(prompt.spans().last().map_or(0, |span| span.range.end), prompt.as_str().len());
        }
    }
    let frame = "{{ bos_token }}{% for m in messages %}[INST]{{ m.content }}[/INST]{% endfor %}";
    let template = ChatTemplate::new(frame).unwrap();
    let prompt = template.render(&Chat::new([Message::user(said)])).unwrap();
    assert_eq!(controls(&prompt), 3);
});
