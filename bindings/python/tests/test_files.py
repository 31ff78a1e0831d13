"""Layouts from a model's files."""

import json
import struct

import pytest
from conftest import byte_vocabulary_text

import mistral_chat_template as mct

CHAT = [{"role": "user", "content": "Hi"}]


def gguf(version=3, **keys):
    """A GGUF file without tensors: its texts, its numbers, and its lists of either."""

    def text(value):
        return struct.pack("<Q", len(value.encode())) + value.encode()

    def value(of):
        match of:
            case str():
                return struct.pack("<I", 8) + text(of)
            case bool():
                return struct.pack("<IB", 7, of)
            case int():
                return struct.pack("<IQ", 10, of)
            case float():
                return struct.pack("<If", 6, of)
            case [str(), *_]:
                return struct.pack("<IIQ", 9, 8, len(of)) + b"".join(map(text, of))
            case _:
                return struct.pack("<IIQ", 9, 5, len(of)) + struct.pack(f"<{len(of)}i", *of)

    members = b"".join(text(key.replace("__", ".")) + value(of) for key, of in keys.items())
    return b"GGUF" + struct.pack("<IQQ", version, 0, len(keys)) + members


KEYS = {
    "general__architecture": "llama",
    "general__file_type": 7,
    "general__quantized": True,
    "llama__rope__freq_base": 1e6,
    "tokenizer__ggml__tokens": ["<unk>", "<s>", "\U0001f980"],
    "tokenizer__ggml__token_type": [3, 3, 1],
    "general__name": "Mistral Small 24B Instruct 2501",
    "tokenizer__ggml__model": "gpt2",
    "tokenizer__ggml__pre": "tekken",
}


def tekken(version, **members):
    file = json.loads(byte_vocabulary_text())
    file["config"]["version"] = version
    return json.dumps({**file, **members})


def test_a_gguf_file(tmp_path):
    path = tmp_path / "model-Q4_K_M.gguf"
    path.write_bytes(gguf(**KEYS) + b"\0" * 100)
    for given in (path, str(path), tmp_path):
        layout = mct.Layout.from_files(given)
        assert layout.name == "v7-tekken" and layout.certainty and "tekken" in layout.evidence
    path.write_bytes(gguf(**KEYS | {"tokenizer__ggml__model": "llama"}))
    with pytest.raises(mct.ChatError, match="disagree"):
        mct.Layout.from_files(path)


def test_a_gguf_file_that_is_broken(tmp_path):
    path = tmp_path / "model.gguf"
    whole = gguf(**KEYS)
    for end in range(len(whole)):
        path.write_bytes(whole[:end])
        # What is too short for its first bytes is a model by its name.
        with pytest.raises(OSError if end >= 4 else mct.ChatError):
            mct.Layout.from_files(path)
    for broken in (gguf(9, **KEYS), whole[:16] + b"\xff" * 8, whole[:24] + b"\xff" * 30, whole[:8] + b"\xff" * 99):
        path.write_bytes(broken)
        with pytest.raises(OSError, match="GGUF|buffer"):
            mct.Layout.from_files(path)


def test_a_folder_with_settings(tmp_path):
    settings = {"reasoning_effort": {"values": ["low", "high"], "default": "low"}}
    (tmp_path / "tekken.json").write_text(tekken("v15", model_settings_builder=settings))
    (tmp_path / "model.gguf").write_bytes(gguf(**KEYS))
    layout = mct.Layout.from_files(tmp_path)
    assert layout.name == "v15" and layout.has_settings
    prompt = layout.render(CHAT).text
    assert prompt == '<s>[MODEL_SETTINGS]{"reasoning_effort": "low"}[/MODEL_SETTINGS][INST]Hi[/INST]'
    with pytest.raises(mct.ChatError, match="low, high"):
        layout.render(CHAT, reasoning_effort="none")


def test_a_folder_without_settings(tmp_path):
    path = tmp_path / "tekken.json"
    path.write_text(tekken("v13"))
    assert mct.Layout.from_files(tmp_path).render(CHAT).text == "<s>[INST]Hi[/INST]"
    path.write_text(tekken("v15"))
    with pytest.raises(mct.ChatError) as caught:
        mct.Layout.from_files(tmp_path).render(CHAT)
    assert caught.value.kind == "no_settings"


def test_what_is_no_model(tmp_path):
    with pytest.raises(ValueError, match="no tekken.json"):
        mct.Layout.from_files(tmp_path)
    with pytest.raises(FileNotFoundError):
        mct.Layout.from_files(tmp_path / "tekken.json")
    (tmp_path / "tokenizer.model.v3").write_bytes(b"\n")
    assert mct.Layout.from_files(tmp_path).name == "v3"
