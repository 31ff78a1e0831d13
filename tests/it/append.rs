//! Prompts that go on: what is said of them is what rendering shows.
//!
//! For a long look: `PROPTEST_CASES=100000 cargo test --release --test it append::`.

use mistral_chat_template::chat::ReasoningEffort;
use mistral_chat_template::conversation::Update;
use mistral_chat_template::layout::UserTurn;
use mistral_chat_template::preset::{Builtin, Scene};
use mistral_chat_template::prompt::{BreakCause, PrefixBreak, SpanKind};
use mistral_chat_template::render::CheckedChat;
use mistral_chat_template::{Chat, Conversation, Format, Layout, Message, Mode, Prompt, Role, Segment, Tool, ToolCall};
use proptest::prelude::*;

use crate::support::{arbitrary, case};

/// How many segments two prompts begin with alike, and how many the first has.
fn common(earlier: &Prompt, whole: &Prompt) -> (usize, usize) {
    let same = earlier.segments().zip(whole.segments()).take_while(|(one, other)| one == other).count();
    (same, earlier.segments().count())
}

/// What rendering shows: the segment at which the prompt of the first messages parts from the whole.
fn rendered_break(
    layout: &Layout,
    chat: &Chat<'_>,
    whole: &Result<Prompt, String>,
    n: usize,
) -> Result<Option<usize>, String> {
    let whole = whole.as_ref().map_err(String::clone)?;
    let first = Chat { messages: chat.messages.iter().take(n).cloned().collect(), ..chat.clone() };
    let first = layout.in_mode(Mode::Test).render(&first).map_err(|error| error.to_string())?;
    let (same, all) = common(&first, whole);
    Ok((same < all).then_some(same))
}

fn told_break(layout: &Layout, chat: &Chat<'_>, n: usize) -> Result<Option<usize>, String> {
    let told = layout.prefix_break(chat, n).map_err(|error| error.to_string())?;
    Ok(told.map(|PrefixBreak { segment, .. }| segment))
}

/// Both directions: the prompt of every beginning of the chat, and of the chat as the beginning of itself.
fn breaks_are_told(layout: &Layout, chat: &Chat<'_>) -> Result<(), TestCaseError> {
    let whole = layout.render(chat).map_err(|error| error.to_string());
    for n in 0..=chat.messages.len() {
        let shown = rendered_break(layout, chat, &whole, n);
        prop_assert_eq!(told_break(layout, chat, n), shown, "{} at {}", layout.name, n);
    }
    Ok(())
}

/// Two chats of which neither need be a part of the other.
fn breaks_between_are_told(layout: &Layout, one: &Chat<'_>, other: &Chat<'_>) -> Result<(), TestCaseError> {
    let (Ok(earlier), Ok(whole)) = (CheckedChat::new(one, layout), CheckedChat::new(other, layout)) else {
        return Ok(());
    };
    let (mut first, mut second) = (Prompt::new(), Prompt::new());
    earlier.render_into(&mut first);
    whole.render_into(&mut second);
    let (same, all) = common(&first, &second);
    let told = whole.prefix_break(&earlier).map(|it| it.segment);
    prop_assert_eq!(told, (same < all).then_some(same), "{}", layout.name);
    Ok(())
}

fn new_segments<'g>(growing: &'g Conversation<'_>, update: &Update) -> impl Iterator<Item = Segment<'g>> {
    growing.segments().skip(update.new_segments.start).map(|it| it.segment)
}

/// The byte at which a segment begins, or where the prompt ends.
fn start_of(prompt: &Prompt, segment: usize) -> usize {
    let begins = prompt.spans().filter(|span| span.kind != SpanKind::MoreText).map(|span| span.range.start);
    begins.chain([prompt.as_str().len()]).nth(segment).unwrap()
}

