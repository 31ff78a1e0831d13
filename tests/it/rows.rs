//! Rows of data sets, in the shapes that public ones have: what is laid out, what is learnt, what is noticed.

use std::sync::LazyLock;

use mistral_chat_template::repair::RepairPolicy;
use mistral_chat_template::train::Learn;
use mistral_chat_template::train::{Nulls, Row, RowReader, ThinkTags, TrainingPolicy};
use mistral_chat_template::{Chat, Dialect, Format, Layout, Message, Mode};
use proptest::prelude::*;
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

/// A row, and what comes of it.
#[derive(Deserialize)]
struct Case {
    id: String,
    row: Box<RawValue>,
    layout: Option<String>,
    drop_nulls: Option<String>,
    #[serde(default)]
    think_tags: bool,
    text: Option<String>,
    learnt: Option<Vec<String>>,
    rejected_text: Option<String>,
    rejected_learnt: Option<Vec<String>>,
    label: Option<bool>,
    trailing: Option<usize>,
    unread: Option<Vec<String>>,
    nulls_in_tools: Option<usize>,
    nulls_in_arguments: Option<usize>,
    given_ids: Option<usize>,
    answers_left_out: Option<usize>,
    error: Option<String>,
    error_kind: Option<String>,
    at: Option<String>,
}

static CASES: LazyLock<Vec<Case>> = LazyLock::new(|| {
    let lines = include_str!("../goldens/rows.jsonl").lines();
    lines.map(|line| serde_json::from_str(line).unwrap()).collect()
});

impl Case {
    fn reader(&self) -> RowReader {
        let nulls = match self.drop_nulls.as_deref() {
            Some("everywhere") => Nulls::DropEverywhere,
            _ => Nulls::default(),
        };
        let think_tags = if self.think_tags { ThinkTags::AsThinking } else { ThinkTags::AsText };
        RowReader::default().with_nulls(nulls).with_think_tags(think_tags)
    }

    fn layout(&self) -> Layout {
        self.layout.as_deref().unwrap_or("magnum").parse::<Layout>().unwrap().in_mode(Mode::Finetuning)
    }
}

/// The text with the ids that calls were given replaced by what the case has for them.
fn with_named_ids(text: &str, chat: &Chat<'_>) -> String {
    let mut text = text.to_owned();
    let ids = chat.messages.iter().filter_map(|message| match message {
        mistral_chat_template::Message::Assistant(reply) => Some(&reply.tool_calls),
        _ => None,
    });
    let ids: Vec<String> = ids.flatten().filter_map(|call| call.id.as_deref().map(str::to_owned)).collect();
    for (index, id) in ids.iter().filter(|id| *id != "abc123def").enumerate() {
        let name = if ids.len() == 1 { "ID".to_owned() } else { format!("ID{index}") };
        text = text.replace(id, &name);
    }
    text
}

fn laid_out(
    chat: &Chat<'_>,
    layout: &Layout,
    learnt: &[bool],
) -> Result<(String, Vec<String>), mistral_chat_template::Error> {
    let prompt = layout.render(chat)?;
    let learnt = prompt.mask(Learn::Messages(learnt))?.texts().map(|text| with_named_ids(text, chat)).collect();
    Ok((with_named_ids(prompt.as_str(), chat), learnt))
}

#[test]
fn every_row_says_what_it_says() {
    let failed: Vec<_> =
        CASES.iter().filter(|case| std::panic::catch_unwind(|| check(case)).is_err()).map(|case| &case.id).collect();
    assert!(failed.is_empty(), "{failed:?}");
}

fn check(case: &Case) {
    let id = &case.id;
    let row = case.reader().read(case.row.get());
    let result = row.and_then(|mut row| {
        let trailing = row.end_with_reply();
        let learnt = TrainingPolicy::default().learnt(&row);
        laid_out(&row.chat, &case.layout(), &learnt).map(|laid_out| (row, trailing, laid_out))
    });
    let (row, trailing, (text, learnt)) = match result {
        Ok(read) => read,
        Err(error) => {
            assert!(case.text.is_none(), "{id}: {error}");
            if let Some(sentence) = &case.error {
                assert_eq!(&error.to_string(), sentence, "{id}");
            }
            if let Some(kind) = &case.error_kind {
                assert_eq!(error.kind().name(), kind, "{id}: {error}");
            }
            if let Some(at) = &case.at {
                assert_eq!(error.at(), at, "{id}: {error}");
            }
            return;
        }
    };
    assert_eq!(Some(text), case.text, "{id}");
    assert_eq!(Some(learnt), case.learnt, "{id}");
    assert_eq!(row.label, case.label, "{id}");
    assert_eq!(trailing, case.trailing.unwrap_or(0), "{id}");
    check_notes(case, &row);
    check_rejected(case, &row);
}

