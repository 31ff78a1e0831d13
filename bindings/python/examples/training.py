"""Conversations of a data set into rows for a trainer, with `datasets` and trl: `python examples/training.py TEKKEN_JSON`.

With `datasets` installed the same is one line, without a Python list in between:

    rows = dataset.with_format("arrow").map(
        lambda table: pa.Table.from_batches([mct.format_batch(table, layout, vocabulary)[0]]),
        batched=True, remove_columns=dataset.column_names)

trl's `SFTTrainer` takes rows with `input_ids` and `labels` as they are.
"""

import sys

import pyarrow as pa

import mistral_chat_template as mct


def main(vocabulary_path: str) -> None:
    layout, vocabulary = mct.Layout("v7-tekken"), mct.Vocabulary(vocabulary_path)
    conversations = [
        [{"from": "human", "value": "Hi"}, {"from": "gpt", "value": "Hello!"}],
        [{"from": "human", "value": "Bye"}],
    ]
    rows, rejects = mct.format_batch(pa.table({"conversations": conversations}), layout, vocabulary)
    for row in rows.to_pylist():
        learnt = [label for label in row["labels"] if label != -100]
        print(f"{len(row['input_ids'])} tokens, learnt: {vocabulary.decode(learnt)}")
    for reject in rejects:
        print(f"row {reject.row}: {reject.message}")
    print(f"packed: {mct.pack(rows, 4096).num_rows} sequence")


if __name__ == "__main__":
    main(*sys.argv[1:])
