"""Tests of landing pages at the desk: the list, one test, and the log of what was learned."""

from __future__ import annotations

import re
from datetime import timedelta
from html import unescape
from typing import Any

import pytest
from sqlalchemy import select

from factories import NOON, make_experiment
from handsel.accounts.models import AuditEntry
from handsel.db import db
from handsel.experiments.models import Experiment, ExperimentEvent
from support import on_sqlite
from support.desk import AtDesk, contents

PLAN = {"baseline": .03, "mde": .2, "alpha": .05, "power": .8, "weights": [50, 50], "value_cap": None}
WON: dict[str, Any] = {"a": (20_000, 600), "b": (20_000, 800)}


def text_of(page: str) -> str:
    """What stands on a page, without its frame, as one line."""
    main = page.split('<main id="main"')[1]
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", main))).replace("\N{NO-BREAK SPACE}", " ")


def ended(**fields: Any) -> Experiment:
    return make_experiment(**{"ended_at": NOON, "ending": "stopped", "started_at": NOON - timedelta(days=20)} | fields)


@on_sqlite
def test_an_empty_desk_says_what_will_be_here_and_what_to_do(app, clock, project):
    (project / "offers/guide/landing.b.md").unlink()
    front = (project / "offers/guide/offer.md").read_text()
    (project / "offers/guide/offer.md").write_text(re.sub(r"experiment:\n(  .*\n)+", "", front))
    page = text_of(AtDesk(app, "marketer").get("/desk/tests").text)
    assert "No tests yet" in page
    assert "Copy an offer's landing.md to landing.b.md" in page


@on_sqlite
def test_a_test_that_only_stands_in_the_files_is_about_to_begin(app, clock):
    page = text_of(AtDesk(app, "marketer").get("/desk/tests").text)
    assert "the worker begins to count within a second" in page


def test_running_tests_come_first_and_ended_ones_with_what_they_taught(app, clock):
    ended(offer="newsletter", learned="Short wins.", result=None)
    make_experiment(hypothesis="A price helps.")
    page = text_of(AtDesk(app, "marketer").get("/desk/tests").text)
    assert page.index("A price helps.") < page.index("Short wins.")
    assert "There is no verdict yet." in page
    assert "The test was stopped on 2 March 2026." in page


def test_of_ended_tests_the_one_that_ended_last_comes_first(app, clock):
    ended(offer="newsletter", hypothesis="Began first, ended last.")
    ended(hypothesis="Began last, ended first.", ended_at=NOON - timedelta(days=3), started_at=NOON - timedelta(days=9))
    page = text_of(AtDesk(app, "marketer").get("/desk/tests").text)
    assert page.index("Began first, ended last.") < page.index("Began last, ended first.")


def test_an_ended_test_does_not_take_the_names_that_its_files_have_now(app, clock):
    desk = AtDesk(app, "marketer")
    assert "b How short it is" in text_of(desk.get(f"/desk/tests/{make_experiment(WON).id}").text)
    assert "How short it is" not in text_of(desk.get(f"/desk/tests/{ended(arms=WON).id}").text)


def test_the_log_is_searched_by_hypothesis_learning_and_offer(app, clock):
    ended(offer="newsletter", hypothesis="Fewer fields.", learned="Short wins, 100 % of the time.")
    ended(offer="guide", hypothesis="A longer page.", learned="Nobody reads it.")
    marketer = AtDesk(app, "marketer")
    for search, there, not_there in (("SHORT", "Fewer fields.", "A longer page."), ("longer", "A longer", "Fewer"),
                                     ("guide", "A longer page.", "Fewer fields."), ("100 %", "Fewer", "A longer")):
        page = text_of(marketer.get("/desk/tests", query_string={"search": search}).text)
        assert there in page, search
        assert not_there not in page, search
    assert "No such test" in marketer.get("/desk/tests?search=_").text
    assert marketer.get("/desk/tests?before=x").status_code == 400


def test_one_test_shows_its_verdict_first_and_then_what_it_rests_on(app, clock):
    looks = tuple({"day": (NOON - timedelta(days=8 - day)).date(),
                   "arms": {"a": (2000 * day, 60 * day), "b": (2000 * day, 80 * day)}} for day in range(1, 9))
    made = make_experiment(WON, plan=PLAN, looks=looks, excluded={"bot": 12, "crossed over": 3},
                           events=({"kind": "version", "detail": "landing.b.md"},))
    raw = AtDesk(app, "marketer").get(f"/desk/tests/{made.id}").text
    page = text_of(raw)
    assert page.index("Variant b wins: 4.0 % of its visitors sent the form, against 3.0 %") < page.index("The variants")
    assert "Ship variant b." in page
    assert "Views by robots 12 People who saw two variants 3" in page
    assert "Page changed : landing.b.md" in page
    assert re.findall(r'<figure class="chart" id="([a-z-]+)"', raw) == ["rates", "lifts", "course-b"]
    assert "b lies wholly above 0" in page
    assert "20,000" in page


def test_a_test_without_visitors_has_no_charts(app, clock):
    made = make_experiment({"a": (0, 0), "b": (0, 0)}, plan=PLAN)
    page = AtDesk(app, "marketer").get(f"/desk/tests/{made.id}").text
    assert "<figure" not in page
    assert "Nobody has seen a variant yet." in page


