"""The grammars that `render_jsonl` prints, against llguidance and xgrammar with real vocabularies.

usage: prove.py [--binary RENDER_JSONL] [--answers 2000] [--seed 1]

1. Every Lark grammar compiles in llguidance, every structural tag in xgrammar, for each of the layouts.
2. The answer part of every golden prompt with calls is accepted where a choice allows it, token by token and to its end,
   and refused where the choice is `none` or names another tool.
3. Answers sampled at random under the grammars of `exact_lark` are read without an error: calls have allowed names and
   arguments of the schema, JSON follows its schema. Rendered again, they are the same bytes. Two kinds are the same only
   once Python has read and written the arguments, since llguidance cannot express them: a number of a strict schema in
   another spelling (`1e2`, or `1e999` for `Infinity`), and a key that comes twice. They are counted.
4. Every schema of `schemas.py` compiles, or the engine says what it lacks; those that no prompt can hold are refused with a
   path. No name and no text of a schema lets a control token into a call: of a call of a tool whose schema would forge
   one, the control tokens are those of the layout, however it is sampled.
"""
import argparse
import itertools
import json
import random
import re
import subprocess
import sys
from collections import Counter
from functools import lru_cache
from pathlib import Path

import jsonschema
import llguidance
import mistral_common
import numpy
import xgrammar
from mistral_common.tokens.tokenizers.mistral import MistralTokenizer

import schemas

ROOT = Path(__file__).resolve().parents[2]
DATA = Path(mistral_common.__file__).parent / "data"
LAYOUTS = ["v1", "v2", "v3", "v3-tekken", "v7", "v7-tekken", "v11", "v13", "v13+think", "v15+think", "magnum"]
FILES = {
    "v1": "tokenizer.model.v1",
    "v2": "mistral_instruct_tokenizer_240216.model.v2",
    "v3": "mistral_instruct_tokenizer_240323.model.v3",
    "magnum": "mistral_instruct_tokenizer_240323.model.v3",
    "v7": "mistral_instruct_tokenizer_241114.model.v7",
}
# The control tokens of released tekken.json files that the shipped one does not list.
MORE_CONTROLS = {24: "[AUDIO]", 25: "[BEGIN_AUDIO]", 32: "[ARGS]", 33: "[CALL_ID]", 34: "[THINK]", 35: "[/THINK]",
                 36: "[MODEL_SETTINGS]", 37: "[/MODEL_SETTINGS]"}
OTHERS = re.compile(r"<SPECIAL_|<pad>|\[BEGIN_AUDIO|\[AUDIO|\[/?MODEL_SETTINGS")
EOS = 2
ARGUMENTS = '"arguments": '
NUMBER = r"-?Infinity|-?[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?"
IDS_ARE_NOT_WRITTEN = {"v2", "v13", "v13+think", "v15+think"}


