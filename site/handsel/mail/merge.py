"""Merge fields: ``{{ first_name | there }}`` in a letter. They are looked up, never compiled as a template.

A text with merge fields is a tuple of plain strings and ``Merge`` values. ``hide`` and ``show`` carry the fields
unharmed through Markdown, the sanitiser and the style inliner: each becomes a word that none of them touches.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Merge:
    """One merge field: its ``field`` name, and what stands there when the value is empty (None: nothing was given)."""

    field: str
    fallback: str | None = None


Text = tuple[str | Merge, ...]

FIELD = re.compile(r"\{\{\s*([a-z][a-z0-9_]*)\s*(?:\|\s*([^{}]*?)\s*)?\}\}")
_WORD = re.compile(r"xmergefieldx(\d{4})x")


def parse(source: str) -> Text:
    """``source`` cut at its merge fields; neighbouring plain text is one string. What is no field stays as it is."""
    parts: list[str | Merge] = []
    end = 0
    for match in FIELD.finditer(source):
        if match.start() > end:
            parts.append(source[end : match.start()])
        parts.append(Merge(match[1], match[2]))
        end = match.end()
    if end < len(source):
        parts.append(source[end:])
    return tuple(parts)


def fields(text: Text) -> tuple[Merge, ...]:
    """The merge fields of ``text`` in their order."""
    return tuple(part for part in text if isinstance(part, Merge))


def hide(source: str) -> tuple[str, tuple[Merge, ...]]:
    """``source`` with a harmless word in the place of each merge field, and the fields; see ``show``."""
    return cover(parse(source))


def cover(text: Text) -> tuple[str, tuple[Merge, ...]]:
    """As ``hide``, for a text that is cut already."""
    found: list[Merge] = []
    words: list[str] = []
    for part in text:
        if isinstance(part, Merge):
            words.append(f"xmergefieldx{len(found):04d}x")
            found.append(part)
        else:
            words.append(_WORD.sub("", part))
    return "".join(words), tuple(found)


def show(covered: str, found: tuple[Merge, ...]) -> Text:
    """The text behind ``covered``, which came from ``hide`` and may have been rendered since."""
    parts: list[str | Merge] = []
    end = 0
    for match in _WORD.finditer(covered):
        if match.start() > end:
            parts.append(covered[end : match.start()])
        parts.append(found[int(match[1])])
        end = match.end()
    if end < len(covered):
        parts.append(covered[end:])
    return tuple(parts)


def value(merge: Merge, values: Mapping[str, str]) -> str:
    """What stands for ``merge``: the field's value, else its fallback, else nothing."""
    return values.get(merge.field) or merge.fallback or ""


def fill(text: Text, values: Mapping[str, str]) -> str:
    """``text`` with every field looked up once; what comes in is not looked at again."""
    return "".join(value(part, values) if isinstance(part, Merge) else part for part in text)
