"""Compares the crate's Python JSON and its schema check with Python itself.

    cargo build --release --example python_json
    python3 tests/oracle/python_json.py --count 300000 --seed 1
    python3 tests/oracle/python_json.py --schemas --count 50000      # needs `pip install jsonschema`
    python3 tests/oracle/python_json.py --patterns --count 50000
    python3 tests/oracle/python_json.py --goldens 400 > tests/goldens/python_json.jsonl
    (python3 tests/oracle/python_json.py --schemas --goldens 200;
     python3 tests/oracle/python_json.py --patterns --goldens 200) > tests/goldens/json_schema.jsonl

Python 3.11 is the reference. Each difference is printed as one JSON line; the last line is the sum.
"""

import argparse
import json
import random
import re
import subprocess
import sys
import warnings

BINARY = "target/release/examples/python_json"
BATCH = 20_000


# JSON texts

def random_text(rng):
    text = random_value(rng, rng.choice((0, 1, 2, 3, 5)))
    text = space(rng) + text + space(rng)
    if rng.random() < 0.35:
        text = mutate(rng, text)
    if rng.random() < 0.002:
        depth = rng.randrange(1, 200)
        text = "[" * depth + '{"a":' * depth + text + "}" * depth + "]" * depth
    return text


def space(rng):
    if rng.random() < 0.6:
        return ""
    if rng.random() < 0.5:
        return " "
    return "".join(rng.choice(" \t\n\r") for _ in range(rng.randrange(4)))


def random_value(rng, depth):
    kind = rng.random()
    if depth == 0 or kind < 0.35:
        return rng.choice((random_string, random_number, random_word))(rng)
    between = space(rng) + "," + space(rng)
    size = rng.choice((0, 1, 2, 3, 4, 9, 12, 40)) if depth < 3 else rng.randrange(4)
    if kind < 0.6:
        items = between.join(random_value(rng, depth - 1) for _ in range(size))
        return "[" + space(rng) + items + space(rng) + "]"
    keys = rng.choice((None, ["a", "b", "\\u0061", "c"], ["k%d" % n for n in range(60)]))
    members = between.join(
        (random_string(rng) if keys is None else '"%s"' % rng.choice(keys))
        + space(rng) + ":" + space(rng) + random_value(rng, depth - 1)
        for _ in range(size)
    )
    return "{" + space(rng) + members + space(rng) + "}"


def random_word(rng):
    return rng.choice(("true", "false", "null", "true", "null", "NaN", "Infinity", "-Infinity"))


PIECES = [
    "a", "Paris", " ", "\\n", "\\t", "\\r", "\\b", "\\f", "\\\"", "\\\\", "\\/", "/", "\x7f", "\u2028", "é", "日本", "😀",
    "\u0301", "\ufeff", "<script>", "&", "'", "\\u00e9", "\\u00E9", "\\u0000", "\\u001f", "\\u0022", "\\u005c", "\\u002F",
    "\\ud83d\\ude00", "\\uD83D\\uDE00", "\\u2028", "the quick brown fox jumps over the lazy dog",
]
ODD_PIECES = ["\\ud83d", "\\ude00", "\\ud83d\\ud83d\\ude00", "\\ude00\\ud83d", "\\ud83d\\u0041", "\\\\ud800"]


def random_string(rng):
    pieces = rng.choices(PIECES, k=rng.choice((0, 1, 1, 2, 3, 8)))
    if rng.random() < 0.02:
        pieces.append(rng.choice(ODD_PIECES))
    return '"' + "".join(pieces) + '"'


