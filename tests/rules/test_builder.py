"""Rows that people fill in, and the rule they make: the same thing in two shapes."""

from __future__ import annotations

import pytest
import yaml

from handsel.content.parse import Parsed, settings
from handsel.rules.builder import Row, problem, rows_of, rule_of
from handsel.rules.catalogue import BUILT_IN, Attribute, OfferName, Vocabulary
from handsel.rules.reading import read_condition
from handsel.rules.sentence import sentence

WORDS = Vocabulary(
    (*BUILT_IN.values(), Attribute("plans", "set", "plans", choices=(("roof", "Roof"),), custom=True)),
    (OfferName("guide", "ebook", "Guide"), OfferName("paper", "whitepaper", "Paper")),
    (("hot", read_condition({"stage": "mql"}, Parsed("", {}), (), Vocabulary())[0]),))

RULES = [
    "stage: [mql, pql]\nscore: {at_least: 50}\nunsubscribed: false",
    "any:\n- tag: energy\n- not: {downloaded: guide}",
    "visited: {path: /pricing/, times: 3, within: 30 days}\nnot: {segment: hot}",
    "score: {at_least: 5, at_most: 50}",
    "all:\n- asked: guide\n- asked: paper",
    "job_title: {contains: [head, director]}\nnot: {company: {contains: ltd}}",
    "owner: {known: false}\ntag: {none_of: [cold]}\nplans: {all_of: [roof]}",
    "downloaded: {offer_kind: whitepaper}\nlast_act: {within: 30 days}\ncaptured: {since: 2026-01-01}",
    "met: true\nevent: {starts_with: invite}\nasked: {since: 2026-01-01, before: 2026-02-01}",
    "segment: [hot]\nbant: 4",
]


def raw(text: str) -> dict[str, object]:
    parsed, faults = settings("rule.yml", text.encode())
    assert parsed is not None
    assert not faults
    return parsed.values


def meaning(rule: object) -> str:
    condition, faults = read_condition(rule, Parsed("", {}), (), WORDS)
    assert not faults
    assert condition is not None
    return sentence(condition)


@pytest.mark.parametrize("text", RULES)
def test_a_rule_that_rows_can_say_comes_back_with_the_same_meaning(text):
    found = rows_of(raw(text), WORDS)
    assert found is not None
    rows, match = found
    assert all(problem(row, WORDS) == "" for row in rows)
    again = rule_of(rows, match, WORDS)
    assert meaning(again) == meaning(raw(text))
    assert rows_of(again, WORDS) == (rows, match)


@pytest.mark.parametrize("text", [
    "any:\n- tag: a\n  stage: mql", "not: {tag: a, stage: mql}", "any:\n- tag: a\nstage: mql",
    "all:\n- any:\n  - tag: a\n  - tag: b", "job_title: 'Head of sales, EMEA'", "stge: mql"])
def test_a_rule_that_says_more_than_rows_is_left_as_text(text):
    assert rows_of(raw(text), WORDS) is None


def test_rows_of_the_same_kind_stand_in_a_list():
    rows = [Row("asked", "did", ("guide",), "offer"), Row("asked", "did", ("paper",), "offer", times="2")]
    assert rule_of(rows, "all", WORDS) == {"all": [{"asked": "guide"}, {"asked": {"offer": "paper", "times": "2"}}]}
    assert yaml.safe_load(yaml.safe_dump(rule_of(rows[:1], "any", WORDS))) == {"asked": "guide"}


@pytest.mark.parametrize(("row", "said"), [
    (Row("stage", "any_of", ("mgl",)), "'mgl' is nothing that 'stage' can be. Did you mean 'mql'?"),
    (Row("score", "at_least", ("many",)), "A number is missing here. Write digits, such as 50 or 2.5."),
    (Row("score", "at_least", ("",)), "Write or choose what it should be."),
    (Row("last_act", "within", ("2026",)), "'2026' is no length of time up to ten years. Write it as `30 days`, "
                                           "`2 weeks` or `12 hours`."),
    (Row("asked", "did", ("gide",), "offer"), "There is no offer 'gide'. Did you mean 'guide'?"),
    (Row("visited", "did", times="often"), "A number of times is missing here. Write digits, such as 3."),
    (Row("nothing", "is"), "There is nothing like that to ask about."),
])
def test_what_is_wrong_with_a_row_is_said_beside_it(row, said):
    assert problem(row, WORDS) == said
