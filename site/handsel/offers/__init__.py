"""Offers: the funnels that marketers write, and the whole project as it stands now."""

from __future__ import annotations

from pathlib import Path

from flask import Flask

from handsel import storage
from handsel.offers.depot import Depot
from handsel.offers.live import Live, current

__all__ = ["Live", "current", "init_app"]


def init_app(app: Flask) -> None:
    """Hang the live project and the way to shared files on ``app``; nothing is read before somebody asks."""
    app.extensions["handsel.offers"] = Live(app.config["PROJECT_ROOT"])
    store = storage.of(app)
    app.extensions["handsel.depot"] = Depot(store, Path(app.instance_path)) if store is not None else None
