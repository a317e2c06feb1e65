"""Simulate experiments and hold the figures against their targets: ``simulate.py --seed 7 --runs 6000``.

Monte-Carlo error is 0.3 points at 6,000 runs of a rate of 5 %. ``--only false ramp`` runs the cells whose names contain
one of the words. The seed of a cell comes from its name, so a cell alone gives what it gives among all.
"""

from __future__ import annotations

import argparse
import sys
import time
import zlib
from collections.abc import Callable

import numpy as np
import paths

from handsel.experiments import split, value
from handsel.experiments.state import State
from handsel.experiments.trial import Cell, Period, Plan
from handsel.experiments.verdict import judge

Figures = dict[str, tuple[float, float, str]]  # what is measured, its limit, and whether to stay under or over
PLANS = {1: Plan(0.01, 0.5), 3: Plan(0.03, 0.3), 10: Plan(0.1, 0.2), 30: Plan(0.3, 0.15)}
LOOKS = 200  # of the cells that ask the product's own function each time


def rate(hits: int, runs: int) -> float:
    return 100 * hits / runs


def false_cell(plan: Plan, course: Callable[[int], np.ndarray], shares: Callable[[int], np.ndarray] | None = None):
    """A cell without a difference: ``course`` gives both rates and ``shares`` the probability of b, by the visitor."""
    def cell(rng: np.random.Generator, runs: int) -> Figures:
        visitors = int(2 * paths.planned(plan))
        rates, given = course(visitors), shares(visitors) if shares else np.full(visitors, 0.5)
        hits = {"visitor": 0, "daily": 0, "unplanned": 0}
        for _ in range(runs):
            path = paths.draw(rng, rates, rates, given)
            evidence = paths.log_e(path, plan)
            paths.compare(rng, path, plan, evidence)
            for look in ("visitor", "daily"):
                hits[look] += paths.stop(path, plan, look, evidence) is not None
            hits["unplanned"] += paths.stop(path, None, "visitor") is not None
        return {f"false, {look} %": (rate(number, runs), 5.0, "under") for look, number in hits.items()}
    return cell


def power_cell(plan: Plan, multiple: float):
    """Power and mean stop where the truth is ``multiple`` times the planned lift."""
    def cell(rng: np.random.Generator, runs: int) -> Figures:
        whole = paths.planned(plan)
        end, lifted = int(np.ceil(whole)), plan.baseline * (1 + multiple * plan.mde)
        visitors = 4 * end if multiple == 1 else end
        single, stops, alone = 0, {"visitor": [], "daily": []}, []
        for _ in range(runs):
            path = paths.draw(rng, np.full(visitors, plan.baseline), np.full(visitors, lifted), np.full(visitors, 0.5))
            evidence = paths.log_e(path, plan)
            single += paths.fixed_look(path, plan, end)
            alone.append(paths.first_at(evidence >= np.log(20)) or np.inf)
            for look, found in stops.items():
                at = paths.stop(path, plan, look, evidence)
                found.append(at[0] if at and at[1] > 0 else np.inf)
        figures: Figures = {}
        limit = {1: 0.82, 1.5: 0.62, 2.5: 0.38}[multiple]
        for look, found in stops.items():
            taken = np.array(found)
            figures[f"mean stop, {look}"] = (float(np.minimum(taken / whole, 1).mean()), limit, "under")
            if multiple == 1:
                behind = rate(single - int((taken <= end).sum()), runs)
                figures[f"points behind one look, {look}"] = (behind, 7, "under")
                figures[f"power at 2x, {look} %"] = (rate(int((taken <= 2 * end).sum()), runs), 72, "over")
                figures[f"power at 4x, {look} %"] = (rate(int((taken <= 4 * end).sum()), runs), 96, "over")
        if multiple == 1:
            for times, least in ((2, 72), (4, 96)):
                reached = int((np.array(alone) <= times * end).sum())
                figures[f"power at {times}x, e-process alone %"] = (rate(reached, runs), least, "over")
        return figures
    return cell


