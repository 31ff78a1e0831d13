//! How much reading and rendering allocate: rendering text into a prompt that is used again, nothing at all.

use allocation_counter::{AllocationInfo, measure};
use mistral_chat_template::chat::Json;
use mistral_chat_template::conversation::Window;
use mistral_chat_template::layout::{System, WordStart};
use mistral_chat_template::render::CheckedChat;
use mistral_chat_template::repair::RepairPolicy;
use mistral_chat_template::version::Feature;
use mistral_chat_template::{
    AssistantMessage, Chat, Chunk, Control, Conversation, Dialect, Format, Layout, Message, Prompt, Request, Tokenizer,
    Tool, ToolCall, Version,
};

fn layouts() -> impl Iterator<Item = Layout> {
    Version::ALL.iter().map(|version| version.layout())
}

/// Questions and replies, and one more question.
fn exchanges(count: usize) -> Vec<Message<'static>> {
    let mut messages = Vec::new();
    for index in 0..count {
        messages.push(Message::user(format!("Question {index} about the forêt?")));
        messages.push(Message::assistant(format!("Reply {index}, which is longer than the question. ")));
    }
    messages.push(Message::user("And now?"));
    messages
}

/// Chats of text, of one question and of hundreds.
fn text_chats() -> Vec<Chat<'static>> {
    let chats = [0, 1, 20, 300].map(|count| {
        let with_system =
            [Message::system("Be kind."), Message::system("Be brief.")].into_iter().chain(exchanges(count));
        let late_system = exchanges(count).into_iter().chain([Message::system("Be brief."), Message::user("Well?")]);
        let merged = exchanges(count).into_iter().flat_map(|message| [message.clone(), message]);
        let continued = exchanges(count).into_iter().chain([Message::prefix("It is ")]);
        let plain = exchanges(count);
        [Chat::new(plain), Chat::new(with_system), Chat::new(late_system), Chat::new(merged), Chat::new(continued)]
    });
    chats.into_iter().flatten().collect()
}

