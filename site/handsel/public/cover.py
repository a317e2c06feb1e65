"""The drawn cover of an offer: its title set in lines that fit, over a quiet pattern."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import pi, sin
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from handsel.offers.library import Offer

WIDTH, HEIGHT, MARGIN = 300, 400, 42
ROOM = WIDTH - MARGIN - 26  # for words, beside the spine
_NARROW, _WIDE = set("iljtfrI.,:;'!|()[] "), set("mwMWQOGD@%&")


@dataclass(frozen=True)
class Line:
    """One line of words at its baseline."""

    text: str
    y: int


@dataclass(frozen=True)
class Cover:
    """A cover ready for ``templates/public/_slots.html``."""

    label: str
    size: int
    title: tuple[Line, ...]
    subtitle: tuple[Line, ...]
    author: str
    pattern: str
    """Path data of the pattern, empty for none."""


def words(offer: Offer | None, given: Mapping[str, Any]) -> tuple[str, str, str]:
    """Title, subtitle and author as the block says, or as ``cover:`` does, or the title of the offer alone."""
    written = offer.meta.cover if offer else None
    title = given.get("title") or (written.title if written else offer.title if offer else "")
    subtitle = given.get("subtitle") or (written.subtitle if written else "") or ""
    author = given.get("author") or (written.author if written else "") or ""
    return title, subtitle, author


def draw(title: str, subtitle: str = "", author: str = "", pattern: str = "waves") -> Cover:
    """The cover for these words; long titles are set smaller, and end in an ellipsis when even that is too much."""
    size, lines = 34, _lines(title, 34)
    while size > 20 and (len(lines) > 5 or any(_length(line, size) > ROOM for line in lines)):
        size -= 2
        lines = _lines(title, size)
    lines = _cut(lines, 6)
    step = round(size * 1.18)
    y = 40 + size
    head = tuple(Line(line, y + n * step) for n, line in enumerate(lines))
    below = (head[-1].y if head else 60) + 30
    small = _cut(_lines(subtitle, 15), 3)
    foot = tuple(Line(line, below + n * 20) for n, line in enumerate(small))
    lowest = foot[-1].y if foot else below - 30
    shape = {"waves": _waves, "rings": _rings, "grid": _grid}.get(pattern)
    label = f"Cover: {title}" + (f" by {author}" if author else "")
    author = _cut(_lines(author, 16), 1)[0] if author else ""
    return Cover(label, size, head, foot, author, shape(lowest + 22) if shape and lowest < 285 else "")


def _length(text: str, size: int) -> float:
    """About how wide ``text`` runs in a bold serif of that size."""
    return size * sum(
        0.32
        if char in _NARROW
        else 0.82
        if char in _WIDE
        else 0.95
        if ord(char) > 0x2E80
        else 0.66
        if char.isupper()
        else 0.52
        for char in text
    )


def _lines(text: str, size: int) -> list[str]:
    lines: list[str] = []
    for word in text.split():
        if lines and _length(f"{lines[-1]} {word}", size) <= ROOM:
            lines[-1] += f" {word}"
        else:
            lines.append(word)
    return lines


def _cut(lines: list[str], most: int) -> list[str]:
    return lines if len(lines) <= most else [*lines[: most - 1], lines[most - 1] + " …"]


def _waves(top: int) -> str:
    """Sine lines drawn with a few curves each."""
    bottom, paths = 352, []
    count = max(2, min(5, (bottom - top - 24) // 14))
    base = max(top + 12, bottom - 24 - count * 14)
    for row in range(count):
        y = base + row * 14
        paths.append(f"M{MARGIN} {y}c28-24 56-24 74 0s64 24 {ROOM - 74 - 74 + 32} 0")
    return "".join(paths)


def _rings(top: int) -> str:
    middle = max(top + 40, 300)
    return "".join(
        f"M{WIDTH // 2 + 15 - r} {middle}a{r} {r} 0 1 0 {2 * r} 0a{r} {r} 0 1 0-{2 * r} 0"
        for r in range(10, 51, 10)
        if middle + r < 362
    )


def _grid(top: int) -> str:
    start = max(top, 270)
    rows = "".join(f"M{MARGIN} {y}h{ROOM}" for y in range(start, 350, 16))
    points = "".join(f"M{MARGIN + n * 29} {round(340 - 34 * (1 + sin(n * pi / 4.5)))}v8" for n in range(9))
    return rows + points
