"""Rules as marketers write them: what they mean, as a sentence, and what is a named fault."""

from __future__ import annotations

import pytest

from handsel.content.parse import settings
from handsel.rules.catalogue import (
    BUILT_IN,
    STAGES,
    Asked,
    Attribute,
    OfferName,
    Vocabulary,
    attributes_of,
    typed,
)
from handsel.rules.conditions import Date, Did, Holds, Not, Text, spellings
from handsel.rules.fields import CustomField, Fields
from handsel.rules.reading import read_condition
from handsel.rules.sentence import said, sentence

FIELDS = Fields({
    "heating": CustomField("heating", "Heating today", "choice", {"gas": "Gas boiler", "oil": "Oil"}),
    "area": CustomField("area", "Area in m²", "number"), "ends": CustomField("ends", "Contract ends on", "date"),
    "plans": CustomField("plans", "What they plan:", "choices", {"roof": "Roof", "walls": "Walls"}),
    "owns": CustomField("owns", "Owns the home", "yes-no")})
WORDS = Vocabulary(
    attributes_of(FIELDS, [Asked("team", "select", "Team size?", (("s", "Small"), ("l", "Large")))]),
    (OfferName("guide", "ebook", "The guide", ("old-guide",)), OfferName("paper", "whitepaper", "The paper"),
     OfferName("talk", "webinar", "The talk")),
    (("hot", Holds(BUILT_IN["tag"], ("hot",), ("hot",))), ("broken", None)), "Europe/London", ("advice", "news"))


def read(text: str):
    parsed, faults = settings("rule.yml", text.encode())
    assert parsed is not None
    assert not faults
    condition, faults = read_condition(parsed.values, parsed, (), WORDS)
    assert (condition is None) == bool(faults)
    return condition, [f"{fault.line}: {fault.what} {fault.do}" for fault in faults]


@pytest.mark.parametrize(("text", "sentence_"), [
    ("stage: mql", "is in the stage MQL"),
    ("stage: [MQL, pql]\nscore: {at_least: 50}\nvisited: {path: /pricing/, within: 30 days}",
     "is in the stage MQL or PQL, has a score of at least 50, and visited /pricing/ in the last 30 days"),
    ("any:\n- tag: energy\n- not: {asked: guide}", "either has the tag energy or has not asked for guide"),
    ("any:\n- tag: a\n  offer: guide\n- email: {known: false}",
     "either (both: has the tag a and has asked for guide) or has no known e-mail address"),
    ("job_title: {contains: [head, director]}", "has a job title that contains “head” or “director”"),
    ("industry: {starts_with: Bui}\ncompany: {is_not: Acme}",
     "has an industry that starts with “Bui” and has another company than “Acme”"),
    ("not: {job_title: {contains: intern}}", "has a job title that does not contain “intern”"),
    ("tag: {all_of: [a, b], none_of: c}", "(both: has the tag a and has the tag b) and does not have the tag c"),
    ("offer: old-guide\nconsent: {known: true}", "has asked for old-guide and has any consent"),
    ("owner: {known: false}\nconfirmed: {known: true}", "has no owner and has proved the mailbox"),
    ("captured: {since: 2026-01-02}\nlast_act: {older_than: 12 weeks}",
     "first filled in a form on or after 2 January 2026 and was last active more than 84 days ago"),
    ("quality: {more_than: 40}\nbant: 4\nrevenue: {at_most: 1000000}",
     "has a predicted quality of more than 40 %, has 4 of the four BANT questions answered, and has a revenue of at "
     "most 1,000,000"),
    ("unsubscribed: false\nowns: true\nnot: {owns: false}",
     "is not unsubscribed, said yes to “Owns the home”, and not: has not said yes to “Owns the home”"),
    ("heating: Gas boiler\nplans: [roof, walls]\narea: {less_than: 9.5}",
     "answered “Gas boiler” to “Heating today”, answered Roof or Walls to “What they plan”, and gave less than 9.5 as "
     "“Area in m²”"),
    ("ends: {within: 30 days}\nteam: Large\nheating: {known: false}",
     "gave a day in the last 30 days as “Contract ends on”, answered “Large” to “Team size”, and has not answered "
     "“Heating today”"),
    ("downloaded: {offer_kind: [ebook, whitepaper], times: 2, since: 2026-01-01 09:00}",
     "downloaded any ebook or whitepaper at least twice since 1 January 2026, 09:00"),
    ("attended: true\ncalled: false\nbounced: {before: 2026-01-01}",
     "attended any event, was not called, and had a mail bounce before 1 January 2026"),
    ("visited: {starts_with: /shop/, times: 3}\nevent: {within: 1 day}",
     "visited a page below /shop/ at least 3 times and did anything in the product in the last day"),
    ("not: {event: invited}\nsegment: hot", "has not done invited in the product and is in the segment hot"),
    ("not: {segment: hot}", "is not in the segment hot"),
])
def test_a_rule_reads_as_a_sentence(text, sentence_):
    condition, faults = read(text)
    assert faults == []
    assert said(condition) == sentence_
    assert sentence(condition) == f"Everyone who {sentence_}."