fn calls_and_results(count: usize) -> Chat<'static> {
    let mut messages = Vec::new();
    for index in 0..count {
        let id = format!("call{index:05}");
        messages.push(Message::user("What is the weather?"));
        let call = ToolCall::new("get_weather", r#"{"city":"Orléans","days":3}"#).id(id.clone());
        messages.push(Message::calls([call]));
        messages.push(Message::tool(r#"{"temperature":21.5,"text":"sunny"}"#).answering(id));
        messages.push(Message::assistant("Sunny."));
    }
    messages.push(Message::user("Thanks."));
    let schema = r#"{"type":"object","properties":{"city":{"type":"string"},"days":{"type":"integer"}}}"#;
    let tool = Tool {
        name: "get_weather".into(),
        description: "The weather of a city".into(),
        parameters: Json::new(schema).unwrap(),
        ..Tool::default()
    };
    Chat { tools: vec![tool], ..Chat::new(messages) }
}

/// What one more render into a prompt costs that the same chat was rendered into before.
fn render_again(format: &impl Format, chat: &Chat<'_>) -> AllocationInfo {
    let mut prompt = format.render(chat).unwrap();
    measure(|| format.render_into(chat, &mut prompt).unwrap())
}

#[test]
fn text_into_a_used_prompt_allocates_nothing() {
    for layout in layouts() {
        for chat in text_chats() {
            let info = render_again(&layout, &chat);
            assert_eq!((info.count_total, info.bytes_total), (0, 0), "{} {chat:?}", layout.name);
        }
    }
}

/// Presets that come with the library, and one that equals a layout; in none of them do macros say what differs each
/// time.
#[cfg(feature = "preset")]
#[test]
fn text_of_a_preset_into_a_used_prompt_allocates_nothing() {
    use mistral_chat_template::Preset;
    use mistral_chat_template::preset::{Builtin, Scene};

    let presets =
        Builtin::ALL.iter().map(|builtin| builtin.preset()).chain([Preset::for_layout(&Layout::MAGNUM).unwrap()]);
    for preset in presets {
        let format = preset.with_scene(&Scene::default()).unwrap();
        for chat in text_chats() {
            let info = render_again(&format, &chat);
            assert_eq!((info.count_total, info.bytes_total), (0, 0), "{} {chat:?}", preset.instruct.name);
        }
    }
}

#[test]
fn each_turn_of_a_growing_chat_fits_into_the_prompt_of_the_last() {
    for layout in layouts() {
        let mut messages = vec![Message::system("Be kind.")];
        messages.extend(exchanges(20));
        let last = Chat::new(messages.clone());
        let mut prompt = layout.render(&last).unwrap();
        for length in (2..=messages.len()).step_by(2) {
            let turn = Chat::new(messages.iter().take(length).cloned());
            let info = measure(|| layout.render_into(&turn, &mut prompt).unwrap());
            assert_eq!(info.count_total, 0, "{} {length}", layout.name);
        }
    }
}

#[test]
fn calls_results_and_images_allocate_no_more_for_a_longer_chat() {
    for layout in layouts().map(|layout| layout.with(Feature::Image)) {
        let image = |count| {
            let chunks = vec![Chunk::text("What is it?"), Chunk::image_url("https://example.com/cat.png")];
            Chat::new(exchanges(count).into_iter().chain([Message::assistant("Now."), Message::user(chunks)]))
        };
        for (short, long) in [(calls_and_results(10), calls_and_results(100)), (image(10), image(100))] {
            if layout.render(&short).is_ok() {
                let (short, long) = (render_again(&layout, &short), render_again(&layout, &long));
                assert_eq!(short, long, "{}", layout.name);
            }
        }
    }
}

#[test]
fn a_prompt_takes_its_string_and_some_bytes_a_message_at_most() {
    for layout in layouts() {
        for count in [0, 10, 200, 2000] {
            let chat = Chat::new([Message::system("Be kind.")].into_iter().chain(exchanges(count)));
            let mut prompt = Prompt::new();
            let info = measure(|| layout.render_into(&chat, &mut prompt).unwrap());
            let limit = prompt.as_str().len() + 32 * chat.messages.len() + 256;
            assert!(info.bytes_max <= limit as u64, "{}: {} of {limit}", layout.name, info.bytes_max);
        }
    }
}

#[test]
fn a_new_prompt_has_the_room_that_it_needs_and_little_more() {
    for layout in layouts() {
        for count in [20, 200, 300] {
            let texts = Chat::new([Message::system("Be kind.")].into_iter().chain(exchanges(count)));
            let chunks =
                (0..count).map(|index| Message::user(vec![Chunk::text(format!("Question {index} about the forêt?"))]));
            let replies = (0..count).map(|index| Message::assistant(format!("Reply {index}.")));
            let pairs = chunks.zip(replies).flat_map(|(question, reply)| [question, reply]);
            for chat in [texts, Chat::new(pairs.chain([Message::user("And now?")]))] {
                let text = layout.render(&chat).unwrap().into_string();
                let spare = text.capacity() - text.len();
                assert!(spare <= 3 * chat.messages.len() + 80, "{}: {spare} of {}", layout.name, text.len());
            }
        }
    }
}

/// A chat that ends in a reply to go on with is not plain; its other messages are written as those of a plain one are.
#[test]
fn texts_beside_something_else_take_no_more_room() {
    for layout in layouts().filter(|layout| matches!(layout.system, System::OwnTurn(_))) {
        let systems = (0..20).map(|index| Message::system(format!("Rule {index}.")));
        let mut messages: Vec<_> = systems.chain(exchanges(20)).collect();
        let mut prompt = layout.render(&Chat::new(messages.clone())).unwrap();
        messages.truncate(messages.len() - 4);
        let continued = Chat::new(messages.into_iter().chain([Message::prefix("It is ")]));
        let conversation = CheckedChat::new(&continued, &layout).unwrap();
        let info = measure(|| conversation.render_into(&mut prompt));
        assert_eq!(info.count_total, 0, "{}", layout.name);
    }
}

#[test]
fn reading_borrows_the_text() {
    let messages = r#"{"role":"user","content":"Hi"},{"role":"assistant","content":"Hello"},"#.repeat(200);
    let json = format!(r#"{{"model":"m","messages":[{messages}{{"role":"user","content":"Bye"}}]}}"#);
    let info = measure(|| assert_eq!(Chat::from_json(&json).unwrap().messages.len(), 401));
    assert!(info.count_total <= 10, "only the list of messages grows: {info:?}");
}

/// One id a byte.
#[derive(Clone, Copy, Debug)]
struct Bytes;

impl Tokenizer for Bytes {
    fn text(&self, text: &str, _: WordStart, ids: &mut Vec<u32>) {
        ids.extend(text.bytes().map(|byte| 1000 + u32::from(byte)));
    }

    fn control(&self, control: Control) -> Option<u32> {
        Control::all().position(|other| other == control).and_then(|id| u32::try_from(id).ok())
    }
}

/// A turn of a conversation.
type Turn = fn(&mut Conversation<'static, Bytes>, Chat<'static>) -> AllocationInfo;

fn appended(conversation: &mut Conversation<'static, Bytes>, chat: Chat<'static>) -> AllocationInfo {
    let [.., question] = &*chat.messages else { unreachable!("a chat ends with its question") };
    let question = question.clone();
    measure(|| drop(conversation.append([question]).unwrap()))
}

fn updated(conversation: &mut Conversation<'static, Bytes>, chat: Chat<'static>) -> AllocationInfo {
    measure(|| drop(conversation.update(chat).unwrap()))
}

fn updated_from(conversation: &mut Conversation<'static, Bytes>, chat: Chat<'static>) -> AllocationInfo {
    measure(|| drop(conversation.update_from(&chat).unwrap()))
}

/// The first turn is read as a whole, the others by what is new of them.
fn updated_with_rest(conversation: &mut Conversation<'static, Bytes>, chat: Chat<'static>) -> AllocationInfo {
    let body = serde_json::to_string(&chat).unwrap();
    let mut is_read = false;
    let read = measure(|| {
        if let Some(rest) = conversation.rest(&body) {
            let mended = Request::mend(rest.as_str(), Dialect::Either).unwrap();
            is_read = conversation.update_rest(&rest, &mended).is_some();
        }
    });
    if !is_read {
        assert!(chat.messages.len() < 15, "a long conversation is read as a whole");
        let mended = Request::repair(&body, Dialect::Either, conversation.layout(), &RepairPolicy::default()).unwrap();
        conversation.update_from(&mended.request.chat).unwrap();
        conversation.remember(&body, &mended);
    }
    read
}

/// The least that one of eight turns allocates behind this many others: now and then a buffer grows.
fn turn_behind(layout: &Layout, exchanges: usize, turn: Turn) -> (u64, u64) {
    let chat = calls_and_results(1);
    let system = Message::system("Be kind.");
    let mut chat = Chat { messages: [system].into_iter().chain(chat.messages).collect(), ..chat };
    let mut conversation = Conversation::new(chat.clone(), layout, Bytes).unwrap();
    let mut costs = Vec::new();
    for index in 0..exchanges + 8 {
        let reply = AssistantMessage { content: "It is noon.".into(), ..AssistantMessage::default() };
        let ids: Vec<u32> = "It is noon.".bytes().map(|byte| 1000 + u32::from(byte)).chain([2]).collect();
        conversation.reply(reply.clone(), &ids);
        chat.messages.extend([Message::Assistant(reply), Message::user("What time is it?")]);
        let cost = turn(&mut conversation, chat.clone());
        if index >= exchanges {
            costs.push((cost.count_total, cost.bytes_total));
        }
    }
    costs.into_iter().min().unwrap()
}

/// Also where the system prompt moves (v3) or the tools do (v7, v11): what stays behind them is not copied.
#[test]
fn a_turn_allocates_what_is_new() {
    for layout in [Layout::MAGNUM, Layout::V3, Layout::V7, Layout::V11, Layout::V13] {
        for (name, turn) in
            [("append", appended as Turn), ("update", updated), ("from", updated_from), ("rest", updated_with_rest)]
        {
            let (few, many) = (turn_behind(&layout, 30, turn), turn_behind(&layout, 300, turn));
            assert_eq!(few, many, "{} {name}: allocations and bytes behind 30 and 300 turns", layout.name);
        }
    }
}

/// A window looks at what it keeps, whatever was left out before.
#[test]
fn a_window_allocates_by_what_it_keeps() {
    let cost = |exchanges: usize| {
        let mut window = Window::new(2000);
        let count = |segment: mistral_chat_template::Segment<'_>| match segment {
            mistral_chat_template::Segment::Text(text) => text.len(),
            _ => 1,
        };
        let chat = Chat::new(self::exchanges(exchanges));
        let first = window.fit(&chat, &Layout::V13, count).unwrap().count;
        assert!(first <= 2000);
        measure(|| drop(window.fit(&chat, &Layout::V13, |_| unreachable!("all is counted")).unwrap())).count_total
    };
    let (few, many) = (cost(100), cost(800));
    assert!(many <= few * 2, "{few} {many}");
}
