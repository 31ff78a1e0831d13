"""A million calls, and the memory of the process after each tenth of them: it stays as large as it was.

    pip install ./bindings/python
    python bindings/python/benchmarks/leak.py [--calls 1000000]

Each call renders, encodes, reads an answer and is refused once, with an error that is raised and caught.
"""

import argparse
import json
import sys
import tempfile
from pathlib import Path

import mistral_chat_template as mct

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
from conftest import byte_vocabulary_text

CHAT = [{"role": "system", "content": "S"}, {"role": "user", "content": "Weather in Oslo?"}]
TOOLS = [{"type": "function", "function": {"name": "now", "description": "", "parameters": {"type": "object", "properties": {}}}}]
CALL = '[TOOL_CALLS][{"name": "now", "arguments": {}}]</s>'


def resident():
    """The memory that the process holds now, in KiB."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * 4


def call(layout, vocabulary, number):
    prompt = layout.render(CHAT, TOOLS if number % 2 else None)
    encoded = prompt.encode(vocabulary)
    _ = prompt.mask, prompt.spans, encoded.labels, encoded.message_index
    layout.render(json.dumps(CHAT))
    mct.Completion(CALL, layout, tools=TOOLS).message()
    try:
        layout.render([*CHAT, {"role": "wizard", "content": str(number)}])
    except mct.ChatError as error:
        assert error.at == "messages[2].role"
    if number % 100 == 0:
        rows, rejects = mct.format_batch([{"messages": [*CHAT, {"role": "assistant", "content": "Rain."}]}], layout, vocabulary)
        assert rows.num_rows == 1 and not rejects


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--calls", type=int, default=1_000_000)
    calls = parser.parse_args().calls
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "tekken.json"
        path.write_text(byte_vocabulary_text())
        layout, vocabulary = mct.Layout("v7-tekken"), mct.Vocabulary(path)
    for number in range(calls // 10):
        call(layout, vocabulary, number)
    first = resident()
    print(f"{calls // 10:9} calls: {first} KiB", flush=True)
    for tenth in range(2, 11):
        for number in range(calls // 10):
            call(layout, vocabulary, number)
        print(f"{tenth * (calls // 10):9} calls: {resident()} KiB", flush=True)
    grown = resident() - first
    if grown > 1024:
        sys.exit(f"the process grew by {grown} KiB")


if __name__ == "__main__":
    main()
