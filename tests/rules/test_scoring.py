"""``_scoring.yml`` as marketers write it: what it comes to, and every way it can be wrong by name and line."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from handsel.offers.project import check, read
from handsel.rules.conditions import Behaviour, Text
from handsel.rules.scoring import Scoring, scoring_of

DAY = timedelta(days=1)
GOOD = """
fit:
  cap: 40
  rules:
    Runs things: {when: {job_title: {contains: manager}}, points: 20}
interest:
  half_life: 20 days
  cap: 90
  rules:
    Asked: {on: {asked: guide}, points: 10, once: true}
    Came: {on: {visited: /pricing/}, points: 2, half_life: 7 days, cap: 10, once: each}
    Left: {on: {left: true}, points: -30, half_life: never}
    Silent: {when: {last_act: {older_than: 60 days}}, points: -5}
"""


def scoring(project: Path, text: str) -> Scoring:
    (project / "content" / "_scoring.yml").write_text(text)
    return read(project).rules.scoring


def faults(project: Path, text: str) -> list[tuple[int, str]]:
    (project / "content" / "_scoring.yml").write_text(text)
    return [(fault.line, fault.kind) for fault in check(project) if fault.where == "content/_scoring.yml"]


def test_rules_come_in_the_order_of_the_file_with_what_holds_for_each(project: Path) -> None:
    found = scoring(project, GOOD)
    assert (found.fit_cap, found.interest_cap) == (40, 90)
    assert [(rule.part, rule.name, rule.points, rule.half_life, rule.cap, rule.once) for rule in found.rules] == [
        ("fit", "Runs things", 20, None, None, ""), ("interest", "Asked", 10, 20 * DAY, None, "once"),
        ("interest", "Came", 2, 7 * DAY, 10, "each"), ("interest", "Left", -30, None, None, ""),
        ("interest", "Silent", -5, None, None, "")]
    assert isinstance(found.rules[0].when, Text)
    assert found.rules[1].on == Behaviour("asked", ("guide", "finishing-books"), shown=("guide",))
    assert check(project) == []


def test_without_a_file_the_shipped_rules_hold(project: Path) -> None:
    found = read(project).rules.scoring
    assert {rule.part for rule in found.rules} == {"fit", "interest"}
    assert any(rule.points < 0 for rule in found.rules)


def test_half_lives_are_thirty_days_unless_the_file_says_otherwise(project: Path) -> None:
    rule = "rules: {Came: {on: {visited: true}, points: 2}}"
    assert scoring(project, f"interest: {{{rule}}}").rules[0].half_life == 30 * DAY
    assert scoring(project, f"interest: {{half_life: never, {rule}}}").rules[0].half_life is None


@pytest.mark.parametrize(("text", "expected"), [
    ("fit:\n  rules:\n    A: {when: {job_titel: x}, points: 1}\n", (3, "unknown-attribute")),
    ("fit:\n  rules:\n    A: {when: {segment: nobody}, points: 1}\n", (3, "unknown-segment")),
    ("fit:\n  rules:\n    A:\n      when: {score: {at_least: 5}}\n      points: 1\n", (4, "circular-rule")),
    ("fit:\n  rules:\n    A: {when: {}, points: 1}\n", (3, "empty-rule")),
    ("fit:\n  rules:\n    A: {points: 1}\n", (3, "rule-without-condition")),
    ("fit:\n  rules:\n    A: {when: {phone: {known: true}}}\n", (3, "rule-without-points")),
    ("fit:\n  rules:\n    A:\n      when: {phone: {known: true}}\n      points: 0\n", (5, "out-of-range")),
    ("fit:\n  rules:\n    A: {when: {phone: {known: true}}, points: many}\n", (3, "wrong-type")),
    ("fit:\n  rules:\n    A: {when: {phone: {known: true}}, points: 1, cap: 3}\n", (3, "unknown-key")),
    ("fit:\n  cap: 0\n", (2, "out-of-range")),
    ("interest:\n  rules:\n    A: {on: {asked: gide}, points: 1}\n", (3, "unknown-offer")),
    ("interest:\n  rules:\n    A: {points: 1}\n", (3, "rule-without-condition")),
    ("interest:\n  rules:\n    A: {on: {left: true}, when: {phone: {known: true}}, points: 1}\n",
     (3, "rule-without-condition")),
    ("interest:\n  rules:\n    A: {on: {phone: {known: true}}, points: 1}\n", (3, "rule-not-on-an-act")),
    ("interest:\n  rules:\n    A: {on: {asked: guide, left: true}, points: 1}\n", (3, "rule-not-on-an-act")),
    ("interest:\n  rules:\n    A: {on: {visited: {times: 3}}, points: 1}\n", (3, "rule-not-on-an-act")),
    ("interest:\n  rules:\n    A:\n      when: {phone: {known: true}}\n      points: 1\n      once: true\n",
     (6, "pointless-key")),
    ("interest:\n  rules:\n    A:\n      on: {left: true}\n      points: 1\n      once: often\n",
     (6, "unknown-choice")),
    ("interest:\n  half_life: 1 hour\n", (2, "bad-duration")),
    ("interest:\n  half_life: soon\n", (2, "bad-duration")),
    ("fit:\n  rules:\n    A: {when: {phone: {known: true}}, points: 1}\ninterest:\n  rules:\n"
     "    A: {on: {left: true}, points: 1}\n", (6, "repeated-name")),
    ("fits: {}\n", (1, "unknown-key")),
])
def test_what_is_wrong_is_a_fault_with_its_line(project: Path, text: str, expected: tuple[int, str]) -> None:
    assert faults(project, text) == [expected]


def test_while_the_file_is_faulty_the_last_good_rules_hold(project: Path) -> None:
    (project / "content" / "_scoring.yml").write_text(GOOD)
    good = read(project)
    (project / "content" / "_scoring.yml").write_text(GOOD.replace("asked: guide", "asked: gide"))
    bad = read(project, good)
    assert [fault.kind for fault in bad.faults] == ["unknown-offer"]
    assert bad.rules.scoring == good.rules.scoring


def test_rules_can_be_read_from_anywhere_to_be_tried_out(project: Path) -> None:
    words = read(project).rules.words
    found, wrong = scoring_of("new.yml", GOOD.encode(), words)
    assert wrong == []
    assert found == scoring(project, GOOD)
    nothing, wrong = scoring_of("new.yml", b"fit:\n  rules:\n    A: {when: {job_titel: x}, points: 1}\n", words)
    assert nothing is None
    assert [str(fault) for fault in wrong] == [
        "new.yml:3: There is nothing called 'job_titel' to ask about. Did you mean 'job_title'?"]


@pytest.mark.parametrize("text", ["", "fit: {}\n", "interest: {rules: {}}\n"])
def test_a_file_that_gives_no_points_is_fine(project: Path, text: str) -> None:
    assert scoring(project, text).rules == ()
    assert check(project) == []


def test_the_rules_of_the_sample_and_the_shipped_ones_are_without_fault() -> None:
    root = Path(__file__).parents[2]
    assert [fault for fault in check(root) if "_scoring" in fault.where] == []
    assert len(read(root).rules.scoring.rules) > 15
