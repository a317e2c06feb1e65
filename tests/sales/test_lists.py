"""The list of leads and the pipeline at work: orders, views, acts on many with their undo, keys, phones."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from html import unescape

import pytest
from flask import Flask
from playwright.sync_api import Browser, Page, expect
from sqlalchemy import select
from werkzeug.serving import make_server

from factories import NOON, make_account, make_lead, make_view
from handsel.accounts import links
from handsel.accounts.models import Account
from handsel.db import db, writing
from handsel.leads.handoff.models import Task
from handsel.leads.listing import acts
from handsel.leads.listing.models import LeadAct, SavedView
from handsel.leads.models import Lead
from support import on_sqlite
from support.desk import AtDesk

LONG = "Wolfeschlegelsteinhausenbergerdorff-Featherstonehaugh"


def names(page: str) -> list[str]:
    return [unescape(name) for name in re.findall(r'class="who"><a href="/desk/leads/\d+">([^<]+)', page)]


def now(lead: Lead) -> Lead:
    db.session.rollback()  # what another connection wrote since
    return db.session.get_one(Lead, lead.id, populate_existing=True)


@pytest.fixture
def three(app: Flask, clock) -> list[Lead]:
    """Three leads: Ada with most points, Ben who acted last, Cleo who came last."""
    return [make_lead(name="Ada", score=90, stage="mql", stage_at=NOON - timedelta(days=20), tags=("energy",)),
            make_lead(name="Ben", score=10, acted_at=NOON, stage_at=NOON - timedelta(days=2)),
            make_lead(name="Cleo", score=50, stage="sql", stage_at=NOON)]


def test_each_head_sorts_and_says_which_way_round(three, app):
    seller = AtDesk(app, "sales")
    assert names(seller.get("/desk/leads").text) == ["Cleo", "Ben", "Ada"]
    page = seller.get("/desk/leads?sort=score").text
    assert names(page) == ["Ada", "Cleo", "Ben"]
    assert re.search(r'aria-sort="descending"><a class="sort" href="/desk/leads\?sort=-score"', page)
    assert names(seller.get("/desk/leads?sort=-score").text) == ["Ben", "Cleo", "Ada"]
    assert names(seller.get("/desk/leads?sort=acted").text)[0] == "Ben"
    assert names(seller.get("/desk/leads?sort=-stage").text) == ["Ada", "Ben", "Cleo"]


@pytest.mark.parametrize("query", ["sort=size", "owner=nobody@x.example", "segment=none", "search=%26",
                                   "sort=score&after=1"])
def test_what_means_nothing_is_told_and_shows_nobody(three, app, query):
    answer = AtDesk(app, "sales").get(f"/desk/leads?{query}")
    assert answer.status_code == 400
    assert names(answer.text) == []


def test_mine_and_unassigned_are_the_readers_own(three, app):
    seller, other = AtDesk(app, "sales"), AtDesk(app, "sales")
    with writing() as session:
        session.get_one(Lead, three[0].id).owner_id = seller.account_id
    assert names(seller.get("/desk/leads?owner=me").text) == ["Ada"]
    assert names(other.get("/desk/leads?owner=me").text) == []
    assert names(other.get(f"/desk/leads?owner={seller.email}").text) == ["Ada"]
    assert names(other.get("/desk/leads?owner=none").text) == ["Cleo", "Ben"]


def test_a_view_is_kept_for_oneself_or_shared_and_goes_by_its_owner_alone(three, app):
    seller, other = AtDesk(app, "sales"), AtDesk(app, "marketer")
    seller.post("/desk/leads/views", name=" Hot  ones ", stage="mql", sort="score", shared="yes")
    seller.post("/desk/leads/views", name="Private", tag="energy")
    seller.post("/desk/leads/views", name="  ", tag="energy")
    assert [(view.name, view.query, view.shared) for view in db.session.scalars(
        select(SavedView).order_by(SavedView.id))] == [("Hot ones", "stage=mql&sort=score", True),
                                                       ("Private", "tag=energy", False)]
    page = other.get("/desk/leads").text
    assert 'href="/desk/leads?stage=mql&amp;sort=score"' in page
    assert "Private" not in page
    view = db.session.scalars(select(SavedView.id).order_by(SavedView.id)).first()
    assert other.post(f"/desk/leads/views/{view}/removal").status_code == 404
    assert seller.post(f"/desk/leads/views/{view}/removal").status_code == 303
    assert "Hot ones" not in other.get("/desk/leads").text


def test_a_saved_view_of_the_same_name_becomes_the_new_one(three, app):
    seller = AtDesk(app, "sales")
    make_view(account_id=seller.account_id, name="Hot")
    seller.post("/desk/leads/views", name="HOT", stage="sql")
    assert [(view.name, view.query) for view in db.session.scalars(select(SavedView))] == [("HOT", "stage=sql")]


def test_all_of_the_filter_are_acted_on_and_none_besides(three, app):
    seller = AtDesk(app, "sales")
    seller.post("/desk/leads/acts", which="all", stage="mql", act="tag", **{"to-tag": "Spring Fair"})
    assert [now(lead).tags_text for lead in three] == ["energy, spring-fair", "", ""]
    page = seller.get("/desk/leads").text
    assert "Put the tag spring-fair on 1 lead." in page
    act = db.session.scalars(select(LeadAct.id)).one()
    assert f'action="/desk/leads/acts/{act}/undoing"' in page
    seller.post(f"/desk/leads/acts/{act}/undoing", next="/desk/leads?tag=energy")
    assert now(three[0]).tags_text == "energy"
    assert "Taken back for 1 lead." in seller.get("/desk/leads").text
    assert "Taken back" in seller.get("/desk/leads/acts").text


def test_ticked_leads_get_an_owner_and_a_task(three, app):
    seller = AtDesk(app, "sales")
    me, ticked = str(seller.account_id), [str(three[0].id), str(three[2].id)]
    seller.post("/desk/leads/acts", lead=ticked, act="owner", **{"to-owner": me})
    assert [now(lead).owner_id for lead in three] == [seller.account_id, None, seller.account_id]
    seller.post("/desk/leads/acts", lead=str(three[1].id), act="task", due="2026-03-04",
                **{"to-task": "Call Ben"})
    task = db.session.scalars(select(Task)).one()
    assert (task.lead_id, task.title, f"{task.due_at:%Y-%m-%d}") == (three[1].id, "Call Ben", "2026-03-04")
    assert "Call Ben" in seller.get("/desk/leads").text


def test_a_filter_that_is_too_wide_or_means_nothing_changes_nobody(three, app, monkeypatch):
    monkeypatch.setattr(acts, "MOST", 2)
    seller = AtDesk(app, "sales")
    for fields, words in (({"which": "all"}, "more than 2 leads"), ({"which": "all", "tag": "nope"}, "There is no tag"),
                          ({}, "No lead is ticked"), ({"lead": str(three[0].id), "act": "erase"}, "There is no act")):
        seller.post("/desk/leads/acts", **({"act": "tag", "to-tag": "x"} | fields))
        assert words in seller.get("/desk/leads").text
    assert [now(lead).tags_text for lead in three] == ["energy", "", ""]


def test_the_pipeline_shows_who_stands_where_for_how_long_and_who_is_stale(three, app):
    page = AtDesk(app, "marketer").get("/desk/pipeline").text
    columns = {stage: part for stage, part in re.findall(r'data-stage="(\w+)"(.*?)</section>', page, re.S)}
    assert list(columns) == ["iql", "mql", "pql", "service", "sql", "customer"]
    assert ("Ada" in columns["mql"], "20 days" in columns["mql"], ">Stale<" in columns["mql"]) == (True, True, True)
    assert ("Ben" in columns["iql"], "2 days" in columns["iql"], ">Stale<" in columns["iql"]) == (True, True, False)
    assert ("Cleo" in columns["sql"], "today" in columns["sql"]) == (True, True)
    assert "Move" not in columns["sql"]


def test_a_move_goes_on_at_once_and_back_with_a_reason(three, app):
    seller = AtDesk(app, "sales")
    seller.post("/desk/pipeline/moves", lead=str(three[1].id), stage="mql")
    assert now(three[1]).stage == "mql"
    assert "Moved 1 lead to Marketing" in seller.get("/desk/pipeline").text
    seller.post("/desk/pipeline/moves", lead=str(three[2].id), stage="iql")
    assert now(three[2]).stage == "sql"
    assert "only with a reason" in seller.get("/desk/pipeline").text
    seller.post("/desk/pipeline/moves", lead=str(three[2].id), stage="iql", reason="Only curious")
    assert now(three[2]).stage == "iql"
    assert seller.post("/desk/pipeline/moves", lead="999999", stage="mql").status_code == 404
    assert seller.post("/desk/pipeline/moves", lead="x", stage="mql").status_code == 400


@pytest.fixture
def site(app: Flask) -> Iterator[str]:
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()


def come_in(page: Page, site: str, account: Account) -> None:
    with writing() as session:
        secret, _ = links.make(session, account.id, NOON, links.BY_MAIL)
    page.goto(f"{site}/desk/enter/{secret}")
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url("**/desk/password")


@on_sqlite
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1280])
def test_axe_finds_nothing_and_nothing_sticks_out(
        three, site: str, browser: Browser, axe: Callable[..., None], scheme, width: int) -> None:
    make_lead(name=LONG, company=LONG, email=f"{LONG.lower()}@{'a' * 60}.example")
    page = browser.new_context(viewport={"width": width, "height": 800}, color_scheme=scheme).new_page()
    come_in(page, site, make_account("sales"))
    for path in ("/desk/leads", "/desk/leads?tag=energy&sort=score&owner=none", "/desk/pipeline", "/desk/leads/acts",
                 "/desk/leads?search=zzz"):
        page.goto(site + path)
        for box in page.locator(".list tbody .tickbox input").all()[:1]:
            box.check()
        axe(page)
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path
        page.evaluate("document.querySelectorAll('main details:not(.menu)').forEach(one => { one.open = true })")
        axe(page)
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path
    page.context.close()


@on_sqlite
def test_keys_alone_tick_tag_and_take_back(three, site: str, browser: Browser) -> None:
    page = browser.new_context().new_page()
    come_in(page, site, make_account("sales"))
    page.keyboard.press("g")
    page.keyboard.press("l")
    page.wait_for_url("**/desk/leads")
    for key in ("j", "x", "j", "x"):
        page.keyboard.press(key)
    expect(page.locator(".bulk__count")).to_have_text("2 ticked")
    page.keyboard.press("e")
    page.get_by_label("Tag", exact=True).last.fill("spring")
    page.get_by_role("button", name="Put on").press("Enter")
    expect(page.locator(".toast")).to_contain_text("Put the tag spring on 2 leads.")
    assert [now(lead).tags_text for lead in three] == ["energy", "spring", "spring"]
    page.locator(".toast").get_by_role("button", name="Undo").press("Enter")
    expect(page.get_by_role("status").first).to_contain_text("Taken back for 2 leads.")
    assert [now(lead).tags_text for lead in three] == ["energy", "", ""]
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/desk/leads/{three[2].id}")
    page.context.close()


@on_sqlite
def test_a_card_is_dragged_on_and_back_only_with_a_reason(three, site: str, browser: Browser) -> None:
    page = browser.new_context(viewport={"width": 1600, "height": 900}).new_page()
    come_in(page, site, make_account("sales"))
    page.goto(f"{site}/desk/pipeline")
    page.locator(".ticket", has_text="Ben").drag_to(page.locator("[data-stage=mql]"))
    expect(page.locator(".toast")).to_contain_text("Moved 1 lead to Marketing")
    assert now(three[1]).stage == "mql"
    page.locator(".ticket", has_text="Cleo").drag_to(page.locator("[data-stage=iql]"))
    why = page.locator(".ticket", has_text="Cleo").get_by_label("Why")
    expect(why).to_be_focused()
    assert now(three[2]).stage == "sql"
    why.fill("Only curious")
    why.press("Enter")
    expect(page.locator("[data-stage=iql]")).to_contain_text("Cleo")
    assert now(three[2]).stage == "iql"
    page.context.close()


@on_sqlite
def test_a_seller_on_a_phone_without_scripts_ticks_gives_and_moves(three, site: str, browser: Browser) -> None:
    page = browser.new_context(viewport={"width": 360, "height": 740}, java_script_enabled=False).new_page()
    seller = make_account("sales", name="Sara")
    come_in(page, site, seller)
    page.goto(f"{site}/desk/leads?sort=score")
    page.get_by_label("Tick Ada").check()
    page.get_by_text("Do something with many").click()
    page.get_by_label("Give to").select_option("Sara")
    page.get_by_role("button", name="Give", exact=True).click()
    expect(page.get_by_role("status").first).to_contain_text("Gave 1 lead to Sara.")
    assert now(three[0]).owner_id == seller.id
    page.goto(f"{site}/desk/pipeline?owner=me")
    page.get_by_text("Move Ada").click()
    page.get_by_label("To", exact=True).select_option("sql")
    page.get_by_role("button", name="Move", exact=True).click()
    expect(page.locator("[data-stage=sql]")).to_contain_text("Ada")
    assert now(three[0]).stage == "sql"
    page.context.close()
