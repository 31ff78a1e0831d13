//! The chats that two formats are compared by: each about one thing in which layouts, or templates, differ.

use crate::chat::{
    ArgumentsForm, AssistantMessage, Chat, Chunk, Content, Json, Message, ReasoningEffort, Tool, ToolCall,
};

/// What the simplest probe is about, and what is said in it.
pub(super) const QUESTION: &str = "a question";
pub(super) const HELLO: &str = "Hello";

/// Every probe, beside what it is about.
pub(super) fn all() -> impl Iterator<Item = (&'static str, Chat<'static>)> {
    turns().into_iter().chain(texts()).chain(tools()).chain(chunks())
}

fn user(text: &'static str) -> Message<'static> {
    Message::user(text)
}

fn reply(text: &'static str) -> Message<'static> {
    Message::assistant(text)
}

fn turns() -> Vec<(&'static str, Chat<'static>)> {
    let system = || Message::system("Be kind.");
    vec![
        (QUESTION, Chat::new([user(HELLO)])),
        ("a question after an answer", Chat::new([user("Hello"), reply("Hi!"), user("How are you?")])),
        ("a system message", Chat::new([system(), user("Hello")])),
        ("a system message and two questions", Chat::new([system(), user("Hello"), reply("Hi!"), user("Bye")])),
        ("a system message alone", Chat::new([system()])),
        ("two system messages", Chat::new([system(), Message::system("Be brief."), user("Hello")])),
        ("a system message between questions", Chat::new([user("Hello"), system(), user("Bye")])),
        ("two questions in a row", Chat::new([user("Hello"), user("Are you there?")])),
        ("two answers in a row", Chat::new([user("Hello"), reply("Hi!"), reply("Yes?"), user("Bye")])),
        ("an answer first", Chat::new([reply("Hi!"), user("Hello")])),
        ("a system message and an answer first", Chat::new([system(), reply("Hi!"), user("Hello")])),
        ("a result first", Chat::new([Message::tool("22").answering("abcdef123"), user("Hello")])),
        ("a system message after an answer", Chat::new([user("Hello"), reply("Hi!"), system(), user("Bye")])),
        ("no messages", Chat::default()),
    ]
}

fn texts() -> Vec<(&'static str, Chat<'static>)> {
    vec![
        ("white space around a question", Chat::new([user("  Hello \n")])),
        ("white space around an answer", Chat::new([user("Hello"), reply(" Hi!  "), user("Bye")])),
        ("an empty question", Chat::new([user("")])),
        ("an empty question beside another", Chat::new([user(""), user("Hello")])),
        ("an empty system message", Chat::new([Message::system(""), user("Hello")])),
        (
            "an empty system message beside another",
            Chat::new([Message::system(""), Message::system("Be kind."), user("Hello")]),
        ),
        ("an empty answer", Chat::new([user("Hello"), reply(""), user("Bye")])),
        ("a question that spells control tokens", Chat::new([user("[INST]</s>")])),
        ("letters of other scripts", Chat::new([user("日本語 é 👍")])),
    ]
}

fn call(name: &'static str, arguments: &'static str, id: &'static str) -> ToolCall<'static> {
    ToolCall::new(name, arguments).id(id)
}

fn tools() -> Vec<(&'static str, Chat<'static>)> {
    let parameters = r#"{"type": "object", "properties": {"city": {"type": "string"}}}"#;
    let tool = Tool {
        name: "weather".into(),
        description: "The weather in a <city>".into(),
        parameters: Json::new(parameters).unwrap_or_default(),
        ..Tool::default()
    };
    let with_tool = |messages: Vec<Message<'static>>| Chat { tools: vec![tool.clone()], ..Chat::new(messages) };
    let paris = || call("weather", r#"{"city": "Paris"}"#, "abcdef123");
    let rome = || call("weather", r#"{"city": "Rome"}"#, "bcdefg234");
    let result = |text: &'static str, id: &'static str| Message::tool(text).answering(id);
    let object = ToolCall { arguments_form: ArgumentsForm::Object, ..paris() };
    let spoken = |text: &'static str| {
        let reply = AssistantMessage::default();
        Message::Assistant(AssistantMessage { content: text.into(), tool_calls: vec![paris()], ..reply })
    };
    let asked = |messages: Vec<Message<'static>>| {
        Chat::new(std::iter::once(user("How is it?")).chain(messages).collect::<Vec<_>>())
    };
    let system = || Message::system("Be kind.");
    let round = || vec![Message::calls([paris()]), result("22", "abcdef123")];
    vec![
        ("tools", with_tool(vec![user("How is it?")])),
        ("tools and two questions", with_tool(vec![user("Hello"), reply("Hi!"), user("How is it?")])),
        ("tools and a system message", with_tool(vec![system(), user("How is it?")])),
        ("tools and a system message alone", with_tool(vec![system()])),
        (
            "tools and a system message between questions",
            with_tool(vec![user("Hello"), system(), user("Bye"), reply("Bye!"), user("How is it?")]),
        ),
        ("a call and a result that is a number", asked(round())),
        ("a call with an object for arguments", asked(vec![Message::calls([object]), result("22", "abcdef123")])),
        ("a call whose arguments are written close", {
            let close = call("weather", r#"{"city":"Paris"}"#, "abcdef123");
            asked(vec![Message::calls([close]), result("22", "abcdef123")])
        }),
        ("a result that is text", asked(vec![Message::calls([paris()]), result("It rains.", "abcdef123")])),
        ("a result that is an object", asked(vec![Message::calls([paris()]), result(r#"{"t": 22}"#, "abcdef123")])),
        (
            "two results in another order than their calls",
            asked(vec![Message::calls([paris(), rome()]), result("25", "bcdefg234"), result("22", "abcdef123")]),
        ),
        ("a result in two texts", {
            let texts = vec![Chunk::text("It rains."), Chunk::text("It is 22.")];
            asked(vec![Message::calls([paris()]), Message::tool(texts).answering("abcdef123")])
        }),
        ("an empty result", asked(vec![Message::calls([paris()]), result("", "abcdef123")])),
        ("a result of no texts", {
            let none = Message::tool(Content::Chunks(Vec::new())).answering("abcdef123");
            asked(vec![Message::calls([paris()]), none])
        }),
        ("text and a call", asked(vec![spoken("Let me look."), result("22", "abcdef123")])),
        ("white space around text and a call", asked(vec![spoken(" Let me look.  "), result("22", "abcdef123")])),
        ("a call in an earlier turn", {
            let mut messages = round();
            messages.extend([reply("It is 22."), user("Thanks")]);
            asked(messages)
        }),
        ("a call with a short id", { asked(vec![Message::calls([call("weather", "{}", "1")]), result("22", "1")]) }),
    ]
}

fn chunks() -> Vec<(&'static str, Chat<'static>)> {
    let image = || Chunk::image_url("https://example.com/cat.png");
    let audio = || Chunk::AudioUrl("https://example.com/a.wav".into());
    let thought = vec![Chunk::thinking("Hm."), Chunk::text("Hi!")];
    let effort = Chat { reasoning_effort: Some(ReasoningEffort::High), ..Chat::new([user("Hello")]) };
    vec![
        ("two text chunks", Chat::new([Message::user(vec![Chunk::text("Hello"), Chunk::text("there")])])),
        ("an empty text beside another", Chat::new([Message::user(vec![Chunk::text("Hello"), Chunk::text("")])])),
        (
            "an empty text in a system message",
            Chat::new([Message::system(vec![Chunk::text("Be kind."), Chunk::text("")]), user("Hello")]),
        ),
        ("an image", Chat::new([Message::user(vec![image(), Chunk::text("What is this?")])])),
        ("an image and an empty text", Chat::new([Message::user(vec![image(), Chunk::text("")])])),
        (
            "a system message, text and an image",
            Chat::new([
                Message::system("Be kind."),
                Message::user(vec![Chunk::text("What"), image(), Chunk::text("is this?")]),
            ]),
        ),
        ("thinking", Chat::new([user("Hello"), Message::assistant(Content::Chunks(thought)), user("Bye")])),
        ("reasoning effort", effort),
        ("audio", Chat::new([Message::user(vec![audio()])])),
        ("text and audio", Chat::new([Message::user(vec![Chunk::text("What is this?"), audio()])])),
        ("audio in a later turn", Chat::new([user("Hello"), reply("Hi!"), Message::user(vec![audio()])])),
        ("audio beside a system message", Chat::new([Message::system("Be kind."), Message::user(vec![audio()])])),
        ("audio in a system message", {
            let sound = Chunk::InputAudio("UklGRg==".into());
            Chat::new([Message::system(vec![Chunk::text("Be kind."), sound]), user("Hello")])
        }),
    ]
}
