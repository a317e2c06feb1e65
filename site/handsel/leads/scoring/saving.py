"""Saving and undoing the scoring rules: a change of ``content/_scoring.yml`` with its line in the log, or neither."""

from __future__ import annotations

import hashlib
from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from handsel import clock
from handsel.accounts import audit
from handsel.accounts.audit import Actor
from handsel.db import db
from handsel.errors import HandselError
from handsel.leads.carrying import carry_out
from handsel.leads.scoring.models import ScoringEdit
from handsel.offers.live import Live
from handsel.offers.writing import Change, checked, present
from handsel.rules.scoring import FILE
from handsel.rules.settings import shipped

UNDONE_WITHIN = timedelta(days=30)


class Conflict(HandselError):
    """Somebody changed the rules since the form was drawn."""


def written(live: Live) -> tuple[str, str]:
    """The rules as they stand in the file, or the shipped ones, and a mark that changes whenever they do."""
    data = present(live.root, FILE)
    text = (shipped(FILE) if data is None else data).decode("utf-8-sig", "replace").replace("\r\n", "\n")
    return text, _mark(data)


def save(live: Live, text: str, *, seen: str, actor: Actor) -> ScoringEdit:
    """Write the rules in the place of those whose mark was ``seen``.

    Raises Conflict if they changed meanwhile, and HandselError, changing nothing, for what would be a fault.
    """
    data = present(live.root, FILE)
    if _mark(data) != seen:
        raise Conflict(FILE, "Somebody changed the rules meanwhile.",
                       "What you typed is kept here. Open the page anew beside it, and bring the two together.")
    return _carry_out(live, data, text.rstrip("\n").encode() + b"\n", action="changed the scoring rules",
                      actor=actor)


def undo(live: Live, edit_id: int, *, actor: Actor) -> ScoringEdit:
    """Put the rules back as they were before that change. Raises HandselError if they changed again."""
    edit = db.session().get(ScoringEdit, edit_id)
    if edit is None or edit.undone_at is not None or edit.at < clock.now() - UNDONE_WITHIN:
        raise HandselError(FILE, "That change cannot be undone any more.", "Change the rules by hand.")
    data = present(live.root, FILE)
    if (None if data is None else data.decode("utf-8", "replace")) != edit.after:
        raise Conflict(FILE, "The rules were changed again since.", "Change them by hand.")
    before = None if edit.before is None else edit.before.encode()
    return _carry_out(live, data, before, action="undid a change of the scoring rules", actor=actor,
                      undone=edit.id)


def recent(session: Session, most: int = 5) -> list[ScoringEdit]:
    """The latest changes that can be undone, the last one first."""
    return list(session.scalars(select(ScoringEdit).where(
        ScoringEdit.at >= clock.now() - UNDONE_WITHIN, ScoringEdit.undone_at.is_(None))
        .order_by(ScoringEdit.id.desc()).limit(most)))


def _carry_out(live: Live, before: bytes | None, after: bytes | None, *, action: str, actor: Actor,
               undone: int | None = None) -> ScoringEdit:
    changes = [Change(FILE, before, after)]
    checked(live.refresh(), changes)
    at = clock.now()
    edit = ScoringEdit(at=at, before=_text(before), after=_text(after), actor=actor.name, account_id=actor.account_id)

    def record(session: Session) -> None:
        if undone is not None:
            session.get_one(ScoringEdit, undone).undone_at = at
        else:
            session.add(edit)
        audit.record(session, action, actor, FILE, {"before": _mark(before), "after": _mark(after)})

    carry_out(live, changes, record)
    return edit


def _text(data: bytes | None) -> str | None:
    return None if data is None else data.decode("utf-8", "replace")


def _mark(data: bytes | None) -> str:
    return hashlib.sha256(data).hexdigest()[:16] if data is not None else "none"
