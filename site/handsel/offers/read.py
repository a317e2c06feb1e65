"""Reading ``offers/``: each folder is one funnel, and is whole or not there at all."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial

from handsel import merge
from handsel.content import parse
from handsel.content.files import printable
from handsel.content.library import Page, Read, Reading, read_page
from handsel.content.parse import Broken
from handsel.content.schema import SLUG
from handsel.content.validate import validate
from handsel.errors import Fault, Notice, nearest
from handsel.forms.library import CaptureForm
from handsel.offers import events, variants
from handsel.offers.assets import read_asset
from handsel.offers.letters import field_faults, read_letter, sequence
from handsel.offers.library import CONTROL, Asset, Letter, Offer
from handsel.offers.schema import WITH_FILE, OfferMeta

IMAGES = (".png", ".jpg", ".jpeg", ".gif", ".webp", ".avif", ".svg")
PLAIN_NAME = re.compile(r"(?:\w[\w.-]*/)*\w[\w.-]*")
"""How pages of an offer name a picture beside them."""
_LANDING = re.compile(r"landing(?:\.([^/]*))?\.md")


@dataclass(frozen=True)
class Folder:
    """What one offer's folder holds, read but not yet joined with its form.

    ``meta`` is None as long as ``offer.md`` cannot be understood. ``faults`` are all of the folder's own.
    """

    slug: str
    meta: Read[OfferMeta]
    brief: str = ""
    pages: dict[str, Read[Page]] = field(default_factory=dict)
    letters: tuple[Letter, ...] = ()
    asset: Asset | None = None
    topic: str = ""
    faults: tuple[Fault, ...] = ()
    notices: tuple[Notice, ...] = ()
    digests: Mapping[str, str] = field(default_factory=dict)
    """By variant what its page shows; see ``variants.digest``."""

    @property
    def file(self) -> str:
        """The path of ``offer.md``."""
        return self.meta.file

    def join(self, form: CaptureForm | None) -> Offer | None:
        """The offer, or None if a part that it cannot do without is missing."""
        meta, thanks = self.meta.value, self.pages.get("thanks")
        pages = {name: read.value for name, read in sorted(self.pages.items()) if read.value and name != "thanks"}
        if meta is None or form is None or thanks is None or thanks.value is None or CONTROL not in pages:
            return None
        return Offer(self.slug, meta, self.brief, pages, thanks.value, self.letters, self.asset, form, self.topic,
                     self._images(pages, thanks.value), former_slugs(meta), dict(self.digests))

    def _images(self, variants: dict[str, Page], thanks: Page) -> dict[str, str]:
        """The pictures that the offer's pages show: the only files of the folder that everyone may see."""
        shown: dict[str, str] = {}
        for page in (*variants.values(), thanks):
            for target in (*(image.src for image in page.body.images), page.meta.image or ""):
                name = target.removeprefix(f"/offers/{self.slug}/files/")
                if PLAIN_NAME.fullmatch(name) and name.lower().endswith(IMAGES) and (
                        self.asset is None or self.asset.path != f"offers/{self.slug}/{name}"):
                    shown[f"/offers/{self.slug}/files/{name}"] = f"offers/{self.slug}/{name}"
        return shown


def stray_faults(reading: Reading) -> Iterator[Fault]:
    """Files of ``offers/`` that lie in no offer's folder."""
    for file in reading.tree.of("offers"):
        if file.count("/") == 1 and not file.endswith("/README.md") and not file.startswith("offers/_"):
            yield Fault(file, 0, "unknown-file", "The file belongs to no offer.", "Move it into the folder of one.")


def former_slugs(meta: OfferMeta) -> tuple[str, ...]:
    """Slugs under which the offer was known before, from its aliases."""
    return tuple(match[1] for alias in meta.aliases if (match := re.fullmatch(r"(?:/offers/)?([a-z0-9-]+)/?", alias)))


def read_folders(reading: Reading) -> dict[str, Folder]:
    """Every folder of ``offers/`` by its slug; folders that begin with an underscore are passed over."""
    files: dict[str, list[str]] = {}
    for file in reading.tree.of("offers"):
        parts = file.split("/")
        if len(parts) > 2 and not parts[1].startswith("_"):
            files.setdefault(parts[1], []).append(file)
    return {slug: _kept_folder(reading, slug, own) for slug, own in files.items()}


