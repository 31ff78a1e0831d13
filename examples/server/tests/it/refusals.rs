//! What no client should send: each is answered with OpenAI's error body, and the server goes on.

use std::io::{Read, Write};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::support::Server;

const CHAT: &str = "/v1/chat/completions";

/// Each body with the status, the code and the `param` of its refusal.
fn bodies() -> Vec<(String, u16, &'static str, Option<&'static str>)> {
    let with = |more: Value| {
        let mut body = json!({"model": "v7-tekken", "messages": [{"role": "user", "content": "Hi"}]});
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        body.to_string()
    };
    let messages = |messages: Value| with(json!({"messages": messages}));
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    vec![
        (String::new(), 400, "json", None),
        ("{".into(), 400, "json", None),
        ("null".into(), 400, "json", None),
        ("[]".into(), 400, "json", None),
        ("\"messages\"".into(), 400, "json", None),
        ("{\"messages\": [}".into(), 400, "json", None),
        ("{} {}".into(), 400, "json", None),
        ("{\"a\": NaN}".into(), 400, "json", None),
        (deep.clone(), 400, "json", None),
        (with(json!({"model": "gpt-4"})), 404, "model_not_found", Some("model")),
        (with(json!({"model": "v3"})), 404, "model_not_found", Some("model")),
        (with(json!({"model": 7})), 400, "invalid_value", Some("model")),
        (with(json!({"stream": "yes"})), 400, "invalid_value", Some("stream")),
        (with(json!({"temperature": -1})), 400, "invalid_value", Some("temperature")),
        (with(json!({"temperature": "hot"})), 400, "invalid_value", Some("temperature")),
        (with(json!({"temperature": 1e300})), 400, "invalid_value", Some("temperature")),
        (with(json!({"top_p": 2})), 400, "invalid_value", Some("top_p")),
        (with(json!({"max_tokens": 0})), 400, "invalid_value", Some("max_tokens")),
        (with(json!({"max_tokens": -5})), 400, "invalid_value", Some("max_tokens")),
        (with(json!({"max_completion_tokens": 1.5})), 400, "invalid_value", Some("max_completion_tokens")),
        (with(json!({"max_tokens": 18_446_744_073_709_551_615_u64})), 400, "context_length_exceeded", Some("messages")),
        (with(json!({"seed": "x"})), 400, "invalid_value", Some("seed")),
        (with(json!({"stop": 5})), 400, "invalid_value", Some("stop")),
        (with(json!({"stop": [5]})), 400, "invalid_value", Some("stop")),
        (with(json!({"stream_options": {"include_usage": "yes"}})), 400, "invalid_value", Some("stream_options")),
        (with(json!({"n": 2})), 400, "unsupported_parameter", Some("n")),
        (with(json!({"logprobs": true})), 400, "unsupported_parameter", Some("logprobs")),
        (with(json!({"presence_penalty": 0.5})), 400, "unsupported_parameter", Some("presence_penalty")),
        (with(json!({"logit_bias": {"5": 1}})), 400, "unsupported_parameter", Some("logit_bias")),
        (messages(json!([])), 400, "no_messages", Some("messages")),
        (messages(json!("Hi")), 400, "json", Some("messages")),
        (messages(json!([7])), 400, "json", Some("messages[0]")),
        (messages(json!([{"content": "Hi"}])), 400, "missing_field", Some("messages[0]")),
        (messages(json!([{"role": "wizard", "content": "Hi"}])), 400, "unknown_role", Some("messages[0].role")),
        (with(json!({"tool_choice": "required"})), 400, "choice_without_tools", Some("tool_choice")),
        (
            with(json!({"tools": [{"type": "function", "function": {"name": "f", "parameters": {"type": 5}}}]})),
            400,
            "tool_schema",
            Some("tools[0].function.parameters"),
        ),
    ]
}

