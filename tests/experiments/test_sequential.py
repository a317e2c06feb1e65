"""The planned boundary against published constants, statsmodels and a Brownian motion."""

from __future__ import annotations

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.proportion import proportions_ztest

from handsel.experiments import sequential
from handsel.experiments.trial import Cell, Pair


def test_the_constants_are_those_of_the_design() -> None:
    assert sequential.boundary(0.045) == pytest.approx(2.2818, abs=5e-5)
    assert sequential.boundary(0.05) == pytest.approx(2.2414, abs=5e-5)  # the limit of O'Brien-Fleming at 5 %


# Jennison & Turnbull (2000), tables 2.1 and 2.3: the constants C_P(K, alpha) of Pocock's and C_B(K, alpha) of
# O'Brien & Fleming's two-sided test at K equal looks.
POCOCK = {(2, 0.05): 2.178, (3, 0.05): 2.289, (4, 0.05): 2.361, (5, 0.05): 2.413, (10, 0.05): 2.555, (20, 0.05): 2.672,
          (2, 0.01): 2.772, (5, 0.01): 2.986, (10, 0.01): 3.117, (2, 0.1): 1.875, (5, 0.1): 2.122, (10, 0.1): 2.270}
OBRIEN_FLEMING = {
    (2, 0.05): 1.977, (3, 0.05): 2.004, (4, 0.05): 2.024, (5, 0.05): 2.040, (10, 0.05): 2.087, (20, 0.05): 2.126,
    (2, 0.01): 2.580, (5, 0.01): 2.621, (10, 0.01): 2.660, (20, 0.01): 2.695,
    (2, 0.1): 1.678, (5, 0.1): 1.751, (10, 0.1): 1.801, (20, 0.1): 1.842}


@pytest.mark.parametrize(("looks", "alpha"), OBRIEN_FLEMING)
def test_the_continuous_constant_is_stricter_than_each_published_one(looks: int, alpha: float) -> None:
    published = OBRIEN_FLEMING[looks, alpha]

    assert published < sequential.boundary(alpha)
    assert _crossing([published * looks ** 0.5] * looks) == pytest.approx(alpha, rel=2e-3)
    assert _crossing([sequential.boundary(alpha) * looks ** 0.5] * looks) < alpha


@pytest.mark.parametrize(("looks", "alpha"), POCOCK)
def test_at_its_last_look_it_asks_for_less_than_a_boundary_that_treats_all_looks_alike(
    looks: int, alpha: float,
) -> None:
    """Pocock's constant checks the sum over paths that the other tests rest on, too."""
    published = POCOCK[looks, alpha]
    limits = [published * (number + 1) ** 0.5 for number in range(looks)]

    assert _crossing(limits) == pytest.approx(alpha, rel=2e-3)
    assert (sequential.boundary(alpha) < published) == (looks > 2)


def _crossing(limits: list[float]) -> float:
    """P(|S_k| >= limits[k] for any k) of sums S_k of k standard normals, over the paths that stayed inside."""
    grid = np.linspace(-limits[0], limits[0], 601)
    density = stats.norm.pdf(grid)
    for limit in limits[1:]:
        following = np.linspace(-limit, limit, 601)
        weights = np.full(601, grid[1] - grid[0])
        weights[[0, -1]] /= 2
        density = stats.norm.pdf(following[:, None] - grid[None, :]) @ (density * weights)
        grid = following
    return float(1 - np.trapezoid(density, grid))


def test_the_boundary_keeps_alpha_at_sixty_looks_with_something_to_spare() -> None:
    assert 0.03 < _crossing([sequential.boundary(0.045) * 60 ** 0.5] * 60) < 0.045


@pytest.mark.parametrize("alpha", [1e-9, 1e-4, 0.01, 0.05, 0.5])
def test_the_constant_is_the_reflection_principles_in_forty_digits(alpha: float) -> None:
    with mpmath.workdps(40):
        constant = mpmath.mpf(sequential.boundary(alpha))
        tail = mpmath.erfc(constant / mpmath.sqrt(2)) / 2
        third = mpmath.erfc(3 * constant / mpmath.sqrt(2)) / 2

    assert float(4 * tail) == pytest.approx(alpha, rel=1e-9)
    assert float(4 * third) < 1e-2 * alpha


@settings(deadline=None, max_examples=60)
@given(n=st.integers(20, 10**6), m=st.integers(20, 10**6), first=st.floats(0.01, 0.99), second=st.floats(0.01, 0.99))
def test_z_is_that_of_statsmodels(n: int, m: int, first: float, second: float) -> None:
    a, b = round(n * first), round(m * second)
    found = sequential.z_score(Pair(0.5, Cell(n, a), Cell(m, b)))
    if min(a + b, n + m - a - b) < sequential.FEWEST:
        assert found == 0
    else:
        assert found == pytest.approx(float(proportions_ztest([b, a], [m, n])[0]), rel=1e-9, abs=1e-9)


def test_the_boundary_counts_no_more_than_the_planned_sample() -> None:
    pair = Pair(0.5, Cell(500, 40), Cell(500, 60))

    assert sequential.statistic(2.0, pair, 4000) == pytest.approx(1.0)
    assert sequential.statistic(-2.0, pair, 800) == pytest.approx(2.0)
