"""Columns and layouts of exports: every lead as another query has it, and nothing a spreadsheet would compute."""

from __future__ import annotations

import csv
import io
import json
import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, select

from factories import NOON, make_account, make_lead
from handsel.db import db, instant_text, writing
from handsel.errors import HandselError
from handsel.leads import export, finding
from handsel.leads.cells import guarded, is_plain, written
from handsel.leads.layouts import saved
from handsel.leads.layouts.columns import COLUMNS, chosen
from handsel.leads.layouts.crm import SHIPPED
from handsel.leads.models import Company, Lead
from handsel.leads.stages.models import LeadBant
from support.sheets import read_xlsx

HOSTILE = Path(__file__).parent.parent / "hostile"
NOBODY = finding.Wanted()


def file_of(columns: Any, asked: finding.Wanted = NOBODY) -> list[list[str]]:
    with db.engine.connect() as connection:
        data = b"".join(export.csv_parts(connection, asked, layout=columns))
    return list(csv.reader(io.StringIO(data.decode(), newline="")))


def sheet_of(columns: Any) -> Any:
    file = io.BytesIO()
    with db.engine.connect() as connection:
        export.xlsx(connection, NOBODY, file, layout=columns)
    return read_xlsx(file.getvalue())


def cell(lead: Lead, name: str, company: Company | None, bant: dict[str, tuple[bool, str]]) -> str:
    """One cell, from the object: another way than the export's own."""
    at = {"stage_since": lead.stage_at, "captured_at": lead.captured_at, "last_form_at": lead.last_capture_at,
          "last_act_at": lead.acted_at, "confirmed_at": lead.confirmed_at, "unsubscribed_at": lead.unsubscribed_at}
    if name in at:
        moment = at[name]
        return instant_text(moment) if moment else ""
    of_company = {"company_domain": "domain", "company_name": "name", "company_size": "size", "industry": "industry",
                  "revenue": "revenue", "company_country": "country"}
    if name in of_company:
        value = getattr(company, of_company[name]) if company else None
        return written(lead.custom.get(name)) if value is None or value == "" else str(value)
    if name.startswith("bant_"):
        return bant.get(name.removeprefix("bant_"), (False, ""))[1]
    others = {
        "email": lead.address, "domain": lead.email.rpartition("@")[2], "tags": lead.tags_text,
        "offers": lead.offers_text, "consent": lead.consent_text, "bant": str(sum(met for met, _ in bant.values())),
        "quality": "" if lead.quality is None else f"{lead.quality / 10:.1f}", "owner": "", "owner_name": ""}
    if name in others:
        return others[name]
    return str(getattr(lead, name)) if name in COLUMNS else written(lead.custom.get(name))


words = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\x00"), max_size=10)
tricky = st.one_of(words, st.sampled_from(["=1+1", "Ada =cmd", "-2+3", "@x", "Müller & Söhne", "a;=b", 'x"y', "O'Hara",
                                           "50 % off", "+44 20", "a\nb", "Ада Марш", "%s", "{0}"]))
numbers = st.one_of(st.none(), st.integers(0, 10**9))
people = st.fixed_dictionaries({
    "name": tricky, "first_name": tricky, "last_name": tricky, "company": tricky, "job_title": tricky,
    "phone": tricky, "country": tricky, "source": tricky, "score": st.integers(-50, 200), "fit": st.integers(0, 99),
    "interest": st.integers(0, 99), "quality": st.one_of(st.none(), st.integers(0, 1000)),
    "stage": st.sampled_from(["iql", "sql", "customer"]),
    "custom": st.dictionaries(st.sampled_from(["team_size", "own"]),
                              st.one_of(tricky, st.booleans(), st.integers(-9, 9), st.lists(tricky, max_size=2)),
                              max_size=2),
    "said": st.dictionaries(st.sampled_from(["company_size", "industry"]), st.one_of(tricky, st.integers(0, 9)),
                            max_size=2),
    "kept": st.one_of(st.none(), st.tuples(tricky, numbers, numbers)),
    "bant": st.dictionaries(st.sampled_from(["budget", "need"]), st.tuples(st.booleans(), tricky), max_size=2),
    "left": st.booleans(), "merged": st.booleans()})
names = st.lists(st.sampled_from([*COLUMNS, "team_size", "own"]), min_size=1, max_size=12, unique=True)


