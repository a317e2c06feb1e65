"""Saving, deleting and undoing segments: a change of ``content/_segments.yml`` with its line in the log, or neither."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from handsel import clock
from handsel.accounts import audit
from handsel.accounts.audit import Actor
from handsel.content import parse
from handsel.content.schema import SLUG
from handsel.db import db
from handsel.errors import HandselError
from handsel.leads.carrying import carry_out
from handsel.leads.segments.models import SegmentEdit
from handsel.offers.live import Live
from handsel.offers.writing import Change, checked, present
from handsel.rules.segments import FILE
from handsel.rules.writing import edited, lines_at, put_back

UNDONE_WITHIN = timedelta(days=30)
KEYS = ("label", "note", "tag", "when")


class Conflict(HandselError):
    """Somebody changed the segment since the form was drawn."""


@dataclass(frozen=True)
class Draft:
    """A segment as somebody wants it. ``rule`` is what stands below ``when``."""

    label: str
    rule: Mapping[str, Any]
    note: str = ""
    tag: str = ""

    @property
    def block(self) -> dict[str, Any]:
        """The keys of the segment in the file."""
        return {"label": self.label, **({"note": self.note} if self.note else {}),
                **({"tag": self.tag} if self.tag else {}), "when": dict(self.rule)}


def written(live: Live, name: str) -> tuple[dict[str, Any] | None, str]:
    """The segment as it stands in the file, with a fault or without (None if it is not there), and a mark that changes
    whenever its lines do."""
    data = present(live.root, FILE)
    try:
        lines = lines_at(FILE, data or b"", ("segments", name))
    except HandselError:
        return None, ""
    return _block(data, name), _mark(lines)


def save(live: Live, name: str, draft: Draft, *, seen: str, actor: Actor) -> SegmentEdit:
    """Write the segment: a new one, or in the place of the one whose mark was ``seen``.

    Raises Conflict if it changed meanwhile, and HandselError, changing nothing, for what would be a fault.
    """
    if not SLUG.fullmatch(name) or len(name) > 60:
        raise HandselError("name", "That cannot be the name of a segment.",
                           "Use small letters, digits and single hyphens.")
    data = _unchanged(live, name, seen)
    fresh = _drawn(data or b"", name, draft)
    return _carry_out(live, name, data, fresh, action="saved a segment", actor=actor)


def delete(live: Live, name: str, *, seen: str, actor: Actor) -> SegmentEdit:
    """Take the segment out of the file. Raises as ``save`` does: one that a letter or a rule names stays."""
    data = _unchanged(live, name, seen) or b""
    fresh = edited(FILE, data, ("segments", name), None)
    return _carry_out(live, name, data, fresh, action="deleted a segment", actor=actor)


def undo(live: Live, edit_id: int, *, actor: Actor) -> SegmentEdit:
    """Put the lines of a segment back as they were before that change. Raises HandselError if they changed again."""
    session = db.session()
    edit = session.get(SegmentEdit, edit_id)
    if edit is None or edit.undone_at is not None or edit.at < clock.now() - UNDONE_WITHIN:
        raise HandselError("segment", "That change cannot be undone any more.", "Open the segment and change it.")
    data = present(live.root, FILE)
    if (lines_at(FILE, data or b"", ("segments", edit.segment)) or None) != edit.after:
        raise Conflict("segment", "The segment was changed again since.", "Open it and change it by hand.")
    fresh = put_back(FILE, data or b"", ("segments", edit.segment), edit.before, edit.follows)
    return _carry_out(live, edit.segment, data, fresh, action="undid a change of a segment", actor=actor,
                      undone=edit.id)


def recent(session: Session, at: datetime, most: int = 5) -> list[SegmentEdit]:
    """The latest changes that can be undone, the last one first."""
    return list(session.scalars(select(SegmentEdit).where(
        SegmentEdit.at >= at - UNDONE_WITHIN, SegmentEdit.undone_at.is_(None))
        .order_by(SegmentEdit.id.desc()).limit(most)))


def _carry_out(live: Live, name: str, data: bytes | None, fresh: bytes, *, action: str, actor: Actor,
               undone: int | None = None) -> SegmentEdit:
    changes = [Change(FILE, data, fresh)]
    checked(live.refresh(), changes)
    way = ("segments", name)
    edit = SegmentEdit(at=clock.now(), segment=name, before=lines_at(FILE, data or b"", way) or None,
                       after=lines_at(FILE, fresh, way), follows=_before(data or b"", name), actor=actor.name,
                       account_id=actor.account_id, undone_at=clock.now() if undone else None)

    def record(session: Session) -> None:
        if undone is not None:
            session.get_one(SegmentEdit, undone).undone_at = clock.now()
        else:
            session.add(edit)
        audit.record(session, action, actor, f"segment:{name}", {"segment": name})

    carry_out(live, changes, record)
    return edit


def _drawn(data: bytes, name: str, draft: Draft) -> bytes:
    """The file with the segment; of one that is there only the keys that changed."""
    way = ("segments", name)
    now = _block(data, name)
    if now is None:
        return edited(FILE, data, way, draft.block)
    try:
        fresh = data
        for key in KEYS:
            value = draft.block.get(key)
            if now.get(key) != value:
                fresh = edited(FILE, fresh, (*way, key), value)
    except HandselError:  # the segment stands on one line
        return edited(FILE, data, way, draft.block)
    return fresh


def _unchanged(live: Live, name: str, seen: str) -> bytes | None:
    data = present(live.root, FILE)
    if _mark(lines_at(FILE, data or b"", ("segments", name))) != seen:
        raise Conflict("segment", "Somebody changed the segment meanwhile." if seen else
                       "There is a segment of that name already.",
                       "What you typed is kept: look at theirs, then save again." if seen else "Use another label.")
    return data


def _mark(lines: str | None) -> str:
    return hashlib.sha256(lines.encode()).hexdigest()[:16] if lines else ""


def _block(data: bytes | None, name: str) -> dict[str, Any] | None:
    parsed, _ = parse.settings(FILE, data or b"")
    segments = parsed.values.get("segments") if parsed else None
    found = segments.get(name) if isinstance(segments, dict) else None
    return found if isinstance(found, dict) else None


def _before(data: bytes, name: str) -> str:
    """The segment that stands before this one; the last one for a new segment."""
    parsed, _ = parse.settings(FILE, data)
    segments = parsed.values.get("segments") if parsed else None
    names = list(segments) if isinstance(segments, dict) else []
    place = names.index(name) if name in names else len(names)
    return str(names[place - 1]) if place else ""
