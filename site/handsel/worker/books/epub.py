"""EPUB 3: a zip of a few fixed files, the chapters as XHTML, the pictures. The same chapters give the same bytes."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime
from html import escape
from html.parser import HTMLParser
from pathlib import Path, PurePosixPath

from handsel.offers.book import PICTURES, Chapter, Shelf, html
from handsel.worker.books.matter import Matter

STYLE = Path(__file__).with_name("epub.css")
EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest that a zip can say; the same for every entry
_VOID = {"br", "hr", "img", "wbr"}
_CONTAINER = ('<?xml version="1.0" encoding="UTF-8"?>\n<container version="1.0" '
              'xmlns="urn:oasis:names:tc:opendocument:xmlns:container"><rootfiles><rootfile full-path="EPUB/book.opf" '
              'media-type="application/oebps-package+xml"/></rootfiles></container>\n')


def epub(matter: Matter, root: Path) -> bytes:
    """The whole file; ``root`` is the project's folder, where the pictures lie."""
    names = matter.book.numbered_pictures()
    shelf = Shelf(lambda path: f"pictures/{names[path]}",
                  lambda chapter, place: f"{chapter.name}.xhtml" + (f"#{place}" if place else ""), matter.site_url)
    files: list[tuple[str, bytes]] = [("META-INF/container.xml", _CONTAINER.encode()),
                                      ("EPUB/book.opf", _package(matter, names).encode()),
                                      ("EPUB/nav.xhtml", _contents(matter).encode()),
                                      ("EPUB/cover.xhtml", _cover(matter).encode()),
                                      ("EPUB/cover.svg", matter.cover().encode()),
                                      ("EPUB/style.css", _style(matter).encode())]
    files += [(f"EPUB/{chapter.name}.xhtml", _chapter(matter, chapter, shelf).encode())
              for chapter in matter.book.chapters]
    files += [(f"EPUB/pictures/{name}", (root / path).read_bytes()) for path, name in names.items()]
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        # The first entry says what the whole is, at a fixed place and not packed.
        archive.writestr(_entry("mimetype", zipfile.ZIP_STORED), b"application/epub+zip")
        for name, data in files:
            archive.writestr(_entry(name, zipfile.ZIP_DEFLATED), data, compresslevel=9)
    return packed.getvalue()


def _entry(name: str, way: int) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name, EPOCH)
    entry.compress_type = way
    entry.external_attr = 0o644 << 16
    return entry


def _package(matter: Matter, names: dict[str, str]) -> str:
    modified = datetime.fromtimestamp(matter.book.changed_s, UTC)
    parts = [f'<dc:identifier id="id">{matter.identifier}</dc:identifier>',
             f"<dc:title>{escape(matter.title)}</dc:title>", f"<dc:language>{matter.language}</dc:language>",
             f"<dc:publisher>{escape(matter.publisher)}</dc:publisher>",
             f'<meta property="dcterms:modified">{modified:%Y-%m-%dT%H:%M:%SZ}</meta>']
    if matter.author:
        parts.append(f"<dc:creator>{escape(matter.author)}</dc:creator>")
    if matter.description:
        parts.append(f"<dc:description>{escape(matter.description)}</dc:description>")
    parts += [f"<dc:subject>{escape(tag)}</dc:subject>" for tag in matter.tags]
    modes = ["textual", "visual"] if names else ["textual"]
    parts += [f'<meta property="schema:accessMode">{mode}</meta>' for mode in modes]
    parts += ['<meta property="schema:accessModeSufficient">textual</meta>',
              '<meta property="schema:accessibilityFeature">structuralNavigation</meta>',
              '<meta property="schema:accessibilityFeature">tableOfContents</meta>',
              '<meta property="schema:accessibilityFeature">alternativeText</meta>',
              '<meta property="schema:accessibilityHazard">none</meta>',
              '<meta property="schema:accessibilitySummary">Headings, reading order and descriptions of all pictures '
              "are given.</meta>"]
    items = ['<item id="nav" href="nav.xhtml" media-type="application/xhtml+xml" properties="nav"/>',
             '<item id="cover" href="cover.xhtml" media-type="application/xhtml+xml"/>',
             '<item id="cover-image" href="cover.svg" media-type="image/svg+xml" properties="cover-image"/>',
             '<item id="style" href="style.css" media-type="text/css"/>']
    items += [f'<item id="{chapter.id()}" href="{chapter.name}.xhtml" media-type="application/xhtml+xml"/>'
              for chapter in matter.book.chapters]
    items += [f'<item id="picture-{name.partition(".")[0]}" href="pictures/{name}" '
              f'media-type="{PICTURES[PurePosixPath(path).suffix.lower()]}"/>' for path, name in names.items()]
    spine = "".join(f'<itemref idref="{chapter.id()}"/>' for chapter in matter.book.chapters)
    turns = ' page-progression-direction="rtl"' if matter.direction == "rtl" else ""
    return (f'<?xml version="1.0" encoding="UTF-8"?>\n<package xmlns="http://www.idpf.org/2007/opf" version="3.0" '
            f'unique-identifier="id" xml:lang="{matter.language}">\n'
            f'<metadata xmlns:dc="http://purl.org/dc/elements/1.1/">\n{_lines(parts)}</metadata>\n'
            f"<manifest>\n{_lines(items)}</manifest>\n"
            f'<spine{turns}><itemref idref="cover"/><itemref idref="nav"/>{spine}</spine>\n</package>\n')