def keep(person: dict[str, Any], number: int, session: Any) -> None:
    person = dict(person)
    kept, bant, left = person.pop("kept"), person.pop("bant"), person.pop("left")
    merged = person.pop("merged") and number > 0
    person["custom"] = person["custom"] | person.pop("said")
    company = None
    if kept:
        company = Company(domain=f"c{number}.example", name=kept[0], size=kept[1], revenue=kept[2], industry=kept[0],
                          country=kept[0], at=NOON)
        session.add(company)
        session.flush()
    lead = Lead(key=f"key{number:019}", email=f"p{number}@example.org", address=f"P{number}@example.org",
                captured_at=NOON, last_capture_at=NOON + timedelta(hours=number), plain=is_plain(person),
                stage_at=NOON if left else None, unsubscribed_at=NOON if left else None,
                company_id=company.id if company else None, **person)
    if merged:
        lead.merged_into_id = session.scalar(select(Lead.id).order_by(Lead.id).limit(1))
    session.add(lead)
    session.flush()
    session.add_all([LeadBant(lead_id=lead.id, question=question, met=met, value=value, at=NOON)
                     for question, (met, value) in bant.items()])


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(people, max_size=6), names)
def test_a_file_of_any_columns_equals_an_independent_query_row_by_row(app, persons, wanted):
    with writing() as session:
        for model in (Lead, Company):
            session.execute(delete(model))
        for number, person in enumerate(persons):
            keep(person, number, session)
    columns = chosen(wanted, ["team_size", "own"])
    expected = []
    for lead in db.session.scalars(select(Lead).where(Lead.merged_into_id.is_(None)).order_by(Lead.id)):
        company = db.session.get(Company, lead.company_id) if lead.company_id else None
        bant = {row.question: (row.met, row.value) for row in db.session.scalars(
            select(LeadBant).where(LeadBant.lead_id == lead.id))}
        expected.append([cell(lead, name, company, bant) for name in wanted])
    found = file_of(columns)
    assert found[0] == wanted
    assert found[1:] == [[guarded(text) for text in row] for row in expected]
    sheet = sheet_of((*chosen(["email"], []), *columns))
    assert (sheet.formulas, sheet.links) == (0, 0)
    texts = [index for index, name in enumerate(wanted) if COLUMNS.get(name) is None or COLUMNS[name].kind == "text"]
    padded = [(row + [""] * len(wanted))[1:] for row in sheet.sheets[0][1:]]
    assert [[row[index] for index in texts] for row in padded] == [
        [row[index].replace("\r\n", "\n") for index in texts] for row in expected]


@pytest.mark.parametrize("layout", SHIPPED)
def test_no_cell_of_any_layout_becomes_a_formula(app, clock, layout):
    hostile = [text for text in json.loads((HOSTILE / "formulas.json").read_text("utf-8")) if "\x00" not in text]
    owner = make_account("sales", name="=HYPERLINK(1)")
    with writing() as session:
        company = Company(domain="c.example", name="=1", industry="@SUM(1)", country="+1+1", at=NOON)
        session.add(company)
    for text in hostile:
        fields = {"name": f"Ada {text}", "first_name": "", "last_name": "", "company": text, "job_title": text,
                  "source": text[:120]}
        make_lead(**fields, plain=is_plain(fields), owner_id=owner.id, company_id=company.id)
        fields |= {"name": text, "first_name": text[:120], "last_name": text[:120]}
        make_lead(**fields, plain=is_plain(fields))
    with db.engine.connect() as connection:
        columns = SHIPPED[layout].columns or export.standard(connection, NOBODY)
    rows = file_of(columns)
    assert len(rows) == 1 + 2 * len(hostile)
    assert [text for row in rows for text in row if guarded(text) != text] == []
    sheet = sheet_of(columns)
    assert (sheet.formulas, sheet.links) == (0, 0)


def test_the_headings_are_those_that_each_program_asks_for():
    heads = {name: [each.heading for each in layout.columns] for name, layout in SHIPPED.items() if layout.columns}
    assert heads["hubspot"][:5] == ["Email", "First name", "Last name", "Company name", "Job title"]
    assert {"Lifecycle stage", "Contact owner", "Phone number", "Country/Region"} <= set(heads["hubspot"])
    assert {"First Name", "Last Name", "Company", "Title", "Email", "Lead Source", "No. of Employees",
            "Annual Revenue", "Email Opt Out", "Record Owner"} <= set(heads["salesforce"])
    assert {"Person - Name", "Person - Email", "Person - Phone", "Organization - Name"} <= set(heads["pipedrive"])


