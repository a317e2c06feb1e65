"""Who may enter the desk: accounts, their sessions and sign-in links."""

from flask import Flask


def init_app(app: Flask) -> None:
    """Hang this part on ``app``."""
