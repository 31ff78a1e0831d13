//! Any conversation, in a window and with replies that were sampled: the rest of a request, all of it and its chat come to
//! the same, and an update says what became of the ids.
//!
//! The input is a chat that is sent with one message more in each turn, or bodies that are set apart by zero bytes.

use std::iter::repeat_n;

use mistral_chat_template::conversation::{Update, Window};
use mistral_chat_template::repair::RepairPolicy;
use mistral_chat_template::{AssistantMessage, Chat, Conversation, Dialect, Format, Layout, Message, Mode, Request};

use super::source::Source;
use super::support::Bytes;

type Known = Conversation<'static, Bytes>;

/// Its last request may have been remembered.
struct Server {
    layout: Layout,
    /// Read the rest, the whole request, and its chat.
    known: [Known; 3],
    has_said: bool,
}

pub fn run(data: &[u8]) {
    let (mut head, rest) = Source::with_head(data);
    let layout = head.layout();
    let mode = if head.one_in(2) { Mode::Serving } else { Mode::Agnostic };
    let (layout, window) = (layout.in_mode(mode), window(&mut head));
    let bodies = bodies(rest);
    let Some((first, more)) = bodies.split_first() else { return };
    let Some(mut server) = Server::begin(first, layout, window) else { return };
    for body in more {
        let (count, keeps) = (head.below(40), !head.one_in(4));
        server.say(count, keeps.then_some(body));
        server.take(body);
    }
}

fn window(head: &mut Source<'_>) -> Option<Window> {
    let (budget, low_water) = (head.below(256) * 2, head.below(256));
    (budget > 0).then(|| Window::new(budget).with_low_water(low_water))
}

fn bodies(rest: Source<'_>) -> Vec<String> {
    if let Some(bodies) = rest.texts() {
        return bodies.into_iter().map(str::to_owned).collect();
    }
    let Some(chat) = rest.chat() else { return Vec::new() };
    let first = |n: usize| Chat { messages: chat.messages.iter().take(n).cloned().collect(), ..chat.clone() };
    let turns = 1..=chat.messages.len();
    turns.map(|n| serde_json::to_string(&first(n)).expect("a chat is written")).collect()
}

fn read(body: &str, layout: &Layout) -> Option<Chat<'static>> {
    let mended = Request::repair(body, Dialect::Either, layout, &RepairPolicy::default()).ok()?;
    Some(mended.request.chat.into_owned())
}

impl Server {
    fn begin(body: &str, layout: Layout, window: Option<Window>) -> Option<Self> {
        let mended = Request::repair(body, Dialect::Either, &layout, &RepairPolicy::default()).ok()?;
        let chat = mended.request.chat.clone().into_owned();
        let whole = layout.render(&chat).expect("a repaired chat is taken");
        let mut known = Conversation::new(chat, &layout, Bytes).expect("what is rendered is a conversation");
        let ids = whole.encode_for(known.chat(), &Bytes).expect("every segment has an id");
        assert_eq!(known.ids(), ids);
        if let Some(window) = window {
            known = known.with_window(window).ok()?;
        }
        known.remember(body, &mended);
        Some(Server { layout, known: [known.clone(), known.clone(), known], has_said: false })
    }

    /// Says the reply that the client has in its next request, or another.
    fn say(&mut self, count: usize, next: Option<&String>) {
        let known = self.known[0].chat().messages.len() + self.known[0].dropped().len();
        let chat = next.and_then(|body| read(body, &self.layout));
        let reply = match chat.as_ref().and_then(|chat| chat.messages.get(known)) {
            Some(Message::Assistant(reply)) => AssistantMessage { prefix: false, ..reply.clone() },
            _ if next.is_some() => return,
            _ => AssistantMessage { content: "?".into(), ..AssistantMessage::default() },
        };
        let sampled: Vec<u32> = repeat_n(5000, count).collect();
        self.has_said = true;
        self.known.iter_mut().for_each(|known| known.reply(reply.clone(), &sampled));
    }

    fn take(&mut self, body: &str) {
        let layout = self.layout;
        let [by_rest, by_all, by_chat] = &mut self.known;
        let before = by_all.ids().to_vec();
        let updated = update_with_all(by_all, body, &layout);
        match update_with_rest(by_rest, body) {
            Some(rest) => assert_eq!(Some(&rest), updated.as_ref()),
            None => assert_eq!(update_with_all(by_rest, body, &layout).is_some(), updated.is_some()),
        }
        if let Some(chat) = read(body, &layout) {
            assert_eq!(by_chat.update(chat).ok(), updated);
        }
        if let Some(updated) = updated {
            assert_says_what_became(&updated, &before, by_all, self.has_said);
        }
        for other in [&*by_rest, &*by_chat] {
            assert_eq!(other.ids(), by_all.ids());
            assert_eq!(other.sampled(), by_all.sampled());
            assert_eq!(other.sample(), by_all.sample());
            assert_eq!(other.dropped(), by_all.dropped());
            assert!(other.segments().eq(by_all.segments()));
        }
        assert_eq!(by_rest.chat(), by_all.chat());
    }
}

fn update_with_rest(known: &mut Known, body: &str) -> Option<Update> {
    let rest = known.rest(body)?;
    let mended = Request::mend(rest.as_str(), Dialect::Either).ok()?;
    known.update_rest(&rest, &mended)
}

fn update_with_all(known: &mut Known, body: &str, layout: &Layout) -> Option<Update> {
    let mended = Request::repair(body, Dialect::Either, layout, &RepairPolicy::default()).ok()?;
    let update = known.update_from(&mended.request.chat).ok()?;
    known.remember(body, &mended);
    Some(update)
}

/// What an update says of the ids is so, and without what was sampled they are those of the chat.
fn assert_says_what_became(update: &Update, before: &[u32], known: &Known, has_said: bool) {
    let now = known.ids();
    assert_eq!(before[..update.kept], now[..update.kept]);
    assert_eq!(update.new_ids, update.kept..now.len());
    for moved in &update.moves {
        assert_eq!(before[moved.from.clone()], now[moved.to.clone()], "{update:?}");
    }
    let end = known.segments().last().map_or(0, |last| last.ids.end);
    assert!(end == now.len() || has_said, "segments tile the ids");
    if !has_said {
        let prompt = known.layout().render(known.chat()).expect("a conversation's chat is taken");
        assert_eq!(known.prompt(), &prompt);
        assert_eq!(now, prompt.encode_for(known.chat(), &Bytes).expect("every segment has an id"));
    }
}
