"""The registry: one row a block, with its options and the function that gives its tree its shape."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any
from xml.etree.ElementTree import Element, SubElement

from handsel.content.rendered import Slot
from handsel.errors import Fault, nearest


@dataclass(frozen=True)
class Option:
    """What an option may be: ``text``, ``bool``, ``number``, ``slug``, ``code``, ``target`` or one of ``choices``."""

    kind: str = "text"
    choices: tuple[str, ...] = ()

    def read(self, text: str) -> Any:
        """The value written as ``text``. Raises ValueError with what to do about it."""
        if self.choices:
            if text not in self.choices:
                raise ValueError(nearest(text, self.choices))
            return text
        if self.kind == "bool":
            if text.lower() not in {"true", "false", "yes", "no"}:
                raise ValueError("Write true or false.")
            return text.lower() in {"true", "yes"}
        if self.kind == "number":
            if not re.fullmatch(r"\d{1,5}", text):
                raise ValueError("Write a whole number.")
            return int(text)
        if self.kind == "slug" and not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", text):
            raise ValueError("Write the short name, such as home-energy-guide.")
        if self.kind == "code" and not re.fullmatch(r"[A-Za-z0-9_-]{5,40}", text):
            raise ValueError("Write its code alone, such as dQw4w9WgXcQ.")
        if self.kind == "target" and not re.fullmatch(r"(?!//)(/|https://|[\w.-]+(/|$))[^\s\"'<>\\]*", text):
            raise ValueError("Begin with / for a file of this site, or with https://.")
        return text


@dataclass(frozen=True)
class Block:
    """One block as the author wrote it, with its options read."""

    name: str
    argument: str
    options: dict[str, Any]
    line: int


@dataclass
class Work:
    """What one rendering gathers while blocks take their shape."""

    file: str
    letter: bool
    default_form: str | None
    offer: str | None
    mark: str
    """The attribute that carries a trusted class through the sanitiser; unguessable, new for each rendering."""
    place: str
    """The attribute that carries the number of a slot; unguessable too."""
    blocks: list[Block] = field(default_factory=list)
    slots: list[Slot] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    book: bool = False
    """Whether it is a chapter of a book: nothing can be filled in or pressed on paper."""

    def element(self, tag: str, name: str = "", text: str | None = None) -> Element:
        """A new element with the trusted class ``name``."""
        made = Element(tag)
        if name:
            made.set(self.mark, name)
        made.text = text
        return made

    def slot(self, kind: str, line: int, **options: Any) -> Element:
        """An element that becomes the slot ``kind``."""
        made = Element("div")
        made.set(self.place, str(len(self.slots)))
        self.slots.append(Slot(kind, {name: value for name, value in options.items() if value is not None}, line))
        return made

    def fault(self, line: int, kind: str, what: str, do: str) -> None:
        self.faults.append(Fault(self.file, line, kind, what, do))


Shape = Callable[[Element, Block, Work], None]


@dataclass(frozen=True)
class Kind:
    """One kind of block. ``argument`` says what stands after the bar; empty when nothing may."""

    name: str
    shape: Shape
    argument: str
    needed: bool
    options: dict[str, Option]
    needs: tuple[str, ...]
    letters: bool
    example: str


REGISTRY: dict[str, Kind] = {}


def block(
    name: str,
    example: str,
    *,
    argument: str = "",
    needed: bool = False,
    needs: tuple[str, ...] = (),
    letters: bool = False,
    **options: Option,
) -> Callable[[Shape], Shape]:
    """Enter the decorated shape as the block ``name``.

    ``needed``: the argument must be there; ``needs``: options that must be there; ``letters``: may stand in an e-mail.
    """

    def enter(shape: Shape) -> Shape:
        REGISTRY[name] = Kind(name, shape, argument, needed, options, needs, letters, example)
        return shape

    return enter


def name_as(root: Element, tag: str, work: Work, name: str) -> None:
    """Turn the block's element into ``tag`` with the trusted class ``name``."""
    root.tag = tag
    root.set(work.mark, name)


def grouped(children: Iterable[Element], is_head: Callable[[Element], bool]) -> list[list[Element]]:
    """``children`` cut before each head; what stands before the first head is a group of its own."""
    groups: list[list[Element]] = []
    for child in children:
        if is_head(child) or not groups:
            groups.append([])
        groups[-1].append(child)
    return groups


def replace(root: Element, children: Iterable[Element]) -> None:
    """Let ``children`` be all that ``root`` holds."""
    fresh = list(children)
    for child in list(root):
        root.remove(child)
    root.text = None
    root.extend(fresh)


def first(root: Element, *tags: str) -> Element | None:
    """The first child with one of ``tags``."""
    return next((child for child in root if child.tag in tags), None)


def wrap(tag: str, children: Iterable[Element], work: Work, name: str = "") -> Element:
    """A new element around ``children``."""
    made = work.element(tag, name)
    made.extend(list(children))
    return made


def line_of_text(parent: Element, tag: str, name: str, text: str, work: Work) -> Element:
    """Append an element with plain ``text`` to ``parent``."""
    made = SubElement(parent, tag)
    if name:
        made.set(work.mark, name)
    made.text = text
    return made