@pytest.mark.parametrize(("text", "fault"), [
    ("stge: mql", "1: There is nothing called 'stge' to ask about. Did you mean 'stage'?"),
    ("stage: mgl", "1: 'mgl' is nothing that 'stage' can be. Did you mean 'mql'?"),
    ("score: {over: 5}", "1: 'score' is a number and cannot be asked 'over'. Use one of: at_least, at_most, is, known, "
                         "less_than, more_than."),
    ("tag: {contains: a}", "1: 'tag' is a list and cannot be asked 'contains'. Use one of: all_of, any_of, known, "
                           "none_of."),
    ("score: many", "1: A number is missing here. Write digits, such as 50 or 2.5."),
    ("score: {at_least: 1e5}", "1: A number is missing here. Write digits, such as 50 or 2.5."),
    ("last_act: 2026", "1: 'last_act' needs to know how to compare. Write one of `since: …`, `before: …`, "
                       "`within: …`, `older_than: …`, `known: …` below it."),
    ("last_act: {within: a while}", "1: 'a while' is no length of time up to ten years. Write it as `30 days`, "
                                    "`2 weeks` or `12 hours`."),
    ("last_act: {within: 0 days}", "1: '0 days' is no length of time up to ten years. Write it as `30 days`, "
                                   "`2 weeks` or `12 hours`."),
    ("captured: {since: 2026-02-30}", "1: '2026-02-30' is no date that exists. Write it as 2026-11-22 or "
                                      "2026-11-22 09:00."),
    ("tag: x\nasked: giude", "2: There is no offer 'giude'. Did you mean 'guide'?"),
    ("offer: {none_of: [guide, papr]}", "1: There is no offer 'papr'. Did you mean 'paper'?"),
    ("asked: {offer_kind: ebok}", "1: There is no kind of offer 'ebok'. Did you mean 'ebook'?"),
    ("asked: {ofer: guide}", "1: 'asked' cannot be asked 'ofer'. Did you mean 'offer'?"),
    ("visited: {path: /a/, starts_with: /b/}", "1: 'path' and 'starts_with' both say of what. Keep one of the two."),
    ("visited: {path: /a/, times: often}", "1: A number of times is missing here. Write digits, such as 3."),
    ("visited: {}", "1: 'visited' asks for nothing. Write true if anything counts."),
    ("met: guide", "1: 'met' is done or not. Write true or false, or `within: 30 days` below it."),
    ("consent: advise", "1: There is no topic 'advise'. Did you mean 'advice'?"),
    ("segment: hott", "1: There is no segment 'hott'. Did you mean 'hot'?"),
    ("segment: broken", "1: The segment 'broken' has a fault itself. Mend it first: see its own line."),
    ("all: []", "1: 'all' has nothing in it. Write at least one condition."),
    ("any: {tag: a}", "1: 'any' needs a list. Write one line `- key: value` for each."),
    ("not: {}", "1: The rule asks for nothing, so it would hold for everybody. Write at least one condition, such as "
                "`stage: mql`."),
    ("", "1: The rule asks for nothing, so it would hold for everybody. Write at least one condition, such as "
         "`stage: mql`."),
    ("unsubscribed: maybe", "1: Yes or no is missing here. Write true or false."),
    ("email: []", "1: A word, or a list of words, is missing here. Write it as `name`, or as `[one, two]`."),
    ("email: {}", "1: 'email' asks for nothing. Write what it should be."),
    ("plans: roofs", "1: 'roofs' is nothing that 'plans' can be. Did you mean 'roof'?"),
])
def test_what_cannot_be_meant_is_named_with_its_line(text, fault):
    condition, faults = read(text)
    assert condition is None
    assert faults == [fault]


