"""What the list of leads and the pipeline say of each lead: why its score, what was done last, what comes next."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from handsel.accounts.models import Account
from handsel.desk.shell import signed
from handsel.leads.handoff import telling
from handsel.leads.handoff.models import Task
from handsel.leads.handoff.worklist import next_steps
from handsel.leads.models import Lead
from handsel.leads.qualify.people import people
from handsel.leads.scoring.points import points
from handsel.leads.scoring.reasons import briefly
from handsel.offers.project import Project
from handsel.rules.evaluate import said_of
from handsel.rules.person import Person


@dataclass(frozen=True)
class Line:
    """One lead of a list, in words. ``reason`` is the rule that gives most of the score, ``act`` what they did last."""

    lead: Lead
    owner: Account | None
    reason: str
    act: str
    act_at: datetime | None
    task: Task | None


def lines(session: Session, project: Project, leads: Sequence[Lead], at: datetime) -> list[Line]:
    """Leads as lists show them, in their order; as many questions for fifty as for one."""
    if not leads:
        return []
    persons = people(session, leads, at)
    steps = next_steps(session, [lead.id for lead in leads])
    wanted = {lead.owner_id for lead in leads if lead.owner_id is not None}
    owners = {account.id: account for account in session.scalars(select(Account).where(Account.id.in_(wanted)))}
    return [Line(lead, owners.get(lead.owner_id or 0), _reason(project, persons[lead.id], at),
                 *_act(project, persons[lead.id], lead), steps.get(lead.id)) for lead in leads]


def _reason(project: Project, person: Person, at: datetime) -> str:
    found = briefly(points(project.rules.scoring, person, at))
    main = next((one for one in found if one[1] > 0), found[0] if found else None)  # what speaks for them, if anything
    return f"{signed(main[1])} {main[0]}" if main else ""


def _act(project: Project, person: Person, lead: Lead) -> tuple[str, datetime | None]:
    if not person.facts:
        return "", lead.acted_at
    fact = person.facts[-1]
    return telling.act({"kind": fact.kind, "name": fact.name, "words": said_of(fact)}, project), fact.at
