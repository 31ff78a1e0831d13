"""The grammars of mistral-common for every choice, set of tools and format: `tests/goldens/grammar.jsonl`.

usage: grammar.py > tests/goldens/grammar.jsonl        (needs llguidance and jinja2 beside requirements.txt)
"""
import json
from types import SimpleNamespace

from mistral_common.exceptions import MistralCommonException
from mistral_common.guidance.grammar_factory import GrammarFactory
from mistral_common.protocol.instruct.request import ChatCompletionRequest
from mistral_common.tokens.tokenizers.base import TokenizerVersion
from mistral_common.tokens.tokenizers.tekken import Tekkenizer


PARAMETERS = {"type": "object", "properties": {"città": {"type": "string"}}}
SCHEMA = {"type": "object", "properties": {"z": {"type": "string"}}, "required": ["z"]}


def tool(name, strict, parameters=PARAMETERS):
    return {"type": "function", "function": {"name": name, "description": "", "parameters": parameters, "strict": strict}}


def named(name):
    return {"type": "function", "function": {"name": name}}


TOOLS = {
    "none": None,
    "one": [tool("f", False)],
    "two": [tool("f", False), tool("g-2", False)],
    "strict": [tool("f", True), tool("g", True, {})],
    "mixed": [tool("f", True), tool("g", False)],
}
FORMATS = {
    "text": None,
    "json_object": {"type": "json_object"},
    "schema": {"type": "json_schema", "json_schema": {"name": "n", "schema": SCHEMA}},
    "schema_strict": {"type": "json_schema", "json_schema": {"name": "n", "schema": SCHEMA, "strict": True}},
}
CHOICES = {"auto": "auto", "none": "none", "any": "any", "required": "required", "named:f": named("f"), "named:zz": named("zz")}
SINGLE = ("one", "strict")  # the tools that are also asked with one call, for text
MORE_CONTROLS = {32: "[ARGS]", 33: "[CALL_ID]", 34: "[THINK]", 35: "[/THINK]", 36: "[MODEL_SETTINGS]", 37: "[/MODEL_SETTINGS]"}


def factory(version, thinks):
    """A factory that knows a tokenizer's version and control tokens: it looks at nothing else."""
    names = {control["rank"]: str(control["token_str"]) for control in Tekkenizer.DEPRECATED_SPECIAL_TOKENS}
    names |= {i: name for i, name in MORE_CONTROLS.items() if thinks or "THINK" not in name}
    made = GrammarFactory.__new__(GrammarFactory)
    made._tokenizer = SimpleNamespace(version=version)
    made._special_token_map = {name: f"<[{i}]>" for i, name in names.items()}
    return made


def main():
    answers = {}
    for label in ("v11", "v13", "v13+think", "v15+think"):
        version, _, think = label.partition("+")
        made = factory(TokenizerVersion(version), bool(think))
        template = made.select_jinja_template()
        for tools in TOOLS:
            for choice in CHOICES:
                for form in FORMATS:
                    for parallel in (True, False):
                        if not parallel and (tools not in SINGLE or form != "text"):
                            continue
                        request = {"messages": [{"role": "user", "content": "q"}], "tool_choice": CHOICES[choice],
                                   "parallel_tool_calls": parallel, "tools": TOOLS[tools]}
                        if FORMATS[form]:
                            request["response_format"] = FORMATS[form]
                        name = "/".join([label, tools, choice, form, "par" if parallel else "single"])
                        answers.setdefault(answer(made, template, request), []).append(name)
    print(line({"tools": TOOLS, "formats": FORMATS, "choices": CHOICES}))
    for text, names in answers.items():
        print(line({**json.loads(text), "of": names}))


def answer(made, template, request):
    try:
        lark = made.get_grammar_for_chat_request(ChatCompletionRequest(**request), template)
        return json.dumps({"lark": lark})
    except MistralCommonException as error:
        return json.dumps({"refused": {"family": type(error).__name__, "error": str(error)}})


def line(value):
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


if __name__ == "__main__":
    main()
