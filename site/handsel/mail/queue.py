"""The queue: the rows of ``message`` themselves. Claimed by one statement, kept by a lease, ended by one result.

Every function takes a connection (or session) inside a transaction that its caller ends. A message is queued, claimed,
and then sent, failed, suppressed, cancelled or unknown; nothing is ever in two hands, and nothing is ever lost between.
"""

from __future__ import annotations

import secrets
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any, cast

from sqlalchemy import Table, and_, bindparam, func, insert, or_, select, update
from sqlalchemy.engine import Connection, CursorResult
from sqlalchemy.orm import Session

from handsel.mail.models import Attempt, Message
from handsel.mail.schedule import LIFETIMES, PRIORITIES

LEASE = timedelta(seconds=60)
RENEWED_EVERY = timedelta(seconds=15)  # a worker that lives renews its leases four times before one runs out
FINAL = ("sent", "failed", "suppressed", "cancelled", "unknown")
AT_MOST_ONCE = ("letter", "personal")
LOST = "The worker stopped while it was handing this over; nobody can know whether it arrived."

_m = cast(Table, Message.__table__).c
_message = cast(Table, Message.__table__)
_attempt = cast(Table, Attempt.__table__)
_LEVELS = sorted(set(PRIORITIES.values()))


@dataclass(frozen=True)
class Claimed:
    """A message in this worker's hands; the columns as they stood when it was claimed."""

    id: int
    key: str
    kind: str
    lead_id: int | None
    capture_id: int | None
    grant_id: int | None
    account_id: int | None
    offer: str
    step: str
    topic: str
    priority: int
    due_at: datetime
    first_due_at: datetime
    give_up_at: datetime
    attempts: int
    reason: str
    values: Mapping[str, Any]


_CLAIMED = [_m[part.name] for part in fields(Claimed)]


@dataclass(frozen=True)
class Result:
    """What becomes of a claimed message.

    ``state`` is a final one, or ``queued`` to come back at ``due_at``. ``outcome`` names the attempt if it was one
    (``sent``, ``retry``, ``failed``, ``unknown``); empty, and it does not count. ``afresh``: it is due only then, with
    its whole lifetime before it.
    """

    state: str
    reason: str = ""
    due_at: datetime | None = None
    outcome: str = ""
    afresh: bool = False


@dataclass(frozen=True)
class Balance:
    """How many messages there are by what became of them; ``queued`` counts those in a worker's hands too."""

    due: int
    sent: int
    suppressed: int
    failed: int
    unknown: int
    queued: int
    cancelled: int

    @property
    def holds(self) -> bool:
        """Whether every message that fell due is accounted for exactly once."""
        return self.due == self.sent + self.suppressed + self.failed + self.unknown + self.queued


def row(kind: str, *, once: str, at: datetime, due_at: datetime | None = None, **columns: Any) -> dict[str, Any]:
    """The columns of a new message, for ``insert(Message)``. ``due_at`` defaults to ``at``.

    ``once`` is unique for ever: the database refuses a second row for the same capture, kind and step.
    """
    due = due_at or at
    return {"key": secrets.token_urlsafe(16), "once": once, "kind": kind, "state": "queued", "attempts": 0,
            "priority": PRIORITIES[kind], "due_at": due, "first_due_at": due, "give_up_at": due + LIFETIMES[kind],
            "created_at": at, "offer": "", "step": "", "topic": "", "worker": "", "reason": "", "values": {}} | columns


def is_due(connection: Connection, at: datetime) -> bool:
    """Whether anything waits to be claimed; takes no lock."""
    waiting = select(_m.id).where(_m.state == "queued", _m.priority.in_(_LEVELS), _m.due_at <= at).limit(1)
    return connection.execute(waiting).first() is not None


def claim(connection: Connection, worker: str, at: datetime, limit: int) -> list[Claimed]:
    """Take up to ``limit`` due messages for ``worker``, the most urgent kinds first, the longest waiting first."""
    taken: list[Claimed] = []
    for level in _LEVELS:
        if len(taken) >= limit:
            break
        due = (select(_m.id).where(_m.state == "queued", _m.priority == level, _m.due_at <= at)
               .order_by(_m.due_at).limit(limit - len(taken)).with_for_update(skip_locked=True).cte("due"))
        # In a WITH clause, since PostgreSQL may run a mere subquery more than once and so take more than the limit.
        take = (update(_message).where(_m.id.in_(select(due.c.id)), _m.state == "queued")
                .values(state="claimed", worker=worker, lease_until=at + LEASE).returning(*_CLAIMED))
        rows = [Claimed(**claimed._mapping) for claimed in connection.execute(take)]
        taken += sorted(rows, key=lambda claimed: (claimed.due_at, claimed.id))
    return taken


