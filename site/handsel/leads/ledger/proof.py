"""What proves each consent of one person: the words, where they stood, how the mailbox was proven, and the seals."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from handsel.db import instant_text
from handsel.forms.library import wording_hash
from handsel.leads.address import normalised
from handsel.leads.ledger import checking
from handsel.leads.ledger.chain import CONTENT
from handsel.leads.ledger.models import ConsentSeal
from handsel.leads.mailboxes import head_of, mailboxes_of
from handsel.leads.models import Capture, Consent, Imported, Lead, LeadImport, Wording
from handsel.mail import suppress
from handsel.mail.models import Attempt, Message, Suppression

Told = dict[str, Any]
MessageId = Callable[[str], str]
"""Gives the Message-ID of a message's key."""
FITS = "The row is as it was sealed."
WAITS = "Not sealed yet: the worker seals it within a second."


def proof(session: Session, address: str, message_id: MessageId) -> Told:
    """All that proves the consents of the person with that address, ready for JSON.

    ``fits`` says whether every row is as it was sealed. Of somebody who was erased only the day of it is known.
    """
    lead = session.scalars(select(Lead).where(Lead.email == normalised(address))).first()
    ids = mailboxes_of(session, [head_of(session, lead.id)]) if lead is not None else {}
    boxes = [_mailbox(session, session.get_one(Lead, id_), message_id) for all_ in ids.values() for id_ in all_]
    ledger_fits = all(event["seals"]["fits"] for box in boxes for event in box["consents"])
    return {"address": normalised(address), "mailboxes": boxes, "blocks": _blocks(session, address),
            "fits": ledger_fits}


class Summary(NamedTuple):
    """Of the events of a lead's consents: how many there are, wait for their seal, and are not as they were sealed."""

    events: int
    waiting: int
    wrong: int


def summary(session: Session, lead: Lead) -> Summary:
    """In short what ``proof`` tells at length, of this mailbox alone."""
    consents = session.scalars(select(Consent).where(Consent.lead_id == lead.id)).all()
    entries: dict[int, list[ConsentSeal]] = {}
    for entry in session.scalars(select(ConsentSeal).where(ConsentSeal.consent_id.in_([one.id for one in consents]))
                                 .order_by(ConsentSeal.id)):
        entries.setdefault(entry.consent_id, []).append(entry)
    wrong = [one for one in consents if _judge(one, lead, entries.get(one.id, []))]
    return Summary(len(consents), sum(one.salt is None for one in consents), len(wrong))


def _judge(consent: Consent, lead: Lead, entries: Sequence[ConsentSeal]) -> str:
    row = {name: getattr(consent, name) for name in CONTENT} | {"salt": consent.salt, "email": lead.email}
    return checking.judge(row, checking.standing(list(entries)) if entries else None)


def _blocks(session: Session, address: str) -> list[Told]:
    rows = session.scalars(select(Suppression).where(Suppression.address_hash == suppress.address_hash(address))
                           .order_by(Suppression.at))
    return [{"reason": row.reason, "words": suppress.WORDS.get(row.reason, row.reason), "at": _at(row.at),
             "lifted_at": _at(row.lifted_at)} for row in rows]


def _mailbox(session: Session, lead: Lead, message_id: MessageId) -> Told:
    consents = session.scalars(select(Consent).where(Consent.lead_id == lead.id).order_by(Consent.at, Consent.id)).all()
    return {"address": lead.address, "email": lead.email, "proven_at": _at(lead.confirmed_at),
            "unsubscribed_at": _at(lead.unsubscribed_at),
            "consents": [_consent(session, lead, consent, message_id) for consent in consents]}


def _consent(session: Session, lead: Lead, consent: Consent, message_id: MessageId) -> Told:
    words = session.get(Wording, consent.wording_hash) if consent.wording_hash else None
    capture = session.get(Capture, consent.capture_id) if consent.capture_id else None
    return {
        "id": consent.id, "purpose": consent.purpose, "state": consent.state, "at": _at(consent.at),
        "way": consent.way, "words": words.text if words else "", "language": words.language if words else "",
        "wording_hash": consent.wording_hash, "form": consent.form, "page": consent.page, "variant": consent.variant,
        "address_prefix": consent.address_prefix, "browser": consent.browser,
        "capture": _capture(session, capture, message_id) if capture else None,
        "seals": _seals(session, lead, consent, words)}


