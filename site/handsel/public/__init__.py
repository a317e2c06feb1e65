"""What is open to everybody: the site's pages, landing pages and the doors that letters lead to."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from flask import Blueprint, Flask, current_app, g

if TYPE_CHECKING:
    from handsel.public.frame import Frame
    from handsel.public.pagetable import PageTable

bp = Blueprint("public", __name__)
"""Routes of this audience; modules beside this one add to it and are imported in ``init_app``."""


def _pages() -> PageTable:
    pages: PageTable = current_app.extensions["handsel.pages"]
    return pages


def public_frame(layout: str = "landing", parts: Iterable[str] = ()) -> Frame:
    """The frame for a template rendered in a request; its style is let through the policy of this answer."""
    from handsel.public.frame import frame

    state = _pages().state()
    wanted = frozenset({*parts, "mistakes"} if "form" in parts else parts)
    found = state.frames.get((layout, wanted))
    if found is None:
        found = state.frames[layout, wanted] = frame(state.project.site, layout, wanted, state.press.files)
    g.style_hashes = {*g.get("style_hashes", ()), found.style.hash}
    return found


def static_url(name: str) -> str:
    """The address of a file under ``static/``, such as ``desk/desk.css``, with the hash of its content in its name."""
    return _pages().files.url(f"/static/{name}")


def init_app(app: Flask) -> None:
    """Open the public pages on ``app`` and put the page table in front of it."""
    from handsel.public import (  # noqa: F401  their routes hang on the blueprint
        capture,
        cards,
        clicks,
        errors,
        event,
        feeds,
        get,
        hand_off,
        pages,
        preferences,
        reader,
        thanks,
    )
    from handsel.public.landing import drawn
    from handsel.public.pagetable import PageTable

    app.extensions["handsel.drawn"] = drawn  # for the desk, which shows variants before they are live
    app.jinja_env.globals["public_frame"] = public_frame
    app.jinja_env.globals["static_url"] = static_url
    app.register_blueprint(bp)
    errors.init_app(app)
    table = PageTable(app, app.wsgi_app)
    app.extensions["handsel.pages"] = table
    app.wsgi_app = table  # type: ignore[method-assign]