class Vocabulary:
    """The bytes of each token, which of them are control tokens, and both engines' views of them."""

    bos_token_id, eos_token_id = 1, EOS

    def __init__(self, file):
        tokenizer = MistralTokenizer.from_file(str(DATA / file)).instruct_tokenizer.tokenizer
        self.tokenizer, self.is_tekken = tokenizer, file.endswith(".json")
        if self.is_tekken:
            count = tokenizer.num_special_tokens
            self.names = {i: MORE_CONTROLS.get(i, tokenizer.id_to_piece(i)) for i in range(count)}
            self.bytes = [b""] * count + [tokenizer.id_to_byte_piece(i) for i in range(count, tokenizer.n_words)]
        else:
            model = tokenizer._model
            controls = [i for i in range(model.get_piece_size()) if model.is_control(i) or model.is_unknown(i)]
            self.names = {i: model.id_to_piece(i) for i in controls}
            self.bytes = [b"" if i in self.names else self.piece(model, i) for i in range(model.get_piece_size())]
        self.controls = {name: i for i, name in self.names.items()}

    @staticmethod
    def piece(model, token):
        piece = model.id_to_piece(token)
        return bytes([int(piece[3:-1], 16)]) if model.is_byte(token) else piece.replace("▁", " ").encode()

    # What llguidance asks of a tokenizer.
    @property
    def tokens(self):
        angled = {i: "<" + name.strip("[]<>").replace("/", "end_") + f"_{i}>" for i, name in self.names.items()}
        return [angled[i].encode() if i in angled else piece for i, piece in enumerate(self.bytes)]

    @property
    def special_token_ids(self):
        return list(self.names)

    def __call__(self, text):
        """Tokens of text in the middle of an answer: without the space that SentencePiece sets before a run."""
        text = text if isinstance(text, str) else text.decode()
        return self.encode(text) if self.is_tekken else self.encode("☺" + text)[2:]

    def encode(self, text):
        return self.tokenizer.encode(text, bos=False, eos=False)

    @lru_cache(None)
    def llguidance(self):
        return llguidance.LLTokenizer(llguidance.TokenizerWrapper(self), eos_token=EOS)

    @lru_cache(None)
    def xgrammar(self):
        # No JSON string can hold U+0001, and so none can hold a control token for its text.
        vocabulary = [b"\x01" + self.names[i].encode() if i in self.names else piece for i, piece in enumerate(self.bytes)]
        info = xgrammar.TokenizerInfo(vocabulary, vocab_type=xgrammar.VocabType.RAW, stop_token_ids=[EOS])
        return xgrammar.GrammarCompiler(info, cache_enabled=False)

    def ids(self, segments):
        for segment in segments:
            if "control" in segment:
                yield self.controls[segment["control"]]
            elif "text" in segment:
                yield from self.encode(segment["text"])

    def segments(self, ids):
        """Tokens as segments of text, without the space that SentencePiece sets before each, and control tokens."""
        for is_control, tokens in itertools.groupby(ids, self.names.__contains__):
            if is_control:
                yield from ({"control": self.names[token]} for token in tokens)
            else:
                text = b"".join(self.bytes[token] for token in tokens).decode()
                assert self.is_tekken or text.startswith(" "), f"{text!r} has no space before it"
                yield {"text": text if self.is_tekken else text[1:]}


@lru_cache(None)
def vocabulary_of(file):
    return Vocabulary(file)


def vocabulary(layout):
    return vocabulary_of(FILES.get(layout, "tekken_240911.json"))


class Renderer:
    """`render_jsonl`, which is asked many lines at a time."""

    def __init__(self, binary):
        self.binary = binary

    def ask(self, lines):
        text = "".join(json.dumps(line) + "\n" for line in lines)
        output = subprocess.run([self.binary], input=text, capture_output=True, text=True, check=True).stdout
        return [json.loads(line) for line in output.split("\n") if line]


def tool(name, parameters=None, strict=False):
    parameters = {"type": "object", "properties": {}} if parameters is None else parameters
    return {"type": "function", "function": {"name": name, "description": "", "parameters": parameters, "strict": strict}}


CITY = {
    "type": "object",
    "properties": {"città": {"type": "string"}, "days": {"type": "integer", "minimum": 0}, "unit": {"enum": ["C", "F"]}},
    "required": ["città"],
    "additionalProperties": False,
}
POINT = {"$defs": {"n": {"type": "number"}}, "type": "object", "properties": {"x": {"$ref": "#/$defs/n"}}, "required": ["x"],
         "additionalProperties": False}
TOOLS = {
    "none": [],
    "one": [tool("f", CITY)],
    "two": [tool("f", CITY), tool("g-2")],
    "strict": [tool("f", CITY, True), tool("g", {}, True)],
    "mixed": [tool("f", POINT, True), tool("g", CITY)],
}
FORMATS = {
    "text": None,
    "json": {"type": "json_object"},
    "strict": {"type": "json_schema", "json_schema": {"name": "n", "schema": CITY, "strict": True}},
}
CHOICES = {"auto": "auto", "none": "none", "required": "required", "f": {"type": "function", "function": {"name": "f"}}}


