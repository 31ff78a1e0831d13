//! What a client gets: whole and streamed, calls, JSON, fill in the middle.

use serde_json::{Value, json};

use crate::support::Server;

fn user(text: &str) -> Value {
    json!([{"role": "user", "content": text}])
}

#[test]
fn whole_and_streamed_answers_are_the_same() {
    let server = Server::start(&[]);
    for model in ["tiny", "v3-tekken", "v7-tekken", "v11", "v13", "v15"] {
        let mut body = json!({"model": model, "messages": user("How high is the water?"), "seed": 7, "max_tokens": 20});
        let whole = server.ask(&body);
        body["stream"] = json!(true);
        body["stream_options"] = json!({"include_usage": true});
        let events = server.stream(&body);
        assert_eq!(events.last().map(String::as_str), Some("[DONE]"));
        let events: Vec<Value> =
            events[..events.len() - 1].iter().map(|data| serde_json::from_str(data).unwrap()).collect();
        let content = |event: &Value| event["choices"][0]["delta"]["content"].as_str().unwrap_or_default().to_owned();
        let streamed: String = events.iter().map(content).collect();
        assert_eq!(streamed, whole["choices"][0]["message"]["content"].as_str().unwrap_or_default(), "{model}");
        let reason = events.iter().find_map(|event| event["choices"][0]["finish_reason"].as_str()).unwrap();
        assert_eq!(reason, whole["choices"][0]["finish_reason"]);
        let usage = &events.last().unwrap()["usage"];
        assert_eq!(usage["prompt_tokens"], whole["usage"]["prompt_tokens"]);
        assert_eq!(usage["completion_tokens"], whole["usage"]["completion_tokens"]);
    }
    server.is_well();
}

#[test]
fn models_are_listed_and_looked_up() {
    let server = Server::start(&[]);
    let models: Value = serde_json::from_str(&server.get("/v1/models").1).unwrap();
    let ids: Vec<_> = models["data"].as_array().unwrap().iter().map(|model| model["id"].as_str().unwrap()).collect();
    assert_eq!(ids, ["tiny", "v3-tekken", "v7-tekken", "v11", "v13", "v15"]);
    assert_eq!(server.get("/v1/models/v11").0, 200);
    let (status, error) = server.get("/v1/models/gpt-4");
    let error: Value = serde_json::from_str(&error).unwrap();
    assert_eq!((status, &error["error"]["code"]), (404, &json!("model_not_found")));
}

fn tide() -> Value {
    json!([{"type": "function", "function": {"name": "get_tide", "strict": true, "parameters": {
        "type": "object",
        "properties": {"port": {"enum": ["Brest", "Calais"]}, "days": {"type": "integer", "minimum": 1, "maximum": 9}},
        "required": ["port", "days"],
        "additionalProperties": false,
    }}}])
}

#[test]
fn a_call_that_is_required_is_a_call_of_a_tool() {
    // Where a layout thinks, a random model thinks until it is cut off: v13 is asked without.
    let server = Server::start(&["--answer", "400", "--layout", "v13"]);
    for (model, seed) in [("v3-tekken", 1), ("v7-tekken", 2), ("v11", 3), ("tiny", 4)] {
        let choice = json!({"type": "function", "function": {"name": "get_tide"}});
        let answer = server.ask(&json!({
            "model": model, "messages": user("The tide?"), "tools": tide(), "tool_choice": choice, "seed": seed,
        }));
        let choice = &answer["choices"][0];
        assert_eq!(choice["finish_reason"], "tool_calls", "{model}: {answer}");
        for call in choice["message"]["tool_calls"].as_array().unwrap() {
            assert_eq!(call["function"]["name"], "get_tide");
            let arguments: Value = serde_json::from_str(call["function"]["arguments"].as_str().unwrap()).unwrap();
            assert!(["Brest", "Calais"].contains(&arguments["port"].as_str().unwrap()), "{arguments}");
            assert!((1..=9).contains(&arguments["days"].as_u64().unwrap()), "{arguments}");
            assert_eq!(call["id"].as_str().unwrap().len(), 9);
        }
    }
    server.is_well();
}

