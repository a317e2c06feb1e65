"""A test of landing pages from its start to its end: the files, the record, and what refuses to be done."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import event, select
from sqlalchemy.orm import Session

from factories import NOON, make_experiment
from handsel.accounts.audit import Actor
from handsel.accounts.models import AuditEntry
from handsel.db import db, writing
from handsel.errors import HandselError
from handsel.experiments.figures import lift_words
from handsel.experiments.models import Conversion, Exposure
from handsel.experiments.plan import findable, forecast
from handsel.experiments.results import Results, latest
from handsel.leads import testing
from handsel.leads.outlook import Wanted, outlook
from handsel.offers import acts
from handsel.offers.live import Live
from handsel.offers.project import check
from handsel.worker.keeping import keep_now
from support.clock import Clock

INES = Actor("ines@example.org")
WON = {"a": (4000, 100), "b": (4000, 200)}
BLOCK = """experiment:
  goal: capture
  split: {a: 50, b: 50}
  hypothesis: People who are told how short the guide is ask for it more often.
"""


@pytest.fixture
def live(app: Flask, clock: Clock) -> Live:
    found: Live = app.extensions["handsel.offers"]
    return found


@pytest.fixture
def folder(project: Path) -> Path:
    return project / "offers" / "guide"


def end(folder: Path, live: Live) -> None:
    """The sample without its test."""
    path = folder / "offer.md"
    path.write_text(path.read_text().replace(BLOCK, ""))
    live.refresh()


def record(offer: str = "guide") -> Results:
    with db.engine.connect() as connection:
        found = latest(connection, offer)
    assert found is not None
    return found


def log() -> list[tuple[str, str, str]]:
    return [tuple(row) for row in db.session.execute(
        select(AuditEntry.action, AuditEntry.actor, AuditEntry.subject).order_by(AuditEntry.id))]


def visit(people: int, converting: int = 0, days: int = 27) -> None:
    """So many visitors of the guide, over so many days, of whom some asked for it."""
    with writing() as session:
        for number in range(people):
            at = NOON - timedelta(days=days * (people - number) / people)
            session.add(Exposure(offer="guide", visitor=f"{number:032x}", variant="a", at=at, day=at.date()))
            if number < converting:
                session.add(Conversion(offer="guide", visitor=f"{number:032x}", variant="a", goal="capture", at=at))


# --- starting ---------------------------------------------------------------------------------------------------------


def test_a_test_starts_with_the_offers_own_rate_as_its_plan(app: Flask, live: Live, folder: Path) -> None:
    end(folder, live)
    visit(400, 13)

    done = testing.start(live, "guide", Wanted(mde=0.2, hypothesis="Short: sells"), actor=INES)

    assert (folder / "offer.md").read_text().split("---\n")[1].endswith(
        "experiment:\n  goal: capture\n  split: {a: 50, b: 50}\n  baseline: 0.0325\n  mde: 0.2\n"
        "  hypothesis: 'Short: sells'\n")
    assert done.files == (("written", "offers/guide/offer.md"),)
    assert live.project.offers["guide"].split == {"a": 50, "b": 50}
    assert log() == [("started a test", "ines@example.org", "offer:guide")]
    keep_now(app)
    assert record().plan == {"baseline": 0.0325, "mde": 0.2, "alpha": 0.05, "power": 0.8, "value_cap": None,
                             "weights": [50.0, 50.0]}


def test_the_outlook_tells_rate_traffic_and_weeks_of_the_offer(live: Live, folder: Path) -> None:
    end(folder, live)
    visit(400, 13)
    with db.engine.connect() as connection:
        seen = outlook(connection, live.project, live.project.offers["guide"], Wanted(mde=0.5), NOON)

    assert (seen.days, seen.visitors, seen.conversions, seen.rate) == (28, 400, 13, 0.0325)
    assert seen.weekly_visitors == 100
    assert seen.forecast == forecast(0.0325, 0.5, 100)
    assert "Your traffic is too low for this" in seen.forecast.advice
    assert seen.hindrances == ()
    assert seen.hints == ("Your rate of the last weeks rests on 13 conversions alone: it may be far off.",)


def test_young_traffic_is_told_and_without_a_plan_what_can_be_found(live: Live, folder: Path) -> None:
    end(folder, live)
    visit(700, 140, days=7)
    with db.engine.connect() as connection:
        seen = outlook(connection, live.project, live.project.offers["guide"], Wanted(), NOON)

    assert (seen.days, seen.weekly_visitors, seen.forecast) == (8, 612.5, None)
    assert seen.hints == (
        "Only 8 days of traffic are known: take the weeks as a guess.",
        "Without a plan a real lift is found later: name the smallest lift that is worth the trouble.",
        f"In 8 weeks your traffic can show a lift of {lift_words(findable(0.2, 8 * 612.5))} or more.")


@pytest.mark.parametrize(("wanted", "said"), [
    (Wanted(mde=0.2), "There is no rate of the last weeks to go by."),
    (Wanted(baseline=0.03), "`baseline` without `mde` is half a plan"),
    (Wanted(split={"a": 50, "b": 40}), "The shares add up to 90."),
    (Wanted(split={"a": 50, "c": 50}), "There is no variant 'c'"),
    (Wanted(split={"a": 0, "b": 100}), "Nobody sees the control"),
    (Wanted(split={"a": 100}), "The variant 'b' has no share"),
    (Wanted(split={"a": 50, "B": 50}), "'B' cannot be a name here"),
    (Wanted(goal="value", mde=0.2, baseline=0.03), "One large order could decide the test alone"),
    (Wanted(goal="value", mde=0.2, baseline=0.03, value_cap=100, split={"a": 60, "b": 40}), "needs equal shares"),
    (Wanted(goal="value", mde=0.2, baseline=0.03, value_cap=100, shifting=True), "cannot be shifted"),
    (Wanted(mde=0.2, baseline=3), "the baseline must lie between 0 and 1"),
    (Wanted(mde=0.2, baseline=0.03, power=1), "power must lie between alpha and 1"),
    (Wanted(value_cap=5), "There is nothing to cap"),
    (Wanted(hypothesis="x" * 2001), "'hypothesis' is too long"),
])
def test_what_cannot_run_is_refused_in_words_and_nothing_changes(live: Live, folder: Path, wanted: Wanted,
                                                                 said: str) -> None:
    end(folder, live)
    before = (folder / "offer.md").read_bytes()

    with pytest.raises(HandselError, match="The test cannot start") as refused:
        testing.start(live, "guide", wanted, actor=INES)

    assert said in str(refused.value)
    assert ((folder / "offer.md").read_bytes(), log()) == (before, [])


def test_a_copy_that_was_not_changed_is_refused(live: Live, folder: Path) -> None:
    end(folder, live)
    (folder / "landing.b.md").write_text((folder / "landing.md").read_text())

    with pytest.raises(HandselError, match=r"The page says the same as landing\.md"):
        testing.start(live, "guide", Wanted(), actor=INES)


def test_an_offer_with_another_fault_is_refused_since_the_test_would_not_go_live(live: Live, folder: Path) -> None:
    end(folder, live)
    (folder / "thanks.md").write_text("No front matter.\n")

    with pytest.raises(HandselError, match="keeps every change of the offer from going live"):
        testing.start(live, "guide", Wanted(), actor=INES)


def test_a_running_test_an_unknown_offer_and_one_without_challenger_are_refused(live: Live, project: Path) -> None:
    for slug, said in (("guide", "runs already"), ("guid", "Did you mean 'guide'"), ("demo", "Copy landing.md")):
        with pytest.raises(HandselError, match=said):
            testing.start(live, slug, Wanted(), actor=INES)


# --- stopping ---------------------------------------------------------------------------------------------------------


def test_a_stopped_test_leaves_the_challenger_as_a_file_that_nobody_sees(app: Flask, live: Live, folder: Path,
                                                                         clock: Clock) -> None:
    live.refresh()
    keep_now(app)
    clock.move(hours=1)

    testing.stop(live, "guide", actor=INES, learned="Nothing. ")

    offer = live.project.offers["guide"]
    assert (offer.split, offer.runs, sorted(offer.variants)) == ({"a": 100}, False, ["a", "b"])
    assert live.project.faults == ()
    assert [notice.kind for notice in live.project.notices] == ["variant-without-experiment"]
    keep_now(app)
    found = record()
    assert (found.ending, found.learned, found.is_running) == ("stopped", "Nothing.", False)
    assert [(event.kind, event.actor) for event in found.events] == [
        ("started", ""), ("stopped", "ines@example.org"), ("learned", "ines@example.org")]
    assert log() == [("stopped a test", "ines@example.org", "offer:guide")]


def test_only_a_running_test_can_be_stopped(live: Live) -> None:
    with pytest.raises(HandselError, match=r"No test of this offer runs\. Start one: handsel experiment start demo"):
        testing.stop(live, "demo", actor=INES)


# --- shipping ---------------------------------------------------------------------------------------------------------


def test_the_winner_becomes_the_landing_page_and_the_old_one_is_kept(app: Flask, live: Live, folder: Path,
                                                                     project: Path) -> None:
    live.refresh()
    keep_now(app)
    old, new = (folder / "landing.md").read_bytes(), (folder / "landing.b.md").read_bytes()
    running = record().id
    make_won(running)

    done = testing.ship(live, "guide", actor=INES, learned="Short sells.")

    assert {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*landing*")} == {
        "landing.md": new, "retired/2026-03-02-landing.md": old}
    assert (check(project), live.project.notices, live.project.offers["guide"].split) == ([], (), {"a": 100})
    assert BLOCK not in (folder / "offer.md").read_text()
    assert done.files == (
        ("kept", "offers/guide/retired/2026-03-02-landing.md"), ("written", "offers/guide/offer.md"),
        ("written", "offers/guide/landing.md"), ("deleted", "offers/guide/landing.b.md"))
    assert (done.variant, "-# Finish the books ==you begin==" in done.diff, "+# Two pages ==that finish books==" in
            done.diff) == ("b", True, True)
    keep_now(app)
    found = record()
    assert (found.id, found.ending, found.shipped_variant, found.learned) == (running, "shipped", "b", "Short sells.")
    assert [(event.kind, event.detail, event.actor) for event in found.events][-2:] == [
        ("shipped", "b", "ines@example.org"), ("learned", "Short sells.", "ines@example.org")]
    assert log() == [("shipped a test", "ines@example.org", "offer:guide")]


def make_won(experiment_id: int) -> None:
    """The open test with a winner, as the worker would write it."""
    from handsel.experiments.models import Experiment

    with writing() as session:
        experiment = session.get(Experiment, experiment_id)
        assert experiment is not None
        experiment.result = {"verdict": "winner", "variant": 1, "reasons": [], "srm": {"p_anytime": 1, "alarm": False},
                             "variants": [{"lift": 0, "lo": 0, "hi": 0, "p_anytime": 1},
                                          {"lift": 1.0, "lo": 0.4, "hi": 1.9, "p_anytime": 0.001}]}


def test_without_a_winner_nothing_is_shipped_unless_forced(live: Live, folder: Path) -> None:
    make_experiment({"a": (1000, 30), "b": (1000, 31)})
    before = (folder / "landing.md").read_bytes()
    for variant in (None, "b"):
        with pytest.raises(HandselError, match=r"Nothing was shipped\. To ship it all the same: handsel .* --force"):
            testing.ship(live, "guide", actor=INES, variant=variant)
    with pytest.raises(HandselError, match="There is no variant 'c'"):
        testing.ship(live, "guide", actor=INES, variant="c", force=True)
    with pytest.raises(HandselError, match="The control is live already"):
        testing.ship(live, "guide", actor=INES, variant="a", force=True)
    assert (folder / "landing.md").read_bytes() == before

    testing.ship(live, "guide", actor=INES, variant="b", force=True)

    assert (folder / "landing.md").read_bytes() != before


def test_a_third_page_is_kept_with_the_control_and_a_draft_stays(live: Live, folder: Path, clock: Clock) -> None:
    text = (folder / "landing.b.md").read_text()
    (folder / "landing.c.md").write_text(f"{text}\nA third one.\n")
    (folder / "landing.d.md").write_text(f"{text.replace('label:', 'draft: true' + chr(10) + 'label:')}\nA fourth.\n")
    (folder / "offer.md").write_text((folder / "offer.md").read_text().replace("a: 50, b: 50", "a: 40, b: 30, c: 30"))
    (folder / "retired").mkdir()
    (folder / "retired" / "2026-03-02-landing.md").write_text("An older one.\n")
    make_experiment({"a": (4000, 100), "b": (4000, 200), "c": (4000, 110)})

    testing.ship(live, "guide", actor=INES)

    assert sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*landing*")) == [
        "landing.d.md", "landing.md", "retired/2026-03-02-landing-2.md", "retired/2026-03-02-landing.c.md",
        "retired/2026-03-02-landing.md"]
    assert (live.project.faults, live.project.notices) == ((), ())


def test_a_ship_that_would_break_a_link_elsewhere_is_refused_and_changes_nothing(live: Live, folder: Path,
                                                                                 project: Path) -> None:
    page = project / "content" / "privacy.md"
    page.write_text(page.read_text() + "\nSee [what is inside](/old/).\n")
    control = folder / "landing.md"
    control.write_text(control.read_text().replace("---\n", "---\naliases: [/old/]\n", 1))
    make_experiment(WON)
    assert check(project) == []
    before = {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}

    with pytest.raises(HandselError, match="That would leave a fault: There is no page or file at /old/"):
        testing.ship(live, "guide", actor=INES)

    assert {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()} == before
    assert (log(), (folder / "retired").exists()) == ([], False)


def test_when_a_file_cannot_be_written_nothing_is_recorded(live: Live, folder: Path) -> None:
    experiment = make_experiment(WON).id
    (folder / "retired").write_text("A file where the folder should be.")

    with pytest.raises(HandselError, match="cannot be written"):
        testing.ship(live, "guide", actor=INES, learned="x")

    assert (log(), [event.kind for event in record().events], record().id) == ([], ["started"], experiment)
    assert live.project.offers["guide"].runs


def test_when_the_record_cannot_be_written_no_file_is_changed(live: Live, folder: Path) -> None:
    make_experiment(WON)
    before = {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}

    def fail(session: Session) -> None:
        assert not (folder / "landing.b.md").exists()
        raise OSError("the disk is full")

    event.listen(db.session(), "before_commit", fail)
    with pytest.raises(OSError, match="the disk is full"):
        testing.ship(live, "guide", actor=INES)

    event.remove(db.session(), "before_commit", fail)
    assert {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()} == before
    assert (log(), (folder / "retired").exists(), live.project.offers["guide"].runs) == ([], False, True)


def test_the_diff_names_both_files_and_only_what_changes(live: Live) -> None:
    lines = acts.diff(live.refresh(), live.project.offers["guide"], "b")

    assert lines[:2] == ["--- offers/guide/landing.md", "+++ offers/guide/landing.b.md"]
    assert "+label: How short it is" in lines