def test_what_a_program_demands_is_there_and_who_left_is_marked(app, clock):
    make_lead(email="ada@example.org", name="Ada Marsh Quill", stage="mql", company="Mill")
    make_lead(email="bob@example.org", name="Bob", unsubscribed_at=NOON, stage="customer")
    make_lead(email="cy@example.org")
    make_lead(email="dee@example.org", name="Dee D. Park", first_name="Dee", last_name="D. Park")
    make_lead(email="eve@example.org", name="Eve van Loo", first_name="Eve")

    def cells(layout: str, *headings: str) -> list[list[str]]:
        head, *rows = file_of(SHIPPED[layout].columns)
        return [[row[head.index(heading)] for heading in headings] for row in rows]

    assert cells("hubspot", "First name", "Last name", "Lifecycle stage", "Opted out of email") == [
        ["Ada Marsh", "Quill", "Marketing Qualified Lead", ""], ["Bob", "", "Customer", "yes"], ["", "", "Lead", ""],
        ["Dee", "D. Park", "Lead", ""], ["Eve", "van Loo", "Lead", ""]]
    assert cells("salesforce", "First Name", "Last Name", "Company", "Email Opt Out") == [
        ["Ada Marsh", "Quill", "Mill", "0"], ["", "Bob", "[not provided]", "1"],
        ["", "[not provided]", "[not provided]", "0"], ["Dee", "D. Park", "[not provided]", "0"],
        ["Eve", "van Loo", "[not provided]", "0"]]
    assert cells("pipedrive", "Person - Name", "Person - Marketing status") == [
        ["Ada Marsh Quill", ""], ["Bob", "Unsubscribed"], ["cy@example.org", ""], ["Dee D. Park", ""],
        ["Eve van Loo", ""]]


def test_who_was_merged_stands_in_no_file(app, clock):
    head = make_lead(email="ada@example.org")
    make_lead(email="ada@home.example", merged_into_id=head.id)
    assert [row[0] for row in file_of(chosen(["email"], []))[1:]] == ["ada@example.org"]


@pytest.mark.parametrize(("asked", "words"), [
    (["emial"], "Did you mean 'email'?"), (["email", "email"], "named twice"), ([], "no column"),
    (["email; DROP TABLE lead"], "no column"), (["lead.key"], "no column")])
def test_a_column_that_there_is_not_is_an_error(asked, words):
    with pytest.raises(HandselError, match=re.escape(words)):
        chosen(asked, ["team_size"])


def test_a_layout_is_its_makers_own_until_it_is_shared(app, clock):
    tom, eve = make_account("sales"), make_account("sales")
    with writing() as session:
        mine = saved.save(session, "  Call   list ", [("email", "Mail"), ("team_size", "")], ["team_size"],
                          shared=False, account_id=tom.id, at=NOON)
        key = saved.key_of(mine)
    found = saved.find(db.session(), "Call list", tom.id, ["team_size"])
    assert (found.key, [each.heading for each in found.columns or ()]) == (key, ["Mail", "team_size"])
    for name in ("Call list", key):
        with pytest.raises(HandselError, match="no layout"):
            saved.find(db.session(), name, eve.id, ["team_size"])
    with writing() as session:
        saved.save(session, "Call list", [("email", "")], [], shared=True, account_id=tom.id, at=NOON)
    assert saved.find(db.session(), "Call list", eve.id, []).key == key
    assert saved.find(db.session(), "Call list", None, []).key == key
    with writing() as session:
        assert saved.remove(session, int(key.partition(":")[2]), eve.id) is None
        assert saved.remove(session, int(key.partition(":")[2]), tom.id) is not None
    with pytest.raises(HandselError, match="Did you mean 'hubspot'"):
        saved.find(db.session(), "hubspt", tom.id, [])


def test_a_saved_layout_whose_field_is_gone_is_an_error_and_leaves_no_column_out(app, clock):
    with writing() as session:
        saved.save(session, "old", [("email", ""), ("team_size", "")], ["team_size"], shared=True, account_id=None,
                   at=NOON)
    with pytest.raises(HandselError, match="no column 'team_size'"):
        saved.find(db.session(), "old", None, [])


def test_a_field_of_ones_own_wins_over_a_column_that_is_only_ours(app, clock):
    make_lead(email="ada@example.org", fit=7, custom={"fit": "loose", "bant_need": "much"})
    assert file_of(None)[1][-2:] == ["much", "loose"]
    assert file_of(chosen(["fit", "bant_need"], ["fit"]))[1] == ["loose", ""]
    assert file_of(chosen(["fit"], []))[1] == ["7"]
