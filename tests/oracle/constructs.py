#!/usr/bin/env python3
"""Runs each construct of Jinja in every engine and writes the table that the lint of templates reads.

    pip install transformers==5.24.0 jinja2==3.1.6 minijinja==3.1.0 xllamacpp==2026.10.11549 gguf==0.19.0
    npm install @huggingface/jinja@0.5.11
    HF_JINJA=node_modules/@huggingface/jinja constructs.py

Writes `src/template/lint/constructs.tsv`. A line is a construct with the kinds of values that it was given, as the machine
of the library calls them (`src/jinja/machine/watch.rs`), one template that shows it, what transformers prints, and for each
engine what becomes of it:

    =               the same, for every value of the kind that was tried
    ~TEXT           something else, which is printed
    !TEXT           an error when the construct is met
    !!TEXT          an error when the template is loaded, met or not
    ?~TEXT, ?!TEXT  the same for some of the values

Kinds of values of which all engines do alike share a line.

Each construct is run with several values of each kind, written in the template and given to it. What transformers refuses
has no line; neither has what is equal everywhere, unless the same construct is not with other values.
`lints.py` holds the table against real templates, and prints what they use of it for `COMPATIBILITY.md`.
"""
import argparse
import itertools
import json
import re
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

from engines import ENGINES, Refused, Transformers

OUT = Path(__file__).parent.parent.parent / "src" / "template" / "lint" / "constructs.tsv"
# How many constructs stand in one template: llama.cpp starts a server for each.
BATCH = 400
OTHERS = ["llama.cpp", "hf-jinja", "minijinja", "jinja2"]

# The kinds of values, and values of each.
KINDS = {
    "text": ["'ab'", "'Hello world'", "'12'"],
    "empty text": ["''"],
    "white space": ["' '", "'\\n'", "' \\n\\n'"],
    "text beyond ASCII": ["'é'", "' naïve 日本'", "'👍é\\n'"],
    "text with <": ["'<b>'", '"it\'s"', "'a & b'"],
    "spaced text": ["' a '", "'a\\nb\\n'", "'  x'"],
    "zero": ["0"],
    "integer": ["1", "7", "40"],
    "negative integer": ["-1", "-3"],
    "float": ["1.5", "2.25"],
    "whole float": ["1.0", "3.0"],
    "true": ["true"],
    "false": ["false"],
    "none": ["none"],
    "undefined": ["nothing"],
    "empty list": ["[]"],
    "list": ["['a', 'b']", "['b', 'A', 'c']"],
    "list of numbers": ["[2, 1]"],
    "list of dicts": ["[{'a': 1}, {'a': 2, 'b': 'x'}]"],
    "list beyond ASCII": ["['é', 'b']"],
    "list of dicts beyond ASCII": ["[{'a': 'é'}]"],
    "list with <": ["['<b>', 'it\\'s']"],
    "list of dicts with <": ["[{'a': '<b>'}]"],
    "list with whole floats": ["[1.0, 2.0]"],
    "list of dicts with whole floats": ["[{'a': 1.0}]"],
    "list of dicts with unsorted keys": ["[{'b': 'x', 'a': 1}]"],
    "tuple": ["('a', 'b')", "(1, 2)"],
    "empty dict": ["{}"],
    "dict": ["{'a': 1}", "{'a': 'x', 'b': [1, none, true]}", "{'a': {'c': 1.5}}"],
    "dict with unsorted keys": ["{'b': 'x', 'a': [1, none, true]}", "{'a': {'d': 1, 'c': 2}}"],
    "dict beyond ASCII": ["{'a': 'é'}", "{'é': ['日']}"],
    "dict with <": ["{'a': '<b>'}", "{'a': [\"it's\"]}"],
    "dict with whole floats": ["{'a': 1.0}"],
    "range": ["range(3)"],
    "generator": ["['a', 'b']|map('upper')", "[{'a': 1}, {'a': 2}]|selectattr('a')"],
    "dict items": ["{'b': 1, 'a': 2}.items()"],
    "dict keys": ["{'b': 1, 'a': 2}.keys()"],
    "dict values": ["{'b': 1, 'a': 2}.values()"],
    "namespace": ["namespace(a=1)"],
}
TEXTS = ["text", "empty text", "white space", "text beyond ASCII", "text with <", "spaced text"]
DICTS = ["empty dict", "dict", "dict beyond ASCII", "dict with <", "dict with whole floats", "dict with unsorted keys"]
# What templates use most is run with every kind of value, the rest with these.
COMMON = set(
    "tojson trim length default string upper safe dictsort lower join items selectattr map replace list indent int capitalize first last "
    "get split strip lstrip rstrip endswith startswith == != in + defined mapping iterable sequence none undefined boolean true false "
    "number integer float".split()
)
FEW = ["text", "empty text", "list", "list of numbers", "list of dicts", "dict", "integer", "none", "undefined"]
PLAIN = ["text", "empty text", "zero", "integer", "float", "true", "false", "none", "undefined", "list", "list of dicts", "dict"]
MAPPED = "[{'a': 'x', 'b': 1}, {'a': 'y'}]"

