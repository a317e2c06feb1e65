"""What pages, guides and letters name that is not there: links, images, offers, forms, authors."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from difflib import get_close_matches
from urllib.parse import unquote

from handsel.content.library import SITE_FILE, Page, Read
from handsel.content.rendered import Slot
from handsel.errors import Fault, nearest
from handsel.offers.read import IMAGES, PLAIN_NAME
from handsel.offers.world import World, beside

SCHEME = re.compile(r"[a-z][a-z0-9+.-]*:", re.I)
_ID = re.compile(r'\sid="([^"]+)"')


def page_faults(world: World, read: Read[Page]) -> Iterator[Fault]:
    """What one page, of content/ or of an offer, names that is not there."""
    page = read.value
    if page is None:
        return
    meta = page.meta
    if meta.author is not None and world.lacks(meta.author, world.site.authors):
        yield read.fault(("author",), "unknown-author", f"There is no author '{meta.author[:60]}'.",
                         nearest(meta.author, world.site.authors) or f"Add them to authors in {SITE_FILE}.")
    if meta.cta is not None:
        yield from offer_faults(world, meta.cta, read.file, read.fault(("cta",), "", "", "").line)
    for key in ("image", "canonical"):
        if target := getattr(meta, key):
            line = read.fault((key,), "", "", "").line
            yield from target_faults(world, page.file, target, line, image=key == "image")
    for link in page.body.links:
        yield from target_faults(world, page.file, link.target, link.line, page=page)
    for image in page.body.images:
        yield from target_faults(world, page.file, image.src, image.line, image=True)
    for part in page.body.parts:
        if isinstance(part, Slot):
            yield from _slot_faults(world, page, part)


def _slot_faults(world: World, page: Page, slot: Slot) -> Iterator[Fault]:
    options = slot.options
    own = page.file.split("/")[1] if page.file.startswith("offers/") else None
    offer = options.get("offer")
    if slot.kind in {"cta", "gate", "form", "cover"} and offer is not None and offer != own:
        yield from offer_faults(world, offer, page.file, slot.line)
    if slot.kind == "form":
        name = options.get("form")
        if name is not None and name not in world.forms and page.file.startswith("content/"):
            yield Fault(page.file, slot.line, "unknown-form", f"There is no form '{name}'.", nearest(name, world.forms))
        elif offer is None:
            yield from _lonely_form(world, page, slot)
    if slot.kind == "cover" and offer is None:
        yield Fault(page.file, slot.line, "block-without-offer", "The cover belongs to no offer.",
                    "Name the offer: /// cover | its-short-name")
    key = str(options.get("key"))
    if slot.kind == "author" and world.lacks(key, world.site.authors):
        yield Fault(page.file, slot.line, "unknown-author", f"There is no author '{key[:60]}'.",
                    nearest(key, world.site.authors) or f"Add them to authors in {SITE_FILE}.")


def _lonely_form(world: World, page: Page, slot: Slot) -> Iterator[Fault]:
    """A form outside of an offer stands for the one offer that uses it."""
    name = slot.options.get("form")
    users = [slug for slug, folder in world.folders.items() if folder.meta.value and folder.meta.value.form == name]
    if len(users) != 1:
        what = "several offers use it" if users else "no offer uses it"
        yield Fault(page.file, slot.line, "form-without-offer", f"This form cannot tell what it is for: {what}.",
                    f"Add an indented line `offer: {users[0] if users else '<its short name>'}` below it.")


def offer_faults(world: World, slug: str, file: str, line: int) -> Iterator[Fault]:
    """An offer that is named on that line and is not there, or no longer open."""
    folder = world.folders.get(slug)
    if folder is None:
        if f"/offers/{slug}/" not in world.aliases:
            yield Fault(file, line, "unknown-offer", f"There is no offer '{slug[:60]}'.", nearest(slug, world.folders))
    elif folder.meta.value and folder.meta.value.closes_at and folder.meta.value.closes_at <= world.at:
        yield Fault(file, line, "closed-offer",
                    f"The offer '{slug}' closed on {folder.meta.value.closes_at:%Y-%m-%d %H:%M}.",
                    "Name another one, or move its closes_at.")


def target_faults(world: World, file: str, target: str, line: int, *, image: bool = False,
                   page: Page | None = None) -> Iterator[Fault]:
    """Where a link or an image leads, if it stays on our site."""
    if target.startswith(world.site.url + "/"):
        target = target.removeprefix(world.site.url)
    if not target or target.startswith("//") or SCHEME.match(target) or "{{" in target:
        return
    path, _, anchor = target.partition("#")
    path = unquote(path.partition("?")[0])
    if image and path and not path.startswith("/") and (file.startswith("content/") or PLAIN_NAME.fullmatch(path)):
        path = beside(file, path)
    if path and not image and not path.startswith("/"):
        yield Fault(file, line, "relative-link", f"The link '{target[:80]}' means another page on each page.",
                    "Begin it with /, as in /blog/.")
    elif image and not path.startswith("/") and file.startswith("offers/") and not PLAIN_NAME.fullmatch(path):
        yield Fault(file, line, "bad-image-name", f"'{path[:80]}' is no plain name of a picture beside the page.",
                    "Rename the file with letters, digits and hyphens, and write its name alone.")
    elif path and not world.knows(path) and not world.knows(f"{path}/"):
        kind, thing = ("missing-image", "image") if image else ("dead-link", "page or file")
        yield Fault(file, line, kind, f"There is no {thing} at {path[:120]}.", _nearest_path(path, world, image))
    else:
        there = world.by_path.get(path) if path else None
        arrival = there.value if there else (page if not path else None)
        if arrival is not None:
            from_draft = page is not None and page.meta.draft
            yield from (replace(fault, where=file, line=line)
                        for fault in _arrival_faults(world, arrival, unquote(anchor), from_draft))


def _arrival_faults(world: World, other: Page, anchor: str, from_draft: bool) -> Iterator[Fault]:
    """What a visitor misses who follows a link to ``other``; where the link stands is filled in by the caller."""
    begun, ended = other.meta.publish_at or world.at, other.meta.unpublish_at or world.at
    ended_before = begun <= ended <= world.at and other.meta.unpublish_at is not None
    if (other.meta.draft or ended_before) and not from_draft:
        what = "is a draft" if other.meta.draft else "has been taken down"
        yield Fault("", 0, "dead-link", f"The page {other.path} {what}.", "Publish it, or link to another one.")
    elif anchor and anchor not in anchors(other):
        yield Fault("", 0, "dead-anchor", f"There is no place '#{anchor[:80]}' on the page {other.path}.",
                    nearest(anchor, anchors(other)))


def anchors(page: Page) -> set[str]:
    """The places on a page that a link can lead to."""
    ids = {heading.id for heading in page.body.headings} | {"main", "top"}
    for part in page.body.parts:
        if isinstance(part, str):
            ids.update(_ID.findall(part))
        elif part.kind in {"form", "gate"}:
            ids.add("get")
    return ids


def _nearest_path(path: str, world: World, image: bool) -> str:
    known = [other for other in world.paths() if not image or other.lower().endswith(IMAGES)]
    if len(known) > 500:  # comparing with all would take longer than reading them
        last = path.strip("/").rpartition("/")[2]
        known = [other for other in known if other.strip("/").rpartition("/")[2][:4] == last[:4]][:500]
    close = get_close_matches(path, known, n=1, cutoff=0.6)
    if close:
        return f"Did you mean {close[0]}?"
    return "Put the picture there, or mend its name." if image else "Mend the link, or write the page."
