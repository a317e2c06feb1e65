"""Simulate experiments and hold the figures against their targets: ``simulate.py --seed 7 --runs 6000``.

Monte-Carlo error is 0.3 points at 6,000 runs of a rate of 5 %; mean stops and shifting take a quarter of the runs.
``--only false ramp`` runs the cells whose names contain one of the words. The seed of a cell comes from its name, so a
cell alone gives what it gives among all. A part of the paths is walked again with the product's ``judge``, and the run
stops with an error where the two differ. ``--write`` keeps a full run as RESULTS.md beside this file.
"""

from __future__ import annotations

import argparse
import platform
import sys
import time
import zlib
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path as File

import numpy as np

sys.path.insert(0, str(File(__file__).parents[2]))

from bench.experiments import bounds, costs, paths, walks
from handsel.experiments import eprocess, split, value
from handsel.experiments.shifting import shift
from handsel.experiments.trial import Cell, Period, Plan, pairs

Figures = dict[str, tuple[float, float, str]]  # what is measured, its limit, and whether to stay under or over
Course = Callable[[int], np.ndarray]
PLANS = {1: Plan(0.01, 0.5), 3: Plan(0.03, 0.3), 10: Plan(0.1, 0.2), 30: Plan(0.3, 0.15)}
WALKED = 0.05  # of the paths, with the product's own judge
LOOKS: Counter[str] = Counter()  # how many it was asked for
EVEN = [(0, (1.0, 1.0))]


def rate(hits: float, runs: int) -> float:
    return 100 * float(hits) / runs


def stops(rng: np.random.Generator, path: paths.Path, plan: Plan | None, kinds: tuple[str, ...]):
    """The verdict of each kind of look; now and then the product's judge walks the path too."""
    evidence, silence = paths.Evidence(path, plan), bounds.quiet(path, plan)
    found = {look: bounds.verdict(evidence, look, silence) for look in kinds}
    if rng.random() < WALKED:
        for look, stopped in found.items():
            LOOKS["verdicts"] += walks.follow(rng, evidence, look, stopped)
    return found


def wrong(stopped: paths.Stop | None) -> bool:
    """Whether a verdict says that there is a difference, where there is none."""
    return stopped is not None and any(stopped.signs)