def _lines(parts: list[str]) -> str:
    return "".join(f"{part}\n" for part in parts)


def _page(matter: Matter, title: str, body: str, kind: str = "") -> str:
    mark = f' class="{kind}"' if kind else ""
    return ('<?xml version="1.0" encoding="UTF-8"?>\n<!DOCTYPE html>\n'
            '<html xmlns="http://www.w3.org/1999/xhtml" xmlns:epub="http://www.idpf.org/2007/ops" '
            f'lang="{matter.language}" xml:lang="{matter.language}" dir="{matter.direction}"><head>'
            f'<title>{escape(title)}</title><link rel="stylesheet" type="text/css" href="style.css"/></head>\n'
            f"<body{mark}>\n{body}\n</body></html>\n")


def _cover(matter: Matter) -> str:
    words = f"Cover: {matter.title}" + (f" by {matter.author}" if matter.author else "")
    return _page(matter, matter.title, f'<p><img src="cover.svg" alt="{escape(words)}"/></p>', "cover")


def _contents(matter: Matter) -> str:
    rows = "".join(f'<li><a href="{chapter.name}.xhtml">{_label(chapter)}{escape(chapter.title)}</a></li>\n'
                   for chapter in matter.book.chapters)
    return _page(matter, "Contents", f'<nav epub:type="toc" id="toc"><h1>Contents</h1>\n<ol>\n{rows}</ol></nav>',
                 "contents")


def _label(chapter: Chapter) -> str:
    return f"{chapter.number}. " if chapter.number else ""


def _chapter(matter: Matter, chapter: Chapter, shelf: Shelf) -> str:
    label = f'<p class="label">Chapter {chapter.number}</p>' if chapter.number else ""
    body = (f'<section id="{chapter.id()}" epub:type="chapter">{label}\n<h1>{escape(chapter.title)}</h1>\n'
            f"{xhtml(html(matter.book, chapter, shelf))}\n</section>")
    return _page(matter, chapter.title, body)


def _style(matter: Matter) -> str:
    css = STYLE.read_text(encoding="utf-8")
    for name in ("brand", "tint", "mark", "muted", "line", "warn-tint", "warn"):
        css = css.replace(f"var(--{name})", getattr(matter, name.replace("-", "_")))
    return css


def xhtml(source: str) -> str:
    """Clean HTML as XML: every element closed, every attribute with a value, no named entities."""
    writer = _Writer()
    writer.feed(source)
    writer.close()
    return "".join(writer.finished())


class _Writer(HTMLParser):
    """Writes what it reads as XML; elements left open are closed where their parent ends."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.out: list[str] = []
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = "".join(f' {name}="{escape(value if value is not None else name)}"'
                        for name, value in attrs if name != "tabindex")
        self.out.append(f"<{tag}{given}/>" if tag in _VOID else f"<{tag}{given}>")
        if tag not in _VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in self.open:
            return
        while self.open:
            last = self.open.pop()
            self.out.append(f"</{last}>")
            if last == tag:
                return

    def handle_data(self, data: str) -> None:
        self.out.append(escape(data, quote=False))

    def finished(self) -> Iterator[str]:
        yield from self.out
        yield from (f"</{tag}>" for tag in reversed(self.open))
