"""Long conversations with `examples/server` through OpenAI's or Mistral's client: what each turn keeps.

    cargo build --release --manifest-path examples/server/Cargo.toml
    python tests/clients/conversations.py                         # 8 conversations of 200 turns
    python tests/clients/conversations.py --fit 8192              # shortened where they pass 8,192 tokens
    python tests/clients/conversations.py --client mistralai --turns 20 --base-url http://127.0.0.1:8080/v1

Every conversation sends all of itself with each turn, as clients do, and every fifth turn calls a tool. A line a turn
goes to --lines: ids of the prompt, those in the model's cache, those encoded for the turn, milliseconds from the chat to
its ids. At the end comes a table, and the exit code is 1 where a request failed or a reply did not stay as it was sampled.
"""

import argparse
import json
import subprocess
import sys
import threading
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LAYOUTS = ["v3-tekken", "v7-tekken", "v11", "v13"]
SHOWN = [1, 2, 10, 50, 100, 150, 200]
TOOL = {
    "type": "function",
    "function": {
        "name": "get_tide",
        "description": "The tide of a port",
        "strict": True,
        "parameters": {
            "type": "object",
            "properties": {"port": {"enum": ["Brest", "Calais"]}, "days": {"type": "integer", "minimum": 1, "maximum": 9}},
            "required": ["port", "days"],
            "additionalProperties": False,
        },
    },
}


def openai_client(url):
    from openai import OpenAI

    client = OpenAI(base_url=url, api_key="none", max_retries=0)
    ask = client.chat.completions.create
    return lambda **asked: ask(**asked)


def mistral_client(url):
    try:
        from mistralai import Mistral
    except ImportError:
        from mistralai.client import Mistral
    client = Mistral(api_key="none", server_url=url.removesuffix("/v1"))

    def ask(seed, **asked):
        return client.chat.complete(random_seed=seed, **asked)

    return ask


CLIENTS = {"openai": openai_client, "mistralai": mistral_client}


def sent_back(message):
    """The reply as a client keeps it."""
    kept = {"role": "assistant", "content": message.content or ""}
    if message.tool_calls:
        kept["tool_calls"] = [
            {"id": call.id, "type": "function", "function": {"name": call.function.name, "arguments": call.function.arguments}}
            for call in message.tool_calls
        ]
    return kept


def converse(ask, layout, number, options, lines):
    messages = [{"role": "system", "content": f"You know the tides. This is conversation {number}."}]
    for turn in range(1, options.turns + 1):
        messages.append({"role": "user", "content": f"Question {turn}: how high is the water in Brest, and when?"})
        calls = turn % 5 == 0
        # The tools are there from the first turn on, so that the prompt goes on.
        choice = {"type": "function", "function": {"name": "get_tide"}} if calls else "none"
        while True:
            limit = options.tokens if choice == "none" else 64
            answer = ask(
                model=layout, messages=messages, tools=[TOOL], tool_choice=choice, max_tokens=limit, seed=number * 1000 + turn
            )
            usage = json.loads(answer.usage.model_dump_json())
            details = usage["prompt_tokens_details"]
            message = answer.choices[0].message
            lines.append({
                "layout": layout, "conversation": number, "turn": turn, "prompt": usage["prompt_tokens"],
                "answer": usage["completion_tokens"], "cached": details["cached_tokens"],
                "encoded": details["encoded_tokens"], "prepared_ms": details["prepared_ms"],
            })
            messages.append(sent_back(message))
            if not message.tool_calls:
                break
            messages += [
                {"role": "tool", "tool_call_id": call.id, "name": call.function.name, "content": '{"high": "06:12"}'}
                for call in message.tool_calls
            ]
            choice = "none"


def table(lines):
    for layout in LAYOUTS:
        of_layout = [line for line in lines if line["layout"] == layout]
        if not of_layout:
            continue
        reached = max(line["turn"] for line in of_layout)
        for turn in [turn for turn in SHOWN if turn <= reached]:
            line = next(line for line in of_layout if line["turn"] == turn)
            print(f"{layout:10} {turn:4} {line['prompt']:7} {line['cached']:7} {line['encoded']:7} {line['prepared_ms']:7.2f}")
        later = [line for line in of_layout if line["turn"] > 1]
        if not later:
            continue
        share = {name: sum(line[name] for line in later) / sum(line["prompt"] for line in later) for name in ["cached", "encoded"]}
        print(f"{layout:10}  all: {share['cached']:.1%} of the prompts' ids were cached, {share['encoded']:.1%} encoded")


def parted(lines, append_only=("v13",)):
    """Requests whose prompt does not go on from the ids of the one before and its reply, where no layout moves the tools."""
    for layout in append_only:
        for number in {line["conversation"] for line in lines if line["layout"] == layout}:
            of_one = [line for line in lines if line["layout"] == layout and line["conversation"] == number]
            for before, now in zip(of_one, of_one[1:]):
                # The id that was sampled last was not read.
                if now["cached"] < before["prompt"] + before["answer"] - 1:
                    yield before, now


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--base-url", help="of a running server, up to /v1; without it, one is started")
    parser.add_argument("--binary", type=Path, default=ROOT / "examples/server/target/release/server")
    parser.add_argument("--client", choices=CLIENTS, default="openai")
    parser.add_argument("--conversations", type=int, default=8)
    parser.add_argument("--turns", type=int, default=200)
    parser.add_argument("--tokens", type=int, default=24, help="how many a reply may have")
    parser.add_argument("--lines", type=Path)
    parser.add_argument("--fit", type=int, metavar="CONTEXT", help="start the server with this context and --fit 0.5")
    options = parser.parse_args()
    server = None
    if not options.base_url:
        fit = ["--context", str(options.fit), "--fit", "0.5", "--answer", "64"] if options.fit else []
        command = [options.binary, "--port", "0", "--conversations", "64", *fit]
        server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        options.base_url = server.stdout.readline().strip() + "/v1"
    lines, failed, started = [], [], time.time()

    def work(number):
        try:
            layout = LAYOUTS[number % len(LAYOUTS)]
            converse(CLIENTS[options.client](options.base_url), layout, number, options, lines)
        except Exception as error:  # whatever a client raises is the finding
            failed.append(f"conversation {number}: {type(error).__name__}: {error}")

    try:
        threads = [threading.Thread(target=work, args=[number]) for number in range(options.conversations)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        if server:
            server.terminate()
    if options.lines:
        options.lines.write_text("".join(json.dumps(line) + "\n" for line in lines))
    print(f"{'layout':10} {'turn':>4} {'prompt':>7} {'cached':>7} {'encoded':>7} {'ms':>7}")
    table(lines)
    # A cut that moves parts a conversation as well.
    apart = [] if options.fit else list(parted(lines))
    for before, now in apart[:5]:
        print("parted:", before, now)
    print(*failed, sep="\n", end="\n" if failed else "")
    count, ended = len(lines), time.time() - started
    print(f"{count} requests of {options.client}, {len(failed)} failed, {len(apart)} parted, {ended:.0f} s")
    sys.exit(bool(failed or apart))


if __name__ == "__main__":
    main()
