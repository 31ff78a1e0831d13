//! Grammars of answers: mistral-common's byte for byte, and what it leaves out.

use std::collections::BTreeMap;

use mistral_chat_template::grammar::LarkStyle;
use mistral_chat_template::{Chat, Error, Layout};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::control_ids::ReleasedIds;

/// What the requests of the goldens are put together from.
#[derive(Deserialize)]
struct Parts {
    tools: BTreeMap<String, Value>,
    formats: BTreeMap<String, Value>,
    choices: BTreeMap<String, Value>,
}

impl Parts {
    fn request(&self, tools: &str, choice: &str, format: &str, count: &str) -> String {
        let parallel = match count {
            "par" => true,
            "single" => false,
            other => unreachable!("{other}"),
        };
        json!({
            "messages": [{"role": "user", "content": "q"}],
            "tools": self.tools[tools],
            "tool_choice": self.choices[choice],
            "response_format": self.formats[format],
            "parallel_tool_calls": parallel,
        })
        .to_string()
    }
}

/// A grammar, no grammar or a refusal, and the requests that it is of.
#[derive(Deserialize)]
struct Golden {
    of: Vec<String>,
    lark: Option<String>,
    refused: Option<Refused>,
}

#[derive(Deserialize)]
struct Refused {
    family: String,
}

fn lark(layout: &Layout, request: &str, style: LarkStyle) -> Result<Option<String>, Error> {
    let chat = Chat::from_json(request)?;
    layout.grammar(&chat)?.map(|grammar| grammar.to_lark(&ReleasedIds(layout), style)).transpose()
}

#[test]
fn grammars_are_those_of_mistral_common() {
    let mut lines = include_str!("../goldens/grammar.jsonl").lines();
    let parts: Parts = serde_json::from_str(lines.next().unwrap()).unwrap();
    let mut count = 0;
    for line in lines {
        let golden: Golden = serde_json::from_str(line).unwrap();
        for id in &golden.of {
            let [version, tools, choice, format, parallel] = id.split('/').collect::<Vec<_>>().try_into().unwrap();
            let layout: Layout = version.parse().unwrap();
            let printed = lark(&layout, &parts.request(tools, choice, format, parallel), LarkStyle::MistralCommon);
            match (&golden.refused, printed) {
                (None, printed) => assert_eq!(printed.unwrap(), golden.lark, "{id}"),
                (Some(refused), Err(error)) => {
                    assert_eq!(error.family().as_str(), refused.family, "{id}: {error}");
                    assert_eq!(error.at().split('.').next(), Some("tool_choice"), "{id}: {error}");
                }
                (Some(_), Ok(printed)) => panic!("{id}: {printed:?}"),
            }
            count += 1;
        }
    }
    assert_eq!(count, 528);
}
