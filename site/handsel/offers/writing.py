"""Edits of marketers' files by the program: one block of a front matter, and several files as one act.

What is not meant stays as it was, byte for byte: comments, order, line ends. A file is never seen half written, the
outcome is checked before it goes live, and an act that fails on the way leaves everything as it was.
"""

from __future__ import annotations

import contextlib
import errno
import os
import re
import stat
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import yaml

from handsel.content import parse
from handsel.content.files import Stamp, Tree, scan
from handsel.errors import Fault, HandselError
from handsel.offers.project import Past, Project, build

KEY = "experiment"
_FENCE = re.compile(r"-{3,}[ \t]*")
_BREAK = re.compile(r"\r\n|\r|\n")


@dataclass(frozen=True)
class Change:
    """What a file shall hold, by its path from the project's root.

    ``before`` is what it held when the change was thought out, None if it was not there; ``after`` is what it shall
    hold, None if it shall go.
    """

    file: str
    before: bytes | None
    after: bytes | None


def edited(file: str, data: bytes, block: Mapping[str, Any] | None) -> bytes:
    """The bytes of an ``offer.md`` with ``block`` as its ``experiment``, or without one where that is None.

    Raises HandselError for a front matter that cannot be edited without touching more than that.
    """
    text = data.decode("utf-8")
    lines = _lines(text)
    first, last = _fences(file, lines)
    head = [parse.text_of(file, line.encode()) for line in lines[first:last]]
    begin, end = _span(file, "".join(head)) or (len(head), len(head))
    found = _BREAK.search(text)
    ending = found[0] if found else "\n"
    fresh = [line + ending for line in ([] if block is None else _yaml(block))]
    result = "".join([*lines[:first + begin], *fresh, *lines[first + end:]]).encode()
    if _others(file, result) != _others(file, data) or _wanted(file, result) != block_text(block):
        raise HandselError(file, "The front matter is written in a way that cannot be edited here.",
                           "Write each key on a line of its own, or edit the experiment block by hand.")
    return result


def _lines(text: str) -> list[str]:
    """The lines of ``text`` with their ends, whatever those are."""
    ends = [found.end() for found in _BREAK.finditer(text)]
    return [text[begin:end] for begin, end in zip([0, *ends], [*ends, len(text)], strict=True) if begin < end]


def _fences(file: str, lines: Sequence[str]) -> tuple[int, int]:
    """The places of the front matter's first line and of the line after its last."""
    fences = [place for place, line in enumerate(lines) if _FENCE.fullmatch(line.lstrip("\ufeff").rstrip("\r\n"))][:2]
    if len(fences) < 2 or fences[0] != 0:
        raise HandselError(file, "The file has no front matter.", "Run handsel check, and mend what it says.")
    return 1, fences[1]


def _span(file: str, head: str) -> tuple[int, int] | None:
    """The lines of the block from its key to its end, comments within it included; None if there is none."""
    loader: Any = yaml.CSafeLoader(head)
    try:
        found = _marks(loader)
    except yaml.YAMLError:
        raise HandselError(file, "The front matter cannot be read.",
                           "Run handsel check, and mend what it says.") from None
    finally:
        loader.dispose()
    if found is None:
        return None
    begin, end = found
    lines = head.split("\n")
    while end < len(lines) and lines[end].strip().startswith("#") and lines[end][0] in " \t":
        end += 1
    while end > begin + 1 and not lines[end - 1].strip():
        end -= 1
    return begin, end


def _marks(loader: Any) -> tuple[int, int] | None:
    """The first line of our key and the line after the last one of its value."""
    depth, is_key, end = 0, True, 0
    begin: int | None = None
    while loader.check_event():
        event: Any = loader.get_event()
        start, stop = event.start_mark, event.end_mark
        closes = isinstance(event, (yaml.MappingEndEvent, yaml.SequenceEndEvent))
        if closes:
            depth -= 1
        if depth == 1 and is_key and isinstance(event, yaml.ScalarEvent):
            if begin is not None:
                return begin, end
            if event.value == KEY:
                begin = start.line
        # The end of a block of lines is only known by what comes next; the end of its last word is exact.
        if begin is not None and (isinstance(event, yaml.ScalarEvent) or (closes and start.column > 0)):
            end = max(end, stop.line + (stop.column > 0))
        if isinstance(event, (yaml.MappingStartEvent, yaml.SequenceStartEvent)):
            depth += 1
        elif depth == 1 and isinstance(event, (yaml.ScalarEvent, yaml.MappingEndEvent, yaml.SequenceEndEvent)):
            is_key = not is_key
    return None if begin is None else (begin, end)


