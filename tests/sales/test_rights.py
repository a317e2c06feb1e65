"""A person's rights at the desk: proof, everything as a file, and erasing with the address typed."""

from __future__ import annotations

import html
import io
import json
import re
import secrets
import sqlite3
import zipfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

from click.testing import CliRunner, Result
from flask import Flask
from sqlalchemy import select, update

from factories import make_lead, make_task
from handsel import clock
from handsel.accounts.models import AuditEntry
from handsel.cli import group
from handsel.db import db, writing
from handsel.leads import forget
from handsel.leads.ledger import sealing
from handsel.leads.models import Capture, Consent, Lead
from support import on_sqlite
from support.clock import Clock
from support.desk import AtDesk, token_of
from support.funnel import ADVICE, take


def text(page: str) -> str:
    """What a page says, in one line."""
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", page)).split())


def ann(app: Flask) -> Lead:
    take(app, "ann@example.org", (ADVICE,), first_name="Ann")
    sealing.seal_all(clock.now())
    return db.session.scalars(select(Lead).where(Lead.email == "ann@example.org")).one()


def actions() -> list[str]:
    db.session.rollback()
    return list(db.session.scalars(select(AuditEntry.action).order_by(AuditEntry.id)))


def test_the_page_of_a_lead_says_whether_its_consents_are_as_they_were_sealed(app: Flask) -> None:
    lead = ann(app)
    desk = AtDesk(app, "sales")
    assert "1 consent event, sealed and unchanged." in text(desk.get(f"/desk/leads/{lead.id}").text)
    with writing() as session:
        session.execute(update(Consent).values(page="/elsewhere/"))
    assert "1 of 1 consent events is not as sealed." in text(desk.get(f"/desk/leads/{lead.id}").text)
    assert "It was changed after it was sealed." in text(desk.get(f"/desk/leads/{lead.id}/privacy").text)


def test_the_proof_has_the_words_the_page_and_the_seal(app: Flask) -> None:
    lead = ann(app)
    page = text(AtDesk(app, "marketer").get(f"/desk/leads/{lead.id}/privacy").text)
    for words in ("Send me tips.", "/offers/guide/", "form short", "The row is as it was sealed.",
                  "Entry 1 of the ledger"):
        assert words in page
    assert "Erase for good" not in page


def test_everything_is_handed_out_as_a_file_and_the_log_says_so(app: Flask) -> None:
    lead, desk = ann(app), AtDesk(app, "sales")
    token = token_of(desk.get(f"/desk/leads/{lead.id}/privacy").text)
    where = f"/desk/leads/{lead.id}/privacy/file"
    told = json.loads(desk.client.post(where, data={"csrf_token": token, "format": "json"}).text)
    assert told["capture"][0]["answers"]["first_name"] == "Ann"
    packed = desk.client.post(where, data={"csrf_token": token, "format": "zip"}).data
    with zipfile.ZipFile(io.BytesIO(packed)) as archive:
        assert "ann@example.org" in archive.read("lead.csv").decode()
    assert actions().count("handed out a person's data") == 2


def test_who_types_another_address_erases_nobody(app: Flask) -> None:
    lead, desk = ann(app), AtDesk(app, "owner")
    token = token_of(desk.get(f"/desk/leads/{lead.id}/privacy").text)
    wrong = desk.client.post(f"/desk/leads/{lead.id}/erasure", data={"csrf_token": token, "address": "ann@example.com"})
    assert (wrong.status_code, "Nothing was erased." in wrong.text) == (422, True)
    assert db.session.scalars(select(Lead.email)).all() == ["ann@example.org"]


def test_the_address_typed_erases_the_person_and_their_other_mailbox(app: Flask) -> None:
    lead, desk = ann(app), AtDesk(app, "owner")
    other = make_lead(email="ann@home.example")
    with writing() as session:
        session.get_one(Lead, other.id).merged_into_id = lead.id
    page = desk.get(f"/desk/leads/{lead.id}/privacy").text
    assert "ann@home.example" in page
    done = desk.client.post(f"/desk/leads/{lead.id}/erasure",
                            data={"csrf_token": token_of(page), "address": " ANN@example.org "})
    assert done.status_code == 303
    assert "with 2 mailboxes" in text(desk.get("/desk/leads").text)
    assert (db.session.scalars(select(Lead)).all(), db.session.scalars(select(Capture)).all()) == ([], [])
    assert actions().count("erased a lead") == 2


# The commands


def run(project: Path, url: str, *words: str) -> Result:
    return CliRunner().invoke(group, ["--project", str(project), *words], env={"HANDSEL_DATABASE_URL": url})


def test_proof_prints_all_that_proves_a_consent(app: Flask, project: Path, engine_url: str, clock: Any) -> None:
    ann(app)
    shown = run(project, engine_url, "leads", "proof", "ann@example.org")
    assert shown.exit_code == 0, shown.output
    for words in ("advice: given 2026-03-02 12:00:00 UTC, by form", "Words    Send me tips.  (en, ",
                  "Form     short on /offers/guide/, variant a", "From     192.0.2.0/24  ",
                  "Mail     delivery queued, <", "Seal     entry 1, sealed 2026-03-02 12:00:00 UTC: ",
                  "Verdict  The row is as it was sealed."):
        assert words in shown.output
    told = json.loads(run(project, engine_url, "leads", "proof", "ann@example.org", "--json").output)
    assert told["mailboxes"][0]["consents"][0]["seals"]["fits"]


def test_proof_of_a_changed_consent_says_so_and_fails(app: Flask, project: Path, engine_url: str) -> None:
    ann(app)
    with writing() as session:
        session.execute(update(Consent).values(state="confirmed"))
    shown = run(project, engine_url, "leads", "proof", "ann@example.org")
    assert (shown.exit_code, "Verdict  It was changed after it was sealed." in shown.output) == (1, True)


