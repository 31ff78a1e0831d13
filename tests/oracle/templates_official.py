#!/usr/bin/env python3
"""What the templates that mistral-common generates print for each golden: compact expectations for tests/it/template.rs.

    templates_official.py ANSWERS... > tests/goldens/template/official.jsonl

ANSWERS are lines with `id`, `ok`, `string` or `string_media`, and `jinja`: {template, ok, string | same_as | error}, as an
oracle over mistral-common's template generator prints them. The goldens in tests/goldens/mistral_common hold the chats,
by the same `id`. A line here is `id`, `template` (its file's name) and the answer:

    same      true: the layout's own string, as the golden says it
    string    another string
    refused   the template's error
"""
import json
import sys
from pathlib import Path

GOLDENS = Path(__file__).parent.parent / "goldens" / "mistral_common"
# Builders and default system prompts make other templates than those in the folder.
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


def main():
    goldens = {}
    for file in sorted(GOLDENS.glob("*.jsonl")):
        for line in file.open(encoding="utf-8"):
            golden = json.loads(line)
            goldens[golden["id"]] = golden
    counts = {"kept": 0, "no golden": 0, "other template": 0, "no template": 0}
    for path in sys.argv[1:]:
        for line in open(path, encoding="utf-8"):
            answer = json.loads(line)
            jinja, golden = answer.get("jinja"), goldens.get(answer["id"])
            if golden is None or jinja is None:
                counts["no golden"] += 1
                continue
            if not jinja["template"]:
                counts["no template"] += 1
                continue
            options = golden.get("options") or {}
            if options.get("default_system_prompt") or options.get("settings_builder", DEFAULT_BUILDER) != DEFAULT_BUILDER:
                counts["other template"] += 1
                continue
            out = {"id": answer["id"], "template": jinja["template"]}
            string = jinja.get("string")
            if jinja["ok"] and string is None:
                string = answer.get("string_media") or answer["string"]
                if "prefix" in jinja["same_as"]:
                    string += "</s>"
            if not jinja["ok"]:
                out["refused"] = jinja["error"]
            elif "segments" in golden and string == printed(golden):
                out["same"] = True
            else:
                out["string"] = string
            counts["kept"] += 1
            print(json.dumps(out, ensure_ascii=False, separators=(",", ":")))
    print(counts, file=sys.stderr)


main()
