"""``/api/v1``: what programs may read or tell, with a key of their own. Answers are JSON; asking changes nothing."""

from __future__ import annotations

from flask import Blueprint, abort, g, jsonify, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import HTTPException

from handsel import limits
from handsel.accounts import keys
from handsel.accounts.models import PRODUCT
from handsel.db import db
from handsel.experiments.results import Results, all_of, latest
from handsel.experiments.state import written
from handsel.offers.live import current
from handsel.traffic.visitor import address_prefix

bp = Blueprint("v1", __name__, url_prefix="/api/v1")

STRANGERS = "30 per 15 minutes"  # tries of one network with a key that does not fit
READERS = "600 per 5 minutes"  # two questions a second for each key: plenty for a dashboard, too few for a flood
ROLES = ("owner", "marketer")
WORDS = {
    401: "Send a key as `Authorization: Bearer hs_…`. An owner makes one with: handsel user key add NAME",
    403: "This key's role may not do this. Marketers and owners read, and a key of the role product tells events.",
    404: "There is nothing at this address. Begin at /api/v1/experiments.",
    405: "This address is read with GET; /api/v1/events takes a POST.",
    429: "That was too often. Wait, then ask again.",
}


@bp.before_request
def door() -> None:
    """Let in whoever has a key of the right role, as often as is allowed."""
    kind, _, key = request.headers.get("Authorization", "").partition(" ")
    row = keys.find(db.session(), key.strip()) if kind.lower() == "bearer" else None
    if row is None:
        abort(401 if limits.allow(STRANGERS, "api", "from", address_prefix(request.remote_addr or "")) else 429)
    if not limits.allow(READERS, "api", "key", row.prefix):
        abort(429)
    telling = request.endpoint == "v1.events"
    if (row.role == PRODUCT) is not telling or row.role not in (*ROLES, PRODUCT):
        abort(403)
    if request.method not in {"GET", "HEAD"} and not telling:
        abort(405)
    g.api_key = row.name


@bp.errorhandler(HTTPException)
def error(problem: HTTPException) -> ResponseReturnValue:
    """The error as JSON: its code, and what to do."""
    status = problem.code or 500
    told = g.get("api_words") or WORDS.get(status, problem.name)
    answer = jsonify(error={"status": status, "what": problem.name, "do": told})
    answer.headers["Cache-Control"] = "no-store"
    if status == 401:
        answer.headers["WWW-Authenticate"] = 'Bearer realm="handsel"'
    if status == 429:
        answer.headers["Retry-After"] = "300"
    if status == 405:
        answer.headers["Allow"] = "GET, HEAD"
    return answer, status


@bp.get("/experiments")
def experiments() -> ResponseReturnValue:
    """Every experiment there ever was, those that run first, newest first."""
    with db.engine.connect() as connection:
        found = all_of(connection)
    return _answer({"experiments": [_head(each) for each in found]})


@bp.get("/experiments/<slug>/results")
def results(slug: str) -> ResponseReturnValue:
    """The newest experiment of an offer: the evaluator's answer for the live counts, and what it rests on."""
    offer = current().offer(slug)
    with db.engine.connect() as connection:  # PostgreSQL takes no NUL, and no offer has one
        found = None if "\0" in slug else latest(connection, offer.slug if offer else slug)
    if found is None:
        g.api_words = "This offer has had no experiment. /api/v1/experiments lists those there are."
        abort(404)
    return _answer(found.as_dict())


@bp.route("/", defaults={"rest": ""})
@bp.route("/<path:rest>", methods=["GET", "POST", "PUT", "PATCH", "DELETE"])
def nothing(rest: str) -> ResponseReturnValue:
    """Every other address."""
    abort(404)


def _head(found: Results) -> dict[str, object]:
    return {"id": found.id, "offer": found.offer, "goal": found.goal, "hypothesis": found.hypothesis,
            "started_at": written(found.started_at), "ended_at": written(found.ended_at), "ending": found.ending,
            "paused_at": written(found.paused_at), "verdict": "withheld" if found.alarm else found.verdict,
            "variant": found.variant, "visitors": found.visitors, "conversions": found.conversions,
            "planned": found.planned, "results": url_for("v1.results", slug=found.offer)}


def _answer(value: dict[str, object]) -> ResponseReturnValue:
    answer = jsonify(value)
    answer.headers["Cache-Control"] = "no-store"
    return answer
