"""Import at the desk: upload, name the columns, try, bring in, mend what was refused, take back."""

from __future__ import annotations

import csv
import io
import os
import re
import stat
from datetime import timedelta
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select

from factories import NOON, make_lead
from handsel.accounts.models import AuditEntry
from handsel.db import db, writing
from handsel.leads.consents import Way
from handsel.leads.importing import batch, jobs, uploads
from handsel.leads.importing.models import ImportRefusal
from handsel.leads.models import Consent, Lead, LeadImport, Wording
from handsel.leads.unsubscribe import unsubscribe
from handsel.worker.importing import import_now
from handsel.worker.purge import purge
from support import on_sqlite
from support.desk import AtDesk

FILE = "E-Mail,Vorname,Firm,Newsletter\nada@example.org,Ada,Mill,yes\nbob@example.org,Bob,,no\nnobody,No,,yes\n"
WORDS = "Yes, send me the monthly letter about reading."
FIELDS = {"field-0": "email", "field-1": "first_name", "field-2": "company", "field-3": "consent"}
AGREED = {"agreed": "yes", "agree-newsletter": "on", "words-newsletter": WORDS}


def text_of(page: str) -> str:
    main = page[page.index("<main"):page.index("</main>")]
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", main)))


def send(desk: AtDesk, data: str | bytes = FILE, name: str = "fair.csv") -> Any:
    content = data.encode() if isinstance(data, str) else data
    return desk.client.post("/desk/imports", data={"csrf_token": desk.token(), "file": (io.BytesIO(content), name)})


def upload(desk: AtDesk, data: str = FILE, name: str = "fair.csv") -> str:
    answer = send(desk, data, name)
    assert answer.status_code == 303, answer.text
    return str(answer.headers["Location"])


def row() -> LeadImport:
    db.session.rollback()
    return db.session.scalars(select(LeadImport).order_by(LeadImport.id.desc())).first()  # type: ignore[return-value]


def files(app: Flask) -> list[Path]:
    return sorted(uploads.folder(app).iterdir())


def leads() -> list[str]:
    db.session.rollback()
    return list(db.session.scalars(select(Lead.email).order_by(Lead.email)))


def test_a_file_walks_from_the_upload_to_the_leads_and_back(app, clock):
    desk = AtDesk(app, "sales")
    address = upload(desk)
    kept, = files(app)
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert stat.S_IMODE(kept.parent.stat().st_mode) == 0o700
    page = desk.get(address).text
    assert re.findall(r'<option value="(\w+)" selected>', page) == ["email", "company"][:1]
    assert "ada@example.org" in page
    assert leads() == []

    desk.post(address, act="try", **FIELDS, **AGREED)
    assert "Waiting for the worker" in text_of(desk.get(address).text)
    assert import_now(app) == 1
    assert leads() == []
    told = text_of(desk.get(address).text)
    assert "Would be new leads 2" in told
    assert "Consent would be recorded for 1" in told
    assert "'nobody' is not an e-mail address." in told

    desk.post(address, act="start", **FIELDS, **AGREED, tags="spring fair", offer="guide")
    import_now(app)
    assert leads() == ["ada@example.org", "bob@example.org"]
    assert files(app) == []
    done = row()
    assert (done.state, done.upload, done.total) == ("done", "", 3)
    assert done.counts == {"new": 2, "known": 0, "same": 0, "wrong": 1, "agreed": 1, "left": 0, "blocked": 0}
    event = db.session.scalars(select(Consent)).one()
    assert (event.state, event.way, db.session.get_one(Wording, event.wording_hash).text) == ("given", "import", WORDS)
    ada = db.session.scalars(select(Lead).where(Lead.email == "ada@example.org")).one()
    assert (ada.first_name, ada.company, ada.tags_text, ada.offers_text) == ("Ada", "Mill", ada.tags_text, "guide")
    assert "spring-fair" in ada.tags_text

    refused = desk.post(f"{address}/refused")
    assert list(csv.reader(io.StringIO(refused.text, newline="")))[1][:3] == [
        "4", "'nobody' is not an e-mail address.", "nobody"]

    desk.post(f"{address}/undo")
    assert row().state == "undoing"
    import_now(app)
    assert leads() == []
    assert "Taken back: 2 leads are gone" in text_of(desk.get(address).text)
    actions = db.session.scalars(select(AuditEntry.action).where(AuditEntry.subject == f"import:{done.id}")
                                 .order_by(AuditEntry.id)).all()
    assert actions == ["uploaded a file of leads", "tried an import", "began an import", "imported leads",
                       "took the refused rows of an import", "began to undo an import", "undid an import"]
    assert set(db.session.scalars(select(AuditEntry.actor).where(AuditEntry.subject == f"import:{done.id}"))) == {
        desk.email}


