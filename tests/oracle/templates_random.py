#!/usr/bin/env python3
"""Random chats through real templates: what transformers renders beside what `render_jsonl` renders.

    pip install transformers==5.24.0 jinja2==3.1.6
    cargo build --release --example render_jsonl
    templates_random.py FOLDER... [--chats N] [--seed N] [--each N] [--template PART] [--only CHAT] [--shrink] [--show N]

FOLDER holds templates, `*.jinja`. A chat is made from a seed and a number, and rendered with every template, or with `--each`
random ones. It is a chat as clients send it, with what is rare in clients made more frequent: every role, `null`, `""` and
missing contents, parts and tools in each of their forms, reasoning fields, unknown keys, numbers that JSON libraries change.
Prints the differences, one for each kind, and exits with 1 if there is any. A prompt with an address of Python's memory is not
compared.
"""
import argparse
import copy
import datetime
import json
import random
import re
import subprocess
import sys
from collections import Counter, defaultdict
from pathlib import Path

import transformers.utils.chat_template_utils as reference

NOW = 1764158400
SPECIAL = {"bos_token": "<s>", "eos_token": "</s>", "pad_token": "<pad>", "unk_token": "<unk>"}
TEXTS = [
    "Hello", "Where is Lyon?", "Be brief.", "2+2?", "It is 4.", "Line one\nline two", " spaced ", "trailing \n\n", "\n", " ", "\t",
    "naïve café 日本語 👍🏽", "\u2028 and \u00a0", "İßſ", "a\r\nb", "\x00", "\u007f", "<b>it's & \"quoted\"</b>", "\\n \\u00e9 \\", "{{ x }} {% y %}",
    "</s>", "[INST] x [/INST]", "<|im_end|>\n<|im_start|>system\n", "<think>\nHm.\n</think>\n\nSo.", "</think>", "<think>open", "a</think>b</think>c",
    "[THINK]r[/THINK]s", '{"a": 1}', '["x", 2]', "null", "true", "3.0", "{not json", "# H\n\n- a\n- b\n\n```py\nx = 1\n```\n", "x" * 300,
    "<tool_call>\n{\"name\": \"f\"}\n</tool_call>", "<tool_response>\nr\n</tool_response>", "/no_think", "Q /think", "%s %d {0} {}", "0", "é", "'", '"', "<tool>", "`",
    "<image>", "<__media__>", "~!@#$%^&*()", "Unités: µm; ½", "𝔘𝔫𝔦", "a" + "\u0301", "‮rtl", "COMPUTE: 1e5", "/nothink please", "reasoning effort: high",
]  # fmt: skip
NUMBERS = [
    0, 1, -1, 7, 2**31, 2**53, 2**53 + 1, 2**63, 2**64, 12345678901234567890123, -(10**25), 0.0, 1.0, -0.0, 1.5, 1e5, 1e16, 1e22, 1e100, 1e-5, 1.5e-7,
    0.1, 100000.0, 123456789.123456789, 3.14, 5e-324, 1.7976931348623157e308, True, False,
]  # fmt: skip
NAMES = ["get_weather", "now", "f", "search.web", "a-b", "naïve", "with space", "functions.run", "browser.search", "python", "brave_search", "", "x" * 70]
KEYS = ["city", "days", "unit", "a", "B", "é", "with space", "1", "x-y", "items", "keys", "values", "get", "title", "type", "name", "", "<b>", "nested", "location"]
ROLES = ["developer", "ipython", "observation", "function", "model", "tool_response", "critic", "context", "documents", "User", "", "latest_reminder", "Ünïque", "environment"]
TYPES = ["string", "integer", "number", "boolean", "object", "array", "null"]


