"""Answers for machines: whether the process lives and can serve, its figures, and how experiments stand."""

from __future__ import annotations

import logging

from flask import Blueprint, Flask, jsonify
from flask.typing import ResponseReturnValue
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from handsel import schema
from handsel.db import db
from handsel.errors import HandselError
from handsel.offers.live import current

bp = Blueprint("api", __name__)
log = logging.getLogger(__name__)


def init_app(app: Flask) -> None:
    """Register the machines' pages."""
    from handsel.api import events, metrics, v1  # noqa: F401  events hang on v1

    metrics.init_app(app)
    app.register_blueprint(bp)
    app.register_blueprint(v1.bp)


@bp.get("/healthz")
def healthz() -> ResponseReturnValue:
    """Whether this process answers; asks nothing of the database, so a slow one does not get it restarted."""
    return _answer({"process": True})


@bp.get("/readyz")
def readyz() -> ResponseReturnValue:
    """Whether this process can serve: the database answers with this release's tables, and the project can be read."""
    return _answer({"database": _database(), "tables": _tables(), "project": _project()})


def _answer(checks: dict[str, bool]) -> ResponseReturnValue:
    good = all(checks.values())
    answer = jsonify(ok=good, checks=checks)
    answer.headers["Cache-Control"] = "no-store"
    return answer, 200 if good else 503


def _database() -> bool:
    try:
        with db.engine.connect() as connection:
            connection.execute(text("SELECT 1"))
    except SQLAlchemyError as error:
        log.warning("not ready: the database does not answer: %s", error.__class__.__name__)
        return False
    return True


def _tables() -> bool:
    try:
        return schema.current() == schema.head()
    except HandselError:
        return False


def _project() -> bool:
    try:
        return bool(current().site.name)
    except (HandselError, OSError) as error:
        log.warning("not ready: the project cannot be read: %s", error)
        return False
