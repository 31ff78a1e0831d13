#!/usr/bin/env python3
"""Asks mistral-common what message it reads in a model's output: outputs in, answers out, one JSON object a line.

    completions.py < outputs.jsonl > answers.jsonl      answer each {"id", "version", "output"}
    completions.py --random N [--seed S]                answer N random outputs
    completions.py ... --compare PROGRAM                show instead what PROGRAM answers otherwise; it is given lines
                                                        of "id", "version", "completion" (`render_jsonl` takes them)

An output is a list of {"control": "[ARGS]"} and {"text": "..."}. An answer adds `ok` and either `message` or
`error_type` and `error`. The package reads token ids, so each text is tokenized by itself first.
"""
import argparse
import json
import random
import subprocess
import sys

from package import Tokens, package
from mistral_common.experimental.think import _split_content_and_think_chunks
from mistral_common.experimental.tools import _decode_tool_calls, _split_content_and_tool_calls
from mistral_common.protocol.instruct.chunk import TextChunk, ThinkChunk
from mistral_common.protocol.instruct.messages import AssistantMessage
from mistral_common.tokens.tokenizers.base import TokenizerVersion

LABELS = [
    "v1", "v2", "v3", "v3-tekken", "v7", "v7-tekken", "v11", "v13", "v13+think", "v15", "v15+think",
]  # fmt: skip
FIRST_WITH_THINKING = TokenizerVersion.v13


def token_ids(tokenizer, output):
    """The ids of an output; a control token that the vocabulary lacks raises."""
    ids = []
    for segment in output:
        if "control" in segment:
            literal = segment["control"]
            ids.append(tokenizer.eos_id if literal == "</s>" else tokenizer.get_special_token(literal))
        else:
            ids.extend(tokenizer.encode(segment["text"], bos=False, eos=False))
    return ids


def content_of(reader, ids):
    """Text and thinking, as the package's server splits them."""
    tokenizer = reader.tokenizer
    begin = end = None
    if reader.version >= FIRST_WITH_THINKING:
        begin, end = reader.encoder.BEGIN_THINK, reader.encoder.END_THINK
    if begin is None or end is None:
        return tokenizer.decode(ids) if ids else None
    parts = _split_content_and_think_chunks(ids, begin, end)
    if not parts:
        return None
    chunks = [
        ThinkChunk(thinking=tokenizer.decode(part), closed=part[-1] == end)
        if thinks
        else TextChunk(text=tokenizer.decode(part))
        for part, thinks in parts
        if part != [tokenizer.eos_id]
    ]
    if len(chunks) == 1 and isinstance(chunks[0], TextChunk):
        return chunks[0].text
    return chunks


def message_of(label, output):
    """The steps of the package's server, from token ids to a message."""
    reader = package(label, {}, Tokens.REAL)
    tokenizer = reader.tokenizer
    ids = token_ids(tokenizer, output)
    content_ids, call_ids = ids, ()
    if reader.version > TokenizerVersion.v1:
        content_ids, call_ids = _split_content_and_tool_calls(ids, tokenizer.get_special_token("[TOOL_CALLS]"))
    message = AssistantMessage(
        content=content_of(reader, content_ids),
        tool_calls=_decode_tool_calls(call_ids, tokenizer) if call_ids else None,
        prefix=ids[-1:] != [tokenizer.eos_id],
    ).model_dump()
    return {key: message[key] for key in ("role", "content", "tool_calls", "prefix")}


def answered(case):
    case = {key: case[key] for key in ("id", "version", "output", "about") if key in case}
    try:
        return case | {"ok": True, "message": message_of(case["version"], case["output"])}
    except Exception as error:
        return case | {"ok": False, "error_type": type(error).__name__, "error": str(error)}


