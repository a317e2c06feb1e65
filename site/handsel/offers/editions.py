"""The printed editions of a guide under ``instance/books/``: where they lie and which one is given now.

The worker writes them, web processes only look, and where machines share a store they fetch from it what another
machine printed. Each edition is named by what it was made from, so it is never wrong; until a changed guide is printed,
the edition before it is given.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import shutil
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from handsel.content.schema import SiteSettings
from handsel.offers.book import Book
from handsel.offers.library import Offer

if TYPE_CHECKING:
    from handsel.offers.depot import Depot

FOLDER = "books"
PRESS = 1  # raise it when the same chapters are printed differently
DEBIAN = "libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0 fonts-dejavu-core"
KEPT = 3  # editions of a guide: whoever began to fetch one may go on with it
KINDS = {"epub": "application/epub+zip", "pdf": "application/pdf"}


@dataclass(frozen=True)
class Edition:
    """One file of a guide: ``kind`` is ``pdf`` or ``epub``; ``pages`` is None where pages are the reader's own."""

    kind: str
    path: Path
    size: int
    pages: int | None
    is_newest: bool
    sha256: str = ""
    """Of its content, where machines share it."""

    @property
    def digest(self) -> str:
        """What tells this edition from others of the same kind, on every machine."""
        return f"{self.path.parent.name}-{self.sha256 or self.kind}"


@dataclass(frozen=True)
class Editions:
    """What of a guide can be given now. ``making`` names the kinds that are being made for the first time.

    ``away``: the store that might have newer ones does not answer.
    """

    files: dict[str, Edition]
    making: tuple[str, ...]
    away: bool = False


def key(site: SiteSettings, offer: Offer, url: str) -> str:
    """The name of the edition that the guide of ``offer`` has now, on the site at ``url``."""
    book, meta = offer.asset.book if offer.asset else None, offer.meta
    assert book is not None
    parts = (PRESS, book.digest, meta.title, meta.summary, meta.tags, meta.cover and meta.cover.model_dump(),
             meta.language or site.language, site.name, url, site.direction, site.theme.model_dump())
    return hashlib.sha256(json.dumps(parts, sort_keys=True, default=str).encode()).hexdigest()[:24]


def folder(instance: Path, slug: str) -> Path:
    """Where the editions of an offer's guide lie."""
    return instance / FOLDER / slug


def newest(instance: Path, site: SiteSettings, offer: Offer, url: str) -> Path:
    """Where the editions of the guide as it is now lie, or are about to."""
    return folder(instance, offer.slug) / key(site, offer, url)


def site_url(config: Mapping[str, Any], site: SiteSettings) -> str:
    """The site's address without a slash at its end; the setting wins over the file."""
    return str(config["SITE_URL"] or site.url).rstrip("/")


def find(instance: Path, root: Path, site: SiteSettings, offer: Offer, url: str, *,
         depot: Depot | None = None) -> Editions:
    """What can be given of the guide of ``offer``; ``depot`` brings what another machine printed."""
    book = offer.asset.book if offer.asset else None
    assert book is not None
    place = newest(instance, site, offer, url)
    files: dict[str, Edition] = {}
    making: list[str] = []
    for kind in ("pdf", "epub"):
        own = _own_pdf(root, book) if kind == "pdf" else None
        if depot is not None and own is None:
            depot.bring(place, kind)
        found = own or _look(place, kind, is_newest=True) or _before(place, kind)
        if found is not None:
            files[kind] = found
        elif not (place / f"no-{kind}").exists():
            making.append(kind)
    return Editions(files, tuple(making), depot is not None and depot.is_away)


def _own_pdf(root: Path, book: Book) -> Edition | None:
    """The finished PDF that the marketer put beside the chapters."""
    pdf = book.pdf
    if pdf is None or not (root / pdf.path).is_file():
        return None
    return Edition("pdf", root / pdf.path, pdf.size, pdf.pages, is_newest=True)


def _look(place: Path, kind: str, *, is_newest: bool) -> Edition | None:
    path = place / f"book.{kind}"
    try:
        size = path.stat().st_size
    except OSError:
        return None
    return Edition(kind, path, size, _pages(place) if kind == "pdf" else None, is_newest, _sha256(place, kind))


def _before(newest: Path, kind: str) -> Edition | None:
    """The edition printed last before the newest one."""
    try:
        places = [place for place in newest.parent.iterdir() if place != newest and (place / f"book.{kind}").is_file()]
        last = max(places, key=lambda place: (place / f"book.{kind}").stat().st_mtime_ns, default=None)
    except OSError:
        return None
    return _look(last, kind, is_newest=False) if last else None


def _pages(place: Path) -> int | None:
    try:
        return int((place / "pages").read_text())
    except (OSError, ValueError):
        return None


def note(place: Path, kind: str) -> dict[str, Any]:
    """What the store knows of an edition: ``sha256``, ``size``, ``pages``; empty where it is not shared."""
    try:
        told = json.loads((place / f"{kind}.json").read_text())
    except (OSError, ValueError):
        return {}
    return told if isinstance(told, dict) else {}


def _sha256(place: Path, kind: str) -> str:
    return str(note(place, kind).get("sha256", ""))[:16]


def tidy(newest: Path) -> None:
    """Throw away editions long out of date."""
    others = sorted((place for place in newest.parent.iterdir() if place.is_dir() and place != newest),
                    key=lambda place: place.stat().st_mtime_ns)
    for place in others[: max(0, len(others) - KEPT + 1)]:
        shutil.rmtree(place, ignore_errors=True)


@contextlib.contextmanager
def alone(guide: Path, act: str) -> Iterator[None]:
    """One process of a machine at a time does ``act`` (print, fetch) for a guide; the others find it done."""
    guide.mkdir(mode=0o700, parents=True, exist_ok=True)
    lock = os.open(guide / f".{act}", os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)


def hindrance() -> tuple[str, str] | None:
    """What keeps this machine from printing a PDF, and what to do about it; None when nothing does."""
    try:
        import weasyprint  # noqa: F401
    except ModuleNotFoundError:
        return ("WeasyPrint is not installed, so guides are given as web reader and EPUB alone.",
                "Run: pip install 'handsel[ebooks]'")
    except (ImportError, OSError) as error:
        return (f"WeasyPrint lacks a library of the system ({str(error).splitlines()[0][:120]}), so guides are given "
                "as web reader and EPUB alone.",
                f"On Debian: apt-get install {DEBIAN}")
    return None


def to_print(offers: Iterable[Offer]) -> list[Offer]:
    """The offers with a guide of which we print the PDF ourselves."""
    return [offer for offer in offers if offer.asset and offer.asset.book and offer.asset.book.pdf is None]
