"""Pages through Flask: what the page table has not compiled yet, or what it leaves to us as unusual."""

from __future__ import annotations

from flask import Response, abort, current_app, g, redirect, request
from werkzeug.wrappers import Response as Answer

from handsel import clock
from handsel.experiments.assign import choose
from handsel.public import bp
from handsel.public.compile import HTML, OWN, SHARED, digest
from handsel.public.pagetable import PageTable, State
from handsel.public.press import Bound, Hole
from handsel.public.sheets import Sheet


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
    if sheet.path.encode().decode("latin-1") not in state.table:
        pages.keep(state, sheet)
    return answer(state, sheet)


def answer(
    state: State,
    sheet: Sheet,
    *,
    variant: str | None = None,
    bound: Bound | None = None,
    token: str = "",
    status: int = 200,
) -> Response:
    """The page of ``sheet`` drawn for this visitor, its view recorded.

    ``variant`` is the visitor's own unless named. ``bound`` is a form that came back with mistakes; its page is no view,
    and ``token`` is the one that it brought, so that mending it is still the same submission.
    """
    pages = table()
    visit = pages.traffic.visit(request.environ)
    if variant is None:
        variant = choose(visit.visitor, sheet.offer.slug, sheet.offer.split) if sheet.offer else ""
    at_ms = int(clock.now().timestamp() * 1000)

    def mint(hole: Hole) -> str:
        known = token and bound is not None and hole.form == bound.name
        return token if known else pages.mint(hole, visit, sheet.path, at_ms)

    drawn = state.press.draw(sheet, variant, mint, bound)
    if bound is None:
        pages.traffic.record("view", sheet.path, visit, sheet.offer.slug if sheet.offer else "", variant)
    g.style_hashes = {drawn.style_hash}
    response = Response(drawn.html, status, content_type=HTML)
    own = bool(drawn.holes) or sheet.experiment or bound is not None
    response.headers["Cache-Control"] = OWN if own else SHARED
    response.headers["Vary"] = "Accept-Encoding"
    if not own:
        response.set_etag(digest(drawn.html))
        response.make_conditional(request)
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
