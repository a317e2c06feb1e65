"""Segments at the desk: rows become a rule, the rule a sentence and a count, and Save writes the file."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from factories import make_lead
from support.desk import AtDesk

TEXT = """\
# Ours.
segments:
  readers:
    label: Readers
    when:
      tag: reader   # by hand
  odd:
    label: Odd ones
    when:
      any:
        - tag: reader
          stage: mql
"""


@pytest.fixture
def file(project: Path) -> Path:
    path = project / "content" / "_segments.yml"
    path.write_text(TEXT)
    return path


@pytest.fixture
def ines(file: Path, app: Flask) -> AtDesk:
    app.extensions["handsel.offers"].refresh()
    return AtDesk(app, "marketer")


def seen(page: str) -> str:
    found = re.search(r'name="seen" value="([^"]*)"', page)
    assert found
    return found[1]


def said(page: str) -> str:
    found = re.search(r'<section class="said".*?</section>', page, re.S)
    assert found
    return " ".join(re.sub(r"<[^>]+>", " ", found[0]).split())


def fields(**given: Any) -> dict[str, Any]:
    return {name.replace("__", "-"): value for name, value in given.items()}


def test_the_list_tells_each_rule_as_a_sentence_with_its_count(ines: AtDesk) -> None:
    make_lead(tags=("reader",), stage="mql")
    make_lead(tags=("reader",))
    page = ines.get("/desk/segments").text
    assert "Everyone who has the tag reader." in page
    assert '<td class="number count">2 leads</td>' in page
    assert '<td class="number count">1 lead</td>' in page
    assert "/desk/leads?segment=readers" in page


def test_a_segment_is_built_row_by_row_and_saved_and_undone(ines: AtDesk, file: Path, app: Flask) -> None:
    make_lead(job_title="Head of reading", stage="mql")
    make_lead(job_title="Editor", stage="mql")
    page = ines.get("/desk/segments/new").text
    assert said(page).startswith("Whom it means Nobody yet.")

    rows = fields(label="Heads", act="add", about="job_title")
    page = ines.post("/desk/segments/new", **rows).text
    assert 'name="r0-about" value="job_title"' in page

    rows = fields(label="Heads", r0__about="job_title", r0__op="contains", r0__value="head, chief", act="look")
    page = ines.post("/desk/segments/new", **rows).text
    assert said(page) == ("Whom it means Everyone who has a job title that contains “head” or “chief”. 1 lead")
    assert file.read_text() == TEXT

    answer = ines.post("/desk/segments/new", **(rows | {"act": "save", "note": "To call.", "tag": "Head"}))
    assert answer.status_code == 303, answer.text
    assert file.read_text() == TEXT + """\
  heads:
    label: Heads
    note: To call.
    tag: head
    when:
      job_title:
        contains: [head, chief]
