"""Random texts into ids by `Vocabulary` and by mistral-common, which have to be the same.

    pip install './bindings/python[oracle]'
    python bindings/python/benchmarks/ids.py [--count 1000000] [--seed 1]

Every vocabulary file that mistral-common brings is asked. The first texts go through all characters there are; the
others are of words, white space, digits, symbols and characters of all scripts, in runs.
"""

import argparse
import random
import sys
from pathlib import Path

import mistral_common
from mistral_common.tokens.tokenizers.mistral import MistralTokenizer

import mistral_chat_template as mct

DATA = Path(mistral_common.__file__).parent / "data"
FILES = [path for path in sorted(DATA.glob("t*")) + sorted(DATA.glob("m*")) if ".model" in path.name or path.suffix == ".json"]
WORDS = """the harbour don't 3.14 Straße été ¿quién? perché привет ВСЁ ПриветМир 雨停了 手紙を読む naïve camelCase HTTPServer e\u0301
    \u0301 \u0903 ǅ ʰ ½ ٣ Ⅷ 🙂 👩‍👩‍👧 🇫🇷 \u200b ▁ ▁▁ ☺ ``` {"a": [1]} <b> [x] https://example.com/?q=1 // ... — ﬁ </s> [INST]
    हिन्दी ไทย العربية עברית ქართული""".split()
SPACES = [" ", "  ", "   ", "\n", "\n\n", " \n ", "\t", "\r\n", "\u00a0", "\u2003", "\u3000", "\u2028", "\u0085", "\x0b", ""]


def character(rng):
    while True:
        code = rng.choice([rng.randrange(0x80), rng.randrange(0x3000), rng.randrange(0x20000), rng.randrange(0x110000)])
        if not 0xD800 <= code < 0xE000:
            return chr(code)


def text(rng):
    parts = []
    for _ in range(rng.randrange(1, 12)):
        kind = rng.random()
        if kind < 0.5:
            parts.append(rng.choice(WORDS))
        elif kind < 0.75:
            parts.append(character(rng) * rng.choice([1, 1, 2, 5]))
        parts.append(rng.choice(SPACES))
    return "".join(parts)


def texts(count, seed):
    for code in range(0x110000):
        if code % 64 == 0 and not 0xD800 <= code < 0xE000:
            yield "".join(f"a{chr(it)}b {chr(it)}C{chr(it)}{chr(it)}1" for it in range(code, code + 64))
    rng = random.Random(seed)
    for _ in range(count):
        yield text(rng)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=1_000_000, help="random texts, dealt out to the files")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    different = 0
    for path in FILES:
        ours, theirs = mct.Vocabulary(path), MistralTokenizer.from_file(str(path)).instruct_tokenizer.tokenizer
        asked = 0
        for given in texts(options.count // len(FILES), options.seed):
            asked += 1
            expected = theirs.encode(given, bos=False, eos=False)
            got = ours.encode(given).tolist()
            if got != expected:
                different += 1
                print(f"{path.name}: {given!r}\n  {expected}\n  {got}")
        print(f"{path.name}: {asked} texts", flush=True)
    sys.exit(different > 0)


if __name__ == "__main__":
    main()
