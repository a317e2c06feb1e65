"""The one cookie of the public pages: given to who ticked its box, taken back as soon as it stands for nobody."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Response, current_app, request

from handsel import clock
from handsel.public import bp

if TYPE_CHECKING:
    from handsel.leads.recognition import Recognised
    from handsel.traffic.known import Known


def _known() -> Known:
    known: Known = current_app.extensions["handsel.traffic"].known
    return known


def give(response: Response, who: Recognised) -> None:
    """Let the browser come back as ``who``. A form sent twice gives the same cookie twice."""
    known = _known()
    known.forget()
    response.set_cookie(known.name, who.visitor, max_age=int((who.until - clock.now()).total_seconds()), path="/",
                        secure=known.name.startswith("__Host-"), httponly=True, samesite="Lax")


@bp.after_request
def take_back(response: Response) -> Response:
    """Delete a cookie that stands for nobody, or whose browser asks not to be followed."""
    known = _known()
    if known.name not in request.cookies or known.name in response.headers.get("Set-Cookie", ""):
        return response
    if request.method == "POST":
        known.forget()  # it may have been what was withdrawn
    asks_not_to = request.headers.get("Sec-GPC") == "1" or request.headers.get("DNT") == "1"
    if asks_not_to or not known.unit(known.number(request.headers.get("Cookie", ""))):
        response.delete_cookie(known.name, path="/", secure=known.name.startswith("__Host-"), httponly=True,
                               samesite="Lax")
    return response
