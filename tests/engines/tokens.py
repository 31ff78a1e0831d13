#!/usr/bin/env python3
"""Processor time per row: format_dataset on one core, with ids and labels, beside mistral-common, by turns in one run.

    pip install mistral_common[sentencepiece]==1.13.1
    cargo build --release --manifest-path examples/format_dataset/Cargo.toml
    python tests/engines/tokens.py

What format_dataset takes for a file of one row is taken off: reading the vocabulary. Exits with 1 if an id differs.
"""
import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import mistral_common
from mistral_common.protocol.instruct.messages import AssistantMessage, SystemMessage, UserMessage
from mistral_common.protocol.instruct.request import ChatCompletionRequest
from mistral_common.protocol.instruct.validator import ValidationMode
from mistral_common.tokens.tokenizers.mistral import MistralTokenizer

import conversations

BINARY = Path(__file__).parents[2] / "examples" / "format_dataset" / "target" / "release" / "format_dataset"
DATA = Path(mistral_common.__file__).parent / "data"
VOCABULARIES = {"v3": "mistral_instruct_tokenizer_240323.model.v3", "v3-tekken": "tekken_240911.json"}
MESSAGES = {"system": SystemMessage, "human": UserMessage, "gpt": AssistantMessage}


def seconds_of_children(command):
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def with_mistral_common(tokenizer, lines):
    for line in lines:
        turns = json.loads(line)["conversations"]
        messages = [MESSAGES[turn["from"]](content=turn["value"]) for turn in turns]
        yield tokenizer.encode_chat_completion(ChatCompletionRequest(messages=messages)).tokens


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", type=Path, default=BINARY)
    parser.add_argument("--bytes", type=float, default=4e6)
    options = parser.parse_args()
    differing = 0
    with tempfile.TemporaryDirectory() as folder:
        source, single, target = (Path(folder) / name for name in ("rows.jsonl", "row.jsonl", "ids.jsonl"))
        rows = conversations.write(source, options.bytes)
        lines = source.read_text(encoding="utf-8").splitlines()
        single.write_text(lines[0] + "\n", encoding="utf-8")
        for layout, file in VOCABULARIES.items():
            command = [options.binary, "--quiet", "--threads", "1", "--layout", layout, "--vocabulary", DATA / file,
                       "--columns", "input_ids,labels", "--output"]
            tokenizer = MistralTokenizer.from_file(str(DATA / file), mode=ValidationMode.finetuning)
            for _ in range(3):
                start = seconds_of_children([*command, Path(folder) / "one", single])
                ours = (seconds_of_children([*command, target, source]) - start) / rows
                begun = time.process_time()
                ids = list(with_mistral_common(tokenizer, lines))
                theirs = (time.process_time() - begun) / rows
                print(f"{layout}: {rows:,} rows, format_dataset {ours * 1e6:.0f} us a row, mistral-common {theirs * 1e6:.0f}, "
                      f"{theirs / ours:.1f} times as long", flush=True)
            written = [json.loads(line)["input_ids"] for line in target.read_text(encoding="utf-8").splitlines()]
            differs = sum(one != other for one, other in zip(written, ids, strict=True))
            print(f"{layout}: {differs} of {rows:,} rows have other ids")
            differing += differs
    sys.exit(differing > 0)


main()
