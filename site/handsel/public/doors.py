"""What the pages behind personal links have in common: nobody keeps, indexes or passes on their addresses."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import PurePath
from typing import Any
from zoneinfo import ZoneInfo

from flask import Config, Response, current_app, make_response, render_template, request

from handsel import clock
from handsel.leads.consents import Way
from handsel.limits import allow
from handsel.offers import current
from handsel.offers.library import Asset, Offer
from handsel.offers.project import Project
from handsel.traffic.recorder import Traffic
from handsel.traffic.visitor import Visit

PRIVATE = {"Cache-Control": "no-store, private", "Referrer-Policy": "no-referrer", "X-Robots-Tag": "noindex, nofollow"}
MONTHS = ("January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
          "December")


def private(answer: Any, status: int | None = None) -> Response:
    """``answer`` with the headers of a personal page."""
    response = make_response(answer)
    if status is not None:
        response.status_code = status
    response.headers.update(PRIVATE)
    return response


def see(address: str) -> Response:
    """On to one of our own addresses, after an act. As bare as can be: whoever sends a form waits for it."""
    return Response(status=303, headers={"Location": address, **PRIVATE})


def page(template: str, status: int = 200, **values: Any) -> Response:
    """One of our own public pages, filled in and private."""
    return private(render_template(f"public/{template}", project=project(), **values), status)


def lost() -> Response:
    """The answer to a link that is nobody's, or nobody's any more. It says the same whatever the reason."""
    return page("lost.html", 404)


def project() -> Project:
    """The project as it stands now."""
    return current()


def config() -> Config:
    """The settings."""
    return current_app.config


def visit() -> Visit:
    """The visit behind this request."""
    traffic: Traffic = current_app.extensions["handsel.traffic"]
    return traffic.visit(request.environ)


def record(kind: str, path: str, seen: Visit, offer: str, variant: str = "", *, mark: str = "") -> None:
    """Note a hit. ``path`` never holds a token; ``mark`` may, and is not kept."""
    traffic: Traffic = current_app.extensions["handsel.traffic"]
    traffic.record(kind, path, seen, offer, variant, mark=mark)


def way(name: str) -> Way:
    """How this request acts, for the record of a consent. Ask before a write transaction: the first visit of a day
    writes the day's secret in a transaction of its own, which would wait for the one around it."""
    return Way.of(name, visit())


def too_many(what: str, limit: str = "20 per hour") -> bool:
    """Whether this address prefix has done ``what`` too often."""
    return not allow(limit, what, visit().prefix)


def moment(at: datetime, now: datetime | None = None) -> str:
    """An instant as people near the site say it: ``at 14:32``, ``tomorrow at 09:10``, ``on 3 March 2026 at 09:10``."""
    zone = ZoneInfo(project().site.timezone)
    local, today = at.astimezone(zone), (now or clock.now()).astimezone(zone).date()
    day = local.date()
    words = f"at {local:%H:%M}"
    if day == today:
        return words
    if day == today + timedelta(days=1):
        return f"tomorrow {words}"
    if day == today - timedelta(days=1):
        return f"yesterday {words}"
    return f"on {on_day(at)} {words}"


def on_day(at: datetime) -> str:
    """The day of an instant: ``3 March 2026``."""
    local = at.astimezone(ZoneInfo(project().site.timezone))
    return f"{local.day} {MONTHS[local.month - 1]} {local.year}"


NOUNS = {"ebook": "e-book", "whitepaper": "white paper"}


def noun(offer: Offer) -> str:
    """What an offer brings, in a word for its button."""
    return NOUNS.get(offer.meta.kind, offer.meta.kind)


def file_name(offer: Offer, asset: Asset) -> str:
    """The name under which a visitor keeps the file: the offer's title, so that it can be found again."""
    title = "".join(" " if sign in '\\/:*?"<>|' or not sign.isprintable() else sign for sign in offer.title)
    return (" ".join(title.split()).strip(". ")[:120] or "download") + PurePath(asset.name).suffix.lower()


def size(octets: int) -> str:
    """A file's size in words: ``1.4 MB``."""
    if octets < 1000:
        return f"{octets} bytes"
    if octets < 1_000_000:
        return f"{octets / 1000:.0f} kB"
    return f"{octets / 1_000_000:.1f} MB"
