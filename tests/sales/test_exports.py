"""Export at the desk: columns, layouts, since last time; nothing is taken without an entry in the log."""

from __future__ import annotations

import csv
import io
import re
from html import unescape

import pytest
from sqlalchemy import select, update

from factories import NOON, make_account, make_lead
from handsel.accounts.models import AuditEntry
from handsel.db import db, writing
from handsel.leads.layouts.columns import STANDARD
from handsel.leads.layouts.models import ExportLayout, ExportMemory
from handsel.leads.models import Lead
from support.desk import AtDesk
from support.sheets import read_xlsx


def rows(data: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(data.decode("utf-8-sig"), newline="")))


def text_of(page: str) -> str:
    main = page[page.index("<main"):page.index("</main>")]
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", main)))


def take(desk: AtDesk, **fields: object) -> list[list[str]]:
    answer = desk.post("/desk/leads/export", **{"format": "csv"} | fields)
    assert answer.status_code == 200, answer.text
    return rows(answer.data)


def test_the_file_has_the_columns_that_were_chosen_in_their_order(app, clock):
    make_lead(email="ada@example.org", score=12, fit=7)
    desk = AtDesk(app, "sales")
    found = take(desk, column=["score", "email", "fit"], **{"heading-score": "Points"})
    assert found == [["Points", "email", "fit"], ["12", "ada@example.org", "7"]]
    entry = db.session.scalars(select(AuditEntry).where(AuditEntry.action == "exported leads")).one()
    assert entry.detail == {"rows": 1, "format": "csv", "layout": "Chosen columns",
                            "columns": ["score", "email", "fit"]}


def test_the_page_shows_what_the_file_will_hold_and_writes_nothing(app, clock):
    make_lead(email="ada@example.org", name="Ada <b>Marsh</b>", tags=("fair",), custom={"seats": 4})
    make_lead(email="bob@example.org")
    desk = AtDesk(app, "sales")
    page = desk.get("/desk/leads/export?tag=fair").text
    assert "1 lead of the filter: tag fair" in text_of(page)
    assert "Ada &lt;b&gt;Marsh&lt;/b&gt;" in page
    assert re.findall(r'name="column" value="(\w+)" checked', page) == [*STANDARD, "seats"]
    assert "Score: interest" in text_of(page)
    assert db.session.scalars(select(AuditEntry.action).where(AuditEntry.action.like("%export%"))).all() == []
    moved = desk.post("/desk/leads/export", tag="fair", column=["email", "score", "name"], act="up:score").text
    assert re.findall(r'name="column" value="(\w+)" checked', moved) == ["score", "email", "name"]
    assert re.findall(r'name="column" value="(\w+)" checked', desk.post(
        "/desk/leads/export", column=["email", "score"], act="off:email").text) == ["score"]


@pytest.mark.parametrize("query", ["tag=nope", "tga=fair", "layout=hubspt", "segment=nope", "owner=nobody@x.example"])
def test_what_there_is_not_shows_nobody_and_takes_nobody(app, clock, query):
    make_lead(name="Ada Marsh", tags=("fair",))
    desk = AtDesk(app, "sales")
    page = desk.get(f"/desk/leads/export?{query}")
    assert (page.status_code, "Ada Marsh" in page.text) == (400, False)
    name, _, value = query.partition("=")
    answer = desk.post("/desk/leads/export", format="csv", **{name: value})
    assert (answer.status_code, "Ada Marsh" in answer.text) == (400, False)
    assert db.session.scalars(select(AuditEntry).where(AuditEntry.action == "exported leads")).all() == []


def test_an_unknown_column_is_an_error(app, clock):
    make_lead(name="Ada Marsh")
    answer = AtDesk(app, "sales").post("/desk/leads/export", format="csv", column=["email", "password_hash"])
    assert answer.status_code == 400
    assert "There is no column" in answer.text


def test_a_program_gets_the_headings_that_it_knows(app, clock):
    make_lead(name="Ada Marsh", company="Mill")
    desk = AtDesk(app, "sales")
    answer = desk.post("/desk/leads/export", format="xlsx", layout="salesforce")
    assert read_xlsx(answer.data).sheets[0][0][:3] == ["First Name", "Last Name", "Company"]
    assert 'filename="leads-salesforce-2026-03-02.xlsx"' in answer.headers["Content-Disposition"]
    assert "Email Opt Out" in text_of(desk.get("/desk/leads/export?layout=salesforce").text)