def test_proof_of_an_erased_person_knows_only_that_they_asked_for_it(
        app: Flask, project: Path, engine_url: str) -> None:
    ann(app)
    assert run(project, engine_url, "leads", "forget", "ann@example.org", "--yes").exit_code == 0
    shown = run(project, engine_url, "leads", "proof", "ann@example.org")
    assert shown.exit_code == 0
    assert "There is no lead with the address ann@example.org." in shown.output
    assert "The person asked to be erased." in shown.output


def test_verify_names_what_was_changed_and_knows_the_seals_of_old(app: Flask, project: Path, engine_url: str) -> None:
    ann(app)
    fine = run(project, engine_url, "audit", "verify")
    assert (fine.exit_code, "Nothing was changed, removed or put in." in fine.output) == (0, True)
    seal = fine.output.split("newest seal ")[2].split()[0]
    assert run(project, engine_url, "audit", "verify", "--expect", seal).exit_code == 0
    other = run(project, engine_url, "audit", "verify", "--expect", "0" * 64)
    assert (other.exit_code, "No entry has this seal." in other.output) == (1, True)
    number = db.session.scalar(select(Consent.id))
    with writing() as session:
        session.execute(update(Consent).values(state="confirmed"))
    changed = run(project, engine_url, "audit", "verify")
    assert (changed.exit_code, f"consent {number}: It was changed after it was sealed." in changed.output) == (1, True)


def test_a_zip_of_everything_comes_by_command(app: Flask, project: Path, engine_url: str, tmp_path: Path) -> None:
    ann(app)
    assert run(project, engine_url, "leads", "show", "ann@example.org", "--zip", str(tmp_path / "a.zip")).exit_code == 0
    with zipfile.ZipFile(tmp_path / "a.zip") as archive:
        assert {"everything.json", "lead.csv", "consent.csv", "wording.csv"} <= set(archive.namelist())


def test_a_lead_is_corrected_by_command_and_what_was_said_before_stays(
        app: Flask, project: Path, engine_url: str) -> None:
    lead = ann(app)
    done = run(project, engine_url, "leads", "correct", "ann@example.org", "first_name=Anne", "phone=+44 113 496 0000")
    assert (done.exit_code, done.output.splitlines()[-1]) == (0, "Put down: first_name, phone.")
    db.session.rollback()  # what the command wrote is seen from here on
    db.session.refresh(lead)
    assert (lead.first_name, lead.phone) == ("Anne", "+44 113 496 0000")
    said = [capture.answers.get("first_name") for capture in db.session.scalars(select(Capture).order_by(Capture.id))]
    assert said == ["Ann", "Anne"]
    assert run(project, engine_url, "leads", "correct", "ann@example.org", "first_name=").exit_code == 0
    db.session.rollback()
    db.session.refresh(lead)
    assert lead.first_name == ""
    assert actions() == ["corrected a lead", "corrected a lead"]


def test_a_field_that_there_is_not_is_named(app: Flask, project: Path, engine_url: str) -> None:
    ann(app)
    for typed, words in (("fone=1", "There is no field 'fone'."), ("phone", "That is no field with a value.")):
        wrong = run(project, engine_url, "leads", "correct", "ann@example.org", typed)
        assert (wrong.exit_code, words in wrong.output) == (1, True), wrong.output


def test_acts_on_a_lead_that_is_being_erased_find_it_or_find_nothing(
        make_app: Callable[..., Flask], clock: Clock) -> None:
    app = make_app(TESTING=False)
    with app.app_context():
        lead, other = make_lead(email="gone@example.org"), make_lead()
        task = make_task(lead)
        seller = AtDesk(app, "sales")
        token, cookies = seller.token(), dict(seller.client._cookies)
        leads = f"/desk/leads/{lead.id}"
        paths = [f"{leads}/{part}" for part in (
            "erasure", "owner", "stage", "bant", "tags", "tasks", "activities", "sales", f"merge/{other.id}",
            "erasure")] + [f"/desk/tasks/{task.id}/done"]

        def send(path: str) -> int:
            client = app.test_client()
            client._cookies.update(cookies)
            return int(client.post(path, data={
                "csrf_token": token, "address": "gone@example.org", "stage": "mql", "reason": "x", "question": "need",
                "met": "yes", "value": "x", "tag": "hot", "title": "Call", "kind": "note", "text": "x", "amount": "5",
                "once": secrets.token_urlsafe(16)}).status_code)

        with ThreadPoolExecutor(len(paths)) as pool:
            said = list(pool.map(send, paths * 2))
        assert set(said) <= {200, 303, 404}
        db.session.rollback()
        assert db.session.scalars(select(Lead.id).where(Lead.email == "gone@example.org")).all() == []


@on_sqlite
def test_emptying_the_log_keeps_nobody_from_writing_while_somebody_reads(app: Flask, engine_url: str) -> None:
    take(app, "ann@example.org")
    db.session.remove()
    with closing(sqlite3.connect(engine_url.removeprefix("sqlite:///"), isolation_level=None)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM lead").fetchall()
        take(app, "ben@example.org")  # so that the log holds what the reader must not see yet
        with ThreadPoolExecutor(1) as pool:
            emptying = pool.submit(within(app, forget.scrub))
            taken = 0
            while not emptying.done():
                take(app, f"reader{taken}@example.org")
                taken += 1
            emptying.result()
    assert taken > 1, "captures waited for the log"
    forget.scrub()
    assert Path(f"{engine_url.removeprefix('sqlite:///')}-wal").stat().st_size == 0


def within(app: Flask, do: Callable[[], None]) -> Callable[[], None]:
    def done() -> None:
        with app.app_context():
            do()

    return done
