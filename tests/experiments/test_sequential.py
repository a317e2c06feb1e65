"""The planned boundary against published constants, statsmodels and a Brownian motion."""

from __future__ import annotations

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


# Jennison & Turnbull (2000), table 2.3: C_B(K, .05) of the two-sided O'Brien-Fleming test at K equal looks.
@pytest.mark.parametrize(("looks", "published"), [
    (2, 1.977), (3, 2.004), (4, 2.024), (5, 2.040), (10, 2.087), (20, 2.126),
])
def test_the_continuous_constant_is_stricter_than_each_published_one(looks: int, published: float) -> None:
    assert published < sequential.boundary(0.05)
    assert _crossing(published, looks) == pytest.approx(0.05, abs=5e-4)
    assert _crossing(sequential.boundary(0.05), looks) < 0.05


def _crossing(constant: float, looks: int) -> float:
    """P(|B(k / looks)| >= constant for any k), by integrating over the paths that stayed inside."""
    grid = np.linspace(-constant, constant, 1001)
    step = grid[1] - grid[0]
    density = stats.norm.pdf(grid, scale=looks ** -0.5)
    kernel = stats.norm.pdf(grid[:, None] - grid[None, :], scale=looks ** -0.5) * step
    kernel[:, [0, -1]] /= 2
    for _ in range(looks - 1):
        density = kernel @ density
    return float(1 - np.trapezoid(density, grid))


def test_the_boundary_keeps_alpha_at_sixty_looks_with_something_to_spare() -> None:
    assert 0.03 < _crossing(sequential.boundary(0.045), 60) < 0.045


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
