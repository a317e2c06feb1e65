"""The steps of a visitor over HTTP and without a script: land, fill in, press; and a look at what became of it."""

from __future__ import annotations

import hashlib
import html
import re
from typing import Any

from flask.testing import FlaskClient
from sqlalchemy import MetaData, select
from werkzeug.test import TestResponse

from handsel import clock as handsel_clock
from handsel.db import db, writing
from handsel.leads.models import Grant
from handsel.mail.models import Message
from support.funnel import CHROME

PERSON = {"User-Agent": CHROME}


def text(response: TestResponse) -> str:
    """What a reader sees, in one line."""
    body = re.sub(r"(?s)<(style|head).*?</\1>", " ", response.text)
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", body)).split())


def land(client: FlaskClient, slug: str = "guide") -> str:
    """The token in the form of a landing page."""
    page = client.get(f"/offers/{slug}/", headers=PERSON)
    found = re.search(r'name="form-token"[^>]*value="([^"]+)"', page.text)
    assert found, page.text[-600:]
    return found[1]


def send(client: FlaskClient, email: str = "ann@example.org", slug: str = "guide", token: str | None = None,
         **fields: Any) -> TestResponse:
    """Fill in the form and press the button."""
    data = {"form-token": land(client, slug) if token is None else token, "email": email, "your-website": ""}
    data |= {name.replace("__", "-"): value for name, value in fields.items()}
    return client.post(f"/offers/{slug}/", data=data, headers=PERSON)


def fingerprint() -> str:
    """A hash of every row of every table, but for those that count views."""
    db.session.rollback()
    meta = MetaData()
    meta.reflect(db.engine)
    digest = hashlib.sha256()
    with db.engine.connect() as connection:
        for table in meta.sorted_tables:
            if table.name not in {"hit", "tally", "visitor", "exposure", "day_secret"}:
                rows = sorted(str(tuple(row)) for row in connection.execute(select(table)))
                digest.update(f"{table.name}{rows}".encode())
    return digest.hexdigest()


def grant_key(**where: Any) -> str:
    """The token of the newest right to fetch that fits; empty if there is none."""
    db.session.rollback()
    return db.session.scalars(select(Grant.key).filter_by(**where).order_by(Grant.id.desc())).first() or ""


def press(client: FlaskClient, key: str, **headers: str) -> TestResponse:
    """Press the button behind the link."""
    return client.post(f"/get/{key}", headers=PERSON | headers)


def deliver(**columns: Any) -> None:
    """Let the queued first mails have been handed over."""
    with writing() as session:
        for message in session.scalars(select(Message).where(Message.kind.in_(("delivery", "confirm")))):
            message.state, message.sent_at = "sent", columns.get("at", handsel_clock.now())
