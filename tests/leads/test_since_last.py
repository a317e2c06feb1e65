""""Since my last export": whoever is new or changed comes, however it was changed, and nobody else does."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, func, select, text, update

from factories import NOON, make_account, make_lead
from handsel.accounts.audit import Actor
from handsel.accounts.models import Account, AuditEntry
from handsel.db import db, writing
from handsel.leads import finding
from handsel.leads.layouts import memory, saved
from handsel.leads.layouts.models import ExportMemory, ExportSeen
from handsel.leads.models import Lead
from handsel.leads.takeaway import Takeaway
from support.sheets import read_xlsx

TOM = Actor("tom@example.org")


def take(asked: finding.Wanted | None = None, *, columns: tuple[str, ...] = ("email", "name"), actor: Actor = TOM,
         since_last: bool = True, kind: str = "csv", whole: bool = True) -> list[str]:
    """The addresses in the next file; ``whole`` False is a download that breaks off."""
    export = Takeaway(asked or finding.Wanted(), saved.free(columns, []), kind, actor, since_last, remember=True)
    export.begin(db.session())
    parts = export.parts(db.engine)
    if not whole:
        next(parts)
        parts.close()
        export.close()
        return []
    data = b"".join(parts)
    export.finish()
    if kind == "xlsx":
        return [row[0] for row in read_xlsx(data).sheets[0][1:]]
    return [row[0] for row in csv.reader(io.StringIO(data.decode(), newline=""))][1:]


@pytest.fixture
def three(app, clock) -> list[str]:
    return [make_lead(email=f"{name}@example.org", name=name).email for name in ("ada", "bob", "cy")]


def change(email: str, **values: object) -> None:
    with writing() as session:
        session.execute(update(Lead).where(Lead.email == email).values(**values))


def test_the_first_time_all_come_and_then_only_new_and_changed_ones(three):
    assert take() == three
    assert take() == []
    make_lead(email="dee@example.org")
    change("bob@example.org", name="Robert")
    assert take() == ["bob@example.org", "dee@example.org"]
    assert take() == []


def test_what_stands_in_no_column_of_the_layout_makes_nobody_new(three):
    take()
    change("ada@example.org", score=99)
    assert take() == []
    assert take(columns=("email", "score")) == three


def test_each_account_and_each_layout_remembers_for_itself(three):
    eve = Actor("eve@example.org")
    take()
    assert take(actor=eve) == three
    assert take(columns=("email",)) == three
    assert take() == take(actor=eve) == []


def test_both_kinds_of_file_share_what_is_remembered(three):
    assert take(kind="xlsx") == three
    assert take() == []
    change("cy@example.org", name="=Cyril", plain=False)
    assert take(kind="xlsx") == ["cy@example.org"]
    assert take(kind="xlsx") == take() == []


def test_a_file_that_broke_off_counts_for_nothing(three):
    take(whole=False)
    assert take() == three
    change("ada@example.org", name="Ada Marsh")
    take(whole=False)
    assert take() == ["ada@example.org"]


def test_a_narrower_export_before_leaves_nobody_out_of_a_wider_one(three):
    change("ada@example.org", stage="sql")
    assert take(finding.Wanted(stage="sql")) == ["ada@example.org"]
    assert take() == ["bob@example.org", "cy@example.org"]
    change("bob@example.org", stage="sql")
    assert take(finding.Wanted(stage="sql")) == []
    assert take() == []


def test_an_export_of_all_is_the_beginning_of_the_next_one(three):
    assert take(since_last=False) == three
    change("bob@example.org", name="Robert")
    assert take(since_last=False) == three
    assert take() == []


def test_a_row_changed_behind_our_back_comes_too(three):
    take()
    with db.engine.execution_options(writes=True).begin() as connection:
        connection.execute(text("UPDATE lead SET name = 'Zoë' WHERE email = 'cy@example.org'"))
    assert take() == ["cy@example.org"]


def test_a_new_name_of_the_owner_is_a_change_of_each_of_their_leads(three):
    owner = make_account("sales", name="Tom")
    change("ada@example.org", owner_id=owner.id)
    take(columns=("email", "owner_name"))
    with writing() as session:
        session.get_one(Account, owner.id).name = "Thomas"
    assert take(columns=("email", "owner_name")) == ["ada@example.org"]


def test_whoever_is_erased_leaves_nothing_behind_and_their_number_means_nobody_else(three):
    take(columns=("country",))
    gone = db.session.scalars(select(Lead).order_by(Lead.id.desc())).first()
    with writing() as session:
        session.execute(delete(Lead).where(Lead.id == gone.id))
    assert db.session.scalar(select(func.count()).select_from(ExportSeen)) == 2
    make_lead(id=gone.id, email="new@example.org")
    assert take(columns=("country",)) == [""]


def test_who_is_erased_while_the_file_is_written_stops_nothing(three):
    export = Takeaway(finding.Wanted(), saved.free(("email",), []), "csv", TOM, since_last=True)
    export.begin(db.session())
    assert b"".join(export.parts(db.engine)).count(b"\r\n") == 4
    with writing() as session:
        session.execute(delete(Lead).where(Lead.email == "bob@example.org"))
    export.finish()
    assert db.session.scalar(select(func.count()).select_from(ExportSeen)) == 2
    assert take(columns=("email",)) == []


def test_the_log_holds_filter_layout_and_count(three):
    take()
    change("bob@example.org", name="Robert")
    take(finding.Wanted(stage="iql", shown={"stage": "iql"}))
    entries = db.session.scalars(select(AuditEntry).order_by(AuditEntry.id)).all()
    assert [(entry.action, entry.detail["rows"]) for entry in entries] == [
        ("exported leads", 3), ("finished an export", 3), ("exported leads", 3), ("finished an export", 1)]
    assert entries[-1].detail == {"rows": 1, "format": "csv", "stage": "iql", "layout": "Chosen columns",
                                  "columns": ["email", "name"], "since_last": True}
    row = memory.last(TOM, saved.free(("email", "name"), []).key)
    assert row is not None
    assert (row.at, row.rows) == (NOON, 1)


names = st.sampled_from(["", "Ada", "=1", "Zoë; x", 'a"b'])
acts = st.lists(st.one_of(
    st.tuples(st.just("change"), st.integers(0, 5), names), st.tuples(st.just("add"), st.just(0), names),
    st.tuples(st.just("erase"), st.integers(0, 5), st.just("")), st.tuples(st.just("merge"), st.integers(1, 5),
                                                                          st.just("")),
    st.tuples(st.just("take"), st.integers(0, 1), st.just("")), st.tuples(st.just("break"), st.just(0), st.just("")),
), max_size=12)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(acts)
def test_whatever_happens_nobody_is_missed_and_nobody_comes_for_nothing(app, steps):
    with writing() as session:
        for model in (ExportMemory, Lead):
            session.execute(delete(model))
    known: dict[int, tuple[str, str]] = {}  # what an honest clerk would have written down of what was handed over
    for number, (act, place, name) in enumerate([*steps, ("take", 0, "")]):
        leads = list(db.session.scalars(select(Lead).order_by(Lead.id)))
        lead = leads[place % len(leads)] if leads else None
        if act == "add":
            make_lead(email=f"n{number}@example.org", name=name, plain=False, confirmed_at=None, captured_at=NOON)
        elif act == "change" and lead:
            change(lead.email, name=name, plain=False)
        elif act == "merge" and lead and lead.id != leads[0].id:
            change(lead.email, merged_into_id=None if lead.merged_into_id else leads[0].id)
        elif act == "erase" and lead:
            with writing() as session:
                session.execute(delete(Lead).where(Lead.id == lead.id))
            known.pop(lead.id, None)
        elif act == "break":
            take(whole=False)
        elif act == "take":
            asked = finding.Wanted(stage="iql") if place else None
            now = {row.id: (row.address, row.name) for row in leads if row.merged_into_id is None}
            assert take(asked) == [row[0] for id_, row in sorted(now.items()) if known.get(id_) != row]
            known |= now
        db.session.rollback()
