//! Small templates as transformers renders them: `tests/goldens/template/python.jsonl`, written by `tests/oracle/jinja.py`.

use std::collections::BTreeMap;
use std::error::Error as _;
use std::fs;
use std::path::Path;

use mistral_chat_template::chat::Json;
use mistral_chat_template::template::ClockTime;
use mistral_chat_template::{Chat, ChatTemplate, Error, Format};
use serde::Deserialize;
use serde_json::value::RawValue;

/// A template, the variables that it is given, and what Python makes of it.
#[derive(Deserialize)]
struct Golden {
    template: String,
    #[serde(default)]
    given: BTreeMap<String, Box<RawValue>>,
    now: Option<i64>,
    /// What is printed; `None` where Python raises.
    want: Option<String>,
    /// What Python says of it then: ours, and perhaps more.
    raises: Option<String>,
}

impl Golden {
    fn render(&self) -> Result<String, Error> {
        let mut template = ChatTemplate::new(&self.template)?;
        for (name, json) in &self.given {
            template = template.variable(name, Json::from_serialize(json)?);
        }
        if let Some(now) = self.now {
            template = template.clock(move || ClockTime::from_unix_seconds(now));
        }
        Ok(template.render(&Chat::default())?.into_string())
    }
}

#[test]
fn templates_render_as_in_python() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/goldens/template/python.jsonl");
    let goldens = fs::read_to_string(path).unwrap();
    let mut wrong = Vec::new();
    for line in goldens.lines() {
        let golden: Golden = serde_json::from_str(line).unwrap();
        let got = golden.render();
        if got.as_ref().ok() != golden.want.as_ref() {
            wrong.push(format!("{:?}\n  {got:?}, but {:?}", golden.template, golden.want));
        }
        if let (Some(raises), Err(error)) = (&golden.raises, &got) {
            let said = error.source().map(ToString::to_string).unwrap_or_default();
            let ours = said.strip_prefix("line 1: ").filter(|ours| !ours.is_empty());
            if !ours.is_some_and(|ours| raises.starts_with(ours)) {
                wrong.push(format!("{:?}\n  {said}, but {raises}", golden.template));
            }
        }
    }
    assert!(goldens.lines().count() > 1_000);
    assert!(wrong.is_empty(), "{}:\n{}", wrong.len(), wrong.join("\n"));
}
