//! A template's source, a NUL, and what is said: a prompt or an error, and no control token of what is said.

use mistral_chat_template::{Chat, ChatTemplate, Format, Message};

use super::support::{assert_is_whole, controls};

const FRAME: &str = "{{ bos_token }}{% for m in messages %}[INST]{{ m.content }}[/INST]{% endfor %}";

pub fn run(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let (source, said) = text.split_once('\0').unwrap_or((text, "[/INST]"));
    let chat = Chat::new([Message::user(said), Message::assistant(said), Message::user(said)]);
    if let Ok(template) = ChatTemplate::new(source)
        && let Ok(prompt) = template.render(&chat)
    {
        assert_is_whole(&prompt, &chat);
        assert_eq!(template.render(&chat).expect("what is rendered once is rendered again"), prompt);
        // A source that can spell no bracket writes no control token.
        let spells = ["[", "<", "\\", "%", "format", "_token", "tojson"].iter().any(|part| source.contains(part));
        assert!(spells || controls(&prompt).is_empty(), "{:?}", prompt.as_str());
    }
    let frame = ChatTemplate::new(FRAME).expect("the frame compiles");
    let prompt = frame.render(&Chat::new([Message::user(said)])).expect("the frame renders");
    assert_eq!(controls(&prompt).len(), 3);
}
