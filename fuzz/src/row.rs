//! Any text as a row of a data set: it is read, mended and labelled, or refused; what is learnt is what the policy says.

use mistral_chat_template::repair::RepairPolicy;
use mistral_chat_template::train::{
    Labelled, LearntTurns, Marks, Nulls, Row, RowField, RowReader, ThinkTags, TrainingPolicy,
};
use mistral_chat_template::{Format, Mode, Role};

use super::source::Source;
use super::support::{Bytes, assert_is_whole};

pub fn run(data: &[u8]) {
    let (mut head, rest) = Source::with_head(data);
    let layout = head.layout().in_mode(Mode::Finetuning);
    let (reader, policy) = (reader(&mut head), policy(&mut head));
    let Some(json) = rest.whole_text() else { return };
    let mut row = match reader.read(json) {
        Ok(row) => row,
        Err(error) => return assert!(!error.to_string().is_empty()),
    };
    assert_is_sound(&row, json);
    let was_taken = layout.render(&row.chat).is_ok();
    let before = row.clone();
    match row.repair(&layout, &RepairPolicy::for_training()) {
        Ok(repairs) if repairs.is_empty() => {
            assert_eq!((row.prompt_len, &row.marks), (before.prompt_len, &before.marks));
            assert!(was_taken, "nothing was to be mended");
        }
        Ok(_) => {}
        Err(error) => return assert!(!error.to_string().is_empty()),
    }
    let prompt = layout.render(&row.chat).expect("a mended chat is taken");
    assert_is_whole(&prompt, &row.chat);
    let learnt = policy.learnt(&row);
    assert_eq!(learnt.len(), row.chat.messages.len());
    let Ok(mask) = policy.mask(&prompt, &row) else { return };
    for (text, range) in mask.texts().zip(mask.ranges()) {
        assert_eq!(prompt.as_str().get(range.clone()), Some(text));
    }
    for span in prompt.spans() {
        let is_learnt = mask.ranges().iter().any(|range| range.start < span.range.end && span.range.start < range.end);
        if let (true, Some(message)) = (is_learnt, span.message) {
            assert!(learnt[message], "{message} is not to be learnt");
        }
    }
    // Of messages that are one turn, some may be learnt.
    let Ok(labelled) = mask.encode(&Bytes) else { return };
    assert_eq!(labelled.input_ids, prompt.encode(&Bytes).expect("every segment has an id"));
    for (id, label) in labelled.input_ids.iter().zip(&labelled.labels) {
        assert!(*label == Labelled::IGNORED || *label == i64::from(*id));
    }
}

fn assert_is_sound(row: &Row<'_>, json: &str) {
    assert!(row.marks.len() <= row.chat.messages.len());
    assert!(row.prompt_len <= row.chat.messages.len());
    for (_, column) in &row.columns {
        assert!(json.contains(column), "a column is the row's own text");
        assert!(serde_json::from_str::<serde::de::IgnoredAny>(column).is_ok(), "{column}");
    }
    for path in &row.notes.unread {
        assert!(!path.is_empty());
    }
}

fn reader(head: &mut Source<'_>) -> RowReader {
    let reader = RowReader::default()
        .with_nulls(head.pick(&[Nulls::Keep, Nulls::DropInTools, Nulls::DropEverywhere]))
        .with_think_tags(head.pick(&[ThinkTags::AsText, ThinkTags::AsThinking]));
    if head.one_in(4) {
        return reader.with_field(RowField::Messages, "prompt").with_role("a", Role::User);
    }
    reader
}

fn policy(head: &mut Source<'_>) -> TrainingPolicy {
    let turns = [LearntTurns::All, LearntTurns::Last, LearntTurns::LastWithTools, LearntTurns::Everything];
    let choice = head.byte();
    let policy = TrainingPolicy::default().with_turns(turns[usize::from(choice & 3)]);
    let policy = policy.with_marks(if choice & 4 == 0 { Marks::Honour } else { Marks::Ignore });
    if choice & 8 == 0 { policy } else { policy.with_roles([Role::User, Role::Tool]) }
}
