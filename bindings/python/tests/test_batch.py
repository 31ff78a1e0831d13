"""Rows of data sets: Arrow, columns and lists in, training rows out."""

import json

import pyarrow as pa
import pytest
from conftest import lines

import mistral_chat_template as mct

LAYOUT = mct.Layout("v7-tekken")


def chat(index, reply="ok"):
    return [{"role": "user", "content": f"é {index}"}, {"role": "assistant", "content": f"{reply} {index}"}]


def test_goldens_of_rows():
    """The crate's rows in every shape that trainers take: text and what is learnt."""
    count = 0
    for case in lines("rows.jsonl"):
        if "text" not in case or set(case) - {"id", "row", "text", "learnt"}:
            continue
        count += 1
        for row in (case["row"], json.dumps(case["row"])):
            batch, rejects = mct.format_batch([row], mct.Layout("magnum"))
            assert not rejects, (case["id"], rejects)
            assert batch["text"][0].as_py() == case["text"], case["id"]
            learnt = [case["text"][r["start"] : r["stop"]] for r in batch["mask"][0].as_py()]
            assert learnt == case["learnt"], case["id"]
    assert count > 10


def test_all_inputs_give_the_same_rows(vocabulary):
    chats = [chat(index) for index in range(100)]
    expected, rejects = mct.format_batch([{"messages": chat} for chat in chats], LAYOUT, vocabulary, threads=1)
    assert not rejects and expected.num_rows == 100
    table = pa.table({"messages": chats})
    inputs = [
        {"messages": chats},
        [json.dumps({"messages": chat}) for chat in chats],
        table,
        pa.concat_tables([table.slice(0, 33), table.slice(33)]),
        table.to_batches()[0],
    ]
    for rows in inputs:
        for threads in (1, 2, 7):
            batch, rejects = mct.format_batch(rows, LAYOUT, vocabulary, threads=threads)
            assert not rejects and batch.equals(expected)
    first = LAYOUT.render(chats[0], mode="finetuning").encode(vocabulary)
    assert expected["input_ids"][0].as_py() == first.input_ids.tolist()
    assert expected["labels"][0].as_py() == first.labels.tolist()


def test_columns(vocabulary):
    names = ["row", "text", "mask", "input_ids", "labels", "attention_mask", "loss_mask", "message_index", "length"]
    batch, _ = mct.format_batch([{"messages": chat(0)}], LAYOUT, vocabulary, columns=names)
    assert batch.schema.names == names
    row = batch.to_pylist()[0]
    assert row["length"] == len(row["input_ids"]) == len(row["attention_mask"]) == len(row["message_index"])
    assert row["loss_mask"] == [label != -100 for label in row["labels"]]
    with pytest.raises(ValueError, match="needs a vocabulary"):
        mct.format_batch([], LAYOUT, columns=["labels"])
    with pytest.raises(ValueError, match="columns cannot be"):
        mct.format_batch([], LAYOUT, columns=["ids"])


def test_rejects_say_why():
    rows = [{"messages": chat(0)}, {"messages": [{"role": "wizard", "content": "x"}]}, {"text": "x"}, "[", {"messages": chat(4)}]
    batch, rejects = mct.format_batch(rows, LAYOUT, columns=["row"])
    assert batch["row"].to_pylist() == [0, 4]
    assert [reject.row for reject in rejects] == [1, 2, 3]
    assert rejects[0].kind == "row_role" and "wizard" in rejects[0].message


def test_pairs_and_labels(vocabulary):
    rows = [{"prompt": "Hi", "chosen": "Hello!", "rejected": "What?"}, {"messages": chat(1)}]
    batch, rejects = mct.format_batch(rows, LAYOUT, vocabulary, columns=["text"])
    assert not rejects
    assert batch.to_pylist()[0] == {"text": "<s>[INST]Hi[/INST]Hello!</s>", "rejected_text": "<s>[INST]Hi[/INST]What?</s>"}
    assert batch["rejected_text"][1].as_py() is None
    kto = [{"prompt": "Hi", "completion": "Hello!", "label": True}]
    assert mct.format_batch(kto, LAYOUT, columns=["label"])[0]["label"].to_pylist() == [True]


