"""What was ever said of a lead, question by question, with its sources: where answers differ, all of them stay."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import select
from sqlalchemy.orm import Session

from handsel.forms.library import Field
from handsel.leads.mailboxes import mailboxes_of
from handsel.leads.models import Capture, Lead
from handsel.leads.profile import HAND
from handsel.leads.questions import PROFILE, custom, in_words, shown
from handsel.offers.project import Project

MOST = 300  # captures that are read: nobody has that many but a tester
Standing = Literal["proven", "claim", "import", "hand"]


@dataclass(frozen=True)
class Told:
    """One answer as people read it, who gave it last, and how often it was given.

    ``standing`` is ``proven``, ``claim`` (anybody could have typed it), ``import`` (a file's claim) or ``hand``.
    """

    answer: str
    standing: Standing
    capture: Capture
    times: int
    stands: bool

    @property
    def at(self) -> datetime:
        """When it was given last."""
        return self.capture.at


@dataclass(frozen=True)
class Question:
    """A question with the answer that stands (None: there is none), and all that were given, that one first."""

    field: Field
    value: Any
    answer: str
    told: tuple[Told, ...]

    @property
    def differs(self) -> bool:
        """Whether somebody said something else than what stands."""
        return any(not told.stands for told in self.told)


def questions_of(session: Session, project: Project, lead: Lead) -> list[Question]:
    """Every question that was ever answered about ``lead`` and its mailboxes, or that could be."""
    ids = mailboxes_of(session, [lead.id])[lead.id]
    captures = session.scalars(select(Capture).where(Capture.lead_id.in_(ids)).order_by(
        Capture.at.desc(), Capture.id.desc()).limit(MOST)).all()
    fields = PROFILE | custom(project)
    asked = {name for capture in captures for name in capture.answers} | lead.custom.keys()
    fields |= {name: Field(name, "text", in_words(name))
               for name in sorted(asked - fields.keys() - {"email"})}
    return [_question(field, lead, captures) for field in fields.values()]


def _question(field: Field, lead: Lead, captures: Iterable[Capture]) -> Question:
    value = getattr(lead, field.name) if field.name in PROFILE else lead.custom.get(field.name)
    stands = "" if value is None else shown(field, value)
    found: dict[tuple[str, Standing], list[Capture]] = {}
    for capture in captures:
        said = capture.answers.get(field.name, "")
        if said not in ("", []):
            key = "" if said is None else shown(field, said)
            found.setdefault((key, _standing(capture)), []).append(capture)
    told = [Told(answer, standing, given[0], len(given), answer == stands)
            for (answer, standing), given in found.items()]
    return Question(field, value, stands, tuple(sorted(told, key=lambda one: not one.stands)))


def _standing(capture: Capture) -> Standing:
    if capture.form == HAND:
        return "hand"
    if capture.proven_at is not None:
        return "proven"
    return "import" if capture.form == "import" else "claim"
