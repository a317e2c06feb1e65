"""The file of segments: what holds, what is a fault, and what goes on while it has one."""

from __future__ import annotations

from pathlib import Path

import pytest

from handsel.errors import HandselError
from handsel.offers.project import Project, check, read
from handsel.rules.conditions import segments_used
from handsel.rules.sentence import sentence

FILE = "content/_segments.yml"
GOOD = """\
segments:
  all-in: {label: All in, when: {segment: [fans, hot]}}
  hot: {label: Hot, tag: hot, when: {tag: fan, country: GB}}
  fans: {label: Fans, tag: fan, when: {asked: guide}}
"""


def write(project: Path, text: str, previous: Project | None = None) -> Project:
    (project / FILE).write_text(text)
    return read(project, previous)


def faults(project: Path, text: str) -> list[str]:
    (project / FILE).write_text(text)
    return [str(fault) for fault in check(project)]


def test_segments_are_made_in_whatever_order_they_name_each_other(project: Path) -> None:
    segments = write(project, GOOD).rules.segments
    assert list(segments.by_name) == ["all-in", "hot", "fans"]
    assert segments_used(segments.get("all-in").condition) == {"hot", "fans"}
    assert [one.tag for one in segments.tagging] == ["fan", "hot"]
    assert sentence(segments.get("all-in").condition) == (
        "Everyone who either is in the segment fans or is in the segment hot.")


@pytest.mark.parametrize(("text", "found"), [
    ("segments:\n  a: {label: A}\n",
     ["2: The segment has no rule, and never means everybody. Add `when:` with at least one condition below it."]),
    ("segments:\n  a: {when: {tag: x}}\n",
     ["2: The segment has no label. Add `label: …`: what sellers call it."]),
    ("segments:\n  a: {label: A, when: {}}\n",
     ["2: The rule asks for nothing, so it would hold for everybody. Write at least one condition, such as "
      "`stage: mql`."]),
    ("segments:\n  A b: {label: A, when: {tag: x}}\n",
     ["2: 'A b' cannot be a name here. Use small letters, digits and single hyphens."]),
    ("segments:\n  a: {label: A, when: {segment: a}}\n",
     ["2: The segment 'a' is made of itself. Take `segment: a` out of it."]),
    ("segments:\n  a:\n    label: A\n    tag: x\n    when: {tag: x}\n",
     ["4: The tag 'x' would be put on because of itself. Use another tag, or take the tag out of the rule."]),
    ("segments:\n  a: {label: A, tag: x, when: {tag: y}}\n  b: {label: B, tag: y, when: {segment: a}}\n",
     ["3: The tag 'y' would be put on because of itself. Use another tag, or take the tag out of the rule."]),
    ("segments:\n  a: {label: A, tag: x, when: {score: {at_least: 1}}}\n",
     ["2: The tag goes by 'score', which is made of the tags. Leave `tag` out: lists, exports and letters can use the "
      "segment itself."]),
])
def test_what_is_wrong_is_named_with_its_line(project: Path, text: str, found: list[str]) -> None:
    assert faults(project, text) == [f"{FILE}:{one}" for one in found]


def test_while_the_file_has_a_fault_the_last_good_segments_hold(project: Path) -> None:
    before = write(project, GOOD)
    after = write(project, GOOD.replace("asked: guide", "asked: giude"), before)
    assert [fault.kind for fault in after.faults] == ["segment-with-fault", "unknown-offer"]
    assert after.rules.segments == before.rules.segments
    assert dict(after.rules.words.segments) == dict(before.rules.words.segments)


def test_a_faulty_segment_that_never_was_good_holds_for_nobody(project: Path) -> None:
    segments = write(project, GOOD.replace("asked: guide", "asked: giude")).rules.segments
    assert segments.faulty == ("all-in", "fans")
    assert list(segments.by_name) == ["hot"]
    with pytest.raises(HandselError, match="The segment 'fans' has a fault"):
        segments.get("fans")
    with pytest.raises(HandselError, match="Did you mean 'fans'"):
        write(project, GOOD).rules.segments.get("fanz")


def test_a_field_cannot_be_called_what_rules_know_already(project: Path) -> None:
    (project / "content/_fields.yml").write_text("fields:\n  score: {label: S}\n  visited: {label: V}\n")
    assert [fault.what for fault in check(project)] == [
        "'score' means something to rules already, for every lead.",
        "'visited' means something to rules already, for every lead."]


def test_a_letter_that_asks_for_a_segment_there_is_not_is_a_fault_on_its_line(project: Path) -> None:
    path = project / "offers/guide/emails/01-begin.md"
    path.write_text(path.read_text().replace("wait: 2 days", "wait: 2 days\nonly_if: {segment: fanz}"))
    (project / FILE).write_text(GOOD)
    found = [fault for fault in check(project) if fault.kind == "unknown-segment"]
    line = path.read_text().splitlines().index("only_if: {segment: fanz}") + 1
    assert [(fault.line, fault.what, fault.do) for fault in found] == [
        (line, "There is no segment 'fanz'.", "Did you mean 'fans'?")]


def doubling(number: int) -> str:
    """Segments that are each made of the one before, twice."""
    blocks = [f"  s{at}: {{label: S, when: {{any: [{{segment: s{at - 1}}}, {{segment: s{at - 1}}}]}}}}"
              for at in range(1, number + 1)]
    return "\n".join(["segments:", "  s0: {label: S, tag: last, when: {name: x}}", *blocks]) + "\n"


def test_segments_that_double_each_other_are_a_fault_before_they_are_a_flood(project: Path) -> None:
    whole = write(project, doubling(8))
    assert not [fault for fault in whole.faults if fault.where == FILE]
    found = faults(project, doubling(30))
    assert found[0].startswith(f"{FILE}:11: The rule comes to more than 400 comparisons")
    assert len(found) == 22  # the one, and all that are made of it


def test_segments_in_a_long_chain_are_a_fault(project: Path) -> None:
    chain = [f"  s{at}: {{label: S, when: {{not: {{segment: s{at - 1}}}}}}}" for at in range(1, 300)]
    found = faults(project, "\n".join(["segments:", "  s0: {label: S, when: {name: x}}", *reversed(chain)]) + "\n")
    assert len(found) == 290
    assert [one for one in found if "20 groups within each other" in one] == [
        f"{FILE}:292: The rule comes to more than 400 comparisons, or to more than 20 groups within each other, with "
        "those of its segments. Ask for less, or put a tag on the leads and ask for the tag."]
