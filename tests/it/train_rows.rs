//! Rows on their way to a trainer: which messages they say to learn, where they are cut, what is mended, and how they are
//! packed.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may")]

use mistral_chat_template::repair::{RepairPolicy, StrayResults};
use mistral_chat_template::train::{
    Labelled, Learn, LearntTurns, Marks, Packed, Packer, Row, RowReader, TrainingPolicy,
};
use mistral_chat_template::{AssistantMessage, Chat, Error, Format, Layout, Message, Mode, Role, Tool, ToolCall};

fn weighted(text: &'static str, weight: f64) -> Message<'static> {
    let message = AssistantMessage { content: text.into(), weight: Some(weight), ..AssistantMessage::default() };
    Message::Assistant(message)
}

/// A question and a reply, this many times.
fn exchanges(number: usize) -> Row<'static> {
    let exchange = |n| [Message::user(format!("q{n}")), Message::assistant(format!("a{n}"))];
    Row::new(Chat::new((0..number).flat_map(exchange)))
}

#[test]
fn names_make_a_policy() {
    let policy = |roles: &[Role], marks, turns| {
        TrainingPolicy::default().with_roles(roles.to_vec()).with_marks(marks).with_turns(turns)
    };
    use LearntTurns::{All, Everything, Last, LastWithTools};
    use Marks::{Honour, Ignore};
    let assistant = [Role::Assistant];
    for (names, expected) in [
        ("weighted", policy(&assistant, Honour, All)),
        ("assistant", policy(&assistant, Ignore, All)),
        ("assistant, weighted", policy(&assistant, Honour, All)),
        ("last", policy(&assistant, Honour, Last)),
        ("mistral-finetune", policy(&assistant, Honour, LastWithTools)),
        ("everything", policy(&assistant, Honour, Everything)),
        ("system,user , tool", policy(&[Role::System, Role::User, Role::Tool], Ignore, All)),
        ("user,last", policy(&[Role::User], Ignore, Last)),
    ] {
        assert_eq!(names.parse::<TrainingPolicy>().unwrap(), expected, "{names}");
    }
    let error = "assistant,model".parse::<TrainingPolicy>().unwrap_err();
    assert_eq!(
        error.to_string(),
        "\"model\" cannot be learnt; there are weighted, last, mistral-finetune, everything, system, user, assistant, tool"
    );
    assert_eq!(TrainingPolicy::default(), policy(&assistant, Honour, All));
}

#[test]
fn a_policy_says_which_messages_are_learnt() {
    let mut row = exchanges(2);
    let learnt = |row: &Row<'_>, turns| TrainingPolicy::default().with_turns(turns).learnt(row);
    let (both, last) = ([false, true, false, true], [false, false, false, true]);
    assert_eq!(learnt(&row, LearntTurns::All), both);
    assert_eq!(learnt(&row, LearntTurns::Last), last);
    assert_eq!(learnt(&row, LearntTurns::LastWithTools), both);
    assert_eq!(learnt(&row, LearntTurns::Everything), [true; 4]);
    row.only_last = true;
    assert_eq!(learnt(&row, LearntTurns::All), last);
    assert_eq!(learnt(&row, LearntTurns::LastWithTools), last);
    row.only_last = false;
    row.chat.tools.push(Tool { name: "f".into(), ..Tool::default() });
    assert_eq!(learnt(&row, LearntTurns::All), both);
    assert_eq!(learnt(&row, LearntTurns::LastWithTools), last);
    row.prompt_len = 2;
    assert_eq!(learnt(&row, LearntTurns::All), last);
    row.marks = vec![Some(true), None, Some(true), Some(false)];
    assert_eq!(learnt(&row, LearntTurns::All), [false, false, true, false]);
    let ignoring = TrainingPolicy::default().with_marks(Marks::Ignore);
    assert_eq!(ignoring.learnt(&row), last);
}

#[test]
fn weights_are_marks() {
    let row = Row::new(Chat::new([
        Message::system("s"),
        Message::user("a"),
        weighted("b", 0.0),
        Message::user("c"),
        weighted("d", 1.0),
        weighted("e", 0.5),
        Message::assistant("f"),
    ]));
    assert_eq!(row.marks, [None, None, Some(false), None, Some(true), Some(true), None]);
}

