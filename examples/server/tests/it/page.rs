//! The page: as the server sends it, and as a browser makes it.

use std::path::PathBuf;
use std::process::Command;

use crate::support::Server;

/// What would run if it were not escaped.
const HOSTILE: &str =
    r#"<img src=x onerror="document.title='run'"><script>document.title='run'</script></textarea>[INST]"#;

fn encoded(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

/// A chat with that in every place that has text.
fn hostile_everywhere() -> String {
    let text = format!("</pre></dl></title>'\">{HOSTILE}&lt;");
    let chat = serde_json::json!({
        "messages": [
            {"role": "system", "content": text},
            {"role": "user", "content": text, (&text): text},
            {"role": "assistant", "content": "", "tool_calls": [
                {"id": text, "type": "function", "function": {"name": text, "arguments": {"a": text, (&text): 1}}}
            ]},
            {"role": "tool", "tool_call_id": text, "name": text, "content": text},
        ],
        "tools": [{"type": "function", "function": {
            "name": text, "description": text, "parameters": {"type": "object", "title": text},
        }}],
        "model": text,
        (&text): text,
    });
    chat.to_string()
}

/// A chat as the form sends it.
fn typed(layout: &str, chat: &str) -> String {
    format!("layout={}&chat={}", encoded(layout), encoded(chat))
}

#[test]
fn what_is_typed_is_shown_without_scripts() {
    let server = Server::start(&[]);
    let chat = r#"{"messages": [{"role": "user", "content": "One\nTwo"}, {"role": "assistant", "content": "Three"}]}"#;
    for (layout, begin) in [("v7-tekken", "[INST]"), ("v11", "[INST]"), ("tiny", "[INST]")] {
        let (status, page) = server.post_text("/", &typed(layout, chat));
        assert_eq!(status, 200);
        assert!(page.contains(&format!("<span class=\"control\" title=\"3\">{begin}</span>")), "{page}");
        assert!(page.contains(&format!("<option selected>{layout}</option>")), "{page}");
        assert!(page.contains("<div class=\"margin\">0 user</div>"), "{page}");
    }
    let role = format!("{{\"messages\": [{{\"role\": \"{}\"}}]}}", HOSTILE.replace('"', "\\\""));
    for (chat, says) in [
        (HOSTILE.to_owned(), "class=\"row user\""),
        (role, "<p class=\"error\">messages[0].role: "),
        (hostile_everywhere(), "<dt>changed</dt><dd>tools[0].function.name: "),
    ] {
        let (_, page) = server.post_text("/", &typed("v11", &chat));
        let body = page.split_once("<body>").unwrap().1.split_once("<script nonce").unwrap().0;
        assert!(body.contains(says), "{body}");
        for tag in ["<img", "<script", "</pre", "</title"] {
            assert!(!body.contains(tag), "{tag}: {body}");
        }
        assert_eq!((body.matches("</textarea>").count(), body.matches("</form>").count()), (1, 1), "{body}");
    }
    let (_, page) = server.post_text("/", &typed(HOSTILE, "Hi"));
    assert!(page.contains("<p class=\"error\">the model &quot;&lt;img src=x"), "{page}");
    let (_, fragment) = server.post_text("/preview", &typed("v99", "Hi"));
    assert!(fragment.starts_with("<p class=\"error\">the model &quot;v99&quot; does not exist"), "{fragment}");
    let (status, _) = server.post_text("/", "chat=%FF%FE");
    assert!([200, 400].contains(&status));
    server.is_well();
}

#[test]
fn each_id_stands_where_its_text_does() {
    let server = Server::start(&[]);
    let (_, fragment) = server.post_text("/preview", &typed("v3-tekken", "Zürich 🦀\u{1f980} [INST]"));
    let titles: Vec<u64> = fragment
        .split(" title=\"")
        .skip(1)
        .flat_map(|rest| rest.split_once('"').unwrap().0.split(' ').map(|id| id.parse().unwrap()).collect::<Vec<_>>())
        .collect();
    let body = serde_json::json!({"model": "v3-tekken", "messages": [{"role": "user", "content": "Zürich 🦀\u{1f980} [INST]"}]});
    let ids: Vec<u64> = serde_json::from_value(server.post("/tokenize", &body).1["tokens"].clone()).unwrap();
    // An id that stands in two stretches is said at both.
    let mut once = titles.clone();
    once.dedup();
    let mut expected = ids.clone();
    expected.dedup();
    assert_eq!(once, expected, "{fragment}");
}

/// The page as Chromium has it when its scripts have run; `None` without Chromium.
fn browsed(url: &str) -> Option<String> {
    let names = ["chromium", "chromium-browser", "google-chrome"];
    let paths: Vec<PathBuf> = std::env::split_paths(&std::env::var_os("PATH")?).collect();
    let program =
        names.iter().flat_map(|name| paths.iter().map(move |path| path.join(name))).find(|path| path.is_file());
    let Some(program) = program else {
        println!("skipped: there is no Chromium");
        return None;
    };
    let profile =
        std::env::temp_dir().join(format!("chromium-{}-{:?}", std::process::id(), std::thread::current().id()));
    let output = Command::new(program)
        .args(["--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--virtual-time-budget=10000"])
        .arg(format!("--user-data-dir={}", profile.display()))
        .args(["--dump-dom", url])
        .output()
        .unwrap();
    let _ = std::fs::remove_dir_all(profile);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Some(String::from_utf8(output.stdout).unwrap())
}

#[test]
fn a_browser_shows_the_prompt_and_runs_nothing_of_the_chat() {
    let server = Server::start(&[]);
    let chat = serde_json::json!({"messages": [
        {"role": "system", "content": "Be kind."},
        {"role": "user", "content": HOSTILE},
    ]});
    let url = server.url(&format!("/#{}", typed("v7-tekken", &chat.to_string())));
    let Some(page) = browsed(&url) else { return };
    assert!(page.contains("<title>The prompt of a chat</title>"), "{page}");
    // The script has shown what the link says, in the layout of the link.
    assert!(page.contains("<dd>v7-tekken+image</dd>"), "{page}");
    assert!(page.contains("<span class=\"control\" title=\"17\">[SYSTEM_PROMPT]</span>"), "{page}");
    assert!(page.contains("<div class=\"margin\">1 user <span class=\"warning\">!</span></div>"), "{page}");
    let prompt = page.split_once("<div id=\"prompt\">").unwrap().1.split_once("<script").unwrap().0;
    assert!(!prompt.contains("<img"), "{prompt}");

    let url = server.url(&format!("/#{}", typed("v13", &hostile_everywhere())));
    let page = browsed(&url).unwrap();
    assert!(page.contains("<title>The prompt of a chat</title>"), "{page}");
    let prompt = page.split_once("<div id=\"prompt\">").unwrap().1.split_once("<script").unwrap().0;
    assert!(prompt.contains("[AVAILABLE_TOOLS]") && prompt.contains("<dt>changed</dt>"), "{prompt}");
    assert!(!prompt.contains("<img"), "{prompt}");
    server.is_well();
}
