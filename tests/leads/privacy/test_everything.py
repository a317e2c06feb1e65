"""A person gets everything that is held about them, and erasing them leaves nothing of it anywhere."""

from __future__ import annotations

import csv
import io
import json
import logging
import zipfile
from datetime import datetime, timedelta
from email.message import EmailMessage
from email.policy import SMTP
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select, text, update

from factories import NOON, make_account, make_capture, make_consent, make_hit, make_lead
from handsel.accounts import audit
from handsel.accounts.models import AuditEntry
from handsel.db import Base, db, instant_text, is_sqlite, writing
from handsel.leads import forget
from handsel.leads.handoff.models import Activity
from handsel.leads.importing.models import ImportRefusal
from handsel.leads.ledger import sealing
from handsel.leads.models import Company, Lead, LeadImport, Sale
from handsel.leads.privacy import parcel, schema, traces
from handsel.leads.stages.models import StageChange
from handsel.leads.tracking.models import PageVisit
from handsel.traffic.models import Hit, Visitor
from support.canaries import COUNTED, Canary, settle


@pytest.fixture
def canary(app: Flask) -> Canary:
    settle("other-person@example.org", NOON - timedelta(days=90))
    return settle("zq-canary@example.org", NOON - timedelta(days=3))


def told(canary: Canary, **how: Any) -> dict[str, Any]:
    lead = db.session.get_one(Lead, canary.lead_id)
    db.session.refresh(lead)
    return parcel.everything(db.session(), lead, **how)


def as_told(value: Any) -> Any:
    return instant_text(value) if isinstance(value, datetime) else value


def test_every_table_is_tied_to_leads_or_said_to_tell_of_nobody_or_to_hold_traces(app: Flask) -> None:
    tied, traced, nobody = set(schema.hanging()), set(traces.TRACES), set(traces.NOBODY)
    assert set(Base.metadata.tables) == tied | traced | nobody
    assert not tied & traced
    assert not (tied | traced) & nobody


def test_the_answer_holds_every_column_of_every_table_that_tells_of_the_person(canary: Canary) -> None:
    given = told(canary, staff=True)
    for (table, column), value in canary.values.items():
        if column in parcel.HIDDEN:
            continue
        rows = [given["lead"]] if table == "lead" else given[table]
        assert as_told(value) in [row[column] for row in rows], (table, column)


def test_what_is_hidden_of_staff_is_all_that_the_persons_own_copy_leaves_out(canary: Canary) -> None:
    whole, own = told(canary, staff=True), told(canary)
    for table, rows in own.items():
        for row, full in zip(*([x] if isinstance(x, dict) else x for x in (rows, whole[table])), strict=True):
            if table != "wording":
                assert set(full) - set(row) <= parcel.STAFF, table


def test_the_answer_holds_nothing_of_anybody_else(app: Flask) -> None:
    other = settle("other-person@example.org", NOON - timedelta(days=90))
    mine = settle("zq-canary@example.org", NOON - timedelta(days=3))
    given = parcel.as_json(told(mine, staff=True))
    assert [text for text in other.texts if text in given and text not in mine.texts] == []


def test_traces_that_no_key_ties_are_in_the_answer(app: Flask, clock: Any) -> None:
    lead = make_lead(email="ann@small-press.example")
    make_capture(lead, visitor="v" * 32)
    make_hit(visitor="v" * 32, path="/read/")
    with writing() as session:
        audit.record(session, "showed a lead", "somebody", audit.of_lead(lead.key))
        batch = LeadImport(at=NOON, fingerprint="f", file="fair.csv")
        session.add(batch)
        session.flush()
        session.add(ImportRefusal(import_id=batch.id, number=3, reason="Twice.",
                                  cells=["Ann", "Ann@Small-Press.example"]))
        session.get_one(Lead, lead.id).company_id = _company(session)
    given = parcel.everything(db.session(), db.session.get_one(Lead, lead.id))
    assert [hit["path"] for hit in given["hit"]] == ["/read/"]
    assert [row["action"] for row in given["audit_entry"]] == ["showed a lead"]
    assert [row["cells"] for row in given["import_refusal"]] == [["Ann", "Ann@Small-Press.example"]]
    assert [row["name"] for row in given["company"]] == ["Small Press"]


def _company(session: Any) -> int:
    company = Company(domain="small-press.example", name="Small Press", at=NOON)
    session.add(company)
    session.flush()
    return company.id


def test_the_zip_holds_a_table_for_each_and_no_cell_of_it_computes(canary: Canary) -> None:
    with writing() as session:
        session.execute(update(Lead).where(Lead.id == canary.lead_id).values(company="=HYPERLINK(1)"))
    given = told(canary)
    with zipfile.ZipFile(io.BytesIO(parcel.as_zip(given))) as archive:
        assert json.loads(archive.read("everything.json")) == json.loads(parcel.as_json(given))
        names = {name.removesuffix(".csv") for name in archive.namelist() if name.endswith(".csv")}
        (lead,) = csv.DictReader(io.StringIO(archive.read("lead.csv").decode("utf-8-sig")))
        (activity,) = csv.DictReader(io.StringIO(archive.read("activity.csv").decode("utf-8-sig")))
    assert set(schema.hanging()) <= names
    assert lead["company"] == "'=HYPERLINK(1)"
    assert activity["text"] == canary.values["activity", "text"]


