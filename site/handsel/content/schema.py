"""What may stand in ``content/_site.yml`` and in a page's front matter."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Annotated, ClassVar, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

from handsel.content.values import (
    Hex,
    Instant,
    Language,
    Line,
    Mailbox,
    Sender,
    Sentence,
    SiteUrl,
    Slug,
    Target,
    fault,
)
from handsel.errors import nearest

SLUG = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
"""How offers, forms and pages are named."""

Key = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_-]*$", max_length=40)]
Tag = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_-]*$", max_length=60)]


class Part(BaseModel):
    """A frozen value read from a file; a key that it does not know is a fault."""

    # Validators are built at the first file that is read: most processes take up what another has read. Threads may
    # both be the first since pydantic 2.14.
    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=False, protected_namespaces=(),
                              defer_build=True)

    missing: ClassVar[dict[str, tuple[str, str, str]]] = {}
    """For a required key: the kind of fault when it is missing, what to say, and what to do."""
    kinds: ClassVar[dict[str, str]] = {}
    """For a key: the kind of fault when its value is none that it can have."""


class MenuLink(Part):
    """One entry of a menu."""

    label: Line
    to: Target


class Controller(Part):
    """Who answers for the data: named below each form and in each letter."""

    name: Line
    address: Sentence
    email: Mailbox


class MailSettings(Part):
    """Whom our letters come from."""

    from_: Sender = Field(alias="from")
    reply_to: Mailbox | None = None


class Author(Part):
    """A person who writes pages."""

    name: Line
    role: Line | None = None
    bio: Sentence | None = None
    image: Target | None = None
    url: Target | None = None


FONTS = ("old-style", "sans", "rounded", "slab")
"""The kinds of letters that every computer has."""
THEME_FOLDER = "content/_theme"
_FONT_FILE = re.compile(r"[A-Za-z0-9]+([._-][A-Za-z0-9]+)*\.woff2")
_ICON = re.compile(r"\S+\.(svg|png|ico)")


def _headings(value: str) -> str:
    if value in FONTS or _FONT_FILE.fullmatch(value):
        return value
    raise fault("unknown-choice", f"'{value[:60]}' is neither a kind of letters nor the name of a .woff2 file.",
                nearest(value, FONTS) + f" Or put a font into {THEME_FOLDER}/ and write the name of its file.")


def _icon(value: str) -> str:
    if _ICON.fullmatch(value):
        return value
    raise fault("bad-icon", f"'{value[:60]}' is no icon that browsers show.",
                "Use an SVG, or a square PNG of 48 pixels or more.")


class Theme(Part):
    """What the look takes from the marketer; see the manual's page on writing pages.

    ``headings`` is one of FONTS or the name of a font file in THEME_FOLDER.
    """

    kinds: ClassVar[dict[str, str]] = {"brand": "bad-colour", "mark": "bad-colour"}

    brand: Hex = "#046246"
    mark: Hex = "#fad371"
    paper: Literal["warm", "white", "cool"] = "warm"
    scheme: Literal["auto", "light", "dark"] = "auto"
    headings: Annotated[str, AfterValidator(_headings)] = "old-style"
    text: Literal["old-style", "sans", "rounded", "slab"] = "sans"
    radius: Literal["none", "small", "medium", "large"] = "medium"
    density: Literal["compact", "normal", "airy"] = "normal"
    logo: Target | None = None
    logo_dark: Target | None = None
    favicon: Annotated[Target, AfterValidator(_icon)] | None = None
    pattern: Literal["waves", "rings", "grid", "none"] = "waves"

    @property
    def font_file(self) -> str | None:
        """The path of the uploaded font, from the project's root."""
        return None if self.headings in FONTS else f"{THEME_FOLDER}/{self.headings}"


Currency = Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")]


class SiteSettings(Part):
    """``content/_site.yml``: who we are, how we look, whom people can hear from."""

    name: Line
    url: SiteUrl = "http://127.0.0.1:8000"
    tagline: Sentence = ""
    description: Sentence = ""
    language: Language = "en"
    direction: Literal["ltr", "rtl"] = "ltr"
    timezone: str = "UTC"
    currency: Currency = "EUR"
    controller: Controller | None = None
    mail: MailSettings | None = None
    privacy: Target = "/privacy/"
    keep_years: int = Field(default=2, ge=1, le=30)
    recognition_days: int = Field(default=180, ge=1, le=390)
    navigation: tuple[MenuLink, ...] = ()
    footer: tuple[MenuLink, ...] = ()
    topics: dict[Key, Line] = Field(default_factory=dict)
    authors: dict[Key, Author] = Field(default_factory=dict)
    theme: Theme = Theme()
    social_image: Target | None = None


Layout = Literal["page", "post", "home", "guide", "landing", "thanks"]


class PageMeta(Part):
    """A page's front matter. Times carry the site's timezone when the file names none."""

    missing: ClassVar[dict[str, tuple[str, str, str]]] = {
        "title": ("page-without-title", "The page has no title.", "Add `title: …` to its front matter."),
    }

    title: Line
    description: Sentence | None = None
    date: Instant | None = None
    updated: Instant | None = None
    author: str | None = None
    tags: tuple[Tag, ...] = ()
    image: Target | None = None
    image_alt: Sentence | None = None
    cta: Slug | None = None
    publish_at: Instant | None = None
    unpublish_at: Instant | None = None
    draft: bool = False
    aliases: tuple[Target, ...] = ()
    noindex: bool = False
    layout: Layout | None = None
    lang: Language | None = None
    translation_key: Slug | None = None
    dir: Literal["ltr", "rtl"] | None = None
    seo_title: Line | None = None
    canonical: Target | None = None
    robots: Line | None = None
    og_title: Line | None = None
    og_description: Sentence | None = None
    schema_: Line | None = Field(default=None, alias="schema")
    weight: int | None = None
    nav_title: Line | None = None
    label: Line | None = None

    def is_live(self, at: datetime) -> bool:
        """Whether visitors may see the page at that instant."""
        begun = self.publish_at is None or self.publish_at <= at
        ended = self.unpublish_at is not None and self.unpublish_at <= at
        return not self.draft and begun and not ended
