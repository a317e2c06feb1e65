"""Moving leads from stage to stage: by rule, by a person, by the word of sales, by a sale. Each change is a row.

What follows from a change follows here alone: the conversions of experiments whose goal is a stage.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from handsel.accounts.audit import Actor
from handsel.db import instant_text
from handsel.errors import HandselError, nearest
from handsel.leads import conversions
from handsel.leads.models import STAGES, Lead
from handsel.leads.qualify.looking import mailboxes_of, soonest
from handsel.leads.stages.models import StageChange
from handsel.rules.evaluate import Evidence
from handsel.rules.stages import RANKS, Standing

LONGEST_REASON = 1000
NOBODY = Actor("")


def move(session: Session, lead: Lead, stage: str, *, way: str, at: datetime, reason: str = "",
         evidence: Iterable[Evidence] = (), actor: Actor | None = None, rule: str = "", version: str = "",
         hands_over: bool = False, mailboxes: Iterable[int] | None = None) -> StageChange | None:
    """Put ``lead``, which the caller holds, into ``stage``; the change, or None if it is there and nothing is new.

    ``way`` is one of WAYS. Only a person and a rejection by sales lead back, and a person has to say why. A rejection
    is noted even where the stage stays: rules then wait for new evidence. ``mailboxes`` are those of the lead, if the
    caller knows them. Needs a write transaction.
    """
    if stage not in STAGES:
        raise HandselError("stage", f"There is no stage '{stage}'.", nearest(stage, STAGES))
    reason = reason.strip()[:LONGEST_REASON]
    back = RANKS[stage] < RANKS[lead.stage]
    if back and way == "person" and not reason:
        raise HandselError("reason", "A lead goes back only with a reason.", "Say in a few words why.")
    if back and way not in {"person", "rejected"}:
        return None
    if stage == lead.stage and way != "rejected" and not hands_over:
        return None
    who = actor or NOBODY
    change = StageChange(
        lead_id=lead.id, at=at, was=lead.stage, stage=stage, way=way, rule=rule, version=version,
        hands_over=hands_over, reason=reason, evidence=[_row(each) for each in evidence],
        account_id=who.account_id, actor=who.name)
    session.add(change)
    if stage != lead.stage:
        lead.stage, lead.stage_at = stage, at
    if way != "rule":
        soonest(lead, at)
    goals = [goal for goal in conversions.STAGE_GOALS if RANKS[lead.stage] >= RANKS[goal]]
    if goals:
        conversions.reached(session, mailboxes or mailboxes_of(session, [lead.id]), goals, at)
    return change


def _row(one: Evidence) -> dict[str, Any]:
    return {"words": one.words, "ref": one.ref, "at": instant_text(one.at) if one.at else None}


def standings(session: Session, leads: Iterable[Lead], mailboxes: Mapping[int, int]) -> dict[int, Standing]:
    """Where each lead stands by the changes of all its mailboxes."""
    rows: defaultdict[int, list[StageChange]] = defaultdict(list)
    for change in session.scalars(select(StageChange).where(StageChange.lead_id.in_(sorted(mailboxes)))
                                  .order_by(StageChange.at, StageChange.id)):
        rows[mailboxes[change.lead_id]].append(change)
    return {lead.id: standing(rows[lead.id], lead.captured_at) for lead in leads}


def changes(session: Session, lead_id: int) -> list[StageChange]:
    """All changes of a lead's stage, with those of its other mailboxes, in the order of their time."""
    return list(session.scalars(select(StageChange).where(
        StageChange.lead_id.in_(mailboxes_of(session, [lead_id]))).order_by(StageChange.at, StageChange.id)))


def standing(changes: Iterable[StageChange], since: datetime) -> Standing:
    """Where a lead stands that was first heard of ``since``, by its changes in the order of their time."""
    now = Standing(STAGES[0], since)
    for change in changes:
        back = is_back(change)
        if back:
            now = now._replace(put_back_at=change.at, asked=False)
        if change.hands_over:
            now = now._replace(asked=True)
        if change.stage != now.stage and (back or _leads(change, now.stage)):
            now = now._replace(stage=change.stage, at=change.at)
    return now


def is_back(change: StageChange) -> bool:
    """Whether somebody put the lead back by it."""
    return change.way == "rejected" or (change.way == "person" and RANKS[change.stage] < RANKS[change.was])


def _leads(change: StageChange, stage: str) -> bool:
    """Whether a change leads on from ``stage``; of two mailboxes that were merged, what leads further holds."""
    beside = change.way == "person" and RANKS[change.stage] == RANKS[stage]
    return beside or RANKS[change.stage] > RANKS[stage]
