"""BANT: budget, authority, need and timeline, each with its answer, how we know, from where, since when and from whom.

Answers come from forms, where a field of ``content/_fields.yml`` says which question it answers, and from sellers. The
newest one holds.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any, NamedTuple, cast

from sqlalchemy import Table, delete, insert, select
from sqlalchemy.orm import Session

from handsel.accounts import audit
from handsel.accounts.audit import Actor
from handsel.errors import HandselError, nearest
from handsel.leads.models import Capture, Lead
from handsel.leads.profile import HAND
from handsel.leads.qualify.looking import Look, soonest
from handsel.leads.stages.models import QUESTIONS, BantAnswer, LeadBant
from handsel.rules.fields import CustomField

LONGEST = 1000
NO = frozenset({"no", "false", "0"})
_view = cast(Table, LeadBant.__table__)
_COLUMNS = ("question", "met", "value", "evidence", "source", "at", "actor", "ref")


class Answer(NamedTuple):
    """One answer. ``met`` is None for one that takes an earlier answer back."""

    question: str
    met: bool | None
    value: str
    evidence: str
    source: str
    at: datetime
    actor: str
    ref: str


def keep(look: Look) -> None:
    """Bring the four answers of the leads in hand up to date."""
    asked = {name: one for name, one in look.project.rules.fields.by_name.items() if one.bant}
    found: defaultdict[int, list[Answer]] = defaultdict(list)
    for lead_id, captures in look.captures.items():
        found[lead_id] += _of_forms(captures, asked)
    for mailbox, one in _of_sellers(look.session, look.mailboxes):
        found[look.mailboxes[mailbox]].append(one)
    made = {(lead_id, one.question): one for lead_id, answers in found.items() for one in standing(answers)}
    kept = {(lead_id, rest[0]): Answer(*rest) for lead_id, *rest in look.session.execute(
        select(LeadBant.lead_id, *(getattr(LeadBant, name) for name in _COLUMNS))
        .where(LeadBant.lead_id.in_([*look.leads, *look.mailboxes])))}
    for lead_id, question in [key for key in kept if made.get(key) != kept[key]]:
        look.session.execute(delete(_view).where(_view.c.lead_id == lead_id, _view.c.question == question))
    new = [{"lead_id": key[0]} | one._asdict() for key, one in made.items() if kept.get(key) != one]
    if new:
        look.session.execute(insert(_view), new)


def standing(answers: Iterable[Answer]) -> list[Answer]:
    """The answer that holds to each question: the newest, unless it was taken back."""
    newest: dict[str, Answer] = {}
    for one in sorted(answers, key=_age):
        newest[one.question] = one
    return [one for one in newest.values() if one.met is not None]


def _age(one: Answer) -> tuple[datetime, str]:
    return one.at, one.ref


def _of_forms(captures: Iterable[Capture], asked: Mapping[str, CustomField]) -> Iterator[Answer]:
    for capture in captures:
        if capture.proven_at is None:
            continue
        for name, one in asked.items():
            said = capture.answers.get(name)
            if said not in (None, "", []):
                yield Answer(str(one.bant), speaks_for(one, said), shown(one, said), one.label,
                             "seller" if capture.form == HAND else f"form:{capture.form}", capture.at, "",
                             f"capture:{capture.id}")


def _of_sellers(session: Session, mailboxes: Mapping[int, int]) -> Iterator[tuple[int, Answer]]:
    for row in session.scalars(select(BantAnswer).where(BantAnswer.lead_id.in_(sorted(mailboxes)))):
        yield row.lead_id, Answer(row.question, row.met, row.value, row.evidence, "seller", row.at, row.actor,
                                  f"bant:{row.id}")


def speaks_for(field: CustomField, said: Any) -> bool:
    """Whether an answer in a form speaks for a sale: any but a no, and but those that the field names as one."""
    values = [str(value) for value in (said if isinstance(said, (list, tuple)) else [said])]
    if field.type == "yes-no":
        return values[0].lower() not in NO
    return any(value not in field.bant_no for value in values)


def shown(field: CustomField, said: Any) -> str:
    """An answer as people read it: choices by their labels."""
    values = [str(value) for value in (said if isinstance(said, (list, tuple)) else [said])]
    if field.type == "yes-no":
        return "No" if values[0].lower() in NO else "Yes"
    return ", ".join(field.choices.get(value, value) for value in values)[:LONGEST]


def answer(session: Session, lead: Lead, question: str, *, met: bool | None, value: str, evidence: str, actor: Actor,
           at: datetime) -> BantAnswer:
    """Write down what somebody learned; ``met`` None takes the answer back. Needs a write transaction.

    Raises HandselError for a question that there is not, and for an answer that says nothing.
    """
    if question not in QUESTIONS:
        raise HandselError("question", f"BANT has no question '{question[:60]}'.", nearest(question, QUESTIONS))
    value, evidence = value.strip()[:LONGEST], evidence.strip()[:LONGEST]
    if met is not None and not value:
        raise HandselError(question, "The answer says nothing.", "Write what you learned, such as `12,000 set aside`.")
    row = BantAnswer(lead_id=lead.id, question=question, met=met, value=value, evidence=evidence, at=at,
                     account_id=actor.account_id, actor=actor.name)
    session.add(row)
    session.flush()
    audit.record(session, f"noted the {question}", actor, audit.of_lead(lead.key),
                 {"met": {True: "yes", False: "no", None: "taken back"}[met]})
    soonest(lead, at)
    return row


def answers_of(session: Session, lead_id: int) -> dict[str, LeadBant]:
    """The answers that hold, by question."""
    return {row.question: row for row in session.scalars(select(LeadBant).where(LeadBant.lead_id == lead_id))}
