"""Chats into token ids and rows into training rows, beside mistral-common and transformers, in one run.

    pip install './bindings/python[oracle,test]'
    python bindings/python/benchmarks/speed.py

Both sides do the same work on the same chats in turn, and their ids are compared first. A ratio is the median over
pairs of runs: the other's time over ours, on the clock and, behind it, in time of processors, which other programs on
the machine disturb less. The chats are of Python's own manual, each text given once, but where it says "the same
chats". The vocabularies are files that mistral-common brings; transformers has the template that mistral-common
generates, and for Tekken its own conversion of the file. No text ends with a space: that template keeps the last
space of a reply, which mistral-common drops, and the ids differ there.
"""

import argparse
import json
import resource
import statistics
import sys
import time
from pathlib import Path

import mistral_common
import pyarrow as pa
from datasets import Dataset, disable_progress_bars
from mistral_common.integrations.chat_templates.chat_templates import convert_tokenizer_to_chat_template
from mistral_common.protocol.instruct.request import ChatCompletionRequest
from mistral_common.tokens.tokenizers.mistral import MistralTokenizer
from pydoc_data.topics import topics
from transformers.integrations.mistral import convert_tekken_tokenizer

import mistral_chat_template as mct

ROOT = Path(__file__).parents[3]
DATA = Path(mistral_common.__file__).parent / "data"
VOCABULARIES = {"v3-tekken": "tekken_240911.json", "v3": "mistral_instruct_tokenizer_240323.model.v3"}


class Text:
    """Paragraphs of Python's own manual, one after the other, each given once."""

    def __init__(self):
        manual = "\n\n".join(topics[name] for name in sorted(topics))
        self.paragraphs = iter([" ".join(paragraph.split()) for paragraph in manual.split("\n\n") if paragraph.strip()])

    def take(self, characters):
        text = ""
        while len(text) < characters:
            text += ("\n\n" if text else "") + next(self.paragraphs)
        return text[: 2 * characters].rstrip()

    def chat(self, characters):
        """Questions and replies of about this many characters, and a question at the end."""
        messages = []
        while sum(len(message["content"]) for message in messages) < characters - 200:
            messages.append({"role": "user", "content": self.take(100)})
            messages.append({"role": "assistant", "content": self.take(400)})
        return messages + [{"role": "user", "content": self.take(100)}]


def for_transformers(version, path):
    """The file as a fast tokenizer with its template."""
    if version == "v3-tekken":
        tokenizer = convert_tekken_tokenizer(str(path))
    else:
        sys.path.insert(0, str(ROOT / "tests" / "oracle"))
        from masks import fast_tokenizer

        tokenizer = fast_tokenizer(path)
    tokenizer.chat_template = convert_tokenizer_to_chat_template(path)
    return tokenizer


def seconds(act, *given):
    """What passes on the clock, and the time of processors that this process and those it started take."""
    def processors():
        started = resource.getrusage(resource.RUSAGE_CHILDREN)
        return time.process_time() + started.ru_utime + started.ru_stime

    start, start_of_processors = time.perf_counter(), processors()
    act(*given)
    return time.perf_counter() - start, processors() - start_of_processors


def compare(name, size, ours, theirs, inputs):
    """Prints the median of both, and of their ratios, on the clock and in time of processors.

    Each pair of runs is given another input, and size is their mean.
    """
    times = [(seconds(ours, *given), seconds(theirs, *given)) for given in inputs]
    own, other = (statistics.median(elapsed for elapsed, _ in column) for column in zip(*times))
    ratio, of_processors = (
        statistics.median(theirs[which] / ours[which] for ours, theirs in times) for which in range(2)
    )
    print(f"{name:46} {own * 1e3:9.3f} ms {other * 1e3:9.3f} ms {size / own / 1e6:7.1f} MB/s   {ratio:6.1f} x "
          f"{of_processors:9.1f} x", flush=True)


