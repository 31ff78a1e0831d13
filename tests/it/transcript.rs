//! Token ids in, token ids out: what the model sampled stays as it was, whatever the layout does with the rest.

use mistral_chat_template::layout::{Frame, Mark, System, UserTurn, WordStart};
use mistral_chat_template::version::Feature;
use mistral_chat_template::{
    AssistantMessage, Chat, Chunk, Control, Conversation, Format, Layout, Message, Mode, Tokenizer, ToolCall,
};
use proptest::prelude::*;

use crate::support::arbitrary;

/// One id a byte, and one for `" t"`, which a model can say in two ways.
#[derive(Clone, Copy, Debug)]
struct Bytes;

const SPACE_T: u32 = 5000;

impl Tokenizer for Bytes {
    fn text(&self, text: &str, word_start: WordStart, ids: &mut Vec<u32>) {
        let space = if word_start == WordStart::Space { " " } else { "" };
        let mut rest = [space, text].concat();
        while let Some(first) = rest.chars().next() {
            let (id, length) =
                if rest.starts_with(" t") { (SPACE_T, 2) } else { (1000 + u32::from(first), first.len_utf8()) };
            ids.push(id);
            rest.drain(..length);
        }
    }

    fn control(&self, control: Control) -> Option<u32> {
        Control::all().position(|other| other == control).and_then(|id| u32::try_from(id).ok())
    }
}

const EOS: u32 = 2;

fn says(text: &str) -> AssistantMessage<'static> {
    AssistantMessage { content: text.to_owned().into(), ..AssistantMessage::default() }
}

/// The ids of a reply as rendering it gives them: what stands between the prompt and the next question.
fn rendered_reply(layout: &Layout, message: &AssistantMessage<'_>) -> Vec<u32> {
    let chat = Chat::new([Message::user("?"), Message::Assistant(message.clone())]);
    let prompt = layout.in_mode(Mode::Agnostic).render(&chat).unwrap();
    let ids = prompt.encode(&Bytes).unwrap();
    let end = Bytes.control(Control::EndInst).unwrap();
    ids.into_iter().skip_while(|id| *id != end).skip(1).collect()
}

/// How the model says it: as a tokenizer would, in other pieces, or cut off.
#[derive(Clone, Copy, Debug)]
enum Saying {
    Plainly,
    InPieces,
    CutOff,
}

fn sampled(saying: Saying, rendered: &[u32]) -> Vec<u32> {
    match saying {
        Saying::Plainly => rendered.to_vec(),
        Saying::InPieces => {
            rendered.iter().flat_map(|id| if *id == SPACE_T { vec![1032, 1116] } else { vec![*id] }).collect()
        }
        Saying::CutOff => rendered[..rendered.len() - 1].to_vec(),
    }
}

/// The layouts whose frames are tokens, so that a reply's ids are known.
fn layouts() -> Vec<Layout> {
    arbitrary::layouts().into_iter().filter(|layout| layout.vocabulary.contains(Control::Inst)).collect()
}

proptest! {
    #![proptest_config(arbitrary::cases(150))]

    #[test]
    fn what_was_sampled_stays(
        chat in arbitrary::chat(),
        turns in proptest::collection::vec(
            ("[a-c t]{1,8}[a-c]", "[a-c ]{0,4}", prop::sample::select(vec![Saying::Plainly, Saying::InPieces, Saying::CutOff])),
            1..5,
        ),
    ) {
        'layouts: for layout in layouts() {
            let Ok(mut conversation) = Conversation::new(chat.clone(), &layout, Bytes) else { continue };
            if matches!(chat.messages.last(), Some(Message::Assistant(_))) {
                continue;
            }
            let (mut said, mut plainly) = (Vec::new(), true);
            for (reply, question, saying) in &turns {
                let message = says(reply);
                let ids = sampled(*saying, &rendered_reply(&layout, &message));
                conversation.reply(message.clone(), &ids);
                let before = conversation.ids().to_vec();
                said.extend(ids);
                plainly &= !matches!(saying, Saying::InPieces);
                let question = Message::user(question.clone());
                let Ok(update) = conversation.append([question.clone()]) else {
                    // Calls of the chat that it began with lack their results.
                    let mut whole = conversation.chat().clone();
                    whole.messages.extend([Message::Assistant(message), question]);
                    prop_assert!(layout.render(&whole).is_err(), "{}", layout.name);
                    continue 'layouts;
                };
                let new = update.new_ids;
                prop_assert_eq!(new.end, conversation.ids().len());
                prop_assert_eq!(&conversation.ids()[..new.start], &before[..new.start]);
            }
            let kept: Vec<_> = conversation.ids().iter().zip(conversation.sampled()).filter(|(_, sampled)| **sampled).map(|(id, _)| *id).collect();
            prop_assert_eq!(kept, said, "{}", layout.name);
            if plainly {
                let rendered = layout.render(conversation.chat()).unwrap();
                prop_assert_eq!(conversation.ids(), rendered.encode(&Bytes).unwrap());
                prop_assert!(conversation.drift().unwrap().is_empty());
            }
        }
    }
}