# Erasing


def everywhere(canary: Canary, app: Flask) -> list[str]:
    """Where any of the person's texts is still found: in which table, or in which file."""
    db.session.remove()
    found = []
    with db.engine.connect() as connection:
        for table in Base.metadata.sorted_tables:
            for row in connection.execute(select(table)):
                held = repr(tuple(row))
                found += [f"{table.name}: {text}" for text in (*canary.texts, canary.email) if text in held]
    if is_sqlite():
        path = Path(str(db.engine.url.database))
        for file in (*path.parent.glob(f"{path.name}*"), *Path(app.instance_path).rglob("*")):
            data = file.read_bytes() if file.is_file() else b""
            found += [f"{file.name}: {text}" for text in (*canary.texts, canary.email) if text.encode() in data]
    return found


def test_nothing_of_an_erased_person_is_left_in_any_table_file_or_log(
        app: Flask, canary: Canary, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    (Path(app.instance_path) / "inbox").mkdir(exist_ok=True)
    with writing() as session:  # an older name, whose bytes stand in what the newer one left free
        session.execute(update(Lead).where(Lead.id == canary.lead_id).values(name="zq-older-name-of-hers"))
    canary.values["lead", "older"] = "zq-older-name-of-hers"
    with writing() as session:
        session.execute(update(Lead).where(Lead.id == canary.lead_id).values(name="Z"))
    sealing.seal_all(NOON)
    assert everywhere(canary, app) != []
    with writing() as session:
        addresses = forget.forget_person(session, session.get_one(Lead, canary.lead_id), NOON, "the person")
    forget.finish(addresses, NOON)
    assert addresses == (canary.email,)
    if not is_sqlite():
        with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text("VACUUM FULL"))
    assert everywhere(canary, app) == []
    assert [text for text in (*canary.texts, canary.email) if text in caplog.text] == []


def test_caught_mails_that_tell_a_seller_of_an_erased_person_go_too(
        app: Flask, canary: Canary) -> None:
    seller = make_account("sales")
    folder = Path(app.instance_path) / "inbox"
    folder.mkdir(exist_ok=True)

    def caught(name: str, to: str, of: str) -> Path:
        mail = EmailMessage(policy=SMTP)
        mail["To"] = to
        mail.set_content(f"Zoë is ready for you.\n\nE-mail: {of}\nPhone: +44\n", cte="base64")
        path = folder / f"20260301T120000000-{name}.eml"
        path.write_bytes(mail.as_bytes())
        return path

    alert = caught("0000000a", seller.email, canary.email.upper())
    other = caught("0000000b", seller.email, "other-person@example.org")
    someone = caught("0000000c", "reader@example.org", canary.email)
    with writing() as session:
        addresses = forget.forget_person(session, session.get_one(Lead, canary.lead_id), NOON, "the person")
    forget.finish(addresses, NOON)
    assert [path.exists() for path in (alert, other, someone)] == [False, True, True]


def test_erasing_leaves_the_others_and_the_counts_as_they_are(app: Flask, canary: Canary) -> None:
    make_hit(visitor=canary.values["capture", "visitor"], at=canary.values["capture", "at"])
    before = {table.name: db.session.scalar(select(func.count()).select_from(table))
              for table in Base.metadata.sorted_tables}
    with writing() as session:
        forget.forget_person(session, session.get_one(Lead, canary.lead_id), NOON, "the person")
    after = {table.name: db.session.scalar(select(func.count()).select_from(table))
             for table in Base.metadata.sorted_tables}
    gone = {name for name in before if after[name] == before[name] - 1}
    assert gone == set(schema.hanging()) - COUNTED
    assert {name for name in before if after[name] > before[name]} == {"audit_entry", "suppression", "consent_seal"}
    hit = db.session.scalars(select(Hit)).one()
    assert (hit.path, hit.visitor, hit.source) == ("/offers/guide/", "", "")


def test_what_no_key_ties_to_the_person_goes_too(app: Flask, clock: Any) -> None:
    stays, goes = make_lead(email="bob@big.example"), make_lead(email="ann@small-press.example")
    with writing() as session:
        session.get_one(Lead, goes.id).company_id = _company(session)
        shared = Company(domain="big.example", name="Big", at=NOON)
        batch = LeadImport(at=NOON, fingerprint="f", file="fair.csv")
        session.add_all([shared, batch, Visitor(visitor="v" * 32, day=NOON.date(), at=NOON, first_page="/zq/")])
        session.flush()
        session.get_one(Lead, stays.id).company_id = shared.id
        session.add(ImportRefusal(import_id=batch.id, number=3, reason="Twice.",
                                  cells=["Ann", "ann@small-press.example"]))
        session.add(ImportRefusal(import_id=batch.id, number=4, reason="Twice.", cells=["Bob", "bob@big.example"]))
    make_capture(goes, visitor="v" * 32)
    with writing() as session:
        forget.forget_person(session, session.get_one(Lead, goes.id), NOON, "the person")
    assert db.session.scalars(select(Company.domain)).all() == ["big.example"]
    assert db.session.scalars(select(ImportRefusal.number)).all() == [4]
    assert db.session.scalars(select(Visitor)).all() == []


