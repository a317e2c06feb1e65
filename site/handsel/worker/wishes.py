"""What the files of an offer ask of its experiment, as the plain values that the record is kept by."""

from __future__ import annotations

from handsel.experiments.sync import Wish
from handsel.offers.library import Offer


def wish(offer: Offer) -> Wish:
    """What the files of one offer ask for."""
    spec = offer.meta.experiment
    if spec is None:
        return Wish(digests=offer.digests)
    plan = {"baseline": spec.baseline, "mde": spec.mde, "alpha": spec.alpha, "power": spec.power,
            "value_cap": spec.value_cap} if spec.planned else None
    return Wish(offer.split, offer.digests, spec.goal, spec.hypothesis, plan, _pause(offer), spec.shifting)


def _pause(offer: Offer) -> str:
    """Why the test cannot run now; empty if it can."""
    if not offer.paused:
        return ""
    if offer.gone:
        files = ", ".join(f"landing.{name}.md" for name in offer.gone)
        return f"{files} cannot be shown, so everybody sees the control."
    return "There is no challenger, so everybody sees the control."
