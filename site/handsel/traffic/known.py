"""Visitors who agreed to be recognised: whom the number in a cookie stands for, asked anew every few seconds.

Without that consent there is no cookie and nothing here is ever asked. A number that nobody gave out, that was taken
back or that has run out stands for nobody, and its sender counts as every other visitor does.
"""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

from flask import Flask
from sqlalchemy import select
from sqlalchemy.exc import DBAPIError

from handsel import clock
from handsel.db import db
from handsel.traffic.models import KnownVisitor

FRESH = 5.0  # seconds for which an answer is kept: how long a withdrawal may take to reach other processes
MOST = 4096  # answers kept at a time
_NUMBER = re.compile(r"[0-9a-f]{32}")


class _Answer(NamedTuple):
    unit: str
    until: datetime | None
    asked: float


class Known:
    """The memory of one process; every thread may use it."""

    def __init__(self, app: Flask) -> None:
        self.name = "__Host-visitor" if str(app.config["SITE_URL"]).startswith("https://") else "visitor"
        self._app = app
        self._answers: dict[str, _Answer] = {}

    def number(self, cookies: str) -> str:
        """The visitor's number in a Cookie header; empty when there is none."""
        for cookie in cookies.split(";"):
            name, _, value = cookie.strip().partition("=")
            if name == self.name:
                return value if _NUMBER.fullmatch(value) else ""
        return ""

    def unit(self, number: str) -> str:
        """Whom experiments count when ``number`` comes; empty when it stands for nobody."""
        answer = self._answers.get(number)
        if answer is None or time.monotonic() - answer.asked > FRESH:
            answer = self._ask(number)
        return answer.unit if answer.until is not None and clock.now() < answer.until else ""

    def alone(self, environ: Mapping[str, Any]) -> bool:
        """Whether a request's cookies are the number of a visitor who is recognised, and nothing else."""
        cookies: str = environ["HTTP_COOKIE"]
        if ";" in cookies or "HTTP_SEC_GPC" in environ or "HTTP_DNT" in environ:
            return False
        number = self.number(cookies)
        return bool(number) and bool(self.unit(number))

    def forget(self) -> None:
        """Ask the database again from now on: after a consent came or went in this process."""
        self._answers = {}

    def _ask(self, number: str) -> _Answer:
        asked = select(KnownVisitor.unit, KnownVisitor.until).where(KnownVisitor.visitor == number)
        try:
            with self._app.app_context(), db.engine.connect() as connection:
                row = connection.execute(asked).first()
        except DBAPIError:
            row = None  # pages come without a database too; this visit is then one of a stranger
        answer = _Answer(row.unit, row.until, time.monotonic()) if row else _Answer("", None, time.monotonic())
        if len(self._answers) >= MOST:
            self._answers = {}
        self._answers[number] = answer
        return answer
