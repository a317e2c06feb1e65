"""The whole project as one immutable value: what is live, and what is wrong."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from handsel.content.schema import SiteSettings
from handsel.errors import Fault
from handsel.forms.library import CaptureForm
from handsel.offers.library import Letter, Offer

if TYPE_CHECKING:
    from handsel.content.library import Page


@dataclass(frozen=True)
class Project:
    """Everything that marketers wrote, as it stood at ``read_at``.

    ``pages`` maps addresses to pages of ``content/`` (live or not: ask ``page.is_live``); ``aliases`` maps old
    addresses to present ones; ``assets`` maps public addresses to files by their path from the project's root;
    ``emails`` holds overrides of our own mails by name. ``next_change_at`` is when something opens, closes, appears
    or disappears next, None if nothing is planned.
    """

    site: SiteSettings
    pages: dict[str, Page]
    forms: dict[str, CaptureForm]
    offers: dict[str, Offer]
    aliases: dict[str, str]
    assets: dict[str, str]
    emails: dict[str, Letter]
    faults: tuple[Fault, ...]
    read_at: datetime
    next_change_at: datetime | None

    def offer(self, slug: str) -> Offer | None:
        """The offer of that slug, by its present or a former one."""
        found = self.offers.get(slug)
        if found is not None:
            return found
        return next((offer for offer in self.offers.values() if slug in offer.former_slugs), None)