class Outputs:
    """Random outputs: replies as a model writes them, then with something of them broken."""

    TEXTS = ["Hello", " Hi ", "\n", "a\n\nb", "é日本👍", "[INST]", "[TOOL_CALLS]", "[ARGS]", "</s>", "<", "[", "[/THIN", "{}", "x" * 40]
    NAMES = ["f", "get_weather", "a-b", "", "é", 'q"', "n" * 300]
    IDS = ["abcdef123", "a", "null", "", "é\\n"]
    VALUES = [
        "{}", '{"a": 1}', '{"a":1,"b":[1,2.50,-0,1e5]}', '{"x": "é\\u00e9\\ud83d\\ude00\\n"}', '{ "k" : { "n" : [ ] } }',
        '{"a": NaN, "b": -Infinity}', '{"a": 1, "a": 2}', '{"\x7f": "\u2028/\\/"}', '"x"', '"{\\"a\\": 1}"', "null", "1", "[1]",
        "true", '{"a": "[ARGS]</s>"}', "{\n\t\"a\": 1\r\n}", '{"deep": ' + "[" * 40 + "]" * 40 + "}", '{"a": 12345678901234567890}',
    ]  # fmt: skip
    BROKEN = ["{", "", "{'a': 1}", '{"a": 1,}', '{"a" 1}', "[1 2]", '{"a": 01}', "{} {}", "1.", "-", '{"a": "\\x"}', '{"a": "\n"}', "nul", '"x', "tru"]
    STRAY = ["[INST]", "[/INST]", "</s>", "[THINK]", "[/THINK]", "[ARGS]", "[CALL_ID]", "[TOOL_CALLS]", "<s>", "<unk>"]

    def __init__(self, rng):
        self.rng = rng

    def text(self):
        return {"text": self.rng.choice(self.TEXTS)}

    def value(self):
        return self.rng.choice(self.VALUES if self.rng.random() < 0.9 else self.BROKEN)

    def entry(self):
        rng = self.rng
        members = [f'"name": {json.dumps(rng.choice(self.NAMES), ensure_ascii=rng.random() < 0.5)}', f'"arguments": {self.value()}']
        if rng.random() < 0.7:
            members.append('"id": ' + rng.choice([json.dumps(i) for i in self.IDS] + ["null", "7"][: rng.random() < 0.2]))
        if rng.random() < 0.1:
            members.append(f'"more": {self.value()}')
        if rng.random() < 0.1:
            members.pop(rng.randrange(len(members)))
        if rng.random() < 0.3:
            rng.shuffle(members)
        return "{" + rng.choice([", ", ",", " , "]).join(members) + "}"

    def call_list(self):
        entries = [self.entry() for _ in range(self.rng.choice([1, 1, 2, 3]))]
        text = "[" + ", ".join(entries) + "]"
        chance = self.rng.random()
        if chance < 0.08:
            text = text[: self.rng.randrange(len(text))]
        elif chance < 0.14:
            text = self.rng.choice([entries[0], text + "x", " " + text + "\n", "[]", "[1]", "[null, " + text + "]", "", "null"])
        return [{"control": "[TOOL_CALLS]"}, {"text": text}]

    def call(self, version):
        rng = self.rng
        parts = [{"control": "[TOOL_CALLS]"}, {"text": rng.choice(self.NAMES)}]
        if rng.random() < (0.6 if version == "v11" else 0.05):
            parts += [{"control": "[CALL_ID]"}, {"text": rng.choice(self.IDS)}]
        return parts + [{"control": "[ARGS]"}, {"text": self.value()}]

    def output(self, label):
        rng, version, thinks = self.rng, label.split("+")[0], "+think" in label
        parts = []
        for _ in range(rng.choice([0, 1, 1, 1, 2])):
            if thinks and rng.random() < 0.6:
                parts += [{"control": "[THINK]"}, self.text()] + [{"control": "[/THINK]"}] * (rng.random() < 0.9)
            if rng.random() < 0.7:
                parts.append(self.text())
        if version != "v1" and rng.random() < 0.6:
            for _ in range(rng.choice([1, 1, 2])):
                parts += self.call(version) if version in ("v11", "v13", "v15") else self.call_list()
        if rng.random() < 0.8:
            parts.append({"control": "</s>"})
        if rng.random() < 0.15 and parts:
            parts.insert(rng.randrange(len(parts) + 1), {"control": rng.choice(self.STRAY)})
        if rng.random() < 0.05 and parts:
            parts = parts[: rng.randrange(len(parts))]
        parts = [part for part in parts if part.get("text") != ""]
        # Two texts in a row are one text, or SentencePiece would set a space between them.
        joined = []
        for part in parts:
            if joined and "text" in part and "text" in joined[-1]:
                joined[-1] = {"text": joined[-1]["text"] + part["text"]}
            else:
                joined.append(part)
        return joined or [{"text": "Hello"}]

    def case(self, number):
        while True:
            label = self.rng.choice(LABELS)
            output = self.output(label)
            known = {str(package(label, {}, Tokens.REAL).control(i)) for i in range(40)} | {"</s>"}
            if all(part.get("control", "</s>") in known for part in output):
                return {"id": f"random/{number}", "version": label, "output": output}


def differs_knowingly(case):
    """The two outputs that the library reads in its own way, and says so."""
    controls = [part.get("control") for part in case["output"]]
    if package(case["version"], {}, Tokens.REAL).sentencepiece and "<unk>" in controls:
        return True  # SentencePiece prints " ⁇ " for it
    args_came = False
    for control in controls:
        if control == "[CALL_ID]" and args_came and case["version"] == "v11":
            return True  # the package takes arguments before the id for a part of the name
        args_came = control == "[ARGS]" or (args_came and control != "[TOOL_CALLS]")
    return False


def compare(program, cases):
    """Shows what the program answers otherwise: the message, or else the class of the error."""
    lines = [json.dumps({"id": c["id"], "version": c["version"], "completion": c["output"]}) for c in cases]
    run = subprocess.run([program], input="\n".join(lines) + "\n", capture_output=True, text=True, check=True)
    differences = 0
    for case, line in zip(cases, run.stdout.rstrip("\n").split("\n"), strict=True):
        answer = json.loads(line)
        expected = case["message"] if case["ok"] else case["error_type"]
        actual = answer["message"] if answer["ok"] else answer["family"]
        if actual != expected and not differs_knowingly(case):
            differences += 1
            print(json.dumps({"case": case, "answer": answer}, ensure_ascii=False))
    print(f"{len(cases)} cases, {differences} differences", file=sys.stderr)
    return differences


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--random", type=int, metavar="N")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--compare", metavar="PROGRAM")
    options = parser.parse_args()
    if options.random is not None:
        outputs = Outputs(random.Random(options.seed))
        cases = (outputs.case(number) for number in range(options.random))
    else:
        cases = map(json.loads, sys.stdin)
    if options.compare:
        sys.exit(compare(options.compare, list(map(answered, cases))) > 0)
    for case in cases:
        print(json.dumps(answered(case), ensure_ascii=False))


if __name__ == "__main__":
    main()
