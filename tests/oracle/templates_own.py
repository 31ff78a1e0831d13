#!/usr/bin/env python3
"""What Python makes of the templates in tests/templates, and of Python's own ways: goldens for tests/it/template.rs.

    pip install transformers==5.23.0 jinja2
    templates_own.py > tests/goldens/template/own.jsonl

A line is `template` (a file of tests/templates) or `source`, the `request` (a chat-completion request), `variables`, and
the answer: `string`, with `generated` (character ranges) where the template marks them, or `raised` or `failed`.
"""
import json
from pathlib import Path

import jinja2
from transformers.utils.chat_template_utils import _compile_jinja_template, render_jinja_template

TEMPLATES = Path(__file__).parent.parent / "templates"

TOOL = {"type": "function", "function": {"name": "weather", "description": "The <weather> in a \"city\", é", "parameters": {
    "type": "object", "properties": {"city": {"type": "string", "enum": ["Paris", "Köln"]}, "n": {"type": "integer", "minimum": -1.5e-7, "maximum": 1e16}},
    "required": ["city"], "additionalProperties": False, "default": None}}}
CALL = {"id": "abcdef123", "type": "function", "function": {"name": "weather", "arguments": {"city": "Köln", "n": 1.0}}}
CALL_TEXT = {"id": "abcdef123", "type": "function", "function": {"name": "weather", "arguments": "{\"city\": \"Köln\"}"}}
user = lambda content: {"role": "user", "content": content}
reply = lambda content, **more: {"role": "assistant", "content": content, **more}
system = lambda content: {"role": "system", "content": content}
tool = lambda content: {"role": "tool", "content": content, "tool_call_id": "abcdef123", "name": "weather"}
text = lambda text: {"type": "text", "text": text}
IMAGE = {"type": "image_url", "image_url": {"url": "https://example.com/a.png"}}

CHATS = [
    {"messages": [user("Hello")]},
    {"messages": [user("Hello"), reply("Hi!"), user("Bye")]},
    {"messages": [system("Be kind."), user("  Hello \n"), reply(" Hi! "), user("Bye\u00a0\u001c")]},
    {"messages": [user("a"), user("b")]},
    {"messages": [reply("Hi!"), user("a")]},
    {"messages": [system("Be kind.")]},
    {"messages": [user("[INST]</s> '\"\\ \t日本 👍 é \u200b")]},
    {"messages": [user("weather?")], "tools": [TOOL]},
    {"messages": [system("S"), user("hi"), reply("yo"), user("weather?")], "tools": [TOOL, TOOL]},
    {"messages": [user("weather?"), reply(None, tool_calls=[CALL]), tool("22")], "tools": [TOOL]},
    {"messages": [user("weather?"), reply(None, tool_calls=[CALL_TEXT]), tool('{"t": 22}'), reply("It is 22."), user("Thanks")]},
    {"messages": [user("weather?"), reply("Let me look.", tool_calls=[CALL, CALL_TEXT]), tool("a"), tool("b")], "tools": [TOOL]},
    {"messages": [user([text("What is "), IMAGE, text("this?")]), reply([text("A cat.")]), user("Why?")]},
    {"messages": [user("q"), reply("<think>\nHm.\n</think>\n\nAnswer"), user("again"), reply("<think>x</think>y")]},
    {"messages": [user("q"), reply([{"type": "thinking", "thinking": "Hm."}, text("A")]), user("r"), reply([{"type": "thinking", "thinking": "un", "closed": False}])]},
    {"messages": [user("q")] + [m for i in range(6) for m in (reply(f"a{i}"), user(f"q{i}"))]},
]

