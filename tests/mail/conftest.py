"""What mail tests share: an application that hands its mail to the faulty server."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask import Flask

from handsel.db import db


@pytest.fixture
def posting(make_app: Callable[..., Flask], smtp: Any, clock: Any) -> Iterator[Flask]:
    """The application with a mail server, time standing at NOON; its context is open."""
    app = make_app(MAIL_URL=smtp.url, MAIL_TIMEOUT=0.5)
    with app.app_context():
        yield app
        db.session.remove()
