"""Which page stands at an address, at a given instant: live pages, landing pages, archives by date and tag."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from handsel.content.library import Page
    from handsel.offers.library import Offer
    from handsel.offers.project import Project

BLOG = "/blog/"
SUBJECTS = "/blog/tags/"
A_PAGE = 10  # posts on one page of the archive
_ARCHIVE = re.compile(r"/blog/(?:tags/([a-z0-9][a-z0-9_-]*)/)?(?:page/([1-9]\d{0,4})/)?")
EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Sheet:
    """One thing to draw. An archive has ``posts`` and perhaps a ``page`` above them; a landing page its ``offer``."""

    path: str
    layout: str
    page: Page | None = None
    offer: Offer | None = None
    posts: tuple[Page, ...] = ()
    tag: str = ""
    number: int = 1
    last: int = 1

    @property
    def variants(self) -> tuple[str, ...]:
        """The variants of a landing page; one without a name for every other sheet."""
        return tuple(sorted(self.offer.variants)) if self.offer else ("",)

    @property
    def experiment(self) -> bool:
        """Whether different visitors may see different pages here."""
        return self.offer is not None and len([share for share in self.offer.split.values() if share]) > 1


def find(project: Project, path: str, at: datetime) -> Sheet | None:
    """The sheet at ``path``, or None while nothing is to be seen there."""
    page = project.pages.get(path)
    if page is not None and not page.is_live(at):
        page = None
    if path.startswith("/offers/"):
        parts = path.split("/")
        offer = project.offers.get(parts[2]) if len(parts) == 4 and not parts[3] else None
        return landing(offer, at) if offer else None
    if path == SUBJECTS and page is None:
        return Sheet(path, "subjects") if tags(posts(project, at)) else None
    if (found := _ARCHIVE.fullmatch(path)) and (page is None or path == BLOG):
        return _archive(project, path, page, at, tag=found[1] or "", number=int(found[2] or 1))
    return Sheet(path, page.layout, page) if page else None


def landing(offer: Offer, at: datetime) -> Sheet | None:
    """An offer's landing page; not while it is a draft. One that is not open says so itself."""
    page = offer.control
    return Sheet(offer.path, "landing", page, offer) if page.is_live(at) else None


def posts(project: Project, at: datetime) -> tuple[Page, ...]:
    """All live posts, the newest first."""
    live = [page for page in project.pages.values() if page.layout == "post" and page.is_live(at)]
    return tuple(sorted(live, key=lambda page: (published(page), page.path), reverse=True))


def published(page: Page) -> datetime:
    """When a page appeared, as far as its author says."""
    return page.meta.date or page.meta.publish_at or EARLIEST


def tags(pages: Iterable[Page]) -> list[tuple[str, int]]:
    """Each tag of ``pages`` with how many have it, by name."""
    return sorted(Counter(tag for page in pages for tag in page.meta.tags).items())


def _archive(project: Project, path: str, page: Page | None, at: datetime, *, tag: str, number: int) -> Sheet | None:
    found = [post for post in posts(project, at) if not tag or tag in post.meta.tags]
    last = max(1, -(-len(found) // A_PAGE))
    if number > last or (not found and page is None) or (number == 1 and "/page/" in path):
        return None
    shown = tuple(found[(number - 1) * A_PAGE : number * A_PAGE])
    if number > 1 and not tag:
        page = project.pages.get(BLOG)
    return Sheet(path, "archive", page, None, shown, tag, number, last)


def archive_path(tag: str, number: int) -> str:
    """The address of one page of an archive."""
    return BLOG + (f"tags/{tag}/" if tag else "") + (f"page/{number}/" if number > 1 else "")


def manual(project: Project, page: Page, at: datetime) -> tuple[Page, ...]:
    """The chapters of the manual that ``page`` belongs to: the folder's own page, then others by weight and title."""
    top = "/" + page.path.strip("/").split("/", maxsplit=1)[0] + "/"
    chapters = [
        each
        for each in project.pages.values()
        if each.layout == "guide" and each.path.startswith(top) and each.is_live(at)
    ]
    return tuple(
        sorted(
            chapters,
            key=lambda each: (
                each.path != top,
                each.meta.weight if each.meta.weight is not None else 10_000,
                each.title,
            ),
        )
    )


def translations(project: Project, at: datetime) -> dict[str, dict[str, str]]:
    """By translation key the languages that a page can be read in, each with the page's address."""
    found: dict[str, dict[str, str]] = {}
    landing_pages = ((offer.path, offer.control) for offer in project.offers.values())
    for path, page in sorted((*project.pages.items(), *landing_pages)):
        if page.meta.translation_key and page.is_live(at):
            language = page.meta.lang or project.site.language
            found.setdefault(page.meta.translation_key, {}).setdefault(language, path)
    return found


def next_change(project: Project, at: datetime) -> datetime | None:
    """The next instant after ``at`` at which something appears, disappears, opens or closes by its date."""
    metas = [page.meta for page in project.pages.values()]
    metas += [page.meta for offer in project.offers.values() for page in offer.variants.values()]
    dates = [date for meta in metas for date in (meta.publish_at, meta.unpublish_at)]
    dates += [date for offer in project.offers.values() for date in (offer.opens_at, offer.closes_at)]
    return min((date for date in dates if date is not None and date > at), default=None)


def addresses(project: Project, at: datetime) -> list[str]:
    """Every address that answers with a page of its own at that instant, in order."""
    found = {path for path, page in project.pages.items() if page.is_live(at)}
    found |= {offer.path for offer in project.offers.values() if offer.control.is_live(at)}
    live = posts(project, at)
    if live:
        found |= {archive_path("", number) for number in range(1, -(-len(live) // A_PAGE) + 1)}
        found |= {SUBJECTS} if tags(live) else set()
        for tag, count in tags(live):
            found |= {archive_path(tag, number) for number in range(1, -(-count // A_PAGE) + 1)}
    return sorted(found)