# Filters with what they are given beside the value: kinds, or as they are written, with how the machine calls it.
FILTERS = {
    "": "abs capitalize count d default dictsort e escape filesizeformat first float forceescape indent int items join last length list "
    "lower max min reverse round safe select reject sort string striptags sum title tojson trim unique upper urlencode wordcount xmlattr",
    "'x'": "default d",
    "''": "default",
    "[]": "default",
    "{}": "default",
    "none": "default",
    "false": "default tojson",
    "0": "default",
    "'x', true": "default d",
    "'', true": "default",
    "[], true": "default",
    "'x', boolean=true": "default",
    "default_value='x'": "default",
    "'a'": "attr join replace trim groupby sort map center",
    "' '": "join trim",
    "'\\n'": "join trim",
    "', '": "join",
    "''": "join default",
    "', ', attribute='a'": "join",
    "attribute='a'": "map sort sum max min unique groupby",
    "attribute='a', default='z'": "map",
    "2": "batch slice indent truncate wordwrap center round",
    "2, true": "indent",
    "2, first=true": "indent",
    "width=2": "indent",
    "first=true": "indent",
    "0": "round default",
    "'a', 'b'": "replace",
    "'\\n', ' '": "replace",
    "'a', ''": "replace",
    "'a', 'b', 1": "replace",
    "indent=2": "tojson",
    "indent=4": "tojson",
    "ensure_ascii=false": "tojson",
    "ensure_ascii=true": "tojson",
    "sort_keys=true": "tojson",
    "separators=(',', ':')": "tojson",
    "indent=2, ensure_ascii=false": "tojson",
    "reverse=true": "sort dictsort",
    "case_sensitive=true": "sort",
    "'upper'": "map",
    "'trim'": "map",
    "'string'": "map",
    "'tojson'": "map",
    "'length'": "map",
    "'first'": "map",
    "'int'": "map",
    "'odd'": "select reject",
    "'defined'": "select reject",
    "'string'": "select reject map",
    "'none'": "select reject",
    "'equalto', 1": "select reject",
    "'in', [1]": "select reject",
    "'ne', 1": "select reject",
}
WITH_ATTRIBUTES = {
    "'a'": "selectattr rejectattr",
    "'a', 'defined'": "selectattr rejectattr",
    "'b', 'defined'": "selectattr rejectattr",
    "'b', 'undefined'": "selectattr rejectattr",
    "'b', 'none'": "selectattr rejectattr",
    "'a', 'string'": "selectattr rejectattr",
    "'a', 'equalto', 'x'": "selectattr rejectattr",
    "'a', 'eq', 'x'": "selectattr rejectattr",
    "'a', '==', 'x'": "selectattr rejectattr",
    "'a', 'ne', 'x'": "selectattr rejectattr",
    "'a', 'in', ['x']": "selectattr rejectattr",
    "'b', 'gt', 0": "selectattr rejectattr",
}
METHODS = {
    "": "strip lstrip rstrip upper lower swapcase casefold title capitalize split rsplit splitlines isdigit isalpha isalnum isspace "
    "isupper islower istitle isnumeric isdecimal isascii isidentifier",
    "'a'": "strip lstrip rstrip startswith endswith find rfind index count removeprefix removesuffix split rsplit partition "
    "rpartition format",
    "' '": "strip lstrip rstrip startswith endswith split rsplit find count partition join",
    "'\\n'": "strip lstrip rstrip startswith endswith split rsplit find count removeprefix removesuffix partition",
    "' \\n'": "strip lstrip rstrip",
    "'<'": "split startswith endswith find strip",
    "('a', ' ')": "startswith endswith",
    "'a', 1": "split rsplit find startswith",
    "' ', 1": "split rsplit",
    "'<', 1": "split rsplit",
    "'a', maxsplit=1": "split",
    "'a', 'b'": "replace",
    "'\\n', ' '": "replace",
    "'<', ''": "replace",
    "'a', 'b', 1": "replace",
    "['a', 'b']": "join",
    "[]": "join",
    "3": "zfill ljust rjust center",
}
DICT_METHODS = {
    "": "items keys values copy",
    "'a'": "get",
    "'q'": "get",
    "'q', 'z'": "get",
    "'q', ''": "get",
    "'q', none": "get",
    "'q', []": "get",
    "'q', {}": "get",
    "'q', false": "get",
    "'q', 0": "get",
}
LIST_METHODS = {"'a'": "index count", "1": "index count"}
TESTS = {
    "": "odd even defined undefined none boolean false true integer float lower upper string mapping number sequence iterable "
    "callable escaped",
    " 1": "divisibleby eq equalto ne gt ge lt le sameas",
    " [1, 'a']": "in",
    " none": "sameas eq equalto",
    " 'ab'": "eq equalto ne in",
}
FUNCTIONS = [
    "range(3)", "range(1, 3)", "range(5, 1, -2)", "range(0)", "range(0, 6, 2)", "namespace()", "namespace(a=1)", "namespace(a='x')",
    "namespace(a=[])", "namespace(a=false)", "namespace(a=none)", "namespace(a={})", "namespace(a='')", "namespace(a=0)", "namespace(a=true)",
    "dict()", "dict(a=1)", "dict({'a': 1})", "dict({'a': 1}, b=2)", "strftime_now('day')",
]  # fmt: skip
# What stands by itself: how the lint finds it, and templates.
STATEMENTS = {
    "statement generation": ["{% generation %}a{% endgeneration %}", "{% generation %}{{ 'b' }}{% endgeneration %}"],
    "statement break": ["{% for i in [1, 2] %}{{ i }}{% break %}{% endfor %}", "{% for i in 'ab' %}{% break %}{% endfor %}x"],
    "statement continue": ["{% for i in [1, 2] %}{% if i == 1 %}{% continue %}{% endif %}{{ i }}{% endfor %}"],
    "statement macro": ["{% macro f(a) %}<{{ a }}>{% endmacro %}{{ f(1) }}", "{% macro f(a, b='x') %}{{ a }}{{ b }}{% endmacro %}{{ f(1) }}"],
    "statement call": ["{% macro f() %}<{{ caller() }}>{% endmacro %}{% call f() %}a{% endcall %}"],
    "statement filter": ["{% filter upper %}a{% endfilter %}"],
    "statement with": ["{% with a = 1 %}{{ a }}{% endwith %}"],
    "statement block": ["{% block a %}x{% endblock %}"],
    "statement print": ["{% print 1 %}"],
    "statement autoescape": ["{% autoescape false %}a{% endautoescape %}"],
    "statement set block": ["{% set a %}x{% endset %}{{ a }}", "{% set a %}{{ 1 }} y{% endset %}{{ a }}"],
    "set unpacked": ["{% set a, b = 1, 2 %}{{ a }}{{ b }}", "{% set a, b = [1, 2] %}{{ a }}{{ b }}"],
    "for unpacked": ["{% for a, b in [[1, 2]] %}{{ a }}{{ b }}{% endfor %}", "{% for a, b in {'x': 1}|items %}{{ a }}{{ b }}{% endfor %}"],
    "for if": ["{% for i in [1, 2, 3] if i != 2 %}{{ i }}{% endfor %}", "{% for i in [1, 2, 3] if i != 2 %}{{ i }}{{ loop.index }}{% endfor %}"],
    "for else": ["{% for i in [] %}a{% else %}b{% endfor %}", "{% for i in [1] %}a{% else %}b{% endfor %}"],
    "test with ()": ["{{ 'y' if 1 is eq(1) else 'n' }}", "{{ 'y' if 4 is divisibleby(2) else 'n' }}", "{{ 'y' if 1 is in([1]) else 'n' }}"],
    "for recursive": ["{% for i in [1, 2] recursive %}{{ i }}{% endfor %}"],
}
# What the machine meets.
MET = {
    ("call of loop", ""): ["{% for i in [[1]] recursive %}{% if i is number %}{{ i }}{% else %}{{ loop(i) }}{% endif %}{% endfor %}"],
    ("call of a macro", ""): ["{% macro f(a) %}<{{ a }}>{% endmacro %}{{ f(1) }}", "{% macro f(a, b=2) %}{{ a }}{{ b }}{% endmacro %}{% set x = f('a') %}{{ x }}"],
    ("call of a macro", "by name"): ["{% macro f(a, b='x') %}{{ a }}{{ b }}{% endmacro %}{{ f(1, b=2) }}", "{% macro f(a) %}{{ a }}{% endmacro %}{{ f(a='x') }}"],
    ("if without else", ""): ["{{ 'a' if false }}|", "{{ 'y' if ('a' if false) is defined else 'n' }}", "{% set x = 'a' if false %}{{ x }}|"],
    ("operator a < b < c", ""): ["{{ 'y' if 1 < 2 < 3 else 'n' }}", "{{ 'y' if 1 < 2 < 2 else 'n' }}", "{{ 'y' if 1 == 1 == true else 'n' }}"],
    ("function cycler", "text, text"): ["{% set c = cycler('a', 'b') %}{{ c.next() }}{{ c.next() }}"],
    ("function joiner", "text"): ["{% set j = joiner('x') %}{{ j() }}a{{ j() }}b"],
    ("method cycle", "loop, text, text"): ["{% for i in [1, 2] %}{{ loop.cycle('a', 'b') }}{% endfor %}"],
    ("method changed", "loop, integer"): ["{% for i in [1, 1] %}{{ 'y' if loop.changed(i) else 'n' }}{% endfor %}"],
    ("unpack 2", "list"): ["{% for a, b in [['x', 'y']] %}{{ a }}{{ b }}{% endfor %}", "{% set a, b = ['x', 'y'] %}{{ a }}{{ b }}"],
    ("unpack 2", "tuple"): ["{% for a, b in {'x': 1}|items %}{{ a }}{{ b }}{% endfor %}", "{% set a, b = 1, 2 %}{{ a }}{{ b }}"],
    ("test defined", "function strftime_now"): ["{{ 'y' if strftime_now is defined else 'n' }}"],
    ("test undefined", "function strftime_now"): ["{{ 'y' if strftime_now is undefined else 'n' }}"],
    ("if", "function strftime_now"): ["{{ 'y' if strftime_now else 'n' }}"],
} | {
    (f"attribute {name}", "loop"): [f"{{% for i in ['p', 'q', 'r'] %}}{{{{ loop.{name} }}}},{{% endfor %}}"]
    for name in "index index0 revindex revindex0 length depth depth0".split()
} | {
    (f"attribute {name}", "loop"): [f"{{% for i in ['p', 'q', 'r'] %}}{{{{ 'y' if loop.{name} else 'n' }}}},{{% endfor %}}"]
    for name in ("first", "last")
} | {
    (f"attribute {name}", "loop"): [
        f"{{% for i in ['p', 'q', 'r'] %}}{{% if loop.{name} is defined %}}{{{{ loop.{name} }}}}{{% endif %}},{{% endfor %}}"
    ]
    for name in ("previtem", "nextitem")
}  # fmt: skip


