"""Guides written as chapters of Markdown: read here, read by visitors page by page, printed by the worker.

One Markdown is behind all three editions (web, EPUB, PDF); they differ only in where pictures, links and other chapters
are to be found, which a ``Shelf`` says.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from html import escape, unescape
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Annotated

from pydantic import StringConstraints

from handsel.content import parse
from handsel.content.body import rendered
from handsel.content.files import Tree, printable
from handsel.content.library import Read, Reading
from handsel.content.parse import Broken, Parsed
from handsel.content.rendered import Rendered, Slot
from handsel.content.schema import Part
from handsel.content.validate import validate
from handsel.content.values import Line
from handsel.errors import Fault, nearest
from handsel.offers.schema import OfferMeta

if TYPE_CHECKING:
    from handsel.offers.library import Asset

PICTURES = {".png": "image/png", ".jpg": "image/jpeg", ".jpeg": "image/jpeg", ".gif": "image/gif",
            ".svg": "image/svg+xml"}
"""Kinds of pictures that every reader of e-books shows."""
MOST_CHAPTERS = 200
_NAME = re.compile(r"\d{2,3}-[a-z0-9]+(-[a-z0-9]+)*")
_HEADING = re.compile(r"^# +(?P<words>[^\n]*?)(?:[ \t]*\{(?P<attributes>[^{}\n]*)\})?[ \t]*#*[ \t]*(?:\n|\Z)", re.M)
_HREF = re.compile(r'(<a(?: [a-z0-9-]+="[^"]*")*? href=")([^"]*)(")')
# An e-book goes to readers that run what is in a picture, so a drawing may only draw.
_LIVELY = re.compile(rb"<!ENTITY|<(?:\w+:)?(?:script|foreignObject|iframe)\b|\son\w+\s*=|@import|"
                     rb"\bhref\s*=\s*[\"'](?!\s*(?:#|data:image/(?:png|jpeg|gif)[;,]))|url\(\s*[\"']?(?!\s*#)", re.I)
_ID = re.compile(r' id="([^"]*)"')


class ChapterMeta(Part):
    """The front matter of a chapter; it may be left out altogether."""

    title: Annotated[Line, StringConstraints(max_length=200)] | None = None
    numbered: bool = True


@dataclass(frozen=True)
class Chapter:
    """One chapter: ``name`` as in addresses, ``number`` in the contents (None: without), ``title`` as plain text."""

    name: str
    file: str
    title: str
    number: int | None
    body: Rendered

    def id(self, anchor: str = "") -> str:
        """A name for the chapter, or for a place in it, that is unique in the whole book and valid in XML."""
        return f"c-{self.name}" + (f"-{anchor.replace(':', '-')}" if anchor else "")


@dataclass(frozen=True)
class Book:
    """A guide as it stands in the offer's folder.

    ``pictures`` maps how chapters name a picture to its path from the project's root; ``digest`` changes with any of
    the files; ``pdf`` is a finished PDF beside the chapters that stands in for a built one.
    """

    chapters: tuple[Chapter, ...]
    pictures: dict[str, str]
    digest: str
    changed_s: int = 0
    """When the youngest of the chapters was written, in seconds since 1970."""
    pdf: Asset | None = field(default=None)

    def chapter(self, name: str) -> Chapter | None:
        """The chapter of that name."""
        return next((chapter for chapter in self.chapters if chapter.name == name), None)

    def numbered_pictures(self) -> dict[str, str]:
        """A short file name for each picture by its path: ``1.png``, ``2.jpg``, in the order of the paths."""
        paths = sorted(set(self.pictures.values()))
        return {path: f"{n}{PurePosixPath(path).suffix.lower()}" for n, path in enumerate(paths, 1)}


@dataclass(frozen=True)
class Shelf:
    """Where one edition keeps things: addresses of pictures by path, of chapters and places, and of the site."""

    picture: Callable[[str], str]
    chapter: Callable[[Chapter, str], str]
    site: str
    size: Callable[[str], tuple[int, int] | None] = field(default=lambda path: None)


def html(book: Book, chapter: Chapter, shelf: Shelf) -> str:
    """The body of ``chapter`` without its heading, for that edition; the author's words in it are sanitised."""
    pieces = (part if isinstance(part, str) else _slot(book, part, shelf) for part in chapter.body.parts)
    text = _ID.sub(lambda found: f' id="{chapter.id(found[1])}"', "".join(pieces))

    def led(found: re.Match[str]) -> str:
        return found[1] + escape(_target(book, chapter, unescape(found[2]), shelf)) + found[3]

    return _HREF.sub(led, text)


def _target(book: Book, chapter: Chapter, target: str, shelf: Shelf) -> str:
    path, _, anchor = target.partition("#")
    if not path:
        return shelf.chapter(chapter, chapter.id(anchor))
    other = book.chapter(path.removesuffix(".md")) if path.endswith(".md") else None
    if other is not None:
        return shelf.chapter(other, other.id(anchor) if anchor else "")
    return shelf.site + target if target.startswith("/") and not target.startswith("//") else target


