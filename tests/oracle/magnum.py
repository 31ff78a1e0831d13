#!/usr/bin/env python
"""Goldens of the magnum layout, out of those of v3 and mistral-common.

The model card's layout is v3's with the system prompt at the beginning of the first user turn, joined by one newline.
So a chat with its system prompt written into the first user message by hand, laid out by mistral-common as v3, is the
golden of the chat as it was. Chats where that rewriting would change more than this are left out, and so are chats
without a system prompt: those are laid out as v3's.

usage: python magnum.py > ../goldens/magnum/from_v3.jsonl   (reads ../goldens/mistral_common)
"""
import copy
import json
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
GOLDENS = HERE.parent / "goldens" / "mistral_common"


def text_of(content):
    """The text of a content, or None where it holds more than text."""
    if isinstance(content, str):
        return content
    if any(chunk.get("type") != "text" for chunk in content):
        return None
    return "\n\n".join(chunk["text"] for chunk in content if chunk["text"])


def raw_request(line):
    """The request as it is spelled: reading and writing it would change its numbers."""
    start = line.index('"request":') + len('"request":')
    return line[start : json.JSONDecoder().raw_decode(line, start)[1]]


def is_system(message):
    return message["role"] in ("system", "developer")


def rewritten(request):
    """The request with its system prompt in the first user message, or None where that changes more."""
    request = copy.deepcopy(request)
    systems, rest, after_system = [], [], False
    for message in request["messages"]:
        if is_system(message):
            systems.append(message)
            after_system = True
            continue
        if after_system and rest and rest[-1]["role"] == message["role"] and message["role"] != "tool":
            return None  # the system message ended a turn
        after_system = False
        rest.append(message)
    prompt = "\n\n".join(text_of(message["content"]) for message in systems if message["content"])
    if prompt:
        if not rest or rest[0]["role"] != "user":
            rest.insert(0, {"role": "user", "content": ""})
        first = text_of(rest[0]["content"])
        alone = len(rest) < 2 or rest[1]["role"] != "user"
        if first is None or not (first or alone):
            return None
        if any(message["role"] == "user" and text_of(message["content"]) is None for message in rest):
            return None
        rest[0]["content"] = prompt + "\n" + first
    request["messages"] = rest
    return request


def main():
    keep, ask = [], []
    for path in sorted(GOLDENS.glob("*.jsonl")):
        if path.stem in ("instruct", "fim"):
            continue
        for line in path.open():
            golden = json.loads(line)
            if golden["version"] != "v3" or golden.get("kind") == "fim":
                continue
            messages = golden["request"].get("messages") if isinstance(golden["request"], dict) else None
            if "refused" in golden or not any(is_system(message) for message in messages):
                continue  # the tests take it for both layouts as it is
            golden["id"], golden["version"] = golden["id"] + "/magnum", "magnum"
            golden["raw"] = raw_request(line)
            request = rewritten(golden["request"])
            if request is not None:
                ask.append((golden, request))
    lines = "".join(json.dumps({**golden, "version": "v3", "request": request}) + "\n" for golden, request in ask)
    answers = subprocess.run([sys.executable, HERE / "oracle.py"], input=lines, capture_output=True, text=True, check=True)
    for (golden, _), line in zip(ask, answers.stdout.rstrip("\n").split("\n"), strict=True):
        answer = json.loads(line)
        assert "segments" in answer, answer
        golden = {key: value for key, value in golden.items() if key not in ("segments", "string")}
        keep.append({**golden, **{key: answer[key] for key in ("segments", "string") if key in answer}})
    for golden in keep:
        raw, golden["request"] = golden.pop("raw"), "\0"
        spelled = json.dumps(golden, ensure_ascii=False, separators=(",", ":"))
        print(spelled.replace('"\\u0000"', raw, 1))


main()