def requests():
    """Every choice with every set of tools and every format."""
    for layout, tools, choice, form, parallel in itertools.product(LAYOUTS, TOOLS, CHOICES, FORMATS, [True, False]):
        request = {"messages": [{"role": "user", "content": "q"}], "tool_choice": CHOICES[choice],
                   "parallel_tool_calls": parallel}
        if TOOLS[tools]:
            request["tools"] = TOOLS[tools]
        if FORMATS[form]:
            request["response_format"] = FORMATS[form]
        yield {"id": f"{layout}/{tools}/{choice}/{form}/{parallel}", "version": layout, "request": request}


def grammars(renderer, lines, forms):
    """Each line with its grammar in each form, those that are refused or free left out."""
    asked = [{**line, "grammar": form} for line in lines for form in forms]
    answers = iter(renderer.ask(asked))
    for line in lines:
        texts = [next(answers) for _ in forms]
        if all(answer["ok"] and answer["grammar"] for answer in texts):
            yield line, {form: answer["grammar"] for form, answer in zip(forms, texts)}


class Engines:
    """Compiled grammars, each once."""

    def __init__(self):
        self.compiled = {}

    def lark(self, layout, grammar):
        matcher = llguidance.LLMatcher(vocabulary(layout).llguidance(), llguidance.LLMatcher.grammar_from_lark(grammar))
        if matcher.is_error():
            raise AssertionError(f"{layout}: {matcher.get_error()}\n{grammar}")
        return matcher

    def tag(self, layout, tag):
        key = (FILES.get(layout), tag)
        if key not in self.compiled:
            self.compiled[key] = vocabulary(layout).xgrammar().compile_structural_tag(tag)
        return xgrammar.GrammarMatcher(self.compiled[key])

    def lark_accepts(self, layout, grammar, ids):
        matcher = self.lark(layout, grammar)
        said = [token for token in ids if token != EOS]
        return matcher.try_consume_tokens(said) == len(said) and at_end(matcher)

    def tag_accepts(self, layout, tag, ids):
        matcher = self.tag(layout, tag)
        return all(matcher.accept_token(token) for token in ids) and (ids[-1:] == [EOS] or matcher.is_completed())


def at_end(matcher):
    """May the answer end here? llguidance stops by itself where nothing can follow."""
    return matcher.is_accepting() or (matcher.is_stopped() and not matcher.is_error())


def compile_all(renderer, engines):
    forms = ["lark", "exact_lark", "structural_tag"]
    seen, count = set(), 0
    for line, texts in grammars(renderer, list(requests()), forms):
        layout = line["version"]
        for form, text in texts.items():
            if (layout, text) in seen:
                continue
            seen.add((layout, text))
            engines.tag(layout, text) if form == "structural_tag" else engines.lark(layout, text)
            count += 1
    for text in open(ROOT / "tests/goldens/grammar_exact.jsonl", encoding="utf-8"):
        golden = json.loads(text)
        engines.lark(golden["version"], golden["exact_lark"])
        engines.tag(golden["version"], golden["structural_tag"])
        count += 2
    print(f"{count} different grammars compile")


def of_schema(layout, schema, place):
    """A request whose tool or whose answer has a schema."""
    request = {"messages": [{"role": "user", "content": "q"}], "parallel_tool_calls": False}
    if place == "tool":
        request |= {"tools": [{"type": "function", "function": {"name": "f", "parameters": schema, "strict": True}}], "tool_choice": "required"}
    else:
        request["response_format"] = {"type": "json_schema", "json_schema": {"name": "n", "schema": schema, "strict": True}}
    return {"id": f"{layout}/{place}", "version": layout, "request": request}