def test_all_faults_of_a_rule_are_named_at_once():
    _, faults = read("stge: mql\nany:\n- tag: {x: 1}\n- asked: gude\n  score: y\n")
    assert [fault.partition(":")[0] for fault in faults] == ["1", "3", "4", "5"]


def test_an_offer_is_meant_under_its_former_slugs_too():
    condition, _ = read("asked: guide")
    assert isinstance(condition, Did)
    assert condition.behaviour.names == ("guide", "old-guide")
    condition, _ = read("offer: old-guide")
    assert isinstance(condition, Holds)
    assert condition.values == ("guide", "old-guide")


def test_dates_are_in_the_timezone_of_the_site():
    condition, _ = read("captured: {since: 2026-07-01}")
    assert isinstance(condition, Date)
    assert condition.moment is not None
    assert condition.moment.isoformat() == "2026-07-01T00:00:00+01:00"


def test_a_list_of_texts_means_any_of_them_and_none_of_turns_it_round():
    condition, _ = read("country: {none_of: [GB, IE]}")
    assert condition == Not(Text(WORDS.by_name["country"], "is", ("GB", "IE")))


def test_every_spelling_that_people_use_of_other_letters_is_meant():
    assert spellings("Head") == ("head",)
    assert "geschÄftsfÜhrer" in spellings("Geschäftsführer")
    assert "geschäftsführer" in spellings("GESCHÄFTSFÜHRER")


@pytest.mark.parametrize(("type_", "raw", "value"), [
    ("number", "12", 12.0), ("number", 7, 7.0), ("number", " 4.50 ", 4.5), ("number", "1,5", None),
    ("number", True, None), ("number", "007", None), ("number", "9" * 30, None), ("number", 10**400, None),
    ("text", 5, ""), ("text", None, ""), ("set", "a", frozenset("a")), ("set", ["a", 1, ""], frozenset("a")),
    ("set", None, frozenset()), ("switch", "yes", True), ("switch", "Yes", False), ("switch", 1, False),
])
def test_an_answer_that_is_not_of_its_type_is_unknown(type_, raw, value):
    assert typed(Attribute("x", type_, "x", custom=True), raw) == value


def test_forms_and_declared_fields_can_be_asked_about_by_their_types():
    types = {name: attribute.type for name, attribute in WORDS.by_name.items() if attribute.custom}
    assert types == {"heating": "text", "area": "number", "ends": "date", "plans": "set", "owns": "switch",
                     "team": "text"}
    asked = [Asked("a", "checkbox", "A"), Asked("a2", "checkboxes", "A", (("x", "X"),)), Asked("n", "number", "N"),
             Asked("d", "date", "D"), Asked("score", "text", "Score"), Asked("industry", "select", "Industry")]
    found = {one.name: one for one in attributes_of(Fields({}), asked)}
    assert [found[name].type for name in ("a", "a2", "n", "d")] == ["switch", "set", "number", "date"]
    assert found["score"] is BUILT_IN["score"]
    assert found["industry"] is BUILT_IN["industry"]


def test_the_stages_of_rules_are_those_of_leads():
    from handsel.leads.models import STAGES as of_leads
    from handsel.offers.schema import KINDS
    from handsel.rules.catalogue import OFFER_KINDS

    assert of_leads == STAGES
    assert OFFER_KINDS == KINDS
