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
    """Content of any of the APIs as that of chat completions; what has no place in these is left out."""
    if not isinstance(content, list):
        return content
    parts, is_behind_reference = [], False
    for part in content:
        kind = part["type"]
        if kind in ("reference", "tool_reference", "tool_file"):
            is_behind_reference = True
            continue
        if kind in kinds and is_behind_reference and parts and parts[-1]["type"] == "text":
            parts[-1]["text"] += part["text"]
        elif kind in kinds:
            parts.append({"type": "text", "text": part["text"]})
        elif kind == "refusal":
            parts.append({"type": "text", "text": part["refusal"]})
        elif kind == "thinking":
            thinking = part["thinking"]
            parts.append({"type": "thinking", "thinking": thinking if isinstance(thinking, str) else "".join(one["text"] for one in thinking)})
        elif kind == "image_url":
            parts.append(part)
        elif kind == "input_image" and "image_url" in part:
            parts.append({"type": "image_url", "image_url": {"url": part["image_url"]}})
        elif kind == "image":
            source = part["source"]
            url = source.get("url") or f"data:{source['media_type']};base64,{source['data']}"
            parts.append({"type": "image_url", "image_url": {"url": url}})
        elif kind == "document" and part["source"]["type"] == "text":
            parts.append({"type": "text", "text": part["source"]["data"]})
        elif kind == "search_result":
            parts += texts(part["content"])
        is_behind_reference = False
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

    def new_id(self, name):
        """An id for a call that came without: the name tells which call a result is of."""
        return f"{name}-{sum(len(message.get('tool_calls', [])) for message in self.messages)}"

    def open_call(self, name=None):
        """The id of the first call without a result, of this name if one is given."""
        answered = {message.get("tool_call_id") for message in self.messages}
        for message in self.messages:
            for call in message.get("tool_calls", []):
                if call["id"] not in answered and name in (None, call["function"]["name"]):
                    return call["id"]

    def call(self, id, name, arguments):
        call = {"id": id, "type": "function", "function": {"name": name, "arguments": arguments}}
        self.reply().setdefault("tool_calls", []).append(call)


def as_text(arguments):
    """Arguments as chat completions have them: text, which some clients send already."""
    return arguments if isinstance(arguments, str) else json.dumps(arguments)


def of_responses(body):
    turns = Turns()
    if body.get("instructions"):
        turns.add("system", body["instructions"])
    if isinstance(body["input"], str):
        turns.add("user", body["input"])
        body = {**body, "input": []}
    for item in body["input"]:
        kind = item.get("type", "message")
        if kind == "message" and item["role"] == "assistant":
            content = texts(item["content"])
            turns.say(content if isinstance(content, str) else "".join(part["text"] for part in content))
        elif kind == "message":
            turns.add("system" if item["role"] == "developer" else item["role"], texts(item["content"]))
        elif kind == "function_call":
            turns.call(item["call_id"], item["name"], item["arguments"])
        elif kind == "custom_tool_call":
            turns.call(item["call_id"], item["name"], json.dumps({"input": item["input"]}))
        elif kind == "local_shell_call":
            turns.call(item["call_id"], "local_shell", json.dumps(item["action"]))
        elif kind.endswith("_call_output"):
            turns.add("tool", texts(item["output"]), tool_call_id=item.get("call_id") or turns.open_call())
        elif kind == "reasoning" and item.get("summary"):
            turns.reply()["reasoning_content"] = "\n\n".join(part["text"] for part in item["summary"])
    tools = [
        {"type": "function", "function": {name: tool[name] for name in ("name", "description", "parameters") if name in tool}}
        for tool in body.get("tools", [])
        if tool["type"] == "function"
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
            turns.add("assistant", None)
            said = texts([block for block in blocks if block["type"] in ("text", "thinking")])
            if len(said) == 1 and said[0]["type"] == "text":
                said = said[0]["text"]
            turns.messages[-1]["content"] = said or None
            for block in blocks:
                if block["type"] == "tool_use":
                    turns.call(block["id"], block["name"], as_text(block["input"]))
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
        if "input_schema" in tool
    ]
    return turns, tools, body.get("output_config", {}).get("effort")


def of_conversations(body):
    turns = Turns()
    if body.get("instructions"):
        turns.add("system", body["instructions"])
    if isinstance(body["inputs"], str):
        turns.add("user", body["inputs"])
        body = {**body, "inputs": []}
    for entry in body["inputs"]:
        kind = entry.get("type", "message.input")
        if kind == "function.call":
            turns.call(entry["tool_call_id"], entry["name"], entry["arguments"])
        elif kind == "function.result":
            turns.add("tool", entry["result"], tool_call_id=entry["tool_call_id"])
        elif entry.get("role") == "user":
            turns.add("user", texts(entry["content"]))
        elif "content" in entry:
            turns.say(texts(entry["content"]))
    return turns, functions(body), None


def functions(body):
    return [tool for tool in body.get("tools", []) if tool["type"] == "function"]


