"""Learning from outcomes: off until there are enough, honest about how well it does, and with reasons that multiply."""

from __future__ import annotations

from datetime import timedelta
from math import exp, prod
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from factories import NOON
from handsel.leads.quality.learning import Learned, Missing, learn, restored, width
from handsel.leads.quality.logistic import chance
from handsel.leads.quality.properties import PROPERTIES, Seen, row
from handsel.leads.scoring.points import Points
from handsel.rules.person import Fact, Person

NAMES = [each.name for each in PROPERTIES]


def seen(fit: int = 20, interest: int = 30, quiet_days: float = 2.0, **values: object) -> Seen:
    at = NOON
    facts = (Fact("asked", "guide", at - timedelta(days=9), "capture:1"),
             Fact("visited", "/", at - timedelta(days=quiet_days), "visit:1"))
    return Seen(Person(1, {"email": "a@acme.example", "last_act": at - timedelta(days=quiet_days)} | values, facts),
                Points(fit, interest, (), None), at)


def past(number: int, seed: int = 1, tells: float = 0.08) -> tuple[list[list[float]], list[bool]]:
    """Outcomes that depend on the fit alone."""
    random = Random(seed)
    rows, accepted = [], []
    for _ in range(number):
        fit = random.randint(0, 60)
        line = row(PROPERTIES, seen(fit, random.randint(0, 80), random.random() * 40))
        rows.append(line)
        accepted.append(random.random() < chance(tells * (fit - 30)))
    return rows, accepted


def learned(number: int, **more: object) -> Learned | None:
    rows, accepted = past(number, **more)
    return learn(rows, accepted, range(number))


def test_it_says_how_many_outcomes_are_missing() -> None:
    assert Missing(0, 0).words == ("100 more outcomes of hand-overs are missing, at least 30 accepted and 30 rejected "
                                   "among them.")
    assert Missing(50, 12).words == "38 more outcomes of hand-overs are missing, at least 18 rejected among them."
    assert Missing(60, 39).words == "1 more outcome of hand-overs is missing."
    assert Missing(140, 25).words == "5 more outcomes of hand-overs are missing, at least 5 rejected among them."
    assert Missing(60, 40).words == ""


@given(st.integers(0, 300), st.integers(0, 300))
def test_with_what_is_missing_there_is_enough(accepted, rejected):
    missing = Missing(accepted, rejected).total
    short = max(30 - accepted, 0), max(30 - rejected, 0)
    assert Missing(accepted + missing - short[1], rejected + short[1]).total == 0
    if missing:
        assert accepted + rejected + missing == 100 or missing == sum(short)


def test_it_is_off_until_there_are_enough_outcomes_of_either_kind() -> None:
    rows, accepted = past(99)
    assert learn(rows, accepted, range(99)) is None
    rows, _ = past(200)
    assert learn(rows, [number < 29 for number in range(200)], range(200)) is None
    assert learn(rows, [number < 30 for number in range(200)], range(200)) is not None


@pytest.mark.parametrize(("accepted", "rejected", "properties"), [
    (30, 70, 3), (70, 39, 3), (60, 90, 6), (900, 800, 12)])
def test_the_model_grows_with_the_outcomes(accepted, rejected, properties):
    assert width(accepted, rejected) == properties


def test_it_finds_what_the_outcomes_depended_on() -> None:
    model = learned(400)
    assert model is not None
    assert model.figures.better_than_guessing
    assert 0.7 < model.figures.auc < 0.95
    assert model.figures.brier < model.figures.brier_of_guessing
    weights = dict(zip(model.properties, model.fitted.weights, strict=True))
    assert max(weights, key=lambda name: abs(weights[name])) == "fit"
    assert model.chance(seen(fit=60)) > 0.8
    assert model.chance(seen(fit=0)) < 0.2
    for group in model.figures.groups:
        assert group.low <= group.predicted <= group.high or abs(group.share - group.predicted) < 0.15


def test_outcomes_that_depend_on_nothing_give_predictions_that_are_not_shown() -> None:
    shown = [model.figures.better_than_guessing for seed in range(20) if (model := learned(200, seed=seed, tells=0.0))]
    assert len(shown) == 20
    assert sum(shown) <= 1


def test_the_odds_of_the_average_times_all_reasons_are_the_odds_of_the_lead() -> None:
    model = learned(300)
    assert model is not None
    for who in (seen(), seen(60, 0, 40.0), seen(0, 80, 0.1, phone="1", company_size="300")):
        parts = model.parts(who)
        odds = model.average / (1 - model.average) * prod(part.factor for part in parts)
        found = model.chance(who)
        assert odds == pytest.approx(found / (1 - found))
        strength = [max(part.factor, 1 / part.factor) for part in parts]
        assert strength == sorted(strength, reverse=True)
        assert {part.name for part in parts} == set(model.properties)


def test_reasons_are_said_in_words() -> None:
    model = learned(900, seed=4)
    assert model is not None
    said = {part.name: part.words for part in model.parts(seen(21, 1, 3.5, phone="1", bant=2, company_size=80.0))}
    assert said == {name: words for name, words in {
        "fit": "fit of 21 points", "interest": "interest of 1 point", "quiet": "last active 3 days ago",
        "company mailbox": "writes from a company's mailbox", "offers": "asked for 1 offer",
        "visits": "1 page visited in 30 days", "phone": "a phone number is known",
        "job_title": "the job title is not known", "company size": "company of 80", "attended": "came to no event",
        "clicks": "0 clicks in letters in 30 days", "bant": "2 of the 4 BANT questions answered well"}.items()
        if name in model.properties}
    assert len(said) == 12


def test_a_model_is_the_same_after_it_was_kept_as_json() -> None:
    import json

    model = learned(150)
    assert model is not None
    again = restored(json.loads(json.dumps(model.stored())))
    assert again == model
    assert again.chance(seen()) == model.chance(seen())


def test_the_same_outcomes_teach_the_same() -> None:
    assert learned(150) == learned(150)


@given(st.integers(-50, 80), st.integers(-60, 200), st.floats(0, 4000), st.sampled_from(["", "x", "12", None, 3.0]))
def test_every_person_has_finite_numbers(fit, interest, quiet, size):
    numbers = row(PROPERTIES, seen(fit, interest, quiet, company_size=size, bant=None))
    assert len(numbers) == len(NAMES)
    assert all(isinstance(number, float) and abs(number) < 1000 for number in numbers)
    assert exp(-abs(numbers[2])) <= 1
