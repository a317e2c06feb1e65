"""What was read, kept under ``instance/cache/`` between processes: a start reads only what has changed since.

The file belongs to the server as its database does. It is taken up only if the same program wrote it, if nobody else
may write it, and it can bring back nothing but plain values and our own classes.
"""

from __future__ import annotations

import contextlib
import fcntl
import gc
import os
import pickle
import stat
import sys
import time
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

import handsel
from handsel.content import plainpickle
from handsel.offers.project import Project

FOLDER = "instance/cache"
FILE = f"{FOLDER}/project"
LEAST = 20  # files read anew that make it worth writing all again; a tenth of all files where that is more
MANY = 1_000  # files
PATIENCE = 120.0  # seconds: longer than a first reading of ten thousand pages takes
PARTS = ("content", "forms", "rules", "offers")
"""The packages whose code makes a project: what another one made is not taken up."""


def save(root: Path, project: Project) -> None:
    """Keep ``project`` for the next process, if enough was read since it was last kept. A full disk is no hindrance."""
    memo = project.past.memo
    if memo.made < max(LEAST, len(memo) // 10):
        return
    memo.made = 0
    path = root / FILE
    fresh = path.with_name(f"{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(_program() + b"\n")
            pickle.dump(project, file, protocol=5)
        os.replace(fresh, path)
    except OSError:
        with contextlib.suppress(OSError):
            fresh.unlink(missing_ok=True)


def load(root: Path) -> Project | None:
    """The project as the last process left it, whatever has changed since; None if there is nothing to go by."""
    try:
        descriptor = os.open(root / FILE, os.O_RDONLY | os.O_NOFOLLOW)
    except OSError:
        return None
    with os.fdopen(descriptor, "rb") as file:
        status = os.fstat(descriptor)
        if status.st_uid != os.geteuid() or status.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
            return None
        if file.readline(200).rstrip(b"\n") != _program():
            return None
        project = plainpickle.load(file)
    if not isinstance(project, Project) or project.past.tree.root != root:
        return None
    if len(project.past.memo) > MANY:
        gc.freeze()  # they stay for good; looking through all of them for garbage would take a while each time
    return project


@contextlib.contextmanager
def alone(root: Path, patience: float = PATIENCE) -> Iterator[None]:
    """One process at a time: of several that start together the first reads, and the others take up what it kept.

    After ``patience`` seconds we go on all the same: whoever holds the lock then is stuck, and it is not needed.
    """
    try:
        (root / FOLDER).mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = os.open(root / FOLDER / "lock", os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    except OSError:
        yield
        return
    try:
        give_up_at = time.monotonic() + patience
        while not _locked(lock) and time.monotonic() < give_up_at:
            time.sleep(0.02)
        yield
    finally:
        os.close(lock)


def _locked(lock: int) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


@lru_cache(maxsize=1)
def _program() -> bytes:
    """What tells this program from another that would have read the same files differently."""
    home = Path(handsel.__file__).parent
    files = [home / "merge.py", home / "errors.py", *(file for part in PARTS for file in (home / part).rglob("*.py"))]
    stamps = [(status.st_mtime_ns, status.st_size) for status in map(os.stat, sorted(files))]
    return f"handsel {handsel.__version__} {sys.version_info[:3]} {hash(tuple(stamps))}".encode()
