"""Faults in the log: each named once for as long as it stands, by one of the processes that see it."""

from __future__ import annotations

import contextlib
import hashlib
import json
import logging
import time
from collections.abc import Iterable
from pathlib import Path
from typing import TypeVar

from handsel.errors import Fault, Notice
from handsel.offers import memory

FILE = f"{memory.FOLDER}/told"
WHILE = 60  # seconds within which every process has seen what one of them named; a later start names it again
LOG = logging.getLogger("handsel.offers")
Told = TypeVar("Told", Fault, Notice)


def tell(root: Path, faults: Iterable[Fault], before: frozenset[Fault]) -> frozenset[Fault]:
    """Name in the log what is new among ``faults`` to this process and was not just named by another.

    ``before`` is what this process knew; what it knows now comes back.
    """
    now = frozenset(faults)
    for fault in sorted(_untold(root, now - before, before - now)):
        LOG.warning("%s (%s)", fault, fault.kind)
    if before and not now:
        LOG.info("All files are without fault again.")
    return now


def note(root: Path, notices: Iterable[Notice]) -> None:
    """Name in the log what happened to the files just now, unless another process has."""
    for notice in sorted(_untold(root, frozenset(notices), frozenset())):
        LOG.warning("%s (%s)", notice, notice.kind)


def _untold(root: Path, new: frozenset[Told], gone: frozenset[Told]) -> Iterable[Told]:
    """Those of ``new`` that no process has named of late; ``gone`` ones are named again if they come back."""
    if not new and not gone:
        return ()
    with memory.alone(root, patience=1):
        path, at = root / FILE, time.time()
        told = {key: when for key, when in _read(path).items() if at - when < WHILE}
        for fault in gone:
            told.pop(_key(fault), None)
        untold = [fault for fault in new if _key(fault) not in told]
        with contextlib.suppress(OSError):
            path.write_text(json.dumps(told | {_key(fault): at for fault in untold}))
    return untold


def _read(path: Path) -> dict[str, float]:
    try:
        return {str(key): float(when) for key, when in dict(json.loads(path.read_text())).items()}
    except (OSError, ValueError, TypeError):
        return {}


def _key(fault: Fault | Notice) -> str:
    return hashlib.sha256(f"{fault} {fault.kind}".encode()).hexdigest()[:16]
