"""The whole project as one immutable value: what is live, and what is wrong."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

from handsel import clock
from handsel.content.files import Memo, Tree, scan
from handsel.content.library import SITE_FILE, Page, Read, Reading, read_site
from handsel.content.library import stray_faults as content_strays
from handsel.content.parse import Parsed
from handsel.content.schema import SiteSettings
from handsel.content.spread import read_all_pages
from handsel.content.theme import palette
from handsel.errors import Fault, Notice
from handsel.forms.library import CaptureForm
from handsel.forms.read import read_forms
from handsel.forms.read import stray_faults as form_strays
from handsel.forms.schema import STANDARD
from handsel.offers.aliases import all_aliases
from handsel.offers.check import Verdicts, judge
from handsel.offers.letters import read_own_mails
from handsel.offers.library import CONTROL, Letter, Offer
from handsel.offers.read import Folder, former_slugs, read_folders
from handsel.offers.read import stray_faults as offer_strays
from handsel.offers.variants import PAUSING
from handsel.offers.world import World
from handsel.rules.book import Rulebook, read_rules, rulebook
from handsel.rules.catalogue import Asked, OfferName

T = TypeVar("T")

NAMELESS = SiteSettings(name="A new site")
"""What a project without settings is called until it has some."""


@dataclass(frozen=True)
class Past:
    """What one reading leaves to the next: the files, what was made of each, and the last good state of every unit.

    A unit is what goes live together: a page, a form, an own mail, the settings, or the whole folder of an offer.
    """

    tree: Tree
    memo: Memo
    good: dict[str, Any]
    verdicts: Verdicts | None = None


@dataclass(frozen=True)
class Project:
    """Everything that marketers wrote, as it stood at ``read_at``.

    ``pages`` maps addresses to pages of ``content/`` (live or not: ask ``page.is_live``); ``aliases`` maps old
    addresses to present ones; ``assets`` maps public addresses to files by their path from the project's root;
    ``emails`` holds overrides of our own mails by name. ``notices`` are what a marketer should know of the files beside
    their faults. ``next_change_at`` is when something opens, closes, appears or disappears next, None if nothing is
    planned.
    """

    site: SiteSettings
    pages: dict[str, Page]
    forms: dict[str, CaptureForm]
    offers: dict[str, Offer]
    aliases: dict[str, str]
    assets: dict[str, str]
    emails: dict[str, Letter]
    rules: Rulebook
    faults: tuple[Fault, ...]
    read_at: datetime
    next_change_at: datetime | None
    past: Past = field(repr=False, compare=False)
    notices: tuple[Notice, ...] = ()

    def offer(self, slug: str) -> Offer | None:
        """The offer of that slug, by its present or a former one."""
        found = self.offers.get(slug)
        if found is not None:
            return found
        return next((offer for offer in self.offers.values() if slug in offer.former_slugs), None)


def check(root: Path) -> list[Fault]:
    """Every fault of every file of the project at ``root``, in the order of files and lines."""
    return list(read(root).faults)


def read(root: Path, previous: Project | None = None, at: datetime | None = None) -> Project:
    """The project at ``root`` as it stands now; never raises, whatever its files hold.

    A unit with a fault keeps the state it had in ``previous``; without one it is shown as far as it can be understood.
    ``previous`` itself comes back if neither a file nor the hour has changed anything.
    """
    at = at or clock.now()
    tree = scan(root)
    if previous is not None and previous.past.tree == tree and not due(previous, at):
        return previous
    return build(tree, previous.past if previous else Past(tree, Memo(), {}), at)


def due(project: Project, at: datetime) -> bool:
    """Whether the project must be put together anew at that instant, although no file has changed."""
    return at < project.read_at or (project.next_change_at is not None and project.next_change_at <= at)


def build(tree: Tree, past: Past, at: datetime) -> Project:
    """The project made of the files of ``tree``, and of ``past`` where they are faulty."""
    memo = past.memo
    world = look(tree, memo, past.good, at)
    verdicts = judge(world, past.verdicts)
    wrong = verdicts.by_unit()
    strays = (*form_strays(world.reading), *offer_strays(world.reading), *content_strays(world.reading))
    faults = [*tree.faults, *strays, *(fault for found in wrong.values() for fault in found)]
    chosen = _Choice(past.good, wrong)
    site = chosen.take(SITE_FILE, world.site_read.value, world.site_read.faults) or NAMELESS
    forms = {name: form for name, read in world.forms.items() if (form := chosen.of(read))}
    pages: dict[str, Page] = {}
    for read in world.pages.values():
        page = chosen.of(read)
        if page is not None:
            pages.setdefault(page.path, page)
    offers: dict[str, Offer] = {}
    for slug, folder in world.folders.items():
        form = forms.get(folder.meta.value.form) if folder.meta.value else None
        offer = chosen.take(f"offers/{slug}", folder.join(form), folder.faults)
        if offer is not None:
            offers[slug] = replace(_without_vanished(offer, tree), form=forms.get(offer.form.name, offer.form))
    emails = {name: mail for name, read in world.mails.items() if (mail := chosen.of(read))}
    rules = rulebook(world.rules, chosen.of)
    memo.forget(set(tree.stamps) | {f"offers/{slug}" for slug in world.folders})
    faults += chosen.faults
    return Project(site, pages, forms, offers, _aliases(world, pages, offers, at), _assets(world, offers), emails,
                   rules, tuple(sorted(set(faults))), at, _next_change(pages.values(), offers.values(), at),
                   Past(tree, memo, chosen.good, verdicts), tuple(sorted(_notices(world))))


def _without_vanished(offer: Offer, tree: Tree) -> Offer:
    """``offer`` without the challengers whose files are gone.

    An offer that stays as it was, because something else in it is faulty, must not go on to show a page that somebody
    took away.
    """
    left = {name: page for name, page in offer.variants.items() if name == CONTROL or page.file in tree.stamps}
    if len(left) == len(offer.variants):
        return offer
    return replace(offer, variants=left, digests={name: offer.digests[name] for name in left})


def _notices(world: World) -> Iterator[Notice]:
    """What marketers should know beside the faults: colours that were changed to be read, challengers that wait."""
    for folder in world.folders.values():
        yield from folder.notices
    read = world.site_read
    if read.value is None or read.faults:
        return
    for key, words in palette(read.value.theme).told:
        line = Parsed(SITE_FILE, {}, dict(read.lines)).line("theme", key)
        yield Notice(SITE_FILE, line, "colour-changed", words)


class _Choice:
    """Chooses for each unit between what was just read and what was good before, and remembers what is good now."""

    def __init__(self, good: dict[str, Any], wrong: dict[str, list[Fault]]) -> None:
        self.before = good
        self.wrong = wrong
        self.good: dict[str, Any] = {}
        self.faults: list[Fault] = []

    def of(self, read: Read[T]) -> T | None:
        """The state that is shown of a unit of one file."""
        chosen: T | None = self.take(read.file, read.value, read.faults)
        return chosen

    def take(self, unit: str, now: Any, own: Iterable[Fault]) -> Any:
        """The state of the unit that is shown: the present one if it is without fault, or else the last good one.

        A fault that stops a test alone holds nothing else back.
        """
        own = list(own)
        self.faults += own
        wrong = [fault for fault in (*own, *self.wrong.get(unit, ())) if fault.kind not in PAUSING]
        if not wrong and now is not None:
            self.good[unit] = now
            return now
        if unit in self.before:
            self.good[unit] = self.before[unit]
            return self.before[unit]
        return now


def look(tree: Tree, memo: Memo, good: dict[str, Any], at: datetime) -> World:
    """All files read. The settings that others are read by are the last good ones if the present ones are faulty."""
    site_read = read_site(tree, memo)
    usable = site_read.value if not site_read.faults else None
    site = usable or good.get(SITE_FILE) or site_read.value or NAMELESS
    reading = Reading(tree, memo, site, settled=site is not NAMELESS)
    pages = read_all_pages(reading)
    by_path: dict[str, Read[Page]] = {}
    for read in pages.values():
        if read.value:
            by_path.setdefault(read.value.path, read)
    folders = read_folders(reading)
    aliases: dict[str, str] = {}
    for _, alias, target, _ in all_aliases(pages.values(), folders.values()):
        aliases.setdefault(alias, target)
    forms = read_forms(reading)
    return World(reading, at, site_read, forms, pages, folders, read_own_mails(reading),
                 read_rules(reading, _offer_names(folders), _asked(forms), good), by_path, aliases)


def _offer_names(folders: dict[str, Folder]) -> Iterator[OfferName]:
    """The offers as rules name them."""
    for slug, folder in folders.items():
        meta = folder.meta.value
        yield OfferName(slug, meta.kind, meta.title, former_slugs(meta)) if meta else OfferName(slug)


def _asked(forms: dict[str, Read[CaptureForm]]) -> Iterator[Asked]:
    """What the forms ask for beyond the columns of every lead."""
    for read in forms.values():
        if read.value is not None:
            yield from (Asked(field.name, field.type, field.label, tuple(field.choices))
                        for field in read.value.fields if field.name not in STANDARD)


def _aliases(world: World, pages: dict[str, Page], offers: dict[str, Offer], at: datetime) -> dict[str, str]:
    """Old addresses that lead somewhere; one that a page or a file answers at by itself is left out."""
    found: dict[str, str] = {}
    funnels = {offer.path for offer in offers.values()}
    for alias, target in world.aliases.items():
        live = pages[target].is_live(at) if target in pages else target in funnels
        if live and alias not in pages and alias not in funnels and alias not in world.assets:
            found[alias] = target
    return found


def _assets(world: World, offers: dict[str, Offer]) -> dict[str, str]:
    found = dict(world.assets)
    font = world.site.theme.font_file
    if font in world.tree.stamps:
        found[font.removeprefix("content")] = font
    for offer in offers.values():
        found.update((path, file) for path, file in offer.images.items() if file in world.tree.stamps)
    return found


def _next_change(pages: Iterable[Page], offers: Iterable[Offer], at: datetime) -> datetime | None:
    offers = list(offers)
    metas = [page.meta for page in pages]
    metas += [page.meta for offer in offers for page in (*offer.variants.values(), offer.thanks)]
    moments = [moment for meta in metas for moment in (meta.publish_at, meta.unpublish_at)]
    moments += [moment for offer in offers for moment in (offer.opens_at, offer.closes_at)]
    return min((moment for moment in moments if moment and moment > at), default=None)
