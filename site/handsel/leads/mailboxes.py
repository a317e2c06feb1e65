"""The mailboxes of one person: a lead, and those that somebody merged into it. Each stays a lead's row of its own."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import select
from sqlalchemy.orm import Session

from handsel.leads.models import Lead


def mailboxes_of(session: Session, lead_ids: Iterable[int]) -> dict[int, tuple[int, ...]]:
    """By each of these leads the numbers of all its mailboxes, its own first."""
    found = {id_: [id_] for id_ in lead_ids}
    merged = session.execute(select(Lead.merged_into_id, Lead.id).where(Lead.merged_into_id.in_(list(found)))
                             .order_by(Lead.id))
    for head, id_ in merged:
        if head is not None:
            found[head].append(id_)
    return {head: tuple(ids) for head, ids in found.items()}


def head_of(session: Session, lead_id: int) -> int:
    """The lead that this mailbox belongs to: the one it was merged into, or itself."""
    return session.scalar(select(Lead.merged_into_id).where(Lead.id == lead_id)) or lead_id
