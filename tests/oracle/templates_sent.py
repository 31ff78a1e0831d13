#!/usr/bin/env python3
"""What a template sees of requests as clients send them, by transformers 5.24.0: tests/goldens/template/sent.jsonl.

    pip install transformers==5.24.0 jinja2==3.1.6
    templates_sent.py > tests/goldens/template/sent.jsonl

Each line is `id`, `template`, `request` (where it has one, with `continue_final_message`), `given` (what
`apply_chat_template` is given beside it, as lines of examples/render_jsonl have it), and the answer: `string`, or
`refused` with what Python raises.
"""
import json
import sys

from transformers.utils.chat_template_utils import _normalize_chat_messages, render_jinja_template

# All of it, in its order.
ALL = "{% for m in messages %}{{ m|tojson }}\n{% endfor %}{{ tools|tojson }} {{ documents|tojson }} {{ add_generation_prompt }}"
CHATML = (
    "{% for m in messages %}{{ '<|im_start|>' + m['role'] + '\\n' + m['content'] + '<|im_end|>\\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}"
)
TRIMMED = "{% for m in messages %}[{{ m.role }}]{{ m.content|trim }}{{ m.reasoning_content }}</s>{% endfor %}"
PARTS = "{% for p in messages[0].content %}{{ p.type }}{% for key in p %} {{ key }}{% endfor %};{% endfor %}"


def user(content, **more):
    return {"role": "user", "content": content, **more}


def reply(content, **more):
    return {"role": "assistant", "content": content, **more}


def call(arguments, **more):
    return {"id": "abcdef123", "type": "function", "function": {"name": "now", "arguments": arguments}, **more}


def result(content, **more):
    return {"role": "tool", "tool_call_id": "abcdef123", "content": content, **more}


def tool(**function):
    return {"type": "function", "function": function}


