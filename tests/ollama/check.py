"""Checks the Modelfiles that write_preset writes: Go's text/template renders them as the layouts do.

    cargo build --example write_preset --example render_jsonl
    python3 tests/ollama/check.py

Needs Go 1.19 or newer, and no network. Ollama writes JSON without spaces, so spaces are left out of tools and arguments
before prompts are compared.
"""

import json
import pathlib
import subprocess

HERE = pathlib.Path(__file__).parent
EXAMPLES = HERE.parent.parent / "target" / "debug" / "examples"
LAYOUTS = "magnum v1 v1-tekken v2 v3 v3-tekken v7 v7-tekken v11 v13".split()
TOOL = {"type": "function", "function": {"name": "f", "description": "d", "parameters": {"type": "object", "properties": {}}}}


def chats(with_tools):
    system = {"role": "system", "content": "Be [INST] kind."}
    user, reply, last = ({"role": "user", "content": "Hi "}, {"role": "assistant", "content": "Hello"}, {"role": "user", "content": "Bye\n"})
    yield [user], None
    yield [system, user], None
    yield [user, reply, last], None
    yield [system, user, reply, last], None
    if with_tools:
        call = {"id": "abcdefghi", "type": "function", "function": {"name": "f", "arguments": "{\"a\":1}"}}
        turn = [{"role": "assistant", "content": "", "tool_calls": [call]}, {"role": "tool", "name": "f", "tool_call_id": "abcdefghi", "content": "7"}]
        yield [user], [TOOL]
        yield [system, user, *turn, reply, last], [TOOL]
        yield [user, *turn], [TOOL]


def for_go(message):
    calls = [
        {"ID": call["id"], "Function": {"Name": call["function"]["name"], "Arguments": json.loads(call["function"]["arguments"])}}
        for call in message.get("tool_calls", [])
    ]
    return {
        "Role": message["role"], "Content": message.get("content") or "", "ToolName": message.get("name", ""),
        "ToolCallID": message.get("tool_call_id", ""), "ToolCalls": calls,
    }


def piped(command, lines):
    text = "".join(json.dumps(line) + "\n" for line in lines)
    done = subprocess.run(command, input=text, capture_output=True, text=True, check=True)
    return [json.loads(line) for line in done.stdout.splitlines()]


def main():
    asked, rendered = [], []
    for layout in LAYOUTS:
        modelfile = subprocess.run([EXAMPLES / "write_preset", layout, "--for", "ollama"], capture_output=True, text=True, check=True)
        template = modelfile.stdout.split('TEMPLATE """', 1)[1].rsplit('"""', 1)[0]
        for messages, tools in chats(layout not in ("magnum", "v1", "v1-tekken")):
            request = {"messages": messages, **({"tools": tools} if tools else {})}
            rendered.append({"id": layout, "version": layout, "kind": "openai", "request": request})
            asked.append({"Template": template, "Messages": [for_go(message) for message in messages], "Tools": tools})
    ours = piped([EXAMPLES / "render_jsonl"], rendered)
    theirs = piped(["go", "run", str(HERE / "main.go")], asked)
    wrong = refused = 0
    for line, our, their in zip(rendered, ours, theirs):
        if not our["ok"]:
            refused += 1
            continue
        expected = our["string"].removeprefix("<s>")
        loose = lambda text: text.replace(" ", "") if line["request"].get("tools") else text
        if "error" in their or loose(their["prompt"]) != loose(expected):
            wrong += 1
            print(line["id"], json.dumps(line["request"]), "\n  layout", repr(expected), "\n  ollama", their)
    print(f"{len(ours)} chats: {wrong} differ, {refused} that the layout itself refuses")
    raise SystemExit(wrong > 0)


main()
