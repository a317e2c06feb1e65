"""Numbers at the edges of what the schema allows: each request that fits it is answered, and the answers hold together.

Each named test below was found by the last one.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from scipy import stats

import handsel
from handsel.experiments import eprocess
from handsel.experiments.evaluate import MOST_VISITORS, RequestError, evaluate
from handsel.experiments.plan import LEAST_ALPHA, LEAST_BASELINE, LEAST_LIFT, check
from handsel.experiments.sequential import boundary

SCHEMA = json.loads((Path(handsel.__file__).parent / "experiments" / "evaluate.schema.json").read_text())
ANSWER = Draft202012Validator({"$ref": "#/$defs/answer", "$defs": SCHEMA["$defs"]})
REQUEST = Draft202012Validator({"$ref": "#/$defs/request", "$defs": SCHEMA["$defs"]})


def ask(plan: dict[str, Any] | None, *rows: tuple[float, ...], **more: Any) -> dict[str, Any]:
    """The answer to one period of an even split; a row holds visitors, conversions and, where it matters, values."""
    counts = [[0, arm, *row, *[0] * (4 - len(row))] for arm, row in enumerate(rows)]
    answer = evaluate({"plan": plan, "periods": [{"weights": [1] * len(rows)}], "counts": counts} | more)
    ANSWER.validate(answer)
    return answer


def test_the_smallest_alpha_that_makes_sense_is_held() -> None:
    plan = {"baseline": 0.1, "mde": 0.2, "alpha": LEAST_ALPHA}

    assert boundary(LEAST_ALPHA) == pytest.approx(stats.norm.isf(LEAST_ALPHA / 4))
    assert ask(plan, (9000, 900), (9000, 1500))["verdict"] == "winner"
    with pytest.raises(RequestError, match="alpha"):
        ask(plan | {"alpha": LEAST_ALPHA / 2}, (9, 1), (9, 2))
    six = ask({**plan, "weights": [1] * 6}, *[(9000, 900)] * 6)  # shared out it is less than the least
    assert six["verdict"] == "none"


def test_a_lift_to_nearly_everybody_has_a_grid_whose_factors_are_exact() -> None:
    rates = eprocess.factors(0.006, 165.0, 0.3)

    assert len(rates) == 30
    assert ask({"baseline": 0.006, "mde": 165.0}, (500, 3), (500, 499))["verdict"] == "winner"


def test_the_last_day_of_the_calendar_is_a_time_like_others() -> None:
    answer = evaluate({
        "plan": {"baseline": 0.1, "mde": 0.3}, "now": "9999-12-31T23:59:59Z",
        "periods": [{"weights": [1, 1], "from": "9999-12-01T00:00:00Z"}],
        "counts": [[0, 0, 9000, 900, 0, 0], [0, 1, 9000, 905, 0, 0]]})

    assert answer["reasons"] == ["full weeks"]


def test_evidence_that_nearly_vanishes_beside_another_is_still_evidence() -> None:
    assert eprocess.closed([0.0, -744.4, -744.4]) == pytest.approx([-1.0986, -744.4, -744.4], abs=0.5)
    assert eprocess.closed([0.0, -1e6]) == [pytest.approx(-0.693, abs=1e-3), -1e6]


@pytest.mark.parametrize(("row", "path", "reason"), [
    ((100, 9, -5.0, 25.0), "/counts/1/4", "never negative"),
    ((100, 9, 1e-70, 0), "/counts/1/4", "0 or more"),
    ((100, 9, 5.0, 26.0), "/counts/1/5", "too large"),
    ((100, 0, 0, 3.0), "/counts/1/5", "too large"),
    ((100, 9, 5.0, 2.0), "/counts/1/5", "too small"),
])
def test_sums_that_no_values_have_are_refused(row: tuple[float, ...], path: str, reason: str) -> None:
    with pytest.raises(RequestError) as caught:
        ask({"baseline": 0.1, "mde": 0.3, "value_cap": 9}, (100, 9, 9, 9), row)

    assert caught.value.path == path
    assert reason in caught.value.reason


def test_the_smallest_and_largest_values_are_judged_alike() -> None:
    def verdict(unit: float) -> tuple[Any, ...]:
        answer = ask({"baseline": 0.1, "mde": 0.5, "value_cap": 10 * unit},
                     (9000, 900, 900 * unit, 900 * unit * unit), (9000, 900, 2700 * unit, 8100 * unit * unit))
        return answer["verdict"], pytest.approx(answer["lift"]), pytest.approx(answer["lo"])

    assert verdict(1e-30) == verdict(1.0) == verdict(1e25)
    assert verdict(1.0)[0] == "winner"
    with pytest.raises(RequestError, match="/plan/value_cap"):
        ask({"baseline": 0.1, "mde": 0.5, "value_cap": 1e-61}, (9, 1, 1, 1), (9, 1, 1, 1))


@pytest.mark.parametrize(("key", "value", "path"), [
    ("log_e", [-1e9], "/state/log_e/0"), ("log_split", -1, "/state/log_split"),
    ("latch", {"verdict": "winner", "variant": 0, "at": None, "counts": [], "best": True}, "/state/latch/variant"),
])
def test_a_state_that_no_answer_has_is_refused(key: str, value: Any, path: str) -> None:
    state = ask(None, (9, 1), (9, 2))["state"] | {key: value}
    with pytest.raises(RequestError) as caught:
        ask(None, (9, 1), (9, 2), state=state)

    assert caught.value.path == path


@st.composite
def plans(draw: st.DrawFn, variants: int) -> dict[str, Any] | None:
    baseline = draw(st.sampled_from([LEAST_BASELINE, 0.03, 0.5, 0.9998]) | st.floats(LEAST_BASELINE, 0.9998))
    most = 1 / baseline - 1
    mde = draw(st.sampled_from([LEAST_LIFT, 0.2, most * (1 - 1e-12)]) | st.floats(LEAST_LIFT, most))
    alpha = draw(st.sampled_from([0.05, 0.5, LEAST_ALPHA]) | st.floats(LEAST_ALPHA, 0.5))
    power = draw(st.sampled_from([0.8, 1 - 2**-53]) | st.floats(alpha, 1, exclude_min=True, exclude_max=True))
    try:
        check(baseline, mde, alpha, power)
    except ValueError:
        assume(False)
    cap = draw(st.none() | st.sampled_from([1.0, 1e-60, 1e60]))
    plan = {"baseline": baseline, "mde": mde, "alpha": alpha, "power": power, "weights": [1] * variants,
            "value_cap": cap}
    return draw(st.sampled_from([plan, None]))


@st.composite
def rows(draw: st.DrawFn, period: int, variant: int) -> list[Any]:
    seen = draw(st.sampled_from([0, 1, 30, MOST_VISITORS]) | st.integers(0, 5000) | st.integers(0, MOST_VISITORS))
    won = draw(st.sampled_from([0, seen, seen // 2, min(1, seen), max(0, seen - 1)]) | st.integers(0, seen))
    # The values are alike, or one of them is all.
    total = draw(st.sampled_from([0.0, 1.0, 1e-45, 1e28])) if won else 0.0
    return [period, variant, seen, won, total, total * total / draw(st.sampled_from([1, max(1, won)]))]


@st.composite
def requests(draw: st.DrawFn) -> dict[str, Any]:
    variants, periods = draw(st.sampled_from([2, 2, 3, 5, 12])), draw(st.integers(1, 4))
    weight = st.sampled_from([1, 1, 0, 50, 1e-3, 1e-6])
    times = st.sampled_from([None, "2026-01-01T00:00:00Z", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z"])
    weights = [draw(st.lists(weight, min_size=variants, max_size=variants).filter(any)) for _ in range(periods)]
    return {
        "plan": draw(plans(variants)),
        "periods": [{"weights": [each and max(each, max(row) * 1e-6) for each in row], "from": draw(times)}
                    for row in weights],
        "counts": [draw(rows(period, variant)) for period in range(periods) for variant in range(variants)],
        "look": draw(st.sampled_from(["daily", "visitor"])), "now": draw(times),
    }


@settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])
@given(request=requests(), more=st.integers(0, 10**6))
def test_what_fits_the_schema_is_answered_and_the_answers_hold_together(request: dict[str, Any], more: int) -> None:
    REQUEST.validate(request)
    before = evaluate(request)
    for row in request["counts"]:
        row[2] = min(MOST_VISITORS, row[2] + more)
    after = evaluate(request | {"state": before["state"]})

    for answer in (before, after):
        ANSWER.validate(answer)
        json.dumps(answer, allow_nan=False)
        for arm, sign in zip(answer["variants"][1:], answer["state"]["decided"], strict=True):
            excludes = arm["lo"] > 0 or (arm["hi"] is not None and arm["hi"] < 0)
            assert excludes == (sign != 0 and not answer["srm"]["alarm"])
            assert arm["hi"] is None or arm["lo"] <= arm["hi"]
            if not sign and arm["lift"] is not None:
                assert arm["lo"] <= arm["lift"]
                assert arm["hi"] is None or arm["lift"] <= arm["hi"]
    assert all(new["p_anytime"] <= old["p_anytime"]
               for old, new in zip(before["variants"], after["variants"], strict=True))
    if before["state"]["latch"]:
        assert after["verdict"] in (before["verdict"], "withheld")
        assert after["state"]["latch"] | {"best": True} == before["state"]["latch"] | {"best": True}