def _kept_folder(reading: Reading, slug: str, files: list[str]) -> Folder:
    stamps = tuple((file, reading.tree.stamps[file]) for file in files)
    key = (reading.site.timezone, tuple(reading.site.topics), stamps)
    return reading.memo.get(f"offers/{slug}", key, lambda: _folder(reading, slug, files))


def _folder(reading: Reading, slug: str, files: list[str]) -> Folder:
    folder = f"offers/{slug}"
    meta, brief = _meta(reading, f"{folder}/offer.md")
    faults = [*_name_faults(slug, folder, files, meta.value.asset if meta.value else None), *meta.faults]
    offer = meta.value
    form = offer.form if offer else None
    pages = {name: reading.once(file, partial(_page, reading, slug, None if name == "thanks" else form), form)
             for name, file in _page_files(folder, files).items()}
    mails = [file for file in files if file.startswith(f"{folder}/emails/") and file.endswith(".md")
             and file.count("/") == 3 and not file.rsplit("/", 1)[1].startswith("_")]
    reads = [read_letter(reading, file, slug) for file in mails]
    topic = (offer and offer.topic) or next(iter(reading.site.topics), "")
    letters, wrong = sequence(reads, mails, topic, offer.event if offer else None)
    faults += [fault for page in pages.values() for fault in page.faults]
    faults += [fault for read in reads for fault in read.faults] + wrong
    asset: Read[Asset] | None = None
    if offer is not None:
        if offer.asset:
            asset = read_asset(reading, meta, folder, offer.asset)
            faults += asset.faults
        faults += _offer_faults(meta, offer, letters)
    bodies = {name: variants.body(reading.tree, page.file) for name, page in pages.items() if name != "thanks"}
    faults += variants.faults(meta, pages, bodies)
    digests = {name: variants.digest(reading.tree, page.value, bodies[name])
               for name, page in pages.items() if page.value and name in bodies}
    return Folder(slug, meta, brief, pages, tuple(letters), asset.value if asset else None, topic, tuple(faults),
                  tuple(variants.notices(meta, pages)), digests)


def _meta(reading: Reading, file: str) -> tuple[Read[OfferMeta], str]:
    if file not in reading.tree.stamps:
        fault = Fault(file, 0, "offer-without-offer-file", "The folder holds no offer.md.",
                      "Write it, or let the folder's name begin with _ to have it passed over.")
        return Read(file, None, (fault,)), ""
    try:
        parsed, faults = parse.markdown(file, reading.tree.read(file))
    except Broken as broken:
        return Read(file, None, (broken.fault,)), ""
    if parsed is None:
        return Read(file, None, tuple(faults)), ""
    meta, more = validate(OfferMeta, parsed, {"zone": reading.zone})
    return Read(file, meta, (*faults, *more), parsed.lines), parsed.body


def _page_files(folder: str, files: list[str]) -> dict[str, str]:
    """The landing pages by their variant and the thank-you page as ``thanks``."""
    found = {}
    for file in files:
        name = file.removeprefix(f"{folder}/")
        match = _LANDING.fullmatch(name)
        if name == "thanks.md":
            found["thanks"] = file
        elif name == "landing.md":
            found[CONTROL] = file
        elif match and match[1] and re.fullmatch(r"[b-f]", match[1]):
            found[match[1]] = file
    return found


def _page(reading: Reading, slug: str, form: str | None, file: str) -> Read[Page]:
    if file.endswith("/thanks.md"):
        return read_page(reading, file, f"/offers/{slug}/thanks/", "thanks", offer=slug)
    return read_page(reading, file, f"/offers/{slug}/", "landing", default_form=form, offer=slug)


