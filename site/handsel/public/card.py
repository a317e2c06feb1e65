"""The card that stands for a page where it is shared: what is on it, and its address. ``paint.py`` draws it."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from handsel.content.theme import palette
from handsel.public import cover as covers
from handsel.public.cover import Cover

if TYPE_CHECKING:
    from handsel.content.library import Page
    from handsel.content.schema import SiteSettings
    from handsel.offers.library import Offer
    from handsel.public.sheets import Sheet

WIDTH, HEIGHT = 1200, 630
FOLDER = "/cards"
EDITION = 1  # of the drawing: another one gives every card a new address


@dataclass(frozen=True)
class Card:
    """Everything that can be seen on one card; equal cards have one address and are drawn once."""

    title: str
    below: str
    site: str
    host: str
    colours: dict[str, str]
    pattern: str
    cover: Cover | None = None
    edition: int = EDITION

    @property
    def written(self) -> str:
        """The card as JSON, as ``paint.py`` reads it."""
        return json.dumps(asdict(self), ensure_ascii=False, sort_keys=True)

    @property
    def mark(self) -> str:
        """Ten hex digits that change with anything on the card."""
        return hashlib.sha256(self.written.encode()).hexdigest()[:10]

    @property
    def alt(self) -> str:
        """The card in words."""
        return f"{self.title}. {self.site}" if self.title != self.site else self.site


def address(path: str, card: Card) -> str:
    """Where the card of the page at ``path`` lies."""
    return f"{FOLDER}{path}{card.mark}.png"


def card_of(site: SiteSettings, base: str, sheet: Sheet, title: str) -> Card:
    """The card of ``sheet``: the same for all variants of a landing page, with the offer's cover if it shows one."""
    page, offer = sheet.page, sheet.offer
    author = site.authors.get(page.meta.author or "") if page and sheet.layout == "post" else None
    ramp = palette(site.theme)
    tokens = ramp.dark if site.theme.scheme == "dark" else ramp.light
    colours = {name: tokens[name] for name in ("paper", "ink", "muted", "line", "mark", "brand", "on-brand")}
    colours |= {"cover": ramp.light["brand"], "spine": ramp.light["brand-hi"], "on-cover": ramp.light["on-brand"]}
    return Card(
        title=(page.meta.og_title if page and sheet.number == 1 else None) or title,
        below=author.name if author else "",
        site=site.name,
        host=urlsplit(base).netloc.removeprefix("www."),
        colours=colours,
        pattern=site.theme.pattern,
        cover=_cover(offer, page, site.theme.pattern) if offer and page else None,
    )


def _cover(offer: Offer, page: Page, pattern: str) -> Cover | None:
    """The drawn cover in the words of the page's first block, of ``cover:``, or of the title; None without either."""
    given = next(
        (part.options for part in page.body.parts if not isinstance(part, str) and part.kind == "cover"), None
    )
    written = offer.meta.cover
    if given is None and written is None:
        return None
    title, subtitle, author = covers.words(offer, given or {})
    return covers.draw(title, subtitle, author, pattern)