def split_arguments(written):
    """`'a', x=[1, 2]` as [`'a'`, `x=[1, 2]`]."""
    parts, depth, quoted, part = [], 0, False, ""
    for character in written:
        quoted ^= character == "'"
        depth += (character in "[({") - (character in "])}") if not quoted else 0
        if character == "," and depth == 0 and not quoted:
            parts.append(part.strip())
            part = ""
        else:
            part += character
    return [*parts, part.strip()] if part.strip() else parts


def kind_of(value):
    """How the machine calls a value, as `kind` of `src/jinja/machine/watch.rs` does."""
    if value is None:
        return "none"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int):
        return "zero" if value == 0 else "integer" if value > 0 else "negative integer"
    if isinstance(value, str):
        if not value:
            return "empty text"
        if not value.strip():
            return "white space"
        if not value.isascii():
            return "text beyond ASCII"
        if any(character in value for character in "<>&'"):
            return "text with <"
        return "spaced text" if value.strip() != value or "\n" in value else "text"
    name = {list: "list", tuple: "tuple", dict: "dict"}[type(value)]
    if name == "list" and value and type(value[0]) in (int, float, dict):
        return "list of dicts" if isinstance(value[0], dict) else "list of numbers"
    return name if value else f"empty {name}"


def given_of(written, names=()):
    """How the machine calls what a call is given. What is a name of a filter or test stays as it is."""
    kinds = []
    for place, argument in enumerate(split_arguments(written)):
        keyword, value = re.fullmatch(r"(?:(\w+)=)?(.*)", argument, re.S).groups()
        literal = eval(value, {"true": True, "false": False, "none": None})
        kind = f"'{literal}'" if place in names else kind_of(literal)
        kinds.append(f"{keyword}={kind}" if keyword else kind)
    return kinds