/// The text of a token list, control tokens spelled out.
fn decode(ids: &[u32]) -> String {
    let text = |id: &u32| match *id {
        SPACE_T => " t".to_owned(),
        id if id > 1000 => char::from_u32(id - 1000).unwrap().to_string(),
        id => Control::all().nth(id as usize).unwrap().to_string(),
    };
    ids.iter().map(text).collect()
}

#[test]
fn a_layout_that_moves_the_system_prompt_keeps_what_was_sampled() {
    assert_eq!(Layout::V3.system, System::InUser { turn: UserTurn::Last, join: "\n\n" });
    let chat = Chat::new([Message::system("S"), Message::user("a")]);
    let mut conversation = Conversation::new(chat, &Layout::V3, Bytes).unwrap();
    assert_eq!(decode(conversation.ids()), "<s>[INST] S\n\na[/INST]");
    conversation.reply(says("to"), &[1032, 1116, 1111, EOS]);
    let new = conversation.append([Message::user("b")]).unwrap().new_ids;
    assert_eq!(decode(conversation.ids()), "<s>[INST] a[/INST] to</s>[INST] S\n\nb[/INST]");
    assert_eq!(new.start, 3, "<s>[INST] and the space stay");
    assert!(conversation.ids().windows(4).any(|ids| ids == [1032, 1116, 1111, EOS]), "in the pieces that were sampled");

    let drift = conversation.drift().unwrap();
    assert_eq!((drift[0].message, drift[0].at, &*drift[0].rendered), (2, 0, &[SPACE_T, 1111, EOS][..]));
    assert_eq!(conversation.ids()[drift[0].start..][..4], drift[0].ids);
    assert!(!drift[0].is_in_text(decode));
}

#[test]
fn a_prefix_is_gone_on_with() {
    let chat = Chat::new([Message::user("a"), Message::prefix("Sure")]);
    let mut conversation = Conversation::new(chat, &Layout::V7_TEKKEN, Bytes).unwrap();
    conversation.reply(says("Sure, b"), &[1044, 1032, 1098, EOS]);
    conversation.append([Message::user("c")]).unwrap();
    assert_eq!(decode(conversation.ids()), "<s>[INST]a[/INST]Sure, b</s>[INST]c[/INST]");
    let learnt: Vec<_> = conversation.labelled().labels.into_iter().filter(|label| *label != -100).collect();
    assert_eq!(learnt, [1044, 1032, 1098, 2]);
    assert!(conversation.drift().unwrap().is_empty());
}

#[test]
fn a_prefix_behind_another_message_of_its_turn_is_gone_on_with() {
    for layout in layouts() {
        let chat = Chat::new([Message::user("a"), Message::assistant("b"), Message::prefix("Sure")]);
        let mut conversation = Conversation::new(chat, &layout, Bytes).unwrap();
        let before = conversation.ids().len();
        conversation.reply(says("Sure, b"), &[1044, 1032, 1098, EOS]);
        let update = conversation.append([Message::user("c")]).unwrap();
        assert_eq!((update.kept, update.prefix_break), (before + 4, None), "{}", layout.name);
    }
}

