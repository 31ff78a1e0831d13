"""The types of the extension module."""

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Literal, final

import numpy as np
import numpy.typing as npt
import pyarrow as pa  # type: ignore[import-untyped]
from typing_extensions import Self

from ._errors import ChatError
from ._types import Reject, Segment, Span
from .types import AnyTokenizer, Dialect, Ids, Learn, Messages, Mode, Path, Tools

__all__ = [
    "CallableTokenizer",
    "Chat",
    "ChatTemplate",
    "Completion",
    "CompletionReader",
    "Conversation",
    "Encoded",
    "Explanation",
    "Layout",
    "Preset",
    "Prompt",
    "Vocabulary",
    "__version__",
    "fit",
    "format_batch",
    "pack",
    "repair",
    "which_layout",
]

__version__: str

@final
class Chat:
    """A chat that was read: what `repair` and `fit` give, and every chat argument accepts."""

    def __new__(cls, chat: Messages, tools: Tools | None = None, *, dialect: Dialect | None = None, **fields: Any) -> Self: ...
    @property
    def messages(self) -> list[dict[str, Any]]: ...
    @property
    def tools(self) -> list[dict[str, Any]]: ...
    def to_dict(self) -> dict[str, Any]: ...
    def to_json(self) -> str: ...
    def __len__(self) -> int: ...

@final
class Layout:
    """One version's layout: how a chat becomes a prompt."""

    def __new__(cls, name: str, *, mode: Mode | None = None, settings: Mapping[str, Any] | str | None = None) -> Self:
        """The layout of a name: `"v7"`, `"v3-tekken"`, `"v13+think"`, or a model's.

        `settings` is `model_settings_builder` of a v15 tokenizer file, where it is not the usual one.
        """

    @staticmethod
    def for_model(name: str) -> Layout:
        """The layout of a model, by its name."""

    @staticmethod
    def from_files(path: Path) -> Layout:
        """The layout of a model's folder, of its `tekken.json`, or of a SentencePiece model by its name."""

    @property
    def name(self) -> str: ...
    @property
    def mode(self) -> Mode: ...
    @property
    def tokenizer_kind(self) -> Literal["tekken", "sentencepiece"]: ...
    @property
    def is_prefix_stable(self) -> bool: ...
    @property
    def has_settings(self) -> bool: ...
    @property
    def evidence(self) -> str | None: ...
    @property
    def certainty(self) -> str | None: ...
    @property
    def stop_strings(self) -> list[str]: ...
    def render(
        self,
        chat: Messages,
        tools: Tools | None = None,
        *,
        mode: Mode | None = None,
        learn: Learn | None = None,
        dialect: Dialect | None = None,
        **fields: Any,
    ) -> Prompt:
        """The chat's prompt. `fields` are members of the request, such as `reasoning_effort="high"`.

        Raises a `ChatError` with the place of what the layout refuses: `messages[2].role`.
        """

    def render_fim(self, prompt: str, suffix: str = "") -> Prompt:
        """The prompt of a text with a gap."""

    def prefix_break(
        self, chat: Messages, n: int, tools: Tools | None = None, *, dialect: Dialect | None = None, **fields: Any
    ) -> dict[str, Any] | None:
        """Where the prompt of the first `n` messages is not what the whole chat's prompt begins with.

        `segment` (an index), `message` (an index or `None`), `cause` (a sentence); `None` where a cache stays valid.
        """

    def grammar(
        self,
        chat: Messages,
        tokenizer: AnyTokenizer,
        tools: Tools | None = None,
        *,
        format: Literal["lark", "exact_lark", "structural_tag"] = "lark",
        dialect: Dialect | None = None,
        **fields: Any,
    ) -> str | None:
        """The grammar of the answers that the chat allows; `None` where nothing is constrained."""

