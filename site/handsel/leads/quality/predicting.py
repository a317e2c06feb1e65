"""What was learned, put to one lead."""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from handsel.leads.quality.learning import Learned, restored
from handsel.leads.quality.models import QualityModel
from handsel.leads.quality.properties import Seen
from handsel.rules.scoring import Scoring

STALE = timedelta(days=180)  # who did nothing for so long is not predicted: hardly anybody like that was handed over
WHOLE = 1000  # chances are kept in thousandths


def newest(session: Session) -> QualityModel | None:
    """What was learned last."""
    return session.scalars(select(QualityModel).order_by(QualityModel.id.desc()).limit(1)).first()


def learned_of(model: QualityModel | None, scoring: Scoring) -> Learned | None:
    """The model to predict with; None while there is none to trust under these rules."""
    if model is None or not model.shown or model.rules != digest(scoring):
        return None
    try:
        return restored(model.learned)
    except KeyError:  # of another release, which looked at something else
        return None


def predicted(learned: Learned | None, seen: Seen) -> tuple[int | None, datetime | None]:
    """The chance in thousandths that sales accepts a person, and when there will be none any more.

    None without a model, for who proved no mailbox, and for who did nothing for STALE.
    """
    last = seen.value("last_act")
    if learned is None or seen.value("confirmed") is None or not isinstance(last, datetime):
        return None, None
    if last + STALE <= seen.at:
        return None, None
    return round(learned.chance(seen) * WHOLE), last + STALE


def digest(scoring: Scoring) -> str:
    """A short name for these rules."""
    if not _digests or _digests[0][0] is not scoring:
        _digests[:] = [(scoring, hashlib.sha256(repr(scoring).encode()).hexdigest()[:16])]
    return _digests[0][1]


_digests: list[tuple[Scoring, str]] = []
