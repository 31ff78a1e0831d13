"""Drives real client libraries against a server of canned answers, and compares what they make of them.

    python tests/clients/run.py                       # serves scenarios.json itself; needs `cargo build --example answer_server`
    python tests/clients/run.py --base-url URL        # any server that takes the models of the scenarios
    python tests/clients/run.py --client openai_python --scenario call

A client is a program that reads jobs, one JSON object a line ({"base_url", "model", "mode", "tools"}), and answers each
with one ({"content", "reasoning", "calls": [{"id", "name", "arguments"}], "finish_reason"}, or {"error"}). A new client is
a program and a line of CLIENTS.
"""

import argparse
import json
import os
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
PYTHON = [sys.executable]

# Each client: the program, the modes that it knows, the ways to tell calls that it takes, and its dialect.
BOTH = ["streamed", "whole"]
CLIENTS = {
    "openai_python": (PYTHON + ["openai_python.py"], ["create", "create_stream", "stream"], BOTH, "openai"),
    "openai_node_4": (["node", "openai_node.mjs", "openai4"], ["create", "create_stream", "stream"], BOTH, "openai"),
    "openai_node_6": (["node", "openai_node.mjs", "openai6"], ["create", "create_stream", "stream"], BOTH, "openai"),
    "openai_node_7": (["node", "openai_node.mjs", "openai7"], ["create", "create_stream", "stream"], BOTH, "openai"),
    "ai_sdk_5": (["node", "ai_sdk.mjs", "ai5", "compatible1"], ["create", "stream"], BOTH, "openai"),
    "ai_sdk_6": (["node", "ai_sdk.mjs", "ai6", "compatible2"], ["create", "stream"], BOTH, "openai"),
    "ai_sdk_7": (["node", "ai_sdk.mjs", "ai7", "compatible3"], ["create", "stream"], BOTH, "openai"),
    "mistralai": (PYTHON + ["mistralai_python.py"], ["create", "stream"], ["whole"], "mistral"),
    "openai_responses": (PYTHON + ["responses_python.py"], ["create", "create_stream", "stream", "round"], BOTH, "responses"),
    "anthropic": (PYTHON + ["anthropic_python.py"], ["create", "create_stream", "stream", "round"], BOTH, "anthropic"),
    "ollama": (PYTHON + ["ollama_python.py"], ["create", "stream", "round"], BOTH, "ollama"),
    "google_genai": (PYTHON + ["genai_python.py"], ["create", "stream", "round", "round_stream"], BOTH, "gemini"),
    "openai_agents": (PYTHON + ["agents_python.py"], ["create", "stream"], BOTH, "openai"),
}

TOOLS = [
    {
        "type": "function",
        "function": {
            "name": "get_tide",
            "description": "The tide of a port",
            "parameters": {
                "type": "object",
                "properties": {"port": {"type": "string"}, "days": {"type": "array", "items": {"type": "number"}}},
            },
        },
    },
    {
        "type": "function",
        "function": {"name": "list_ports", "description": "The ports", "parameters": {"type": "object", "properties": {}}},
    },
]


def jobs(file, options, modes, ways, dialect):
    for scenario in file["scenarios"]:
        if options.scenario and scenario["name"] not in options.scenario:
            continue
        versions = list(file["versions"]) if scenario["versions"] == "*" else scenario["versions"]
        for version in versions:
            for way in ways:
                for mode in modes:
                    model = f"{version}/{scenario['name']}/{way}/{dialect}"
                    yield scenario, {"base_url": options.base_url, "model": model, "mode": mode, "tools": TOOLS}


def faults(expected, answer, client):
    """What is wrong with an answer, as sentences."""
    if "error" in answer:
        yield answer["error"]
        return
    if client == "openai_agents":
        # An agent answers with what it did: it ran the calls, and got a text.
        wanted = [(call["name"], call.get("arguments")) for call in expected.get("calls", [])]
        yield from compare_calls(wanted, answer, expected)
        return
    if (answer.get("content") or "") != expected.get("content", "") and "content" in expected:
        yield f"content {answer.get('content')!r}"
    if "reasoning" in expected and answer.get("reasoning") != expected["reasoning"]:
        yield f"reasoning {answer.get('reasoning')!r}"
    if answer.get("finish_reason") != expected["finish_reason"]:
        yield f"finish_reason {answer.get('finish_reason')!r}"
    if expected["finish_reason"] != "length":
        wanted = [(call["name"], call.get("arguments")) for call in expected.get("calls", [])]
        yield from compare_calls(wanted, answer, expected)


def compare_calls(wanted, answer, expected):
    calls = answer.get("calls") or []
    if expected["finish_reason"] == "length":
        return
    if [call["name"] for call in calls] != [name for name, _ in wanted]:
        yield f"calls {calls!r}"
        return
    ids = [call.get("id") for call in calls]
    if not all(ids) or len(set(ids)) != len(ids):
        yield f"ids {ids!r}"
    for call, (_, arguments) in zip(calls, wanted):
        try:
            given = json.loads(call["arguments"])
        except (TypeError, ValueError):
            yield f"arguments {call['arguments']!r}"
            continue
        if arguments is not None and given != arguments:
            yield f"arguments {call['arguments']!r}"


def drive(name, file, options):
    command, modes, ways, dialect = CLIENTS[name]
    asked = list(jobs(file, options, modes, ways, dialect))
    lines = "".join(json.dumps(job) + "\n" for _, job in asked)
    done = subprocess.run(command, input=lines, capture_output=True, text=True, cwd=HERE, timeout=600)
    answers = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    wrong = 0
    if len(answers) != len(asked):
        print(f"{name}: {len(answers)} answers to {len(asked)} jobs\n{done.stderr[-4000:]}")
        wrong += 1
    for (scenario, job), answer in zip(asked, answers):
        for fault in faults(scenario["expect"], answer, name):
            wrong += 1
            print(f"{name} {job['mode']} {job['model']}: {str(fault)[:500]}")
    print(f"{name}: {len(asked)} answers, {wrong} faults")
    return wrong


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--base-url", help="of a running server, up to /v1; without it, one is started")
    parser.add_argument("--scenarios", type=Path, default=HERE / "scenarios.json")
    parser.add_argument("--client", action="append", choices=CLIENTS)
    parser.add_argument("--scenario", action="append")
    parser.add_argument("--binary", default=HERE.parents[1] / "target/debug/examples/answer_server", type=Path)
    options = parser.parse_args()
    file = json.loads(options.scenarios.read_text())
    server = None
    if not options.base_url:
        command = [options.binary, options.scenarios, "127.0.0.1:0"]
        server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        options.base_url = f"http://{server.stdout.readline().strip()}/v1"
    started = time.time()
    try:
        wrong = sum(drive(name, file, options) for name in options.client or CLIENTS)
    finally:
        if server:
            server.terminate()
    print(f"{wrong} faults, {time.time() - started:.0f} s")
    sys.exit(bool(wrong))


if __name__ == "__main__":
    os.environ.setdefault("OPENAI_AGENTS_DISABLE_TRACING", "1")
    main()