def test_only_what_is_new_or_changed_since_my_last_export(app, clock):
    make_lead(email="ada@example.org")
    bob = make_lead(email="bob@example.org")
    tom, eve = AtDesk(app, "sales"), AtDesk(app, "sales")
    page = tom.get("/desk/leads/export").text
    columns = re.findall(r'name="column" value="(\w+)" checked', page)
    assert "You have not taken this layout yet" in page
    assert len(take(tom, column=columns)) == 3
    assert len(take(tom, since_last="yes")) == 1
    with writing() as session:
        session.execute(update(Lead).where(Lead.id == bob.id).values(name="Bob"))
    clock.move(hours=2)
    assert [row[0] for row in take(tom, since_last="yes", column=columns, layout="handsel")[1:]] == ["bob@example.org"]
    assert "You last took this layout just now , with 1 row" in text_of(tom.get("/desk/leads/export").text)
    assert len(take(eve, since_last="yes")) == 3
    actors = {row.who for row in db.session.scalars(select(ExportMemory))}
    assert actors == {f"account:{tom.account_id}", f"account:{eve.account_id}"}
    done = db.session.scalars(select(AuditEntry).where(AuditEntry.action == "finished an export")
                              .order_by(AuditEntry.id)).all()
    assert [entry.detail["rows"] for entry in done] == [0, 1, 2]


def test_a_layout_is_saved_shared_used_and_deleted(app, clock):
    make_lead(email="ada@example.org", score=3, tags=("fair",))
    account = make_account("sales")
    tom, eve = AtDesk(app, account=account), AtDesk(app, "sales")
    saved = tom.post("/desk/leads/export", act="save", name="Call list", column=["email", "score"], tag="fair",
                     **{"heading-email": "Mail"})
    assert saved.headers["Location"] == "/desk/leads/export?layout=Call+list&tag=fair"
    assert take(tom, layout="Call list") == [["Mail", "score"], ["ada@example.org", "3"]]
    assert eve.get("/desk/leads/export?layout=Call+list").status_code == 400
    tom.post("/desk/leads/export", act="save", name="Call list", column=["email"], shared="on")
    assert take(eve, layout="Call list") == [["email"], ["ada@example.org"]]
    layout = db.session.scalars(select(ExportLayout)).one()
    eve.post(f"/desk/leads/export/layouts/{layout.id}/removal")
    assert db.session.scalars(select(ExportLayout.name)).all() == ["Call list"]
    tom.post(f"/desk/leads/export/layouts/{layout.id}/removal")
    assert db.session.scalars(select(ExportLayout.name)).all() == []
    for name, words in (("hubspot", "is shipped"), ("  ", "needs a name"), ("x" * 81, "needs a name")):
        assert words in tom.post("/desk/leads/export", act="save", name=name, column=["email"]).text


def test_one_lead_goes_into_an_address_book_and_into_the_log(app, clock):
    lead = make_lead(email="ada@example.org", name="Ada; Marsh")
    desk = AtDesk(app, "sales")
    answer = desk.post(f"/desk/leads/{lead.id}/vcard")
    assert answer.headers["Content-Type"] == "text/vcard; charset=utf-8"
    assert b"FN:Ada\\; Marsh\r\n" in answer.data
    entry = db.session.scalars(select(AuditEntry).where(AuditEntry.action == "exported a lead")).one()
    assert (entry.actor, entry.detail) == (desk.email, {"format": "vcard"})
    assert lead.key not in answer.text


def test_a_download_that_breaks_off_is_no_last_export(app, clock):
    from sqlalchemy import insert

    with writing() as session:
        session.execute(insert(Lead), [
            {"key": f"key{n:019}", "email": f"p{n}@example.org", "address": f"p{n}@example.org", "captured_at": NOON,
             "last_capture_at": NOON} for n in range(5000)])
    desk = AtDesk(app, "sales")
    answer = desk.client.post("/desk/leads/export", data={"csrf_token": desk.token(), "format": "csv"}, buffered=False)
    parts = iter(answer.response)
    next(parts), next(parts)
    answer.close()
    assert len(take(desk, since_last="yes")) == 5001
    assert len(take(desk, since_last="yes")) == 1
