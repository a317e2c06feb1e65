"""Segments written at the desk: into the file, into the log, and back again."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from flask import Flask

from handsel.accounts.audit import Actor
from handsel.accounts.models import AuditEntry
from handsel.db import db
from handsel.errors import HandselError
from handsel.leads.segments import acts
from handsel.leads.segments.acts import Conflict, Draft
from handsel.offers.live import Live
from support.clock import Clock

INES = Actor("ines@press.example")
TEXT = """\
# Our groups.
segments:
  readers:  # everybody who read it
    label: Readers
    when:
      downloaded: guide  # the small one
  fresh: {label: Fresh, when: {segment: readers, last_act: {within: 7 days}}}
"""


@pytest.fixture
def file(project: Path) -> Path:
    path = project / "content" / "_segments.yml"
    path.write_text(TEXT)
    return path


@pytest.fixture
def live(app: Flask, file: Path, clock: Clock) -> Live:
    found: Live = app.extensions["handsel.offers"]
    assert found.refresh().faults == ()
    return found


def actions() -> list[tuple[str, str]]:
    db.session.rollback()
    rows = db.session.execute(db.select(AuditEntry.action, AuditEntry.subject).order_by(AuditEntry.id))
    return [(action, subject) for action, subject in rows]


def test_saving_changes_only_what_changed_and_can_be_undone(live: Live, file: Path) -> None:
    block, seen = acts.written(live, "readers")
    assert block == {"label": "Readers", "when": {"downloaded": "guide"}}
    edit = acts.save(live, "readers", Draft("Our readers", block["when"], tag="reader"), seen=seen, actor=INES)
    assert file.read_text() == TEXT.replace("label: Readers", "label: Our readers").replace(
        "  # the small one\n", "  # the small one\n    tag: reader\n")
    assert live.project.rules.segments.get("readers").tag == "reader"

    acts.undo(live, edit.id, actor=INES)
    assert file.read_text() == TEXT
    assert actions() == [("saved a segment", "segment:readers"), ("undid a change of a segment", "segment:readers")]
    with pytest.raises(HandselError, match="cannot be undone any more"):
        acts.undo(live, edit.id, actor=INES)


def test_a_segment_on_one_line_is_written_anew(live: Live, file: Path) -> None:
    block, seen = acts.written(live, "fresh")
    acts.save(live, "fresh", Draft("Fresh", {**block["when"], "country": "GB"}), seen=seen, actor=INES)
    assert file.read_text() == TEXT[:TEXT.index("  fresh")] + """\
  fresh:
    label: Fresh
    when:
      segment: readers
      last_act: {within: 7 days}
      country: GB
"""


def test_a_new_segment_makes_the_file_and_its_undo_leaves_none(live: Live, file: Path) -> None:
    file.unlink()
    live.refresh()
    edit = acts.save(live, "hot", Draft("Hot", {"stage": "mql"}), seen="", actor=INES)
    assert file.read_text() == "segments:\n  hot:\n    label: Hot\n    when: {stage: mql}\n"
    acts.undo(live, edit.id, actor=INES)
    assert live.project.rules.segments.by_name == {}


def test_one_that_another_names_is_not_deleted_and_what_is_deleted_comes_back_in_its_place(
        live: Live, file: Path) -> None:
    with pytest.raises(HandselError, match="That would leave a fault: There is no segment 'readers'"):
        acts.delete(live, "readers", seen=acts.written(live, "readers")[1], actor=INES)
    assert file.read_text() == TEXT
    acts.save(live, "last", Draft("Last", {"stage": "sql"}), seen="", actor=INES)
    whole = file.read_text()
    edit = acts.delete(live, "fresh", seen=acts.written(live, "fresh")[1], actor=INES)
    assert "fresh" not in file.read_text()
    acts.undo(live, edit.id, actor=INES)
    assert file.read_text() == whole


def test_a_rule_that_would_be_a_fault_is_not_written(live: Live, file: Path) -> None:
    with pytest.raises(HandselError, match="There is no offer 'gide'"):
        acts.save(live, "hot", Draft("Hot", {"asked": "gide"}), seen="", actor=INES)
    assert file.read_text() == TEXT
    assert actions() == []


def test_nobody_overwrites_what_somebody_else_wrote_meanwhile(live: Live, file: Path) -> None:
    block, seen = acts.written(live, "readers")
    file.write_text(TEXT.replace("label: Readers", "label: Theirs"))
    with pytest.raises(Conflict, match="Somebody changed the segment meanwhile"):
        acts.save(live, "readers", Draft("Mine", block["when"]), seen=seen, actor=INES)
    with pytest.raises(Conflict, match="There is a segment of that name already"):
        acts.save(live, "readers", Draft("Mine", block["when"]), seen="", actor=INES)
    edit = acts.save(live, "fresh", Draft("Mine", block["when"]), seen=acts.written(live, "fresh")[1], actor=INES)
    file.write_text(file.read_text().replace("label: Mine", "label: Yours"))
    with pytest.raises(Conflict, match="changed again since"):
        acts.undo(live, edit.id, actor=INES)


def test_after_thirty_days_a_change_stands(live: Live, clock: Clock) -> None:
    edit = acts.save(live, "hot", Draft("Hot", {"stage": "mql"}), seen="", actor=INES)
    assert [each.id for each in acts.recent(db.session(), clock.now)] == [edit.id]
    clock.move(days=31)
    assert acts.recent(db.session(), clock.now - timedelta()) == []
    with pytest.raises(HandselError, match="cannot be undone any more"):
        acts.undo(live, edit.id, actor=INES)
