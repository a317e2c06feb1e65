"""The one writer of experiments: the worker goes round after round, and everybody else reads what it keeps."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterator, Mapping
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import func, select

from handsel.db import db, is_alone, writing
from handsel.experiments import fold, tallied
from handsel.experiments.batch import next_batch
from handsel.experiments.looking import look
from handsel.experiments.models import Experiment
from handsel.experiments.sync import Wish, sync

EVERY = 0.4  # seconds between two rounds: a conversion is in the results within a second
SETTLED = 30.0  # seconds after which the files are compared with the record even if no file changed
TALLIED = 5.0  # seconds between two looks at robots and the like, which nobody waits for
LOCK = "experiments"
Wishes = Mapping[str, Wish]


class Keeper:
    """What one worker remembers between its rounds; ``wishes`` gives what the files ask for and their timezone.

    ``wishes`` takes the last thing it gave, and gives the very same again when no file changed.
    """

    def __init__(self, wishes: Callable[[], tuple[Wishes, ZoneInfo]]) -> None:
        self.wishes = wishes
        self._synced: Wishes | None = None
        self._sync_due = self._tally_due = 0.0

    def round(self, at: datetime) -> bool:
        """Do what is due at ``at``; whether there is more to do at once. Needs an application context."""
        now = time.monotonic()
        wishes, zone = self.wishes()
        today = at.astimezone(zone).date()
        stale = wishes is not self._synced or now >= self._sync_due
        if stale and self._alone(lambda session: sync(session, wishes, at, today)):
            self._synced, self._sync_due = wishes, now + SETTLED
        more = keep(at, today, tally=now >= self._tally_due,
                    shifted={offer for offer, wish in wishes.items() if wish.shifting})
        if now >= self._tally_due:
            self._tally_due = now + TALLIED
        return more

    def _alone(self, act: Callable[[Any], None]) -> bool:
        with writing() as session:
            if not is_alone(session.connection(), LOCK):
                return False
            act(session)
        return True


def keep(at: datetime, today: date, *, tally: bool = True, shifted: Collection[str] = ()) -> bool:
    """Fold what is new, look at what changed, and do the daily looks that are due; whether there is more to fold.

    ``tally`` asks for the robots and repeated views too; ``shifted`` names the offers whose next split follows from
    their daily look. Nothing is written where nothing is new.
    """
    with db.engine.connect() as connection:
        news = fold.is_news(connection)
        daily = connection.execute(select(Experiment.id).where(*_due(at, today)).limit(1)).first() is not None
        left_out = tally and any(tallied.news(connection, row) for row in tallied.running(connection))
    if not (news or daily or left_out):
        return False
    with writing() as session:
        connection = session.connection()
        if not is_alone(connection, LOCK):
            return False
        changed, more = fold.fold(connection) if news else (set(), False)
        for experiment in session.scalars(select(Experiment).where(Experiment.id.in_(changed))).all():
            look(session, experiment, min(at, experiment.ended_at or at))
        for experiment in session.scalars(select(Experiment).where(*_due(at, today))).all():
            look(session, experiment, at, today)
            if experiment.offer in shifted:
                next_batch(session, experiment, at)
        if tally:
            for row in tallied.running(connection):
                tallied.keep(connection, row.id, tallied.news(connection, row))
    return more


def _due(at: datetime, today: date) -> tuple[Any, ...]:
    """The experiments that wait for their daily look: those that run and stand not still."""
    return (Experiment.ended_at.is_(None), Experiment.paused_at.is_(None), Experiment.started_at <= at,
            Experiment.daily_on < today)


def rebuild() -> Iterator[str]:
    """Make the counts of each experiment anew from the facts; gives the offer of each when it is done.

    Verdicts are no counts: what was said stays said.
    """
    with db.engine.connect() as connection:
        known = connection.execute(select(Experiment.id, Experiment.offer).order_by(Experiment.id)).all()
    for experiment_id, offer in known:
        after: str | None = ""
        while after is not None:
            with writing() as session:
                is_alone(session.connection(), LOCK, wait=True)
                after = fold.again(session.connection(), experiment_id, after)
                if after is None:
                    fold.recount(session.connection(), experiment_id)
        yield offer


def number() -> int:
    """How many experiments there are."""
    with db.engine.connect() as connection:
        return connection.scalar(select(func.count()).select_from(Experiment)) or 0
