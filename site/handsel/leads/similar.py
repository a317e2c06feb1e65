"""Leads like this one: of the same company, or interested in the same things."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from handsel.leads.models import Lead, LeadOffer

MOST = 5
LOOKED_AT = 300  # of the latest leads of each offer: an offer of a hundred thousand leads makes nobody alike


@dataclass(frozen=True)
class Similar:
    """Another lead, and what it has in common with this one."""

    lead: Lead
    same_company: bool
    offers: tuple[str, ...]


def similar(session: Session, lead: Lead) -> list[Similar]:
    """The leads most like ``lead``, colleagues first, then those who asked for most of the same offers."""
    own = set(filter(None, lead.offers_text.split(", ")))
    colleagues = _colleagues(session, lead)
    common = _common(session, lead, own)
    best = {row.id: row for row in colleagues}
    wanted = [id_ for id_, _ in sorted(common.items(), key=lambda pair: (-pair[1], -pair[0])) if id_ not in best]
    rows = session.scalars(select(Lead).where(Lead.id.in_(wanted[: MOST * 4]), Lead.merged_into_id.is_(None)))
    best |= {row.id: row for row in rows}
    found = [Similar(row, lead.company_id is not None and row.company_id == lead.company_id,
                     tuple(sorted(own & set(row.offers_text.split(", "))))) for row in best.values()]
    return sorted(found, key=lambda one: (not one.same_company, -len(one.offers), -one.lead.score, -one.lead.id))[:MOST]


def _colleagues(session: Session, lead: Lead) -> list[Lead]:
    if lead.company_id is None:
        return []
    return list(session.scalars(select(Lead).where(
        Lead.company_id == lead.company_id, Lead.id != lead.id, Lead.merged_into_id.is_(None))
        .order_by(Lead.id.desc()).limit(MOST * 4)))


def _common(session: Session, lead: Lead, offers: set[str]) -> Counter[int]:
    """By other lead, how many of ``offers`` it asked for too."""
    found: Counter[int] = Counter()
    for offer in sorted(offers):
        found.update(session.scalars(select(LeadOffer.lead_id).where(LeadOffer.offer == offer)
                                     .order_by(LeadOffer.lead_id.desc()).limit(LOOKED_AT)))
    del found[lead.id]
    # One offer in common says little where there are several: it counts for who has no other.
    return Counter({id_: number for id_, number in found.items() if number > 1 or len(offers) == 1})
