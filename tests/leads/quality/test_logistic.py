"""Our logistic regression against the ones that statisticians use."""

from __future__ import annotations

from random import Random

import numpy as np
import pytest
import statsmodels.api as sm
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize

from handsel.leads.quality.logistic import chance, fit, scale_of


def cases(number: int, columns: int, seed: int) -> tuple[list[list[float]], list[bool]]:
    """Rows of random values, and outcomes that depend on the first of them."""
    random = Random(seed)
    rows = [[random.gauss(0, 1) if column % 2 else random.gauss(20, 15) for column in range(columns)]
            for _ in range(number)]
    return rows, [random.random() < chance(0.08 * (row[0] - 20) - 0.5) for row in rows]


@pytest.mark.parametrize("seed", range(8))
def test_without_a_ridge_the_weights_are_those_of_statsmodels(seed):
    rows, accepted = cases(150 + 40 * seed, 1 + seed, seed)
    found = fit(rows, accepted, ridge=0.0)
    expected = sm.Logit(np.array(accepted, float), sm.add_constant(np.array(rows))).fit(disp=0, tol=1e-12)
    assert [found.bias, *found.weights] == pytest.approx(list(expected.params), rel=1e-6, abs=1e-8)


@pytest.mark.parametrize("seed", range(6))
def test_with_a_ridge_no_other_weights_are_better(seed):
    rows, accepted = cases(80, 3, seed)
    scaled = [scale_of(rows).scaled(row) for row in rows]
    found = fit(scaled, accepted, ridge=2.5)
    wide, targets = np.column_stack([np.ones(len(rows)), np.array(scaled)]), np.array(accepted, float)

    def loss(weights):
        score = wide @ weights
        return np.logaddexp(0, score).sum() - targets @ score + 1.25 * (weights[1:] ** 2).sum()

    best = minimize(loss, np.zeros(4), method="BFGS", options={"gtol": 1e-9})
    assert [found.bias, *found.weights] == pytest.approx(list(best.x), abs=1e-5)
    assert loss(np.array([found.bias, *found.weights])) <= best.fun + 1e-9


def test_rows_that_one_value_separates_wholly_still_have_finite_weights():
    rows = [[float(value), 1.0 if value > 10 else 0.0] for value in range(20)]
    found = fit(rows, [value > 10 for value in range(20)])
    assert all(abs(weight) < 10 for weight in found.weights)
    assert found.chance([19.0, 1.0]) > 0.9
    assert found.chance([0.0, 0.0]) < 0.1


def test_columns_that_say_the_same_share_the_weight():
    rows, accepted = cases(100, 1, 3)
    scaled = [scale_of(rows).scaled(row) for row in rows]
    twice = fit([[row[0], row[0]] for row in scaled], accepted)
    assert twice.weights[0] == pytest.approx(twice.weights[1])
    assert twice.weights[0] > 0


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.floats(-1e4, 1e4), st.floats(-50, 50), st.booleans()), min_size=4, max_size=40))
def test_on_the_common_scale_the_mean_chance_is_the_share_accepted(found):
    rows, accepted = [row[:2] for row in found], [row[2] for row in found]
    if not any(accepted) or all(accepted):
        with pytest.raises(ValueError, match="both outcomes"):
            fit(rows, accepted)
        return
    scaled = [scale_of(rows).scaled(row) for row in rows]
    model = fit(scaled, accepted)
    chances = [model.chance(row) for row in scaled]
    assert all(0 <= one <= 1 for one in chances)
    assert sum(chances) / len(chances) == pytest.approx(sum(accepted) / len(accepted), abs=1e-6)


def test_scaled_columns_have_mean_0_and_deviation_1_as_numpy_has_them():
    rows, _ = cases(50, 2, 1)
    rows = [[*row, 7.0] for row in rows]
    scale = scale_of(rows)
    table = np.array([scale.scaled(row) for row in rows])
    assert table[:, :2].mean(axis=0) == pytest.approx([0, 0], abs=1e-12)
    assert table[:, :2].std(axis=0) == pytest.approx([1, 1])
    assert list(table[:, 2]) == [0.0] * 50
    assert scale.deviations[0] == pytest.approx(np.array(rows)[:, 0].std())


@given(st.floats(-1e6, 1e6))
def test_log_odds_and_chances_belong_together(log_odds):
    assert 0 <= chance(log_odds) <= 1
    assert chance(log_odds) + chance(-log_odds) == pytest.approx(1)
