"""Writes tekken.json: a Tekken vocabulary that is small enough to ship.

    python3 make.py ../../../README.md ../../../spec/*.md > tekken.json      # needs `regex`

The control tokens have the ids that released `tekken.json` files give them. The rest is byte-level BPE: the 256 bytes,
then the most frequent pairs of the texts that are named, found within the words of Tekken's own pattern.
"""

import base64
import collections
import json
import sys

import regex

PATTERN = (
    r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+"
    r"|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*"
    r"|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
SPECIALS = 40
CONTROLS = """<unk> <s> </s> [INST] [/INST] [AVAILABLE_TOOLS] [/AVAILABLE_TOOLS] [TOOL_RESULTS] [/TOOL_RESULTS]
    [TOOL_CALLS] [IMG] <pad> [IMG_BREAK] [IMG_END] [PREFIX] [MIDDLE] [SUFFIX] [SYSTEM_PROMPT] [/SYSTEM_PROMPT]
    [TOOL_CONTENT]""".split()
MORE = {24: "[AUDIO]", 25: "[BEGIN_AUDIO]", 32: "[ARGS]", 33: "[CALL_ID]", 34: "[THINK]", 35: "[/THINK]",
        36: "[MODEL_SETTINGS]", 37: "[/MODEL_SETTINGS]"}
TOKENS = 1024


def merges(words):
    """The tokens in the order of their ranks."""
    tokens = [bytes([byte]) for byte in range(256)]
    words = {tuple(bytes([byte]) for byte in word.encode()): count for word, count in words.items()}
    while len(tokens) < TOKENS:
        pairs = collections.Counter()
        for word, count in words.items():
            for pair in zip(word, word[1:]):
                pairs[pair] += count
        (one, other), _ = min(pairs.items(), key=lambda item: (-item[1], item[0]))
        merged = one + other
        if merged not in tokens:
            tokens.append(merged)
        words = {join(word, one, other): count for word, count in words.items()}
    return tokens


def join(word, one, other):
    joined = []
    for piece in word:
        if joined and joined[-1] == one and piece == other:
            joined[-1] = one + other
        else:
            joined.append(piece)
    return tuple(joined)


def text(token):
    try:
        return token.decode()
    except UnicodeDecodeError:
        return None


def main():
    words = collections.Counter()
    for path in sys.argv[1:]:
        words.update(regex.findall(PATTERN, open(path, encoding="utf-8").read()))
    tokens = merges(words)
    names = dict(enumerate(CONTROLS)) | MORE
    specials = [
        {"rank": rank, "token_str": names.get(rank, f"<SPECIAL_{rank}>"), "is_control": True} for rank in range(SPECIALS)
    ]
    vocabulary = [
        {"rank": rank, "token_bytes": base64.b64encode(token).decode(), "token_str": text(token)}
        for rank, token in enumerate(tokens)
    ]
    config = {
        "pattern": PATTERN,
        "num_vocab_tokens": TOKENS,
        "default_vocab_size": SPECIALS + TOKENS,
        "default_num_special_tokens": SPECIALS,
        "version": "v13",
    }
    image = {"image_patch_size": 14, "max_image_size": 1540, "spatial_merge_size": 2}
    print('{"config":', json.dumps(config), ",")
    print(' "image":', json.dumps(image), ",")
    print(' "special_tokens": [\n ', ",\n  ".join(map(json.dumps, specials)), "],")
    print(' "vocab": [\n ', ",\n  ".join(map(json.dumps, vocabulary)), "]}")


main()
