"""The PDF edition as one page of HTML for WeasyPrint: cover, contents with page numbers, chapters, running heads."""

from __future__ import annotations

from html import escape
from pathlib import Path

from handsel.offers.book import Chapter, Shelf, html
from handsel.worker.books.matter import Matter

STYLE = Path(__file__).with_name("paper.css")
PICTURE = "book:"
"""The scheme under which the printer is asked for pictures; it knows no other."""


def paper(matter: Matter) -> str:
    """The whole book."""
    names = matter.book.numbered_pictures()
    shelf = Shelf(lambda path: PICTURE + names[path], lambda chapter, place: f"#{place or chapter.id()}",
                  matter.site_url)
    chapters = "\n".join(_chapter(matter, chapter, shelf) for chapter in matter.book.chapters)
    front = _front(matter) if len(matter.book.chapters) > 1 else ""
    title, words = escape(matter.title), escape(", ".join(matter.tags))
    return f"""<!doctype html>
<html lang="{matter.language}" dir="{matter.direction}"><head><meta charset="utf-8"><title>{title}</title>
<meta name="author" content="{escape(matter.author or matter.publisher)}">
<meta name="description" content="{escape(matter.description)}"><meta name="keywords" content="{words}">
<meta name="generator" content="Handsel"><style>{_style(matter)}</style></head>
<body><p class="book-title" aria-hidden="true">{title}</p>
<p class="publisher" aria-hidden="true">{escape(matter.publisher)}</p>
{front}
{chapters}
</body></html>"""


def _front(matter: Matter) -> str:
    rows = "".join(f'<li><span class="number">{chapter.number or ""}</span>'
                   f'<a href="#{chapter.id()}">{escape(chapter.title)}</a></li>' for chapter in matter.book.chapters)
    words = escape(f"Cover: {matter.title}" + (f" by {matter.author}" if matter.author else ""))
    return (f'<div class="cover"><img src="{PICTURE}cover.svg" alt="{words}"></div>'
            f'<nav class="contents"><h2>Contents</h2><ol>{rows}</ol></nav>')


def _chapter(matter: Matter, chapter: Chapter, shelf: Shelf) -> str:
    label = f'<span class="label">Chapter {chapter.number}</span>' if chapter.number else ""
    title = f'{label}<span class="title">{escape(chapter.title)}</span>'
    return (f'<section class="chapter"><h1 id="{chapter.id()}">{title}</h1>\n'
            f"{html(matter.book, chapter, shelf)}</section>")


def _style(matter: Matter) -> str:
    css = STYLE.read_text(encoding="utf-8")
    for name in ("brand", "deep", "tint", "mark", "ink", "muted", "line", "warn-tint", "warn"):
        css = css.replace(f"var(--{name})", getattr(matter, name.replace("-", "_")))
    return css