class Case:
    def __init__(self, construct, given, expression=None, value=None, template=None):
        self.construct, self.given = construct, given
        self.expression, self.value, self.template = expression, value, template


def cases():
    """Every construct with every kind of values, once for each value and way of giving it."""

    def on(construct, kinds, expression, more=()):
        for kind in kinds:
            for value in KINDS[kind]:
                yield Case(construct, ", ".join([kind, *more]), expression, value)

    longest = {"d": "default", "count": "length", "e": "escape"}
    every = list(KINDS)
    for table, kinds in ((FILTERS, every), (WITH_ATTRIBUTES, None)):
        for arguments, names in table.items():
            for name in names.split():
                quoted = (0,) if name in ("map", "select", "reject") and not arguments.startswith(("'a'", "attribute")) else ()
                quoted = (1,) if table is WITH_ATTRIBUTES else quoted
                given = given_of(arguments, quoted)
                expression = f"x|{name}({arguments})" if arguments else f"x|{name}"
                construct = f"filter {name}"
                if name in longest:
                    yield from (Case(construct, "", expression, value) for value in ("'ab'", "['a']", "nothing"))
                elif kinds:
                    yield from on(construct, kinds if name in COMMON else FEW, expression, given)
                else:
                    for value in (MAPPED, "[{'a': 'x'}]"):
                        yield Case(construct, ", ".join(["list of dicts", *given]), expression, value)
                    yield from on(construct, ["empty list", "text", "empty text", "undefined", "none", "dict"], expression, given)
    for arguments, names in METHODS.items():
        for name in names.split():
            yield from on(f"method {name}", TEXTS if name in COMMON else FEW[:2], f"x.{name}({arguments})", given_of(arguments))
    for arguments, names in DICT_METHODS.items():
        for name in names.split():
            yield from on(f"method {name}", DICTS, f"x.{name}({arguments})", given_of(arguments))
    for arguments, names in LIST_METHODS.items():
        for name in names.split():
            yield from on(f"method {name}", FEW[2:3], f"x.{name}({arguments})", given_of(arguments))
    signs = {"ne": "!=", "ge": ">=", "le": "<="}
    for arguments, names in TESTS.items():
        for name in names.split():
            given = given_of(arguments)
            if name == "eq":
                yield Case("test eq", "", f"x is {name}{arguments}", "1")
                continue
            # A generator's text is its address.
            some = [kind for kind in every if kind != "generator" or name not in ("lower", "upper")]
            yield from on(f"test {signs.get(name, name)}", some if name in COMMON else FEW, f"x is {name}{arguments}", given)
            if name in signs:
                yield Case(f"test {name}", "", f"x is {name}{arguments}", "1")
    for expression in FUNCTIONS:
        name, arguments = expression.removesuffix(")").split("(", 1)
        yield Case(f"function {name}", ", ".join(given_of(arguments)) if name != "namespace" else "", expression, "1")
    yield from on("print", every, None)
    yield from on("operator ~", every, "x ~ '|'")
    yield from on("if", every, "'y' if x else 'n'")
    yield from on("operator and", every, "'y' if (x and true) else 'n'")
    yield from on("operator or", every, "'y' if (x or false) else 'n'")
    yield from on("operator not", every, "not x")
    yield from on("operator -x", ["zero", "integer", "negative integer", "float"], "-x")
    yield from on("filter length > 0", every, "x|length > 0")
    for kind in every:
        for value in KINDS[kind]:
            yield Case("loop", kind, template="{% for i in x %}{{ loop.index }},{% endfor %}", value=value)
    binary = {"==", "!=", "<", "<=", ">", ">=", "in", "not in", "+", "-", "*", "/", "//", "%", "**"}
    kinds = [*PLAIN, "text beyond ASCII", "empty list", "empty dict", "tuple"]
    for sign in sorted(binary):
        few = ["text", "integer", "zero", "float", "list"]
        for left, right in itertools.product(kinds, kinds) if sign in COMMON or sign == "not in" else itertools.product(few, few):
            for value, other in list(zip(KINDS[left], KINDS[right]))[:2]:
                yield Case(f"operator {sign}", f"{left}, {right}", f"x {sign} {other}", value)
    for value, other in (("'a'", "'ab'"), ("'a'", "['a', 'b']"), ("'a'", "{'a': 1}"), ("1", "[1, 2]"), ("'<'", "'a<b'"), ("'é'", "'né'")):
        for sign in ("in", "not in"):
            kinds_of = f"{kind_of(eval(value))}, {kind_of(eval(other))}"
            yield Case(f"operator {sign}", kinds_of, f"x {sign} {other}", value)
    for left in every:
        for value in KINDS[left][:2]:
            yield Case("item", f"{left}, integer, missing", "x[9]", value)
            yield Case("item", f"{left}, text, missing", "x['q']", value)
            yield Case("item", f"{left}, zero", "x[0]", value)
            yield Case("item", f"{left}, integer", "x[1]", value)
            yield Case("item", f"{left}, negative integer", "x[-1]", value)
            yield Case("item", f"{left}, negative integer, missing", "x[-9]", value)
            yield Case("item", f"{left}, text", "x['a']", value)
            yield Case("attribute", f"{left}, missing", "x.q", value)
            yield Case("attribute", left, "x.a", value)
            for slice_ in "n:: :n: -n:: :-n: n:n: n:-n: ::-n ::n :n:n n::n ::".split():
                start, stop, step = slice_.split(":")
                shown = f"[{start}:{stop}{':' + step if step else ''}]"
                for size in ("1", "2") if left in (*TEXTS, "list") else ():
                    filled = shown.replace("n", size)
                    yield Case(f"slice {shown}", left, f"x{filled}", value)
    names = sorted({name for names in FILTERS.values() for name in names.split()} | set("items keys values get copy pop update".split()))
    for name in names:
        if name not in longest:
            yield Case(f"attribute {name}", "dict", f"x.{name}", f"{{'{name}': 'v'}}" if name not in ("items", "keys", "values", "get", "copy", "pop", "update") else "{}")
            yield Case(f"attribute {name}", "namespace", f"x.{name}", f"namespace({name}='v')")
    for construct, templates in STATEMENTS.items():
        yield from (Case(construct, "", template=template) for template in templates)
    for (construct, given), templates in MET.items():
        yield from (Case(construct, given, template=template) for template in templates)


