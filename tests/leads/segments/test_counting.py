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
from handsel.rules.conditions import Holds, Number, Text

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
    guess = sampled(db.session(), MQL, NOON, 32)
    assert guess.about
    assert 10 <= guess.number <= 30
    assert sampled(db.session(), MQL, NOON, 32) == guess
    assert str(guess) == f"about {guess.number} leads"


def test_what_a_sample_does_not_find_is_few_and_not_nobody(app):
    for _ in range(50):
        make_lead()

    assert str(sampled(db.session(), Number(BUILT_IN["score"], "at_least", 99), NOON, 8)) == "fewer than 31 leads"
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


@pytest.mark.parametrize("span", [1, 7, 4_000, 4_001, 9_999, 1_000_000])
def test_a_sample_stands_all_over_and_asks_nobody_twice(span):
    numbers = counting._numbers(5, span, 4_000)
    assert len(set(numbers)) == len(numbers) == min(span, 4_000)
    assert min(numbers) >= 5
    assert max(numbers) < 5 + span
    assert max(numbers) > 4 + span * 0.99
    assert sum(number % 2 for number in numbers) == pytest.approx(len(numbers) / 2, abs=span / 100 + 1)


def test_facts_tags_and_offers_are_counted_once_for_each_lead(app):
    head = make_lead(tags=("hot", "warm"))
    make_lead(tags=("hot",), merged_into_id=head.id)
    hot = Holds(BUILT_IN["tag"], ("hot", "warm"), ("hot", "warm"))

    assert size(db.session(), hot, NOON) == Size(1)