def of_ollama(body):
    turns = Turns()
    for message in body["messages"]:
        images = [{"type": "image_url", "image_url": {"url": f"data:image/png;base64,{data}"}} for data in message.get("images", [])]
        content = message.get("content")
        content = [*images, {"type": "text", "text": content}] if images else content
        if message["role"] == "assistant":
            turns.add("assistant", content or None)
            if message.get("thinking"):
                turns.messages[-1]["reasoning_content"] = message["thinking"]
            for call in message.get("tool_calls", []):
                turns.call(turns.new_id(call["function"]["name"]), call["function"]["name"], as_text(call["function"]["arguments"]))
        elif message["role"] == "tool":
            turns.add("tool", content, tool_call_id=turns.open_call(message.get("tool_name")))
        else:
            turns.add(message["role"], content)
    think = body.get("think")
    return turns, functions(body), think if isinstance(think, str) else None


def one_or_more(values):
    """A list, for which a client may have sent its one value."""
    return values if isinstance(values, list) else [values]


def in_lower_case(schema):
    """A schema of Gemini's with the types as JSON schema names them."""
    if isinstance(schema, list):
        return [in_lower_case(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    return {name: value.lower() if name == "type" and isinstance(value, str) else in_lower_case(value) for name, value in schema.items()}


def of_gemini(body):
    def either(fields, camel):
        snake = "".join(f"_{one.lower()}" if one.isupper() else one for one in camel)
        return fields.get(camel, fields.get(snake))

    def chunk(part):
        if "text" in part:
            return {"type": "thinking", "thinking": part["text"]} if part.get("thought") else {"type": "text", "text": part["text"]}
        data = either(part, "inlineData")
        kind = data and either(data, "mimeType")
        return {"type": "image_url", "image_url": {"url": f"data:{kind};base64,{data['data']}"}} if data and kind.startswith("image/") else None

    turns = Turns()
    system = either(body, "systemInstruction")
    if system:
        turns.add("system", [chunk(part) for part in one_or_more(system["parts"])])
    for turn in body["contents"]:
        said = [one for one in map(chunk, turn["parts"]) if one]
        if turn.get("role") == "model":
            turns.add("assistant", said[0]["text"] if len(said) == 1 and "text" in said[0] else said or None)
            for part in turn["parts"]:
                call = either(part, "functionCall")
                if call:
                    turns.call(call.get("id") or turns.new_id(call["name"]), call["name"], json.dumps(call.get("args", {})))
            continue
        for part in turn["parts"]:
            result = either(part, "functionResponse")
            if result:
                id = result.get("id") or turns.open_call(result["name"])
                turns.add("tool", json.dumps(result["response"]), tool_call_id=id)
        if said:
            turns.add("user", said)
    tools = []
    for tool in one_or_more(body.get("tools", [])):
        for function in either(tool, "functionDeclarations") or []:
            schema = either(function, "parametersJsonSchema") or in_lower_case(function.get("parameters", {}))
            declared = {"name": function["name"], "description": function.get("description", ""), "parameters": schema}
            tools.append({"type": "function", "function": declared})
    thinking = either(either(body, "generationConfig") or {}, "thinkingConfig") or {}
    level = either(thinking, "thinkingLevel")
    return turns, tools, level and level.lower()


NORMAL = {
    "responses": of_responses,
    "anthropic": of_anthropic,
    "conversations": of_conversations,
    "ollama": of_ollama,
    "gemini": of_gemini,
}

# What each dialect has beside a model, which tells that a body is one of it.
OWN = {"responses": "input", "anthropic": "messages", "conversations": "inputs", "ollama": "messages", "gemini": "contents"}

# Those whose calls need no id: each program makes up its own.
WITHOUT_IDS = ("ollama", "gemini")


def call_ids(request):
    return [call["id"] for message in request["messages"] for call in message.get("tool_calls", [])]


def normal(kind, body):
    """The same conversation in OpenAI's chat completions; None for those that are in them, whatever dialect they came in."""
    messages = body.get("messages", [])
    is_openai = any(message["role"] == "tool" and "tool_call_id" in message for message in messages)
    if kind not in NORMAL or OWN[kind] not in body or is_openai:
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
    bodies, refused = {}, set()
    for path in arguments.bodies:
        for row in path.read_text(encoding="utf-8").splitlines():
            row = json.loads(row)
            bodies[row["name"], row["kind"]] = row["request"]
            if "error" in row:
                refused.add((row["name"], row["kind"]))
    binary, counts, wrong = Binary([arguments.binary], 120), Counter(), []
    for (name, kind), body in bodies.items():
        for version in VERSIONS:
            counts["cases"] += 1
            got, = binary.answers([line(kind, version, body, repair=True)])
            if not got["ok"]:
                counts["refused"] += 1
                if (name, kind) not in refused:
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
                if kind in WITHOUT_IDS and other["ok"]:
                    for made, own in zip(call_ids(other["request"]), call_ids(got["request"])):
                        other["string"] = other["string"].replace(made, own)
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