#[test]
fn what_cannot_be_learnt_is_told_with_its_reason() {
    let layout = Layout::V7.in_mode(Mode::Agnostic);
    let (question, reply) = (Message::user("a"), weighted("b", 0.0));
    let (asked, answered) = (Chat::new([question.clone()]), Chat::new([question, reply]));
    let reason = |chat: &Chat<'_>, learn: Learn<'_>| {
        let error = layout.render(chat).unwrap().mask(learn).unwrap_err();
        error.to_string().split_once(": ").unwrap().1.to_owned()
    };
    let no_turn = "the prompt holds no assistant turn";
    assert_eq!(reason(&answered, Learn::Weighted(&answered)), "all assistant messages have the weight 0");
    assert_eq!(reason(&asked, Learn::Weighted(&asked)), no_turn);
    assert_eq!(reason(&answered, Learn::Messages(&[false, false])), "no message of the prompt is to be learnt");
    assert_eq!(reason(&asked, Learn::Messages(&[false])), no_turn);
    assert_eq!(reason(&asked, Learn::Assistant), no_turn);
    assert_eq!(reason(&asked, Learn::LastTurn), no_turn);
}

#[test]
fn ranges_are_counted_in_characters_too() {
    let texts = ["Grüße", "Jä", "日本", "é"];
    let message = |(at, text): (usize, &&'static str)| match at % 2 {
        0 => Message::user(*text),
        _ => Message::assistant(*text),
    };
    let chat = Chat::new(texts.iter().enumerate().map(message));
    let prompt = Layout::V7.in_mode(Mode::Agnostic).render(&chat).unwrap();
    let mask = prompt.mask(Learn::Assistant).unwrap();
    let chars: Vec<char> = prompt.as_str().chars().collect();
    let learnt: Vec<String> = mask.char_ranges().into_iter().map(|range| chars[range].iter().collect()).collect();
    assert_eq!(learnt, mask.texts().collect::<Vec<_>>());
    assert_eq!(learnt, [" Jä</s>", " é</s>"]);
}

#[test]
fn a_row_that_is_too_long_is_cut_behind_the_longest_end_that_fits() {
    for number in [1, 2, 3, 8, 100] {
        let row = exchanges(number);
        let all = row.chat.messages.len();
        for longest in 0..=all {
            let (mut cut, mut asked) = (row.clone(), 0);
            let fits = |row: &Row<'_>| {
                asked += 1;
                assert_eq!(row.marks.len(), row.chat.messages.len());
                Ok::<_, Error>(row.chat.messages.len() <= longest)
            };
            let dropped = cut.cut(fits).unwrap();
            let kept = if longest >= all { all } else { longest / 2 * 2 };
            assert_eq!(dropped, (kept > 0).then(|| all - kept), "{number} exchanges, {longest} messages fit");
            if kept > 0 {
                assert_eq!(cut.chat.messages, row.chat.messages[..kept]);
            } else {
                assert_eq!(cut.chat, row.chat, "what cannot be cut stays");
            }
            assert!(asked <= 2 + number.ilog2() as usize, "{asked} prompts laid out for {number} exchanges");
        }
    }
}

#[test]
fn the_prompt_of_an_answer_is_not_cut() {
    let too_long = |_: &Row<'_>| Ok::<_, Error>(false);
    let mut prompted = exchanges(3);
    prompted.prompt_len = 1;
    assert_eq!(prompted.cut(too_long).unwrap(), None);
    let shorter = |row: &Row<'_>| Ok::<_, Error>(row.chat.messages.len() < 6);
    assert_eq!(prompted.cut(shorter).unwrap(), None);
    let mut preferred = exchanges(3);
    preferred.rejected = Some(exchanges(1).chat);
    assert_eq!(preferred.cut(shorter).unwrap(), None);
    assert_eq!(exchanges(3).cut(shorter).unwrap(), Some(2));
    assert_eq!(exchanges(3).cut(|_| Err("no tokenizer")), Err("no tokenizer"));
}

fn labelled(ids: std::ops::Range<u32>) -> Labelled {
    let mut row = Labelled::default();
    row.labels.extend(ids.clone().map(|id| if id % 2 == 0 { i64::from(id) } else { Labelled::IGNORED }));
    row.input_ids.extend(ids);
    row
}

