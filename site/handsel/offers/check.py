"""What is wrong between files: links that lead nowhere, names that nobody has, addresses that two pages claim."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from handsel.content.library import SITE_FILE, Page, Read
from handsel.content.rendered import Slot
from handsel.errors import Fault, nearest
from handsel.offers.aliases import address_faults
from handsel.offers.asked import asked_faults
from handsel.offers.book import Book
from handsel.offers.library import Letter
from handsel.offers.links import anchors, offer_faults, page_faults, target_faults
from handsel.offers.look import look_faults
from handsel.offers.read import Folder, form_faults
from handsel.offers.world import World
from handsel.rules.catalogue import Vocabulary
from handsel.rules.segments import FILE as SEGMENTS


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
    others |= {form.file: tuple(asked_faults(form, world.rules["fields"].value)) for form in world.forms.values()}
    others |= {mail.file: tuple(_letter_faults(world, mail.value)) for mail in world.mails.values() if mail.value}
    addresses = before.addresses if before is not None and alike else tuple(address_faults(world))
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
            yield from offer_faults(world, meta.next, folder.file, line)


def _book_faults(world: World, book: Book) -> Iterator[Fault]:
    """Where the chapters of a guide lead on our site; links within the book are judged where it is read."""
    for chapter in book.chapters:
        for link in chapter.body.links:
            if not link.target.startswith("#") and not link.target.partition("#")[0].endswith(".md"):
                yield from target_faults(world, chapter.file, link.target, link.line)
        for part in chapter.body.parts:
            if isinstance(part, Slot) and part.kind == "cta":
                yield from offer_faults(world, part.options["offer"], chapter.file, part.line)


def _letter_faults(world: World, letter: Letter) -> Iterator[Fault]:
    for target, line in letter.links:
        yield from target_faults(world, letter.file, target, line)
    for target, line in letter.images:
        yield from target_faults(world, letter.file, target, line, image=True)
    if letter.meta.topic is not None and world.lacks(letter.meta.topic, world.site.topics):
        line = next((number for number, text in enumerate(letter.whole.split("\n"), 1) if text.startswith("topic")), 0)
        yield Fault(letter.file, line, "unknown-topic", f"There is no topic '{letter.meta.topic}'.",
                    nearest(letter.meta.topic, world.site.topics) or f"Add it to topics in {SITE_FILE}.")
    elif not letter.is_delivery and not letter.topic and not letter.meta.before and world.reading.settled:
        yield Fault(letter.file, 0, "unknown-topic", "The letter belongs to no topic that people can leave.",
                    f"Add topics to {SITE_FILE}.")
    words: Vocabulary = world.rules["words"].value or Vocabulary()
    known = [name for name, _ in words.segments]
    for name in sorted(letter.meta.segments - set(known)):
        line = next((number for number, text in enumerate(letter.whole.split("\n"), 1)
                     if text.startswith(("only_if", "unless")) and name in text), 0)
        yield Fault(letter.file, line, "unknown-segment", f"There is no segment '{name}'.",
                    nearest(name, known) or f"Write it into {SEGMENTS}.")


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
        yield from target_faults(world, SITE_FILE, target, world.site_read.fault(place, "", "", "").line, image=image)
