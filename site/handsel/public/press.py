"""Drawing one sheet: body, slots, head and frame become the HTML of a page, with a token for each form at its very end.

The same drawing serves the page table, which cuts it at the tokens, and Flask, which sends it whole.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

from jinja2 import Environment
from markupsafe import Markup

from handsel.content.rendered import Slot
from handsel.forms.asking import for_known
from handsel.offers import events
from handsel.public import cover as covers
from handsel.public import frame as frames
from handsel.public import sheets
from handsel.public.files import Files
from handsel.public.heads import head_of
from handsel.public.sheets import Sheet

if TYPE_CHECKING:
    from handsel.content.library import Page
    from handsel.forms.library import CaptureForm
    from handsel.offers.library import Offer
    from handsel.offers.project import Project

WIDE = {"home", "landing"}  # layouts made of full-width bands
TEMPLATES = {
    "landing": "landing",
    "home": "landing",
    "thanks": "page",
    "page": "page",
    "post": "post",
    "guide": "guide",
    "archive": "archive",
    "subjects": "subjects",
}


# Code and tags as they are; and words such as e-mail, which browsers would break behind their one letter.
_WORDS = re.compile(r"(<(code|pre|svg)\b.*?</\2>|<[^>]*>)|(?<![\w@./-])([A-Za-z]-[a-z]+)(?![\w@/])", re.S)


def whole(html: str) -> str:
    """``html`` with words such as e-mail kept on one line."""
    return _WORDS.sub(lambda found: found[1] or f'<span class="whole">{found[3]}</span>', html)


class Hole(NamedTuple):
    """What a form token must say that is known before anyone asks for the page."""

    offer: str
    form: str
    variant: str


@dataclass(frozen=True)
class Bound:
    """A form that came back with mistakes: its name, the WTForms object, and what is wrong by field."""

    name: str
    form: Any
    errors: dict[str, list[str]] | None = None


@dataclass(frozen=True)
class Drawn:
    """A page as text, the hash of its style, and the holes whose tokens stand in it, in their order."""

    html: str
    style_hash: str
    holes: tuple[Hole, ...]
    noindex: bool


@dataclass(frozen=True)
class Press:
    """All that drawing needs and that is the same for every page of one project at one instant."""

    environment: Environment
    project: Project
    base: str
    """The site's address without the last slash."""
    files: Files
    at: datetime

    @cached_property
    def translations(self) -> dict[str, dict[str, str]]:
        """By translation key the languages that a page can be read in, each with the page's address."""
        return sheets.translations(self.project, self.at)

    def draw(self, sheet: Sheet, variant: str, token: Callable[[Hole], str], bound: Bound | None = None,
             answered: frozenset[str] = frozenset()) -> Drawn:
        """The page of ``sheet``; ``token`` gives what stands in each hole. ``answered`` are the names of the questions
        that its reader has answered, if we know them."""
        page = sheet.offer.variants[variant] if sheet.offer else sheet.page
        drawing = Drawing(self, sheet, page, variant, token, bound, answered)
        return drawing.drawn()

    def body(self, page: Page, offer: Offer | None = None) -> tuple[Markup, frozenset[str]]:
        """The body of ``page`` alone with the parts of the style it needs, for a template that sets more around it.

        Forms in it have no token of their own; what calls this draws its forms by itself.
        """
        drawing = Drawing(self, Sheet(page.path, "page", page, offer), page, "", lambda _: "", None)
        return drawing.body(), frozenset(drawing.parts)


