"""The last part of a look: whoever has just become ready for sales is handed over."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from handsel.leads.due import random_key
from handsel.leads.handoff import alerts, ending, holding, tasks
from handsel.leads.handoff.context import context, offer_behind
from handsel.leads.handoff.models import Handoff
from handsel.leads.handoff.owners import BY_RULE, assign, choose
from handsel.leads.models import Lead
from handsel.leads.qualify.looking import Look
from handsel.leads.qualify.people import seen
from handsel.leads.scoring.reasons import briefly
from handsel.leads.stages.models import StageChange
from handsel.rules.handoff import HandoffRules
from handsel.rules.person import Person
from handsel.rules.stages import RANKS
from handsel.rules.working import after

FRESH = timedelta(days=7)  # older changes are left alone, whatever the rules of today say of them
WITH_SALES = ("sql", "customer")
REASONS = 6  # rules that an alert names: what is left weighs little


def hand_over(look: Look) -> None:
    """Hand over those whose newest change of stage calls for it, and end the hand-overs that were overtaken."""
    changes = newest_changes(look.session, look.leads)
    if not changes:
        return
    rules = look.project.rules.handoff
    with_sales = list(look.session.scalars(select(Handoff).where(
        Handoff.lead_id.in_(look.mailboxes), Handoff.ended_at.is_(None)).with_for_update()))
    for handoff in with_sales:
        head = look.mailboxes[handoff.lead_id]
        if head in changes:
            ending.overtaken(look.session, handoff, look.leads[head], changes[head], look.at)
    open_ = {look.mailboxes[handoff.lead_id] for handoff in with_sales if handoff.ended_at is None}
    calling = {lead_id: change for lead_id, change in changes.items()
               if lead_id not in open_ and calls(change, rules) and look.at - change.at < FRESH}
    known = set(look.session.scalars(select(Handoff.once).where(
        Handoff.once.in_([_once(change) for change in calling.values()]))))
    calling = {lead_id: change for lead_id, change in calling.items() if _once(change) not in known}
    if not calling:
        return
    people = seen(look)
    for lead_id, change in calling.items():
        lead = look.leads[lead_id]
        if lead.stage in WITH_SALES:
            _again(look, lead, change)
        else:
            _hand_over(look, lead, change, people[lead_id])


def calls(change: StageChange, rules: HandoffRules) -> bool:
    """Whether a change of stage asks for a hand-over: a step up to a stage that is handed over, or an offer that asks
    for sales itself."""
    if change.way not in ("rule", "person"):
        return False
    up = RANKS[change.stage] >= RANKS[change.was] and change.stage != change.was
    return change.hands_over or (change.stage in rules.stages and up)


def newest_changes(session: Session, lead_ids: Iterable[int]) -> dict[int, StageChange]:
    """The newest change of stage of each lead that has one."""
    newest = select(func.max(StageChange.id)).where(StageChange.lead_id.in_(list(lead_ids))).group_by(
        StageChange.lead_id)
    return {change.lead_id: change for change in session.scalars(
        select(StageChange).where(StageChange.id.in_(newest)))}


def _once(change: StageChange) -> str:
    return f"change:{change.id}"


def _hand_over(look: Look, lead: Lead, change: StageChange, person: Person) -> None:
    rules, at = look.project.rules.handoff, look.at
    choice = choose(look.session, rules, person, at)
    wanted = "sql" if change.hands_over else change.stage
    due_at = after(at, rules.within(wanted), rules.hours)
    account_id = choice.account.id if choice.account else None
    handoff = Handoff(
        key=random_key(), once=_once(change), lead_id=lead.id, at=at, stage=wanted,
        offer=offer_behind(change, person.facts), rule=choice.rule, owner_id=account_id, due_at=due_at, look_at=due_at,
        context=context(lead, change, person.facts, briefly(look.points[lead.id], REASONS)))
    look.session.add(handoff)
    look.session.flush()
    if choice.account is None:
        return
    assign(look.session, lead, choice.account.id, actor=BY_RULE, at=at, rule=choice.rule)
    if rules.letters_wait:
        holding.park(look.session, lead.id, look.project, at)
    alerts.handed(look.session, handoff, choice.account.id, at)


def _again(look: Look, lead: Lead, change: StageChange) -> None:
    """Whoever sales works with already and asks for them once more is no new hand-over, but a call to make."""
    rules = look.project.rules.handoff
    words = "; ".join(str(row.get("words", "")) for row in change.evidence) or "They asked for sales again"
    tasks.add(look.session, lead, f"Get in touch: {words}"[:200], after(look.at, rules.within("sql"), rules.hours),
              once=_once(change), owner_id=lead.owner_id, actor=BY_RULE, at=look.at, told=False)
