"""Backups: one file with the database and what proves it whole, made while the site runs; and the way back.

A backup is a zip of ``manifest.json`` and the database: a SQLite file that ``VACUUM INTO`` wrote (so nothing erased
is in its free pages), or what ``pg_dump`` made. It holds no keys and passwords: keep instance/secret_key elsewhere.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
import sqlite3
import subprocess
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import IO, Any

from flask import current_app
from sqlalchemy import func, select, text

from handsel import __version__, clock, schema
from handsel.db import db, instant_text, is_sqlite
from handsel.errors import HandselError

MANIFEST, DATA = "manifest.json", "database"
COUNTED = ("lead", "capture", "message")


def write(target: IO[bytes]) -> dict[str, Any]:
    """Write a backup of the current application's database to ``target`` and give its manifest.

    Everything committed before the call is in it. Raises HandselError when ``pg_dump`` is missing or fails.
    """
    at = instant_text(clock.now())
    with tempfile.TemporaryDirectory(dir=current_app.instance_path, prefix=".backup-") as folder:
        data = Path(folder) / DATA
        if is_sqlite():
            counts = _copy_sqlite(data)
        else:
            counts = _counts()
            _postgres("pg_dump", "--format=custom", "--no-owner", "--no-privileges", f"--file={data}")
        manifest = {"handsel": __version__, "release": schema.current(), "at": at, "engine": db.engine.dialect.name,
                    "sha256": _digest(data), "bytes": data.stat().st_size, "rows": counts}
        with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
            archive.writestr(MANIFEST, json.dumps(manifest, indent=2))
            archive.write(data, DATA)
    return manifest


def _copy_sqlite(data: Path) -> dict[str, int]:
    with db.engine.connect() as connection:
        raw = connection.connection.dbapi_connection
        assert raw is not None
        raw.rollback()
        raw.execute("VACUUM INTO ?", (str(data),))
    with closing(sqlite3.connect(data)) as copy:
        return {name: copy.execute(f"SELECT count(*) FROM {name}").fetchone()[0]  # noqa: S608  our own names
                for name in COUNTED}


def _counts() -> dict[str, int]:
    with db.engine.connect() as connection:
        return {name: connection.scalar(select(func.count()).select_from(text(name))) or 0 for name in COUNTED}


def read_manifest(source: Path) -> dict[str, Any]:
    """The manifest of the backup at ``source``. Raises HandselError if it is no backup of ours."""
    try:
        with zipfile.ZipFile(source) as archive:
            manifest = json.loads(archive.read(MANIFEST))
            archive.getinfo(DATA)
    except (OSError, KeyError, ValueError, zipfile.BadZipFile) as error:
        raise HandselError(str(source), "This is no backup that `handsel db backup` made.",
                           "Name the .zip file that it wrote.") from error
    assert isinstance(manifest, dict)
    return manifest


def restore(source: Path) -> dict[str, Any]:
    """Put the database of the backup at ``source`` in the place of the current one, and give the backup's manifest.

    A SQLite file that was there is kept beside it. Needs the project for itself. Raises HandselError, with nothing
    changed, for a damaged backup, one of another engine or of a newer release, or while processes use the database.
    """
    manifest = read_manifest(source)
    _check(source, manifest)
    with alone(Path(current_app.instance_path)), tempfile.TemporaryDirectory(
            dir=current_app.instance_path, prefix=".restore-") as folder:
        data = Path(folder) / DATA
        with zipfile.ZipFile(source) as archive, archive.open(DATA) as packed, data.open("wb") as file:
            shutil.copyfileobj(packed, file, 1 << 20)
        if _digest(data) != manifest.get("sha256"):
            raise HandselError(str(source), "The backup is damaged: its checksum is not that of its content.",
                               "Take another backup.")
        if is_sqlite():
            _put_sqlite(source, data)
        else:
            _nobody_else()
            db.engine.dispose()
            _postgres("pg_restore", "--clean", "--if-exists", "--no-owner", "--no-privileges", "--single-transaction",
                      f"--dbname={db.engine.url.database}", str(data))
    return manifest


def _check(source: Path, manifest: dict[str, Any]) -> None:
    engine = db.engine.dialect.name
    if manifest.get("engine") != engine:
        raise HandselError(str(source), f"It is a backup of {manifest.get('engine')}, and this site uses {engine}.",
                           "Set HANDSEL_DATABASE_URL to a database of the backup's kind.")
    if str(manifest.get("release", "")) > schema.head():
        raise HandselError(str(source), f"It was made by a newer release ({manifest.get('handsel')}).",
                           "Install that release first.")


def _put_sqlite(source: Path, data: Path) -> None:
    with closing(sqlite3.connect(data)) as connection:
        said = connection.execute("PRAGMA integrity_check").fetchone()[0]
        if said != "ok":
            raise HandselError(str(source), f"The database in the backup is damaged: {said}.", "Take another backup.")
    current = Path(str(db.engine.url.database))
    db.session.remove()
    db.engine.dispose()
    if current.exists():
        with closing(sqlite3.connect(current)) as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        stamp = instant_text(clock.now()).replace(":", "")
        current.rename(current.with_name(f"{current.stem}-before-{stamp}{current.suffix}"))
    for left in ("-wal", "-shm"):
        current.with_name(current.name + left).unlink(missing_ok=True)
    with data.open("rb") as file:
        os.fsync(file.fileno())
    data.rename(current)


def _nobody_else() -> None:
    with db.engine.connect() as connection:
        others = connection.scalar(text(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() "
            "AND backend_type = 'client backend'")) or 0
    if others:
        raise HandselError("database", f"{others} other connections use it.",
                           "Stop `handsel run`, `serve` and `work` on every machine first.")


@contextmanager
def in_use(instance: Path) -> Iterator[None]:
    """Mark the project as running; children that are forked meanwhile keep the mark for as long as they live."""
    with (instance / "running.lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_SH)
        yield


@contextmanager
def alone(instance: Path) -> Iterator[None]:
    """Have the project for oneself. Raises HandselError while one of its processes runs on this machine."""
    with (instance / "running.lock").open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise HandselError(str(instance.parent), "The site is running.",
                               "Stop `handsel run`, `serve` and `work` first.") from error
        yield


def _postgres(program: str, *arguments: str) -> None:
    """Run one of PostgreSQL's own programs on our database; its password travels where `ps` does not show it."""
    found = shutil.which(program)
    if found is None:
        raise HandselError(program, "This program of PostgreSQL is not installed.",
                           "Install PostgreSQL's client programs (Debian: postgresql-client).")
    url = db.engine.url
    given = {"PGHOST": url.host or url.query.get("host"), "PGPORT": url.port, "PGUSER": url.username,
             "PGPASSWORD": url.password, "PGDATABASE": url.database, "PGSSLMODE": url.query.get("sslmode")}
    environ = os.environ | {name: str(value) for name, value in given.items() if value}
    done = subprocess.run([found, *arguments], env=environ,  # noqa: S603  no shell, our own words
                          capture_output=True, text=True, check=False)
    if done.returncode != 0:
        last = (done.stderr.strip().splitlines() or ["it says nothing"])[-1]
        raise HandselError(program, f"It failed: {last}.", "Check that its version is not older than the server's.")


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
