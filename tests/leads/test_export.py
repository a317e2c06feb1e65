"""Exports: every lead asked for, each cell as it is in the database, nothing that a spreadsheet computes."""

from __future__ import annotations

import csv
import io
import json
import re
import secrets
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, insert, select

from factories import NOON, make_account, make_lead, make_words
from handsel.accounts.models import Account
from handsel.db import db, instant_text, writing
from handsel.leads import export, finding
from handsel.leads.cells import guarded, is_plain, written
from handsel.leads.models import Lead, LeadOffer, LeadTag
from support.sheets import read_xlsx

HOSTILE = Path(__file__).parent.parent / "hostile"
NOBODY = finding.Wanted()


def as_csv(asked: finding.Wanted = NOBODY, bom: bool = False) -> bytes:
    with db.engine.connect() as connection:
        return b"".join(export.csv_parts(connection, asked, bom=bom))


def rows_of(data: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(data.decode("utf-8-sig"), newline="")))


def as_sheet(asked: finding.Wanted = NOBODY) -> bytes:
    file = io.BytesIO()
    with db.engine.connect() as connection:
        export.xlsx(connection, asked, file)
    return file.getvalue()


def expected(leads: list[Lead], fields: list[str], owners: dict[int | None, str]) -> list[list[str]]:
    """The rows of the file, one by one from the objects: another way than the export's own."""
    return [[
        guarded(lead.address), *(guarded(getattr(lead, name)) for name in ("name", "company", "job_title", "phone",
                                                                           "country")),
        lead.stage, str(lead.score), owners.get(lead.owner_id, ""), lead.tags_text, lead.offers_text,
        guarded(lead.source), instant_text(lead.captured_at),
        instant_text(lead.confirmed_at) if lead.confirmed_at else "", lead.consent_text,
        *(guarded(written(lead.custom.get(name))) for name in fields),
    ] for lead in leads]


def test_a_lead_is_one_row_in_the_promised_columns(app, clock):
    owner = make_account("sales")
    make_lead(email="ada@example.org", name="Ada Marsh", company='Smith, Jones & "Sons"', phone="+44 20 7946 0958",
              stage="mql", score=42, owner_id=owner.id, tags=("energy", "landlord"), offers=("guide",), source="google",
              consent_text="advice, newsletter", custom={"team_size": "small", "topics": ["heat", "light"],
                                                           "own": True},
              plain=False)
    head, row = rows_of(as_csv())
    assert head == ["email", "name", "company", "job_title", "phone", "country", "stage", "score", "owner", "tags",
                    "offers", "source", "captured_at", "confirmed_at", "consent", "own", "team_size", "topics"]
    assert row == ["ada@example.org", "Ada Marsh", 'Smith, Jones & "Sons"', "", "+44 20 7946 0958", "", "mql", "42",
                   owner.email, "energy, landlord", "guide", "google", "2026-03-02T12:00:00.000Z",
                   "2026-03-02T12:00:00.000Z", "advice, newsletter", "yes", "small", "heat, light"]


def test_nobody_there_still_gives_the_head(app):
    assert rows_of(as_csv()) == [list(export.COLUMNS)]
    assert read_xlsx(as_sheet()).sheets == [[list(export.COLUMNS)]]


def test_the_mark_for_excel_stands_first_and_once(app, clock):
    make_lead(name="Zoë")
    assert as_csv(bom=True) == b"\xef\xbb\xbf" + as_csv()
    assert "Zoë" in as_csv().decode()


def test_hostile_cells_arrive_as_text_in_both_kinds_of_file(app, clock):
    hostile = json.loads((HOSTILE / "formulas.json").read_text(encoding="utf-8"))
    kept = [text for text in hostile if "\x00" not in text]
    for text in kept:
        fields = {"name": text, "company": text, "job_title": text, "source": text[:120], "custom": {"answer": text}}
        make_lead(**fields, plain=is_plain(fields))
    rows = rows_of(as_csv())[1:]
    assert [row[1] for row in rows] == [guarded(text) for text in kept]
    assert [row[-1] for row in rows] == [guarded(text) for text in kept]
    read = read_xlsx(as_sheet())
    assert (read.formulas, read.links) == (0, 0)
    assert [row[1] for row in read.sheets[0][1:]] == [text.replace("\r\n", "\n").replace("\r", "\r") for text in kept]


words = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\x00"), max_size=12)
answers = st.one_of(words, st.integers(-10**6, 10**6), st.booleans(), st.lists(words, max_size=2), st.none())


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.fixed_dictionaries({
    "name": words, "company": words, "phone": words, "source": words,
    "custom": st.dictionaries(st.sampled_from(["a", "b_c", "d1"]), answers, max_size=2),
}), max_size=6))
def test_the_file_equals_an_independent_query_row_by_row(app, people):
    with writing() as session:
        session.execute(delete(Lead))
        for number, person in enumerate(people):
            session.add(Lead(key=f"key{number:019}", email=f"p{number}@example.org", address=f"p{number}@example.org",
                             captured_at=NOON, last_capture_at=NOON, plain=is_plain(person), **person))
    leads = list(db.session.scalars(select(Lead).order_by(Lead.id)))
    fields = sorted({name for person in people for name in person["custom"]})
    assert rows_of(as_csv()) == [[*export.COLUMNS, *fields], *expected(leads, fields, {})]
    sheet = read_xlsx(as_sheet()).sheets[0]
    assert [row[0] for row in sheet[1:]] == [lead.address for lead in leads]
    assert [(row + [""] * 20)[1] for row in sheet[1:]] == [lead.name for lead in leads]


@pytest.fixture
def many(app, clock) -> list[Lead]:
    """5,003 leads, more than two chunks, with every mix of tag, offer, stage and time."""
    owner = make_account("sales").id
    leads, tags, offers = [], [], []
    for number in range(5003):
        at = NOON + timedelta(minutes=number)
        odd = number % 7 == 0
        leads.append({"key": f"key{number:019}", "email": f"p{number}@example.org", "address": f"P{number}@example.org",
                      "name": f"Person, {number}" if odd else f"Person {number}", "plain": not odd, "captured_at": at,
                      "last_capture_at": at, "stage": ("iql", "mql", "sql")[number % 3], "tags_text": "",
                      "owner_id": owner if number % 5 == 0 else None, "custom": {"n": str(number)} if odd else {}})
        tags.append({"tag": ("energy", "landlord")[number % 2], "at": at})
        offers.append({"offer": ("guide", "demo")[number % 5 == 0], "at": at})
    with writing() as session:
        session.execute(insert(Lead), leads)
        numbers = session.scalars(select(Lead.id).order_by(Lead.id)).all()
        session.execute(insert(LeadTag), [row | {"lead_id": n} for row, n in zip(tags, numbers, strict=True)])
        session.execute(insert(LeadOffer), [row | {"lead_id": n} for row, n in zip(offers, numbers, strict=True)])
    make_words()
    return list(db.session.scalars(select(Lead).order_by(Lead.id)))


def test_each_filter_takes_exactly_the_leads_it_names_in_the_order_they_came(app, many):
    accounts = db.session.execute(select(Account.id, Account.email))
    owners: dict[int | None, str] = {number: email for number, email in accounts}
    since = NOON + timedelta(minutes=4000)
    cases = {
        "everybody": ({}, lambda n: True),
        "tag": ({"tag": "landlord"}, lambda n: n % 2 == 1),
        "offer": ({"offer": "demo"}, lambda n: n % 5 == 0),
        "stage": ({"stage": "sql"}, lambda n: n % 3 == 2),
        "since": ({"since": "2026-03-05T06:40:00+00:00"}, lambda n: NOON + timedelta(minutes=n) >= since),
        "search": ({"search": "person 4 pERSON"}, lambda n: str(n).startswith("4")),
        "all": ({"tag": "energy", "offer": "demo", "stage": "iql", "search": "p30"},
                lambda n: n % 2 == 0 and n % 5 == 0 and n % 3 == 0 and str(n).startswith("30")),
    }
    for name, (given_, holds) in cases.items():
        asked = finding.wanted(db.session(), given_, ["guide"], ZoneInfo("UTC"))
        chosen = [lead for number, lead in enumerate(many) if holds(number)]
        fields = ["n"] if any(lead.custom for lead in chosen) else []
        first = finding.first_number(db.session(), asked)
        with db.engine.connect() as connection:
            data = b"".join(export.csv_parts(connection, asked, first=first))
        assert rows_of(data)[1:] == expected(chosen, fields, owners), name
        assert finding.count(db.session(), asked, first) == len(chosen), name


