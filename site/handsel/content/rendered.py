"""What Markdown became: plain values, for those who use it and need not know how it is made."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from handsel.errors import Fault


@dataclass(frozen=True)
class Slot:
    """A place in a page that a trusted template fills: what stands there is never the author's HTML.

    ``kind``: form, cta, cover, author, gate, video, image, or ``break`` where a full-width layout begins a new band.
    """

    kind: str
    options: dict[str, Any]
    line: int = 0


@dataclass(frozen=True)
class Link:
    """A link of the text, with its line in the file (0 when it cannot be told)."""

    target: str
    line: int


@dataclass(frozen=True)
class Image:
    """A picture of the text. ``alt`` is None when nothing was written, as opposed to an empty text."""

    src: str
    alt: str | None
    line: int


@dataclass(frozen=True)
class Heading:
    """A heading that can be linked to."""

    level: int
    id: str
    text: str


@dataclass(frozen=True)
class Rendered:
    """What a Markdown text became. ``text`` is its plain-text meaning, as an e-mail's second part shows it."""

    parts: tuple[str | Slot, ...] = ()
    text: str = ""
    headings: tuple[Heading, ...] = ()
    links: tuple[Link, ...] = ()
    images: tuple[Image, ...] = ()
    faults: tuple[Fault, ...] = ()
    blocks: frozenset[str] = field(default_factory=frozenset)
    h1_count: int = 0
    first_paragraph: str = ""

    @property
    def html(self) -> str:
        """The parts that are HTML, without the slots: all of it for a letter."""
        return "".join(part for part in self.parts if isinstance(part, str))
