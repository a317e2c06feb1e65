"""What visitors do before they are known: hits, their tallies, and the secret that forgets them each day."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Flask, current_app

if TYPE_CHECKING:
    from handsel.traffic.recorder import Traffic


def init_app(app: Flask) -> None:
    """Hang the recorder on ``app``."""
    from handsel.traffic.recorder import Traffic

    app.extensions["handsel.traffic"] = Traffic(app)


def current() -> Traffic:
    """The current application's recorder."""
    traffic: Traffic = current_app.extensions["handsel.traffic"]
    return traffic
