"""Whatever comes in, an exception comes out, and no panic: `pyo3_runtime.PanicException` is no `Exception`."""

import sys
import threading

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import mistral_chat_template as mct
from mistral_chat_template.adapters import ChatTemplateTokenizer, Renderer

LAYOUTS = [mct.Layout(name) for name in ("v1", "v3", "v7-tekken", "v13+think", "v15+image")]
TEMPLATE = mct.ChatTemplate("{% for m in messages %}{{ m.role }}{{ m.content }}{{ m|tojson }}{% endfor %}")

texts = st.text(st.characters(exclude_categories=()), max_size=8) | st.sampled_from(
    ["", "user", "assistant", "system", "tool", "[INST]", "</s>", "text", "image_url", "\ud800", "\0"]
)
leaves = st.none() | st.booleans() | st.integers() | st.floats() | texts | st.binary(max_size=4) | st.just(object())
keys = st.sampled_from(
    ["role", "content", "tool_calls", "id", "function", "name", "arguments", "tool_call_id", "type", "text", "prefix",
     "messages", "tools", "parameters", "weight", "conversations", "from", "value", "prompt", "completion", "chosen",
     "rejected", "thinking", "image_url", "url", "model", "settings", "input_ids", "labels"]
)  # fmt: skip
anything = st.recursive(
    leaves,
    lambda inner: st.lists(inner, max_size=4)
    | st.dictionaries(keys | leaves.filter(lambda key: key.__hash__ is not None), inner, max_size=5)
    | st.tuples(inner, inner)
    | st.frozensets(texts, max_size=2),
    max_leaves=20,
)
messages = st.lists(
    st.fixed_dictionaries(
        {"role": st.sampled_from(["user", "assistant", "system", "tool", "developer", "x"])},
        optional={
            "content": texts | anything,
            "tool_calls": anything,
            "tool_call_id": texts,
            "name": texts,
            "prefix": st.booleans() | anything,
            "weight": leaves,
        },
    ),
    max_size=5,
)
given_chat = anything | messages | st.fixed_dictionaries({"messages": messages}, optional={"tools": anything})
relaxed = settings(
    max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)


def tries(function, *args, **kwargs):
    """An exception is an answer; what is no `Exception` fails the test."""
    try:
        return function(*args, **kwargs)
    except Exception as error:
        assert str(error) or isinstance(error, (AssertionError, KeyError)), repr(error)
        if isinstance(error, mct.ChatError):
            assert error.kind and error.family
        return None


@relaxed
@given(given_chat, anything, anything)
def test_chats(vocabulary, chat, tools, other):
    for layout in LAYOUTS:
        for prompt in (tries(layout.render, chat), tries(layout.render, chat, tools, learn=other, mode="serving")):
            if prompt is not None:
                assert tries(lambda: prompt.spans) is not None
                tries(lambda: prompt.mask)
                tries(prompt.encode, vocabulary)
        tries(layout.prefix_break, chat, 1)
        tries(layout.grammar, chat, vocabulary, tools, response_format=other)
        tries(mct.repair, chat, layout, tools)
        tries(mct.fit, chat, layout, 20, vocabulary)
        tries(mct.Conversation, layout, chat, vocabulary)
        tries(mct.Layout, "v15", settings=other)
    tries(TEMPLATE.render, chat, tools, documents=other, x=other)
    tries(mct.Preset, chat)
    tries(mct.Preset().render, chat)
    tries(mct.Chat, chat, tools)
    for dialect in ("openai", "responses", "anthropic", "gemini", "sharegpt", "legacy"):
        tries(LAYOUTS[2].render, chat, dialect=dialect)


@relaxed
@given(anything | st.lists(given_chat, max_size=5), anything, st.integers(-5, 50))
def test_rows(vocabulary, rows, other, number):
    layout = LAYOUTS[2]
    tries(mct.format_batch, rows, layout, vocabulary, threads=2)
    tries(mct.format_batch, rows, TEMPLATE, repair=True, max_length=number, too_long="cut")
    tries(mct.format_batch, rows, layout, other)
    tries(mct.format_batch, rows, other, columns=other)
    tries(mct.pack, rows, number)


