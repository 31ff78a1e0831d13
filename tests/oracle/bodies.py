#!/usr/bin/env python3
"""Bodies that client libraries sent, through the crate and through mistral-common.

    bodies.py [--binary target/debug/examples/render_jsonl] [BODIES...]

The bodies are those of tests/goldens/requests.jsonl (`request` and `kind`), or of JSON lines that have the same fields. Each
goes unchanged through the binary, repaired, in five layouts, and of what comes back
    request   is given to the package: it must render it to the same segments, string and plain text
    string    must be that of the same conversation in OpenAI's chat completions, into which this program puts it by itself

Exit code: 0 when all of this holds, 1 when something does not.
"""
import argparse
import json
import sys
from collections import Counter
from pathlib import Path

from differential import Binary, difference, expected_of
from package import Tokens

VERSIONS = ["v3", "v7-tekken", "v11", "v13+think+image", "v15+think+image"]
GOLDENS = Path(__file__).resolve().parents[1] / "goldens" / "requests.jsonl"


def texts(content, kinds=("text", "input_text", "output_text")):
    """Content of any of the APIs as that of chat completions."""
    if not isinstance(content, list):
        return content
    parts = []
    for part in content:
        if part["type"] in kinds:
            parts.append({"type": "text", "text": part["text"]})
        elif part["type"] == "input_image":
            parts.append({"type": "image_url", "image_url": {"url": part["image_url"]}})
        elif part["type"] == "image":
            source = part["source"]
            parts.append({"type": "image_url", "image_url": {"url": f"data:{source['media_type']};base64,{source['data']}"}})
    return parts


class Turns:
    """Messages, of which those of one turn of the model's are one."""

    def __init__(self):
        self.messages = []

    def add(self, role, content, **more):
        self.messages.append({"role": role, "content": content, **more})

    def reply(self):
        if not self.messages or self.messages[-1]["role"] != "assistant":
            self.add("assistant", None)
        return self.messages[-1]

    def say(self, text):
        last = self.reply()
        if last["content"] is not None:
            self.add("assistant", None)
        self.messages[-1]["content"] = text

    def call(self, id, name, arguments):
        call = {"id": id, "type": "function", "function": {"name": name, "arguments": arguments}}
        self.reply().setdefault("tool_calls", []).append(call)


def of_responses(body):
    turns = Turns()
    if body.get("instructions"):
        turns.add("system", body["instructions"])
    for item in body["input"]:
        kind = item.get("type", "message")
        if kind == "message" and item["role"] == "assistant":
            content = texts(item["content"])
            turns.say(content if isinstance(content, str) else "".join(part["text"] for part in content))
        elif kind == "message":
            turns.add("system" if item["role"] == "developer" else item["role"], texts(item["content"]))
        elif kind == "function_call":
            turns.call(item["call_id"], item["name"], item["arguments"])
        elif kind == "function_call_output":
            turns.add("tool", texts(item["output"]), tool_call_id=item["call_id"])
        elif kind == "reasoning" and item.get("summary"):
            turns.reply()["reasoning_content"] = "\n\n".join(part["text"] for part in item["summary"])
    tools = [
        {"type": "function", "function": {name: tool[name] for name in ("name", "description", "parameters") if name in tool}}
        for tool in body.get("tools", [])
    ]
    effort = (body.get("reasoning") or {}).get("effort")
    return turns, tools, effort


def of_anthropic(body):
    turns = Turns()
    if body.get("system"):
        turns.add("system", texts(body["system"]))
    for message in body["messages"]:
        content = message["content"]
        blocks = [{"type": "text", "text": content}] if isinstance(content, str) else content
        if message["role"] == "assistant":
            for block in blocks:
                if block["type"] == "thinking":
                    turns.reply()["reasoning_content"] = block["thinking"]
                elif block["type"] == "text":
                    turns.say(block["text"])
                elif block["type"] == "tool_use":
                    turns.call(block["id"], block["name"], json.dumps(block["input"]))
            continue
        for block in blocks:
            if block["type"] == "tool_result":
                turns.add("tool", texts(block.get("content", "")), tool_call_id=block["tool_use_id"])
        said = texts([block for block in blocks if block["type"] != "tool_result"])
        if said:
            turns.add("user", said)
    tools = [
        {"type": "function", "function": {"name": tool["name"], "description": tool.get("description", ""), "parameters": tool["input_schema"]}}
        for tool in body.get("tools", [])
    ]
    return turns, tools, None


def of_conversations(body):
    turns = Turns()
    if body.get("instructions"):
        turns.add("system", body["instructions"])
    for entry in body["inputs"]:
        kind = entry.get("type", "message.input")
        if kind == "function.call":
            turns.call(entry["tool_call_id"], entry["name"], entry["arguments"])
        elif kind == "function.result":
            turns.add("tool", entry["result"], tool_call_id=entry["tool_call_id"])
        elif entry.get("role") == "user":
            turns.add("user", texts(entry["content"]))
        else:
            turns.say(texts(entry["content"]))
    return turns, body.get("tools", []), None


NORMAL = {"responses": of_responses, "anthropic": of_anthropic, "conversations": of_conversations}


def normal(kind, body):
    """The same conversation in OpenAI's chat completions; None for those that are in them."""
    if kind not in NORMAL:
        return None
    turns, tools, effort = NORMAL[kind](body)
    request = {"model": body.get("model"), "messages": turns.messages, "tools": tools}
    return {**request, **({"reasoning_effort": effort} if effort else {})}


def line(kind, version, request, **more):
    return json.dumps({"id": "x", "version": version, "mode": "serving", "kind": kind, "request": request, **more})


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("bodies", nargs="*", type=Path, default=[GOLDENS])
    parser.add_argument("--binary", default="target/debug/examples/render_jsonl")
    arguments = parser.parse_args()
    bodies = {}
    for path in arguments.bodies:
        for row in path.read_text(encoding="utf-8").splitlines():
            row = json.loads(row)
            bodies[row["name"], row["kind"]] = row["request"]
    binary, counts, wrong = Binary([arguments.binary], 120), Counter(), []
    for (name, kind), body in bodies.items():
        for version in VERSIONS:
            counts["cases"] += 1
            got, = binary.answers([line(kind, version, body, repair=True)])
            if not got["ok"]:
                counts["refused"] += 1
                wrong.append((name, version, "refused", got["error"]))
                continue
            counts["mended" if got["repairs"] else "taken as they are"] += 1
            counts.update(f"  {repair['kind']}" for repair in got["repairs"])
            expected = expected_of(line("chat", version, got["request"]), Tokens.STAND_IN)
            what = difference(expected, got)
            if what:
                wrong.append((name, version, what, expected.get("error") or expected.get("string")))
            same = normal(kind, body)
            if same is not None:
                counts["normalised"] += 1
                other, = binary.answers([line("openai", version, same, repair=True)])
                if other.get("string") != got["string"]:
                    wrong.append((name, version, "another conversation", other.get("string") or other["error"], got["string"]))
    for one in wrong[:20]:
        print(json.dumps(one, ensure_ascii=False))
    for name, count in counts.items():
        print(f"{count:8} {name}")
    print(f"{len(wrong):8} wrong")
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
