import json
from functools import cache
from pathlib import Path

import pytest

GOLDENS = Path(__file__).parents[3] / "tests" / "goldens"


def lines(path):
    with (GOLDENS / path).open(encoding="utf-8") as file:
        return [json.loads(line) for line in file if line.strip()]


@cache
def byte_vocabulary_text():
    """A tekken.json with a token for each byte and the control tokens of every version."""
    import base64

    controls = [
        "<unk>", "<s>", "</s>", "[INST]", "[/INST]", "[AVAILABLE_TOOLS]", "[/AVAILABLE_TOOLS]", "[TOOL_RESULTS]",
        "[/TOOL_RESULTS]", "[TOOL_CALLS]", "[IMG]", "<pad>", "[IMG_BREAK]", "[IMG_END]", "[PREFIX]", "[MIDDLE]",
        "[SUFFIX]", "[SYSTEM_PROMPT]", "[/SYSTEM_PROMPT]", "[TOOL_CONTENT]", "[AUDIO]", "[BEGIN_AUDIO]", "[ARGS]",
        "[CALL_ID]", "[THINK]", "[/THINK]", "[MODEL_SETTINGS]", "[/MODEL_SETTINGS]",
    ]  # fmt: skip
    vocab = [
        {"rank": byte, "token_bytes": base64.b64encode(bytes([byte])).decode(), "token_str": None}
        for byte in range(256)
    ]
    special = [
        {"rank": rank, "token_str": literal, "is_control": True} for rank, literal in enumerate(controls)
    ]
    config = {
        "pattern": r"[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+",
        "num_vocab_tokens": 256,
        "default_vocab_size": 256 + len(controls),
        "default_num_special_tokens": len(controls),
        "version": "v13",
    }
    return json.dumps({"config": config, "vocab": vocab, "special_tokens": special})


@pytest.fixture(scope="session")
def vocabulary(tmp_path_factory):
    """A vocabulary whose text ids are 28 + the byte."""
    import mistral_chat_template as mct

    path = tmp_path_factory.mktemp("vocabulary") / "tekken.json"
    path.write_text(byte_vocabulary_text())
    return mct.Vocabulary(path)
