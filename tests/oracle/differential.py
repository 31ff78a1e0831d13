#!/usr/bin/env python3
"""Random chats through mistral-common and through the crate, compared.

    differential.py --count 200000 --seed 1 [--binary target/release/examples/render_jsonl]
    differential.py --only 1/4711 [--shrink]       one case again, by its id
    differential.py --self-test                    this program against itself, with planted faults

The binary reads cases as JSON lines and answers each with one JSON line (`ok`, then `segments`, `string` and `plain`,
or `family`). A difference is one of
    died       the binary ended, or hung, on this case
    refused    the package renders it and the binary refuses it
    accepted   the package refuses it and the binary renders it
    segments   string   plain      both render it, not alike
    family     both refuse it, for reasons of another family
A chat with two faults is not one of them when each names one of the two: without the fault that the package names, it
names the binary's.
Texts are not tokenized and media not read, unless --real-tokens asks for the texts (see package.py); the segments do
not depend on it. Not compared: chats that the package refuses only for a field that it does not know.

Exit code: 0 when nothing differs, 1 when something does.
"""
import argparse
import json
import subprocess
import sys
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import chats
from compact import Raw, dumps, plain_of, written
from oracle import answer
from package import Tokens

BATCH = 2000
SEGMENT_KINDS = ("control", "text", "media")
UNKNOWN_FIELD = "Extra inputs are not permitted"


def expected_of(line, tokens):
    """What the package answers, in the binary's terms."""
    result = answer(json.loads(line), tokens)
    if "refused" in result:
        return {"ok": False, **result["refused"]}
    plain = plain_of(result["segments"])
    return {"ok": True, "segments": result["segments"], "string": result.get("string", plain), "plain": plain}


def difference(expected, got):
    """The kind of the first difference, or None."""
    if got is None:
        return "died"
    if expected["ok"] != got.get("ok"):
        return "refused" if expected["ok"] else "accepted"
    if not expected["ok"]:
        return None if got.get("family") == expected["family"] else "family"
    segments = [{k: s[k] for k in SEGMENT_KINDS if k in s} for s in got.get("segments", [])]
    for what, mine in (("segments", segments), ("string", got.get("string")), ("plain", got.get("plain"))):
        if mine != expected[what]:
            return what
    return None


def not_compared(expected):
    """Whether the package refuses a chat only for fields that it does not know."""
    if expected["ok"] or expected["family"] != "ValidationError":
        return False
    faults = [part for part in expected["error"].split("\n") if "[type=" in part]
    return bool(faults) and all(UNKNOWN_FIELD in fault for fault in faults)


class Binary:
    """The crate's program, started once per batch."""

    def __init__(self, command, timeout):
        self.command, self.timeout = command, timeout

    def answers(self, lines):
        """One answer per line; None where the program ended or hung."""
        got = []
        while len(got) < len(lines):
            got += [json.loads(line) for line in self._run(lines[len(got) :])]
            if len(got) < len(lines):
                got.append(None)
        return got

    def _run(self, lines):
        errors = None if len(lines) == 1 else subprocess.DEVNULL
        process = subprocess.Popen(self.command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors)
        try:
            out, _ = process.communicate("".join(line + "\n" for line in lines).encode(), timeout=self.timeout)
        except subprocess.TimeoutExpired:
            process.kill()
            out, _ = process.communicate()
        return out.split(b"\n")[:-1]


def compare(lines, binary, tokens):
    """Cases through both -> (counts, differences)."""
    counts, found = Counter(), []
    expectations = [expected_of(line, tokens) for line in lines]
    for line, expected, got in zip(lines, expectations, binary.answers(lines)):
        counts["cases"] += 1
        if got is not None and got.get("id") != json.loads(line)["id"]:
            raise ValueError(f"the answers are out of step at {line}")
        if not_compared(expected):
            counts["not compared"] += 1
            continue
        what = difference(expected, got)
        if got is not None and expected["ok"] == got["ok"]:
            counts["ok both" if expected["ok"] else "refused both"] += 1
        if what is not None:
            counts[what] += 1
            found.append({"what": what, "case": line, "expected": expected, "got": got})
    return counts, found


