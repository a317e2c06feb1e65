"""Somebody at the desk: a client that is signed in with a role and sends forms as the pages have them."""

from __future__ import annotations

import re
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from factories import make_account
from handsel import clock
from handsel.accounts import links
from handsel.accounts.models import Account
from handsel.db import db, writing


def token_of(page: str) -> str:
    """The CSRF token of the first form on a page."""
    found = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', page)
    assert found is not None, f"no form with a token: {page[:200]}"
    return found[1]


class AtDesk:
    """One browser at the desk. Without a role it is nobody's."""

    def __init__(self, app: Flask, role: str | None = None, account: Account | None = None, **client: Any) -> None:
        self.client: FlaskClient = app.test_client(**client)
        self.account_id: int | None = None
        self.email = ""
        if role is not None or account is not None:
            self._come_in(account or make_account(role or "owner"))

    def _come_in(self, account: Account) -> None:
        self.account_id, self.email = account.id, account.email
        with writing() as session:
            secret, _ = links.make(session, account.id, clock.now(), links.BY_MAIL)
        db.session.rollback()
        page = self.get(f"/desk/enter/{secret}")
        answer = self.client.post(f"/desk/enter/{secret}", data={"csrf_token": token_of(page.text)})
        assert answer.status_code == 303, answer.text

    def get(self, path: str, **more: Any) -> TestResponse:
        return self.client.get(path, **more)

    def token(self) -> str:
        """A token that this browser's session takes."""
        return token_of(self.get("/desk/keys" if self.account_id else "/desk/sign-in").text)

    def post(self, path: str, _headers: dict[str, str] | None = None, **fields: Any) -> TestResponse:
        """Send a form of our own page."""
        return self.client.post(path, data={"csrf_token": self.token()} | fields, headers=_headers)

    def sign_in(self, email: str, password: str, _headers: dict[str, str] | None = None, **fields: str) -> TestResponse:
        """Fill in the sign-in page and send it."""
        token = token_of(self.get("/desk/sign-in").text)
        return self.client.post("/desk/sign-in", headers=_headers,
                                data={"csrf_token": token, "email": email, "password": password} | fields)


def contents() -> dict[str, list[str]]:
    """Every row of every table as text: equal before and after what must change nothing."""
    with db.engine.connect() as connection:
        return {table.name: sorted(map(repr, connection.execute(table.select())))
                for table in db.metadata.sorted_tables}
