"""The editions of guides in the store that machines share: one machine prints, the others fetch once and give.

Below ``books/<offer>/<edition>/`` lie the content, named by its checksum, and ``pdf.json`` with that checksum. The note
is put last, so an edition is whole when it can be seen at all; ``no-pdf`` says why there is none. What a machine has
fetched it gives from its own ``instance/books/``, so a store that is away takes nothing from visitors.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import logging
import os
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from handsel.offers import editions
from handsel.storage import Entry, Store, StoreError

ASK = 5.0  # seconds between two questions of one process for an edition that was not there
AWAY = 60.0  # seconds for which a store that did not answer is left alone, by all processes of this machine
KEY = re.compile(r"[0-9a-f]{24}")
log = logging.getLogger("handsel.books")


class Lot(NamedTuple):
    """One edition of a guide in the store: its key, and what lies below it."""

    key: str
    objects: list[Entry]

    @property
    def names(self) -> set[str]:
        """Of its objects, the last part alone: ``pdf.json``, ``no-pdf``."""
        return {each.name.rpartition("/")[2] for each in self.objects}

    @property
    def at(self) -> float:
        """When the last of it came, in seconds."""
        return max(each.at.timestamp() for each in self.objects)


class Depot:
    """The way between the store and this machine's ``instance/books/``. What fails is logged, and tried again later."""

    def __init__(self, store: Store, instance: Path) -> None:
        self.store = store
        self.folder = instance / editions.FOLDER
        self.owing = False
        """Whether the store failed since this was last set to False, so that the worker has to come again."""
        self._asked: dict[tuple[Path, str], float] = {}

    @property
    def is_away(self) -> bool:
        """Whether the store has just failed to answer."""
        try:
            return time.time() - (self.folder / ".away").stat().st_mtime < AWAY
        except OSError:
            return False

    def bring(self, place: Path, kind: str) -> None:
        """Fetch an edition that another machine printed; while there is none and nothing older here, the one before."""
        if not self._is_wanted(place, kind):
            return
        with contextlib.suppress(OSError), editions.alone(place.parent, "fetch"):
            if not self._is_wanted(place, kind):
                return  # another one has fetched it meanwhile, or was told that there is none
            self._asked[place, kind] = time.monotonic()
            with self.trying():
                if not self._fetch(place, kind) and not list(place.parent.glob(f"*/book.{kind}")):
                    self._fetch_before(place.parent, kind)

    def _is_wanted(self, place: Path, kind: str) -> bool:
        lately = time.monotonic() - self._asked.get((place, kind), -ASK) < ASK
        return not (lately or self.is_away or (place / f"book.{kind}").exists())

    def _fetch_before(self, guide: Path, kind: str) -> None:
        lots = self.stock(guide.name).get(guide.name, [])
        before = next((lot for lot in lots if f"{kind}.json" in lot.names), None)
        if before is not None:
            self._fetch(guide / before.key, kind)

    @contextlib.contextmanager
    def trying(self) -> Iterator[None]:
        """Something with the store that may fail: the log says so once, and all leave it alone for a while."""
        mark = self.folder / ".away"
        try:
            yield
        except (StoreError, OSError) as error:
            self.owing = True
            if not mark.exists():
                log.error("The store of printed guides cannot be used, so what is here is given. %s", error)
            with contextlib.suppress(OSError):
                self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
                mark.touch()
        else:
            if mark.exists():
                log.info("The store of printed guides can be used again.")
                mark.unlink(missing_ok=True)

    def _fetch(self, place: Path, kind: str) -> bool:
        name, mark = self._name(place), place / f"no-{kind}"
        told = self.store.read(f"{name}/{kind}.json")
        if told is None:
            why = self.store.read(f"{name}/no-{kind}")
            if why is not None and not mark.exists():
                place.mkdir(mode=0o700, exist_ok=True)
                mark.write_bytes(why)
            return False
        sha256, pages = _read(told)
        place.mkdir(mode=0o700, exist_ok=True)
        if pages:
            (place / "pages").write_text(str(pages))
        _write(place / f"{kind}.json", told)  # before the content, so that this is never given under another name
        try:
            self.store.fetch(f"{name}/{sha256}.{kind}", place / f"book.{kind}", sha256)
        except BaseException:
            (place / f"{kind}.json").unlink()
            raise
        mark.unlink(missing_ok=True)
        editions.tidy(place)
        return True

    def give(self, place: Path, kind: str) -> None:
        """Put an edition printed here into the store. If another machine was faster, its copy is taken instead."""
        name, mark = self._name(place), place / f"no-{kind}"
        try:
            data = (place / f"book.{kind}").read_bytes()
        except FileNotFoundError:
            if mark.exists():
                self.store.put(f"{name}/{mark.name}", mark.read_bytes())
            return
        note = {"sha256": hashlib.sha256(data).hexdigest(), "size": len(data)}
        with contextlib.suppress(OSError, ValueError):
            note |= {"pages": int((place / "pages").read_text())} if kind == "pdf" else {}
        self.store.put(f"{name}/{note['sha256']}.{kind}", data)
        if self.store.put(f"{name}/{kind}.json", json.dumps(note).encode(), new=True):
            _write(place / f"{kind}.json", json.dumps(note).encode())
        else:
            self._fetch(place, kind)
        self.store.delete([f"{name}/no-{kind}"])

    def stock(self, slug: str | None = None) -> dict[str, list[Lot]]:
        """All that the store has (of one offer), by offer, the newest first. Raises StoreError."""
        found: dict[str, dict[str, list[Entry]]] = {}
        for entry in self.store.entries(editions.FOLDER if slug is None else f"{editions.FOLDER}/{slug}"):
            match entry.name.split("/"):
                case [_, offer, key, _] if KEY.fullmatch(key):  # whatever else lies there is none of our business
                    found.setdefault(offer, {}).setdefault(key, []).append(entry)
        return {offer: sorted((Lot(key, objects) for key, objects in keys.items()), key=lambda lot: -lot.at)
                for offer, keys in found.items()}

    def tidy(self, stock: dict[str, list[Lot]], newest: dict[str, str]) -> None:
        """Throw away what is long out of date, and the editions of guides that ``newest`` does not name."""
        for slug, lots in stock.items():
            before = [lot for lot in lots if lot.key != newest.get(slug)]
            for lot in before[editions.KEPT - 1:] if slug in newest else before:
                # The notes go first, so that nobody is led to what is no longer there.
                names = sorted((entry.name for entry in lot.objects), key=lambda name: not name.endswith(".json"))
                self.store.delete(names)

    def _name(self, place: Path) -> str:
        return f"{editions.FOLDER}/{place.parent.name}/{place.name}"


def _read(told: bytes) -> tuple[str, int]:
    """The checksum and the number of pages (0 where there are none) that a note tells."""
    try:
        note = json.loads(told)
        return str(note["sha256"]), int(note.get("pages", 0))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise StoreError("a note in the store", "It is none of ours.", "Delete what is in books/.") from error


def _write(path: Path, data: bytes) -> None:
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    fresh.write_bytes(data)
    os.replace(fresh, path)
