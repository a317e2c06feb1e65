"""What is open to everybody: the site's pages, landing pages and the doors that letters lead to."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from flask import Blueprint, Flask, current_app, g

from handsel.public.frame import Frame, frame

bp = Blueprint("public", __name__)
"""Routes of this audience; modules beside this one add to it and are imported in ``init_app``."""


def public_frame(layout: str = "landing", parts: Iterable[str] = ()) -> Frame:
    """The frame for a template rendered in a request; its style is let through the policy of this answer."""
    project: Any = current_app.extensions["handsel.offers"].current()
    found = frame(project.site, layout, parts)
    g.style_hashes = {*g.get("style_hashes", ()), found.style.hash}
    return found


def init_app(app: Flask) -> None:
    """Open the public pages on ``app``."""
    app.jinja_env.globals["public_frame"] = public_frame
    app.register_blueprint(bp)