@final
class ChatTemplate:
    """A model's own Jinja template, rendered as transformers does."""

    def __new__(cls, source: str, *, special_tokens: Mapping[str, str] | None = None) -> Self: ...
    @staticmethod
    def from_files(path: Path) -> ChatTemplate:
        """The template of a model's folder, of its `tokenizer_config.json` or of a `chat_template.jinja`."""

    @property
    def marks_generated(self) -> bool: ...
    def render(
        self,
        chat: Messages,
        tools: Tools | None = None,
        *,
        learn: Learn | None = None,
        add_generation_prompt: bool | None = None,
        continue_final_message: bool | str | None = None,
        documents: Sequence[Any] | None = None,
        now: int | None = None,
        dialect: Dialect | None = None,
        **variables: Any,
    ) -> Prompt:
        """The chat's prompt. `now` is the time in seconds since 1970, by default the machine's."""

    def prefix_break(
        self,
        chat: Messages,
        n: int,
        tools: Tools | None = None,
        *,
        add_generation_prompt: bool | None = None,
        dialect: Dialect | None = None,
        **variables: Any,
    ) -> dict[str, Any] | None: ...
    def nearest_layout(self) -> dict[str, Any]: ...

@final
class Preset:
    """A SillyTavern preset: its files as JSON texts or dicts, loaded in order into a fresh install."""

    def __new__(cls, *files: str | bytes | Mapping[str, Any]) -> Self: ...
    @staticmethod
    def for_layout(layout: Layout) -> Preset: ...
    def render(
        self,
        chat: Messages,
        *,
        learn: Learn | None = None,
        user: str = "User",
        char: str = "Assistant",
        dialect: Dialect | None = None,
    ) -> Prompt: ...
    def prefix_break(
        self, chat: Messages, n: int, *, user: str = "User", char: str = "Assistant", dialect: Dialect | None = None
    ) -> dict[str, Any] | None: ...
    def compare(self, layout: Layout) -> str: ...
    def to_json(self) -> str: ...

@final
class Prompt:
    """A prompt: a string that knows what of it is a control token and what is text."""

    @property
    def text(self) -> str: ...
    @property
    def plain(self) -> str: ...
    @property
    def after_bos(self) -> str: ...
    @property
    def stop_strings(self) -> list[str]: ...
    @property
    def segments(self) -> list[Segment]: ...
    @property
    def mask(self) -> list[tuple[int, int]]:
        """What is learnt: pairs of positions in `text`, in code points."""

    @property
    def mask_bytes(self) -> list[tuple[int, int]]:
        """What is learnt: pairs of positions in `text.encode()`, in bytes."""

    @property
    def spans(self) -> list[Span]: ...
    def encode(self, tokenizer: AnyTokenizer) -> Encoded:
        """The prompt's tokens. A vocabulary of another kind than the layout's is refused."""

    def divergence(self, other: Prompt) -> dict[str, Any] | None: ...

@final
class Encoded:
    """The tokens of a prompt as arrays of one length `n`; nothing was copied."""

    @property
    def input_ids(self) -> npt.NDArray[np.int32]:
        """Shape `(n,)`."""

    @property
    def labels(self) -> npt.NDArray[np.int64]:
        """Shape `(n,)`: the ids that are learnt, -100 for the others."""

    @property
    def loss_mask(self) -> npt.NDArray[np.bool_]:
        """Shape `(n,)`: true for the tokens that are learnt."""

    @property
    def message_index(self) -> npt.NDArray[np.int32]:
        """Shape `(n,)`: the message that a token comes from, -1 for none."""

    @property
    def text_mask(self) -> npt.NDArray[np.bool_]:
        """Shape `(n,)`: true for the tokens of texts, false for control tokens."""

    def keys(self) -> list[str]: ...
    def __getitem__(self, key: str, /) -> npt.NDArray[Any]: ...
    def __len__(self) -> int: ...

@final
class Vocabulary:
    """A model's own vocabulary file: `tekken.json`, or a SentencePiece model.

    `controls` is a file with a JSON object of more control tokens and their ids.
    """

    def __new__(cls, path: Path, *, controls: Path | None = None) -> Self: ...
    @property
    def kind(self) -> Literal["tekken", "sentencepiece"]: ...
    def encode(self, text: str, *, word_start: bool = True) -> npt.NDArray[np.int32]:
        """The ids of a text, shape `(n,)`, which are never those of control tokens."""

    def decode(self, ids: Ids) -> str: ...
    def control_id(self, literal: str) -> int | None: ...

