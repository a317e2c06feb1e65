"""``handsel leads import``: files become leads, again changes nothing, and what it brought can go again."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from flask import Flask
from sqlalchemy import func, select

from factories import NOON, make_capture, make_lead
from handsel import cli
from handsel.accounts.models import AuditEntry
from handsel.db import db, snapshot, writing
from handsel.leads import finding, rebuild
from handsel.leads.consents import Way, agreed
from handsel.leads.export import csv_parts
from handsel.leads.forget import forget
from handsel.leads.importing import batch, chunk
from handsel.leads.ledger import checking, sealing
from handsel.leads.models import (
    Capture,
    Consent,
    Imported,
    Lead,
    LeadFact,
    LeadImport,
    LeadOffer,
    LeadTag,
    Sale,
    Wording,
)
from handsel.leads.profile import add_tag, refresh
from handsel.leads.unsubscribe import unsubscribe
from handsel.mail import suppress
from handsel.mail.models import Message, Suppression
from handsel.worker.purge import purge
from handsel.worker.qualifying import qualify_now

WORDS = "Yes, send me the monthly letter about reading."
AGREED = ("--consent", "newsletter", "--wording", WORDS)
VIEWS = ("name", "first_name", "last_name", "company", "job_title", "phone", "country", "custom", "tags_text",
         "offers_text", "source", "consent_text", "captured_at", "last_capture_at", "confirmed_at", "plain", "stage",
         "unsubscribed_at")
TABLES = (Lead, Capture, Consent, LeadTag, LeadOffer, Suppression, Message, Imported)


@pytest.fixture
def handsel(app: Flask, engine_url: str, project: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    monkeypatch.setenv("HANDSEL_DATABASE_URL", engine_url)
    monkeypatch.setenv("HANDSEL_SECRET_KEY", app.config["SECRET_KEY"])

    def run(*args: str) -> Result:
        result = CliRunner().invoke(cli.group, ["--project", str(project), "leads", "import", *map(str, args)])
        db.session.rollback()
        return result

    return run


@pytest.fixture
def bring(handsel: Callable[..., Result], tmp_path: Path) -> Callable[..., Result]:
    """Imports the text as a file; fails with the command."""

    def run(text: str, *args: str, name: str = "fair.csv") -> Result:
        (tmp_path / name).write_text(text, "utf-8")
        result = handsel(tmp_path / name, *args)
        assert result.exit_code == 0, result.output
        return result

    return run


@pytest.fixture
def undo(handsel: Callable[..., Result]) -> Callable[..., str]:
    """Takes a batch back; what the command said."""

    def run(number: str, code: int = 0) -> str:
        result = handsel("--undo", number)
        assert result.exit_code == code, result.output
        return result.output

    return run


def lead(email: str) -> Lead:
    return db.session.scalars(select(Lead).where(Lead.email == email)).one()


def views() -> dict[str, dict[str, Any]]:
    db.session.rollback()
    return {one.email: {name: getattr(one, name) for name in VIEWS} for one in db.session.scalars(select(Lead))}


def rows() -> dict[str, list[Any]]:
    """Every row of the tables that leads hang on."""
    with db.engine.connect() as connection:
        return {model.__tablename__: connection.execute(
            select(model.__table__).order_by(*model.__table__.primary_key.columns)).all() for model in TABLES}


def leave(one: Lead) -> None:
    with writing() as session:
        unsubscribe(session, session.get_one(Lead, one.id), "", Way("unsubscribe page"), NOON)
        suppress.add(session, one.email, "unsubscribe", NOON)


def test_rows_become_leads_with_a_source_of_their_own(bring, clock):
    said = bring("Email,Name,Company,Tags\nAda@Example.org,Ada,Library,vip\nbob@example.org,Bob,,\n",
                 "--tag", "spring-fair", "--offer", "guide")
    assert "2 new leads" in said.stdout
    assert "come in without consent" in said.stderr
    number = db.session.scalars(select(LeadImport.id)).one()
    ada = lead("ada@example.org")
    assert (ada.address, ada.name, ada.company, ada.source) == ("Ada@example.org", "Ada", "Library", f"import:{number}")
    assert set(ada.tags_text.split(", ")) >= {"spring-fair", "vip"}
    assert (ada.offers_text, ada.confirmed_at, ada.consent_text) == ("guide", None, "")
    capture = db.session.scalars(select(Capture).where(Capture.lead_id == ada.id)).one()
    assert (capture.form, capture.source, capture.proven_at) == ("import", f"import:{number}", None)
    assert db.session.scalar(select(func.count()).select_from(Message)) == 0
    entry = db.session.scalars(select(AuditEntry).where(AuditEntry.action == "imported leads")).one()
    assert (entry.actor, entry.detail["file"], entry.detail["new"]) == ("command line", "fair.csv", 2)


def test_a_dry_run_says_the_same_and_changes_nothing(bring, clock):
    make_lead(email="ada@example.org")
    text = "email,name\nada@example.org,Ada\nbob@example.org,Bob\nBOB@example.org,Bobby\nno,No\n"
    before = rows()
    dry = bring(text, "--dry-run").stdout.splitlines()
    assert rows() == before
    assert db.session.scalar(select(func.count()).select_from(LeadImport)) == 0
    assert dry[-1] == "Nothing was changed. Leave out --dry-run to do it."
    wet = bring(text).stdout.splitlines()
    numbers = [re.findall(r"\d+", line) for line in (dry[0], wet[0])]
    assert numbers == [["1", "2", "0", "1"]] * 2


def test_the_same_file_again_changes_nothing(bring, clock):
    text = "email,name,tags\nada@example.org,Ada,vip\nbob@example.org,Bob,\nada@example.org,Ada Marsh,\n"
    bring(text, *AGREED, "--confirmed")
    before = rows()
    clock.move(days=1)
    said = bring(text, *AGREED, "--confirmed")
    assert "0 new leads, 0 rows added" in said.stdout
    assert "3 rows were there already" in said.stdout
    assert rows() == before
    assert lead("ada@example.org").name == "Ada Marsh"


def test_an_import_that_broke_off_goes_on_in_the_same_batch(bring, clock, monkeypatch, tmp_path):
    monkeypatch.setattr(batch, "AT_ONCE", 2)
    rows = [f"lead{number}@example.org,{'unsubscribed' if number in (1, 6) else ''}\n" for number in range(7)]
    text = "email,status\n" + "".join(rows[:2]) + "nobody,\n" + "".join(rows[2:])
    take, calls = chunk.Chunk.take, []

    def failing(self, some):
        calls.append(1)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return take(self, some)

    monkeypatch.setattr(chunk.Chunk, "take", failing)
    with pytest.raises(AssertionError):
        bring(text, *AGREED)
    assert len(views()) == 4
    wrong = tmp_path / "wrong.csv"
    said = bring(text, *AGREED, "--errors", str(wrong))
    assert "it goes on from there" in said.stderr
    assert "7 new leads" in said.stdout
    assert "1 rows could not be taken" in said.stdout
    assert [line.split(",")[0] for line in wrong.read_text().splitlines()] == ["row", "4"]
    done = db.session.scalars(select(LeadImport)).one()
    assert (done.finished_at is not None, done.state, done.row, len(views())) == (True, "done", 9, 7)
    counts = {"new": 7, "known": 0, "same": 0, "wrong": 1, "agreed": 5, "left": 0, "blocked": 2}
    assert done.counts == counts
    entry = db.session.scalars(select(AuditEntry).where(AuditEntry.action == "imported leads")).one()
    assert entry.detail == {"file": "fair.csv", **counts}
    assert "7 rows were there already" in bring(text, *AGREED).stdout
    assert db.session.get_one(LeadImport, done.id, populate_existing=True).counts == counts


def test_what_a_lead_confirmed_is_never_covered_and_a_claim_is(bring, clock):
    proven, claim = make_lead(email="ada@example.org", name="Ada"), make_lead(email="bob@example.org", name="Bob",
                                                                              confirmed_at=None)
    make_capture(proven, answers={"email": "ada@example.org", "name": "Ada"})
    make_capture(claim, answers={"email": "bob@example.org", "name": "Bob"}, proven_at=None)
    clock.move(minutes=1)
    bring("email,name,company\nADA@example.org,Eve,Mill\nbob@example.org,Robert,Mill\n", "--tag", "fair")
    ada, bob = lead("ada@example.org"), lead("bob@example.org")
    assert (ada.name, ada.company, ada.tags_text, ada.confirmed_at) == ("Ada", "", "fair", NOON)
    assert (bob.name, bob.company, bob.tags_text, bob.confirmed_at) == ("Robert", "Mill", "fair", None)


def test_rebuilding_gives_the_same_leads(bring, clock):
    known = make_lead(email="ada@example.org", tags=("vip",))
    make_capture(known, answers={"email": "ada@example.org", "name": "Ada"})
    clock.move(minutes=1)
    bring("email,first_name,last_name,tags,team_size,unsubscribed,phone\n"
          "ada@example.org,Eve,,a,,,\nbob@example.org,Bob,Marsh,\"b, a\",small,,\n"
          "cy@example.org,=Cy,\"O\"\"X, y\",,large,yes,\nbob@example.org,,,,,,0123\n",
          "--offer", "guide", "--confirmed", *AGREED)
    before = views()
    assert before["bob@example.org"]["custom"] == {"team_size": "small"}
    assert before["bob@example.org"]["consent_text"] == "newsletter"
    assert before["cy@example.org"]["plain"] is False
    assert list(rebuild.rebuild()) == [3]
    assert views() == before


def test_consent_is_recorded_with_its_words_and_letters_wait_for_the_proof(bring, clock):
    bring("email\nada@example.org\n", *AGREED)
    event = db.session.scalars(select(Consent)).one()
    assert (event.purpose, event.state, event.way) == ("newsletter", "given", "import")
    assert db.session.get_one(Wording, event.wording_hash).text == WORDS
    assert lead("ada@example.org").consent_text == ""


def test_consent_of_those_who_proved_their_mailbox_elsewhere_stands(bring, clock, tmp_path):
    (tmp_path / "words.md").write_text(WORDS)
    said = bring("email,consent\nada@example.org,yes\nbob@example.org,no\n", "--confirmed", "--consent", "newsletter",
                 "--wording", str(tmp_path / "words.md"))
    assert "Consent recorded for 1" in said.stdout
    assert [event.state for event in db.session.scalars(select(Consent).order_by(Consent.id))] == ["given", "confirmed"]
    assert (lead("ada@example.org").consent_text, lead("bob@example.org").consent_text) == ("newsletter", "")


def test_what_was_left_out_the_first_time_is_taken_up_the_second(bring, clock):
    text = "email\nada@example.org\n"
    bring(text)
    bring(text, *AGREED)
    bring(text, *AGREED, "--confirmed", "--offer", "guide")
    ada = lead("ada@example.org")
    assert (ada.consent_text, ada.offers_text) == ("newsletter", "guide")
    assert [event.state for event in db.session.scalars(select(Consent).order_by(Consent.id))] == [
        "given", "given", "confirmed"]


@pytest.mark.parametrize("confirmed", [(), ("--confirmed",)])
def test_nobody_who_left_comes_back(bring, clock, confirmed):
    left, withdrew, bounced = (make_lead(email=f"{name}@example.org") for name in ("left", "withdrew", "bounced"))
    leave(left)
    with writing() as session:
        for state in ("given", "confirmed", "withdrawn"):
            session.add(Consent(lead_id=withdrew.id, purpose="newsletter", state=state, way="form", at=NOON))
        suppress.add(session, bounced.email, "bounce", NOON)
        suppress.add(session, "stranger@example.org", "complaint", NOON)
    before = rows()
    clock.move(days=1)
    bring("email,status,consent\n" + "".join(
        f"{name}@example.org,subscribed,yes\n" for name in ("left", "withdrew", "bounced", "stranger", "new")),
        *AGREED, *confirmed)
    assert rows()["suppression"] == before["suppression"]
    assert lead("left@example.org").unsubscribed_at == NOON
    for name in ("left", "withdrew", "bounced", "stranger"):
        assert agreed(db.session, lead(f"{name}@example.org").id) == set()
        assert lead(f"{name}@example.org").consent_text == ""
    assert agreed(db.session, lead("new@example.org").id) == {"newsletter"}


def test_who_gets_no_mail_where_they_come_from_gets_none_here(bring, clock):
    known = make_lead(email="ada@example.org")
    with writing() as session:
        for state in ("given", "confirmed"):
            session.add(Consent(lead_id=known.id, purpose="newsletter", state=state, way="form", at=NOON))
    bring("email,status\nada@example.org,unsubscribed\nbob@example.org,complained\n", *AGREED)
    for email in ("ada@example.org", "bob@example.org"):
        assert lead(email).unsubscribed_at == NOON
        assert suppress.is_blocked(db.session, email, "letter", NOON)
        assert agreed(db.session, lead(email).id) == set()


def test_who_was_erased_is_refused_with_the_reason(bring, clock, tmp_path):
    gone = make_lead(email="ada@example.org")
    with writing() as session:
        forget(session, session.get_one(Lead, gone.id), NOON, "the person")
    said = bring("email,name\nada@example.org,Ada\nbob@example.org,Bob\n", "--errors", str(tmp_path / "wrong.csv"))
    assert "1 new leads" in said.stdout
    assert list(views()) == ["bob@example.org"]
    assert list(csv.reader((tmp_path / "wrong.csv").open(encoding="utf-8", newline=""))) == [
        ["row", "reason", "email", "name"],
        ["2", "This person asked to be erased. Only they can come back, through a form.", "ada@example.org", "Ada"]]


def test_bad_rows_are_written_down_and_the_mended_file_comes_in(bring, clock, tmp_path):
    wrong = tmp_path / "wrong.csv"
    said = bring("email,name\nada@example.org,Ada\nbob example.org,=Bob\ncy@example.org,Cy,x\n", "--errors", str(wrong))
    assert "1 new leads" in said.stdout
    assert wrong.stat().st_mode & 0o777 == 0o600
    found = list(csv.reader(wrong.open(encoding="utf-8", newline="")))
    assert [row[0] for row in found[1:]] == ["3", "4"]
    assert found[1][1:] == ["'bob example.org' is not an e-mail address.", "bob example.org", "'=Bob"]
    bring(wrong.read_text().replace("bob example.org,", "bob@example.org,").replace(",x", ""), name="mended.csv")
    assert lead("bob@example.org").name == "=Bob"
    assert len(views()) == 3


def test_an_import_is_undone_whole(bring, undo, clock):
    known = make_lead(email="ada@example.org", name="Ada", confirmed_at=None, source="google", tags=("own",))
    make_capture(known, answers={"email": "ada@example.org", "name": "Ada"}, proven_at=None, source="google")
    with writing() as session:
        refresh(session, session.get_one(Lead, known.id))
    before = views()
    clock.move(minutes=1)
    text = "email,name,tags\nada@example.org,Eve,own\nbob@example.org,Bob,\nBob@example.org,Robert,\n"
    said = bring(text, "--tag", "fair", "--offer", "newsletter", "--confirmed", *AGREED)
    number = re.search(r"--undo (\d+)", said.stdout)[1]
    assert lead("ada@example.org").name == "Eve"
    clock.move(minutes=1)
    assert "1 leads are gone, 1 that were known" in undo(number)
    assert views() == before
    assert {event.state for event in db.session.scalars(select(Consent))} == {"given", "confirmed", "withdrawn"}
    assert agreed(db.session, known.id) == set()
    assert "was undone on" in undo(number, code=1)
    assert "1 new leads" in bring(text, "--confirmed", *AGREED).stdout
    assert lead("ada@example.org").consent_text == "newsletter"


def test_undoing_leaves_a_consent_ledger_that_says_what_became_of_each(bring, undo, clock):
    known = make_lead(email="cy@example.org")
    make_capture(known)
    said = bring("email,name\nann@example.org,Ann\ncy@example.org,Cy\n", *AGREED)
    db.session.rollback()
    sealing.seal_all(clock.now)
    undo(re.search(r"--undo (\d+)", said.stdout)[1])
    db.session.rollback()
    sealing.seal_all(clock.now)
    with snapshot() as connection:
        found = checking.check(connection)
    assert found.faults == []
    assert (found.erased > 0, found.moved > 0) == (True, True)
    assert db.session.get(Lead, known.id) is not None


def test_undoing_keeps_those_whom_somebody_worked_with(bring, undo, clock):
    text = "email,name\n" + "".join(f"{name}@example.org,{name}\n" for name in ("alone", "bought", "tagged", "came"))
    said = bring(text)
    number = re.search(r"--undo (\d+)", said.stdout)[1]
    with writing() as session:
        session.add(Sale(lead_id=lead("bought@example.org").id, at=NOON, cents=100, currency="EUR"))
        add_tag(session, session.get_one(Lead, lead("tagged@example.org").id), "hot", NOON, "by hand: tom@example.org")
    came = lead("came@example.org")
    make_capture(came, answers={"email": "came@example.org", "name": "Clara"})
    assert "1 leads are gone, 1 that were known are as they were, 2 stay" in undo(number)
    found = views()
    assert {email: one["name"] for email, one in found.items()} == {
        "bought@example.org": "bought", "tagged@example.org": "tagged", "came@example.org": "Clara"}
    list(rebuild.rebuild())
    assert views() == found


def test_what_an_undone_import_blocked_stays_blocked(bring, undo, clock):
    said = bring("email,unsubscribed\nada@example.org,yes\n")
    undo(re.search(r"--undo (\d+)", said.stdout)[1])
    assert views() == {}
    assert suppress.is_blocked(db.session, "ada@example.org", "letter", NOON)


def test_who_left_before_they_were_imported_is_shown_as_somebody_who_left(bring, undo, clock):
    said = bring("email,unsubscribed\nada@example.org,yes\n")
    undo(re.search(r"--undo (\d+)", said.stdout)[1])
    clock.move(days=1)
    said = bring("email,status,consent\nada@example.org,subscribed,yes\nbob@example.org,subscribed,yes\n", *AGREED)
    assert lead("ada@example.org").unsubscribed_at == clock.now
    assert lead("bob@example.org").unsubscribed_at is None
    assert "2 leads are gone" in undo(re.search(r"--undo (\d+)", said.stdout)[1])


def test_an_import_that_is_taken_back_makes_nobody_somebody_who_left(bring, undo, clock, app):
    known = make_lead(email="ada@example.org")
    make_capture(known)
    said = bring("email,name\nada@example.org,Ada\n", "--confirmed", *AGREED)
    qualify_now(app)
    clock.move(hours=1)
    undo(re.search(r"--undo (\d+)", said.stdout)[1])
    assert lead("ada@example.org").look_at == clock.now
    qualify_now(app)
    assert agreed(db.session, known.id) == set()
    assert set(db.session.scalars(select(LeadFact.kind).where(LeadFact.lead_id == known.id))) == {"asked"}


def test_an_undo_that_broke_off_goes_on(bring, undo, clock, monkeypatch):
    from handsel.leads.importing import undo as undoing

    monkeypatch.setattr(undoing, "AT_ONCE", 2)
    bring("email\n" + "".join(f"lead{number}@example.org\n" for number in range(5)))
    number = db.session.scalars(select(LeadImport.id)).one()
    steps = undoing.undo(number, "command line", NOON)
    next(steps)
    steps.close()
    assert len(views()) == 3
    undo(str(number))
    assert views() == {}
    done = db.session.get_one(LeadImport, number, populate_existing=True)
    assert (done.counts["gone"], done.counts["mended"]) == (5, 0)
    assert not any("so far" in name for name in done.counts)


def test_our_own_export_comes_back_as_it_was(bring, clock, app):
    make_lead(email="ada@example.org", name="=Ada", company='Smith, "Sons"', phone="+44 20 7946 0958", tags=("vip",),
              country="UK", custom={"team_size": "small", "seats": 12}, plain=False)
    with db.engine.connect() as connection:
        text = b"".join(csv_parts(connection, finding.Wanted())).decode()
    with writing() as session:
        session.delete(session.get_one(Lead, lead("ada@example.org").id))
    bring(text)
    ada = lead("ada@example.org")
    assert (ada.name, ada.company, ada.phone, ada.country, ada.tags_text) == (
        "=Ada", 'Smith, "Sons"', "+44 20 7946 0958", "UK", "vip")
    assert ada.custom == {"team_size": "small", "seats": 12}


def test_leads_that_were_imported_are_not_thrown_away_as_unproven(bring, clock, app):
    bring("email\nada@example.org\n", "--offer", "guide")
    clock.move(days=60)
    purge(app, clock.now)
    assert list(views()) == ["ada@example.org"]


@pytest.mark.parametrize(("args", "words"), [
    (["--consent", "newsletter"], "needs the words"), (["--consent", "leter", "--wording", WORDS], "no topic 'leter'"),
    (["--consent", "newsletter", "--wording", "words.md"], "no sentence"), (["--offer", "gide"], "guide"),
    (["--map", "Firm"], "has no ="), (["--map", "Firm=company"], "no column 'Firm'"), (["--tag", "?"], "a tag")])
def test_what_cannot_be_meant_is_an_error_that_says_what_to_do(handsel, tmp_path, args, words):
    (tmp_path / "leads.csv").write_text("email\nada@example.org\n")
    said = handsel(tmp_path / "leads.csv", *args)
    assert said.exit_code == 1
    assert words in said.output
    assert views() == {}


def test_a_batch_that_is_not_there_names_those_that_are(bring, undo, clock):
    assert "Nothing was imported yet" in undo("7", code=1)
    bring("email\nada@example.org\n")
    assert "fair.csv of 2026-03-02" in undo("700", code=1)


def test_hostile_cells_come_in_as_text(bring, clock):
    cells = ["<script>alert(1)</script>", "Robert'); DROP TABLE lead;--", "\u202egnp.exe", "{{ 7*7 }}", "%s %(x)s :x"]
    bring("email,name\n" + "".join(f'h{number}@example.org,"{cell}"\n' for number, cell in enumerate(cells)))
    assert [lead(f"h{number}@example.org").name for number in range(len(cells))] == cells
    assert json.loads(json.dumps(cells)) == cells


def test_history_says_that_a_lead_came_with_a_file(bring, clock, app, project, engine_url):
    bring("email\nada@example.org\n", *AGREED)
    said = CliRunner().invoke(cli.group, ["--project", str(project), "leads", "show", "ada@example.org"])
    assert "came with a file (import:" in said.output
    assert "consent newsletter: given (import)" in said.output
