//! Story strings, cards and macros: the first line is the story string, the second a sequence, the rest a card.
#![no_main]

use libfuzzer_sys::fuzz_target;
use mistral_chat_template::{Chat, ContextPreset, Format, InstructPreset, Message, Preset, Scene};

fuzz_target!(|text: &str| {
    let mut lines = text.splitn(3, '\n');
    let mut next = || lines.next().unwrap_or_default().to_owned();
    let context = ContextPreset { story_string: next(), ..ContextPreset::default() };
    let instruct = InstructPreset { input_sequence: next(), ..InstructPreset::default() };
    let card = next();
    let scene = Scene { description: card.clone(), examples: card.clone(), ..Scene::default() };
    let preset = Preset { context, instruct, ..Preset::default() };
    if let Ok(format) = preset.with_scene(&scene) {
        let prompt = format.render(&Chat::new([Message::assistant(card), Message::user("Hello")]));
        if let Ok(prompt) = prompt {
            assert_eq!(prompt.plain(), prompt.as_str());
        }
    }
});