def random_number(rng):
    sign = rng.choice(("", "", "-"))
    kind = rng.random()
    if kind < 0.3:
        return sign + str(rng.choice((0, 1, 7, 10, 255, 2**31, 2**53 + 1, 2**63, 2**64, 10**30, rng.getrandbits(80))))
    if kind < 0.4:
        return sign + repr(abs(rng.uniform(-1, 1)) * 10.0 ** rng.randrange(-320, 308))
    if kind < 0.6:
        return sign + "%d.%s" % (rng.choice((0, 0, 1, 12, rng.getrandbits(60))), random_digits(rng))
    if kind < 0.63:
        return sign + "%d%s" % (rng.getrandbits(rng.randrange(44, 56)), rng.choice((".25", ".75", ".125", ".375", ".0625")))
    if kind < 0.65:
        return sign + "%d.0" % (rng.getrandbits(rng.randrange(50, 62)) << rng.randrange(12))
    if kind < 0.8:
        fraction = rng.choice(("", "." + random_digits(rng)))
        exponent = rng.choice(("e", "E")) + rng.choice(("", "+", "-")) + rng.choice(("0", "00")) * rng.randrange(2)
        power = rng.choice((rng.randrange(25), rng.randrange(340), 99999))
        return sign + str(rng.choice((0, 1, 9, rng.getrandbits(60)))) + fraction + exponent + str(power)
    if kind < 0.99:
        return sign + str(rng.randrange(1000)) + rng.choice(("", ".0", ".5", ".50", ".25", ".00"))
    if kind < 0.998:
        return sign + "0." + "0" * rng.randrange(400) + random_digits(rng) * 3
    return sign + str(rng.randrange(1, 10)) + "3" * rng.choice((4298, 4299, 4300, 5000)) + rng.choice(("", "", ".5"))


def random_digits(rng):
    return "".join(rng.choice("0123456789") for _ in range(rng.choice((1, 2, 3, 8, 15, 17, 25))))


def mutate(rng, text):
    for _ in range(rng.choice((1, 1, 2))):
        at = rng.randrange(len(text) + 1)
        action = rng.random()
        if action < 0.4:
            text = text[:at] + text[at + 1:]
        elif action < 0.5:
            text = text[:at]
        else:
            odd = rng.choice('{}[]",:\\0123456789+-.eEuINtfn\'/ \n\t\x00\x1f\x0b\x0c\xa0\u2028\ufeff') \
                if rng.random() < 0.9 else rng.choice(("NaN", "\\u12", "\\x41", "//", "0x1", "01", "1.", ".5", "tru", "é"))
            text = text[:at] + odd + text[at + (action < 0.75):]
    return text


def expected_text(source):
    """What Python makes of the text: ("ok", text), ("syntax",) or ("value",)."""
    try:
        out = json.dumps(json.loads(source), ensure_ascii=False)
        out.encode()
    except json.JSONDecodeError:
        return ("syntax",)
    except (ValueError, UnicodeEncodeError):
        return ("value",)
    return ("ok", out)


def answered_text(answer):
    if answer["ok"]:
        return ("ok", answer["out"])
    return ("syntax",) if answer["syntax"] else ("value",)


TEXT_EDGES = [
    r'"\u0010\u000f\u001f\u0020"',
    '{"%s": 1, "%s": 2, "b": 3}' % ("a" * 600, "a" * 600),
    '{"b": 1, "%s": 2}' % ("a" * 600),
    '{"a": 1, "b": 2, "a": 3, "b": 4, "c": {"a": 5, "b": 6, "a": 7}, "a": 8}',
    # The nearest 16 digits of a power of two may be another number.
    "[7.120236347223045e-307, 7.120236347223044e-307, 5.641232424577593e-278]",
    "[0.00001, 0.00010, -0.00001, 0.0000, 123456789012.50, 1234567890123.50]",
]

# Schemas

