"""The database: one door for both engines; what differs between SQLite and PostgreSQL sits here."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zlib import crc32

from flask import Flask
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import BigInteger, Dialect, Engine, Index, Integer, MetaData, String, event, text
from sqlalchemy.engine import Connection, make_url
from sqlalchemy.orm import DeclarativeBase, Session
from sqlalchemy.types import TypeDecorator

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}


class Base(DeclarativeBase):
    metadata = MetaData(naming_convention=NAMING)


db = SQLAlchemy(model_class=Base, disable_autonaming=True)
if TYPE_CHECKING:
    Model = Base
else:
    Model = db.Model

BUSY = 10_000  # milliseconds that a writer waits for the others on SQLite
LOOK = 0.002  # seconds between two looks whether they are done
Key = BigInteger().with_variant(Integer, "sqlite")
"""A row's number: 64 bits on both engines (SQLite's INTEGER PRIMARY KEY is the row id)."""


class Instant(TypeDecorator[datetime]):
    """An instant in UTC, stored as ``2026-11-22T12:00:00.000Z``.

    Text of one width sorts as time does on both engines, reads well in a shell, and goes into an export as it stands.
    Values without a timezone are refused: they would be an hour off twice a year.
    """

    impl = String(24)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> str | None:
        return None if value is None else instant_text(value)

    def process_result_value(self, value: str | None, dialect: Dialect) -> datetime | None:
        return None if value is None else datetime.fromisoformat(value)


def instant_text(value: datetime) -> str:
    """``value`` as the 24 characters that the database keeps. Raises ValueError for a naive time."""
    if value.tzinfo is None:
        raise ValueError("an instant needs a timezone")
    return _text(value.astimezone(UTC))


@lru_cache(maxsize=64)  # one capture writes the same instant into fifteen rows
def _text(value: datetime) -> str:
    return value.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def init(app: Flask, url: str, synchronous: str) -> None:
    """Bind ``app`` to the database at ``url``; an empty one means SQLite in the instance folder.

    ``synchronous`` is SQLite's word for how far a commit is pushed: FULL survives a power cut, NORMAL may not.
    """
    url = url or f"sqlite:///{Path(app.instance_path) / 'handsel.db'}"
    sqlite = make_url(url).get_backend_name() == "sqlite"
    # hide_parameters: an error's text reaches the log, and what visitors typed must not.
    options: dict[str, Any] = {"pool_pre_ping": not sqlite, "pool_size": 16, "max_overflow": 16,
                               "hide_parameters": True}
    if sqlite:
        options["connect_args"] = {"timeout": 10, "check_same_thread": False}
    app.config.update(SQLALCHEMY_DATABASE_URI=url, SQLALCHEMY_ENGINE_OPTIONS=options)
    db.init_app(app)
    with app.app_context():
        if sqlite:
            _prepare_sqlite(db.engine, synchronous)


def _prepare_sqlite(engine: Engine, synchronous: str) -> None:
    """Durable, concurrent settings, and our own BEGIN, because the driver's comes too late and never IMMEDIATE."""

    @event.listens_for(engine, "connect")
    def _settings(connection: Any, _record: object) -> None:
        connection.isolation_level = None
        for pragma in ("journal_mode=WAL", f"synchronous={synchronous}", "foreign_keys=ON", f"busy_timeout={BUSY}",
                       "temp_store=MEMORY", "cache_size=-8000",
                       "secure_delete=ON"):  # what a person wanted erased must not stay readable in free pages
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        # A read transaction that turns into a write one fails at once with "database is locked"; so writers say so.
        writes = connection.get_execution_options().get("writes", False)
        if writes:
            _queue_up(connection)
        else:
            connection.exec_driver_sql("BEGIN")


def _queue_up(connection: Connection) -> None:
    """Begin to write as soon as the others let us, or fail after the connection's busy timeout.

    SQLite itself looks every 100 ms in the end, and among many who come and go it then waits for seconds.
    """
    driver = connection.connection.cursor()
    (patience,) = driver.execute("PRAGMA busy_timeout").fetchone()
    until = time.monotonic() + patience / 1000
    driver.execute("PRAGMA busy_timeout=0")
    try:
        while time.monotonic() < until:
            try:
                driver.execute("BEGIN IMMEDIATE")
                return
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY:
                    break
                time.sleep(LOOK)
        connection.exec_driver_sql("BEGIN IMMEDIATE")  # what it raises now is what SQLAlchemy's callers know
    finally:
        driver.execute(f"PRAGMA busy_timeout={patience}")
        driver.close()


@contextmanager
def writing() -> Iterator[Session]:
    """One write transaction on the session of this request or command: committed at the end, rolled back on an error.

    What the session read before is let go first, so objects loaded earlier are loaded anew. Does not nest.
    """
    session: Session = db.session()
    session.rollback()
    session.connection(execution_options={"writes": True})
    try:
        yield session
        session.commit()
    except BaseException:
        session.rollback()
        raise


@contextmanager
def write_connection() -> Iterator[Connection]:
    """One write transaction on a bare connection, for code too busy for objects; needs an application context."""
    with db.engine.connect().execution_options(writes=True) as connection, connection.begin():
        yield connection


@contextmanager
def snapshot() -> Iterator[Connection]:
    """A connection that reads one state of the database throughout, whatever others write meanwhile."""
    # On SQLite every transaction sees one state.
    options: dict[str, Any] = {} if is_sqlite() else {"isolation_level": "REPEATABLE READ"}
    with db.engine.connect().execution_options(**options) as connection, connection.begin():
        yield connection


def is_alone(connection: Connection, name: str, *, wait: bool = False) -> bool:
    """Whether nobody else does ``name`` until this write transaction ends; with ``wait`` only comes back when so.

    On SQLite whoever writes is alone anyway.
    """
    if connection.dialect.name == "sqlite":
        return True
    number = crc32(name.encode())
    if wait:
        connection.execute(text("SELECT pg_advisory_xact_lock(:number)"), {"number": number})
        return True
    return bool(connection.scalar(text("SELECT pg_try_advisory_xact_lock(:number)"), {"number": number}))


def learn_shapes(connection: Connection) -> None:
    """Let SQLite look how its tables are filled, so that it chooses the index that leaves the fewest rows.

    It never does so by itself, as PostgreSQL does. A thousand rows of each index are enough, and take a moment only.
    """
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("PRAGMA analysis_limit=1000")
        connection.exec_driver_sql("ANALYZE")


def is_sqlite() -> bool:
    """Whether the current application's database is SQLite."""
    return db.engine.dialect.name == "sqlite"


def insert_or(table: type[Base], dialect: str) -> Any:
    """An INSERT for ``table`` that knows ``on_conflict_do_nothing`` and ``on_conflict_do_update`` on either engine."""
    if dialect == "sqlite":
        from sqlalchemy.dialects import sqlite as engine
    else:
        from sqlalchemy.dialects import postgresql as engine  # type: ignore[no-redef]
    return engine.insert(table.__table__)  # type: ignore[arg-type]


def partial_index(name: str, *columns: str, unique: bool = False, sqlite: str, postgresql: str) -> Index:
    """An index over the rows for which a condition holds, in the words of each engine.

    PostgreSQL's is told to the index when it is made there: to name it here would load that engine's whole dialect in
    each process, on SQLite too.
    """
    index = Index(name, *columns, unique=unique, sqlite_where=text(sqlite))

    @event.listens_for(index, "before_create")
    def _tell(index: Index, connection: Connection, **_options: object) -> None:
        if connection.dialect.name == "postgresql":
            index.dialect_options["postgresql"]["where"] = text(postgresql)

    return index