"""
    page = ines.get(answer.location).text
    assert "Saved “Heads”: 1 lead now." in page
    undo = re.search(r'action="(/desk/segments/edits/\d+/undo)"', page)
    assert undo
    ines.post(undo[1])
    assert file.read_text() == TEXT
    assert "Undone: the lines are as they were." in ines.get("/desk/segments").text


def test_a_change_keeps_the_comments_and_a_row_can_be_removed(ines: AtDesk, file: Path) -> None:
    page = ines.get("/desk/segments/readers").text
    sent = fields(label="Our readers", seen=seen(page), r0__about="tag", r0__op="any_of", r0__value="reader")
    page = ines.post("/desk/segments/readers", **sent, act="remove-0").text
    assert "r0-about" not in page
    assert ines.post("/desk/segments/readers", **sent, act="save").status_code == 303
    assert file.read_text() == TEXT.replace("label: Readers", "label: Our readers")


def test_a_rule_that_rows_cannot_say_is_shown_as_text(ines: AtDesk, file: Path) -> None:
    page = ines.get("/desk/segments/odd").text
    assert "any:\n- {tag: reader, stage: mql}" in page
    sent = {"label": "Odd ones", "seen": seen(page), "rule": "any:\n- tag: reader\n- stge: mql\n"}
    page = ines.post("/desk/segments/odd", **sent, act="look").text
    assert "Line 3: There is nothing called &#39;stge&#39; to ask about. Did you mean &#39;stage&#39;?" in page
    answer = ines.post("/desk/segments/odd", **sent, act="save")
    assert answer.status_code == 422
    sent["rule"] = "any:\n- tag: reader\n- stage: mql\n"
    assert 'name="r1-about" value="stage"' in ines.post("/desk/segments/odd", **sent, act="rows").text
    assert ines.post("/desk/segments/odd", **sent, act="save").status_code == 303
    assert file.read_text().endswith("    when:\n      any:\n      - {tag: reader}\n      - {stage: mql}\n")


@pytest.mark.parametrize(("sent", "words"), [
    ({"label": "Everybody"}, "Add at least one condition: a segment never means everybody."),
    ({"label": "", "r0-about": "stage", "r0-op": "any_of", "r0-pick": "mql"}, "Give it a name of 60 characters"),
    ({"label": "A", "r0-about": "score", "r0-op": "at_least", "r0-value": "x"}, "A number is missing here."),
    ({"label": "A", "r0-about": "score", "r0-op": "drop", "r0-value": "1"}, "There is nothing like that to ask about."),
    ({"label": "A", "r0-about": "nonsense", "r0-op": "is"}, "There is nothing like that to ask about."),
    ({"label": "A", "tag": "!", "r0-about": "stage", "r0-op": "any_of", "r0-pick": "mql"}, "A tag is made of letters"),
    ({"label": "A", "tag": "hot", "r0-about": "score", "r0-op": "at_least", "r0-value": "1"},
     "The tag goes by &#39;score&#39;, which is made of the tags."),
])
def test_what_is_wrong_is_said_and_nothing_is_written(
        ines: AtDesk, file: Path, sent: dict[str, str], words: str) -> None:
    answer = ines.post("/desk/segments/new", **sent, act="save")
    assert answer.status_code == 422
    assert words in answer.text
    assert file.read_text() == TEXT


def test_what_a_colleague_changed_meanwhile_is_not_overwritten_unseen(ines: AtDesk, file: Path) -> None:
    page = ines.get("/desk/segments/readers").text
    file.write_text(TEXT.replace("label: Readers", "label: Theirs"))
    sent = fields(label="Mine", seen=seen(page), r0__about="tag", r0__op="any_of", r0__value="reader", act="save")
    answer = ines.post("/desk/segments/readers", **sent)
    assert answer.status_code == 409
    assert "Somebody changed the segment meanwhile." in answer.text
    assert 'value="Mine"' in answer.text
    assert ines.post("/desk/segments/readers", **(sent | {"seen": seen(answer.text)})).status_code == 303
    assert "label: Mine" in file.read_text()


def test_a_faulty_file_is_told_with_its_line_and_can_be_mended_at_the_desk(
        ines: AtDesk, file: Path, app: Flask) -> None:
    file.write_text(TEXT.replace("tag: reader   # by hand", "tagg: reader"))
    app.extensions["handsel.offers"].refresh()
    page = ines.get("/desk/segments").text
    assert "<code>content/_segments.yml:6</code> There is nothing called &#39;tagg&#39; to ask about." in page
    assert "Everyone who has the tag reader." in page  # as it last was
    page = ines.get("/desk/segments/readers").text
    assert "tagg: reader" in page
    answer = ines.post("/desk/segments/readers", label="Readers", seen=seen(page), rule="tag: reader", act="save")
    assert answer.status_code == 303
    assert app.extensions["handsel.offers"].refresh().faults == ()


def test_a_segment_that_another_names_stays_and_the_reason_is_said(ines: AtDesk, file: Path, app: Flask) -> None:
    file.write_text(TEXT + "  more: {label: More, when: {segment: readers, stage: mql}}\n")
    app.extensions["handsel.offers"].refresh()
    page = ines.get("/desk/segments/readers").text
    ines.post("/desk/segments/readers/removal", seen=seen(page))
    assert "That would leave a fault: There is no segment &#39;readers&#39;." in ines.get("/desk/segments").text
    page = ines.get("/desk/segments/odd").text
    ines.post("/desk/segments/odd/removal", seen=seen(page))
    assert "Deleted “odd”." in ines.get("/desk/segments").text
    assert "Odd ones" not in file.read_text()


def test_a_list_of_a_segment_there_is_not_is_an_error_and_not_everybody(ines: AtDesk) -> None:
    make_lead()
    answer = ines.get("/desk/leads?segment=raeders")
    assert answer.status_code == 400
    assert "There is no segment &#39;raeders&#39;. Did you mean &#39;readers&#39;?" in answer.text