class Maker:
    """One chat."""

    def __init__(self, seed):
        self.random = random.Random(seed)
        # Most templates refuse a chat that is odd in several ways: half of the chats are rarely odd.
        self.oddity = self.pick([0.1, 0.1, 0.4, 1])

    def chance(self, share):
        """Is it so, with a share that is an oddity where it is small?"""
        return self.random.random() < (share * self.oddity if share <= 0.15 else share)

    def pick(self, items):
        return self.random.choice(items)

    def text(self):
        if self.chance(0.1):
            return ""
        if self.chance(0.15):
            return "".join(self.pick(TEXTS) for _ in range(self.random.randint(2, 4)))
        return self.pick(TEXTS[:12]) if self.chance(0.5) else self.pick(TEXTS)

    def value(self, depth=3):
        kind = self.random.randrange(12)
        if kind < 4 or depth == 0:
            return self.text()
        if kind < 7:
            return self.pick(NUMBERS)
        if kind == 7:
            return None
        if kind < 10:
            return [self.value(depth - 1) for _ in range(self.random.randrange(4))]
        return {self.pick(KEYS): self.value(depth - 1) for _ in range(self.random.randrange(4))}

    def shuffled(self, value):
        """Members in another order, as some clients write them."""
        if not self.chance(0.15):
            return value
        items = list(value.items())
        self.random.shuffle(items)
        return dict(items)

    def unknown(self):
        """Members that no API has, or that only one has."""
        known = {
            "id": "msg_1", "refusal": None, "audio": None, "annotations": [], "function_call": None, "metadata": {"k": self.value(1)}, "cache_control": {"type": "ephemeral"},
            "weight": self.pick([0, 1]), "prefix": False, "timestamp": 1764158400.5, "x": self.value(), "tool_plan": self.text(), "thought": self.text(), "channel": self.pick(["final", "analysis", "commentary"]),
            "recipient": self.pick(["all", "browser"]), "content_type": "text", "end_turn": self.pick([True, False]), "citations": [], "train": True, "tools": [], "documents": [],
            "images": ["aGk="], "stop_reason": None, "parts": [], "step_id": 3, "loss": False, "status": "completed", "Reasoning": "R", "thinking_content": self.text(), "tool_choice": "auto",
            "model": "m", "is_error": False, "knobs": "x", "task": self.pick(["", "read"]), "wo_eos": True, "mask": 1, "functions": [], "task_type": None, "items": 1, "keys": "k", "message_roles_string": "s",
        }  # fmt: skip
        name = self.pick(list(known))
        return {name: known[name]}

    def part(self, role):
        url = self.pick(["https://example.org/a.png", "data:image/png;base64,iVBORw0KGgo=", "file:///a.jpg", ""])
        text = {"type": "text", "text": self.text()}
        if self.random.random() < 0.9 - 0.3 * self.oddity:
            return text
        if role == "assistant" and self.chance(0.5):
            thought = [{"type": "text", "text": self.text()} for _ in range(self.random.randrange(3))]
            return self.pick([
                {"type": "thinking", "thinking": self.text()}, {"type": "thinking", "thinking": thought}, {"type": "thinking", "thinking": thought, "closed": self.pick([True, False])},
                {"type": "reasoning", "text": self.text()}, {"type": "refusal", "refusal": "No."}, {"type": "redacted_thinking", "data": "x"},
                {"type": "tool_use", "id": "t1", "name": "f", "input": {"a": 1}}, {"type": "thinking", "thinking": self.text(), "signature": "s"},
            ])  # fmt: skip
        return self.pick([
            {"type": "image"}, {"type": "image", "url": url}, {"type": "image", "path": "/a.png"}, {"type": "image", "base64": "aGk="}, {"type": "image", "image": url},
            {"type": "image_url", "image_url": url}, {"type": "image_url", "image_url": {"url": url}}, {"type": "image_url", "image_url": {"url": url, "detail": "low"}}, {"type": "image_url"},
            {"type": "audio"}, {"type": "audio", "audio": "aGk="}, {"type": "audio", "audio_url": url}, {"type": "audio_url", "audio_url": {"url": url}}, {"type": "input_audio", "input_audio": {"data": "aGk=", "format": "wav"}},
            {"type": "input_audio", "input_audio": "aGk="}, {"type": "video"}, {"type": "video", "video": url}, {"type": "video_url", "video_url": {"url": url}}, {"type": "video", "path": "v.mp4", "fps": 1.0},
            {"type": "file", "file": {"file_id": "f1"}}, {"type": "document", "document": {"title": "T", "text": "x"}}, {"type": "input_text", "text": self.text()}, {"type": "output_text", "text": self.text()},
            {"text": self.text()}, {"image": url}, {"type": "text", "text": None}, {"type": "text"}, {"type": "text", "text": self.text(), "cache_control": {"type": "ephemeral"}}, {}, "bare text",
            {"type": "tool_result", "tool_use_id": "t1", "content": "r"}, {"type": "text", "text": 5}, {"type": "video", "num_frames": 8}, {"type": "text", "content": "c"}, {"type": None, "text": "t"},
        ])  # fmt: skip

    def content(self, role):
        if self.random.random() < 0.75 or not self.chance(0.15) and self.oddity < 0.2:
            return self.text()
        if self.random.random() < 0.8:
            return [self.part(role) for _ in range(self.random.randrange(4))]
        if self.chance(0.5):
            return None
        return self.pick([5, 1.0, True, {}, {"text": "x"}, {"type": "text", "text": "x"}, self.value()])

    def message(self, role):
        message = {"role": role, "content": self.content(role)}
        if self.chance(0.04):
            del message["content"]
        if self.chance(0.06):
            message["name"] = self.pick(["Ada", "example_user", "", None, "now"])
        if self.chance(0.08):
            message |= self.unknown()
        if self.chance(0.005):
            del message["role"]
        if self.chance(0.005):
            message["role"] = self.pick([None, 1, ["user"]])
        return message

    def arguments(self):
        value = {self.pick(KEYS): self.value() for _ in range(self.random.randrange(4))}
        kind = self.random.random()
        if kind < 0.55:
            return value
        if kind < 0.85:
            return json.dumps(value, ensure_ascii=self.chance(0.5), separators=self.pick([None, (",", ":")]))
        return self.pick(["", "{}", "null", "not json", "[1, 2]", '"text"', None, [], [1], 5, {}, {"a": {}}, '{"a": 1', "{'a': 1}"])

    def call(self, id):
        function = self.shuffled({"name": self.pick(NAMES), "arguments": self.arguments()})
        if self.chance(0.04):
            del function["arguments"]
        call = {"id": id, "type": "function", "function": function}
        if self.chance(0.08):
            call.pop(self.pick(list(call)))
        if self.chance(0.06):
            call["index"] = self.random.randrange(3)
        if self.chance(0.04):
            call = {**function, "id": id}
        if self.chance(0.03):
            call["extra_content"] = {"google": {"thought_signature": "s"}}
        return self.shuffled(call)

    def reply(self):
        message = self.message("assistant")
        if self.chance(0.3):
            for name in self.random.sample(["reasoning_content", "reasoning", "thinking"], self.pick([1, 1, 1, 2, 3])):
                message[name] = self.text() if self.chance(0.9) else self.pick([None, [], [{"type": "text", "text": "t"}], 5, {"text": "x"}])
        if self.chance(0.05):
            message["tool_calls"] = self.pick([[], None, [], {}])
        return self.shuffled(message)

    def calls(self):
        ids = [self.pick(["abcdef123", "call_1", f"chatcmpl-tool-{number}", f"{number:09}", "", None, "functions.f:0"]) for number in range(self.pick([1, 1, 1, 2, 2, 3]))]
        message = self.reply()
        if self.chance(0.6):
            message["content"] = self.pick(["", None, ""])
        message["tool_calls"] = [self.call(id) for id in ids]
        yield message
        answered = list(ids)
        if self.chance(0.15):
            self.random.shuffle(answered)
        if self.chance(0.1):
            answered.pop()
        for id in answered:
            result = {"role": self.pick(["tool"] * 12 + ["ipython", "function", "observation"]), "tool_call_id": id, "content": self.content("tool")}
            if self.chance(0.3):
                result["content"] = self.pick([json.dumps(self.value()), self.value(), {"t": 21.5, "ok": True}, [1, 2.0], "ok"])
            if self.chance(0.4):
                result["name"] = self.pick(NAMES)
            if self.chance(0.1):
                del result["tool_call_id"]
            if self.chance(0.05):
                result |= self.unknown()
            yield self.shuffled(result)

    def messages(self):
        messages = []
        if self.chance(0.5):
            messages.append(self.message(self.pick(["system"] * 6 + ["developer"])))
            if self.chance(0.1):
                messages.append(self.message(self.pick(["system", "developer"])))
        for _ in range(self.pick([0, 1, 1, 1, 2, 2, 3, 4, 6])):
            messages.append(self.message("user"))
            if self.chance(0.08):
                messages.append(self.message(self.pick(["user", "system", "developer", *ROLES])))
            if self.chance(0.35):
                messages.extend(self.calls())
                if self.chance(0.2):
                    messages.extend(self.calls())
            if self.chance(0.9):
                messages.append(self.reply())
            if self.chance(0.06):
                messages.append(self.reply())
        if self.chance(0.75):
            messages.append(self.message("user"))
        if self.chance(0.04):
            self.random.shuffle(messages)
        return messages

    def schema(self, depth=3):
        if self.chance(0.04):
            return self.pick([{}, True, {"$ref": "#/$defs/P"}, {"anyOf": [{"type": "string"}, {"type": "null"}]}, {"const": 1.0}, {"enum": ["a", None, 1.0]}])
        kind = self.pick(TYPES[:4] if depth == 0 else TYPES)
        schema = {"type": kind}
        if self.chance(0.1):
            schema["type"] = self.pick([[kind, "null"], [kind], kind.upper(), ["string", "integer", "null"]])
        if self.chance(0.6):
            schema["description"] = self.text()
        if self.chance(0.15):
            schema["enum"] = [self.pick(["c", "f", 1, 1.0, None, "é", True]) for _ in range(self.random.randrange(4))]
        if self.chance(0.15):
            schema["default"] = self.value(1)
        if self.chance(0.1):
            schema |= self.pick([
                {"minimum": 1, "maximum": 7}, {"minLength": 1}, {"pattern": "^[a-z]+$"}, {"format": "date-time"}, {"title": "T"}, {"examples": ["a", 1]}, {"nullable": True}, {"minItems": 1, "uniqueItems": True},
                {"exclusiveMinimum": 0.0}, {"multipleOf": 0.01}, {"maximum": 1e5}, {"x-custom": {"a": [1e22]}}, {"deprecated": True}, {"additionalProperties": False}, {"additionalProperties": {"type": "string"}},
                {"oneOf": [{"type": "string"}, {"type": "object", "properties": {"q": {"type": "integer"}}}]}, {"allOf": [{"type": "string"}]}, {"anyOf": [{"type": "string", "description": "s"}, {"type": "array", "items": {"type": "string"}}]},
            ])  # fmt: skip
        if kind == "object" and self.chance(0.9):
            schema["properties"] = {self.pick(KEYS): self.schema(depth - 1) for _ in range(self.random.randrange(4))}
            if self.chance(0.6):
                schema["required"] = self.random.sample(sorted(schema["properties"]), self.random.randint(0, len(schema["properties"])))
            if self.chance(0.2):
                schema["additionalProperties"] = self.pick([False, True, {"type": "string"}])
            if self.chance(0.05):
                schema["$defs"] = {"P": self.schema(0)}
        if kind == "array" and self.chance(0.9):
            schema["items"] = self.schema(depth - 1)
        return self.shuffled(schema)

    def tool(self):
        parameters = {"type": "object", "properties": {self.pick(KEYS): self.schema(2) for _ in range(self.random.randrange(4))}}
        if self.chance(0.7):
            parameters["required"] = self.random.sample(sorted(parameters["properties"]), self.random.randint(0, len(parameters["properties"])))
        function = {"name": self.pick(NAMES), "description": self.text(), "parameters": parameters}
        if self.chance(0.08):
            function["parameters"] = self.pick([{}, None, {"type": "object"}, {"properties": {}}, self.schema()])
        if self.chance(0.08):
            function.pop(self.pick(list(function)))
        if self.chance(0.1):
            function["strict"] = self.pick([True, False, None])
        if self.chance(0.1):
            function["return"] = self.pick([{"type": "string", "description": "The weather."}, {"type": "object", "properties": {"t": {"type": "number"}}}])
        if self.chance(0.04):
            function |= self.pick([{"response": {"type": "object"}}, {"examples": []}, {"defer_loading": True}, {"parameters_json_schema": {}}])
        function = self.shuffled(function)
        if self.chance(0.1):
            return function
        if self.chance(0.02):
            return self.pick([{}, {"type": "function"}, {"type": "web_search"}, {"type": "function", "function": {}}, {"function": function}, {"type": "custom", "custom": {"name": "c"}}])
        return self.shuffled({"type": "function", "function": function} | ({"strict": True} if self.chance(0.05) else {}))

    def variables(self):
        tools = lambda: self.pick([[], [self.tool()], None, [self.tool()["function"] if False else {"name": "x", "parameters": {}}]])
        offered = {
            "enable_thinking": self.pick([True, False, False, None, "off"]), "thinking": self.pick([True, False, "", "chat"]), "reasoning_effort": self.pick(["low", "medium", "high", "none", "max", "", None, 0.5]),
            "tools_in_user_message": self.pick([True, False]), "date_string": self.pick(["26 Jul 2024", "", None, 5]), "add_vision_id": self.pick([True, False]), "preserve_thinking": self.pick([True, False]),
            "truncate_history_thinking": self.pick([True, False]), "builtin_tools": self.pick([["web_search"], [], ["code_interpreter", "python"], None, "browser"]), "custom_tools": tools(), "xml_tools": self.pick([[], [self.tool()]]),
            "python_tools": self.pick([[], ["def f(): pass"]]), "enable_citations": self.pick([True, False]), "model_identity": self.text(), "keep_past_thinking": self.pick([True, False]), "clear_thinking": self.pick([True, False]),
            "response_format": self.pick([{"type": "json_object"}, {"type": "json_schema", "json_schema": {"name": "n", "schema": {"type": "object"}}}, "text", None]), "thinking_budget": self.pick([0, 1, 512, 4096, -1, None, "x"]),
            "controls": self.pick([{"length": "short"}, {}, {"thinking": True}]), "reasoning_strength": self.pick(["high", 1.0]), "low_effort": True, "medium_effort": self.pick([True, False]), "tool_choice": self.pick(["auto", "any", None, {"type": "function", "function": {"name": "f"}}]),
            "safety_mode": self.pick(["contextual", "none", "STRICT"]), "grounding": self.pick(["enabled", "disabled"]), "skip_think": True, "drop_thinking": self.pick([True, False]), "is_training": True, "thinking_mode": self.pick(["on", "off", "interleaved"]),
            "knowledge_cutoff": "2025-01", "current_date": "2025-11-26", "system_prompt": self.text(), "use_knobs": True, "knobs": {"a": 1}, "default_system_prompt": self.pick([True, False]), "available_tools": tools(), "functions": tools(),
            "documents_": [], "custom": self.value(), "content": self.text(), "role": "user", "system_message": self.text(), "loop_messages": [], "num_img_tokens": 3, "image_prompts": [], "response_schema": {"type": "object"},
            "developer_instruction": self.text(), "reasoning_mode": self.pick(["", "think"]), "convert_first_system_msg": True, "add_thoughts": self.pick([True, False]), "include_thinking": True, "thinking_option": "auto", "think_render_option": "full",
            "tool_namespace_descriptions": {"browser": "B"}, "fallback_strategy": self.pick(["none", "x"]), "regen_tool_call_ids": True, "repeat_tokens": 2, "continue_same_model_turn": True, "custom_instructions": self.text(), "datetime": "now",
            "thinking_effort": self.pick(["low", 99]), "use_json_tooldef": True, "developer_preamble": self.text(), "add_last_system_message": True, "skip_thinking": self.pick([True, False]), "interleaved_thinking": True, "reasoning_content": "g", "ns": 1,
        }  # fmt: skip
        share = self.pick([0, 0, 0.05, 0.15, 0.5])
        return {name: value for name, value in offered.items() if self.chance(share)}

    def documents(self):
        if self.chance(0.8):
            return None
        document = lambda: self.pick([{"title": self.text(), "text": self.text()}, {"text": self.text()}, {"doc_id": 1, "title": "T", "text": "x", "source": "s"}, {"content": self.text(), "id": "d"}, {}, {"title": None, "text": 5, "data": {"a": self.value()}}])
        return [self.shuffled(document()) for _ in range(self.random.randrange(4))]

    def chat(self):
        messages = self.messages()
        tools = None if self.chance(0.55) else [self.tool() for _ in range(self.pick([0, 1, 1, 2, 3, 5]))]
        continued = bool(self.chance(0.12)) and (self.pick([True, True, True, "content", "reasoning_content", "thinking"]))
        if continued and self.chance(0.8):
            messages.append(self.reply())
        added = not continued and self.chance(0.7)
        return dict(messages=messages, tools=tools, continued=continued, added=added, documents=self.documents(), variables=self.variables())