class Reference(Transformers):
    """What an expression's value is in transformers."""

    def value(self, setting, expression, variables):
        from transformers.utils.chat_template_utils import _compile_jinja_template

        caught = []
        try:
            template = _compile_jinja_template(setting + "{{ catch(" + expression + ") }}")
            template.render(**variables, catch=lambda value: caught.append(value) or "")
        except Exception as error:
            raise Refused(str(error)) from None
        return caught[0]


def printing(name, value, depth=0):
    """What prints a value, of which transformers' is known, in a way that all engines have."""
    kind = type(value).__name__
    if isinstance(value, bool):
        return f"{{{{ 'y' if {name} else 'n' }}}}"
    if value is None:
        return f"{{{{ 'none' if {name} is none else 'some' }}}}"
    if "Undefined" in kind:
        return f"{{{{ 'some' if {name} is defined else 'undefined' }}}}"
    if isinstance(value, (str, int, float)):
        return f"{{{{ {name} }}}}|"
    if isinstance(value, dict) and depth < 3:
        return "".join(f"{key}={printing(f'{name}[{json.dumps(key, ensure_ascii=False)}]', item, depth + 1)}" for key, item in value.items()) + ";"
    if isinstance(value, (list, tuple)) and depth < 3:
        return "".join(printing(f"{name}[{place}]", item, depth + 1) for place, item in enumerate(value)) + f"{{{{ {name}|length }}}};"
    if hasattr(value, "__iter__") and not isinstance(value, str) and depth == 0:
        turns = (f"{{% if loop.index0 == {place} %}}{printing('i', item, 1)}{{% endif %}}" for place, item in enumerate(value))
        return f"{{% for i in {name} %}}{''.join(turns)},{{% endfor %}}"
    return "x"


