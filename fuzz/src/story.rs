//! Story strings, cards and macros: the first line is the story string, the second a sequence, the rest a card.

use mistral_chat_template::preset::{Context, Instruct, Scene};
use mistral_chat_template::{Chat, Format, Message, Preset};

use super::support::assert_is_whole;

pub fn run(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let mut lines = text.splitn(3, '\n');
    let mut next = || lines.next().unwrap_or_default().to_owned();
    let context = Context { story_string: next(), ..Context::default() };
    let instruct = Instruct { input_sequence: next(), ..Instruct::default() };
    let card = next();
    let scene = Scene { description: card.clone(), examples: card.clone(), ..Scene::default() };
    let preset = Preset { context, instruct, ..Preset::default() };
    let Ok(format) = preset.with_scene(&scene) else { return };
    let chat = Chat::new([Message::assistant(card), Message::user("Hello")]);
    if let Ok(prompt) = format.render(&chat) {
        assert_is_whole(&prompt, &chat);
        assert_eq!(prompt.plain(), prompt.as_str());
        assert_eq!(format.render(&chat).expect("what is rendered once is rendered again"), prompt);
    }
}
