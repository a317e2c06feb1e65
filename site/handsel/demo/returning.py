"""Who agreed to be recognised comes back now and then, reads a few pages, and follows links of letters."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from random import Random

from sqlalchemy import select
from sqlalchemy.orm import Session

from handsel.leads.models import Capture
from handsel.leads.qualify.looking import ask
from handsel.leads.tracking.models import LetterClick, PageVisit
from handsel.mail.models import Message
from handsel.offers.project import Project
from handsel.traffic.models import KnownVisitor

AGREED = 0.4  # of the people who are asked let themselves be recognised
COMES_BACK = 0.03  # of them in each stretch of a day
CLICKED = 0.35  # of their letters have a link followed


def known(session: Session) -> list[int]:
    """The leads who are recognised, with a proven mailbox."""
    return sorted(set(session.scalars(select(KnownVisitor.lead_id).join(
        Capture, Capture.id == KnownVisitor.capture_id).where(Capture.proven_at.is_not(None)))))


def come_back(session: Session, random: Random, project: Project, since: datetime, now: datetime) -> None:
    """Let some of them read a few pages between the two instants. Needs a write transaction."""
    offers = [(offer.path, offer.slug) for offer in project.offers.values()]
    pages = [(page.path, "") for page in project.pages.values() if page.is_live(now)]
    for lead_id in known(session):
        if random.random() >= COMES_BACK:
            continue
        for _ in range(random.randrange(1, 5)):
            path, offer = random.choice(offers if random.random() < 0.6 or not pages else sorted(pages))
            session.add(PageVisit(lead_id=lead_id, at=since + random.random() * (now - since), path=path, offer=offer))
        ask(session, lead_id, now)


def follow(session: Session, random: Random, letters: Sequence[Message], project: Project, now: datetime) -> None:
    """Let some of them follow a link of these letters. Needs a write transaction."""
    recognised = set(known(session)) if letters else set()
    for letter in letters:
        offer = project.offers.get(letter.offer)
        if letter.lead_id in recognised and offer is not None and random.random() < CLICKED:
            session.add(LetterClick(lead_id=letter.lead_id, at=now, offer=offer.slug, step=letter.step,
                                    path=offer.path))
            ask(session, letter.lead_id, now)