@final
class CallableTokenizer:
    """A function that encodes texts, with the ids of control tokens by their literals beside it.

    With `kind="sentencepiece"` it is called with a second argument: whether to set the dummy prefix. `decode` gives the
    text or the bytes of one id.
    """

    def __new__(
        cls,
        encode: Callable[..., Ids],
        controls: Mapping[str, int],
        *,
        kind: Literal["tekken", "sentencepiece"] | None = None,
        decode: Callable[[int], str | bytes] | None = None,
    ) -> Self: ...
    def control_id(self, literal: str) -> int | None: ...

@final
class Conversation:
    """A chat that the model goes on with, as the ids that were sampled."""

    def __new__(
        cls,
        layout: Layout,
        chat: Messages,
        tokenizer: AnyTokenizer,
        tools: Tools | None = None,
        *,
        dialect: Dialect | None = None,
        **fields: Any,
    ) -> Self: ...
    @property
    def ids(self) -> npt.NDArray[np.int32]: ...
    @property
    def sampled(self) -> npt.NDArray[np.bool_]: ...
    @property
    def chat(self) -> Chat: ...
    def reply(self, message: Completion | Mapping[str, Any], sampled: Ids) -> None:
        """Adds what the model said: the message, and the ids that were sampled, end token included."""

    def append(self, messages: Messages) -> tuple[int, int]:
        """Adds messages, and gives the positions `(start, stop)` of the ids that they added."""

    def update(
        self, chat: Messages, tools: Tools | None = None, *, dialect: Dialect | None = None, **fields: Any
    ) -> dict[str, Any]:
        """Makes it the conversation of a whole chat, as a client sent it: the reply as the client kept it, and what
        comes next. Gives `kept` (how many ids from the beginning stay), `new_ids` (their positions `(start, stop)`),
        `encoded` (how many of them were encoded) and `why` the prompt does not begin with the earlier one, or None."""

    def close(self) -> None:
        """Ends the conversation with the last reply."""

    def labelled(self) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int64]]:
        """`input_ids` and `labels`, shapes `(n,)`: what was sampled is learnt, and the label of all else is -100."""

    def drift(self) -> list[dict[str, Any]]:
        """Where sampled ids are not those that layout and tokenizer make of the same messages.

        `message`, `start` and `at` (positions of ids), `ids` and `rendered` (lists of ids).
        """

    def __len__(self) -> int: ...

@final
class Completion:
    """The whole of what a model said: text with control tokens spelled out, or ids with a tokenizer."""

    def __new__(
        cls,
        output: str | Ids,
        layout: Layout,
        tokenizer: AnyTokenizer | None = None,
        *,
        lenient: bool = False,
        tools: Tools | None = None,
        call_ids: Literal["random"] | int | None = ...,
        stop_strings: Sequence[str] | None = None,
        after: Prompt | None = None,
    ) -> Self: ...
    def message(self, dialect: Literal["openai", "mistral"] = "openai") -> dict[str, Any]: ...
    @property
    def finish_reason(self) -> Literal["stop", "length", "tool_calls"]: ...
    @property
    def rest(self) -> str: ...
    @property
    def error(self) -> ChatError | None: ...
    def raise_for_error(self) -> None: ...
    @property
    def stray(self) -> list[dict[str, Any]]: ...
    @property
    def liberties(self) -> list[dict[str, Any]]: ...
    def response(
        self,
        dialect: Dialect = "openai",
        *,
        id: str = "",
        model: str = "",
        created: int = 0,
        prompt_tokens: int = 0,
        completion_tokens: int = 0,
    ) -> dict[str, Any]: ...