#[test]
fn a_reply_that_was_cut_off_goes_on_or_is_closed() {
    let mut conversation = Conversation::new(Chat::new([Message::user("a")]), &Layout::V7_TEKKEN, Bytes).unwrap();
    conversation.reply(says("b"), &[1098]);
    conversation.reply(says("bc"), &[1099]);
    conversation.append([Message::user("d")]).unwrap();
    assert_eq!(decode(conversation.ids()), "<s>[INST]a[/INST]bc</s>[INST]d[/INST]");
    let sampled: Vec<_> = conversation.sampled().iter().map(|sampled| u8::from(*sampled)).collect();
    assert_eq!(sampled, [0, 0, 0, 0, 1, 1, 0, 0, 0, 0]);
}

#[test]
fn calls_and_results_are_appended() {
    let mut conversation = Conversation::new(Chat::new([Message::user("a")]), &Layout::V13, Bytes).unwrap();
    let call = ToolCall::new("get", "{\"n\":1}").id("1");
    let sampled = {
        let mut ids = vec![9];
        Bytes.text("get", WordStart::Nothing, &mut ids);
        ids.push(21);
        Bytes.text("{\"n\":1}", WordStart::Nothing, &mut ids);
        ids.push(EOS);
        ids
    };
    conversation.reply(AssistantMessage { tool_calls: vec![call], ..AssistantMessage::default() }, &sampled);
    conversation.append([Message::tool("7").answering("1")]).unwrap();
    assert_eq!(
        decode(conversation.ids()),
        "<s>[INST]a[/INST][TOOL_CALLS]get[ARGS]{\"n\":1}</s>[TOOL_RESULTS]7[/TOOL_RESULTS]"
    );
    let drift = &conversation.drift().unwrap()[0];
    assert!(drift.is_in_text(decode), "rendering writes the arguments in another way");
    assert_eq!(decode(&drift.rendered), "[TOOL_CALLS]get[ARGS]{\"n\": 1}</s>");
}

#[test]
fn a_reply_of_the_end_token_alone_is_a_reply() {
    for layout in layouts() {
        let mut conversation = Conversation::new(Chat::new([Message::user("a")]), &layout, Bytes).unwrap();
        let before = conversation.ids().to_vec();
        conversation.reply(AssistantMessage::default(), &[EOS]);
        let update = conversation.append([Message::user("b")]);
        let new = update.unwrap_or_else(|error| panic!("{}: {error}", layout.name)).new_ids;
        let ids = conversation.ids();
        if ids.starts_with(&before) {
            assert_eq!((ids[before.len()], new.start), (EOS, before.len() + 1), "{}", layout.name);
        }
        let learnt = conversation.sampled().iter().filter(|sampled| **sampled).count();
        assert_eq!(learnt, 1, "{}", layout.name);
    }
}

#[test]
fn what_is_refused_leaves_the_conversation_as_it_was() {
    let mut conversation = Conversation::new(Chat::new([Message::user("a")]), &Layout::V7, Bytes).unwrap();
    conversation.reply(says("b"), &[1032, 1098]);
    let before = (conversation.ids().to_vec(), conversation.sampled().to_vec());
    let error = conversation.append([Message::system("c")]).unwrap_err();
    assert_eq!(error.to_string(), "messages[2].role: a system message cannot follow an assistant message (v7)");
    assert_eq!((conversation.ids().to_vec(), conversation.sampled().to_vec()), before);
    conversation.append([Message::user("c")]).unwrap();
    assert_eq!(decode(conversation.ids()), "<s>[INST] a[/INST] b</s>[INST] c[/INST]");
}

