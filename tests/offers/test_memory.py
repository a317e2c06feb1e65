"""What one process has read, the next need not read again; and what the file could bring with it."""

from __future__ import annotations

import os
import pickle
from pathlib import Path

import pytest

from handsel.content import markdown
from handsel.offers import memory
from handsel.offers.live import Live
from handsel.offers.project import read


@pytest.fixture
def rendered(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The files whose Markdown is rendered from here on."""
    files: list[str] = []
    render = markdown.render

    def note(source: str, *, file: str, **circumstances: object) -> object:
        files.append(file)
        return render(source, file=file, **circumstances)  # type: ignore[arg-type]

    monkeypatch.setattr(markdown, "render", note)
    return files


def test_a_second_process_renders_nothing_again(project: Path, rendered: list[str]) -> None:
    first = Live(project).refresh()
    assert len(rendered) > 10
    rendered.clear()

    second = Live(project).refresh()

    assert (second, rendered) == (first, [])


def test_a_second_process_reads_what_has_changed_meanwhile(project: Path, rendered: list[str]) -> None:
    Live(project).refresh()
    rendered.clear()
    file = project / "content" / "privacy.md"
    file.write_text(file.read_text().replace("Privacy notice", "Data notice"))

    second = Live(project).refresh()

    assert (second.pages["/privacy/"].title, rendered) == ("Data notice", ["content/privacy.md"])


def test_another_program_reads_all_anew(project: Path) -> None:
    Live(project).refresh()
    file = project / memory.FILE
    head, _, rest = file.read_bytes().partition(b"\n")
    file.write_bytes(head + b"!\n" + rest)

    assert memory.load(project) is None


def test_a_project_that_was_moved_is_read_anew(project: Path, tmp_path: Path) -> None:
    Live(project).refresh()
    project.rename(tmp_path / "moved")

    assert memory.load(tmp_path / "moved") is None


@pytest.mark.parametrize("cut", [0, 1, 100, 5_000])
def test_a_damaged_file_is_passed_over(project: Path, cut: int) -> None:
    Live(project).refresh()
    file = project / memory.FILE
    file.write_bytes(file.read_bytes()[:cut])

    assert memory.load(project) is None
    assert Live(project).refresh().faults == ()


class Command:
    """Something that runs a command when a careless reader brings it back."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.system, (f"touch {self.path}",)


class Lookup(Command):
    """Something that looks its way up from a harmless value."""

    def __reduce__(self) -> tuple[object, tuple[object, ...]]:  # type: ignore[override]
        return getattr, (set, "__subclasses__")


@pytest.mark.parametrize("kind", [Command, Lookup])
def test_the_file_cannot_bring_a_command_with_it(project: Path, tmp_path: Path, kind: type[Command]) -> None:
    Live(project).refresh()
    file = project / memory.FILE
    head, _, _ = file.read_bytes().partition(b"\n")
    file.write_bytes(head + b"\n" + pickle.dumps(kind(tmp_path / "ran")))

    assert memory.load(project) is None
    assert not (tmp_path / "ran").exists()


def test_a_file_that_others_may_write_is_not_trusted(project: Path) -> None:
    Live(project).refresh()
    (project / memory.FILE).chmod(0o666)

    assert memory.load(project) is None


def test_the_file_is_for_the_server_alone(project: Path) -> None:
    Live(project).refresh()

    assert (project / memory.FILE).stat().st_mode & 0o777 == 0o600
    assert read(project, memory.load(project)).faults == ()
