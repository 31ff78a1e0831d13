"""The same chats through mistral-common, where the extra `oracle` is installed."""

from pathlib import Path

import pytest

import mistral_chat_template as mct

pytestmark = pytest.mark.oracle

CHATS = [
    [{"role": "user", "content": "Größe 🦀? [/INST]"}],
    [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b  c\n"}, {"role": "user", "content": " d"}],
]


def data(name):
    mistral_common = pytest.importorskip("mistral_common")
    path = Path(mistral_common.__file__).parent / "data" / name
    if not path.exists():
        pytest.skip(f"mistral-common has no {name}")
    return path


@pytest.mark.parametrize("name", ["tekken_240911.json", "tekken_240718.json"])
@pytest.mark.parametrize("chat", CHATS)
def test_ids_are_those_of_mistral_common(name, chat):
    path = data(name)
    from mistral_common.protocol.instruct.request import ChatCompletionRequest
    from mistral_common.tokens.tokenizers.mistral import MistralTokenizer

    theirs = MistralTokenizer.from_file(str(path)).encode_chat_completion(ChatCompletionRequest(messages=chat))
    vocabulary = mct.Vocabulary(path)
    layout = mct.Layout("v3-tekken" if vocabulary.kind == "tekken" else "v3")
    assert layout.render(chat).encode(vocabulary).input_ids.tolist() == theirs.tokens