@pytest.mark.parametrize(("fields", "words"), [
    ({"agreed": ""}, "Say whether these people agreed"), ({"agreed": "yes"}, "Say what they agreed to"),
    ({"agreed": "yes", "agree-newsletter": "on", "words-newsletter": "yes"}, "the very words"),
    ({"agreed": "no", "field-0": ""}, "No column holds"), ({"agreed": "no", "field-1": "email"}, "Two columns"),
    ({"agreed": "no", "field-1": "Pass Word"}, "no field"), ({"agreed": "no", "offer": "gide"}, "no offer"),
    ({"agreed": "no", "tags": "?"}, "cannot be a tag")])
def test_what_cannot_be_meant_is_told_and_nothing_begins(app, clock, fields, words):
    desk = AtDesk(app, "sales")
    address = upload(desk)
    answer = desk.post(address, act="start", **FIELDS | fields)
    assert answer.status_code == 422
    assert words in unescape(answer.text)
    assert (row().state, import_now(app), leads()) == ("mapping", 0, [])


@pytest.mark.parametrize(("data", "name", "words"), [
    (b"", "a.csv", "nothing in it"), (b"PK\x03\x04rubbish", "a.xlsx", "workbook"),
    (b"\xd0\xcf\x11\xe0", "a.xls", "old kind")])
def test_a_file_that_is_no_table_is_not_kept(app, clock, data, name, words):
    answer = send(AtDesk(app, "sales"), data, name)
    assert answer.status_code == 422
    assert words in answer.text
    assert (files(app), db.session.scalar(select(func.count()).select_from(LeadImport))) == ([], 0)


@on_sqlite
def test_a_file_that_is_too_large_is_not_kept(app, clock, monkeypatch):
    from handsel.sales import imports

    monkeypatch.setattr(imports.upload, "desk_largest", 2 << 20)
    answer = send(AtDesk(app, "sales"), b"email\n" + b"x" * (3 << 20))
    assert answer.status_code == 413
    assert "too large" in answer.text
    assert files(app) == []


@on_sqlite
def test_other_forms_of_the_desk_stay_small(app, clock):
    desk = AtDesk(app, "sales")
    assert desk.post("/desk/leads/export", format="csv", search="x" * 1_200_000).status_code == 413


@pytest.mark.parametrize("name", ["../../etc/passwd", "..\\..\\boot.ini", "a\x00b.csv", "x" * 300 + ".csv", "<b>.csv"])
def test_a_name_leads_nowhere_and_shows_as_it_is(app, clock, name):
    desk = AtDesk(app, "sales")
    answer = send(desk, FILE, name)
    if answer.status_code == 303:
        kept, = files(app)
        assert re.fullmatch(r"[0-9a-f]{24}\.csv", kept.name)
        assert "<b>" not in desk.get(answer.headers["Location"]).text
        assert len(row().file) <= 200