/// Appending the messages part by part, each part of as many messages as `steps` say.
fn grows_as_rendered(layout: &Layout, chat: &Chat<'_>, steps: &[usize]) -> Result<(), TestCaseError> {
    let (mut growing, mut given) = (None::<Conversation<'_>>, 0);
    for step in steps.iter().cycle().take(2 * chat.messages.len()) {
        let end = (given + step).min(chat.messages.len());
        let first = Chat { messages: chat.messages.iter().take(end).cloned().collect(), ..chat.clone() };
        let rendered = layout.render(&first);
        let Some(growing) = &mut growing else {
            growing = Conversation::without_ids(first, layout).ok();
            given = end;
            continue;
        };
        let before = growing.clone();
        let new: Vec<_> = chat.messages.iter().take(end).skip(growing.chat().messages.len()).cloned().collect();
        given = end;
        match (growing.append(new), rendered) {
            (Ok(update), Ok(rendered)) => {
                let (same, all) = common(before.prompt(), &rendered);
                prop_assert!(new_segments(growing, &update).eq(rendered.segments().skip(same)));
                prop_assert_eq!(update.prefix_break.map(|it| it.segment), (same < all).then_some(same));
                prop_assert_eq!(&rendered.as_str()[..update.start], &before.prompt().as_str()[..update.start]);
                prop_assert_eq!(update.start, start_of(&rendered, update.new_segments.start));
                prop_assert_eq!(growing.prompt(), &rendered, "{}", layout.name);
            }
            (Err(error), Err(rendered)) => {
                prop_assert_eq!(error.to_string(), rendered.to_string());
                prop_assert_eq!(growing.prompt(), before.prompt());
                prop_assert_eq!(growing.chat(), before.chat());
            }
            (appended, rendered) => prop_assert!(false, "{:?} {:?}", appended.map(drop), rendered.map(drop)),
        }
    }
    Ok(())
}

/// One chat behind another, whatever they have in common.
fn updates_as_rendered(layout: &Layout, one: &Chat<'_>, other: &Chat<'_>) -> Result<(), TestCaseError> {
    let Ok(mut growing) = Conversation::without_ids(one.clone(), layout) else { return Ok(()) };
    let before = growing.prompt().clone();
    match (growing.update(other.clone()), layout.render(other)) {
        (Ok(update), Ok(rendered)) => {
            let (same, all) = common(&before, &rendered);
            prop_assert!(new_segments(&growing, &update).eq(rendered.segments().skip(same)));
            prop_assert_eq!(update.prefix_break.map(|it| it.segment), (same < all).then_some(same));
            prop_assert_eq!(update.start, start_of(&rendered, update.new_segments.start));
            prop_assert_eq!(growing.prompt(), &rendered);
            prop_assert_eq!(growing.chat(), other);
        }
        (Err(error), Err(rendered)) => {
            prop_assert_eq!(error.to_string(), rendered.to_string());
            prop_assert_eq!(growing.prompt(), &before);
            prop_assert_eq!(growing.chat(), one);
        }
        (updated, rendered) => prop_assert!(false, "{:?} {:?}", updated.map(drop), rendered.map(drop)),
    }
    Ok(())
}

fn steps() -> BoxedStrategy<Vec<usize>> {
    proptest::collection::vec(1..4_usize, 1..4).boxed()
}

/// Chats of which many beginnings can be rendered.
fn chat() -> BoxedStrategy<Chat<'static>> {
    let id = prop::sample::select(vec!["abcdefgh1", "abcdefgh2"]);
    let calls =
        Message::calls([ToolCall::new("get", "{}").id("abcdefgh1"), ToolCall::new("get", "{}").id("abcdefgh2")]);
    let message = prop_oneof![
        4 => "[a-c]{0,2}".prop_map(Message::user),
        3 => "[a-c]{0,2}".prop_map(Message::assistant),
        2 => Just(calls),
        3 => id.prop_map(|id| Message::tool("22").answering(id)),
        1 => "[a-c]{0,2}".prop_map(Message::system),
    ];
    let any = (proptest::collection::vec(message, 1..9), arbitrary::chat())
        .prop_map(|(messages, chat)| Chat { messages, ..chat });
    prop_oneof![arbitrary::chat(), any].boxed()
}

/// Of a format that renders both, the same.
fn breaks_of(format: &dyn Format, chat: &Chat<'_>) -> Result<(), TestCaseError> {
    let Ok(whole) = format.render(chat) else { return Ok(()) };
    for n in 0..=chat.messages.len() {
        let first = Chat { messages: chat.messages.iter().take(n).cloned().collect(), ..chat.clone() };
        let shown = format.render(&first).map(|first| {
            let (same, all) = common(&first, &whole);
            (same < all).then_some(same)
        });
        let told = format.prefix_break(chat, n).map(|it| it.map(|it| it.segment));
        let text = |error: mistral_chat_template::Error| error.to_string();
        prop_assert_eq!(told.map_err(text), shown.map_err(text));
    }
    Ok(())
}

