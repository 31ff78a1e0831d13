//! Every kind of error, by its full text: `tests/goldens/errors.jsonl`, and here what no request can bring about.

use std::collections::BTreeSet;

use mistral_chat_template::error::{ApiError, Family, Fault};
use mistral_chat_template::layout::{CallIds, Rules, Settings, WordStart};
use mistral_chat_template::prompt::TokenizerKind;
use mistral_chat_template::render::{CheckedChat, Fim};
use mistral_chat_template::train::Learn;
use mistral_chat_template::version::Feature;
use mistral_chat_template::{
    AssistantMessage, Chat, ChatTemplate, Chunk, Completion, Control, Dialect, Error, ErrorKind, Format, Layout,
    Message, Mode, Prompt, Tokenizer, ToolCall,
};
use serde::Deserialize;
use serde_json::value::RawValue;

/// One refusal: a request, and all that is said of it.
#[derive(Deserialize)]
struct Refusal {
    kind: String,
    error: String,
    version: String,
    dialect: Option<String>,
    mode: Option<String>,
    #[serde(default)]
    no_settings: bool,
    request: Box<RawValue>,
}

fn refuse(refusal: &Refusal) -> Error {
    let layout: Layout = refusal.version.parse().unwrap();
    let mode = refusal.mode.as_deref().map_or(Mode::Test, |name| Mode::from_name(name).unwrap());
    let settings = if refusal.no_settings { Settings::Missing } else { layout.settings };
    let layout = Layout { mode, settings, ..layout };
    let dialect = match refusal.dialect.as_deref() {
        Some("fim") => {
            return Fim::from_json(refusal.request.get()).and_then(|fim| layout.render_fim(&fim)).unwrap_err();
        }
        Some("grammar") => {
            let chat = Chat::read(refusal.request.get(), Dialect::OpenAi).unwrap();
            return layout.grammar(&chat).unwrap_err();
        }
        Some("openai") => Dialect::OpenAi,
        _ => Dialect::Mistral,
    };
    Chat::read(refusal.request.get(), dialect).and_then(|chat| layout.render(&chat)).unwrap_err()
}

