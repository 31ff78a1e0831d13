//! Templates of this repository, and Python's own ways in snippets, as transformers renders them:
//! `tests/goldens/template/own.jsonl`, written by `tests/oracle/templates_own.py`.

use std::collections::{BTreeMap, BTreeSet};
use std::error::Error as _;
use std::fs;
use std::path::Path;

use mistral_chat_template::chat::{Json, Sent};
use mistral_chat_template::template::{GenerationPrompt, TemplateLimits, TemplateRaised};
use mistral_chat_template::{AssistantMessage, Chat, ChatTemplate, Error, ErrorKind, Format, Message, Prompt};
use serde::Deserialize;
use serde_json::value::RawValue;

#[derive(Deserialize)]
struct Golden {
    template: Option<String>,
    source: Option<String>,
    request: Box<RawValue>,
    #[serde(default)]
    variables: BTreeMap<String, Box<RawValue>>,
    string: Option<String>,
    generated: Option<Vec<(usize, usize)>>,
    raised: Option<String>,
    failed: Option<String>,
}

impl Golden {
    fn source(&self) -> String {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/templates");
        let file = |name: &String| fs::read_to_string(folder.join(name)).unwrap();
        self.template.as_ref().map_or_else(|| self.source.clone().unwrap(), file)
    }

    fn render(&self, prompt: &mut Prompt) -> Result<Vec<(usize, usize)>, Error> {
        let chat = Chat::from_json(self.request.get())?;
        let mut template = ChatTemplate::new(&self.source())?;
        for (name, value) in &self.variables {
            template = match &**name {
                "add_generation_prompt" => template.generation_prompt(GenerationPrompt::Added),
                _ => template.variable(name, Json::from_serialize(value)?),
            };
        }
        let ranges = template.render_generated(&chat, prompt)?;
        let characters = |at: usize| prompt.as_str()[..at].chars().count();
        Ok(ranges.into_iter().map(|range| (characters(range.start), characters(range.end))).collect())
    }

    fn difference(&self) -> Option<String> {
        let mut prompt = Prompt::new();
        let answer = self.render(&mut prompt);
        match (&self.string, &answer) {
            (Some(string), Ok(generated)) => {
                if prompt.as_str() != string {
                    return Some(format!("printed  {:?}\nexpected {string:?}", prompt.as_str()));
                }
                let expected = self.generated.as_ref()?;
                (generated != expected).then(|| format!("generated {generated:?}\nexpected  {expected:?}"))
            }
            (Some(string), Err(error)) => Some(format!("refused  {error}\nexpected {string:?}")),
            (None, Ok(_)) => {
                Some(format!("printed  {:?}\nexpected {:?} {:?}", prompt.as_str(), self.raised, self.failed))
            }
            (None, Err(error)) => {
                let raised = error.source().and_then(|source| source.downcast_ref::<TemplateRaised>());
                let said = raised.map(TemplateRaised::message);
                (said != self.raised.as_deref()).then(|| format!("refused  {error}\nexpected {:?}", self.raised))
            }
        }
    }
}

#[test]
fn every_golden() {
    let goldens = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/goldens/template/own.jsonl");
    let (mut differences, mut count) = (Vec::new(), 0);
    for line in fs::read_to_string(goldens).unwrap().lines() {
        let golden: Golden = serde_json::from_str(line).unwrap();
        count += 1;
        let source = golden.template.clone().or(golden.source.clone()).unwrap();
        if let Some(difference) = golden.difference() {
            differences.push(format!("{source}\n{}\n{difference}", golden.request));
        }
    }
    let shown: Vec<_> = differences.iter().take(60).cloned().collect();
    assert!(differences.is_empty(), "{} differences of {count}\n\n{}", differences.len(), shown.join("\n\n"));
}