proptest! {
    #![proptest_config(arbitrary::cases(60))]

    #[test]
    fn breaks_of_presets_are_what_rendering_shows(chat in chat()) {
        for preset in Builtin::ALL {
            breaks_of(&preset.preset().with_scene(&Scene::default()).unwrap(), &chat)?;
        }
    }

    #[test]
    fn breaks_are_what_rendering_shows(chat in chat(), other in chat()) {
        for layout in arbitrary::layouts() {
            for mode in [Mode::Test, Mode::Agnostic] {
                breaks_are_told(&layout.in_mode(mode), &chat)?;
            }
            breaks_between_are_told(&layout.in_mode(Mode::Agnostic), &chat, &other)?;
        }
    }

    #[test]
    fn an_updated_prompt_is_what_rendering_gives(chat in chat(), other in chat(), cut in 0..9_usize) {
        let cut = Chat { messages: chat.messages.iter().take(cut).cloned().collect(), ..chat.clone() };
        for layout in arbitrary::layouts() {
            for (one, other) in [(&cut, &chat), (&chat, &cut), (&chat, &other)] {
                updates_as_rendered(&layout, one, other)?;
            }
        }
    }

    #[test]
    fn a_growing_prompt_is_what_rendering_gives(chat in chat(), steps in steps(), first in 0..4_usize) {
        let chat = Chat { model: Some("m".into()), ..chat };
        // Each layout in one of the modes, another for the next layout.
        for (layout, mode) in arbitrary::layouts().into_iter().zip(Mode::ALL.into_iter().cycle().skip(first)) {
            grows_as_rendered(&layout.in_mode(mode), &chat, &steps)?;
        }
    }
}

/// One chat behind another that differs in nothing but what stands beside the messages.
#[test]
fn an_update_takes_what_stands_beside_the_messages() {
    use mistral_chat_template::Tool;
    use mistral_chat_template::chat::{ReasoningEffort, ResponseFormat, ToolChoice};

    let chat = Chat::new([Message::user("a"), Message::assistant("b"), Message::user("c")]);
    let others = [
        Chat { tools: vec![Tool { name: "f".into(), ..Tool::default() }], ..chat.clone() },
        Chat { reasoning_effort: Some(ReasoningEffort::High), ..chat.clone() },
        Chat { response_format: ResponseFormat::JsonObject, ..chat.clone() },
        Chat { model: Some("m".into()), ..chat.clone() },
        Chat { tool_choice: ToolChoice::Required, ..chat.clone() },
        Chat { parallel_tool_calls: Some(false), ..chat.clone() },
    ];
    for layout in arbitrary::layouts() {
        for other in &others {
            updates_as_rendered(&layout.in_mode(Mode::Agnostic), &chat, other).unwrap();
            updates_as_rendered(&layout.in_mode(Mode::Agnostic), other, &chat).unwrap();
        }
    }
}

