//! Any request in any dialect: reading, mending and repairing never panic, and change nothing without saying so.

use mistral_chat_template::repair::RepairPolicy;
use mistral_chat_template::{Chat, Dialect, Format, Layout, Request};

const LAYOUTS: [Layout; 5] = [Layout::V3, Layout::V7_TEKKEN, Layout::V11, Layout::V13, Layout::V15];

pub fn run(data: &[u8]) {
    let [dialect, layout, json @ ..] = data else { return };
    let Ok(json) = std::str::from_utf8(json) else { return };
    let dialect = Dialect::ALL[usize::from(*dialect) % Dialect::ALL.len()];
    let layout = LAYOUTS[usize::from(*layout) % LAYOUTS.len()];
    let read = Request::read(json, dialect);
    match (&read, Chat::read(json, dialect)) {
        (Ok(request), Ok(chat)) => assert_eq!(request.chat, chat),
        (Err(one), Err(other)) => assert_eq!(one.to_string(), other.to_string()),
        (read, chat) => panic!("{read:?} is not {chat:?}"),
    }
    match (&read, Request::mend(json, dialect)) {
        (Ok(request), Ok(mended)) if mended.repairs.is_empty() => {
            assert_eq!(request.chat, mended.request.chat);
            assert_eq!(request.ignored, mended.request.ignored);
        }
        (Ok(_), Ok(_)) => {}
        (Ok(request), Err(error)) => panic!("{request:?} is refused when it is mended: {error}"),
        (Err(error), Ok(mended)) => assert!(!mended.repairs.is_empty(), "a change is told: {error}"),
        (Err(_), Err(_)) => {}
    }
    if let Ok(repaired) = Request::repair(json, dialect, &layout, &RepairPolicy::default()) {
        layout.render(&repaired.request.chat).expect("a repaired chat is taken");
    }
}
