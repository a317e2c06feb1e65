"""The head of a sheet: which title, description and picture stand for it, and what its graph says."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from handsel.public import card as cards
from handsel.public import sheets
from handsel.public.head import (
    ROBOTS,
    Head,
    Picture,
    absolute,
    crumbs,
    graph,
    instant,
    locale,
    person,
    shorten,
    site_nodes,
)
from handsel.public.sheets import Sheet

if TYPE_CHECKING:
    from handsel.content.library import Page
    from handsel.public.press import Press

KINDS = {
    "post": "BlogPosting",
    "archive": "CollectionPage",
    "subjects": "CollectionPage",
    "guide": "TechArticle",
}
"""What a page of each layout is to schema.org."""
UNSHARED = (".avif", ".svg")  # what networks do not show
ALONE = {"home", "landing"}  # layouts whose title needs no site name after it


def head_of(press: Press, sheet: Sheet, page: Page | None) -> Head:
    """The head of ``sheet``, which shows ``page`` (a variant's own for a landing page, none for a bare archive)."""
    site, base = press.project.site, press.base
    title = title_of(sheet, page)
    meta = page.meta if page else None
    text = (meta.description if meta else "") or (page.body.first_paragraph if page else "") or site.description
    if sheet.tag:
        text = f"Posts about {sheet.tag}."
    elif sheet.layout == "subjects":
        text = f"What {site.name} writes about, subject by subject."
    description = shorten(text)
    canonical = absolute(base, (meta.canonical if meta and sheet.layout != "archive" else None) or sheet.path)
    full = (meta.seo_title if meta and meta.seo_title and sheet.number == 1 else None) or (
        title if sheet.layout in ALONE or title == site.name else f"{title} · {site.name}"
    )
    author = site.authors.get(meta.author or "") if meta else None
    post = sheet.layout == "post"
    picture = _picture(press, sheet, page)
    nodes = [
        *site_nodes(site, base),
        *_nodes(press, sheet, page, title=title, description=description, canonical=canonical, picture=picture),
    ]
    return Head(
        title=full,
        description=description,
        canonical=canonical,
        robots="noindex" if meta and meta.noindex else (meta.robots if meta and meta.robots else ROBOTS),
        og_title=(meta.og_title if meta else None) or title,
        og_description=(meta.og_description if meta else None) or description,
        og_type="article" if post else "website",
        site_name=site.name,
        locale=locale((meta.lang if meta else None) or site.language),
        picture=picture,
        alternates=_alternates(press, sheet),
        published=instant(meta.date) if post and meta else "",
        modified=instant(meta.updated) if post and meta else "",
        author=author.name if author and post else "",
        tags=meta.tags if post and meta else (),
        graph=graph(nodes),
    )


def _alternates(press: Press, sheet: Sheet) -> tuple[tuple[str, str], ...]:
    """The languages of the page, itself included, and where each is; the site's own is for everybody else."""
    key = sheet.page.meta.translation_key if sheet.page and sheet.number == 1 else None
    found = press.translations.get(key or "", {})
    if len(found) < 2:
        return ()
    rows = [(language, press.base + path) for language, path in found.items()]
    own = found.get(press.project.site.language)
    return (*rows, ("x-default", press.base + own)) if own else tuple(rows)


def title_of(sheet: Sheet, page: Page | None) -> str:
    """What ``sheet`` is called, by itself or by the page it shows."""
    title = page.title if page else "All subjects" if sheet.layout == "subjects" else "Posts"
    if sheet.layout == "archive":
        title = f"Posts about {sheet.tag}" if sheet.tag else title
        if sheet.number > 1:
            title = f"{title}, page {sheet.number}"
    return title


def _picture(press: Press, sheet: Sheet, page: Page | None) -> Picture:
    """The page's own picture, else the site's, else a card drawn for the page."""
    site = press.project.site
    address = (page.meta.image if page else None) or site.social_image
    if not address or address.endswith(UNSHARED):
        card = cards.card_of(site, press.base, sheet, title_of(sheet, sheet.page))
        return Picture(press.base + cards.address(sheet.path, card), card.alt, cards.WIDTH, cards.HEIGHT)
    width, height = press.files.size(address) or (0, 0)
    alt = (page.meta.image_alt if page and page.meta.image else None) or site.name
    return Picture(absolute(press.base, press.files.url(address)), alt, width, height)


def _nodes(
    press: Press,
    sheet: Sheet,
    page: Page | None,
    *,
    title: str,
    description: str,
    canonical: str,
    picture: Picture,
) -> list[dict[str, Any]]:
    """The page's own nodes of the graph."""
    site, base = press.project.site, press.base
    node: dict[str, Any] = {
        "@type": KINDS.get(sheet.layout, "WebPage"),
        "@id": canonical,
        "url": canonical,
        "name": title,
        "description": description,
        "isPartOf": {"@id": f"{base}/#site"},
        "image": picture.url,
        "inLanguage": (page.meta.lang if page else None) or site.language,
    }
    if page and page.meta.schema_:
        node["@type"] = page.meta.schema_
    if page and sheet.layout in {"post", "guide"}:
        node |= {"headline": title, "publisher": {"@id": f"{base}/#publisher"}}
        node |= {
            name: instant(at)
            for name, at in (("datePublished", page.meta.date), ("dateModified", page.meta.updated))
            if at
        }
        author = site.authors.get(page.meta.author or "")
        if author:
            node["author"] = person(author, base)
    nodes = [node]
    if page:
        keys = [part.options["key"] for part in page.body.parts if not isinstance(part, str) and part.kind == "author"]
        nodes += [person(site.authors[key], base) for key in keys if key in site.authors]
    trail = _trail(press, sheet, title)
    return [*nodes, crumbs(trail, base)] if len(trail) > 2 else nodes


def _trail(press: Press, sheet: Sheet, title: str) -> list[tuple[str, str]]:
    """The folders above the sheet that are pages, from the front of the site."""
    if sheet.layout in ALONE:
        return []
    trail = [(press.project.site.name, "/")]
    steps = sheet.path.strip("/").split("/")
    for depth in range(1, len(steps)):
        path = "/" + "/".join(steps[:depth]) + "/"
        above = sheets.find(press.project, path, press.at)
        if above is not None and path != sheet.path:
            trail.append((title_of(above, above.page), path))
    return [*trail, (title, sheet.path)]
