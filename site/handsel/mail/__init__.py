"""Mail: messages and their states, how they are made, handed over, retried and suppressed."""

from flask import Flask


def init_app(app: Flask) -> None:
    """Hang this part on ``app``."""
