"""What the sheets for starting, stopping and shipping a test share: the files as they are now, and a look at a page."""

from __future__ import annotations

from flask import Response, abort, current_app
from flask.typing import ResponseReturnValue

from handsel.errors import HandselError
from handsel.marketing.tests import bp, seal
from handsel.offers import acts
from handsel.offers.library import Offer
from handsel.offers.live import Live, current


def live() -> Live:
    """The project folder of this application."""
    found: Live = current_app.extensions["handsel.offers"]
    return found


def offer_or_404(slug: str) -> Offer:
    """The offer of that slug as it stands."""
    found = current().offers.get(slug)
    if found is None:
        abort(404)
    return found


def text_of(offer: Offer, variant: str) -> str:
    """The Markdown file of a variant as it is now; 404 if there is none."""
    try:
        return (live().root / acts.page_file(offer, variant)).read_text("utf-8", "replace")
    except (HandselError, OSError):
        abort(404)


def seen(offer: Offer) -> str:
    """A short word that changes whenever the offer's lines or the pages of its variants do: a sheet that comes back
    with another one was filled in by somebody who saw other pages."""
    return seal(repr(offer.meta), *(f"{name}:{text_of(offer, name)}" for name in sorted(offer.variants)))


@bp.get("/tests/pages/<slug>/<variant>")
def look(slug: str, variant: str) -> ResponseReturnValue:
    """A variant as visitors would see it, live or not; nothing in it can be sent, and it counts as no view."""
    offer = offer_or_404(slug)
    if variant not in offer.variants:
        abort(404)
    drawn = current_app.extensions["handsel.drawn"](offer, variant)
    response = Response(drawn.html, mimetype="text/html")
    response.headers["Content-Security-Policy"] = (
        f"default-src 'none'; style-src {drawn.style_hash}; img-src 'self' data:; media-src 'self'; font-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'self'; sandbox")
    response.headers["X-Robots-Tag"] = "noindex"
    return response
