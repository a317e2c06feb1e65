"""What every mail of a site has in common, taken from its settings."""

from __future__ import annotations

from contextlib import suppress
from email.utils import parseaddr
from urllib.parse import urljoin, urlsplit

from flask import Flask

from handsel.content.schema import SiteSettings
from handsel.content.theme import palette
from handsel.mail.layout import Colours, House


def site_url(app: Flask, site: SiteSettings) -> str:
    """The site's address without a slash at its end; the setting wins over the file."""
    return str(app.config["SITE_URL"] or site.url).rstrip("/")


def house(app: Flask, site: SiteSettings) -> House:
    """The house of ``site``. Without a sender of its own it writes as its controller, else as ``hello`` at its host."""
    url = site_url(app, site)
    colours = palette(site.theme)
    controller = site.controller
    name, address = parseaddr(site.mail.from_) if site.mail else ("", "")
    if not address:
        address = str(controller.email) if controller else f"hello@{urlsplit(url).hostname or 'localhost'}"
    postal = f"{controller.name}, {controller.address}" if controller else ""
    return House(
        name=site.name, url=url, sender_name=name or site.name, sender=plain_domain(address),
        reply_to=plain_domain(str(site.mail.reply_to)) if site.mail and site.mail.reply_to else "",
        postal=postal, privacy_url=urljoin(url + "/", site.privacy), language=site.language,
        direction=site.direction, headings=site.theme.headings, text=site.theme.text,
        light=_scheme(colours.light, paper="surface", ground="sunk"),
        dark=_scheme(colours.dark, paper="surface", ground="sunk"))


def plain_domain(address: str) -> str:
    """``address`` with its domain as mail servers know it, in ASCII."""
    local, _, domain = address.rpartition("@")
    with suppress(UnicodeError):
        domain = domain.encode("idna").decode("ascii")
    return f"{local}@{domain}"


def _scheme(tokens: dict[str, str], paper: str, ground: str) -> Colours:
    return Colours(tokens[ground], tokens[paper], tokens["line"], tokens["ink"], tokens["muted"], tokens["mark"],
                   tokens["brand"], tokens["on-brand"])