SNIPPETS = r"""
{{ [1, 2.0, 'a', "it's", none, true, {'k': (1,), 'l': ()}] }}
{{ (1, 'a') }} {{ (1,) }} {{ {'a': [1, {'b': none}]} }} {{ ['a\nb\t\\', 'q"'] }}
{{ 1.0 }} {{ 1e16 }} {{ 1e15 }} {{ 1e-5 }} {{ 0.0001 }} {{ -0.0 }} {{ 3.14159 }} {{ 1/3 }} {{ 10//3 }} {{ -7//2 }} {{ -7 % 3 }} {{ 2**10 }} {{ 7/7 }}
{{ none }} {{ true }} {{ undefined_name }}|{{ undefined_name is defined }}
{{ undefined_name.x }}
{{ messages[99].role }}
{{ messages[99] }}|{{ messages[0].nothing }}|{{ messages[0]['nothing'] is defined }}
{{ 'a' + 1 }}
{{ 'a' ~ 1 ~ none ~ true ~ 2.5 }}
{{ [1] + [2] }} {{ ([1] + [2])[1] }} {{ ([1] + [2])|length }} {{ [1] * 3 }} {{ 'ab' * 2 }}
{{ messages[1:]|length }} {{ messages[-1].role }} {{ messages[::-1][0].role }} {{ 'hello'[1:3] }} {{ 'hello'[::-1] }} {{ 'hello'[-1] }}
{{ '  a b  '.strip() }}|{{ '  a'.lstrip() }}|{{ 'xxaxx'.strip('x') }}|{{ 'a\n'.rstrip('\n') }}|{{ '\x1c\u00a0a'.strip() }}
{{ 'a,b,c'.split(',') }} {{ 'a,b,c'.split(',', 1) }} {{ ' a  b '.split() }} {{ 'a b c'.rsplit(' ', 1) }} {{ 'a\nb\r\nc'.splitlines() }} {{ 'a b c'.split(maxsplit=1) }}
{{ 'Hello'.upper() }} {{ 'Hello'.lower() }} {{ "they're bill's".title() }} {{ 'hELLO wORLD'.capitalize() }} {{ 'aBc'.swapcase() }}
{{ 'hello'.startswith('he') }} {{ 'hello'.endswith(('x', 'lo')) }} {{ 'hello'.find('l') }} {{ 'hello'.rfind('l') }} {{ 'hello'.find('z') }} {{ 'hello'.count('l') }} {{ 'é日l'.find('l') }}
{{ 'a-b-c'.replace('-', '+') }} {{ 'a-b-c'.replace('-', '+', 1) }} {{ '-'.join(['a', 'b']) }} {{ 'a.b'.partition('.') }} {{ 'x'.rpartition('.') }}
{{ '{} and {}'.format('a', 1) }} {{ '{0}{1}{0}'.format('a', 'b') }} {{ '{x}'.format(x=[1]) }}
{{ '12'.isdigit() }} {{ 'ab'.isalpha() }} {{ ' '.isspace() }} {{ 'a'.zfill(3) }} {{ '-5'.zfill(4) }} {{ 'a'.center(4, '*') }} {{ 'ab'.center(5, '*') }} {{ 'ab'.ljust(4) }}| {{ 'ab'.rjust(4) }}
{{ {'a': 1}.get('a') }} {{ {'a': 1}.get('b') }} {{ {'a': 1}.get('b', 2) }} {{ {'a': 1, 'b': 2}.items()|list }} {{ {'a': 1}.keys()|list }} {{ {'a': 1}.values()|list }}
{% for k, v in {'b': 1, 'a': 2}.items() %}{{ k }}={{ v }};{% endfor %}{% for k in {'b': 1, 'a': 2} %}{{ k }}{% endfor %}
{{ {'b': 1, 'a': 2}|dictsort }} {{ {'b': 1, 'a': 2}|items|list }}
{{ 'abc' is string }} {{ [] is string }} {{ {} is mapping }} {{ [] is sequence }} {{ 'a' is sequence }} {{ {} is sequence }} {{ [] is iterable }} {{ 'a' is iterable }} {{ 1 is iterable }} {{ none is iterable }}
{{ 1 is number }} {{ true is number }} {{ 1.5 is float }} {{ 1 is integer }} {{ true is integer }} {{ true is boolean }} {{ none is none }} {{ 3 is odd }} {{ 4 is divisibleby 2 }} {{ 1 is true }} {{ true is true }} {{ false is false }}
{{ 'a' in 'abc' }} {{ 'z' not in 'abc' }} {{ 1 in [1, 2] }} {{ 'k' in {'k': 1} }} {{ 'x' in undefined_name }} {{ 1 == 1.0 }} {{ '1' == 1 }} {{ none == false }} {{ [1, 2] == [1, 2] }} {{ {'a': 1} == {'a': 1} }} {{ true == 1 }}
{{ {'b': 1, 'a': [1, 'é', none, true, 1.0, 1e20]}|tojson }} {{ '<>&\'"é\u2028\u007f'|tojson }} {{ []|tojson }} {{ {}|tojson }}
{{ {'a': [1, {}], 'b': []}|tojson(indent=2) }}
{{ {'b': 'é😀', 'a': 1}|tojson(ensure_ascii=True, sort_keys=True, separators=(',', ':')) }}
{{ {1: 'a', none: 'b', true: 'c', 2.5: 'd'}|tojson }}
{{ undefined_name|tojson }}
{{ [3, 1, 2]|sort }} {{ [1, 2, 3]|sum }} {{ [1, 2, 3]|first }} {{ [1, 2, 3]|last }} {{ []|first }}|{{ [1, 2]|reverse|list }} {{ ['b', 'a']|join(', ') }} {{ [1, none, 2.0]|join('-') }} {{ [1, 1, 2]|unique|list }} {{ [1, 2, 3, 4]|batch(2)|list }} {{ [3, 1]|min }} {{ [3, 1]|max }}
{{ messages|map(attribute='role')|join(',') }} {{ messages|selectattr('role', 'equalto', 'user')|list|length }} {{ messages|rejectattr('role', 'eq', 'user')|map(attribute='content')|list }} {{ ['a', 'b']|map('upper')|list }} {{ [1, 2, 3]|select('odd')|list }} {{ [0, 1, '']|select|list }}
{{ 'a b'|title }} {{ "it's a-b (c"|title }} {{ 'ABC'|lower }} {{ 'abc'|upper }} {{ 'aBC'|capitalize }} {{ ' a '|trim }}| {{ 'xax'|trim('x') }} {{ 'abc'|length }} {{ 'abc'|list }} {{ 'a-b'|replace('-', '+') }} {{ 'abc'|reverse }}
{{ '12'|int }} {{ 'x'|int }} {{ '1.9'|int }} {{ 3.7|int }} {{ 'x'|int(5) }} {{ 'ff'|int(base=16) }} {{ '1.5'|float }} {{ 'x'|float }} {{ 2.567|round(1) }} {{ 2.5|round }} {{ -3|abs }} {{ 12|string + 'x' }}
{{ undefined_name|default('d') }} {{ ''|default('d') }}| {{ ''|default('d', true) }} {{ none|default('d') }} {{ none|default('d', true) }}
{% for i in range(3) %}{{ loop.index }}/{{ loop.length }}{{ ',' if not loop.last }}{{ loop.first }}{{ loop.revindex0 }}{% endfor %} {% for i in [] %}x{% else %}empty{% endfor %} {{ range(2, 10, 3)|list }}
{% for i in [1, 2, 3, 4] %}{% if i == 2 %}{% continue %}{% endif %}{% if i == 4 %}{% break %}{% endif %}{{ i }}{% endfor %}
{% for m in messages if m.role == 'user' %}{{ loop.index }}{{ m.content }}{{ loop.previtem is defined }}{{ loop.nextitem is defined }}{% endfor %}
{% set ns = namespace(a=1, b='x') %}{% for i in range(3) %}{% set ns.a = ns.a + i %}{% endfor %}{{ ns.a }}{{ ns.b }}{{ ns.c is defined }}
{% set x = 1 %}{% for i in range(2) %}{% set x = 5 %}{% endfor %}{{ x }} {% set a, b = 1, 2 %}{{ a }}{{ b }} {% set t %}block {{ x }}{% endset %}{{ t|upper }}
{% macro f(a, b='d', c=none) %}{{ a }}{{ b }}{{ c }}{% endmacro %}{{ f(1) }} {{ f(1, c=2) }} {{ f(b=3, a=4) }} {{ f('x')|upper }}
{% macro w() %}<{{ caller() }}>{% endmacro %}{% call w() %}in{% endcall %} {% filter upper %}abc{% endfilter %}
{{ 'yes' if 1 < 2 < 3 else 'no' }} {{ 'a' if false }}| {{ 1 if none else 2 }} {{ not [] }} {{ [] or 'x' }} {{ 'a' and 'b' }} {{ 1 and 0 }}
{%- for i in [1] -%}   x   {%- endfor -%}   y
  {% if true %}
    indented
  {% endif %}
end
a {# comment #} b{#- trimmed -#} c {{- ' d ' -}} e {% raw %}{{ raw }}{% endraw %} {{ '{{' }}
{{ raise_exception('Words: ' ~ messages|length) }}
{{ messages[0].content.append('x') }}
{{ messages.append(1) }}
{{ {'a': 1}.update({'b': 2}) }}
{{ messages[0].foo() }}
{{ nothing() }}
{{ 'x'.nothing() }}
{{ 'abc'|nothing }}
{{ 1 is nothing }}
{{ messages }}
{{ messages[0] }} {{ messages[0]|string|length }} {{ messages[0].items()|list }}
{{ tools }}|{{ tools is none }}|{{ documents is none }}|{{ add_generation_prompt }}|{{ bos_token }}{{ eos_token }}
{{ dict(a=1, b='x') }} {{ dict(a=1)|tojson }}
{{ 'é'|length }} {{ '👍🏽'|length }} {{ 'ß'|upper }} {{ 'İ'|lower|length }}
{{ "a\tb\\n" }} {{ 'it\'s' }} {{ "\u00e9\x41" }}
{{ [[1, [2]], {'a': {'b': 'c'}}][1].a['b'] }} {{ {'a': {'b': [5]}}.a.b[0] }}
{{ '%s is %d' % ('x', 3) }}
{{ [1, 2] is eq [1, 2] }} {{ 'abc' is in ['abc'] }} {{ 5 is gt 3 }} {{ 'a' is lower }} {{ 'A' is upper }}
{{ 'a' < 'b' }} {{ [1, 2] < [1, 3] }} {{ 'a' > 'B' }} {{ 'a,b'|string.split }}
{{ ('a' ~ 'b')|upper ~ 'c' }} {{ -1|abs }} {{ (-1)|abs }} {{ 1 + 2 * 3 - 4 / 2 }} {{ 2 ** 3 ** 2 }} {{ 7 // 2 * 2 + 7 % 2 }}
{{ messages|length > 1 and messages[1].role == 'assistant' }} {{ messages[0]['role'] ~ ': ' ~ messages[0]['content'] }} {{ (messages|last).role }} {{ (messages|first)['content'] }}
""".strip("\n").split("\n")


