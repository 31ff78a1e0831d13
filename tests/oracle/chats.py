"""A seed and a number in, a random case out: chats over every layout, mode and kind, about half of them faulty.

A chat is first made as its layout wants it, then up to three things are done to it that somebody might get wrong.
No request has a field that mistral-common does not know (it refuses those; a formatter may well ignore them), nor
text that is not Unicode, nor media that only a reader of the media could refuse.
"""
from random import Random

from compact import Raw, written

LABELS = (
    "v1 v1-tekken v2 v2-tekken v3 v3+image v3-tekken v3-tekken+image v7 v7+image v7-tekken v7-tekken+image "
    "v7-tekken+audio v11 v11+image v11+audio v13 v13+think v13+image+think v13+audio v15 v15+think "
    "v15+image+think v15+audio v15+image+audio v1-spm v3-spm v11-tekken v15-tekken+think"
).split()

WORDS = ["Hello", "what is", "a", "the weather", "Paris?", "42", "été", "日本語", "مرحبا", "👩‍💻", "é", "ﬁ", "naïve"]
BLANKS = ["", "", " ", "  ", "\n", "\t", "\r\n", "\u00a0", "\u2028", "\u200b", "\u3000"]
LITERALS = (
    "[INST] [/INST] <s> </s> [TOOL_CALLS] [AVAILABLE_TOOLS] [TOOL_RESULTS] [/TOOL_RESULTS] [SYSTEM_PROMPT] "
    "[/SYSTEM_PROMPT] [TOOL_CONTENT] [ARGS] [CALL_ID] [IMG] [IMG_END] [AUDIO] [THINK] [/THINK] [MODEL_SETTINGS] "
    "[PREFIX] [SUFFIX] [MIDDLE] <unk> <pad> [INST [/INST ] ]["
).split()
ODD = ["\\", '"', "'", "<&>", "{{ x }}", "{% raw %}", "▁", "☺", "☺️", "\u0000", "\u007f", "\u001b", "\ufeff", "\ufffd", "\ue000", "𐀀", "\u0301"]
NUMBERS = (
    "0 1 -1 22 007 -0 -0.0 1.0 1.50 0.1 1e5 1E5 1e-5 1e-7 1.5e300 1e22 1e16 123456789.123456789 5e-324 1e400 -1e400 1e-400 "
    "9007199254740993 123456789012345678901234567890 0.1e1 100000000000000000000.0 NaN Infinity -Infinity"
).split()
STRICT_NUMBERS = [n for n in NUMBERS if n not in ("007", "NaN", "Infinity", "-Infinity")]
NAMES = ["look", "get_weather", "a-b", "X9", "n" * 64]
BAD_NAMES = ["", "a b", "look\n", "look\n\n", "n" * 65, "é", "a.b", "\nlook", "look\r"]
BAD_IDS = ["", "null", "x", "abcdef12", "abcdef1234", "abcdef123\n", "abcdef12\n", "abc-ef123", "äbcdef123", "a long [ARGS] id"]
BAD_JSON = ["{", "{'a': 1}", "[1,]", "city=Paris", "nan", "+1", ".5", "1.", "{} {}", "\ufeff{}", "\u00a0{}", '"a\nb"', r'"\x41"', "tru", "-"]
SCHEMAS = [
    "{}",
    '{"type": "object", "properties": {}}',
    '{"type": "object", "properties": {"city": {"type": "string", "description": "où?"}}, "required": ["city"]}',
    '{"properties": {"z": {"enum": [1, 1.0, null]}, "a": {"default": 1e5}}, "additionalProperties": false}',
    '{"a": 1, "b": 2, "a": {"x": "</s>"}}',
    '{"type": ["object", "null"], "$defs": {"x": {}}, "anyOf": [{"type": "object"}, true]}',
    '{"minLength": 1.0, "default": {"type": "objekt"}, "$defs": 5, "items": [{}, true]}',
    '{"x-any": [NaNs, {"deep": [[[]]]}]}'.replace("NaNs", "1E400"),
]
BAD_SCHEMAS = [
    '{"type": "objekt"}',
    '{"type": 5}',
    '{"properties": []}',
    '{"required": "x"}',
    '{"required": ["a", "a"]}',
    '{"minimum": "a"}',
    '{"anyOf": []}',
    '{"minLength": 1.5}',
    '{"properties": {"a": {"items": 5}}}',
    '{"definitions": {"a": {"not": {"title": null}}}}',
]
EFFORTS = ["none", "minimal", "low", "medium", "high", "xhigh", "max"]
EFFORT = {"values": ["none", "high"], "default": "none"}
BUILDERS = [
    None,
    {},
    {"reasoning_effort": EFFORT},
    {"reasoning_effort": {"values": ["high"], "default": "high"}},
    {"reasoning_effort": {"type": "enum", "accepts_none": True, "values": EFFORTS, "default": "medium"}},
    {"json_schema": {}},
    {"json_schema": {"type": "json_schema", "accepts_none": False, "default": None}, "reasoning_effort": EFFORT},
    {"reasoning_effort": EFFORT, "json_schema": None},
]
IMAGES = [
    "http://example.com/a.png",
    "https://example.com/b?c=d#[IMG]",
    "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR4nGP4z8AAAAMBAQDJ/pLvAAAAAElFTkSuQmCC",
]
SOUND = "UklGRigAAABXQVZFZm10IBAAAAABAAEAQB8AAEAfAAABAAgAZGF0YQQAAACAgICA"


