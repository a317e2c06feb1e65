"""What changed between two texts, line by line and within a line word by word."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

AROUND = 2  # lines that stay the same, kept beside a change so that one sees where it is
LONGEST = 4000  # lines or words; beyond them the search for what stayed the same takes longer than it helps
ALIKE = 0.5  # lines with a smaller share of their words in common are two lines, not one that was changed

_WORDS = re.compile(r"\s+|\w+|[^\w\s]")


@dataclass(frozen=True)
class Part:
    """A stretch of a line: ``kind`` is same, gone or new."""

    kind: str
    text: str


@dataclass(frozen=True)
class Line:
    """A line of the comparison: same, gone, new or changed; ``skip`` stands for the lines that are left out."""

    kind: str
    parts: tuple[Part, ...] = ()


def compare(old: str, new: str) -> list[Line]:
    """The changes from ``old`` to ``new`` with a little of what is around them; empty where nothing changed."""
    before, after = old.splitlines(), new.splitlines()
    if before == after:
        return []
    if len(before) + len(after) > LONGEST:
        return [*_all(before, "gone"), *_all(after, "new")]
    found: list[Line] = []
    matcher = SequenceMatcher(None, before, after, autojunk=False)
    for number, group in enumerate(matcher.get_grouped_opcodes(AROUND)):
        if number or group[0][1] > 0:
            found.append(Line("skip"))
        for kind, first, last, begin, end in group:
            if kind == "equal":
                found += _all(before[first:last], "same")
            else:
                found += _replaced(before[first:last], after[begin:end])
    if group[-1][2] < len(before):
        found.append(Line("skip"))
    return found


def _all(lines: Sequence[str], kind: str) -> list[Line]:
    return [Line(kind, (Part(kind, text),)) for text in lines]


def _replaced(old: Sequence[str], new: Sequence[str]) -> Iterator[Line]:
    """Lines in the place of others: those at the same place are compared word by word, if they have enough in common.
    """
    pairs = min(len(old), len(new))
    for index in range(pairs):
        parts = _words(old[index], new[index])
        if parts is None:
            yield from (*_all([old[index]], "gone"), *_all([new[index]], "new"))
        else:
            yield Line("changed", parts)
    yield from (*_all(old[pairs:], "gone"), *_all(new[pairs:], "new"))


def _words(old: str, new: str) -> tuple[Part, ...] | None:
    before, after = _WORDS.findall(old), _WORDS.findall(new)
    if len(before) + len(after) > LONGEST:
        return None
    if SequenceMatcher(None, _bare(before), _bare(after), autojunk=False).ratio() < ALIKE:
        return None
    matcher = SequenceMatcher(None, before, after, autojunk=False)
    parts: list[Part] = []
    for kind, first, last, begin, end in matcher.get_opcodes():
        if kind == "equal":
            parts.append(Part("same", "".join(before[first:last])))
            continue
        parts += [Part(name, text) for name, text in (("gone", "".join(before[first:last])),
                                                      ("new", "".join(after[begin:end]))) if text]
    return tuple(parts)


def _bare(words: Sequence[str]) -> list[str]:
    """The words alone: gaps and signs are in every line, and say nothing of what it says."""
    return [word for word in words if word[0].isalnum()]