def work(job):
    seed, indices, command, timeout, tokens = job
    lines = [chats.case(seed, index) for index in indices]
    return compare(lines, Binary(command, timeout), tokens)


def run(arguments, command, indices):
    """Every case of the seed, over several processes."""
    jobs = [
        (arguments.seed, indices[i : i + BATCH], command, arguments.timeout, arguments.tokens)
        for i in range(0, len(indices), BATCH)
    ]
    counts, found, start = Counter(), [], time.monotonic()
    with ProcessPoolExecutor(arguments.jobs) as pool:
        for more, differences in pool.map(work, jobs):
            counts += more
            found += differences
            print(f"\r{counts['cases']} cases, {len(found)} differences", end="", file=sys.stderr)
    seconds = time.monotonic() - start
    print(f"\r{counts['cases'] / seconds:.0f} cases a second, {seconds:.0f} s" + " " * 20, file=sys.stderr)
    return counts, found


KEPT = ("id", "version", "kind", "request", "messages", "role")


def smaller(value):
    """Every JSON value that has one thing less than this one."""
    if isinstance(value, list):
        for i in range(len(value)):
            yield value[:i] + value[i + 1 :]
        for i, item in enumerate(value):
            yield from (value[:i] + [less] + value[i + 1 :] for less in smaller(item))
    elif isinstance(value, dict):
        for key in value:
            if key not in KEPT:
                yield {k: v for k, v in value.items() if k != key}
        for key, item in value.items():
            if key not in ("id", "version", "kind", "role"):
                yield from ({**value, key: less} for less in smaller(item))
    elif isinstance(value, str) and not isinstance(value, Raw) and len(value) > 1:
        yield "a"
        yield value[: len(value) // 2]
        yield value[len(value) // 2 :]


def shrink(found, binary, tokens):
    """The smallest case, one step at a time, in which the same thing differs in the same way."""

    def again(case):
        line = written(case)
        expected = expected_of(line, tokens)
        got, = binary.answers([line])
        return {"what": difference(expected, got), "case": line, "expected": expected, "got": got}

    def same(other):
        families = [(d["expected"].get("family"), (d["got"] or {}).get("family")) for d in (found, other)]
        return other["what"] == found["what"] and families[0] == families[1] and not not_compared(other["expected"])

    case = json.loads(found["case"], parse_float=Raw, parse_int=Raw)  # numbers keep their spelling
    if not same(again(case)):
        return found
    while True:
        step = next((less for less in smaller(case) if same(again(less))), None)
        if step is None:
            return again(case)
        case = step


def has_both_faults(found, binary, tokens):
    """Whether a chat that both refuse has the fault that the binary names: with one thing less, the package names it."""
    case = json.loads(found["case"], parse_float=Raw, parse_int=Raw)
    for less in smaller(case["request"]):
        line = written({**case, "request": less})
        expected = expected_of(line, tokens)
        if not expected["ok"] and expected["family"] == found["got"]["family"]:
            got, = binary.answers([line])
            if difference(expected, got) is None:
                return True
    return False


def set_apart(counts, found, binary, tokens):
    """The differences that are faults of somebody, counted; the others are counted as chats with two faults."""
    left = []
    for one in found:
        # A fault may stand twice: the smallest such chat has it once.
        if one["what"] == "family" and has_both_faults(shrink(one, binary, tokens), binary, tokens):
            counts["family"] -= 1
            counts["two faults"] += 1
        else:
            left.append(one)
    return left


def report(counts, found, arguments, binary):
    """Differences as JSON lines, then the summary."""
    for one in found[: arguments.show]:
        print(dumps(shrink(one, binary, arguments.tokens) if arguments.shrink else one))
    if arguments.out:
        Path(arguments.out).write_text("".join(dumps(one) + "\n" for one in found), encoding="utf-8")
    refused = counts["refused both"]
    print(f"{counts['cases']} cases: {counts['ok both']} rendered by both, {refused} refused by both "
          f"({counts['two faults']} of them have two faults, of which each names another), "
          f"{counts['not compared']} not compared")
    for what in ("died", "refused", "accepted", "segments", "string", "plain", "family"):
        print(f"{counts[what]:8} {what}")
    families = Counter((d["expected"]["family"], d["got"]["family"]) for d in found if d["what"] == "family")
    for (theirs, ours), count in families.most_common(12):
        print(f"{count:8} family {theirs}, got {ours}")
    labels = Counter(json.loads(d["case"])["version"] for d in found)
    print("by layout:", ", ".join(f"{label} {count}" for label, count in labels.most_common()) or "none")


# --- the self-test: this program plays the binary

PLANTED = {0: "string", 1: "plain", 2: "flip", 3: "segments", 4: "family", 5: "die"}


def play(faults, tokens):
    """Answers as the binary would; with `faults`, some answers are wrong on purpose."""
    for line in sys.stdin.buffer:
        case_id = json.loads(line)["id"]
        fault = PLANTED.get(int(case_id.split("/")[-1]) % 500) if faults else None
        got = {"id": case_id, **expected_of(line.decode(), tokens)}
        if fault == "die":
            sys.exit(1)
        if fault == "flip":
            got = {"id": case_id, "ok": True, "segments": [], "string": "", "plain": ""} if not got["ok"] else {
                "id": case_id, "ok": False, "family": "None"}
        elif fault in got:
            got[fault] = got[fault][:-1] if isinstance(got[fault], list) else got[fault] + "!"
        sys.stdout.write(dumps(got) + "\n")
        sys.stdout.flush()


def self_test(arguments):
    """Without faults nothing may differ; with faults exactly the planted ones may."""
    command = [sys.executable, __file__, "--answer"] + (["--real-tokens"] if arguments.real_tokens else [])
    indices = range(arguments.count)
    _, found = run(arguments, command, indices)
    if found:
        sys.exit(f"{len(found)} differences against itself: {dumps(found[0])}")
    counts, found = run(arguments, command + ["--faults"], indices)
    named = {json.loads(d["case"])["id"]: d["what"] for d in found}
    for index in indices:
        line = chats.case(arguments.seed, index)
        expected = expected_of(line, arguments.tokens)
        fault = PLANTED.get(index % 500)
        if fault == "flip":
            fault = "refused" if expected["ok"] else "accepted"
        elif fault == "die":
            fault = "died"
        elif fault is not None and fault not in expected:
            fault = None
        if not_compared(expected):
            fault = None
        if named.get(f"{arguments.seed}/{index}") != fault:
            sys.exit(f"{line}: planted {fault}, found {named.get(f'{arguments.seed}/{index}')}")
    print(f"{arguments.count} cases: none differs from itself, and all {len(found)} planted faults were found: {dict(counts)}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=10_000)
    parser.add_argument("--seed", default="1")
    parser.add_argument("--start", type=int, default=0, help="the first case's number")
    parser.add_argument("--only", metavar="SEED/NUMBER", help="one case, by its id")
    parser.add_argument("--binary", default="target/release/examples/render_jsonl")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--timeout", type=float, default=120, help="seconds for a batch before the binary has hung")
    parser.add_argument("--show", type=int, default=20, help="how many differences to print")
    parser.add_argument("--out", help="a file for all of them")
    parser.add_argument("--shrink", action="store_true", help="make the printed ones as small as possible")
    parser.add_argument("--real-tokens", action="store_true")
    parser.add_argument("--self-test", action="store_true")
    parser.add_argument("--answer", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--faults", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    arguments.tokens = Tokens.TEXT if arguments.real_tokens else Tokens.STAND_IN
    if arguments.answer:
        return play(arguments.faults, arguments.tokens)
    if arguments.self_test:
        return self_test(arguments)
    binary = Binary([arguments.binary], arguments.timeout)
    if arguments.only:
        seed, index = arguments.only.rsplit("/", 1)
        arguments.seed = seed
        counts, found = compare([chats.case(seed, int(index))], binary, arguments.tokens)
    else:
        counts, found = run(arguments, binary.command, range(arguments.start, arguments.start + arguments.count))
    found = set_apart(counts, found, binary, arguments.tokens)
    report(counts, found, arguments, binary)
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    main()
