"""How visitors are shared out: as the files say, or as the worker last announced where traffic is shifted."""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta

from flask import Flask
from sqlalchemy.exc import DBAPIError

from handsel.db import db
from handsel.experiments.batch import Split, announced
from handsel.offers.library import Offer

log = logging.getLogger(__name__)
EVERY = timedelta(seconds=10)  # well within the time that a new split is announced ahead


def is_shifted(offer: Offer) -> bool:
    """Whether the files ask for more visitors where a variant does well."""
    return offer.meta.experiment is not None and offer.meta.experiment.shifting and not offer.paused


class Shares:
    """What this process knows of the announced splits."""

    def __init__(self, app: Flask) -> None:
        self.app = app
        self._known: dict[str, list[tuple[datetime, Split]]] = {}
        self._due = datetime.min.replace(tzinfo=UTC)

    def split(self, offer: Offer, now: datetime) -> Split:
        """The split of ``offer`` at ``now``; that of its files until the worker has said otherwise."""
        if now >= self._due:
            self._due = now + EVERY  # first, so that of many requests one asks
            self._ask(now)
        written: Split = tuple(offer.split.items())
        shown = {name for name, share in written if share}
        for begins_at, split in reversed(self._known.get(offer.slug, [])):
            if begins_at <= now:
                # A variant whose file has just gone, or come, is the files' business.
                return split if {name for name, share in split if share} == shown else written
        return written

    def _ask(self, now: datetime) -> None:
        offers = self.app.extensions["handsel.offers"].project.offers
        wanted = [slug for slug, offer in offers.items() if is_shifted(offer)]
        try:
            with self.app.app_context(), db.engine.connect() as connection:
                self._known = announced(connection, wanted, now)
        except DBAPIError as error:
            log.warning("the splits could not be read, so the last ones stay: %s", error.orig)