def renew(connection: Connection, worker: str, at: datetime) -> None:
    """Keep what ``worker`` has in its hands for another lease."""
    connection.execute(update(_message).where(_m.state == "claimed", _m.worker == worker)
                       .values(lease_until=at + LEASE))


_ATTEMPT = insert(_attempt)
_WHEN = _m.begun_at.type
_BEGIN = (update(_message).where(_m.id == bindparam("one"), _m.state == "claimed", _m.worker == bindparam("me"))
          .values(begun_at=bindparam("at", type_=_WHEN), lease_until=bindparam("until", type_=_WHEN)))


def begin(connection: Connection, claimed: Claimed, worker: str, at: datetime) -> bool:
    """Note that the text is about to go out. False when the message is not this worker's any more."""
    return _count(connection.execute(_BEGIN, {"one": claimed.id, "me": worker, "at": at, "until": at + LEASE})) == 1


def store(connection: Connection, claimed: Claimed, worker: str, result: Result, at: datetime) -> bool:
    """Write what became of a message. False when there is nothing to write on: erased, or in other hands by now.

    A late ``sent`` also mends a row that was given up on, so that nothing goes out twice.
    """
    columns: dict[str, Any] = {"state": result.state, "reason": result.reason, "lease_until": None, "worker": "",
                               "begun_at": None}
    if result.state == "queued":
        columns["due_at"] = result.due_at
    if result.afresh and result.due_at is not None:
        columns |= {"first_due_at": result.due_at, "give_up_at": result.due_at + LIFETIMES[claimed.kind]}
    if result.state == "sent":
        columns["sent_at"] = at
    if result.state in FINAL and claimed.kind == "account":
        columns["values"] = {}  # a sign-in link has no business in the database once it is out
    if result.outcome:
        columns["attempts"] = claimed.attempts + 1
    write = _storing(tuple(columns), mends=result.state == "sent")
    new = {f"new_{name}": value for name, value in columns.items()}
    stored = _count(connection.execute(write, {"one": claimed.id, "me": worker} | new)) == 1
    if stored and result.outcome:
        connection.execute(_ATTEMPT, {"message_id": claimed.id, "at": at, "outcome": result.outcome,
                                      "answer": result.reason})
    return stored


@lru_cache
def _storing(columns: tuple[str, ...], mends: bool) -> Any:
    """The UPDATE that writes these columns of a row in our hands, or, if it ``mends``, in nobody's. Built once."""
    ours = and_(_m.state == "claimed", _m.worker == bindparam("me"))
    if mends:
        ours = or_(ours, and_(_m.worker == "", _m.state.in_(("queued", "unknown"))))
    return update(_message).where(_m.id == bindparam("one"), ours).values(
        {name: bindparam(f"new_{name}", type_=_m[name].type) for name in columns})


def give_back(connection: Connection, worker: str, ids: Iterable[int] | None = None) -> int:
    """Put what ``worker`` holds and has not begun back into the queue, as it was; how many."""
    held = [_m.state == "claimed", _m.worker == worker, _m.begun_at.is_(None)]
    if ids is not None:
        held.append(_m.id.in_(list(ids)))
    return _count(connection.execute(update(_message).where(*held).values(state="queued", worker="", lease_until=None)))


def recover(connection: Connection, at: datetime) -> tuple[int, int]:
    """Take back what dead workers held: how many are queued again, and how many letters are now ``unknown``.

    A letter whose text had begun to go out is never sent again; everything else is.
    """
    run_out = and_(_m.state == "claimed", _m.lease_until < at)
    lost = select(_m.id, _m.attempts).where(run_out, _m.begun_at.is_not(None), _m.kind.in_(AT_MOST_ONCE))
    doubtful = connection.execute(lost.with_for_update(skip_locked=True)).all()
    for id_, attempts in doubtful:
        connection.execute(update(_message).where(_m.id == id_).values(
            state="unknown", worker="", lease_until=None, begun_at=None, reason=LOST, attempts=attempts + 1))
        connection.execute(insert(_attempt).values(message_id=id_, at=at, outcome="unknown", answer=LOST))
    again = connection.execute(
        update(_message).where(run_out, or_(_m.begun_at.is_(None), _m.kind.not_in(AT_MOST_ONCE)))
        .values(state="queued", worker="", lease_until=None, begun_at=None))
    return _count(again), len(doubtful)


def has_run_out(connection: Connection, at: datetime) -> bool:
    """Whether ``recover`` has anything to do; takes no lock."""
    run_out = select(_m.id).where(_m.state == "claimed", _m.lease_until < at).limit(1)
    return connection.execute(run_out).first() is not None


