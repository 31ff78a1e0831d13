//! A window over a conversation that goes on: what it keeps, how rarely its cut moves, and what it counts.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use mistral_chat_template::conversation::Update;
use mistral_chat_template::conversation::{Fitted, Window};
use mistral_chat_template::{
    AssistantMessage, Chat, Control, Conversation, Error, Format, Layout, Message, Mode, Role, Segment, Tokenizer,
    ToolCall,
};
use proptest::prelude::*;

use crate::support::arbitrary;
use crate::support::bytes::Bytes;

fn count(segment: Segment<'_>) -> usize {
    match segment {
        Segment::Text(text) => text.len(),
        Segment::Control(_) | Segment::Media(_) => 1,
    }
}

/// Is what an update says of the ids true?
fn assert_says_what_became(update: &Update, before: &[u32], now: &[u32]) {
    assert_eq!(before[..update.kept], now[..update.kept]);
    assert_eq!(update.new_ids, update.kept..now.len());
    for moved in &update.moves {
        assert_eq!(before[moved.from.clone()], now[moved.to.clone()], "{update:?}");
    }
}

fn rendered(layout: &Layout, chat: &Chat<'_>) -> String {
    layout.render(chat).unwrap().as_str().to_owned()
}

fn first(chat: &Chat<'_>, n: usize) -> Chat<'static> {
    Chat { messages: chat.messages.iter().take(n).cloned().collect(), ..chat.clone() }.into_owned()
}

/// The exchange `n` of a long talk, of about the same length each.
fn exchange(n: usize) -> [Message<'static>; 2] {
    let question = format!("Question {n}: {}", "how high is the water in Brest, and when? ".repeat(2 + n * 7 % 3));
    let answer = format!("Answer {n}: {}", "it is high at noon. ".repeat(3 + n * 5 % 4));
    [Message::user(question), Message::assistant(answer)]
}

/// The share of the prompts that a prefix cache keeps from the turn before, in percent, and how often the cut moved, over
/// the turns from one on.
fn kept_by(
    layout: &Layout,
    turns: std::ops::Range<usize>,
    mut fit: impl for<'c> FnMut(&'c Chat<'_>) -> Result<Fitted<'c>, Error>,
) -> (f64, usize) {
    let mut chat = Chat::new([Message::system("You know the tides.")]);
    let (mut before, mut dropped) = (String::new(), Vec::new());
    let (mut kept, mut all, mut moved) = (0, 0, 0);
    for n in 0..turns.end {
        let [question, answer] = exchange(n);
        chat.messages.push(question);
        let fitted = fit(&chat).unwrap();
        let prompt = rendered(layout, &fitted.chat);
        if turns.contains(&n) {
            kept += before.bytes().zip(prompt.bytes()).take_while(|(one, other)| one == other).count();
            all += prompt.len();
            moved += usize::from(fitted.dropped != dropped);
        }
        (before, dropped) = (prompt, fitted.dropped);
        chat.messages.push(answer);
    }
    (100.0 * kept as f64 / all as f64, moved)
}

#[test]
fn a_low_water_mark_keeps_the_prefix_cache() {
    let (layout, budget, turns) = (Layout::V13, 10_000, 53..240);
    let (kept, moved) = kept_by(&layout, turns.clone(), |chat| chat.fit(&layout, budget, count));
    println!("Chat::fit: {kept:.1} % kept, the cut moved in {moved} of {} turns", turns.len());
    assert!(kept < 25.0 && moved > 140, "{kept} {moved}");
    for (share, least, most) in [(75, 89.0, 17), (50, 93.0, 10), (25, 94.0, 7)] {
        let mut window = Window::new(budget).with_low_water(budget * share / 100);
        let (kept, moved) = kept_by(&layout, turns.clone(), |chat| window.fit(chat, &layout, count));
        println!("Window, low-water mark at {share} %: {kept:.1} % kept, the cut moved in {moved}");
        assert!(kept >= least && moved <= most, "{share}: {kept} {moved}");
    }
}

#[test]
fn a_turn_counts_what_is_new() {
    for layout in [Layout::MAGNUM, Layout::V3, Layout::V7, Layout::V11, Layout::V13] {
        let mut window = Window::new(6000);
        let mut chat = Chat::new([Message::system("You know the tides.")]);
        for n in 0..200 {
            let [question, answer] = exchange(n);
            chat.messages.push(question);
            let mut texts = 0;
            window
                .fit(&chat, &layout, |segment| {
                    texts += usize::from(matches!(segment, Segment::Text(_)));
                    count(segment)
                })
                .unwrap();
            // The question and the reply before it. Where the system prompt joins a question, that is one text more; where
            // it joins the first, one for each halving of the exchanges as well, in the turns in which the cut moves.
            let most = if n == 0 {
                3
            } else if layout == Layout::MAGNUM {
                8
            } else {
                3
            };
            assert!(texts <= most, "{}: {texts} texts in turn {n}", layout.name);
            chat.messages.push(answer);
        }
    }
}

#[test]
fn another_conversation_is_cut_anew() {
    let talk = |n: std::ops::Range<usize>| Chat::new(n.flat_map(exchange).chain([Message::user("Bye")]));
    let mut window = Window::new(2000);
    assert!(!window.fit(&talk(0..40), &Layout::V13, count).unwrap().dropped.is_empty());
    for other in [talk(100..103), talk(0..1)] {
        assert!(window.clone().fit(&other, &Layout::V13, count).unwrap().dropped.is_empty(), "it fits as it is");
    }
}

#[test]
fn an_error_points_into_the_chat_that_was_given() {
    let mut window = Window::new(2000);
    let mut chat = Chat::new((0..40).flat_map(exchange).chain([Message::user("Bye")]));
    let dropped = window.fit(&chat, &Layout::V13, count).unwrap().dropped.len();
    assert!(dropped > 40);
    chat.messages.push(Message::tool("42"));
    let error = window.fit(&chat, &Layout::V13, count).unwrap_err();
    assert_eq!(error.at(), "messages[81].role");
    chat.messages.pop();
    assert_eq!(window.fit(&chat, &Layout::V13, count).unwrap().dropped.len(), dropped, "the window is as it was");
}

proptest! {
    #![proptest_config(arbitrary::cases(40))]

    #[test]
    fn the_cut_moves_only_where_the_budget_is_passed(chat in arbitrary::chat(), budget in 0..120_usize, low in 0..120_usize) {
        for layout in arbitrary::layouts() {
            let layout = layout.in_mode(Mode::Agnostic);
            let mut window = Window::new(budget).with_low_water(low);
            let low = low.min(budget);
            let mut before: Vec<usize> = Vec::new();
            for n in 1..=chat.messages.len() {
                let given = first(&chat, n);
                let fitted = window.fit(&given, &layout, count);
                if layout.render(&given).is_err() {
                    prop_assert!(fitted.is_err());
                    continue;
                }
                let least = given.fit(&layout, budget, count);
                let Ok(fitted) = fitted else {
                    prop_assert!(least.is_err(), "{} {n}: what fits is given", layout.name);
                    continue;
                };
                let count_of = |chat: &Chat<'_>| -> usize { layout.render(chat).unwrap().segments().map(count).sum() };
                prop_assert_eq!(fitted.count, count_of(&fitted.chat), "{} {}", layout.name, n);
                prop_assert!(fitted.count <= budget);
                prop_assert!(fitted.dropped.iter().all(|gone| given.messages[*gone].role() != Role::System));
                if fitted.dropped != before {
                    prop_assert!(before.iter().all(|gone| fitted.dropped.contains(gone)), "{} {n}", layout.name);
                    let kept: Vec<_> = (0..n).filter(|index| !before.contains(index)).collect();
                    let kept = kept.iter().map(|index| given.messages[*index].clone());
                    let uncut = Chat { messages: kept.collect(), ..given.clone() };
                    prop_assert!(count_of(&uncut) > budget, "{} {n}: the cut stays while it can", layout.name);
                    let stays = given.fit(&layout, low, count).map(|fitted| fitted.dropped);
                    prop_assert!(stays.map_or(true, |least| least == fitted.dropped), "{} {n}: and moves to the mark", layout.name);
                }
                before = fitted.dropped;
            }
        }
    }
}

/// What a model samples is one id a byte, or two.
fn sampled(text: &str, ids_a_byte: usize) -> Vec<u32> {
    let ids = text.bytes().flat_map(|byte| std::iter::repeat_n(2000 + u32::from(byte), ids_a_byte));
    ids.chain(Bytes.control(Control::Eos)).collect()
}

#[test]
fn a_conversation_stays_within_its_window() {
    for layout in [Layout::V3, Layout::V7, Layout::V11, Layout::V13] {
        for ids_a_byte in [1, 2] {
            let budget = 6000;
            let mut chat = Chat::new([Message::system("You know the tides."), Message::user("Hi")]);
            let conversation = Conversation::new(chat.clone(), &layout, Bytes).unwrap();
            let mut conversation = conversation.with_window(Window::new(budget)).unwrap();
            let (mut moved, mut dropped) = (0, 0);
            for n in 0..60 {
                let [question, answer] = exchange(n);
                let Message::Assistant(reply) = answer.clone() else { unreachable!() };
                let mistral_chat_template::Content::Text(text) = &reply.content else { unreachable!() };
                let said = sampled(text, ids_a_byte);
                conversation.reply(reply.clone(), &said);
                let before = conversation.ids().to_vec();
                chat.messages.extend([answer, question]);
                assert!(conversation.goes_on(&chat), "{} {n}", layout.name);
                let update = conversation.update_from(&chat).unwrap();
                assert!(conversation.ids().len() <= budget, "{} {n}: {}", layout.name, conversation.ids().len());
                assert_says_what_became(&update, &before, conversation.ids());
                assert!(conversation.ids().windows(said.len()).any(|ids| ids == said), "what was sampled stays");
                let gone = conversation.dropped().len();
                assert_eq!(gone + conversation.chat().messages.len(), chat.messages.len());
                moved += usize::from(gone != dropped);
                dropped = gone;
            }
            assert!((2..=12).contains(&moved), "{}: {moved}", layout.name);
        }
    }
}

#[test]
fn a_chat_that_cannot_be_cut_enough_is_taken_in_nevertheless() {
    let mut chat = Chat::new([Message::user("Hi"), Message::assistant("Hello!"), Message::user("x".repeat(50))]);
    let conversation = Conversation::new(first(&chat, 1), &Layout::V13, Bytes).unwrap();
    let mut conversation = conversation.with_window(Window::new(40)).unwrap();
    let error = conversation.update_from(&chat).unwrap_err();
    assert_eq!(error.to_string(), "what has to stay in the prompt is 13 over the budget (v13)");
    chat.messages[2] = Message::user("Bye");
    conversation.update_from(&chat).unwrap();
    assert_eq!(conversation.prompt().as_str(), "<s>[INST]Hi[/INST]Hello!</s>[INST]Bye[/INST]");
}

/// The cut is of the chat that it was made in.
#[test]
fn another_chat_in_place_of_a_cut_one_is_kept_whole() {
    let mut chat = Chat::new([Message::user("a".repeat(30))]);
    let conversation = Conversation::new(chat.clone(), &Layout::V13, Bytes).unwrap();
    let mut conversation = conversation.with_window(Window::new(80)).unwrap();
    chat.messages.extend([Message::assistant("b".repeat(30)), Message::user("c".repeat(30))]);
    conversation.update_from(&chat).unwrap();
    assert_eq!(conversation.dropped(), [0, 1]);
    for other in [
        Chat::new([Message::user("d"), Message::assistant("e"), Message::user("f")]),
        // The question at the cut is known here, but is not the first of its turn.
        Chat::new([Message::user("d"), Message::user("e"), Message::user("c".repeat(30))]),
    ] {
        let mut conversation = conversation.clone();
        conversation.update_from(&other).unwrap();
        assert!(conversation.dropped().is_empty(), "{other:?}");
        assert_eq!(conversation.prompt().as_str(), rendered(&Layout::V13, &other));
    }
}

proptest! {
    #![proptest_config(arbitrary::cases(40))]

    /// A conversation cuts as a window does that counts its ids.
    #[test]
    fn a_conversation_cuts_as_its_window(chat in arbitrary::chat(), budget in 0..120_usize, low in 0..120_usize) {
        for layout in arbitrary::layouts() {
            let layout = layout.in_mode(Mode::Agnostic);
            let mut window = Window::new(budget).with_low_water(low);
            let mut conversation: Option<Conversation<'static, Bytes>> = None;
            for n in 1..=chat.messages.len() {
                let given = first(&chat, n);
                let Ok(whole) = layout.render(&given) else { continue };
                let fitted = window.fit(&given, &layout, count);
                let Some(conversation) = &mut conversation else {
                    let begun = Conversation::new(given.clone(), &layout, Bytes).unwrap();
                    prop_assert_eq!(begun.ids(), whole.encode_for(&given, &Bytes).unwrap());
                    conversation = begun.with_window(Window::new(budget).with_low_water(low)).ok();
                    prop_assert_eq!(conversation.is_some(), fitted.is_ok());
                    continue;
                };
                let before = conversation.ids().to_vec();
                let updated = conversation.update_from(&given);
                prop_assert_eq!(updated.is_ok(), fitted.is_ok(), "{} {}: {:?} {:?}", layout.name, n, updated, fitted);
                let (Ok(update), Ok(fitted)) = (updated, fitted) else { continue };
                prop_assert_eq!(conversation.dropped(), &fitted.dropped, "{} {}", layout.name, n);
                prop_assert_eq!(conversation.prompt().as_str(), rendered(&layout, &fitted.chat));
                prop_assert_eq!(conversation.ids().len(), fitted.count);
                assert_says_what_became(&update, &before, conversation.ids());
            }
        }
    }
}

/// Where a cut makes a text that was not there before, that text is counted by its ids.
#[test]
fn what_a_cut_joins_is_counted() {
    let system = "a system prompt of some length that each first question begins with";
    for layout in [Layout::V1, Layout::MAGNUM] {
        for budget in [140, 160, 180, 200, 220] {
            let mut chat = Chat::new([Message::system(system), Message::user("question 0")]);
            let window = || Window::new(budget).with_low_water(budget / 2);
            let begun = Conversation::new(chat.clone(), &layout, Bytes).unwrap();
            let (mut conversation, mut other) = (begun.with_window(window()).unwrap(), window());
            for turn in 1..12 {
                chat.messages.push(Message::assistant(format!("answer {turn}")));
                chat.messages.push(Message::user(format!("question {turn}")));
                conversation.update_from(&chat).unwrap();
                let fitted = other.fit(&chat, &layout, count).unwrap();
                assert_eq!(conversation.dropped(), &fitted.dropped, "{} {budget} {turn}", layout.name);
                assert_eq!(conversation.ids().len(), fitted.count);
            }
        }
    }
}

/// A turn that the layout leaves out, as it is before the last question, comes back when the question is taken back.
#[test]
fn a_turn_that_comes_back_moves_from_where_it_was() {
    let call = ToolCall::new("get", "{}").id("abcdefgh1");
    let calls = AssistantMessage { tool_calls: vec![call], ..AssistantMessage::default() };
    let result = || Message::tool("a long result").answering("abcdefgh1");
    let layout = Layout::V2;
    let mut conversation = Conversation::new(Chat::new([Message::user("Hi")]), &layout, Bytes).unwrap();
    conversation.reply(calls.clone(), &sampled("get", 1));
    conversation.append([result()]).unwrap();
    conversation.append([Message::assistant("b"), Message::user("a question")]).unwrap();
    let is_there = |conversation: &Conversation<'_, Bytes>| conversation.sampled().contains(&true);
    assert!(!is_there(&conversation), "the layout leaves the calls out");
    let before = conversation.ids().to_vec();
    let chat = Chat::new([Message::user("Hi"), Message::Assistant(calls), result()]);
    let update = conversation.update(chat).unwrap();
    assert!(is_there(&conversation));
    assert_says_what_became(&update, &before, conversation.ids());
}