@final
class CompletionReader:
    """Reads a model's output as it comes, and gives the deltas that a client of `dialect` gets."""

    def __new__(
        cls,
        layout: Layout,
        *,
        calls: Literal["streamed", "whole"] = "streamed",
        call_ids: Literal["random"] | int | None = ...,
        lenient: bool = False,
        tools: Tools | None = None,
        stop_strings: Sequence[str] | None = None,
        after: Prompt | None = None,
        dialect: Literal["openai", "mistral"] = "openai",
    ) -> Self: ...
    def push(self, text: str) -> list[dict[str, Any]]: ...
    def push_ids(self, ids: int | Ids, tokenizer: AnyTokenizer) -> list[dict[str, Any]]: ...
    @property
    def stop_found(self) -> str | None: ...
    def finish(self) -> list[dict[str, Any]]: ...
    @property
    def completion(self) -> Completion: ...

@final
class Explanation:
    """A prompt of a log, and how it deviates from a layout."""

    def __new__(cls, prompt: str, layout: Layout, *, system: str | None = None) -> Self: ...
    @staticmethod
    def nearest(prompt: str) -> list[Explanation]: ...
    @property
    def layout(self) -> str: ...
    @property
    def chat(self) -> Chat: ...
    @property
    def mended(self) -> str: ...
    @property
    def deviations(self) -> list[dict[str, Any]]:
        """`what`, `start` and `stop` in code points of the prompt, and `mend`, what belongs there, or `None`."""

def repair(
    chat: Messages,
    layout: Layout,
    tools: Tools | None = None,
    *,
    mode: Mode | None = None,
    dialect: Dialect | None = None,
    **policy: str,
) -> tuple[Chat, list[dict[str, Any]]]:
    """A chat that the layout accepts, and what was changed: `at`, `kind`, `what`, `renamed`.

    `policy`: `open_calls` (`"drop"` or the text of an answer), `stray_results` (`"drop"`, `"user"`),
    `text_beside_calls` (`"drop_text"`, `"drop_calls"`), `thinking` (`"drop"`, `"text"`), `media` (`"drop"` or a text),
    `empty_replies` (`"drop"`, `"space"`), `late_system` (`"user"`, `"first"`), `last_reply` (`"continue"`, `"drop"`).
    """

def fit(
    chat: Messages,
    layout: Layout,
    budget: int,
    tokenizer: AnyTokenizer,
    tools: Tools | None = None,
    *,
    media_tokens: int | None = None,
    dialect: Dialect | None = None,
    **fields: Any,
) -> tuple[Chat, list[int], int]:
    """The chat without its oldest exchanges, in at most `budget` tokens; the messages left out; the count of tokens."""

def which_layout(template: ChatTemplate | Path) -> dict[str, Any]:
    """Which layout a model's template is, what that rests on, and where it is not quite that."""

def format_batch(
    rows: Any,
    format: Layout | ChatTemplate | Preset,
    vocabulary: AnyTokenizer | None = None,
    *,
    learn: str = "weighted",
    columns: Sequence[str] | None = None,
    repair: bool = False,
    max_length: int | None = None,
    too_long: Literal["drop", "cut"] = "drop",
    nulls: Literal["keep", "drop_in_tools", "drop_everywhere"] = "drop_in_tools",
    think_tags: bool = False,
    strict: bool = False,
    threads: int | None = None,
) -> tuple[pa.RecordBatch, list[Reject]]:
    """Rows of a data set into training rows, on `threads` threads (one a core) without the interpreter's lock.

    `rows` is whatever exports Arrow (a pyarrow table, a polars frame), a dict of columns as `datasets` gives batches, or
    a list of dicts or JSON texts. `learn` is a list of names, such as `"assistant,tool"`: `weighted` (as messages are
    marked), `last`, `everything`, and roles. `columns`: `text`, `mask` (code points), `input_ids` (int32), `labels`
    (int64), `attention_mask`, `loss_mask`, `message_index`, `length`, `label`, `row` (the index among the rows given);
    for pairs each comes once more as `rejected_…`. `max_length` is in tokens, without a vocabulary in code points.

    Rows that cannot be used are the second value; fields that bear on training and are not understood are warned of,
    and with `strict` their rows are rejected.
    """

def pack(rows: Any, length: int) -> pa.RecordBatch:
    """Rows with `input_ids` and `labels` (Arrow, or mappings) packed, in order, into sequences of at most `length` tokens.

    Columns: `input_ids`, `labels`, `position_ids` (each token's place in its row), `starts` (where each row begins).
    """
