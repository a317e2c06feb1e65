"""The sheet that every mail is printed on: the HTML layout with its styles inlined, and the same as plain text."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from html import escape
from pathlib import Path
from typing import Literal

import css_inline
from jinja2 import Environment, FileSystemLoader
from markupsafe import Markup

from handsel.merge import Merge, Text

SERIF = "'Iowan Old Style', 'Palatino Linotype', Palatino, P052, Georgia, serif"
SANS = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Noto Sans', Ubuntu, 'Helvetica Neue', Arial, sans-serif"
FONTS = {"old-style": SERIF, "sans": SANS, "rounded": f"ui-rounded, 'Hiragino Maru Gothic ProN', {SANS}",
         "slab": f"Rockwell, 'Rockwell Nova', 'Roboto Slab', {SERIF}"}
_BUTTON = re.compile(r'<p>\s*(<a\b(?=[^>]*\bclass="[^"]*\bbutton\b)[^>]*>.*?</a>)\s*</p>', re.DOTALL)
_CLASS = re.compile(r'\s+class="[^"]*"')
_TABLE = re.compile(r"<table(?![^>]*role=)")
_BLANK = re.compile(r"\n\s*\n+")


@dataclass(frozen=True)
class Colours:
    """The colours of one scheme, as ``#rrggbb``."""

    ground: str
    paper: str
    line: str
    ink: str
    muted: str
    mark: str
    brand: str
    on_brand: str


LIGHT = Colours("#f3f0e9", "#ffffff", "#d9d6cd", "#1b222e", "#545b67", "#fad371", "#046246", "#f9fdfb")
DARK = Colours("#0b0e14", "#191e27", "#333841", "#efede7", "#a7adb6", "#624902", "#64d7aa", "#071a13")


@dataclass(frozen=True)
class House:
    """Who writes: what every mail of a site has in common.

    ``postal`` is the address that the law wants in a letter; ``sender`` and ``reply_to`` are bare addresses.
    """

    name: str
    url: str
    sender_name: str
    sender: str
    reply_to: str = ""
    postal: str = ""
    privacy_url: str = ""
    language: str = "en"
    direction: Literal["ltr", "rtl"] = "ltr"
    headings: str = "old-style"
    text: str = "sans"
    light: Colours = LIGHT
    dark: Colours = DARK

    @property
    def domain(self) -> str:
        """The domain we write from; it also names us to mail servers."""
        return self.sender.rpartition("@")[2] or "localhost"

    @property
    def heading_font(self) -> Markup:
        """The fonts of headings as CSS writes them; our own words, not the marketer's."""
        return Markup(FONTS.get(self.headings, SERIF))  # noqa: S704

    @property
    def text_font(self) -> Markup:
        """The fonts of running text."""
        return Markup(FONTS.get(self.text, SANS))  # noqa: S704


@dataclass(frozen=True)
class Links:
    """A line of links in a footer: words and address of each."""

    links: tuple[tuple[str, str | Merge], ...]


class Places:
    """Harmless words for merge fields, while a text goes through the layout and the style inliner."""

    def __init__(self) -> None:
        self.found: list[Merge] = []

    def hide(self, text: Text) -> str:
        """``text`` as one string, a word for each field."""
        return "".join(self._word(part) if isinstance(part, Merge) else _PLACE.sub("", part) for part in text)

    def _word(self, merge: Merge) -> str:
        self.found.append(merge)
        return f"qz{len(self.found) - 1}fieldzq"

    def show(self, words: str) -> Text:
        """The text behind ``words``."""
        parts: list[str | Merge] = []
        for place, part in enumerate(_PLACE.split(words)):
            if place % 2:
                parts.append(self.found[int(part)])
            elif part:
                parts.append(part)
        return tuple(parts)


_PLACE = re.compile(r"qz(\d+)fieldzq")


def html_part(house: House, title: str, preheader: Text, body: Text, footer: tuple[str | Links, ...]) -> Text:
    """The whole HTML document around ``body`` (trusted HTML), its styles inlined, merge fields in their places."""
    places = Places()
    shown = _BUTTON.sub(_button, places.hide(body))
    shown = _TABLE.sub('<table class="grid"', shown) if "<table>" in shown else shown
    page = _templates().get_template("email/letter.html").render(
        house=house, title=title, light=house.light, dark=house.dark, body=Markup(shown),  # noqa: S704  sanitised where it was made
        preheader=places.hide(preheader),
        footer=[_footer_html(places, line) for line in footer])
    return places.show(_BLANK.sub("\n", _inliner().inline(page)))


def text_part(text: Text, footer: tuple[str | Links, ...]) -> Text:
    """The letter as plain text, with its footer; the preheader only repeats what the text says."""
    places = Places()
    lines = []
    for line in footer:
        if isinstance(line, Links):
            lines += [f"{words}: {places.hide((target,))}" for words, target in line.links]
        else:
            lines.append(line)
    return places.show(places.hide(text).strip("\n") + "\n\n" + "-" * 40 + "\n\n" + "\n".join(lines) + "\n")


def _footer_html(places: Places, line: str | Links) -> Markup:
    if isinstance(line, str):
        return Markup(escape(line))  # noqa: S704  escaped on the spot
    links = (f'<a href="{escape(places.hide((target,)))}">{escape(words)}</a>' for words, target in line.links)
    return Markup(" &#160;·&#160; ".join(links))  # noqa: S704  escaped on the spot


def _button(match: re.Match[str]) -> str:
    link = _CLASS.sub("", match[1])
    return (f'<table role="presentation" class="button" cellpadding="0" cellspacing="0" border="0"><tr><td>{link}</td>'
            "</tr></table>")


@lru_cache(maxsize=1)
def _templates() -> Environment:
    folder = Path(__file__).parent.parent / "templates"
    return Environment(loader=FileSystemLoader(folder), autoescape=True, trim_blocks=True)


@lru_cache(maxsize=1)
def _inliner() -> css_inline.CSSInliner:
    return css_inline.CSSInliner(keep_at_rules=True, load_remote_stylesheets=False)
