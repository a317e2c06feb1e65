"""Whoever left, withdrew, bounced or complained stays so, whatever is imported, undone and imported again."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, select

from factories import NOON
from handsel.accounts.audit import Actor
from handsel.db import db, writing
from handsel.leads import consents
from handsel.leads.consents import Way, agreed
from handsel.leads.importing import batch, undo
from handsel.leads.importing.chunk import Options
from handsel.leads.importing.mapping import mapped
from handsel.leads.importing.row import Rules
from handsel.leads.importing.table import opened
from handsel.leads.models import Consent, Lead, LeadImport
from handsel.leads.unsubscribe import unsubscribe
from handsel.mail import suppress
from handsel.mail.models import Suppression

WORDS = {"advice": "Yes, advice.", "newsletter": "Yes, news."}
PEOPLE = ("ada", "bob", "cy")
ME = Actor("tom@example.org")

people = st.sampled_from(PEOPLE)
standings = st.sampled_from(["", "subscribed", "unsubscribed", "bounced", "active", "nonsense"])
agreeing = st.sampled_from(["yes", "no", "newsletter"])
imports = st.tuples(st.just("import"), st.lists(st.tuples(people, standings, agreeing), min_size=1, max_size=4),
                    st.booleans())
leaving = st.tuples(st.sampled_from(["leave", "withdraw", "bounce", "complain"]), people, st.just(None))
steps = st.lists(st.one_of(imports, leaving, st.tuples(st.just("undo"), st.integers(0, 4), st.just(None))),
                 min_size=2, max_size=9)


@pytest.fixture
def folder(app, tmp_path: Path) -> Path:
    return tmp_path


def bring(folder: Path, rows: list[tuple[str, str, str]], proven: bool, at: datetime) -> None:
    path = folder / "leads.csv"
    path.write_text("email,status,consent\n" + "".join(
        f"{name}@example.org,{status},{consent}\n" for name, status, consent in rows))
    table = opened(path)
    options = Options(Rules(mapped(table.head, {}, {}, "x"), {}, tuple(WORDS)), "", WORDS, "en", proven)
    number = batch.begin(table, options, ME, at)
    for _ in batch.run(table, options, number, at):
        pass


def take_back(number: int, at: datetime) -> None:
    known = list(db.session.scalars(select(LeadImport.id).order_by(LeadImport.id)))
    db.session.rollback()
    if known:
        for _ in undo.undo(known[number % len(known)], ME, at):
            pass


def lead_of(name: str) -> Lead | None:
    return db.session.scalars(select(Lead).where(Lead.email == f"{name}@example.org")).first()


def blocks() -> set[tuple[str, str, str, bool]]:
    db.session.rollback()
    return {(row.address_hash, row.reason, row.scope, row.lifted_at is None)
            for row in db.session.scalars(select(Suppression))}


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps)
def test_no_import_and_no_undo_ever_brings_somebody_back(folder, acts):
    with writing() as session:
        for model in (Lead, LeadImport, Suppression):
            session.execute(delete(model))
    left: set[str] = set()
    withdrew: set[tuple[str, str]] = set()
    for number, (act, what, proven) in enumerate(acts):
        at = NOON + timedelta(hours=number)
        before = blocks()
        if act == "import":
            bring(folder, what, proven, at)
            left |= {name for name, status, _ in what if status in ("unsubscribed", "bounced")}
        elif act == "undo":
            take_back(what, at)
        elif act in ("leave", "withdraw") and (lead := lead_of(what)):
            with writing() as session:
                held = session.get_one(Lead, lead.id)
                if act == "leave":
                    unsubscribe(session, held, "", Way("unsubscribe page"), at)
                    left.add(what)
                elif "advice" in agreed(session, held.id):
                    consents.withdraw(session, held, ["advice"], Way("preferences"), at)
                    withdrew.add((what, "advice"))
        elif act in ("bounce", "complain"):
            with writing() as session:
                suppress.add(session, f"{what}@example.org", {"complain": "complaint"}.get(act, act), at)
            left.add(what)
        assert before <= blocks()
        for name in PEOPLE:
            if lead := lead_of(name):
                stands = {purpose for purpose, event in consents.latest(db.session, lead.id).items()
                          if event.state != "withdrawn" and event.at >= at and event.way == "import"}
                if name in left:
                    assert not stands, (name, stands)
                    assert lead.unsubscribed_at is not None or suppress.is_blocked(
                        db.session, lead.email, "letter", at)
                assert not any((name, purpose) in withdrew for purpose in stands)
        db.session.rollback()


def test_who_left_after_an_import_is_kept_when_it_is_undone(folder, clock):
    bring(folder, [("ada", "", "no")], False, NOON)
    with writing() as session:
        unsubscribe(session, session.scalars(select(Lead)).one(), "", Way("unsubscribe page"), NOON + timedelta(days=1))
    take_back(0, NOON + timedelta(days=2))
    bring(folder, [("ada", "subscribed", "yes")], True, NOON + timedelta(days=3))
    ada = lead_of("ada")
    assert ada is not None
    assert ada.unsubscribed_at == NOON + timedelta(days=1)
    assert db.session.scalars(select(Consent)).all() == []
