"""The list of leads and a lead's page, as sales sees them."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from html import unescape
from pathlib import Path

import pytest
from sqlalchemy import event, insert, select

from factories import NOON, make_capture, make_consent, make_lead, make_message, make_words
from handsel.accounts.models import AuditEntry
from handsel.db import db, writing
from handsel.leads.export import COLUMNS
from handsel.leads.models import Capture, Download, Grant, Lead, LeadTag
from handsel.mail.models import Message
from support.desk import AtDesk
from support.sheets import read_xlsx

HOSTILE = Path(__file__).parent.parent / "hostile"


def text_of(page: str) -> str:
    """What a person reads: the main part without its marks."""
    main = page[page.index("<main"):page.index("</main>")]
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", main)))


def names(page: str) -> list[str]:
    return re.findall(r'<th scope="row" class="who"><a href="/desk/leads/\d+">([^<]+)', page)


def fill(count: int) -> None:
    with writing() as session:
        session.execute(insert(Lead), [
            {"key": f"key{n:019}", "email": f"p{n}@example.org", "address": f"p{n}@example.org", "name": f"Person {n}",
             "captured_at": NOON + timedelta(minutes=n), "last_capture_at": NOON + timedelta(minutes=n)}
            for n in range(1, count + 1)])
    make_words()


def test_the_list_turns_its_pages_both_ways_without_losing_or_repeating_anyone(app, clock):
    fill(120)
    sales = AtDesk(app, "sales")
    seen, address = [], "/desk/leads"
    while address:
        page = sales.get(address).text
        seen.append(names(page))
        older = re.search(r'rel="next" href="([^"]+)"', page)
        address = unescape(older[1]) if older else ""
    assert [len(part) for part in seen] == [50, 50, 20]
    assert [name for part in seen for name in part] == [f"Person {n}" for n in range(120, 0, -1)]
    back, newer = [seen[2]], re.search(r'rel="prev" href="([^"]+)"', page)
    while newer:
        page = sales.get(unescape(newer[1])).text
        back.insert(0, names(page))
        newer = re.search(r'rel="prev" href="([^"]+)"', page)
    assert back == seen


def test_search_and_filters_stand_in_the_address_and_are_kept_from_page_to_page(app, clock):
    fill(130)
    with writing() as session:
        session.execute(insert(LeadTag), [{"lead_id": n, "tag": "energy", "at": NOON} for n in range(1, 131, 2)])
    page = AtDesk(app, "sales").get("/desk/leads?tag=energy&search=person").text
    assert "65 leads, newest first" in text_of(page)
    assert names(page)[0] == "Person 129"
    assert "tag=energy&amp;search=person&amp;before=" in page
    assert '<option selected>energy</option>' in page
    assert 'value="person"' in page


@pytest.mark.parametrize("query", ["tag=nope", "offer=nope", "stage=vip", "since=soon", "held=1", "before=x",
                                   "after=-1", "before=99999999999999999999999"])
def test_a_filter_that_means_nothing_is_told_and_shows_nobody(app, clock, query):
    make_lead(name="Ada Marsh")
    answer = AtDesk(app, "sales").get(f"/desk/leads?{query}")
    assert answer.status_code == 400
    assert "Ada Marsh" not in answer.text


def test_empty_lists_say_what_will_be_there(app, clock):
    sales = AtDesk(app, "sales")
    assert "Nobody has asked for anything yet" in sales.get("/desk/leads").text
    make_lead()
    assert "No lead fits" in sales.get("/desk/leads?search=nobody").text


def test_the_page_of_a_lead_tells_all_that_happened_by_day(app, clock):
    lead = make_lead(name="Ada Marsh", company="Mill Lane Homes", custom={"team_size": "small"}, tags=("energy",),
                     offers=("guide",), consent_text="advice")
    capture = make_capture(lead, answers={"email": "ada@example.org", "first_name": "Ada"}, source="google",
                           utm_campaign="november", first_page="/blog/")
    make_consent(lead, "advice", capture_id=capture.id)
    clock.move(days=1)
    make_message(lead, state="sent", sent_at=clock(), step="01-begin")
    make_message(lead, state="failed", step="02-stop", reason="550 5.1.1 no such mailbox")
    with writing() as session:
        grant = Grant(key="g" * 22, lead_id=lead.id, offer="guide", created_at=NOON, expires_at=NOON, uses_left=1)
        session.add(grant)
        session.flush()
        session.add(Download(key="d" * 22, grant_id=grant.id, lead_id=lead.id, offer="guide", at=clock()))
    clock.move(days=1)
    make_message(lead, due_at=clock() + timedelta(days=2), step="03-leave")
    text = text_of(AtDesk(app, "sales").get(f"/desk/leads/{lead.id}").text)
    for words in ("Planned", "Yesterday", "Monday, 2 March 2026", "550 5.1.1 no such mailbox", "Failed", "Sent",
                  "Fetched", "Yes, write to me about advice.", "Confirmed on the form", "Proved the mailbox",
                  "november", "/blog/", "Mill Lane Homes", "Team size", "Tips that follow a download",
                  "First name Ada"):
        assert words in text, words
    assert text.index("Planned") < text.index("Yesterday") < text.index("Monday, 2 March")


def test_tags_by_hand_are_kept_logged_and_told(app, clock):
    lead = make_lead(tags=("energy",))
    sales = AtDesk(app, "sales")
    sales.post(f"/desk/leads/{lead.id}/tags", tag=" Site Visit ")
    sales.post(f"/desk/leads/{lead.id}/tags/energy/removal")
    assert db.session.get_one(Lead, lead.id).tags_text == "site-visit"
    entries = db.session.scalars(select(AuditEntry).where(AuditEntry.subject.startswith("lead:"))).all()
    assert [(entry.action, entry.actor, entry.detail) for entry in entries] == [
        ("added a tag", sales.email, {"tag": "site-visit"}), ("removed a tag", sales.email, {"tag": "energy"})]
    assert lead.key not in entries[0].subject
    text = text_of(sales.get(f"/desk/leads/{lead.id}").text)
    assert "added a tag site-visit" in text
    refused = sales.post(f"/desk/leads/{lead.id}/tags", tag="<b>")
    assert refused.status_code == 303
    assert "A tag is made of letters" in sales.get(f"/desk/leads/{lead.id}").text
    assert db.session.get_one(Lead, lead.id).tags_text == "site-visit"


def test_a_held_form_is_shown_and_goes_its_way_when_a_person_releases_it(app, clock):
    lead = make_lead(confirmed_at=None)
    capture = make_capture(lead, quarantine="disposable", proven_at=None)
    sales = AtDesk(app, "sales")
    assert names(sales.get("/desk/leads?held=yes").text) == [lead.address]
    assert "The address is a disposable one." in sales.get(f"/desk/leads/{lead.id}").text
    other = make_lead()
    assert sales.post(f"/desk/leads/{other.id}/captures/{capture.id}/release").status_code == 404
    sales.post(f"/desk/leads/{lead.id}/captures/{capture.id}/release")
    assert db.session.get_one(Capture, capture.id).quarantine == ""
    kinds = set(db.session.scalars(select(Message.kind).where(Message.lead_id == lead.id)))
    assert "delivery" in kinds
    assert "No lead fits" in sales.get("/desk/leads?held=yes").text


def test_what_visitors_type_is_shown_and_never_run(app, clock):
    hostile = json.loads((HOSTILE / "xss.json").read_text(encoding="utf-8"))
    hostile = [text for text in hostile if "\x00" not in text]
    sales = AtDesk(app, "sales")
    for text in hostile:
        lead = make_lead(name=text[:200], company=text[:200], source=text[:120], custom={"x": text})
        make_capture(lead, answers={"first_name": text}, page=text[:400], referrer=text[:400], utm_campaign=text[:120])
        page = sales.get(f"/desk/leads/{lead.id}").text
        inside = page[page.index("<main"):page.index("</main>")]
        assert not re.search(r"<(script|img|svg|iframe|object|embed|style|base|meta|link)\b", inside), text
        assert not re.search(r"<[^>]+\son\w+\s*=", inside), text
        assert 'href="javascript' not in inside.lower(), text
    page = sales.get("/desk/leads").text
    assert not re.search(r"<(script|img|iframe|object|embed|style)\b", page[page.index("<main"):])


def test_sales_takes_the_leads_home_and_the_log_says_which_and_how_many(app, clock):
    for number in range(3):
        make_lead(name=f"Person {number}", tags=("energy",) if number else ())
    sales = AtDesk(app, "sales")
    answer = sales.post("/desk/leads/export", format="csv", tag="energy")
    assert answer.headers["Content-Disposition"] == 'attachment; filename="leads-energy-2026-03-02.csv"'
    assert answer.mimetype == "text/csv"
    assert answer.is_streamed
    lines = answer.data.decode().split("\r\n")
    assert lines[0] == ",".join(COLUMNS)
    assert [line.split(",")[1] for line in lines[1:-1]] == ["Person 1", "Person 2"]
    assert sales.post("/desk/leads/export", format="csv-excel").data.startswith(b"\xef\xbb\xbfemail,")
    sheet = read_xlsx(sales.post("/desk/leads/export", format="xlsx").data).sheets[0]
    assert [row[1] for row in sheet[1:]] == ["Person 0", "Person 1", "Person 2"]
    entries = db.session.scalars(select(AuditEntry).where(AuditEntry.action == "exported leads")).all()
    assert [entry.detail for entry in entries] == [
        {"rows": 2, "format": "csv", "tag": "energy"}, {"rows": 3, "format": "csv"},
        {"rows": 3, "format": "xlsx"}]
    assert {entry.actor for entry in entries} == {sales.email}


@pytest.mark.parametrize("fields", [{"format": "csv", "tag": "nope"}, {"format": "pdf"}, {}])
def test_an_export_that_means_nothing_gives_nobody_away(app, clock, fields):
    make_lead(name="Ada Marsh")
    answer = AtDesk(app, "sales").post("/desk/leads/export", **fields)
    assert answer.status_code == 400
    assert "Ada Marsh" not in answer.text
    assert db.session.scalar(select(AuditEntry).where(AuditEntry.action == "exported leads")) is None


@pytest.mark.parametrize("asked", ["", "tag=energy", "offer=guide", "stage=mql", "tag=energy&offer=guide",
                                   "since=2026-03-02", "tag=energy&before=900000", "sort=score", "sort=-acted",
                                   "sort=stage&stage=mql", "owner=me&sort=score", "search=lead&sort=score"])
def test_no_list_reads_or_sorts_the_whole_table(app, clock, monkeypatch, asked):
    """Each page of the list walks along an index: SQLite says so when it explains the question that was asked."""
    monkeypatch.setattr("handsel.leads.listing.plan.FEW", -1)  # so that a handful is many
    make_lead(tags=("energy",), offers=("guide",))
    if db.engine.dialect.name != "sqlite":
        assert AtDesk(app, "sales").get(f"/desk/leads?{asked}").status_code == 200
        return
    questions: list[tuple[str, object]] = []
    sales = AtDesk(app, "sales")

    def keep(_connection, _cursor, statement, values, *_rest) -> None:
        if statement.startswith("SELECT lead.id") or "FROM lead" in statement:
            questions.append((statement, values))

    event.listen(db.engine, "before_cursor_execute", keep)
    sales.get(f"/desk/leads?{asked}")
    event.remove(db.engine, "before_cursor_execute", keep)
    pages = [question for question in questions if "ORDER BY" in question[0] and "lead.id IN" not in question[0]
             and "FROM lead " in question[0].replace("\n", " ")]
    assert pages or "tag" in asked or "offer" in asked
    with db.engine.connect() as connection:
        for statement, values in pages:
            plan = [row[-1] for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values)]
            assert not any("TEMP B-TREE" in step for step in plan), plan


def test_an_erased_lead_is_not_there_any_more(app):
    assert AtDesk(app, "sales").get("/desk/leads/12345").status_code == 404


def test_a_stream_that_is_not_read_to_its_end_lets_the_database_go(app, clock):
    fill(3000)
    sales = AtDesk(app, "sales")
    answer = sales.client.post("/desk/leads/export", data={"csrf_token": sales.token(), "format": "csv"})
    stream = answer.iter_encoded()
    assert next(stream).startswith(b"email,")
    answer.close()
    assert db.engine.pool.checkedout() <= 1
