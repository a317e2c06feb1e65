"""The worker keeps the record of the experiments as the files and the facts say."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from flask import Flask

from factories import NOON
from handsel.db import db
from handsel.experiments.results import all_of
from handsel.experiments.sync import Wish
from support.clock import Clock
from support.funnel import make_ticket, make_visit, take
from support.trial import DIGESTS, ask, count, flush, found, kinds, numbers, see, send, start, wished


def test_a_test_begins_with_the_lines_in_the_file_and_ends_with_them(app: Flask, clock: Clock) -> None:
    start(app, clock)
    ask(wished())
    begun = found()
    assert (begun.goal, begun.hypothesis, begun.variants, begun.is_running) == (
        "capture", "Short sells.", ("a", "b"), True)
    clock.move(days=1)
    ask(Wish(digests=DIGESTS))
    ended = found()
    assert (ended.ending, ended.ended_at, kinds()) == ("stopped", clock(), ["started", "stopped"])


def test_one_visitor_with_a_hundred_visits_and_ten_forms_is_one_and_one(app: Flask, clock: Clock) -> None:
    start(app, clock)
    for _ in range(100):
        see(app, 1, "b")
    for again in range(10):
        send(app, 1, "b", f"again{again}@example.org")
    flush(app)
    assert numbers() == {"a": (0, 0), "b": (1, 1)}
    assert found().excluded == {"duplicate": 109}


def test_robots_prefetches_and_heads_change_no_count_and_are_told(app: Flask, clock: Clock) -> None:
    start(app, clock)
    for number in range(20):
        see(app, number, "ab"[number % 2])
    for number in range(6):
        see(app, 100 + number, "a",
            HTTP_USER_AGENT="Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)")
        see(app, number, "b", HTTP_SEC_PURPOSE="prefetch")
        see(app, 200 + number, "b", REQUEST_METHOD="HEAD")
    flush(app)
    count()
    assert numbers() == {"a": (10, 0), "b": (10, 0)}
    assert found().excluded == {"bot": 6, "head": 6, "prefetch": 6}


def test_who_saw_two_variants_is_taken_out_of_both_arms(app: Flask, clock: Clock) -> None:
    start(app, clock)
    see(app, 1, "a")
    send(app, 2, "a")
    flush(app)
    assert numbers() == {"a": (2, 1), "b": (0, 0)}
    see(app, 2, "b")
    flush(app)
    assert (numbers(), found().excluded["crossed over"]) == ({"a": (1, 0), "b": (0, 0)}, 1)


def test_who_was_there_before_the_start_does_not_count(app: Flask, clock: Clock) -> None:
    see(app, 1, "a")
    see(app, 2, "a")
    app.extensions["handsel.traffic"].flush()
    start(app, clock)
    see(app, 2, "b")
    see(app, 3, "b")
    flush(app)
    assert (numbers(), found().excluded) == ({"a": (0, 0), "b": (1, 0)}, {"before start": 2})


def test_a_capture_brings_the_exposure_that_was_lost(app: Flask, clock: Clock) -> None:
    start(app, clock)
    seen = make_visit()
    take(app, seen=seen, ticket=make_ticket(seen, variant="b"))
    count()
    assert numbers() == {"a": (0, 0), "b": (1, 1)}


def test_a_change_of_split_opens_a_period(app: Flask, clock: Clock) -> None:
    start(app, clock)
    see(app, 1, "a")
    clock.move(hours=1)
    app.extensions["handsel.traffic"].flush()
    ask(wished(split={"a": 80, "b": 20}))
    see(app, 2, "b")  # a moment too early: the other processes may still give the split of before
    clock.move(seconds=3)
    see(app, 3, "b")
    flush(app)
    assert [(period.weights, [cell.visitors for cell in period.cells]) for period in found().periods] == [
        ((50.0, 50.0), [1, 0]), ((80.0, 20.0), [0, 1])]
    assert found().excluded == {"between periods": 1}
    assert [(event.kind, event.detail) for event in found().events] == [
        ("started", "a 50 %, b 50 %"), ("split", "a 80 %, b 20 %")]


def test_a_vanished_page_pauses_the_test_and_its_return_resumes_it(app: Flask, clock: Clock) -> None:
    start(app, clock)
    see(app, 1, "b")
    app.extensions["handsel.traffic"].flush()
    clock.move(hours=1)
    ask(wished(split={"a": 100}, paused="landing.b.md cannot be shown, so everybody sees the control."))
    clock.move(hours=1)
    see(app, 2, "a")
    app.extensions["handsel.traffic"].flush()
    assert found().paused_at == NOON + timedelta(hours=1, seconds=3)
    ask(wished())
    clock.move(seconds=3)
    see(app, 3, "b")
    flush(app)
    assert (numbers(), found().excluded, found().paused_at) == (
        {"a": (0, 0), "b": (2, 0)}, {"between periods": 1}, None)
    assert kinds() == ["started", "paused", "resumed"]


def test_a_page_that_changes_while_the_test_runs_is_a_version(app: Flask, clock: Clock) -> None:
    start(app, clock)
    ask(wished(digests=DIGESTS | {"b": "three"}))
    ask(wished(digests=DIGESTS | {"b": "three"}))
    assert [(event.kind, event.detail) for event in found().events][1:] == [("version", "b")]


def test_a_plan_that_is_changed_while_the_test_runs_is_told_and_not_obeyed(app: Flask, clock: Clock) -> None:
    plan = {"baseline": 0.03, "mde": 0.2, "alpha": 0.05, "power": 0.8, "value_cap": None}
    start(app, clock, plan=plan)
    for _ in range(2):
        ask(wished(plan=plan | {"mde": 0.1}, goal="mql"))
    kept = found()
    assert (kept.goal, kept.plan) == ("capture", plan | {"weights": [50.0, 50.0]})
    assert kinds() == ["started", "note"]
    assert kept.asked == {"goal": "mql", "plan": plan | {"mde": 0.1}}


def test_another_variant_ends_the_test_and_begins_a_new_one(app: Flask, clock: Clock) -> None:
    start(app, clock)
    clock.move(days=1)
    ask(wished(split={"a": 40, "b": 30, "c": 30}))
    with db.engine.connect() as connection:
        new, old = all_of(connection)
    assert (new.variants, new.is_running, old.ending) == (("a", "b", "c"), True, "changed")


def test_a_control_that_says_what_the_challenger_said_was_shipped(app: Flask, clock: Clock) -> None:
    start(app, clock)
    ask(Wish(digests={"a": "two"}))
    assert (found().ending, found().shipped_variant, kinds()) == ("shipped", "b", ["started", "shipped"])


def test_an_offer_that_is_gone_pauses_its_test(app: Flask, clock: Clock) -> None:
    start(app, clock)
    ask(None)
    assert (found().is_running, found().events[-1].detail) == (True, "The offer is not in the project.")


def test_each_local_day_has_one_daily_look(app: Flask, clock: Clock) -> None:
    start(app, clock)
    for number in range(4):
        see(app, number, "ab"[number % 2])
    flush(app)
    for _ in range(4):
        clock.move(hours=12)
        count()
        count()
    assert [look.day.isoformat() for look in found().course] == ["2026-03-03", "2026-03-04"]
    assert [arm.visitors for arm in found().course[0].arms] == [2, 2]


def test_a_test_that_stands_still_has_no_daily_look_and_its_seven_days_wait(app: Flask, clock: Clock) -> None:
    start(app, clock)
    paused = wished(split={"a": 100}, paused="Gone.")
    clock.move(days=1)
    ask(paused)
    for _ in range(20):
        clock.move(days=1)
        count()
    assert found().course == ()
    ask(wished())
    clock.move(days=1)
    for number in range(400):
        send(app, number, "b") if number % 8 == 1 else see(app, number, "ab"[number % 2])
    flush(app)
    assert "7 full days" in found().reasons
    clock.move(days=6)
    count()
    assert "7 full days" not in found().reasons


def fill(app: Flask, days: int, clock: Clock, rates: dict[str, int]) -> None:
    """A hundred visitors a day and variant, of whom so many send the form."""
    number = 0
    for _ in range(days):
        for variant, rate in rates.items():
            for place in range(100):
                number += 1
                (send if place < rate else see)(app, number, variant)
        app.extensions["handsel.traffic"].flush()
        count()
        clock.move(days=1)
        count()


def test_a_verdict_is_given_once_with_its_time_and_counts_and_stays(app: Flask, clock: Clock) -> None:
    start(app, clock)
    fill(app, 8, clock, {"a": 5, "b": 20})
    given = found()
    assert (given.verdict, given.variant, kinds().count("verdict")) == ("winner", "b", 1)
    assert given.decided_at == datetime(2026, 3, 9, 12, 0, 3, tzinfo=UTC)
    assert given.decided_counts == ((700, 35), (700, 140))
    for number in range(3000, 3400):  # what comes later may be as it likes
        (see if number % 2 else send)(app, number, "ab"[number % 2])
    flush(app)
    assert (found().verdict, found().decided_counts, kinds().count("verdict")) == (
        "winner", given.decided_counts, 1)


def test_a_wrong_split_is_an_alarm_once_and_withholds_the_verdict(app: Flask, clock: Clock) -> None:
    start(app, clock)
    for number in range(300):
        see(app, number, "a" if number % 4 else "b")
    flush(app)
    for number in range(300, 320):
        see(app, number, "b")
    flush(app)
    assert (found().alarm, found().verdict, kinds()) == (True, "withheld", ["started", "alarm"])
