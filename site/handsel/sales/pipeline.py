"""The pipeline: leads in columns by stage, how long they have stood there, and moving them on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from flask import abort, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from handsel import clock
from handsel.db import db
from handsel.desk import DeskBlueprint, only, person
from handsel.desk.door import safe_next
from handsel.desk.shell import site_zone
from handsel.desk.words import STAGE_WORDS
from handsel.errors import HandselError
from handsel.leads import finding
from handsel.leads.handoff import owners
from handsel.leads.listing import page as listing
from handsel.leads.listing.acts import Wish
from handsel.leads.listing.order import Order
from handsel.leads.listing.page import Count
from handsel.leads.models import Lead
from handsel.offers.live import current
from handsel.rules.stages import RANKS
from handsel.sales.acts import do
from handsel.sales.listed import Line, lines

bp = DeskBlueprint("pipeline", __name__, roles=("sales", "marketer", "owner"))

CARDS = 12  # of a column: as many as one looks through before one filters
FILTERS = ("owner", "offer", "segment")
ORDERS = {"score": "Highest score first", "-stage": "Longest in their stage first",
          "stage": "Last to change stage first"}
STALE = {"iql": 30, "mql": 14, "pql": 7, "service": 3, "sql": 7}
"""Days after which a lead in a stage is marked: somebody should act or let it go. Customers are never stale."""


@dataclass(frozen=True)
class Card:
    """One lead of a column: what lists say of it, the days it has stood there, and whether these are too many."""

    line: Line
    days: int
    stale: bool


@dataclass(frozen=True)
class Column:
    """One stage: its leads, as many as are shown, how many there are, and the list of all of them."""

    stage: str
    cards: list[Card]
    number: Count
    address: str


@bp.get("/pipeline")
def index() -> ResponseReturnValue:
    """The columns by stage, those of a filter if one is asked for."""
    shown = {name: request.args[name].strip() for name in FILTERS if request.args.get(name, "").strip()}
    try:
        order = Order.asked(request.args.get("sort", "") or "score")
        if order.written not in ORDERS:
            raise HandselError("sort", "The pipeline has no such order.", f"Use one of: {', '.join(ORDERS)}.")
        columns = _columns(db.session(), shown, order, clock.now())
    except HandselError as error:
        return render_template("desk/pipeline.html", problem=error, columns=[], **_choices(shown, "score")), 400
    return render_template("desk/pipeline.html", columns=columns, now=clock.now(), **_choices(shown, order.written))


def _columns(session: Session, shown: dict[str, str], order: Order, now: datetime) -> list[Column]:
    project = current()
    found = {}
    for stage in STAGE_WORDS:
        asked = finding.wanted(session, shown | {"stage": stage}, project.offers, site_zone(),
                               segments=project.rules.segments, me=person().account_id)
        page = listing.page(session, asked, order, size=CARDS)
        short = page.after is None and not page.stopped
        found[stage] = page.leads, Count(len(page.leads)) if short else listing.count(session, asked)
    known = {line.lead.id: line for line in lines(session, project, [lead for leads, _ in found.values()
                                                                     for lead in leads], now)}
    return [Column(stage, [_card(known[lead.id], now) for lead in leads], number,
                   f"{url_for('leads.index')}?{urlencode(shown | {'stage': stage, 'sort': order.written})}")
            for stage, (leads, number) in found.items()]


def _card(line: Line, now: datetime) -> Card:
    stood = now - since(line.lead)
    limit = STALE.get(line.lead.stage)
    return Card(line, max(stood, timedelta()).days, limit is not None and stood > timedelta(days=limit))


def since(lead: Lead) -> datetime:
    """Since when a lead has been in its stage; whoever was never moved, since they came."""
    return lead.stage_at or lead.captured_at


def _choices(shown: dict[str, str], order: str) -> dict[str, Any]:
    project, session = current(), db.session()
    return {"shown": shown, "order": order, "orders": ORDERS, "people": owners.candidates(session),
            "stages": tuple(STAGE_WORDS), "ranks": RANKS,
            "offers": sorted({*project.offers, *finding.offers_asked_for(session)}),
            "segments": project.rules.segments.by_name, "stale": STALE}


@bp.post("/pipeline/moves")
@only("sales", "owner")
def move() -> ResponseReturnValue:
    """Put one lead into another stage; from a menu, or dropped into its column."""
    typed = request.form.get("lead", "")
    if not (typed.isascii() and typed.isdigit() and len(typed) < 19):
        abort(400)
    wish = Wish("stage", request.form.get("stage", ""), request.form.get("reason", "").strip())
    return do(wish, lambda: _one(int(typed)), safe_next(request.form.get("next", "") or url_for("pipeline.index")))


def _one(lead_id: int) -> Sequence[int]:
    db.get_or_404(Lead, lead_id)
    return [lead_id]