class FixedClock(datetime.datetime):
    @classmethod
    def now(cls, tz=None):
        return cls.fromtimestamp(NOW, datetime.timezone.utc).replace(tzinfo=None)


reference.datetime = FixedClock


def expected(template, chat):
    """What transformers says: the prompt, or None and why it raises."""
    try:
        chat = copy.deepcopy(chat)
        messages = reference._normalize_chat_messages(chat["messages"])
        prompts, _ = reference.render_jinja_template(
            [messages], tools=chat["tools"], documents=chat["documents"], chat_template=template,
            continue_final_message=chat["continued"], add_generation_prompt=chat["added"], **SPECIAL, **chat["variables"],
        )  # fmt: skip
        return prompts[0], None
    except Exception as error:
        return None, f"{type(error).__name__}: {error}"


def line(id, template, chat):
    request = {"messages": chat["messages"]}
    if chat["tools"] is not None:
        request["tools"] = chat["tools"]
    if chat["continued"]:
        request["continue_final_message"] = chat["continued"]
    line = {"id": id, "template": template, "special_tokens": SPECIAL, "request": request, "add_generation_prompt": chat["added"], "now": NOW, "variables": chat["variables"]}
    if chat["documents"] is not None:
        line["documents"] = chat["documents"]
    return json.dumps(line, ensure_ascii=False) + "\n"


