//! What `render_jsonl` answers of a conversation that lives: `repair`, `stable_from` and `fit`.

use serde_json::{Value, json};

use crate::support::program::{printed, run};

/// The answers to lines.
fn answers(lines: &[Value]) -> Vec<Value> {
    let lines: Vec<_> = lines.iter().map(|line| format!("{line}\n")).collect();
    let output = run("render_jsonl", &[] as &[&str], &lines.concat());
    printed(&output).lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn line(version: &str, messages: &[Value], fields: Value) -> Value {
    let mut line = json!({"id": "1", "version": version, "request": {"messages": messages}});
    line.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    line
}

fn said(role: &str, content: &str) -> Value {
    json!({"role": role, "content": content})
}

fn talk() -> [Value; 4] {
    [said("system", "S"), said("user", "a"), said("assistant", "b"), said("user", "c")]
}

#[test]
fn a_repaired_request_renders_to_the_same_without_repair() {
    let call = json!({"id": "call_9yKqLb2xVzT0cWm3uRsE1hNd", "function": {"name": "now", "arguments": "{}"}});
    let messages = [
        said("user", "a"),
        json!({"role": "assistant", "content": "", "tool_calls": [call]}),
        json!({"role": "tool", "tool_call_id": "call_9yKqLb2xVzT0cWm3uRsE1hNd", "content": "12:00"}),
    ];
    let [answer, as_it_is] =
        &answers(&[line("v7", &messages, json!({"repair": true})), line("v7", &talk(), json!({"repair": true}))])[..]
    else {
        panic!("two answers")
    };
    assert_eq!(
        answer["repairs"],
        json!([
            {
                "at": "messages[1].tool_calls[0].id",
                "kind": "call_id",
                "what": "\"call_9yKqLb2xVzT0cWm3uRsE1hNd\" became \"bzi8lpajx\"",
            },
            {
                "at": "messages[2].tool_call_id",
                "kind": "call_id",
                "what": "\"call_9yKqLb2xVzT0cWm3uRsE1hNd\" became \"bzi8lpajx\"",
            },
        ])
    );
    let again = &answers(&[json!({"version": "v7", "request": answer["request"]})])[0];
    assert_eq!((&again["ok"], &again["string"]), (&json!(true), &answer["string"]));
    assert!(again.get("repairs").is_none());
    assert_eq!((&as_it_is["ok"], &as_it_is["repairs"]), (&json!(true), &json!([])));
}

#[test]
fn openais_older_form_is_repaired() {
    let messages = [
        said("user", "a"),
        json!({"role": "assistant", "content": null, "function_call": {"name": "now", "arguments": "{}"}}),
        json!({"role": "function", "name": "now", "content": "12:00"}),
    ];
    let answer = &answers(&[line("v11", &messages, json!({"repair": true, "kind": "openai"}))])[0];
    assert_eq!(answer["ok"], true, "{answer}");
    assert_eq!(answer["repairs"][0]["kind"], "form");
    assert_eq!(answer["repairs"][1]["kind"], "call_id");
    assert!(answer["string"].as_str().unwrap().contains("[TOOL_CALLS]now[CALL_ID]"), "{answer}");
}

#[test]
fn stable_prompts_say_what_is_appended_and_others_why() {
    let [stable, moved, refused] = &answers(&[
        line("v7", &talk(), json!({"stable_from": 2})),
        line("v3", &talk(), json!({"stable_from": 2})),
        line("v7", &talk(), json!({"stable_from": 3})),
    ])[..] else {
        panic!("three answers")
    };
    assert_eq!(stable["stable"], true);
    let appended =
        json!([{"text": "b"}, {"control": "</s>"}, {"control": "[INST]"}, {"text": "c"}, {"control": "[/INST]"}]);
    assert_eq!(stable["appended"], appended);
    assert_eq!(
        (&moved["stable"], &moved["why"]),
        (&json!(false), &json!("the system prompt moves to the last user turn"))
    );
    assert_eq!((&refused["ok"], &refused["stable"]), (&json!(true), &json!(false)));
}

#[test]
fn a_budget_leaves_out_the_oldest_or_is_told() {
    let [fits, all, over] = &answers(&[
        line("v7", &talk(), json!({"fit": {"budget": 9}})),
        line("v7", &talk(), json!({"fit": {"budget": 100}})),
        line("v7", &talk(), json!({"fit": {"budget": 5}})),
    ])[..] else {
        panic!("three answers")
    };
    assert_eq!(fits["string"], "<s>[SYSTEM_PROMPT] S[/SYSTEM_PROMPT][INST] c[/INST]");
    assert_eq!((&fits["dropped"], &all["dropped"]), (&json!([1, 2]), &json!([])));
    assert_eq!((&over["ok"], &over["family"]), (&json!(false), &json!("budget")));
    assert_eq!(over["error"], "what has to stay in the prompt is 2 over the budget (v7)");
}

#[test]
fn what_is_learnt_is_told() {
    let messages = [said("user", "a"), said("assistant", "b"), said("user", "c"), said("assistant", "é")];
    let ask = |learn: Value| line("magnum", &messages, json!({ "learn": learn }));
    let weighted = {
        let mut line = ask(json!("weighted"));
        line["request"]["messages"][3]["weight"] = json!(0);
        line
    };
    let lines = [ask(json!(true)), ask(json!("last")), ask(json!("everything")), weighted, ask(json!("nothing"))];
    let answers = answers(&lines);
    let masks: Vec<&Value> = answers.iter().map(|answer| &answer["mask"]).collect();
    assert_eq!(answers[0]["string"], "<s>[INST] a[/INST] b</s>[INST] c[/INST] é</s>");
    assert_eq!(
        masks,
        [&json!([[18, 24], [39, 46]]), &json!([[39, 46]]), &json!([[0, 46]]), &json!([[18, 24]]), &Value::Null]
    );
    assert_eq!((&answers[4]["ok"], &answers[4]["at"]), (&json!(false), &json!("learn")));
    assert!(answers[0].get("input_ids").is_none(), "only a vocabulary has ids");
}
