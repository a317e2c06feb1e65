"""What sellers did with a lead, as facts that rules can ask for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from handsel.leads.handoff.models import Activity
from handsel.rules.person import Fact

KINDS = {("call", "spoke"): "called", ("meeting", "held"): "met", ("mail", ""): "wrote"}
"""A call that nobody took, or a meeting that nobody came to, is in the timeline and is no fact for rules."""


def worked(session: Session, mailboxes: Sequence[int]) -> Iterator[tuple[int, Fact]]:
    """Calls, meetings and mails of sellers."""
    rows = session.execute(select(Activity.id, Activity.lead_id, Activity.kind, Activity.outcome, Activity.at).where(
        Activity.lead_id.in_(mailboxes)))
    for id_, lead_id, kind, outcome, at in rows:
        if (kind, outcome) in KINDS:
            yield lead_id, Fact(KINDS[kind, outcome], "", at, f"activity:{id_}")
