"""The frame of a desk page: where one can go, how figures and times are written, and pages for errors."""

from __future__ import annotations

import gzip
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from flask import Flask, Response, current_app, g, render_template, request
from flask.typing import ResponseReturnValue
from flask_login import current_user
from markupsafe import Markup
from sqlalchemy import select
from werkzeug.exceptions import HTTPException

from handsel.accounts.models import ROLES, Account
from handsel.accounts.sessions import SignedIn
from handsel.db import db
from handsel.desk import words
from handsel.desk.door import PREFIX, csrf_input, roles_of
from handsel.desk.figures import percent
from handsel.experiments.figures import lift_words, rate_words
from handsel.forms.schema import RECOGNITION
from handsel.mail.models import Message
from handsel.mail.queue import HELD, PARKED
from handsel.offers.live import current


@dataclass(frozen=True)
class Place:
    """One entry of the rail: its word, its view, the key after `g`, and for which roles the bottom bar of phones has
    it."""

    word: str
    endpoint: str
    key: str
    icon: str
    bar: tuple[str, ...] = ()


PLACES = (
    Place("Home", "home.home", "h", "home", bar=ROLES),
    Place("Leads", "leads.index", "l", "leads", bar=ROLES),
    Place("Tasks", "tasks.index", "d", "tasks", bar=ROLES),
    Place("Pipeline", "pipeline.index", "p", "pipeline", bar=("sales",)),
    Place("Segments", "segments.index", "s", "segments"),
    Place("Offers", "offers.index", "o", "offers", bar=("marketer", "owner")),
    Place("Tests", "tests.index", "t", "tests"),
    Place("Scoring", "scoring.index", "q", "scoring"),
    Place("Messages", "messages.index", "m", "messages", bar=("marketer",)),
    Place("Inbox", "inbox.inbox", "i", "inbox"),
    Place("Files", "files.index", "f", "files"),
    Place("Accounts", "accounts.index", "a", "accounts"),
    Place("Log", "log.index", "k", "log"),
)


@dataclass(frozen=True)
class Shell:
    """What the base template needs: who is there, the name of the site, and the places they may go to."""

    person: SignedIn | None
    site: str
    places: tuple[Place, ...]
    at: Place | None
    """The place that this page belongs to, if any."""

    @property
    def bar(self) -> tuple[Place, ...]:
        """At most four places; the fifth is "More"."""
        role = self.person.role if self.person else ""
        return tuple(place for place in self.places if role in place.bar)[:4]

    @property
    def rest(self) -> tuple[Place, ...]:
        return tuple(place for place in self.places if place not in self.bar)


def init_app(app: Flask) -> None:
    """Offer the desk's filters and functions to templates, and make its answers small."""
    app.add_template_global(csrf_input)
    app.add_template_global(shell, "shell")
    app.add_template_global(described)
    app.add_template_global(may)
    for filter_ in (number, percent, moment, clock_time, day_name, ago, stored, offer_title, with_title, stage_rule,
                    due, named, message_title, topic_name, rate_words, lift_words, signed):
        app.add_template_filter(filter_)
    words.init_app(app)
    app.after_request(_compressed)


def shell() -> Shell:
    """The frame for the page that is being answered."""
    signed_in = current_user._get_current_object() if current_user.is_authenticated else None
    places: tuple[Place, ...] = ()
    if signed_in is not None:
        places = tuple(place for place in PLACES if place.endpoint in current_app.view_functions
                       and signed_in.role in roles_of(current_app, place.endpoint))
    return Shell(signed_in, site_name(), places, _at(places, request.endpoint or ""))


def _at(places: tuple[Place, ...], endpoint: str) -> Place | None:
    of_blueprint = endpoint.partition(".")[0] + "."
    return next((place for place in places if place.endpoint == endpoint
                 or (place.endpoint.startswith(of_blueprint) and of_blueprint != "home.")), None)


def may(endpoint: str) -> bool:
    """Whether the person at the desk may use a route."""
    return current_user.is_authenticated and current_user.role in roles_of(current_app, endpoint)


def described(input_: Any, help_: str, extra: dict[str, str]) -> dict[str, str]:
    """The attributes that tie a field to its help and to its error, and the ``extra`` ones."""
    notes = [f"{input_.id}-error"] if input_.errors else []
    notes += [f"{input_.id}-note"] if help_ else []
    attributes = {"aria-describedby": " ".join(notes)} if notes else {}
    return extra | attributes | ({"aria-invalid": "true"} if input_.errors else {})


def site_name() -> str:
    """The name of the site, as the marketer wrote it."""
    return current().site.name


def site_zone() -> ZoneInfo:
    """The site's timezone, in which the desk shows times."""
    return ZoneInfo(current().site.timezone)


def stage_rule(rule: str) -> str:
    """What a rule is called that moved a lead; an offer's own rule by the offer."""
    kind, _, slug = rule.partition(":")
    return f"asked for {offer_title(slug)}" if kind == "offer" and slug else rule


def with_title(words: str) -> str:
    """What somebody did (``asked for home-energy-guide``) with the title of the offer in place of its slug."""
    act, _, slug = words.rpartition(" ")
    return f"{act} {offer_title(slug)}" if act and current().offer(slug) is not None else words


