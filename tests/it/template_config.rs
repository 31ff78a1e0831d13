//! Templates out of `tokenizer_config.json`, with their names and special tokens, and what a caller may set.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use mistral_chat_template::chat::Json;
use mistral_chat_template::layout::Vocabulary;
use mistral_chat_template::prompt::DivergenceKind;
use mistral_chat_template::template::{ClockTime, ModelFiles};
use mistral_chat_template::train::Learn;
use mistral_chat_template::{
    AssistantMessage, Chat, ChatTemplate, Control, Format, Layout, Message, Prompt, Segment, Tool,
};
use serde_json::json;

fn hi() -> Chat<'static> {
    Chat::new([Message::user("Hi")])
}

fn with_tool() -> Chat<'static> {
    Chat { tools: vec![Tool { name: "f".into(), ..Tool::default() }], ..hi() }
}

fn print(template: &ChatTemplate, chat: &Chat<'_>) -> String {
    template.render(chat).unwrap().into_string()
}

#[test]
fn a_file_has_one_template_or_several_by_name() {
    let one = ChatTemplate::from_tokenizer_config(&json!({"chat_template": "one"}).to_string()).unwrap();
    assert_eq!(print(&one, &hi()), "one");
    let list = json!([{"name": "default", "template": "D"}, {"name": "tool_use", "template": "T"}, {"name": "rag", "template": "R"}]);
    for several in [list, json!({"default": "D", "tool_use": "T", "rag": "R"})] {
        let template = ChatTemplate::from_tokenizer_config(&json!({"chat_template": several}).to_string()).unwrap();
        assert_eq!(print(&template, &hi()), "D");
        assert_eq!(print(&template, &with_tool()), "T", "there is one for tools");
        assert_eq!(print(&template.clone().named("rag").unwrap(), &with_tool()), "R");
        let error = template.named("other").err().unwrap().to_string();
        assert!(error.contains("other") && error.contains("default, rag, tool_use"), "{error}");
    }
    for wrong in [
        json!({}),
        json!({"chat_template": [{"name": "rag", "template": "R"}]}),
        json!({"chat_template": []}),
        json!(1),
    ] {
        assert!(ChatTemplate::from_tokenizer_config(&wrong.to_string()).is_err(), "{wrong}");
    }
}

#[test]
fn special_tokens_and_the_vocabulary_are_the_files() {
    let file = json!({
        "chat_template": "{{ bos_token }}{{ eos_token }}{{ pad_token }}[INST][/INST]",
        "bos_token": "<s>",
        "eos_token": {"content": "</s>"},
        "pad_token": null,
        "added_tokens_decoder": {
            "1": {"content": "<s>", "special": true},
            "3": {"content": "[INST]", "special": true},
            "4": {"content": "[/INST]", "special": false}
        }
    });
    let template = ChatTemplate::from_tokenizer_config(&file.to_string()).unwrap();
    let prompt = template.render(&hi()).unwrap();
    let expected = [
        Segment::Control(Control::Bos),
        Segment::Text("</s>"),
        Segment::Control(Control::Inst),
        Segment::Text("[/INST]"),
    ];
    assert!(prompt.segments().eq(expected), "{prompt:?}");

    let plain = ChatTemplate::new("{{ bos_token }}{{ name_token }}").unwrap();
    let other = plain.clone().with_tokenizer_config(&json!({"bos_token": "<b>"}).to_string()).unwrap();
    assert_eq!(print(&other, &hi()), "<b>");
    assert!(plain.clone().with_tokenizer_config("[]").is_err());
    assert_eq!(print(&plain.special_token("name_token", "<n>"), &hi()), "<s><n>");
}