def steps(visitors: int, shares: tuple[float, ...]) -> list[tuple[int, tuple[float, ...]]]:
    """Periods of equal length, one for each of ``shares`` of b."""
    return [(visitors * place // len(shares), (1 - share, share)) for place, share in enumerate(shares)]


def false_cell(plan: Plan, course: Course, shares: tuple[float, ...] = (0.5,)):
    """A cell without a difference: ``course`` gives both rates by the visitor, ``shares`` those of b."""
    def cell(rng: np.random.Generator, runs: int) -> Figures:
        visitors = int(2 * paths.planned(plan))
        rates, periods = course(visitors), steps(visitors, shares)
        hits: Counter[str] = Counter()
        for _ in range(runs):
            path = paths.draw(rng, [rates, rates], periods, visitors)
            found = stops(rng, path, plan, ("visitor", "daily")) | stops(rng, path, None, ("no plan",))
            hits.update(look for look, stopped in found.items() if wrong(stopped))
        return {f"false, {look} %": (rate(hits[look], runs), 5.0, "under") for look in ("visitor", "daily", "no plan")}
    return cell


def power_cell(plan: Plan, multiple: float):
    """Power and mean stop where the truth is ``multiple`` times the planned lift."""
    def cell(rng: np.random.Generator, runs: int) -> Figures:
        whole = paths.planned(plan)
        end, lifted = int(np.ceil(whole)), plan.baseline * (1 + multiple * plan.mde)
        visitors, single = 4 * end if multiple == 1 else end, 0
        runs = runs if multiple == 1 else runs // 4  # a mean is surer than a share
        found: dict[str, list[float]] = {"visitor": [], "daily": [], "no plan": []}
        for _ in range(runs):
            path = paths.draw(rng, [plan.baseline, lifted], EVEN, visitors)
            single += paths.fixed_look(path, plan, end)
            verdicts = stops(rng, path, plan, ("visitor", "daily"))
            if multiple == 1:
                verdicts |= stops(rng, path, None, ("no plan",))
            for look, stopped in verdicts.items():
                found[look].append(stopped.row if stopped and stopped.signs[0] > 0 else np.inf)
        figures: Figures = {}
        for look in ("visitor", "daily"):
            taken = np.array(found[look])
            limit = {1: 0.82, 1.5: 0.62, 2.5: 0.38}[multiple]
            figures[f"mean stop, {look}"] = (float(np.minimum(taken / whole, 1).mean()), limit, "under")
            if multiple == 1:
                behind = rate(single - (taken <= end).sum(), runs)
                figures[f"points behind one look, {look}"] = (behind, 7, "under")
        for look, taken in found.items():
            for times, least in ((2, 72), (4, 96)) if multiple == 1 else ():
                figures[f"power at {times}x, {look} %"] = (rate((np.array(taken) <= times * end).sum(), runs), least,
                                                           "over")
        return figures
    return cell


def several_cell(variants: int):
    """A cell of so many variants without a difference, to twice the plan: how often any of them is called different."""
    def cell(rng: np.random.Generator, runs: int) -> Figures:
        weights = (1.0,) * variants
        plan = PLANS[10]._replace(weights=weights)
        visitors = int(2 * paths.planned(plan, 0.5, variants - 1) * variants / 2)
        hits: Counter[str] = Counter()
        for _ in range(runs):
            path = paths.draw(rng, [plan.baseline] * variants, [(0, weights)], visitors)
            found = stops(rng, path, plan, ("visitor", "daily"))
            hits.update(look for look, stopped in found.items() if wrong(stopped))
        return {f"false, {look} %": (rate(hits[look], runs), 5.0, "under") for look in ("visitor", "daily")}
    return cell


def shifted(rng: np.random.Generator, rates: list[np.ndarray]) -> paths.Path:
    """A path whose split the product shifts twenty times."""
    visitors = len(rates[0])
    edges = np.linspace(0, visitors, 21).astype(int)
    begun: list[tuple[int, tuple[float, ...]]] = [(0, (50, 50))]
    periods, cells, kinds = [Period((50, 50))], [[Cell(), Cell()]], []
    for begin, end in pairwise(edges):
        given = rng.random(end - begin) >= begun[-1][1][0] / 100
        lost = rng.random(end - begin) >= np.where(given, rates[1][begin:end], rates[0][begin:end])
        kinds.append((2 * given + lost).astype(np.int8))
        a1, a0, b1, b0 = np.bincount(kinds[-1], minlength=4).tolist()
        one, two = cells[-1]
        cells[-1] = [Cell(one.visitors + a1 + a0, one.conversions + a1), Cell(two.visitors + b1 + b0,
                                                                             two.conversions + b1)]
        split_ = shift(begun[-1][1], periods, cells)
        if split_ != begun[-1][1] and end < visitors:
            begun.append((int(end), split_))
            periods.append(Period(split_))
            cells.append([Cell(), Cell()])
    return paths.Path(paths.cumulated(np.concatenate(kinds), 2), tuple(begun))


def shifting_cell(course: Course, lift: float = 0.0):
    """Traffic shifting in twenty batches; with a ``lift`` how often it is found, and how many saw the better page."""
    def cell(rng: np.random.Generator, runs: int) -> Figures:
        plan = PLANS[10]
        visitors = int((4 if lift else 2) * paths.planned(plan))
        runs = runs // 4  # each asks for twenty splits, and the figures are far from their limits
        rates, hits, better = course(visitors), Counter[str](), 0.0
        for _ in range(runs):
            path = shifted(rng, [rates, rates * (1 + lift)])
            found = stops(rng, path, plan, ("visitor", "daily"))
            hits.update(look for look, stopped in found.items()
                        if wrong(stopped) and (not lift or stopped.signs[0] > 0))
            better += path.counts[2:, -1].sum() / visitors
        if lift:
            return {"power at 4x, daily %": (rate(hits["daily"], runs), 60, "over"),
                    "visitors who saw the better %": (rate(better, runs), 50, "over")}
        return {f"false, {look} %": (rate(hits[look], runs), 5.0, "under") for look in ("visitor", "daily")}
    return cell


def interval_cell(plan: Plan | None, base: float, lift: float):
    """How often the interval misses the true lift at any look, and how often it disagrees with the verdict."""
    def cell(rng: np.random.Generator, runs: int) -> Figures:
        visitors, missed, apart = int(2 * paths.planned(plan or Plan(base, 0.3))), 0, 0
        for _ in range(runs):
            path = paths.draw(rng, [base, base * (1 + lift)], EVEN, visitors)
            evidence = paths.Evidence(path, plan)
            stopped = bounds.verdict(evidence, "visitor", bounds.quiet(path, plan))
            outside = bounds.misses(evidence, stopped, lift)
            missed += bool(outside.any())
            if rng.random() < WALKED or outside.any():
                apart += walks.compare(rng, evidence, stopped, lift, outside)
                LOOKS["intervals"] += 10
        return {"misses %": (rate(missed, runs), 5.0, "under"), "disagrees %": (rate(apart, runs), 0.0, "under")}
    return cell


def split_cell(share: float, most: float):
    """Visitors until a wrong split of ``share`` to the rest is noticed; at .5 how often one is called wrong."""
    def cell(rng: np.random.Generator, runs: int) -> Figures:
        visitors, noticed = int(4 * most) if share != 0.5 else 30_000, []
        for _ in range(runs):
            first = np.cumsum(rng.random(visitors) < share)
            evidence = bounds.split_log_e(first)
            hit = evidence >= split.ALARM
            noticed.append(int(hit.argmax()) + 1 if hit.any() else np.inf)
            if rng.random() < WALKED:
                at = int(rng.integers(1, visitors + 1))
                seen = [Cell(int(first[at - 1])), Cell(int(at - first[at - 1]))]
                assert abs(split.log_e([Period((1, 1))], [seen]) - evidence[at - 1]) < 1e-7
                LOOKS["splits"] += 1
        if share == 0.5:
            return {"false alarms %": (rate(np.isfinite(noticed).sum(), runs), most, "under")}
        return {"95th percentile of visitors": (float(np.quantile(noticed, 0.95, method="higher")), most, "under")}
    return cell


def value_cell(sigma: float, lift: float):
    """Lognormal values of 3 % of visitors, capped; ``lift`` raises the values of b."""
    def cell(rng: np.random.Generator, runs: int) -> Figures:
        plan = Plan(0.03, 0.5, value_cap=float(np.exp(2.5 * sigma)))
        visitors, hits = int(np.ceil((1 if lift else 2) * paths.planned(plan) * value.inflation(plan.mde))), 0
        for _ in range(runs):
            drawn = bounds.Values(rng, plan, visitors, sigma, lift)
            stopped = drawn.stop()
            hits += stopped is not None and (not lift or stopped.signs[0] > 0)
            if rng.random() < WALKED:
                LOOKS["values"] += walks.follow_values(rng, drawn, stopped)
        return {"power %": (rate(hits, runs), 80.0, "over")} if lift else {"false %": (rate(hits, runs), 5.0, "under")}
    return cell


def mean_cell(rng: np.random.Generator, runs: int) -> Figures:
    """The mean of e after the planned sample, without a difference: 1, whatever the rates do."""
    plan = PLANS[10]
    visitors, total = int(paths.planned(plan) / 10), 0.0
    rates = np.linspace(0.2, 0.05, visitors)
    for _ in range(runs):
        periods, cells = paths.draw(rng, [rates, rates], steps(visitors, (0.2, 0.5)), visitors).at(visitors)
        total += float(np.exp(eprocess.log_e(pairs(periods, cells, 0, 1), plan)))
    return {"mean of e (1 is exact)": (total / runs, 1.1, "under")}


def flat(base: float) -> Course:
    return lambda visitors: np.full(visitors, base)


def cells() -> dict[str, Callable[[np.random.Generator, int], Figures]]:
    """All cells by name."""
    ten, falling = PLANS[10], lambda n: np.linspace(0.14, 0.06, n)
    found = {f"false, base {base} %": false_cell(plan, flat(plan.baseline)) for base, plan in PLANS.items()}
    found["false, base 3 %, planned as 10 %"] = false_cell(ten, flat(0.03))
    found["false, weekly cycle"] = false_cell(ten, lambda n: 0.1 + 0.05 * np.sin(np.arange(n) * 28 * np.pi / n))
    found["false, trend up"] = false_cell(ten, lambda n: np.linspace(0.06, 0.14, n))
    found["false, trend down"] = false_cell(ten, falling)
    found["false, split 80/20"] = false_cell(ten, flat(0.1), (0.2,))
    found["false, ramp 10 to 50 % and trend"] = false_cell(ten, falling, (0.1, 0.2, 0.3, 0.4, 0.5))
    found["false, traffic shifting"] = shifting_cell(flat(0.1))
    found["false, traffic shifting and trend"] = shifting_cell(falling)
    found["traffic shifting, truth 1x"] = shifting_cell(flat(0.1), ten.mde)
    found |= {f"false, {number} variants": several_cell(number) for number in (3, 4, 5, 6)}
    found |= {f"power, base {base} %, truth {multiple}x": power_cell(plan, multiple)
              for base, plan in PLANS.items() for multiple in (1, 1.5, 2.5)}
    found |= {f"interval, base {base} %, lift {lift:+.0%}": interval_cell(plan, plan.baseline, lift)
              for base, plan in PLANS.items() for lift in (0.0, plan.mde, -plan.mde)}
    found["interval, no plan, lift +20%"] = interval_cell(None, 0.05, 0.2)
    found |= {f"split {share:.0%}": split_cell(share, most)
              for share, most in ((0.5, 0.2), (0.6, 900), (0.55, 3_300), (0.52, 21_000))}
    found |= {f"value, false, sigma {sigma}": value_cell(sigma, 0.0) for sigma in (1, 2)}
    found["value, power at +50 %, sigma 1"] = value_cell(1, 0.5)
    found["expectation, ramp and trend"] = mean_cell
    found["cost"] = lambda rng, runs: costs.figures()
    return found


def lines(seed: int, runs: int, words: list[str]):
    """The table, line by line, each with whether its target is kept (None for those without)."""
    began = time.monotonic()
    yield f"Seed {seed}, {runs:,} runs a cell, {datetime.now(UTC):%Y-%m-%d %H:%M} UTC", None
    yield (f"Python {platform.python_version()}, numpy {np.__version__}; the parts of alpha for the boundary: "
           f"{paths.BOUNDARY_PART['visitor']:g} at every visitor, {paths.BOUNDARY_PART['daily']:g} daily"), None
    yield "", None
    yield f"{'':72} {'found':>9} {'target':>9}", None
    failed = 0
    for name, cell in cells().items():
        if not any(word in name for word in words):
            continue
        rng = np.random.default_rng([seed, zlib.crc32(name.encode())])
        for what, (figure, limit, side) in cell(rng, runs).items():
            kept = figure <= limit if side == "under" else figure >= limit
            failed += not kept
            sign = "<=" if side == "under" else ">="
            yield f"{name + ': ' + what:72} {figure:9.2f} {sign:>2} {limit:6g}{'' if kept else '  MISSED'}", kept
    yield "", None
    yield "Looks with the product's own judge, all equal: " + ", ".join(
        f"{number:,} {what}" for what, number in sorted(LOOKS.items())), None
    yield f"{failed} missed, {time.monotonic() - began:,.0f} s", not failed


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--runs", type=int, default=6000)
    parser.add_argument("--only", nargs="*", default=[""], help="words in the names of the cells to run")
    parser.add_argument("--write", action="store_true", help="keep the table as RESULTS.md")
    given = parser.parse_args()
    told, good = [], True
    for line, kept in lines(given.seed, given.runs, given.only):
        told.append(line)
        good &= kept is not False
        sys.stdout.write(line + "\n")
        sys.stdout.flush()
    if given.write:
        command = f"simulate.py --seed {given.seed} --runs {given.runs} --write"
        text = "\n".join(line.rstrip() for line in told)
        File(__file__).with_name("RESULTS.md").write_text(
            f"# The last full run of the simulation\n\nWritten by `{command}`.\n\n```text\n{text}\n```\n")
    sys.exit(not good)


if __name__ == "__main__":
    main()