#[test]
fn rows_are_packed_up_to_the_length() {
    let mut packer = Packer::new(6);
    assert_eq!(packer.add(labelled(1..3)), None);
    assert_eq!(packer.add(labelled(3..7)), None, "six of six");
    let full = packer.add(labelled(7..8)).unwrap();
    let whole = |packed: &Packed| (packed.rows.clone(), packed.position_ids.clone(), packed.starts.clone());
    assert_eq!(whole(&full), (labelled(1..7), vec![0, 1, 0, 1, 2, 3], vec![0, 2]));
    let longer = packer.add(labelled(8..16)).unwrap();
    assert_eq!(whole(&longer), (labelled(7..8), vec![0], vec![0]));
    let alone = packer.add(labelled(16..18)).unwrap();
    assert_eq!(whole(&alone), (labelled(8..16), (0..8).collect(), vec![0]), "a longer row is a sequence by itself");
    let rest = packer.finish().unwrap();
    assert_eq!(whole(&rest), (labelled(16..18), vec![0, 1], vec![0]));
    assert_eq!(packer.finish(), None);
    assert_eq!(Packer::new(6).finish(), None);
}

fn calling(ids: &[Option<&'static str>]) -> Message<'static> {
    let call = |id: &Option<&'static str>| match id {
        Some(id) => ToolCall::new("f", "{}").id(*id),
        None => ToolCall::new("f", "{}"),
    };
    Message::calls(ids.iter().map(call))
}

fn ids(chat: &Chat<'_>) -> Vec<Option<String>> {
    let Some(Message::Assistant(reply)) = chat.messages.last() else { return Vec::new() };
    reply.tool_calls.iter().map(|call| call.id.as_deref().map(str::to_owned)).collect()
}

#[test]
fn ids_of_last_calls_are_forgotten_and_given() {
    let chat = |ids: &[_]| Chat::new([Message::user("a"), calling(ids)]);
    let mut row = Row::new(chat(&[Some("1"), Some("2"), None]));
    row.rejected = Some(chat(&[Some("3"), None]));
    assert_eq!(row.forget_last_call_ids(), 3);
    assert_eq!(ids(&row.chat), [None, None, None]);
    assert_eq!(ids(row.rejected.as_ref().unwrap()), [None, None]);
    assert_eq!(row.forget_last_call_ids(), 0);

    for layout in [Layout::V1, Layout::V2, Layout::V3, Layout::V3_TEKKEN, Layout::V7, Layout::V11, Layout::V11] {
        assert_eq!(row.clone().give_unprinted_ids(&layout), 0, "{}", layout.name);
    }
    for layout in [Layout::V13, Layout::V15] {
        let mut given = row.clone();
        let Some(Message::Assistant(reply)) = given.chat.messages.last_mut() else { panic!() };
        reply.tool_calls[1].id = Some("own".into());
        assert_eq!(given.give_unprinted_ids(&layout), 4, "{}", layout.name);
        assert_eq!(ids(&given.chat)[1].as_deref(), Some("own"));
        for chat in [&given.chat, given.rejected.as_ref().unwrap()] {
            let ids = ids(chat);
            assert!(ids.iter().flatten().all(|id| id == "own" || id.len() == 9), "{ids:?}");
            let mut different: Vec<_> = ids.iter().flatten().collect();
            different.sort();
            different.dedup();
            assert_eq!(different.len(), ids.len(), "{ids:?}");
            assert!(layout.in_mode(Mode::Finetuning).render(chat).is_ok());
        }
    }
    let unanswered = Row::new(Chat::new([Message::user("a")]));
    assert_eq!(unanswered.clone().forget_last_call_ids() + unanswered.clone().give_unprinted_ids(&Layout::V13), 0);
}

#[test]
fn what_follows_the_last_reply_is_left_out() {
    let mut row = exchanges(2);
    row.chat.messages.extend([Message::user("c"), Message::user("d")]);
    row.marks.resize(6, Some(true));
    assert_eq!(row.end_with_reply(), 2);
    assert_eq!((row.chat.messages.len(), row.marks.len()), (4, 4));
    assert_eq!(row.end_with_reply(), 0);
    assert_eq!(Row::new(Chat::new([Message::user("a")])).end_with_reply(), 0);
}

#[test]
fn a_mended_row_learns_what_it_learnt() {
    let policy = RepairPolicy::for_training();
    assert_eq!(policy.stray_results, StrayResults::AsUser);
    // A result without a call becomes a user message, so that three messages are one turn.
    let stray = || {
        Chat::new([
            Message::user("a"),
            Message::assistant("b"),
            Message::tool("7").answering("call00001"),
            Message::assistant("c"),
            Message::user("d"),
            Message::assistant("e"),
        ])
    };
    let layout = Layout::V7.in_mode(Mode::Finetuning);
    let learnt = |row: &Row<'_>| {
        let prompt = layout.render(&row.chat).unwrap();
        let mask = TrainingPolicy::default().mask(&prompt, row).unwrap();
        mask.texts().map(str::to_owned).collect::<Vec<_>>()
    };
    let mended = |marks: &[Option<bool>], prompt_len| {
        let mut row = Row::new(stray());
        row.prompt_len = prompt_len;
        row.marks = marks.to_vec();
        let repairs = row.repair(&layout, &policy).unwrap();
        assert!(!repairs.is_empty());
        assert_eq!(row.marks.len(), row.chat.messages.len());
        row
    };
    let all = mended(&[], 0);
    assert_eq!(all.prompt_len, 0);
    assert_eq!(learnt(&all), [" b</s>", " c</s>", " e</s>"]);
    let marked = mended(&[None, Some(false), None, Some(true), None, None], 0);
    assert_eq!(learnt(&marked), [" c</s>", " e</s>"]);
    let prompted = mended(&[None, Some(true)], 5);
    assert_eq!(prompted.prompt_len, 5);
    assert_eq!(learnt(&prompted), [" e</s>"]);
    let inner = mended(&[], 3);
    assert_eq!(inner.prompt_len, 3, "the user message that the result became is of the prompt");
    assert_eq!(learnt(&inner), [" c</s>", " e</s>"]);

    let mut fine = exchanges(2);
    fine.marks = vec![None, Some(false)];
    fine.prompt_len = 1;
    assert!(fine.repair(&layout, &policy).unwrap().is_empty());
    assert_eq!((fine.prompt_len, fine.marks.clone()), (1, vec![None, Some(false)]), "nothing to mend, nothing changed");
}