def prove_schemas(renderer, engines):
    forms = {"lark": "llguidance", "exact_lark": "llguidance", "structural_tag": "xgrammar"}
    compiled, lacking, faults = 0, Counter(), []
    for name, schema in schemas.CLIENTS.items():
        lines = [of_schema(layout, schema, place) for layout in LAYOUTS for place in ("tool", "answer")
                 if place == "answer" or layout != "v1"]
        for line, form, answer in asked_in(renderer, lines, forms):
            engine = forms[form]
            reason = schemas.LACKING[engine].get(name)
            if not answer["ok"]:
                faults.append((name, line["id"], form, answer["error"]))
                continue
            if answer["grammar"] is None and schema == {} and line["id"].endswith("answer"):
                continue  # nothing is asked for
            try:
                (engines.tag if form == "structural_tag" else engines.lark)(line["version"], answer["grammar"])
                compiled += 1
                fault = reason and f"compiles, and {engine} was to lack something"
            except (AssertionError, RuntimeError, ValueError) as error:
                lacking[f"{engine}: {name}"] += 1
                fault = None if reason and reason in str(error) else str(error)
            if fault:
                faults.append((name, line["id"], form, fault))
    refused = 0
    for name, schema in schemas.REFUSED.items():
        lines = [of_schema(layout, schema, place) for layout in LAYOUTS[1:] for place in ("tool", "answer")]
        for line, form, answer in asked_in(renderer, lines, ["exact_lark"]):
            refused += not answer["ok"]
            if answer["ok"] or not answer["at"]:
                faults.append((name, line["id"], form, "is not refused with a path"))
    print(f"{len(schemas.CLIENTS)} schemas of clients: {compiled} grammars compile; the engines lack what these need: "
          f"{', '.join(sorted(lacking))}; {refused} requests with {len(schemas.REFUSED)} others are refused with a path")
    for one in faults[:20]:
        print("  ", *one)
    return not faults


def asked_in(renderer, lines, forms):
    """Each line in each form, with the answer."""
    asked = [(line, form) for line in lines for form in forms]
    answers = renderer.ask([{**line, "grammar": form} for line, form in asked])
    yield from ((line, form, answer) for (line, form), answer in zip(asked, answers))


def prove_forged(renderer, engines, rng):
    """Samples calls of tools whose schemas would forge, with every control token that is allowed taken."""
    ways, faults = 0, []
    for (name, schema), layout in itertools.product(schemas.FORGED.items(), LAYOUTS):
        controls = vocabulary(layout).controls
        allowed = {controls.get(token) for token in ("[TOOL_CALLS]", "[CALL_ID]", "[ARGS]", "[THINK]", "[/THINK]")}
        forms = ["lark", "exact_lark", "structural_tag"]
        for line, texts in grammars(renderer, [of_schema(layout, schema, "tool")], forms):
            for form, text in texts.items():
                # mistral-common prints the options of a schema as they are, and llguidance heeds them.
                if (name, form) == ("options", "lark"):
                    continue
                for _ in range(2):
                    said = [token for token in forced(engines, layout, form, text, rng) if token in vocabulary(layout).names]
                    ways += 1
                    if len(set(said)) < len(said) or not set(said) <= allowed:
                        faults.append((name, layout, form, [vocabulary(layout).names[token] for token in said]))
    print(f"{ways} calls of tools with {len(schemas.FORGED)} forged schemas: {len(faults)} have a control token of their own")
    for one in faults[:20]:
        print("  ", *one)
    return not faults


def forced(engines, layout, form, text, rng):
    """An answer in which every control token is taken as soon as it is allowed."""
    words = vocabulary(layout)
    is_tag = form == "structural_tag"
    matcher = engines.tag(layout, text) if is_tag else engines.lark(layout, text)
    bitmask = xgrammar.allocate_token_bitmask(1, len(words.bytes))
    ids = []
    while len(ids) < 60 and not (matcher.is_terminated() if is_tag else matcher.is_stopped()):
        if is_tag:
            matcher.fill_next_token_bitmask(bitmask)
            mask = bitmask.numpy().view(numpy.uint8)
        else:
            mask = numpy.frombuffer(matcher.compute_bitmask(), dtype=numpy.uint8)
        is_allowed = numpy.unpackbits(mask.ravel(), bitorder="little")[:len(words.bytes)]
        # `render_jsonl` knows the control tokens of the layout alone; a tag's free text may hold the others.
        is_allowed[[token for token, name in words.names.items() if OTHERS.match(name)]] = 0
        controls = [token for token in words.names if token != EOS and is_allowed[token]]
        allowed = controls or numpy.flatnonzero(is_allowed)
        if not len(allowed):
            break
        token = int(allowed[rng.randrange(len(allowed))])
        if token == EOS:
            break
        matcher.accept_token(token) if is_tag else matcher.consume_token(token)
        ids.append(token)
    return ids


