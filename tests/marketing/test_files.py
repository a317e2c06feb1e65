"""Faults of the project's files at the desk."""

from __future__ import annotations

from factories import make_experiment
from support import on_sqlite
from support.desk import AtDesk

pytestmark = on_sqlite


def test_a_sound_project_says_so(app):
    assert "No faults" in AtDesk(app, "marketer").get("/desk/files").text


def test_a_fault_is_named_with_its_file_line_and_what_to_do(app, project):
    live = app.extensions["handsel.offers"]
    assert not live.project.faults
    page = project / "content" / "privacy.md"
    page.write_text(page.read_text(encoding="utf-8").replace("title:", "titel:"), encoding="utf-8")
    live.refresh()
    text = AtDesk(app, "marketer").get("/desk/files").text
    assert "content/privacy.md" in text
    for fault in live.project.faults:
        assert fault.do.split("'")[0] in text
    assert "in 1 file of the project" in AtDesk(app, "owner").get("/desk/").text
    assert "in 1 file of the project" not in AtDesk(app, "sales").get("/desk/").text


def test_what_was_changed_of_a_colour_is_good_to_know(app, project):
    settings = project / "content" / "_site.yml"
    settings.write_text(settings.read_text().replace("#046246", "#ffd400"))
    app.extensions["handsel.offers"].refresh()

    text = AtDesk(app, "marketer").get("/desk/files").text

    assert "No faults" in text
    assert "Good to know" in text
    assert "The brand colour #ffd400 is too light to be read on paper" in text


def test_a_page_that_changed_under_its_test_is_told_of(app):
    make_experiment(versions={}, events=({"kind": "version", "detail": "b"},))

    text = AtDesk(app, "marketer").get("/desk/files").text

    assert ("No faults" in text, "The page changed while its test runs" in text) == (True, True)
