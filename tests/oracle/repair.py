#!/usr/bin/env python3
"""Random chats, repaired by the crate, through mistral-common: it must take each, and render it as the crate does.

    repair.py --count 50000 --seed 1 [--binary target/release/examples/render_jsonl]

The chats are those of chats.py, about half of them faulty; a third get what agents' servers do to them besides: call ids
of OpenAI's form and UUIDs, lost results, system messages in the middle, OpenAI's older `function_call`. Each goes through
the binary with `"repair": true`. Of what comes back
    request   is given to the package: it must render it, to the same segments, string and plain text
    request   is given to the binary without `repair`: it must render to the same string
    repairs   must be empty exactly where the binary takes the chat without `repair` and passes nothing over
A chat that cannot be repaired must be one that the package refuses too.

Exit code: 0 when all of this holds, 1 when something does not.
"""
import argparse
import json
import sys
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from random import Random

import chats
from compact import Raw, members, written
from differential import BATCH, Binary, difference, expected_of
from package import Tokens

KEPT = ("id", "version", "mode", "finetuning_messages", "options")


def server_ids(rng, messages):
    """Ids as servers hand them out, the same for a call and its results."""
    new = {}
    shape = rng.choice(["call_{:024x}", "chatcmpl-tool-{:032x}", "{:08x}-4f89-11d3-9a0c-0305e82c3301", "functions.look:{}"])
    for message in messages:
        for call in message.get("tool_calls") or []:
            if "id" in call:
                call["id"] = new.setdefault(call["id"], shape.format(rng.getrandbits(60)))
        if "tool_call_id" in message:
            message["tool_call_id"] = new.get(message["tool_call_id"], message["tool_call_id"])


def legacy(messages):
    """Calls and results in the form of legacy function calling."""
    for message in messages:
        calls = message.get("tool_calls") or []
        if len(calls) == 1:
            message["function_call"] = message.pop("tool_calls")[0]["function"]
            message.setdefault("content", None)
        elif message["role"] == "tool":
            message["role"] = "function"
            message.setdefault("name", "look")
            message.pop("tool_call_id", None)


def damage(rng, fields, request):
    """What happens to a conversation on its way through agents and servers."""
    messages = request["messages"]
    act = rng.choice(["ids", "ids", "lose", "lose", "system", "move", "legacy", "cut"])
    results = [i for i, m in enumerate(messages) if m["role"] == "tool"]
    if act == "ids":
        server_ids(rng, messages)
    elif act == "lose" and results:
        del messages[rng.choice(results)]
    elif act == "system":
        messages.insert(rng.randrange(len(messages) + 1), {"role": "system", "content": "Now be brief."})
    elif act == "move" and results:
        messages.insert(rng.randrange(len(messages)), messages.pop(rng.choice(results)))
    elif act == "legacy":
        fields["kind"] = "openai"
        legacy(messages)
    elif act == "cut" and messages:
        del messages[: rng.randrange(len(messages))]


def random_case(seed, index):
    """A case, as the text of each of its members; none for fill in the middle."""
    parts = members(chats.case(seed, index))
    if parts.get("kind") == '"fim"':
        return None
    rng = Random(f"repair/{seed}/{index}")
    if rng.random() < 0.67:
        return parts
    # Numbers stay in their own spelling.
    request = json.loads(parts["request"], parse_float=Raw, parse_int=Raw, parse_constant=Raw)
    fields = {}
    for _ in range(rng.choice([1, 1, 2, 3])):
        damage(rng, fields, request)
    return {**parts, **{name: json.dumps(value) for name, value in fields.items()}, "request": written(request)}


def line(parts, **more):
    return "{" + ",".join(f'"{name}":{value}' for name, value in {**parts, **more}.items()) + "}"


class Spelled(Binary):
    """The binary, each of whose answers keeps its `request` as it was spelled."""

    def answers(self, lines):
        got = []
        while len(got) < len(lines):
            for text in self._run(lines[len(got) :]):
                answer = json.loads(text)
                got.append({**answer, "request": members(text.decode()).get("request")})
            if len(got) < len(lines):
                got.append(None)
        return got


def told(parts, got, plain, counts):
    """What is wrong with an answer by itself, or None; counts what it tells."""
    if got is None:
        return "died"
    if not got["ok"]:
        counts["not repaired"] += 1
        counts[f"  error {got['kind']}"] += 1
        return "refused" if plain["ok"] or expected_of(line(parts), Tokens.STAND_IN)["ok"] else None
    counts["repaired" if got["repairs"] else "taken as they were"] += 1
    counts.update(f"  {repair['kind']}" for repair in got["repairs"])
    if plain["ok"] and plain.get("ignored"):
        return None  # what is passed over without repair may be read with it
    return "repairs" if bool(got["repairs"]) == plain["ok"] else None


def compare(cases, binary):
    """Cases through the crate and the package -> (counts, what is wrong)."""
    counts, wrong = Counter(), []
    asked = [line(parts, repair="true") for parts in cases]
    answers, plain = binary.answers(asked), binary.answers([line(parts) for parts in cases])
    requests = [
        line({name: parts[name] for name in KEPT if name in parts}, request=got["request"]) if got and got["ok"] else None
        for parts, got in zip(cases, answers)
    ]
    again = iter(binary.answers([request for request in requests if request is not None]))
    for parts, text, got, unrepaired, request in zip(cases, asked, answers, plain, requests):
        counts["cases"] += 1
        what = told(parts, got, unrepaired, counts)
        if request is not None:
            same, expected = next(again), expected_of(request, Tokens.STAND_IN)
            what = what or difference(expected, got)
            if what is None and (same is None or same.get("string") != got["string"]):
                what = "string without repair"
        if what is not None:
            counts[what] += 1
            wrong.append({"what": what, "case": text, "got": got})
    return counts, wrong


def work(job):
    seed, indices, command, timeout = job
    cases = [random_case(seed, index) for index in indices]
    return compare([parts for parts in cases if parts is not None], Spelled(command, timeout))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=10_000)
    parser.add_argument("--seed", default="1")
    parser.add_argument("--binary", default="target/release/examples/render_jsonl")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--timeout", type=float, default=120)
    parser.add_argument("--show", type=int, default=10)
    arguments = parser.parse_args()
    step = min(BATCH, arguments.count)
    starts = range(0, arguments.count, step)
    jobs = [(arguments.seed, range(i, min(i + step, arguments.count)), [arguments.binary], arguments.timeout) for i in starts]
    counts, wrong = Counter(), []
    with ProcessPoolExecutor(arguments.jobs) as pool:
        for more, found in pool.map(work, jobs):
            counts += more
            wrong += found
            print(f"\r{counts['cases']} cases, {len(wrong)} wrong", end="", file=sys.stderr)
    print(file=sys.stderr)
    for one in wrong[: arguments.show]:
        print(json.dumps(one, ensure_ascii=False))
    for name, count in sorted(counts.items(), key=lambda item: (item[0].startswith(" "), -item[1])):
        print(f"{count:8} {name}")
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