def judged(rng: np.random.Generator, plan: Plan | None, rates: list[float], looks: np.ndarray,
           weigh: Callable[[list[list[Cell]]], tuple[float, ...]] | None = None):
    """Judgements of the product at ``looks`` (visitors in all), one after the other, with the state handed on.

    ``weigh`` gives the split of a new period from the counts so far; without it there is one period, evenly split.
    """
    variants = len(rates)
    even = (1.0,) * variants
    periods, cells = [Period(even)], [[Cell()] * variants]
    state: State | None = None
    seen = 0
    for look in looks:
        if weigh and seen:
            periods.append(Period(weigh(cells)))
            cells.append([Cell()] * variants)
        share = np.array(periods[-1].weights)
        given = rng.multinomial(look - seen, share / share.sum())
        won = rng.binomial(given, rates)
        cells[-1] = [Cell(cell.visitors + int(new), cell.conversions + int(more))
                     for cell, new, more in zip(cells[-1], given, won, strict=True)]
        seen = int(look)
        found = judge(plan, periods, cells, look="visitor", state=state)
        state = found.state
        yield found


def several_cell(variants: int):
    """A cell of so many variants without a difference."""
    def cell(rng: np.random.Generator, runs: int) -> Figures:
        plan = PLANS[10]._replace(weights=(1.0,) * variants)
        looks = np.unique(np.linspace(20, paths.planned(plan) * variants, LOOKS).astype(int))
        hits = sum(any(found.verdict in ("winner", "loser") or any(found.state.decided)
                       for found in judged(rng, plan, [plan.baseline] * variants, looks)) for _ in range(runs))
        return {"false %": (rate(hits, runs), 5.0, "under")}
    return cell


def shifting_cell(rng: np.random.Generator, runs: int) -> Figures:
    """Thompson sampling in twenty batches with a floor of 10 %, without a difference."""
    plan = PLANS[10]
    looks = np.linspace(0, 2 * paths.planned(plan), 21)[1:].astype(int)

    def weigh(cells: list[list[Cell]]) -> tuple[float, ...]:
        won = [1 + sum(row[arm].conversions for row in cells) for arm in (0, 1)]
        lost = [1 + sum(row[arm].visitors - row[arm].conversions for row in cells) for arm in (0, 1)]
        ahead = float((rng.beta(won[1], lost[1], 200) > rng.beta(won[0], lost[0], 200)).mean())
        share = min(0.9, max(0.1, ahead))
        return 1 - share, share
    hits = sum(any(found.verdict in ("winner", "loser") for found in judged(rng, plan, [0.1, 0.1], looks, weigh))
               for _ in range(runs))
    return {"false %": (rate(hits, runs), 5.0, "under")}


