"""What is wrong between files: links that lead nowhere, names that nobody has, addresses that two pages claim."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from difflib import get_close_matches
from functools import cached_property
from typing import Any
from urllib.parse import unquote

from handsel.content.files import Tree
from handsel.content.library import RESERVED, SITE_FILE, Page, Read, Reading, address, assets
from handsel.content.rendered import Slot
from handsel.content.schema import SiteSettings
from handsel.errors import Fault, nearest
from handsel.forms.library import CaptureForm
from handsel.offers.book import Book
from handsel.offers.library import CONTROL, Letter
from handsel.offers.look import look_faults
from handsel.offers.read import IMAGES, PLAIN_NAME, Folder, form_faults
from handsel.offers.translations import translation_faults

MADE = frozenset({"/feed.xml", "/sitemap.xml", "/robots.txt", "/favicon.svg", "/favicon.ico", "/desk/"})
"""Addresses that the program answers in every project."""
_ID = re.compile(r'\sid="([^"]+)"')
_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*:", re.I)


@dataclass(frozen=True)
class World:
    """All that was read, before anything is chosen to be shown."""

    reading: Reading
    at: datetime
    site_read: Read[SiteSettings]
    forms: dict[str, Read[CaptureForm]]
    pages: dict[str, Read[Page]]
    folders: dict[str, Folder]
    mails: dict[str, Read[Letter]]
    rules: dict[str, Read[Any]]
    """The files of rules on leads, by their name in the rulebook."""
    by_path: dict[str, Read[Page]] = field(default_factory=dict)
    """Pages by address; of two with the same address the first."""
    aliases: dict[str, str] = field(default_factory=dict)
    """Each alias with the address it leads to; of two the first."""

    @property
    def site(self) -> SiteSettings:
        """The settings that hold."""
        return self.reading.site

    @property
    def tree(self) -> Tree:
        """The files that were read."""
        return self.reading.tree

    def lacks(self, name: str, known: Iterable[str]) -> bool:
        """Whether ``name`` is certainly not among the authors or topics of the settings."""
        return self.reading.settled and name not in known

    @cached_property
    def assets(self) -> dict[str, str]:
        """The public files of ``content/`` by their address."""
        return assets(self.tree)

    @cached_property
    def written(self) -> set[str]:
        """The addresses of all pages, those included that cannot be read now: their own faults say enough."""
        return set(map(address, self.pages))

    @cached_property
    def made(self) -> set[str]:
        """Addresses that the program makes out of what there is: archives and lists of tags."""
        made = set(MADE)
        if any(path.startswith("/blog/") for path in self.written):
            made.add("/blog/")
        for read in self.by_path.values():
            if read.value and read.value.layout == "post" and not read.value.meta.draft:
                made.update({"/blog/", *(f"/blog/tags/{tag}/" for tag in read.value.meta.tags)})
                made.update({"/blog/tags/"} if read.value.meta.tags else ())
        return made

    def knows(self, path: str) -> bool:
        """Whether something answers at that address."""
        if path in self.written or path in self.assets or path in self.made or path in self.aliases:
            return True
        if path.startswith("/offers/"):
            return self._knows_offer(path)
        return path.startswith(("/desk/", "/static/"))

    def _knows_offer(self, path: str) -> bool:
        slug, _, rest = path.removeprefix("/offers/").partition("/")
        if slug not in self.folders:
            return False
        name = rest.removeprefix("files/")
        return path.endswith("/") if not rest else name != rest and f"offers/{slug}/{name}" in self.tree.stamps

    def paths(self) -> Iterator[str]:
        """Every address that a link could mean."""
        yield from self.by_path
        yield from (f"/offers/{slug}/" for slug in self.folders)
        yield from self.assets
        for file in self.tree.of("offers"):
            if file.lower().endswith(IMAGES) and file.count("/") > 1:
                yield beside(file, file.split("/", 2)[2])


@dataclass(frozen=True)
class Verdicts:
    """What is wrong between the files of ``world``: by page of content/, by other unit, and between addresses."""

    world: World
    pages: dict[str, tuple[Fault, ...]]
    others: dict[str, tuple[Fault, ...]]
    addresses: tuple[tuple[str, Fault], ...]

    def by_unit(self) -> dict[str, list[Fault]]:
        """All faults by the file or the folder (``offers/<slug>``) that they belong to."""
        found = {unit: list(wrong) for unit, wrong in (*self.pages.items(), *self.others.items()) if wrong}
        for unit, fault in self.addresses:
            found.setdefault(unit, []).append(fault)
        return found


def judge(world: World, before: Verdicts | None = None) -> Verdicts:
    """The verdicts on ``world``; a page that was judged ``before`` is judged again only if something can differ."""
    alike = before is not None and _alike(world, before.world)
    if before is not None and alike:
        for name in ("assets", "written", "made"):
            world.__dict__[name] = getattr(before.world, name)
    pages: dict[str, tuple[Fault, ...]] = {}
    for file, read in world.pages.items():
        if before is not None and alike and before.world.pages[file] is read:
            pages[file] = before.pages[file]
        else:
            pages[file] = tuple(page_faults(world, read))
    others = {SITE_FILE: tuple(_site_faults(world))}
    others |= {f"offers/{slug}": tuple(_folder_faults(world, folder)) for slug, folder in world.folders.items()}
    others |= {mail.file: tuple(_letter_faults(world, mail.value)) for mail in world.mails.values() if mail.value}
    addresses = before.addresses if before is not None and alike else tuple(_address_faults(world))
    return Verdicts(world, pages, others, addresses)


def _alike(world: World, before: World) -> bool:
    """Whether the two look the same to a page that did not change: what can be linked to, and who can be named."""
    if world.tree.stamps.keys() != before.tree.stamps.keys() or world.tree.faults != before.tree.faults:
        return False
    if world.site != before.site or world.reading.settled != before.reading.settled:
        return False
    pages = all(before.pages[file] is read or _looks(before.pages[file]) == _looks(read)
                for file, read in world.pages.items())
    folders = all(before.folders[slug] is folder or _folder_looks(before.folders[slug]) == _folder_looks(folder)
                  for slug, folder in world.folders.items())
    return pages and folders and not any(_passed(moment, before.at, world.at) for moment in _moments(world))


def _looks(read: Read[Page]) -> object:
    """What others see of a page."""
    if read.value is None:
        return None
    meta = read.value.meta
    lines = tuple(read.fault(("aliases", place), "", "", "").line for place in range(len(meta.aliases)))
    return (meta.draft, meta.publish_at, meta.unpublish_at, meta.aliases, lines, meta.tags, read.value.layout,
            meta.translation_key, meta.lang, anchors(read.value))


def _folder_looks(folder: Folder) -> object:
    meta = folder.meta.value
    named = (meta.form, meta.closes_at, meta.aliases) if meta else None
    variants = [(read.value.meta.aliases, read.value.meta.translation_key, read.value.meta.lang) if read.value else None
                for read in folder.pages.values()]
    return (named, variants, not meta or not meta.aliases or folder.meta.lines)


def _passed(moment: datetime | None, before: datetime, now: datetime) -> bool:
    return moment is not None and (before < moment <= now or now < moment <= before)


def _moments(world: World) -> Iterator[datetime | None]:
    for read in world.pages.values():
        if read.value is not None:
            yield read.value.meta.publish_at
            yield read.value.meta.unpublish_at
    for folder in world.folders.values():
        if folder.meta.value is not None:
            yield folder.meta.value.closes_at


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
        yield from _offer_faults(world, meta.cta, read.file, read.fault(("cta",), "", "", "").line)
    for key in ("image", "canonical"):
        if target := getattr(meta, key):
            line = read.fault((key,), "", "", "").line
            yield from _target_faults(world, page.file, target, line, image=key == "image")
    for link in page.body.links:
        yield from _target_faults(world, page.file, link.target, link.line, page=page)
    for image in page.body.images:
        yield from _target_faults(world, page.file, image.src, image.line, image=True)
    for part in page.body.parts:
        if isinstance(part, Slot):
            yield from _slot_faults(world, page, part)


def _slot_faults(world: World, page: Page, slot: Slot) -> Iterator[Fault]:
    options = slot.options
    own = page.file.split("/")[1] if page.file.startswith("offers/") else None
    offer = options.get("offer")
    if slot.kind in {"cta", "gate", "form", "cover"} and offer is not None and offer != own:
        yield from _offer_faults(world, offer, page.file, slot.line)
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


def _offer_faults(world: World, slug: str, file: str, line: int) -> Iterator[Fault]:
    folder = world.folders.get(slug)
    if folder is None:
        if f"/offers/{slug}/" not in world.aliases:
            yield Fault(file, line, "unknown-offer", f"There is no offer '{slug[:60]}'.", nearest(slug, world.folders))
    elif folder.meta.value and folder.meta.value.closes_at and folder.meta.value.closes_at <= world.at:
        yield Fault(file, line, "closed-offer",
                    f"The offer '{slug}' closed on {folder.meta.value.closes_at:%Y-%m-%d %H:%M}.",
                    "Name another one, or move its closes_at.")


def _target_faults(world: World, file: str, target: str, line: int, *, image: bool = False,
                   page: Page | None = None) -> Iterator[Fault]:
    """Where a link or an image leads, if it stays on our site."""
    if target.startswith(world.site.url + "/"):
        target = target.removeprefix(world.site.url)
    if not target or target.startswith("//") or _SCHEME.match(target) or "{{" in target:
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


def beside(file: str, name: str) -> str:
    """The address of a picture that lies beside the Markdown file which names it."""
    folder, _, _ = file.rpartition("/")
    if folder.startswith("offers/"):
        slug = folder.split("/")[1]
        return posixpath.normpath(f"/offers/{slug}/files/{name}")
    return posixpath.normpath(f"/{folder.removeprefix('content').strip('/')}/{name}")


def _nearest_path(path: str, world: World, image: bool) -> str:
    known = [other for other in world.paths() if not image or other.lower().endswith(IMAGES)]
    if len(known) > 500:  # comparing with all would take longer than reading them
        last = path.strip("/").rpartition("/")[2]
        known = [other for other in known if other.strip("/").rpartition("/")[2][:4] == last[:4]][:500]
    close = get_close_matches(path, known, n=1, cutoff=0.6)
    if close:
        return f"Did you mean {close[0]}?"
    return "Put the picture there, or mend its name." if image else "Mend the link, or write the page."


def _folder_faults(world: World, folder: Folder) -> Iterator[Fault]:
    for read in folder.pages.values():
        yield from page_faults(world, read)
    for letter in folder.letters:
        yield from _letter_faults(world, letter)
    if folder.asset is not None and folder.asset.book is not None:
        yield from _book_faults(world, folder.asset.book)
    meta = folder.meta.value
    if meta is None:
        return
    form = world.forms.get(meta.form)
    if form is None:
        yield folder.meta.fault(("form",), "unknown-form", f"There is no form '{meta.form}'.",
                                nearest(meta.form, world.forms) or f"Write forms/{meta.form}.yml.")
    elif form.value is not None:
        yield from form_faults(folder, form.value)
    if meta.topic is not None and world.lacks(meta.topic, world.site.topics):
        yield folder.meta.fault(("topic",), "unknown-topic", f"There is no topic '{meta.topic}'.",
                                nearest(meta.topic, world.site.topics) or f"Add it to topics in {SITE_FILE}.")
    if meta.next is not None:
        line = folder.meta.fault(("next",), "", "", "").line
        if meta.next == folder.slug:
            yield Fault(folder.file, line, "offer-follows-itself", "The offer is its own next offer.",
                        "Name another one, or delete `next`.")
        else:
            yield from _offer_faults(world, meta.next, folder.file, line)


def _book_faults(world: World, book: Book) -> Iterator[Fault]:
    """Where the chapters of a guide lead on our site; links within the book are judged where it is read."""
    for chapter in book.chapters:
        for link in chapter.body.links:
            if not link.target.startswith("#") and not link.target.partition("#")[0].endswith(".md"):
                yield from _target_faults(world, chapter.file, link.target, link.line)
        for part in chapter.body.parts:
            if isinstance(part, Slot) and part.kind == "cta":
                yield from _offer_faults(world, part.options["offer"], chapter.file, part.line)


def _letter_faults(world: World, letter: Letter) -> Iterator[Fault]:
    for target, line in letter.links:
        yield from _target_faults(world, letter.file, target, line)
    for target, line in letter.images:
        yield from _target_faults(world, letter.file, target, line, image=True)
    if letter.meta.topic is not None and world.lacks(letter.meta.topic, world.site.topics):
        line = next((number for number, text in enumerate(letter.whole.split("\n"), 1) if text.startswith("topic")), 0)
        yield Fault(letter.file, line, "unknown-topic", f"There is no topic '{letter.meta.topic}'.",
                    nearest(letter.meta.topic, world.site.topics) or f"Add it to topics in {SITE_FILE}.")
    elif not letter.is_delivery and not letter.topic and not letter.meta.before and world.reading.settled:
        yield Fault(letter.file, 0, "unknown-topic", "The letter belongs to no topic that people can leave.",
                    f"Add topics to {SITE_FILE}.")


def _site_faults(world: World) -> Iterator[Fault]:
    site, read = world.site, world.site_read
    if read.value is None:
        return
    for menu in ("navigation", "footer"):
        for place, link in enumerate(getattr(site, menu)):
            yield from _site_target(world, (menu, place, "to"), link.to)
    if world.folders or ("privacy",) in read.lines:
        yield from _site_target(world, ("privacy",), site.privacy)
    for key in ("logo", "logo_dark", "favicon"):
        yield from _site_target(world, ("theme", key), getattr(site.theme, key), image=True)
    yield from look_faults(world.tree, read)
    yield from _site_target(world, ("social_image",), site.social_image, image=True)
    for key, author in site.authors.items():
        yield from _site_target(world, ("authors", key, "image"), author.image, image=True)
        yield from _site_target(world, ("authors", key, "url"), author.url)


def _site_target(world: World, place: tuple[str | int, ...], target: str | None, *,
                 image: bool = False) -> Iterator[Fault]:
    if target:
        yield from _target_faults(world, SITE_FILE, target, world.site_read.fault(place, "", "", "").line, image=image)


def _address_faults(world: World) -> Iterator[tuple[str, Fault]]:
    """Two pages at one address or in one language, and aliases that cannot be followed."""
    for file, read in world.pages.items():
        if read.value and world.by_path[read.value.path].file != file:
            yield file, Fault(file, 0, "duplicate-address",
                              f"{world.by_path[read.value.path].file} already answers at {read.value.path}.",
                              "Rename or delete one of the two.")
    seen: dict[str, str] = {}
    for owner, alias, target, fault in all_aliases(world.pages.values(), world.folders.values()):
        if wrong := _alias_fault(world, alias, target, seen, fault):
            yield owner, wrong
        seen.setdefault(alias, target)
    controls = ((f"offers/{slug}", folder.pages[CONTROL]) for slug, folder in world.folders.items()
                if CONTROL in folder.pages)
    yield from translation_faults((*world.pages.items(), *controls), world.site.language)


def _alias_fault(world: World, alias: str, target: str, seen: dict[str, str], at: Fault) -> Fault | None:
    first = alias.strip("/").split("/")[0]
    there = world.by_path.get(alias)
    kind = ""
    if alias == target:
        kind, what = "alias-loop", f"The alias {alias} is the page's own address."
    elif there and there.value and target in map(alias_path, there.value.meta.aliases):
        kind, what = "alias-loop", f"The alias {alias} leads in a circle: that page has {target} as an alias."
    elif there or alias in world.assets or alias in world.made or (first == "offers" and world.knows(alias) and
                                                                   alias.split("/")[2] in world.folders):
        kind, what = "alias-hides-page", f"Something else already answers at {alias}."
    elif alias in seen:
        kind, what = "duplicate-alias", f"The alias {alias} leads to {seen[alias]} already."
    elif first in RESERVED - {"offers"}:
        kind, what = "reserved-address", f"The program itself answers at /{first}/."
    elif _SCHEME.match(alias.lstrip("/")) or "#" in alias or "?" in alias:
        kind, what = "bad-address", f"'{alias[:80]}' is no address of this site."
    return Fault(at.where, at.line, kind, what, "Delete the alias or choose another one.") if kind else None


def alias_path(alias: str) -> str:
    """An alias as an address: from the root, and with a slash at its end unless it names a file."""
    path = "/" + alias.strip("/")
    return path if "." in path.rpartition("/")[2] or path == "/" else f"{path}/"


def all_aliases(pages: Iterable[Read[Page]], folders: Iterable[Folder]) -> Iterator[tuple[str, str, str, Fault]]:
    """Every alias: the unit it belongs to, the old address, the present one, and where it is written."""
    for read in pages:
        for place, alias in enumerate(read.value.meta.aliases if read.value else ()):
            assert read.value is not None
            yield read.file, alias_path(alias), read.value.path, read.fault(("aliases", place), "", "", "")
    for folder in folders:
        meta, path = folder.meta, f"/offers/{folder.slug}/"
        for place, alias in enumerate(meta.value.aliases if meta.value else ()):
            old = alias if alias.startswith("/") else f"/offers/{alias}"
            yield f"offers/{folder.slug}", alias_path(old), path, meta.fault(("aliases", place), "", "", "")
        for variant in folder.pages.values():
            for place, alias in enumerate(variant.value.meta.aliases if variant.value else ()):
                yield (f"offers/{folder.slug}", alias_path(alias), path,
                       variant.fault(("aliases", place), "", "", ""))
