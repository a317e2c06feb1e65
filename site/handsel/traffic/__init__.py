"""What visitors do before they are known: hits, their tallies, and the secret that forgets them each day."""

from flask import Flask


def init_app(app: Flask) -> None:
    """Hang this part on ``app``."""
