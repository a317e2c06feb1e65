"""Errors in the look of the site: what went wrong, in words that help, and ways on."""

from __future__ import annotations

import logging
from typing import cast

from flask import Flask, Response, jsonify, render_template, request
from werkzeug.exceptions import HTTPException, InternalServerError

from handsel import clock

log = logging.getLogger(__name__)
WORDS = {
    400: (
        "We could not read that",
        "Something about the address or the form did not arrive whole. Go back and try once more.",
    ),
    403: ("This is not open to you", "You may have followed a link that was meant for someone else, or has run out."),
    404: ("There is no page here", "The address may have a slip in it, or the page has gone. These may help:"),
    405: (
        "That does not work here",
        "This address cannot be used in that way. Go back to the page before and begin again there.",
    ),
    410: ("This has gone for good", "What was here has been taken away. These may help:"),
    413: (
        "That was too much at once",
        "What you sent is larger than we can take. Shorten it or choose a smaller file, then try again.",
    ),
    429: (
        "That was a little fast",
        "We have had many requests from your connection. Wait a few minutes, then try once more. "
        "Nothing you have sent us is lost.",
    ),
    500: (
        "Something broke on our side",
        "It is not your fault, and we have been told. Please try again in a few minutes.",
    ),
    503: ("We are busy for a moment", "The site cannot answer just now. Please try again in a few minutes."),
}
FALLBACK = (
    "<!doctype html><html lang=en><meta charset=utf-8><meta name=robots content=noindex><title>{0}</title>"
    "<main><h1>{0}</h1><p>{1}</p></main></html>"
)


def init_app(app: Flask) -> None:
    """Answer every error of ``app`` that no audience answers itself."""
    app.register_error_handler(HTTPException, answer)
    app.register_error_handler(500, answer)


def answer(error: HTTPException) -> Response:
    """The page for ``error`` with the headers that belong to it, such as Allow and Retry-After."""
    if error.response is not None:
        return cast(Response, error.response)  # somebody's answer already
    status = error.code or 500
    if 300 <= status < 400:
        return cast(Response, error.get_response())
    title, words = WORDS.get(status, WORDS[500] if status >= 500 else WORDS[400])
    if request.path.startswith("/api/"):
        response = jsonify(error={"status": status, "title": title, "detail": words})
    else:
        response = Response(_page(status, title, words, error), content_type="text/html; charset=utf-8")
    response.status_code = status
    for name, value in error.get_headers():
        if name.lower() in {"allow", "retry-after"}:
            response.headers[name] = value
    response.headers["Cache-Control"] = "no-store"
    return response


def _page(status: int, title: str, words: str, error: HTTPException) -> str:
    from handsel.public.pages import table

    try:
        state = table().state()
        offers = (
            [
                offer
                for offer in state.project.offers.values()
                if offer.is_open(clock.now()) and offer.control.is_live(clock.now())
            ][:3]
            if status in {404, 410}
            else []
        )
        return render_template(
            "public/error.html",
            status=status,
            heading=title,
            words=words,
            offers=offers,
            home=status in {404, 405, 410, 403},
        )
    except Exception:
        # Whatever broke the page may break this one too; a plain one always goes out.
        if not isinstance(error, InternalServerError):
            log.exception("the error page could not be drawn")
        return FALLBACK.format(title, words)
