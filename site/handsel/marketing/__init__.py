"""The desk of marketing: offers and their figures, tests of landing pages, messages and their states, and the faults
of the project's files."""

from __future__ import annotations

from flask import Flask


def init_app(app: Flask) -> None:
    """Register the pages of offers, tests, messages and files."""
    from handsel.marketing import (  # noqa: F401  sheets hang their routes on the blueprint of tests
        files,
        messages,
        offers,
        ship_sheet,
        start_sheet,
        tests,
        worth,
    )

    for page in (offers, tests, messages, files):
        app.register_blueprint(page.bp)
