"""Who was erased stays erased, also when a backup from before comes back.

The database remembers it by its list of addresses that get no mail; and in case the database is lost, the folder of the
installation does, in ``erased.txt``: a line with the time and the keyed hash of the address.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path

from flask import current_app
from sqlalchemy import select
from sqlalchemy.exc import DBAPIError

from handsel.db import db, instant_text, writing
from handsel.leads.models import Lead
from handsel.mail.models import Suppression
from handsel.mail.suppress import address_hash

Erased = dict[str, datetime]
"""When each person was erased, by the keyed hash of their address."""


def note(hashes: Iterable[str], at: datetime) -> None:
    """Write an erasure down beside the database."""
    descriptor = os.open(_path(), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.writelines(f"{instant_text(at)} {hash_}\n" for hash_ in hashes)


def remembered() -> Erased | None:
    """The erasures that the database and the folder remember; None if neither can say."""
    noted = _noted()
    try:
        with db.engine.connect() as connection:
            rows = connection.execute(select(Suppression.address_hash, Suppression.at).where(
                Suppression.reason == "erasure")).all()
    except DBAPIError:
        return noted
    told = noted or {}
    for row in rows:
        told[row.address_hash] = max(row.at, told.get(row.address_hash, row.at))
    return told


def erase_again(erased: Erased, actor: str) -> int:
    """Erase those of ``erased`` who are leads and last gave us their address before it; how many there were."""
    from handsel.leads.forget import forget, scrub

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


def _path() -> Path:
    return Path(current_app.instance_path) / "erased.txt"


def _noted() -> Erased | None:
    try:
        lines = _path().read_text().splitlines()
    except FileNotFoundError:
        return None
    pairs = (line.split() for line in lines)
    return {pair[1]: datetime.fromisoformat(pair[0]) for pair in pairs if len(pair) == 2}
