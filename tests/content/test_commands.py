"""`handsel check` and `handsel init`, as they are typed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from handsel.cli import group
from handsel.content.schema import Theme
from handsel.content.theme import palette
from support.faulty import FAULTS, lay


def run(*words: str) -> Result:
    return CliRunner().invoke(group, [str(word) for word in words])


def test_check_says_what_is_there_when_all_is_well(project: Path) -> None:
    result = run("--project", project, "check")

    assert (result.exit_code, result.output) == (
        0, "All is well: 3 pages, 3 offers, 4 landing pages, 5 letters and 3 forms.\n")


def test_check_names_every_fault_and_ends_with_their_number(tmp_path: Path) -> None:
    project = lay(FAULTS / "two-kinds-at-once", tmp_path / "project")

    result = run("check", "--project", project)

    assert result.exit_code == 1
    assert result.output == (
        "content/blog/first-post.md:5: There is no author 'adda'. Did you mean 'ada'?\n"
        "forms/short.yml:7: The wording 'wording/advise.md' does not exist. Did you mean 'wording/advice.md'?\n"
        "offers/guide/emails/01-begin.md:4: 'wait': 'soon' is no length of time. "
        "Write it as `30 minutes`, `2 days` or `1 week`.\n"
        "offers/guide/offer.md:3: 'e-book' is nothing that 'kind' can be. Did you mean 'ebook'?\n"
        "\n4 faults in 4 files. A running site goes on showing each file as it last was without fault.\n")


def test_check_speaks_json(tmp_path: Path) -> None:
    project = lay(FAULTS / "unknown-author", tmp_path / "project")

    result = run("check", "--json", "--project", project)

    assert result.exit_code == 1
    assert json.loads(result.output) == {
        "ok": False,
        "faults": [{"where": "content/blog/first-post.md", "line": 5, "kind": "unknown-author",
                    "what": "There is no author 'adda'.", "do": "Did you mean 'ada'?"}],
        "notices": [],
        "counts": {"pages": 3, "offers": 3, "landing pages": 4, "letters": 5, "forms": 3},
    }


def test_check_notes_a_colour_that_was_changed_and_does_not_fail(project: Path) -> None:
    settings = project / "content" / "_site.yml"
    written = settings.read_text().partition("theme:")[0] + "theme:\n  paper: cool\n  brand: '#ffd400'\n"
    settings.write_text(written)
    line = len(written.splitlines())
    used = palette(Theme(paper="cool", brand="#ffd400")).light["brand"]

    result = run("check", "--project", project)

    assert result.exit_code == 0
    assert result.output == (
        f"Note: content/_site.yml:{line}: The brand colour #ffd400 is too light to be read on paper, "
        f"so {used} is used in its place.\n"
        "All is well: 3 pages, 3 offers, 4 landing pages, 5 letters and 3 forms.\n")
    (notice,) = json.loads(run("check", "--json", "--project", project).output)["notices"]
    assert (notice["where"], notice["line"], notice["kind"]) == ("content/_site.yml", line, "colour-changed")


def test_check_changes_nothing(project: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in project.rglob("*")}

    run("check", "--project", project)

    assert {path: path.stat().st_mtime_ns for path in project.rglob("*")} == before


def test_check_outside_of_a_project_says_how_to_make_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)

    result = run("check")

    assert result.exit_code == 1
    assert "handsel init" in result.output


def test_init_makes_a_project_without_fault(tmp_path: Path) -> None:
    folder = tmp_path / "some" / "where"

    made = run("init", folder)
    checked = run("check", "--project", folder)

    assert made.exit_code == 0
    assert f"  cd {folder}\n  handsel run\n" in made.output
    assert (checked.exit_code, checked.output[:12]) == (0, "All is well:")
    assert (folder / ".gitignore").read_text().endswith("/instance/\n")


def test_init_fills_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)

    result = run("init", ".")

    assert result.exit_code == 0
    assert "cd " not in result.output
    assert (tmp_path / "content" / "_site.yml").is_file()


def test_init_touches_no_folder_that_holds_something(tmp_path: Path) -> None:
    for name in ("a.txt", "b.txt", "c.txt", "d.txt"):
        (tmp_path / name).write_text("mine")

    result = run("init", tmp_path)

    assert result.exit_code == 1
    assert "The folder is not empty: it holds a.txt, b.txt, c.txt and 1 more." in result.output
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.txt", "b.txt", "c.txt", "d.txt"]


def test_init_touches_no_file(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")

    result = run("init", tmp_path / "file")

    assert (result.exit_code, (tmp_path / "file").read_text()) == (1, "mine")


@pytest.mark.parametrize("command", ["check", "init"])
def test_help_shows_an_example(command: str) -> None:
    result = run(command, "--help")

    assert result.exit_code == 0
    assert f"handsel {command}" in result.output.split("Example")[1]