# Several mailboxes of one person


@pytest.fixture
def merged(app: Flask, clock: Any) -> tuple[Lead, Lead]:
    head, other = make_lead(email="ann@work.example", name="Ann Work"), make_lead(email="ann@home.example")
    make_capture(head, answers={"email": "ann@work.example", "name": "Ann Work"})
    make_capture(other, answers={"email": "ann@home.example", "phone": "+44 113 496 0000"}, page="/of-the-other/")
    make_consent(other, "newsletter")
    with writing() as session:
        session.get_one(Lead, other.id).merged_into_id = head.id
        session.get_one(Lead, head.id).phone = "+44 113 496 0000"
    return head, other


def test_by_command_all_mailboxes_of_a_person_are_told_and_erased(app: Flask, merged: tuple[Lead, Lead]) -> None:
    for asked in merged:
        given = parcel.everything(db.session(), db.session.get_one(Lead, asked.id))
        assert len(given["capture"]) == 2
        assert {given["lead"]["email"], *(box["email"] for box in given["other_mailboxes"])} == {
            "ann@work.example", "ann@home.example"}
    with writing() as session:
        addresses = forget.forget_person(session, session.get_one(Lead, merged[1].id), NOON, "command line")
    assert set(addresses) == {"ann@work.example", "ann@home.example"}
    assert db.session.scalars(select(Lead)).all() == []


def test_the_link_of_one_mailbox_shows_nothing_of_another_and_erases_both(
        app: Flask, client: FlaskClient, merged: tuple[Lead, Lead]) -> None:
    head, _ = merged
    key = head.key
    given = client.get(f"/preferences/{key}/data.json").text
    assert ("Ann Work" in given, "496 0000" in given, "of-the-other" in given, "ann@home" in given) == (
        True, False, False, False)
    page = client.get(f"/preferences/{key}/data").text
    assert ("a•••@h•••.example" in page, "496 0000" in page) == (True, False)
    asked = client.get(f"/preferences/{key}/erase").text
    assert ("a•••@h•••.example" in asked, "ann@home" in asked) == (True, False)
    assert "Everything about you is erased" in client.post(f"/preferences/{key}/erase").text
    assert db.session.scalars(select(Lead)).all() == []


def test_the_zip_is_at_the_persons_own_door(app: Flask, client: FlaskClient) -> None:
    lead = make_lead(email="ann@example.org")
    answer = client.get(f"/preferences/{lead.key}/data.zip")
    assert (answer.content_type, answer.headers["Content-Disposition"]) == (
        "application/zip", 'attachment; filename="my-data.zip"')
    with zipfile.ZipFile(io.BytesIO(answer.data)) as archive:
        assert "ann@example.org" in archive.read("lead.csv").decode()
    assert client.get(f"/preferences/{'x' * 22}/data.zip").status_code == 404


def test_the_page_tells_in_sentences_what_we_noted_and_believe(app: Flask, client: FlaskClient, clock: Any) -> None:
    lead = make_lead(score=11, fit=4, interest=7, tags=("energy",))
    make_capture(lead, form="hand", offer="")
    with writing() as session:
        session.add_all([
            Activity(once="1", lead_id=lead.id, kind="call", at=NOON, made_at=NOON, text="Wants a survey in May."),
            StageChange(lead_id=lead.id, at=NOON, was="iql", stage="mql", way="rule"),
            PageVisit(lead_id=lead.id, at=NOON, path="/prices/"),
            Sale(lead_id=lead.id, at=NOON, cents=123_450, currency="GBP")])
    page = client.get(f"/preferences/{lead.key}/data").text
    for words in ("We noted after a call “Wants a survey in May.” on 2 March 2026.",
                  "We took you for somebody who may want to buy on", "You bought something for 1,234.50 GBP on",
                  "We put down or put right what we hold about you on", "we know of 1 page that you looked at",
                  "We count 11 points for you (4 for who you are, 7 for what you did here)"):
        assert words in page, words


def test_putting_ones_data_right_is_in_the_log(app: Flask, client: FlaskClient) -> None:
    lead = make_lead()
    client.post(f"/preferences/{lead.key}/data", data={"company": "Small Press"})
    entry = db.session.scalars(select(AuditEntry)).one()
    assert (entry.action, entry.actor) == ("corrected their data", "the person")
    assert "Small Press" not in str(entry.detail)