TYPES = ["array", "boolean", "integer", "null", "number", "object", "string"]
SCHEMA = ["additionalItems", "additionalProperties", "contains", "propertyNames", "if", "then", "else", "not"]
TEXT = ["$id", "$schema", "$ref", "$comment", "title", "description", "format", "contentMediaType", "contentEncoding"]
COUNT = ["maxLength", "minLength", "maxItems", "minItems", "maxProperties", "minProperties"]
NUMBER = ["maximum", "minimum", "exclusiveMaximum", "exclusiveMinimum"]
NAMES = ["city", "a", "b", "type", "properties", "$ref", "x y", "é", ""]
NUMBERS = [0, 1, 5, -1, 2.5, 1.0, -0.0, 1e20, -2.0, 10**25, -(10**25), float("inf"), float("nan"), 1e-320]


def random_schema(rng, depth):
    if rng.random() < 0.08:
        return rng.random() < 0.5
    schema = {}
    for _ in range(rng.choice((0, 1, 2, 3, 5))):
        key, value = random_keyword(rng, depth)
        schema[key] = value
    return schema


def random_keyword(rng, depth):
    sub = lambda: random_schema(rng, depth - 1) if depth > 0 else {}
    several = lambda least: [sub() for _ in range(rng.randrange(least, 4))]
    kind = rng.randrange(14)
    if kind == 0:
        return "type", rng.choice(TYPES)
    if kind == 1:
        return "type", rng.sample(TYPES, rng.randrange(1, 4))
    if kind in (2, 3):
        return rng.choice(("properties", "definitions")), {rng.choice(NAMES): sub() for _ in range(rng.randrange(4))}
    if kind == 4:
        return rng.choice(("allOf", "anyOf", "oneOf", "items")), several(1)
    if kind == 5:
        return rng.choice(SCHEMA + ["items"]), sub()
    if kind == 6:
        return rng.choice(TEXT), rng.choice(("", "text", "#/definitions/a", "http://[", "\\"))
    if kind == 7:
        return rng.choice(COUNT), abs(rng.choice((0, 1, 3, 1.0, 10**25, -0.0)))
    if kind == 8:
        return rng.choice(NUMBER), rng.choice(NUMBERS)
    if kind == 9:
        return "required", rng.sample(NAMES, rng.randrange(4))
    if kind == 10:
        value = rng.choice(([], sub(), [1, "a", None], {"type": 5}, 3))
        return rng.choice((("enum", [value]), ("const", value), ("default", value), ("examples", [value]), ("x-own", value)))
    if kind == 11:
        return "dependencies", {rng.choice(NAMES): rng.choice((sub(), [], ["a", "b"])) for _ in range(rng.randrange(3))}
    if kind == 12:
        return rng.choice((("uniqueItems", True), ("readOnly", False), ("multipleOf", rng.choice((1, 0.5, 1e9)))))
    if rng.random() < 0.5:
        return "pattern", random_pattern(rng)
    return "patternProperties", {random_pattern(rng): sub() for _ in range(rng.randrange(3))}


def mutate_schema(rng, schema):
    """Replaces one value somewhere by one that may be of the wrong kind."""
    odd = rng.choice((None, True, False, 0, 1, -1, 1.5, "a", "string", "integer", "(", [], {}, ["a", "a"], [{}], [{}, 1],
                      ["string", "string"], ["string", 1], {"a": 1}, {"type": "int"}, rng.choice(NUMBERS), {"(": {}}))
    if not isinstance(schema, (dict, list)) or not schema or rng.random() < 0.2:
        return odd
    key = rng.choice(list(schema)) if isinstance(schema, dict) else rng.randrange(len(schema))
    changed = schema.copy()
    changed[key] = mutate_schema(rng, schema[key])
    return changed


def random_schema_text(rng):
    schema = random_schema(rng, rng.randrange(4))
    if rng.random() < 0.5:
        schema = mutate_schema(rng, schema)
    text = json.dumps(schema, ensure_ascii=rng.random() < 0.5)
    if rng.random() < 0.1:
        at = text.find("{") + 1
        if at and text[at] != "}":
            key, value = random_keyword(rng, 1)
            text = text[:at] + json.dumps(key) + ": " + json.dumps(mutate_schema(rng, value)) + ", " + text[at:]
    return text