class Writer:
    """Makes the parts of one chat."""

    def __init__(self, rng, label):
        self.rng, self.features = rng, set(label.split("+")[1:])
        self.version = int(label.split("+")[0].split("-")[0][1:])
        self.used = 0

    def chance(self, probability):
        return self.rng.random() < probability

    def pick(self, values):
        return self.rng.choice(values)

    # --- texts and JSON

    def text(self):
        if self.chance(0.12):
            return self.pick(BLANKS)
        parts = [self.pick(WORDS)]
        while self.chance(0.45):
            pool = WORDS if self.chance(0.5) else self.pick([BLANKS, LITERALS, ODD])
            parts.insert(self.rng.randrange(len(parts) + 1), self.pick(pool))
        if self.chance(0.2):
            parts.append(self.pick([" ", "  ", "\n"]))
        return self.pick(["", " "]).join(parts)

    def json(self, numbers=NUMBERS, depth=0):
        """JSON text, spelled as people and models spell it."""
        gap = self.pick(["", " ", " ", "\n\t"])
        kinds = ["string", "string", "number", "word"] + (["object", "object", "array"] if depth < 3 else [])
        kind = "object" if depth == 0 and self.chance(0.8) else self.pick(kinds)
        if kind == "object":
            keys = [self.pick(["a", "b", "city", "é", "a", "", "</s>"]) for _ in range(self.rng.randrange(4))]
            members = [f"{self.quoted(k)}{gap}:{gap}{self.json(numbers, depth + 1)}" for k in keys]
            return "{" + gap + f",{gap}".join(members) + gap + "}"
        if kind == "array":
            items = [self.json(numbers, depth + 1) for _ in range(self.rng.randrange(3))]
            return "[" + gap + f",{gap}".join(items) + gap + "]"
        if kind == "number":
            return self.pick(numbers)
        if kind == "word":
            return self.pick(["true", "false", "null"])
        return self.quoted(self.text())

    def quoted(self, text):
        """A JSON string; some characters spelled as escapes."""
        quoted = written(text)
        if self.chance(0.2):
            quoted = quoted.replace("/", "\\/").replace("é", "\\u00e9").replace("𐀀", "\\ud800\\udc00")
        return quoted

    # --- chunks and contents

    def chunks(self, *kinds):
        return [self.chunk(self.pick(kinds)) for _ in range(self.rng.choice([0, 1, 1, 2, 2, 3, 4]))]

    def chunk(self, kind):
        if kind == "image":
            url = self.pick(IMAGES)
            forms = [url, {"url": url}, {"url": url, "detail": "low"}]
            return {"type": "image_url", "image_url": self.pick(forms)}
        if kind == "audio":
            return {"type": "input_audio", "input_audio": self.pick([SOUND, {"data": SOUND, "format": "wav"}])}
        if kind == "audio_url":
            url = self.pick(["data:audio/wav;base64," + SOUND, "https://example.com/a.wav"])
            return {"type": "audio_url", "audio_url": self.pick([url, {"url": url}])}
        if kind == "think":
            chunk = {"type": "thinking", "thinking": self.text()}
            return {**chunk, "closed": self.chance(0.5)} if self.chance(0.4) else chunk
        return {"type": "text", "text": self.text()}

    def media(self):
        audio = ["audio", "audio", "audio_url"] if "audio" in self.features else []
        return (["image"] * 2 if "image" in self.features else []) + audio

    def content(self, *more, lists=0.2):
        return self.chunks("text", "text", *more) if self.chance(lists) else self.text()

    # --- messages

    def user(self):
        media = self.media()
        return {"role": "user", "content": self.content(*media, lists=0.5 if media else 0.2)}

    def system(self):
        return {"role": "system", "content": self.content(*(["think"] if "think" in self.features and self.version == 13 and self.chance(0.3) else []))}

    def reply(self):
        think = ["think"] if "think" in self.features else []
        content = self.content(*think, lists=0.5 if think else 0.15)
        if not any(c.get("text") or c.get("thinking") for c in content if isinstance(c, dict)) and not isinstance(content, str) or content == "":
            content = self.pick(WORDS) if self.chance(0.9) else content
        return {"role": "assistant", "content": content}

    def call_id(self):
        self.used += 1
        if self.version >= 13 and self.chance(0.3):
            return f"call {self.used} [CALL_ID] é"
        return f"{self.rng.getrandbits(16):04x}{self.used:05d}"

    def call(self):
        style = self.rng.random()
        if style < 0.55:
            arguments = self.json()
        elif style < 0.8:
            arguments = Raw(self.json(STRICT_NUMBERS).replace("\n", " "))  # a case is one line
            if not arguments.lstrip().startswith("{"):
                arguments = Raw("{}")
        elif style < 0.9:
            arguments = self.pick(["", None, "{}", "null", "[]", " {} "])
        else:
            arguments = self.pick(BAD_JSON)
        function = {"name": self.pick(NAMES), "arguments": arguments}
        call = {"id": self.call_id(), "type": "function", "function": function}
        if self.chance(0.1):
            del call["type"]
        return call

    def result(self, call):
        if self.version == 15 and self.media() and self.chance(0.4):
            content = self.chunks("text", *self.media())
        elif self.chance(0.35):
            content = self.pick([self.json(), self.pick(BAD_JSON), self.pick(NUMBERS)])
        else:
            content = self.content()
        result = {"role": "tool", "content": content}
        if self.version > 2 or self.chance(0.5):
            result["tool_call_id"] = call.get("id")
        if self.chance(0.3) or self.version == 2:
            result["name"] = self.pick([call["function"]["name"], *NAMES])
        return result

    def round(self):
        """An assistant's calls and their results."""
        count = self.pick([1, 1, 1, 2] if self.version == 2 else [1, 1, 2, 3])
        calls = [self.call() for _ in range(count)]
        message = {"role": "assistant", "content": self.pick([None, "", None])}
        if self.version >= 7 and self.chance(0.3):
            message = self.reply()
        if message["content"] is None and self.chance(0.3):
            del message["content"]
        results = [self.result(call) for call in calls]
        if self.chance(0.3):
            self.rng.shuffle(results)
        return [{**message, "tool_calls": calls}, *results]

    def messages(self, mode):
        alone = "audio" in self.features and self.version < 13 and self.chance(0.8)  # audio and system exclude each other
        messages = [self.system() for _ in range(0 if alone else self.pick([0, 0, 1, 1, 1, 2]))]
        if self.chance(0.06):
            messages += [self.reply()]
        for _ in range(self.pick([1, 1, 2, 2, 3])):
            messages += [self.user() for _ in range(self.pick([1, 1, 1, 1, 2]))]
            if self.chance(0.08) and not alone:
                messages += [self.system(), *([self.user()] if self.chance(0.7) else [])]
            while self.version > 1 and self.chance(0.25):
                messages += self.round()
            messages += [self.reply() for _ in range(self.pick([1, 1, 1, 1, 2]))]
        if mode in ("test", "serving"):
            if self.chance(0.15):
                messages[-1]["prefix"] = True
            else:
                while messages[-1]["role"] == "assistant" and "tool_calls" not in messages[-1]:
                    messages.pop()
        elif mode == "agnostic":
            messages = messages[: self.rng.randrange(1, len(messages) + 1)]
        return messages or [self.user()]

    def tool(self):
        function = {"name": self.pick(NAMES), "parameters": Raw(self.pick(SCHEMAS))}
        if self.chance(0.7):
            function["description"] = self.text()
        if self.chance(0.2):
            function["strict"] = self.chance(0.5)
        if self.chance(0.3):
            function = dict(reversed(function.items()))
        tool = {"type": "function", "function": function}
        if self.chance(0.1):
            del tool["type"]
        return tool

    def response_format(self):
        schema = {"name": "n", "schema": Raw(self.pick(SCHEMAS))}
        if self.chance(0.4):
            schema |= {"description": "d", "strict": self.chance(0.5)}
        return self.pick([{"type": "text"}, {"type": "json_object"}, {"type": "json_schema", "json_schema": schema}, {}])


