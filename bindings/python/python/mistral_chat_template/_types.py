"""Named tuples."""

from __future__ import annotations

from typing import NamedTuple


class Segment(NamedTuple):
    """A piece of a prompt.

    ``kind`` is ``"control"`` (``text`` is the token's literal), ``"text"`` or ``"media"`` (``text`` is ``"image"`` or
    ``"audio"``).
    """

    kind: str
    text: str


class Span(NamedTuple):
    """What ``prompt.text[start:stop]`` is, and where it comes from; positions are code points.

    ``kind`` is ``"control"``, ``"text"``, ``"more_text"`` (which goes on with the run before it) or ``"media"``;
    ``message`` is the index of the message, ``role`` its role, and ``None`` for what the layout adds.
    """

    start: int
    stop: int
    kind: str
    message: int | None
    role: str | None


class Reject(NamedTuple):
    """A row that cannot be used: its index among the rows given, the error's ``kind`` and place, and a sentence."""

    row: int
    kind: str
    at: str
    message: str
