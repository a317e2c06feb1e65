"""What a score costs: the points of one lead, and learning from as many outcomes as are ever learned from."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from random import Random
from statistics import median

from frame import say
from handsel.leads.quality.learning import MOST, learn
from handsel.leads.quality.logistic import chance
from handsel.leads.quality.properties import PROPERTIES
from handsel.leads.scoring.points import points
from handsel.rules.catalogue import OfferName, Vocabulary
from handsel.rules.person import Fact, Person
from handsel.rules.scoring import FILE, scoring_of
from handsel.rules.settings import shipped

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
FACTS = 30
KINDS = (("visited", "/page-{}/"), ("clicked", "guide"), ("downloaded", "guide"), ("asked", "paper"),
         ("attended", "paper"), ("event", "login"))


def run() -> None:
    words = Vocabulary(offers=tuple(OfferName(slug, kind) for slug, kind in (
        ("guide", "ebook"), ("paper", "whitepaper"), ("demo", "demo"))))
    scoring, _ = scoring_of(FILE, shipped(FILE), words)
    assert scoring is not None
    who = somebody()
    cost = _milliseconds(lambda: points(scoring, who, NOW), 1000)
    say(f"the points of a lead with {FACTS} facts", f"{cost:.3f} ms of CPU", f"{len(scoring.rules)} rules", None,
        "<= 0.2 ms", cost <= 0.2)
    rows, accepted = outcomes()
    cost = _milliseconds(lambda: learn(rows, accepted, range(MOST)), 1) / 1000
    say(f"learning from {MOST:,} outcomes, with the check", f"{cost:.1f} s of CPU", f"{len(PROPERTIES)} properties",
        None, "<= 2 s", cost <= 2)


def somebody() -> Person:
    """A lead with facts of every kind, spread over a month."""
    facts = []
    for number in range(FACTS):
        kind, name = KINDS[number % len(KINDS)]
        at = NOW - timedelta(days=FACTS - number, seconds=1234 * number)
        facts.append(Fact(kind, name.format(number), at, f"row:{number}"))
    return Person(1, {"job_title": "Facilities manager", "company_size": 80, "company": "Acme", "phone": "1",
                      "last_act": facts[-1].at}, tuple(facts))


def outcomes() -> tuple[list[list[float]], list[bool]]:
    """As many as are ever learned from, depending on the first two properties."""
    random = Random(1)
    rows = [[random.gauss(20, 10) for _ in PROPERTIES] for _ in range(MOST)]
    return rows, [random.random() < chance((row[0] + row[1] - 40) / 10) for row in rows]


def _milliseconds(act: Callable[[], object], times: int) -> float:
    """The median CPU time of a call in five passes."""
    passes = []
    for _ in range(5 if times > 1 else 1):
        began = time.process_time()
        for _ in range(times):
            act()
        passes.append((time.process_time() - began) / times * 1000)
    return median(passes)
