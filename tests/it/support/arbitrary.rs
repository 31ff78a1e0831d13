//! Random chats: mostly ones that some layout takes, with texts that try to be control tokens.

use mistral_chat_template::chat::{Json, ReasoningEffort};
use mistral_chat_template::version::Feature;
use mistral_chat_template::{
    AssistantMessage, Chat, Chunk, Content, Layout, Message, Tool, ToolCall, ToolMessage, Version,
};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::RngAlgorithm;

/// This number of cases, or as many as `PROPTEST_CASES` says.
pub fn cases(cases: u32) -> ProptestConfig {
    // ChaCha, which is the default, takes a tenth of the time where nothing is optimised.
    let default = ProptestConfig { rng_algorithm: RngAlgorithm::XorShift, ..ProptestConfig::default() };
    if std::env::var_os("PROPTEST_CASES").is_some() { default } else { ProptestConfig { cases, ..default } }
}

/// Every layout there is, without features and with.
pub fn layouts() -> Vec<Layout> {
    let with = |layout: Layout| [layout, layout.with(Feature::Image), layout.with(Feature::Think).with(Feature::Audio)];
    Version::ALL.iter().flat_map(|version| with(version.layout())).collect()
}

/// Text: empty, ordinary, of any characters, or made of literals of control tokens and their parts.
pub fn text() -> BoxedStrategy<String> {
    let parts = vec![
        "[INST]",
        "[/INST]",
        "</s>",
        "<s>",
        "[/IN",
        "ST]",
        "[SYSTEM_PROMPT]",
        "[TOOL_CALLS]",
        "[ARGS]",
        "[THINK]",
        "[/THINK]",
        "[AVAILABLE_TOOLS]",
        "[IMG]",
        "[",
        "]",
        "<",
        ">",
        " ",
        "\n",
        "\n\n",
        "a",
        "é",
        "世",
        "\u{e000}",
        "\"",
        "{}",
        "\u{0}",
    ];
    let forged = vec(select(parts), 1..6).prop_map(|parts| parts.concat());
    prop_oneof![
        1 => Just(String::new()),
        4 => "[a-z ]{1,12}",
        3 => forged,
        1 => any::<String>(),
    ]
    .boxed()
}

fn chunk() -> BoxedStrategy<Chunk<'static>> {
    prop_oneof![
        5 => text().prop_map(Chunk::text),
        2 => (text(), any::<bool>()).prop_map(|(text, closed)| Chunk::Thinking { text: text.into(), closed }),
        2 => Just(Chunk::image_url("https://example.com/a.png")),
        1 => Just(Chunk::AudioUrl("https://example.com/a.wav".into())),
        1 => Just(Chunk::InputAudio("AAAA".into())),
    ]
    .boxed()
}

fn content() -> BoxedStrategy<Content<'static>> {
    prop_oneof![4 => text().prop_map(Content::from), 1 => vec(chunk(), 0..4).prop_map(Content::from)].boxed()
}

fn id() -> BoxedStrategy<String> {
    prop_oneof![8 => select(vec!["abcdefgh1", "abcdefgh2", "ABCDEFGH3"]).prop_map(str::to_owned), 1 => text()].boxed()
}

fn arguments() -> BoxedStrategy<String> {
    prop_oneof![Just(r#"{"city": "Paris", "n": [1, 2.0]}"#.to_owned()), Just("{}".to_owned()), text()].boxed()
}

fn call() -> BoxedStrategy<ToolCall<'static>> {
    (proptest::option::weighted(0.9, id()), select(vec!["get", "set-it", "a b"]), arguments())
        .prop_map(|(id, name, arguments)| {
            let call = ToolCall::new(name, arguments);
            ToolCall { id: id.map(Into::into), ..call }
        })
        .boxed()
}

fn assistant() -> BoxedStrategy<Message<'static>> {
    (
        content(),
        vec(call(), 0..3),
        proptest::bool::weighted(0.1),
        proptest::option::weighted(0.1, select(vec![0.0, 1.0])),
    )
        .prop_map(|(content, tool_calls, prefix, weight)| {
            Message::Assistant(AssistantMessage { content, tool_calls, prefix, weight })
        })
        .boxed()
}

fn tool_result() -> BoxedStrategy<Message<'static>> {
    (content(), proptest::option::weighted(0.9, id()), proptest::option::weighted(0.2, Just("get")))
        .prop_map(|(content, id, name)| {
            Message::Tool(ToolMessage { content, call_id: id.map(Into::into), name: name.map(Into::into) })
        })
        .boxed()
}

/// A message of any role.
pub fn message() -> BoxedStrategy<Message<'static>> {
    prop_oneof![
        2 => content().prop_map(Message::System),
        5 => content().prop_map(Message::User),
        2 => text().prop_map(Message::assistant),
        2 => assistant(),
        1 => tool_result(),
    ]
    .boxed()
}

/// A user's question, calls that answer it, and their results.
fn exchange() -> BoxedStrategy<Vec<Message<'static>>> {
    let call = |id: &'static str| arguments().prop_map(move |arguments| ToolCall::new("get", arguments).id(id));
    let calls = (call("abcdefgh1"), call("abcdefgh2")).prop_map(|(one, other)| Message::calls([one, other]));
    let result = |id: &'static str| text().prop_map(move |text| Message::tool(text).answering(id));
    (text(), calls, result("abcdefgh2"), result("abcdefgh1"), "[a-z]{1,9}")
        .prop_map(|(question, calls, second, first, reply)| {
            vec![Message::user(question), calls, second, first, Message::assistant(reply)]
        })
        .boxed()
}

fn tool() -> BoxedStrategy<Tool<'static>> {
    (select(vec!["get", "set-it"]), text())
        .prop_map(|(name, description)| Tool {
            name: name.into(),
            description: description.into(),
            parameters: Json::from_serialize(&serde_json::json!({"type": "object", "description": "[INST]"})).unwrap(),
            ..Tool::default()
        })
        .boxed()
}

/// A chat: any messages, or exchanges in good order, with a question at the end.
pub fn chat() -> BoxedStrategy<Chat<'static>> {
    let any_order = vec(message(), 0..7);
    let good_order = (proptest::option::of(content().prop_map(Message::System)), vec(exchange(), 0..3), text())
        .prop_map(|(system, exchanges, last)| {
            system.into_iter().chain(exchanges.into_iter().flatten()).chain([Message::user(last)]).collect()
        });
    let effort = proptest::option::weighted(0.1, select(ReasoningEffort::ALL.to_vec()));
    (prop_oneof![any_order, good_order], vec(tool(), 0..3), effort)
        .prop_map(|(messages, tools, reasoning_effort)| Chat { tools, reasoning_effort, ..Chat::new(messages) })
        .boxed()
}