fn refusals() -> Vec<Refusal> {
    include_str!("../goldens/errors.jsonl").lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn every_refusal_reads_as_it_should() {
    for refusal in refusals() {
        let error = refuse(&refusal);
        assert_eq!(error.to_string(), refusal.error);
        assert_eq!(error.kind().name(), refusal.kind, "{error}");
        assert!(refusal.error.starts_with(error.at()), "{error}");
    }
}

/// A tokenizer that knows nothing.
struct Nothing;

impl Tokenizer for Nothing {
    fn text(&self, _: &str, _: WordStart, _: &mut Vec<u32>) {}

    fn control(&self, control: Control) -> Option<u32> {
        (control != Control::EndInst).then_some(0)
    }
}

/// Tokenizers that say what they are.
struct Tekken;
struct SentencePiece;

impl Tokenizer for Tekken {
    fn text(&self, _: &str, _: WordStart, _: &mut Vec<u32>) {}

    fn control(&self, _: Control) -> Option<u32> {
        Some(0)
    }

    fn kind(&self) -> Option<TokenizerKind> {
        Some(TokenizerKind::Tekken)
    }
}

impl Tokenizer for SentencePiece {
    fn text(&self, _: &str, _: WordStart, _: &mut Vec<u32>) {}

    fn control(&self, _: Control) -> Option<u32> {
        Some(0)
    }

    fn kind(&self) -> Option<TokenizerKind> {
        Some(TokenizerKind::SentencePiece)
    }
}

/// Kinds that no request to a version brings about, each brought about otherwise.
fn others() -> Vec<(&'static str, Error)> {
    let unpaired = Layout { rules: Rules { call_ids: CallIds::NotEmpty, ..Layout::V3.rules }, ..Layout::V3 };
    let no_id =
        Chat::new([Message::user("a"), Message::calls([ToolCall::new("get", "{}").id("a")]), Message::tool("1")]);
    let image = Chat::new([Message::user(vec![Chunk::image_url("https://example.com/a.png")])]);
    let chat = Chat::new([Message::user("a")]);
    let layout = Layout::V7.with(Feature::Image);
    let finetuning = Layout::V7.in_mode(Mode::Finetuning);
    let reply = AssistantMessage { content: "b".into(), weight: Some(0.0), ..AssistantMessage::default() };
    let unweighted = Chat::new([Message::user("a"), Message::Assistant(reply)]);
    vec![
        (
            "messages[2].tool_call_id: a result needs the id of its call, neither empty nor \"null\" (v3)",
            unpaired.render(&no_id).unwrap_err(),
        ),
        (
            "the prompt is 3 tokens over the budget with everything dropped that may be (v7)",
            CheckedChat::new(&chat, &Layout::V7).unwrap().truncate(0, |_| 1).unwrap_err(),
        ),
        (
            "the layout is for a SentencePiece vocabulary, and the tokenizer has a Tekken one",
            Layout::MAGNUM.render(&chat).unwrap().encode(&Tekken).unwrap_err(),
        ),
        (
            "the layout is for a Tekken vocabulary, and the tokenizer has a SentencePiece one (v13)",
            Layout::V13.check_tokenizer(&SentencePiece).unwrap_err(),
        ),
        (
            "the tokenizer has no id for the control token [/INST]",
            Layout::V3.render(&chat).unwrap().encode(&Nothing).unwrap_err(),
        ),
        (
            "there is nothing to learn: the prompt holds no assistant turn",
            Layout::V3.render(&chat).unwrap().mask(Learn::Assistant).unwrap_err(),
        ),
        (
            "there is nothing to learn: all assistant messages have the weight 0",
            finetuning.render(&unweighted).unwrap().mask(Learn::Weighted(&unweighted)).unwrap_err(),
        ),
        (
            "messages[0].content: the tokenizer cannot encode image",
            layout.render(&image).unwrap().encode(&Nothing).unwrap_err(),
        ),
        (
            "\"v4\" is neither a version nor a known Mistral model; the versions are v1, v1-tekken, v2, v2-tekken, v3, \
             v3-tekken, v7, v7-tekken, v11, v13, v15, magnum",
            "v4".parse::<Layout>().unwrap_err(),
        ),
    ]
}

#[test]
fn what_no_request_brings_about_reads_as_it_should() {
    for (text, error) in others() {
        assert_eq!(error.to_string(), text);
    }
}

#[test]
fn every_kind_is_brought_about() {
    let named: BTreeSet<String> = refusals().into_iter().map(|refusal| refusal.kind).collect();
    let others: BTreeSet<String> = others().iter().map(|(_, error)| error.kind().name().to_owned()).collect();
    let missing: Vec<_> = ErrorKind::NAMES
        .iter()
        .filter(|name| !named.contains(**name) && !others.contains(**name) && !ELSEWHERE.contains(name))
        .collect();
    assert!(missing.is_empty(), "{missing:?}");
}

/// Kinds whose texts the tests of their own part assert.
const ELSEWHERE: &[&str] = &[
    "field_type",
    "lone_surrogate",
    "known_by_id",
    "unknown_item",
    "ignored",
    "nested_thinking",
    "unopened_thinking",
    "call_list_syntax",
    "call_list_type",
    "call_without_name",
    "call_arguments_not_object",
    "call_without_arguments_field",
    "call_field_type",
    "call_field_twice",
    "call_without_arguments",
    "call_token_twice",
    "call_id_after_arguments",
    "call_arguments_syntax",
    "call_arguments_type",
    "call_too_deep",
    "prompt_parts",
    "over_budget",
    "unrecognised_row",
    "unusable_row",
    "tie",
    "row_conflict",
    "row_type",
    "row_role",
    "prompts_differ",
    "template_config",
    "no_template",
    "unknown_template",
    "template_limit",
    "template_syntax",
    "template_raised",
    "template_render",
    "template_fuel",
    "template_output",
    "template_continue",
    "template_nothing_to_continue",
    "partly_learnt",
    "preset_file",
    "preset_field",
    "unknown_preset",
    "story",
    "macros_too_long",
    "preset_lacks",
    "unwritable",
];

#[test]
fn a_refused_prompt_is_empty() {
    let mut prompt = Layout::V3.render(&Chat::new([Message::user("a")])).unwrap();
    Layout::V3.render_into(&Chat::default(), &mut prompt).unwrap_err();
    assert_eq!(prompt, Prompt::new());
}

/// An error as a server answers it: the status, the `param` and the `code`.
fn answered(error: Error) -> (u16, Option<String>, String) {
    let error = ApiError::from(error);
    (error.status(), error.param().map(str::to_owned), error.code().to_owned())
}

#[test]
fn an_error_becomes_a_response_of_openais_api() {
    let chat = |json| Chat::from_json(json).map(drop).unwrap_err();
    let long = Chat::new([Message::user("one two three")]);
    let model = |name: &str| name.parse::<Layout>().map(drop).unwrap_err();
    let some = |param: &str| Some(param.to_owned());
    struct NoControls;
    impl Tokenizer for NoControls {
        fn text(&self, _: &str, _: WordStart, _: &mut Vec<u32>) {}

        fn control(&self, _: Control) -> Option<u32> {
            None
        }
    }
    let v13_truncated = CheckedChat::new(&long, &Layout::V13).unwrap().truncate(1, |_| 1).map(drop).unwrap_err();
    for (error, expected) in [
        (chat("{"), (400, None, "json")),
        (chat(r#"{"messages": [{"role": "user"}]}"#), (400, some("messages[0]"), "missing_field")),
        (Layout::V3.render(&Chat::default()).unwrap_err(), (400, some("messages"), "no_messages")),
        (long.fit(&Layout::V3, 3, |_| 1).unwrap_err(), (400, some("messages"), "context_length_exceeded")),
        (v13_truncated, (400, some("messages"), "context_length_exceeded")),
        (model("gpt-4"), (404, some("model"), "model_not_found")),
        (model("magnum-v2-12b"), (404, some("model"), "model_not_found")),
        (Layout::V3.stop_ids(&NoControls).unwrap_err(), (500, None, "no_control_id")),
        (ChatTemplate::new("{% if").map(drop).unwrap_err(), (500, None, "template_syntax")),
        (
            ChatTemplate::new("{{ raise_exception('no') }}").unwrap().render(&long).unwrap_err(),
            (400, None, "template_raised"),
        ),
        (Completion::from_text("[TOOL_CALLS]{", &Layout::V3).error.unwrap(), (500, None, "call_list_syntax")),
    ] {
        let sentence = error.to_string();
        let (status, param, code) = expected;
        assert_eq!(answered(error), (status, param, code.to_owned()), "{sentence}");
    }
    let too_long = ApiError::from(long.fit(&Layout::V3, 3, |_| 1).unwrap_err());
    assert_eq!(
        too_long.message(),
        "maximum context is 3 tokens, 4 were asked for: what has to stay in the prompt is 1 over the budget (v3)"
    );
    assert_eq!(too_long.error_type(), "invalid_request_error");
    assert_eq!(ApiError::new(500, "no_model", "the model is gone").error_type(), "server_error");
}

#[test]
fn an_error_names_the_layout_whose_rule_was_broken() {
    assert_eq!(Layout::V11.render(&Chat::default()).unwrap_err().layout(), Some("v11"));
    assert_eq!(Chat::from_json("[]").unwrap_err().layout(), None);
}

#[test]
fn an_integer_that_python_does_not_read_is_a_value_of_the_wrong_kind() {
    let family = |arguments: &str| {
        let output = format!(r#"[TOOL_CALLS]now[ARGS]{{"a": {arguments}}}"#);
        Completion::from_text(&output, &Layout::V13).error.unwrap().family()
    };
    assert_eq!(family(&"1".repeat(4301)), Family::Value);
    assert_ne!(family("1-"), Family::Value);
}

#[test]
fn a_fault_is_the_servers_where_the_model_wrote_it() {
    let kinds: [(ErrorKind, Fault); 4] = [
        (ErrorKind::NestedThinking { offset: 0 }, Fault::Server),
        (ErrorKind::CallTooDeep { offset: 0 }, Fault::Server),
        (ErrorKind::PromptParts { offset: 0, expected: String::new() }, Fault::Client),
        (ErrorKind::NoTemplate, Fault::Configuration),
    ];
    for (kind, fault) in kinds {
        assert_eq!(kind.fault(), fault, "{}", kind.name());
    }
}

#[test]
fn an_answer_that_does_not_fit_is_openais_error() {
    let error = ApiError::context_length(4096, 4000, 200);
    let message = "maximum context is 4096 tokens, 4200 were asked for (4000 in the prompt, 200 for the answer)";
    let body = serde_json::json!({"error": {
        "message": message, "type": "invalid_request_error", "param": "messages", "code": "context_length_exceeded",
    }});
    assert_eq!((serde_json::to_value(&error).unwrap(), error.to_string()), (body, message.to_owned()));
}

#[test]
fn an_error_shows_its_parts_to_a_debugger() {
    let error = Chat::from_json(r#"{"messages": [{"role": "user", "content": 1}]}"#).unwrap_err();
    let shown = format!("{error:?}");
    assert!(shown.starts_with("Error { kind: ") && shown.contains(r#"at: "messages[0].content""#), "{shown}");
    assert_eq!(error.fault(), Fault::Client);
}
