"""The tables and their release: applying migrations, and knowing whether it is time to."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from flask import Flask, current_app
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, OperationalError

from handsel.db import db, is_sqlite
from handsel.errors import HandselError

FOLDER = Path(__file__).parent / "migrations"
LOCK = 0x68616E64  # "hand": our advisory lock in PostgreSQL


def prepare(app: Flask) -> None:
    """Let Flask-Migrate (and so ``flask db``) work on ``app``. It is heavy, so serving processes do without it."""
    from flask_migrate import Migrate

    if "migrate" not in app.extensions:
        Migrate().init_app(app, db, directory=str(FOLDER), render_as_batch=True, compare_type=True)


def head() -> str:
    """The newest migration's number, such as ``0001``."""
    return max(path.name[:4] for path in (FOLDER / "versions").glob("[0-9]*.py"))


def current() -> str:
    """The number of the last migration applied to the database; empty for one without our tables.

    Raises HandselError if the database does not answer.
    """
    try:
        with db.engine.connect() as connection:
            return str(connection.scalar(text("SELECT version_num FROM alembic_version")) or "")
    except OperationalError as error:
        if is_sqlite() and "no such table" in str(error.orig):
            return ""
        raise HandselError(
            "HANDSEL_DATABASE_URL", f"The database does not answer: {str(error.orig).strip().splitlines()[0]}.",
            "Check the address and that the database server runs.") from error
    except DBAPIError as error:
        if getattr(error.orig, "sqlstate", "") == "42P01":  # undefined table
            return ""
        raise


def require_current() -> None:
    """Raise HandselError unless the database has exactly the tables of this release."""
    found = current()
    if found == head():
        return
    if not found:
        raise HandselError("database", "It has no tables yet.", "Run: handsel db upgrade")
    if found > head():
        raise HandselError("database", f"Its tables are of a newer release ({found}) than this program ({head()}).",
                           "Install the release that made them, or restore the backup from before.")
    raise HandselError("database", f"Its tables are of release {found}, and this program needs {head()}.",
                       "Make a backup (handsel db backup), then run: handsel db upgrade")


def upgrade() -> tuple[str, str]:
    """Apply what is missing and give the numbers before and after; one process at a time, others wait their turn.

    Each migration is one transaction: one that is killed is as if it had never begun. Raises HandselError for a
    database of a newer release.
    """
    with _alone():
        before = current()
        if before > head():
            require_current()
        if before != head():
            import flask_migrate

            prepare(current_app)
            flask_migrate.upgrade()
        return before, head()


@contextmanager
def _alone() -> Iterator[None]:
    if is_sqlite():
        with (Path(current_app.instance_path) / "upgrade.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
        return
    current()  # says in words that the database does not answer
    with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("SELECT pg_advisory_lock(:lock)"), {"lock": LOCK})
        try:
            yield
        finally:
            connection.execute(text("SELECT pg_advisory_unlock(:lock)"), {"lock": LOCK})
