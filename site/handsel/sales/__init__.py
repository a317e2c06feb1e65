"""The desk of sales: leads, what happened with each, and taking them home as a file."""

from __future__ import annotations

from flask import Flask


def init_app(app: Flask) -> None:
    """Register the pages of leads."""
    from handsel.sales import answers, companies, hand_off, lead, leads, merging, scoring, tasks  # noqa: F401  all hang on the list's blueprint

    app.register_blueprint(leads.bp)
    app.register_blueprint(hand_off.bp)
    app.register_blueprint(tasks.bp)
    app.register_blueprint(scoring.bp)
