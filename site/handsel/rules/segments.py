"""``content/_segments.yml``: named rules, evaluated whenever they are used."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, ClassVar

from pydantic import Field as Limited

from handsel.content.library import Read, Reading
from handsel.content.parse import Parsed, Place
from handsel.content.schema import Part, Tag
from handsel.content.values import Line, Sentence, Slug
from handsel.errors import Fault, HandselError, nearest
from handsel.rules.catalogue import Vocabulary
from handsel.rules.conditions import Condition, Holds, leaves, names_used
from handsel.rules.reading import read_condition
from handsel.rules.settings import read_settings

FILE = "content/_segments.yml"
LATER = frozenset({"score", "fit", "interest", "quality", "stage", "stage_since", "owner"})
"""What is made of the tags of a lead: a tag that were put on because of it would go round in circles."""


class SegmentSpec(Part):
    """One segment."""

    missing: ClassVar[dict[str, tuple[str, str, str]]] = {
        "label": ("segment-without-label", "The segment has no label.", "Add `label: …`: what sellers call it."),
        "when": ("segment-without-rule", "The segment has no rule, and never means everybody.",
                 "Add `when:` with at least one condition below it."),
    }

    label: Line
    note: Sentence = ""
    tag: Tag | None = None
    when: dict[str, Any]


class SegmentsSpec(Part):
    """The whole file."""

    segments: dict[Slug, SegmentSpec] = Limited(default_factory=dict)


@dataclass(frozen=True)
class Segment:
    """A named rule. ``tag`` is put on whoever it holds for, and taken off whoever it held for; "" for none."""

    name: str
    label: str
    condition: Condition
    note: str = ""
    tag: str = ""


@dataclass(frozen=True)
class Segments:
    """The segments in the order of the file; ``faulty`` are the names of those whose rule cannot be read."""

    by_name: Mapping[str, Segment] = field(default_factory=dict)
    faulty: tuple[str, ...] = ()

    def get(self, name: str) -> Segment:
        """The segment of that name. Raises HandselError for one there is not, or one with a fault: a rule that cannot
        be read never means everybody."""
        if name in self.faulty:
            raise HandselError("segment", f"The segment '{name}' has a fault in {FILE}.",
                               "Run handsel check, and mend what it says.")
        if name not in self.by_name:
            raise HandselError("segment", f"There is no segment '{name[:80]}'.", nearest(name, self.by_name))
        return self.by_name[name]

    @property
    def pairs(self) -> tuple[tuple[str, Condition | None], ...]:
        """What a vocabulary wants to know of them."""
        good: list[tuple[str, Condition | None]] = [(name, one.condition) for name, one in self.by_name.items()]
        return (*good, *((name, None) for name in self.faulty if name not in self.by_name))

    @property
    def tagging(self) -> tuple[Segment, ...]:
        """Those that put a tag on leads, each after those whose tags it asks for."""
        left = {name: one for name, one in self.by_name.items() if one.tag}
        ordered: list[Segment] = []
        while left:
            ready = [name for name, one in left.items()
                     if not tags_asked(one.condition) & {other.tag for other in left.values()}]
            for name in ready or list(left):
                ordered.append(left.pop(name))
        return tuple(ordered)


def read_segments(reading: Reading, words: Vocabulary) -> Read[Segments]:
    """The segments of the project; ``words`` are the names that their rules can use, without segments."""
    return read_settings(reading, FILE, SegmentsSpec, partial(_made, words), words)


def _made(words: Vocabulary, spec: SegmentsSpec, parsed: Parsed) -> tuple[Segments, list[Fault]]:
    making = _Making(words, spec, parsed)
    for name in spec.segments:
        making.make(name)
    made = {name: found for name in spec.segments if (found := making.made.get(name)) is not None}
    faults = [*making.faults, *_tag_circles(made, parsed), *_too_late(made, parsed)]
    return Segments(made, tuple(name for name in spec.segments if name not in made)), faults


class _Making:
    """Makes segments in the order in which they need each other."""

    def __init__(self, words: Vocabulary, spec: SegmentsSpec, parsed: Parsed) -> None:
        self.words, self.spec, self.parsed = words, spec, parsed
        self.made: dict[str, Segment | None] = {}
        self.faults: list[Fault] = []
        self.open: list[str] = []

    def make(self, name: str) -> Segment | None:
        """The segment, or None where it has a fault, or needs one that has."""
        if name in self.made:
            return self.made[name]
        one, place = self.spec.segments[name], ("segments", name, "when")
        self.open.append(name)
        known: list[tuple[str, Condition | None]] = []
        circle = False
        for at, other in named(one.when, place):
            if other in self.open:
                circle = True
                self.faults.append(self.parsed.fault(
                    at, "segment-circle", f"The segment '{name}' is made of itself.",
                    f"Take `segment: {other}` out of it."))
            elif other in self.spec.segments:
                found = self.make(other)
                known.append((other, found.condition if found else None))
        self.open.pop()
        self.made[name] = None if circle else self._read(one, name, place, known)
        return self.made[name]

    def _read(self, one: SegmentSpec, name: str, place: Place,
              known: list[tuple[str, Condition | None]]) -> Segment | None:
        others: dict[str, Condition | None] = dict.fromkeys(self.spec.segments)
        words = replace(self.words, segments=tuple((others | dict(known)).items()))
        condition, faults = read_condition(one.when, self.parsed, place, words)
        self.faults += faults
        return Segment(name, one.label, condition, one.note, one.tag or "") if condition else None


def named(raw: Any, place: Place) -> Iterator[tuple[Place, str]]:
    """The segments that a rule names, with where it does, before anything else is known of it."""
    if isinstance(raw, Mapping):
        for key, value in raw.items():
            if key == "segment":
                names = value if isinstance(value, list) else [value]
                yield from (((*place, key), name) for name in names if isinstance(name, str))
            elif key in {"all", "any", "not"}:
                yield from named(value, (*place, key))
    elif isinstance(raw, list):
        for index, item in enumerate(raw):
            yield from named(item, (*place, index))


def tags_asked(condition: Condition) -> frozenset[str]:
    """The tags that a condition asks for, through its segments too."""
    return frozenset(value for leaf in leaves(condition) if isinstance(leaf, Holds) and leaf.attribute.name == "tag"
                     for value in leaf.values)


def _tag_circles(made: Mapping[str, Segment], parsed: Parsed) -> Iterator[Fault]:
    """Rules that put a tag on because of that tag would flicker, or hold for ever."""
    asked: dict[str, frozenset[str]] = {}
    for one in made.values():
        if one.tag:
            asked[one.tag] = asked.get(one.tag, frozenset()) | tags_asked(one.condition)
    for one in made.values():
        reached: set[str] = set()
        ahead = list(asked.get(one.tag, ())) if one.tag else []
        while ahead:
            tag = ahead.pop()
            if tag not in reached:
                reached.add(tag)
                ahead += asked.get(tag, ())
        if one.tag in reached:
            yield parsed.fault(("segments", one.name, "tag"), "tag-circle",
                               f"The tag '{one.tag}' would be put on because of itself.",
                               "Use another tag, or take the tag out of the rule.")


def _too_late(made: Mapping[str, Segment], parsed: Parsed) -> Iterator[Fault]:
    for one in made.values():
        asked = sorted(names_used(one.condition) & LATER) if one.tag else []
        if asked:
            yield parsed.fault(("segments", one.name, "tag"), "circular-rule",
                               f"The tag goes by '{asked[0]}', which is made of the tags.",
                               "Leave `tag` out: lists, exports and letters can use the segment itself.")
