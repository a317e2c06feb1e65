"""Mail: messages and their states, how they are made, handed over, retried and suppressed."""

from flask import Flask


def init_app(app: Flask) -> None:
    """Look at the mail server's address, so that a wrong one is told at the start and not at the first mail."""
    from handsel.mail import address

    if app.config["MAIL_URL"]:
        address.read(app.config["MAIL_URL"])