def test_an_import_that_was_killed_goes_on_and_counts_all(app, clock, monkeypatch):
    monkeypatch.setattr(batch, "AT_ONCE", 2)
    desk = AtDesk(app, "sales")
    people = "".join(f"lead{n}@example.org,{'unsubscribed' if n == 1 else ''}\n" for n in range(9))
    address = upload(desk, f"email,status\n{people}nobody,\n")
    desk.post(address, act="start", **{"field-0": "email", "field-1": "status"}, **AGREED)
    number = jobs.take(app, clock())
    work = jobs.work(app, number)
    next(work), next(work)
    monkeypatch.setattr(jobs, "let_go", lambda _number: None)  # a process that is killed tells nobody
    del work
    assert len(leads()) == 4
    assert import_now(app) == 0, "another worker may still hold it"
    assert "4 of 10 rows" in text_of(desk.get(address).text)
    clock.move(seconds=30)
    monkeypatch.undo()
    assert import_now(app) == 1
    done = row()
    assert (done.state, len(leads())) == ("done", 9)
    assert done.counts == {"new": 9, "known": 0, "same": 0, "wrong": 1, "agreed": 8, "left": 0, "blocked": 1}
    assert any("Going on behind row 5" in words for _, words in done.log)
    assert db.session.scalar(select(func.count()).select_from(ImportRefusal)) == 1


def test_a_fault_on_the_way_is_told_and_the_rest_comes_in_later(app, clock, monkeypatch):
    desk = AtDesk(app, "sales")
    address = upload(desk)
    desk.post(address, act="start", **FIELDS, agreed="no")

    def broken(*_: object) -> None:
        raise OSError("the disk is full")

    with monkeypatch.context() as patch:
        patch.setattr(jobs, "_note", broken)
        import_now(app)
    assert row().state == "failed"
    assert "It broke off by a fault of ours" in text_of(desk.get(address).text)
    assert "the disk is full" not in desk.get(address).text
    desk.post(address, act="start", **FIELDS, agreed="no")
    import_now(app)
    assert (row().state, leads()) == ("done", ["ada@example.org", "bob@example.org"])
    assert row().counts["new"] == 2


def test_an_undo_at_the_desk_brings_nobody_back_who_left(app, clock):
    desk = AtDesk(app, "sales")
    known = make_lead(email="ada@example.org")
    with writing() as session:
        unsubscribe(session, session.get_one(Lead, known.id), "", Way("unsubscribe page"), NOON)
    clock.move(hours=1)
    address = upload(desk)
    desk.post(address, act="start", **FIELDS, **AGREED, proven="on")
    import_now(app)
    desk.post(f"{address}/undo")
    import_now(app)
    ada = db.session.get_one(Lead, known.id, populate_existing=True)
    assert (ada.unsubscribed_at, ada.consent_text) == (NOON, "")
    assert db.session.scalars(select(Consent).where(Consent.lead_id == known.id)).all() == []


def test_uploads_that_nobody_went_on_with_are_deleted_after_a_day(app, clock):
    desk = AtDesk(app, "sales")
    upload(desk)
    stray = uploads.folder(app) / "stray.csv"
    stray.write_text("email\n")
    os.utime(stray, (0, 0))
    assert purge(app, clock.now + timedelta(hours=23)).get("uploaded files that nobody went on with") == 1
    assert len(files(app)) == 1
    purge(app, clock.now + timedelta(hours=25))
    assert files(app) == []
    assert db.session.scalar(select(func.count()).select_from(LeadImport)) == 0


def test_a_file_can_be_thrown_away_before_it_comes_in(app, clock):
    desk = AtDesk(app, "sales")
    address = upload(desk)
    desk.post(f"{address}/removal")
    assert files(app) == []
    assert desk.get(address).status_code == 404


def test_hostile_cells_are_shown_as_text_and_come_home_without_formulas(app, clock):
    desk = AtDesk(app, "sales")
    address = upload(desk, 'email,"<img src=x onerror=alert(1)>"\n"<script>alert(1)</script>",x\n=1+1,y\n')
    desk.post(address, act="try", **{"field-0": "email"}, agreed="no")
    import_now(app)
    page = desk.get(address).text
    assert "<script>alert" not in page
    assert "<img src=x" not in page
    assert "'=1+1" in desk.post(f"{address}/refused").text


def test_marketers_see_no_imports(app, clock):
    assert AtDesk(app, "marketer").get("/desk/imports").status_code == 403