def test_a_wrong_split_is_told_with_where_to_look(app, clock):
    made = make_experiment({"a": (6000, 180), "b": (4000, 160)}, plan=PLAN)
    page = text_of(AtDesk(app, "marketer").get(f"/desk/tests/{made.id}").text)
    assert "The verdict is withheld: visitors are not shared out as planned." in page
    assert "Variant b has too few visitors (about 5,000 were due)." in page
    assert "Wrong: this is no chance." in page


def test_several_variants_and_periods_each_have_their_rows(app, clock):
    made = make_experiment({"a": (900, 30), "b": (900, 31), "c": (900, 40)}, periods=(
        {"ends_at": NOON - timedelta(days=2)},
        {"weights": [50, 25, 25], "begins_at": NOON - timedelta(days=2), "why": "split changed",
         "arms": {"a": (500, 20), "b": (250, 9), "c": (250, 12)}}))
    page = text_of(AtDesk(app, "marketer").get(f"/desk/tests/{made.id}").text)
    assert "33:33:33" in page
    assert "50:25:25 split changed" in page
    assert "no longer there" in page


def test_values_are_shown_as_values(app, clock):
    made = make_experiment({"a": (1000, 120, 3000.0, 90000.0), "b": (1000, 130, 4000.0, 150000.0)}, goal="value",
                           plan=PLAN | {"value_cap": 200.0})
    page = text_of(AtDesk(app, "marketer").get(f"/desk/tests/{made.id}").text)
    assert "Value per visitor" in page
    assert "4.00" in page


def test_what_was_learned_is_kept_with_who_wrote_it(app, clock):
    made = ended()
    marketer = AtDesk(app, "marketer")
    page = marketer.get(f"/desk/tests/{made.id}").text
    before = re.search(r'name="before" value="(\w+)"', page)
    assert before
    answer = marketer.post(f"/desk/tests/{made.id}/learned", learned="Price first.\r\nAlways.", before=before[1])
    assert answer.headers["Location"] == f"/desk/tests/{made.id}"
    assert db.session.scalar(select(Experiment.learned)) == "Price first.\nAlways."
    event = db.session.scalars(select(ExperimentEvent).where(ExperimentEvent.kind == "learned")).one()
    assert (event.actor, event.detail) == (marketer.email, "Price first.\nAlways.")
    entry = db.session.scalars(select(AuditEntry).order_by(AuditEntry.id.desc())).first()
    assert entry is not None
    assert (entry.action, entry.subject) == ("wrote what a test taught", f"experiment:{made.id}")


def test_pressing_save_twice_writes_once(app, clock):
    made = ended()
    marketer = AtDesk(app, "marketer")
    before = re.search(r'name="before" value="(\w+)"', marketer.get(f"/desk/tests/{made.id}").text)
    assert before
    for _ in range(2):
        assert marketer.post(f"/desk/tests/{made.id}/learned", learned="x", before=before[1]).status_code == 303
    assert len(db.session.scalars(select(ExperimentEvent).where(ExperimentEvent.kind == "learned")).all()) == 1


def test_two_people_who_write_at_once_lose_nothing(app, clock):
    made = ended()
    ann, bob = AtDesk(app, "marketer"), AtDesk(app, "owner")
    before = re.search(r'name="before" value="(\w+)"', bob.get(f"/desk/tests/{made.id}").text)
    assert before
    ann.post(f"/desk/tests/{made.id}/learned", learned="Ann's text", before=before[1])
    answer = bob.post(f"/desk/tests/{made.id}/learned", learned="Bob's text", before=before[1])
    assert answer.status_code == 409
    assert "Somebody else wrote here while you did." in answer.text
    assert "<blockquote class=\"kept\">Ann&#39;s text" in answer.text
    assert ">Bob&#39;s text</textarea>" in answer.text
    assert db.session.scalar(select(Experiment.learned)) == "Ann's text"


@pytest.mark.parametrize(("fields", "words", "act"), [
    ({"arms": WON, "plan": PLAN}, "Variant b wins", "Decide"),
    ({"arms": {"a": (6000, 180), "b": (4000, 160)}, "plan": PLAN}, "not shared out as planned", "See why"),
    ({"paused_at": NOON}, "The test is paused since 2 March 2026", "See why"),
])
def test_home_tells_of_tests_that_need_somebody(app, clock, fields, words, act):
    made = make_experiment(**fields)
    page = AtDesk(app, "marketer").get("/desk/").text
    need = re.search(rf'<li>([^<]*{words}[^<]*)<a href="/desk/tests/{made.id}">{act}</a>', page)
    assert need, page
    assert words not in AtDesk(app, "sales").get("/desk/").text


def test_home_is_silent_about_tests_that_run_or_have_ended(app, clock):
    make_experiment()
    ended(arms=WON, plan=PLAN, offer="newsletter")
    assert "/desk/tests/" not in AtDesk(app, "marketer").get("/desk/").text.split('id="needs"')[1]


def test_looking_at_tests_changes_nothing(app, clock):
    made = make_experiment(WON, plan=PLAN)
    marketer = AtDesk(app, "marketer")
    before = contents()
    for path in ("", "/start", "/start/guide", f"/{made.id}", f"/{made.id}/stop", f"/{made.id}/ship", "/pages/guide/b"):
        for method in ("GET", "HEAD"):
            assert marketer.client.open(f"/desk/tests{path}", method=method).status_code in {200, 303}
    assert contents() == before


def test_what_is_not_there_is_not_there(app, clock):
    marketer = AtDesk(app, "marketer")
    for path in ("/99", "/99/stop", "/99/ship", "/start/nope", "/pages/guide/e", "/pages/nope/a"):
        assert marketer.get(f"/desk/tests{path}").status_code == 404, path
