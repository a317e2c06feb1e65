"""Working hours are counted on the clocks of the place: over nights, weekends, days off and changes of the clock."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from handsel.rules.working import Hours, Span, after, between, is_open

LONDON, AUCKLAND = ZoneInfo("Europe/London"), ZoneInfo("Pacific/Auckland")
NINE_TO_FIVE = (Span(time(9), time(17)),)
OFFICE = Hours(LONDON, (NINE_TO_FIVE,) * 5 + ((), ()), frozenset({date(2026, 4, 3), date(2026, 4, 6)}))
ALL_DAY = Hours(LONDON, ((Span(time(0), None),),) * 7)


def at(text: str, zone: ZoneInfo = LONDON) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=zone).astimezone(UTC)


@pytest.mark.parametrize(("start", "hours", "end"), [
    ("2026-03-02 12:00", 4, "2026-03-02 16:00"),
    ("2026-03-02 12:00", 5, "2026-03-02 17:00"),  # it ends that evening, not the next morning
    ("2026-03-02 12:00", 8, "2026-03-03 12:00"),
    ("2026-03-02 07:00", 1, "2026-03-02 10:00"),
    ("2026-03-06 16:30", 1, "2026-03-09 09:30"),  # Friday evening to Monday morning
    ("2026-03-07 11:00", 2, "2026-03-09 11:00"),  # a Saturday
    ("2026-04-02 16:00", 2, "2026-04-07 10:00"),  # over Easter
    ("2026-03-27 16:00", 2, "2026-03-30 10:00"),  # the clocks go forward on the Sunday between
    ("2026-10-23 16:00", 2, "2026-10-26 10:00"),  # and back
    ("2026-03-02 12:00", 40, "2026-03-09 12:00"),
])
def test_work_is_counted_in_the_hours_of_the_house(start, hours, end):
    assert after(at(start), timedelta(hours=hours), OFFICE) == at(end)
    assert between(at(start), at(end), OFFICE) == timedelta(hours=hours)


@pytest.mark.parametrize(("day", "length"), [("2026-03-29", 23), ("2026-10-25", 25), ("2026-03-30", 24)])
def test_a_day_on_which_the_clocks_change_has_as_many_hours_as_it_has(day, length):
    begins = at(f"{day} 00:00")
    assert between(begins, begins + timedelta(days=2), ALL_DAY) - timedelta(hours=48 - length) == timedelta(
        hours=length)
    (stretch,) = ALL_DAY.on(date.fromisoformat(day))
    assert stretch[1] - stretch[0] == timedelta(hours=length)


def test_an_hour_that_the_clocks_skip_is_no_working_hour():
    night = Hours(LONDON, ((Span(time(1), time(2)),),) * 7)
    assert list(night.on(date(2026, 3, 29))) == []
    assert after(at("2026-03-29 00:30"), timedelta(minutes=30), night) == at("2026-03-30 01:30")


def test_hours_are_those_of_the_place():
    there = Hours(AUCKLAND, (NINE_TO_FIVE,) * 5 + ((), ()))
    friday_evening_in_london = at("2026-03-06 20:30")  # Saturday morning in Auckland
    assert not is_open(friday_evening_in_london, there)
    assert after(friday_evening_in_london, timedelta(hours=1), there) == at("2026-03-09 10:00", AUCKLAND)


def test_a_pause_at_noon_is_no_work():
    siesta = Hours(LONDON, ((Span(time(9), time(12)), Span(time(14), time(18))),) * 7)
    assert after(at("2026-03-02 11:00"), timedelta(hours=2), siesta) == at("2026-03-02 15:00")
    assert [is_open(at(f"2026-03-02 {hour}"), siesta) for hour in ("08:59", "09:00", "12:00", "14:00", "18:00")] == [
        False, True, False, True, False]


def test_without_any_hours_nothing_is_ever_due():
    with pytest.raises(ValueError, match="no working hours"):
        after(at("2026-03-02 12:00"), timedelta(hours=1), Hours(LONDON, ((),) * 7))


MOMENTS = st.integers(0, 365 * 24 * 60).map(
    lambda minutes: datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes))
WORK = st.integers(1, 200 * 60).map(lambda minutes: timedelta(minutes=minutes))


@settings(max_examples=200, deadline=None)
@given(MOMENTS, WORK, st.sampled_from([OFFICE, ALL_DAY, Hours(AUCKLAND, (NINE_TO_FIVE,) * 7)]))
def test_what_is_due_after_so_much_work_has_so_much_work_before_it(start, work, hours):
    end = after(start, work, hours)
    assert between(start, end, hours) == work
    assert end > start


@settings(max_examples=100, deadline=None)
@given(MOMENTS, WORK, WORK)
def test_work_in_two_parts_is_due_when_it_is_due_in_one(start, first, second):
    assert after(after(start, first, OFFICE), second, OFFICE) == after(start, first + second, OFFICE)
