//! Any chat repaired, fitted and truncated: what comes out is taken, is within the budget, and stays as it is.

use std::borrow::Cow;

use mistral_chat_template::layout::Truncation;
use mistral_chat_template::render::CheckedChat;
use mistral_chat_template::repair::{
    EmptyReplies, ForeignMedia, ForeignThinking, LastReply, LateSystem, OpenCalls, RepairPolicy, StrayResults,
    TextBesideCalls,
};
use mistral_chat_template::{Chat, Format, Layout, Prompt, Segment};

use super::source::Source;

pub fn run(data: &[u8]) {
    let (mut head, rest) = Source::with_head(data);
    let layout = head.layout();
    let policy = policy(&mut head);
    let budget = head.below(256) * 2;
    let Some(chat) = rest.chat() else { return };
    let is_taken = layout.render(&chat).is_ok();
    match chat.repair(&layout, &policy) {
        Ok(repaired) if is_taken => {
            assert!(matches!(repaired.chat, Cow::Borrowed(same) if std::ptr::eq(same, &chat)));
            assert!(repaired.repairs.is_empty());
        }
        Ok(repaired) => {
            assert!(!repaired.repairs.is_empty(), "a change is told");
            layout.render(&repaired.chat).expect("a repaired chat is taken");
            let again = repaired.chat.repair(&layout, &policy).expect("a repaired chat is taken");
            assert!(again.repairs.is_empty());
            assert_eq!(again.chat, repaired.chat);
            assert_fits(&repaired.chat, &layout, budget);
        }
        Err(error) => {
            assert!(!is_taken, "{error}");
            assert_eq!(error.layout(), Some(layout.name));
        }
    }
    assert_fits(&chat, &layout, budget);
}

fn policy(source: &mut Source<'_>) -> RepairPolicy {
    let (one, other) = (source.byte(), source.byte());
    let bit = |bits: u8, bit: u8| bits & (1 << bit) != 0;
    let mut policy = RepairPolicy::default();
    if bit(one, 0) {
        policy.open_calls = OpenCalls::Answer(if bit(one, 1) { "" } else { "cancelled" });
    }
    if bit(one, 2) {
        policy.stray_results = StrayResults::AsUser;
    }
    if bit(one, 3) {
        policy.text_beside_calls = TextBesideCalls::DropCalls;
    }
    if bit(one, 4) {
        policy.thinking = ForeignThinking::AsText;
    }
    if bit(one, 5) {
        policy.media = ForeignMedia::AsText(if bit(one, 6) { "" } else { "[image]" });
    }
    if bit(other, 0) {
        policy.empty_replies = EmptyReplies::Space;
    }
    if bit(other, 1) {
        policy.late_system = LateSystem::First;
    }
    if bit(other, 2) {
        policy.last_reply = LastReply::Drop;
    }
    policy
}

fn count(segment: Segment<'_>) -> usize {
    match segment {
        Segment::Text(text) => text.len(),
        Segment::Control(_) | Segment::Media(_) => 1,
    }
}

fn assert_fits(chat: &Chat<'_>, layout: &Layout, budget: usize) {
    let Ok(prompt) = layout.render(chat) else {
        assert!(chat.fit(layout, budget, count).is_err());
        return;
    };
    let whole: usize = prompt.segments().map(count).sum();
    match chat.fit(layout, budget, count) {
        Ok(fitted) => {
            assert!(fitted.count <= budget);
            let prompt = layout.render(&fitted.chat).expect("what fits is taken");
            assert_eq!(prompt.segments().map(count).sum::<usize>(), fitted.count, "the count is the prompt's");
            assert_eq!(fitted.dropped.len() + fitted.chat.messages.len(), chat.messages.len());
            assert!(fitted.dropped.windows(2).all(|pair| pair[0] < pair[1]));
            assert_eq!(fitted.dropped.is_empty(), whole <= budget || fitted.chat.messages.len() == chat.messages.len());
            let kept = (0..chat.messages.len()).filter(|index| !fitted.dropped.contains(index));
            assert!(kept.map(|index| &chat.messages[index]).eq(&fitted.chat.messages));
        }
        Err(error) => {
            assert!(whole > budget, "{error}");
            assert_eq!(error.family().as_str(), "budget", "{error}");
        }
    }
    let conversation = CheckedChat::new(chat, layout).expect("what is rendered is taken");
    if let Ok(short) = conversation.truncate(budget, count) {
        let mut prompt = Prompt::new();
        short.render_into(&mut prompt);
        let is_short = prompt.segments().skip(1).map(count).sum::<usize>() <= budget;
        assert!(is_short || layout.rules.truncation == Truncation::Never);
    }
}
