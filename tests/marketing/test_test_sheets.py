"""The sheets that start, stop and ship a test: what they say, what they write, and what happens when files change."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from factories import NOON, make_experiment
from handsel.accounts.models import AuditEntry
from handsel.db import db, writing
from handsel.experiments.models import Conversion, Experiment, ExperimentEvent, Exposure
from marketing.test_tests import PLAN, WON, text_of
from support.desk import AtDesk

OFFER = "offers/guide/offer.md"


@pytest.fixture
def calm(project: Path) -> Path:
    """The project with two landing pages of the guide and no test of them."""
    file = project / OFFER
    file.write_text(re.sub(r"experiment:\n(  .*\n)+", "", file.read_text()))
    return project


def field(page: str, name: str) -> str:
    found = re.search(rf'name="{name}"[^>]*value="([^"]*)"', page)
    assert found, f"no field {name}"
    return found[1]


def sheet(desk: AtDesk, **fields: Any) -> dict[str, Any]:
    """The start sheet of the guide as it comes, with what somebody types."""
    page = desk.get("/desk/tests/start/guide").text
    return {"seen": field(page, "seen"), "share_a": "50", "share_b": "50", "goal": "capture", "mde": "20",
            "baseline": "3", "act": "start"} | fields


def traffic(visitors: int, conversions: int) -> None:
    with writing() as session:
        for number in range(visitors):
            at = NOON - timedelta(days=27) + timedelta(minutes=number)
            session.add(Exposure(offer="guide", visitor=f"v{number}", variant="a", at=at, day=at.date()))
            if number < conversions:
                session.add(Conversion(offer="guide", visitor=f"v{number}", variant="a", goal="capture", at=at))


def test_the_sheet_is_filled_in_from_the_offers_own_traffic(app, clock, calm):
    traffic(400, 12)
    page = AtDesk(app, "marketer").get("/desk/tests/start/guide").text
    assert (field(page, "baseline"), field(page, "mde"), field(page, "share_b")) == ("3", "20", "50")
    said = text_of(page)
    assert "In the last 28 days 400 people saw the page and 3.0 % reached the goal." in said
    assert "Your traffic is too low for this" in said


def test_recalculate_reckons_anew_and_changes_nothing(app, clock, calm):
    traffic(400, 12)
    before = (calm / OFFER).read_bytes()
    desk = AtDesk(app, "marketer")
    answer = desk.post("/desk/tests/start/guide", **sheet(desk, act="reckon", baseline="10,0 %", mde="50"))
    assert answer.status_code == 200
    assert "To find +50 %, from 10.0 % to 15.0 %" in text_of(answer.text)
    assert field(answer.text, "baseline") == "10,0 %"
    assert (calm / OFFER).read_bytes() == before


def test_start_writes_the_test_into_the_offer(app, clock, calm):
    desk = AtDesk(app, "marketer")
    typed = sheet(desk, hypothesis="  Short\nwins. ", share_a="60", share_b="40")
    answer = desk.post("/desk/tests/start/guide", **typed)
    assert answer.status_code == 303, text_of(answer.text)
    text = (calm / OFFER).read_text()
    block = text[text.index("experiment:"):]
    for line in ("goal: capture", "baseline: 0.03", "mde: 0.2", "hypothesis: Short wins."):
        assert line in block
    assert re.search(r"a: 60,? ?\n? *b: 40", block)
    entry = db.session.scalars(select(AuditEntry).order_by(AuditEntry.id.desc())).first()
    assert entry is not None
    assert (entry.action, entry.actor) == ("started a test", desk.email)
    assert "The test has begun" in desk.get("/desk/tests").text


def test_a_test_without_a_plan_leaves_the_figures_out(app, clock, calm):
    desk = AtDesk(app, "marketer")
    assert desk.post("/desk/tests/start/guide", **sheet(desk, baseline="", mde="")).status_code == 303
    text = (calm / OFFER).read_text()
    assert "baseline" not in text
    assert "mde" not in text


def test_pressing_start_twice_starts_once(app, clock, calm):
    desk = AtDesk(app, "marketer")
    filled = sheet(desk)
    assert [desk.post("/desk/tests/start/guide", **filled).status_code for _ in range(2)] == [303, 303]
    assert len(db.session.scalars(select(AuditEntry).where(AuditEntry.action == "started a test")).all()) == 1


@pytest.mark.parametrize(("typed", "said"), [
    ({"mde": "much"}, "Smallest lift worth finding, in percent: That is not a number."),
    ({"baseline": "300"}, "Use a number over 0 and under 100."),
    ({"baseline": "nan"}, "Use a number over 0"),
    ({"share_b": "half"}, "The share of b is not a whole number."),
    ({"goal": "fame"}, "Not a valid choice"),
])
def test_what_cannot_be_read_is_said_at_its_field_and_kept(app, clock, calm, typed, said):
    desk = AtDesk(app, "marketer")
    answer = desk.post("/desk/tests/start/guide", **sheet(desk, hypothesis="Keep me.") | typed)
    assert answer.status_code == 422
    assert said in text_of(answer.text)
    assert "Keep me.</textarea>" in answer.text
    for name, value in typed.items():
        assert name == "goal" or field(answer.text, name) == value
    assert "experiment:" not in (calm / OFFER).read_text()


def test_a_split_that_cannot_be_is_told_and_not_written(app, clock, calm):
    desk = AtDesk(app, "marketer")
    answer = desk.post("/desk/tests/start/guide", **sheet(desk, share_a="50", share_b="40"))
    assert answer.status_code == 409
    assert "90" in text_of(answer.text)
    assert "experiment:" not in (calm / OFFER).read_text()


def test_files_that_changed_under_the_sheet_are_told_with_what_was_typed_kept(app, clock, calm):
    desk = AtDesk(app, "marketer")
    filled = sheet(desk, hypothesis="Keep me.")
    page = calm / "offers/guide/landing.b.md"
    page.write_text(page.read_text().replace("Ten minutes", "Five minutes"))
    answer = desk.post("/desk/tests/start/guide", **filled)
    assert answer.status_code == 409
    assert "The files of this offer changed" in answer.text
    assert "Keep me.</textarea>" in answer.text
    assert "experiment:" not in (calm / OFFER).read_text()
    again = desk.post("/desk/tests/start/guide", **filled | {"seen": field(answer.text, "seen")})
    assert again.status_code == 303


def test_offers_without_a_challenger_say_what_is_missing(app, clock, calm):
    desk = AtDesk(app, "marketer")
    page = text_of(desk.get("/desk/tests/start").text)
    assert "Plan the test of The small guide to finishing books" in page
    assert "Write offers/newsletter/landing.b.md" in page
    assert "There is nothing to test yet." in text_of(desk.get("/desk/tests/start/newsletter").text)


def test_stop_shows_the_control_to_everybody_and_keeps_what_was_learned(app, clock, project):
    made = make_experiment(plan=PLAN)
    desk = AtDesk(app, "marketer")
    page = text_of(desk.get(f"/desk/tests/{made.id}/stop").text)
    assert "There is no verdict yet." in page
    assert "Everybody sees the control" in page
    answer = desk.post(f"/desk/tests/{made.id}/stop", learned="Nobody cared.")
    assert answer.headers["Location"] == f"/desk/tests/{made.id}"
    assert "experiment:" not in (project / OFFER).read_text()
    assert (project / "offers/guide/landing.b.md").exists()
    assert db.session.scalar(select(Experiment.learned)) == "Nobody cared."
    event = db.session.scalars(select(ExperimentEvent).where(ExperimentEvent.kind == "stopped")).one()
    assert event.actor == desk.email
    assert "has left the files" in desk.get(f"/desk/tests/{made.id}").text
    assert desk.post(f"/desk/tests/{made.id}/stop").status_code == 303
    assert len(db.session.scalars(select(AuditEntry).where(AuditEntry.action == "stopped a test")).all()) == 1


def test_a_winner_is_shipped_with_one_button(app, clock, project):
    made = make_experiment(WON, plan=PLAN)
    folder = project / "offers/guide"
    control, winner = (folder / "landing.md").read_bytes(), (folder / "landing.b.md").read_bytes()
    desk = AtDesk(app, "marketer")
    raw = desk.get(f"/desk/tests/{made.id}/ship").text
    page = text_of(raw)
    assert "Variant b wins" in page
    assert "becomes landing.md , and everybody sees it within a second" in page
    assert re.search(r'<del class="gone">[^<]*Finish the books', raw)
    assert "without a verdict" not in page
    answer = desk.post(f"/desk/tests/{made.id}/ship", seen=field(raw, "seen"), variant="b", learned="Short wins.")
    assert answer.status_code == 303, text_of(answer.text)
    assert (folder / "landing.md").read_bytes() == winner
    assert not (folder / "landing.b.md").exists()
    assert [file.read_bytes() for file in (folder / "retired").iterdir()] == [control]
    assert "experiment:" not in (project / OFFER).read_text()
    assert "Variant b is shipped" in desk.get(f"/desk/tests/{made.id}").text
    assert desk.post(f"/desk/tests/{made.id}/ship", seen="x", variant="b").status_code == 303
    assert len(db.session.scalars(select(AuditEntry).where(AuditEntry.action == "shipped a test")).all()) == 1


def test_without_a_verdict_shipping_needs_a_tick(app, clock, project):
    made = make_experiment(plan=PLAN)
    desk = AtDesk(app, "marketer")
    raw = desk.get(f"/desk/tests/{made.id}/ship").text
    assert "There is no verdict that b is better. It may be worse." in text_of(raw)
    sent = {"seen": field(raw, "seen"), "variant": "b", "learned": "Keep me."}
    answer = desk.post(f"/desk/tests/{made.id}/ship", **sent)
    assert answer.status_code == 422
    assert "Nothing was shipped. Tick that you want variant b" in answer.text
    assert "Keep me.</textarea>" in answer.text
    assert (project / "offers/guide/landing.b.md").exists()
    assert desk.post(f"/desk/tests/{made.id}/ship", sure="yes", **sent).status_code == 303
    assert not (project / "offers/guide/landing.b.md").exists()


def test_pages_that_changed_under_the_ship_sheet_are_not_shipped(app, clock, project):
    made = make_experiment(WON, plan=PLAN)
    desk = AtDesk(app, "marketer")
    raw = desk.get(f"/desk/tests/{made.id}/ship").text
    page = project / "offers/guide/landing.b.md"
    page.write_text(page.read_text().replace("Ten minutes", "Five minutes"))
    answer = desk.post(f"/desk/tests/{made.id}/ship", seen=field(raw, "seen"), variant="b", learned="Keep me.")
    assert answer.status_code == 409
    assert "The pages changed while this sheet was open." in answer.text
    assert "Five minutes" in answer.text
    assert "Keep me.</textarea>" in answer.text
    assert page.exists()


def test_a_challenger_whose_file_is_gone_cannot_be_shipped(app, clock, project):
    made = make_experiment(WON, plan=PLAN)
    (project / "offers/guide/landing.b.md").unlink()
    answer = AtDesk(app, "marketer").client.get(f"/desk/tests/{made.id}/ship")
    assert answer.status_code in {302, 303}


def test_a_variant_is_looked_at_without_being_live_and_nothing_in_it_can_be_sent(app, clock, calm):
    answer = AtDesk(app, "marketer").get("/desk/tests/pages/guide/b")
    assert "Ten minutes from now you know how." in answer.text
    policy = answer.headers["Content-Security-Policy"]
    assert "form-action 'none'" in policy
    assert policy.endswith("sandbox")
    assert app.test_client().get("/desk/tests/pages/guide/b").status_code == 303
