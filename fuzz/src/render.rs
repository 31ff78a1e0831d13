//! Any chat in any layout and mode: a whole prompt, the same each time and however it grew; or an error that says where.

use mistral_chat_template::python_json::reformat;
use mistral_chat_template::render::Fim;
use mistral_chat_template::{Chat, Control, Conversation, Format, Layout, Prompt, Segment};
use serde_json::Value;

use super::source::Source;
use super::support::{assert_has_roles, assert_is_whole, assert_tells_where, controls, forged};

pub fn run(data: &[u8]) {
    let (mut head, rest) = Source::with_head(data);
    let layout = head.layout();
    let Some(chat) = rest.chat() else { return };
    let prompt = match layout.render(&chat) {
        Ok(prompt) => prompt,
        Err(error) => {
            assert_tells_where(&error, &layout, &chat);
            return assert_grows(&layout, &chat, head);
        }
    };
    assert_is_whole(&prompt, &chat);
    assert_has_roles(&prompt, &chat);
    assert_lists_tools(&prompt);

    let mut used = Prompt::new();
    let _ = Layout::V7.render_into(&Chat::default(), &mut used);
    for _ in 0..2 {
        layout.render_into(&chat, &mut used).expect("what was rendered once is rendered again");
        assert_eq!(used, prompt);
    }

    let forged = layout.render(&forged(&chat)).expect("text is not what a chat is refused for");
    assert_eq!(controls(&forged), controls(&prompt), "the skeleton stays");
    assert_fills_in(&layout, &chat);
    assert_grows(&layout, &chat, head);
}

/// The list of tools is JSON as Python writes it, and each tool's parameters are an object.
fn assert_lists_tools(prompt: &Prompt) {
    let mut segments = prompt.segments().skip_while(|segment| *segment != Segment::Control(Control::AvailableTools));
    let Some(Segment::Text(list)) = segments.nth(1) else { return };
    let mut again = String::new();
    reformat(list, &mut again).expect("the list of tools is JSON");
    assert_eq!(list, again);
    // Only Python reads NaN and Infinity.
    let Ok(tools) = serde_json::from_str::<Vec<Value>>(list) else { return };
    assert!(tools.iter().all(|tool| tool["function"]["parameters"].is_object()), "{list}");
}

/// The first two messages' texts around a gap.
fn assert_fills_in(layout: &Layout, chat: &Chat<'_>) {
    let text =
        |index: usize| chat.messages.get(index).map(|message| format!("{:?}", message.content())).unwrap_or_default();
    if let Ok(prompt) = layout.render_fim(&Fim { prompt: text(0).into(), suffix: text(1).into() }) {
        assert_is_whole(&prompt, &Chat::default());
    }
}

/// A prompt to which messages are appended is the prompt of all of them.
fn assert_grows(layout: &Layout, chat: &Chat<'_>, mut steps: Source<'_>) {
    let upto = |end: usize| Chat { messages: chat.messages.iter().take(end).cloned().collect(), ..chat.clone() };
    let (mut growing, mut given) = (None::<Conversation<'_>>, 0);
    while given < chat.messages.len() {
        given += 1 + steps.below(3);
        let rendered = layout.render(&upto(given));
        let Some(growing) = &mut growing else {
            growing = Conversation::without_ids(upto(given), layout).ok();
            assert_eq!(growing.is_some(), rendered.is_ok());
            continue;
        };
        let before = growing.clone();
        let new: Vec<_> = chat.messages.iter().take(given).skip(before.chat().messages.len()).cloned().collect();
        match (growing.append(new), rendered) {
            (Ok(update), Ok(rendered)) => {
                let same = before.prompt().segments().zip(rendered.segments()).take_while(|(one, other)| one == other);
                let same = same.count();
                let new = growing.segments().skip(update.new_segments.start).map(|it| it.segment);
                assert!(new.eq(rendered.segments().skip(same)));
                let parts = same < before.prompt().segments().count();
                assert_eq!(update.prefix_break.map(|it| it.segment), parts.then_some(same));
                assert_eq!(growing.prompt(), &rendered);
            }
            (Err(error), Err(rendered)) => {
                assert_eq!(error.to_string(), rendered.to_string());
                assert_eq!(growing.prompt(), before.prompt());
                assert_eq!(growing.chat(), before.chat());
            }
            (appended, rendered) => panic!("{:?} {:?}", appended.map(drop), rendered.map(drop)),
        }
    }
}
