#!/usr/bin/env python3
"""Renders the templates that are written for the layouts in every engine, against the layouts' goldens.

    npm install @huggingface/jinja@0.5.11
    pip install transformers==5.24.0 jinja2==3.1.6 minijinja==3.1.0 xllamacpp==2026.10.11549 gguf==0.19.0
    cargo build --example write_template --example render_jsonl
    HF_JINJA=node_modules/@huggingface/jinja templates_written.py target/debug/examples [--official FOLDER]
        [--engine NAME]… [--table]

FOLDER holds the templates that mistral-common generates; they are rendered beside ours. Prints, for each layout and
engine, how many goldens come out equal, how many wrong and how many are refused, and what is left out by kind. With
`--table` as Markdown. The exit code is 1 where one of ours is wrong or refused that is not left out.
"""
import argparse
import json
import subprocess
import sys
from collections import Counter, defaultdict
from functools import lru_cache
from pathlib import Path

from engines import ENGINES, Ours, OwnFault, Refused

GOLDENS = Path(__file__).parent.parent / "goldens" / "mistral_common"
DEFAULT_BUILDER = {
    "reasoning_effort": {"type": "enum", "accepts_none": True, "default": "none", "values": ["none", "high"]},
    "json_schema": None,
}


def printed(golden):
    if "string" in golden:
        return golden["string"]
    media = {"image": "[IMG]", "audio": "[AUDIO]"}
    part = lambda segment: segment.get("control") or segment.get("text") or media[segment["media"]]
    return "".join(part(segment) for segment in golden["segments"])


def pythonic(text):
    try:
        return text == json.dumps(json.loads(text), ensure_ascii=False)
    except ValueError:
        return False


def is_json(text):
    try:
        json.loads(text)
        return True
    except ValueError:
        return False


def is_continued(golden):
    own = golden["request"]["messages"][-1].get("prefix") and golden.get("kind") != "openai"
    return bool(own or golden["request"].get("continue_final_message"))


def inexpressible(golden):
    """The kind of what Jinja cannot say of a chat, or None."""
    messages = golden["request"]["messages"]
    if golden.get("options", {}).get("settings_builder", DEFAULT_BUILDER) != DEFAULT_BUILDER:
        return "settings of another tokenizer file"
    for message in messages:
        if "weight" in message and golden.get("finetuning_messages"):
            return "weights, which part turns"
        if any(id_.endswith("\n") for id_ in texts_of(message)):
            return "a newline at the end of a name or an id, which Python lets through"
        for call in message.get("tool_calls") or []:
            arguments = call["function"]["arguments"]
            if isinstance(arguments, str) and arguments != "" and not pythonic(arguments):
                return "arguments sent as text that is not JSON as Python writes it"
            if message is messages[-1] and call.get("id", "null") == "null":
                return "calls without an id in the last message, for fine-tuning"
        if message["role"] == "tool" and golden["version"][:2] in ("v2", "v3"):
            content = message["content"]
            if not isinstance(content, str):
                content = "\n\n".join(chunk["text"] for chunk in content if chunk["text"])
            looks = content.lstrip()[:1] in ("{", "[", '"') or is_json(content)
            if content and looks and not pythonic(content):
                return "results of v2 and v3 that look like JSON and are not JSON as Python writes it"
    last = messages[-1]
    if is_continued(golden):
        content = last.get("content")
        if not isinstance(content, str) or content != content.rstrip() or not content or last.get("tool_calls"):
            return "a message to be continued that ends with calls, thinking or white space"
    return None


def texts_of(message):
    yield message.get("tool_call_id") or ""
    for call in message.get("tool_calls") or []:
        yield call.get("id") or ""
        yield call["function"]["name"]


def numbers_of(value):
    """Every number of a value, and the keys that look like one."""
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        yield value
    elif isinstance(value, list):
        for item in value:
            yield from numbers_of(item)
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from [key] if key.isdigit() else []
            yield from numbers_of(item)


def is_plain(number):
    """Does every engine write the number as Python does?"""
    return isinstance(number, (int, str)) or not any(letter in repr(number) for letter in "enf")


def is_kept_by_javascript(number):
    """Is the number one that JavaScript's own JSON keeps, and no key that it sorts first?"""
    if isinstance(number, int):
        return abs(number) < 2**53
    return not isinstance(number, str) and is_plain(number) and not number.is_integer()


def is_kept_by_llama_cpp(number):
    """Does llama.cpp write the number as Python does?"""
    if isinstance(number, int):
        return abs(number) < 2**63
    return isinstance(number, str) or is_plain(number) and not number.is_integer()


def lost_before(engine, golden, request):
    """What an engine, or the program around it, never shows a template; or None."""
    if engine not in ("transformers", "ours") and is_continued(golden):
        return "a message to be continued"
    if engine == "hf-jinja" and not all(map(is_kept_by_javascript, numbers_of(request))):
        return "numbers and orders of keys that JavaScript's JSON does not keep"
    if engine == "minijinja" and not all(map(is_plain, numbers_of(request))):
        return "floats that Python writes with an exponent, or not finite"
    if engine == "llama.cpp":
        if not all(map(is_kept_by_llama_cpp, numbers_of(request))):
            return "numbers that llama.cpp's JSON does not keep"
        if request["messages"][-1]["role"] == "assistant":
            return "a reply at the end, which llama.cpp continues"
        for message in request["messages"]:
            if message.get("reasoning") is not None or message.get("reasoning_content") == "":
                return "a field `reasoning`, or an empty `reasoning_content`, which llama.cpp drops"
            for call in message.get("tool_calls") or []:
                arguments = call["function"]["arguments"]
                if isinstance(arguments, str) and isinstance(json.loads(arguments or "{}"), (str, type(None))):
                    return "arguments that are a JSON string or null, which llama.cpp reads"
            for chunk in message["content"] if isinstance(message["content"], list) else []:
                if chunk["type"] != "text":
                    return "chunks that llama.cpp refuses or puts a marker for"
        if "response_format" in request:
            return "a response format, which llama.cpp keeps for itself"
    return None