def templates_of(case, reference):
    """(template, variables) for each way in which a case can be run."""
    if case.value is None:
        yield case.template, {}
        return
    ways = [(f"{{% set x = {case.value} %}}", {})]
    if re.match(r"""['"\[{\dtf-]""", case.value) and "|" not in case.value and ")" not in case.value:
        plain = eval(case.value, {"true": True, "false": False, "none": None})
        ways.append(("", {"x": plain}))
    if case.value == "nothing":
        ways = [("", {})]
    for setting, variables in ways:
        if case.value == "nothing":
            expression = (case.expression or "x")
            expression = re.sub(r"\bx\b(?!')", "nothing", expression)
            template = case.template and case.template.replace("in x", "in nothing")
        else:
            expression, template = case.expression, case.template
        if template:
            yield setting + template, variables
            continue
        if case.construct == "print":
            yield setting + f"{{{{ {'nothing' if case.value == 'nothing' else 'x'} }}}}|", variables
            continue
        value = reference.value(setting, expression, variables)
        try:
            printed = printing("r", value)
        except Exception:
            # What raises an error only when it is used, as the library's do as well.
            if not re.search(r"\|(select|reject)", expression):
                continue
            printed = "x"
        yield setting + f"{{% set r = {expression} %}}" + printed, variables


