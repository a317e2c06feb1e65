"""Who may enter the desk: accounts, their sessions and sign-in links, and the log of what was done."""

from __future__ import annotations

from flask import Flask

from handsel.accounts.links import first_link

__all__ = ["first_link", "init_app"]


def init_app(app: Flask) -> None:
    """Nothing is kept open here: accounts live in the database."""
