"""Stand-ins with the method names of other libraries.

:class:`Renderer` has those of the ``renderers`` package, :class:`ChatTemplateTokenizer` those of a tokenizer of
transformers that callers of ``apply_chat_template`` use.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from . import _native
from ._errors import ChatError

if TYPE_CHECKING:
    from .types import Mode, Tools

Message = dict[str, Any]

__all__ = ["ChatTemplateTokenizer", "ParsedResponse", "ParsedToolCall", "RenderedTokens", "Renderer"]


@dataclass
class RenderedTokens:
    """The tokens of a chat; all lists have one entry a token, but for those named ``message_…``.

    ``message_indices``
        the message that a token comes from, -1 for none
    ``sampled_mask``
        true where the model says it: all of an assistant's turn but for a ``<s>`` or what begins it
    ``is_content``
        true where a message says it and not the layout
    """

    token_ids: list[int] = field(default_factory=list)
    message_indices: list[int] = field(default_factory=list)
    sampled_mask: list[bool] = field(default_factory=list)
    is_content: list[bool] = field(default_factory=list)
    message_roles: list[str] = field(default_factory=list)
    message_tool_names: list[str | None] = field(default_factory=list)
    multi_modal_data: None = None


@dataclass
class ParsedToolCall:
    """A call that the model wrote: ``status`` is ``"ok"``, ``"invalid_json"`` or ``"unclosed_block"``."""

    raw: str
    name: str | None = None
    arguments: dict[str, Any] | str | None = None
    token_span: tuple[int, int] | None = None
    status: str = "ok"
    id: str | None = None


@dataclass
class ParsedResponse:
    """What the model said."""

    content: str
    reasoning_content: str | None = None
    tool_calls: list[ParsedToolCall] = field(default_factory=list)
    reasoning_complete: bool | None = True


def _tool_names(messages: list[Message]) -> list[str | None]:
    names: list[str | None] = []
    known: dict[str | None, str | None] = {}
    for message in messages:
        for call in message.get("tool_calls") or []:
            known[call.get("id")] = (call.get("function") or {}).get("name")
        is_result = message.get("role") == "tool"
        names.append(message.get("name") or known.get(message.get("tool_call_id")) if is_result else None)
    return names


class Renderer:
    """A layout and a vocabulary with the methods of a ``renderers.Renderer``.

    ``lenient`` is as in :class:`~mistral_chat_template.Completion`: it reads what models really write.
    """

    def __init__(self, layout: _native.Layout, tokenizer: Any, *, lenient: bool = False) -> None:
        self.layout, self.tokenizer, self.lenient = layout, tokenizer, lenient

    @property
    def is_prefix_stable(self) -> bool:
        """Does a longer chat keep the tokens of a shorter one that ends with a reply?

        False for versions that move the system prompt, the tools or the settings to the last user turn, or leave old
        calls out. Where it is true, two replies in a row are refused: the layouts make one turn of them.
        """
        return self.layout.is_prefix_stable

    def _render(
        self, messages: Iterable[Message], tools: Tools | None, add_generation_prompt: bool
    ) -> _native.Prompt:
        messages = list(messages)
        if self.is_prefix_stable:
            for one, other in zip(messages, messages[1:]):
                if one.get("role") == other.get("role") == "assistant":
                    raise ValueError("two replies in a row become one turn: join them before")
        ends_with_reply = bool(messages) and messages[-1].get("role") == "assistant"
        if add_generation_prompt and ends_with_reply and not messages[-1].get("prefix"):
            raise ValueError("the chat ends with a reply: there is nothing to generate")
        # A chat that is complete is one for training, and every other is one to be answered.
        mode: Mode = "finetuning" if ends_with_reply and not messages[-1].get("prefix") else "test"
        return self.layout.render(messages, tools, mode=mode)

    def render(
        self, messages: Sequence[Message], *, tools: Tools | None = None, add_generation_prompt: bool = False
    ) -> RenderedTokens:
        """The tokens of a chat.

        These layouts write nothing for a generation to begin: with and without ``add_generation_prompt`` the tokens
        are the same.
        """
        prompt = self._render(messages, tools, add_generation_prompt)
        encoded = prompt.encode(self.tokenizer)
        texts = encoded.text_mask.tolist()
        sampled = encoded.loss_mask.tolist()
        roles = [message["role"] for message in messages]
        message_indices = encoded.message_index.tolist()
        content = [
            sampled[token] or (text and message >= 0 and roles[message] != "assistant")
            for token, (text, message) in enumerate(zip(texts, message_indices))
        ]
        return RenderedTokens(
            encoded.input_ids.tolist(), message_indices, sampled, content, roles, _tool_names(list(messages))
        )

    def render_ids(
        self, messages: Iterable[Message], *, tools: Tools | None = None, add_generation_prompt: bool = False
    ) -> list[int]:
        """The ids alone."""
        ids: list[int] = self._render(messages, tools, add_generation_prompt).encode(self.tokenizer).input_ids.tolist()
        return ids

    def parse_response(
        self, token_ids: Iterable[int], *, tools: Tools | None = None, prompt_ids: Sequence[int] | None = None
    ) -> ParsedResponse:
        """Reads what was sampled. Calls have their arguments as dicts where they are JSON objects."""
        ids = list(token_ids)
        completion = _native.Completion(
            ids, self.layout, self.tokenizer, lenient=self.lenient, tools=tools, call_ids=None
        )
        message = completion.message()
        error: ChatError | None = completion.error
        calls = []
        for call in message.get("tool_calls") or []:
            raw = call["function"]["arguments"]
            try:
                arguments, status = json.loads(raw), "ok"
            except ValueError:
                arguments, status = raw, "unclosed_block" if completion.finish_reason == "length" else "invalid_json"
            calls.append(ParsedToolCall(raw, call["function"]["name"], arguments, None, status, call.get("id")))
        if error is not None and completion.rest:
            status = "unclosed_block" if completion.finish_reason == "length" else "invalid_json"
            calls.append(ParsedToolCall(completion.rest, status=status))
        chunks = completion.message("mistral")["content"]
        thinking = [chunk for chunk in chunks if chunk["type"] == "thinking"] if isinstance(chunks, list) else []
        return ParsedResponse(
            message.get("content") or "",
            message.get("reasoning_content"),
            calls,
            all(chunk.get("closed", True) for chunk in thinking),
        )

    def get_stop_token_ids(self) -> list[int]:
        """The ids at which generation ends."""
        ids = [self.tokenizer.control_id(literal) for literal in self.layout.stop_strings]
        return [id for id in ids if id is not None]

    def bridge_to_next_turn(
        self,
        previous_prompt_ids: Iterable[int],
        previous_completion_ids: Iterable[int],
        new_messages: Iterable[Message],
        *,
        tools: Tools | None = None,
    ) -> RenderedTokens | None:
        """The next prompt with all that was sampled kept as it is; ``None`` where that cannot be proved.

        It can where nothing of the earlier prompt depends on later messages (``is_prefix_stable``), the completion is
        complete, and no message is the assistant's.
        """
        new_messages = list(new_messages)
        stop = set(self.get_stop_token_ids())
        completion_ids = list(previous_completion_ids)
        previous = [*previous_prompt_ids, *completion_ids]
        is_complete = bool(previous) and previous[-1] in stop
        if not self.is_prefix_stable or not is_complete or not new_messages:
            return None
        if any(message.get("role") not in ("user", "tool") for message in new_messages):
            return None
        completion = _native.Completion(
            completion_ids, self.layout, self.tokenizer, call_ids=None, lenient=False
        )
        message = completion.message()
        calls = message.get("tool_calls") or []
        if completion.error is not None or completion.stray or completion.rest:
            return None
        addition = self._addition(message, calls, new_messages, tools)
        if addition is None:
            return None
        ids, indices, content = addition
        none = len(previous)
        return RenderedTokens(
            previous + ids,
            [-1] * none + indices,
            [False] * (none + len(ids)),
            [False] * none + content,
            [message["role"] for message in new_messages],
            _tool_names(new_messages),
        )

    def _addition(
        self, message: Message, calls: list[dict[str, Any]], new_messages: list[Message], tools: Tools | None
    ) -> tuple[list[int], list[int], list[bool]] | None:
        """The ids behind a reply, as a conversation of that reply alone writes them."""
        results = [new for new in new_messages if new.get("role") == "tool"]
        if len(results) != len(calls):
            return None
        # The reply's text is what was sampled and stays; only what follows it is written. Ids are its results' own.
        for call, result in zip(calls, results):
            call["id"] = call.get("id") or result.get("tool_call_id") or ""
        try:
            before = self.layout.render([{"role": "user", "content": "?"}, message], tools, mode="finetuning")
            whole = self.layout.render([{"role": "user", "content": "?"}, message, *new_messages], tools, mode="test")
        except ChatError:
            return None
        start = before.encode(self.tokenizer).input_ids.tolist()
        encoded = whole.encode(self.tokenizer)
        ids = encoded.input_ids.tolist()
        if ids[: len(start)] != start:
            return None
        at = len(start)
        texts = encoded.text_mask.tolist()
        indices = [index - 2 if index >= 2 else -1 for index in encoded.message_index.tolist()[at:]]
        content = [text and index >= 0 for text, index in zip(texts[at:], indices)]
        return ids[at:], indices, content


class ChatTemplateTokenizer:
    """Stands in for a tokenizer of transformers where ``apply_chat_template`` is called.

    ``format`` is a :class:`~mistral_chat_template.Layout` or a :class:`~mistral_chat_template.ChatTemplate`,
    ``tokenizer`` a :class:`~mistral_chat_template.Vocabulary`. What this class does not have is asked of ``base``, the
    tokenizer that it stands in for, where there is one.
    """

    format: _native.Layout | _native.ChatTemplate

    def __init__(self, format: _native.Layout | _native.ChatTemplate, tokenizer: Any = None, base: Any = None) -> None:
        self.format, self._tokenizer, self._base = format, tokenizer, base

    def __getattr__(self, name: str) -> Any:
        base = self.__dict__.get("_base")
        if base is None or name.startswith("__"):
            raise AttributeError(f"ChatTemplateTokenizer has no {name!r}, and stands in for no tokenizer that has")
        return getattr(base, name)

    def apply_chat_template(
        self,
        conversation: Any,
        tools: Tools | None = None,
        documents: Sequence[Any] | None = None,
        chat_template: str | None = None,
        add_generation_prompt: bool = False,
        continue_final_message: bool | str = False,
        tokenize: bool = True,
        padding: bool = False,
        truncation: bool = False,
        max_length: int | None = None,
        return_tensors: str | None = None,
        return_dict: bool = True,
        return_assistant_tokens_mask: bool = False,
        tokenizer_kwargs: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> Any:
        """As in transformers 5: a text, ids, or a dict of ``input_ids``, ``attention_mask`` and ``assistant_masks``.

        ``padding`` and ``truncation`` are refused, and so is any other ``chat_template``: nothing is ignored.
        """
        refused = {"padding": padding, "truncation": truncation, "max_length": max_length,
            "chat_template": chat_template, "tokenizer_kwargs": tokenizer_kwargs}  # fmt: skip
        for name, value in refused.items():
            if value:
                raise TypeError(f"{name} is not done here")
        if return_tensors not in (None, "np"):
            raise TypeError('return_tensors is None or "np"')
        is_batch = _is_batch(conversation)
        chats = conversation if is_batch else [conversation]
        prompts = [
            self._prompt(chat, tools, documents, add_generation_prompt, continue_final_message, kwargs)
            for chat in chats
        ]
        if not tokenize:
            texts = [prompt.text for prompt in prompts]
            return texts if is_batch else texts[0]
        if self._tokenizer is None:
            raise TypeError("tokenize=True needs a vocabulary")
        rows = [prompt.encode(self._tokenizer) for prompt in prompts]
        columns: dict[str, Any] = {
            "input_ids": [row.input_ids for row in rows],
            "attention_mask": [np.ones(len(row), dtype=np.int64) for row in rows],
        }
        if return_assistant_tokens_mask:
            columns["assistant_masks"] = [row.loss_mask.astype(np.int64) for row in rows]
        if return_tensors is None:
            columns = {name: [array.tolist() for array in arrays] for name, arrays in columns.items()}
        if not is_batch:
            columns = {name: rows[0] for name, rows in columns.items()}
        return columns if return_dict else columns["input_ids"]

    def _prompt(
        self,
        chat: Any,
        tools: Tools | None,
        documents: Sequence[Any] | None,
        add_generation_prompt: bool,
        continue_final_message: bool | str,
        kwargs: dict[str, Any],
    ) -> _native.Prompt:
        messages = chat["messages"] if isinstance(chat, dict) else getattr(chat, "messages", chat)
        if isinstance(self.format, _native.ChatTemplate):
            return self.format.render(
                messages,
                tools,
                documents=documents,
                add_generation_prompt=add_generation_prompt,
                continue_final_message=continue_final_message,
                **kwargs,
            )
        if documents:
            raise TypeError("no layout has documents")
        if continue_final_message:
            return self.format.render(messages, tools, continue_final_message=continue_final_message, **kwargs)
        is_complete = bool(messages) and messages[-1].get("role") == "assistant" and not messages[-1].get("prefix")
        if is_complete and add_generation_prompt:
            raise ValueError("the chat ends with a reply: there is nothing to generate")
        return self.format.render(messages, tools, mode="finetuning" if is_complete else None, **kwargs)


def _is_batch(conversation: Any) -> bool:
    if not isinstance(conversation, (list, tuple)) or not conversation:
        return False
    first = conversation[0]
    return isinstance(first, (list, tuple)) or hasattr(first, "messages") or (isinstance(first, dict) and "messages" in first)
