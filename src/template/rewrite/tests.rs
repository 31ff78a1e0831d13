use crate::template::TemplateLimits;
use crate::template::scan::scan;

fn rewritten(source: &str) -> String {
    scan(source, &TemplateLimits::default()).unwrap().source.into_owned()
}

#[track_caller]
fn assert_becomes(source: &str, expected: &str) {
    assert_eq!(rewritten(source), expected);
}

#[track_caller]
fn assert_stays(source: &str) {
    assert_becomes(source, source);
}

#[test]
fn generation_blocks_become_calls() {
    assert_becomes("a{%- generation +%}b{% endgeneration -%}c", "a{%- call __generation() +%}b{% endcall -%}c");
    assert_becomes("{%generation%}x{%endgeneration%}", "{%call __generation()%}x{%endcall%}");
    assert_stays("{# {% generation %} #}{{ '{% generation %}' }}{% raw %}{% generation %}{% endraw %}{{ generation }}");
}

#[test]
fn computed_values_pass_a_filter() {
    assert_becomes("{% set a, b = 1, '%}' %}", "{% set a, b = ( 1, '%}')|__name %}");
    assert_becomes("{%set a=[b]-%}", "{%set a=( ([b]|__keep))|__name-%}");
    assert_becomes("{% set a = b[1:] %}", "{% set a = ( b[1:])|__name %}");
    assert_becomes("{{ [[x], (y, [1])][0] }}", "{{ ([([x]|__keep), ((y, [1])|__keep)]|__keep)[0] }}");
    assert_becomes("{{ {'a': x, 'b': {y: 1, 'c': 2}} }}", "{{ (['a', x, 'b', ([y, 1, 'c', 2]|__dict)]|__dict) }}");
    for plain in [
        "{% set a = b %}",
        "{% set a = b[c].d %}",
        "{% set a %}x{% endset %}",
        "{% if a == [1] or {'b': 2} %}{% endif %}",
        "{{ f(a, b)[c](d) }}",
        "{% for (a, b) in c %}{% endfor %}",
        "{{ (a) + 'b'[c] }}",
    ] {
        assert_stays(plain);
    }
}

#[test]
fn namespaces_are_set_by_their_own_methods() {
    assert_becomes("{%- set ns.a = b + c -%}", "{%- do ns.__set(\"a\", (  b + c)) -%}");
    assert_becomes("{% set ns.a = ns.a + 1 %}", "{% do ns.__add(\"a\", (    1)) %}");
    assert_becomes("{% set ns.a=ns.a+[x.y]%}", "{% do ns.__append(\"a\", (x.y))%}");
    assert_becomes("{% set ns.a = ns.a + [x, y] %}", "{% do ns.__add(\"a\", (    ([x, y]|__keep))) %}");
    assert_becomes("{% set ns.a = ns.a + b['c'] | list %}", "{% do ns.__add(\"a\", (    b['c'] | list)) %}");
    for same in ["ns.a - 1", "ns.b + 1", "ns.a + f(1)", "ns.a + 1 - 1", "ns.a + 1 if x", "ns.a + x is y"] {
        assert_becomes(&format!("{{% set ns.a = {same} %}}"), &format!("{{% do ns.__set(\"a\", (  {same})) %}}"));
    }
    assert_stays("{% set loop.index = 1 %}");
}

#[test]
fn namespaces_are_set_by_blocks_and_among_other_names() {
    assert_becomes(
        "{% set ns.a %}{% set b %}x{% endset %}{%- endset -%}",
        "{% set __0a %}{% set b %}x{% endset %}{%- endset %}{% do ns.__set(\"a\", __0a) -%}",
    );
    assert_becomes("{% set b, ns.a = c %}", "{% set b, __0a = ( c)|__name %}{% do ns.__set(\"a\", __0a) %}");
}
