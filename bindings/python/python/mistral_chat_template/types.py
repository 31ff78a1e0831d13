"""The types of arguments, for annotations."""

import os
from collections.abc import Mapping, Sequence
from typing import Any, Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from ._native import CallableTokenizer, Chat, Vocabulary

#: A list of messages, a request with `messages`, its JSON text, or a `Chat`; dicts, or objects with `model_dump`.
Messages: TypeAlias = Chat | str | bytes | Mapping[str, Any] | Sequence[Any]
Tools: TypeAlias = Sequence[Any]
Mode: TypeAlias = Literal["test", "serving", "finetuning", "agnostic"]
Dialect: TypeAlias = Literal[
    "either", "mistral", "openai", "legacy", "sharegpt", "responses", "anthropic", "conversations", "ollama", "gemini"
]
Learn: TypeAlias = Literal["assistant", "last_turn", "weighted", "everything"] | Sequence[bool]
Path: TypeAlias = str | os.PathLike[str]
Ids: TypeAlias = Sequence[int] | npt.NDArray[np.integer]
AnyTokenizer: TypeAlias = Vocabulary | CallableTokenizer
