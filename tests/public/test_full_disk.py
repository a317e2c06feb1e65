"""A disk without room: nobody is told that something was stored when it was not, and nothing that was typed is lost."""

from __future__ import annotations

import re

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select

from handsel.db import db
from handsel.leads.models import Lead
from support import on_sqlite

pytestmark = on_sqlite


def pages(app: Flask, most: int) -> None:
    """Let the database grow to that many pages at most."""
    app.extensions["handsel.leads"].do(lambda pen: pen.run(f"PRAGMA max_page_count = {most}", {}))


def test_a_form_that_cannot_be_stored_comes_back_with_its_values_and_goes_through_later(
        app: Flask, client: FlaskClient) -> None:
    pages(app, 1)  # SQLite takes it as: no larger than it is now
    answers, number = [], 0
    while not answers or answers[-1].status_code == 303:
        number += 1
        assert number < 400
        fresh = re.search(r'name="form-token"[^>]*value="([^"]+)"', client.get("/offers/guide/").text)
        assert fresh
        answers.append(client.post("/offers/guide/", data={
            "form-token": fresh[1], "email": f"p{number}@example.org", "first_name": "Ann " + "x" * 50}))
    refused = answers[-1]
    assert (refused.status_code, refused.headers["Retry-After"]) == (503, "5")
    assert f'value="p{number}@example.org"' in refused.text
    assert "could not be stored just now" in refused.text
    assert db.session.scalar(select(func.count()).select_from(Lead)) == number - 1
    pages(app, 100_000)
    kept = re.search(r'name="form-token"[^>]*value="([^"]+)"', refused.text)
    assert kept
    again = client.post("/offers/guide/", data={"form-token": kept[1], "email": f"p{number}@example.org"})
    assert again.status_code == 303
    assert db.session.scalar(select(func.count()).select_from(Lead)) == number
