//! What a template sees of a request: what was sent, as transformers gives it (`tests/goldens/template/sent.jsonl`).
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::path::Path;
use std::{env, fs};

use mistral_chat_template::chat::{ArgumentsForm, Json, Sent};
use mistral_chat_template::prompt::Media;
use mistral_chat_template::template::GenerationPrompt;
use mistral_chat_template::{
    Chat, ChatTemplate, Chunk, Content, Control, Error, Format, Message, Prompt, Segment, Tool, ToolCall, Version,
};
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

#[derive(Deserialize)]
struct Golden {
    id: String,
    template: String,
    request: Box<RawValue>,
    given: Given,
    string: Option<String>,
    refused: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Given {
    #[serde(default)]
    add_generation_prompt: bool,
    documents: Option<Box<RawValue>>,
}

impl Golden {
    fn template(&self) -> ChatTemplate {
        let template = ChatTemplate::new(&self.template).unwrap();
        let template = match &self.given.documents {
            Some(documents) => template.documents(Json::from_serialize(documents).unwrap()),
            None => template,
        };
        template.generation_prompt(match self.given.add_generation_prompt {
            true => GenerationPrompt::Added,
            false => GenerationPrompt::LeftOut,
        })
    }

    #[track_caller]
    fn check(&self, way: &str, answer: &Result<Prompt, Error>) {
        let Golden { id, string, refused, .. } = self;
        match (string, answer) {
            (Some(string), Ok(prompt)) => assert_eq!(prompt.as_str(), string, "{id}, {way}"),
            (Some(string), Err(error)) => panic!("{id}, {way}: {error}, and not {string:?}"),
            (None, Ok(prompt)) => panic!("{id}, {way}: {:?}, and not {refused:?}", prompt.as_str()),
            (None, Err(_)) => {}
        }
    }
}

fn goldens() -> Vec<Golden> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/goldens/template/sent.jsonl");
    fs::read_to_string(path).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn templates_see_what_was_sent() {
    let (mut as_chats, goldens) = (0, goldens());
    for golden in &goldens {
        let (template, json) = (golden.template(), golden.request.get());
        golden.check("as it was sent", &Sent::from_json(json).and_then(|sent| template.render_sent(&sent)));
        let Ok(chat) = Chat::from_json(json) else { continue };
        golden.check("as a chat", &template.render(&chat));
        golden.check("as a chat that borrows nothing", &template.render(&chat.into_owned()));
        as_chats += 1;
    }
    assert!(as_chats > goldens.len() / 3, "{as_chats}");
}

#[test]
fn what_is_no_request_is_refused() {
    for (json, sentence) in [
        ("", "invalid JSON: "),
        ("[]", "expected an object"),
        ("{}", "the field `messages` is missing or null"),
        (r#"{"messages": null}"#, "the field `messages` is missing or null"),
        (r#"{"messages": {}}"#, "messages: expected a list"),
        (r#"{"messages": [{}, 1]}"#, "messages[1]: expected an object"),
        (r#"{"messages": [], "tools": "f"}"#, "tools: expected a list"),
        (r#"{"messages": [], "tools": [{}, null]}"#, "tools[1]: expected an object"),
        (r#"{"messages": [{"content": "\ud800"}]}"#, "messages: "),
        (r#"{"messages": []} x"#, ""),
        (r#"{"messages": []"#, ""),
    ] {
        let error = Sent::from_json(json).unwrap_err().to_string();
        assert!(error.starts_with(sentence) || sentence == "invalid JSON: ", "{json}: {error}");
    }
}

#[test]
fn a_message_that_was_changed_is_shown_as_it_is_now() {
    let json = r#"{"messages": [{"role": "developer", "content": "a"}, {"role": "user", "name": "Ada", "content": "b"},
        {"role": "assistant", "content": "c", "reasoning": "r"}]}"#;
    let template = ChatTemplate::new("{% for m in messages %}{{ m.role }} {{ m.name }} {{ m.content }};{% endfor %}");
    let shows = |chat: &Chat<'_>| template.as_ref().unwrap().render(chat).unwrap().into_string();
    let mut chat = Chat::from_json(json).unwrap();
    assert_eq!(shows(&chat), "developer  a;user Ada b;assistant  c;");
    chat.messages.push(Message::user("d"));
    assert_eq!(shows(&chat), "developer  a;user Ada b;assistant  c;user  d;");
    chat.messages.remove(0);
    assert_eq!(shows(&chat), "user Ada b;assistant  c;user  d;");
    chat.messages[0] = Message::user("B");
    assert_eq!(shows(&chat), "user  B;assistant  c;user  d;");
    chat.sent = None;
    chat.messages.truncate(1);
    assert_eq!(shows(&chat), "user  B;");
}

/// What is set after a request was read is what a template sees, and a part of a message has what it was sent with.
#[test]
fn what_was_set_later_counts_and_what_was_sent_stays() {
    use mistral_chat_template::chat::{ReasoningEffort, ResponseFormat};

    let shows =
        |template: &str, chat: &Chat<'_>| ChatTemplate::new(template).unwrap().render(chat).unwrap().into_string();
    let json = r#"{"messages": [{"role": "user", "content": "a"}], "reasoning_effort": "high",
        "response_format": {"type": "json_object"}}"#;
    let settings = "{{ reasoning_effort }} {% if response_format is defined %}{{ response_format.type }}{% endif %}";
    let mut chat = Chat::from_json(json).unwrap();
    assert_eq!(shows(settings, &chat), "high json_object");
    chat.reasoning_effort = Some(ReasoningEffort::None);
    assert_eq!(shows(settings, &chat), "none json_object");
    chat.response_format = ResponseFormat::Text;
    assert_eq!(shows(settings, &chat), "none ");
    // Any text is what a model answers unasked, so that it is no wish.
    let text = json.replace("json_object", "text");
    assert_eq!(shows(settings, &Chat::from_json(&text).unwrap()), "high ");

    let part = r#"{"messages": [{"role": "user", "content": [{"type": "text", "text": "a", "mark": "m"}]}]}"#;
    let chat = Chat::from_json(part).unwrap();
    assert_eq!(shows("{{ messages[0].content[0].mark }}", &chat), "m");
}

/// The thinking of a typed reply stands where the template that renders the chat reads it.
#[test]
fn thinking_is_a_field_where_a_template_reads_one() {
    let fields = ChatTemplate::new("{{ messages[0].content }}|{{ messages[0].reasoning_content }}").unwrap();
    let (thought, text) = (Chunk::thinking, Chunk::text);
    for (chunks, shown) in [
        (vec![thought("t"), text("a")], "a|t"),
        (vec![thought("t"), thought("u")], "|tu"),
        (vec![text("a"), thought("t"), text("b")], "[{'type': 'text', 'text': 'a'}, {'type': 'text', 'text': 'b'}]|t"),
        (vec![text("a")], "[{'type': 'text', 'text': 'a'}]|"),
    ] {
        let chat = Chat::new([Message::assistant(Content::Chunks(chunks))]);
        assert_eq!(fields.render(&chat).unwrap().as_str(), shown);
    }
    let both = ChatTemplate::from_tokenizer_config(
        r#"{"chat_template": [{"name": "default", "template": "{{ messages[0].reasoning_content }}"},
            {"name": "tool_use", "template": "{{ messages[0].content[0].thinking }}"}]}"#,
    );
    let mut chat = Chat::new([Message::assistant(Content::Chunks(vec![thought("t"), text("a")]))]);
    let both = both.unwrap();
    assert_eq!(both.render(&chat).unwrap().as_str(), "t");
    chat.tools = vec![Tool { name: "f".into(), ..Tool::default() }];
    assert_eq!(both.render(&chat).unwrap().as_str(), "t");
}

/// A call of an object that has no arguments has those of an empty object.
#[test]
fn no_arguments_are_an_empty_object() {
    let call = ToolCall { arguments_form: ArgumentsForm::Object, ..ToolCall::new("f", "") };
    let template = ChatTemplate::new("{{ messages[0].tool_calls[0].function }}").unwrap();
    let prompt = template.render(&Chat::new([Message::calls([call])])).unwrap();
    assert_eq!(prompt.as_str(), "{'name': 'f', 'arguments': {}}");
}

/// Names of members, roles and types are known words, not the client's: a template may spell a control token with them.
#[test]
fn a_template_may_spell_a_control_token_with_known_names() {
    let request = r#"{"messages": [
        {"role": "system", "content": [{"type": "audio", "audio": "a"}]},
        {"role": "user", "content": [{"type": "thinking", "thinking": [{"type": "audio"}]},
            {"type": "audio_url", "audio_url": {"audio": "a"}}]},
        {"role": "assistant", "tool_calls": [{"id": "a", "function": {"name": "f", "arguments": {}}}]}]}"#;
    let sent = Sent::from_json(request).unwrap();
    for (source, spelt) in [
        ("[{{ messages[0].role|upper }}_PROMPT]", Segment::Control(Control::SystemPrompt)),
        ("[{{ messages[0].content[0].type|upper }}]", Segment::Media(Media::Audio)),
        ("[{{ (messages[0].content[0]|list)[1]|upper }}]", Segment::Media(Media::Audio)),
        ("[{{ messages[1].content[0].thinking[0].type|upper }}]", Segment::Media(Media::Audio)),
        ("[{{ (messages[1].content[1].audio_url|list)[0]|upper }}]", Segment::Media(Media::Audio)),
        ("[CALL_{{ (messages[2].tool_calls[0]|list)[0]|upper }}]", Segment::Control(Control::CallId)),
    ] {
        let prompt = ChatTemplate::new(source).unwrap().render_sent(&sent).unwrap();
        assert!(prompt.segments().eq([spelt]), "{source}: {prompt:?}");
    }
    let value = ChatTemplate::new("[{{ messages[0].content[0].audio|upper }}UDIO]").unwrap();
    assert_eq!(controls(&value.render_sent(&sent).unwrap()), [], "a value is the client's");
}

/// The same JSON with another text at one of its places, keys included; `None` where it has fewer places.
fn with_text(value: &Value, place: &mut usize, text: &str) -> Option<Value> {
    let here = |place: &mut usize| {
        let found = *place == 0;
        *place = place.wrapping_sub(1);
        found
    };
    match value {
        Value::String(_) => here(place).then(|| text.into()),
        Value::Array(items) => items.iter().enumerate().find_map(|(index, item)| {
            let mut items = items.clone();
            items[index] = with_text(item, place, text)?;
            Some(Value::Array(items))
        }),
        Value::Object(members) => members.iter().find_map(|(key, member)| {
            let mut members = members.clone();
            if here(place) {
                let member = members.remove(key)?;
                members.insert(text.to_owned(), member);
            } else {
                members[key] = with_text(member, place, text)?;
            }
            Some(Value::Object(members))
        }),
        _ => None,
    }
}

/// Templates that print all that there is, in ways in which a literal could form, and those of the layouts.
fn templates() -> Vec<ChatTemplate> {
    let own = [
        "{% for m in messages %}[INST]{{ m|tojson }}[/INST]{% endfor %}[{{ tools|tojson }}]",
        "{% for m in messages %}{% for key, value in m|items %}[{{ key }}]<{{ value }}>{% endfor %}</s>{% endfor %}",
        "{% for m in messages %}{{ '[' ~ m.role ~ ']' ~ m.content }}{% for p in m.content %}[{{ p.type }}{{ p }}]{% endfor %}{% endfor %}",
        "{% for m in messages %}<{{ m.name }}>[{{ m.reasoning_content }}{{ m.thinking }}]{% for c in m.tool_calls %}[{{ c.function.name }}]{{ c.function.arguments }}{% endfor %}{% endfor %}",
        "{% for t in tools %}[{{ t.function.name }}]{% for key, value in t.function.parameters|items %}[{{ key }}]<{{ value|string }}>{% endfor %}{% endfor %}</s>",
    ];
    let own = own.iter().map(|source| ChatTemplate::new(source).unwrap());
    let layouts = [Version::V3, Version::V7Tekken, Version::V15];
    let written = layouts.iter().map(|version| ChatTemplate::new(&version.layout().chat_template()).unwrap());
    own.chain(written).collect()
}

fn controls(prompt: &Prompt) -> Vec<Control> {
    let control = |segment| if let Segment::Control(control) = segment { Some(control) } else { None };
    prompt.segments().filter_map(control).collect()
}

/// Injection and skeleton at once: whatever stands where something was sent, the control tokens are the same.
#[test]
fn no_text_that_is_sent_becomes_a_control_token() {
    const HARMLESS: &str = "harmless9";
    let literals: Vec<&str> =
        Control::all().map(Control::as_str).chain(["[/IN", "INST", "s", "]", "\u{e000}"]).collect();
    let templates = templates();
    let (mut compared, mut refused, mut turn) = (0, 0, 0);
    for golden in goldens().iter().filter(|golden| golden.id.ends_with("/all")) {
        let request: Value = serde_json::from_str(golden.request.get()).unwrap();
        for place in 0.. {
            let with = |text: &str| with_text(&request, &mut { place }, text).map(|json| json.to_string());
            let Some(harmless) = with(HARMLESS) else { break };
            turn += 1;
            let render = |template: &ChatTemplate, json: &str| template.render_sent(&Sent::from_json(json)?);
            let harmless: Vec<_> = templates.iter().map(|template| render(template, &harmless)).collect();
            for literal in literals.iter().cycle().skip(turn * 3).take(3) {
                let Some(forged) = with(literal) else { break };
                for (template, harmless) in templates.iter().zip(&harmless) {
                    let (Ok(harmless), Ok(forged)) = (harmless, render(template, &forged)) else {
                        refused += 1;
                        continue;
                    };
                    let same = controls(&forged) == controls(harmless);
                    assert!(same, "{literal} at place {place} of {}: {forged:?}\n{harmless:?}", golden.id);
                    compared += 1;
                }
            }
        }
    }
    println!("{compared} prompts compared, {refused} refused");
    assert!(compared > 5_000, "{compared}");
}

/// Documents and variables come from strangers too: a page that was found, a name that was typed.
#[test]
fn no_text_of_documents_and_variables_becomes_a_control_token() {
    let sources = [
        "{{ bos_token }}[INST]{{ documents|tojson }}{{ given|tojson }}[/INST]",
        "{{ bos_token }}[INST]{% for d in documents %}{% for key, value in d|items %}[{{ key }}]<{{ value }}>{% endfor %}{% endfor %}[/INST]",
        "{{ bos_token }}[INST]{% for key, value in given|items %}{{ '[' ~ key ~ ']' }}<{{ value|string|trim }}>{% endfor %}[/INST]",
    ];
    let given: Value = serde_json::json!([
        [{"title": "t", "text": "x", "other": {"key": ["y"]}}, {"title": "u", "text": "z"}],
        {"name": "n", "list": ["a", {"b": "c"}], "text": "d"}
    ]);
    let chat = Chat::new([Message::user("q")]);
    let render = |source: &str, given: &Value| {
        let template = ChatTemplate::new(source).unwrap();
        let template = template.documents(Json::from_serialize(&given[0]).unwrap());
        template.variable("given", Json::from_serialize(&given[1]).unwrap()).render(&chat).unwrap()
    };
    let mut compared = 0;
    for source in sources {
        for place in 0.. {
            let with = |text: &str| with_text(&given, &mut { place }, text);
            let Some(harmless) = with("harmless9") else { break };
            let harmless = render(source, &harmless);
            for literal in Control::all().map(Control::as_str).chain(["[/IN", "INST", "s", "/s"]) {
                let forged = render(source, &with(literal).unwrap());
                assert_eq!(controls(&forged), controls(&harmless), "{literal} at place {place}: {forged:?}");
                compared += 1;
            }
        }
    }
    assert!(compared > 1_000, "{compared}");
}

/// The beginning of a chat is what was sent of it, too.
#[test]
fn a_prompt_of_what_was_sent_begins_the_next() {
    let template = ChatTemplate::new("{% for m in messages %}{{ m.mood }}{{ m.content }}</s>{% endfor %}").unwrap();
    let chat = Chat::from_json(
        r#"{"messages": [{"role": "user", "content": "a", "mood": "glad"}, {"role": "assistant", "content": "b"},
            {"role": "user", "content": "c", "mood": "sad"}]}"#,
    )
    .unwrap();
    assert_eq!(template.render(&chat).unwrap().as_str(), "glada</s>b</s>sadc</s>");
    for n in 1..=3 {
        assert_eq!(template.prefix_break(&chat, n).unwrap(), None, "{n}");
    }
}
