"""``POST /api/v1/events``: the product tells what people did in it."""

from __future__ import annotations

from typing import Any

from flask import g, jsonify, request
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import BadRequest

from handsel import clock
from handsel.api.v1 import bp
from handsel.db import writing
from handsel.errors import HandselError
from handsel.leads.stages import product


@bp.post("/events")
def events() -> ResponseReturnValue:
    """Take one event, or up to 200 under ``events``: all of them or, when one is wrong, none."""
    now = clock.now()
    try:
        told = [product.checked(raw, place, now) for place, raw in _sent()]
        with writing() as session:
            answers = product.take(session, told, g.api_key, now)
    except HandselError as error:
        return _refused(error)
    answer = jsonify(events=[{"id": event.id, "status": said} for event, said in zip(told, answers, strict=True)])
    answer.headers["Cache-Control"] = "no-store"
    return answer


def _sent() -> list[tuple[str, Any]]:
    """The events of the request, with the place of each in it."""
    try:
        body = request.get_json(force=True)
    except (BadRequest, UnicodeDecodeError, RecursionError):
        raise HandselError("body", "That is no JSON.", "Send an event as a JSON object in UTF-8.") from None
    if not isinstance(body, dict) or "events" not in body:
        return [("event", body)]
    several = body["events"]
    if set(body) != {"events"} or not isinstance(several, list) or not 1 <= len(several) <= product.MOST:
        raise HandselError("events", f"Under `events` there are 1 to {product.MOST} events.",
                           "Send more of them in further requests.")
    return [(f"events[{place}]", raw) for place, raw in enumerate(several)]


def _refused(error: HandselError) -> ResponseReturnValue:
    answer = jsonify(error={"status": 422, "what": error.what, "do": error.do, "where": error.where})
    answer.headers["Cache-Control"] = "no-store"
    return answer, 422
