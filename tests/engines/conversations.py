#!/usr/bin/env python3
"""Writes a data set of made-up ShareGPT conversations: conversations.py FILE BYTES [SEED]

Nine languages, a system prompt in every other conversation, one to six exchanges, a length between a line and a page.
"""
import json
import random
import sys
from pathlib import Path

SENTENCES = """
The rain had stopped by the time she reached the harbour.
"I never said that," he answered, and closed the door.
Die Straße war leer, und niemand wusste warum.
Elle ouvrit la fenêtre : l'été était enfin là.
¿Quién te ha dicho que no volvería nunca?
La mattina dopo trovarono il giardino coperto di neve.
O barco partiu antes do amanhecer, sem ruído algum.
Он долго молчал, а потом рассказал всё с самого начала.
雨停了，街上的灯一盏一盏地亮起来。
彼女は手紙を読み終えて、静かに窓の外を見た。
*She smiles.* Well, that is one way to look at it… 🙂
```python
print("one\\ttwo", {"three": [4, 5]})
```
""".strip().split("\n")


def text(source, most):
    joined = (source.choice([" ", " ", "\n", "\n\n"]).join(source.choices(SENTENCES, k=source.randint(1, most))))
    return joined


def conversation(source):
    turns = [{"from": "system", "value": text(source, 6)}] if source.random() < 0.5 else []
    for _ in range(source.randint(1, 6)):
        turns.append({"from": "human", "value": text(source, 4)})
        turns.append({"from": "gpt", "value": text(source, 12)})
    return {"conversations": turns}


def write(path, size, seed=1):
    source = random.Random(seed)
    # Whole conversations are made once and dealt out again and again: a generator is no part of what is measured.
    lines = [json.dumps(conversation(source), ensure_ascii=False).encode() + b"\n" for _ in range(20_000)]
    written = rows = 0
    with open(path, "wb", buffering=1 << 20) as file:
        while written < size:
            line = source.choice(lines)
            file.write(line)
            written += len(line)
            rows += 1
    return rows


if __name__ == "__main__":
    file, size, *seed = sys.argv[1:]
    print(write(Path(file), int(float(size)), *map(int, seed)), "rows")
