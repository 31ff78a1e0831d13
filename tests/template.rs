//! Templates of this repository, and Python's own ways in snippets, as transformers renders them:
//! `tests/goldens/template/own.jsonl`, written by `tests/oracle/templates_own.py`.

use std::collections::BTreeMap;
use std::error::Error as _;
use std::fs;
use std::path::Path;

use mistral_chat_template::{Chat, ChatTemplate, Error, GenerationPrompt, Json, Prompt, TemplateRaised};
use serde::Deserialize;
use serde_json::value::RawValue;

/// Where the engine is not Python, by the snippet's beginning, with the reason; `COMPATIBILITY.md` lists them.
const EXCEPTIONS: [(&str, &str); 1] = [("{{ '%s is %d' %", "texts have no % operator")];

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
        let listed = EXCEPTIONS.iter().any(|(start, _)| source.starts_with(start));
        match golden.difference() {
            Some(_) if listed => {}
            Some(difference) => differences.push(format!("{source}\n{}\n{difference}", golden.request)),
            None => assert!(!listed, "no exception: {source}"),
        }
    }
    let shown: Vec<_> = differences.iter().take(60).cloned().collect();
    assert!(differences.is_empty(), "{} differences of {count}\n\n{}", differences.len(), shown.join("\n\n"));
}
