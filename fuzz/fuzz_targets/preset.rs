//! Preset files: whatever a file holds, it loads or is refused, and what loads is written and read again as it is.
#![no_main]

use libfuzzer_sys::fuzz_target;
use mistral_chat_template::{Chat, Format, Message, Preset, Scene};

fuzz_target!(|json: &str| {
    let mut preset = Preset::default();
    if preset.load(json).is_err() {
        return;
    }
    let mut same = Preset::default();
    same.load(&preset.to_json()).expect("what was written is read");
    assert_eq!(same, preset);
    if let Ok(format) = preset.with_scene(&Scene::default()) {
        let chat = Chat::new([Message::assistant("Hi"), Message::system("A door opens."), Message::user("Hello")]);
        format.render(&chat).expect("a chat of text renders");
    }
});
