"""What surrounds every public page: logo, menus, the head's fixed lines, and the style with its hash for the policy."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from markupsafe import Markup, escape

from handsel.content import theme as look
from handsel.content.schema import MenuLink, SiteSettings, Theme
from handsel.public.files import Files
from handsel.public.styles import Font, names_in, stylesheet


@dataclass(frozen=True)
class Style:
    """The CSS of one page and the hash that lets it pass the content security policy."""

    css: Markup
    hash: str


@dataclass(frozen=True)
class Frame:
    """The frame of one page, for ``templates/public/base.html``."""

    site: SiteSettings
    parts: frozenset[str]
    style: Style
    logo: Markup
    head: Markup
    font: Font | None
    navigation: tuple[MenuLink, ...]
    footer: tuple[MenuLink, ...]

    def fitted(self, html: str) -> tuple[str, Style]:
        """``html``, drawn with this frame, with no more style than it asks for; and that style."""
        fit = style(self.site.theme, self.parts, names_in(html), self.font)
        return html.replace(f"<style>{self.style.css}</style>", f"<style>{fit.css}</style>", 1), fit

    @property
    def css(self) -> Markup:
        return self.style.css

    @staticmethod
    def is_current(target: str, path: str) -> bool:
        """Whether the menu entry ``target`` is the page at ``path`` or the folder it lies in."""
        return target == path or (target != "/" and target.endswith("/") and path.startswith(target))


@lru_cache(maxsize=256)
def style(
    theme: Theme, parts: frozenset[str], names: frozenset[str] | None = None, font: Font | None = None
) -> Style:
    """The style of a page that uses ``parts``, for the elements and classes ``names`` alone if they are known."""
    css = stylesheet(theme, parts, names, font)
    digest = base64.b64encode(hashlib.sha256(css.encode()).digest()).decode()
    return Style(Markup(css), f"'sha256-{digest}'")  # noqa: S704  our own files and colours checked by the schema


BOOKMARK = Markup(
    '<svg class="sign" viewBox="0 0 24 24" width="24" height="24" aria-hidden="true">'
    '<rect width="24" height="24" rx="5"/><path d="M8 5h8v13l-4-3-4 3z"/></svg>'
)


def frame(site: SiteSettings, layout: str, parts: Iterable[str], files: Files) -> Frame:
    """The frame of a page in ``layout``; landing and thank-you pages have no menu, so that nothing leads away."""
    bare = layout in {"landing", "thanks"}
    legal = tuple(link for link in site.footer if not bare or link.to == site.privacy)
    wanted, font = frozenset(parts), _font(site.theme, files)
    return Frame(
        site,
        wanted,
        style(site.theme, wanted, None, font),
        _logo(site, files),
        _head(site, files, font),
        font,
        () if bare else site.navigation,
        legal,
    )


def _font(theme: Theme, files: Files) -> Font | None:
    """The uploaded font of headings; None when there is none, or none that can be used."""
    if not theme.font_file:
        return None
    address = theme.font_file.removeprefix("content")
    face = files.face(address)
    return Font(files.url(address), face) if face else None


def _logo(site: SiteSettings, files: Files) -> Markup:
    """A wide logo speaks for itself; a sign, uploaded or drawn, has the name beside it."""
    theme = site.theme
    address = theme.logo_dark if theme.logo_dark and theme.scheme == "dark" else theme.logo
    if not address:
        return BOOKMARK + " " + escape(site.name)
    width, height = files.size(address) or (1, 1)
    wide = width >= 2 * height
    picture = Markup('<img src="{}" alt="{}" width="{}" height="32">').format(
        files.inline(address), site.name if wide else "", round(32 * width / height)
    )
    if theme.logo_dark and theme.scheme == "auto":
        dark = Markup('<source srcset="{}" media="screen and (prefers-color-scheme:dark)">').format(
            _in_srcset(files.inline(theme.logo_dark))
        )
        picture = Markup("<picture>") + dark + picture + Markup("</picture>")
    return picture if wide else picture + " " + escape(site.name)


def _in_srcset(address: str) -> str:
    """``address`` where spaces and commas part one address from the next."""
    return address.replace(" ", "%20").replace(",", "%2C").replace("image/svg+xml%2C", "image/svg+xml,", 1)


def _head(site: SiteSettings, files: Files, font: Font | None) -> Markup:
    ramp = look.palette(site.theme)
    lines = Markup("")
    for scheme, tokens in (("light", ramp.light), ("dark", ramp.dark)):
        if site.theme.scheme == "auto":
            lines += Markup('<meta name="theme-color" content="{}" media="(prefers-color-scheme:{})">\n').format(
                tokens["paper"], scheme
            )
        elif site.theme.scheme == scheme:
            lines += Markup('<meta name="theme-color" content="{}">\n').format(tokens["paper"])
    if font:
        lines += Markup('<link rel="preload" href="{}" as="font" type="font/woff2" crossorigin>\n').format(font.address)
    icon = site.theme.favicon or "/favicon.svg"
    return lines + Markup(
        '<link rel="icon" href="{}"{}>\n<link rel="alternate" type="application/atom+xml" title="{}" href="/feed.xml">'
    ).format(files.url(icon), Markup(' type="image/svg+xml"') if icon.endswith(".svg") else "", site.name)
