"""The worker seals consents in the ledger, in a thread of its own: nothing else keeps a consent from its seal."""

from __future__ import annotations

from handsel import clock
from handsel.leads.ledger import sealing
from handsel.worker.rounds import Rounds


class Sealing(Rounds):
    """Seals consents; each has its seal within a second."""

    work = "sealing consents"

    def round(self) -> float:
        # With more to seal than one transaction takes, others still get their turn in between.
        return self.every / 10 if sealing.seal(clock.now()) == sealing.AT_ONCE else self.every
