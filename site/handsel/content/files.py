"""The marketers' folders on disk: what is there, told apart by time, size and inode, and never outside the project."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from handsel.content.parse import MAX_FILE, Broken
from handsel.errors import Fault

FOLDERS = ("content", "offers", "forms")
MAX_FOLDERS_DEEP = 12

Stamp = tuple[int, int, int]
"""A file's modification time in ns, its size in bytes, and its inode: as long as they stay, it is the same."""

T = TypeVar("T")


@dataclass(frozen=True)
class Tree:
    """The files of the three folders at one moment, by their path from ``root``, in order."""

    root: Path
    stamps: dict[str, Stamp]
    faults: tuple[Fault, ...] = ()
    by_folder: dict[str, list[str]] = field(default_factory=dict, compare=False, repr=False)
    elsewhere: dict[str, Path] = field(default_factory=dict, compare=False, repr=False)
    """Files that lie in another place than their path says."""

    def path(self, file: str) -> Path:
        """Where the file lies."""
        return self.elsewhere.get(file) or self.root / file

    def of(self, folder: str) -> list[str]:
        """The paths of all files below that folder of the three."""
        return self.by_folder.get(folder, [])

    def read(self, file: str) -> bytes:
        """The bytes of a file that is read as text. Raises Broken."""
        size = self.stamps[file][1]
        if size > MAX_FILE:
            raise Broken(file, 0, "oversized-file", f"The file holds {size:,} bytes; we read at most {MAX_FILE:,}.",
                         "Split it into several pages, or offer it as a file to download.")
        try:
            descriptor = os.open(os.path.realpath(self.path(file)), os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
            with os.fdopen(descriptor, "rb") as opened:
                return opened.read(MAX_FILE + 1)
        except OSError as error:
            raise Broken(file, 0, "unreadable-file", f"The file cannot be read: {error.strerror}.",
                         "Give the user that runs Handsel the right to read it.") from None


def scan(root: Path) -> Tree:
    """What is in the three folders now. Names that begin with a dot are passed over."""
    stamps: dict[str, Stamp] = {}
    faults: list[Fault] = []
    by_folder: dict[str, list[str]] = {}
    for folder in FOLDERS:
        found: dict[str, Stamp] = {}
        if (root / folder).is_symlink():
            faults.append(_outside(folder))
        else:
            _walk(root, folder, 0, found, faults)
        by_folder[folder] = sorted(found)
        stamps.update((file, found[file]) for file in by_folder[folder])
    return Tree(root, stamps, tuple(faults), by_folder)


def _walk(root: Path, folder: str, depth: int, found: dict[str, Stamp], faults: list[Fault]) -> None:
    try:
        entries = os.scandir(f"{root}/{folder}")
    except FileNotFoundError:
        return
    except OSError as error:
        faults.append(Fault(printable(folder), 0, "unreadable-file", f"The folder cannot be read: {error.strerror}.",
                            "Give the user that runs Handsel the right to read it."))
        return
    with entries:
        for entry in entries:
            if entry.name[0] == ".":
                continue
            file = f"{folder}/{entry.name}"
            if entry.is_symlink():
                _link(root, file, found, faults)
            elif entry.is_dir(follow_symlinks=False):
                if depth < MAX_FOLDERS_DEEP:
                    _walk(root, file, depth + 1, found, faults)
                else:
                    faults.append(Fault(printable(file), 0, "folder-too-deep", "The folder lies too deep.",
                                        f"Keep to {MAX_FOLDERS_DEEP} folders within each other."))
            else:
                _file(file, entry.stat, found, faults)


def _file(file: str, status: Callable[..., os.stat_result], found: dict[str, Stamp], faults: list[Fault]) -> None:
    try:
        now = status(follow_symlinks=False)
    except OSError:
        return  # deleted between the listing and the look: the next scan will not find it
    if not stat.S_ISREG(now.st_mode):
        faults.append(Fault(printable(file), 0, "not-a-file", "This is no ordinary file.", "Delete it."))
    elif not file.isprintable():
        faults.append(Fault(printable(file), 0, "bad-file-name", "The name of the file cannot be part of an address.",
                            "Rename it with small letters, digits and hyphens."))
    else:
        found[file] = (now.st_mtime_ns, now.st_size, now.st_ino)


def _link(root: Path, file: str, found: dict[str, Stamp], faults: list[Fault]) -> None:
    """A symbolic link counts only if it leads to a file of the same three folders."""
    real = os.path.realpath(root / file)
    base = os.path.realpath(root)
    if not any(real.startswith(f"{base}/{folder}/") for folder in FOLDERS):
        faults.append(_outside(file))
    elif os.path.isdir(real):
        faults.append(Fault(printable(file), 0, "linked-folder", "This is a link to a folder.",
                            "Copy the folder, or link its files one by one."))
    elif os.path.exists(real):
        _file(file, lambda **_: os.stat(real), found, faults)
    else:
        faults.append(Fault(printable(file), 0, "dangling-symlink", "The link leads to a file that does not exist.",
                            "Delete it or mend it."))


def _outside(file: str) -> Fault:
    return Fault(printable(file), 0, "symlink-outside", "The link leads out of the project's folders.",
                 "Copy the file here instead of linking it.")


def printable(name: str) -> str:
    """``name`` without anything that a terminal or a log could trip over."""
    clean = name.encode("utf-8", "backslashreplace").decode()
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in clean)


class Memo:
    """What was made from each file, kept for as long as the file and its circumstances stay the same."""

    def __init__(self) -> None:
        self._kept: dict[str, tuple[Hashable, Any]] = {}
        self.made = 0
        """How often something was made since whoever keeps us on disk last set it to 0."""

    def __len__(self) -> int:
        return len(self._kept)

    def fork(self) -> Memo:
        """Another one that knows the same, and keeps to itself what it learns from now on."""
        other = Memo()
        other._kept = dict(self._kept)
        return other

    def get(self, file: str, key: Hashable, make: Callable[[], T]) -> T:
        """What ``make`` gave for the same ``file`` and ``key`` before, or gives now."""
        kept = self._kept.get(file)
        if kept is not None and kept[0] == key:
            value: T = kept[1]
            return value
        value = make()
        self.put(file, key, value)
        return value

    def has(self, file: str, key: Hashable) -> bool:
        """Whether ``get`` would give back what was made before."""
        kept = self._kept.get(file)
        return kept is not None and kept[0] == key

    def put(self, file: str, key: Hashable, value: object) -> None:
        """Keep ``value`` as what was made from ``file``."""
        self.made += 1
        self._kept[file] = (key, value)

    def forget(self, files: set[str]) -> None:
        """Drop what was made from any file but these."""
        for file in self._kept.keys() - files:
            del self._kept[file]
