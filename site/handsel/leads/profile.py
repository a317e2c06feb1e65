"""What we believe about a lead, made from its captures: proven answers before claims, newer before older.

A capture whose mailbox was never proven is a claim: anybody could have typed the address. While a lead has no proven
capture, its claims are all we have, and the newest answer to each question stands. From the first proven capture on,
claims say nothing any more. What one of us put down by hand is no claim: no claim covers it, and among proven answers
the newer stands.

A lead that others were merged into says what all its mailboxes said; their consents and blocks stay their own.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from handsel import clock
from handsel.forms.schema import RECOGNITION, STANDARD
from handsel.leads.believing import CLAIM
from handsel.leads.cells import GUARDED, is_plain
from handsel.leads.mailboxes import mailboxes_of
from handsel.leads.models import Capture, Consent, Lead, LeadOffer, LeadTag

COLUMNS = tuple(sorted(STANDARD - {"email"}))
HAND = "hand"
"""The form of a capture that one of us put down."""
IMPORT = "import"
"""The form of a capture that came with a file."""
_EMPTY: dict[str, str] = dict.fromkeys(COLUMNS, "")


class Said(NamedTuple):
    """What one capture says, whether its mailbox was proven, and whether one of us put it down by hand."""

    answers: Mapping[str, Any]
    proven: bool
    by_hand: bool = False

    @classmethod
    def by(cls, capture: Capture) -> Said:
        """What ``capture`` says."""
        return cls(capture.answers, capture.proven_at is not None, capture.form == HAND)


def profile(captures: Iterable[Said]) -> dict[str, Any]:
    """The columns of a lead that its captures fill, from captures in the order of their time; ``custom`` among them."""
    captures = list(captures)
    if any(said.proven for said in captures):
        captures = [said for said in captures if said.proven or said.by_hand]
    else:
        captures.sort(key=lambda said: said.by_hand)
    columns: dict[str, Any] = _EMPTY | {"custom": {}}
    for said in captures:
        columns = overlaid(columns, said.answers)
    return columns


def overlaid(columns: Mapping[str, Any], answers: Mapping[str, Any]) -> dict[str, Any]:
    """``columns`` with the answers of a newer capture laid over them.

    An empty answer covers nothing; None, which no form gives, is the person's own word that there is nothing.
    """
    result = dict(columns) | {"custom": dict(columns["custom"])}
    for name, answer in answers.items():
        if name == "email" or answer in ("", []):
            continue
        if name in STANDARD:
            result[name] = str(answer or "")
        else:
            result["custom"][name] = answer
    return result


def standing_topics(events: Iterable[tuple[str, str]]) -> list[str]:
    """The topics agreed to and proven, sorted, from (purpose, state) pairs in the order of their time."""
    proven: set[str] = set()
    for purpose, state in events:
        if state == "confirmed":
            proven.add(purpose)
        elif state == "withdrawn":
            proven.discard(purpose)
    return sorted(proven)


def joined(words: Iterable[str]) -> str:
    """Words as lists and exports show them: sorted, with a comma and a space between."""
    return ", ".join(sorted(words))


def mark_plain(lead: Lead) -> None:
    """Set ``lead.plain`` anew; call it after any change of a lead's columns."""
    lead.plain = is_plain({name: getattr(lead, name) for name in (*GUARDED, "custom")})


def refresh(session: Session, lead: Lead) -> None:
    """Make every column of ``lead`` that is a view anew from its facts."""
    refresh_all(session, [lead])


def refresh_all(session: Session, leads: Sequence[Lead]) -> None:
    """Make every column that is a view anew from the facts; as many questions for a thousand leads as for one."""
    boxes = mailboxes_of(session, [lead.id for lead in leads])
    ours: dict[int, list[int]] = {}  # by mailbox the leads that it speaks for: itself, and the one it was merged into
    for lead_id, ids in boxes.items():
        for id_ in ids:
            ours.setdefault(id_, []).append(lead_id)
    captures: dict[int, list[Capture]] = {lead.id: [] for lead in leads}
    for capture in session.scalars(select(Capture).where(Capture.lead_id.in_(list(ours)))
                                   .order_by(Capture.at, Capture.id)):
        for lead_id in ours[capture.lead_id]:
            captures[lead_id].append(capture)
    for lead in leads:
        lay(lead, captures[lead.id])
        if lead.merged_into_id is not None:
            lead.look_at = clock.now()  # what it says is also said of the lead it belongs to
    refresh_all_texts(session, leads)


def lay(lead: Lead, captures: Sequence[Capture]) -> None:
    """Set the columns of ``lead`` that the captures of all its mailboxes fill, from captures in the order of time."""
    for name, value in profile(map(Said.by, captures)).items():
        column = Lead.__table__.columns[name]
        setattr(lead, name, value[: getattr(column.type, "length", None)] if isinstance(value, str) else value)
    own = [capture.proven_at for capture in captures if capture.proven_at and capture.lead_id == lead.id]
    lead.confirmed_at = min(own, default=None)
    if captures:
        lead.captured_at, lead.last_capture_at = captures[0].at, captures[-1].at
        lead.source = captures[0].source
    mark_plain(lead)


def refresh_texts(session: Session, lead: Lead) -> None:
    """Make the texts that stand for a lead's tags, offers and consents anew from their own tables."""
    refresh_all_texts(session, [lead])


def refresh_all_texts(session: Session, leads: Sequence[Lead]) -> None:
    """Make the texts of many leads anew."""
    session.flush()
    ids = [lead.id for lead in leads]
    tags = _by_lead(session.execute(select(LeadTag.lead_id, LeadTag.tag).where(LeadTag.lead_id.in_(ids))))
    offers = _by_lead(session.execute(select(LeadOffer.lead_id, LeadOffer.offer).where(LeadOffer.lead_id.in_(ids))))
    events: dict[int, list[tuple[str, str]]] = {}
    for lead_id, purpose, state in session.execute(
            select(Consent.lead_id, Consent.purpose, Consent.state)
            .where(Consent.lead_id.in_(ids), Consent.purpose != RECOGNITION).order_by(Consent.at, Consent.id)):
        events.setdefault(lead_id, []).append((purpose, state))
    for lead in leads:
        lead.tags_text = joined(tags.get(lead.id, ()))
        lead.offers_text = joined(offers.get(lead.id, ()))
        lead.consent_text = ", ".join(standing_topics(events.get(lead.id, ())))[:200]
        mark_plain(lead)


def _by_lead(rows: Iterable[Any]) -> dict[int, list[str]]:
    found: dict[int, list[str]] = {}
    for lead_id, word in rows:
        found.setdefault(lead_id, []).append(word)
    return found


def add_tag(session: Session, lead: Lead, tag: str, at: datetime, source: str) -> None:
    """Put ``tag`` on ``lead``; nothing happens when it is there."""
    row = session.get(LeadTag, (lead.id, tag))
    if row is None:
        session.add(LeadTag(lead_id=lead.id, tag=tag, at=at, source=source))
    elif row.source.startswith(CLAIM):
        row.source = source
    refresh_texts(session, lead)


def remove_tag(session: Session, lead: Lead, tag: str) -> None:
    """Take ``tag`` off ``lead``; nothing happens when it is not there."""
    ids = mailboxes_of(session, [lead.id])[lead.id]
    session.execute(delete(LeadTag).where(LeadTag.lead_id.in_(ids), LeadTag.tag == tag))
    refresh_texts(session, lead)