def request_of(golden):
    request = golden["request"]
    messages = [{k: v for k, v in m.items() if k not in ("prefix", "weight")} for m in request["messages"]]
    for message in messages:
        message.setdefault("content", None)
    given = {"messages": messages, "tools": request.get("tools")}
    given |= {key: request[key] for key in ("reasoning_effort", "response_format") if key in request}
    if is_continued(golden):
        given["continue_final_message"] = True
    return given


class Written:
    def __init__(self, folder):
        self.folder = folder

    @lru_cache(None)
    def template(self, label, engine):
        name = {"ours": "transformers", "transformers": "transformers", "hf-jinja": "hf-jinja", "llama.cpp": "llama.cpp"}
        arguments = [self.folder / "write_template", "--layout", label, "--for", name.get(engine, "any")]
        return subprocess.run(arguments, check=True, capture_output=True, encoding="utf-8").stdout


class Official:
    def __init__(self, folder):
        self.folder = folder

    @lru_cache(None)
    def template(self, label, _engine):
        version, *features = label.split("+")
        tekken = version.endswith("-tekken") or version in ("v11", "v13", "v15")
        names = [version.removesuffix("-tekken"), *sorted(features)] + ([] if tekken else ["spm"])
        path = self.folder / f"{'_'.join(names)}.jinja"
        return path.read_text(encoding="utf-8") if path.exists() else None


def goldens():
    for file in sorted(GOLDENS.glob("*.jsonl")):
        for line in file.open(encoding="utf-8"):
            golden = json.loads(line)
            if "segments" in golden and golden.get("kind") not in ("fim", "instruct"):
                if "max_model_input_len" not in golden:
                    yield golden


def outcome(engine, template, request, expected):
    try:
        string = engine.render(template, request)
    except OwnFault as fault:
        return "left out", str(fault)
    except Refused as refused:
        return "refused", str(refused)
    return ("equal" if string == expected else "wrong"), string


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("examples", type=Path)
    parser.add_argument("--official", type=Path)
    parser.add_argument("--engine", action="append")
    parser.add_argument("--table", action="store_true")
    parser.add_argument("--show", type=int, default=10)
    options = parser.parse_args()

    kinds, cases = Counter(), []
    for golden in goldens():
        kind = inexpressible(golden)
        if kind:
            kinds[kind] += 1
        else:
            cases.append(golden)
    cases.sort(key=lambda golden: golden["version"])
    sources = {"written": Written(options.examples)}
    if options.official:
        sources["official"] = Official(options.official)
    counts, failed, left_out = defaultdict(Counter), 0, defaultdict(Counter)
    for name in options.engine or ENGINES:
        engine = Ours(options.examples / "render_jsonl") if name == "ours" else ENGINES[name]()
        shown = 0
        for source, templates in sources.items():
            for golden in cases:
                label = golden["version"]
                if source == "written":
                    label = label.replace("+plainthink", "")
                template, request = templates.template(label, name), request_of(golden)
                lost = lost_before(name, golden, request)
                if template is None or lost:
                    left_out[name][lost or "no official template"] += source == "written"
                    continue
                result, said = outcome(engine, template, request, printed(golden))
                if result == "left out":
                    left_out[name][said[:100]] += source == "written"
                    continue
                counts[golden["version"], name, source][result] += 1
                if source == "written" and result != "equal":
                    failed += 1
                    shown += 1
                    if shown <= options.show:
                        print(f"{name} {golden['id']}: {result}\n  got  {said!r}\n  want {printed(golden)!r}")
    report(counts, options, kinds, left_out)
    return bool(failed)


def report(counts, options, kinds, left_out):
    engines = list(dict.fromkeys(engine for _, engine, _ in counts))
    sources = list(dict.fromkeys(source for _, _, source in counts))
    totals = defaultdict(Counter)
    rows = defaultdict(dict)
    for (version, engine, source), counter in counts.items():
        rows[version][engine, source] = counter
        totals[engine, source].update(counter)
    rows["all"] = totals
    cell = lambda counter: " / ".join(str(counter[result]) for result in ("equal", "wrong", "refused"))
    head = [f"{engine}, {source}" for engine in engines for source in sources]
    lines = [["layout", *head], ["---"] * (1 + len(head))]
    for version, row in rows.items():
        lines.append([version, *(cell(row.get((e, s), Counter())) for e in engines for s in sources)])
    if options.table:
        print("\n".join(f"| {' | '.join(line)} |" for line in lines))
    else:
        print("\n".join(f"{name:28} {cell(totals[e, s])}" for (e, s), name in zip(((e, s) for e in engines for s in sources), head)))
    print("\nleft out everywhere:")
    for kind, count in kinds.most_common():
        print(f"{count:5} {kind}")
    for engine, counter in left_out.items():
        for kind, count in counter.most_common():
            if count:
                print(f"{count:5} {engine}: {kind}")


sys.exit(main())