def _capture(session: Session, capture: Capture, message_id: MessageId) -> Told:
    """The form as it was sent, and the mail that went to prove the mailbox."""
    mails = session.scalars(select(Message).where(
        Message.capture_id == capture.id, Message.kind.in_(("delivery", "confirm"))).order_by(Message.id))
    file = session.scalars(select(LeadImport).join(Imported, Imported.import_id == LeadImport.id)
                           .where(Imported.capture_id == capture.id)).first()
    return {"sent_at": _at(capture.at), "offer": capture.offer, "address": capture.email, "source": capture.source,
            "address_prefix": capture.address_prefix, "browser": capture.browser, "proven_at": _at(capture.proven_at),
            "mails": [_mail(session, mail, message_id) for mail in mails],
            "file": {"name": file.file, "at": _at(file.at), "by": file.actor} if file else None}


def _mail(session: Session, mail: Message, message_id: MessageId) -> Told:
    tries = session.scalars(select(Attempt).where(Attempt.message_id == mail.id).order_by(Attempt.id))
    return {"kind": mail.kind, "state": mail.state, "sent_at": _at(mail.sent_at), "message_id": message_id(mail.key),
            "attempts": [{"at": _at(one.at), "outcome": one.outcome, "answer": one.answer} for one in tries]}


def _seals(session: Session, lead: Lead, consent: Consent, words: Wording | None) -> Told:
    """Every entry of the ledger that speaks of the consent, and whether the row still fits."""
    entries = session.scalars(select(ConsentSeal).where(ConsentSeal.consent_id == consent.id)
                              .order_by(ConsentSeal.id)).all()
    wrong = _judge(consent, lead, entries)
    if words and wording_hash(words.purpose, words.language, words.text) != words.hash:
        wrong = wrong or "Its words were changed after it was sealed."
    return {"fits": not wrong, "verdict": wrong or (FITS if consent.salt else WAITS), "salt": consent.salt,
            "entries": [{"entry": one.id, "kind": one.kind, "at": _at(one.at), "digest": one.digest, "why": one.why,
                         "seal": one.seal} for one in entries]}


def lines(told: Told) -> Iterator[str]:
    """The proof as people read it."""
    if not told["mailboxes"]:
        yield f"There is no lead with the address {told['address']}."
    for box in told["mailboxes"]:
        proven = f"proven {_said(box['proven_at'])}" if box["proven_at"] else "not proven"
        yield f"{box['address']}: mailbox {proven}"
        if box["unsubscribed_at"]:
            yield f"Left all marketing mail {_said(box['unsubscribed_at'])}"
        if not box["consents"]:
            yield "Agreed to nothing."
        for event in box["consents"]:
            yield ""
            yield from _event_lines(event)
    for block in told["blocks"]:
        lifted = f" (until {_said(block['lifted_at'])})" if block["lifted_at"] else ""
        yield ""
        yield f"{block['words']} {_said(block['at'])}{lifted}"


def _event_lines(event: Told) -> Iterator[str]:
    yield f"{event['purpose']}: {event['state']} {_said(event['at'])}, by {event['way']}"
    if event["words"]:
        yield f"  Words    {event['words']}  ({event['language']}, {event['wording_hash'][:16]})"
    if event["form"] or event["page"]:
        yield f"  Form     {event['form']} on {event['page']}, variant {event['variant'] or '-'}"
    if event["address_prefix"] or event["browser"]:
        yield f"  From     {event['address_prefix']}  {event['browser']}"
    if event["capture"]:
        yield from _capture_lines(event["capture"])
    for entry in event["seals"]["entries"]:
        why = f" ({entry['why']})" if entry["why"] else ""
        yield f"  Seal     entry {entry['entry']}, {entry['kind']} {_said(entry['at'])}{why}: {entry['seal']}"
    yield f"  Verdict  {event['seals']['verdict']}"


def _capture_lines(capture: Told) -> Iterator[str]:
    if capture["file"]:
        file = capture["file"]
        yield f"  File     {file['name']}, brought in {_said(file['at'])} by {file['by']}"
        return
    yield f"  Sent     {_said(capture['sent_at'])}, for {capture['offer'] or 'no offer'}"
    for mail in capture["mails"]:
        handed = f"handed over {_said(mail['sent_at'])}" if mail["sent_at"] else mail["state"]
        answer = f"; the server said: {mail['attempts'][-1]['answer']}" if mail["attempts"] else ""
        yield f"  Mail     {mail['kind']} {handed}, {mail['message_id']}{answer}"
    if capture["proven_at"]:
        yield f"  Proven   {_said(capture['proven_at'])}, by the button behind the link in that mail"


def _at(value: datetime | None) -> str | None:
    return instant_text(value) if value else None


def _said(text: str) -> str:
    return f"{text[:10]} {text[11:19]} UTC"