def wake(session: Session | Connection, lead_id: int, at: datetime) -> None:
    """Let a lead's letters that waited for the mailbox to be proven go out now."""
    session.execute(update(_message).where(
        _m.lead_id == lead_id, _m.kind == "letter", _m.state == "queued", _m.first_due_at <= at, _m.due_at > at,
        _m.due_at < HELD).values(due_at=at))


def shift(session: Session | Connection, lead_id: int, by: timedelta,
          fixed: Collection[tuple[str, str]] = ()) -> None:
    """Move a lead's letters that wait by so much, their lifetimes with them.

    What waits to be released stays, and so does a letter whose offer and step are among the ``fixed``.
    """
    waiting = session.execute(select(_m.id, _m.offer, _m.step, _m.due_at, _m.first_due_at, _m.give_up_at).where(
        _m.lead_id == lead_id, _m.kind == "letter", _m.state == "queued", _m.due_at < HELD).with_for_update()).all()
    for id_, offer, step, due_at, first_due_at, give_up_at in waiting:
        if (offer, step) not in fixed:
            session.execute(update(_message).where(_m.id == id_).values(
                due_at=due_at + by, first_due_at=first_due_at + by, give_up_at=give_up_at + by))


def retry(session: Session | Connection, message_id: int, at: datetime) -> bool:
    """Queue a failed message once more, with a fresh lifetime. A letter that may have arrived is not: False."""
    found = session.execute(select(_m.kind).where(_m.id == message_id, _m.state == "failed")).scalar()
    if found is None:
        return False
    again = session.execute(update(_message).where(_m.id == message_id, _m.state == "failed").values(
        state="queued", due_at=at, attempts=0, give_up_at=at + LIFETIMES[found], reason="Queued again by hand."))
    return _count(again) == 1


HELD = datetime.fromisoformat("9000-01-01T00:00:00+00:00")
"""The ``due_at`` of a message that waits for a person to release it."""
RELEASED = "Released."
PARKED = datetime.fromisoformat("9500-01-01T00:00:00+00:00")
"""The ``due_at`` of a letter that waits as long as sales works with its lead."""
WITH_SALES = "It waits while sales works with this person."

def held(connection: Connection) -> int:
    """How many letters wait to be released because their moment may have passed."""
    return connection.execute(select(func.count()).where(
        _m.state == "queued", _m.due_at >= HELD, _m.due_at < PARKED)).scalar_one()


def release(connection: Connection, at: datetime) -> int:
    """Let every held letter go out now, with a fresh lifetime; how many."""
    return _count(connection.execute(
        update(_message).where(_m.state == "queued", _m.due_at >= HELD, _m.due_at < PARKED)
        .values(due_at=at, give_up_at=at + LIFETIMES["letter"], reason=RELEASED)))


def park(session: Session | Connection, lead_id: int, at: datetime,
         fixed: Collection[tuple[str, str]] = ()) -> int:
    """Let a lead's letters wait until ``unpark``, but for those whose offer and step are among the ``fixed``; how many.

    A letter that falls due within the instant and is in a worker's hands goes out.
    """
    waiting = session.execute(select(_m.id, _m.offer, _m.step).where(
        _m.lead_id == lead_id, _m.kind == "letter", _m.state == "queued", _m.due_at < HELD).with_for_update()).all()
    ids = [id_ for id_, offer, step in waiting if (offer, step) not in fixed]
    if ids:
        session.execute(update(_message).where(_m.id.in_(ids)).values(due_at=PARKED, reason=WITH_SALES))
    return len(ids)


def unpark(session: Session | Connection, lead_id: int, by: timedelta, at: datetime) -> int:
    """Let what was parked go out as much later than it was first due, not before ``at``; how many."""
    waiting = session.execute(select(_m.id, _m.first_due_at).where(
        _m.lead_id == lead_id, _m.kind == "letter", _m.state == "queued", _m.due_at >= PARKED)
        .with_for_update()).all()
    for id_, first_due_at in waiting:
        due_at = max(first_due_at + by, at)
        session.execute(update(_message).where(_m.id == id_).values(
            due_at=due_at, first_due_at=due_at, give_up_at=due_at + LIFETIMES["letter"], reason=""))
    return len(waiting)


def balance(connection: Connection) -> Balance:
    """The account of all messages that were to go out; what was cancelled in time was never due."""
    by_state = {state: count for state, count in connection.execute(
        select(_m.state, func.count()).group_by(_m.state))}
    return Balance(due=sum(by_state.values()) - by_state.get("cancelled", 0),
                   queued=by_state.get("queued", 0) + by_state.get("claimed", 0),
                   **{state: by_state.get(state, 0) for state in FINAL})


def _count(result: Any) -> int:
    return cast("CursorResult[Any]", result).rowcount