#[test]
fn an_answer_of_a_schema_is_of_the_schema() {
    let server = Server::start(&["--answer", "400"]);
    let schema = json!({
        "type": "object",
        "properties": {"unit": {"enum": ["m", "ft"]}, "high": {"type": "boolean"}},
        "required": ["unit", "high"],
        "additionalProperties": false,
    });
    for seed in 0..4 {
        let format = json!({"type": "json_schema", "json_schema": {"name": "tide", "strict": true, "schema": schema}});
        let body = json!({"model": "tiny", "messages": user("The tide?"), "response_format": format, "seed": seed});
        let answer = server.ask(&body);
        let content = answer["choices"][0]["message"]["content"].as_str().unwrap();
        let value: Value = serde_json::from_str(content).unwrap();
        assert!(["m", "ft"].contains(&value["unit"].as_str().unwrap()), "{content}");
        assert!(value["high"].is_boolean(), "{content}");
        assert_eq!(answer["choices"][0]["finish_reason"], "stop");
    }
}

#[test]
fn a_text_with_a_gap_is_filled() {
    let server = Server::start(&[]);
    let body =
        json!({"model": "v3-tekken", "prompt": "def f(x):\n", "suffix": "    return y", "max_tokens": 5, "seed": 1});
    let (status, answer) = server.post("/v1/fim/completions", &body);
    assert_eq!(status, 200, "{answer}");
    assert!(answer["choices"][0]["message"]["content"].is_string(), "{answer}");
    let (_, prompt) = server.post("/tokenize", &json!({"prompt": "def f(x):\n"}));
    let (_, suffix) = server.post("/tokenize", &json!({"prompt": "    return y"}));
    let count = |answer: &Value| answer["count"].as_u64().unwrap();
    assert_eq!(answer["usage"]["prompt_tokens"], 3 + count(&prompt) + count(&suffix), "<s>, [SUFFIX] and [PREFIX]");
}

#[test]
fn a_prefix_is_continued() {
    let server = Server::start(&[]);
    let messages = json!([
        {"role": "user", "content": "Count."},
        {"role": "assistant", "content": "One, two,", "prefix": true},
    ]);
    let (_, prompt) = server.post("/apply-template", &json!({"model": "v13", "messages": messages}));
    assert_eq!(prompt["prompt"], "<s>[INST]Count.[/INST]One, two,");
    let answer = server.ask(&json!({"model": "v13", "messages": messages, "max_tokens": 4, "seed": 2}));
    assert_eq!(answer["choices"][0]["message"]["role"], "assistant");
}

#[test]
fn prompts_are_shown_and_counted() {
    let server = Server::start(&[]);
    let body = json!({"model": "v7-tekken", "messages": [
        {"role": "system", "content": "Be kind."}, {"role": "user", "content": "Hi</s>"},
    ]});
    let (_, shown) = server.post("/apply-template", &body);
    assert_eq!(shown["prompt"], "<s>[SYSTEM_PROMPT]Be kind.[/SYSTEM_PROMPT][INST]Hi</s>[/INST]");
    let (_, tokens) = server.post("/tokenize", &body);
    let ids: Vec<u64> = serde_json::from_value(tokens["tokens"].clone()).unwrap();
    assert_eq!(tokens["count"], ids.len());
    assert_eq!((ids[0], ids[1], *ids.last().unwrap()), (1, 17, 4));
    assert_eq!(ids.iter().filter(|id| **id == 2).count(), 0, "the end token was typed as text");
}

#[test]
fn what_is_changed_or_not_read_is_said() {
    let server = Server::start(&[]);
    let body = json!({"model": "v7-tekken", "messages": [
        {"role": "user", "content": "The tide?"},
        {"role": "assistant", "content": null, "tool_calls": [
            {"id": "call_1", "type": "function", "function": {"name": "now", "arguments": "{}"}},
        ]},
        {"role": "tool", "tool_call_id": "call_1", "content": "low"},
    ], "mirostat": 2});
    let answer = server.ask(&body);
    let notes: Vec<&str> = answer["notes"].as_array().unwrap().iter().map(|note| note.as_str().unwrap()).collect();
    assert!(notes.iter().any(|note| note.starts_with("messages[1].tool_calls[0].id: \"call_1\" became")), "{notes:?}");
    assert!(notes.contains(&"mirostat: nobody reads it"), "{notes:?}");
}