TWO = [user("Tell."), reply("Once upon a ")]
SENT = {
    "empty": dict(messages=[user(""), reply(""), user("?")]),
    "null": dict(messages=[user(None), reply(None, tool_calls=None, refusal=None), user("?")]),
    "missing": dict(messages=[{"role": "user"}, {"role": "assistant", "tool_calls": [call({})]}, result("12")]),
    "empty_beside_calls": dict(messages=[user("Time?"), reply("", tool_calls=[call("{}")]), result("12")]),
    "no_calls": dict(messages=[user("a"), reply("b", tool_calls=[]), user("c")]),
    "order": dict(messages=[{"content": "a", "role": "user"}, {"tool_calls": [call({})], "content": "", "role": "assistant"}]),
    "name": dict(messages=[user("a", name="Ada"), reply("b", name="bot"), result("c", name="now")]),
    "unknown_keys": dict(messages=[user("a", id=7, meta={"z": [1, 2.50, None, True], "a": {"é": "<&\n"}})]),
    "roles": dict(messages=[{"role": role, "content": role} for role in ["developer", "ipython", "observation", "tool_response", "Ünïque", ""]]),
    "no_role": dict(messages=[{"content": "a"}]),
    "odd_content": dict(messages=[user({"a": 1}), user(21.50), user(True), user([]), user(["a", 1])]),
    "reasoning_content": dict(messages=[user("2+2?"), reply("4", reasoning_content="Two."), user("ok")]),
    "reasoning": dict(messages=[user("2+2?"), reply("4", reasoning="Two."), user("ok")]),
    "thinking": dict(messages=[user("2+2?"), reply("4", thinking="Two."), user("ok")]),
    "reasonings": dict(messages=[user("a"), {"reasoning": "r", "thinking": "t", "role": "assistant", "reasoning_content": None, "content": "b"}]),
    "reasonings_all": dict(messages=[user("a"), {"reasoning": "r", "reasoning_content": "c", "role": "assistant", "thinking": "t", "content": "b"}]),
    "reasoning_empty": dict(messages=[user("a"), reply("b", reasoning=""), user("c")]),
    "thinking_chunks": dict(messages=[user("a"), reply([{"type": "thinking", "thinking": [{"type": "text", "text": "t"}], "closed": True}, {"type": "text", "text": "b"}])]),
    "media": dict(messages=[user([{"type": "image"}, {"type": "text", "text": "x"}, {"type": "image", "url": "a"}, {"type": "image", "path": "b"}, {"type": "image", "base64": "Yw=="}, {"type": "image_url", "image_url": "d"}, {"type": "image_url", "image_url": {"url": "e", "detail": "low"}}, {"type": "audio", "audio": "f"}, {"type": "input_audio", "input_audio": {"data": "Zw==", "format": "wav"}}, {"type": "video", "video": "h"}, {"text": "i"}])]),
    "arguments": dict(messages=[user("a"), reply("", tool_calls=[call(arguments) for arguments in [{}, {"b": 1, "a": [None, 1e100, 12345678901234567890123]}, '{"a":1}', "", None, "not json", [1]]])]),
    "bare_call": dict(messages=[user("a"), reply("", tool_calls=[{"name": "now", "arguments": {"a": 1}}, {"function": {"name": "now"}}])]),
    "function_call": dict(messages=[user("a"), reply(None, function_call={"name": "now", "arguments": "{}"}), {"role": "function", "name": "now", "content": "12"}]),
    "tools": dict(messages=[user("a")], tools=[tool(name="f", strict=True, parameters={"type": "object", "properties": {}}), tool(name="g"), tool(parameters=None, description="", name="h", **{"return": {"type": "string"}})]),
    "bare_tools": dict(messages=[user("a")], tools=[{"name": "f", "parameters": {}}, {"type": "web_search"}, {}]),
    "no_tools": dict(messages=[user("a")], tools=[]),
    "null_tools": dict(messages=[user("a")], tools=None),
    "tool_is_a_text": dict(messages=[user("a")], tools=["f"]),
    "documents": dict(messages=[user("a")], given=dict(documents=[{"title": "T", "text": "x", "id": 1}, {}])),
    "generation_prompt": dict(messages=[user("a")], given=dict(add_generation_prompt=True)),
    "nothing": dict(messages=[]),
    "continue": dict(messages=TWO, continue_final_message=True),
    "continue_user": dict(messages=[user("Once upon a ")], continue_final_message=True),
    "continue_tool": dict(messages=[user("a"), result("b")], continue_final_message=True),
    "continue_parts": dict(messages=[user("a"), reply([{"type": "text", "text": "b"}, {"type": "text", "text": "c"}, {"type": "image"}])], continue_final_message=True),
    "continue_reasoning": dict(messages=[user("a"), reply("", reasoning="b ")], continue_final_message="reasoning_content"),
    "continue_nothing": dict(messages=[user("a"), reply(None, tool_calls=[call({})])], continue_final_message=True),
    "continue_of_no_name": dict(messages=TWO, continue_final_message=""),
    "continue_null": dict(messages=TWO, continue_final_message=None),
    "other_members": dict(model="m", metadata={"messages": [1], "a": {"tools": []}}, stop=["x", ["y"]], temperature=0.5, messages=[user("a")], seed=7, last=[{}]),
    "continue_number": dict(messages=[user(1)], continue_final_message=True),
    "continue_no_one": dict(messages=[], continue_final_message=True),
}


def answer(template, case):
    given = case.get("given", {})
    try:
        messages = _normalize_chat_messages(case["messages"])
        prompts, _ = render_jinja_template(
            [messages],
            tools=case.get("tools"),
            documents=given.get("documents"),
            chat_template=template,
            continue_final_message=case.get("continue_final_message", False),
            add_generation_prompt=given.get("add_generation_prompt", False),
            bos_token="<s>",
            eos_token="</s>",
        )
        return {"string": prompts[0]}
    except Exception as error:
        return {"refused": f"{type(error).__name__}: {error}".split("\n")[0]}


def main():
    for name, case in SENT.items():
        request = {key: value for key, value in case.items() if key != "given"}
        for kind, template in [("all", ALL), ("chatml", CHATML), ("trimmed", TRIMMED), ("parts", PARTS)]:
            line = {"id": f"{name}/{kind}", "template": template, "request": request, "given": case.get("given", {})}
            json.dump(line | answer(template, case), sys.stdout, ensure_ascii=False, separators=(",", ":"))
            print()


main()
