"""Leads: the list, in any order and under any filter."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

from flask import render_template, request, url_for
from flask.typing import ResponseReturnValue

from handsel import clock
from handsel.accounts.models import Account
from handsel.db import db
from handsel.desk import DeskBlueprint, person
from handsel.desk.shell import offer_title, site_zone
from handsel.desk.words import STAGE_WORDS
from handsel.errors import HandselError
from handsel.leads import finding
from handsel.leads.handoff import owners
from handsel.leads.listing import acts
from handsel.leads.listing import page as listing
from handsel.leads.listing import views as saved
from handsel.leads.listing.models import SavedView
from handsel.leads.listing.order import Order, Place
from handsel.leads.listing.page import Count
from handsel.leads.listing.views import KEPT
from handsel.offers.live import current
from handsel.sales.listed import lines

bp = DeskBlueprint("leads", __name__, roles=("sales", "marketer", "owner"))

ORDERS = {"newest": "Newest first", "-newest": "Oldest first", "score": "Highest score first",
          "-score": "Lowest score first", "acted": "Last to act first", "-acted": "Longest silent first",
          "stage": "Last to change stage first", "-stage": "Longest in their stage first"}
GIVEN_VIEWS = (("All", ""), ("Mine", "owner=me&sort=score"), ("Unassigned", "owner=none&sort=score"))


@bp.get("/leads")
def index() -> ResponseReturnValue:
    """The list: searched, filtered, sorted, 50 a page."""
    shown = {name: request.args[name].strip() for name in finding.FILTERS if request.args.get(name, "").strip()}
    try:
        finding.only_known(name for name in request.args if name not in {*KEPT, "after", "before"})
        order = Order.asked(request.args.get("sort", ""))
        asked = _asked(request.args)
        place, back = _place(request.args, order)
    except HandselError as error:
        return render_template("desk/leads.html", page=None, problem=error, **_choices(shown)), 400
    session, now = db.session(), clock.now()
    page = listing.page(session, asked, order, place, back=back)
    whole = place is None and page.after is None
    number = Count(len(page.leads)) if whole else listing.count(session, asked)
    return render_template("desk/leads.html", page=page, lines=lines(session, current(), page.leads, now), now=now,
                           number=number, order=order, asked=asked, previous=_turn(page.before, order, "after"),
                           following=_turn(page.after, order, "before"), most=acts.MOST,
                           tomorrow=(now.astimezone(site_zone()) + timedelta(days=1)).date(), **_choices(shown))


def _asked(given: Any) -> finding.Wanted:
    project = current()
    return finding.wanted(db.session(), given, project.offers, site_zone(), segments=project.rules.segments,
                          me=person().account_id)


def _place(given: Any, order: Order) -> tuple[Place | None, bool]:
    """Where the page begins, or, going back, where it ends. Pages after the newest lead end ``before`` it."""
    for name, back in (("after", True), ("before", False)):
        if given.get(name):
            return Place.asked(given[name], order), back
    return None, False


def _turn(place: Place | None, order: Order, way: str) -> str | None:
    return to(**{way: place.written(order)}) if place else None


def to(**changes: str) -> str:
    """The address of the list with its filter and order as they are, but for ``changes``."""
    kept = {name: value for name, value in request.args.items() if name in KEPT and value.strip()}
    query = urlencode({name: value for name, value in (kept | changes).items() if value})
    return f"{url_for('leads.index')}?{query}".rstrip("?")


def _choices(shown: dict[str, str]) -> dict[str, Any]:
    """What the filter offers, and what of it is chosen."""
    session, project = db.session(), current()
    people = owners.candidates(session)
    segments = project.rules.segments.by_name
    return {"shown": shown, "offers": sorted({*project.offers, *finding.offers_asked_for(session)}),
            "tags": finding.tags_in_use(session), "stages": tuple(STAGE_WORDS), "people": people,
            "segments": segments, "to": to,
            "views": _views(), "orders": ORDERS, "chips": _chips(shown, people, segments)}


def _views() -> list[tuple[str, str, bool, SavedView | None]]:
    """The views one can choose: their name, their address, whether it is the one that is shown, and the saved one."""
    now = saved.query_of(request.args)
    own = [(view.name, view.query, view) for view in saved.views(db.session(), person().account_id or 0)]
    return [(name, f"{url_for('leads.index')}?{query}".rstrip("?"), query == now, view)
            for name, query, view in [*((name, query, None) for name, query in GIVEN_VIEWS), *own]]


def _chips(shown: dict[str, str], people: list[Account], segments: Any) -> list[tuple[str, str]]:
    """What the filter asks for, in words, each with the address of the list without it."""
    names = {"me": "me", "none": "nobody"} | {account.email: account.name or account.email for account in people}
    words: dict[str, Callable[[str], str]] = {
        "search": lambda text: f"Search: {text}", "offer": lambda slug: f"Offer: {offer_title(slug)}",
        "tag": lambda tag: f"Tag: {tag}", "stage": lambda stage: f"Stage: {STAGE_WORDS.get(stage, stage)}",
        "since": lambda day: f"Since {day}", "held": lambda _yes: "A form waits for a look",
        "owner": lambda owner: f"Owner: {names.get(owner, owner)}",
        "segment": lambda name: f"Segment: {segments[name].label if name in segments else name}"}
    return [(words[name](value), to(**{name: ""})) for name, value in shown.items()]