@dataclass
class Drawing:
    """One page on its way: counts its forms and pictures, and remembers which parts of the style it uses."""

    press: Press
    sheet: Sheet
    page: Page | None
    variant: str
    token: Callable[[Hole], str]
    bound: Bound | None
    answered: frozenset[str] = frozenset()
    parts: set[str] = field(default_factory=set)
    tokens: list[tuple[str, str]] = field(default_factory=list)
    holes: list[Hole] = field(default_factory=list)
    pictures: int = 0
    in_hero: bool = False

    @property
    def project(self) -> Project:
        return self.press.project

    @cached_property
    def macros(self) -> Any:
        return self.press.environment.get_template("public/_slots.html").module

    @cached_property
    def form_ids(self) -> dict[str, str]:
        """Offers that have a form on this page, with the id of the first."""
        found: dict[str, str] = {}
        slots = [part for part in self.page.body.parts if isinstance(part, Slot)] if self.page else []
        forms = [slot for slot in slots if slot.kind in {"form", "gate"}]
        for number, slot in enumerate(forms, 1):
            offer = self.offer_of(slot)
            if offer is not None:
                found.setdefault(offer.slug, _form_id(number))
        if not forms and self.sheet.offer and self.sheet.layout == "landing":
            found[self.sheet.offer.slug] = _form_id(1)
        return found

    def drawn(self) -> Drawn:
        body = self.body() if self.page else Markup("")
        if self.sheet.offer and self.sheet.layout == "landing" and not self.holes and self.open(self.sheet.offer):
            body += Markup('</section><section class="band">') + self.form(self.sheet.offer, self.sheet.offer.form, "")
        head = head_of(self.press, self.sheet, self.page)
        extra = _EXTRAS.get(self.sheet.layout, _nothing)(self)
        site = self.project.site
        self.parts |= {self.sheet.layout} | ({"mistakes"} if self.bound else set())
        frame = frames.frame(site, self.sheet.layout, self.parts, self.press.files)
        values = {
            "frame": frame,
            "head": head,
            "sheet": self.sheet,
            "page": self.page,
            "body": body,
            "path": self.sheet.path,
            "tokens": self.tokens,
            "wrong": self.bound is not None,
            "project": self.project,
            **extra,
        }
        if self.page is not None:
            values |= {"lang": self.page.meta.lang or site.language, "dir": self.page.meta.dir or site.direction}
        template = self.press.environment.get_template(f"public/{TEMPLATES[self.sheet.layout]}.html")
        html, style = frame.fitted(template.render(values))
        return Drawn(html, style.hash, tuple(self.holes), head.noindex)

    def body(self) -> Markup:
        """The page's parts with every slot filled."""
        assert self.page is not None
        self.parts |= set(self.page.body.blocks)
        self.in_hero = "hero" in self.page.body.blocks
        pieces = [
            Markup(whole(part)) if isinstance(part, str) else self.fill(part)  # noqa: S704
            for part in self.page.body.parts
        ]
        body = Markup("").join(pieces)
        if self.sheet.layout in WIDE:
            body = (
                Markup('<section class="band{}">').format(" opening" if "hero" in self.page.body.blocks else "")
                + body
                + Markup("</section>")
            )
        return body

    def fill(self, slot: Slot) -> Markup:
        """The trusted HTML of one slot."""
        fill: Callable[[Slot], Markup] = getattr(self, f"fill_{slot.kind}")
        return fill(slot)

    def fill_break(self, slot: Slot) -> Markup:
        self.in_hero = False
        if self.sheet.layout not in WIDE:
            return Markup("")
        name = slot.options.get("name", "")
        return Markup('</section><section class="band{}">').format(f" band--{name}" if name else "")

    def fill_form(self, slot: Slot) -> Markup:
        offer = self.offer_of(slot)
        spec = self.project.forms.get(slot.options.get("form", "")) or (offer.form if offer else None)
        if offer is None or spec is None:
            return Markup("")  # the check names it; the page goes on without
        return self.form(offer, spec, slot.options.get("button", ""))

    def fill_gate(self, slot: Slot) -> Markup:
        offer = self.offer_of(slot)
        return self.form(offer, offer.form, "") if offer else Markup("")

    def form(self, offer: Offer, spec: CaptureForm, button: str) -> Markup:
        """One form with its own id; its token comes at the end of the page: all before it is the same for everyone."""
        self.parts.add("form")
        if not self.open(offer):
            event = offer.meta.event
            over = event is not None and event.ends_at <= self.press.at
            return self.call("closed", offer, events.day(event, self.project.site.timezone) if event and over else "")
        ident = _form_id(len(self.tokens) + 1)
        hole = Hole(offer.slug, spec.name, self.variant)
        if hole not in self.holes:
            self.holes.append(hole)
        self.tokens.append((ident, self.token(hole)))
        bound = self.bound if self.bound and self.bound.name == spec.name else None
        if bound:
            self.bound = Bound("", bound.form)  # only the first form of that name shows the mistakes
        shown = bound.form.spec if bound else for_known(spec, self.answered)
        return self.call("form", offer, shown, ident, button, self.project.site, bound)

    def fill_cta(self, slot: Slot) -> Markup:
        offer = self.project.offers.get(slot.options["offer"])
        target = (
            f"#{self.form_ids[offer.slug]}"
            if offer and offer.slug in self.form_ids
            else f"/offers/{slot.options['offer']}/"
        )
        return self.call("cta", slot.options, target)

    def fill_cover(self, slot: Slot) -> Markup:
        offer = self.offer_of(slot)
        return self.cover(offer, slot.options) if offer or slot.options.get("title") else Markup("")

    def cover(self, offer: Offer | None, given: dict[str, Any]) -> Markup:
        """The drawn cover of ``offer`` in the words of the block, of ``cover:``, or of the title alone."""
        self.parts.add("cover")
        title, subtitle, author = covers.words(offer, given)
        return self.call("cover", covers.draw(title, subtitle, author, self.project.site.theme.pattern))

    def fill_author(self, slot: Slot) -> Markup:
        author = self.project.site.authors.get(slot.options["key"])
        if author is None:
            return Markup("")
        picture = self.picture({"src": author.image, "alt": "", "look": "round"}) if author.image else Markup("")
        return self.call("author", author, picture)

    def fill_image(self, slot: Slot) -> Markup:
        return self.picture(slot.options)

    def picture(self, given: dict[str, Any]) -> Markup:
        """An ``img`` with its size; the first one of a hero is fetched at once, all others when they come near."""
        address = self.address(given["src"])
        size = self.press.files.size(address)
        width, height = given.get("width"), given.get("height")
        if size and not (width and height):
            width, height = _scaled(size, width, height)
        first = self.in_hero and self.pictures == 0
        self.pictures += 1
        return self.call(
            "image", {**given, "src": self.press.files.url(address), "width": width, "height": height}, first
        )

    def fill_video(self, slot: Slot) -> Markup:
        self.parts.add("video")
        options = dict(slot.options)
        for name in ("src", "poster", "captions"):
            if options.get(name):
                options[name] = self.press.files.url(self.address(options[name]))
        size = self.press.files.size(self.address(slot.options["poster"])) if slot.options.get("poster") else None
        return self.call("video", options, size, self.project.site.language)

    def address(self, src: str) -> str:
        """``src`` as an address of the site: relative ones begin beside the file that names them."""
        if re.match(r"/|[a-z][a-z0-9+.-]*:", src) or self.page is None:
            return src
        if self.page.file.startswith("offers/"):
            return f"/offers/{self.page.file.split('/')[1]}/files/{src}"
        folder = posixpath.dirname(self.page.file.removeprefix("content"))
        return posixpath.normpath(posixpath.join(folder or "/", src))

    def offer_of(self, slot: Slot) -> Offer | None:
        """The offer a slot means: the one it names, the page's, or the first open one with its form."""
        named = slot.options.get("offer")
        if named:
            return self.project.offers.get(named)
        if self.sheet.offer:
            return self.sheet.offer
        form = slot.options.get("form")
        return next(
            (offer for offer in self.project.offers.values() if offer.form.name == form and self.open(offer)), None
        )

    def open(self, offer: Offer) -> bool:
        return offer.is_open(self.press.at)

    def call(self, macro: str, *values: Any) -> Markup:
        return Markup(getattr(self.macros, macro)(*values))  # noqa: S704  our own template, escaped there


