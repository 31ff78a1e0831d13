#!/usr/bin/env python3
"""Compares token ids: the example `tokens`, with mistral-common's own vocabulary files, against mistral-common.

    tokens.py [--binary target/release/examples/tokens] [GOLDENS...]

Every golden that has a prompt without media is encoded by both. Prints what differs and how many are equal.
"""
import argparse
import json
import subprocess
import sys
import tempfile
from collections import defaultdict
from pathlib import Path

from oracle import answer
from package import DATA, SENTENCEPIECE_FILES, Tokens, control_tokens, package, parse_label

HERE = Path(__file__).parent
GOLDENS = sorted((HERE.parent / "goldens" / "mistral_common").glob("*.jsonl"))
BINARY = HERE.parents[1] / "target" / "release" / "examples" / "tokens"


def vocabulary_of(label):
    """The vocabulary file of a layout, and the ids of its control tokens where the file does not list them."""
    version, sentencepiece, features = parse_label(label)
    if sentencepiece:
        number = version.value + ("+image" if "image" in features else "")
        return DATA / SENTENCEPIECE_FILES[number], None
    controls = control_tokens(version, features)
    return DATA / "tekken_240911.json", {control["token_str"]: control["rank"] for control in controls}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", type=Path, default=BINARY)
    parser.add_argument("goldens", nargs="*", type=Path, default=GOLDENS)
    options = parser.parse_args()
    groups = defaultdict(list)
    for path in options.goldens:
        for line in path.read_text().rstrip("\n").split("\n"):
            golden = json.loads(line)
            if "segments" in golden and not any("media" in segment for segment in golden["segments"]):
                groups[golden["version"]].append(golden)
    equal = different = 0
    for label, goldens in sorted(groups.items()):
        file, controls = vocabulary_of(label)
        command = [options.binary, file, "--jsonl"]
        with tempfile.NamedTemporaryFile("w", suffix=".json") as ids:
            if controls is not None:
                json.dump(controls, ids)
                ids.flush()
                command += ["--controls", ids.name]
            prompts = [{key: golden[key] for key in ("segments", "infill") if key in golden} for golden in goldens]
            lines = "".join(json.dumps(prompt) + "\n" for prompt in prompts)
            answers = subprocess.run(command, input=lines, capture_output=True, text=True, check=True).stdout
        for golden, got in zip(goldens, answers.splitlines(), strict=True):
            expected = answer(golden, Tokens.REAL, with_ids=True)["tokens"]
            if expected == json.loads(got):
                equal += 1
            else:
                different += 1
                print(json.dumps({"id": golden["id"], "expected": expected, "got": json.loads(got)}))
        print(f"{label}: {len(goldens)}", file=sys.stderr)
    print(f"{equal} equal, {different} different")
    sys.exit(different > 0)


main()
