"""Times, lengths of time and senders, as marketers write them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from handsel.content.values import duration, instant

LONDON = ZoneInfo("Europe/London")


@pytest.mark.parametrize(("text", "utc"), [
    ("2026-11-22", datetime(2026, 11, 22, tzinfo=UTC)),
    ("2026-07-01", datetime(2026, 6, 30, 23, tzinfo=UTC)),
    ("2026-07-01 09:00", datetime(2026, 7, 1, 8, tzinfo=UTC)),
    ("2026-07-01T09:00:30", datetime(2026, 7, 1, 8, 0, 30, tzinfo=UTC)),
    ("2026-07-01 09:00 +02:00", datetime(2026, 7, 1, 7, tzinfo=UTC)),
    ("2026-07-01T09:00Z", datetime(2026, 7, 1, 9, tzinfo=UTC)),
])
def test_a_time_without_offset_is_in_the_sites_timezone(text: str, utc: datetime) -> None:
    assert instant(text, LONDON) == utc


@pytest.mark.parametrize("text", ["2026-02-30", "22.11.2026", "2026-11-22 25:00", "tomorrow", "", "20261122",
                                  "9999999999-01-01", "2026-11-22 09:00 +99:00"])
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011  of datetime's own words none is ours to promise
        instant(text, LONDON)


def test_lengths_of_time_are_written_in_words() -> None:
    assert [duration(text) for text in ("30 minutes", "1 hour", "2 days", "1 week")] == [
        timedelta(minutes=30), timedelta(hours=1), timedelta(days=2), timedelta(weeks=1)]


@pytest.mark.parametrize("text", ["two days", "2", "-1 days", "2 fortnights", "1e9 days", ""])
def test_what_is_no_length_of_time_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not a duration"):
        duration(text)
