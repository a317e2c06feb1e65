"""Files against the record of running tests: what vanished or changed under a test while it runs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.engine import Connection

from handsel.errors import Fault, Notice
from handsel.experiments.models import Experiment, ExperimentEvent
from handsel.offers.project import Project
from handsel.offers.variants import changed


@dataclass(frozen=True)
class Running:
    """A test that has not ended: its variants, what each showed when the worker looked last, and when it changed."""

    offer: str
    variants: tuple[str, ...]
    versions: dict[str, str]
    changed: dict[str, datetime]


def running(connection: Connection) -> list[Running]:
    """Every test that has not ended, as the record says."""
    found = connection.execute(select(Experiment.id, Experiment.offer, Experiment.variants, Experiment.versions).where(
        Experiment.ended_at.is_(None)).order_by(Experiment.offer)).all()
    changed: dict[int, dict[str, datetime]] = {}
    for id_, variant, at in connection.execute(
            select(ExperimentEvent.experiment_id, ExperimentEvent.detail, ExperimentEvent.at).where(
                ExperimentEvent.experiment_id.in_([row.id for row in found]), ExperimentEvent.kind == "version")
            .order_by(ExperimentEvent.id)):
        changed.setdefault(id_, {}).setdefault(variant, at)
    return [Running(row.offer, tuple(row.variants), row.versions, changed.get(row.id, {})) for row in found]


def told(project: Project, tests: Iterable[Running]) -> Project:
    """``project`` with what the record knows added to its faults and notices."""
    tests = list(tests)
    return replace(project, faults=tuple(sorted({*project.faults, *faults(project, tests)})),
                   notices=tuple(sorted({*project.notices, *notices(project, tests)})))


def faults(project: Project, tests: Iterable[Running]) -> Iterator[Fault]:
    """Pages of running tests that vanished, unless the files say so by themselves."""
    for test in tests:
        offer = project.offers.get(test.offer)
        if offer is None or offer.meta.experiment is None or offer.paused:
            continue
        for name in test.variants:
            if name not in offer.variants:
                yield Fault(f"offers/{offer.slug}/landing.{name}.md", 0, "running-variant-gone",
                            f"The page takes part in the running test of {offer.slug}, and is gone.",
                            f"Bring it back, or end the test: handsel experiment stop {offer.slug}")


def notices(project: Project, tests: Iterable[Running]) -> Iterator[Notice]:
    """Pages of running tests that show something else than at the start."""
    for test in tests:
        offer = project.offers.get(test.offer)
        if offer is not None and offer.meta.experiment is not None:
            for name in test.variants:
                digest = offer.digests.get(name)
                if name in test.changed or (digest and test.versions.get(name, digest) != digest):
                    yield changed(offer, name)