def _slot(book: Book, slot: Slot, shelf: Shelf) -> str:
    options = slot.options
    if slot.kind == "cta":
        address = f"{shelf.site}/offers/{options['offer']}/"
        return f'<p><a class="button" href="{escape(address)}">{escape(options["label"])}</a></p>'
    if slot.kind != "image" or options["src"] not in book.pictures:
        return ""
    path = book.pictures[options["src"]]
    size = shelf.size(path)
    width, height = options.get("width"), options.get("height")
    if size and not (width and height):
        width, height = (width, round(int(width) * size[1] / size[0])) if width else size
    sides = f' width="{width}" height="{height}"' if width and height else ""
    return f'<img src="{escape(shelf.picture(path))}" alt="{escape(options.get("alt") or "")}"{sides}>'


def is_book(reading: Reading, folder: str, name: str) -> bool:
    """Whether the asset ``name`` is a text, or a folder of chapters, that we make the book of."""
    if name.endswith(".md"):
        return True
    inside = f"{folder}/{name.rstrip('/')}/"
    return any(file.startswith(inside) and file.endswith(".md") and file.count("/") == inside.count("/")
               for file in reading.tree.of("offers")) and name.rstrip("/") != "emails"


def read_book(reading: Reading, offer: Read[OfferMeta], folder: str, name: str) -> tuple[Book | None, list[Fault]]:
    """The guide ``name`` of the offer's folder and what is wrong with it; None if it cannot be read."""
    tree = reading.tree
    files, faults = _files(tree, offer, folder, name)
    slug = folder.rpartition("/")[2]
    reads = [reading.once(file, partial(_chapter, reading, slug), "chapter") for file in files]
    faults += [fault for read in reads for fault in read.faults]
    chapters = [read.value for read in reads if read.value is not None]
    if not chapters:
        return None, faults
    pictures: dict[str, str] = {}
    for chapter in chapters:
        faults += _picture_faults(tree, chapter, pictures)
        faults += _link_faults(chapter, chapters)
    digest = hashlib.sha256()
    for chapter in chapters:
        digest.update(hashlib.sha256(tree.read(chapter.file)).digest())
    for path in sorted(set(pictures.values())):
        digest.update(f"{path} {reading.once(path, partial(_digest, tree), 'digest')}".encode())
    changed_s = max(tree.stamps[chapter.file][0] for chapter in chapters) // 1_000_000_000
    return Book(tuple(_counted(chapters)), pictures, digest.hexdigest(), changed_s), faults


def _files(tree: Tree, offer: Read[OfferMeta], folder: str, name: str) -> tuple[list[str], list[Fault]]:
    """The chapters' files in order."""
    if name.endswith(".md"):
        if f"{folder}/{name}" in tree.stamps:
            return [f"{folder}/{name}"], []
        return [], [offer.fault(("asset",), "missing-asset", f"The file '{name[:80]}' is not in {folder}/.",
                                "Write it there, or name a folder of chapters.")]
    inside = f"{folder}/{name.rstrip('/')}/"
    found = [file for file in tree.of("offers") if file.startswith(inside) and file.endswith(".md")
             and not file.removeprefix(inside).startswith("_") and file.count("/") == inside.count("/")
             and file != f"{inside}README.md"]
    faults = [Fault(printable(file), 0, "bad-chapter-name", "The name does not say where the chapter stands.",
                    "Rename it to two digits and a name, such as 01-your-bill.md.")
              for file in found if not _NAME.fullmatch(_stem(file))]
    numbers = [(_stem(file).split("-")[0], file) for file in found if _NAME.fullmatch(_stem(file))]
    faults += [Fault(file, 0, "duplicate-chapter", f"Two chapters have the number {number}.", "Renumber one of them.")
               for place, (number, file) in enumerate(numbers) if place and numbers[place - 1][0] == number]
    if len(found) > MOST_CHAPTERS:
        faults.append(offer.fault(("asset",), "too-many-chapters", f"The book has {len(found)} chapters.",
                                  f"We print at most {MOST_CHAPTERS}: join some."))
    if not numbers:
        faults.append(offer.fault(("asset",), "book-without-chapters", f"There is no chapter in {inside}.",
                                  "Write 01-….md, 02-….md and so on there."))
    return [file for _, file in numbers[:MOST_CHAPTERS]], faults


def _stem(file: str) -> str:
    return file.rpartition("/")[2].removesuffix(".md")


