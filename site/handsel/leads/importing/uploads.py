"""Files that were uploaded at the desk: private, of limited size, and gone when they are no longer needed."""

from __future__ import annotations

import os
import re
import secrets
from datetime import datetime, timedelta
from pathlib import Path
from typing import IO

from flask import Flask
from sqlalchemy import delete, select, update

from handsel.db import db, write_connection
from handsel.leads.models import LeadImport

LARGEST = 64 << 20  # bytes: some hundred thousand rows; larger files come in on the command line
WAITS = timedelta(days=1)  # for which a file waits for somebody to go on with it
_NAME = re.compile(r"[a-z0-9]{24}\.(csv|xlsx)")


def folder(app: Flask) -> Path:
    """Where uploads lie, readable by the server alone."""
    place = Path(app.instance_path) / "imports"
    place.mkdir(mode=0o700, exist_ok=True)
    return place


def path_of(app: Flask, name: str) -> Path:
    """The file of that name; ValueError for a name that is none of ours."""
    if not _NAME.fullmatch(name):
        raise ValueError(f"no upload is called {name!r}")
    return folder(app) / name


def keep(app: Flask, stream: IO[bytes]) -> Path:
    """Write an upload down under a name of our own; the path."""
    path = folder(app) / f"{secrets.token_hex(12)}.csv"
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        while block := stream.read(1 << 20):
            file.write(block)
    return path


def drop(app: Flask, name: str) -> None:
    """Delete an upload; without effect when it is gone."""
    if _NAME.fullmatch(name):
        path_of(app, name).unlink(missing_ok=True)


def clear(app: Flask, at: datetime) -> int:
    """Delete uploads that nobody went on with, and what is left of them; how many files."""
    waiting = LeadImport.state.in_(("mapping", "tried", "failed"))
    old = (LeadImport.upload != "", LeadImport.at < at - WAITS, waiting)
    with db.engine.connect() as connection:
        names = list(connection.execute(select(LeadImport.upload).where(*old)).scalars())
    for name in names:
        drop(app, name)
    with write_connection() as connection:
        begun = (LeadImport.upload.in_(names), LeadImport.fingerprint == "")
        connection.execute(delete(LeadImport).where(*begun))
        connection.execute(update(LeadImport).where(LeadImport.upload.in_(names)).values(upload=""))
        known = set(connection.execute(select(LeadImport.upload).where(LeadImport.upload != "")).scalars())
    stray = [path for path in folder(app).iterdir() if path.name not in known
             and path.stat().st_mtime < (at - WAITS).timestamp()]
    for path in stray:
        path.unlink(missing_ok=True)
    return len(names) + len(stray)