@relaxed
@given(anything | st.lists(st.integers(-1, 400), max_size=20), texts, anything)
def test_outputs(vocabulary, output, text, other):
    for layout in LAYOUTS:
        for lenient in (False, True):
            completion = tries(mct.Completion, output, layout, vocabulary, lenient=lenient)
            if completion is not None:
                assert completion.message()["role"] == "assistant"
            assert tries(mct.Completion, "[TOOL_CALLS]" + text, layout, lenient=lenient) is not None or "\ud800" <= max(text)
        tries(mct.Completion, text, layout, tools=other, call_ids=other, stop_strings=other)
        reader = mct.CompletionReader(layout)
        tries(reader.push, text)
        tries(reader.push_ids, output, vocabulary)
        reader.finish()
        conversation = mct.Conversation(LAYOUTS[2], [{"role": "user", "content": "?"}], mct.CallableTokenizer(
            lambda text, *_: [28], {literal: id for id, literal in enumerate(["<unk>", "<s>", "</s>", "[INST]", "[/INST]"])}))  # fmt: skip
        tries(conversation.reply, other, output)
        tries(conversation.append, other)
        tries(conversation.drift)
        tries(Renderer(layout, vocabulary).bridge_to_next_turn, [1], output, other)
        tries(mct.Explanation, text, layout)
    tries(mct.Explanation.nearest, text)
    tries(mct.ChatTemplate, text)
    tries(ChatTemplateTokenizer(LAYOUTS[2], vocabulary).apply_chat_template, other)
    tries(mct.CallableTokenizer, other, other)
    tries(vocabulary.decode, output)


@relaxed
@given(anything, anything)
def test_tokenizers_that_return_anything(ids, controls):
    tokenizer = tries(mct.CallableTokenizer, lambda *_: ids, {"<s>": 1, "[INST]": 3, "[/INST]": 4, "</s>": 2})
    prompt = LAYOUTS[2].render([{"role": "user", "content": "a"}])
    tries(prompt.encode, tokenizer)
    tries(mct.CallableTokenizer, len, controls)


def test_what_lies_in_itself_and_what_lies_deep():
    loop: list = []
    loop.append(loop)
    deep: dict = {}
    for _ in range(100_000):
        deep = {"a": deep}
    for value in (loop, {"messages": loop}, deep, [{"role": "user", "content": deep}]):
        with pytest.raises(RecursionError):
            LAYOUTS[0].render(value)
    with pytest.raises(mct.ChatError):
        LAYOUTS[0].render("[" * 100_000)


def test_objects_that_do_as_they_like():
    class Dict(dict):
        pass

    class Raises:
        def __getattr__(self, name):
            raise KeyError(name)

    class Dumps:
        def __init__(self, value):
            self.value = value

        def model_dump(self, **_):
            return self.value(self)

    LAYOUTS[2].render([Dict(role="user", content="a")])
    with pytest.raises(KeyError):
        LAYOUTS[2].render([Raises()])
    with pytest.raises(RecursionError):
        LAYOUTS[2].render([Dumps(lambda it: it)])
    members: dict = {"role": "user", "content": "a"}
    members["x"] = Dumps(lambda it: members.clear() or {str(i): i for i in range(99)})
    LAYOUTS[2].render([members])
    assert LAYOUTS[2].render([Dumps(lambda it: {"role": "user", "content": "a"})]).text == "<s>[INST]a[/INST]"


def test_a_conversation_is_no_two_threads_own(vocabulary):
    """Calls from a tokenizer of the caller's into the object that calls it are refused, not stuck."""
    seen = []

    def encode(text):
        if seen:
            seen[0].append([{"role": "user", "content": "again"}])
        return [30]

    controls = {"<s>": 1, "</s>": 2, "[INST]": 3, "[/INST]": 4}
    conversation = mct.Conversation(LAYOUTS[2], [{"role": "user", "content": "a"}], mct.CallableTokenizer(encode, controls))
    conversation.reply({"role": "assistant", "content": "b"}, [31, 2])
    seen.append(conversation)
    with pytest.raises(RuntimeError):
        conversation.append([{"role": "user", "content": "c"}])
    reader = mct.CompletionReader(LAYOUTS[2])
    threads = [threading.Thread(target=lambda: tries(reader.push, "ab" * 500)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    reader.finish()
    assert set(reader.completion.message()["content"]) == {"a", "b"}


@pytest.mark.skipif(sys.implementation.name != "cpython", reason="reference counts are CPython's")
def test_references_are_given_back(vocabulary):
    chat = [{"role": "user", "content": "a" * 100}]
    before = sys.getrefcount(chat), sys.getrefcount(chat[0]), sys.getrefcount(chat[0]["content"])
    for _ in range(100):
        LAYOUTS[2].render(chat).encode(vocabulary)
        tries(LAYOUTS[2].render, [*chat, {"role": "wizard"}])
    assert (sys.getrefcount(chat), sys.getrefcount(chat[0]), sys.getrefcount(chat[0]["content"])) == before
