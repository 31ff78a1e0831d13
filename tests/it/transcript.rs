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