SCHEMA_EDGES = ['{"minLength": 1%s}' % ("0" * 400), '{"minLength": -1%s}' % ("0" * 400), '{"minLength": 1e999}']

PATTERN_PIECES = [
    "a", "b", "z", "0", "1", "9", "-", ",", "^", "$", ".", "|", "*", "+", "?", "{", "}", "{2}", "{2,3}", "{,}", "{3,2}", "(", ")", "[",
    "]", "(?:", "(?=", "(?!", "(?<=", "(?<!", "(?>", "(?P<n>", "(?P=n)", "(?P<m>", "(?(1)", "(?(n)", "(?#", "(?i)", "(?x)", "(?i:", "(?-i:",
    "(?x-i:", "(?a)", "(?u)", "(?L)", "(?<n>", "\\d", "\\w", "\\s", "\\S", "\\b", "\\B", "\\A", "\\Z", "\\z", "\\p", "\\1", "\\2",
    "\\12", "\\0", "\\101", "\\477", "\\8", "\\x41", "\\x4", "\\u0041", "\\U0001F600", "\\.", "\\-", "\\/", "\\]", "\\)", "\\\\", "\\n", "\\",
    "[a-z]", "[^a]", "[\\d-z]", "[z-a]", "[]", "[]]", " ", "#", "\n", "é", "😀", "(a)", "(b)", "(?P<n>c)",
]
PATTERN_EDGES = [
    "(?<=(?:)*)a", "(?<=(?:)+)a", "(?<=(?:)?)a", "(?<=a*)b", "(?<=a+)b", "(?<=a{2})b", "(?<=a{0,})b", "(?<=a{0,0})b", "(?<=a{2,2})b",
    "a{3,}", "a{3,2}", "a{3,3}", "a{,3}", "a{4294967294}", "a{4294967295}", "a{4294967295,}", "a{1,4294967294}", "a{1,4294967295}",
    "a{4294967294,4294967295}", "a{0,}", "(a)" * 10 + "\\10", "(a)" * 10 + "\\11", "(a)" * 12 + "\\12", "(a)" * 10 + "\\12",
    "(a)" * 18 + "\\181", "(a)" * 8 + "\\81", "\\181", "\\18", "\\19", "\\811", "(a)\\18", "(a)\\1", "\\377", "\\300", "\\400", "\\378", "\\37",
    "[\\b]", "[\\b-\\n]", "[\\n-\\b]", "[\\0]", "[\\07]", "[\\377]", "[\\400]", "[\\777]", "[\\8]", "[A-\\101]", "[B-\\101]", "[\\101-A]", "[\\102-A]",
    "[\\1-\\2]", "[\\2-\\1]", "[\\12-\\n]", "[\\13-\\n]", "[\\0-\\00]", "[\\01-\\0]", "(a)(?<=(?(1)b|c))", "(?<=(a)(?(1)b|c))", "(a(?<=(?(1)b|c)))",
    "(a)(b)(?<=(?(1)b|c))", "(a)(b)(?<=(?(2)b|c))", "(a)(?<=(b)(?(2)b|c))", "(a)(?<=(b)(?(1)b|c))", "(?(1)a|b)(c)", "(?(0)a)", "(?<=(?(1)a|b))(c)",
    "(?t:a)", "(?-t:a)", "(?t)a", "(?i-t:a)", "(?i-i:a)", "(?i-s:a)", "(?<=(?<=a)b)(c)\\1", "(?<=(?<=a)(b)\\1)", "(?<=(?<=a)b(c)\\1)", "(a)(?<=(?<=b)\\1)",
    "(?<=(?<!a)b)(c)\\1", "(?<=a{4294967293})", "(?<=a{4294967294})", "(?<=a{4294967294}a)", "(?<=a{4294967294}aa)", "(?<=a{4294967293}a)", "(?<=(?:a{65536}){65536})",
    "(?<=(?:a{65536}){65535})", "(?P<name_1>a)(?P=name_1)", "(?P<ab>c)(?P=ab)(?(ab)d|e)", "(?P<a_>c)", "(?P<_>c)", "(?P<a-b>c)", "(?P<a b>c)", "(?P<1a>c)", "(?P<é1>c)", "(?P<>c)",
]
PATTERNS = ["^[a-z]+$", "^\\d{3}-\\d{4}$", "^(\\([0-9]{3}\\))?[0-9]{3}-[0-9]{4}$", "\\p{L}+", "^[^\\s@]+@[^\\s@]+$", "(", "["]