/// A layout that ends replies with text, which joins no other run.
#[test]
fn replies_that_end_with_text_are_closed_with_it() {
    let layout = Layout { reply: Frame { open: Mark::Text(""), close: Mark::Text("\n") }, ..Layout::V7_TEKKEN };
    let mut conversation = Conversation::new(Chat::new([Message::user("a")]), &layout, Bytes).unwrap();
    conversation.reply(says("to"), &[1116, 1111]);
    conversation.append([Message::user("b")]).unwrap();
    assert_eq!(decode(conversation.ids()), "<s>[INST]a[/INST]to\n[INST]b[/INST]");
    conversation.reply(says("c"), &[1099, 1010]);
    conversation.append([Message::user("d")]).unwrap();
    assert_eq!(conversation.ids(), layout.render(conversation.chat()).unwrap().encode(&Bytes).unwrap());
    assert!(conversation.drift().unwrap().is_empty());
}

#[test]
fn what_joins_a_reply_is_told() {
    let mut conversation = Conversation::new(Chat::new([Message::user("a")]), &Layout::V7_TEKKEN, Bytes).unwrap();
    conversation.reply(says("b"), &[1098, EOS]);
    conversation.append([Message::assistant("c"), Message::user("d")]).unwrap();
    assert_eq!(decode(conversation.ids()), "<s>[INST]a[/INST]b</s>[INST]d[/INST]");
    let drift = &conversation.drift().unwrap()[0];
    assert_eq!((drift.message, decode(&drift.rendered)), (1, "b\n\nc</s>".to_owned()));
}

/// A tokenizer that must not hear what was sampled.
struct Deaf;

impl Tokenizer for Deaf {
    fn text(&self, text: &str, word_start: WordStart, ids: &mut Vec<u32>) {
        assert!(!text.contains("sampled"), "{text}");
        Bytes.text(text, word_start, ids);
    }

    fn control(&self, control: Control) -> Option<u32> {
        Bytes.control(control)
    }
}

#[test]
fn what_was_sampled_is_never_encoded() {
    for layout in layouts() {
        let chat = Chat::new([Message::system("S"), Message::user("a")]);
        let mut conversation = Conversation::new(chat, &layout, Deaf).unwrap();
        for question in ["b", "c", "d"] {
            conversation.reply(says("sampled"), &[1098, EOS]);
            conversation.append([Message::user(question)]).unwrap();
        }
        let sampled: Vec<_> = conversation.labelled().labels.into_iter().filter(|label| *label != -100).collect();
        assert_eq!(sampled, [1098, 2, 1098, 2, 1098, 2], "{}", layout.name);
    }
}

#[test]
fn each_sampled_id_is_learnt_once() {
    for layout in layouts() {
        let chat = Chat::new([Message::system("S"), Message::user("a")]);
        let mut conversation = Conversation::new(chat, &layout, Bytes).unwrap();
        let (mut said, mut rows, mut ended) = (Vec::new(), Vec::new(), 0);
        for (turn, question) in ["b", "c", "d", "e"].into_iter().enumerate() {
            let ids = [2000 + u32::try_from(turn).unwrap(), EOS];
            conversation.reply(says("sampled"), &ids);
            said.extend(ids);
            let before = conversation.sample();
            let update = conversation.append([Message::user(question)]).unwrap();
            let row = conversation.ended_sample();
            assert_eq!(row.is_some(), update.ends_sample, "{}", layout.name);
            if let Some(row) = row {
                assert_eq!(row, before, "{}: the row as it was read", layout.name);
                rows.push(row);
                ended += 1;
            }
        }
        let moves = layout.system == System::InUser { turn: UserTurn::Last, join: "\n\n" };
        assert_eq!(ended, if moves { 4 } else { 0 }, "{}", layout.name);
        rows.push(conversation.sample());
        let mut learnt: Vec<_> = rows.into_iter().flat_map(|row| row.labels).filter(|label| *label >= 0).collect();
        let mut said: Vec<_> = said.into_iter().map(i64::from).collect();
        learnt.sort_unstable();
        said.sort_unstable();
        assert_eq!(learnt, said, "{}", layout.name);
    }
}