def run(engine, jobs):
    """What an engine makes of each (template, variables): its text, or ("!" or "!!", what it says)."""
    results = [None] * len(jobs)
    print(type(engine).__name__, len(jobs), file=sys.stderr, flush=True)

    def batch(places):
        body = "".join(f"{{% if messages[0].content == 'GO{place}' %}}{jobs[place][0]}{{% endif %}}" for place in places)
        template = body + "{% if messages[0].content == 'loads' %}loads{% endif %}"
        try:
            loaded = engine.render(template, {"messages": [{"role": "user", "content": "loads"}]}).removeprefix("<s>") == "loads"
            said = "does not load"
        except Refused as refused:
            loaded, said = False, str(refused)
        if not loaded and len(places) > 1:
            half = len(places) // 2
            batch(places[:half])
            batch(places[half:])
            return
        for place in places:
            if not loaded:
                results[place] = ("!!", said)
                continue
            try:
                request = {"messages": [{"role": "user", "content": f"GO{place}"}], "variables": jobs[place][1]}
                rendered = engine.render(template, request)
                results[place] = rendered.removeprefix("<s>") if engine.__class__.__name__ == "LlamaCpp" else rendered
            except Refused as refused:
                results[place] = ("!", str(refused))

    for start in range(0, len(jobs), BATCH):
        batch(list(range(start, min(start + BATCH, len(jobs)))))
    return results


def in_another_process(jobs):
    """What transformers makes of them elsewhere: what has an address of Python's memory in it is something else there."""
    program = [sys.executable, __file__, "--again"]
    answer = subprocess.run(program, input=json.dumps(jobs), capture_output=True, check=True, encoding="utf-8").stdout
    return json.loads(answer.splitlines()[-1])


def setting_of(template):
    """What of a template makes the value; an engine that cannot make it is not asked more."""
    return (re.match(r"\{% set x = .*? %\}", template, re.S) or [""])[0]


