//! What Python's methods give in a template, one by one, and what they refuse.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use mistral_chat_template::{Chat, ChatTemplate, Format, Message};

fn print(expression: &str) -> Result<String, String> {
    let template = ChatTemplate::new(&format!("{{{{ {expression} }}}}")).unwrap();
    let prompt = template.render(&Chat::new([Message::user("q")])).map_err(|error| error.to_string())?;
    Ok(prompt.into_string())
}

#[test]
fn methods_of_texts_are_pythons() {
    for (expression, expected) in [
        ("'a-b-c'.partition('-')", "('a', '-', 'b-c')"),
        ("'a-b'.partition('+')", "('a-b', '', '')"),
        ("'abcb'.index('b')", "1"),
        ("'abcb'.rindex('b')", "3"),
        ("'abcb'.find('x')", "-1"),
        ("'ABC'.isupper()", "True"),
        ("'aBc'.islower()", "False"),
        ("'abc'.islower()", "True"),
        ("'1'.isupper()", "False"),
        ("'a b c'.rsplit(none, 1)", "['a b', 'c']"),
        ("'a b c'.split(none, 1)", "['a', 'b c']"),
    ] {
        assert_eq!(print(expression).as_deref(), Ok(expected), "{expression}");
    }
}

#[test]
fn methods_of_lists_are_pythons() {
    assert_eq!(print("[1, 2, 1].count(1)").as_deref(), Ok("2"));
    assert_eq!(print("[1, 2, 1].index(2)").as_deref(), Ok("1"));
}

#[test]
fn what_a_method_cannot_do_is_said() {
    for (expression, reason) in [
        ("'abc'.index('x')", "substring not found"),
        ("'abc'.nope()", "nope"),
        ("[1].index(2)", "2 is not in list"),
        ("[1].nope()", "nope"),
        ("'{'.format(1)", "Single '{' encountered in format string"),
    ] {
        let error = ChatTemplate::new(&format!("{{{{ {expression} }}}}"))
            .and_then(|template| template.render(&Chat::new([Message::user("q")])))
            .unwrap_err();
        let whole =
            format!("{error}: {}", std::error::Error::source(&error).map(ToString::to_string).unwrap_or_default());
        assert!(whole.contains(reason), "{expression}: {whole}");
    }
}
