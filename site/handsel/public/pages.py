"""Pages through Flask: what the page table has not compiled yet, or what it leaves to us as unusual."""

from __future__ import annotations

from flask import Response, abort, current_app, g, redirect, request
from sqlalchemy.exc import DBAPIError
from werkzeug.wrappers import Response as Answer

from handsel import clock
from handsel.db import db
from handsel.experiments.assign import pick
from handsel.forms.asking import for_known, for_strangers
from handsel.leads import recognition
from handsel.public import bp
from handsel.public.compile import HTML, OWN, encoding_for
from handsel.public.pagetable import Entry, PageTable, State
from handsel.public.press import Bound, Hole
from handsel.public.sheets import Sheet
from handsel.traffic.visitor import Visit


def table() -> PageTable:
    """The page table of the current application."""
    found: PageTable = current_app.extensions["handsel.pages"]
    return found


@bp.get("/")
@bp.get("/<path:path>")
def page(path: str = "") -> Answer:
    """Whatever stands at an address of the site, or where it has moved to."""
    address = f"/{path}"
    pages = table()
    state, sheet = pages.sheet(address)
    if sheet is None:
        return moved(state, address) or abort(404)
    return _view(pages, pages.entry(state, sheet))


def _view(pages: PageTable, entry: Entry) -> Response:
    """A page of the table as this visitor gets it, for a request that the table itself left to Flask."""
    visit = pages.traffic.visit(request.environ)
    offer = entry.sheet.offer
    variant = pick(visit.unit, offer.slug, pages.split(entry, clock.now())) if offer else ""
    page = entry.pages[variant]
    pages.traffic.record("view", page.path, visit, page.offer, variant)
    at_ms = int(clock.now().timestamp() * 1000)
    answered = _answered(visit) if entry.asks_later else frozenset()
    if answered:
        return _asking(pages, entry, variant, visit, answered)
    tokens = [pages.mint(hole, visit, page.path, at_ms).encode() for hole in page.holes]
    encoding = encoding_for(request.headers.get("Accept-Encoding", ""))
    response = Response(page.body(encoding, tokens), headers=page.packed[encoding].plain_rows)
    if not page.order:
        response.make_conditional(request)
    return response


def _answered(visit: Visit) -> frozenset[str]:
    """The questions that a recognised visitor has answered; none of a stranger."""
    if visit.private or visit.visitor == visit.unit:
        return frozenset()
    try:
        return recognition.answered(db.session(), visit.visitor, clock.now())
    except DBAPIError:
        return frozenset()  # pages come without a database too, as they are for strangers


def _asking(pages: PageTable, entry: Entry, variant: str, visit: Visit, answered: frozenset[str]) -> Response:
    """The page with forms that leave out what was ``answered``, and ask the next question instead."""
    state, at_ms = pages.state(), int(clock.now().timestamp() * 1000)

    def mint(hole: Hole) -> str:
        form = state.project.forms[hole.form]
        asked = for_known(form, answered)
        own = tuple(field.name for field in asked.fields) if asked != for_strangers(form) else ()
        return pages.mint(hole, visit, entry.sheet.path, at_ms, own)

    drawn = state.press.draw(entry.sheet, variant, mint, answered=answered)
    g.style_hashes = {drawn.style_hash}
    response = Response(drawn.html, content_type=HTML)
    response.headers["Cache-Control"] = OWN
    return response


def again(state: State, sheet: Sheet, variant: str, bound: Bound, *, token: str, status: int) -> Response:
    """The page of ``sheet`` with a form that came back. It is no view: the visitor has seen the page already.

    ``token`` is the one that the form brought, so that mending it is still the same submission; empty for a new one.
    """
    pages = table()
    visit = pages.traffic.visit(request.environ)
    at_ms = int(clock.now().timestamp() * 1000)

    def mint(hole: Hole) -> str:
        if hole.form != bound.name:
            return pages.mint(hole, visit, sheet.path, at_ms)
        form = state.project.forms.get(hole.form)
        own = () if form is None or bound.form.spec == for_strangers(form) else tuple(
            field.name for field in bound.form.spec.fields)
        return token or pages.mint(hole, visit, sheet.path, at_ms, own)

    drawn = state.press.draw(sheet, variant, mint, bound)
    g.style_hashes = {drawn.style_hash}
    response = Response(drawn.html, status, content_type=HTML)
    response.headers["Cache-Control"] = OWN
    return response


def moved(state: State, address: str) -> Answer | None:
    """A redirection from an old name, or from one without its last slash; None when the address means nothing."""
    pages = table()
    slashed = address if address.endswith("/") else f"{address}/"
    target = state.project.aliases.get(address) or state.project.aliases.get(slashed)
    if target is None and slashed.startswith("/offers/") and slashed.count("/") == 3:
        offer = state.project.offer(slashed.split("/")[2])
        target = offer.path if offer and offer.path != slashed else None
    if target is None and slashed != address and pages.sheet(slashed)[1] is not None:
        target = slashed
    if target is None:
        return None
    query = request.query_string.decode("latin-1")
    return redirect(f"{target}?{query}" if query and "?" not in target else target, 301)
