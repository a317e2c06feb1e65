"""What is printed around the chapters of a guide: title, names, colours, and the drawn cover."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from html import escape

from handsel.content.schema import SiteSettings
from handsel.content.theme import palette
from handsel.offers import editions
from handsel.offers.book import Book
from handsel.offers.library import Offer
from handsel.public import cover as covers


@dataclass(frozen=True)
class Matter:
    """One guide ready for print. ``key`` names the edition; ``site_url`` has no last slash."""

    book: Book
    key: str
    slug: str
    title: str
    subtitle: str
    author: str
    publisher: str
    description: str
    tags: tuple[str, ...]
    language: str
    direction: str
    site_url: str
    brand: str
    deep: str
    on_brand: str
    tint: str
    mark: str
    ink: str
    muted: str
    line: str
    warn_tint: str
    warn: str
    pattern: str

    @property
    def identifier(self) -> str:
        """The edition's own URN: the same for the same chapters."""
        return f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, f'{self.site_url}/offers/{self.slug}/#{self.key}')}"

    def cover(self, *, spine: bool = True) -> str:
        """The cover as an SVG picture of 300 by 400 that needs no style sheet."""
        drawn = covers.draw(self.title, self.subtitle, self.author, self.pattern)
        edge = f'<rect width="18" height="400" fill="{self.deep}"/>' if spine else ""
        heads = "".join(f'<text x="42" y="{line.y}">{escape(line.text)}</text>' for line in drawn.title)
        foot = "".join(f'<text x="42" y="{line.y}">{escape(line.text)}</text>' for line in drawn.subtitle)
        author = f'<text x="42" y="376" font-size="15">{escape(drawn.author)}</text>' if drawn.author else ""
        pattern = (f'<path d="{drawn.pattern}" fill="none" stroke="{self.on_brand}" stroke-width="1.3" '
                   'stroke-opacity=".55"/>' if drawn.pattern else "")
        return (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 300 400" width="900" height="1200" '
                f'font-family="{SERIF}" fill="{self.on_brand}"><title>{escape(drawn.label)}</title>'
                f'<rect width="300" height="400" fill="{self.brand}"/>{edge}{pattern}'
                f'<g font-size="{drawn.size}" font-weight="bold">{heads}</g><g font-size="15">{foot}</g>{author}</svg>')


SERIF = "Vollkorn, 'Source Serif 4', P052, 'Palatino Linotype', Palatino, Georgia, 'DejaVu Serif', serif"


def matter(site: SiteSettings, offer: Offer, site_url: str) -> Matter:
    """What is printed for the guide of ``offer``."""
    assert offer.asset is not None
    assert offer.asset.book is not None
    colours, cover = palette(site.theme).light, offer.meta.cover
    return Matter(
        book=offer.asset.book, key=editions.key(site, offer, site_url), slug=offer.slug,
        title=cover.title if cover else offer.title, subtitle=(cover and cover.subtitle) or "",
        author=(cover and cover.author) or "", publisher=site.name, description=offer.meta.summary,
        tags=offer.meta.tags, language=offer.meta.language or site.language, direction=site.direction,
        site_url=site_url, brand=colours["brand"], deep=colours["brand-hi"], on_brand=colours["on-brand"],
        tint=colours["brand-tint"], mark=colours["mark"], ink=colours["ink"], muted=colours["muted"],
        line=colours["line"], warn_tint=colours["warn-tint"], warn=colours["warn"], pattern=site.theme.pattern)
