//! Fitting: the longest end of a chat that is within the budget, counted as it is rendered.

use std::borrow::Cow;
use std::collections::HashMap;

use mistral_chat_template::{Chat, Format, Layout, Message, Mode, Role, Segment};
use proptest::prelude::*;

use crate::support::arbitrary;

fn count(segment: Segment<'_>) -> usize {
    match segment {
        Segment::Text(text) => text.len(),
        Segment::Control(_) | Segment::Media(_) => 1,
    }
}

fn rendered(layout: &Layout, chat: &Chat<'_>) -> usize {
    layout.render(chat).unwrap().segments().map(count).sum()
}

/// Every chat that fitting may give, the longest first: all the chat, and its ends from each user turn on.
fn candidates(chat: &Chat<'_>) -> Vec<(Vec<usize>, Chat<'static>)> {
    let last = chat.messages.iter().rposition(|message| message.role() == Role::User).unwrap_or(0);
    let begins_turn = |index: &usize| {
        let before = index.checked_sub(1).map(|before| chat.messages[before].role());
        chat.messages[*index].role() == Role::User && before != Some(Role::User)
    };
    let starts = std::iter::once(0).chain((0..=last).filter(begins_turn));
    let mut chats: Vec<_> = starts
        .map(|start| {
            let is_gone = |index: usize| index < start && chat.messages[index].role() != Role::System;
            let dropped: Vec<_> = (0..chat.messages.len()).filter(|index| is_gone(*index)).collect();
            let kept =
                (0..chat.messages.len()).filter(|index| !is_gone(*index)).map(|index| chat.messages[index].clone());
            (dropped, Chat { messages: kept.collect(), ..chat.clone() }.into_owned())
        })
        .collect();
    chats.dedup_by(|next, one| next.0 == one.0);
    chats
}

proptest! {
    #![proptest_config(arbitrary::cases(150))]

    #[test]
    fn the_longest_chat_that_fits_is_given(chat in arbitrary::chat(), budget in 0..120_usize, mode in prop::sample::select(Mode::ALL.to_vec())) {
        let chat = Chat { model: Some("m".into()), ..chat };
        for layout in arbitrary::layouts() {
            let layout = layout.in_mode(mode);
            if layout.render(&chat).is_err() {
                prop_assert!(chat.fit(&layout, budget, count).is_err());
                continue;
            }
            let candidates = candidates(&chat);
            let longest = candidates.iter().find(|(_, chat)| rendered(&layout, chat) <= budget);
            match (chat.fit(&layout, budget, count), longest) {
                (Ok(fitted), Some((dropped, longest))) => {
                    prop_assert_eq!(&fitted.dropped, dropped, "{}", layout.name);
                    prop_assert_eq!(&*fitted.chat, longest);
                    prop_assert_eq!(fitted.count, rendered(&layout, longest));
                    prop_assert_eq!(matches!(fitted.chat, Cow::Borrowed(_)), dropped.is_empty());
                }
                (Err(error), None) => {
                    let least = rendered(&layout, &candidates[candidates.len() - 1].1);
                    let over = format!("what has to stay in the prompt is {} over the budget ({})", least - budget, layout.name);
                    prop_assert_eq!(error.to_string(), over);
                    prop_assert_eq!(error.family().as_str(), "budget");
                }
                (fitted, longest) => prop_assert!(false, "{fitted:?} {longest:?}"),
            }
        }
    }

    #[test]
    fn each_text_is_counted_once(chat in arbitrary::chat(), budget in 0..120_usize) {
        for layout in [Layout::V2, Layout::V3, Layout::V7, Layout::V11, Layout::V13, Layout::V15] {
            let layout = layout.in_mode(Mode::Agnostic);
            let Ok(prompt) = layout.render(&chat) else { continue };
            let mut counted: HashMap<String, isize> = HashMap::new();
            let _ = chat.fit(&layout, budget, |segment| {
                if let Segment::Text(text) = segment {
                    *counted.entry(text.to_owned()).or_default() += 1;
                }
                count(segment)
            });
            for segment in prompt.segments() {
                if let Segment::Text(text) = segment {
                    *counted.entry(text.to_owned()).or_default() -= 1;
                }
            }
            prop_assert!(counted.values().all(|count| *count == 0), "{}: {counted:?}", layout.name);
        }
    }
}