def messages_to_ids(version, path, pairs):
    layout, vocabulary = mct.Layout(version), mct.Vocabulary(path)
    common, fast = MistralTokenizer.from_file(str(path)), for_transformers(version, path)
    text = Text()
    chats = [(text.chat(8_000),) for _ in range(20 + 2 * pairs)]
    size = sum(len(message["content"].encode()) for (messages,) in chats for message in messages) // len(chats)

    def ours(messages):
        return layout.render(messages).encode(vocabulary).input_ids

    def theirs(messages):
        return common.encode_chat_completion(ChatCompletionRequest(messages=messages)).tokens

    def transformers(messages):
        return fast.apply_chat_template(messages, tokenize=True, return_dict=True)["input_ids"]

    # The first ones are for both to warm up with.
    same = True
    for (messages,) in chats[:20]:
        ids = ours(messages).tolist()
        assert ids == theirs(messages), "other ids than mistral-common's"
        same &= ids == transformers(messages)
    others = "" if same else " (other ids)"
    chats = chats[20:]
    compare(f"{version}: messages to ids, mistral-common", size, ours, theirs, chats[:pairs])
    compare(f"{version}: messages to ids, transformers{others}", size, ours, transformers, chats[pairs:])
    compare(f"{version}: the same chats, mistral-common", size, ours, theirs, chats)
    compare(f"{version}: the same chats, transformers{others}", size, ours, transformers, chats)
    compare(f"{version}: messages to text, transformers", size, lambda messages: layout.render(messages).text,
            lambda messages: fast.apply_chat_template(messages, tokenize=False), chats)
    print(f"{version}: {len(chats[0][0])} messages, {size} bytes")


def rows_to_ids(version, path, rows, pairs):
    layout, vocabulary = mct.Layout(version), mct.Vocabulary(path)
    fast = for_transformers(version, path)
    text = Text()
    rows = [{"messages": text.chat(1_500)[:-1]} for _ in range(rows)]
    size = len(json.dumps(rows).encode())
    dataset = Dataset.from_list(rows)

    def ours():
        table = dataset.with_format("arrow")[:]
        batch, rejects = mct.format_batch(table, layout, vocabulary, learn="assistant")
        assert not rejects
        return batch

    def ours_mapped():
        def act(table):
            return pa.Table.from_batches([mct.format_batch(table, layout, vocabulary, learn="assistant")[0]])

        arrow = dataset.with_format("arrow")
        return arrow.map(act, batched=True, remove_columns=dataset.column_names, load_from_cache_file=False)

    def row(row):
        return {"input_ids": fast.apply_chat_template(row["messages"], tokenize=True, return_dict=True)["input_ids"]}

    def theirs():
        return dataset.map(row, remove_columns=dataset.column_names, num_proc=2, load_from_cache_file=False)

    ids = ours().column("input_ids").to_pylist()
    same = ids == theirs()["input_ids"] == ours_mapped().with_format(None)["input_ids"]
    others = "" if same else " (other ids)"
    compare(f"{version}: {len(rows)} rows, format_batch, map on 2 cores{others}", size, ours, theirs, [()] * pairs)
    compare(f"{version}: {len(rows)} rows, map, map on 2 cores{others}", size, ours_mapped, theirs, [()] * pairs)


def memory(path):
    """Many calls leave the process as large as it was."""
    layout, vocabulary = mct.Layout("v3"), mct.Vocabulary(path)
    messages = Text().chat(1_000)

    def calls(count):
        for _ in range(count):
            layout.render(messages).encode(vocabulary)
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024

    print(f"memory after 2,000 calls {calls(2_000)} MiB, after 20,000 more {calls(20_000)} MiB")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=150, help="of 1,500 characters")
    parser.add_argument("--pairs", type=int, default=10)
    options = parser.parse_args()
    disable_progress_bars()
    print(f"{'':46} {'ours':>12} {'theirs':>12} {'ours':>12}   {'ratio':>8} {'processors':>11}")
    for version, file in VOCABULARIES.items():
        messages_to_ids(version, DATA / file, options.pairs)
    for version, file in VOCABULARIES.items():
        rows_to_ids(version, DATA / file, options.rows, max(3, options.pairs // 10))
    memory(DATA / VOCABULARIES["v3"])


if __name__ == "__main__":
    main()
