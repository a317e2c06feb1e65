"""Who was erased stays erased, also when a backup from before comes back."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.exc import DBAPIError

from handsel.db import db, writing
from handsel.leads.forget import forget, scrub
from handsel.leads.models import Lead
from handsel.mail.models import Suppression
from handsel.mail.suppress import address_hash

Erased = dict[str, datetime]
"""When each person was erased, by the keyed hash of their address."""


def remembered() -> Erased | None:
    """The erasures that the database remembers; None if it cannot say."""
    try:
        with db.engine.connect() as connection:
            rows = connection.execute(select(Suppression.address_hash, Suppression.at).where(
                Suppression.reason == "erasure", Suppression.lifted_at.is_(None))).all()
    except DBAPIError:
        return None
    return {row.address_hash: row.at for row in rows}


def erase_again(erased: Erased, actor: str) -> int:
    """Erase those of ``erased`` who are leads and last gave us their address before it; how many there were."""
    with db.engine.connect() as connection:
        leads = connection.execute(select(Lead.id, Lead.email, Lead.last_capture_at)).all()
    back = [lead.id for lead in leads
            if (at := erased.get(address_hash(lead.email))) is not None and lead.last_capture_at < at]
    for number in back:
        with writing() as session:
            lead = session.get(Lead, number)
            if lead is not None:
                forget(session, lead, erased[address_hash(lead.email)], actor)
    if back:
        scrub()
    return len(back)
