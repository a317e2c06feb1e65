"""Whose leads are whose: the rule that fits, the next in turn, or a person's choice at the desk."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from handsel.accounts import audit
from handsel.accounts.audit import Actor
from handsel.accounts.models import Account
from handsel.db import is_alone
from handsel.leads.handoff.models import Assignment
from handsel.leads.models import Lead
from handsel.rules.evaluate import holds
from handsel.rules.handoff import EVERYONE, OWNERS, HandoffRules
from handsel.rules.person import Person

ROLES = ("sales", "owner")
"""Who can be given leads, and may answer for them."""
LATELY = 500  # assignments that are looked back at: whoever is not among them has waited longest
BY_RULE = Actor("owner rule")


class Choice(NamedTuple):
    """Who gets a lead, and by which rule; no account when there is nobody to give it to."""

    account: Account | None
    rule: str


def sellers(session: Session) -> list[Account]:
    """Everybody who can be given leads: active accounts of sales, or of owners while there is no seller."""
    active = list(session.scalars(select(Account).where(Account.active.is_(True), Account.role.in_(ROLES))
                                  .order_by(Account.id)))
    return [account for account in active if account.role == "sales"] or active


def candidates(session: Session) -> list[Account]:
    """Everybody whom a lead can be given to by hand: active accounts of sales and of owners, by name."""
    found = session.scalars(select(Account).where(Account.active.is_(True), Account.role.in_(ROLES)))
    return sorted(found, key=lambda account: (account.name or account.email).casefold())


def people(session: Session, named: Sequence[str] | str) -> list[Account]:
    """The active accounts behind ``to:`` of a rule, in its order."""
    if named == EVERYONE:
        return sellers(session)
    query = select(Account).where(Account.active.is_(True))
    if named == OWNERS:
        return list(session.scalars(query.where(Account.role == "owner").order_by(Account.id)))
    found = {account.email: account for account in session.scalars(
        query.where(Account.email.in_([email.lower() for email in named]), Account.role.in_(ROLES)))}
    return [found[email.lower()] for email in named if email.lower() in found]


def strangers(session: Session, rules: HandoffRules) -> list[str]:
    """The addresses in the rules that no active account of sales or of owners has: nobody hears of leads there."""
    named = {email.lower() for to in (*(rule.to for rule in rules.owners), rules.escalation) if not isinstance(to, str)
             for email in to}
    return sorted(named - {account.email for account in people(session, tuple(named))})


def choose(session: Session, rules: HandoffRules, person: Person, at: datetime) -> Choice:
    """Who gets the lead of ``person``: of the first rule that fits and has somebody at work, whoever waited longest.

    When everybody is away the lead waits with the first rule's people all the same. Needs a write transaction.
    """
    fitting = [rule for rule in rules.owners if rule.when is None or holds(rule.when, person, at)]
    away: Choice | None = None
    for name, to in [*((rule.name, rule.to) for rule in fitting), ("Everyone in turn", EVERYONE)]:
        there = people(session, to)
        here = [account for account in there if not rules.is_away(account.email, at)]
        if here:
            return Choice(_next(session, name, here), name)
        if there and away is None:
            away = Choice(_next(session, name, there), name)
    return away or Choice(None, "")


def _next(session: Session, rule: str, among: Sequence[Account]) -> Account:
    """Whose turn it is by a rule. Two workers at once take turns at asking."""
    if len(among) == 1:
        return among[0]
    is_alone(session.connection(), "owner rules", wait=True)
    session.flush()
    lately = session.scalars(select(Assignment.owner_id).where(Assignment.rule == rule)
                             .order_by(Assignment.id.desc()).limit(LATELY)).all()
    waited = {account_id: place for place, account_id in reversed(list(enumerate(lately)))}
    return max(among, key=lambda account: (waited.get(account.id, LATELY), -account.id))


def assign(session: Session, lead: Lead, owner_id: int | None, *, actor: Actor, at: datetime,
           rule: str = "") -> bool:
    """Give the lead to an account, or to nobody; whether that changed anything. Needs a write transaction.

    An open hand-over goes along. ``rule`` names the owner rule that chose, if one did.
    """
    from handsel.leads.handoff.alerts import passed_on

    if lead.owner_id == owner_id and not rule:
        return False
    changed = lead.owner_id != owner_id
    lead.owner_id = owner_id
    session.add(Assignment(lead_id=lead.id, at=at, owner_id=owner_id, rule=rule, account_id=actor.account_id,
                           actor=actor.name))
    if not rule and changed:
        account = session.get(Account, owner_id) if owner_id is not None else None
        audit.record(session, "gave a lead to somebody", actor, audit.of_lead(lead.key),
                     {"owner": account.email if account else ""})
        passed_on(session, lead, account, actor, at)
    session.flush()
    return changed