/// What a model can say, with JSON for the arguments of its calls.
fn reply() -> BoxedStrategy<AssistantMessage<'static>> {
    let number = prop_oneof![Just("1"), Just("1.0"), Just("-2e3"), Just("null"), Just("\"é\"")];
    let arguments = (number.clone(), number).prop_map(|(a, b)| format!("{{\"b\": {a}, \"a\": [{b}, {{}}]}}"));
    let call = ("[a-c]{1,3}", arguments, "[a-z0-9]{9}");
    let calls = proptest::collection::vec(call, 1..3).prop_filter("ids differ", |calls| {
        calls.iter().all(|(_, _, id)| calls.iter().filter(|(_, _, other)| other == id).count() == 1)
    });
    let calls = calls.prop_map(|calls| {
        let calls = calls.into_iter().map(|(name, arguments, id)| ToolCall::new(name, arguments).id(id));
        AssistantMessage { tool_calls: calls.collect(), ..AssistantMessage::default() }
    });
    let thinks = ("[a-c t]{1,5}", "[a-c]{1,4}").prop_map(|(thinking, text)| AssistantMessage {
        content: vec![Chunk::thinking(thinking), Chunk::text(text)].into(),
        ..AssistantMessage::default()
    });
    prop_oneof!["[a-c t]{0,6}[a-c]".prop_map(|text| says(&text)), calls, thinks].boxed()
}

/// The reply as a client may keep it: arguments written anew, thinking left out, one text or a list.
fn echo(reply: &AssistantMessage<'static>, way: usize) -> AssistantMessage<'static> {
    let mut echoed = reply.clone();
    for call in &mut echoed.tool_calls {
        let value: serde_json::Value = serde_json::from_str(&call.arguments).unwrap();
        call.arguments = match way % 3 {
            0 => call.arguments.clone(),
            1 => value.to_string().into(),
            _ => serde_json::to_string_pretty(&value).unwrap().into(),
        };
    }
    let text: String = match &reply.content {
        mistral_chat_template::Content::Text(text) => text.to_string(),
        mistral_chat_template::Content::Chunks(chunks) => {
            let text =
                |chunk: &Chunk<'static>| if let Chunk::Text(text) = chunk { text.to_string() } else { String::new() };
            chunks.iter().map(text).collect()
        }
    };
    let has_calls = !reply.tool_calls.is_empty();
    echoed.content = match way % 4 {
        0 => reply.content.clone(),
        1 => text.into(),
        2 if has_calls => Vec::new().into(),
        2 => vec![Chunk::text(text)].into(),
        _ if has_calls => " ".into(),
        _ => text.into(),
    };
    echoed
}

proptest! {
    #![proptest_config(arbitrary::cases(150))]

    /// The ids are those of a conversation that was told what comes next; the client's way to keep replies changes none.
    #[test]
    fn an_echo_is_recognised(turns in proptest::collection::vec((reply(), "[a-c]{1,4}", 0..12_usize), 1..6)) {
        for layout in [Layout::V3, Layout::V7, Layout::V11, Layout::V13.with(Feature::Think), Layout::V15.with(Feature::Think)] {
            let mut client = Chat::new([Message::system("S"), Message::user("a")]);
            let mut updated = Conversation::new(client.clone(), &layout, &Bytes).unwrap();
            let mut appended = Conversation::new(client.clone(), &layout, Bytes).unwrap();
            for (reply, question, way) in &turns {
                let chat = Chat::new([Message::user("?"), Message::Assistant(reply.clone())]);
                let Ok(prompt) = layout.in_mode(Mode::Agnostic).render(&chat) else { continue };
                let ids: Vec<u32> = prompt.encode(&Bytes).unwrap();
                let end = Bytes.control(Control::EndInst).unwrap();
                let said: Vec<u32> = ids.into_iter().skip_while(|id| *id != end).skip(1).collect();
                let said = sampled(Saying::InPieces, &said);
                updated.reply(reply.clone(), &said);
                appended.reply(reply.clone(), &said);
                let results = reply.tool_calls.iter().map(|call| Message::tool("1").answering(call.id.clone().unwrap()));
                let mut next: Vec<_> = results.collect();
                if next.is_empty() {
                    next.push(Message::user(question.clone()));
                }
                let new = next.len();
                client.messages.push(Message::Assistant(echo(reply, *way)));
                client.messages.extend(next.iter().cloned());
                let by_append = appended.append(next).unwrap();
                prop_assert!(updated.goes_on(&client) && updated.shared(&client) == client.messages.len() - new);
                let mut copied = updated.clone();
                prop_assert_eq!(copied.update_from(&client).unwrap(), by_append.clone());
                prop_assert_eq!((copied.ids(), copied.chat()), (appended.ids(), appended.chat()));
                let by_update = updated.update(client.clone()).unwrap();
                prop_assert_eq!(updated.ids(), appended.ids(), "{}: {:?}", layout.name, client);
                prop_assert_eq!(updated.sampled(), appended.sampled());
                prop_assert_eq!(by_update, by_append);
                if !reply.tool_calls.is_empty() {
                    // After results, the model says something before it is asked again.
                    updated.reply(says("ok"), &[1111, 1107, EOS]);
                    appended.reply(says("ok"), &[1111, 1107, EOS]);
                    client.messages.extend([Message::assistant("ok"), Message::user("b")]);
                    let by_append = appended.append([Message::user("b")]).unwrap();
                    prop_assert_eq!(updated.update(client.clone()).unwrap(), by_append);
                }
            }
        }
    }
}

/// A tokenizer that some text makes fail: an image, which it cannot encode.
#[test]
fn what_cannot_be_encoded_leaves_the_conversation_as_it_was() {
    let layout = Layout::V13.with(Feature::Image);
    let mut conversation = Conversation::new(Chat::new([Message::user("a")]), &layout, Bytes).unwrap();
    conversation.reply(says("b"), &[1098, EOS]);
    let image = Message::user(vec![Chunk::image_url("https://example.com/a.png")]);
    assert_eq!(
        conversation.append([image]).unwrap_err().to_string(),
        "messages[2].content: the tokenizer cannot encode image"
    );
    conversation.append([Message::user("c")]).unwrap();
    assert_eq!(decode(conversation.ids()), "<s>[INST]a[/INST]b</s>[INST]c[/INST]");
}

/// A tokenizer that has no id for the end of a question while it is asked not to.
#[derive(Clone, Copy)]
struct Flaky<'f>(&'f std::cell::Cell<bool>);

