"""From Markdown to safe parts: HTML that nh3 has cleaned, with slots that only our own templates fill.

Order is what makes it safe: Markdown, then the sanitiser, then slots. Author HTML cannot name a slot or a class of
ours, because both travel through the sanitiser under attributes whose names are drawn anew for each rendering.
"""

from __future__ import annotations

import re
import secrets
import threading
from collections import Counter
from html import unescape
from typing import Any, Literal
from xml.etree.ElementTree import Element

from markdown import Extension, Markdown
from markdown.extensions.toc import slugify_unicode
from markdown.treeprocessors import Treeprocessor
from pymdownx.blocks import BlocksExtension
from pymdownx.blocks.block import Block as ParsedBlock

from handsel.content import plain
from handsel.content.blocks import REGISTRY, Work
from handsel.content.blocks.kinds import name_as, wrap
from handsel.content.blocks.scan import scan
from handsel.content.rendered import Heading, Image, Link, Rendered, Slot
from handsel.content.sanitise import sanitise

__all__ = ["Heading", "Image", "Link", "Rendered", "Slot", "render"]


TAKEN_IDS = {"main", "get", "problem"}  # the page's own

# Trusted names that stand for more than a class. What scrolls must be reachable by keyboard.
TRUSTED = {
    "table": ' class="table" role="group" aria-label="Table" tabindex="0"',
    "code": ' tabindex="0"',
    "button": ' class="button"',
}
_IMG = re.compile(r'<img((?: [a-z0-9-]+="[^"]*")*) ?/?>')
_ATTRIBUTE = re.compile(r' ([a-z0-9-]+)="([^"]*)"')
_HREF = re.compile(r'<a(?: [a-z0-9-]+="[^"]*")*? href="([^"]*)"')
ALONE = {"hero", "logos"}  # blocks that fill a band by themselves
BAND = {"hero", "logos", "cta", "gate"}  # blocks that begin one

_local = threading.local()


def render(
    source: str,
    *,
    file: str,
    first_line: int = 1,
    kind: Literal["page", "letter", "book"] = "page",
    default_form: str | None = None,
    offer: str | None = None,
) -> Rendered:
    """``source`` as safe parts, with whatever was wrong in it.

    ``file`` and ``first_line`` say where it stands, for faults. ``default_form`` and ``offer`` are what blocks mean
    that name none. In a letter slots and pictures are written out, and addresses of our site begin with
    ``{{ site_url }}``.
    """
    nonce = secrets.token_hex(12)
    work = Work(file, kind == "letter", default_form, offer, f"data-k{nonce}", f"data-s{nonce}", book=kind == "book")
    words = scan(source.replace("\r\n", "\n").replace("\t", "    "), first_line, work, f"b{nonce}")
    machine = _machine()
    machine.use(work, f"b{nonce}")
    try:
        raw = machine.markdown.convert(words)
        headings = tuple(_headings(getattr(machine.markdown, "toc_tokens", [])))
    finally:
        machine.markdown.reset()
    clean = sanitise(raw, work, f"b{nonce}")
    lines = source.split("\n")
    clean, images = _images(clean, work, lines, first_line)
    links = tuple(_links(clean, work, lines, first_line))
    if kind == "letter":
        clean = re.sub(r'((?:href|src)=")/(?!/)', r"\1{{ site_url }}/", clean)
    text = plain.text(clean, {str(n): plain.of_slot(slot) for n, slot in enumerate(work.slots)}, work.place, work.mark)
    headings = tuple(each for each in headings if f'id="{each.id}"' in clean)  # questions lose theirs
    parts = tuple(_parts(_trusted(clean, work), work))
    return Rendered(
        parts,
        text,
        headings,
        links,
        images,
        tuple(sorted(work.faults)),
        frozenset(block.name for block in work.blocks) | _features(clean, work),
        clean.count("<h1"),
        _first_paragraph(clean),
    )


class _Machine:
    """One Markdown parser; costly to build, kept for each thread, told of the work at hand before each use."""

    def __init__(self) -> None:
        self.work: Work
        self.blocks = _Blocks(self)
        self.markdown = Markdown(
            extensions=[
                "tables",
                "footnotes",
                "attr_list",
                "def_list",
                "sane_lists",
                "toc",
                "pymdownx.superfences",
                "pymdownx.highlight",
                "pymdownx.mark",
                "pymdownx.tilde",
                self.blocks,
                _Shapes(self),
            ],
            extension_configs={
                "toc": {"slugify": _slug, "marker": "", "title": "", "toc_depth": "1-4"},
                "footnotes": {"BACKLINK_TITLE": "Back to the text"},
                "pymdownx.highlight": {"use_pygments": False},
                "pymdownx.superfences": {"disable_indented_code_blocks": False},
                "pymdownx.mark": {"smart_mark": True},
                "pymdownx.tilde": {"subscript": False},
                "tables": {"use_align_attribute": True},
            },
        )

    def use(self, work: Work, secret: str) -> None:
        """Work for ``work``; its blocks are called ``secret`` in the Markdown."""
        self.work = work
        processor = self.blocks.processor
        for table in (processor.blocks, processor.config, processor.trackers):
            table.clear()
        _Placed.machine.here = self
        processor.blocks[secret], processor.config[secret], processor.trackers[secret] = _Placed, {}, {}


