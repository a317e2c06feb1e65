"""Offers: the funnels that marketers write, and the whole project as it stands now."""

from __future__ import annotations

from flask import Flask

from handsel.offers.live import Live, current

__all__ = ["Live", "current", "init_app"]


def init_app(app: Flask) -> None:
    """Hang the live project of the application's folder on ``app``; nothing is read before somebody asks."""
    app.extensions["handsel.offers"] = Live(app.config["PROJECT_ROOT"])
