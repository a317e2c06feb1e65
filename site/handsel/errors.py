"""What can go wrong, said to the one who can mend it: where, what, what to do next."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches


@dataclass(frozen=True, order=True)
class Fault:
    """One thing that is wrong in one file.

    ``where`` is the path from the project's root, ``line`` the line in it (1 for the first, 0 for the file as a whole),
    ``what`` says what is wrong and ``do`` what to do next, both as whole sentences. ``kind`` is a stable short name
    such as ``unknown-key`` that tests and the manual refer to.
    """

    where: str
    line: int
    kind: str
    what: str
    do: str

    def __str__(self) -> str:
        place = f"{self.where}:{self.line}" if self.line else self.where
        return f"{place}: {self.what} {self.do}".rstrip()


@dataclass(frozen=True, order=True)
class Notice:
    """Something that whoever wrote a file should know and that is no fault: what was changed for them, what to expect.

    The fields are those of ``Fault``. A notice holds nothing back and does not fail ``handsel check``.
    """

    where: str
    line: int
    kind: str
    what: str
    do: str = ""

    def __str__(self) -> str:
        place = f"{self.where}:{self.line}" if self.line else self.where
        return f"{place}: {self.what} {self.do}".rstrip()


class HandselError(Exception):
    """An error with advice: ``where`` it is, ``what`` is wrong, what to ``do`` next."""

    def __init__(self, where: str, what: str, do: str = "") -> None:
        super().__init__(f"{where}: {what} {do}".rstrip())
        self.where = where
        self.what = what
        self.do = do


class SettingsError(HandselError):
    """A setting that cannot be used."""


def nearest(name: str, known: Iterable[str]) -> str:
    """A sentence that offers the valid name nearest to ``name``, or lists the first twelve if none is near."""
    names = sorted(known)
    close = get_close_matches(name, names, n=1, cutoff=0.6)
    if close:
        return f"Did you mean '{close[0]}'?"
    if not names:
        return ""
    return f"Use one of: {', '.join(names[:12])}{'…' if len(names) > 12 else '.'}"
