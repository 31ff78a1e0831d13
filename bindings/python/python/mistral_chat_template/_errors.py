"""The exceptions, and what pickle opens objects with."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ._native import Layout, Vocabulary
    from .types import Mode, Path


def json_pointer(at: str) -> str:
    """The JSON pointer (RFC 6901) of a path: ``messages[3].role`` is ``/messages/3/role``."""
    steps = re.findall(r"\[(\d+)\]|([^.\[\]]+)", at)
    return "".join("/" + (index or name.replace("~", "~0").replace("/", "~1")) for index, name in steps)


class ChatError(ValueError):
    """What is wrong with an input, and where.

    ``kind``
        the error's stable name in snake case, such as ``"role_order"``
    ``at``
        the path to the culprit, such as ``"messages[3].tool_calls[0].id"``; empty for the input as a whole
    ``layout``
        the name of the layout whose rule was broken, or ``None``
    ``family``
        the class of errors that mistral-common puts this one into, by its name there
    """

    kind: str
    at: str
    layout: str | None
    family: str

    def __init__(self, message: str, kind: str = "", at: str = "", layout: str | None = None, family: str = "") -> None:
        super().__init__(message)
        self.kind, self.at, self.layout, self.family = kind, at, layout, family

    @property
    def pointer(self) -> str:
        """The path as a JSON pointer: ``/messages/3/tool_calls/0/id``."""
        return json_pointer(self.at)

    def __reduce__(self) -> tuple[type[ChatError], tuple[str | None, ...]]:
        return type(self), (str(self), self.kind, self.at, self.layout, self.family)


class FormError(ChatError):
    """The JSON is not of the form (mistral-common's ``ValidationError``)."""


class RequestError(ChatError):
    """``InvalidRequestException``"""


class MessageStructureError(ChatError):
    """``InvalidMessageStructureException``: messages in an order that the layout refuses."""


class SystemPromptError(ChatError):
    """``InvalidSystemPromptException``"""


class UserMessageError(ChatError):
    """``InvalidUserMessageException``"""


class AssistantMessageError(ChatError):
    """``InvalidAssistantMessageException``"""


class ToolMessageError(ChatError):
    """``InvalidToolMessageException``"""


class FunctionCallError(ChatError):
    """``InvalidFunctionCallException``"""


class ToolError(ChatError):
    """``InvalidToolException``"""


class ToolSchemaError(ChatError):
    """``InvalidToolSchemaException``"""


class TokenizerError(ChatError):
    """``TokenizerException``"""


class UnsupportedFeatureError(TokenizerError):
    """``UnsupportedTokenizerFeatureException``"""


class BudgetError(ChatError):
    """A budget that cannot be met."""


class PresetError(ChatError):
    """A SillyTavern preset, its story string or its macros."""


class ToolCallError(ChatError):
    """``InvalidToolCallError``: a model's calls are not of the form."""


class ArgumentsError(ToolCallError):
    """``InvalidArgsToolCallError``: the arguments of a model's call are not of the form."""


class TemplateError(ChatError):
    """A model's own template, or what it refuses."""


#: The class of each family; a family without one of its own is a plain :class:`ChatError`.
CLASSES: dict[str, type[ChatError]] = {
    "ValidationError": FormError,
    "InvalidRequestException": RequestError,
    "InvalidMessageStructureException": MessageStructureError,
    "InvalidSystemPromptException": SystemPromptError,
    "InvalidUserMessageException": UserMessageError,
    "InvalidAssistantMessageException": AssistantMessageError,
    "InvalidToolMessageException": ToolMessageError,
    "InvalidFunctionCallException": FunctionCallError,
    "InvalidToolException": ToolError,
    "InvalidToolSchemaException": ToolSchemaError,
    "TokenizerException": TokenizerError,
    "UnsupportedTokenizerFeatureException": UnsupportedFeatureError,
    "AssertionError": ChatError,
    "ValueError": ChatError,
    "KeyError": ChatError,
    "budget": BudgetError,
    "preset": PresetError,
    "other": ChatError,
    "InvalidToolCallError": ToolCallError,
    "InvalidArgsToolCallError": ArgumentsError,
    "template": TemplateError,
}


def open_vocabulary(path: Path, controls: Path | None) -> Vocabulary:
    from ._native import Vocabulary

    return Vocabulary(path, controls=controls)


def open_layout(name: str, mode: Mode, settings: str | None) -> Layout:
    from ._native import Layout

    return Layout(name, mode=mode, settings=settings)
