"""What is told of a lead that is handed over: why, with how many points and for what, and what they did last."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from handsel.db import instant_text
from handsel.leads.models import Lead
from handsel.leads.stages.models import StageChange
from handsel.rules.evaluate import said_of
from handsel.rules.person import Fact

DID = 6  # what somebody did last, as many as are read on a phone
OF_OFFERS = ("asked", "downloaded", "attended", "clicked")


def context(lead: Lead, change: StageChange, facts: Sequence[Fact],
            reasons: Sequence[tuple[str, int]] = ()) -> dict[str, Any]:
    """The snapshot that the alert, its page and the desk show, as plain values for the database."""
    by_ref = {fact.ref: fact for fact in facts}
    why = [_row(fact) if (fact := by_ref.get(str(row.get("ref") or ""))) else {"words": str(row.get("words", ""))}
           for row in change.evidence]
    return {
        "why": why or [{"words": change.reason}],
        "rule": change.rule, "score": lead.score, "fit": lead.fit, "interest": lead.interest,
        "reasons": [[words, points] for words, points in reasons],
        "did": [_row(fact) for fact in list(facts)[-DID:][::-1]],
    }


def _row(fact: Fact) -> dict[str, Any]:
    return {"at": instant_text(fact.at), "words": said_of(fact), "kind": fact.kind, "name": fact.name}


def offer_behind(change: StageChange, facts: Sequence[Fact]) -> str:
    """The offer that brought a lead to where it is: the one of the rule, of its evidence, or what they asked for last;
    empty when there is none."""
    if change.rule.startswith("offer:"):
        return change.rule.removeprefix("offer:")
    by_ref = {fact.ref: fact for fact in facts if fact.kind in OF_OFFERS and fact.name}
    found = [by_ref[ref] for row in change.evidence if (ref := str(row.get("ref") or "")) in by_ref]
    candidates = found or [fact for fact in by_ref.values() if fact.kind == "asked"]
    return max(candidates, key=lambda fact: fact.at).name if candidates else ""
