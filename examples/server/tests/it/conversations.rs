//! Conversations that a client sends whole, turn by turn: what stays of their ids, and in the model's cache.

use serde_json::{Value, json};

use crate::support::Server;

/// How a client writes the reply that it got back.
type Echo = fn(&Value) -> Value;

fn as_it_came(message: &Value) -> Value {
    message.clone()
}

/// Without its thinking, and with a content that is a list.
fn as_chunks(message: &Value) -> Value {
    json!({"role": "assistant", "content": [{"type": "text", "text": message["content"]}]})
}

/// The usage of each turn of a conversation.
fn turns(server: &Server, model: &str, name: &str, count: usize, echo: Echo) -> Vec<Value> {
    let mut messages = vec![json!({"role": "system", "content": format!("{name} asks.")})];
    let turn = |index: usize| {
        messages.push(json!({"role": "user", "content": format!("Question {index}: how high is the water?")}));
        let answer = server.ask(&json!({"model": model, "messages": messages, "max_tokens": 16, "seed": index}));
        messages.push(echo(&answer["choices"][0]["message"]));
        answer["usage"].clone()
    };
    (0..count).map(turn).collect()
}

fn number(usage: &Value, name: &str) -> u64 {
    usage[name].as_u64().or(usage["prompt_tokens_details"][name].as_u64()).unwrap()
}

#[test]
fn a_turn_encodes_and_reads_what_is_new() {
    let server = Server::start(&[]);
    for model in ["v7-tekken", "v11", "v13", "v15"] {
        for (name, echo) in [("Ann", as_it_came as Echo), ("Bob", as_chunks)] {
            let turns = turns(&server, model, &format!("{name} of {model}"), 12, echo);
            for pair in turns.windows(2) {
                let (before, now) = (&pair[0], &pair[1]);
                let read = number(before, "prompt_tokens") + number(before, "completion_tokens");
                // The id that was sampled last was not read: nothing came after it.
                assert_eq!(number(now, "cached_tokens"), read - 1, "{model}: {before} {now}");
                let new = number(now, "prompt_tokens") - read;
                // Of a reply that was cut off, the end token is added without being encoded.
                assert!((new - 1..=new).contains(&number(now, "encoded_tokens")), "{model}: {before} {now}");
            }
        }
    }
    server.is_well();
}

#[test]
fn a_conversation_that_is_taken_back_goes_on_from_where_it_parts() {
    let server = Server::start(&[]);
    let question = |text: &str| json!({"role": "user", "content": text});
    let ask = |messages: &Value| server.ask(&json!({"model": "v11", "messages": messages, "max_tokens": 8, "seed": 1}));
    let first = ask(&json!([question("How high is the water?")]));
    let reply = &first["choices"][0]["message"];
    let second = ask(&json!([question("How high is the water?"), reply, question("Since when?")]));
    let other = ask(&json!([question("How high is the water?"), reply, question("Until when?")]));
    let again = ask(&json!([question("How high is the water?")]));
    assert_eq!(again["choices"][0]["message"], *reply, "the same seed, the same ids");
    let asked = number(&first["usage"], "prompt_tokens");
    let read = asked + number(&first["usage"], "completion_tokens");
    assert!(number(&second["usage"], "cached_tokens") >= read - 1, "{second}");
    assert!(number(&other["usage"], "cached_tokens") >= read - 1, "{other}");
    server.is_well();
}

#[test]
fn a_conversation_beyond_the_context_is_cut_rarely() {
    let server = Server::start(&["--context", "1600", "--answer", "16", "--fit", "0.5"]);
    let long = turns(&server, "v13", "Ann", 90, as_it_came);
    let late = &long[40..];
    let sum = |name: &str| late.iter().map(|usage| number(usage, name)).sum::<u64>();
    let (prompts, cached) = (sum("prompt_tokens"), sum("cached_tokens"));
    assert!(late.iter().all(|usage| number(usage, "prompt_tokens") <= 1600), "{late:?}");
    let cuts =
        late.windows(2).filter(|pair| number(&pair[1], "prompt_tokens") < number(&pair[0], "prompt_tokens")).count();
    assert!((1..=8).contains(&cuts), "{cuts} cuts in {} turns", late.len());
    assert!(cached * 100 > prompts * 80, "{cached} of {prompts} ids were cached");
    // A turn encodes what is new, also where the cut moves: what stays behind it is known.
    assert!(late.iter().all(|usage| number(usage, "encoded_tokens") < 100), "{late:?}");
    server.is_well();
}

#[test]
fn what_is_left_out_is_said() {
    let server = Server::start(&["--context", "200", "--answer", "16", "--fit", "0.5"]);
    let mut messages = Vec::new();
    for index in 0..20 {
        messages.push(json!({"role": "user", "content": format!("Question {index}: how high is the water?")}));
        messages.push(json!({"role": "assistant", "content": "As high as yesterday."}));
    }
    messages.push(json!({"role": "user", "content": "And now?"}));
    let answer = server.ask(&json!({"model": "v13", "messages": messages, "max_tokens": 500}));
    let left_out =
        |note: &Value| note.as_str().unwrap().ends_with("were left out, so that the prompt fits the context");
    assert!(answer["notes"].as_array().unwrap().iter().any(left_out), "{answer}");
    let used = number(&answer["usage"], "prompt_tokens") + number(&answer["usage"], "completion_tokens");
    assert!(used <= 200, "{answer}");

    // What has to stay is longer than the context: that is refused, as without `--fit`.
    let long = json!({"model": "v13", "messages": [{"role": "user", "content": "tide ".repeat(500)}]});
    let (status, error) = server.post_text("/v1/chat/completions", &long.to_string());
    assert_eq!(status, 400, "{error}");
    assert!(error.contains("context_length_exceeded") && error.contains("maximum context is 184 tokens"), "{error}");
    server.is_well();
}

#[test]
fn conversations_beside_each_other_keep_their_ids() {
    let server = Server::start(&["--parallel", "2"]);
    std::thread::scope(|scope| {
        let running: Vec<_> = (0..8)
            .map(|number| {
                scope.spawn({
                    let server = &server;
                    move || turns(server, "v13", &number.to_string(), 6, as_it_came)
                })
            })
            .collect();
        for thread in running {
            let turns = thread.join().unwrap();
            for pair in turns.windows(2) {
                let new = number(&pair[1], "prompt_tokens")
                    - number(&pair[0], "prompt_tokens")
                    - number(&pair[0], "completion_tokens");
                assert!((new - 1..=new).contains(&number(&pair[1], "encoded_tokens")));
            }
        }
    });
    server.is_well();
}