def damage(w, request):
    """Does one wrong or unusual thing to a chat."""
    messages = request["messages"]
    at = w.rng.randrange(len(messages)) if messages else 0
    message = messages[at] if messages else {}
    calls = [c for m in messages for c in m.get("tool_calls") or []]
    results = [m for m in messages if m["role"] == "tool"]
    act = w.pick(DAMAGES)
    if act == "drop":
        del messages[at : at + 1]
    elif act == "repeat" and messages:
        messages.insert(at, dict(message))
    elif act == "swap" and messages:
        other = w.rng.randrange(len(messages))
        messages[at], messages[other] = messages[other], messages[at]
    elif act == "cut":
        del messages[at:]
    elif act == "cut_start":
        del messages[:at]
    elif act == "insert":
        messages.insert(at, w.pick([w.user, w.system, w.reply])())
    elif act == "stray_result":
        messages.insert(at, w.result(w.pick(calls) if calls else w.call()))
    elif act == "content" and messages:
        message["content"] = w.pick(["", " ", "  ", [], [{"type": "text", "text": ""}], None])
    elif act == "no_content":
        message.pop("content", None)
    elif act == "chunk" and messages:
        message["content"] = w.chunks("text", w.pick(["image", "audio", "audio_url", "think"]))
    elif act == "calls" and messages:
        for other in messages:
            if other["role"] == "assistant" and w.chance(0.5):
                other["tool_calls"] = w.pick([[], None, [w.call()]])
    elif act == "text_beside_calls":
        for other in messages:
            if other.get("tool_calls"):
                other["content"] = w.text()
    elif act == "id" and calls:
        w.pick(calls)["id"] = w.pick([*BAD_IDS, w.pick(calls).get("id", "null")])
    elif act == "id_everywhere" and calls:
        old, new = w.pick(calls).get("id"), w.pick(BAD_IDS)
        for call in calls:
            if call.get("id") == old:
                call["id"] = new
        for found in results:
            if found.get("tool_call_id") == old:
                found["tool_call_id"] = new
    elif act == "no_id" and calls:
        w.pick(calls).pop("id", None)
    elif act == "result_id" and results:
        w.pick(results)["tool_call_id"] = w.pick([*BAD_IDS, None])
    elif act == "no_result_id" and results:
        w.pick(results).pop("tool_call_id", None)
    elif act == "result_name" and results:
        w.pick(results)["name"] = w.pick([*BAD_NAMES, None])
    elif act == "name" and calls:
        w.pick(calls)["function"]["name"] = w.pick(BAD_NAMES)
    elif act == "prefix" and messages:
        for other in messages:
            if other["role"] == "assistant" and w.chance(0.5):
                other["prefix"] = w.chance(0.8)
    elif act == "weight":
        for other in messages:
            if other["role"] == "assistant" and w.chance(0.7):
                other["weight"] = w.pick([0, 1, None, 1.0, 0.5, 2, -1])
    elif act == "tool_name" and request.get("tools"):
        w.pick(request["tools"])["function"]["name"] = w.pick(BAD_NAMES)
    elif act == "tool_schema" and request.get("tools"):
        w.pick(request["tools"])["function"]["parameters"] = Raw(w.pick(BAD_SCHEMAS))
    elif act == "effort":
        request["reasoning_effort"] = w.pick([*EFFORTS, None, "extreme"])
    elif act == "format":
        request["response_format"] = w.pick([
            {"type": "json_schema"},
            {"type": "yaml"},
            {"type": "json_schema", "json_schema": {"name": "n", "schema": Raw(w.pick(BAD_SCHEMAS))}},
            {"type": "json_schema", "json_schema": {"schema": {}}},
        ])
    elif act == "no_model":
        request.pop("model", None)