fn check_notes(case: &Case, row: &Row<'_>) {
    let unread: Vec<String> = row.notes.unread.iter().cloned().collect();
    assert_eq!(unread, case.unread.clone().unwrap_or_default(), "{}", case.id);
    assert_eq!(row.notes.nulls_in_tools, case.nulls_in_tools.unwrap_or(0), "{}", case.id);
    assert_eq!(row.notes.nulls_in_arguments, case.nulls_in_arguments.unwrap_or(0), "{}", case.id);
    assert_eq!(row.notes.given_ids, case.given_ids.unwrap_or(0), "{}", case.id);
    assert_eq!(row.notes.answers_left_out, case.answers_left_out.unwrap_or(0), "{}", case.id);
}

fn check_rejected(case: &Case, row: &Row<'_>) {
    let Some(rejected) = &row.rejected else {
        assert!(case.rejected_text.is_none(), "{}", case.id);
        return;
    };
    let learnt: Vec<bool> = (0..rejected.messages.len()).map(|index| index >= row.prompt_len).collect();
    let (text, learnt) = laid_out(rejected, &case.layout(), &learnt).unwrap();
    assert_eq!(Some(text), case.rejected_text, "{}", case.id);
    assert_eq!(Some(learnt), case.rejected_learnt, "{}", case.id);
}

/// Null is absence: a null for every key that any row has changes nothing.
#[test]
fn the_keys_of_other_rows_change_nothing() {
    let mut top = std::collections::BTreeSet::new();
    for case in &*CASES {
        let row: serde_json::Map<String, Value> = serde_json::from_str(case.row.get()).unwrap();
        top.extend(row.into_iter().map(|(key, _)| key));
    }
    for case in &*CASES {
        let mut row: serde_json::Map<String, Value> = serde_json::from_str(case.row.get()).unwrap();
        for key in &top {
            row.entry(key.clone()).or_insert(Value::Null);
        }
        let with_nulls = serde_json::to_string(&row).unwrap();
        let sorted: serde_json::Map<String, Value> = serde_json::from_str(case.row.get()).unwrap();
        let without = serde_json::to_string(&sorted).unwrap();
        let (with_nulls, without) = (case.reader().read(&with_nulls), case.reader().read(&without));
        match (with_nulls, without) {
            (Ok(one), Ok(other)) => assert_eq!((one.chat, one.notes), (other.chat, other.notes), "{}", case.id),
            (one, other) => assert_eq!(
                one.err().map(|error| error.kind().name()),
                other.err().map(|error| error.kind().name()),
                "{}",
                case.id
            ),
        }
    }
}

/// Changes a row in ways that data sets and attackers have: values of other types, fields cut off, names exchanged.
fn spoilt(json: &str, cut: usize, at: usize, with: &str) -> String {
    let mut spoilt: String = json.chars().take(cut).collect();
    let place = spoilt.char_indices().nth(at).map_or(spoilt.len(), |(index, _)| index);
    spoilt.insert_str(place, with);
    spoilt
}

proptest! {
    /// Whatever comes in, a row or an error comes out, and what comes out holds together.
    #[test]
    fn no_row_breaks_the_reader(
        case in any::<prop::sample::Index>(), cut in 1_usize..2000, at in 0_usize..2000,
        with in prop::sample::select(vec!["", "null", "[", "{", "\"", "0", "\\", "[[]]", "{\"role\": null}", ",", "\u{0}", "1e999", "true,"]),
    ) {
        let json = CASES[case.index(CASES.len())].row.get();
        let json = spoilt(json, cut, at, with);
        for reader in [RowReader::default(), RowReader::default().with_nulls(Nulls::DropEverywhere).with_think_tags(ThinkTags::AsThinking)] {
            let Ok(mut row) = reader.read(&json) else { continue };
            prop_assert_eq!(row.marks.len(), row.chat.messages.len());
            prop_assert!(row.prompt_len <= row.chat.messages.len());
            prop_assert_eq!(TrainingPolicy::default().learnt(&row).len(), row.chat.messages.len());
            row.end_with_reply();
            row.forget_last_call_ids();
            let layout = Layout::MAGNUM.in_mode(Mode::Finetuning);
            if row.repair(&layout, &RepairPolicy::for_training()).is_ok() {
                prop_assert!(row.marks.len() == row.chat.messages.len());
                prop_assert!(layout.render(&row.chat).is_ok());
            }
            let _ = row.cut(|row| Ok::<_, ()>(row.chat.messages.len() < 3));
        }
    }
}

