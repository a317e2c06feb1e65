"""What leads did in the product, as it tells us; each event has an id of the sender's, so that told twice is once."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from handsel.db import insert_or
from handsel.errors import HandselError
from handsel.leads.address import normalised, read
from handsel.leads.models import Lead
from handsel.leads.qualify.looking import ask
from handsel.leads.stages.models import ProductEvent

MOST = 200  # events in one request
LONGEST_ID = 100
AHEAD = timedelta(minutes=5)  # a sender's clock may be a little ahead of ours
OLDEST = timedelta(days=3660)
KEYS = ("id", "email", "event", "at", "value")
_NAME = re.compile(r"[a-z0-9][a-z0-9_.-]{0,79}")
_ID = re.compile(r"[\x21-\x7e]{1,100}")


class Told(NamedTuple):
    """One event as it was told, checked."""

    id: str
    email: str
    name: str
    at: datetime | None
    value: float


def checked(raw: Any, place: str, now: datetime) -> Told:
    """The event in ``raw``, a value of JSON. Raises HandselError that says what is wrong with it, and ``place``."""
    if not isinstance(raw, Mapping):
        raise HandselError(place, "An event is an object.", "Write {\"id\": …, \"email\": …, \"event\": …}.")
    unknown = sorted(set(raw) - set(KEYS))
    if unknown:
        raise HandselError(place, f"'{str(unknown[0])[:60]}' means nothing here.", f"Use {', '.join(KEYS)}.")
    id_, email, name = (raw.get(key) for key in ("id", "email", "event"))
    if not isinstance(id_, str) or not _ID.fullmatch(id_):
        raise HandselError(f"{place}.id", "The event has no id.",
                           "Give each event an id of its own, such as a UUID, and the same one when you send it again.")
    if not isinstance(email, str) or read(email) is None:
        raise HandselError(f"{place}.email", "That is not an e-mail address.", "Send the address of the person.")
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise HandselError(f"{place}.event", "The event has no name that rules could ask for.",
                           "Write small letters, digits, dots and dashes, such as `project-created`.")
    return Told(id_, normalised(email), name, _at(raw.get("at"), f"{place}.at", now),
                _value(raw.get("value", 0), f"{place}.value"))


def _at(raw: Any, place: str, now: datetime) -> datetime | None:
    if raw is None:
        return None
    try:
        at = datetime.fromisoformat(raw).astimezone(UTC) if isinstance(raw, str) else None
        at = at.replace(microsecond=at.microsecond // 1000 * 1000) if at else None
    except (ValueError, OverflowError):
        at = None
    if at is None or datetime.fromisoformat(raw).tzinfo is None:
        raise HandselError(place, "That is no time with a timezone.", "Write it as 2026-11-22T09:30:00Z.")
    if not now - OLDEST <= at <= now + AHEAD:
        raise HandselError(place, "That time lies ahead, or too far back.", "Send events when they have happened.")
    return at


def _value(raw: Any, place: str) -> float:
    if isinstance(raw, bool) or not isinstance(raw, (int, float)) or not abs(raw) <= 1e15:
        raise HandselError(place, "The value is no number.", "Leave it out, or send a number.")
    return float(raw)


def take(session: Session, events: Sequence[Told], sender: str, now: datetime) -> list[str]:
    """Write the events down; of each ``taken``, ``known`` (it was told before) or ``unknown`` (there is no such lead).

    Nothing is kept of people who are no leads. Raises HandselError when an id comes again with other words. Needs a
    write transaction.
    """
    leads = {email: id_ for email, id_ in session.execute(
        select(Lead.email, Lead.id).where(Lead.email.in_({event.email for event in events})))}
    answers = []
    for event in events:
        lead_id = leads.get(event.email)
        if lead_id is None:
            answers.append("unknown")
            continue
        row = insert_or(ProductEvent, session.get_bind().dialect.name).values(
            once=event.id, lead_id=lead_id, name=event.name, at=event.at or now, value=event.value, received_at=now,
            sender=sender[:120])
        taken = session.scalar(row.on_conflict_do_nothing().returning(ProductEvent.id)) is not None
        if not taken:
            _same(session, event, lead_id)
        answers.append("taken" if taken else "known")
    for lead_id in sorted({leads[event.email] for event, said in zip(events, answers, strict=True) if said == "taken"}):
        ask(session, lead_id, now)
    return answers


def _same(session: Session, event: Told, lead_id: int) -> None:
    kept = session.scalars(select(ProductEvent).where(ProductEvent.once == event.id)).one()
    # An event without a time of its own has the one when it came first.
    at = event.at or kept.at
    if (kept.lead_id, kept.name, kept.at, kept.value) != (lead_id, event.name, at, event.value):
        raise HandselError(event.id, "This id was used for another event.", "Give each event an id of its own.")
