"""The owner's desk, and what everybody at the desk shares: the sign-in and the home page."""

from __future__ import annotations

from flask import Flask


def init_app(app: Flask) -> None:
    """Register the sign-in, home, accounts, the inbox and the log."""
    from handsel.owner import accounts, home, inbox, log, sign_in

    for page in (sign_in, home, accounts, inbox, log):
        app.register_blueprint(page.bp)
