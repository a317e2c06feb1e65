"""What a page says of itself to search engines, feeds and those who share it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from markupsafe import Markup

from handsel.content.schema import Author, SiteSettings

ROBOTS = "index,follow,max-image-preview:large"
LONGEST = 160  # characters of a description that search engines show


@dataclass(frozen=True)
class Picture:
    """The picture that stands for a page elsewhere; width and height are 0 while unknown."""

    url: str
    alt: str = ""
    width: int = 0
    height: int = 0


@dataclass(frozen=True)
class Head:
    """Everything in the head but style and icons, for ``templates/public/_head.html``."""

    title: str
    description: str
    canonical: str
    robots: str
    og_title: str
    og_description: str
    og_type: str
    site_name: str
    locale: str
    picture: Picture | None = None
    alternates: tuple[tuple[str, str], ...] = ()
    published: str = ""
    modified: str = ""
    author: str = ""
    tags: tuple[str, ...] = ()
    graph: Markup = field(default_factory=Markup)

    @property
    def noindex(self) -> bool:
        return "noindex" in self.robots


def shorten(text: str, longest: int = LONGEST) -> str:
    """``text`` in one line, cut at a sentence or a word so that it fits."""
    text = re.sub(r"\s+", " ", text).strip()
    if len(text) <= longest:
        return text
    cut = text[:longest]
    sentence = max(cut.rfind(end) for end in (". ", "! ", "? "))
    if sentence >= longest // 3:
        return cut[: sentence + 1]
    return cut[: longest - 1].rsplit(" ", 1)[0].rstrip(",;:–—-") + "…"


def instant(at: datetime | None) -> str:
    """ISO 8601 as feeds and search engines want it; empty for none."""
    return at.isoformat(timespec="seconds") if at else ""


def locale(language: str) -> str:
    """``en-GB`` as Open Graph writes it; a language alone stays alone."""
    return language.replace("-", "_")


def person(author: Author, base: str) -> dict[str, Any]:
    """An author as schema.org knows one."""
    found = {
        "@type": "Person",
        "name": author.name,
        "jobTitle": author.role,
        "description": author.bio,
        "image": absolute(base, author.image) if author.image else None,
        "url": absolute(base, author.url) if author.url else None,
    }
    return {name: value for name, value in found.items() if value}


def absolute(base: str, address: str) -> str:
    """``address`` with the site in front of it, unless it has one."""
    return address if re.match(r"[a-z][a-z0-9+.-]*:", address) else base + address


def site_nodes(site: SiteSettings, base: str) -> list[dict[str, Any]]:
    """The site and who is behind it: the two nodes that every graph begins with."""
    publisher = site.controller.name if site.controller else site.name
    return [
        {"@type": "Organization", "@id": f"{base}/#publisher", "name": publisher, "url": f"{base}/"},
        {
            "@type": "WebSite",
            "@id": f"{base}/#site",
            "name": site.name,
            "url": f"{base}/",
            "inLanguage": site.language,
            "publisher": {"@id": f"{base}/#publisher"},
        },
    ]


def crumbs(trail: Iterable[tuple[str, str]], base: str) -> dict[str, Any]:
    """The way from the site's front to the page, as (label, address)."""
    items = [
        {"@type": "ListItem", "position": n, "name": label, "item": absolute(base, address)}
        for n, (label, address) in enumerate(trail, 1)
    ]
    return {"@type": "BreadcrumbList", "itemListElement": items}


def graph(nodes: Iterable[dict[str, Any]]) -> Markup:
    """The nodes as the inside of one JSON-LD element; nothing in them can end it."""
    text = json.dumps(
        {"@context": "https://schema.org", "@graph": list(nodes)}, ensure_ascii=False, separators=(",", ":")
    )
    return Markup(text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029"))  # noqa: S704