#[test]
fn sharegpt_alone_keeps_tools_and_weights() {
    let row = r#"{"conversations": [{"from": "human", "value": "Hi"}, {"from": "gpt", "value": "Hello!", "train": false}],
        "tools": "[{\"name\": \"w\", \"parameters\": {}}]"}"#;
    let chat = Chat::read(row, Dialect::ShareGpt).unwrap();
    assert_eq!(chat.tools[0].name, "w");
    assert!(matches!(&chat.messages[1], Message::Assistant(reply) if reply.weight == Some(0.0)));
    let weight =
        r#"{"messages": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "A", "weight": true}]}"#;
    assert!(
        matches!(&Chat::from_json(weight).unwrap().messages[1], Message::Assistant(reply) if reply.weight == Some(1.0))
    );
}

/// A row with a field of a reader's own, which changes nothing, is read the long way: the same comes of it.
#[test]
fn plain_rows_are_read_as_any_other() {
    let long = RowReader::default().with_role("nobody", mistral_chat_template::Role::User);
    for case in CASES.iter().filter(|case| case.drop_nulls.is_none() && !case.think_tags) {
        let (one, other) = (RowReader::default().read(case.row.get()), long.read(case.row.get()));
        match (one, other) {
            (Ok(one), Ok(other)) => {
                assert_eq!((one.chat, one.marks, one.notes), (other.chat, other.marks, other.notes), "{}", case.id);
                assert_eq!(one.columns, other.columns, "{}", case.id);
            }
            (one, other) => assert_eq!(one.is_err(), other.is_err(), "{}", case.id),
        }
    }
}

/// A caller's own names stand in the place of the usual ones, its roles beside them.
#[test]
fn a_caller_has_names_of_its_own() {
    use mistral_chat_template::Role;
    use mistral_chat_template::train::RowField;

    let usual = r#"{"messages": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello!"}]}"#;
    let own = r#"{"talk": [{"role": "user", "content": "Hi"}, {"role": "parrot", "content": "Hello!"}]}"#;
    let talk = RowReader::default().with_field(RowField::Messages, "talk");
    talk.read(usual).unwrap_err();
    talk.read(own).unwrap_err();
    let row = talk.with_role("parrot", Role::Assistant).read(own).unwrap();
    assert_eq!(row.chat.messages[1], Message::assistant("Hello!"));

    // A field of the caller's that the row's shape has no place for.
    let better = RowReader::default().with_field(RowField::Chosen, "better");
    let beside = usual.replacen('{', r#"{"better": "Yo", "id": 5, "#, 1);
    let row = better.read(&beside).unwrap();
    assert_eq!(row.notes.unread.iter().collect::<Vec<_>>(), ["better"]);

    // Names that one data set alone has are asked for where the caller has none for the same.
    let flan = r#"{"inputs": "Hi", "targets": "Hello!"}"#;
    RowReader::default().with_field(RowField::Prompt, "ask").read(flan).unwrap_err();
    RowReader::default().with_field(RowField::Completion, "say").read(flan).unwrap_err();
    assert_eq!(better.read(flan).unwrap().chat.messages.len(), 2);
}

#[test]
fn nulls_of_schemas_are_kept_where_that_is_asked() {
    let row = r#"{"messages": [{"role": "user", "content": "a"}],
        "tools": [{"name": "f", "parameters": {"type": "object", "properties": {"a": null}}}]}"#;
    for (nulls, kept) in [(Nulls::Keep, true), (Nulls::DropEverywhere, false)] {
        let row = RowReader::default().with_nulls(nulls).read(row).unwrap();
        assert_eq!(row.chat.tools[0].parameters.as_str().contains("null"), kept);
    }
}
