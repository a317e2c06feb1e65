"""An application that hands its mail to a real server."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from flask import Flask

from handsel.db import db
from support.clock import Clock
from support.smtp import FaultyServer


@pytest.fixture
def posting(make_app: Callable[..., Flask], smtp: FaultyServer, clock: Clock) -> Iterator[Flask]:
    """The application, its mail going to ``smtp``, its clock standing still."""
    app = make_app(MAIL_URL=smtp.url)
    with app.app_context():
        yield app
        db.session.remove()
