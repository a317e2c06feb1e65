"""Which changes of segments make every lead be looked at anew."""

from __future__ import annotations

from pathlib import Path

from flask import Flask

from handsel.leads.qualify.versions import version_of
from support import on_sqlite

pytestmark = on_sqlite
TEXT = "segments:\n  a: {label: A, when: {country: GB}}\n  b: {label: B, tag: hot, when: {segment: a}}\n"


def version(app: Flask, project: Path, text: str) -> str:
    (project / "content" / "_segments.yml").write_text(text)
    found = app.extensions["handsel.offers"].refresh()
    assert found.faults == ()
    return version_of(found)


def test_only_a_change_of_what_a_rule_says_asks_for_a_look_at_everybody(app: Flask, project: Path) -> None:
    before = version(app, project, TEXT)
    assert version(app, project, TEXT.replace("label: B", "label: Best")) == before
    assert version(app, project, TEXT + "  c: {label: C, when: {stage: mql}}\n") == before
    assert version(app, project, TEXT.replace("country: GB", "country: FR")) != before
    assert version(app, project, TEXT.replace("tag: hot", "tag: warm")) != before
