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

/// What Python does and this engine does not, as `COMPATIBILITY.md` lists it, is refused with its reason.
#[test]
fn what_is_not_supported_is_said() {
    let reason = |source: &str| {
        let template = ChatTemplate::new(source).and_then(|template| template.render(&Chat::default()));
        let error = template.map(|prompt| prompt.into_string()).expect_err(source);
        std::error::Error::source(&error).map(ToString::to_string).unwrap_or_default()
    };
    for (expression, said) in [
        ("5|pprint", "pprint and urlize are not supported"),
        ("'a'|urlize", "pprint and urlize are not supported"),
        ("[1]|random", "random is not supported"),
        ("lipsum()", "lipsum makes random text, which is not supported"),
        ("'a'.encode()", "str.encode is not supported"),
        ("'a'.translate({})", "str.translate is not supported"),
        ("('a'|safe).striptags()", "str.striptags is not supported"),
        ("('a'|safe).unescape()", "str.unescape is not supported"),
        ("('a'|safe).escape('a')", "str.escape is not supported"),
        ("5.to_bytes(2)", "int.to_bytes is not supported"),
        ("5.5.hex()", "float.hex is not supported"),
        ("5.5.as_integer_ratio()", "float.as_integer_ratio is not supported"),
        ("5.as_integer_ratio()", "int.as_integer_ratio is not supported"),
        ("true.bit_length()", "bool.bit_length is not supported"),
        ("(('9' * 45)|int) + 1", "integers of more than 38 digits are not calculated with"),
        ("1 + (('9' * 45)|int)", "integers of more than 38 digits are not calculated with"),
        ("(('9' * 45)|int) + (('9' * 45)|int)", "integers of more than 38 digits are not calculated with"),
        ("'%x' % (('9' * 45)|int)", "integers of more than 38 digits are written in decimal only"),
        ("(-8) ** 0.5", "complex numbers are not supported"),
        ("(-8.0) ** -0.5", "complex numbers are not supported"),
        ("'a&b;c'|striptags", "striptags knows the HTML entities amp, lt, gt, quot, apos and nbsp only"),
        ("namespace(a=namespace())", "a namespace that holds namespaces cannot be printed"),
        ("namespace(a=[1, namespace()])", "a namespace that holds namespaces cannot be printed"),
        ("namespace(a=(namespace(), 1))", "a namespace that holds namespaces cannot be printed"),
        ("namespace(a={'b': namespace()})", "a namespace that holds namespaces cannot be printed"),
        ("namespace(a={namespace(): 1})", "a namespace that holds namespaces cannot be printed"),
        ("namespace(a={'b': namespace()}.values())", "a namespace that holds namespaces cannot be printed"),
        ("'%1048577d' % 1", "a field is wider than 1048576"),
        ("'%2000000d' % 1", "a field is wider than 1048576"),
        ("'%.1048577f' % 1", "a field is wider than 1048576"),
        ("'%.2000000f' % 1", "a field is wider than 1048576"),
        ("'{:1048577}'.format(1)", "a field is wider than 1048576"),
    ] {
        let reason = reason(&format!("{{{{ {expression} }}}}"));
        assert!(reason.starts_with("line 1: ") && reason.ends_with(said), "{expression}: {reason}");
    }
    for (source, said) in [
        ("{% autoescape true %}{% endautoescape %}", "line 1: autoescape is only supported where it is false"),
        ("{{ '\\ud800' }}", "line 1: half of a surrogate pair is not text"),
        ("{{ '\\U00110000' }}", "line 1: illegal Unicode character"),
        ("{{ [1][0:1, 2] }}", "line 1: a slice of several is not supported"),
        (
            "{% block a required %}{% endblock %}",
            "line 1: a required block is for a template to fill that extends this one",
        ),
    ] {
        assert_eq!(reason(source), said);
    }
    let macro_f = "{% macro f() %}{{ i }}{% endmacro %}{% set ns.f = f %}";
    for (within, behind) in [
        ("", "{{ ns.f() }}"),
        ("", "{% for j in [1] %}{{ ns.f() }}{% endfor %}"),
        ("{% if loop.last %}{{ ns.f() }}{% endif %}", ""),
    ] {
        let source = format!(
            "{{% set ns = namespace(f=none) %}}{{% for i in [1, 2] %}}{{% if loop.first %}}{macro_f}{{% endif %}}{within}\
             {{% endfor %}}{behind}"
        );
        let said = "line 1: TemplateRuntimeError: a macro or loop is called after the loop that defined it";
        assert_eq!(reason(&source), said, "{source}");
    }
    let source = format!(
        "{{% set ns = namespace(f=none) %}}{{% with %}}{macro_f}{{% endwith %}}{{% with %}}{{{{ ns.f() }}}}{{% endwith %}}"
    );
    assert!(reason(&source).ends_with("is called after the loop that defined it"), "{source}");
    for expression in ["'%1048576d' % 1", "'%.1048576f' % 1", "'{:1048576}'.format(1)"] {
        assert_eq!(print(&format!("({expression})|length > 1048575")).as_deref(), Ok("True"));
    }
}

/// An error names the line of what raises it, within tags of several lines and behind them.
#[test]
fn an_error_names_its_line() {
    for (source, line) in [
        ("{{ 'a'\n.nope() }}", 2),
        ("{% for a in [1]\nif a.b.c %}{% endfor %}", 2),
        ("{% for a in [1] if a\nand a > 0 %}\n{{ a.b.c }}{% endfor %}", 3),
        ("{% for a in [1] if a\nand a > 0 %}{{ loop.index }}\n{{ a.b.c }}{% endfor %}", 3),
        ("{% for a in [1, 2] if a > 1 %}\n\n{% endfor %}\n{{ x.y.z }}", 4),
        ("{% macro f() %}\n{{ x.y.z }}\n{% endmacro %}\n\n{{ f() }}", 2),
        ("{% set a = namespace(b=1) %}\n{% set a.b = a.b +\n[1] %}", 3),
        ("{{ dict(\na=1,\n*x.y.z) }}", 3),
        ("{% call f(\n1) %}\n{% endcall %}", 2),
    ] {
        let error = ChatTemplate::new(source).and_then(|template| template.render(&Chat::default())).expect_err(source);
        let said = std::error::Error::source(&error).map(ToString::to_string).unwrap_or_default();
        assert!(said.starts_with(&format!("line {line}: ")), "{source:?}: {said}");
    }
}
