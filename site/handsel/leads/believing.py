"""Tags and offers that a form brought are claims until its mailbox is proven: lists show them, no rule sees them.

Anybody can type somebody else's address into a form. Its tags and its offer stand on the lead with a mark of their own,
and the look after the proof takes the mark away.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import ColumnElement, select, update
from sqlalchemy.orm import Session

from handsel.leads.models import Capture, LeadOffer, LeadTag
from handsel.offers.project import Project

CLAIM = "claim:"
"""How the source of a tag or an offer begins that nobody has proven."""


def believed(model: type[LeadTag] | type[LeadOffer]) -> ColumnElement[bool]:
    """Whether a row is more than a claim."""
    return model.source.not_like(f"{CLAIM}%")


def believe(session: Session, project: Project, captures: Mapping[int, Iterable[Capture]],
            mailboxes: Mapping[int, int]) -> set[int]:
    """Believe the claimed tags and offers that a proven capture of the same person gives too; whose those are.

    ``captures`` are those of each lead, ``mailboxes`` maps the numbers of its mailboxes to it.
    """
    models: tuple[tuple[Any, Any], ...] = ((LeadTag, LeadTag.tag), (LeadOffer, LeadOffer.offer))
    rows = [(model, row) for model, word in models for row in session.execute(
        select(model.lead_id, word, model.source).where(
            model.lead_id.in_(list(mailboxes)), model.source.like(f"{CLAIM}%")))]
    changed: set[int] = set()
    for model, (lead_id, word, source) in rows:
        head = mailboxes[lead_id]
        proven = sorted({capture.offer for capture in captures.get(head, ()) if capture.proven_at is not None})
        if model is LeadOffer:
            given, fresh = word in proven, ""
        else:
            slug = next((slug for slug in proven if source == CLAIM + slug or word in _tags(project, slug)), None)
            given, fresh = slug is not None, f"offer:{slug}"
        if given:
            column = LeadTag.tag if model is LeadTag else LeadOffer.offer
            session.execute(update(model).where(model.lead_id == lead_id, column == word).values(source=fresh))
            changed.add(head)
    return changed


def _tags(project: Project, slug: str) -> Iterable[str]:
    offer = project.offer(slug)
    return offer.meta.tags if offer is not None else ()