impl Tokenizer for Flaky<'_> {
    fn text(&self, text: &str, word_start: WordStart, ids: &mut Vec<u32>) {
        Bytes.text(text, word_start, ids);
    }

    fn control(&self, control: Control) -> Option<u32> {
        Tokenizer::control(&Bytes, control).filter(|_| !self.0.get() || control != Control::EndInst)
    }
}

proptest! {
    #![proptest_config(arbitrary::cases(100))]

    /// What fails in the middle leaves no trace: it goes on as one that never failed.
    #[test]
    fn what_fails_is_taken_back(chat in arbitrary::chat(), wrong in arbitrary::chat(), at in 1..4_usize) {
        for layout in arbitrary::layouts() {
            let layout = layout.in_mode(Mode::Agnostic);
            let fails = std::cell::Cell::new(false);
            let first = Chat { messages: chat.messages.iter().take(at).cloned().collect(), ..chat.clone() };
            let Ok(mut failed) = Conversation::new(first, &layout, Flaky(&fails)) else { continue };
            for message in chat.messages.iter().skip(at) {
                let mut never = failed.clone();
                fails.set(true);
                let _ = failed.append(wrong.messages.iter().cloned().chain([Message::user("x")]));
                fails.set(false);
                if failed.chat().messages.len() == never.chat().messages.len() {
                    prop_assert_eq!(failed.ids(), never.ids());
                    prop_assert_eq!(failed.chat(), never.chat());
                    prop_assert!(failed.segments().eq(never.segments()), "{}", layout.name);
                } else {
                    failed = never.clone();
                }
                let expected = never.append([message.clone()]).map_err(|error| error.to_string());
                let appended = failed.append([message.clone()]).map_err(|error| error.to_string());
                prop_assert_eq!(appended, expected, "{}", layout.name);
                prop_assert!(failed.segments().eq(never.segments()), "{}", layout.name);
                prop_assert_eq!(failed.ids(), never.ids());
            }
        }
    }
}
