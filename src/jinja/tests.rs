use std::path::Path;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::machine::{Context, Printed};
use super::syntax::Program;
use super::value::Value;
use super::{Done, Reason, json};

/// A template, what it is given, and what Python makes of it.
#[derive(Deserialize)]
struct Case {
    template: String,
    #[serde(default)]
    given: Option<Box<RawValue>>,
    #[serde(default)]
    now: Option<i64>,
    /// What is printed; none where Python raises.
    want: Option<String>,
}

struct Given {
    variables: Vec<(String, String)>,
    now: Option<i64>,
}

impl<'r> Context<'r> for &'r Given {
    fn variable(&self, name: &str) -> Done<Option<Value<'r>>> {
        let found = self.variables.iter().find(|(known, _)| known == name);
        Ok(found.map(|(_, json)| json::value(json).unwrap()))
    }

    fn now(&self) -> Option<i64> {
        self.now
    }
}

fn rendered(case: &Case) -> Result<String, String> {
    let program = Program::new(&case.template).map_err(|stop| format!("{:?}", stop.0))?;
    let variables: std::collections::BTreeMap<String, Box<RawValue>> =
        case.given.as_ref().map_or_else(Default::default, |given| serde_json::from_str(given.get()).unwrap());
    let variables = variables.into_iter().map(|(name, json)| (name, json.get().to_owned())).collect();
    let given = Given { variables, now: case.now };
    let context = &given;
    let printed = program.run(&context, 1_000_000).map_err(|stop| match stop.0.reason {
        Reason::Steps => panic!("{} is not done", case.template),
        reason => format!("{reason:?}"),
    })?;
    let pieces = printed.iter().map(|printed| match printed {
        Printed::Piece(piece) => piece.as_str(),
        Printed::GenerationStart | Printed::GenerationEnd => "",
    });
    Ok(pieces.collect())
}

#[test]
fn templates_render_as_in_python() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/goldens/template/python.jsonl");
    let mut wrong = Vec::new();
    let cases = std::fs::read_to_string(path).unwrap();
    for line in cases.lines() {
        let case: Case = serde_json::from_str(line).unwrap();
        let got = rendered(&case);
        if got.as_ref().ok() != case.want.as_ref() {
            wrong.push(format!("{:?}\n  {got:?}, but {:?}", case.template, case.want));
        }
    }
    assert!(wrong.is_empty(), "{} of {}\n{}", wrong.len(), cases.lines().count(), wrong.join("\n"));
}
