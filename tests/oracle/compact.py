#!/usr/bin/env python3
"""The compact golden: one case and what the package did with it, on one line of strict JSON.

    compact.py CASES GOLDENS OUT    CASES/*.jsonl and GOLDENS/*.jsonl, joined on `id`, become OUT/*.jsonl

A line is the case (`id`, `version`, and where they are not the default `kind`, `mode`, `finetuning_messages`,
`max_model_input_len`, `options`; then `request`, in the case's own spelling: numbers and escapes are copied, not
re-printed) followed by the answer.

Answer of a case that renders:
    segments   in order: {"control": "[INST]"}, {"text": "..."}, {"media": "image"}, {"media": "audio"}.
               One text is one run, as it was handed to the tokenizer; neighbouring runs are not merged.
    infill     the index of the segment that has no printed space before it (a FIM suffix); absent elsewhere
    string     the prompt as SentencePiece prints it: a space before every text run but the infill one.
               Absent when it equals the segments written one after another, with [IMG] and [AUDIO] for media.
Answer of a case that is refused:
    refused    {"stage": parse | validate | normalize | encode, "family": the exception's name, "error": its text}
"""
import json
import re
import sys
from pathlib import Path

CASE_FIELDS = ("id", "version", "kind", "mode", "finetuning_messages", "max_model_input_len", "options", "request")
DEFAULTS = {"kind": '"chat"', "mode": '"test"'}
# Audio in, text out and text in, audio out: nothing that a chat formatter does.
LEFT_OUT = ("transcription", "speech")
MEDIA_LITERALS = {"image": "[IMG]", "audio": "[AUDIO]"}

_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[^\s"]+|\s+')


class Raw(str):
    """JSON text that `written` copies as it stands."""


def written(value):
    """A value as JSON, with the texts marked Raw in their own spelling."""
    if isinstance(value, Raw):
        return str(value)
    if isinstance(value, dict):
        return "{" + ",".join(f"{json.dumps(k, ensure_ascii=False)}:{written(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(written, value)) + "]"
    return dumps(value)


def members(line):
    """The members of a JSON object as {name: text}, each value in its own spelling without the white space."""
    names, values, decoder = [], [], json.JSONDecoder()
    at = line.index("{") + 1
    while True:
        at += len(line[at:]) - len(line[at:].lstrip(" ,\t\r\n"))
        if line[at] == "}":
            return dict(zip(names, values))
        name, at = decoder.raw_decode(line, at)
        start = line.index(":", at) + 1
        start += len(line[start:]) - len(line[start:].lstrip())
        _, at = decoder.raw_decode(line, start)
        names.append(name)
        values.append("".join(t for t in _TOKEN.findall(line[start:at]) if not t.isspace()))


def segments_of(emitted):
    """Emitted pieces -> (compact segments, index of the infill run or None); a whole image or audio is one segment.

    Media are found by their control tokens, so user text that spells [IMG] stays text.
    """
    segments, infill = [], None
    for piece in emitted:
        control = piece.get("control")
        if control in ("[IMG]", "[IMG_BREAK]", "[AUDIO]"):
            continue
        if control == "[IMG_END]":
            segments.append({"media": "image"})
        elif control == "[BEGIN_AUDIO]":
            segments.append({"media": "audio"})
        elif control is not None:
            segments.append({"control": control})
        else:
            if piece.get("infill"):
                infill = len(segments)
            segments.append({"text": piece["text"]})
    return segments, infill


def literal_of(segment):
    """What a segment looks like in a prompt."""
    (kind, value), = segment.items()
    return MEDIA_LITERALS[value] if kind == "media" else value


def plain_of(segments):
    """The segments written one after another."""
    return "".join(map(literal_of, segments))


def printed_of(segments, infill):
    """The segments as SentencePiece prints them."""
    return "".join(
        " " + s["text"] if "text" in s and i != infill else literal_of(s) for i, s in enumerate(segments)
    )


def dumps(value):
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)


def rendered(segments, infill, string):
    """The answer's members for a case that renders."""
    answer = {"segments": segments}
    if infill is not None:
        answer["infill"] = infill
    if string != plain_of(segments):
        answer["string"] = string
    return answer


def refused(stage, family, error):
    """The answer's members for a case that is refused."""
    return {"refused": {"stage": stage, "family": family, "error": error}}


def line_of(case, answer):
    """A case's members (as `members` gives them) and an answer -> the golden's line."""
    unknown = set(case) - set(CASE_FIELDS)
    if unknown:
        raise ValueError(f"{case.get('id')}: a case has no field {sorted(unknown)}")
    head = [f'"{n}":{case[n]}' for n in CASE_FIELDS if n in case and case[n] != DEFAULTS.get(n)]
    return "{" + ",".join(head) + "," + dumps(answer)[1:]


def compact(case_line, golden):
    """A case's line and its full golden -> the compact line, or None for a kind that is left out."""
    if golden["kind"] in LEFT_OUT:
        return None
    if not golden["ok"]:
        answer = refused(golden["stage"], golden["error_type"], golden["error"])
    else:
        segments, infill = segments_of(golden["segments"])
        string = golden.get("string_media", golden["string"])
        if string not in (plain_of(segments), printed_of(segments, infill)):
            raise ValueError(f"{golden['id']}: the string does not follow from the segments")
        answer = rendered(segments, infill, string)
    return line_of(members(case_line), answer)


def check_strict(line):
    """Raises if a JSON parser without Python's extensions would refuse the line."""
    def refuse(name):
        raise ValueError(f"{name} is not JSON")

    json.loads(line, parse_constant=refuse)
    line.encode()
    lone = re.sub(r"\\\\|\\u[dD][89aAbB]\w\w\\u[dD][c-fC-F]\w\w", "", line)
    if re.search(r"\\u[dD][89a-fA-F]", lone):
        raise ValueError("a lone surrogate is not JSON text")


def main():
    cases, goldens, out = (Path(p) for p in sys.argv[1:4])
    out.mkdir(parents=True, exist_ok=True)
    total = left_out = 0
    for file in sorted(cases.glob("*.jsonl")):
        with open(goldens / file.name, encoding="utf-8") as lines:
            answers = {g["id"]: g for g in map(json.loads, lines)}
        kept = []
        for case_line in file.read_text(encoding="utf-8").split("\n"):
            if not case_line.strip():
                continue
            golden = answers.pop(json.loads(case_line)["id"])
            line = compact(case_line, golden)
            if line is None:
                left_out += 1
                continue
            check_strict(line)
            kept.append(line + "\n")
        if answers:
            raise ValueError(f"{file.name}: goldens without a case: {sorted(answers)}")
        (out / file.name).write_text("".join(kept), encoding="utf-8")
        total += len(kept)
    print(f"{total} goldens, {left_out} left out", file=sys.stderr)


if __name__ == "__main__":
    main()