def _machine() -> _Machine:
    if not hasattr(_local, "machine"):
        _local.machine = _Machine()
    machine: _Machine = _local.machine
    return machine


class _Placed(ParsedBlock):  # type: ignore[misc]
    """Where a block begins and ends; what it is says its number."""

    ARGUMENT = True
    machine = threading.local()

    def on_create(self, parent: Element) -> Element:
        work = self.machine.here.work
        made = Element("div")
        made.set("block", self.argument)
        made.set(work.mark, "block")
        parent.append(made)
        return made

    def on_markdown(self) -> str:
        return "block"


class _Blocks(BlocksExtension):  # type: ignore[misc]
    """pymdownx's blocks, with its processor at hand."""

    def __init__(self, machine: _Machine) -> None:
        super().__init__()
        self.processor: Any = None

    def extendMarkdownBlocks(self, md: Markdown, block_mgr: Any) -> None:
        self.processor = block_mgr


class _Shapes(Extension):
    """Gives blocks their shape when all else about the tree is done."""

    def __init__(self, machine: _Machine) -> None:
        super().__init__()
        self.machine = machine

    def extendMarkdown(self, md: Markdown) -> None:
        md.treeprocessors.register(_Shaper(md, self.machine), "handsel-shapes", 1)  # after inline, ids and attributes


class _Shaper(Treeprocessor):
    """Turns block elements into what they mean, the innermost first, and marks where bands begin."""

    def __init__(self, md: Markdown, machine: _Machine) -> None:
        super().__init__(md)
        self.machine = machine

    def run(self, root: Element) -> None:
        work = self.machine.work
        names: dict[int, str] = {}
        self._shape(root, work, names)
        _dress(root, work)
        if not work.letter and not work.book:
            _bands(root, work, names)

    def _shape(self, parent: Element, work: Work, names: dict[int, str]) -> None:
        for child in list(parent):
            self._shape(child, work, names)
            if child.get(work.mark) != "block":
                continue
            block = work.blocks[int(child.attrib.pop("block"))]
            del child.attrib[work.mark]
            names[id(child)] = block.name
            REGISTRY[block.name].shape(child, block, work)


def _dress(root: Element, work: Work) -> None:
    """Wrap tables so that they scroll by themselves, let buttons and code be told, and draw the boxes of task lists."""
    parents = {child: parent for parent in root.iter() for child in parent}
    for element in list(root.iter()):
        if element.tag == "table" and not work.letter:
            parent = parents[element]
            frame = Element("div", {work.mark: "table"})
            frame.tail, element.tail = element.tail, None
            parent[list(parent).index(element)] = frame
            frame.append(element)
            _caption(parent, frame, element)
        elif element.tag == "a" and "button" in (element.attrib.pop("class", "") or "").split():
            name_as(element, "a", work, "button")
        elif element.tag == "li":
            target = (
                element[0] if len(element) and element[0].tag == "p" and not (element.text or "").strip() else element
            )
            if found := re.match(r"\[([ xX])\] ", target.text or ""):
                target.text = ("☐ " if found[1] == " " else "☑ ") + (target.text or "")[4:]
                if work.book:
                    element.set(work.mark, "task")


def _caption(parent: Element, frame: Element, table: Element) -> None:
    """Take the paragraph `Table: …` right below a table as its caption."""
    place = list(parent).index(frame) + 1
    below = parent[place] if place < len(parent) else None
    if below is None or below.tag != "p" or not (below.text or "").startswith("Table: "):
        return
    below.tag, below.text = "caption", (below.text or "").removeprefix("Table: ")
    parent.remove(below)
    table.insert(0, below)


def _bands(root: Element, work: Work, names: dict[int, str]) -> None:
    """Put a ``break`` before each top-level element that begins a new band of a full-width page."""
    bands: list[list[Element]] = [[]]
    previous: Element | None = None
    for child in list(root):
        name = names.get(id(child), "")
        if previous is not None:
            before = names.get(id(previous), "")
            if child.tag == "h2" or before in ALONE or (name in BAND and previous.tag != "h2"):
                bands.append([work.slot("break", 0, name=name)])
        bands[-1].append(child)
        previous = child
    for band in bands:
        _beside_form(band, work, names)
    root[:] = [child for band in bands for child in band]