def random_pattern(rng):
    if rng.random() < 0.2:
        return rng.choice(PATTERNS)
    return "".join(rng.choices(PATTERN_PIECES, k=rng.randrange(1, 9)))


def expected_schema(text):
    """Whether Python takes the text as a schema: ("ok",) or ("refused",)."""
    import jsonschema

    try:
        jsonschema.Draft7Validator.check_schema(json.loads(text))
    except (jsonschema.SchemaError, ValueError, OverflowError):
        return ("refused",)
    return ("ok",)


def answered_schema(answer):
    return ("ok",) if answer["ok"] else ("refused",)


def random_pattern_text(rng):
    return json.dumps({"pattern": random_pattern(rng)})


def expected_pattern(text):
    try:
        re.compile(json.loads(text)["pattern"])
    except (re.error, ValueError, OverflowError):
        return ("refused",)
    return ("ok",)


def ask(name, texts):
    lines = "".join(json.dumps({name: text}) + "\n" for text in texts)
    answers = subprocess.run([BINARY], input=lines.encode(), stdout=subprocess.PIPE, check=True).stdout
    return [json.loads(line) for line in answers.splitlines()]


def compare(count, seed, name, make, expected, answered):
    rng = random.Random(seed)
    differences, verdicts, done = 0, {}, 0
    while done < count:
        texts = [make(rng) for _ in range(min(BATCH, count - done))]
        for text, answer in zip(texts, ask(name, texts), strict=True):
            wanted, got = expected(text), answered(answer)
            verdicts[wanted[0]] = verdicts.get(wanted[0], 0) + 1
            if wanted != got:
                differences += 1
                if differences <= 20:
                    print(json.dumps({"text": text, "python": wanted, "crate": answer}))
        done += len(texts)
    print(json.dumps({"seed": seed, "compared": done, "differences": differences, **verdicts}))
    return differences


def print_goldens(count, seed, name, make, expected, edges):
    rng = random.Random(seed)
    texts = {}
    while len(texts) < count:
        text = make(rng)
        if len(text) <= 160:
            texts[text] = None
    for text in [*texts, *edges]:
        verdict, *out = expected(text)
        golden = {name: text, "out": out[0]} if out else {name: text, "verdict": verdict}
        print(json.dumps(golden, ensure_ascii=False, separators=(",", ":")))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--count", type=int, default=300_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--schemas", action="store_true")
    parser.add_argument("--patterns", action="store_true")
    parser.add_argument("--goldens", type=int)
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    if options.schemas:
        run = ("schema", random_schema_text, expected_schema, answered_schema)
    elif options.patterns:
        run = ("schema", random_pattern_text, expected_pattern, answered_schema)
    else:
        run = ("source", random_text, expected_text, answered_text)
    if options.goldens:
        patterns = [json.dumps({"pattern": pattern}, ensure_ascii=False) for pattern in PATTERN_EDGES]
        edges = patterns if options.patterns else SCHEMA_EDGES if options.schemas else TEXT_EDGES
        return print_goldens(options.goldens, options.seed, *run[:3], edges)
    sys.exit(compare(options.count, options.seed, *run) > 0)


if __name__ == "__main__":
    main()