#[test]
fn each_bad_body_is_refused_with_its_place() {
    let server = Server::start(&[]);
    let mut wrong = Vec::new();
    for (body, status, code, param) in bodies() {
        let shown: String = body.chars().take(200).collect();
        let (got, text) = server.post_text(CHAT, &body);
        let error: Value = serde_json::from_str(&text).unwrap_or_else(|_| panic!("{shown}: {text}"));
        let error = &error["error"];
        let is_said = error["message"].as_str().is_some_and(|message| !message.is_empty());
        let answered = (got, error["code"].as_str(), error["param"].as_str(), error["type"].as_str());
        if answered != (status, Some(code), param, Some("invalid_request_error")) || !is_said {
            wrong.push(format!("{shown}\n  {got} {text}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    server.is_well();
}

#[test]
fn what_is_deep_or_long_is_read_or_refused() {
    let server = Server::start(&["--body", "400000", "--context", "1000"]);
    let nested = |depth: usize| format!("{}1{}", "{\"a\": ".repeat(depth), "}".repeat(depth));
    for depth in [100, 1_000, 50_000] {
        let tool = format!(r#"{{"type": "function", "function": {{"name": "f", "parameters": {}}}}}"#, nested(depth));
        let body =
            format!(r#"{{"model": "v11", "messages": [{{"role": "user", "content": "Hi"}}], "tools": [{tool}]}}"#);
        let (status, text) = server.post_text(CHAT, &body);
        assert!([200, 400].contains(&status), "{depth}: {status} {text}");
    }
    let long = json!({"model": "v11", "messages": [{"role": "user", "content": "word ".repeat(2_000)}]});
    let (status, error) = server.post(CHAT, &long);
    assert_eq!((status, &error["error"]["code"]), (400, &json!("context_length_exceeded")));
    let message = error["error"]["message"].as_str().unwrap();
    assert!(message.starts_with("maximum context is 1000 tokens, "), "{message}");
    let huge = json!({"model": "v11", "messages": [{"role": "user", "content": "a".repeat(500_000)}]});
    let (status, error) = server.post(CHAT, &huge);
    assert_eq!((status, &error["error"]["code"]), (413, &json!("too_large")));
    server.is_well();
}

#[test]
fn bytes_that_are_no_request_are_refused() {
    let server = Server::start(&[]);
    let head = |length: usize| {
        format!("POST {CHAT} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n")
    };
    let invalid = [head(26).as_bytes(), b"{\"messages\": [\"\xff\xfe\xc0\"]     }"].concat();
    let answer = server.raw(&invalid);
    assert!(answer.starts_with("HTTP/1.1 400") && answer.contains("\"code\":\"utf8\""), "{answer}");
    assert!(answer.contains("not UTF-8 at byte 15"), "{answer}");
    for bytes in [
        &b"GET\r\n\r\n"[..],
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
        b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\nzz\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
    ] {
        let answer = server.raw(bytes);
        assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 4"), "{answer}");
    }
    for (path, status) in
        [("/v2", 404), ("/v1/chat/completions", 405), ("/v1/models/%ff", 400), ("/../../etc/passwd", 404)]
    {
        let answer = server.raw(format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").as_bytes());
        assert!(answer.starts_with(&format!("HTTP/1.1 {status}")), "{path}: {answer}");
    }
    server.is_well();
}

#[test]
fn slow_clients_are_not_waited_for() {
    let server = Server::start(&["--patience", "0.4"]);
    for sent in [
        "GET /heal",
        "GET / HTTP/1.1\r\nHost: x\r\n",
        "POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nContent-Length: 50\r\n\r\n{\"mess",
    ] {
        let begun = Instant::now();
        let mut stream = server.connect();
        stream.write_all(sent.as_bytes()).unwrap();
        let mut answer = String::new();
        let _ = stream.read_to_string(&mut answer);
        assert!(begun.elapsed() < Duration::from_secs(10), "{sent}");
        assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 408"), "{sent}: {answer}");
    }
    server.is_well();
}

#[test]
fn clients_that_send_byte_by_byte_are_not_waited_for() {
    let server = Server::start(&["--patience", "0.4"]);
    let body = "POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nContent-Length: 5000\r\n\r\n";
    for (begin, byte) in [("GET / HTTP/1.1\r\nX: ", b"x"), (body, b" ")] {
        let begun = Instant::now();
        let mut stream = server.connect();
        stream.write_all(begin.as_bytes()).unwrap();
        while stream.write_all(byte).is_ok() && begun.elapsed() < Duration::from_secs(30) {
            std::thread::sleep(Duration::from_millis(50));
        }
        assert!(begun.elapsed() < Duration::from_secs(20), "{begin}");
    }
    server.is_well();
}

#[test]
fn clients_that_go_away_stop_their_answers() {
    let server = Server::start(&["--answer", "20000", "--parallel", "2"]);
    let body = json!({"model": "v11", "messages": [{"role": "user", "content": "Hi"}], "stream": true, "temperature": 0,
        "response_format": {"type": "json_schema", "json_schema": {"name": "a", "strict": true, "schema": {"type": "array",
        "items": {"type": "integer"}, "minItems": 100_000}}}});
    for stream in [true, false, true] {
        let mut body = body.clone();
        body["stream"] = json!(stream);
        let body = body.to_string();
        let mut connection = server.connect();
        write!(connection, "POST {CHAT} HTTP/1.1\r\nHost: x\r\nContent-Length: {}\r\n\r\n{body}", body.len()).unwrap();
        if stream {
            let mut some = [0; 100];
            connection.read_exact(&mut some).unwrap();
        } else {
            std::thread::sleep(Duration::from_millis(200));
        }
        drop(connection);
    }
    let begun = Instant::now();
    while server.metric("answers_dropped_total") < 3.0 {
        assert!(begun.elapsed() < Duration::from_secs(30), "{}", server.get("/metrics").1);
        std::thread::sleep(Duration::from_millis(20));
    }
    assert_eq!(server.metric("answers_running "), 0.0);
    server.is_well();
}

#[test]
fn more_requests_than_there_is_room_for_are_told_so() {
    let server = Server::start(&["--parallel", "1", "--queue", "2"]);
    let body = json!({"model": "v11", "messages": [{"role": "user", "content": "Hi"}], "max_tokens": 60});
    let statuses: Vec<u16> = std::thread::scope(|scope| {
        let asked: Vec<_> = (0..12).map(|_| scope.spawn(|| server.post(CHAT, &body).0)).collect();
        asked.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert!(statuses.iter().all(|status| [200, 503].contains(status)), "{statuses:?}");
    assert!(statuses.contains(&200));
    let ok = statuses.iter().filter(|status| **status == 200).count();
    assert_eq!(server.metric("requests_total{path=\"/v1/chat/completions\",status=\"200\"}"), ok as f64);
    server.is_well();
}

#[test]
fn a_server_that_is_to_end_lets_answers_end() {
    let mut server = Server::start(&["--answer", "150"]);
    let body =
        json!({"model": "v11", "messages": [{"role": "user", "content": "Hi"}], "stream": true, "seed": 1}).to_string();
    let mut connection = server.connect();
    write!(connection, "POST {CHAT} HTTP/1.1\r\nHost: x\r\nContent-Length: {}\r\n\r\n{body}", body.len()).unwrap();
    let mut first = [0; 40];
    connection.read_exact(&mut first).unwrap();
    server.signal("-TERM");
    let mut rest = String::new();
    connection.read_to_string(&mut rest).unwrap();
    assert!(rest.contains("data: [DONE]"), "{rest}");
    assert_eq!(server.ends_within(Duration::from_secs(10)), Some(true));
}
