"""Prompts, their positions and their arrays."""

import json
import pickle
import threading

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import mistral_chat_template as mct

CHAT = [
    {"role": "user", "content": "Größe 🦀? [/INST]"},
    {"role": "assistant", "content": "Nine."},
    {"role": "user", "content": "Why?"},
    {"role": "assistant", "content": "So – 🦀."},
]


@pytest.fixture
def layout():
    return mct.Layout("v7-tekken", mode="finetuning")


def test_positions_are_code_points(layout):
    prompt = layout.render(CHAT)
    assert [prompt.text[start:stop] for start, stop in prompt.mask] == ["Nine.</s>", "So – 🦀.</s>"]
    encoded = prompt.text.encode()
    assert [encoded[start:stop].decode() for start, stop in prompt.mask_bytes] == ["Nine.</s>", "So – 🦀.</s>"]
    by_message = {}
    for span in prompt.spans:
        if span.kind == "text":
            by_message[span.message] = prompt.text[span.start : span.stop]
    assert by_message == {index: message["content"] for index, message in enumerate(CHAT)}


def test_learn(layout):
    def learnt(**options):
        prompt = layout.render(CHAT, **options)
        return [prompt.text[start:stop] for start, stop in prompt.mask]

    assert learnt(learn="last_turn") == ["So – 🦀.</s>"]
    assert learnt(learn=[False, True, False, False]) == ["Nine.</s>"]
    assert learnt(learn="everything") == [layout.render(CHAT).text]
    weighted = [*CHAT[:3], {**CHAT[3], "weight": 0}]
    prompt = layout.render(weighted, learn="weighted")
    assert [prompt.text[start:stop] for start, stop in prompt.mask] == ["Nine.</s>"]
    with pytest.raises(ValueError, match="learn cannot be"):
        learnt(learn="all")


def test_nothing_to_learn_is_an_error_where_it_was_asked_for():
    layout = mct.Layout("v7-tekken")
    assert layout.render(CHAT[:1]).mask == []
    with pytest.raises(mct.ChatError) as caught:
        layout.render(CHAT[:1], learn="assistant").mask
    assert caught.value.kind == "nothing_to_learn"


def test_arrays(layout, vocabulary):
    prompt = layout.render(CHAT)
    encoded = prompt.encode(vocabulary)
    n = len(encoded)
    for name, dtype in [("input_ids", np.int32), ("labels", np.int64), ("loss_mask", bool), ("message_index", np.int32)]:
        array = encoded[name]
        assert array.shape == (n,) and array.dtype == dtype
        assert array is getattr(encoded, name), "one array, which is handed over and not copied"
        assert array.flags.writeable and not array.flags.owndata, "the memory is that of the Rust vector"
    assert vocabulary.decode(encoded.input_ids) == prompt.text
    assert vocabulary.decode(encoded.input_ids[encoded.loss_mask]) == "Nine.</s>So – 🦀.</s>"
    assert (encoded.labels[encoded.loss_mask] == encoded.input_ids[encoded.loss_mask]).all()
    assert (encoded.labels[~encoded.loss_mask] == -100).all()
    assert vocabulary.decode(encoded.input_ids[encoded.message_index == 2]) == "[INST]Why?[/INST]"
    assert encoded.message_index[0] == -1, "nobody said <s>"


def test_a_typed_control_token_is_text(layout, vocabulary):
    ids = layout.render(CHAT).encode(vocabulary).input_ids
    assert (ids == vocabulary.control_id("[/INST]")).sum() == 2


def test_a_vocabulary_of_the_other_kind_is_refused(vocabulary):
    with pytest.raises(mct.ChatError) as caught:
        mct.Layout("v3").render(CHAT[:1]).encode(vocabulary)
    assert caught.value.kind == "tokenizer_mismatch"


def test_a_function_as_tokenizer(layout, vocabulary):
    controls = {literal: vocabulary.control_id(literal) for literal in ("<s>", "</s>", "[INST]", "[/INST]")}
    tokenizer = mct.CallableTokenizer(lambda text: [28 + byte for byte in text.encode()], controls)
    prompt = layout.render(CHAT)
    assert (prompt.encode(tokenizer).input_ids == prompt.encode(vocabulary).input_ids).all()

    def broken(text):
        raise KeyError(text)

    with pytest.raises(KeyError):
        prompt.encode(mct.CallableTokenizer(broken, controls))
    with pytest.raises(mct.ChatError) as caught:
        prompt.encode(mct.CallableTokenizer(lambda text: [1], {"<s>": 1}))
    assert caught.value.kind == "no_control_id"


def test_pickles(layout, vocabulary):
    again = pickle.loads(pickle.dumps((layout, vocabulary)))
    assert again[0] == layout and again[0].mode == "finetuning"
    assert again[0].render(CHAT).encode(again[1]).input_ids.tolist() == layout.render(CHAT).encode(vocabulary).input_ids.tolist()
    with pytest.raises(mct.ChatError) as caught:
        layout.render([{"role": "wizard"}])
    error = pickle.loads(pickle.dumps(caught.value))
    assert (type(error), str(error), error.at) == (type(caught.value), str(caught.value), "messages[0].role")


def test_threads_share_objects(layout, vocabulary):
    expected = layout.render(CHAT).encode(vocabulary).input_ids.tolist()
    wrong = []

    def work():
        for _ in range(200):
            if layout.render(CHAT).encode(vocabulary).input_ids.tolist() != expected:
                wrong.append(1)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_no_memory_is_lost(layout, vocabulary):
    resource = pytest.importorskip("resource")

    def round_of(count):
        for _ in range(count):
            layout.render(CHAT).encode(vocabulary).input_ids
            try:
                layout.render([{"role": "wizard"}])
            except mct.ChatError:
                pass

    round_of(2_000)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    round_of(10_000)
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert grown < 4_000, f"{grown} KiB more after 20,000 calls"


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.fixed_dictionaries(
            {"role": st.sampled_from(["user", "assistant", "system"]), "content": st.text(max_size=8)},
            optional={"x": st.none()},
        ),
        max_size=6,
    )
)
def test_dicts_are_read_as_their_json_is(chat):
    """Messages of a role and a text are read without JSON, and any others through it."""
    template = mct.ChatTemplate("{% for m in messages %}<{{ m.role }}>{{ m.content }}{{ m | length }}{% endfor %}")
    for format in (mct.Layout("v7-tekken"), mct.Layout("v3", mode="finetuning"), mct.Preset(), template):
        outcomes = []
        for given in (chat, tuple(chat), {"messages": chat}, json.dumps(chat)):
            try:
                prompt = format.render(given)
                outcomes.append((prompt.text, prompt.segments, prompt.spans, prompt.mask))
            except mct.ChatError as error:
                outcomes.append((error.kind, error.at, error.layout))
        assert all(outcome == outcomes[0] for outcome in outcomes), outcomes