def interval_cell(plan: Plan | None, base: float, lift: float):
    """How often the interval misses the true lift at any look, and how often it disagrees with the verdict."""
    def cell(rng: np.random.Generator, runs: int) -> Figures:
        whole = paths.planned(plan or Plan(base, 0.3))
        looks = np.unique(np.geomspace(50, 2 * whole, LOOKS // 2).astype(int))
        missed = disagreed = 0
        for _ in range(runs):
            outside = apart = False
            for found in judged(rng, plan, [base, base * (1 + lift)], looks):
                arm = found.arms[1]
                high = np.inf if arm.high is None else arm.high
                outside |= not arm.low <= lift <= high
                apart |= (arm.low > 0 or high < 0) != (found.verdict in ("winner", "loser"))
            missed, disagreed = missed + outside, disagreed + apart
        return {"misses %": (rate(missed, runs), 5.0, "under"), "disagrees %": (rate(disagreed, runs), 0.0, "under")}
    return cell


def split_cell(share: float, most: float):
    """Visitors until a wrong split of ``share`` to the rest is noticed; at .5 how often one is called wrong."""
    def cell(rng: np.random.Generator, runs: int) -> Figures:
        visitors, noticed = int(min(100_000, 4 * most)) if share != 0.5 else 30_000, []
        for _ in range(runs):
            evidence = paths.split_log_e(np.cumsum(rng.random(visitors) < share))
            noticed.append(paths.first_at(evidence >= split.ALARM) or np.inf)
        if share == 0.5:
            return {"false alarms %": (rate(int(np.isfinite(noticed).sum()), runs), most, "under")}
        return {"95th percentile of visitors": (float(np.quantile(noticed, 0.95, method="higher")), most, "under")}
    return cell


def value_cell(sigma: float, lift: float):
    """Lognormal values of 3 % of visitors, capped; ``lift`` raises the values of b."""
    def cell(rng: np.random.Generator, runs: int) -> Figures:
        cap = float(np.exp(2.5 * sigma))
        plan = Plan(0.03, 0.5, value_cap=cap)
        whole = paths.planned(plan) * value.inflation(plan.mde)
        looks = np.linspace(0, whole if lift else 2 * whole, LOOKS + 1)[1:].astype(int)
        hits = 0
        for _ in range(runs):
            cells, state = [Cell(), Cell()], None
            for new in np.diff(looks, prepend=0):
                given = rng.multinomial(new, (0.5, 0.5))
                for arm, factor in enumerate((1, 1 + lift)):
                    values = np.minimum(cap, factor * rng.lognormal(0, sigma, rng.binomial(given[arm], plan.baseline)))
                    old = cells[arm]
                    cells[arm] = Cell(old.visitors + int(given[arm]), old.conversions + len(values),
                                      old.total + float(values.sum()), old.squares + float((values ** 2).sum()))
                found = judge(plan, [Period((1, 1))], [cells], look="visitor", state=state)
                state = found.state
                if found.verdict in ("winner", "loser"):
                    hits += found.verdict == "winner" or not lift
                    break
        return {"power %": (rate(hits, runs), 80.0, "over")} if lift else {"false %": (rate(hits, runs), 5.0, "under")}
    return cell


def cells() -> dict[str, Callable[[np.random.Generator, int], Figures]]:
    """All cells by name."""
    ten = PLANS[10]
    found = {f"false, base {base} %": false_cell(plan, lambda n, p=plan.baseline: np.full(n, p))
             for base, plan in PLANS.items()}
    found["false, weekly cycle"] = false_cell(ten, lambda n: 0.1 + 0.05 * np.sin(np.arange(n) * 28 * np.pi / n))
    found["false, trend"] = false_cell(ten, lambda n: np.linspace(0.06, 0.14, n))
    found["false, ramp 10 to 50 % and trend"] = false_cell(
        ten, lambda n: np.linspace(0.14, 0.06, n), lambda n: np.repeat([0.1, 0.2, 0.3, 0.4, 0.5], -(-n // 5))[:n])
    found["false, traffic shifting"] = shifting_cell
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
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--runs", type=int, default=6000)
    parser.add_argument("--only", nargs="*", default=[""], help="words in the names of the cells to run")
    given = parser.parse_args()
    began = time.monotonic()
    sys.stdout.write(f"Seed {given.seed}, {given.runs:,} runs a cell\n\n{'':72} {'found':>9} {'target':>9}\n")
    failed = 0
    for name, cell in cells().items():
        if not any(word in name for word in given.only):
            continue
        rng = np.random.default_rng([given.seed, zlib.crc32(name.encode())])
        for what, (figure, limit, side) in cell(rng, given.runs).items():
            kept = figure <= limit if side == "under" else figure >= limit
            failed += not kept
            sign = "<=" if side == "under" else ">="
            note = "" if kept else "  MISSED"
            sys.stdout.write(f"{name + ': ' + what:72} {figure:9.2f} {sign:>2} {limit:6g}{note}\n")
            sys.stdout.flush()
    sys.stdout.write(f"\n{failed} missed, {time.monotonic() - began:,.0f} s\n")
    sys.exit(bool(failed))


if __name__ == "__main__":
    main()
