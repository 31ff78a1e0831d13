"""Chats into Mistral prompts: byte for byte and token for token as Mistral's own library lays them out."""

from __future__ import annotations

from ._errors import (
    ArgumentsError,
    AssistantMessageError,
    BudgetError,
    ChatError,
    FormError,
    FunctionCallError,
    MessageStructureError,
    PresetError,
    RequestError,
    SystemPromptError,
    TemplateError,
    TokenizerError,
    ToolCallError,
    ToolError,
    ToolMessageError,
    ToolSchemaError,
    UnsupportedFeatureError,
    UserMessageError,
)
from ._native import (
    CallableTokenizer,
    Chat,
    ChatTemplate,
    Completion,
    CompletionReader,
    Conversation,
    Encoded,
    Explanation,
    Layout,
    Preset,
    Prompt,
    Vocabulary,
    __version__,
    fit,
    format_batch,
    pack,
    repair,
    which_layout,
)
from ._types import Reject, Segment, Span

__all__ = [name for name in dir() if not name.startswith("_") and name != "annotations"]