def answers_in(segments):
    """The parts of a prompt that a model answered with, those with calls."""
    answer = None
    for segment in [*segments, {"control": "the end"}]:
        control = segment.get("control")
        if control in ("[/INST]", "[/TOOL_RESULTS]", "[INST]", "[TOOL_RESULTS]", "[SYSTEM_PROMPT]", "</s>", "the end"):
            if answer and {"control": "[TOOL_CALLS]"} in answer:
                yield answer + ([segment] if control == "</s>" else [])
            answer = [] if control in ("[/INST]", "[/TOOL_RESULTS]") else None
        elif answer is not None:
            answer.append(segment)


def golden_answers():
    seen = set()
    for file in sorted((ROOT / "tests/goldens/mistral_common").glob("*.jsonl")):
        for text in open(file, encoding="utf-8"):
            golden = json.loads(text)
            layout = re.sub(r"\+(image|audio|plainthink)", "", golden["version"])
            if golden.get("kind") == "instruct" or "segments" not in golden:
                continue
            for answer in answers_in(golden["segments"]):
                key = (layout, json.dumps(answer))
                if key not in seen:
                    seen.add(key)
                    yield golden["id"], layout, answer


def arguments_in(answer):
    """The arguments of the calls of an answer, as they stand there."""
    for before, segment in zip(answer, answer[1:]):
        text = segment.get("text", "")
        if before.get("control") == "[ARGS]":
            yield text
        elif before.get("control") == "[TOOL_CALLS]":
            # A name that holds this is none of ours.
            start = text.find(ARGUMENTS)
            while start >= 0:
                start += len(ARGUMENTS)
                end = json.JSONDecoder().raw_decode(text, start)[1]
                yield text[start:end]
                start = text.find(ARGUMENTS, end)


def impossible(answer, calls):
    """Why no grammar allows an answer that a golden holds, if so: mistral-common prints more than models are to write."""
    if any(pair == ({"control": "[THINK]"}, {"control": "[/THINK]"}) for pair in zip(answer, answer[1:])):
        return "thinking that is empty, which the grammars of mistral-common refuse too"
    if any((call.get("id") or "").endswith("\n") for call in calls):
        return "an id with a newline behind its nine characters, which only Python's `$` lets pass"
    constants = []
    for text in arguments_in(answer):
        if not isinstance(json.loads(text, parse_constant=constants.append), dict):
            return "arguments that are not an object"
    return "NaN or Infinity, which are not JSON" if constants else None


def prove_goldens(renderer, engines):
    answers = list(golden_answers())
    read = renderer.ask([{"version": layout, "completion": answer} for _, layout, answer in answers])
    accepted = refused = 0
    kinds, odd = Counter(), []
    for (name, layout, answer), message in zip(answers, read):
        calls = message["message"]["tool_calls"]
        kind = impossible(answer, calls)
        kinds[kind] += 1
        names = sorted({call["function"]["name"] for call in calls})
        tools = [tool(name) for name in [*names, "other"]]
        base = {"messages": [{"role": "user", "content": "q"}], "tools": tools}
        other = {"type": "function", "function": {"name": "other"}}
        lines = [{"version": layout, "request": {**base, "tool_choice": choice}} for choice in ("auto", "none", other)]
        ids = list(vocabulary(layout).ids(answer))
        for line, texts in grammars(renderer, lines, ["exact_lark", "structural_tag"]):
            verdicts = (engines.lark_accepts(layout, texts["exact_lark"], ids),
                        engines.tag_accepts(layout, texts["structural_tag"], ids))
            wanted = line["request"]["tool_choice"] == "auto" and not kind
            if verdicts == (wanted, wanted):
                accepted, refused = accepted + wanted, refused + (not wanted)
            else:
                odd.append((name, layout, line["request"]["tool_choice"], verdicts, answer))
    print(f"{len(answers)} answers of goldens: {accepted} accepted by both engines, {refused} times refused by both where they "
          f"are not allowed, {len(odd)} not as they should be; allowed nowhere:")
    for kind, count in kinds.items():
        if kind:
            print(f"  {count:3} have {kind}")
    for one in odd[:20]:
        print("  ", *one)
    return not odd


