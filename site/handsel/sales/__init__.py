"""The desk of sales: leads, what happened with each, and taking them home as a file."""

from __future__ import annotations

from flask import Flask


def init_app(app: Flask) -> None:
    """Register the pages of leads."""
    from handsel.sales import lead, leads  # noqa: F401  the page of one lead hangs on the blueprint of the list

    app.register_blueprint(leads.bp)
