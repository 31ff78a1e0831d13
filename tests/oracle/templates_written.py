#!/usr/bin/env python3
"""Renders the templates that are written for the layouts with transformers 5.23.0, against the layouts' goldens.

    pip install transformers==5.23.0 jinja2
    cargo build --example write_template
    templates_written.py target/debug/examples/write_template

Prints how many goldens are the same, and what a template cannot express, by kind; any other difference is an error.
"""
import json
import subprocess
import sys
from collections import Counter
from functools import lru_cache
from pathlib import Path

from transformers.utils.chat_template_utils import render_jinja_template

GOLDENS = Path(__file__).parent.parent / "goldens" / "mistral_common"
DEFAULT_BUILDER = {
    "reasoning_effort": {"type": "enum", "accepts_none": True, "default": "none", "values": ["none", "high"]},
    "json_schema": None,
}


@lru_cache(None)
def template(label):
    arguments = [sys.argv[1], "--layout", label]
    return subprocess.run(arguments, check=True, capture_output=True, encoding="utf-8").stdout


def printed(golden):
    if "string" in golden:
        return golden["string"]
    media = {"image": "[IMG]", "audio": "[AUDIO]"}
    part = lambda segment: segment.get("control") or segment.get("text") or media[segment["media"]]
    return "".join(part(segment) for segment in golden["segments"])


def pythonic(text):
    try:
        return text == json.dumps(json.loads(text), ensure_ascii=False)
    except ValueError:
        return False


def is_json(text):
    try:
        json.loads(text)
        return True
    except ValueError:
        return False


def inexpressible(golden):
    """The kind of what Jinja cannot say of a chat, or None."""
    messages = golden["request"]["messages"]
    if golden.get("options", {}).get("settings_builder", DEFAULT_BUILDER) != DEFAULT_BUILDER:
        return "settings of another tokenizer file"
    for message in messages:
        if "weight" in message and golden.get("finetuning_messages"):
            return "weights, which part turns"
        if message.get("reasoning") is not None or message.get("reasoning_content") is not None:
            return "reasoning in a field of its own"
        if message["role"] == "developer":
            return "developer messages"
        if any(id_.endswith("\n") for id_ in texts_of(message)):
            return "a newline at the end of a name or an id, which Python lets through"
        for call in message.get("tool_calls") or []:
            arguments = call["function"]["arguments"]
            if arguments is None or isinstance(arguments, str) and arguments != "" and not pythonic(arguments):
                return "arguments sent as text that is not JSON as Python writes it"
            if message is messages[-1] and call.get("id", "null") == "null":
                return "calls without an id in the last message, for fine-tuning"
        if message["role"] == "tool" and golden["version"][:2] in ("v2", "v3"):
            content = message["content"]
            if not isinstance(content, str):
                content = "\n\n".join(chunk["text"] for chunk in content if chunk["text"])
            looks = content.lstrip()[:1] in ("{", "[", '"') or is_json(content)
            if content and looks and not pythonic(content):
                return "results of v2 and v3 that look like JSON and are not JSON as Python writes it"
    last = messages[-1]
    if last.get("prefix") and golden.get("kind") != "openai" or golden["request"].get("continue_final_message"):
        content = last.get("content")
        if not isinstance(content, str) or content != content.rstrip() or not content or last.get("tool_calls"):
            return "a message to be continued that ends with calls, thinking or white space"
    return None


def texts_of(message):
    yield message.get("tool_call_id") or ""
    for call in message.get("tool_calls") or []:
        yield call.get("id") or ""
        yield call["function"]["name"]


def render(golden):
    request = golden["request"]
    continued = request["messages"][-1].get("prefix") and golden.get("kind") != "openai"
    continued = bool(continued or request.get("continue_final_message"))
    messages = [{k: v for k, v in m.items() if k not in ("prefix", "weight")} for m in request["messages"]]
    for message in messages:
        message.setdefault("content", None)
    extra = {key: request[key] for key in ("reasoning_effort", "response_format") if key in request}
    rendered, _ = render_jinja_template(
        conversations=[messages],
        tools=request.get("tools"),
        chat_template=template(golden["version"].replace("+plainthink", "")),
        continue_final_message=continued,
        bos_token="<s>",
        eos_token="</s>",
        **extra,
    )
    return rendered[0]


def main():
    kinds, same, wrong = Counter(), 0, []
    for file in sorted(GOLDENS.glob("*.jsonl")):
        for line in file.open(encoding="utf-8"):
            golden = json.loads(line)
            if "segments" not in golden or golden.get("kind") in ("fim", "instruct") or "max_model_input_len" in golden:
                continue
            kind = inexpressible(golden)
            if kind:
                kinds[kind] += 1
                continue
            try:
                string = render(golden)
            except Exception as error:
                string = f"{type(error).__name__}: {error}"
            if string == printed(golden):
                same += 1
            else:
                wrong.append((golden["id"], string, printed(golden)))
    for id_, string, expected in wrong[:20]:
        print(f"{id_}\n  rendered {string!r}\n  expected {expected!r}")
    print(f"{same} the same, {len(wrong)} different")
    for kind, count in kinds.most_common():
        print(f"{count:5} {kind}")
    return bool(wrong)


sys.exit(main())