def _form_id(number: int) -> str:
    return "get" if number == 1 else f"get-{number}"


def _scaled(size: tuple[int, int], width: Any, height: Any) -> tuple[int, int]:
    """Both sides of a picture of which the author gave one or none."""
    if width:
        return int(width), round(int(width) * size[1] / size[0])
    if height:
        return round(int(height) * size[0] / size[1]), int(height)
    return size


def _nothing(drawing: Drawing) -> dict[str, Any]:
    return {}


def _post(drawing: Drawing) -> dict[str, Any]:
    page = drawing.page
    assert page is not None
    author = drawing.project.site.authors.get(page.meta.author or "")
    values: dict[str, Any] = {"author": author, "date": sheets.published(page) if page.meta.date else None}
    if author and author.image:
        values["author_picture"] = drawing.picture({"src": author.image, "alt": "", "look": "round"})
    drawing.parts |= {"tags"} if page.meta.tags else set()
    if page.meta.image:
        values["picture"] = drawing.picture({"src": page.meta.image, "alt": page.meta.image_alt or ""})
    offer = drawing.project.offers.get(page.meta.cta or "")
    if offer and drawing.open(offer):
        drawing.parts |= {"cta", "offer"}
        values |= {"offer": offer, "offer_cover": drawing.cover(offer, {})}
    return values


def _guide(drawing: Drawing) -> dict[str, Any]:
    assert drawing.page is not None
    chapters = sheets.manual(drawing.project, drawing.page, drawing.press.at)
    at = next((n for n, each in enumerate(chapters) if each.path == drawing.page.path), 0)
    return {
        "chapters": chapters,
        "before": chapters[at - 1] if at else None,
        "after": chapters[at + 1] if at + 1 < len(chapters) else None,
    }


def _archive(drawing: Drawing) -> dict[str, Any]:
    sheet = drawing.sheet
    drawing.parts.add("tags")
    every = sheets.posts(drawing.project, drawing.press.at)
    cards = [
        {
            "page": post,
            "author": drawing.project.site.authors.get(post.meta.author or ""),
            "date": sheets.published(post) if post.meta.date else None,
        }
        for post in sheet.posts
    ]
    pages: Iterable[tuple[int, str]] = ((n, sheets.archive_path(sheet.tag, n)) for n in range(1, sheet.last + 1))
    return {"cards": cards, "tags": sheets.tags(every), "pages": list(pages)}


def _subjects(drawing: Drawing) -> dict[str, Any]:
    drawing.parts.add("tags")
    return {"tags": sheets.tags(sheets.posts(drawing.project, drawing.press.at))}


_EXTRAS: dict[str, Callable[[Drawing], dict[str, Any]]] = {
    "post": _post,
    "guide": _guide,
    "archive": _archive,
    "subjects": _subjects,
}
