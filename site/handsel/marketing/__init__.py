"""The desk of marketing: offers and their figures, messages and their states, the faults of the project's files."""

from __future__ import annotations

from flask import Flask


def init_app(app: Flask) -> None:
    """Register the pages of offers, messages and files."""
    from handsel.marketing import files, messages, offers

    for page in (offers, messages, files):
        app.register_blueprint(page.bp)
