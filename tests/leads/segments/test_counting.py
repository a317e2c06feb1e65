"""The count beside a rule: exact, or honest about being a guess."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from factories import NOON, make_lead
from handsel.db import db, is_sqlite
from handsel.leads.segments import counting
from handsel.leads.segments.counting import Size, sampled, size
from handsel.leads.segments.patience import OutOfTime, patience
from handsel.rules.catalogue import BUILT_IN
from handsel.rules.conditions import Number, Text

MQL = Text(BUILT_IN["stage"], "is", ("mql",))
ENDLESS = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n WHERE x < 1000000000) SELECT count(*) FROM n"


def test_the_count_is_exact_and_leaves_out_merged_mailboxes(app):
    head = make_lead(stage="mql")
    make_lead(stage="mql", merged_into_id=head.id)
    make_lead()

    assert size(db.session(), MQL, NOON) == Size(1)
    assert str(Size(1)) == "1 lead"
    assert str(Size(12_345)) == "12,345 leads"


def test_a_count_that_would_take_too_long_is_a_guess_and_says_so(app):
    for number in range(60):
        make_lead(stage="mql" if number % 3 == 0 else "iql")

    assert size(db.session(), MQL, NOON, seconds=0 if is_sqlite() else 0.001).number == 20  # all are asked: no guess
    assert sampled(db.session(), MQL, NOON, 30) == Size(20, about=True)
    assert str(sampled(db.session(), MQL, NOON, 30)) == "about 20 leads"


def test_what_a_sample_does_not_find_is_few_and_not_nobody(app):
    for _ in range(50):
        make_lead()

    assert str(sampled(db.session(), Number(BUILT_IN["score"], "at_least", 99), NOON, 10)) == "fewer than 25 leads"
    assert sampled(db.session(), MQL, NOON) == Size(0)


def test_there_is_nobody_to_ask_before_the_first_lead(app):
    assert sampled(db.session(), MQL, NOON) == Size(0)


def test_a_query_that_takes_too_long_is_given_up_and_the_transaction_goes_on(app):
    make_lead(stage="mql")
    session = db.session()
    with pytest.raises(OutOfTime), patience(session, 0.05):
        session.scalar(text(ENDLESS))

    assert size(session, MQL, NOON) == Size(1)
    assert counting.PATIENCE < 1
    if not is_sqlite():
        assert session.scalar(text("SELECT current_setting('statement_timeout')")) == "0"