def answer(source, request, variables):
    line = {"request": request}
    if variables:
        line["variables"] = variables
    arguments = dict(
        conversations=[request["messages"]],
        tools=request.get("tools"),
        chat_template=source,
        **{"bos_token": "<s>", "eos_token": "</s>", **variables},
    )
    try:
        rendered, _ = render_jinja_template(**arguments)
        line["string"] = rendered[0]
        if "{%- generation" in source:
            _, ranges = render_jinja_template(return_assistant_tokens_mask=True, **arguments)
            line["generated"] = ranges[0]
    except jinja2.exceptions.TemplateError as error:
        line["raised" if type(error) is jinja2.exceptions.TemplateError else "failed"] = str(error)
    except Exception as error:
        line["failed"] = f"{type(error).__name__}: {error}"
    return line


def main():
    for file in sorted(TEMPLATES.glob("*.jinja")):
        for chat in CHATS:
            for variables in ({}, {"add_generation_prompt": True}):
                print(json.dumps({"template": file.name, **answer(file.read_text(), chat, variables)}, ensure_ascii=False))
    extra = {"enable_thinking": False, "add_generation_prompt": True}
    print(json.dumps({"template": "chatml.jinja", **answer((TEMPLATES / "chatml.jinja").read_text(), CHATS[1], extra)}, ensure_ascii=False))
    builtin = {"builtin_tools": ["code_interpreter", "search", "wolfram"], "date_string": "1 May"}
    print(json.dumps({"template": "headers.jinja", **answer((TEMPLATES / "headers.jinja").read_text(), CHATS[2], builtin)}, ensure_ascii=False))
    chat = {"messages": [user("Hi"), reply("Hello!"), user("it's \"é\"\n")]}
    for source in SNIPPETS:
        print(json.dumps({"source": source, **answer(source, chat, {})}, ensure_ascii=False))


main()