DAMAGES = (
    "drop drop repeat swap swap cut cut_start insert insert insert stray_result content content content no_content "
    "chunk chunk chunk calls text_beside_calls id id id_everywhere id_everywhere no_id result_id no_result_id "
    "result_name name prefix prefix weight tool_name tool_schema effort effort format no_model no_model"
).split()


def settle_weights(fields, request):
    """Weights are a field that only finetuning messages know."""
    if fields.get("finetuning_messages"):
        return
    for message in request["messages"]:
        message.pop("weight", None)


def to_openai(w, request):
    """What an OpenAI client adds to, and leaves out of, the same request."""
    for message in request["messages"]:
        message.pop("prefix", None)
        if message["role"] == "system" and w.chance(0.3):
            message["role"] = "developer"
        elif message["role"] == "assistant" and w.chance(0.25):
            message[w.pick(["reasoning", "reasoning_content"])] = w.pick([w.text(), None, ""])
            if w.chance(0.2):
                message["reasoning"] = w.pick([None, "t"])
        if w.chance(0.1):
            message[w.pick(["name_", "refusal", "annotations", "audio"])] = None
        for call in message.get("tool_calls") or []:
            if w.chance(0.2):
                call["index"] = 0
    for tool in request.get("tools") or []:
        if w.chance(0.2):
            tool["function"][w.pick(["parameters", "description", "strict"])] = None
        if w.chance(0.1):
            tool["function"].pop("parameters", None)
    if w.chance(0.1):
        request[w.pick(["stream", "n", "stop", "user"])] = None
    if w.chance(0.1):
        request["parallel_tool_calls"] = None
    last = request["messages"][-1]["role"] if request["messages"] else None
    if w.chance(0.7 if last == "assistant" else 0.06):
        request["continue_final_message"] = w.chance(0.8)


