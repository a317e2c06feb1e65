"""Every kind of fault, shown by a small project that has it; see tests/support/faulty.py for how they are laid out."""

from __future__ import annotations

from pathlib import Path

import pytest

from handsel.offers.project import check
from support.faulty import FAULTS, SAMPLE, lay, lines

CASES = sorted(folder.name for folder in FAULTS.iterdir() if folder.is_dir())
REPOSITORY = Path(__file__).parents[2]


@pytest.mark.parametrize("case", CASES)
def test_a_fault_is_named_with_its_place_and_what_to_do(case: str, tmp_path: Path) -> None:
    project = lay(FAULTS / case, tmp_path / "project")

    assert lines(project) == (FAULTS / case / "expected.txt").read_text().splitlines()


@pytest.mark.parametrize("project", [SAMPLE, REPOSITORY, REPOSITORY / "site" / "handsel" / "starter"],
                         ids=["tests/sample", "the repository", "the starter"])
def test_a_good_project_has_no_fault(project: Path) -> None:
    assert check(project) == []


def test_at_least_eighty_kinds_of_fault_are_shown() -> None:
    said = [line for case in CASES for line in (FAULTS / case / "expected.txt").read_text().splitlines()]
    shown = {line.split(" | ")[0] for line in said}

    assert len(shown) >= 80


def test_all_faults_of_all_files_are_named_at_once(tmp_path: Path) -> None:
    project = lay(FAULTS / "two-kinds-at-once", tmp_path / "project")

    assert [(fault.where, fault.kind) for fault in check(project)] == [
        ("content/blog/first-post.md", "unknown-author"),
        ("forms/short.yml", "missing-wording"),
        ("offers/guide/emails/01-begin.md", "bad-duration"),
        ("offers/guide/offer.md", "unknown-offer-kind"),
    ]