def _beside_form(band: list[Element], work: Work, names: dict[int, str]) -> None:
    """In a band with a form at its top level, gather what is to stand beside the form."""
    forms = [child for child in band if names.get(id(child)) == "form"]
    number = band[0].get(work.place) if band else None
    if not forms or number is None or work.slots[int(number)].kind != "break":
        return
    work.slots[int(number)].options["name"] = "form"
    head = band[:2] if len(band) > 1 and band[1].tag == "h2" else band[:1]
    words = [child for child in band[len(head) :] if child is not forms[0]]
    band[:] = [*head, forms[0], wrap("div", words, work, "band-words")]


def _images(clean: str, work: Work, lines: list[str], first_line: int) -> tuple[str, tuple[Image, ...]]:
    """Pictures become slots: size, address and loading are settled where the files are known. A letter keeps them."""
    found: list[Image] = []
    seen: Counter[str] = Counter()

    def take(match: re.Match[str]) -> str:
        given = {name: unescape(value) for name, value in _ATTRIBUTE.findall(match[1])}
        src = given.get("src", "")
        line = _line_of(src, lines, first_line, seen)
        if not src:
            return ""
        found.append(Image(src, given.get("alt"), line))
        if work.letter:
            return match[0]
        round_ = given.pop(work.mark, "")
        holder = work.slot(
            "image",
            line,
            **{k: v for k, v in given.items() if k in {"src", "alt", "title", "width", "height"}},
            look=round_ or None,
        )
        return f'<span {work.place}="{holder.get(work.place)}"></span>'

    return _IMG.sub(take, clean), tuple(found)


def _links(clean: str, work: Work, lines: list[str], first_line: int) -> list[Link]:
    seen: Counter[str] = Counter()
    links = []
    for target in map(unescape, _HREF.findall(clean)):
        if not target.startswith("#fn"):
            links.append(Link(target, _line_of(target, lines, first_line, seen)))
    for block in work.blocks:
        if block.name == "video":
            links += [
                Link(block.options[name], block.line) for name in ("src", "poster", "captions") if name in block.options
            ]
    return links


def _line_of(target: str, lines: list[str], first_line: int, seen: Counter[str]) -> int:
    """The line of the next mention of ``target``; 0 when the text does not hold it as it stands."""
    seen[target] += 1
    left = seen[target]
    for number, line in enumerate(lines):
        left -= line.count(target) if target else 0
        if left <= 0 and target:
            return first_line + number
    return 0


def _trusted(clean: str, work: Work) -> str:
    """Our own names in place of the attributes that carried them."""
    return re.sub(rf' {work.mark}="([^"]*)"', lambda found: TRUSTED.get(found[1], f' class="{found[1]}"'), clean)


def _parts(clean: str, work: Work) -> list[str | Slot]:
    parts: list[str | Slot] = []
    pieces = re.split(rf'<(?:div|span) {work.place}="(\d+)"></(?:div|span)>', clean)
    for place, piece in enumerate(pieces):
        if place % 2:
            parts.append(work.slots[int(piece)])
        elif piece.strip():
            parts.append(piece.strip("\n"))
    return parts


def _features(clean: str, work: Work) -> frozenset[str]:
    """Parts of the style beside blocks that the page needs."""
    used = {"table": "<table", "code": "<pre", "footnotes": 'id="fn:', "terms": "<dl>"}
    return frozenset(name for name, sign in used.items() if sign in clean)


def _headings(tokens: list[dict[str, Any]]) -> list[Heading]:
    found = []
    for token in tokens:
        found.append(Heading(token["level"], token["id"], unescape(re.sub(r"<[^>]+>", "", token["name"]))))
        found += _headings(token["children"])
    return found


def _first_paragraph(clean: str) -> str:
    """The text of the first paragraph that is a sentence rather than a label."""
    paragraphs = [
        unescape(re.sub(r"<[^>]+>", "", found)).strip() for found in re.findall(r"<p[^>]*>(.*?)</p>", clean, re.S)
    ]
    paragraphs = [re.sub(r"\s+", " ", each) for each in paragraphs if each]
    return next(
        (each for each in paragraphs if len(each) > 60 or each.endswith((".", "!", "?"))),
        paragraphs[0] if paragraphs else "",
    )


def _slug(value: str, separator: str) -> str:
    slug: str = slugify_unicode(value, separator)
    return f"{slug}-part" if slug in TAKEN_IDS or re.match(r"get-|fn", slug) else slug or "part"
