"""An experiment's counts together with what was excluded by its hits, as values, lines and JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.engine import Connection

from handsel.experiments.counts import Counts, counts
from handsel.traffic.models import Tally


@dataclass(frozen=True)
class Report:
    """The state of one experiment; ``split`` holds the share of visitors that each variant gets now."""

    counts: Counts
    split: Mapping[str, int]

    def lines(self) -> list[str]:
        """The report for a terminal."""
        lines = [self.counts.offer, f"  {'variant':8} {'share':>6} {'visitors':>9} {'leads':>7} {'rate':>8}"]
        for name, arm in sorted(self.counts.arms.items()):
            rate = f"{arm.rate:.2%}" if arm.rate is not None else "-"
            share = f"{self.split.get(name, 0)} %"
            lines.append(f"  {name:8} {share:>6} {arm.visitors:>9,} {arm.conversions:>7,} {rate:>8}")
        left_out = ", ".join(f"{reason} {number:,}" for reason, number in sorted(self.counts.excluded.items()))
        return [*lines, f"  left out: {left_out or 'nothing'}"]

    def as_dict(self) -> dict[str, Any]:
        """The report for JSON; rates are numbers from 0 to 1, or null while nobody has seen a variant."""
        return {"offer": self.counts.offer, "goal": self.counts.goal, "excluded": dict(self.counts.excluded),
                "variants": [{"variant": name, "share": self.split.get(name, 0), "visitors": arm.visitors,
                              "conversions": arm.conversions, "rate": arm.rate}
                             for name, arm in sorted(self.counts.arms.items())]}


def report(connection: Connection, offer: str, split: Mapping[str, int], goal: str = "capture") -> Report:
    """The experiment of ``offer`` as it stands, with views by robots, prefetches and the like among the excluded."""
    found = counts(connection, offer, split, goal)
    excluded = connection.execute(
        select(Tally.excluded, func.sum(Tally.hits))
        .where(Tally.offer == offer, Tally.kind == "view", Tally.variant != "", Tally.excluded != "")
        .group_by(Tally.excluded))
    found.excluded |= {reason: int(hits) for reason, hits in excluded}
    return Report(found, split)