/// Where the system prompt joins the first question, that is counted again, once for each halving.
#[test]
fn a_joined_system_prompt_is_counted_a_few_times() {
    let exchange = |index: usize| [Message::user(format!("question {index}")), Message::assistant("answer")];
    let messages = (0..1000).flat_map(exchange);
    let chat = Chat::new([Message::system("SYSTEM")].into_iter().chain(messages).chain([Message::user("last")]));
    let mut of_system = 0;
    let fitted = chat.fit(&Layout::MAGNUM, 500, |segment| {
        of_system += usize::from(matches!(segment, Segment::Text(text) if text.starts_with("SYSTEM")));
        count(segment)
    });
    let fitted = fitted.unwrap();
    assert_eq!(fitted.count, rendered(&Layout::MAGNUM, &fitted.chat));
    assert!(fitted.count <= 500 && fitted.count > 450, "{}", fitted.count);
    assert!(of_system <= 11, "{of_system}");
}

/// The indexes of an error about the chat that was left are those of the chat that came in.
#[test]
fn an_error_names_the_message_that_was_given() {
    use mistral_chat_template::{Chunk, Error};

    let chat = Chat::new([
        Message::system("S"),
        Message::user("a"),
        Message::assistant("b"),
        Message::user("c"),
        Message::assistant("d"),
        Message::user(vec![Chunk::image_url("https://example.com/cat.png")]),
    ]);
    let refused = |path_of: &Chat<'_>| -> Error { Layout::V7.render(path_of).unwrap_err() };
    let layout = Layout::V7.with(mistral_chat_template::version::Feature::Image);
    let whole = rendered(&layout, &chat);
    for (budget, dropped, at, given) in [
        (whole, vec![], "messages[5].content[0]", "messages[5].content[0]"),
        (whole - 1, vec![1, 2], "messages[3].content[0]", "messages[5].content[0]"),
        (10, vec![1, 2, 3, 4], "messages[1].content[0]", "messages[5].content[0]"),
    ] {
        let fitted = chat.fit(&layout, budget, count).unwrap();
        assert_eq!(fitted.dropped, dropped);
        let error = refused(&fitted.chat);
        assert_eq!(error.at(), at);
        assert_eq!(fitted.in_given(error).at(), given);
        let elsewhere = || Chat::from_json("{").unwrap_err();
        assert_eq!(fitted.in_given(elsewhere()).at(), elsewhere().at());
        let owned = fitted.clone().into_chat();
        assert_eq!(owned, *fitted.chat);
        assert_eq!(owned.messages[0], Message::system("S"));
    }
}

#[test]
fn what_stands_beside_the_messages_stays() {
    use mistral_chat_template::Tool;
    use mistral_chat_template::chat::{ResponseFormat, ToolChoice};

    let choices = [ToolChoice::Required, ToolChoice::None, ToolChoice::Named("f".into())];
    for tool_choice in choices {
        let messages = [Message::user("a"), Message::assistant("b"), Message::user("c")];
        let tool = Tool { name: "f".into(), description: "d".into(), strict: true, ..Tool::default() };
        let chat = Chat {
            tools: vec![tool],
            tool_choice,
            parallel_tool_calls: Some(false),
            response_format: ResponseFormat::JsonObject,
            model: Some("m".into()),
            ..Chat::new(messages)
        };
        let whole = rendered(&Layout::V13, &chat);
        let fitted = chat.fit(&Layout::V13, whole - 1, count).unwrap();
        assert_eq!(fitted.dropped, [0, 1]);
        assert_eq!(*fitted.chat, Chat { messages: vec![Message::user("c")], ..chat.clone() });
    }
}
