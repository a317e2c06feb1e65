"""The mail that brings what was asked for: how it stands, sending it again, and mending a mistyped address."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import bindparam, delete, select, update
from sqlalchemy.orm import Session

from handsel.db import insert_or
from handsel.forms.schema import RECOGNITION
from handsel.leads import coupons
from handsel.leads.address import normalised, sendable
from handsel.leads.believing import CLAIM
from handsel.leads.confirm import locked
from handsel.leads.due import Due, pen_of, random_key
from handsel.leads.ledger import sealing
from handsel.leads.models import Capture, Consent, Download, GoneMail, Grant, Lead, LeadOffer, LeadTag
from handsel.leads.plan import A_DAY, MOST_A_DAY, Mailed, Plan, plan, slot
from handsel.leads.profile import refresh
from handsel.mail import suppress
from handsel.mail.models import Message
from handsel.offers.library import Offer
from handsel.traffic.models import KnownVisitor

PATIENCE = timedelta(seconds=60)  # before this, the first mail is most likely still on its way
MOST_CORRECTIONS = 5  # nobody mistypes an address more often; whoever tries addresses out does

# Built once: to put a question together takes longer than to ask it.
_MESSAGES = select(Message).where(
    Message.capture_id == bindparam("capture_id"), Message.lead_id == bindparam("lead_id"),
    Message.kind.in_(("delivery", "confirm"))).order_by(Message.id)
_TICKED = select(Consent.purpose).where(
    Consent.capture_id == bindparam("capture_id"), Consent.state == "given", Consent.purpose != RECOGNITION)


@dataclass(frozen=True)
class Standing:
    """How the first mail of a capture stands.

    ``state`` is the message's, ``none`` when the capture sends no mail, ``shared`` when a mail for an equal capture
    stands for it, or ``limited`` when the mailbox has had its mails for the day. ``again_at`` is the earliest time at
    which it can be asked for again.
    """

    state: str
    due_at: datetime | None = None
    sent_at: datetime | None = None
    again_at: datetime | None = None
    attempts: int = 0


def messages_of(session: Session, capture: Capture) -> list[Message]:
    """The first mails of a capture, oldest first: the one queued with it and those asked for again."""
    return list(session.scalars(_MESSAGES, {"capture_id": capture.id, "lead_id": capture.lead_id}))


def stands(session: Session, offer: Offer, capture: Capture, at: datetime) -> Standing:
    """How the first mail of ``capture`` stands. Only reads."""
    if not _planned(session, offer, capture).mail or capture.quarantine:
        return Standing("none")
    own = messages_of(session, capture)
    if own:
        last = own[-1]
        return Standing(last.state, last.due_at, last.sent_at, (last.sent_at or last.due_at) + PATIENCE, last.attempts)
    mails = due_of(session, offer, capture, at).earlier(pen_of(session))
    same = [mail.due_at for mail in mails if mail.offer == offer.slug]
    if same:
        return Standing("shared", max(same), max(same) if max(same) <= at else None, capture.at + PATIENCE)
    return Standing("limited", again_at=_free_at(mails, at))


def again_at(session: Session, offer: Offer, capture: Capture, at: datetime) -> datetime | None:
    """When the mailbox may have another mail, if it has had those of the day; None when it may have one now."""
    mails = due_of(session, offer, capture, at).earlier(pen_of(session))
    return _free_at(mails, at) if slot(mails, at) is None else None


def _free_at(mails: list[Mailed], at: datetime) -> datetime:
    """When a mailbox that had its mails of the day may have the next one."""
    times = sorted(mail.due_at for mail in mails)
    return times[-MOST_A_DAY] + A_DAY if len(times) >= MOST_A_DAY else at


def _planned(session: Session, offer: Offer, capture: Capture) -> Plan:
    return plan(offer, ticked(session, capture))


def ticked(session: Session, capture: Capture) -> set[str]:
    """The topics that were ticked in a capture's form."""
    return set(session.scalars(_TICKED, {"capture_id": capture.id}))


def due_of(session: Session, offer: Offer, capture: Capture, at: datetime) -> Due:
    """What ``capture`` has coming, as at its making, from now on."""
    purposes, email = ticked(session, capture), normalised(capture.email)
    return Due(offer, plan(offer, purposes), capture.lead_id, capture.id, capture.key, at, capture.answers, purposes,
               suppress.address_hash(email))


def send_again(session: Session, offer: Offer, capture: Capture, at: datetime) -> datetime | None:
    """Queue the first mail once more; when it will go, or None when the mailbox has had its mails for the day.

    A mail that has not gone out yet is not doubled: its own time is the answer. Needs a write transaction.
    """
    locked(session, capture.lead_id)
    own = messages_of(session, capture)
    waiting = [message for message in own if message.state in {"queued", "claimed"}]
    if waiting:
        return waiting[-1].due_at
    due, pen = due_of(session, offer, capture, at), pen_of(session)
    due_at = slot(due.earlier(pen), at)
    if due_at is not None:
        due.mail(pen, due_at, number=_number(session, capture))
    return due_at


class Unmendable(Exception):
    """An address that cannot be corrected any more; its words say why."""


