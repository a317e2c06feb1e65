"""What happened with a lead, as its page tells it."""

from __future__ import annotations

from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from flask import Flask

from factories import NOON
from handsel.leads.timeline import Event
from handsel.sales.story import FEW, FRESH, MOST, tell
from support import on_sqlite

pytestmark = on_sqlite  # no row is read


def event(kind: str, hours: float = 0, /, **row: Any) -> Event:
    return Event(NOON - timedelta(hours=hours), kind, SimpleNamespace(**row))


@pytest.fixture(autouse=True)
def site(app: Flask) -> None:
    """Days are those of the site's clocks."""


def test_consents_of_one_press_are_told_as_one_and_others_apart() -> None:
    story = tell([event("consent", state="confirmed", way="form", purpose="letters"),
                  event("consent", state="confirmed", way="form", purpose="recognition"),
                  event("consent", state="withdrawn", way="form", purpose="letters"),
                  event("consent", 1, state="given", way="form", purpose="letters")], "", NOON)
    assert [[row.purpose for row in told.rows] for day in story.fresh for told in day.told] == [
        ["letters", "recognition"], ["letters"], ["letters"]]


def test_the_latest_stand_open_the_older_are_folded_and_the_oldest_asked_for() -> None:
    events = [event("visit", hours) for hours in range(200)]
    story = tell(events, "", NOON)
    assert sum(len(day.told) for day in story.fresh) == FRESH
    assert (story.folded, story.left_out) == (MOST - FRESH, 200 - MOST)
    whole = tell(events, "", NOON, whole=True)
    assert (whole.folded, whole.left_out) == (200 - FRESH, 0)
    assert whole.older[0].name == "Today"


def test_a_few_are_not_worth_a_fold() -> None:
    assert tell([event("visit", hours) for hours in range(FRESH + FEW)], "", NOON).folded == 0
    assert tell([event("visit", hours) for hours in range(FRESH + FEW + 1)], "", NOON).folded == FEW + 1


def test_a_sellers_mail_is_a_mail_and_sales_doing_and_what_is_planned_is_of_its_kind_too() -> None:
    events = [event("message", -24), event("activity", 0, kind="mail"), event("activity", 1, kind="call"),
              event("download", 2)]
    story = tell(events, "mails", NOON)
    assert [told.event for told in story.ahead] == events[:1]
    assert [told.event for day in story.fresh for told in day.told] == events[1:2]
    assert [(name, number) for name, _, number in story.kinds] == [("forms", 0), ("mails", 2), ("visits", 1),
                                                                   ("sales", 2)]
    assert tell(events, "visits", NOON).ahead == ()
