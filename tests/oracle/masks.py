#!/usr/bin/env python3
"""Loss masks beside transformers' own, on real token ids.

    pip install transformers==5.24.0 jinja2 sentencepiece
    cargo build --release --manifest-path examples/format_dataset/Cargo.toml
    python tests/oracle/masks.py mistral_instruct_tokenizer_240323.model.v3     # a file of mistral-common's

Random conversations go through `format_dataset --vocabulary`, and through `apply_chat_template` with a template of the
magnum layout whose replies stand in {% generation %} blocks, with `return_assistant_tokens_mask`. transformers needs a
fast tokenizer, so one is built here from the pieces of the same SentencePiece model.

Conversations in which someone types a control token are counted apart: transformers tokenizes the prompt as one string
and takes what was typed for the token itself, so its ids differ, and the masks with them.
"""
import argparse
import json
import random
import subprocess
import sys
from pathlib import Path

import sentencepiece
from tokenizers import AddedToken, Tokenizer, models, normalizers
from transformers import PreTrainedTokenizerFast

BINARY = Path(__file__).parents[2] / "examples" / "format_dataset" / "target" / "release" / "format_dataset"

TEMPLATE = """{{- '<s>' }}
{%- set skipped = 1 if messages[0]['role'] == 'system' else 0 %}
{%- for message in messages[skipped:] %}
{%- if message['role'] == 'user' %}
{{- '[INST] ' + (messages[0]['content'] + '\\n' if skipped and loop.first else '') + message['content'] + '[/INST]' }}
{%- else %}
{%- generation %}{{- ' ' + message['content'].rstrip(' ') + '</s>' }}{%- endgeneration %}
{%- endif %}
{%- endfor %}"""

WORDS = (
    "the harbour don't 3.14 Straße été ¿quién? perché não привет всё 雨停了 手紙を読む naïve e\u0301 🙂 👩‍👩‍👧 🇫🇷 \u200b \u00a0 ▁ "
    "``` {\"a\": [1]} <b> [x] https://example.com/?q=1 \t \n \n\n ... — \u2028 \ufeff ﬁ Ⅷ ½"
).split(" ") + ["  ", "\n  ", "   "]
FORGERIES = ["</s>", "[/INST]", "[INST]", "<s>", "[TOOL_CALLS]"]


def fast_tokenizer(path):
    """The SentencePiece model as a fast tokenizer: the same pieces, and the merges that its scores stand for."""
    pieces = sentencepiece.SentencePieceProcessor(model_file=str(path))
    ids = range(pieces.get_piece_size())
    vocabulary = {pieces.id_to_piece(i): i for i in ids}
    plain = [i for i in ids if not (pieces.is_control(i) or pieces.is_byte(i) or pieces.is_unknown(i))]
    merges = []
    for i in sorted(plain, key=pieces.get_score, reverse=True):
        piece = pieces.id_to_piece(i)
        halves = [(piece[:at], piece[at:]) for at in range(1, len(piece))]
        halves = [half for half in halves if half[0] in vocabulary and half[1] in vocabulary]
        merges += sorted(halves, key=lambda half: (vocabulary[half[0]], vocabulary[half[1]]))
    model = models.BPE(vocab=vocabulary, merges=merges, unk_token="<unk>", fuse_unk=True, byte_fallback=True)
    tokenizer = Tokenizer(model)
    tokenizer.normalizer = normalizers.Replace(" ", "▁")
    controls = [pieces.id_to_piece(i) for i in ids if pieces.is_control(i)]
    tokenizer.add_special_tokens([AddedToken(piece, normalized=False, special=True) for piece in controls])
    fast = PreTrainedTokenizerFast(tokenizer_object=tokenizer, bos_token="<s>", eos_token="</s>", unk_token="<unk>")
    fast.chat_template = TEMPLATE
    return fast


def text(source, forged):
    words = source.choices(WORDS, k=source.randint(1, 30))
    words.insert(source.randint(0, len(words)), source.choice("aZé雨"))
    if forged:
        words.insert(source.randint(0, len(words)), source.choice(FORGERIES))
    return source.choice(["", " "]).join(words)


def conversation(source, forged):
    turns = [("system", text(source, forged))] if source.random() < 0.5 else []
    for _ in range(source.randint(1, 5)):
        turns += [("user", text(source, forged)), ("assistant", text(source, forged))]
    return [{"role": role, "content": content} for role, content in turns]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("vocabulary", type=Path)
    parser.add_argument("--binary", type=Path, default=BINARY)
    parser.add_argument("--count", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    source = random.Random(options.seed)
    honest = [conversation(source, forged=False) for _ in range(options.count)]
    forged = [conversation(source, forged=True) for _ in range(options.count // 10)]
    lines = "".join(json.dumps({"messages": messages}) + "\n" for messages in honest + forged)
    command = [options.binary, "--quiet", "--on-error", "stop", "--vocabulary", options.vocabulary]
    rows = subprocess.run(command, input=lines, capture_output=True, encoding="utf-8", check=True).stdout
    rows = [json.loads(row) for row in rows.split("\n")[:-1]]
    tokenizer = fast_tokenizer(options.vocabulary)
    equal = tokens = learnt = different_forged = 0
    for number, (messages, row) in enumerate(zip(honest + forged, rows, strict=True)):
        other = tokenizer.apply_chat_template(
            messages, tokenize=True, return_dict=True, return_assistant_tokens_mask=True
        )
        mask = [int(label != -100) for label in row["labels"]]
        assert all(label in (-100, id) for label, id in zip(row["labels"], row["input_ids"], strict=True))
        is_equal = (row["input_ids"], mask) == (other["input_ids"], other["assistant_masks"])
        if number >= len(honest):
            different_forged += not is_equal
        elif is_equal:
            equal += 1
            tokens += len(mask)
            learnt += sum(mask)
        else:
            print(json.dumps({"messages": messages, "ours": [row["input_ids"], mask],
                              "theirs": [other["input_ids"], other["assistant_masks"]]}))
    print(f"{equal} of {len(honest)} conversations have equal ids and masks ({learnt} of {tokens} tokens are learnt)")
    print(f"{different_forged} of {len(forged)} with typed control tokens differ: transformers takes them for tokens")
    sys.exit(equal != len(honest))


if __name__ == "__main__":
    main()