/// A message to be continued is said to its end: its turn goes on, but those before it may change.
#[test]
fn an_open_turn_goes_on_as_rendering_shows() {
    use mistral_chat_template::{AssistantMessage, Tool};

    let mut breaks = 0;
    let call = || Message::calls([ToolCall::new("get", "{}").id("abcdefgh1")]);
    let result = || Message::tool("1").answering("abcdefgh1");
    for layout in arbitrary::layouts().into_iter().map(|layout| layout.in_mode(Mode::Agnostic)) {
        for begun in [
            vec![Message::user("a")],
            vec![Message::system("s"), Message::user("a")],
            vec![Message::user("a"), Message::assistant("b"), Message::user("c")],
            vec![Message::user("a"), call(), result()],
        ] {
            for (tools, new) in [(false, Message::user("d")), (true, Message::user("d"))] {
                let tools = if tools { vec![Tool { name: "get".into(), ..Tool::default() }] } else { Vec::new() };
                let begun = Chat { tools, ..Chat::new(begun.clone()) };
                let with = |new: &[Message<'static>]| Chat {
                    messages: [begun.messages.clone(), new.to_vec()].concat(),
                    ..begun.clone()
                };
                let open = with(&[Message::prefix("e")]);
                let (Ok(before), Ok(mut growing)) = (layout.render(&begun), Conversation::without_ids(open, &layout))
                else {
                    continue;
                };
                growing.reply(AssistantMessage { content: "ef".into(), ..AssistantMessage::default() }, &[]);
                let whole = layout.render(&with(&[Message::assistant("ef"), new.clone()]));
                let Ok(update) = growing.append([new]) else {
                    whole.unwrap_err();
                    continue;
                };
                let whole = whole.unwrap();
                let (same, all) = common(&before, &whole);
                assert_eq!(growing.prompt(), &whole, "{}", layout.name);
                assert_eq!(update.prefix_break.map(|it| it.segment), (same < all).then_some(same), "{}", layout.name);
                breaks += usize::from(same < all);
            }
        }
    }
    assert!(breaks > 10, "{breaks}");
}

