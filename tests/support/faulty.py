"""Projects with one thing wrong: tests/sample with the files of a folder laid over it."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from handsel.offers.project import read

SAMPLE = Path(__file__).parents[1] / "sample"
FAULTS = Path(__file__).parents[1] / "content" / "faults"
NO_FILES = {"expected.txt", "setup.txt"}


def lay(case: Path, target: Path) -> Path:
    """The sample with the files of ``case`` over it, and then the lines of its setup.txt done, in ``target``.

    ``delete FILE`` · ``move FILE TO`` · ``link FILE TARGET`` · ``fill FILE BYTES`` · ``pipe FILE`` ·
    ``front FILE BYTES`` (so much front matter) · ``bytes FILE TEXT`` (with Python's escapes). A link's target is
    absolute or from the project's root.
    """
    shutil.copytree(SAMPLE, target, ignore=shutil.ignore_patterns("instance"))
    shutil.copytree(case, target, dirs_exist_ok=True, ignore=lambda folder, names: NO_FILES)
    setup = case / "setup.txt"
    for line in setup.read_text().splitlines() if setup.exists() else ():
        verb, file, *rest = line.split(" ", 2)
        _do(verb, target / file, rest[0] if rest else "", target)
    return target


def _do(verb: str, path: Path, value: str, root: Path) -> None:
    if verb == "delete":
        path.unlink()
    elif verb == "move":
        path.rename(root / value)
    elif verb == "link":
        path.symlink_to(root / value)
    elif verb == "fill":
        path.write_bytes(b"x" * int(value))
    elif verb == "pipe":
        os.mkfifo(path)
    elif verb == "front":
        path.write_text("---\ntitle: A page\ndescription: " + "x" * int(value) + "\n---\nWords.\n")
    elif verb == "bytes":
        path.write_bytes(value.encode().decode("unicode_escape").encode("latin-1"))


def lines(project: Path) -> list[str]:
    """What `handsel check` says of the project, with the kind of each fault and notice before it."""
    found = read(project)
    return [f"{fault.kind} | {fault}" for fault in found.faults] + [
        f"{notice.kind} | Note: {notice}" for notice in found.notices]