def _name_faults(slug: str, folder: str, files: list[str], asset: str | None) -> Iterator[Fault]:
    if not SLUG.fullmatch(slug) or len(slug) > 60:
        yield Fault(printable(folder), 0, "bad-file-name", f"'{printable(slug)}' cannot be the name of an offer.",
                    "Rename it with small letters, digits and hyphens.")
    names = {file.removeprefix(f"{folder}/") for file in files}
    for name in sorted(names):
        match = _LANDING.fullmatch(name)
        if match and match[1] is not None and not re.fullmatch(r"[b-f]", match[1]):
            yield Fault(f"{folder}/{name}", 0, "bad-variant-name", "A challenger is named by one letter from b to f.",
                        "Rename it, such as landing.b.md.")
        elif "/" not in name and name.endswith(".md") and not match and not name.startswith("_") and (
                name not in {"offer.md", "thanks.md", "README.md", asset}):
            yield Fault(printable(f"{folder}/{name}"), 0, "unknown-file", "No part of an offer has this name.",
                        nearest(name, ["landing.md", "landing.b.md", "thanks.md", "offer.md"]))
    challengers = [name for name in names if (match := _LANDING.fullmatch(name)) and match[1]]
    if "landing.md" not in names:
        if challengers:
            yield Fault(f"{folder}/landing.md", 0, "variant-without-control",
                        "There are challengers, but no landing.md for them to be measured against.",
                        "Write landing.md, or rename one of them to it.")
        else:
            yield Fault(f"{folder}/landing.md", 0, "offer-without-landing-page", "The offer has no landing page.",
                        "Write landing.md beside offer.md.")
    if "thanks.md" not in names:
        yield Fault(f"{folder}/thanks.md", 0, "offer-without-thanks", "The offer has no thank-you page.",
                    "Write thanks.md beside offer.md: what happens now.")


def _offer_faults(read: Read[OfferMeta], meta: OfferMeta, letters: list[Letter]) -> Iterator[Fault]:
    if meta.kind in WITH_FILE and meta.asset is None and meta.delivery != "none":
        yield read.fault(("kind",), "offer-without-asset", f"The {meta.kind} has no file to give.",
                         "Put the file beside offer.md and add `asset: <its name>`.")
    yield from events.faults(read, meta)
    if meta.opens_at and meta.closes_at and meta.closes_at <= meta.opens_at:
        yield read.fault(("closes_at",), "ends-before-it-begins", "The offer closes before it opens.",
                         "Set closes_at to a time after opens_at.")
    delivery = next((letter for letter in letters if letter.is_delivery), None)
    if delivery is None and meta.delivery in {"email", "both"} and meta.kind != "newsletter":
        yield read.fault(("delivery",), "missing-delivery-letter", "No letter brings what people ask for.",
                         "Write emails/00-delivery.md.")
    if delivery is not None and "get_url" not in delivery.fields_used:
        yield Fault(delivery.file, 0, "delivery-without-link", "The delivery has no link to what people asked for.",
                    "Add a line [Get it]({{ get_url }}){.button}.")


def form_faults(folder: Folder, form: CaptureForm) -> Iterator[Fault]:
    """What is wrong between an offer and its form."""
    fields = merge.KNOWN | (merge.CODES if folder.asset and folder.asset.codes else {})
    fields |= merge.EVENT if folder.meta.value and folder.meta.value.event else {}
    for letter in folder.letters:
        yield from field_faults(letter, form, fields)
    asked = {consent.purpose for consent in form.consents}
    meta = folder.meta
    for consent in form.consents:
        if consent.by == "button" and meta.value and meta.value.kind != "newsletter":
            yield meta.fault(("form",), "consent-by-button",
                             f"In the form '{form.name}' the button gives the consent '{consent.purpose}', "
                             f"but people press it for the {meta.value.kind}.",
                             "Use another form, or let that consent have its own box: `by: box`.")
    wanted = {letter.topic: letter.step for letter in reversed(folder.letters) if not letter.is_delivery}
    if meta.value and meta.value.kind == "newsletter":
        wanted.setdefault(folder.topic, "the newsletter")
    for topic, what in wanted.items():
        if topic and topic not in asked:
            yield meta.fault(("form",), "offer-without-consent",
                             f"The form '{form.name}' does not ask for the consent '{topic}' that {what} needs.",
                             f"Add {{purpose: {topic}, wording: wording/{topic}.md}} to its consents.")
