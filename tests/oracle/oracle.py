#!/usr/bin/env python3
"""Asks mistral-common what it makes of a chat: cases in, goldens out, one JSON object a line (see compact.py).

    oracle.py [--tokens] < cases.jsonl > goldens.jsonl
    oracle.py --check GOLDENS...     answer every golden's case again and compare

A case is `id`, `version` (a label such as "v13+image+think"), `request`, and where they are not the default `kind`,
`mode`, `finetuning_messages`, `max_model_input_len`, `options`. A golden is a case too: its old answer is ignored.

Every answer is checked before it is given: the segments, printed, must be what the package decodes its ids to.
With --tokens a line also has `tokens`, the package's own ids.
"""
import argparse
import json
import re
import sys

from compact import (
    CASE_FIELDS,
    check_strict,
    line_of,
    literal_of,
    members,
    printed_of,
    plain_of,
    refused,
    rendered,
    segments_of,
)
from package import Tokens, package
from mistral_common.exceptions import TokenizerException
from mistral_common.protocol.fim.request import FIMRequest
from mistral_common.protocol.instruct.messages import ChatMessage, FinetuningMessage
from mistral_common.protocol.instruct.request import ChatCompletionRequest, InstructRequest
from mistral_common.protocol.instruct.tool_calls import Tool
from mistral_common.protocol.instruct.validator import ValidationMode

CHAT = {False: ChatCompletionRequest[ChatMessage], True: ChatCompletionRequest[FinetuningMessage]}
INSTRUCT = {False: InstructRequest[ChatMessage, Tool], True: InstructRequest[FinetuningMessage, Tool]}
LONGEST_ERROR = 1500


class Steps:
    """Runs the package's steps one by one, and remembers which one is running."""

    def __init__(self, case, asked):
        self.case, self.asked, self.stage = case, asked, "parse"

    def run(self):
        {"chat": self.chat, "openai": self.chat, "fim": self.fim, "instruct": self.instruct}[
            self.case.get("kind", "chat")
        ]()

    def chat(self):
        case, asked = self.case, self.asked
        kind = CHAT[bool(case.get("finetuning_messages"))]
        if case.get("kind") == "openai":
            request = kind.from_openai(**case["request"])
        else:
            request = kind.model_validate(case["request"])
        self.stage = "validate"
        request = asked.validator(ValidationMode(case.get("mode", "test"))).validate_request(request)
        budget = case.get("max_model_input_len")
        if request.truncate_for_context_length and budget is None:
            self.stage = "encode"
            raise TokenizerException(
                "encoding a chat completion request with truncation, but no max model len was provided"
            )
        self.stage = "normalize"
        normal = asked.normalizer.from_chat_completion_request(request)
        if request.truncate_for_context_length:
            normal.truncate_at_max_tokens = budget
        self.stage = "encode"
        asked.encoder.encode_instruct(normal)

    def instruct(self):
        request = INSTRUCT[bool(self.case.get("finetuning_messages"))].model_validate(self.case["request"])
        self.stage = "encode"
        self.asked.encoder.encode_instruct(request)

    def fim(self):
        request = FIMRequest.model_validate(self.case["request"])
        self.stage = "encode"
        self.asked.encoder.encode_fim(request)


def error_text(error):
    """An exception's text without pydantic's links, cut to a bearable length."""
    return re.sub(r"\s*For further information visit https://errors\.pydantic\.dev\S*", "", str(error))[:LONGEST_ERROR]


def answer(case, tokens=Tokens.REAL, with_ids=False):
    """A case (a dict) -> its compact answer. Takes the case's request apart: do not use it afterwards."""
    asked = package(case["version"], case.get("options") or {}, tokens)
    steps = Steps(case, asked)
    try:
        steps.run()
    except Exception as error:  # whatever the package raises is its answer
        return refused(steps.stage, type(error).__name__, error_text(error))
    emitted = asked.emitted()
    segments, infill = segments_of(emitted)
    if tokens is not Tokens.STAND_IN:
        check_decoded(asked, emitted)
    string = printed_of(segments, infill) if asked.sentencepiece else plain_of(segments)
    result = rendered(segments, infill, string)
    if with_ids:
        result["tokens"] = [int(t) for t in asked.tokens]
    return result


def check_decoded(asked, emitted):
    """The segments must be what the package decodes to; media with all of their tokens."""
    expected = "".join(
        (" " if asked.sentencepiece and not p.get("infill") else "") + p["text"] if "text" in p else literal_of(p)
        for p in emitted
    )
    if asked.sentencepiece:
        expected = expected.replace("▁", " ")
    if asked.decoded() != expected:
        raise AssertionError(f"decoded to {asked.decoded()!r}, not {expected!r}")


def regenerate(line, with_ids=False):
    """A case's or golden's line -> the golden's line."""
    parts = {name: value for name, value in members(line).items() if name in CASE_FIELDS}
    case = {name: json.loads(value) for name, value in parts.items()}
    return line_of(parts, answer(case, with_ids=with_ids))


def check(files):
    """Compares every golden with the package's answer; returns how many differ."""
    same = different = 0
    for file in files:
        for number, line in enumerate(open(file, encoding="utf-8"), 1):
            if regenerate(line) == line.rstrip("\n"):
                same += 1
                continue
            different += 1
            print(f"{file}:{number}: {regenerate(line)}")
    print(f"{same} goldens are what the package says, {different} differ", file=sys.stderr)
    return different


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tokens", action="store_true", help="add the package's token ids")
    parser.add_argument("--check", nargs="+", metavar="GOLDENS", help="compare goldens with the package")
    arguments = parser.parse_args()
    if arguments.check:
        sys.exit(1 if check(arguments.check) else 0)
    for line in sys.stdin:
        if line.strip():
            golden = regenerate(line, arguments.tokens)
            check_strict(golden)
            print(golden)


if __name__ == "__main__":
    main()
