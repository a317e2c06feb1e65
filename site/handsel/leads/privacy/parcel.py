"""All that is held about a person, as one value ready for JSON, and as a zip of tables that spreadsheets open."""

from __future__ import annotations

import csv
import io
import json
import re
import zipfile
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from handsel.db import Base, instant_text
from handsel.leads.cells import guarded, written
from handsel.leads.mailboxes import head_of, mailboxes_of
from handsel.leads.models import Capture, Lead
from handsel.leads.privacy import schema, traces
from handsel.leads.profile import COLUMNS, Said, profile

HIDDEN = {"id", "lead_id", "capture_id", "grant_id", "message_id", "merged_into_id", "company_id", "memory_id",
          "act_id", "import_id", "experiment_id", "period_id", "worker", "lease_until", "once", "key", "salt", "digest",
          "look_at", "plain", "ref"}
"""Columns that are about our own machinery, or open doors: they stay out of a file that people pass on."""
STAFF = {"actor", "done_by", "owner_id", "account_id", "sender"}
"""Columns that name who works here, and not the person."""
VIEWS = {"lead_fact", "lead_bant", "lead_word"}
"""Tables that are made of all mailboxes of a person, and of nothing else."""
LENT = "merged"
"""The source of a tag or offer that a merged mailbox lends to the lead it was merged into."""
_DOOR = re.compile(r"/(get|u|confirm|preferences|event|thanks|enter)/[\w.~-]{12,}")


def mailboxes(session: Session, lead: Lead) -> tuple[Lead, ...]:
    """All mailboxes of the person behind ``lead``: the lead that stands in lists first, then those merged into it."""
    head = head_of(session, lead.id)
    return tuple(session.get_one(Lead, id_) for id_ in mailboxes_of(session, [head])[head])


def everything(session: Session, lead: Lead, *, of_person: bool = True, staff: bool = False) -> dict[str, Any]:
    """Under the name of each table what it holds about the person behind ``lead``; ``lead`` itself is one row.

    Without ``of_person`` only what belongs to this one mailbox: its link proves no other, and whoever merged them may
    have been wrong. With ``staff`` the rows name who of us did something. The words agreed to stand under ``wording``,
    by their hash.
    """
    all_ = mailboxes(session, lead)
    taken = (lead, *(other for other in all_ if other.id != lead.id)) if of_person else (lead,)
    ids = tuple(one.id for one in taken)
    connection = session.connection()
    hidden = HIDDEN if staff else HIDDEN | STAFF
    told: dict[str, Any] = {name: [_told(row, hidden) for row in rows]
                            for name, rows in schema.rows(connection, ids).items() if name != "lead"}
    person = traces.Person.of(connection, ids)
    for name, where in traces.TRACES.items():
        table = Base.metadata.tables[name]
        found = connection.execute(select(table).where(where(person))).mappings().all()
        told[name] = {row["hash"]: row["text"] for row in found} if name == "wording" else [
            _told(dict(row), hidden) for row in found]
    leads = [_told({column.name: getattr(one, column.name) for column in Lead.__table__.columns}, hidden)
             for one in taken]
    if len(all_) > 1 and not of_person:
        _only_own(session, lead, leads[0], told)
    return {"lead": leads[0], **({"other_mailboxes": leads[1:]} if leads[1:] else {}),
            **dict(sorted(told.items()))}


def _only_own(session: Session, lead: Lead, row: dict[str, Any], told: dict[str, Any]) -> None:
    """Leave out what came from the person's other mailboxes."""
    captures = session.scalars(select(Capture).where(Capture.lead_id == lead.id).order_by(Capture.at, Capture.id)).all()
    own = profile(Said(capture.answers, capture.proven_at is not None) for capture in captures)
    row.update({name: own[name] for name in (*COLUMNS, "custom")})
    for name in VIEWS:
        told.pop(name, None)
    for name in ("lead_tag", "lead_offer"):
        told[name] = [one for one in told[name] if one.get("source") != LENT]
    row["tags_text"] = ", ".join(sorted(one["tag"] for one in told["lead_tag"]))
    row["offers_text"] = ", ".join(sorted(one["offer"] for one in told["lead_offer"]))


def masked(address: str) -> str:
    """An address that its owner knows again and nobody else can read: ``a•••@e•••.org``."""
    local, _, domain = address.rpartition("@")
    name, _, ending = domain.rpartition(".")
    return f"{local[:1]}•••@{name[:1]}•••.{ending}"


def as_json(told: Mapping[str, Any]) -> str:
    """The parcel as a text that machines and patient people read."""
    return json.dumps(told, indent=2, ensure_ascii=False)


def as_zip(told: Mapping[str, Any]) -> bytes:
    """The parcel as a zip: one CSV for each table that holds anything, and all of it again as JSON."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("everything.json", as_json(told))
        for name, value in told.items():
            rows = _rows(name, value)
            if rows:
                archive.writestr(f"{name}.csv", _csv(rows))
    return target.getvalue()


def _rows(name: str, value: Any) -> list[Mapping[str, Any]]:
    if name == "wording":
        return [{"hash": hash_, "text": text} for hash_, text in value.items()]
    return [value] if isinstance(value, Mapping) else list(value)


def _csv(rows: list[Mapping[str, Any]]) -> str:
    text = io.StringIO()
    table = csv.writer(text)
    table.writerow(rows[0])
    for row in rows:
        table.writerow([guarded(_cell(value)) for value in row.values()])
    return "\N{BYTE ORDER MARK}" + text.getvalue()


def _cell(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False) if isinstance(value, dict) else (
        json.dumps(value, ensure_ascii=False) if isinstance(value, list) and any(isinstance(one, dict) for one in value)
        else written(value))


def _told(row: Mapping[str, Any], hidden: set[str]) -> dict[str, Any]:
    return {name: _value(value) for name, value in row.items() if name not in hidden}


def _value(value: Any) -> Any:
    """A column's value as JSON knows it, without the secrets of personal links."""
    if isinstance(value, datetime):
        return instant_text(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, dict):
        return {name: _value(one) for name, one in value.items()}
    if isinstance(value, list):
        return [_value(one) for one in value]
    return _DOOR.sub(r"/\1/…", value) if isinstance(value, str) else value
