"""How good predictions are, against other people's arithmetic."""

from __future__ import annotations

from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import mannwhitneyu
from statsmodels.stats.proportion import proportion_confint

from handsel.leads.quality import measures
from handsel.leads.quality.logistic import chance, fit, scale_of

JUDGED = st.lists(st.tuples(st.integers(0, 20).map(lambda tenths: tenths / 20), st.booleans()), min_size=2, max_size=60)


@given(JUDGED.filter(lambda cases: len({one for _, one in cases}) == 2))
def test_the_auc_is_the_share_of_pairs_in_the_right_order(cases):
    chances, accepted = zip(*cases, strict=True)
    ups, downs = [c for c, one in cases if one], [c for c, one in cases if not one]
    expected = mannwhitneyu(ups, downs).statistic / (len(ups) * len(downs))
    assert measures.auc(chances, accepted) == pytest.approx(expected)


def test_the_interval_of_an_auc_is_that_of_hanley_and_mcneil():
    # Table II of their paper: an area of 0.80 with 50 and 50 cases has a standard error of about 0.0446.
    low, high = measures.auc_interval(0.8, 50, 50)
    assert (high - low) / 2 / 1.959964 == pytest.approx(0.0446, abs=0.0002)
    assert measures.auc_interval(1.0, 30, 30) == (1.0, 1.0)


@given(JUDGED)
def test_the_brier_figure_is_the_mean_square(cases):
    chances, accepted = zip(*cases, strict=True)
    assert measures.brier(chances, accepted) == pytest.approx(np.mean((np.array(chances) - np.array(accepted)) ** 2))


@given(JUDGED)
def test_the_groups_of_the_calibration_hold_every_case_once_in_the_order_of_the_predictions(cases):
    chances, accepted = zip(*cases, strict=True)
    groups = measures.calibration(chances, accepted)
    assert sum(group.number for group in groups) == len(cases)
    assert sum(group.accepted for group in groups) == sum(accepted)
    assert sum(group.predicted * group.number for group in groups) == pytest.approx(sum(chances))
    assert [group.predicted for group in groups] == sorted(group.predicted for group in groups)


@given(st.integers(1, 400), st.data())
def test_the_stretch_of_a_share_is_that_of_wilson(number, data):
    hits = data.draw(st.integers(0, number))
    expected = proportion_confint(hits, number, method="wilson")
    assert measures.wilson(hits, number) == pytest.approx(expected, abs=1e-9)


@given(st.lists(st.tuples(st.integers(1, 200), st.booleans()), min_size=30, max_size=200))
def test_folds_keep_a_lead_together_and_are_the_same_each_time(cases):
    keys, accepted = [key for key, _ in cases], [one for _, one in cases]
    found = measures.folds(keys, accepted)
    assert found == measures.folds(keys, accepted)
    assert len({(key, fold) for key, fold in zip(keys, found, strict=True)}) == len(set(keys))
    assert set(found) <= set(range(5))


def test_a_fold_is_predicted_by_a_model_that_never_saw_it():
    random = Random(5)
    rows = [[random.gauss(0, 1)] for _ in range(60)]
    accepted = [random.random() < chance(row[0]) for row in rows]
    fold = measures.folds(range(60), accepted)
    chances, shares = measures.cross_validated(rows, accepted, fold)
    others = [index for index in range(60) if fold[index] != fold[0]]
    scale = scale_of([rows[index] for index in others])
    model = fit([scale.scaled(rows[index]) for index in others], [accepted[index] for index in others])
    assert chances[0] == model.chance(scale.scaled(rows[0]))
    assert shares[0] == sum(accepted[index] for index in others) / len(others)
    flipped = [not one if fold[index] == fold[0] else one for index, one in enumerate(accepted)]
    again, _ = measures.cross_validated(rows, flipped, fold)
    assert [again[i] for i in range(60) if fold[i] == fold[0]] == [chances[i] for i in range(60) if fold[i] == fold[0]]


def test_what_says_nothing_is_not_better_than_guessing():
    random = Random(11)
    rows = [[random.gauss(0, 1), random.gauss(0, 1)] for _ in range(200)]
    accepted = [random.random() < 0.4 for _ in rows]
    found = measures.figures(*measures.cross_validated(rows, accepted, measures.folds(range(200), accepted)), accepted)
    assert not found.better_than_guessing
    told = [random.random() < chance(2 * row[0]) for row in rows]
    found = measures.figures(*measures.cross_validated(rows, told, measures.folds(range(200), told)), told)
    assert found.better_than_guessing
    assert 0.75 < found.auc < 0.95
    assert sum(group.number for group in found.groups) == 200
