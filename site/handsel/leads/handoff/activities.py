"""Notes, calls and meetings: facts that sellers put down. Needs a write transaction."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from handsel.accounts import audit
from handsel.accounts.audit import Actor
from handsel.db import insert_or
from handsel.errors import HandselError
from handsel.leads.handoff import watching
from handsel.leads.handoff.models import Activity
from handsel.leads.models import Lead
from handsel.leads.qualify.looking import ask

LONGEST = 10_000  # signs of a note
OUTCOMES: dict[str, dict[str, str]] = {
    "note": {}, "call": {"spoke": "We spoke", "no-answer": "No answer", "message": "Left a message"},
    "meeting": {"held": "We met", "no-show": "They did not come"}, "mail": {}}
"""What can come of each kind of activity, in words."""
REACHED = {("call", "spoke"), ("call", "message"), ("meeting", "held"), ("mail", "")}
"""What stops the clock to first contact: the person has heard from us."""
DONE = {"note": "wrote a note", "call": "put down a call", "meeting": "put down a meeting", "mail": "wrote a mail"}
_AHEAD = timedelta(minutes=5)  # a clock of a phone may be a little ahead of ours


@dataclass(frozen=True)
class Entry:
    """What a seller typed in. ``once`` is from the form, so that a double click is one activity."""

    kind: str
    once: str
    text: str = ""
    outcome: str = ""
    subject: str = ""
    at: datetime | None = None
    message_id: int | None = None


def put_down(session: Session, lead: Lead, entry: Entry, *, actor: Actor, at: datetime) -> Activity | None:
    """Write down what a seller did with the lead; None when ``once`` did it before.

    Raises HandselError for one that says nothing or lies in the future.
    """
    when = entry.at or at
    _judge(entry, when, at)
    row = {"once": entry.once, "lead_id": lead.id, "kind": entry.kind, "at": when, "made_at": at,
           "outcome": entry.outcome, "subject": entry.subject[:200], "text": entry.text.strip()[:LONGEST],
           "message_id": entry.message_id, "account_id": actor.account_id, "actor": actor.name}
    session.flush()
    made = session.execute(insert_or(Activity, session.get_bind().dialect.name).values(**row)
                           .on_conflict_do_nothing(index_elements=["once"]).returning(Activity.id)).scalar()
    if made is None:
        return None
    if (entry.kind, entry.outcome) in REACHED:
        watching.contacted(session, lead.id, when)
    ask(session, lead.id, at)
    audit.record(session, DONE[entry.kind], actor, audit.of_lead(lead.key), {"activity": made})
    return session.get_one(Activity, made)


def _judge(entry: Entry, when: datetime, at: datetime) -> None:
    if entry.kind not in OUTCOMES:
        raise HandselError("activity", "That is nothing that can be put down.", "Choose a note, a call or a meeting.")
    outcomes = OUTCOMES[entry.kind]
    if outcomes and entry.outcome not in outcomes:
        raise HandselError("outcome", "Say what came of it.", f"Choose: {', '.join(outcomes.values())}.")
    if not outcomes and entry.outcome:
        raise HandselError("outcome", "A note has no outcome.", "Leave it out.")
    if entry.kind == "note" and not entry.text.strip():
        raise HandselError("note", "The note is empty.", "Write a few words.")
    if when > at + _AHEAD:
        raise HandselError("at", "That is yet to come.", "Set a task for it instead.")
