"""Acts on many leads with one press, and taking them back."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, select

from factories import NOON, make_account, make_lead
from handsel.accounts.audit import Actor
from handsel.accounts.models import AuditEntry
from handsel.db import db, writing
from handsel.errors import HandselError
from handsel.leads import merging
from handsel.leads.handoff.models import Assignment, Task
from handsel.leads.listing import acts
from handsel.leads.listing.acts import Wish
from handsel.leads.listing.models import LeadAct
from handsel.leads.models import Lead, LeadTag
from handsel.leads.stages.models import StageChange
from handsel.offers.live import current
from handsel.worker.qualifying import qualify_now
from support.desk import AtDesk

ADA = Actor("ada@here.example")
LATER = NOON + timedelta(minutes=1)


def done(leads: list[Lead], wish: Wish, at: Any = NOON) -> int | None:
    with writing() as session:
        act = acts.do(session, [lead.id for lead in leads], wish, actor=ADA, at=at)
        return act.id if act else None


def undone(act: int | None, at: Any = LATER) -> int | None:
    assert act is not None
    with writing() as session:
        return acts.undo(session, act, actor=ADA, at=at)


def now(lead: Lead) -> Lead:
    return db.session.get_one(Lead, lead.id, populate_existing=True)


def test_a_tag_is_put_on_those_without_it_and_taken_off_these_alone(app):
    had, new = make_lead(tags=("energy",)), make_lead()
    act = done([had, new], Wish("tag", "energy"))
    assert db.session.get_one(LeadAct, act).number == 1
    assert [now(each).tags_text for each in (had, new)] == ["energy", "energy"]
    assert now(new).look_at == NOON
    assert undone(act) == 1
    assert [now(each).tags_text for each in (had, new)] == ["energy", ""]
    assert undone(act) is None


def test_a_tag_comes_back_as_it_was(app, clock):
    lead = make_lead(tags=("energy",))
    with writing() as session:
        session.get_one(LeadTag, (lead.id, "energy")).source = "guide"
    act = done([lead], Wish("untag", "energy"), LATER)
    assert now(lead).tags_text == ""
    assert undone(act) == 1
    tag = db.session.get_one(LeadTag, (lead.id, "energy"))
    assert (tag.at, tag.source, now(lead).tags_text) == (NOON, "guide", "energy")


def test_leads_are_given_to_somebody_and_back_to_whoever_had_them(app):
    seller, other = make_account("sales"), make_account("sales")
    own, free = make_lead(owner_id=other.id), make_lead()
    act = done([own, free], Wish("owner", str(seller.id)))
    assert [now(each).owner_id for each in (own, free)] == [seller.id, seller.id]
    done([free], Wish("owner", str(other.id)))
    assert undone(act) == 1  # the other was given away since, and stays there
    assert [now(each).owner_id for each in (own, free)] == [other.id, other.id]
    assert db.session.scalar(select(func.count()).select_from(Assignment)) == 4


def test_a_stage_is_a_change_with_its_reason_and_so_is_its_undoing(app):
    first, second = make_lead(stage="iql"), make_lead(stage="mql")
    act = done([first, second], Wish("stage", "mql"))
    assert db.session.get_one(LeadAct, act).number == 1
    assert undone(act) == 1
    assert now(first).stage == "iql"
    assert [(row.was, row.stage, row.way) for row in db.session.scalars(
        select(StageChange).where(StageChange.lead_id == first.id).order_by(StageChange.id))] == [
        ("iql", "mql", "person"), ("mql", "iql", "person")]


def test_nobody_goes_back_without_a_reason_and_then_nothing_is_done_at_all(app):
    iql, sql = make_lead(stage="iql"), make_lead(stage="sql")
    with pytest.raises(HandselError, match="only with a reason"):
        done([iql, sql], Wish("stage", "mql"))
    assert [now(each).stage for each in (iql, sql)] == ["iql", "sql"]
    assert done([iql, sql], Wish("stage", "mql", "No budget this year")) is not None
    assert [now(each).stage for each in (iql, sql)] == ["mql", "mql"]


def test_a_task_for_each_is_gone_again_unless_it_is_done(app):
    leads = [make_lead(), make_lead()]
    act = done(leads, Wish("task", "Call about the offer", due_at=NOON + timedelta(days=1)))
    tasks = list(db.session.scalars(select(Task).order_by(Task.id)))
    assert [(task.lead_id, task.title) for task in tasks] == [(lead.id, "Call about the offer") for lead in leads]
    with writing() as session:
        session.get_one(Task, tasks[0].id).done_at = LATER
    assert undone(act) == 1
    assert list(db.session.scalars(select(Task.id))) == [tasks[0].id]


@pytest.mark.parametrize("wish", [
    Wish("tag", "<b>"), Wish("owner", "999999"), Wish("owner", "x"), Wish("stage", "vip"), Wish("task", "Call"),
    Wish("task", " ", due_at=NOON), Wish("erase", "all")])
def test_a_wish_that_means_nothing_is_told_and_does_nothing(app, wish):
    lead = make_lead()
    with pytest.raises(HandselError):
        done([lead], wish)
    assert db.session.scalar(select(func.count()).select_from(LeadAct)) == 0


def test_no_lead_and_too_many_leads_are_refused(app):
    with writing() as session:
        with pytest.raises(HandselError, match="No lead is ticked"):
            acts.do(session, [], Wish("tag", "x"), actor=ADA, at=NOON)
        with pytest.raises(HandselError, match="more than 1,000"):
            acts.do(session, range(acts.MOST + 1), Wish("tag", "x"), actor=ADA, at=NOON)


def test_merged_mailboxes_are_left_alone_and_nothing_changed_is_no_act(app):
    head = make_lead(tags=("energy",))
    merged = make_lead(merged_into_id=head.id)
    assert done([merged, head], Wish("tag", "energy")) is None
    assert db.session.scalar(select(func.count()).select_from(LeadAct)) == 0


def test_a_tag_that_a_merged_mailbox_lends_is_off_for_good(app):
    head = make_lead(tags=("energy",))
    make_lead(merged_into_id=head.id, tags=("energy",))
    done([head], Wish("untag", "energy"))
    assert list(db.session.scalars(select(LeadTag.lead_id))) == []


def test_acts_can_be_taken_back_for_thirty_days(app):
    lead = make_lead()
    act = done([lead], Wish("tag", "energy"))
    assert [each.id for each in acts.recent(db.session(), NOON + timedelta(days=29))] == [act]
    assert undone(act, NOON + acts.KEPT) is None
    assert acts.recent(db.session(), NOON + acts.KEPT) == []


def test_the_log_says_what_was_done_to_how_many_but_names_nobody(app):
    leads = [make_lead(), make_lead()]
    act = done(leads, Wish("tag", "energy"))
    undone(act)
    assert [(row.action, row.actor, row.subject, row.detail) for row in db.session.scalars(
        select(AuditEntry).order_by(AuditEntry.id))] == [
        ("did to leads: tag", ADA.name, "leads", {"act": act, "leads": 2, "value": "energy"}),
        ("took back an act on leads", ADA.name, "leads", {"act": act, "leads": 2})]


def test_a_tag_of_another_mailbox_comes_back_with_the_undo(app, clock):
    head, joins = make_lead(), make_lead(tags=("fair",))
    with writing() as session:
        merging.merge(session, current(), head.id, joins.id, actor=ADA, at=NOON)
    act = done([head], Wish("untag", "fair"))
    clock.move(minutes=1)
    qualify_now(app)
    assert (now(head).tags_text, db.session.scalars(select(LeadTag)).all()) == ("", [])
    assert undone(act) == 1
    clock.move(minutes=1)
    qualify_now(app)
    assert now(head).tags_text == "fair"
    assert {row.lead_id: row.source for row in db.session.scalars(select(LeadTag))} == {head.id: "merged", joins.id: ""}
    done([head], Wish("untag", "fair"))
    with writing() as session:
        merging.part(session, current(), joins.id, actor=ADA, at=LATER)
    assert now(joins).tags_text == ""


def test_a_filter_that_there_is_not_acts_on_nobody(app):
    make_lead()
    seller = AtDesk(app, "sales")
    answer = seller.post("/desk/leads/acts", act="tag", which="all", segmnt="hot", **{"to-tag": "oops"})
    assert answer.status_code == 303
    assert db.session.scalars(select(LeadTag)).all() == []
    page = seller.get("/desk/leads?segmnt=hot")
    assert (page.status_code, "There is no filter &#39;segmnt&#39;." in page.text) == (400, True)
    assert "Did you mean &#39;segment&#39;?" in page.text