#[test]
fn a_folder_is_read_as_auto_tokenizer_reads_it() {
    let source = "{{ bos_token }}|{{ eos_token }}|{{ image_token }}|{{ additional_special_tokens }}";
    let of = |files: &ModelFiles<'_>| print(&ChatTemplate::from_model_files(files).unwrap().unwrap(), &hi());
    let config = |json: serde_json::Value| json.to_string();
    let mut files = ModelFiles::default();
    files.chat_template = Some(source);
    assert_eq!(of(&files), "|||", "no token is anybody's by default");

    let tokens = config(json!({"bos_token": null, "eos_token": "<E>", "chat_template": "other",
        "extra_special_tokens": {"image_token": "<I>"}, "additional_special_tokens": ["<A>"]}));
    files.tokenizer_config = Some(&tokens);
    assert_eq!(of(&files), "|<E>|<I>|");

    files.special_tokens_map = Some(r#"{"bos_token": {"content": "<M>"}, "eos_token": null}"#);
    assert_eq!(of(&files), "<M>||<I>|", "what the map says stands before");
    let listed =
        config(json!({"eos_token": "<E>", "added_tokens_decoder": {"1": {"content": "<E>", "special": true}}}));
    files.tokenizer_config = Some(&listed);
    assert_eq!(of(&files), "|<E>||", "the map is of before configurations listed their tokens");

    let named =
        config(json!({"chat_template": [{"name": "default", "template": "D"}, {"name": "tool_use", "template": "T"}]}));
    let mut files = ModelFiles::default();
    files.tokenizer_config = Some(&named);
    files.processor_template = Some(r#"{"chat_template": "P"}"#);
    assert_eq!(of(&files), "D", "a processor's template is the last");
    files.additional = vec![("tool_use", "A")];
    assert!(ChatTemplate::from_model_files(&files).is_err(), "files of their own stand for the configuration's");
    files.chat_template = Some("J");
    let template = ChatTemplate::from_model_files(&files).unwrap().unwrap();
    assert_eq!((print(&template, &hi()), print(&template, &with_tool())), ("J".to_owned(), "A".to_owned()));

    let mut files = ModelFiles::default();
    files.processor_template = Some(r#"{"chat_template": "P"}"#);
    assert_eq!(of(&files), "P");
    files.processor_template = None;
    assert!(ChatTemplate::from_model_files(&files).unwrap().is_none());
}

#[test]
fn a_token_that_the_configuration_leaves_out_is_the_class_s() {
    let printed = |config: &str| {
        let mut files = ModelFiles::default();
        files.tokenizer_config = Some(config);
        files.chat_template = Some("{{ bos_token }}|{{ eos_token }}|{{ pad_token is defined }}");
        let of_files = print(&ChatTemplate::from_model_files(&files).unwrap().unwrap(), &hi());
        let by_itself = ChatTemplate::new("{{ bos_token }}|{{ eos_token }}|{{ pad_token is defined }}").unwrap();
        assert_eq!(print(&by_itself.with_tokenizer_config(config).unwrap(), &hi()), of_files);
        of_files
    };
    // As `AutoTokenizer` of transformers 5.24.0 loads folders with these configurations.
    for (config, expected) in [
        (r#"{"tokenizer_class": "LlamaTokenizer"}"#, "<s>|</s>|False"),
        (r#"{"tokenizer_class": "LlamaTokenizerFast", "bos_token": "<|x|>"}"#, "<|x|>|</s>|False"),
        (r#"{"tokenizer_class": "LlamaTokenizer", "bos_token": null}"#, "|</s>|False"),
        (r#"{"tokenizer_class": "Qwen2Tokenizer"}"#, "|<|endoftext|>|True"),
        (r#"{"tokenizer_class": "GemmaTokenizer", "eos_token": "<end_of_turn>"}"#, "<bos>|<end_of_turn>|True"),
        (r#"{"tokenizer_class": "PreTrainedTokenizerFast"}"#, "||False"),
        (r#"{"tokenizer_class": "Nonexistent"}"#, "||False"),
        ("{}", "||False"),
    ] {
        assert_eq!(printed(config), expected, "{config}");
    }
}

#[test]
fn a_caller_sets_variables_documents_and_the_time() {
    let template =
        ChatTemplate::new("{{ mood }}{{ documents|length }} {{ strftime_now('%Y-%m-%d %H:%M:%S') }}").unwrap();
    let set = template
        .clone()
        .variable("mood", Json::new(r#""good""#).unwrap())
        .documents(Json::new("[1, 2]").unwrap())
        .clock(|| ClockTime::from_unix_seconds(86_400 * 365 + 3_661));
    assert_eq!(print(&set, &hi()), "good2 1971-01-01 01:01:01");
    assert!(template.render(&hi()).is_err(), "there is no clock but the caller's");
    let asks = ChatTemplate::new("{{ strftime_now is defined }}").unwrap();
    assert_eq!(print(&asks, &hi()), "False");
    assert_eq!(print(&asks.clock(|| ClockTime::from_unix_seconds(0)), &hi()), "True");
    let text = ChatTemplate::new("<s>[INST]").unwrap().vocabulary(Vocabulary::of(&[Control::Bos]));
    let prompt = text.render(&hi()).unwrap();
    assert!(prompt.segments().eq([Segment::Control(Control::Bos), Segment::Text("[INST]")]));
}

#[test]
fn what_the_model_is_to_say_is_told() {
    let source = "[INST]{{ messages[0].content }}[/INST]{% generation %}{{ messages[1].content }}{% endgeneration %}";
    let template = ChatTemplate::new(source).unwrap();
    let chat = Chat::new([Message::user("q"), Message::assistant("[INST]a")]);
    let mut prompt = Prompt::new();
    let ranges = template.render_generated(&chat, &mut prompt).unwrap();
    assert_eq!(ranges.iter().map(|range| &prompt.as_str()[range.clone()]).collect::<Vec<_>>(), ["[INST]a"]);

    // A reply that is to be continued has no end, and blocks may stand in blocks.
    let reply = AssistantMessage { content: "a".into(), prefix: true, ..AssistantMessage::default() };
    let continued = Chat::new([Message::user("q"), Message::Assistant(reply)]);
    let mut generated = |template: &ChatTemplate, chat| {
        let ranges = template.render_generated(chat, &mut prompt).unwrap();
        ranges.into_iter().map(|range| (range.start, range.end)).collect::<Vec<_>>()
    };
    assert_eq!(generated(&template, &continued), [(14, 15)]);
    let nested = "a{% generation %}b{% generation %}c{% endgeneration %}d{% endgeneration %}e";
    let nested = ChatTemplate::new(nested).unwrap();
    assert_eq!(generated(&nested, &hi()), [(1, 4)]);
    assert_eq!(prompt.mask(Learn::Assistant).unwrap().texts().collect::<String>(), "bcd");
}

/// The end of a reply is where the model stops.
#[test]
fn the_end_token_stops_the_model() {
    let stops = |template: &ChatTemplate| template.render(&hi()).unwrap().stop_strings().to_vec();
    let template = ChatTemplate::new("{{ messages[0].content }}").unwrap();
    assert_eq!(stops(&template), ["</s>"]);
    let config = |json: &str| template.clone().with_tokenizer_config(json).unwrap();
    assert_eq!(stops(&config(r#"{"bos_token": "<b>", "eos_token": "<e>"}"#)), ["<e>"]);
    assert_eq!(stops(&config(r#"{"bos_token": "<b>", "eos_token": null}"#)), [""; 0]);
}

#[test]
fn divergences_have_names_and_sentences_of_their_own() {
    use DivergenceKind::{
        AnotherVersion, Continued, JsonRewritten, MessageChanged, SettingsChanged, SpaceTrimmed, SystemChanged,
        SystemMoved, TextContinued, ThinkingDropped, ToolsChanged, ToolsMoved,
    };
    let kinds = [
        (Continued, "continued"),
        (SystemMoved, "system_moved"),
        (SystemChanged, "system_changed"),
        (ToolsMoved, "tools_moved"),
        (ToolsChanged, "tools_changed"),
        (SettingsChanged, "settings_changed"),
        (ThinkingDropped, "thinking_dropped"),
        (SpaceTrimmed, "space_trimmed"),
        (JsonRewritten, "json_rewritten"),
        (AnotherVersion, "another_version"),
        (TextContinued, "text_continued"),
        (MessageChanged, "message_changed"),
    ];
    let sentences: std::collections::BTreeSet<String> = kinds.iter().map(|(kind, _)| kind.to_string()).collect();
    assert_eq!(sentences.len(), kinds.len());
    for (kind, name) in kinds {
        assert_eq!(kind.as_str(), name);
    }
}

#[test]
fn a_comparison_reads_as_a_report() {
    let written: ChatTemplate = Layout::V1.chat_template().parse().unwrap();
    let same = written.compare(&Layout::V1);
    assert!(same.is_equal(), "{same}");
    assert_eq!(same.to_string(), format!("the template says what v1 says of all {} chats", same.probes));
    let other = ChatTemplate::new("{{ bos_token }}{{ raise_exception('no') }}").unwrap().compare(&Layout::V3);
    assert!(!other.is_equal());
    let report = other.to_string();
    let count = other.differences.len();
    assert!(
        report.starts_with(&format!("the template differs from v3 in {count} of {} chats\n", other.probes)),
        "{report}"
    );
    assert!(report.contains("\n  the template refuses it: ") && report.contains("\n  v3 says \"<s>[INST]"), "{report}");
    let other = ChatTemplate::new("{{ bos_token }}[INST]!").unwrap().compare(&Layout::V3);
    assert!(other.to_string().contains(": from byte 9 on\n"), "{other}");
}

#[test]
fn debugging_a_template_shows_what_is_set() {
    let template = ChatTemplate::new("{% generation %}x{% endgeneration %}").unwrap();
    assert!(template.marks_generated() && !ChatTemplate::new("x").unwrap().marks_generated());
    let shown = format!("{:?}", template.special_token("name_token", "<n>"));
    assert!(shown.starts_with("ChatTemplate { limits: ") && shown.contains("name_token"), "{shown}");
    assert!("{% if %}".parse::<ChatTemplate>().is_err());
}

#[test]
fn namespaces_are_summed_as_the_engine_sums() {
    let of = |source: &str| ChatTemplate::new(source).and_then(|template| template.render(&hi()));
    let print = |source: &str| of(source).unwrap().into_string();
    assert_eq!(
        print("{% set ns = namespace(a=[1]) %}{% set ns.a = ns.a + [2] %}{% set ns.a = ns.a + [3, 4] %}{{ ns.a }}"),
        "[1, 2, 3, 4]"
    );
    assert_eq!(print("{% set ns = namespace(a='x') %}{% set ns.a = ns.a + 'y' %}{{ ns.a }}"), "xy");
    assert_eq!(print("{% set ns = namespace(a=1) %}{% set ns.a = ns.a + 2 %}{{ ns.a }}"), "3");
    assert_eq!(print("{% set ns = namespace({'a': 1}) %}{{ ns.a }}"), "1");
    for wrong in [
        "{% set ns = namespace(a=1) %}{% set ns.a = ns.a + [2] %}{{ ns.a }}",
        "{% set ns = namespace(a=[1]) %}{% set ns.a = ns.a + 'x' %}{{ ns.a }}",
        "{% set ns = namespace(1) %}{{ ns.a }}",
    ] {
        assert!(of(wrong).is_err(), "{wrong}");
    }
}
