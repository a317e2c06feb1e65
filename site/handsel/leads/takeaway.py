"""Leads taken home: one export from the question to the last byte, with its entry in the log and what it remembers."""

from __future__ import annotations

import tempfile
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy.orm import Session

from handsel import clock
from handsel.accounts import audit
from handsel.accounts.audit import Actor
from handsel.db import db, writing
from handsel.errors import HandselError
from handsel.leads import export, finding, questions
from handsel.leads.finding import Wanted
from handsel.leads.layouts import saved
from handsel.leads.layouts.columns import COLUMNS, CUSTOM, NOT_CUSTOM
from handsel.leads.layouts.memory import Taking
from handsel.leads.layouts.saved import Layout
from handsel.offers.project import Project

KINDS = ("csv", "csv-excel", "xlsx")
BLOCK = 1 << 16


@dataclass
class Takeaway:
    """One export. ``begin`` counts and logs it; ``parts`` gives the file; ``finish`` remembers that it was given.

    With ``since_last`` come only leads that are new or changed since this account last took this layout.
    """

    asked: Wanted
    layout: Layout
    kind: str
    actor: Actor
    since_last: bool = False
    remember: bool = False
    total: int = 0
    """How many leads the filter finds; with ``since_last`` no more than these come."""
    rows: int = 0
    """How many rows were written."""
    _first: int = 0
    _taking: Taking | None = field(default=None)

    def begin(self, session: Session) -> None:
        """Count the leads and write the export into the log. Nothing may be open on the session but reading."""
        self._first = finding.first_number(session, self.asked)
        self.total = finding.count(session, self.asked, self._first)
        if self.since_last or self.remember:
            self._taking = Taking(self.actor, self.layout.key, only_new=self.since_last)
        with writing() as write:
            audit.record(write, "exported leads", self.actor, "leads", {"rows": self.total, **self._told()})

    def _told(self) -> dict[str, Any]:
        told: dict[str, Any] = {"format": self.kind.partition("-")[0], **self.asked.shown}
        if self.layout.key != saved.usual().key:
            told["layout"] = self.layout.title
            told["columns"] = [name for name, _ in self.layout.names]
        return told | ({"since_last": True} if self.since_last else {})

    def parts(self, engine: Any, progress: export.Progress | None = None) -> Iterator[bytes]:
        """The file, part by part, read on connections of ``engine``."""
        def heard(rows: int) -> None:
            self.rows = rows
            if progress:
                progress(rows)

        columns = self.layout.columns
        with engine.connect() as connection:
            if self.kind != "xlsx":
                yield from export.csv_parts(connection, self.asked, layout=columns, first=self._first,
                                            bom=self.kind == "csv-excel", progress=heard, taken=self._taking)
                return
            # The writer of spreadsheets goes back and forth in its file, which a stream does not allow.
            with tempfile.TemporaryFile() as file:
                self.rows = export.xlsx(connection, self.asked, file, layout=columns, first=self._first,
                                        progress=heard, taken=self._taking)
                file.seek(0)
                while part := file.read(BLOCK):
                    yield part

    def finish(self) -> None:
        """Remember what was given, now that all of it was. Needs an application context."""
        if self._taking is None:
            return
        self._taking.finish(clock.now())
        if self.since_last:
            with writing() as write:
                audit.record(write, "finished an export", self.actor, "leads", {"rows": self.rows, **self._told()})

    def close(self) -> None:
        """Let go of what an export that broke off holds; without effect after ``finish``."""
        if self._taking is not None:
            self._taking.close()


def layout_of(session: Session, project: Project, asked: Wanted, *, name: str = "",
              columns: Sequence[str | tuple[str, str]] = (), account_id: int | None = None) -> Layout:
    """The layout that somebody asks for, by its name or column by column; the usual one if neither is given."""
    if name and columns:
        raise HandselError("layout", "A layout has its columns already.", "Name either the layout or the columns.")
    wanted = [each if isinstance(each, str) else each[0] for each in columns]
    if name:
        return saved.find(session, name, account_id, fields(session, project, asked, whole=True))
    if columns:
        whole = CUSTOM in wanted or any(each not in COLUMNS for each in wanted)
        return saved.free(list(columns), fields(session, project, asked, whole=whole))
    return saved.usual()


def fields(session: Session, project: Project, asked: Wanted, *, whole: bool) -> Collection[str]:
    """The custom fields that there are: those of the project, and with ``whole`` those that any lead found has."""
    known = {name for name in questions.custom(project) if name not in NOT_CUSTOM}
    if whole:
        with db.engine.connect() as connection:
            known |= {name for name in export.custom_fields(connection, asked) if name not in NOT_CUSTOM}
    return known