def sample(matcher, words, rng):
    """An answer under a grammar: random tokens, with a liking for control tokens and for what ends things."""
    ids = []
    while not matcher.is_stopped() and len(ids) < 400:
        mask = numpy.frombuffer(matcher.compute_bitmask(), dtype=numpy.uint8)
        allowed = numpy.flatnonzero(numpy.unpackbits(mask, bitorder="little"))
        if not len(allowed):
            break
        liked = words.liked[numpy.isin(words.liked, allowed, assume_unique=True)]
        ending = words.ending[numpy.isin(words.ending, allowed, assume_unique=True)]
        if len(liked) and rng.random() < 0.25:
            token = int(rng.choice(liked))
        elif len(ending) and rng.random() < min(0.97, 0.1 + len(ids) / 40):
            token = int(rng.choice(ending))
        else:
            token = int(allowed[rng.randrange(len(allowed))])
        if token == EOS:
            return ids
        matcher.consume_token(token)
        ids.append(token)
    if matcher.is_error():
        raise AssertionError(matcher.get_error())
    return ids if at_end(matcher) else None


class Words:
    def __init__(self, vocabulary):
        self.liked = numpy.array(sorted(vocabulary.names))
        ends = {b'"', b"}", b"]", b'"}', b'"]', b"}}", b'":', b":", b"0", b"true"}
        self.ending = numpy.array(sorted({EOS} | {i for i, piece in enumerate(vocabulary.bytes) if piece in ends}))


def prove_samples(renderer, engines, count, seed):
    rng = random.Random(seed)
    ready, seen = [], set()
    for line, texts in grammars(renderer, list(requests()), ["exact_lark"]):
        key = (line["version"], texts["exact_lark"])
        if key not in seen:
            seen.add(key)
            ready.append((line, texts["exact_lark"]))
    words = {layout: Words(vocabulary(layout)) for layout in LAYOUTS}
    samples, endless, unpaired = [], 0, 0
    for line, grammar in itertools.cycle(ready):
        if len(samples) == count:
            break
        layout = line["version"]
        ids = sample(engines.lark(layout, grammar), words[layout], rng)
        answer = [*vocabulary(layout).segments(ids or []), {"control": "</s>"}]
        call_ids = [text["text"] for control, text in zip(answer, answer[1:]) if control == {"control": "[CALL_ID]"}]
        if ids is None:
            endless += 1
        elif len(set(call_ids)) < len(call_ids):
            unpaired += 1
        else:
            samples.append((line, answer))
    messages = renderer.ask([{"version": line["version"], "completion": answer} for line, answer in samples])
    faults, calls, texts = [], 0, 0
    for (line, answer), read in zip(samples, messages):
        fault = None if read["ok"] else read["error"]
        if not fault:
            made = read["message"].get("tool_calls") or []
            calls, texts = calls + len(made), texts + (not made)
            fault = fault_of(line, read["message"], made)
        if fault:
            faults.append((line["id"], fault, answer))
    good = [(line, answer, read) for (line, answer), read in zip(samples, messages) if read["ok"]]
    same = rendered_again(renderer, good, faults)
    print(f"{len(samples)} answers sampled under {len(ready)} grammars ({endless} more did not end in 400 tokens, {unpaired} more "
          f"had two calls with one id, which no prompt has): "
          f"{calls} calls, {texts} answers without; {len(faults)} faults. Rendered to the same bytes:")
    for kind, number in same.items():
        print(f"  {number:5} {kind}")
    for one in faults[:20]:
        print("  ", *one)
    return not faults


