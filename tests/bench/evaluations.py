"""How many experiments a core evaluates, and what the import costs. The figures of the statistics: experiments/."""

from __future__ import annotations

from bench.experiments import costs
from frame import say


def run() -> None:
    for what, (figure, limit, side) in costs.figures().items():
        met = figure <= limit if side == "under" else figure >= limit
        say(what, f"{figure:,.2f}", "", None, f"{'<=' if side == 'under' else '>='} {limit:,}", met)