/// What a chat was read from comes with it.
#[test]
fn an_update_takes_what_the_chat_was_read_from() {
    let read = |text: &str| {
        let body = format!(r#"{{"messages": [{{"role": "user", "content": "{text}", "name": "n"}}]}}"#);
        Chat::from_json(&body).unwrap().into_owned()
    };
    let (first, second) = (read("a"), read("b"));
    let mut growing = Conversation::without_ids(first, &Layout::V7).unwrap();
    growing.update(second.clone()).unwrap();
    let kept = growing.chat().sent.as_ref().map(|sent| sent.as_str());
    assert_eq!((kept, kept.is_some()), (second.sent.as_ref().map(|sent| sent.as_str()), true));
}

#[test]
fn goldens_go_on_as_rendering_shows() {
    let mut asked = 0;
    for case in case::all() {
        let (layout, Ok(chat)) = (case.layout(), case.chat()) else { continue };
        breaks_are_told(&layout, &chat).unwrap();
        // One message at a time, or two.
        grows_as_rendered(&layout, &chat, &[1 + asked % 2]).unwrap();
        asked += chat.messages.len() + 1;
    }
    assert!(asked > 10_000, "{asked}");
}

#[test]
fn breaks_of_templates_are_what_rendering_shows() {
    use mistral_chat_template::ChatTemplate;

    let mut asked = 0;
    for layout in [Layout::V3, Layout::V7, Layout::V13] {
        let template = ChatTemplate::new(&layout.chat_template()).unwrap();
        let cases = case::all().into_iter().filter(|case| case.layout().name == layout.name);
        // Templates take their time.
        for case in cases.step_by(20) {
            let Ok(chat) = case.chat() else { continue };
            breaks_of(&template, &chat).unwrap();
            asked += 1;
        }
    }
    assert!(asked > 20, "{asked}");
}

/// Where two prompts part, and why.
#[test]
fn a_break_says_why() {
    let (user, said) = (Message::user("a"), Message::assistant("b"));
    let call = |id: &str| ToolCall::new("f", "{}").id(id.to_owned());
    let calls = Message::calls([call("abcdefgh1"), call("abcdefgh2")]);
    let results = ["abcdefgh1", "abcdefgh2"].map(|id| Message::tool(id).answering(id));
    let with_tools = |names: &[&str], messages: Vec<Message<'static>>| {
        let tool = |name: &&str| Tool { name: (*name).to_owned().into(), ..Tool::default() };
        Chat { tools: names.iter().map(tool).collect(), ..Chat::new(messages) }
    };
    let harder = |chat: &Chat<'static>| Chat { reasoning_effort: Some(ReasoningEffort::High), ..chat.clone() };
    let of = |messages: &[&Message<'static>]| Chat::new(messages.iter().copied().cloned().collect::<Vec<_>>());
    let (system, other_system) = (Message::system("S"), Message::system("T"));
    let (one, longer) = (of(&[&user]), of(&[&user, &said, &user]));
    let last = UserTurn::Last;
    let v15_last = Layout { tools: Some(last), ..Layout::V15 };
    for (layout, earlier, whole, expected) in [
        (
            Layout::V3,
            of(&[&system, &user]),
            of(&[&system, &user, &said, &user]),
            Some(BreakCause::SystemMoves { to: last }),
        ),
        (Layout::V2, of(&[&user]), of(&[&user, &said, &user]), None),
        (Layout::V3, of(&[&system, &user]), of(&[&other_system, &user]), Some(BreakCause::SystemChanges)),
        (Layout::V3, of(&[&user]), of(&[&system, &user]), Some(BreakCause::SystemChanges)),
        (Layout::MAGNUM, of(&[&user]), of(&[&system, &user]), Some(BreakCause::SystemChanges)),
        (Layout::V7, of(&[&system, &user]), of(&[&other_system, &user]), Some(BreakCause::MessageChanges)),
        (
            Layout::V3,
            with_tools(&["f"], one.messages.clone()),
            with_tools(&["f"], longer.messages.clone()),
            Some(BreakCause::ToolsMove { to: last }),
        ),
        (
            Layout::V13,
            with_tools(&["f"], one.messages.clone()),
            with_tools(&["g"], one.messages.clone()),
            Some(BreakCause::ToolsChange),
        ),
        (Layout::V13, one.clone(), with_tools(&["g"], one.messages.clone()), Some(BreakCause::ToolsChange)),
        (Layout::V15, harder(&one), one.clone(), Some(BreakCause::SettingsChange)),
        (Layout::V15, harder(&one), harder(&longer), None),
        (v15_last, harder(&one), harder(&longer), Some(BreakCause::SettingsMove { to: last })),
        (
            Layout::V2,
            of(&[&user, &calls, &results[0], &results[1], &said]),
            of(&[&user, &calls, &results[0], &results[1], &said, &user]),
            Some(BreakCause::ToolTurnsDropped),
        ),
        (
            Layout::V13,
            of(&[&user, &calls, &results[1]]),
            of(&[&user, &calls, &results[1], &results[0]]),
            Some(BreakCause::ResultsReordered),
        ),
        (Layout::V3, one.clone(), of(&[&user, &user]), Some(BreakCause::TurnGoesOn { role: Role::User })),
        (Layout::V3, one.clone(), of(&[&Message::user("c")]), Some(BreakCause::MessageChanges)),
        (Layout::V3, of(&[&user, &user]), one.clone(), Some(BreakCause::MessageChanges)),
        (Layout::V3, longer.clone(), one.clone(), Some(BreakCause::Shorter)),
        (Layout::V3, longer.clone(), of(&[&user, &said]), Some(BreakCause::Shorter)),
        (Layout::V3, longer.clone(), of(&[&user, &Message::assistant("c")]), Some(BreakCause::MessageChanges)),
    ] {
        let layout = layout.in_mode(Mode::Agnostic);
        for mode in [Mode::Agnostic, Mode::Serving] {
            let earlier_layout = Layout { name: "mine", ..layout.in_mode(mode) };
            let earlier = Chat { model: Some("m".into()), ..earlier.clone() };
            let Ok(earlier) = CheckedChat::new(&earlier, &earlier_layout) else { continue };
            let chat = Chat { model: Some("m".into()), ..whole.clone() };
            let whole = CheckedChat::new(&chat, &layout).unwrap();
            let found = whole.prefix_break(&earlier);
            assert_eq!(found.map(|it| it.cause), expected, "{} {:?}", layout.name, chat.messages);
            let [one, other] = [earlier, whole].map(|checked| {
                let mut prompt = Prompt::new();
                checked.render_into(&mut prompt);
                prompt
            });
            let (same, all) = common(&one, &other);
            assert_eq!(found.map(|it| it.segment), (same < all).then_some(same), "{}", layout.name);
        }
    }
    let (earlier, whole) = (CheckedChat::new(&one, &Layout::V3).unwrap(), CheckedChat::new(&one, &Layout::V7).unwrap());
    assert_eq!(whole.prefix_break(&earlier), None, "the frames are the same");
    let whole = CheckedChat::new(&longer, &Layout::V13).unwrap();
    assert_eq!(whole.prefix_break(&earlier).map(|it| it.cause), Some(BreakCause::LayoutChanges));
}