def short(text):
    """An engine's own words in one line, without the template and the stack around it."""
    text = text.replace("Unable to generate parser for this template. Automatic parser generation failed:", "")
    errors = re.findall(r"Error: (.*)|Jinja Exception: (.*)", text)
    lines = [next(filter(None, error)) for error in errors] or [line for line in text.splitlines() if line.strip(" -^\t")]
    said = re.sub(r"GO\d+", "GO", lines[-1].strip() if errors else lines[0].strip()) if lines else "an error"
    said = re.sub(r" \(in (<string>|-?\d+):\d+\)", "", said)
    return said[:120]


def escaped(text):
    return text.replace("\\", "\\\\").replace("\n", "\\n").replace("\t", "\\t").replace("\r", "\\r")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--only", default="", help="constructs, as a regular expression")
    parser.add_argument("--out", type=Path, default=OUT)
    parser.add_argument("--again", action="store_true", help="answer the templates on standard input by transformers")
    options = parser.parse_args()
    reference = Reference()
    if options.again:
        print(json.dumps(run(reference, json.load(sys.stdin))))
        return
    jobs, owners = [], []
    for case in cases():
        if options.only and not re.fullmatch(options.only, case.construct):
            continue
        try:
            for job in templates_of(case, reference):
                jobs.append(job)
                owners.append((case.construct, case.given))
        except Refused:
            continue
    wanted, again = run(reference, jobs), in_another_process(jobs)
    kept = [place for place, want in enumerate(wanted) if isinstance(want, str) and want == again[place]]
    jobs, owners, wanted = ([of[place] for place in kept] for of in (jobs, owners, wanted))
    print(len(jobs), "templates of", len(set(owners)), "constructs with kinds of values")
    rows = defaultdict(lambda: {"runs": 0, "first": None, **{name: [] for name in OTHERS}})
    for name in OTHERS:
        engine = ENGINES[name]()
        settings = sorted({setting_of(template) for template, _ in jobs} - {""})
        lost = {setting for setting, result in zip(settings, run(engine, [(setting + "x", {}) for setting in settings])) if result != "x"}
        results = [want if setting_of(job[0]) in lost else result for want, job, result in zip(wanted, jobs, run(engine, jobs))]
        for owner, job, want, result in zip(owners, jobs, wanted, results):
            row = rows[owner]
            row["first"] = row["first"] or (job, want)
            outcome = "=" if result == want else "~" + result if isinstance(result, str) else result[0] + short(result[1])
            outcome = re.sub("0x[0-9a-fA-F]{6,}", "0x…", outcome)
            row[name].append((outcome, job, want))
        print(name, sum(result != want for result, want in zip(results, wanted)), "differ")
    write(rows, options.out)


def outcome_of(runs):
    different = [run for run in runs if run[0] != "="]
    if not different:
        return "=", None
    some = "?" if len(different) < len(runs) and not different[0][0].startswith("!!") else ""
    return some + different[0][0], different[0]


def write(rows, out):
    """One line for all kinds of values of which the engines do alike."""
    lines = {}
    differing = {construct for (construct, _), row in rows.items() if any(outcome_of(row[name])[1] for name in OTHERS)}
    for (construct, given), row in rows.items():
        if construct not in differing:
            continue
        outcomes = [outcome_of(row[name]) for name in OTHERS]
        kind, _, arguments = given.partition(", ")
        alike = tuple(re.match(r"=|\?*[!~]+", outcome).group() for outcome, _ in outcomes)
        line = lines.setdefault((construct, arguments, alike), ([], outcomes, row["first"]))
        line[0].append(kind)
    written = []
    for (construct, arguments, _), (kinds, outcomes, first) in lines.items():
        shown = next((run for _, run in outcomes if run), None)
        (template, variables), want = (shown[1], shown[2]) if shown else first
        template = f"{{% set x = {json.dumps(variables['x'], ensure_ascii=False)} %}}{template}" if "x" in variables else template
        cells = [construct, arguments, "; ".join(kinds), template if shown else "", want if shown else "", *(outcome for outcome, _ in outcomes)]
        written.append("\t".join(map(escaped, cells)))
    head = "\t".join(["construct", "given", "kinds", "template", "transformers", *OTHERS])
    out.write_text("\n".join([head, *sorted(written)]) + "\n", encoding="utf-8")
    print(len(written), "lines,", out.stat().st_size, "bytes")


if __name__ == "__main__":
    main()
