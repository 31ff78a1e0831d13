#!/usr/bin/env python3
"""Rows per second and memory: format_dataset beside transformers' apply_chat_template, over one file, in one run.

    pip install transformers==5.24.0 jinja2
    cargo build --release --manifest-path examples/format_dataset/Cargo.toml
    python tests/engines/throughput.py --bytes 1e9

Beside them, what a copy of the file takes: both are done once the disk has what they wrote. A tenth of the file first,
so that memory can be seen not to grow.
"""
import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import conversations

BINARY = Path(__file__).parents[2] / "examples" / "format_dataset" / "target" / "release" / "format_dataset"

TEMPLATE = """{{- '<s>' }}
{%- set skipped = 1 if messages[0]['role'] == 'system' else 0 %}
{%- for message in messages[skipped:] %}
{%- if message['role'] == 'user' %}
{{- '[INST] ' + (messages[0]['content'] + '\\n' if skipped and loop.first else '') + message['content'] + '[/INST]' }}
{%- else %}
{{- ' ' + message['content'].rstrip(' ') + '</s>' }}
{%- endif %}
{%- endfor %}"""

ROLES = {"system": "system", "human": "user", "gpt": "assistant"}


def with_transformers(source, target):
    from tokenizers import Tokenizer, models
    from transformers import PreTrainedTokenizerFast

    tokenizer = PreTrainedTokenizerFast(tokenizer_object=Tokenizer(models.BPE()))
    tokenizer.chat_template = TEMPLATE
    with open(source, encoding="utf-8") as lines, open(target, "w", encoding="utf-8") as out:
        for line in lines:
            turns = json.loads(line)["conversations"]
            messages = [{"role": ROLES[turn["from"]], "content": turn["value"]} for turn in turns]
            text = tokenizer.apply_chat_template(messages, tokenize=False)
            out.write(json.dumps({"text": text}, ensure_ascii=False) + "\n")


def measure(name, rows, size, command):
    """Runs a command, and prints what it took: wall clock, processor, memory at most."""
    with tempfile.NamedTemporaryFile("r") as report:
        timed = ["/usr/bin/time", "--format", "%e %U %S %M", "--output", report.name, *map(str, command)]
        subprocess.run(timed, check=True)
        seconds, user, system, memory = map(float, report.read().split())
    print(
        f"{name:34} {rows / seconds:>11,.0f} rows/s {size / seconds / 1e6:>8,.0f} MB/s {seconds:>7.1f} s"
        f" {user + system:>7.1f} s cpu {memory / 1024:>6.0f} MiB",
        flush=True,
    )


def same_texts(one, other):
    with open(one, encoding="utf-8") as ones, open(other, encoding="utf-8") as others:
        return all(json.loads(a)["text"] == json.loads(b)["text"] for a, b in zip(ones, others, strict=True))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", type=Path, default=BINARY)
    parser.add_argument("--bytes", type=float, default=1e9)
    parser.add_argument("--folder", type=Path, help="where the files go; a temporary folder else")
    parser.add_argument("--transformers", nargs=2, type=Path, metavar=("IN", "OUT"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.transformers:
        return with_transformers(*options.transformers)
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        folder = Path(folder)
        tenth, whole = folder / "tenth.jsonl", folder / "whole.jsonl"
        for path, size in ((tenth, options.bytes / 10), (whole, options.bytes)):
            rows = conversations.write(path, size)
            size = path.stat().st_size
            print(f"{rows:,} rows, {size:,} bytes, on {os.cpu_count()} cores", flush=True)
            for threads in sorted({1, os.cpu_count()}):
                command = [options.binary, path, "--quiet", "--threads", threads, "--output"]
                measure(f"format_dataset, {threads} threads, to a file", rows, size, [*command, folder / "rows.jsonl"])
                measure(f"format_dataset, {threads} threads, discarded", rows, size, [*command, "/dev/null"])
        copy = ["sh", "-c", 'cp "$0" "$1" && sync --data "$1"', whole, folder / "copy.jsonl"]
        measure("cp and sync", rows, size, copy)
        (folder / "copy.jsonl").unlink()
        target = folder / "transformers.jsonl"
        measure("transformers", rows, size, [sys.executable, __file__, "--transformers", whole, target])
        print("the same texts:", same_texts(folder / "rows.jsonl", target))


main()
