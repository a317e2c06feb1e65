"""What ``content/_handoff.yml`` can say, and how it is told what it cannot."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import pytest

from handsel.offers.project import check, read
from handsel.rules.handoff import HandoffRules
from support.handoff import write_rules


def rules_of(project: Path) -> HandoffRules:
    return read(project).rules.handoff


def faults(project: Path) -> list[tuple[str, int, str]]:
    return [(fault.kind, fault.line, fault.what) for fault in check(project)
            if fault.where == "content/_handoff.yml"]


def test_without_a_file_everyone_gets_leads_in_turn_in_office_hours(project):
    rules = rules_of(project)
    assert [(rule.name, rule.to) for rule in rules.owners] == [("Everyone in turn", "everyone")]
    assert rules.stages == {"mql", "pql", "service"}
    assert rules.within("mql") == timedelta(hours=8)
    assert rules.letters_wait
    assert "no-budget" in rules.reject_reasons


def test_hours_days_off_and_times_by_stage_are_read(project):
    write_rules(project, """
hours:
  timezone: Pacific/Auckland
  weekdays: 09:00-17:30
  wednesday: closed
  friday: [09:00-12:00, 13:00-24:00]
  days_off: [2026-12-25, 2026-12-31..2027-01-02]
first_contact: {default: 8 hours, service: 90 minutes}
escalation: {to: boss@example.org, again_after: 4 hours}
letters: go-on
links: 3 days
""")
    assert faults(project) == []
    rules = rules_of(project)
    assert str(rules.hours.zone) == "Pacific/Auckland"
    assert [len(spans) for spans in rules.hours.week] == [1, 1, 0, 1, 2, 0, 0]
    assert rules.hours.off == {date(2026, 12, 25), date(2026, 12, 31), date(2027, 1, 1), date(2027, 1, 2)}
    assert (rules.within("service"), rules.within("pql")) == (timedelta(minutes=90), timedelta(hours=8))
    assert (rules.escalation, rules.again_after) == (("boss@example.org",), timedelta(hours=4))
    assert (rules.letters_wait, rules.links) == (False, timedelta(days=3))


@pytest.mark.parametrize(("text", "kind", "line", "words"), [
    ("hours: {weekdays: 9-17}", "bad-hours", 1, "'9-17' is no stretch of one day."),
    ("hours: {weekdays: 17:00-09:00}", "bad-hours", 1, "'17:00-09:00' is no stretch of one day."),
    ("hours:\n  monday: [09:00-12:00, 11:00-17:00]", "bad-hours", 2, "Two stretches of monday overlap."),
    ("hours: {weekdays: closed}", "bad-hours", 1, "Nobody is ever at work, so no lead is ever due."),
    ("hours: {timezone: Mars/Olympus, weekdays: 09:00-17:00}", "unknown-timezone", 1,
     "There is no timezone 'Mars/Olympus'."),
    ("hours: {weekdays: 09:00-17:00, days_off: [2026-02-30]}", "bad-date", 1,
     "'2026-02-30' is no day and no stretch of days."),
    ("first_contact: 2 days", "bad-duration", 1, "'2 days': working time is counted in hours."),
    ("first_contact: {vip: 2 hours}", "unknown-choice", 1, "vip"),
    ("owners:\n  - {name: A, to: everyone}\n  - {name: B, to: owners}", "rule-never-asked", 2,
     "The rule 'A' fits everybody, so those after it are never asked."),
    ("owners:\n  - {name: A, when: {country: GB}, to: x@example.org}\n  - {name: A, to: everyone}",
     "rule-named-twice", 3, "Two rules are called 'A', and whose turn it is goes by the name."),
    ("owners:\n  - {to: everyone}", "rule-without-name", 2, "The rule has no name."),
    ("owners:\n  - {name: A, to: sara}", "bad-mailbox", 2, "'sara' is no e-mail address."),
    ("owners:\n  - name: A\n    when: {coutry: GB}\n    to: everyone", "unknown-attribute", 3,
     "There is nothing called 'coutry' to ask about."),
    ("reject_reasons: {}", "no-reject-reasons", 1, "There is no reason to reject a lead."),
    ("stages: [iql]", "unknown-choice", 1, "iql"),
])
def test_what_it_cannot_mean_is_a_named_fault(project, text, kind, line, words):
    write_rules(project, text)
    found = faults(project)
    assert [(found_kind, found_line) for found_kind, found_line, _ in found] == [(kind, line)]
    assert words in found[0][2]


def test_a_fault_leaves_the_last_good_rules_in_force(project):
    write_rules(project, "first_contact: 3 hours")
    assert rules_of(project).within("mql") == timedelta(hours=3)
