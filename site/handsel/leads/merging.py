"""Two leads that are one person: a merge is a link from the one to the other, so nothing is moved and undoing loses
nothing.

The merged mailbox stays a lead's row of its own, with its captures, consents, blocks and mails. It stands in no list;
what the lead that it belongs to says, asked for and did is made of all of its mailboxes. Links are one step long:
whatever belongs to somebody has nobody of its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import delete, exists, select
from sqlalchemy.orm import Session, aliased

from handsel.accounts import audit
from handsel.accounts.audit import Actor
from handsel.db import insert_or
from handsel.errors import HandselError
from handsel.leads.believing import CLAIM, believe, believed
from handsel.leads.mailboxes import mailboxes_of
from handsel.leads.models import Capture, Lead, LeadOffer, LeadTag
from handsel.leads.profile import COLUMNS, Said, lay, profile, refresh_texts
from handsel.leads.qualify.looking import Look, look
from handsel.offers.project import Project

MERGED = "merged"
"""The source of a tag or offer that a lead has from another of its mailboxes alone."""


@dataclass(frozen=True)
class Difference:
    """An answer of the lead that stays, of the mailbox that joins it, and which will stand; what differs alone."""

    name: str
    kept: Any
    joins: Any
    stands: Any


@dataclass(frozen=True)
class Preview:
    """What a merge would come to. ``why_not`` says why it cannot be; empty when it can."""

    kept: Lead
    joins: Lead
    why_not: tuple[str, str] | None
    differences: tuple[Difference, ...] = ()
    tags: tuple[str, ...] = ()
    offers: tuple[str, ...] = ()
    """Tags and offers that the lead would have in addition."""


def preview(session: Session, kept: Lead, joins: Lead) -> Preview:
    """What comes of merging ``joins`` into ``kept``. Only reads."""
    why_not = _refused(session, kept, joins)
    if why_not is not None:
        return Preview(kept, joins, why_not)
    ids = mailboxes_of(session, [kept.id])[kept.id]
    told = profile(map(Said.by, _captures(session, (*ids, joins.id))))
    pairs = [(name, getattr(kept, name), getattr(joins, name), told[name]) for name in COLUMNS]
    names = sorted({*kept.custom, *joins.custom})
    pairs += [(name, kept.custom.get(name), joins.custom.get(name), told["custom"].get(name)) for name in names]
    differ = tuple(Difference(*pair) for pair in pairs if pair[2] not in ("", None, []) and pair[1] != pair[2])
    return Preview(kept, joins, None, differ, _added(kept.tags_text, joins.tags_text),
                   _added(kept.offers_text, joins.offers_text))


def _added(kept: str, joins: str) -> tuple[str, ...]:
    return tuple(sorted(set(filter(None, joins.split(", "))) - set(kept.split(", "))))


def _captures(session: Session, ids: Sequence[int]) -> Sequence[Capture]:
    return session.scalars(select(Capture).where(Capture.lead_id.in_(ids)).order_by(Capture.at, Capture.id)).all()


def _refused(session: Session, kept: Lead, joins: Lead) -> tuple[str, str] | None:
    """Why the two cannot be merged, and what to do; None when they can."""
    if kept.id == joins.id:
        return "A lead cannot be merged with itself.", "Choose another one."
    if joins.merged_into_id == kept.id:
        return f"{joins.address} belongs to this lead already.", "There is nothing left to do."
    for lead in (kept, joins):
        if lead.merged_into_id is not None:
            head = session.get_one(Lead, lead.merged_into_id)
            return f"{lead.address} was merged into {head.address}.", "Merge with that lead, or part the two first."
    if session.scalars(select(Lead.id).where(Lead.merged_into_id == joins.id).limit(1)).first() is not None:
        return (f"Other mailboxes were merged into {joins.address}.",
                f"Merge {kept.address} into that lead instead, or part its mailboxes first.")
    return None


def merge(session: Session, project: Project, kept_id: int, joins_id: int, *, actor: Actor, at: datetime) -> None:
    """Let the mailbox of ``joins_id`` belong to the lead ``kept_id``. Raises HandselError where that cannot be.

    Needs a write transaction.
    """
    kept, joins = _both(session, kept_id, joins_id)
    why_not = _refused(session, kept, joins)
    if why_not is not None:
        raise HandselError("merge", *why_not)
    joins.merged_into_id = kept.id
    _log(session, actor, (kept, "merged another lead into it"), (joins, "was merged into another lead"))
    look(session, project, [kept.id], at)


def part(session: Session, project: Project, lead_id: int, *, actor: Actor, at: datetime) -> None:
    """Undo a merge: the mailbox is a lead of its own again. Nothing happens to one that is. Needs a write
    transaction."""
    head_id = session.scalar(select(Lead.merged_into_id).where(Lead.id == lead_id))
    if head_id is None:
        return
    head, lead = _both(session, head_id, lead_id)
    if lead.merged_into_id != head.id:
        return
    lead.merged_into_id = None
    _log(session, actor, (head, "parted another lead from it"), (lead, "was parted from another lead"))
    look(session, project, [head.id, lead.id], at)
    refresh_texts(session, lead)  # tags may have been taken off it while it belonged to somebody


def _both(session: Session, one: int, other: int) -> tuple[Lead, Lead]:
    """Both leads as they stand now, held until the transaction ends, always in the order of their numbers."""
    found = {lead.id: lead for lead in session.scalars(
        select(Lead).where(Lead.id.in_([one, other])).order_by(Lead.id).with_for_update()
        .execution_options(populate_existing=True))}
    if len(found) < len({one, other}):
        raise HandselError("merge", "One of the two leads is gone.", "Look for it in the list.")
    return found[one], found[other]


def _log(session: Session, actor: Actor, *acts: tuple[Lead, str]) -> None:
    for (lead, act), (other, _) in (acts, acts[::-1]):
        audit.record(session, act, actor, audit.of_lead(lead.key), {"lead": audit.of_lead(other.key)})


def unite(seen: Look) -> None:
    """The first part of a look: what each lead says, and which tags and offers it has, by all of its mailboxes."""
    session = seen.session
    captures: dict[int, list[Capture]] = {head: [] for head in seen.leads}
    for capture in _captures(session, list(seen.mailboxes)):
        captures[seen.mailboxes[capture.lead_id]].append(capture)
    seen.captures = captures
    believe(session, seen.project, captures, seen.mailboxes)
    for head, lead in seen.leads.items():
        lay(lead, captures[head])
    others: dict[int, list[int]] = {}
    for id_, head in seen.mailboxes.items():
        if id_ != head:
            others.setdefault(head, []).append(id_)
    for head in sorted({*others, *_return(session, list(seen.leads))}):
        _lend(session, head, others.get(head, []))
        refresh_texts(session, seen.leads[head])


def _lend(session: Session, head: int, ids: list[int]) -> None:
    """Let the lead have the tags and offers of its other mailboxes; tags by rule are made for the whole person."""
    tags = session.execute(select(LeadTag.tag, LeadTag.at).where(
        LeadTag.lead_id.in_(ids), LeadTag.source.not_like("rule:%"), believed(LeadTag))
        .order_by(LeadTag.tag, LeadTag.at)).all()
    offers = session.execute(select(LeadOffer.offer, LeadOffer.at).where(
        LeadOffer.lead_id.in_(ids), believed(LeadOffer))
                             .order_by(LeadOffer.offer, LeadOffer.at)).all()
    dialect = session.get_bind().dialect.name
    for model, name, rows in ((LeadTag, "tag", tags), (LeadOffer, "offer", offers)):
        first = {word: at for word, at in reversed(rows)}
        if first:
            session.execute(insert_or(model, dialect).on_conflict_do_nothing(), [
                {"lead_id": head, name: word, "at": at, "source": MERGED} for word, at in sorted(first.items())])


def _return(session: Session, heads: list[int]) -> set[int]:
    """Take from these leads what they had from mailboxes that do not have it or are not theirs; whom it struck."""
    struck: set[int] = set()
    kinds: tuple[tuple[Any, str], ...] = ((LeadTag, "tag"), (LeadOffer, "offer"))
    for model, column in kinds:
        other, lender = aliased(model), aliased(Lead)
        still = exists(select(1).select_from(other).join(lender, lender.id == other.lead_id).where(
            lender.merged_into_id == model.lead_id, getattr(other, column) == getattr(model, column),
            other.source.not_like(f"{CLAIM}%")))
        lent = (model.lead_id.in_(heads), model.source == MERGED, ~still)
        gone = session.execute(select(model.lead_id, getattr(model, column)).where(*lent)).all()
        for lead_id, word in gone:
            session.execute(delete(model).where(model.lead_id == lead_id, getattr(model, column) == word))
            struck.add(lead_id)
    return struck