def test_what_is_not_understood_is_said():
    rows = [{"prompt": "Hi", "completion": "Hello!", "images": ["a.png"]}]
    with pytest.warns(UserWarning, match=r"images \(1 rows\)"):
        mct.format_batch(rows, LAYOUT)
    batch, rejects = mct.format_batch(rows, LAYOUT, strict=True)
    assert batch.num_rows == 0 and rejects[0].kind == "unread_field"


def test_long_rows(vocabulary):
    rows = [{"messages": chat(0) + chat(1)}]
    length = mct.format_batch(rows, LAYOUT, vocabulary, columns=["length"])[0]["length"][0].as_py()
    assert mct.format_batch(rows, LAYOUT, vocabulary, max_length=length - 1)[1][0].kind == "too_long"
    batch, rejects = mct.format_batch(rows, LAYOUT, vocabulary, max_length=length - 1, too_long="cut", columns=["text"])
    assert not rejects and batch["text"].to_pylist() == ["<s>[INST]é 0[/INST]ok 0</s>"]


def test_repair():
    call = {"id": "call_1", "function": {"name": "w", "arguments": "{}"}}
    row = {"messages": [{"role": "user", "content": "?"}, {"role": "assistant", "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "call_1", "content": "4"}, {"role": "assistant", "content": "4."}]}  # fmt: skip
    assert mct.format_batch([row], LAYOUT)[1][0].kind
    assert mct.format_batch([row], LAYOUT, repair=True)[1] == []


def test_pack(vocabulary):
    batch, _ = mct.format_batch([{"messages": chat(index)} for index in range(5)], LAYOUT, vocabulary)
    ids = batch["input_ids"].to_pylist()
    packed = mct.pack(batch, 2 * len(ids[0]))
    assert packed["input_ids"].to_pylist() == [ids[0] + ids[1], ids[2] + ids[3], ids[4]]
    assert packed["starts"].to_pylist()[0] == [0, len(ids[0])]
    assert packed["position_ids"].to_pylist()[0] == [*range(len(ids[0])), *range(len(ids[1]))]
    encoded = [LAYOUT.render(chat(index), mode="finetuning").encode(vocabulary) for index in range(5)]
    assert mct.pack(encoded, 2 * len(ids[0])).equals(packed)


def test_a_function_as_tokenizer(vocabulary):
    controls = {literal: vocabulary.control_id(literal) for literal in ("<s>", "</s>", "[INST]", "[/INST]")}
    tokenizer = mct.CallableTokenizer(lambda text: [28 + byte for byte in text.encode()], controls)
    rows = [{"messages": chat(index)} for index in range(50)]
    assert mct.format_batch(rows, LAYOUT, tokenizer)[0].equals(mct.format_batch(rows, LAYOUT, vocabulary)[0])
    broken = mct.CallableTokenizer(lambda text: 1 / 0, controls)
    with pytest.raises(ZeroDivisionError):
        mct.format_batch(rows, LAYOUT, broken)


def test_templates_and_presets():
    template = mct.ChatTemplate(
        "{% for m in messages %}<{{ m.role }}>{% if m.role == 'assistant' %}{% generation %}{{ m.content }}"
        "{% endgeneration %}{% else %}{{ m.content }}{% endif %}{% endfor %}"
    )
    batch, rejects = mct.format_batch([{"messages": chat(0)}], template)
    text = batch["text"][0].as_py()
    assert not rejects and [text[r["start"] : r["stop"]] for r in batch["mask"][0].as_py()] == ["ok 0"]
    batch, rejects = mct.format_batch([{"messages": chat(0)}], mct.Preset.for_layout(mct.Layout("v7-tekken")))
    assert not rejects and "[INST]" in batch["text"][0].as_py()