def case(seed, index):
    """The line of one case; the same for the same seed and index."""
    rng = Random(f"{seed}/{index}")
    label = rng.choice(LABELS)
    w = Writer(rng, label)
    fields = {"id": f"{seed}/{index}", "version": label}
    if w.chance(0.04):
        request = {"prompt": w.text()}
        if w.chance(0.8):
            request["suffix"] = w.pick([w.text(), w.text(), w.text(), None, w.pick(ODD)])
        return written({**fields, "kind": "fim", "request": request})
    mode = w.pick(["test", "test", "test", "serving", "finetuning", "agnostic"])
    openai = w.chance(0.2)
    if openai:
        fields["kind"] = "openai"
    if mode != "test":
        fields["mode"] = mode
    if w.chance(0.4 if mode in ("finetuning", "agnostic") else 0.05) and not openai:
        fields["finetuning_messages"] = True
    if w.version == 15 and w.chance(0.4):
        fields["options"] = {"settings_builder": w.pick(BUILDERS)}
    request = {"messages": w.messages(mode)}
    if fields.get("finetuning_messages") and w.chance(0.5):
        for message in request["messages"]:
            if message["role"] == "assistant":
                message["weight"] = w.pick([0, 1, 1, None, 1.0])
    if mode == "serving" or w.chance(0.1):
        request["model"] = "m"
    if w.chance(0.35):
        request["tools"] = [w.tool() for _ in range(w.pick([0, 1, 1, 2, 3]))]
    if w.chance(0.3 if w.version == 15 else 0.05):
        request["reasoning_effort"] = w.pick(["none", "high", *EFFORTS] if w.version == 15 else [None])
    if w.chance(0.3 if w.version == 15 else 0.08):
        request["response_format"] = w.response_format()
    if w.chance(0.1):
        named = {"type": "function", "function": {"name": "look"}}
        request["tool_choice"] = w.pick(["auto", "none", "any", "required", named])
    if w.chance(0.1):
        request |= {"temperature": 0.5, "parallel_tool_calls": w.chance(0.5)}
    if w.chance(0.5):
        for _ in range(w.pick([1, 1, 2, 3])):
            damage(w, request)
    settle_weights(fields, request)
    if openai:
        to_openai(w, request)
    return written({**fields, "request": request})