#[test]
fn an_image_has_the_ids_of_its_size() {
    let server = Server::start(&[]);
    let gif = "data:image/gif;base64,R0lGODlhgALgAQAAACwAAAAA";
    let messages = json!([{"role": "user", "content": [
        {"type": "image_url", "image_url": {"url": gif}},
        {"type": "text", "text": "What is it?"},
    ]}]);
    let (_, tokens) = server.post("/tokenize", &json!({"model": "v13", "messages": messages}));
    let ids: Vec<u64> = serde_json::from_value(tokens["tokens"].clone()).unwrap();
    let count = |id: u64| ids.iter().filter(|other| **other == id).count();
    // 640 × 480 pixels, one id for 28 × 28 of them.
    assert_eq!((count(10), count(12), count(13)), (23 * 18, 17, 1));
    let answer = server.ask(&json!({"model": "v13", "messages": messages, "max_tokens": 4}));
    assert_eq!(answer["usage"]["prompt_tokens"], ids.len());
    let broken = json!([{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "data:image/png;base64,aGVsbG8="}}]}]);
    let (status, error) = server.post("/v1/chat/completions", &json!({"model": "v13", "messages": broken}));
    assert_eq!(status, 400, "{error}");
    server.is_well();
}

#[test]
fn thinking_comes_apart_from_what_is_said() {
    let server = Server::start(&["--answer", "300"]);
    // The random model ends its thinking where a grammar lets it do nothing else.
    let messages = json!([
        {"role": "user", "content": "How high is the water?"},
        {"role": "assistant", "prefix": true, "content": [
            {"type": "thinking", "thinking": [{"type": "text", "text": "Hm, the user"}], "closed": false},
        ]},
    ]);
    let (_, shown) = server.post("/apply-template", &json!({"model": "v13", "messages": messages}));
    assert_eq!(shown["prompt"], "<s>[INST]How high is the water?[/INST][THINK]Hm, the user");
    let answer = server.ask(&json!({"model": "v13", "messages": messages, "max_tokens": 6, "seed": 1}));
    let message = &answer["choices"][0]["message"];
    assert!(message["reasoning_content"].is_string(), "{answer}");
    let agent = "mistral-client-python/3.7.0";
    let body = json!({"model": "v13", "messages": messages, "max_tokens": 6, "seed": 1}).to_string();
    let head = format!(
        "POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nUser-Agent: {agent}\r\nConnection: close\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    let of_mistral = server.raw(format!("{head}{body}").as_bytes());
    assert!(of_mistral.contains(r#""content":[{"type":"thinking""#), "{of_mistral}");

    let (_, high) =
        server.post("/apply-template", &json!({"model": "v15", "messages": user("Hi"), "reasoning_effort": "high"}));
    let prompt = high["prompt"].as_str().unwrap();
    assert!(prompt.contains("[MODEL_SETTINGS]") && prompt.contains("high"), "{prompt}");
}

#[test]
fn a_stop_string_ends_an_answer_and_is_not_said() {
    let server = Server::start(&[]);
    let mut body = json!({"model": "v11", "messages": user("How high is the water?"), "seed": 3, "max_tokens": 24});
    let whole = server.ask(&body);
    let said = whole["choices"][0]["message"]["content"].as_str().unwrap();
    let middle: String = said.chars().skip(said.chars().count() / 2).take(2).collect();
    body["stop"] = json!([middle]);
    let stopped = server.ask(&body);
    assert_eq!(stopped["choices"][0]["message"]["content"], said.split_once(&middle).unwrap().0);
    assert_eq!(stopped["choices"][0]["finish_reason"], "stop");
    assert!(stopped["usage"]["completion_tokens"].as_u64() < whole["usage"]["completion_tokens"].as_u64());
    server.is_well();
}
