"""Fetching what was asked for: a press of the button, counted, within the life of the link."""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import Enum

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from handsel.leads.confirm import prove
from handsel.leads.consents import Way
from handsel.leads.due import is_key, random_key
from handsel.leads.models import Capture, Download, Grant
from handsel.leads.qualify.looking import ask

SAME_PRESS = timedelta(seconds=60)  # a button pressed twice, or a page sent again, is one download
GOES_ON = timedelta(hours=24)  # so long a broken transfer may be taken up again


class Life(Enum):
    """What a download link is worth now."""

    GOOD = "good"
    EXPIRED = "expired"
    USED_UP = "used up"
    REVOKED = "revoked"


def life(grant: Grant, at: datetime) -> Life:
    """What ``grant`` is worth at that instant."""
    if grant.revoked_at is not None:
        return Life.REVOKED
    if grant.expires_at <= at:
        return Life.EXPIRED
    return Life.GOOD if grant.uses_left > 0 else Life.USED_UP


def press(session: Session, grant: Grant, way: Way, at: datetime) -> tuple[Download | None, bool]:
    """Count one press and prove the mailbox if the link went by mail; the press, and whether it is a new one.

    None when the link is worth nothing any more. The same hand's second press within a minute is the first one. Needs
    a write transaction.
    """
    session.refresh(grant, with_for_update=True)
    last = session.scalars(select(Download).where(
        Download.grant_id == grant.id, Download.address_prefix == way.prefix, Download.browser == way.browser,
        Download.at > at - SAME_PRESS).order_by(Download.id.desc())).first()
    if last is not None and life(grant, at) in {Life.GOOD, Life.USED_UP}:
        return last, False
    if life(grant, at) is not Life.GOOD:
        return None, False
    grant.uses_left -= 1
    download = Download(key=random_key(), grant_id=grant.id, lead_id=grant.lead_id, offer=grant.offer, at=at,
                        address_prefix=way.prefix, browser=way.browser)
    session.add(download)
    session.flush()
    ask(session, grant.lead_id, at)
    capture = session.get(Capture, grant.capture_id) if grant.capture_id and grant.proves else None
    if capture is not None:
        prove(session, capture, way, at)
    return download, True


def take_back(session: Session, grant: Grant, pressed: Download) -> None:
    """Undo a new press that brought nothing, so that it is not counted against the link. Needs the same transaction."""
    grant.uses_left += 1
    session.delete(pressed)


def going_on(session: Session, grant_key: str, press_key: str, at: datetime) -> Grant | None:
    """The grant behind a press whose file may still be fetched or taken up again; None otherwise. Changes nothing."""
    if not (is_key(grant_key) and is_key(press_key)):
        return None
    return session.scalars(
        select(Grant).join(Download, Download.grant_id == Grant.id)
        .where(Grant.key == grant_key, Download.key == press_key, Download.at > at - GOES_ON,
               Grant.revoked_at.is_(None))).first()


def reading(session: Session, grant_key: str, press_key: str, at: datetime) -> Grant | None:
    """The grant behind a press under which a guide is read: while the link lives, and a day from the press at least."""
    if not (is_key(grant_key) and is_key(press_key)):
        return None
    return session.scalars(
        select(Grant).join(Download, Download.grant_id == Grant.id)
        .where(Grant.key == grant_key, Download.key == press_key, Grant.revoked_at.is_(None),
               or_(Grant.expires_at > at, Download.at > at - GOES_ON))).first()