def fault_of(line, message, calls):
    request = line["request"]
    tools = {one["function"]["name"]: one["function"] for one in request.get("tools", [])}
    choice = request["tool_choice"]
    named = choice["function"]["name"] if isinstance(choice, dict) else None
    form = request.get("response_format")
    if choice == "none" and calls:
        return "calls, and none are allowed"
    if (choice == "required" or named) and tools and not calls:
        return "no call, and one is required"
    if not request["parallel_tool_calls"] and len(calls) > 1:
        return "several calls, and one is allowed"
    for call in calls:
        name, arguments = call["function"]["name"], json.loads(call["function"]["arguments"])
        if name not in tools or named not in (None, name):
            return f"{name!r} is not allowed"
        if not isinstance(arguments, dict):
            return f"the arguments {arguments} are not an object"
        if tools[name]["strict"] and tools[name]["parameters"]:
            jsonschema.validate(arguments, tools[name]["parameters"])
    if form and not calls:
        text = text_of(message["content"])
        value = json.loads(text)
        jsonschema.validate(value, form.get("json_schema", {}).get("schema", {"anyOf": [{"type": "object"}, {"type": "array"}]}))
    return None


def text_of(content):
    if isinstance(content, str):
        return content
    return "".join(chunk.get("text", "") for chunk in content or [])


def rendered_again(renderer, good, faults):
    """Renders what was read: how many are the same bytes, as they are or once Python has written their arguments."""
    lines = []
    for line, _, read in good:
        message = {key: value for key, value in read["message"].items() if value not in (None, [])}
        # A layout that writes no ids wants one of each call all the same.
        for index, call in enumerate(message.get("tool_calls", [])):
            if call.get("id") in (None, "null") and line["version"] in IDS_ARE_NOT_WRITTEN:
                call["id"] = f"call{index:05}"
        request = {"messages": [{"role": "user", "content": "q"}, {**message, "prefix": False}]}
        lines.append({"version": line["version"], "mode": "finetuning", "request": request})
    same = Counter()
    for (line, answer, read), rendered in zip(good, renderer.ask(lines)):
        if not rendered["ok"]:
            faults.append((line["id"], "is not rendered: " + rendered["error"], answer))
            continue
        part = joined(rendered["segments"][segment_after_question(rendered["segments"]):])
        kind, printed = as_python_prints(answer, read["message"].get("tool_calls") or [], strict_names(line))
        if part == printed and kind:
            same[kind] += 1
        else:
            faults.append((line["id"], f"is not rendered to the same bytes, {kind}", answer, part))
    return same


def strict_names(line):
    return {one["function"]["name"] for one in line["request"].get("tools", []) if one["function"]["strict"]}


def as_python_prints(answer, calls, strict):
    """The answer with the arguments as Python writes them, and how that is: none where nothing excuses a difference."""
    kind = "as they are"
    for call, text in zip(calls, arguments_in(answer), strict=True):
        twice = []
        value = json.loads(text, object_pairs_hook=lambda pairs: twice.append(len(dict(pairs)) < len(pairs)) or dict(pairs))
        printed = json.dumps(value, ensure_ascii=False)
        if printed == text:
            continue
        if any(twice):
            kind = "with a key that came twice written once"
        elif call["function"]["name"] in strict and re.sub(NUMBER, "", printed) == re.sub(NUMBER, "", text):
            kind = "with the numbers of a strict schema in Python's spelling"
        else:
            return None, answer
        answer = [{"text": one["text"].replace(text, printed, 1)} if text in one.get("text", "") else one for one in answer]
    return kind, answer


def joined(segments):
    """Segments with neighbouring texts as one."""
    merged = []
    for is_text, run in itertools.groupby(segments, lambda segment: "text" in segment):
        if is_text:
            merged.append({"text": "".join(segment["text"] for segment in run)})
        else:
            merged.extend(run)
    return merged


def segment_after_question(segments):
    at = max(i for i, segment in enumerate(segments) if segment.get("text", "").rstrip().endswith("[/INST]")
             or segment.get("control") == "[/INST]")
    return at + 1


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", default=str(ROOT / "target/debug/examples/render_jsonl"))
    parser.add_argument("--answers", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    renderer, engines = Renderer(options.binary), Engines()
    compile_all(renderer, engines)
    fine = prove_schemas(renderer, engines)
    fine &= prove_forged(renderer, engines, random.Random(options.seed))
    fine &= prove_goldens(renderer, engines)
    fine &= prove_samples(renderer, engines, options.answers, options.seed)
    sys.exit(0 if fine else 1)


if __name__ == "__main__":
    main()