def _values(file: str, data: bytes) -> dict[str, Any]:
    parsed, faults = parse.markdown(file, data)
    if parsed is None or faults:
        raise HandselError(file, "The front matter cannot be read.", "Run handsel check, and mend what it says.")
    return {**parsed.values, "": parsed.body}


def _others(file: str, data: bytes) -> dict[str, Any]:
    return {key: value for key, value in _values(file, data).items() if key != KEY}


def _wanted(file: str, data: bytes) -> Any:
    return _values(file, data).get(KEY)


def block_text(block: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """``block`` as our reader gives it back: every value as the text that it was written as."""
    if block is None:
        return None
    return {key: {name: _number(share) for name, share in value.items()} if isinstance(value, Mapping)
            else _plain(value) for key, value in block.items()}


def _yaml(block: Mapping[str, Any]) -> list[str]:
    lines = [f"{KEY}:"]
    for key, value in block.items():
        if isinstance(value, Mapping):
            shares = ", ".join(f"{name}: {_number(share)}" for name, share in value.items())
            lines.append(f"  {key}: {{{shares}}}")
        elif isinstance(value, str):
            written = yaml.safe_dump([_plain(value)], width=10**9, allow_unicode=True).strip().removeprefix("- ")
            lines.append(f"  {key}: {written}")
        else:
            lines.append(f"  {key}: {_plain(value)}")
    return lines


def _plain(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return " ".join(value.split()) if isinstance(value, str) else _number(value)


def _number(value: float) -> str:
    """A number as people write it: 50, 0.03, 0.000001."""
    if float(value).is_integer():
        return str(int(value))
    return f"{value:.12f}".rstrip("0")


def checked(project: Project, changes: Iterable[Change]) -> Project:
    """The project as it would stand after ``changes``; nothing is written that its visitors could see.

    Raises HandselError, with the first new fault, if ``handsel check`` would find any that it does not find now.
    """
    changes = list(changes)
    tree = scan(project.past.tree.root)
    for change in changes:
        _expect(tree.root / change.file, change)
    with tempfile.TemporaryDirectory(prefix="handsel-") as folder:
        stamps, elsewhere = dict(tree.stamps), dict(tree.elsewhere)
        for place, change in enumerate(changes):
            if change.after is None:
                stamps.pop(change.file, None)
                continue
            fresh = Path(folder) / str(place)
            fresh.write_bytes(change.after)
            status = fresh.stat()
            stamps[change.file], elsewhere[change.file] = (status.st_mtime_ns, status.st_size, status.st_ino), fresh
        past = Past(tree, project.past.memo.fork(), project.past.good)
        after = build(_tree(tree, stamps, elsewhere), past, project.read_at)
    new = [fault for fault in after.faults if not _known(fault, project.faults)]
    if new:
        raise HandselError(new[0].where, f"That would leave a fault: {new[0].what}",
                           f"{new[0].do} Nothing was changed.".strip())
    return after


def _known(fault: Fault, faults: Iterable[Fault]) -> bool:
    """Whether it stood there before, on whatever line."""
    return any((fault.where, fault.kind, fault.what) == (other.where, other.kind, other.what) for other in faults)


def _tree(tree: Tree, stamps: dict[str, Stamp], elsewhere: dict[str, Path]) -> Tree:
    by_folder: dict[str, list[str]] = {}
    for file in sorted(stamps):
        by_folder.setdefault(file.split("/")[0], []).append(file)
    return replace(tree, stamps=stamps, by_folder=by_folder, elsewhere=elsewhere)


class Act:
    """Several changes as one: ``do`` makes all of them or, when one fails, none; ``undo`` takes them all back.

    They are made in their order, each at once or not at all; a reader in between sees some of them.
    """

    def __init__(self, root: Path, changes: Iterable[Change]) -> None:
        self.root = root
        self.changes = list(changes)
        self.done: list[Change] = []
        self.folders: list[Path] = []

    def do(self) -> None:
        """Make the changes. Raises HandselError if a file is not as expected or cannot be written."""
        for change in self.changes:
            _expect(self.root / change.file, change)
        try:
            for change in self.changes:
                self._make(change.file, change.before, change.after)
                self.done.append(change)
        except BaseException:
            self.undo()
            raise

    def undo(self) -> None:
        """Put back what was there before, as far as it was changed."""
        while self.done:
            change = self.done.pop()
            self._make(change.file, change.after, change.before)
        while self.folders:
            with contextlib.suppress(OSError):
                self.folders.pop().rmdir()

    def _make(self, file: str, before: bytes | None, after: bytes | None) -> None:
        path = self.root / file
        _expect(path, Change(file, before, after))
        try:
            if after is None:
                path.unlink()
            else:
                self._folder(path.parent)
                fresh = _fresh(path.parent, after, _pattern(path))
                try:
                    os.replace(fresh, path)
                except BaseException:
                    _drop(fresh)
                    raise
            _sync(path.parent)
        except OSError as error:
            raise unwritable(file, error) from error

    def _folder(self, folder: Path) -> None:
        if not folder.exists():
            folder.mkdir()
            self.folders.append(folder)
            pattern = folder.parent.stat()
            folder.chmod(stat.S_IMODE(pattern.st_mode))
            with contextlib.suppress(PermissionError):
                os.chown(folder, pattern.st_uid, pattern.st_gid)


def present(root: Path, file: str) -> bytes | None:
    """What stands in a marketer's file, None if there is none. Raises HandselError when it cannot be read."""
    try:
        return (root / file).read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise unwritable(file, error) from error


def unwritable(file: str, error: OSError) -> HandselError:
    """What to say when the program may not write a marketer's file."""
    if error.errno in {errno.ENOSPC, errno.EDQUOT}:
        return HandselError(file, f"The file cannot be written: {error.strerror}.",
                            "Make room on the disk, and try again. Nothing was changed.")
    return HandselError(file, f"The file cannot be written: {error.strerror}.",
                        "Give the user that runs Handsel the right to write in that folder, or make the change there "
                        "by hand. Nothing was changed.")


def _expect(path: Path, change: Change) -> None:
    try:
        now = path.read_bytes()
    except FileNotFoundError:
        now = None
    except OSError as error:
        raise unwritable(change.file, error) from error
    if now != change.before:
        raise HandselError(change.file, "Somebody changed the file meanwhile.",
                           "Nothing was changed. Look at it, and try again.")


def _fresh(folder: Path, data: bytes, pattern: os.stat_result) -> Path:
    """A new file with ``data`` in ``folder``, on disk, under a name that readers of the project pass over.

    It has the rights of ``pattern``, and its owner as far as we may give files away.
    """
    path = folder / f".handsel-{os.getpid()}-{os.urandom(6).hex()}"
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            with contextlib.suppress(PermissionError):
                os.fchown(file.fileno(), pattern.st_uid, pattern.st_gid)
            os.fchmod(file.fileno(), stat.S_IMODE(pattern.st_mode) & 0o666)
            os.fsync(file.fileno())
    except BaseException:
        _drop(path)
        raise
    return path


def _pattern(path: Path) -> os.stat_result:
    """The file itself as the pattern for its rights, or one near it while it is not there."""
    near = (path, *sorted(path.parent.glob("*.md")), *sorted(path.parent.parent.glob("*.md")), path.parent)
    return next(each for each in near if each.exists()).stat()


def _drop(path: Path) -> None:
    with contextlib.suppress(OSError):
        path.unlink()


def _sync(folder: Path) -> None:
    """The names in ``folder`` outlive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
