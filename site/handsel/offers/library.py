"""Offers: the whole funnel of one lead magnet, from its landing pages to its last letter."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from handsel.forms.library import CaptureForm
from handsel.merge import Text
from handsel.offers.book import Book
from handsel.offers.schema import LetterMeta, OfferMeta

if TYPE_CHECKING:
    from handsel.content.library import Page

CONTROL = "a"


@dataclass(frozen=True)
class Asset:
    """The file that an offer gives: ``path`` from the project's root, ``name`` as saved by the visitor.

    ``size`` in bytes, ``digest`` a SHA-256 in hexadecimal, ``pages`` the pages of a PDF (None: unknown or no PDF).
    """

    path: str
    name: str
    media_type: str
    size: int
    digest: str
    pages: int | None = None
    book: Book | None = None
    """The chapters, when it is a guide that we print; ``path`` is then that of its text or folder, ``size`` 0."""
    codes: tuple[str, ...] = ()
    """The codes, when it is a list of which each lead gets one; the list itself is given to nobody."""


@dataclass(frozen=True)
class Letter:
    """One mail of an offer's sequence; step ``00-…`` is the delivery.

    ``html`` and ``text`` are the body alone, without layout and footer. ``due_after`` is the time from the capture.
    """

    step: str
    number: int
    file: str
    meta: LetterMeta
    topic: str
    subject: Text
    preheader: Text
    source: str
    html: Text
    text: Text
    fields_used: frozenset[str]
    due_after: timedelta
    digest: str
    whole: str = ""
    """The whole file, front matter and all, with plain line ends."""
    links: tuple[tuple[str, int], ...] = ()
    """What it links to, with lines; addresses of our own site begin with ``/``."""
    images: tuple[tuple[str, int], ...] = ()

    @property
    def is_delivery(self) -> bool:
        """Whether this is the mail that brings what was asked for."""
        return self.number == 0


@dataclass(frozen=True)
class Offer:
    """One folder of ``offers/``. ``variants`` maps ``a`` (the control) to ``f`` to landing pages."""

    slug: str
    meta: OfferMeta
    brief: str
    variants: dict[str, Page]
    thanks: Page
    letters: tuple[Letter, ...]
    asset: Asset | None
    form: CaptureForm
    topic: str
    images: dict[str, str] = field(default_factory=dict)
    """Public images beside the offer: their address to their path from the project's root."""
    former_slugs: tuple[str, ...] = ()
    digests: dict[str, str] = field(default_factory=dict)
    """By variant what its page shows, as one word that changes with it; see ``variants.digest``."""

    @property
    def title(self) -> str:
        """The offer's name, as visitors and sales read it."""
        return self.meta.title

    @property
    def path(self) -> str:
        """The landing page's address."""
        return f"/offers/{self.slug}/"

    @property
    def opens_at(self) -> datetime | None:
        """When it can first be asked for; None: always."""
        return self.meta.opens_at

    @property
    def closes_at(self) -> datetime | None:
        """When it can no more be asked for: at the latest when its event is over; None: never."""
        event = self.meta.event
        return self.meta.closes_at or (event.ends_at if event else None)

    def link_until(self, at: datetime) -> datetime:
        """How long a link lives that is given at that instant: past the event, if there is one."""
        until, event = at + timedelta(days=self.meta.link_days), self.meta.event
        return max(until, event.ends_at + timedelta(days=1)) if event else until

    @property
    def control(self) -> Page:
        """The landing page that challengers are measured against."""
        return self.variants[CONTROL]

    @property
    def shown(self) -> list[str]:
        """The variants that visitors could be shown, the control first: all that are no drafts."""
        return [name for name, page in sorted(self.variants.items()) if name == CONTROL or not page.meta.draft]

    @property
    def gone(self) -> tuple[str, ...]:
        """The variants with a share in the test that cannot be shown: their files vanished, or are drafts."""
        split = (self.meta.experiment and self.meta.experiment.split) or {}
        return tuple(name for name, share in split.items() if share and name not in self.shown)

    @property
    def paused(self) -> bool:
        """Whether a test should run and cannot, because a variant is gone: everybody sees the control meanwhile."""
        return self.meta.experiment is not None and (bool(self.gone) or len(self.shown) < 2)

    @property
    def runs(self) -> bool:
        """Whether visitors are shared out between two variants or more."""
        return len([share for share in self.split.values() if share]) > 1

    @property
    def split(self) -> dict[str, int]:
        """Shares of visitors by variant; all of it the control's while there is no test, or while it is paused."""
        spec = self.meta.experiment
        if spec is None or self.paused:
            return {CONTROL: 100}
        if spec.split is not None:
            return {name: share for name, share in spec.split.items() if name in self.shown} or {CONTROL: 100}
        return equal_split(self.shown) if spec.goal == "value" else even_split(self.shown)

    @property
    def delivery(self) -> Letter | None:
        """The mail that brings what was asked for, if the offer has one."""
        return next((letter for letter in self.letters if letter.is_delivery), None)

    @property
    def follow_ups(self) -> tuple[Letter, ...]:
        """The letters after the delivery, in order."""
        return tuple(letter for letter in self.letters if not letter.is_delivery)

    def letter(self, step: str) -> Letter | None:
        """The letter of that step, if the sequence has it."""
        return next((letter for letter in self.letters if letter.step == step), None)

    def is_open(self, at: datetime) -> bool:
        """Whether people can ask for it at that instant."""
        begun = self.meta.opens_at is None or self.meta.opens_at <= at
        ended = self.closes_at is not None and self.closes_at <= at
        return begun and not ended


def even_split(variants: list[str]) -> dict[str, int]:
    """Shares as even as whole numbers allow, 100 together; the first ones get what is left over."""
    share, rest = divmod(100, len(variants))
    return {variant: share + (place < rest) for place, variant in enumerate(variants)}


def equal_split(variants: list[str]) -> dict[str, int]:
    """Exactly equal shares in whole numbers, as a test of values needs them: 33 for each of three variants."""
    return dict.fromkeys(variants, 100 // len(variants))