def _chapter(reading: Reading, slug: str, file: str) -> Read[Chapter]:
    try:
        parsed, faults = _parsed(file, reading.tree.read(file))
    except Broken as broken:
        return Read(file, None, (broken.fault,))
    if parsed is None:
        return Read(file, None, tuple(faults))
    meta, more = validate(ChapterMeta, parsed, {"zone": reading.zone})
    faults += more
    meta = meta or ChapterMeta()
    heading = _HEADING.match(parsed.body)
    source, line = parsed.body, parsed.body_line
    if heading:
        source, line = source[heading.end():], line + 1
        line += len(source) - len(source.lstrip("\n"))
        source = source.lstrip("\n")
    body = rendered(source, file=file, first_line=line, kind="book", offer=slug)
    faults += body.faults
    title = meta.title or (_plain(heading["words"]) if heading else "")
    if not title:
        faults.append(Fault(file, parsed.body_line, "chapter-without-title", "The chapter has no title.",
                            "Begin it with a line `# …`."))
    if body.h1_count:
        faults.append(Fault(file, line, "two-h1", "The chapter has a first-level heading beside its title.",
                            "Write it as `## …`, or begin a file of its own with it."))
    if not re.search(r"\w", body.text):
        faults.append(Fault(file, line, "empty-chapter", "The chapter says nothing.", "Write it, or delete the file."))
    numbered = meta.numbered and not (heading and ".unnumbered" in (heading["attributes"] or ""))
    chapter = Chapter(_stem(file), file, title or _stem(file), 0 if numbered else None, body)
    return Read(file, chapter, tuple(faults), parsed.lines)


def _parsed(file: str, data: bytes) -> tuple[Parsed | None, list[Fault]]:
    """The chapter with its front matter, if it has any."""
    text = parse.text_of(file, data)
    if re.match(r"---[ \t]*\n", text):
        return parse.markdown(file, data)
    body = text.lstrip("\n")
    return Parsed(file, {}, {}, body, 1 + len(text) - len(body)), []


def _plain(heading: str) -> str:
    """A heading's words without emphasis and marks."""
    return re.sub(r"[*`]|==|(?<!\w)_|_(?!\w)", "", heading).strip()


def _counted(chapters: list[Chapter]) -> Iterator[Chapter]:
    number = 0
    for chapter in chapters:
        if chapter.number is None:
            yield chapter
        else:
            number += 1
            yield Chapter(chapter.name, chapter.file, chapter.title, number, chapter.body)


def _picture_faults(tree: Tree, chapter: Chapter, pictures: dict[str, str]) -> Iterator[Fault]:
    """What is wrong with the pictures of a chapter; the others are entered in ``pictures``."""
    home = chapter.file.rpartition("/")[0]
    for image in chapter.body.images:
        src = image.src
        path = f"{home}/{src}"
        if not (image.alt or "").strip():
            yield Fault(chapter.file, image.line, "image-without-alt",
                        f"The image '{src[:80]}' has no alternative text.",
                        "Write it between the brackets: ![what is to be seen](…).")
        if re.match(r"/|[a-z][a-z0-9+.-]*:|\.\.", src):
            yield Fault(chapter.file, image.line, "bad-book-image", f"'{src[:80]}' does not lie beside the chapter.",
                        "Copy the picture there and write its name alone.")
        elif path not in tree.stamps:
            near = [file.removeprefix(f"{home}/") for file in tree.of("offers") if file.startswith(f"{home}/")
                    and PurePosixPath(file).suffix.lower() in PICTURES]
            yield Fault(chapter.file, image.line, "missing-image", f"There is no image at {path[:120]}.",
                        nearest(src, near) or "Put the picture there, or mend its name.")
        elif PurePosixPath(path).suffix.lower() not in PICTURES:
            yield Fault(chapter.file, image.line, "bad-book-image",
                        f"Not every reader of e-books can show '{src[:80]}'.", "Save it as PNG, JPEG, GIF or SVG.")
        elif path.lower().endswith(".svg") and _LIVELY.search((tree.root / path).read_bytes()):
            yield Fault(chapter.file, image.line, "bad-book-image",
                        f"'{src[:80]}' holds a script, or fetches something from elsewhere.",
                        "Save it as plain SVG without scripts and links, or as PNG.")
        else:
            pictures[src] = path


def _link_faults(chapter: Chapter, chapters: list[Chapter]) -> Iterator[Fault]:
    """Links to chapters, or places in this one, that are not there; links to the site are checked with all others."""
    names = {f"{each.name}.md": each for each in chapters}
    for link in chapter.body.links:
        path, _, anchor = link.target.partition("#")
        if path and not path.endswith(".md"):
            continue
        if path and path not in names:
            yield Fault(chapter.file, link.line, "dead-link", f"There is no chapter {path[:80]}.",
                        nearest(path, names))
            continue
        other = names[path] if path else chapter
        known = {heading.id for heading in other.body.headings}
        if anchor and anchor not in known and not anchor.startswith("fn"):
            yield Fault(chapter.file, link.line, "dead-anchor",
                        f"There is no place '#{anchor[:80]}' in {other.name}.md.", nearest(anchor, known))


def _digest(tree: Tree, file: str) -> str:
    with tree.path(file).open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()