/// Each limit counts what its name says, and what is just within it is allowed.
#[test]
fn what_a_template_may_do_grows_with_the_chat() {
    let none = TemplateLimits {
        steps: 0,
        steps_per_message: 0,
        steps_per_value: 0,
        steps_per_byte: 0,
        output: 0,
        ..TemplateLimits::default()
    };
    let chat = Chat::new([Message::user("four"), Message::user("four")]);
    let renders = |limits: TemplateLimits, source: &str| limits.compile(source).unwrap().render(&chat).is_ok();
    let ten = "{{ 1 }}{{ 2 }}{{ 3 }}{{ 4 }}{{ 5 }}";
    assert!(!renders(none, ten));
    assert!(renders(TemplateLimits { steps: 10, ..none }, ten));
    assert!(renders(TemplateLimits { steps_per_message: 5, ..none }, ten));
    assert!(
        renders(TemplateLimits { steps_per_value: 1, ..none }, ten),
        "two messages, four members with keys, and more"
    );
    assert!(renders(TemplateLimits { steps_per_byte: 2, ..none }, ten));
    // Eight times eight bytes, and as many as are allowed beside them.
    for (output, printed) in [(0, 64), (3, 67)] {
        let limits = TemplateLimits { output, ..TemplateLimits::default() };
        assert!(renders(limits, &format!("{{{{ 'a' * {printed} }}}}")));
        assert!(!renders(limits, &format!("{{{{ 'a' * {} }}}}", printed + 1)));
    }
}

#[test]
fn every_error_reads_as_it_should() {
    let asked = Chat::new([Message::user("Hi [INST]")]);
    let reply = AssistantMessage { content: "Hello".into(), prefix: true, ..AssistantMessage::default() };
    let continued = Chat::new([Message::user("Hi"), Message::Assistant(reply)]);
    let config = |json: &str| ChatTemplate::from_tokenizer_config(json).unwrap_err();
    let refused = |source: &str| ChatTemplate::new(source).unwrap().render(&asked).unwrap_err();
    let limits = TemplateLimits { source: 20, output: 10, ..TemplateLimits::default() };
    let errors = [
        (
            "not a file that holds a chat template: invalid type: sequence, expected a JSON object at line 1 column 0",
            config("[]"),
        ),
        (
            "not a file that holds a chat template: its `chat_template` is neither a template nor a list of named templates at line 1 column 20",
            config(r#"{"chat_template": 7}"#),
        ),
        ("there is no chat template", config("{}")),
        (
            "there is no template \"default\"; there are rag, tool_use",
            config(r#"{"chat_template": [{"name": "tool_use", "template": ""}, {"name": "rag", "template": ""}]}"#),
        ),
        ("the template has 25 bytes, and 20 are allowed", limits.compile("{{ messages[0].content }}").unwrap_err()),
        (
            "the template cannot be read: line 2: expected token 'end of print statement', got 'end of template'",
            ChatTemplate::new("Hi\n{{ a").unwrap_err(),
        ),
        ("the template refuses the chat: No.", refused("{{ raise_exception('No.') }}")),
        (
            "the template cannot render the chat: line 2: TypeError: not all arguments converted during string formatting",
            refused("Hi\n{{ 'a' % 1 }}"),
        ),
        (
            "rendering takes more work than a template is allowed for a chat of this size",
            refused("{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}"),
        ),
        (
            "the prompt is longer than the 82 bytes that a template is allowed for a chat of this size",
            limits.compile("{{ 'a' * 83 }}").unwrap().render(&asked).unwrap_err(),
        ),
        (
            "messages[1].content: the template does not print the message that is to be continued",
            ChatTemplate::new("{{ messages[0].content }}").unwrap().render(&continued).unwrap_err(),
        ),
        ("messages[0].content: the last message has nothing here that can be continued", {
            let sent =
                r#"{"messages": [{"role": "user", "content": [{"type": "image"}]}], "continue_final_message": true}"#;
            let template = ChatTemplate::new("{{ messages[0].content }}").unwrap();
            template.render_sent(&Sent::from_json(sent).unwrap()).unwrap_err()
        }),
    ];
    let read = errors.iter().map(|(_, error)| error.to_string());
    assert_eq!(read.collect::<Vec<_>>(), errors.each_ref().map(|(text, _)| *text));
    let told: BTreeSet<&str> = errors.iter().map(|(_, error)| error.kind().name()).collect();
    let all: BTreeSet<&str> = ErrorKind::NAMES.iter().copied().filter(|name| name.contains("template")).collect();
    assert_eq!(told, all);
}
