//! Versions are found in names, tokenizer files and GGUF keys, and refused where they are not to be found.

use mistral_chat_template::version::{Certainty, DetectError, Detection, Feature};
use mistral_chat_template::{Layout, Version};
use proptest::prelude::*;
use std::fs;

/// Rows of `name, label or -, certainty or kind of refusal`, without the comments.
fn names() -> Vec<(String, String, String)> {
    let goldens = fs::read_to_string("tests/goldens/version/names.tsv").unwrap_or_default();
    let rows = goldens.lines().filter(|line| !line.starts_with('#'));
    rows.map(|line| {
        let mut columns = line.split('\t').map(str::to_owned);
        let mut next = || columns.next().unwrap_or_default();
        (next(), next(), next())
    })
    .collect()
}

fn kind(error: &DetectError) -> &'static str {
    match error {
        DetectError::Unknown { .. } => "unknown",
        DetectError::Undecided { .. } => "undecided",
        DetectError::Foreign { .. } => "foreign",
        DetectError::Conflict { .. } => "conflict",
        _ => "another",
    }
}

#[test]
fn names_as_found_in_the_wild() {
    let names = names();
    assert!(names.len() >= 250);
    let mut wrong = Vec::new();
    for (name, label, outcome) in names {
        let found = match Detection::from_model_name(&name) {
            Ok(found) => (format!("{}{}", found.version, found.features), found.certainty.to_string()),
            Err(error) => ("-".to_owned(), kind(&error).to_owned()),
        };
        if found != (label.clone(), outcome.clone()) {
            wrong.push(format!("{name}: {found:?}, not {label} {outcome}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_version_has_a_name_in_the_goldens() {
    let labels: Vec<_> = names().into_iter().map(|(_, label, _)| label).collect();
    for version in Version::ALL {
        let legal_only = matches!(version, Version::V1Tekken | Version::V2Tekken);
        let named = labels.iter().any(|label| label.split('+').next() == Some(version.name()));
        assert_eq!(named, !legal_only, "{version}");
    }
}

#[test]
fn a_layout_has_the_name_of_its_version() {
    for version in Version::ALL {
        assert_eq!(version.layout().name, version.name());
        assert_eq!(version.name().parse::<Layout>().unwrap(), version.layout());
    }
}

#[test]
fn case_and_separators_make_no_difference() {
    for (name, ..) in names() {
        let expected = Detection::from_model_name(&name).map(|found| (found.version, found.certainty));
        for variant in [name.to_uppercase(), name.to_lowercase(), name.replace('-', "_"), format!(" {name} ")] {
            if variant.contains("models__") || variant.contains("MODELS--") {
                continue;
            }
            let found = Detection::from_model_name(&variant).map(|found| (found.version, found.certainty));
            match (&expected, found) {
                (Ok(expected), Ok(found)) => assert_eq!(found, *expected, "{variant}"),
                (Err(expected), Err(found)) => {
                    assert_eq!(kind(&found), kind(expected), "{variant}")
                }
                (_, found) => panic!("{variant}: {found:?}, not {expected:?}"),
            }
        }
    }
}

#[test]
fn a_version_is_read_from_a_name_unless_it_is_a_relative_s() {
    for (name, label, certainty) in names() {
        let version: Result<Version, _> = name.parse();
        match (label.split('+').next(), certainty.as_str()) {
            (Some("-"), _) => assert!(version.is_err(), "{name}"),
            (_, "indirect") => {
                assert!(matches!(version, Err(DetectError::Derived { .. })), "{name}");
            }
            (label, _) => assert_eq!(version.map(Version::name).ok(), label, "{name}"),
        }
    }
}

#[test]
fn a_name_may_be_as_long_as_a_path() {
    let path = |length: usize| format!("{}/Mistral-7B-v0.3", "a".repeat(length - "/Mistral-7B-v0.3".len()));
    assert_eq!(path(4096).parse(), Ok(Version::V3));
    assert!(matches!(path(4097).parse::<Version>(), Err(DetectError::Unknown { .. })));
}

#[track_caller]
fn evidence(name: &str, expected: &str) {
    let found = Detection::from_model_name(name).map(|found| found.evidence);
    assert_eq!(found, Ok(expected.to_owned()));
}

#[test]
fn evidence_says_what_was_seen_and_who_says_so() {
    evidence(
        "mistralai/Mistral-Large-Instruct-2411",
        "\"Mistral-Large-Instruct-2411\" names Mistral-Large-Instruct-2411, which Mistral lists as v7",
    );
    evidence(
        "mistral-small-2501",
        "\"mistral-small-2501\" names Mistral-Small-24B-Instruct-2501, whose public files are v7-tekken",
    );
    evidence(
        "anthracite-org/magnum-v2-123b",
        "\"magnum-v2-123b\" names Magnum-123B, whose card gives the magnum layout",
    );
    evidence(
        "mistral-small-2409",
        "\"mistral-small-2409\" names Mistral-Small-Instruct-2409: Mistral's documentation lists it as v3, as its \
         vocabulary of 32768 tokens does, but a table in Mistral's code says v3-tekken",
    );
    evidence(
        "Mistral-Small-22B-ArliAI-RPMax-v1.1",
        "\"Mistral-Small-22B-ArliAI-RPMax-v1.1\" names Mistral-Small-Instruct-2409: Mistral's documentation lists it as \
         v3, as its vocabulary of 32768 tokens does, but a table in Mistral's code says v3-tekken; \
         beyond that name it has \"arliai\" and 2 more words, so it is a derived model and may have another layout",
    );
    evidence(
        "mistral-nemo:latest",
        "\"mistral-nemo:latest\" names Mistral-Nemo-Instruct-2407, which Mistral lists as v3-tekken; \"latest\" may come \
         to name another model",
    );
}

const VERSIONS: &str = "v1, v1-tekken, v2, v2-tekken, v3, v3-tekken, v7, v7-tekken, v11, v13, v15, magnum";

#[track_caller]
fn refused(name: &str, expected: &str) {
    let message = Detection::from_model_name(name).map_err(|error| error.to_string());
    assert_eq!(message, Err(expected.to_owned()));
}

#[test]
fn refusals_say_what_was_seen_and_what_there_is() {
    refused(
        "meta-llama/Llama-3.1-8B",
        &format!(
            "\"meta-llama/Llama-3.1-8B\" is neither a version nor a known Mistral model; the versions are {VERSIONS}"
        ),
    );
    refused(
        "mistral-large-latest",
        &format!(
            "\"mistral-large-latest\" does not settle the version: mistral-large-2402 is v2, \
             Mistral-Large-Instruct-2407 is v3, Mistral-Large-Instruct-2411 is v7, Mistral-Large-3-675B-Instruct-2512 \
             is v13; name one of {VERSIONS}"
        ),
    );
    refused(
        "mistralai/Mistral-7B-Instruct",
        &format!(
            "\"Mistral-7B-Instruct\" does not settle the version: Mistral-7B-v0.1 is v1, Mistral-7B-v0.2 is v1, \
             Mistral-7B-v0.3 is v3; name one of {VERSIONS}"
        ),
    );
    refused(
        "Mistral-Nemo-Instruct-2507",
        &format!(
            "\"Mistral-Nemo-Instruct-2507\" does not settle the version: the date 2507 is not that of \
             Mistral-Nemo-Instruct-2407; name one of {VERSIONS}"
        ),
    );
    refused(
        "magnum-v2-72b",
        "\"magnum-v2-72b\" has none of these layouts: of the Magnum models only those of 123B, over Mistral Large 2407, \
         are known to use the magnum layout",
    );
    refused(
        "Mistral-Large-2407-2411-slerp",
        "the evidence disagrees: \"Mistral-Large-2407-2411-slerp\" names Mistral-Large-Instruct-2407, which Mistral lists \
         as v3, but it names Mistral-Large-Instruct-2411, which Mistral lists as v7, too",
    );
}

#[track_caller]
fn gguf(keys: &[(&str, &str)], label: &str, certainty: Certainty, evidence: &str) {
    let found = Detection::from_gguf(keys.iter().copied()).map(|found| {
        let label = format!("{}{}", found.version, found.features);
        (label, found.certainty, found.evidence)
    });
    assert_eq!(found, Ok((label.to_owned(), certainty, evidence.to_owned())));
}

#[test]
fn a_gguf_file_s_vocabulary_confirms_its_name() {
    gguf(
        &[
            ("general.architecture", "llama"),
            ("general.name", "Mistral Large Instruct 2407"),
            ("general.file_type", "15"),
            ("tokenizer.ggml.model", "llama"),
            ("tokenizer.ggml.pre", "default"),
        ],
        "v3",
        Certainty::Listed,
        "\"Mistral Large Instruct 2407\" names Mistral-Large-Instruct-2407, which Mistral lists as v3; \
         tokenizer.ggml.model \"llama\" is SentencePiece, as it should be",
    );
    gguf(
        &[("general.name", "Magnum v2 123b"), ("tokenizer.ggml.model", "llama")],
        "magnum",
        Certainty::Listed,
        "\"Magnum v2 123b\" names Magnum-123B, whose card gives the magnum layout; tokenizer.ggml.model \"llama\" is \
         SentencePiece, as it should be",
    );
    gguf(
        &[("general.name", "Mistral Nemo Instruct 2407")],
        "v3-tekken",
        Certainty::Listed,
        "\"Mistral Nemo Instruct 2407\" names Mistral-Nemo-Instruct-2407, which Mistral lists as v3-tekken",
    );
}

#[test]
fn a_gguf_file_s_vocabulary_settles_a_dispute() {
    let note = "Mistral's documentation lists it as v3, as its vocabulary of 32768 tokens does, but a table in Mistral's \
                code says v3-tekken";
    for (model, label, backend) in [("llama", "v3", "SentencePiece"), ("gpt2", "v3-tekken", "Tekken")] {
        gguf(
            &[("general.name", "Mistral Small Instruct 2409"), ("tokenizer.ggml.model", model)],
            label,
            Certainty::Listed,
            &format!(
                "\"Mistral Small Instruct 2409\" names Mistral-Small-Instruct-2409: {note}; tokenizer.ggml.model \
                 {model:?} is {backend} and settles it"
            ),
        );
    }
}

#[test]
fn a_gguf_file_s_vocabulary_makes_no_relative_the_model() {
    gguf(
        &[("general.name", "Mistral Small 22B ArliAI"), ("tokenizer.ggml.model", "llama")],
        "v3",
        Certainty::Indirect,
        "\"Mistral Small 22B ArliAI\" names Mistral-Small-Instruct-2409: Mistral's documentation lists it as v3, as its \
         vocabulary of 32768 tokens does, but a table in Mistral's code says v3-tekken; beyond that name it has \
         \"arliai\", so it is a derived model and may have another layout; tokenizer.ggml.model \"llama\" is \
         SentencePiece, as it should be",
    );
}

#[test]
fn only_a_base_model_s_name_or_address_is_its_name() {
    for key in ["general.base_model.0.description", "general.base_model.latest.name", "general.source.url"] {
        gguf_refused(
            &[("general.name", "Cydonia"), (key, "Mistral-Small-3.2-24B-Instruct-2506")],
            &format!("\"Cydonia\" is neither a version nor a known Mistral model; the versions are {VERSIONS}"),
        );
    }
}

#[test]
fn a_gguf_file_s_name_may_stand_in_its_parts_or_its_base() {
    gguf(
        &[
            ("general.name", "1.6"),
            ("general.basename", "Mistral-Small-3.1"),
            ("general.finetune", "Instruct"),
            ("general.version", "2503"),
            ("general.size_label", "24B"),
        ],
        "v7-tekken+image",
        Certainty::Inferred,
        "\"Mistral-Small-3.1-Instruct-2503-24B\" names Mistral-Small-3.1-24B-Instruct-2503, whose public files are \
         v7-tekken",
    );
    gguf(
        &[
            ("general.name", "Cydonia 24B"),
            ("general.base_model.count", "1"),
            ("general.base_model.0.name", "Mistral Small 3.2 24B Instruct 2506"),
            ("general.base_model.0.repo_url", "https://huggingface.co/mistralai/Mistral-Small-3.2-24B-Instruct-2506"),
            ("tokenizer.ggml.model", "gpt2"),
            ("tokenizer.ggml.pre", "tekken"),
        ],
        "v11+image",
        Certainty::Indirect,
        "\"Mistral Small 3.2 24B Instruct 2506\" names Mistral-Small-3.2-24B-Instruct-2506, which Mistral lists as v11; \
         tokenizer.ggml.model \"gpt2\" is Tekken, as it should be; that is the base model, and this one may have another \
         layout",
    );
}

#[test]
fn a_chat_template_is_weak_evidence() {
    let template = "{{ bos_token }}[SYSTEM_PROMPT]{{ s }}[/SYSTEM_PROMPT][INST]{{ u }}[/INST]";
    gguf(
        &[
            ("general.name", "models"),
            ("tokenizer.ggml.model", "gpt2"),
            ("tokenizer.ggml.pre", "tekken"),
            ("tokenizer.chat_template", template),
        ],
        "v7-tekken",
        Certainty::Indirect,
        "no name helps, but the chat template has [SYSTEM_PROMPT], and tokenizer.ggml.model \"gpt2\" is Tekken",
    );
    gguf(
        &[("tokenizer.chat_template", "[INST][ARGS]")],
        "v13",
        Certainty::Indirect,
        "no name helps, but the chat template has [ARGS], and every version that has it is over Tekken",
    );
    gguf(
        &[("general.name", "Mistral 7B Instruct v0.3"), ("tokenizer.chat_template", template)],
        "v3",
        Certainty::Disputed,
        "\"Mistral 7B Instruct v0.3\" names Mistral-7B-v0.3, which Mistral lists as v3; but the chat template has \
         [SYSTEM_PROMPT], which v3 lacks",
    );
}

#[test]
fn a_chat_template_of_its_own_time_disputes_nothing() {
    let name = "Mistral Small 24B Instruct 2501";
    let names = "\"Mistral Small 24B Instruct 2501\" names Mistral-Small-24B-Instruct-2501, whose public files are \
                 v7-tekken";
    for template in ["[SYSTEM_PROMPT]{{ s }}[INST]", "[INST]{{ '<|im_start|>' }}"] {
        gguf(&[("general.name", name), ("tokenizer.chat_template", template)], "v7-tekken", Certainty::Inferred, names);
    }
    gguf_refused(
        &[("general.name", name), ("tokenizer.chat_template", "[INST] <<SYS>>{{ s }}")],
        "\"<<SYS>>\" has none of these layouts: the chat template is built on this token",
    );
}

#[track_caller]
fn tekken(json: &str, label: &str) {
    let found = Detection::from_tekken_header(json).map(|found| format!("{}{}", found.version, found.features));
    assert_eq!(found, Ok(label.to_owned()));
}

#[test]
fn a_tekken_file_has_the_features_that_it_names() {
    let grid = r#"{"image_patch_size": 14, "max_image_size": 1540, "spatial_merge_size": 2}"#;
    tekken(&format!(r#"{{"config": {{"version": "v11"}}, "special_tokens": [], "multimodal": {grid}}}"#), "v11+image");
    for (tokens, label) in [
        (r#"[{"token_str": "[THINK]"}, {"token_str": "[/THINK]"}]"#, "v13+think"),
        (r#"[{"token_str": "[THINK]"}, {"token_str": "[INST]"}]"#, "v13"),
        (r#"[{"token_str": "[INST]"}, {"token_str": "[/THINK]"}]"#, "v13"),
    ] {
        tekken(&format!(r#"{{"config": {{"version": "v13"}}, "special_tokens": {tokens}}}"#), label);
    }
    let error = Detection::from_tekken_header(r#"{"config": {"version": "v13"}, "special_tokens": 5}"#).unwrap_err();
    assert!(error.to_string().contains("invalid type: integer `5`, expected a list of special tokens"), "{error}");
    let error = Detection::from_tekken_header(r#"{"config": {"version": "v15"}, "model_settings_builder": 5}"#);
    assert!(error.unwrap_err().to_string().contains("expected an object or null"));
}

#[track_caller]
fn gguf_refused(keys: &[(&str, &str)], expected: &str) {
    let message = Detection::from_gguf(keys.iter().copied()).map_err(|error| error.to_string());
    assert_eq!(message, Err(expected.to_owned()));
}

#[test]
fn a_gguf_file_s_contradictions_are_refused() {
    let nemo = ("general.name", "Mistral Nemo Instruct 2407");
    gguf_refused(
        &[nemo, ("tokenizer.ggml.model", "llama")],
        "the evidence disagrees: \"Mistral Nemo Instruct 2407\" names Mistral-Nemo-Instruct-2407, which Mistral lists as \
         v3-tekken, but tokenizer.ggml.model \"llama\" is SentencePiece",
    );
    gguf_refused(
        &[nemo, ("tokenizer.ggml.model", "bert")],
        "\"bert\" has none of these layouts: tokenizer.ggml.model is neither SentencePiece (llama) nor Tekken (gpt2)",
    );
    gguf_refused(
        &[nemo, ("tokenizer.ggml.model", "gpt2"), ("tokenizer.ggml.pre", "qwen2")],
        "\"qwen2\" has none of these layouts: tokenizer.ggml.pre is not Tekken's",
    );
    gguf_refused(
        &[nemo, ("general.architecture", "gemma2")],
        "\"gemma2\" has none of these layouts: general.architecture is not one that Mistral models are converted to",
    );
    gguf_refused(
        &[nemo, ("tokenizer.chat_template", "<|im_start|>{{ role }}")],
        "\"<|im_start|>\" has none of these layouts: the chat template is built on this token",
    );
    gguf_refused(
        &[("tokenizer.ggml.model", "llama"), ("tokenizer.chat_template", "[INST][ARGS]")],
        "the evidence disagrees: the chat template has [ARGS], but tokenizer.ggml.model \"llama\" is SentencePiece",
    );
}

#[test]
fn a_gguf_file_that_says_too_little_is_refused() {
    gguf_refused(
        &[],
        &format!("\"general.name\" does not settle the version: there is no such key; name one of {VERSIONS}"),
    );
    gguf_refused(
        &[("general.name", "models"), ("tokenizer.chat_template", "[INST]")],
        &format!("\"models\" is neither a version nor a known Mistral model; the versions are {VERSIONS}"),
    );
    gguf_refused(
        &[("tokenizer.chat_template", "[SYSTEM_PROMPT]")],
        &format!(
            "\"[SYSTEM_PROMPT]\" does not settle the version: v7 and v7-tekken have it, and without tokenizer.ggml.model \
             it may be either; name one of {VERSIONS}"
        ),
    );
}

#[test]
fn a_label_s_features_print_in_one_order() {
    let (version, features) = Version::parse_label("v13+think+image").unwrap();
    assert_eq!(format!("{version}{features}"), "v13+image+think");
    assert!(features.iter().eq([Feature::Image, Feature::Think]) && !features.is_empty());
    assert!(Version::parse_label("v13").unwrap().1.is_empty());
}

proptest! {
    #[test]
    fn nothing_panics_on_any_name(name in "\\PC{0,80}") {
        let _ = name.parse::<Version>();
        let _ = Version::parse_label(&name);
        let _ = Detection::from_sentencepiece_file_name(&name);
        let _ = Detection::from_sentencepiece_file_name(&format!("tokenizer.model.{name}"));
        let _ = Detection::from_gguf([("general.name", &name), ("tokenizer.chat_template", &name)]);
    }

    #[test]
    fn an_unheard_of_owner_changes_nothing(owner in "[a-z]{1,12}", at in 0..40_usize) {
        let names = names();
        let (name, ..) = &names[at];
        let bare = name.rsplit('/').next().unwrap_or(name);
        let owned = format!("{owner}/{bare}");
        prop_assert_eq!(Detection::from_model_name(&owned), Detection::from_model_name(bare));
    }

    #[test]
    fn nothing_panics_on_a_cut_tekken_file(cut in 0..220_usize) {
        let json = r#"{"config": {"version": "v13"}, "vocab": [{"rank": 0, "token_bytes": "AA=="}],
            "special_tokens": [{"rank": 0, "token_str": "[THINK]"}, {"rank": 1, "token_str": "[/THINK]"}],
            "image": {"image_patch_size": 14, "max_image_size": 1540}}"#;
        let whole = Detection::from_tekken_header(json).unwrap();
        if let Ok(cut) = Detection::from_tekken_header(&json[..cut.min(json.len())]) {
            prop_assert_eq!(cut.version, whole.version);
            prop_assert!(cut.features.iter().all(|feature| whole.features.contains(feature)));
        }
    }
}