#[test]
fn the_prompt_of_two_answers_is_what_they_have_in_common() {
    let layout = Layout::V7.in_mode(Mode::Finetuning);
    let stray = Message::tool("7").answering("call00001");
    let begun = |last: Message<'static>| Chat::new([Message::user("a"), Message::assistant("b"), stray.clone(), last]);
    for (chosen, rejected, prompt_len) in [
        (begun(Message::assistant("c")), begun(Message::assistant("d")), 3),
        (begun(Message::assistant("c")), Chat::new([Message::user("a"), Message::assistant("d")]), 1),
        (begun(Message::assistant("c")), Chat::new([Message::user("z"), Message::assistant("d")]), 0),
    ] {
        let mut row = Row::new(chosen);
        (row.rejected, row.prompt_len) = (Some(rejected), 3);
        row.repair(&layout, &RepairPolicy::for_training()).unwrap();
        assert_eq!(row.prompt_len, prompt_len, "{:?}", row.rejected);
        assert!(layout.render(row.rejected.as_ref().unwrap()).is_ok());
    }
}

#[test]
fn a_row_that_was_read_is_learnt_by_its_marks() {
    let json = r#"{"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b", "weight": 0},
        {"role": "user", "content": "c"}, {"role": "assistant", "content": "d", "weight": 1}]}"#;
    let row = RowReader::default().read(json).unwrap();
    let prompt = Layout::V7.in_mode(Mode::Finetuning).render(&row.chat).unwrap();
    let mask = |policy: &str| {
        let policy: TrainingPolicy = policy.parse().unwrap();
        policy.mask(&prompt, &row).unwrap().texts().map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(mask("weighted"), [" d</s>"]);
    assert_eq!(mask("assistant"), [" b</s>", " d</s>"]);
    assert_eq!(mask("everything"), [prompt.as_str()]);
}
