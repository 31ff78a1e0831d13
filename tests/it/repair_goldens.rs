//! Each mend by itself, with its sentences: `tests/goldens/repair.jsonl`.

use std::collections::{BTreeMap, BTreeSet};

use mistral_chat_template::repair::{
    EmptyReplies, ForeignMedia, ForeignThinking, LastReply, LateSystem, OpenCalls, Repair, RepairKind, RepairPolicy,
    StrayResults, TextBesideCalls,
};
use mistral_chat_template::{Dialect, Format, Layout, Mode, Request};
use serde::Deserialize;
use serde_json::value::RawValue;

#[derive(Deserialize)]
struct Case {
    name: String,
    version: String,
    mode: Option<String>,
    kind: Option<String>,
    #[serde(default)]
    policy: BTreeMap<String, String>,
    request: Box<RawValue>,
    /// Each kind with its sentence.
    #[serde(default)]
    repairs: Vec<(String, String)>,
    #[serde(default)]
    prompt: String,
    error: Option<String>,
}

fn policy(choices: &BTreeMap<String, String>) -> RepairPolicy {
    let mut policy = RepairPolicy::default();
    for (field, choice) in choices {
        let text = || &*choice.clone().leak();
        match (field.as_str(), choice.as_str()) {
            ("open_calls", _) => policy.open_calls = OpenCalls::Answer(text()),
            ("stray_results", "user") => policy.stray_results = StrayResults::AsUser,
            ("text_beside_calls", "drop_calls") => policy.text_beside_calls = TextBesideCalls::DropCalls,
            ("thinking", "text") => policy.thinking = ForeignThinking::AsText,
            ("media", _) => policy.media = ForeignMedia::AsText(text()),
            ("empty_replies", "space") => policy.empty_replies = EmptyReplies::Space,
            ("late_system", "first") => policy.late_system = LateSystem::First,
            ("last_reply", "drop") => policy.last_reply = LastReply::Drop,
            other => panic!("{other:?} is no choice"),
        }
    }
    policy
}

#[test]
fn every_mend_is_made_and_told() {
    let mut kinds = BTreeSet::new();
    for line in include_str!("../goldens/repair.jsonl").lines() {
        let case: Case = serde_json::from_str(line).unwrap();
        let mode = case.mode.as_deref().map_or(Mode::Test, |name| Mode::from_name(name).unwrap());
        let layout = case.version.parse::<Layout>().unwrap().in_mode(mode);
        let dialect = case.kind.as_deref().map_or(Dialect::Legacy, |name| Dialect::from_name(name).unwrap());
        let repaired = Request::repair(case.request.get(), dialect, &layout, &policy(&case.policy));
        if let Some(error) = case.error {
            assert_eq!(repaired.unwrap_err().to_string(), error, "{}", case.name);
            continue;
        }
        let repaired = repaired.unwrap();
        let told = |repair: &Repair| (repair.kind.to_string(), repair.to_string());
        assert_eq!(repaired.repairs.iter().map(told).collect::<Vec<_>>(), case.repairs, "{}", case.name);
        assert_eq!(layout.render(&repaired.request.chat).unwrap().as_str(), case.prompt, "{}", case.name);
        kinds.extend(repaired.repairs.iter().map(|repair| repair.kind));
    }
    let missing: Vec<_> = RepairKind::ALL.iter().filter(|kind| !kinds.contains(kind)).collect();
    assert!(missing.is_empty(), "no golden has {missing:?}");
}