def test_progress_tells_the_rows_done(app, many):
    heard: list[int] = []
    with db.engine.connect() as connection:
        list(export.csv_parts(connection, NOBODY, progress=heard.append))
    assert heard[-1] == 5003
    assert heard == sorted(heard)


def test_no_reader_keeps_the_databases_log_from_shrinking_between_chunks(app, many):
    with db.engine.connect() as connection:
        parts = export.csv_parts(connection, NOBODY)
        next(parts), next(parts)
        assert not connection.in_transaction()


@pytest.mark.parametrize(("name", "value", "words"), [
    ("offer", "gude", "Did you mean 'guide'?"), ("tag", "enrgy", "Did you mean 'energy'?"),
    ("stage", "msql", "Did you mean"), ("since", "yesterday", "2026-11-22"), ("since", "0001-01-01", "no date"),
    ("held", "no", "only be 'yes'"), ("search", "x" * 201, "too long"), ("search", "a b c d e f g h i", "too many"),
    ("search", "a\x00b", "no name has"), ("search", "% &", "no letter"),
    ("owner", "me", "Nobody is signed in"), ("owner", "nobody@example.org", "There is no account"),
    ("offer", "' OR 1=1 --", "There is no offer"), ("tag", "%", "There is no tag"),
])
def test_a_filter_that_names_nothing_there_is_an_error_and_never_everybody(app, clock, name, value, words):
    make_lead(tags=("energy",), offers=("guide",))
    with pytest.raises(finding.FilterError, match=re.escape(words)):
        finding.wanted(db.session(), {name: value}, ["guide"], ZoneInfo("Asia/Tokyo"))


def test_a_search_is_for_the_very_letters_in_any_case_and_with_or_without_accents(app, clock):
    for name in ("Ada_Marsh", "AdaXMarsh", "100 % sure", "1 sure", "ÉMILE", "émile", "emil", "o'brien", "back\\slash"):
        make_lead(name=name, email=f"{secrets.token_hex(4)}@test.example")
    found = {}
    for search in ("ada_", "100%", "émile", "emile", "o'b", "back\\s"):
        asked = finding.wanted(db.session(), {"search": search}, [], ZoneInfo("UTC"))
        query = finding.find([Lead.name], asked).query
        found[search] = sorted(db.session.scalars(query))
    assert found == {"ada_": ["Ada_Marsh"], "100%": ["100 % sure"], "émile": ["ÉMILE", "émile"],
                     "emile": ["ÉMILE", "émile"], "o'b": ["o'brien"], "back\\s": ["back\\slash"]}


def test_dates_are_the_sites_own(app):
    asked = finding.wanted(db.session(), {"since": "2026-07-01"}, [], ZoneInfo("Europe/London"))
    assert asked.since == datetime(2026, 6, 30, 23, 0, tzinfo=UTC)


def test_a_sheet_holds_real_dates_and_numbers(app, clock):
    make_lead(score=7)
    row = read_xlsx(as_sheet()).sheets[0][1]
    assert row[7] == "7"
    days = (NOON - datetime(1899, 12, 30, tzinfo=UTC)).total_seconds() / 86400
    assert float(row[12]) == pytest.approx(days)
