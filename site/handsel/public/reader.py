"""Reading a guide on the web, behind the button of its download page: page by page, or all on one page.

Whoever pressed the button of their own link reads on under the address of that press for as long as the link lives.
Reading changes nothing and counts nothing.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

from flask import Response, current_app, redirect, send_file, url_for
from markupsafe import Markup

from handsel import clock
from handsel.db import db
from handsel.leads import download
from handsel.leads.confirm import find_grant
from handsel.leads.models import Grant
from handsel.offers import editions
from handsel.offers.book import PICTURES, Book, Chapter, Shelf, html
from handsel.offers.editions import Edition, Editions
from handsel.offers.library import Asset, Offer
from handsel.public import bp, doors
from handsel.public.imagesize import image_size

WORDS = {"pdf": "PDF", "epub": "EPUB"}


class Reading(NamedTuple):
    """A guide opened by one press of one link."""

    grant: Grant
    offer: Offer
    book: Book
    base: str
    """The address of the guide's contents, without the last slash."""


def editions_of(offer: Offer) -> Editions:
    """What of the guide of ``offer`` can be given now."""
    site = doors.project().site
    return editions.find(Path(current_app.instance_path), Path(current_app.config["PROJECT_ROOT"]), site, offer,
                         editions.site_url(current_app.config, site), depot=current_app.extensions["handsel.depot"])


def told(edition: Edition) -> str:
    """An edition in a few words: ``PDF, 20 pages, 165 kB``."""
    pages_ = f", {edition.pages} page{'' if edition.pages == 1 else 's'}" if edition.pages else ""
    return f"{WORDS[edition.kind]}{pages_}, {doors.size(edition.size)}"


def edition_name(offer: Offer, kind: str) -> str:
    """The name under which a visitor keeps an edition."""
    return doors.file_name(offer, Asset("", f"x.{kind}", "", 0, ""))


def opened(token: str, press: str) -> Reading | Response:
    """The guide behind an address, or the answer for one that opens nothing (any more)."""
    grant = download.reading(db.session(), token, press, clock.now())
    if grant is None:
        own = find_grant(db.session(), token)
        return doors.private(redirect(url_for("public.get", token=token), 303)) if own else doors.lost()
    offer = doors.project().offer(grant.offer)
    if offer is None or offer.asset is None or offer.asset.book is None:
        return doors.private(redirect(url_for("public.get", token=token), 303))
    return Reading(grant, offer, offer.asset.book, f"/get/{token}/{press}/read")


@bp.get("/get/<token>/<press>/read/")
def contents(token: str, press: str) -> Response:
    """The guide's cover, its contents, and its other editions."""
    reading = opened(token, press)
    if isinstance(reading, Response):
        return reading
    from handsel.public.get import cover

    found = editions_of(reading.offer)
    return _page(reading, "contents", cover=cover(reading.offer), first=reading.book.chapters[0],
                 files=[(edition_name(reading.offer, kind), told(edition), edition)
                        for kind, edition in found.files.items()],
                 making=[WORDS[kind] for kind in found.making], away=found.away, up=f"/get/{token}/{press}")


@bp.get("/get/<token>/<press>/read/<name>/")
def chapter(token: str, press: str, name: str) -> Response:
    """One chapter, with the way to the next; ``all`` is the whole guide on one page."""
    reading = opened(token, press)
    if isinstance(reading, Response):
        return reading
    chapters = reading.book.chapters
    if name == "all":
        return _page(reading, "all", shown=[(each, _body(reading, each, whole=True)) for each in chapters])
    found = reading.book.chapter(name)
    if found is None:
        return doors.private(redirect(f"{reading.base}/", 303))  # renamed since; the contents say where it is now
    at = chapters.index(found)
    return _page(reading, "chapter", shown=[(found, _body(reading, found, whole=False))], chapter=found,
                 before=chapters[at - 1] if at else None, after=chapters[at + 1] if at + 1 < len(chapters) else None,
                 at=at + 1)


def _body(reading: Reading, chapter: Chapter, *, whole: bool) -> Markup:
    names, root = reading.book.numbered_pictures(), Path(current_app.config["PROJECT_ROOT"])

    def there(other: Chapter, place: str) -> str:
        if whole or other is chapter:
            return f"#{place or other.id()}"
        return f"{reading.base}/{other.name}/" + (f"#{place}" if place else "")

    shelf = Shelf(lambda path: f"{reading.base}/pictures/{names[path]}", there, "",
                  lambda path: image_size(root / path))
    return Markup(html(reading.book, chapter, shelf))  # noqa: S704  sanitised as pages are


def _page(reading: Reading, kind: str, **values: Any) -> Response:
    offer = reading.offer
    blocks = {block for each in reading.book.chapters for block in each.body.blocks}
    return doors.page("reader.html", offer=offer, book=reading.book, base=reading.base, kind=kind,
                      parts=("cover", "doors", "guide", "note", "reader", "table", *blocks),
                      lang=offer.meta.language or doors.project().site.language, **values)


@bp.get("/get/<token>/<press>/read/pictures/<name>")
def picture(token: str, press: str, name: str) -> Response:
    """A picture of the guide."""
    reading = opened(token, press)
    if isinstance(reading, Response):
        return reading
    path = next((path for path, own in reading.book.numbered_pictures().items() if own == name), None)
    file = Path(current_app.config["PROJECT_ROOT"]) / path if path else None
    if file is None or not file.is_file():
        return doors.lost()
    response = doors.private(send_file(file, PICTURES[file.suffix.lower()], conditional=True))
    response.headers["Cache-Control"] = "private, max-age=3600"
    response.headers["Content-Security-Policy"] = "sandbox; default-src 'none'; style-src 'unsafe-inline'"
    return response


def send(offer: Offer, name: str) -> Response | None:
    """The edition that ``name`` asks for; None while there is none."""
    edition = editions_of(offer).files.get(name.rpartition(".")[2].lower())
    if edition is None or not edition.path.is_file():
        return None
    return send_file(edition.path, editions.KINDS[edition.kind], as_attachment=True, conditional=True, max_age=0,
                     download_name=edition_name(offer, edition.kind), etag=edition.digest)