def stored(text: str) -> datetime:
    """An instant as it is kept in a row of JSON."""
    return datetime.fromisoformat(text)


def offer_title(slug: str) -> str:
    """The title of an offer, or its slug when it is gone."""
    return words.offer_title(slug, current())


def message_title(message: Message) -> str:
    """What a message is: its subject as the project has it, or its kind."""
    return words.message_title(message, current())


def topic_name(topic: str) -> str:
    """What people subscribe to, as the site's settings word it."""
    return "Being recognised" if topic == RECOGNITION else current().site.topics.get(topic, topic)


def named(actor: str) -> Markup | str:
    """Whoever did something, by the name of their account if it has one; the address stays to be asked for.

    Words before the address stay (``by hand: sara@example.org``).
    """
    if "desk_names" not in g:
        g.desk_names = dict(db.session.execute(select(Account.email, Account.name).where(Account.name != "")).all())
    words, colon, address = actor.rpartition(": ")
    name = g.desk_names.get(address)
    return Markup('{}{}<span title="{}">{}</span>').format(words, colon, address, name) if name else actor


def error_page(error: HTTPException) -> ResponseReturnValue:
    """An error in the desk's look, in words; Flask's own answer for a page that is no HTML."""
    words = {
        400: ("This cannot be shown", error.description or ""),
        403: ("This is not yours to open", "Your role does not include it. An owner can change that under Accounts."),
        404: ("There is nothing here", "It may have been erased, or the address has a slip in it."),
        413: ("That is too large", "Nothing was kept. Send a smaller file, or use the command line."),
        429: ("Too many tries", "Wait a quarter of an hour, then try again."),
    }
    if request.method == "POST" and error.code == 400:
        words[400] = ("That page was open too long", "Nothing was changed. Go back, reload the page, and try again.")
    title, text = words.get(error.code or 500, (error.name, error.description or ""))
    page = render_template("desk/error.html", title=title, text=text)
    response = current_app.make_response((page, error.code or 500))
    for name, value in error.get_headers():
        if name.lower() in {"retry-after", "allow"}:
            response.headers[name] = value
    return response


# --- how figures and times are written --------------------------------------------------------------------------------


def number(value: float) -> str:
    """``12345`` as ``12,345``."""
    return f"{value:,}"


def signed(value: int) -> str:
    """``+12``, or ``−12`` with a true minus."""
    return f"{value:+,}".replace("-", "\N{MINUS SIGN}")


def moment(value: datetime | None) -> Markup:
    """An instant as ``22 Nov 2026, 14:05`` in the site's timezone, readable by machines too."""
    return _time(value, "%-d %b %Y, %H:%M")


def clock_time(value: datetime | None) -> Markup:
    """An instant as ``14:05``."""
    return _time(value, "%H:%M")


def due(value: datetime) -> Markup | str:
    """When a message is to go, as ``moment``; in words where no clock knows it."""
    if value >= HELD:
        return "When sales is through" if value >= PARKED else "When somebody releases it"
    return moment(value)


def day_name(value: datetime, now: datetime) -> str:
    """The day of an instant: ``Today``, ``Yesterday`` or ``Sunday, 22 November 2026``."""
    zone = site_zone()
    day, today = value.astimezone(zone).date(), now.astimezone(zone).date()
    if day == today:
        return "Today"
    if day == today - timedelta(days=1):
        return "Yesterday"
    return day.strftime("%A, %-d %B %Y")


def ago(value: datetime | None, now: datetime) -> Markup:
    """An instant as a distance, ``3 hours ago``, up to a week; then as a day."""
    if value is None:
        return Markup("–")
    seconds = (now - value).total_seconds()
    if seconds < 0 or seconds > 7 * 86400:
        return _time(value, "%-d %b %Y")
    for unit, length in (("day", 86400), ("hour", 3600), ("minute", 60)):
        count = int(seconds // length)
        if count:
            return _wrap(value, f"{count} {unit}{'s' if count > 1 else ''} ago")
    return _wrap(value, "just now")


def _time(value: datetime | None, pattern: str) -> Markup:
    return Markup("–") if value is None else _wrap(value, value.astimezone(site_zone()).strftime(pattern))


def _wrap(value: datetime, words: str) -> Markup:
    full = value.astimezone(site_zone()).strftime("%-d %B %Y, %H:%M:%S %Z")
    return Markup('<time datetime="{}" title="{}">{}</time>').format(
        value.astimezone(UTC).isoformat(timespec="seconds"), full, words)


# --- small answers ----------------------------------------------------------------------------------------------------


def _compressed(response: Response) -> Response:
    """Compress the desk's pages; a random length hides how well a secret in the page matches what somebody typed."""
    if not request.path.startswith(PREFIX) or response.direct_passthrough or response.is_streamed:
        return response
    if response.mimetype != "text/html" or request.accept_encodings["gzip"] <= 0 or response.content_length is None:
        return response
    padding = f"<!-- {'-'.join(secrets.token_hex(4) for _ in range(1 + secrets.randbelow(6)))} -->".encode()
    response.set_data(gzip.compress(response.get_data() + padding, 5))
    response.headers["Content-Encoding"] = "gzip"
    response.vary.add("Accept-Encoding")
    return response
