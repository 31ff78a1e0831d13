#!/usr/bin/env python3
"""Holds what the lint says of real templates against what the engines do with them.

    cargo build --release --example which_layout      (the packages are those of constructs.py)
    HF_JINJA=node_modules/@huggingface/jinja lints.py FOLDER target/release/examples/which_layout
        [--engine NAME]… [--show N] [--table]

FOLDER holds templates, `*.jinja`. Each is rendered by each engine with the chats of `src/template/lint/chats.jsonl` that
transformers renders. An engine *fails* where it refuses one of them, and *differs* where it prints another prompt. For each
engine and each of the two: in how many templates the lint says so and it is so (agree), the lint says so and it is not
(false alarm), it is so and the lint does not say it (missed). What the lint finds in a line that no chat meets is not counted. Whether a prompt differs is not seen where an engine
refuses all chats.
With `--table`, prints what the templates use of the table of constructs.
"""
import argparse
import json
import re
import subprocess
from collections import Counter, defaultdict
from pathlib import Path

from engines import ENGINES, Refused, Transformers

CHATS = Path(__file__).parent.parent.parent / "src" / "template" / "lint" / "chats.jsonl"
OTHERS = ["hf-jinja", "llama.cpp", "minijinja", "jinja2"]
NOW = 1_735_689_600


def requests():
    for line in CHATS.read_text(encoding="utf-8").splitlines():
        chat = json.loads(line)
        given = {"add_generation_prompt": chat["add_generation_prompt"], "documents": None, **chat.get("variables", {})}
        yield chat["name"], {"messages": chat["messages"], "tools": chat.get("tools"), "variables": given}


def as_transformers_gives_them(messages):
    """The messages that transformers gives a template, whichever engine runs it."""
    from transformers.utils import chat_template_utils as utils

    messages = utils._normalize_chat_messages(messages) if hasattr(utils, "_normalize_chat_messages") else messages
    return utils._alias_reasoning_fields(utils._plain_template_data(messages))


def past_the_server(template, request):
    """The chat in variables of other names, so that llama.cpp's server does not change it before the engine sees it."""
    # The server gives these a value of its own.
    own = {name: f"sent_{name}" for name in ("add_generation_prompt", "enable_thinking")}
    for name, other in own.items():
        template = re.sub(rf"(?<![.\w'\"]){name}\b", other, template)
    template = (
        "{%- if sent_messages is defined -%}{%- set messages = sent_messages -%}{%- set tools = sent_tools -%}"
        + template
        + "{%- else -%}{{- messages[0].content -}}{%- endif -%}"
    )
    variables = {own.get(name, name): value for name, value in request["variables"].items()}
    variables |= {"sent_messages": request["messages"], "sent_tools": request["tools"]}
    variables |= {"bos_token": "<s>", "eos_token": "</s>"}
    return template, {"messages": [{"role": "user", "content": "x"}], "variables": variables}


def outcome(name, engine, template, request):
    try:
        if name == "llama.cpp":
            return engine.render(*past_the_server(template, request)).removeprefix("<s>")
        return engine.render(template, request)
    except Refused as refused:
        return ["refused", str(refused)]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("program")
    parser.add_argument("--show", type=int, default=0)
    parser.add_argument("--template", default="")
    parser.add_argument("--engine", action="append")
    parser.add_argument("--table", action="store_true")
    options = parser.parse_args()
    uses = defaultdict(lambda: defaultdict(set))
    counts, shown, unmet = defaultdict(Counter), Counter(), Counter()
    reference = Transformers()
    engines = {name: ENGINES[name]() for name in options.engine or OTHERS}
    paths = [path for path in sorted(options.folder.glob("*.jinja")) if options.template in path.name]
    for path in paths:
        template = path.read_bytes().decode()
        run = subprocess.run([options.program, "--json", "--lint", "--now", str(NOW), path], capture_output=True)
        if run.returncode:
            print(path.name, run.stderr.decode()[:200])
            continue
        said = defaultdict(list)
        for lint in json.loads(run.stdout):
            for engine in lint.get("engines", []):
                if not lint["met"]:
                    unmet[engine] += 1
                    continue
                kind = "differs" if lint["kind"] == "differs" else "fails"
                said[engine, kind].append(lint)
                uses[lint["construct"]][engine, lint["kind"]].add(path.name)
        chats = []
        for name, request in requests():
            request["messages"] = as_transformers_gives_them(request["messages"])
            want = outcome("transformers", reference, template, request)
            if isinstance(want, str):
                chats.append((name, request, want))
        for name, engine in engines.items():
            results = [(chat, outcome(name, engine, template, request), want) for chat, request, want in chats]
            if name == "llama.cpp":
                results = [(chat, got, want.removeprefix("<s>")) for chat, got, want in results]
            for kind in ("fails", "differs"):
                is_so = [
                    (chat, got, want)
                    for chat, got, want in results
                    if (isinstance(got, list) if kind == "fails" else isinstance(got, str) and got != want)
                ]
                said_so = said[name, kind]
                if kind == "differs" and all(isinstance(got, list) for _, got, _ in results):
                    counts[name, kind]["not seen"] += 1
                    continue
                verdict = {(True, True): "agree", (True, False): "false alarm", (False, True): "missed"}.get(
                    (bool(said_so), bool(is_so)), "neither"
                )
                counts[name, kind][verdict] += 1
                if verdict in ("false alarm", "missed") and shown[name, kind, verdict] < options.show:
                    shown[name, kind, verdict] += 1
                    print(f"{name} {kind}: {verdict}: {path.name}")
                    for lint in said_so[:3]:
                        print("   says", lint["line"], lint["sentence"][:300])
                    for chat, got, want in is_so[:1]:
                        if isinstance(got, list):
                            print("   does", chat, got[1][-300:])
                        else:
                            at = next((at for at, pair in enumerate(zip(got, want)) if pair[0] != pair[1]), min(len(got), len(want)))
                            print("   does", chat, repr(got[max(at - 40, 0) : at + 40]), "want", repr(want[max(at - 40, 0) : at + 40]))
    columns = ("agree", "false alarm", "missed", "neither", "not seen")
    print(f"| engine | what | {' | '.join(columns)} |\n| --- | --- |{' --- |' * len(columns)}")
    for (name, kind), counter in counts.items():
        print(f"| {name} | {kind} | " + " | ".join(str(counter[of]) for of in columns) + " |")
    print("in lines that no chat meets:", dict(unmet))
    if options.table:
        table(uses)


def table(uses):
    """What the templates use, with the number of templates that meet it, those first that most meet."""
    print("| construct | " + " | ".join(OTHERS) + " |\n| --- |" + " --- |" * len(OTHERS))
    words = {"fails_to_load": "not loaded", "fails": "fails", "differs": "differs"}
    total = lambda use: -len(set().union(*use[1].values()))
    for construct, use in sorted(uses.items(), key=total):
        cells = []
        for engine in OTHERS:
            found = [f"{word} {len(use[engine, kind])}" for kind, word in words.items() if use.get((engine, kind))]
            cells.append(", ".join(found))
        shown = construct.replace("|", "\\|")
        print(f"| `{shown}` | " + " | ".join(cells) + " |")


if __name__ == "__main__":
    main()
