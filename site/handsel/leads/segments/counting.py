"""How many leads a rule holds for, said while somebody writes it: exactly, or about if that would take too long."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import Any

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from handsel.leads.models import Lead
from handsel.leads.segments.patience import OutOfTime, patience
from handsel.leads.segments.sql import conjuncts, parts, where
from handsel.rules.conditions import Condition, Did, Holds

PATIENCE = 0.3  # seconds for the exact count: with the rest of the answer, as long as people take for "at once"
SAMPLE = 4_000  # leads that are asked otherwise: a share of 10 % is then known to within one point
RUN = 4  # of them stand side by side, in one page of the database
RARE = 5  # of a sample; fewer say no more than that they are few


@dataclass(frozen=True)
class Size:
    """How many leads there are: ``number`` of them, or about so many, or, with ``below``, fewer than that."""

    number: int
    about: bool = False
    below: bool = False

    def __str__(self) -> str:
        if self.below:
            return f"fewer than {self.number:,} leads"
        return f"{'about ' if self.about else ''}{self.number:,} {'lead' if self.number == 1 else 'leads'}"


def size(session: Session, condition: Condition, at: datetime, *, seconds: float = PATIENCE) -> Size:
    """How many leads the condition holds for; merged mailboxes count with the lead they belong to."""
    try:
        with patience(session, seconds):
            return Size(session.scalar(_exactly(condition, at)) or 0)
    except OutOfTime:
        return sampled(session, condition, at)


def _exactly(condition: Condition, at: datetime) -> Select[Any]:
    only = conjuncts(condition)
    numbers = parts(condition, at)[0][0]
    if len(only) == 1 and isinstance(only[0], (Did, Holds)) and numbers is not None:
        # An index alone says who it is; the leads themselves need not be looked up.
        found = numbers.distinct().subquery()
        merged = select(Lead.id).where(Lead.merged_into_id.is_not(None))
        return select(func.count()).select_from(found).where(found.c[0].not_in(merged))
    return select(func.count()).select_from(Lead).where(Lead.merged_into_id.is_(None), where(condition, at))


def sampled(session: Session, condition: Condition, at: datetime, number: int = SAMPLE) -> Size:
    """About how many, by asking some that stand all over the numbers of leads, here and there at random.

    They are the same each time, so that the count does not flicker while somebody writes.
    """
    lowest, highest = session.execute(select(func.min(Lead.id), func.max(Lead.id))).one()
    if lowest is None:
        return Size(0)
    span = highest - lowest + 1
    numbers = _numbers(lowest, span, number)
    asked = len(numbers)
    fit = session.scalar(select(func.count()).select_from(Lead).where(
        Lead.id.in_(numbers), Lead.merged_into_id.is_(None), where(condition, at, probing=True))) or 0
    if asked == span:
        return Size(fit)
    if fit < RARE:
        return Size(_round(span * (RARE + fit) / asked), below=True)
    return Size(_round(span * fit / asked), about=True)


def _numbers(lowest: int, span: int, number: int) -> list[int]:
    """So many numbers, or all: some side by side in each of as many stretches of the same length."""
    if span <= number:
        return list(range(lowest, lowest + span))
    chance = random.Random(0)  # noqa: S311  nobody gains by guessing it
    runs = max(1, number // RUN)
    edges = [lowest + span * place // runs for place in range(runs + 1)]
    found: list[int] = []
    for begin, end in pairwise(edges):
        first = chance.randint(begin, max(begin, end - RUN))
        found += range(first, min(first + RUN, end))
    return found


def _round(number: float) -> int:
    """Two figures: a sample knows no more."""
    return int(float(f"{number:.1e}"))