def correct(session: Session, offer: Offer, capture: Capture, address: str, at: datetime) -> None:
    """Move ``capture`` to the mailbox that was meant, and send its mail there. Needs a write transaction.

    The wrong mailbox's links stop working, what still waited for it moves along, and its lead goes if this capture was
    all it had. Raises Unmendable for a proven capture, and when an address was mended too often.
    """
    email = normalised(address)
    old = _held_with(session, capture, email)
    if capture.proven_at is not None:
        raise Unmendable("This address is proven by now: somebody has pressed the button in the e-mail.")
    if session.scalars(select(Grant).where(Grant.capture_id == capture.id, Grant.revoked_at.is_not(None))
                       .limit(MOST_CORRECTIONS)).all()[MOST_CORRECTIONS - 1 :]:
        raise Unmendable("The address was corrected several times already. Please fill in the form anew.")
    if email == old.email:
        return
    new = _lead_for(session, email, address, old, at)
    _move(session, capture, old, new, at)
    capture.email = sendable(address)
    if capture.quarantine == "disposable":
        capture.quarantine = ""  # the caller has looked at the new address
    capture.answers = {**capture.answers, "email": capture.email}
    session.flush()
    for lead in (new, old):
        lead.look_at = at
        if lead.confirmed_at is None:
            refresh(session, lead)
    if session.scalars(select(Capture.id).where(Capture.lead_id == old.id).limit(1)).first() is None:
        _remember_mails(session, old, at)
        sealing.erase_leads(session, [old.id], "the address was corrected", at)
        session.delete(old)
    session.flush()
    due, pen = due_of(session, offer, capture, at), pen_of(session)
    due_at = slot(due.earlier(pen), at)
    if due.plan.mail and not capture.quarantine and due_at is not None:
        due.mail(pen, due_at, number=_number(session, capture))


def _held_with(session: Session, capture: Capture, email: str) -> Lead:
    """The lead of ``capture``, held until the transaction ends together with the lead of ``email`` if there is one.

    Always in the order of their numbers: two people who correct their addresses into each other's at the same moment
    would otherwise wait for one another on PostgreSQL. A capture that moved on while we waited is looked up again.
    """
    while True:
        wanted = select(Lead).where((Lead.id == capture.lead_id) | (Lead.email == email)).order_by(Lead.id)
        held = session.scalars(wanted.with_for_update().execution_options(populate_existing=True))
        leads = {lead.id: lead for lead in held}
        session.refresh(capture)
        if capture.lead_id in leads:
            return leads[capture.lead_id]


def _remember_mails(session: Session, lead: Lead, at: datetime) -> None:
    """Keep count of the mails that a mailbox has had, when its lead goes."""
    session.execute(delete(GoneMail).where(GoneMail.at < at - A_DAY))
    sent = session.scalars(select(Message.first_due_at).where(
        Message.lead_id == lead.id, Message.kind.in_(("delivery", "confirm")), Message.first_due_at > at - A_DAY,
        Message.state.in_(("sent", "unknown", "claimed"))))
    session.add_all([GoneMail(address_hash=suppress.address_hash(lead.email), at=sent_at) for sent_at in sent.all()])


def _number(session: Session, capture: Capture) -> int:
    """How many first mails the capture has had, to whichever mailbox."""
    return len(session.scalars(select(Message.id).where(Message.capture_id == capture.id)).all())


def _lead_for(session: Session, email: str, address: str, old: Lead, at: datetime) -> Lead:
    """The lead of the right mailbox, made if there is none."""
    session.execute(insert_or(Lead, session.get_bind().dialect.name).values(
        key=random_key(), email=email, address=sendable(address), source=old.source, captured_at=at,
        last_capture_at=at, stage_at=at, custom={}).on_conflict_do_nothing())
    return session.scalars(select(Lead).where(Lead.email == email).with_for_update()).one()


def _move(session: Session, capture: Capture, old: Lead, new: Lead, at: datetime) -> None:
    """Hand everything of ``capture`` from the wrong lead to the right one."""
    moved = session.scalars(select(Consent.id).where(Consent.capture_id == capture.id)).all()
    session.execute(update(Consent).where(Consent.id.in_(moved)).values(lead_id=new.id))
    sealing.moved(session, moved, "the address was corrected", at)
    session.execute(update(KnownVisitor).where(KnownVisitor.capture_id == capture.id).values(lead_id=new.id))
    grants = select(Grant.id).where(Grant.capture_id == capture.id)
    session.execute(update(Download).where(Download.grant_id.in_(grants)).values(lead_id=new.id))
    session.execute(update(Grant).where(Grant.capture_id == capture.id).values(lead_id=new.id))
    coupons.hand_over(session, capture.offer, old.id, new.id)
    session.execute(update(Grant).where(Grant.capture_id == capture.id, Grant.proves, Grant.revoked_at.is_(None))
                    .values(revoked_at=at))
    mine = Message.capture_id == capture.id
    session.execute(update(Message).where(mine, Message.kind != "letter", Message.state.in_(("queued", "claimed")))
                    .values(state="cancelled", reason="The address was corrected."))
    session.execute(update(Message).where(mine, Message.kind == "letter").values(lead_id=new.id))
    tags = session.scalars(select(LeadTag).where(LeadTag.lead_id == old.id, LeadTag.source == CLAIM + capture.offer))
    for tag in tags.all():
        if session.get(LeadTag, (new.id, tag.tag)) is None:
            session.add(LeadTag(lead_id=new.id, tag=tag.tag, at=at, source=tag.source))
    if session.get(LeadOffer, (new.id, capture.offer)) is None:
        session.add(LeadOffer(lead_id=new.id, offer=capture.offer, at=at, source=CLAIM))
    others = session.scalars(select(Capture.id).where(
        Capture.lead_id == old.id, Capture.offer == capture.offer, Capture.id != capture.id).limit(1)).first()
    if others is None:
        session.execute(delete(LeadOffer).where(LeadOffer.lead_id == old.id, LeadOffer.offer == capture.offer))
    capture.lead_id = new.id