def answers(binary, jobs):
    lines = "".join(line(str(number), template, chat) for number, (template, chat) in enumerate(jobs))
    run = subprocess.run([binary], input=lines.encode(), stdout=subprocess.PIPE, check=True)
    return [json.loads(row) for row in run.stdout.decode().split("\n") if row]


def verdict(template, chat, answer):
    """The kind of the difference, or "equal"; what transformers says, and what we say."""
    prompt, why = expected(template, chat)
    got = answer.get("string", answer.get("error"))
    if prompt is None:
        return ("accepted" if answer["ok"] else "equal"), why, got
    if re.search(" at 0x[0-9a-f]{6,}", prompt):
        return "address", prompt, got
    if not answer["ok"]:
        return "refused", prompt, got
    return ("equal" if answer["string"] == prompt else "wrong"), prompt, got


def smaller(value):
    """Every value with one thing less."""
    if isinstance(value, dict):
        for key in value:
            yield {name: item for name, item in value.items() if name != key}
        for key, item in value.items():
            for less in smaller(item):
                yield {**value, key: less}
    elif isinstance(value, list):
        for place in range(len(value)):
            yield value[:place] + value[place + 1 :]
        for place, item in enumerate(value):
            for less in smaller(item):
                yield [*value[:place], less, *value[place + 1 :]]
    elif isinstance(value, str) and len(value) > 1:
        yield value[: len(value) // 2]
        yield value[len(value) // 2 :]
    elif value is not None and value not in ("", 0, False) and not isinstance(value, str):
        yield None


def shrunk(binary, template, chat, kind):
    """A smaller chat with the same kind of difference."""
    found = True
    while found:
        found = False
        for part in ("messages", "tools", "documents", "variables"):
            tried = [{**chat, part: less} for less in smaller(chat[part])] + ([{**chat, part: None}] if chat[part] and part in ("tools", "documents") else [])
            for less, answer in zip(tried, answers(binary, [(template, less) for less in tried])):
                if verdict(template, less, answer)[0] == kind:
                    chat, found = less, True
                    break
    return chat


def excerpt(want, got):
    want, got = str(want), str(got)
    at = next((at for at, pair in enumerate(zip(want, got)) if pair[0] != pair[1]), min(len(want), len(got)))
    return repr(want[max(at - 60, 0) : at + 100]), repr(got[max(at - 60, 0) : at + 100])


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("folders", type=Path, nargs="+")
    parser.add_argument("--binary", default="target/release/examples/render_jsonl")
    parser.add_argument("--chats", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--each", type=int, help="how many templates a chat is rendered with")
    parser.add_argument("--template", default="")
    parser.add_argument("--only", type=int, help="the number of one chat")
    parser.add_argument("--shrink", action="store_true")
    parser.add_argument("--show", type=int, default=20)
    options = parser.parse_args()
    paths = [path for folder in options.folders for path in sorted(folder.glob("*.jinja")) if options.template in path.name]
    templates = {path.stem: path.read_bytes().decode() for path in paths}
    chats = [options.only] if options.only is not None else range(options.chats)
    counts, kinds, failing = Counter(), defaultdict(list), set()
    by_template = defaultdict(list)
    for number in chats:
        maker = Maker(f"{options.seed}/{number}")
        chat = maker.chat()
        for name in maker.random.sample(sorted(templates), options.each) if options.each else templates:
            by_template[name].append((number, chat))
    rendered = 0
    for name, numbered in by_template.items():
        template = templates[name]
        for (number, chat), answer in zip(numbered, answers(options.binary, [(template, chat) for _, chat in numbered])):
            kind, want, got = verdict(template, chat, answer)
            counts[kind] += 1
            rendered += kind == "equal" and answer["ok"]
            if kind not in ("equal", "address"):
                failing.add(name)
                said = want if kind == "accepted" else got if kind == "refused" else ""
                kinds[kind, re.sub(r"\d+", "N", said)[:60]].append((name, number, chat, want, got))
    for (kind, _), found in sorted(kinds.items(), key=lambda item: -len(item[1]))[: options.show]:
        name, number, chat, want, got = min(found, key=lambda one: len(json.dumps(one[2])))
        print(f"{len(found)} {kind}: {name}, chat {options.seed}/{number}; {len({one[0] for one in found})} templates")
        if options.shrink:
            chat = shrunk(options.binary, templates[name], chat, kind)
            (answer,) = answers(options.binary, [(templates[name], chat)])
            _, want, got = verdict(templates[name], chat, answer)
        print("   ", json.dumps({key: value for key, value in chat.items() if value}, ensure_ascii=False)[:1500])
        for which, text in zip(("want", "got "), excerpt(want, got)):
            print("   ", which, text)
    print(f"{sum(counts.values())} renders of {len(by_template)} templates with {len(chats)} chats: {dict(counts)}; {rendered} of the equal are prompts; {len(failing)} templates differ")
    return bool(failing)


if __name__ == "__main__":
    sys.exit(main())
