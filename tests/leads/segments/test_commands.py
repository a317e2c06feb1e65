"""Segments on the command line: told, counted, exported; one there is not is an error."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result
from flask import Flask

from factories import make_lead

Run = Callable[..., Result]
TEXT = """\
segments:
  readers: {label: Readers, tag: reads, when: {offer: guide}}
  quiet: {label: Gone quiet, when: {not: {segment: readers}}}
"""


@pytest.fixture
def leads(app: Flask, project: Path) -> None:
    (project / "content" / "_segments.yml").write_text(TEXT)
    make_lead(email="ada@example.org", offers=("guide",))
    make_lead(email="bea@example.org")
    make_lead(email="cleo@example.org")


def test_each_segment_is_told_as_a_sentence_with_its_count(handsel: Run, leads: None) -> None:
    done = handsel("leads", "segments")
    assert done.exit_code == 0, done.output
    assert done.stdout.splitlines() == [
        "readers  Readers: 1 lead", "    Everyone who has asked for guide.",
        "quiet  Gone quiet: 2 leads", "    Everyone who is not in the segment readers."]
    assert json.loads(handsel("leads", "segments", "readers", "--json").stdout) == [
        {"segment": "readers", "label": "Readers", "rule": "Everyone who has asked for guide.", "tag": "reads",
         "leads": 1, "about": False}]


def test_an_export_takes_the_leads_of_a_segment_and_no_others(handsel: Run, leads: None) -> None:
    rows = handsel("leads", "export", "--segment", "quiet").stdout.splitlines()
    assert [row.partition(",")[0] for row in rows] == ["email", "bea@example.org", "cleo@example.org"]


@pytest.mark.parametrize("arguments", [("leads", "segments", "raeders"), ("leads", "export", "--segment", "raeders")])
def test_a_segment_there_is_not_is_an_error_and_never_everybody(
        handsel: Run, leads: None, arguments: tuple[str, ...]) -> None:
    done = handsel(*arguments)
    assert done.exit_code == 1
    assert "There is no segment 'raeders'." in done.output
    assert "Did you mean 'readers'?" in done.output
    assert "@example.org" not in done.output


def test_a_segment_with_a_fault_is_named_and_holds_for_nobody(handsel: Run, leads: None, project: Path) -> None:
    (project / "content" / "_segments.yml").write_text(TEXT.replace("offer: guide", "offer: giude"))
    done = handsel("leads", "export", "--segment", "quiet")
    assert done.exit_code == 1
    assert "The segment 'quiet' has a fault in content/_segments.yml." in done.output
    assert "@example.org" not in done.output
    said = handsel("leads", "segments").output
    assert "With a fault: readers, quiet." in said
    assert "content/_segments.yml:2: There is no offer 'giude'." in said


def test_a_fault_is_named_beside_the_rules_that_hold_meanwhile(handsel: Run, leads: None, project: Path) -> None:
    file = project / "content" / "_segments.yml"
    file.write_text(TEXT + "  late: {label: Late, when: {stagee: iql}}\n")
    done = handsel("leads", "segments")
    assert "readers  Readers: 1 lead" in done.stdout
    assert "as it last was without one:\ncontent/_segments.yml:4: There is nothing called 'stagee'" in done.stderr


def test_without_segments_the_command_says_where_to_write_one(handsel: Run, app: Flask) -> None:
    assert "Write one into content/_segments.yml" in handsel("leads", "segments").output
