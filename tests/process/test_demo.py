"""The sample history: what it shows, that it is the same for the same seed, and where it refuses."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

from click.testing import Result
from flask import Flask
from sqlalchemy import func, select

from handsel.clock import system_now
from handsel.db import db
from handsel.experiments.results import all_of
from handsel.leads.handoff.models import Activity, Handoff
from handsel.leads.models import Capture, Lead
from handsel.leads.stages.models import StageChange
from handsel.mail.models import Message

Handsel = Callable[..., Result]
STORIES = ("guide", "newsletter", "toolkit")


def three_tests(project: Path) -> None:
    """Let each of three offers run a test with a plan."""
    plan = "experiment:\n  goal: capture\n  split: {a: 50, b: 50}\n  baseline: .1\n  mde: .4\n---"
    for slug in sorted(path.name for path in (project / "offers").iterdir()):
        folder = project / "offers" / slug
        if (folder / "landing.md").exists():
            words = (folder / "offer.md").read_text()
            head, rest = words.split("\nexperiment:")[0], words.split("---", 2)[2]
            (folder / "offer.md").write_text(head.split("\n---")[0].rstrip() + "\n" + plan + rest)
            (folder / "landing.b.md").write_text((folder / "landing.md").read_text().replace("# ", "# New: ", 1))


def test_three_tests_get_a_winner_no_difference_and_a_wrong_split(
        project: Path, handsel: Handsel, app: Flask) -> None:
    three_tests(project)
    said = handsel("demo", "--days", "42")
    assert (said.exit_code, "leads in 42 days" in said.output) == (0, True), said.output
    with db.engine.connect() as connection:
        found = all_of(connection)
    told = {(each.verdict, each.alarm) for each in found}
    assert told == {("winner", False), ("no_difference", False), ("withheld", True)}
    assert next(each for each in found if each.verdict == "winner").variant == "b"
    assert {len(each.course) for each in found} == {41}  # the day of the start has none


def test_whoever_rebuilds_the_sample_finds_the_same(handsel: Handsel, app: Flask) -> None:
    handsel("demo", "--days", "14")
    with db.engine.connect() as connection:
        before = [(each.verdict, each.arms, each.excluded) for each in all_of(connection)]
        leads = connection.execute(select(Lead.email, Lead.stage, Lead.tags_text, Lead.confirmed_at)
                                   .order_by(Lead.email)).all()
    assert handsel("rebuild").exit_code == 0
    with db.engine.connect() as connection:
        assert [(each.verdict, each.arms, each.excluded) for each in all_of(connection)] == before
        assert connection.execute(select(Lead.email, Lead.stage, Lead.tags_text, Lead.confirmed_at)
                                  .order_by(Lead.email)).all() == leads
    assert len(leads) > 20


def test_no_mail_of_the_past_waits_and_letters_go_only_to_proven_mailboxes(handsel: Handsel, app: Flask) -> None:
    handsel("demo", "--days", "21")
    with db.engine.connect() as connection:
        waiting = connection.execute(select(Message.kind, func.min(Message.due_at)).where(Message.state == "queued")
                                     .group_by(Message.kind)).all()
        unproven = connection.scalar(
            select(func.count()).select_from(Message).join(Capture, Capture.id == Message.capture_id)
            .where(Message.kind == "letter", Message.state == "sent", Capture.proven_at.is_(None)))
        sent = connection.scalars(select(Message.id).where(Message.kind == "letter", Message.state == "sent")).all()
    assert {kind for kind, _ in waiting} <= {"letter", "notice"}
    assert all(kind == "letter" or due_at >= system_now() - timedelta(days=1, minutes=5) for kind, due_at in waiting)
    assert unproven == 0
    assert len(sent) > 20


def test_it_refuses_where_anybody_was_and_says_why(handsel: Handsel, app: Flask) -> None:
    assert handsel("demo", "--days", "7").exit_code == 0
    said = handsel("demo")
    assert said.exit_code == 1
    assert "It holds leads or visits" in said.output
    again = handsel("demo", "--if-empty")
    assert (again.exit_code, again.output) == (0, "")


def test_it_refuses_in_production_and_where_mail_leaves_the_house(handsel: Handsel) -> None:
    said = handsel("demo", HANDSEL_ENV="production", HANDSEL_SITE_URL="https://guide.example",
                   HANDSEL_SECRET_KEY="a key that is long enough for production, surely")
    assert (said.exit_code, "Invented people" in said.output) == (1, True), said.output
    said = handsel("demo", HANDSEL_MAIL_URL="smtp://127.0.0.1:2525")
    assert (said.exit_code, "would leave the house" in said.output) == (1, True), said.output


def test_two_sellers_work_on_what_is_handed_over_and_who_fits_is_accepted_more_often(
        project: Path, handsel: Handsel, app: Flask) -> None:
    handsel("demo", "--days", "28")
    with db.engine.connect() as connection:
        states = dict(connection.execute(select(Handoff.state, func.count()).group_by(Handoff.state)).all())
        owners = set(connection.scalars(select(Handoff.owner_id).distinct())) - {None}
        kinds = set(connection.scalars(select(Activity.kind).distinct()))
        late = connection.scalar(select(func.count()).select_from(StageChange).where(
            StageChange.at > system_now() + timedelta(seconds=1)))
    assert states["accepted"] > 3
    assert states["rejected"] > 3
    assert len(owners) == 2
    assert {"call"} <= kinds
    assert late == 0
